"""Networks that are already trained: the book's own small ones, shipped with the package, each with its card.

``tools/train.py`` trains them; the card says on what, from which seed, and how well they do.
"""

import json
from dataclasses import dataclass
from importlib.resources import files

import torch
from torch import nn

from backbone.models import lenet, mlp

SHIPPED = {"lenet": lenet, "mlp": mlp}


@dataclass(frozen=True)
class Card:
    """What is known about a checkpoint.

    Attributes:
        model: the factory in ``backbone.models`` that builds the network.
        data: what it was trained on, and how the pictures were prepared.
        seed: of the first weights and of the order of the pictures.
        epochs: passes over the data.
        test_accuracy: on the 10,000 test pictures, which had no part in training, 0 to 1.
        subset_accuracy: on the 1,000 of them that are packaged.
        date: when it was trained.
        command: what trained it.
        license: terms of use.
    """

    model: str
    data: str
    seed: int
    epochs: int
    test_accuracy: float
    subset_accuracy: float
    date: str
    command: str
    license: str


def load(name: str) -> nn.Module:
    """Build a trained network, in eval mode.

    "lenet" and "mlp" know Fashion-MNIST. They take pictures (N, 1, 28, 28) that are standardized with
    ``backbone.data.FASHION_MNIST_STATISTICS``.

    Raises:
        ValueError: for an unknown name.
    """
    _check("load", name)
    model = SHIPPED[name]()
    with files("backbone.pretrained").joinpath(f"{name}.pt").open("rb") as file:
        weights = torch.load(file, weights_only=True, map_location="cpu")
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model.eval()


def card(name: str) -> Card:
    """Return what is known about a trained network."""
    _check("card", name)
    return Card(**json.loads(files("backbone.pretrained").joinpath(f"{name}.json").read_text("utf-8")))


def _check(function: str, name: str) -> None:
    if name not in SHIPPED:
        raise ValueError(f"pretrained.{function}: name is {name!r}; it must be one of {', '.join(SHIPPED)}")
