"""Layer and group normalization in NumPy: each example by itself, so no running statistics and no two modes.

The table in ``normalization`` compares them with batch normalization.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from backbone.layers.norm_core import (
    NormGradients,
    affine,
    all_but_channels,
    along_channels,
    floats,
    result_dtype,
    same_shape,
    standardize,
    standardize_backward,
)
from backbone.layers.normalization import EPS


def layer_norm(
    x: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    bias: ArrayLike | None = None,
    *,
    eps: float = EPS,
) -> np.ndarray:
    """Normalize each example over its last axes.

    Args:
        x: (N, ..., *normalized_shape).
        normalized_shape: sizes of the last axes, over which mean and variance run.
        weight: gamma, of the normalized shape; 1 by default.
        bias: beta, likewise; 0 by default.
        eps: stands inside the root.

    Source: Ba, Kiros and Hinton 2016.
    """
    values, axes = _last_axes("layer_norm", x, normalized_shape)
    gamma, beta = affine("layer_norm", weight, bias, values.shape[axes[0] :])
    return (gamma * standardize(values, axes, eps)[0] + beta).astype(result_dtype(x))


def layer_norm_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    normalized_shape: int | Sequence[int],
    weight: ArrayLike | None = None,
    *,
    eps: float = EPS,
) -> NormGradients:
    """Carry the gradient of a loss back through ``layer_norm`` with the same arguments."""
    values, axes = _last_axes("layer_norm_backward", x, normalized_shape)
    grad = same_shape("layer_norm_backward", grad_output, values)
    gamma, _ = affine("layer_norm_backward", weight, None, values.shape[axes[0] :])
    x_hat, scale = standardize(values, axes, eps)
    others = tuple(range(axes[0]))
    to_x = standardize_backward(grad * gamma, x_hat, scale, axes)
    return NormGradients(to_x, (grad * x_hat).sum(axis=others), grad.sum(axis=others))


def group_norm(
    x: ArrayLike, groups: int, weight: ArrayLike | None = None, bias: ArrayLike | None = None, *, eps: float = EPS
) -> np.ndarray:
    """Normalize each example over groups of channels and all their places.

    Args:
        x: (N, C, ...).
        groups: into how many the channels are parted, in their order; it must divide C.
        weight: gamma, (C,); 1 by default.
        bias: beta, (C,); 0 by default.
        eps: stands inside the root.

    Source: Wu and He 2018.
    """
    parted, axes = _parted("group_norm", x, groups)
    x_hat = standardize(parted, axes, eps)[0].reshape(np.shape(x))
    gamma, beta = affine("group_norm", weight, bias, (x_hat.shape[1],))
    shape = along_channels(x_hat)
    return (gamma.reshape(shape) * x_hat + beta.reshape(shape)).astype(result_dtype(x))


def group_norm_backward(
    grad_output: ArrayLike, x: ArrayLike, groups: int, weight: ArrayLike | None = None, *, eps: float = EPS
) -> NormGradients:
    """Carry the gradient of a loss back through ``group_norm`` with the same arguments."""
    parted, axes = _parted("group_norm_backward", x, groups)
    x_hat, scale = standardize(parted, axes, eps)
    grad = same_shape("group_norm_backward", grad_output, x_hat.reshape(np.shape(x)))
    gamma, _ = affine("group_norm_backward", weight, None, (grad.shape[1],))
    inner = (grad * gamma.reshape(along_channels(grad))).reshape(parted.shape)
    to_x = standardize_backward(inner, x_hat, scale, axes).reshape(grad.shape)
    over = all_but_channels(grad)
    return NormGradients(to_x, (grad * x_hat.reshape(grad.shape)).sum(axis=over), grad.sum(axis=over))


def _last_axes(name, x, normalized_shape) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return x as floats and the axes that normalized_shape names."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    values = floats(name, x, least=1)
    if not shape or values.shape[-len(shape) :] != shape:
        raise ValueError(f"{name}: normalized_shape is {shape}; x of shape {values.shape} must end with it")
    return values, tuple(range(values.ndim - len(shape), values.ndim))


def _parted(name, x, groups) -> tuple[np.ndarray, tuple[int, ...]]:
    """Return x as (N, groups, C / groups, ...) and the axes of one group."""
    values = floats(name, x, least=2)
    channels = values.shape[1]
    if groups < 1 or channels % groups:
        raise ValueError(f"{name}: {channels} channels cannot be parted into {groups} groups of one size")
    parted = values.reshape(len(values), groups, channels // groups, *values.shape[2:])
    return parted, tuple(range(2, parted.ndim))
