"""AlexNet in one tower.

Source: Krizhevsky 2014, "One weird trick for parallelizing convolutional neural networks", arXiv:1404.5997, for the
single tower; Krizhevsky, Sutskever, Hinton 2012, "ImageNet classification with deep convolutional neural networks", for
the idea. Names, shapes and first weights are torchvision's, so that its weights load strictly.

| where | the paper of 2012 | here |
| --- | --- | --- |
| towers | two, which meet in some layers: 96-256-384-384-256 filters | one: 64-192-384-256-256 |
| local response normalization | after the first and second convolution | none |
| dropout | after the first two fully connected layers | before them |
| padding of the first convolution | none is named, which does not give 55 from 224 | 2, which does |
| before the fully connected layers | 6 x 6 | an average to 6 x 6, so that other sizes of pictures pass |
| first weights | normal, standard deviation 0.01 | PyTorch's |
"""

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap

CONVOLUTIONS = (  # filters, kernel size, stride, padding, whether max pooling 3 x 3 with stride 2 follows
    (64, 11, 4, 2, True),
    (192, 5, 1, 2, True),
    (384, 3, 1, 1, False),
    (256, 3, 1, 1, False),
    (256, 3, 1, 1, True),
)
GRID, HIDDEN = 6, 4096
SMALL_CONVOLUTIONS = (  # for 32 x 32 pixels
    (48, 7, 2, 3, True),
    (96, 5, 1, 2, True),
    (128, 3, 1, 1, False),
    (128, 3, 1, 1, False),
    (96, 3, 1, 1, True),
)
SMALL_GRID, SMALL_HIDDEN = 1, 256


class AlexNet(nn.Module):
    """Five convolutions, three of them with max pooling; then three fully connected layers.

    Args:
        convolutions: a row for each convolution, as in ``CONVOLUTIONS``.
        grid: side of the map that the fully connected layers see.
        hidden: units of the first two fully connected layers.
        num_classes: number of outputs.
        dropout: probability of dropping a unit before each of the first two fully connected layers.
    """

    def __init__(self, convolutions, grid: int, hidden: int, num_classes: int, dropout: float):
        super().__init__()
        layers, taps, channels, total = [], [], 3, 1
        for filters, kernel_size, stride, padding, pooled in convolutions:
            layers += [nn.Conv2d(channels, filters, kernel_size, stride, padding), nn.ReLU()]
            channels, total = filters, total * stride
            if pooled:  # the last map of each stride is a tap
                taps.append(Tap(f"features.{len(layers) - 1}", channels, total))
                layers.append(nn.MaxPool2d(3, stride=2))
                total *= 2
        self.features = nn.Sequential(*layers)
        self.taps = (*taps, Tap(f"features.{len(layers) - 1}", channels, total))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(grid), nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(channels * grid**2, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, num_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, H, W), at 224 x 224 as in the paper, 32 x 32 in the small net, to (N, num_classes)."""
        x = self.features(x)  # (N, C, grid, grid) from those sizes
        return self.classifier(self.flatten(self.avgpool(x)))


def alexnet(num_classes: int = 1000, generator: torch.Generator | None = None) -> AlexNet:
    """Build AlexNet: 61,100,840 parameters, 0.714 G multiply-adds at 224 x 224.

    Args:
        num_classes: number of outputs.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    model = AlexNet(CONVOLUTIONS, GRID, HIDDEN, num_classes, dropout=0.5)
    return model if generator is None else initialize(model, generator)


def alexnet_small(num_classes: int = 10, generator: torch.Generator | None = None) -> AlexNet:
    """Build an AlexNet for pictures of 32 x 32 pixels: the same order of layers, fewer and smaller ones.

    Its first layer has 48 color filters of 7 x 7, at stride 2. All first weights are normal with variance 2 / fan_in,
    the forward case of He et al. 2015: there is no BatchNorm that would make up for wrong sizes.

    Args:
        num_classes: number of outputs.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    return initialize(AlexNet(SMALL_CONVOLUTIONS, SMALL_GRID, SMALL_HIDDEN, num_classes, dropout=0.2), generator, "he")
