"""The 1,000 classes of the ImageNet challenge, by number."""

from functools import cache
from importlib.resources import files


@cache
def imagenet_classes() -> tuple[str, ...]:
    """Return the English names of the 1,000 classes, in the order of every ImageNet network's outputs.

    Source: torchvision's metadata; see ``IMAGENET_CLASSES_LICENSE`` beside this file.
    """
    return tuple(files("backbone.data").joinpath("imagenet_classes.txt").read_text("utf-8").splitlines())
