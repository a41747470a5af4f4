"""GoogLeNet, the first Inception network.

Source: Szegedy et al. 2015, "Going deeper with convolutions", arXiv:1409.4842, table 1. Names, shapes and first weights
are torchvision's, so that its weights load strictly.

| where | the paper | here |
| --- | --- | --- |
| BatchNorm | none, it came later | after every convolution, eps 0.001 |
| widest branch of a module | 5x5 | 3x3, as torchvision has it (pytorch/vision issue 906) |
| local response normalization | twice in the stem | none |
| last pooling at stride 2 | 3x3 | 2x2 |
| auxiliary heads | average pooling 5x5, stride 3 | an average to 4 x 4; from 14 x 14 its windows are 4x4 |
| dropout before the last layer | 40 % | 20 % |
| pooling | sizes as printed need rounding up | ``ceil_mode=True`` |

The official weights want their input transformed (``transform_input=True``); without it they load as well and give
wrong logits. Their auxiliary heads were never trained.
"""

from dataclasses import dataclass

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap

MODULES = {  # out of 1x1; into and out of 3x3; into and out of the "5x5"; out of the projection after pooling
    "inception3a": (64, 96, 128, 16, 32, 32),
    "inception3b": (128, 128, 192, 32, 96, 64),
    "maxpool3": 3,
    "inception4a": (192, 96, 208, 16, 48, 64),
    "inception4b": (160, 112, 224, 24, 64, 64),
    "inception4c": (128, 128, 256, 24, 64, 64),
    "inception4d": (112, 144, 288, 32, 64, 64),
    "inception4e": (256, 160, 320, 32, 128, 128),
    "maxpool4": 2,
    "inception5a": (256, 160, 320, 32, 128, 128),
    "inception5b": (384, 192, 384, 48, 128, 128),
}
AUXILIARY = {"inception4a": "aux1", "inception4d": "aux2"}  # whose output feeds which head


@dataclass(frozen=True)
class GoogLeNetOutput:
    """What GoogLeNet gives while it trains: logits (N, num_classes) of the main head and of both auxiliary ones.

    Attributes:
        logits: of the main head.
        aux1: of the head on inception4a.
        aux2: of the head on inception4d.
    """

    logits: torch.Tensor
    aux1: torch.Tensor
    aux2: torch.Tensor


class BasicConv2d(nn.Module):
    """A convolution without bias, BatchNorm, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size, stride: int = 1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=False)
        self.bn, self.relu = nn.BatchNorm2d(out_channels, eps=1e-3), nn.ReLU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H', W')."""
        return self.relu(self.bn(self.conv(x)))


class Inception(nn.Module):
    """Four branches side by side, their maps one after the other: 1x1, 3x3, a second 3x3, pooling.

    Args:
        in_channels: of the input.
        widths: of the 1x1; into and out of the 3x3; into and out of the second; of the projection after pooling.
    """

    def __init__(self, in_channels: int, widths: tuple[int, int, int, int, int, int]):
        super().__init__()
        one, into_three, three, into_five, five, pooled = widths
        self.branch1 = BasicConv2d(in_channels, one, 1)
        self.branch2 = nn.Sequential(
            BasicConv2d(in_channels, into_three, 1), BasicConv2d(into_three, three, 3, padding=1)
        )
        self.branch3 = nn.Sequential(BasicConv2d(in_channels, into_five, 1), BasicConv2d(into_five, five, 3, padding=1))
        self.branch4 = nn.Sequential(
            nn.MaxPool2d(3, stride=1, padding=1, ceil_mode=True), BasicConv2d(in_channels, pooled, 1)
        )
        self.out_channels = one + three + five + pooled

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H, W)."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class AuxiliaryHead(nn.Module):
    """A small classifier on the maps of a module in the middle; it is only used in training."""

    def __init__(self, in_channels: int, num_classes: int):
        super().__init__()
        self.avgpool, self.conv, self.flatten = nn.AdaptiveAvgPool2d(4), BasicConv2d(in_channels, 128, 1), nn.Flatten()
        self.fc1, self.relu, self.dropout = nn.Linear(2048, 1024), nn.ReLU(), nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to logits (N, num_classes)."""
        x = self.flatten(self.conv(self.avgpool(x)))  # (N, 2048)
        return self.fc2(self.dropout(self.relu(self.fc1(x))))


class GoogLeNet(nn.Module):
    """A stem at stride 8, nine Inception modules, an average over all places, one linear layer."""

    taps = (
        Tap("conv1", 64, 2),
        Tap("conv3", 192, 4),
        Tap("inception3b", 480, 8),
        Tap("inception4e", 832, 16),
        Tap("inception5b", 1024, 32),
        Tap("flatten", 1024, 0),
    )

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False):
        super().__init__()
        self.transform_input = transform_input
        self.conv1 = BasicConv2d(3, 64, 7, stride=2, padding=3)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.conv2, self.conv3 = BasicConv2d(64, 64, 1), BasicConv2d(64, 192, 3, padding=1)
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels, self.aux_logits = 192, aux_logits
        for name, row in MODULES.items():
            if name.startswith("maxpool"):
                self.add_module(name, nn.MaxPool2d(row, stride=2, ceil_mode=True))
                continue
            self.add_module(name, Inception(channels, row))
            channels = getattr(self, name).out_channels
            if aux_logits and name in AUXILIARY:
                self.add_module(AUXILIARY[name], AuxiliaryHead(channels, num_classes))
        self.avgpool, self.flatten, self.dropout = nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2)
        self.fc = nn.Linear(channels, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor | GoogLeNetOutput:
        """Map pictures (N, 3, H, W), at 224 x 224 as in the paper, to logits (N, num_classes).

        While it trains, a network with auxiliary heads gives a `GoogLeNetOutput`.
        """
        x = transformed(x) if self.transform_input else x
        x = self.maxpool1(self.conv1(x))  # (N, 64, 56, 56) from 224 x 224
        x = self.maxpool2(self.conv3(self.conv2(x)))  # (N, 192, 28, 28)
        heads = {}
        for name in MODULES:
            x = getattr(self, name)(x)
            if self.training and self.aux_logits and name in AUXILIARY:
                heads[AUXILIARY[name]] = getattr(self, AUXILIARY[name])(x)
        logits = self.fc(self.dropout(self.flatten(self.avgpool(x))))  # from (N, 1024, 7, 7)
        return GoogLeNetOutput(logits, **heads) if heads else logits


def transformed(x: torch.Tensor) -> torch.Tensor:
    """Turn pictures standardized with ImageNet's statistics into what networks trained on (x - 0.5) / 0.5 expect.

    Args:
        x: (N, 3, H, W), standardized with the means 0.485, 0.456, 0.406 and the deviations 0.229, 0.224, 0.225.
    """
    mean = x.new_tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
    std = x.new_tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)
    return (x * std + mean - 0.5) / 0.5


def googlenet(
    num_classes: int = 1000,
    aux_logits: bool = True,
    transform_input: bool = False,
    generator: torch.Generator | None = None,
) -> GoogLeNet:
    """Build GoogLeNet: 13,004,888 parameters, 6,624,904 without the auxiliary heads; 1.498 G multiply-adds.

    Args:
        num_classes: number of outputs.
        aux_logits: with the two auxiliary heads.
        transform_input: take pictures standardized with ImageNet's statistics and scale them to -1 to 1 first.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    return initialize(GoogLeNet(num_classes, aux_logits, transform_input), generator, "googlenet")
