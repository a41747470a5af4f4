"""Measure which narrow VGGs begin to learn, by depth, first weights and rate, for the chapter on VGG.

    python experiments/measure_start.py

It takes about three minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``start``: a row for each depth, rule and rate; in it the mean training loss of the last
of ``EPOCHS`` passes, a number for each seed, and that of the last of ``LONGER`` passes for the first seed. A loss that
became infinite counts as that of guessing.
"""

import math
from functools import partial

import torch
from common import columns, draws, standardized
from torch import nn

from backbone import data, models, records, training
from backbone.models.vgg import COUNTS, WIDTHS

DEPTHS, RULES, RATES = (11, 16), ("0.01", "Xavier", "He"), (0.005, 0.02, 0.1, 0.5)
PICTURES, BATCH, EPOCHS, LONGER, SEEDS = 1200, 50, 4, 20, range(3)
BUILT = {11: models.vgg11, 16: models.vgg16}


def narrow(depth: int) -> nn.Sequential:
    """Return a VGG at a sixteenth of its width, for gray pictures of 32 x 32."""
    layers, channels = [], 1
    for count, width in zip(COUNTS[depth], WIDTHS, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width // 16, 3, padding=1), nn.ReLU()]
            channels = width // 16
        layers.append(nn.MaxPool2d(2))
    head = (nn.Linear(32, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    return nn.Sequential(*layers, nn.Flatten(), *head)


def deviation(rule: str, layer: nn.Module, wide: nn.Module) -> float:
    """Return the standard deviation of a layer's first weights."""
    fan_in, fan_out = layer.weight[0].numel(), layer.weight[:, 0].numel()
    if rule == "0.01":  # as strong as it is in the layer of full width
        return 0.01 * math.sqrt(wide.weight[0].numel() / fan_in)
    return math.sqrt(2 / (fan_in + fan_out) if rule == "Xavier" else 2 / fan_in)


def start(depth: int, rule: str, seed: int) -> nn.Module:
    """Return a narrow network with its first weights."""
    generator = torch.Generator().manual_seed(seed)
    model = narrow(depth)
    with torch.device("meta"):
        wide = BUILT[depth]()
    for layer, full in zip(learned(model), learned(wide), strict=True):
        nn.init.normal_(layer.weight, 0, deviation(rule, layer, full), generator=generator)
        nn.init.zeros_(layer.bias)
    return model


def learned(model: nn.Module) -> list[nn.Module]:
    """Return the layers with weights."""
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]


def loss_after(depth: int, rule: str, rate: float, epochs: int, x, y, seed: int) -> float:
    """Return the mean loss of the last pass."""
    model = start(depth, rule, seed).to(memory_format=torch.channels_last)
    served = data.batches(x, y, BATCH, shuffle=True, generator=torch.Generator().manual_seed(seed))
    sgd = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    try:
        return min(math.log(10), training.fit(model, served, epochs, sgd, progress=False).train_loss[-1])
    except ValueError:  # the loss was no number any more
        return math.log(10)


def main() -> None:
    """Measure all rows and write the record, after each."""
    torch.set_num_threads(1)
    x, y = standardized(data.fashion_mnist("train"))
    x, y = nn.functional.pad(x[:PICTURES], (2, 2, 2, 2)), y[:PICTURES]
    rows = []
    for depth in DEPTHS:
        for rule in RULES:
            for rate in RATES:
                *_, runs = draws(partial(one_run, depth, rule, rate, x, y), SEEDS)
                rows.append({"depth": depth, "rule": rule, "rate": rate} | columns(runs, "loss", "loss, longer"))
                records.write("start", about(), starts=rows)


def one_run(depth, rule, rate, x, y, seed) -> dict[str, float]:
    """Return the losses of one start."""
    found = {"loss": loss_after(depth, rule, rate, EPOCHS, x, y, seed)}
    if seed == SEEDS[0]:
        found["loss, longer"] = loss_after(depth, rule, rate, LONGER, x, y, seed)
    return found


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_start.py",
        "data": f"Fashion-MNIST in the package: {PICTURES:,} training pictures, padded to 32 x 32",
        "network": "VGG-11 and VGG-16 at a sixteenth of their width, without BatchNorm and dropout",
        "training": f"SGD with momentum 0.9, batches of {BATCH}; {EPOCHS} passes, {LONGER} for one seed",
        "steps": EPOCHS * PICTURES // BATCH,
        "longer": LONGER * PICTURES // BATCH,
        "seeds": list(SEEDS),
    }


if __name__ == "__main__":
    main()
