"""The networks of the book, in PyTorch."""

from backbone.models.initialization import initialize
from backbone.models.lenet import LeNet, lenet
from backbone.models.mlp import MLP, mlp
from backbone.models.taps import Tap

__all__ = ["MLP", "LeNet", "Tap", "initialize", "lenet", "mlp"]
