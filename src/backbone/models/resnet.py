"""Residual networks: ResNet-18 to 152 for ImageNet, and the small ones for CIFAR-10 with their plain twins.

Source: He, Zhang, Ren, Sun 2015, "Deep residual learning for image recognition", arXiv:1512.03385: table 1 for
ImageNet, section 4.2 for CIFAR-10. Names, shapes and first weights are torchvision's; its weights load strictly. Each
ReLU is a module of its own, so that a probe sees what was there; torchvision's are shared and in place.

| where | the paper | here |
| --- | --- | --- |
| first bottleneck of a stage | strides in its first 1x1 | strides in its 3x3 ("v1.5"): same shapes, more arithmetic |
| shortcuts where the shape changes | A, zeros, below 50 layers; B, a strided 1x1, from 50 on | B for 18 and 34, too |
"""

from collections.abc import Sequence

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap

STAGES = {  # depth: block, blocks in each of the four stages; table 1 of the paper
    18: ("basic", (2, 2, 2, 2)),
    34: ("basic", (3, 4, 6, 3)),
    50: ("bottleneck", (3, 4, 6, 3)),
    101: ("bottleneck", (3, 4, 23, 3)),
    152: ("bottleneck", (3, 8, 36, 3)),
}
WIDTHS = (64, 128, 256, 512)
CIFAR_WIDTHS = (16, 32, 64)


def _conv3x3(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)  # a BatchNorm follows


def _conv1x1(in_channels: int, out_channels: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(in_channels, out_channels, 1, stride, bias=False)  # a BatchNorm follows


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, each with its BatchNorm; the input is added before the last ReLU.

    Args:
        in_channels: of the input.
        width: of both convolutions, and of the output.
        stride: of the first convolution.
        shortcut: what the input goes through before it is added; ``None`` makes a plain block, without the addition.
    """

    expansion = 1

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: nn.Module | None):
        super().__init__()
        self.conv1, self.bn1, self.relu1 = _conv3x3(in_channels, width, stride), nn.BatchNorm2d(width), nn.ReLU()
        self.conv2, self.bn2, self.relu2 = _conv3x3(width, width), nn.BatchNorm2d(width), nn.ReLU()
        self.downsample = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, width, ceil(H / stride), ceil(W / stride))."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return self.relu2(y if self.downsample is None else y + self.downsample(x))


class Bottleneck(nn.Module):
    """Narrow by 1x1, filter by 3x3, widen by 1x1 to four times the width; the input is added before the last ReLU.

    Args:
        in_channels: of the input.
        width: of the 3x3; the output has four times as many channels.
        stride: of the 3x3.
        shortcut: what the input goes through before it is added.
    """

    expansion = 4

    def __init__(self, in_channels: int, width: int, stride: int, shortcut: nn.Module):
        super().__init__()
        out_channels = self.expansion * width
        self.conv1, self.bn1, self.relu1 = _conv1x1(in_channels, width), nn.BatchNorm2d(width), nn.ReLU()
        self.conv2, self.bn2, self.relu2 = _conv3x3(width, width, stride), nn.BatchNorm2d(width), nn.ReLU()
        self.conv3, self.bn3, self.relu3 = _conv1x1(width, out_channels), nn.BatchNorm2d(out_channels), nn.ReLU()
        self.downsample = shortcut

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, 4 * width, ceil(H / stride), ceil(W / stride))."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        return self.relu3(self.bn3(self.conv3(y)) + self.downsample(x))


class PadShortcut(nn.Module):
    """The shortcut without parameters, option A of section 3.3: every stride-th pixel, zeros for the new channels."""

    def __init__(self, in_channels: int, out_channels: int, stride: int):
        super().__init__()
        self.new_channels, self.stride = out_channels - in_channels, stride

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        x = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.new_channels))


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Return option B: a strided 1x1 convolution and BatchNorm."""
    return nn.Sequential(_conv1x1(in_channels, out_channels, stride), nn.BatchNorm2d(out_channels))


def _stage(block, in_channels: int, width: int, count: int, stride: int, shortcut) -> nn.Sequential:
    """Return `count` blocks. The first one strides; where its shape changes it takes `shortcut`, else the identity."""
    out_channels = block.expansion * width
    changes = stride != 1 or in_channels != out_channels
    first = shortcut(in_channels, out_channels, stride) if changes else nn.Identity()
    blocks = [block(in_channels, width, stride, first)]
    blocks += [block(out_channels, width, 1, nn.Identity()) for _ in range(count - 1)]
    return nn.Sequential(*blocks)


class ResNet(nn.Module):
    """A stem at stride 4, four stages at strides 4, 8, 16 and 32, an average over all places, a linear layer."""

    def __init__(self, block: str, counts: Sequence[int], num_classes: int = 1000):
        super().__init__()
        made = {"basic": BasicBlock, "bottleneck": Bottleneck}[block]
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)  # a BatchNorm follows
        self.bn1, self.relu, self.maxpool = nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, stride=2, padding=1)
        taps, channels = [Tap("relu", 64, 2)], 64
        for number, (width, count) in enumerate(zip(WIDTHS, counts, strict=True), start=1):
            stride = 1 if number == 1 else 2
            self.add_module(f"layer{number}", _stage(made, channels, width, count, stride, projection))
            channels = made.expansion * width
            taps.append(Tap(f"layer{number}", channels, 2 ** (number + 1)))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(channels, num_classes)
        self.taps = (*taps, Tap("flatten", channels, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, H, W), at 224 x 224 as in the paper, to logits (N, num_classes)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))  # (N, 64, H / 4, W / 4)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # (N, C, H / 32, W / 32)
        return self.fc(self.flatten(self.avgpool(x)))


