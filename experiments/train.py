"""Train the networks that are shipped with the package, and write their weights and cards.

    python experiments/train.py            # all of them
    python experiments/train.py lenet      # one

Needs the whole of Fashion-MNIST: downloaded, or in the folder that BACKBONE_DATA names. Weights are kept as float16;
the card's accuracies are measured on the rounded weights. One thread, so that a run can be repeated.
"""

import argparse

import torch
from common import SHIPPED, measured, standardized, trained, write_card

from backbone import data, models, pretrained

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
    x, y = standardized(data.fashion_mnist("train", full=True))
    build = getattr(models, name)
    model = trained(build, x, y, SEED, epochs=EPOCHS, batch=BATCH, rate=RATE, decay=0.01, progress=True)
    torch.save({key: value.half() for key, value in model.state_dict().items()}, SHIPPED / f"{name}.pt")
    rounded = pretrained.load(name)
    card = write_card(
        name,
        dataset="Fashion-MNIST",
        pictures="lossless",
        data="Fashion-MNIST, all 60,000 training pictures, in [0, 1], standardized with FASHION_MNIST_STATISTICS",
        seed=SEED,
        epochs=EPOCHS,
        test_accuracy=accuracy(rounded, data.fashion_mnist("test", full=True)),
        subset_accuracy=accuracy(rounded, data.fashion_mnist("test")),
        command=f"python experiments/train.py {name}",
    )
    print(f"{name}: test accuracy {card.test_accuracy:.4f}")


def accuracy(model: torch.nn.Module, images: data.LabeledImages) -> float:
    """Return the share of pictures that a model gets right."""
    return measured(model, *standardized(images)).accuracy


if __name__ == "__main__":
    main()
