"""Measure what several sizes of a picture do to accuracy, in training and in the test, for the chapter on VGG.

    python experiments/measure_scales.py

It takes about two minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``scales``: a row for each way to train; in it the accuracy on 1,000 test pictures at
each of ``SIZES``, and with the mean of the probabilities at three sizes, a number for each seed. The network has
convolutions and an average alone, so it takes any size.
"""

from functools import partial

import torch
from common import columns, draws, standardized
from torch import nn

from backbone import data, models, records, training

SIZES = (20, 24, 28, 32, 36)
SEVERAL, PICTURES = (24, 28, 32), 3000
TRAINED = {"28 pixels": (28,), "20 to 36 pixels": SIZES}
RATES = (0.01, 0.03)
SEEDS, EPOCHS, BATCH, DECAY = range(3), 6, 50, 0.01


def network(generator: torch.Generator) -> nn.Module:
    """Return a small VGG: two stages of 3x3 convolutions, an average over all places, a linear layer."""
    layers, channels = [], 1
    for width in (16, 16, "pool", 32, 32, "pool"):
        if width == "pool":
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        channels = width
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
    return models.initialize(model, generator, "he")


def resized(x: torch.Tensor, size: int) -> torch.Tensor:
    """Return pictures (N, 1, size, size)."""
    return x if size == x.shape[-1] else nn.functional.interpolate(x, (size, size), mode="bilinear", antialias=True)


def main() -> None:
    """Measure all ways and rates and write the record, after each row."""
    torch.set_num_threads(1)
    (x, y), test = (standardized(data.fashion_mnist(split)) for split in ("train", "test"))
    train = x[:PICTURES], y[:PICTURES]
    rows = []
    for name, sizes in TRAINED.items():
        for rate in RATES:
            *_, runs = draws(partial(one_run, sizes, rate, train, test), SEEDS)
            rows.append({"trained on": name, "rate": rate} | columns(runs, *map(str, SIZES), "mean of three"))
            records.write("scales", about(), ways=rows)


def one_run(sizes, rate, train, test, seed) -> dict[str, float]:
    """Train with one of the sizes drawn for each batch; return the accuracies."""
    generator = torch.Generator().manual_seed(seed)
    model = network(generator)
    served = data.batches(*train, BATCH, shuffle=True, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=EPOCHS, steps_per_epoch=len(served))
    for _ in range(EPOCHS):
        for x, y in served:
            size = sizes[int(torch.randint(len(sizes), (), generator=generator))]
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(resized(x, size)), y).backward()
            optimizer.step()
            cycle.step()
    x, y = test
    answers = {size: training.predict(model, resized(x, size)).softmax(dim=1) for size in SIZES}
    found = {str(size): accuracy(answer, y) for size, answer in answers.items()}
    return found | {"mean of three": accuracy(sum(answers[size] for size in SEVERAL), y)}


def accuracy(scores: torch.Tensor, y: torch.Tensor) -> float:
    """Return the share of pictures whose largest score is the right one."""
    return float((scores.argmax(dim=1) == y).float().mean())


def about() -> dict:
    """Say how it was measured."""
    return {
        "command": "python experiments/measure_scales.py",
        "data": "Fashion-MNIST in the package: 3,000 training pictures, 1,000 test pictures, enlarged or reduced",
        "network": "convolutions to 16, 16, 32, 32 maps with two poolings, an average, a linear layer",
        "training": f"AdamW with one cycle of the rate, {EPOCHS} passes in batches of {BATCH}; one size for a batch",
        "mean of three": f"the mean of the probabilities at {SEVERAL}",
        "seeds": list(SEEDS),
    }


if __name__ == "__main__":
    main()
