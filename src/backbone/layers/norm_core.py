"""What all normalizations share in NumPy: standardizing over some axes, the way back, checks of arguments."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import to_array


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


# --- The core: standardize over some axes, and the way back ------------------------------------------------------


def standardize(x: np.ndarray, axes: tuple[int, ...], eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return (x - mean) / sqrt(biased variance + eps) over the axes, and one over that root."""
    scale = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    return (x - x.mean(axis=axes, keepdims=True)) * scale, scale


def standardize_backward(grad: np.ndarray, x_hat: np.ndarray, scale: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    """Return the gradient of the values that were standardized.

    Every value moved the mean and the variance, so two parts are taken away: what all gradients have in common, and
    what they have in common with x_hat.
    """
    common = grad.mean(axis=axes, keepdims=True)
    along = (grad * x_hat).mean(axis=axes, keepdims=True)
    return scale * (grad - common - x_hat * along)


# --- Arguments ---------------------------------------------------------------------------------------------------


def result_dtype(x: ArrayLike) -> np.dtype:
    """Return the dtype of a result: x's own where it is a float."""
    dtype = to_array("normalization", "x", x).dtype
    return dtype if dtype.kind == "f" else np.dtype(np.float64)


def floats(name: str, x: ArrayLike, least: int) -> np.ndarray:
    """Return x as floats, checked to have at least so many axes, none empty; float16 becomes float32."""
    values = to_array(name, "x", x)
    if values.dtype.kind not in "biuf" or values.ndim < least or 0 in values.shape:
        raise ValueError(
            f"{name}: x is {values.dtype} of shape {values.shape}; it must hold real numbers, with examples first, "
            "such as (N, C) or (N, C, H, W), and no axis may be empty"
        )
    dtype = result_dtype(values)
    return values.astype(np.float32 if dtype == np.float16 else dtype, copy=False)


def batch_with_variance(name: str, x: ArrayLike) -> np.ndarray:
    """Return x (N, C, ...) as floats, checked to have two values a channel at least."""
    values = floats(name, x, least=2)
    if values.size == values.shape[1]:
        raise ValueError(
            f"{name}: x has shape {values.shape}, one value a channel; its variance is 0 and the output would not "
            "depend on x. Give a larger batch, or normalize by running statistics, as eval() does"
        )
    return values


def all_but_channels(x: np.ndarray) -> tuple[int, ...]:
    """Return the axes of x (N, C, ...) over which one channel's values lie."""
    return (0, *range(2, x.ndim))


def along_channels(x: np.ndarray) -> tuple[int, ...]:
    """Return the shape in which one number a channel meets x (N, C, ...)."""
    return (1, -1, *[1] * (x.ndim - 2))


def affine(name, weight, bias, shape) -> tuple[np.ndarray, np.ndarray]:
    """Return gamma and beta as arrays of the shape, 1 and 0 where they are None."""
    parts = {"weight": (weight, np.ones(shape, np.float32)), "bias": (bias, np.zeros(shape, np.float32))}
    for argument, (value, default) in parts.items():
        parts[argument] = to_array(name, argument, default if value is None else value)
        if parts[argument].shape != tuple(shape):
            raise ValueError(f"{name}: {argument} has shape {parts[argument].shape}; it must be {tuple(shape)}")
    return parts["weight"], parts["bias"]


def same_shape(name: str, grad_output: ArrayLike, x: np.ndarray) -> np.ndarray:
    """Return grad_output as an array, checked to be of x's shape."""
    grad = to_array(name, "grad_output", grad_output)
    if grad.shape != x.shape:
        raise ValueError(f"{name}: grad_output has shape {grad.shape}; it must be {x.shape}, the shape of x")
    return grad
