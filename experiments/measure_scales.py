"""Measure what several sizes of a picture do to accuracy, in training and in the test, for the chapter on VGG.

    python experiments/measure_scales.py

It takes about three minutes on one thread, and needs nothing but the pictures in the package.

What is written into the record ``scales``: a row for each way to train and each rate; in it the accuracy on the
validation pictures of 28 pixels, a number for each seed. The rate with the best mean there is kept, and only its
networks see the 1,000 test pictures: its row has the accuracy on them at each of ``SIZES``, and with the mean of the
probabilities at three sizes. The network has convolutions and an average alone, so it takes any size.
"""

import torch
from common import accuracies, columns, split, standardized
from torch import nn

from backbone import data, models, records, training

SIZES = (20, 24, 28, 32, 36)
SEVERAL, PICTURES = (24, 28, 32), 3750  # a fifth for validation
TRAINED = {"28 pixels": (28,), "20 to 36 pixels": SIZES}
RATES = (0.01, 0.03, 0.1)
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
    """Measure all ways and rates and write the record, after each way."""
    torch.set_num_threads(1)
    (x, y), test = (standardized(data.fashion_mnist(part)) for part in ("train", "test"))
    train, validation = split(x[:PICTURES], y[:PICTURES])
    rows = []
    for name, sizes in TRAINED.items():
        tried = {rate: [learned(sizes, rate, train, seed) for seed in SEEDS] for rate in RATES}
        found = {rate: {"validation": accuracies(kept, validation)} for rate, kept in tried.items()}
        best = max(RATES, key=lambda rate: sum(found[rate]["validation"]))
        tests = [tested(model, *test) for model in tried[best]]
        found[best] |= columns(tests, *map(str, SIZES), "mean of three")
        rows += [{"trained on": name, "rate": rate} | found[rate] for rate in RATES]
        print(*rows[-len(RATES) :], sep="\n", flush=True)
        records.write("scales", about(), ways=rows)


def learned(sizes, rate, train, seed) -> nn.Module:
    """Train a network with one of the sizes drawn for each batch."""
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
    return model


def tested(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> dict[str, float]:
    """Return the accuracies on test pictures at each size, and with several sizes together."""
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
        "data": "Fashion-MNIST in the package: 3,000 pictures to learn from, 750 for validation, 1,000 to test, "
        "enlarged or reduced",
        "network": "convolutions to 16, 16, 32, 32 maps with two poolings, an average, a linear layer",
        "training": f"AdamW with one cycle of the rate, {EPOCHS} passes in batches of {BATCH}; one size for a batch; "
        f"the rate of {list(RATES)} with the best mean on the validation pictures of 28 pixels is tested",
        "mean of three": f"the mean of the probabilities at {SEVERAL}",
        "seeds": list(SEEDS),
    }


if __name__ == "__main__":
    main()
