"""Train a classifier and measure it. Nothing is kept outside of what is passed in and returned."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
from torch import nn
from tqdm.auto import tqdm

from backbone.checks import evaluating, integer, tensor

Batches = Iterable[tuple[torch.Tensor, torch.Tensor]]


@dataclass(frozen=True)
class Evaluation:
    """What a pass over a set of pictures gave.

    Attributes:
        loss: mean over the pictures.
        accuracy: share of pictures whose highest score is at their class, 0 to 1.
        count: number of pictures.
    """

    loss: float
    accuracy: float
    count: int


@dataclass(frozen=True)
class History:
    """How training went: tuples with one number for each epoch.

    Attributes:
        train_loss: mean over the epoch, of batches as they came, so while the weights were moving.
        train_accuracy: likewise, 0 to 1.
        validation_loss: after the epoch; empty where no validation pictures were given.
        validation_accuracy: likewise.
        learning_rate: of the first parameter group at the epoch's end.
    """

    train_loss: tuple[float, ...]
    train_accuracy: tuple[float, ...]
    validation_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    learning_rate: tuple[float, ...]


def fit(
    model: nn.Module,
    batches: Batches,
    epochs: int,
    optimizer: torch.optim.Optimizer,
    *,
    schedule: torch.optim.lr_scheduler.LRScheduler | None = None,
    validation: Batches | None = None,
    progress: bool = True,
) -> History:
    """Train a model in place on the cross-entropy.

    Args:
        model: maps a batch of pictures to logits (N, K). Each of its modules stays in the mode in which it came: what
            was put into eval mode, such as a frozen body, keeps its running averages and drops nothing.
        batches: gives pairs of pictures (N, ...) and labels (N,), anew on each pass.
        epochs: number of passes.
        optimizer: holds the parameters to change.
        schedule: stepped after each batch.
        validation: measured after each epoch, without learning from it.
        progress: show a bar; the environment variable ``TQDM_DISABLE=1`` silences it everywhere.

    Returns:
        The history.

    Raises:
        ValueError: there is nothing to train on, the whole model is in eval mode, the optimizer holds none of its
            parameters, it gives something else than logits or has no such class, or the loss stopped being a number;
            the learning rate is the usual cause.
    """
    if not any(module.training for module in model.modules()):
        raise ValueError(
            "fit: the whole model is in eval mode, in which dropout and batch normalization do not train; call "
            "model.train() first, and then eval() on the parts that are to stay as they are"
        )
    held = {parameter for group in optimizer.param_groups for parameter in group["params"]}
    if not held.intersection(model.parameters()):
        raise ValueError(
            "fit: the optimizer holds no parameter of this model, which would learn nothing; make it anew from "
            "model.parameters() whenever the model is made anew"
        )
    rows, epochs = [], integer("fit", "epochs", epochs, 0)
    silent = not progress or bool(os.environ.get("TQDM_DISABLE"))  # tqdm's own bar for notebooks does not ask
    bar = tqdm(range(epochs), desc="epochs", leave=False, disable=silent)
    for epoch in bar:
        train = _pass(model, batches, optimizer, schedule)
        if not torch.isfinite(torch.tensor(train.loss)):
            advice = f"lower the learning rate, which is {optimizer.param_groups[0]['lr']:g}"
            if not all(x.isfinite().all() for x, _ in batches):
                advice = "the pictures hold NaN or infinity"
            raise ValueError(f"fit: the loss became {train.loss} in epoch {epoch + 1}; {advice}")
        held_out = evaluate(model, validation) if validation is not None else None
        rows.append((train, held_out, optimizer.param_groups[0]["lr"]))
        bar.set_postfix(loss=f"{train.loss:.3f}", accuracy=f"{(held_out or train).accuracy:.1%}")
    return History(
        train_loss=tuple(train.loss for train, _, _ in rows),
        train_accuracy=tuple(train.accuracy for train, _, _ in rows),
        validation_loss=tuple(held_out.loss for _, held_out, _ in rows if held_out),
        validation_accuracy=tuple(held_out.accuracy for _, held_out, _ in rows if held_out),
        learning_rate=tuple(rate for _, _, rate in rows),
    )


def evaluate(model: nn.Module, batches: Batches) -> Evaluation:
    """Measure a model in eval mode, without gradients; every picture counts the same, whatever its batch's size."""
    with torch.no_grad(), evaluating(model):
        return _pass(model, batches)


def predict(model: nn.Module, x: torch.Tensor, batch_size: int = 500) -> torch.Tensor:
    """Return the logits (N, K) of pictures (N, ...), in eval mode and without gradients."""
    parts = tensor("predict", "x", x).split(integer("predict", "batch_size", batch_size, 1))
    with torch.no_grad(), evaluating(model):
        return torch.cat([_given(model, part) for part in parts])


def _pass(model, batches, optimizer=None, schedule=None) -> Evaluation:
    """Go through the batches once, learning where an optimizer is given."""
    total, right, count = 0.0, 0, 0
    for batch in batches:
        if not isinstance(batch, tuple | list) or len(batch) != 2:
            raise ValueError(f"training: a batch is {_kind(batch)}; it must be a pair of pictures and labels, (x, y)")
        x, y = batch
        logits = _logits(_given(model, x), y)
        value = F.cross_entropy(logits, y)
        if optimizer is not None:
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            if schedule is not None:
                schedule.step()
        total += value.item() * len(y)
        right += (logits.argmax(1) == y).sum().item()
        count += len(y)
    if not count:
        spent = "; an iterator is used up after one pass, so give a list" if isinstance(batches, Iterator) else ""
        raise ValueError(f"training: the batches hold no pictures{spent}")
    return Evaluation(total / count, right / count, count)


def _kind(batch) -> str:
    several = isinstance(batch, tuple | list)
    return f"{type(batch).__name__} of {len(batch)}" if several else type(batch).__name__


def _given(model, x):
    """Return what a model gives for pictures."""
    try:
        return model(x)
    except RuntimeError as error:
        if x.dtype != torch.uint8 or not re.search("unsigned char|Byte", str(error)):
            raise
        raise ValueError("training: the model takes no bytes, 0 to 255; make them float with to_float") from error


def _logits(given, y) -> torch.Tensor:
    """Return what a model gave, checked to be logits (N, K) for labels (N,)."""
    if not isinstance(given, torch.Tensor):
        raise ValueError(
            f"training: the model gives a {type(given).__name__}; it must give logits, a tensor (N, K). GoogLeNet and "
            "Inception v3 do with model.aux_logits = False"
        )
    if given.ndim != 2 or y.shape != given.shape[:1]:
        raise ValueError(
            f"training: the model gives {tuple(given.shape)} for labels {tuple(y.shape)}; logits must be (N, K), and "
            "labels (N,), one class for each picture"
        )
    if y.dtype not in (torch.int64, torch.uint8):
        raise ValueError(f"training: labels are {y.dtype}; they must be torch.int64, such as y.long() gives")
    if len(y) and not 0 <= y.min() <= y.max() < given.shape[1]:
        raise ValueError(
            f"training: labels go from {y.min()} to {y.max()}; the model knows {given.shape[1]} classes, 0 to "
            f"{given.shape[1] - 1}"
        )
    return given
