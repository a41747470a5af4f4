"""Measure how fast four layers learn with ReLU and with tanh, rate by rate, for the chapter on AlexNet.

    python experiments/measure_saturation.py

It takes about three minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``saturation``: a row for each activation and rate; in it the passes over the training
pictures until the training error fell to each of ``GOALS``, and the share of hidden units that are saturated then, a
number for each seed. Everything but activation, first weights and rate is held fixed.
"""

from functools import partial

import torch
from common import columns, draws, standardized
from torch import nn

from backbone import data, records, training

RATES = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
GOALS = {"passes to 20 %": 0.2, "passes to 10 %": 0.1}
ACTIVATIONS = {"ReLU": (nn.ReLU, nn.init.kaiming_normal_), "tanh": (nn.Tanh, nn.init.xavier_normal_)}
MOST, BATCH, SEEDS = 30, 100, range(3)
SATURATED = 0.95  # of tanh, in absolute value; its derivative is below 0.1 there


def main() -> None:
    """Measure all rates and write the record, after each row."""
    torch.set_num_threads(1)
    x, y = standardized(data.fashion_mnist("train"))
    x = nn.functional.avg_pool2d(x, 2)
    rows = []
    for name in ACTIVATIONS:
        for rate in RATES:
            *_, runs = draws(partial(one_run, name, rate, x, y), SEEDS)
            rows.append({"activation": name, "rate": rate} | columns(runs, *GOALS, "saturated, first layer, %"))
            records.write("saturation", about(), rates=rows)


def four_layers(name: str, seed: int) -> nn.Module:
    """Return two convolutions and two linear layers, each activation with the first weights that suit it."""
    activation, draw = ACTIVATIONS[name]
    generator = torch.Generator().manual_seed(seed)
    model = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, stride=2, padding=1), activation()),
        *(nn.Conv2d(16, 32, 3, stride=2, padding=1), activation()),
        *(nn.Flatten(), nn.Linear(512, 64), activation(), nn.Linear(64, 10)),
    )
    for layer in model:
        if hasattr(layer, "weight"):
            draw(layer.weight, generator=generator)
            nn.init.zeros_(layer.bias)
    return model


def one_run(name: str, rate: float, x, y, seed: int) -> dict[str, float]:
    """Return the passes until each goal, read on a straight line between two passes, and the saturated share."""
    model, before, found = four_layers(name, seed), 0.9, {}
    served = data.batches(x, y, BATCH, shuffle=True, generator=torch.Generator().manual_seed(seed))
    sgd = torch.optim.SGD(model.parameters(), lr=rate, momentum=0.9)
    for done in range(MOST):
        try:
            error = 1 - training.fit(model, served, 1, sgd, progress=False).train_accuracy[-1]
        except ValueError:  # the loss was no number any more: it never gets there
            break
        for goal, wanted in GOALS.items():
            if goal not in found and error <= wanted:
                found[goal] = done + (before - wanted) / (before - error)
        before = error
        if len(found) == len(GOALS):
            break
    if name == "tanh":
        with torch.no_grad():
            found["saturated, first layer, %"] = 100 * float((model[:2](x).abs() > SATURATED).float().mean())
    return {goal: float(MOST) for goal in GOALS} | found


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_saturation.py",
        "data": "the 6,000 training pictures of Fashion-MNIST in the package, averaged to 14 x 14",
        "network": "two convolutions of 3 x 3 at stride 2 to 16 and 32 maps, linear layers to 64 and 10",
        "first weights": "ReLU: He's; tanh: Xavier's",
        "training": f"SGD with momentum 0.9 at a constant rate, batches of {BATCH}, {MOST} passes at most, which a run "
        "that never reaches a goal is given",
        "seeds": list(SEEDS),
        "saturated": f"units of the first layer beyond {SATURATED} in absolute value, at the end of a run",
    }


if __name__ == "__main__":
    main()
