"""Batch, layer and group normalization as PyTorch modules, written out; and folding one into a convolution.

They take the arguments of ``torch.nn``'s modules and have the same names in their ``state_dict``, so that the weights
of either load into the other strictly. ``normalization`` has batch normalization in NumPy; here autograd finds the way
back. Chapter: Batch normalization.
"""

import copy
from collections.abc import Sequence

import torch
from torch import nn

from backbone.layers.normalization import EPS, MOMENTUM


def _normalize(x: torch.Tensor, axes: Sequence[int], eps: float) -> torch.Tensor:
    """Return (x - mean) / sqrt(biased variance + eps) over the axes."""
    mean = x.mean(axes, keepdim=True)
    variance = x.var(axes, correction=0, keepdim=True)
    return (x - mean) / torch.sqrt(variance + eps)


def _along_channels(values: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Return (C,) as (1, C, 1, ...), with as many axes as x."""
    return values.reshape(1, -1, *[1] * (x.ndim - 2))


class _Affine(nn.Module):
    """Something with a weight that begins at 1 and a bias that begins at 0, or with neither."""

    def __init__(self, shape: tuple[int, ...], affine: bool):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(shape)) if affine else None
        self.bias = nn.Parameter(torch.zeros(shape)) if affine else None


class _BatchNorm(_Affine):
    """What batch normalization is, whatever the number of axes; see ``BatchNorm2d``."""

    shapes: dict[int, str] = {}  # noqa: RUF012 - a table, by number of axes

    def __init__(
        self,
        num_features: int,
        eps: float = EPS,
        momentum: float | None = MOMENTUM,
        affine: bool = True,
    ):
        super().__init__((num_features,), affine)
        self.num_features, self.eps, self.momentum, self.affine = num_features, eps, momentum, affine
        start = (torch.zeros(num_features), torch.ones(num_features), torch.tensor(0))
        for name, value in zip(("running_mean", "running_var", "num_batches_tracked"), start, strict=True):
            self.register_buffer(name, value)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map x (N, num_features, ...) to a tensor of the same shape."""
        self._check(x)
        if self.training:
            axes = [axis for axis in range(x.ndim) if axis != 1]
            y = _normalize(x, axes, self.eps)
            self._remember(x.detach(), axes)
        else:
            scale = torch.sqrt(_along_channels(self.running_var, x) + self.eps)
            y = (x - _along_channels(self.running_mean, x)) / scale
        if self.affine:
            y = _along_channels(self.weight, x) * y + _along_channels(self.bias, x)
        return y

    @torch.no_grad()
    def _remember(self, x: torch.Tensor, axes: Sequence[int]) -> None:
        """Move the buffers toward this batch's mean and *unbiased* variance."""
        self.num_batches_tracked += 1
        share = 1 / self.num_batches_tracked.item() if self.momentum is None else self.momentum
        self.running_mean.mul_(1 - share).add_(share * x.mean(axes))
        self.running_var.mul_(1 - share).add_(share * x.var(axes, correction=1))

    def _check(self, x: torch.Tensor) -> None:
        name = type(self).__name__
        if x.ndim not in self.shapes or x.shape[1] != self.num_features:
            allowed = " or ".join(self.shapes.values()).replace("C", str(self.num_features))
            raise ValueError(f"{name}: x has shape {tuple(x.shape)}; it must be {allowed}")
        if self.training and x.numel() == self.num_features:
            raise ValueError(
                f"{name}: x has shape {tuple(x.shape)}, one value a channel; its variance is 0 and the output would "
                "not depend on x. Train with a larger batch (drop_last=True leaves out a last batch of one), or call "
                "eval() where nothing is to be learned"
            )

    def extra_repr(self) -> str:
        """Say the settings when the module is printed."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}"


class BatchNorm1d(_BatchNorm):
    """Batch normalization of features (N, C) or sequences (N, C, L); see ``BatchNorm2d``."""

    shapes = {2: "(N, C)", 3: "(N, C, L)"}  # noqa: RUF012


class BatchNorm2d(_BatchNorm):
    """Batch normalization of maps (N, C, H, W): one mean and one variance a channel, over N, H and W.

    In training it normalizes by the batch's mean and biased variance, and moves its running mean and variance, the
    unbiased one, a step toward the batch's. In evaluation it normalizes by the running ones, and moves nothing.

    Args:
        num_features: channels C.
        eps: stands inside the root.
        momentum: weight of the *new* batch in the running averages; None weighs all batches so far alike.
        affine: whether there are a learned weight (gamma) and bias (beta).

    Source: Ioffe and Szegedy 2015. Where PyTorch is not the paper: the paper's running variance is the mean of many
    batches' variances, taken after training; PyTorch's is a running average, taken meanwhile.
    """

    shapes = {4: "(N, C, H, W)"}  # noqa: RUF012


class LayerNorm(_Affine):
    """Normalization of each example over its last axes, the same in training and evaluation.

    Args:
        normalized_shape: sizes of the last axes.
        eps: stands inside the root.
        elementwise_affine: whether there are a weight and a bias of the normalized shape.

    Source: Ba, Kiros and Hinton 2016.
    """

    def __init__(self, normalized_shape: int | Sequence[int], eps: float = EPS, elementwise_affine: bool = True):
        shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
        super().__init__(shape, elementwise_affine)
        self.normalized_shape, self.eps = shape, eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map x (N, ..., *normalized_shape) to a tensor of the same shape."""
        count = len(self.normalized_shape)
        if tuple(x.shape[-count:]) != self.normalized_shape:
            raise ValueError(f"LayerNorm: x has shape {tuple(x.shape)}; it must end with {self.normalized_shape}")
        y = _normalize(x, tuple(range(-count, 0)), self.eps)
        return y if self.weight is None else self.weight * y + self.bias


class GroupNorm(_Affine):
    """Normalization of each example over groups of channels and all places, the same in training and evaluation.

    Args:
        num_groups: into how many the channels are parted, in their order.
        num_channels: C; num_groups must divide it.
        eps: stands inside the root.
        affine: whether there are a weight and a bias for each channel.

    Source: Wu and He 2018.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = EPS, affine: bool = True):
        if num_groups < 1 or num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: {num_channels} channels cannot be parted into {num_groups} groups of one size"
            )
        super().__init__((num_channels,), affine)
        self.num_groups, self.num_channels, self.eps = num_groups, num_channels, eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map x (N, num_channels, ...) to a tensor of the same shape."""
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"GroupNorm: x has shape {tuple(x.shape)}; it must be (N, {self.num_channels}, ...)")
        y = x.reshape(len(x), self.num_groups, -1)
        y = _normalize(y, (-1,), self.eps).reshape(x.shape)
        return y if self.weight is None else _along_channels(self.weight, x) * y + _along_channels(self.bias, x)


