"""Batch normalization in NumPy, forward and backward.

It takes a mean away and divides by a standard deviation, one of each for a channel, over N, H and W of (N, C, H, W);
then it scales by ``weight`` (gamma) and shifts by ``bias`` (beta).

Two variances occur. The biased one, a sum over n values divided by n, normalizes. The unbiased one, divided by n - 1,
is what the running average stores. PyTorch does the same.

Integers become float64; float16 is summed in float32. ``norm_modules`` has the same as PyTorch modules, and layer and
group normalization beside. Chapter: Batch normalization.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import to_array

EPS = 1e-5
MOMENTUM = 0.1


@dataclass(frozen=True)
class NormGradients:
    """Gradients of a loss with respect to what a normalization was given.

    Attributes:
        x: of the input's shape.
        weight: of gamma's shape.
        bias: likewise.
    """

    x: np.ndarray
    weight: np.ndarray
    bias: np.ndarray


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
        x = _batch_with_variance("RunningStatistics.updated", x)
        axes = _all_but_channels(x)
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
    x_hat, _ = _batch_normalized("batch_norm", x, running, eps)
    channels, shape = x_hat.shape[1], _along_channels(x_hat)
    gamma, beta = _affine("batch_norm", weight, bias, (channels,))
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(_result_dtype(x))


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
    x_hat, scale = _batch_normalized("batch_norm_backward", x, running, eps)
    grad = _same_shape("batch_norm_backward", grad_output, x_hat)
    axes = _all_but_channels(x_hat)
    gamma, _ = _affine("batch_norm_backward", weight, None, (x_hat.shape[1],))
    inner = grad * gamma.reshape(_along_channels(x_hat))
    to_x = scale * inner if running is not None else normalize_backward(inner, x_hat, scale, axes)
    return NormGradients(to_x, (grad * x_hat).sum(axis=axes), grad.sum(axis=axes))


def _batch_normalized(name, x, running, eps) -> tuple[np.ndarray, np.ndarray]:
    """Return x normalized by the batch or by running statistics, and the factor."""
    if running is None:
        x = _batch_with_variance(name, x)
        return normalize(x, _all_but_channels(x), eps)
    x = _floats(name, x)
    if np.shape(running.mean) != (x.shape[1],):
        raise ValueError(f"{name}: x has {x.shape[1]} channels, running has {np.size(running.mean)}; they must agree")
    shape = _along_channels(x)
    scale = 1 / np.sqrt(running.variance.reshape(shape) + eps)
    return (x - running.mean.reshape(shape)) * scale, scale


# --- What it is made of ------------------------------------------------------------------------------------------


def normalize(x: np.ndarray, axes: tuple[int, ...], eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (x - mean) / sqrt(biased variance + eps) over the axes, and one over that root."""
    scale = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return (x - x.mean(axis=axes, keepdims=True)) * scale, scale


def normalize_backward(grad: np.ndarray, x_hat: np.ndarray, scale: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return the gradient of the values that were normalized.

    Every value moved the mean and the variance, so two parts are taken away: what all gradients have in common, and
    what they have in common with x_hat.
    """
    common = grad.mean(axis=axes, keepdims=True)
    along = (grad * x_hat).mean(axis=axes, keepdims=True)
    return scale * (grad - common - x_hat * along)


def _result_dtype(x: ArrayLike) -> np.dtype:
    """Return the dtype of a result: x's own where it is a float."""
    dtype = to_array("normalization", "x", x).dtype
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def _floats(name: str, x: ArrayLike) -> np.ndarray:
    """Return x as floats, checked to have two axes at least, none empty; float16 becomes float32."""
    values = to_array(name, "x", x)
    if values.dtype.kind not in "biuf" or values.ndim < 2 or 0 in values.shape:
        raise ValueError(
            f"{name}: x is {values.dtype} of shape {values.shape}; it must hold real numbers, with examples first, "
            "such as (N, C) or (N, C, H, W), and no axis may be empty"
        )
    dtype = _result_dtype(values)
    return values.astype(np.float32 if dtype == np.float16 else dtype, copy=False)


def _batch_with_variance(name: str, x: ArrayLike) -> np.ndarray:
    """Return x (N, C, ...) as floats, checked to have two values a channel at least."""
    values = _floats(name, x)
    if values.size == values.shape[1]:
        raise ValueError(
            f"{name}: x has shape {values.shape}, one value a channel; its variance is 0 and the output would not "
            "depend on x. Give a larger batch, or normalize by running statistics, as eval() does"
        )
    return values


def _all_but_channels(x: np.ndarray) -> tuple[int, ...]:
    """Return the axes of x (N, C, ...) over which one channel's values lie."""
    return (0, *range(2, x.ndim))


def _along_channels(x: np.ndarray) -> tuple[int, ...]:
    """Return the shape in which one number a channel meets x (N, C, ...)."""
    return (1, -1, *[1] * (x.ndim - 2))


def _affine(name, weight, bias, shape) -> tuple[np.ndarray, np.ndarray]:
    """Return gamma and beta as arrays of the shape, 1 and 0 where they are None."""
    parts = {"weight": (weight, np.ones(shape, np.float32)), "bias": (bias, np.zeros(shape, np.float32))}
    for argument, (value, default) in parts.items():
        parts[argument] = to_array(name, argument, default if value is None else value)
        if parts[argument].shape != tuple(shape):
            raise ValueError(f"{name}: {argument} has shape {parts[argument].shape}; it must be {tuple(shape)}")
    return parts["weight"], parts["bias"]


def _same_shape(name: str, grad_output: ArrayLike, x: np.ndarray) -> np.ndarray:
    """Return grad_output as an array, checked to be of x's shape."""
    grad = to_array(name, "grad_output", grad_output)
    if grad.shape != x.shape:
        raise ValueError(f"{name}: grad_output has shape {grad.shape}; it must be {x.shape}, the shape of x")
    return grad
