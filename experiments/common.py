"""What several experiments do: prepare clothes, train a network, repeat over draws, round, and write a card."""

import datetime
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from backbone import data, pretrained, training

SHIPPED = Path(pretrained.__file__).parent
BLACK = -float(data.FASHION_MNIST_STATISTICS.mean / data.FASHION_MNIST_STATISTICS.std)


# ---- Fashion-MNIST -----------------------------------------------------------------------------------------------


def standardized(pictures: data.LabeledImages) -> tuple[torch.Tensor, torch.Tensor]:
    """Return standardized pictures (N, 1, 28, 28) and labels (N,)."""
    return data.standardize(data.to_float(pictures.images), data.FASHION_MNIST_STATISTICS), pictures.labels


def split(x: torch.Tensor, y: torch.Tensor) -> tuple[tuple, tuple]:
    """Return pictures and labels to learn from, and the last fifth, on which settings are chosen."""
    cut = len(y) * 4 // 5
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def of_classes(pictures: data.LabeledImages, classes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the standardized pictures of some classes, and their labels counted anew from 0."""
    x, y = standardized(pictures)
    keep = torch.isin(y, classes)
    return x[keep], torch.searchsorted(classes, y[keep])


# ---- A network ---------------------------------------------------------------------------------------------------


def trained(
    build: Callable[..., nn.Module], x, y, seed, *, epochs, batch, rate, decay, augment=None, progress=False
) -> nn.Module:
    """Train a network with AdamW and one cycle of the rate.

    The seed draws its first weights, the order of the pictures and their changes.
    """
    generator = torch.Generator().manual_seed(seed)
    model = build(generator=generator)
    served = data.batches(x, y, batch, shuffle=True, augment=augment, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=decay)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=len(served))
    training.fit(model, served, epochs, optimizer, schedule=cycle, progress=progress)
    return model


def take_steps(model, x, y, optimizer, generator, steps, batch=32, flip=False) -> None:
    """Train in place; each batch is drawn anew, and flipped left to right and top to bottom at random where asked."""
    for _ in range(steps):
        some = torch.randperm(len(x), generator=generator)[:batch]
        axes = [axis for axis in (-1, -2) if flip and torch.rand((), generator=generator) < 0.5]
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[some].flip(axes)), y[some]).backward()
        optimizer.step()


def measured(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> training.Evaluation:
    """Return mean loss and accuracy on pictures and labels."""
    return training.evaluate(model, data.batches(x, y, 500))


def accuracies(models: Iterable[nn.Module], pictures: tuple[torch.Tensor, torch.Tensor]) -> list[float]:
    """Return the accuracy of each network on the same pictures and labels."""
    return [round(measured(model, *pictures).accuracy, 4) for model in models]


def write_card(name: str, **facts) -> pretrained.Card:
    """Write the card of shipped weights beside them, and return it."""
    card = pretrained.Card(model=name, date=datetime.date.today().isoformat(), license="MIT", **facts)
    (SHIPPED / f"{name}.json").write_text(json.dumps(asdict(card), indent=2) + "\n", "utf-8")
    return card


# ---- Draws -------------------------------------------------------------------------------------------------------


def draws(measure: Callable[[int], dict], seeds: Iterable[int]) -> Iterator[list[dict]]:
    """Measure draw by draw, say after each what came, and yield all so far, for a record that grows meanwhile."""
    runs = []
    for seed in seeds:
        runs.append(measure(seed))
        print(f"draw {seed}, {time.process_time():.0f} s: {runs[-1]}", flush=True)
        yield runs


def columns(runs: list[dict], *names: str) -> dict[str, list[float]]:
    """Return name -> one number for each draw that measured it; a name that none did has no column."""
    found = {name: [round(run[name], 4) for run in runs if name in run] for name in names}
    return {name: values for name, values in found.items() if values}


def rows(runs: list[dict], names: tuple[str, ...], column: str) -> list[dict]:
    """Return a row for each setting, its parts named, with one number for each draw."""
    return [dict(zip(names, key, strict=True)) | {column: numbers} for key, numbers in columns(runs, *runs[0]).items()]
