"""Measure ways to step on Fashion-MNIST, each at many learning rates.

    python experiments/measure_rates.py

A multilayer perceptron with 128 hidden units learns 5,000 pictures for five epochs by plain gradient descent, with
momentum, and with Adam; each at constant rates and with one cycle of the rate up to the same tops. It takes about three
minutes on one thread.

What is written into the record ``rates``: for each way, schedule and rate the training loss of the last epoch and the
accuracy on 1,000 validation pictures, one number for each seed; a run that left the numbers has None. A seed draws the
first weights and the order of the pictures.
"""

import time

import torch
from common import standardized
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import OneCycleLR

from backbone import data, models, records, training

WAYS = {
    "plain": lambda p, rate: SGD(p, lr=rate),
    "momentum": lambda p, rate: SGD(p, lr=rate, momentum=0.9),
    "Adam": lambda p, rate: Adam(p, lr=rate),
}
RATES = {
    "plain": (0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1),
    "momentum": (1e-3, 3e-3, 0.01, 0.03, 0.05, 0.1, 0.3),
    "Adam": (1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1),
}
SEEDS, EPOCHS, BATCH = range(3), 5, 100


def main() -> None:
    """Train all networks and write the record, after each rate."""
    torch.set_num_threads(1)
    found = []
    for way, rates in RATES.items():
        for rate in rates:
            for schedule in ("constant", "one cycle"):
                runs = [learn(way, rate, schedule, seed) for seed in SEEDS]
                losses, accuracies = zip(*runs, strict=True)
                setting = {"way": way, "schedule": schedule, "rate": rate}
                found.append(setting | {"loss": losses, "accuracy": accuracies})
                print(f"{time.process_time():.0f} s: {found[-1]}", flush=True)
                write(found)


def learn(way: str, rate: float, schedule: str, seed: int) -> tuple[float | None, float | None]:
    """Return the last training loss and the validation accuracy of one network."""
    x, y = standardized(data.fashion_mnist("train"))
    generator = torch.Generator().manual_seed(seed)
    model = models.mlp((784, 128, 10), generator=generator)
    served = data.batches(x[:5000], y[:5000], BATCH, shuffle=True, generator=generator)
    optimizer = WAYS[way](model.parameters(), rate)
    cycle = None
    if schedule == "one cycle":  # of the rate alone: by itself it would move the momentum too, and give plain some
        cycle = OneCycleLR(optimizer, rate, total_steps=EPOCHS * len(served), cycle_momentum=False)
    try:
        history = training.fit(
            model, served, EPOCHS, optimizer, schedule=cycle, validation=data.batches(x[5000:], y[5000:], 500)
        )
    except ValueError:
        return None, None
    return round(history.train_loss[-1], 4), history.validation_accuracy[-1]


def write(found: list[dict]) -> None:
    """Write the record, a row for each way, schedule and rate."""
    about = {
        "command": "python experiments/measure_rates.py",
        "data": "Fashion-MNIST, the 6,000 training pictures of this package: the first 5,000 to learn from, the last "
        "1,000 for validation",
        "network": "784 to 128 to 10, ReLU",
        "training": f"{EPOCHS} epochs in batches of {BATCH}; momentum 0.9, Adam's own settings; one cycle changes the "
        "rate alone",
        "seeds": list(SEEDS),
        "torch": torch.__version__,
        "CPU seconds": round(time.process_time()),
    }
    records.write("rates", about, ways=found)


if __name__ == "__main__":
    main()
