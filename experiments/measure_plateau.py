"""Train sigmoid networks far longer than a chapter may, to see which leave the plateau of guessing.

    python experiments/measure_plateau.py

It takes about five minutes on one thread, and writes the record ``plateau``, which the chapter on vanishing gradients
shows. The networks and their training are the chapter's: hidden layers of 64 sigmoids with Xavier's first weights,
5,000 pictures of Fashion-MNIST, batches of 50, plain SGD with a rate that stays.

A row for each network, rate and seed: ``accuracy``, on 1,000 other pictures of the training set, after each of
``PASSES``.
"""

import itertools
import math
import time

import torch
from common import measured, standardized
from torch import nn

from backbone import data, models, records, training

HIDDEN, RATES, SEEDS = (4, 6), (0.05, 0.5, 1.0, 2.0), range(3)
PASSES = (3, 10, 30, 60)
PICTURES, BATCH, WIDTH = 5000, 50, 64


def network(hidden: int, seed: int) -> nn.Sequential:
    """Return a network with that many hidden layers of sigmoids, Xavier's first weights, and biases of 0."""
    generator = torch.Generator().manual_seed(seed)
    model = models.mlp((784, *[WIDTH] * hidden, 10), nn.Sigmoid, generator)
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            size = math.sqrt(2 / (layer.in_features + layer.out_features))
            nn.init.normal_(layer.weight, 0, size, generator=generator)
            nn.init.zeros_(layer.bias)
    return model


def accuracies(hidden: int, rate: float, seed: int, x: torch.Tensor, y: torch.Tensor) -> list[float]:
    """Train one network and return its accuracy on the pictures held back, after each of ``PASSES``."""
    model = network(hidden, seed)
    generator = torch.Generator().manual_seed(seed)
    served = data.batches(x[:PICTURES], y[:PICTURES], BATCH, shuffle=True, generator=generator)
    sgd, found = torch.optim.SGD(model.parameters(), lr=rate), []
    for before, after in itertools.pairwise((0, *PASSES)):
        training.fit(model.train(), served, after - before, sgd, progress=False)
        found.append(round(measured(model, x[PICTURES:], y[PICTURES:]).accuracy, 4))
    return found


def main() -> None:
    """Train all networks and write the record, after each of them."""
    torch.set_num_threads(1)
    x, y = standardized(data.fashion_mnist("train"))
    about = {
        "command": "python experiments/measure_plateau.py",
        "data": f"Fashion-MNIST: of this package's training pictures {PICTURES:,} to learn from, 1,000 to measure by",
        "training": f"plain SGD, batches of {BATCH}, a rate that stays",
        "passes": list(PASSES),
    }
    rows = []
    for hidden, rate, seed in itertools.product(HIDDEN, RATES, SEEDS):
        row = {"layers": hidden, "rate": rate, "seed": seed}
        rows.append(row | {"accuracy": accuracies(hidden, rate, seed, x, y)})
        records.write("plateau", about, networks=rows)
        print(rows[-1], f"{time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    main()
