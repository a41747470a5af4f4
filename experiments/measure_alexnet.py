"""Measure HOG with a linear support vector machine against LeNet as the training set grows, for the chapter on AlexNet.

    python experiments/measure_alexnet.py

It takes about a quarter of an hour on one thread, and the whole of Fashion-MNIST: downloaded, or in the folder that
BACKBONE_DATA names. The chapter runs two of the sizes itself, one run each, and shows these beside.

What is written into the record ``alexnet``: a row for each number of training pictures; in it the accuracy on
all 10,000 test pictures, and on the training pictures, a number for each seed. A seed draws the pictures, and LeNet's
first weights and batches. All 60,000 pictures are one set only, and the support vector machine draws nothing: it has
one number there.

Both sides are tuned at each size, on the last fifth of the training pictures, after training on the rest; then they
learn from all of them. The support vector machine's C is the best of ``STRENGTHS`` for each seed; of more than
``TUNED_ON`` pictures, so many choose it. LeNet's rate is the one of ``RATES`` with the best mean over the seeds; of all
60,000 pictures one seed chooses it, in ``SHORT`` passes. Small sets have as many passes as make ``STEPS`` steps. The
test pictures choose nothing.
"""

import math
from functools import partial

import numpy as np
import torch
from common import columns, draws, measured, split, standardized, trained
from skimage.feature import hog
from sklearn.svm import LinearSVC

from backbone import data, models, records

SIZES = (250, 1000, 6000, 60_000)
TUNED_ON = 6000  # pictures at most, to choose C
SEEDS = range(3)
STRENGTHS = (0.01, 0.03, 0.1, 0.3)
CELLS = {"orientations": 8, "pixels_per_cell": (4, 4), "cells_per_block": (2, 2)}
RATES = (0.003, 0.01, 0.03)
BATCH, DECAY, EPOCHS, SHORT, STEPS = 64, 0.05, 9, 3, 800


COLUMNS = ("svm", "svm train", "C", "lenet", "lenet train")


def main() -> None:
    """Measure all sizes and write the record, after each size."""
    torch.set_num_threads(1)
    train, test = (data.fashion_mnist(part, full=True) for part in ("train", "test"))
    by_hand = described(train.images), described(test.images)
    sides = by_hand, (standardized(train), standardized(test))
    rows = []
    for size in SIZES:
        rate = chosen_rate(*sides[1][0], size)
        *_, runs = draws(partial(one_draw, *sides, size, rate), SEEDS)
        rows.append({"pictures": size, "rate": rate} | columns(runs, *COLUMNS))
        records.write("alexnet", about(), sizes=rows)


def one_draw(by_hand: tuple, standard: tuple, size: int, rate: float, seed: int) -> dict[str, float]:
    """Return the accuracies of both sides, trained on so many pictures."""
    (x, y), (x_test, y_test) = standard
    some = drawn(y, size, seed)
    run = {}
    if size < len(y) or seed == 0:
        features, features_test = by_hand
        few = some[:TUNED_ON]
        run["C"] = chosen(features[few], y[few])
        machine = fitted(features[some], y[some], run["C"])
        run["svm"] = machine.score(features_test, y_test.numpy())
        run["svm train"] = machine.score(features[some], y[some].numpy())
    network = lenet(x[some], y[some], seed, rate)
    run["lenet"] = measured(network, x_test, y_test).accuracy
    run["lenet train"] = measured(network, x[some], y[some]).accuracy
    return run


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_alexnet.py",
        "data": "Fashion-MNIST: as many of the 60,000 training pictures, equally many of each class; all 10,000 test "
        "pictures",
        "support vector machine": f"scikit-learn's LinearSVC on HOG, {CELLS}, C chosen on a held-out fifth of the "
        f"training pictures, at most {TUNED_ON} of them, from {STRENGTHS}",
        "lenet": f"AdamW, one cycle up to a rate chosen on a held-out fifth of the training pictures from {RATES}, "
        f"decay {DECAY}, batches of {BATCH}, {EPOCHS} epochs or {STEPS} steps, whichever is more",
        "seeds": list(SEEDS),
        "torch": torch.__version__,
    }


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


def fitted(x: np.ndarray, y: torch.Tensor, strength: float) -> LinearSVC:
    """Fit a linear support vector machine, one class against the rest."""
    return LinearSVC(C=strength, dual=True, tol=1e-2, random_state=0).fit(x, y.numpy())


def chosen(x: np.ndarray, y: torch.Tensor) -> float:
    """Return the C that does best on the last fifth after a fit to the rest."""
    cut = len(y) * 4 // 5
    return max(STRENGTHS, key=lambda c: fitted(x[:cut], y[:cut], c).score(x[cut:], y[cut:].numpy()))


def lenet(x: torch.Tensor, y: torch.Tensor, seed: int, rate: float, least: int = EPOCHS) -> torch.nn.Module:
    """Train LeNet on pictures and labels."""
    epochs = max(least, math.ceil(STEPS / math.ceil(len(y) / BATCH)))
    return trained(models.lenet, x, y, seed, epochs=epochs, batch=BATCH, rate=rate, decay=DECAY)


def chosen_rate(x: torch.Tensor, y: torch.Tensor, size: int) -> float:
    """Return the rate that does best on the last fifth of the pictures drawn, after training on the rest."""
    seeds, least = (SEEDS, EPOCHS) if size < len(y) else (SEEDS[:1], SHORT)

    def right(rate: float, seed: int) -> float:
        positions = drawn(y, size, seed)
        some, rest = split(x[positions], y[positions])
        return measured(lenet(*some, seed, rate, least), *rest).accuracy

    found = {rate: sum(right(rate, seed) for seed in seeds) / len(seeds) for rate in RATES}
    print(size, found, flush=True)
    return max(found, key=found.get)


if __name__ == "__main__":
    main()
