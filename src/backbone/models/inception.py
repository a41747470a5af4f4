"""Inception v3: factorized convolutions.

Source: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, "Rethinking the Inception architecture for computer vision",
arXiv:1512.00567. Names, shapes and first weights are torchvision's, so that its weights load strictly.

| where | the paper | here |
| --- | --- | --- |
| modules (table 1) | 3 at 35 x 35, 5 at 17 x 17, 2 at 8 x 8 | 3, 4 and 2, and two that halve the grid between them |
| second half of the stem | 3x3 to 80, 3x3 to 192 at stride 2, 3x3 to 288 | 1x1 to 80, 3x3 to 192, max pooling |
| auxiliary head | BatchNorm in it | the same |
| BatchNorm | eps 0.001 | the same |

The official weights want their input transformed (``transform_input=True``); without it they load as well and give
wrong logits. They are evaluated at 299 x 299, cut from 342.
"""

from dataclasses import dataclass

import torch
from torch import nn

from backbone.models.googlenet import BasicConv2d, transformed
from backbone.models.initialization import initialize
from backbone.models.taps import Tap

# A branch is a list of convolutions: name, filters, kernel size, stride, padding. "pool" stands for average pooling 3x3
# with stride 1, "max" for max pooling 3x3 with stride 2.
Branch = tuple[tuple, ...]


def _a(pooled: int) -> tuple[Branch, ...]:
    """The module at 35 x 35, figure 5: 5x5 as it is, and two 3x3 in its place."""
    return (
        (("branch1x1", 64, 1, 1, 0),),
        (("branch5x5_1", 48, 1, 1, 0), ("branch5x5_2", 64, 5, 1, 2)),
        (("branch3x3dbl_1", 64, 1, 1, 0), ("branch3x3dbl_2", 96, 3, 1, 1), ("branch3x3dbl_3", 96, 3, 1, 1)),
        ("pool", ("branch_pool", pooled, 1, 1, 0)),
    )


def _b() -> tuple[Branch, ...]:
    """From 35 x 35 to 17 x 17, figure 10."""
    return (
        (("branch3x3", 384, 3, 2, 0),),
        (("branch3x3dbl_1", 64, 1, 1, 0), ("branch3x3dbl_2", 96, 3, 1, 1), ("branch3x3dbl_3", 96, 3, 2, 0)),
        ("max",),
    )


def _c(width: int) -> tuple[Branch, ...]:
    """The module at 17 x 17, figure 6: 7x7 as 1x7 and 7x1, once and twice."""
    across, down = ((1, 7), 1, (0, 3)), ((7, 1), 1, (3, 0))
    return (
        (("branch1x1", 192, 1, 1, 0),),
        (("branch7x7_1", width, 1, 1, 0), ("branch7x7_2", width, *across), ("branch7x7_3", 192, *down)),
        (
            ("branch7x7dbl_1", width, 1, 1, 0),
            ("branch7x7dbl_2", width, *down),
            ("branch7x7dbl_3", width, *across),
            ("branch7x7dbl_4", width, *down),
            ("branch7x7dbl_5", 192, *across),
        ),
        ("pool", ("branch_pool", 192, 1, 1, 0)),
    )


def _d() -> tuple[Branch, ...]:
    """From 17 x 17 to 8 x 8."""
    return (
        (("branch3x3_1", 192, 1, 1, 0), ("branch3x3_2", 320, 3, 2, 0)),
        (
            ("branch7x7x3_1", 192, 1, 1, 0),
            ("branch7x7x3_2", 192, (1, 7), 1, (0, 3)),
            ("branch7x7x3_3", 192, (7, 1), 1, (3, 0)),
            ("branch7x7x3_4", 192, 3, 2, 0),
        ),
        ("max",),
    )


def _e() -> tuple[Branch, ...]:
    """The module at 8 x 8, figure 7: the last step of two branches forks into 1x3 and 3x1."""
    fork = (384, (1, 3), 1, (0, 1)), (384, (3, 1), 1, (1, 0))
    return (
        (("branch1x1", 320, 1, 1, 0),),
        (("branch3x3_1", 384, 1, 1, 0), [("branch3x3_2a", *fork[0]), ("branch3x3_2b", *fork[1])]),
        (
            ("branch3x3dbl_1", 448, 1, 1, 0),
            ("branch3x3dbl_2", 384, 3, 1, 1),
            [("branch3x3dbl_3a", *fork[0]), ("branch3x3dbl_3b", *fork[1])],
        ),
        ("pool", ("branch_pool", 192, 1, 1, 0)),
    )


STEM = (  # name, filters, kernel size, stride, padding; max pooling 3x3 with stride 2 between
    ("Conv2d_1a_3x3", 32, 3, 2, 0),
    ("Conv2d_2a_3x3", 32, 3, 1, 0),
    ("Conv2d_2b_3x3", 64, 3, 1, 1),
    "maxpool1",
    ("Conv2d_3b_1x1", 80, 1, 1, 0),
    ("Conv2d_4a_3x3", 192, 3, 1, 0),
    "maxpool2",
)
MODULES = {
    "Mixed_5b": _a(32),
    "Mixed_5c": _a(64),
    "Mixed_5d": _a(64),
    "Mixed_6a": _b(),
    "Mixed_6b": _c(128),
    "Mixed_6c": _c(160),
    "Mixed_6d": _c(160),
    "Mixed_6e": _c(192),
    "Mixed_7a": _d(),
    "Mixed_7b": _e(),
    "Mixed_7c": _e(),
}
TAPPED = {"Conv2d_2b_3x3": 2, "Conv2d_4a_3x3": 4, "Mixed_5d": 8, "Mixed_6e": 16, "Mixed_7c": 32}  # and their strides
AUXILIARY_ON = "Mixed_6e"