def fold(layer: nn.Conv2d | nn.Linear, norm: nn.Module) -> nn.Conv2d | nn.Linear:
    """Return one layer that computes what ``layer`` and then ``norm`` compute in evaluation.

    scale = gamma / sqrt(running variance + eps); weight * scale, and (bias - running mean) * scale + beta

    Args:
        layer: a convolution or a linear layer, with or without a bias. It is left as it is.
        norm: the batch normalization that follows it, ours or ``torch.nn``'s, in evaluation mode.

    Returns:
        A copy of the layer, always with a bias.

    Raises:
        ValueError: layer is of another kind, the channels differ, norm keeps no running statistics, or is in training
            mode, where its output depends on the batch and no single layer computes it.
    """
    if not isinstance(layer, (nn.Conv2d, nn.Linear)):
        kind = type(layer).__name__
        raise ValueError(f"fold: layer is a {kind}; it must be a Conv2d or a Linear, whose weight begins with outputs")
    keeps = getattr(norm, "running_mean", None) is not None
    if norm.training or not keeps:
        why = "keeps no running statistics" if not keeps else "is in training mode; call eval() first"
        raise ValueError(f"fold: norm {why}, so its scale depends on what comes in and cannot be folded")
    if len(layer.weight) != norm.num_features:
        raise ValueError(f"fold: layer gives {len(layer.weight)} channels, norm takes {norm.num_features}")
    with torch.no_grad():
        scale = torch.rsqrt(norm.running_var + norm.eps)
        shift = -norm.running_mean * scale
        if norm.weight is not None:
            scale, shift = norm.weight * scale, norm.weight * shift + norm.bias
        folded = copy.deepcopy(layer)
        folded.weight.mul_(scale.reshape(-1, *[1] * (layer.weight.ndim - 1)))  # one scale for each output channel
        folded.bias = nn.Parameter(shift if layer.bias is None else layer.bias * scale + shift)
    return folded
