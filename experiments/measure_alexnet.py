"""Measure HOG with a linear support vector machine against LeNet as the training set grows, for the chapter on AlexNet.

    python experiments/measure_alexnet.py

It takes about eight minutes on one thread, and the whole of Fashion-MNIST: downloaded, or in the folder that
BACKBONE_DATA names. The chapter runs two of the sizes itself, one run each, and shows these beside.

What is written into the record ``alexnet``: a row for each number of training pictures; in it the accuracy on
all 10,000 test pictures, and on the training pictures, a number for each seed. A seed draws the pictures, and LeNet's
first weights and batches. All 60,000 pictures are one set only, and the support vector machine draws nothing: it has
one number there.

Both sides are tuned a little. The support vector machine's C is the best of ``STRENGTHS`` on a fifth of the training
pictures that is held out, and it is then fitted to all of them; of more than ``TUNED_ON`` pictures, so many choose C.
LeNet is trained as in the chapter on feature extraction, small sets with as many passes as make ``STEPS`` steps.
"""

import math
import time

import numpy as np
import torch
from skimage.feature import hog
from sklearn.svm import LinearSVC

from backbone import data, models, records, training

SIZES = (250, 1000, 6000, 60_000)
TUNED_ON = 6000  # pictures at most, to choose C
SEEDS = range(3)
STRENGTHS = (0.01, 0.03, 0.1, 0.3)
CELLS = {"orientations": 8, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
BATCH, RATE, DECAY, EPOCHS, STEPS = 64, 1e-2, 0.05, 9, 800


def main() -> None:
    """Measure all sizes and write the record, after each size."""
    torch.set_num_threads(1)
    train, test = (data.fashion_mnist(split, full=True) for split in ("train", "test"))
    by_hand = described(train.images), described(test.images)
    x, x_test = (prepared(part.images) for part in (train, test))
    rows = []
    for size in SIZES:
        row = {"pictures": size, "svm": [], "svm train": [], "C": [], "lenet": [], "lenet train": []}
        for seed in SEEDS:
            some = drawn(train.labels, size, seed)
            if size < len(train) or seed == 0:
                few = some[:TUNED_ON]
                strength = chosen(by_hand[0][few], train.labels[few])
                machine = fitted(by_hand[0][some], train.labels[some], strength)
                row["C"].append(strength)
                row["svm"].append(machine.score(by_hand[1], test.labels.numpy()))
                row["svm train"].append(machine.score(by_hand[0][some], train.labels[some].numpy()))
            network = learned(x[some], train.labels[some], seed)
            row["lenet"].append(right(network, x_test, test.labels))
            row["lenet train"].append(right(network, x[some], train.labels[some]))
            print(size, seed, {key: value[-1] for key, value in row.items() if key != "pictures"}, flush=True)
        rows.append({key: rounded(value) for key, value in row.items()})
        records.write("alexnet", about(), sizes=rows)


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_alexnet.py",
        "data": "Fashion-MNIST: as many of the 60,000 training pictures, equally many of each class; all 10,000 test "
        "pictures",
        "support vector machine": f"scikit-learn's LinearSVC on HOG, {CELLS}, C chosen on a held-out fifth of the "
        f"training pictures, at most {TUNED_ON} of them, from {STRENGTHS}",
        "lenet": f"AdamW, one cycle up to {RATE}, decay {DECAY}, batches of {BATCH}, {EPOCHS} epochs or {STEPS} steps, "
        "whichever is more",
        "seeds": list(SEEDS),
        "torch": torch.__version__,
        "cpu seconds": round(time.process_time()),
    }


def rounded(value):
    """Round accuracies to four digits; sizes stay."""
    return [round(one, 4) for one in value] if isinstance(value, list) else value


def drawn(labels: torch.Tensor, size: int, seed: int) -> torch.Tensor:
    """Draw positions of so many pictures, equally many of each class, in random order."""
    generator = torch.Generator().manual_seed(200 + seed)
    order = torch.randperm(len(labels), generator=generator)
    parts = [order[labels[order] == label][: size // 10] for label in range(10)]
    some = torch.cat(parts)
    return some[torch.randperm(len(some), generator=generator)]


def described(images: torch.Tensor) -> np.ndarray:
    """Return the HOG of pictures, (N, 1152)."""
    return np.array([hog(one[0].numpy(), **CELLS) for one in data.to_float(images)])


def prepared(images: torch.Tensor) -> torch.Tensor:
    """Return standardized pictures."""
    return data.standardize(data.to_float(images), data.FASHION_MNIST_STATISTICS)


def fitted(x: np.ndarray, y: torch.Tensor, strength: float) -> LinearSVC:
    """Fit a linear support vector machine, one class against the rest."""
    return LinearSVC(C=strength, dual=True, tol=1e-2, random_state=0).fit(x, y.numpy())


def chosen(x: np.ndarray, y: torch.Tensor) -> float:
    """Return the C that does best on the last fifth after a fit to the rest."""
    cut = len(y) * 4 // 5
    return max(STRENGTHS, key=lambda c: fitted(x[:cut], y[:cut], c).score(x[cut:], y[cut:].numpy()))


def learned(x: torch.Tensor, y: torch.Tensor, seed: int) -> torch.nn.Module:
    """Train LeNet."""
    generator = torch.Generator().manual_seed(seed)
    model = models.lenet(generator=generator)
    served = data.batches(x, y, BATCH, shuffle=True, generator=generator)
    epochs = max(EPOCHS, math.ceil(STEPS / len(served)))
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs=epochs, steps_per_epoch=len(served))
    training.fit(model, served, epochs, optimizer, schedule=cycle, progress=False)
    return model


def right(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the share of pictures that a network gets right."""
    return training.evaluate(model, data.batches(x, y, 500)).accuracy


if __name__ == "__main__":
    main()
