"""Measure two networks on Fashion-MNIST with its pixels in order and scrambled, each at several learning rates.

    python experiments/measure_scrambled.py

A multilayer perceptron and LeNet learn 5,000 pictures for six epochs, as they are and with one fixed shuffle of the 784
places, by Adam with one cycle of the rate. It takes about two minutes on one thread.

What is written into the record ``scrambled``: for each network, order of the pixels and rate the accuracy on 1,000
validation pictures in the same order, one number for each seed. A seed draws the first weights and the order of the
pictures; the shuffle is the same for all.
"""

import time

import torch
from common import draws, rows, standardized
from torch.optim import Adam
from torch.optim.lr_scheduler import OneCycleLR

from backbone import data, models, records, training

NETWORKS = {"MLP": models.mlp, "LeNet": models.lenet}
RATES, SEEDS, EPOCHS, BATCH = (1e-3, 2e-3, 4e-3, 8e-3, 16e-3), range(3), 6, 64
SHUFFLE = torch.randperm(784, generator=torch.Generator().manual_seed(0))
ORDERS = {"unchanged": torch.arange(784), "scramble": SHUFFLE}


def main() -> None:
    """Train all networks and write the record, after each seed."""
    torch.set_num_threads(1)
    for runs in draws(one_draw, SEEDS):
        write(runs)


def one_draw(seed: int) -> dict:
    """Return (network, pixels, rate) -> the validation accuracy."""
    return {
        (network, pixels, rate): learn(NETWORKS[network], ORDERS[pixels], rate, seed)
        for network in NETWORKS
        for pixels in ORDERS
        for rate in RATES
    }


def learn(build, order, rate: float, seed: int) -> float:
    """Train one network on pictures whose pixels stand in that order; return its validation accuracy."""
    x, y = standardized(data.fashion_mnist("train"))
    x = x.flatten(1)[:, order].reshape(x.shape)
    generator = torch.Generator().manual_seed(seed)
    model = build(generator=generator)
    served = data.batches(x[:5000], y[:5000], BATCH, shuffle=True, generator=generator)
    optimizer = Adam(model.parameters(), lr=rate)
    cycle = OneCycleLR(optimizer, rate, total_steps=EPOCHS * len(served), cycle_momentum=False)
    held_out = data.batches(x[5000:], y[5000:], 500)
    history = training.fit(model, served, EPOCHS, optimizer, schedule=cycle, validation=held_out, progress=False)
    return history.validation_accuracy[-1]


def write(runs: list[dict]) -> None:
    """Write the record, a row for each network, order of the pixels and rate."""
    about = {
        "command": "python experiments/measure_scrambled.py",
        "data": "Fashion-MNIST, the 6,000 training pictures of this package: the first 5,000 to learn from, the last "
        "1,000 for validation",
        "training": f"Adam, batches of {BATCH}, {EPOCHS} epochs, one cycle of the rate alone",
        "seeds": list(SEEDS)[: len(runs)],
        "torch": torch.__version__,
        "CPU seconds": round(time.process_time()),
    }
    records.write("scrambled", about, rows=rows(runs, ("network", "pixels", "rate"), "accuracy"))


if __name__ == "__main__":
    main()
