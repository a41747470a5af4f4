"""VGG: nothing but 3x3 convolutions and 2x2 pooling, 11 to 19 layers deep.

Source: Simonyan, Zisserman 2015, "Very deep convolutional networks for large-scale image recognition", arXiv:1409.1556,
table 1, columns A, B, D and E. Names, shapes and first weights are torchvision's, so that its weights load strictly.

| where | the paper | here |
| --- | --- | --- |
| BatchNorm | none, it came later | none, or (``_bn``) after each convolution, which keeps its bias |
| first weights | normal, variance 0.01; deep nets from a shallow one | He's for convolutions, else deviation 0.01 |
| before the fully connected layers | 7 x 7 | an average to 7 x 7, so that other sizes of pictures pass |
"""

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap

WIDTHS = (64, 128, 256, 512, 512)
COUNTS = {  # depth: 3x3 convolutions in each of the five stages; table 1 of the paper
    11: (1, 1, 2, 2, 2),
    13: (2, 2, 2, 2, 2),
    16: (2, 2, 3, 3, 3),
    19: (2, 2, 4, 4, 4),
}
GRID, HIDDEN = 7, 4096


class VGG(nn.Module):
    """Five stages of 3x3 convolutions, each closed by max pooling; then three fully connected layers."""

    def __init__(self, depth: int, batch_norm: bool = False, num_classes: int = 1000):
        super().__init__()
        layers, taps, channels = [], [], 3
        for stage, (width, count) in enumerate(zip(WIDTHS, COUNTS[depth], strict=True)):
            for _ in range(count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), *[nn.BatchNorm2d(width)] * batch_norm, nn.ReLU()]
                channels = width
            taps.append(Tap(f"features.{len(layers) - 1}", width, 2**stage))
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(GRID), nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Linear(channels * GRID**2, HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(HIDDEN, num_classes),
        )
        self.taps = (*taps, Tap(f"features.{len(layers) - 1}", channels, 32))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, H, W), at 224 x 224 as in the paper, to logits (N, num_classes)."""
        x = self.features(x)  # (N, 512, 7, 7) from 224 x 224
        return self.classifier(self.flatten(self.avgpool(x)))


def _vgg(depth: int, batch_norm: bool, num_classes: int, generator: torch.Generator | None) -> VGG:
    return initialize(VGG(depth, batch_norm, num_classes), generator, "vgg")


def vgg11(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-11, column A of table 1: 132,863,336 parameters."""
    return _vgg(11, False, num_classes, generator)


def vgg13(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-13, column B of table 1: 133,047,848 parameters."""
    return _vgg(13, False, num_classes, generator)


def vgg16(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-16, column D of table 1: 138,357,544 parameters, 15.47 G multiply-adds at 224 x 224."""
    return _vgg(16, False, num_classes, generator)


def vgg19(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-19, column E of table 1: 143,667,240 parameters, 19.63 G multiply-adds at 224 x 224."""
    return _vgg(19, False, num_classes, generator)


def vgg11_bn(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-11 with BatchNorm after each convolution."""
    return _vgg(11, True, num_classes, generator)


def vgg13_bn(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-13 with BatchNorm after each convolution."""
    return _vgg(13, True, num_classes, generator)


def vgg16_bn(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-16 with BatchNorm after each convolution: 138,365,992 parameters."""
    return _vgg(16, True, num_classes, generator)


def vgg19_bn(num_classes: int = 1000, generator: torch.Generator | None = None) -> VGG:
    """Build VGG-19 with BatchNorm after each convolution."""
    return _vgg(19, True, num_classes, generator)
