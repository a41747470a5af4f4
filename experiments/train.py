"""Train the networks that are shipped with the package, and write their weights and cards.

    python experiments/train.py            # all of them
    python experiments/train.py lenet      # one

Needs the whole of Fashion-MNIST: downloaded, or in the folder that BACKBONE_DATA names. Weights are kept as float16;
the card's accuracies are measured on the rounded weights. One thread, so that a run can be repeated.
"""

import argparse
import datetime
import json
from dataclasses import asdict
from pathlib import Path

import torch

from backbone import data, models, pretrained, training

EPOCHS, BATCH, RATE = 12, 128, 3e-3
SEED = 0
NAMES = ("lenet", "mlp")


def main() -> None:
    """Train what is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", help=f"of {', '.join(NAMES)}; all by default")
    torch.set_num_threads(1)
    for name in parser.parse_args().names or NAMES:
        train(name)


def train(name: str) -> None:
    """Train one network by name and write NAME.pt and NAME.json beside the package's code."""
    generator = torch.Generator().manual_seed(SEED)
    model = getattr(models, name)(generator=generator)
    x, y = prepared(data.fashion_mnist("train", full=True))
    batches = data.batches(x, y, BATCH, shuffle=True, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs=EPOCHS, steps_per_epoch=len(batches))
    history = training.fit(model, batches, EPOCHS, optimizer, schedule=schedule)
    folder = Path(pretrained.__file__).parent
    torch.save({key: value.half() for key, value in model.state_dict().items()}, folder / f"{name}.pt")
    rounded = pretrained.load(name)
    card = pretrained.Card(
        model=name,
        dataset="Fashion-MNIST",
        pictures="lossless",
        data="Fashion-MNIST, all 60,000 training pictures, in [0, 1], standardized with FASHION_MNIST_STATISTICS",
        seed=SEED,
        epochs=EPOCHS,
        test_accuracy=accuracy(rounded, data.fashion_mnist("test", full=True)),
        subset_accuracy=accuracy(rounded, data.fashion_mnist("test")),
        date=datetime.date.today().isoformat(),
        command=f"python experiments/train.py {name}",
        license="MIT",
    )
    (folder / f"{name}.json").write_text(json.dumps(asdict(card), indent=2) + "\n", "utf-8")
    print(f"{name}: training {history.train_accuracy[-1]:.4f}, test {card.test_accuracy:.4f}")


def prepared(images: data.LabeledImages) -> tuple[torch.Tensor, torch.Tensor]:
    """Return standardized pictures and labels."""
    return data.standardize(data.to_float(images.images), data.FASHION_MNIST_STATISTICS), images.labels


def accuracy(model: torch.nn.Module, images: data.LabeledImages) -> float:
    """Return the share of pictures that a model gets right."""
    return training.evaluate(model, data.batches(*prepared(images), 500)).accuracy


if __name__ == "__main__":
    main()
