"""The networks of the book, in PyTorch."""

from backbone.models.alexnet import AlexNet, alexnet, alexnet_small
from backbone.models.efficientnet import EfficientNetLite0, efficientnet_lite0
from backbone.models.googlenet import GoogLeNet, GoogLeNetOutput, googlenet
from backbone.models.inception import InceptionOutput, InceptionV3, inception_v3
from backbone.models.initialization import initialize
from backbone.models.lenet import LeNet, lenet
from backbone.models.mlp import MLP, mlp
from backbone.models.resnet import (
    CifarResNet,
    ResNet,
    cifar_resnet,
    resnet18,
    resnet34,
    resnet50,
    resnet101,
    resnet152,
)
from backbone.models.summary import LayerRow, Summary, Window, summary
from backbone.models.taps import Tap
from backbone.models.vgg import VGG, vgg11, vgg11_bn, vgg13, vgg13_bn, vgg16, vgg16_bn, vgg19, vgg19_bn

__all__ = [
    "MLP",
    "VGG",
    "AlexNet",
    "CifarResNet",
    "EfficientNetLite0",
    "GoogLeNet",
    "GoogLeNetOutput",
    "InceptionOutput",
    "InceptionV3",
    "LayerRow",
    "LeNet",
    "ResNet",
    "Summary",
    "Tap",
    "Window",
    "alexnet",
    "alexnet_small",
    "cifar_resnet",
    "efficientnet_lite0",
    "googlenet",
    "inception_v3",
    "initialize",
    "lenet",
    "mlp",
    "resnet18",
    "resnet34",
    "resnet50",
    "resnet101",
    "resnet152",
    "summary",
    "vgg11",
    "vgg11_bn",
    "vgg13",
    "vgg13_bn",
    "vgg16",
    "vgg16_bn",
    "vgg19",
    "vgg19_bn",
]
