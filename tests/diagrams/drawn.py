"""All drawings of the book's networks, for the tests."""

from functools import cache

import torch
from torch import nn

from backbone import diagrams, models
from backbone.figure import Figure
from backbone.models.googlenet import MODULES, Inception
from backbone.models.inception import MODULES as FACTORIZED
from backbone.models.inception import InceptionModule
from backbone.models.resnet import BasicBlock, Bottleneck, PadShortcut


class PreActivation(nn.Module):
    """Norm and ReLU in front of each convolution (He et al. 2016, "Identity mappings")."""

    def __init__(self, width: int):
        super().__init__()
        self.bn1, self.relu1, self.conv1 = nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
        self.bn2, self.relu2, self.conv2 = nn.BatchNorm2d(width), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(self.relu2(self.bn2(self.conv1(self.relu1(self.bn1(x))))))


class Pyramid(nn.Module):
    """The convolutions of a feature pyramid (Lin et al. 2017)."""

    def __init__(self, channels=(256, 512, 1024, 2048), width: int = 256):
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(one, width, 1) for one in channels)
        self.smooth = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in channels)


def two_towers() -> nn.Sequential:
    """Return the layers of 2012 in small."""
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3, groups=2), nn.Conv2d(6, 4, 3), nn.Flatten(), nn.Linear(36, 10)
    )


BLOCKS = {
    "plain": (BasicBlock(64, 64, 1, None), (1, 64, 8, 8)),
    "residual": (BasicBlock(64, 64, 1, nn.Identity()), (1, 64, 8, 8)),
    "zeros": (BasicBlock(64, 128, 2, PadShortcut(64, 128, 2)), (1, 64, 8, 8)),
    "bottleneck": (Bottleneck(256, 64, 1, nn.Identity()), (1, 256, 8, 8)),
    "pre-activation": (PreActivation(64), (1, 64, 8, 8)),
}
BRANCHED = {
    "reduced": (Inception(192, MODULES["inception3a"]), (1, 192, 8, 8)),
    **{name: (InceptionModule(768, FACTORIZED[name]), (1, 768, 8, 8)) for name in ("Mixed_5b", "Mixed_6b", "Mixed_7c")},
}


RGB = (1, 3, 224, 224)
DRAWINGS = {
    "blocks": lambda: diagrams.modules(BLOCKS, "c"),
    "branched": lambda: diagrams.modules(BRANCHED, "c", short=True),
    "stacks": lambda: diagrams.stacks(
        {"LeNet-5": (on_meta(models.lenet), (1, 1, 28, 28)), "AlexNet": (on_meta(models.alexnet), RGB)}, "c"
    ),
    "columns": lambda: diagrams.columns({"A": on_meta(models.vgg11), "E": on_meta(models.vgg19)}, RGB, "c"),
    "towers": lambda: diagrams.towers(two_towers(), (1, 3, 9, 9), "c"),
    "backbone": lambda: diagrams.backbone(on_meta(models.resnet50), on_meta(Pyramid), RGB, "c"),
    "neuron": lambda: diagrams.neuron((1, -0.5, 2), (0.5, 1, -0.25), 0.75, caption="c"),
    "im2col": lambda: diagrams.im2col([[1, 2, 0], [0, 1, 3], [2, 0, 1]], [[1, 0], [0, -1]], "c"),
}


def on_meta(network) -> nn.Module:
    """Return a network without numbers."""
    with torch.device("meta"):
        return network()


@cache
def drawing(name: str) -> Figure:
    """Return a drawing of this kind."""
    return DRAWINGS[name]()
