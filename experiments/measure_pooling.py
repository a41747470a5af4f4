"""Measure what pooling and the head of a LeNet do, to overfitting and to pictures that move.

    python experiments/measure_pooling.py

LeNet is trained with one part exchanged: its pooling, or what stands between its convolutions and its linear layers.
Every way is trained at three rates; the one with the best validation accuracy is kept, and five networks are trained at
it. The way "every second" has no pooling: of each 2 x 2 it keeps the first number, so its shapes, its weights and its
cost are LeNet's. It takes about ten minutes on one thread.

What is written into the record ``pooling``: for each way and each number of training pictures the rate, and for each
seed the accuracy on the training pictures, on 1,000 validation pictures, and on the 1,000 test pictures moved to the
right by 0 to 6 pixels. A seed draws the first weights and the order of the pictures.
"""

import time

import torch
from common import BLACK, measured, standardized, trained
from torch import nn

from backbone import data, models, records
from backbone.models.initialization import initialize

RATES, SEEDS, CHOOSE = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1), range(5), (100, 101)
EPOCHS = {5000: 9, 1000: 45}  # pictures -> passes, about 700 steps in both
SHIFTS = range(7)


class EverySecond(nn.Module):
    """Keep the first number of each 2 x 2, and look at no other."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return every second row and column of x (N, C, H, W)."""
        return x[..., : x.shape[2] // 2 * 2 : 2, : x.shape[3] // 2 * 2 : 2]


POOLINGS = {"maximum": lambda: nn.MaxPool2d(2), "average": lambda: nn.AvgPool2d(2), "every second": EverySecond}
HEADS = {"global average": nn.AdaptiveAvgPool2d, "global maximum": nn.AdaptiveMaxPool2d}
WAYS = [(5000, way) for way in (*POOLINGS, *HEADS)] + [(1000, way) for way in POOLINGS]


def network(way: str, generator) -> nn.Module:
    """Return LeNet with its pooling or its head exchanged."""
    model = models.LeNet()
    if way in POOLINGS:
        model.pool1, model.pool2 = POOLINGS[way](), POOLINGS[way]()
    else:
        model.flatten = nn.Sequential(HEADS[way](1), nn.Flatten())
        model.fc1 = nn.Linear(16, 120)
    return initialize(model, generator)


def main() -> None:
    """Choose a rate for each way, train at it, and write the record after each way."""
    torch.set_num_threads(1)
    x, y = standardized(data.fashion_mnist("train"))
    found = []
    for count, way in WAYS:

        def train(seed, rate, count=count, way=way):
            settings = {"epochs": EPOCHS[count], "batch": 64, "rate": rate, "decay": 0.05}
            return trained(lambda generator: network(way, generator), x[:count], y[:count], seed, **settings)

        choices = [
            round(sum(measured(train(seed, rate), x[5000:], y[5000:]).accuracy for seed in CHOOSE) / len(CHOOSE), 4)
            for rate in RATES
        ]
        rate = max(zip(choices, RATES, strict=True))[1]
        runs = [tested(train(seed, rate), x, y, count) for seed in SEEDS]
        found.append(
            {"pictures": count, "way": way, "rate": rate, "choices": choices}
            | {name: [run[name] for run in runs] for name in runs[0]}
        )
        print(f"{time.process_time():.0f} s: {found[-1]}", flush=True)
        write(found)


def tested(model: nn.Module, x: torch.Tensor, y: torch.Tensor, count: int) -> dict:
    """Return shares of right answers; "moved" holds one for each shift of the test pictures."""
    test_x, test_y = standardized(data.fashion_mnist("test"))
    moved = [nn.functional.pad(test_x, [shift, 0, 0, 0], value=BLACK)[..., :28] for shift in SHIFTS]
    return {
        "train": round(measured(model, x[:count], y[:count]).accuracy, 4),
        "validation": measured(model, x[5000:], y[5000:]).accuracy,
        "moved": [measured(model, one, test_y).accuracy for one in moved],
    }


def write(found: list[dict]) -> None:
    """Write the record, a row for each way."""
    about = {
        "command": "python experiments/measure_pooling.py",
        "data": "Fashion-MNIST, the 6,000 + 1,000 pictures of this package: the first 5,000 or 1,000 to learn from, "
        "the last 1,000 of the 6,000 to choose the rate with, 1,000 to test",
        "network": "LeNet with its pooling or its head exchanged",
        "training": f"AdamW, decay 0.05, batches of 64, one cycle of the rate, {EPOCHS} passes; the rate of "
        f"{list(RATES)} with the best mean validation accuracy at the seeds {list(CHOOSE)}",
        "moved": f"to the right by {list(SHIFTS)} pixels, filled with black",
        "seeds": list(SEEDS),
        "torch": torch.__version__,
        "CPU seconds": round(time.process_time()),
    }
    records.write("pooling", about, ways=found)


if __name__ == "__main__":
    main()
