"""Batch, layer and group normalization in NumPy, forward and backward.

All three take a mean away and divide by a standard deviation, then scale by ``weight`` (gamma) and shift by ``bias``
(beta). They differ in what the mean and the variance run over, for x of shape (N, C, H, W):

| function | runs over | one mean for each |
| --- | --- | --- |
| ``batch_norm`` | N, H, W | channel |
| ``layer_norm`` | the last axes, such as C, H, W | example |
| ``group_norm`` | C / groups, H, W | example and group of channels |

Two variances occur in batch normalization. The biased one, a sum over n values divided by n, normalizes. The unbiased
one, divided by n - 1, is what the running average stores. PyTorch does the same.

Integers become float64; float16 is summed in float32. The modules in ``norm_modules`` compute the same in PyTorch.
Chapter: Batch normalization.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.layers.norm_core import (
    NormGradients,
    affine,
    all_but_channels,
    along_channels,
    batch_with_variance,
    floats,
    result_dtype,
    same_shape,
    standardize,
    standardize_backward,
)

EPS = 1e-5
MOMENTUM = 0.1


@dataclass(frozen=True)
class RunningStatistics:
    """What batch normalization remembers of the batches it was trained on.

    Attributes:
        mean: running mean of each channel, (C,).
        variance: running unbiased variance of each channel, (C,).
        batches: how many batches it has seen.
    """

    mean: np.ndarray
    variance: np.ndarray
    batches: int = 0

    @classmethod
    def start(cls, channels: int) -> "RunningStatistics":
        """Return mean 0 and variance 1, as PyTorch begins."""
        return cls(np.zeros(channels), np.ones(channels))

    def updated(self, x: ArrayLike, momentum: float | None = MOMENTUM) -> "RunningStatistics":
        """Return the statistics after one more batch: (1 - momentum) * old + momentum * the batch's.

        Args:
            x: (N, C, ...).
            momentum: weight of the *new* batch; None weighs all batches so far alike.
        """
        x = batch_with_variance("RunningStatistics.updated", x)
        axes = all_but_channels(x)
        share = 1 / (self.batches + 1) if momentum is None else momentum
        mean = (1 - share) * self.mean + share * x.mean(axis=axes)
        variance = (1 - share) * self.variance + share * x.var(axis=axes, ddof=1)
        return RunningStatistics(mean, variance, self.batches + 1)


def batch_norm(
    x: ArrayLike,
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    running: RunningStatistics | None = None,
    *,
    eps: float = EPS,
) -> np.ndarray:
    """Normalize each channel: by the batch's own statistics, or by running ones where they are given.

    weight * (x - mean) / sqrt(variance + eps) + bias

    Args:
        x: (N, C), (N, C, L) or (N, C, H, W).
        weight: gamma, (C,); 1 by default.
        bias: beta, (C,); 0 by default.
        running: what to normalize by at evaluation; without it the batch's own mean and biased variance are taken,
            as in training. ``RunningStatistics.updated`` moves them.
        eps: keeps the root away from 0; it stands inside the root.

    Returns:
        An array of x's shape.

    Raises:
        ValueError: a shape does not fit, or the batch has one value a channel.

    Source: Ioffe and Szegedy 2015, algorithms 1 and 2.
    """
    x_hat, _ = _batch_standardized("batch_norm", x, running, eps)
    channels, shape = x_hat.shape[1], along_channels(x_hat)
    gamma, beta = affine("batch_norm", weight, bias, (channels,))
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(result_dtype(x))


def batch_norm_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike | None = None,
    running: RunningStatistics | None = None,
    *,
    eps: float = EPS,
) -> NormGradients:
    """Carry the gradient of a loss back through ``batch_norm`` with the same arguments.

    Args:
        grad_output: of x's shape.
        x: (N, C, ...), what ``batch_norm`` was given.
        weight: likewise.
        running: likewise. With running statistics the layer is a scale and a shift, and examples stay apart.
        eps: likewise.
    """
    x_hat, scale = _batch_standardized("batch_norm_backward", x, running, eps)
    grad = same_shape("batch_norm_backward", grad_output, x_hat)
    axes = all_but_channels(x_hat)
    gamma, _ = affine("batch_norm_backward", weight, None, (x_hat.shape[1],))
    inner = grad * gamma.reshape(along_channels(x_hat))
    to_x = scale * inner if running is not None else standardize_backward(inner, x_hat, scale, axes)
    return NormGradients(to_x, (grad * x_hat).sum(axis=axes), grad.sum(axis=axes))


def _batch_standardized(name, x, running, eps) -> tuple[np.ndarray, np.ndarray]:
    """Return x standardized by the batch or by running statistics, and the factor."""
    if running is None:
        x = batch_with_variance(name, x)
        return standardize(x, all_but_channels(x), eps)
    x = floats(name, x, least=2)
    if np.shape(running.mean) != (x.shape[1],):
        raise ValueError(f"{name}: x has {x.shape[1]} channels, running has {np.size(running.mean)}; they must agree")
    shape = along_channels(x)
    scale = 1 / np.sqrt(running.variance.reshape(shape) + eps)
    return (x - running.mean.reshape(shape)) * scale, scale
