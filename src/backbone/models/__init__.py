"""The networks of the book, in PyTorch."""

from backbone.models.efficientnet import EfficientNetLite0, efficientnet_lite0
from backbone.models.initialization import initialize
from backbone.models.lenet import LeNet, lenet
from backbone.models.mlp import MLP, mlp
from backbone.models.taps import Tap

__all__ = ["MLP", "EfficientNetLite0", "LeNet", "Tap", "efficientnet_lite0", "initialize", "lenet", "mlp"]
