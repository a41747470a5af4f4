"""Measure AlexNet's training recipe on a small AlexNet, for the chapter on AlexNet.

    python experiments/measure_recipe.py

It takes about ten minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``recipe``: a row for each recipe, seed and pass; in it the training error, counted
while the weights change, and the error on the 1,000 test pictures. The recipes differ in the rate and in weight decay.
"""

import torch
from common import measured, standardized
from torch import nn

from backbone import data, models, records, training

EPOCHS, BATCH, SEEDS, PICTURES = 20, 32, range(2), 1500
RATE, DROPS = 0.01, (12, 17)  # passes after which the rate is divided by ten
RECIPES = {
    "rate divided by ten, twice": (DROPS, 5e-4),
    "rate held": ((), 5e-4),
    "no weight decay": (DROPS, 0.0),
}


def main() -> None:
    """Train by each recipe and write the record, after each run."""
    torch.set_num_threads(1)
    (x, y), test = (clothes(split) for split in ("train", "test"))
    train = x[:PICTURES], y[:PICTURES]
    rows = []
    for name, (drops, decay) in RECIPES.items():
        for seed in SEEDS:
            rows += [{"recipe": name, "seed": seed} | row for row in one_run(drops, decay, train, test, seed)]
            records.write("recipe", about(), passes=rows)


def clothes(split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Return pictures (N, 3, 32, 32) and labels: the clothes with a black rim, three times the same channel."""
    x, y = standardized(data.fashion_mnist(split))
    return nn.functional.pad(x, (2, 2, 2, 2), value=float(x.min())).expand(-1, 3, -1, -1), y


def one_run(drops, decay, train, test, seed) -> list[dict]:
    """Return a row for each pass of one training."""
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # of dropout
    model = models.alexnet_small(generator=generator)
    served = data.batches(*train, BATCH, shuffle=True, generator=generator)
    sgd = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9, weight_decay=decay)
    rows = []
    for epoch in range(1, EPOCHS + 1):
        history = training.fit(model, served, 1, sgd, progress=False)
        test_error = 1 - measured(model, *test).accuracy
        rows.append(
            {"epoch": epoch, "rate": sgd.param_groups[0]["lr"], "train_error": round(1 - history.train_accuracy[-1], 4)}
            | {"train_loss": round(history.train_loss[-1], 4), "test_error": round(test_error, 4)}
        )
        print(seed, rows[-1], flush=True)
        if epoch in drops:
            sgd.param_groups[0]["lr"] /= 10
    return rows


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_recipe.py",
        "data": "Fashion-MNIST in the package: 1,500 of the training pictures, 1,000 test pictures, padded to 32 x 32",
        "network": "alexnet_small, dropout 0.2",
        "training": f"SGD with momentum 0.9, batches of {BATCH}, rate {RATE}, divided by ten after the passes {DROPS}",
        "seeds": list(SEEDS),
    }


if __name__ == "__main__":
    main()
