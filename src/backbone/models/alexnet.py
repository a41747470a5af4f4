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


class AlexNet(nn.Module):
    """Five convolutions, three of them with max pooling; then three fully connected layers."""

    taps = (
        Tap("features.1", 64, 4),
        Tap("features.4", 192, 8),
        Tap("features.11", 256, 16),
        Tap("features.12", 256, 32),
    )

    def __init__(self, num_classes: int = 1000, dropout: float = 0.5):
        super().__init__()
        layers, channels = [], 3
        for filters, kernel_size, stride, padding, pooled in CONVOLUTIONS:
            layers += [nn.Conv2d(channels, filters, kernel_size, stride, padding), nn.ReLU()]
            layers += [nn.MaxPool2d(3, stride=2)] * pooled
            channels = filters
        self.features = nn.Sequential(*layers)
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(GRID), nn.Flatten()
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(channels * GRID**2, HIDDEN),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(HIDDEN, HIDDEN),
            nn.ReLU(),
            nn.Linear(HIDDEN, num_classes),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, H, W), at 224 x 224 as in the paper, to logits (N, num_classes)."""
        x = self.features(x)  # (N, 256, 6, 6) from 224 x 224
        return self.classifier(self.flatten(self.avgpool(x)))


def alexnet(num_classes: int = 1000, dropout: float = 0.5, generator: torch.Generator | None = None) -> AlexNet:
    """Build AlexNet: 61,100,840 parameters, 0.714 G multiply-adds at 224 x 224.

    Args:
        num_classes: number of outputs.
        dropout: probability of dropping a unit before each of the first two fully connected layers.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    model = AlexNet(num_classes, dropout)
    return model if generator is None else initialize(model, generator)