class CifarResNet(nn.Module):
    """A 3x3 stem, three stages of n blocks at strides 1, 2 and 4, an average over all places, a linear layer."""

    def __init__(self, depth: int, residual: bool = True, num_classes: int = 10):
        super().__init__()
        count, rest = divmod(depth - 2, 6)
        if count < 1 or rest:
            raise ValueError(f"cifar_resnet: depth is {depth}; it must be 6n + 2: 8, 14, 20, 32, 44, 56, 110, ...")
        self.conv1, self.bn1, self.relu = _conv3x3(3, CIFAR_WIDTHS[0]), nn.BatchNorm2d(CIFAR_WIDTHS[0]), nn.ReLU()
        taps, channels = [Tap("relu", CIFAR_WIDTHS[0], 1)], CIFAR_WIDTHS[0]
        for number, width in enumerate(CIFAR_WIDTHS, start=1):
            stage = _stage(BasicBlock, channels, width, count, 1 if number == 1 else 2, PadShortcut)
            self.add_module(f"layer{number}", stage if residual else _without_shortcuts(stage))
            channels = width
            taps.append(Tap(f"layer{number}", channels, 2 ** (number - 1)))
        self.avgpool, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(channels, num_classes)
        self.taps = (*taps, Tap("flatten", channels, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, 32, 32) to logits (N, num_classes)."""
        x = self.relu(self.bn1(self.conv1(x)))  # (N, 16, 32, 32)
        x = self.layer3(self.layer2(self.layer1(x)))  # (N, 64, 8, 8)
        return self.fc(self.flatten(self.avgpool(x)))


def _without_shortcuts(stage: nn.Sequential) -> nn.Sequential:
    for block in stage:
        block.downsample = None
    return stage


def _resnet(depth: int, num_classes: int, generator: torch.Generator | None) -> ResNet:
    return initialize(ResNet(*STAGES[depth], num_classes), generator, "resnet")


def resnet18(num_classes: int = 1000, generator: torch.Generator | None = None) -> ResNet:
    """Build ResNet-18: 11,689,512 parameters, 1.814 G multiply-adds at 224 x 224."""
    return _resnet(18, num_classes, generator)


def resnet34(num_classes: int = 1000, generator: torch.Generator | None = None) -> ResNet:
    """Build ResNet-34: 21,797,672 parameters, 3.664 G multiply-adds at 224 x 224."""
    return _resnet(34, num_classes, generator)


def resnet50(num_classes: int = 1000, generator: torch.Generator | None = None) -> ResNet:
    """Build ResNet-50: 25,557,032 parameters, 4.089 G multiply-adds at 224 x 224."""
    return _resnet(50, num_classes, generator)


def resnet101(num_classes: int = 1000, generator: torch.Generator | None = None) -> ResNet:
    """Build ResNet-101: 44,549,160 parameters, 7.801 G multiply-adds at 224 x 224."""
    return _resnet(101, num_classes, generator)


def resnet152(num_classes: int = 1000, generator: torch.Generator | None = None) -> ResNet:
    """Build ResNet-152: 60,192,808 parameters, 11.514 G multiply-adds at 224 x 224."""
    return _resnet(152, num_classes, generator)


def cifar_resnet(
    depth: int, residual: bool = True, num_classes: int = 10, generator: torch.Generator | None = None
) -> CifarResNet:
    """Build a residual network for pictures of 32 x 32 pixels, or its plain twin.

    Args:
        depth: layers with weights, 6n + 2; the paper has 20 (269,722 parameters), 32, 44, 56 and 110.
        residual: add the shortcuts. They have no parameters, so both twins have the same.
        num_classes: number of outputs.
        generator: draws the first weights; without it PyTorch's global one does.

    Raises:
        ValueError: a depth that is not 6n + 2.
    """
    return initialize(CifarResNet(depth, residual, num_classes), generator, "resnet")
