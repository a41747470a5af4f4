"""Measure what shortcuts do: gradients layer by layer, and trained networks whose blocks are left out or reordered.

    python experiments/measure_residual.py gradients
    python experiments/measure_residual.py blocks

Both parts write into the record ``residual``, which the chapter on ResNet shows. CIFAR-10 is looked for as
``experiments/train_cifar.py`` does. The gradients take about ten minutes on one thread, the blocks about five.

* ``gradients``: networks of 20 and 56 layers, plain and residual, three seeds; before the first step and after 50 steps
  of the paper's rule (rate 0.1, momentum 0.9, decay 1e-4, batches of 128, which are augmented). Of the loss of 128
  training pictures, in training mode: ``grad_h``, the typical entry (the root of the mean square) of the gradient with
  respect to the output of the first layer and of each block, and ``grad_w``, with respect to the weights of each
  convolution; both from the pictures on. ``loss`` is that of these pictures.
* ``blocks``: the trained networks of 20 layers, on the first test pictures. A block that is left out is replaced by its
  shortcut, in the plain network too: the identity, or at the first block of the second and third stage every other
  pixel and zeros for the new channels. Blocks whose shapes agree may change their places. ``right`` counts the pictures
  told right for each of the 1,600 networks that come of it; its key names the blocks in their order, such as
  ``123 456 789``.
"""

import argparse
import itertools
import time
from collections import Counter
from pathlib import Path

import torch
import train_cifar
from torch import nn

from backbone import data, models, pretrained, records
from backbone.models.resnet import PadShortcut

DEPTHS, SEEDS, STEPS, BATCH = (20, 56), range(3), 50, 128
RATE, MOMENTUM, DECAY = 0.1, 0.9, 1e-4
PICTURES = 2000


def main() -> None:
    """Measure the parts named on the command line and write them beside what is there."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("parts", nargs="+", choices=["gradients", "blocks"])
    parser.add_argument("--weights", type=Path, help="folder with resnet20-0.pt and plain20-0.pt, not those shipped")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    kind, (x, y), (x_test, y_test) = train_cifar.cifar10()
    statistics = data.channel_statistics(x)
    tables = records.load("residual")
    about = tables.pop("about")
    for part in arguments.parts:
        about[part] = {"command": f"python experiments/measure_residual.py {part}", "pictures": kind}
    if "gradients" in arguments.parts:
        about["gradients"]["recipe"] = {"rate": RATE, "momentum": MOMENTUM, "decay": DECAY, "batch": BATCH}
        tables["gradients"] = gradients(data.standardize(x, statistics), y)
    if "blocks" in arguments.parts:
        x_test, y_test = data.standardize(x_test[:PICTURES], statistics), y_test[:PICTURES]
        tables["blocks"] = blocks(networks(arguments.weights), x_test, y_test)
    records.write("residual", about, **tables)


def gradients(x: torch.Tensor, y: torch.Tensor) -> list[dict]:
    """Return the gradients of all networks before the first and after the last step."""
    rows, started = [], time.perf_counter()
    for seed, depth, residual in itertools.product(SEEDS, DEPTHS, (False, True)):
        generator = torch.Generator().manual_seed(seed)
        model = models.cifar_resnet(depth, residual, generator=generator)
        some = torch.randperm(len(x), generator=generator)[:BATCH]
        served = data.batches(x, y, BATCH, shuffle=True, augment=train_cifar.augment, generator=generator)
        for steps in (0, STEPS):
            if steps:
                learn(model, itertools.islice(served, steps))
            row = {"network": "resnet" if residual else "plain", "depth": depth, "seed": seed, "steps": steps}
            rows.append(row | profile(model, x[some], y[some]))
            print(row, f"loss {rows[-1]['loss']}, {time.perf_counter() - started:.0f} s", flush=True)
    return rows


def learn(model: nn.Module, batches) -> None:
    """Take one step for each batch; products in bfloat16, as when the networks were trained."""
    optimizer = torch.optim.SGD(model.parameters(), RATE, momentum=MOMENTUM, weight_decay=DECAY)
    train_cifar.one_pass(model, batches, optimizer, torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0))


def profile(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict:
    """Return the loss, and the size of a typical entry of its gradients, from the pictures on."""
    outputs = []
    places = [model.relu, *(block for stage in stages(model) for block in stage)]
    handles = [place.register_forward_hook(lambda _, __, output: outputs.append(output)) for place in places]
    weights = [layer.weight for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    try:
        loss = nn.functional.cross_entropy(model.train()(x), y)
    finally:
        for handle in handles:
            handle.remove()
    found = [gradient.square().mean().sqrt().item() for gradient in torch.autograd.grad(loss, [*outputs, *weights])]
    sizes = [float(f"{size:.4g}") for size in found]
    return {"loss": round(loss.item(), 4), "grad_h": sizes[: len(outputs)], "grad_w": sizes[len(outputs) :]}


def stages(model: nn.Module) -> tuple[nn.Sequential, ...]:
    """Return the three stages of a network for CIFAR-10."""
    return model.layer1, model.layer2, model.layer3


def networks(folder: Path | None) -> dict[str, nn.Module]:
    """Return the trained networks of 20 layers, by default those that are shipped."""
    if folder is None:
        return {name: pretrained.load(f"cifar_{name}") for name in ("resnet20", "plain20")}
    found = {}
    for name in ("resnet20", "plain20"):
        found[name] = models.cifar_resnet(20, residual=name == "resnet20")
        weights = torch.load(folder / f"{name}-0.pt", weights_only=True)
        found[name].load_state_dict({key: value.float() for key, value in weights.items()})
    return found


def blocks(trained: dict[str, nn.Module], x: torch.Tensor, y: torch.Tensor) -> list[dict]:
    """Return how many pictures each network tells right, for each way to leave blocks out and to reorder them."""
    return [
        {"network": name, "count": len(x), "right": every_way(model.eval(), x, y)} for name, model in trained.items()
    ]


@torch.no_grad()
def every_way(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, int]:
    """Return key -> pictures told right."""
    started, right = time.perf_counter(), Counter()
    for part, labels in zip(x.split(500), y.split(500), strict=True):
        for key, h in ends(stages(model), model.relu(model.bn1(model.conv1(part)))):
            right[key] += (model.fc(model.flatten(model.avgpool(h))).argmax(1) == labels).sum().item()
        print(f"{len(right)} ways, {time.perf_counter() - started:.0f} s", flush=True)
    return dict(right)


def ends(left: tuple[nn.Sequential, ...], h: torch.Tensor, way: tuple[str, ...] = ()):
    """Yield the key and the last maps of each way through the stages left; what ways share is computed once."""
    if not left:
        yield " ".join(way), h
        return
    stage, names = left[0], [str(len(left[0]) * len(way) + place) for place in range(1, len(left[0]) + 1)]
    if not way:  # all blocks of the first stage keep the shape
        beginnings = [(h, names, "")]
    else:
        missing = PadShortcut(h.shape[1], 2 * h.shape[1], 2)
        beginnings = [(stage[0](h), names[1:], names[0]), (missing(h), names[1:], "")]
    for first, free, key in beginnings:
        for found, out in orders(dict(zip(names, stage, strict=True)), first, free, key):
            yield from ends(left[1:], out, (*way, found or "-"))


def orders(named: dict[str, nn.Module], h: torch.Tensor, free: list[str], key: str):
    """Yield the key and the maps for each choice of the free blocks, in each order."""
    yield key, h
    for name in free:
        yield from orders(named, named[name](h), [one for one in free if one != name], key + name)


if __name__ == "__main__":
    main()
