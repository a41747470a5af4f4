"""Measure how much of a carried network to freeze, and write the table that ``TransferExplorer`` shows.

    python experiments/measure_freezing.py

A network learns five classes of Fashion-MNIST. Its four layers are carried to the other five classes, under a new head,
and learn there from 1 to 200 labels a class, with the first 0 to 4 of them frozen. A network with first weights of its
own learns the same. At the most labels two of these learn at a higher rate, too, for the lead of one over the other may
hang on the rate. It takes about a quarter of an hour on one thread.

What is written into the record ``freezing``: for each way and each number of labels, the share of right
answers for each seed, and the answers to the first pictures of each class, as digits. A seed draws the halves, the
labeled pictures, the first weights and the order of the pictures; at one seed all ways get the same, so that they may
be compared pair by pair.
"""

import copy
import time

import torch
from common import draws, measured, of_classes, rows, take_steps
from torch import nn

from backbone import data, records, training
from backbone.models.initialization import initialize

LABELS = (1, 2, 5, 10, 20, 50, 100, 200)  # a class
SEEDS = range(10)
LAYERS = 4  # that are carried
WAYS = ("scratch", *range(LAYERS + 1))  # the number is how many layers are frozen
STEPS, BATCH, RATE = 200, 32, 1e-3
HIGHER = 3e-3  # the second rate of RIVALS
RIVALS = ("scratch", 0)
FIRST_STEPS = 800  # on the first five classes
SHOWN = 3  # test pictures of each class whose answers are written down


def main() -> None:
    """Train all networks and write the record, after each seed."""
    torch.set_num_threads(1)
    for runs in draws(one_draw, SEEDS):
        write(runs)


def one_draw(seed: int) -> dict:
    """Return (way, labels a class, rate) -> the share of right answers on the second five classes, and some answers.

    These are to the first ``SHOWN`` test pictures of each of the five, class by class, a digit each.
    """
    generator = torch.Generator().manual_seed(seed)
    first, second = halves(generator)
    x, y = of_classes(data.fashion_mnist("train"), first)
    carried = network(generator)
    train(carried, x, y, FIRST_STEPS, generator)

    x, y = of_classes(data.fashion_mnist("train"), second)
    order = torch.stack([shuffle(torch.where(y == k)[0], generator) for k in range(5)])  # (5, 600)
    rest = order[:, max(LABELS) :].flatten()  # no network learns from these
    test_x, test_y = of_classes(data.fashion_mnist("test"), second)
    shown = torch.cat([torch.where(test_y == k)[0][:SHOWN] for k in range(5)])
    test_x, test_y = torch.cat([test_x, x[rest]]), torch.cat([test_y, y[rest]])
    found = {}
    for way in WAYS:
        frozen = 0 if way == "scratch" else way
        # What the frozen layers hand on never changes, so it is computed once.
        h, test_h = (training.predict(carried[:frozen], one) for one in (x, test_x))
        for labels, rate in settings(way):
            some = order[:, :labels].flatten()
            generator = torch.Generator().manual_seed(1000 + seed)
            model = network(generator)  # the head and the order of the pictures are the same in all ways
            if way != "scratch":
                model = nn.Sequential(*copy.deepcopy(carried[frozen:LAYERS]), model[LAYERS])
            train(model, h[some], y[some], STEPS, generator, rate)
            said = second[training.predict(model, test_h[shown]).argmax(dim=1)]
            found[way, labels, rate] = measured(model, test_h, test_y).accuracy, "".join(map(str, said.tolist()))
    return found


def settings(way) -> list[tuple[int, float]]:
    """Return the numbers of labels a class that a way learns from, each with its rate."""
    return [(labels, RATE) for labels in LABELS] + [(max(LABELS), HIGHER)] * (way in RIVALS)


def halves(generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw the five classes that are learned first and the five that come second, each rising."""
    shuffled = torch.randperm(10, generator=generator)
    return shuffled[:5].sort().values, shuffled[5:].sort().values


def network(generator) -> nn.Sequential:
    """Return a network of four layers, each a module, and a head: (N, 1, 28, 28) to (N, 5)."""

    def convolution(inputs, outputs):
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))

    linear = nn.Sequential(nn.Flatten(), nn.Linear(32 * 3 * 3, 64), nn.ReLU())
    layers = convolution(1, 16), convolution(16, 32), convolution(32, 32), linear
    return initialize(nn.Sequential(*layers, nn.Linear(64, 5)), generator)


def train(model, x, y, steps, generator, rate=RATE) -> None:
    """Train in place with Adam, one rate for all that learns."""
    take_steps(model, x, y, torch.optim.Adam(model.parameters(), lr=rate), generator, steps, BATCH)


def shuffle(values, generator) -> torch.Tensor:
    """Return the values (N,) in a random order."""
    return values[torch.randperm(len(values), generator=generator)]


def at_rate(run: dict, rate: float) -> dict:
    """Return (way, labels a class) -> the share of right answers, of what learned at a rate."""
    return {(way, labels): accuracy for (way, labels, one), (accuracy, _) in run.items() if one == rate}


def write(runs: list[dict]) -> None:
    """Write the record; each row holds one accuracy for each seed, and one text of answers."""
    about = {
        "command": "python experiments/measure_freezing.py",
        "data": "Fashion-MNIST, the 6,000 + 1,000 pictures of this package; five classes drawn at random to learn "
        "first, the other five second; tested on 2,500 pictures of these that no network learned from",
        "network": "convolutions 3x3 with 16, 32 and 32 channels, each with ReLU and 2x2 max pooling; linear 288 to 64 "
        "with ReLU; head 64 to 5",
        "training": f"Adam, rate {RATE} for all that learns, batches of at most {BATCH}; {FIRST_STEPS} steps first, "
        f"then {STEPS}; in the table 'higher' these {STEPS} at {HIGHER}",
        "answers": f"to the first {SHOWN} test pictures of each second class, class by class, a digit each",
        "seeds": list(SEEDS)[: len(runs)],
        "torch": torch.__version__,
        "CPU seconds": round(time.process_time()),
    }
    found, higher = (
        rows([at_rate(run, rate) for run in runs], ("way", "labels"), "accuracy") for rate in (RATE, HIGHER)
    )
    for row in found:
        row["answers"] = [run[row["way"], row["labels"], RATE][1] for run in runs]
    drawn = [
        {"seed": seed, "second": halves(torch.Generator().manual_seed(seed))[1].tolist()} for seed in about["seeds"]
    ]
    records.write("freezing", about, rows=found, higher=higher, draws=drawn)


if __name__ == "__main__":
    main()
