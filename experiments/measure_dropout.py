"""Measure dropout on 1,000 pictures of Fashion-MNIST, and write the tables that the chapter on dropout shows.

    python experiments/measure_dropout.py

It takes about five minutes on one thread, longer than a chapter may. The chapter runs a few of these networks itself.

What is written into the record ``dropout``, a row for each setting and a number for each seed:

* ``methods``: ways against overfitting with their strength (p, the decay, pixels of shift; of both, p). Accuracy on
  1,000 validation pictures, whose labels are as wrong as those of the training, and on the test pictures, whose labels
  are right; the test loss; the share of the wrong labels that were learned. "stopped" is the network at the epoch whose
  validation accuracy was highest.
* ``paces``: some p with another rate, another number of epochs, and both; 30 % of the labels wrong.
* ``batch norm``: labels right, dropout before or behind the last batch normalization; "anew" is the same network with
  the running statistics measured again, with nothing dropped.
"""

import copy

import torch
from common import BLACK, columns, draws, measured, standardized
from torch import nn

from backbone import data, layers, models, records, training

SIZE, EPOCHS, BATCH, RATE = 1000, 40, 100, 2e-3
HIDDEN = 256
SEEDS = range(3)
SHARES = (0.3, 0.0)  # of wrong labels


def shift(pixels):
    """Return an augmentation: mirror every other picture, and shift each by up to so many pixels."""
    return lambda x, generator: data.random_crop(data.random_flip(x, generator), generator, pixels, BLACK)


METHODS = {
    "dropout": {p: {"p": p} for p in (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)},  # p = 0 is the plain network
    "weight decay": {decay: {"decay": decay} for decay in (3, 10, 30)},
    "augmentation": {pixels: {"augment": shift(pixels)} for pixels in (1, 2)},
    "dropout and augmentation": {p: {"p": p, "augment": shift(1)} for p in (0.3, 0.5)},
}
PACES = [(p, rate, epochs) for p in (0.0, 0.7, 0.9) for rate in (RATE, RATE / 4) for epochs in (EPOCHS, 2 * EPOCHS)]
NORMED = {
    "no dropout": (0, 0),
    "before a normalization": (0.5, 0),
    "behind the last one": (0, 0.5),
}


def main() -> None:
    """Train all networks and write the record, after each seed."""
    torch.set_num_threads(1)
    for runs in draws(one_draw, SEEDS):
        write(runs)


def one_draw(seed: int) -> dict:
    """Return (wrong, method, strength) -> what its network reached, and likewise the name of each normalized one."""
    found = {}
    for wrong in SHARES:
        for method, strengths in METHODS.items():
            for strength, setting in strengths.items():
                found[wrong, method, strength] = learn(task(wrong, seed), seed, **setting)
    for p, rate, epochs in PACES:
        found[p, rate, epochs] = learn(task(SHARES[0], seed), seed, p, rate=rate, epochs=epochs)
    for name, probabilities in NORMED.items():
        found[name] = learn(task(0.0, seed), seed, normed=probabilities)
    return found


def write(runs: list[dict]) -> None:
    """Write the record; each column holds one number for each seed."""
    about = {
        "command": "python experiments/measure_dropout.py",
        "data": "Fashion-MNIST: of the 6,000 training pictures of this package 1,000 to learn from and 1,000 for "
        "validation, drawn anew for each seed; its 1,000 test pictures, all labels right",
        "network": f"linear layers 784, {HIDDEN}, {HIDDEN}, 10; ReLU and dropout after each hidden one",
        "training": f"AdamW, rate {RATE}, batches of {BATCH}, {EPOCHS} epochs",
        "seeds": list(SEEDS)[: len(runs)],
    }
    by_setting = {key: [run[key] for run in runs] for key in runs[0]}
    names = ("validation", "test", "loss", "learned", "stopped validation", "stopped test")
    rows = [
        {"wrong": wrong, "method": method, "strength": strength} | columns(by_setting[wrong, method, strength], *names)
        for wrong in SHARES
        for method, strengths in METHODS.items()
        for strength in strengths
    ]
    paces = [
        {"p": p, "rate": rate, "epochs": epochs} | columns(by_setting[p, rate, epochs], "test")
        for p, rate, epochs in PACES
    ]
    names = ("test", "loss", "test anew", "loss anew")
    others = [{"dropout": name} | columns(by_setting[name], *names) for name in NORMED]
    records.write("dropout", about, **{"methods": rows, "paces": paces, "batch norm": others})


def task(wrong: float, seed: int) -> dict:
    """Return pictures to learn from and to choose by, with that share of their labels wrong, and the test pictures."""
    generator = torch.Generator().manual_seed(100 + seed)
    (x, y), test = (standardized(data.fashion_mnist(split)) for split in ("train", "test"))
    some = torch.randperm(len(x), generator=generator)[: 2 * SIZE]
    lie = torch.rand(2 * SIZE, generator=generator) < wrong
    others = torch.randint(1, 10, (2 * SIZE,), generator=generator)  # any class but the right one
    labels = torch.where(lie, (y[some] + others) % 10, y[some])
    return {
        "x": x[some[:SIZE]],
        "y": labels[:SIZE],
        "lie": lie[:SIZE],
        "validation": (x[some[SIZE:]], labels[SIZE:]),
        "test": test,
    }


def learn(task, seed, p=0.0, decay=0.0, augment=None, normed=None, rate=RATE, epochs=EPOCHS) -> dict:
    """Train one network and measure it; the seed draws its first weights, the order, the masks and the changes."""
    generator = torch.Generator().manual_seed(seed)
    model = network(p, generator) if normed is None else normed_network(normed, generator)
    served = data.batches(task["x"], task["y"], BATCH, shuffle=True, augment=augment, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    best = (0.0, 0.0)
    for _ in range(epochs):
        training.fit(model, served, 1, optimizer, progress=False)
        held_out = measured(model, *task["validation"]).accuracy
        if held_out > best[0]:
            best = (held_out, measured(model, *task["test"]).accuracy)
    score = measured(model, *task["test"])
    run = {
        "validation": held_out,
        "test": score.accuracy,
        "loss": score.loss,
        "stopped validation": best[0],
        "stopped test": best[1],
    }
    if task["lie"].any():
        run["learned"] = measured(model, task["x"][task["lie"]], task["y"][task["lie"]]).accuracy
    if normed is not None:
        anew = measured(remeasured(model, task["x"]), *task["test"])
        run |= {"test anew": anew.accuracy, "loss anew": anew.loss}
    return run


def network(p, generator) -> nn.Module:
    """Return an MLP with dropout after each activation."""

    def activation():
        return nn.Sequential(nn.ReLU(), layers.Dropout(p, generator=generator))

    return models.mlp((784, HIDDEN, HIDDEN, 10), activation, generator)


def normed_network(probabilities, generator) -> nn.Module:
    """Return the same with batch normalization before each ReLU; the first dropout lies before the second of them."""
    sizes = [(784, HIDDEN), (HIDDEN, HIDDEN)]
    parts = [nn.Flatten()]
    for (inputs, outputs), p in zip(sizes, probabilities, strict=True):
        parts += [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]
        parts += [layers.Dropout(p, generator=generator)]
    return models.initialization.initialize(nn.Sequential(*parts, nn.Linear(HIDDEN, 10)), generator)


def remeasured(model, x) -> nn.Module:
    """Return a copy whose normalizations measured their statistics again, with nothing dropped."""
    model = copy.deepcopy(model).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean over all batches
            layer.train()
    with torch.no_grad():
        model(x)
    return model.eval()


if __name__ == "__main__":
    main()
