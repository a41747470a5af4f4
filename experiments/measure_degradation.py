"""Train small networks, plain and residual, far longer than a chapter may, to see whether degradation stays.

    python experiments/measure_degradation.py

It takes about ten minutes on one thread, and writes the record ``degradation``, which the chapter on ResNet shows. The
networks and their training are the chapter's: linear layers of 64 units with batch normalization, 3,000 pictures of
Fashion-MNIST, batches of 150, SGD with momentum 0.9 and a rate that stays.

A row for each network, rate and seed, and a number for each of ``PASSES``:

* ``error``: share of the 3,000 training pictures that are told wrong in eval mode, by the running averages.
* ``batch error``: the same in training mode, by the statistics of each batch, over the pass itself, in which the
  network learns. Where it is as high, it is not the running averages that fail.

A rate with which the loss stopped being a number has no row.
"""

import itertools
import time

import torch
from common import measured, standardized
from torch import nn

from backbone import data, records, training

DEPTHS, RATES, SEEDS = (10, 30, 50), (0.003, 0.01, 0.03, 0.1), range(3)
PASSES = (4, 20, 60)
PICTURES, BATCH, WIDTH, MOMENTUM = 3000, 150, 64, 0.9


class Layer(nn.Module):
    """A linear map and batch normalization, whose result replaces what comes in or is added to it; then ReLU."""

    def __init__(self, residual: bool, generator: torch.Generator):
        super().__init__()
        self.fc = nn.Linear(WIDTH, WIDTH, bias=False)
        nn.init.kaiming_normal_(self.fc.weight, generator=generator)
        self.bn, self.residual = nn.BatchNorm1d(WIDTH), residual

    def forward(self, h: torch.Tensor) -> torch.Tensor:
        """Return what comes out for (N, 64), of the same shape."""
        z = self.bn(self.fc(h))
        return torch.relu(h + z if self.residual else z)


def network(depth: int, residual: bool, seed: int) -> nn.Sequential:
    """Return a network with that many of these layers."""
    generator = torch.Generator().manual_seed(seed)
    ends = nn.Linear(784, WIDTH, bias=False), nn.Linear(WIDTH, 10)
    for end in ends:
        nn.init.kaiming_normal_(end.weight, generator=generator)
    nn.init.zeros_(ends[1].bias)
    layers = [Layer(residual, generator) for _ in range(depth)]
    return nn.Sequential(nn.Flatten(), ends[0], nn.BatchNorm1d(WIDTH), nn.ReLU(), *layers, ends[1])


def errors(depth: int, residual: bool, rate: float, seed: int, x: torch.Tensor, y: torch.Tensor) -> dict | None:
    """Train one network and return its errors after each of ``PASSES``; None where the loss stopped being a number."""
    model = network(depth, residual, seed)
    served = data.batches(x, y, BATCH, shuffle=True, generator=torch.Generator().manual_seed(seed))
    sgd = torch.optim.SGD(model.parameters(), lr=rate, momentum=MOMENTUM)
    found = {"error": [], "batch error": []}
    for before, after in itertools.pairwise((0, *PASSES)):
        try:
            history = training.fit(model.train(), served, after - before, sgd, progress=False)
        except ValueError as diverged:
            print(diverged, flush=True)
            return None
        found["error"].append(round(1 - measured(model, x, y).accuracy, 4))
        found["batch error"].append(round(1 - history.train_accuracy[-1], 4))
    return found


def main() -> None:
    """Train all networks and write the record, after each of them."""
    torch.set_num_threads(1)
    x, y = (part[:PICTURES] for part in standardized(data.fashion_mnist("train")))
    about = {
        "command": "python experiments/measure_degradation.py",
        "data": f"Fashion-MNIST: the first {PICTURES:,} of this package's training pictures",
        "training": f"SGD, momentum {MOMENTUM}, batches of {BATCH}, a rate that stays",
        "passes": list(PASSES),
    }
    rows = []
    for residual, depth, rate, seed in itertools.product((False, True), DEPTHS, RATES, SEEDS):
        row = {"network": "residual" if residual else "plain", "layers": depth, "rate": rate, "seed": seed}
        if found := errors(depth, residual, rate, seed, x, y):
            rows.append(row | found)
            records.write("degradation", about, networks=rows)
        print(row, found, f"{time.process_time():.0f} s", flush=True)


if __name__ == "__main__":
    main()
