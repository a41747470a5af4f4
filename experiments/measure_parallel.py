"""Measure whether windows of several sizes side by side are better than one size, for the chapter on GoogLeNet.

    python experiments/measure_parallel.py

It takes about ten minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``parallel``: a row for each kind of module and each rate; in it a number for each seed:
the accuracy on the training pictures and on the validation pictures, the last fifth of the 6,000; and the multiply-adds
of the network. The rate with the best mean on the validation pictures is kept, and only its networks see the 1,000 test
pictures: its row alone has ``accuracy``. The networks differ in two modules only, which cost equally much to 5 %.
"""

from bisect import bisect_left
from functools import cache, partial

import torch
from common import accuracies, split, standardized, trained
from torch import nn

from backbone import data, models, records

RATES = (0.01, 0.03, 0.1)
SEEDS, EPOCHS, BATCH, DECAY = range(3), 6, 100, 0.01
IN, OUT = 32, 64
# Maps that each window makes; the numbers make the arithmetic of all modules alike.
MODULES = {
    "1×1, 3×3, 5×5 and pool": {1: 20, 3: 26, 5: 10, "pool": 8},
    "3×3 only": {3: 64},
    "5×5 only": {5: 64},
    "1×1 only": {1: 64},
}


class Module(nn.Module):
    """Windows side by side, each behind a 1x1 that makes fewer maps of the input."""

    def __init__(self, channels: int, widths: dict, into: float):
        super().__init__()
        self.branches = nn.ModuleList(branch(channels, kernel, width, into) for kernel, width in widths.items())

    def forward(self, x):
        """Map (N, channels, H, W) to (N, sum of widths, H, W)."""
        return torch.cat([one(x) for one in self.branches], dim=1)


def branch(channels: int, kernel, width: int, into: float) -> nn.Sequential:
    """Return a branch: reduction and window, or pooling and projection, each convolution with its ReLU."""
    if kernel == "pool":
        return nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), nn.Conv2d(channels, width, 1), nn.ReLU())
    narrow = max(1, round(into * width))
    return nn.Sequential(
        *(nn.Conv2d(channels, narrow, 1), nn.ReLU()),
        *(nn.Conv2d(narrow, width, kernel, padding=kernel // 2), nn.ReLU()),
    )


def network(name: str, into: float, generator=None) -> nn.Module:
    """Return a small network with two modules of one kind."""
    widths = MODULES[name]
    model = nn.Sequential(
        *(nn.Conv2d(1, IN, 3, stride=2, padding=1), nn.ReLU()),
        Module(IN, widths, into),
        nn.MaxPool2d(2),
        Module(OUT, widths, into),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(OUT, 10)),
    )
    return model if generator is None else models.initialize(model, generator, "he")


@cache
def arithmetic(name: str, into: float) -> int:
    """Return the multiply-adds for one picture."""
    with torch.device("meta"):
        return models.summary(network(name, into), (1, 1, 28, 28)).multiply_adds


def shares() -> dict[str, float]:
    """Return how narrow each kind's 1x1 has to be for all to cost as much as 3x3 alone at a quarter."""
    wanted = arithmetic("3×3 only", 0.25)
    return {name: share(name, wanted) for name in MODULES}


def share(name: str, wanted: int) -> float:
    """Return the smallest share whose cost is nearest to the one wanted; the wider, the costlier."""
    steps, cost = [step / 64 for step in range(2, 257)], partial(arithmetic, name)
    above = bisect_left(steps, wanted, key=cost)
    nearest = min(steps[max(0, above - 1) : above + 1], key=lambda into: abs(cost(into) - wanted))
    return steps[bisect_left(steps, cost(nearest), key=cost)]


def main() -> None:
    """Measure all kinds and rates and write the record, after each kind."""
    torch.set_num_threads(1)
    (x, y), test = (standardized(data.fashion_mnist(part)) for part in ("train", "test"))
    train, validation = split(x, y)
    rows = []
    for name, into in shares().items():
        counts = {"windows": name, "multiply-adds": arithmetic(name, into), "narrowed to": into}
        tried = {rate: learned(name, into, rate, train) for rate in RATES}
        found = {
            rate: {"train": accuracies(kept, train), "validation": accuracies(kept, validation)}
            for rate, kept in tried.items()
        }
        best = max(RATES, key=lambda rate: sum(found[rate]["validation"]))
        found[best]["accuracy"] = accuracies(tried[best], test)
        rows += [counts | {"rate": rate} | found[rate] for rate in RATES]
        print(*rows[-len(RATES) :], sep="\n", flush=True)
        records.write("parallel", about(), kinds=rows)


def learned(name, into, rate, train) -> list[nn.Module]:
    """Train a network for each seed."""
    settings = {"epochs": EPOCHS, "batch": BATCH, "rate": rate, "decay": DECAY}
    return [trained(partial(network, name, into), *train, seed, **settings) for seed in SEEDS]


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_parallel.py",
        "data": "Fashion-MNIST in the package: 4,800 pictures to learn from, 1,200 for validation, 1,000 to test",
        "network": f"a convolution to {IN} maps at stride 2, a module, pooling, a module, an average, a linear layer",
        "modules": "1x1 before each window, as narrow as it makes all kinds cost alike",
        "training": f"AdamW with one cycle of the rate, {EPOCHS} passes in batches of {BATCH}; the rate of "
        f"{list(RATES)} with the best mean on the validation pictures is tested",
        "seeds": list(SEEDS),
    }


if __name__ == "__main__":
    main()