@dataclass(frozen=True)
class InceptionOutput:
    """What Inception v3 gives while it trains: logits (N, num_classes) of the main head and of the auxiliary one."""

    logits: torch.Tensor
    aux: torch.Tensor


class InceptionModule(nn.Module):
    """Branches side by side, as a table lists them, their maps one after the other."""

    def __init__(self, in_channels: int, branches: tuple[Branch, ...]):
        super().__init__()
        self.branches, self.out_channels = branches, 0
        for branch in branches:
            self.out_channels += self._add(in_channels, branch)
        self.pool, self.max = nn.AvgPool2d(3, stride=1, padding=1), nn.MaxPool2d(3, stride=2)

    def _add(self, channels: int, branch: Branch) -> int:
        """Add the convolutions of a branch, and return how many maps come out of it."""
        for step in branch:
            if isinstance(step, str):
                continue
            fork = step if isinstance(step, list) else [step]
            for name, filters, *geometry in fork:
                self.add_module(name, BasicConv2d(channels, filters, *geometry))
            channels = sum(filters for _, filters, *_ in fork)
        return channels

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, H, W) to (N, out_channels, H', W')."""
        return torch.cat([self._follow(x, branch) for branch in self.branches], dim=1)

    def _follow(self, x: torch.Tensor, branch: Branch) -> torch.Tensor:
        for step in branch:
            if isinstance(step, str):
                x = getattr(self, step)(x)
            elif isinstance(step, list):
                x = torch.cat([getattr(self, name)(x) for name, *_ in step], dim=1)
            else:
                x = getattr(self, step[0])(x)
        return x


class AuxiliaryHead(nn.Module):
    """A small classifier on the maps at 17 x 17; it is only used in training."""

    def __init__(self, in_channels: int, num_classes: int):
        super().__init__()
        self.pool, self.conv0 = nn.AvgPool2d(5, stride=3), BasicConv2d(in_channels, 128, 1)
        self.conv1, self.avgpool, self.flatten = BasicConv2d(128, 768, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten()
        self.fc = nn.Linear(768, num_classes)
        self.fc.stddev = 0.001  # of the first weights; torchvision's 0.01 for conv1 never reaches its convolution

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, in_channels, 17, 17) to logits (N, num_classes)."""
        x = self.conv1(self.conv0(self.pool(x)))  # (N, 768, 1, 1)
        return self.fc(self.flatten(self.avgpool(x)))


class InceptionV3(nn.Module):
    """A stem at stride 8, eleven modules of four kinds, an average over all places, one linear layer."""

    def __init__(self, num_classes: int = 1000, aux_logits: bool = True, transform_input: bool = False):
        super().__init__()
        self.transform_input, self.aux_logits = transform_input, aux_logits
        channels, widths = 3, {}
        for step in STEM:
            if isinstance(step, str):
                self.add_module(step, nn.MaxPool2d(3, stride=2))
                continue
            name, filters, *geometry = step
            self.add_module(name, BasicConv2d(channels, filters, *geometry))
            channels = widths[name] = filters
        for name, branches in MODULES.items():
            self.add_module(name, InceptionModule(channels, branches))
            channels = widths[name] = getattr(self, name).out_channels
        if aux_logits:
            self.AuxLogits = AuxiliaryHead(widths[AUXILIARY_ON], num_classes)
        self.avgpool, self.dropout, self.flatten = nn.AdaptiveAvgPool2d(1), nn.Dropout(0.5), nn.Flatten()
        self.fc = nn.Linear(channels, num_classes)
        self.taps = (*(Tap(name, widths[name], stride) for name, stride in TAPPED.items()), Tap("flatten", channels, 0))

    def forward(self, x: torch.Tensor) -> torch.Tensor | InceptionOutput:
        """Map pictures (N, 3, H, W), at 299 x 299 as in the paper, to logits (N, num_classes).

        While it trains, a network with its auxiliary head gives an `InceptionOutput`.
        """
        x = transformed(x) if self.transform_input else x
        for step in STEM:
            x = getattr(self, step if isinstance(step, str) else step[0])(x)  # last (N, 192, 35, 35) from 299 x 299
        aux = None
        for name in MODULES:
            x = getattr(self, name)(x)
            if name == AUXILIARY_ON and self.training and self.aux_logits:
                aux = self.AuxLogits(x)
        logits = self.fc(self.flatten(self.dropout(self.avgpool(x))))  # from (N, 2048, 8, 8)
        return logits if aux is None else InceptionOutput(logits, aux)


def inception_v3(
    num_classes: int = 1000,
    aux_logits: bool = True,
    transform_input: bool = False,
    generator: torch.Generator | None = None,
) -> InceptionV3:
    """Build Inception v3: 27,161,264 parameters, 23,834,568 without the auxiliary head; 5.713 G multiply-adds at 299.

    Args:
        num_classes: number of outputs.
        aux_logits: with the auxiliary head.
        transform_input: take pictures standardized with ImageNet's statistics and scale them to -1 to 1 first.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    return initialize(InceptionV3(num_classes, aux_logits, transform_input), generator, "inception")
