"""Correlation and convolution of a signal, which differ by one flip."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from backbone.checks import real_array
from backbone.ops.dtypes import dtypes


def correlate1d(x: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Slide ``weights`` along ``x`` and take a weighted sum at every position where they fit.

    ``out[i] = sum over k of weights[k] * x[i + k]``

    Args:
        x: signal of shape (L,).
        weights: shape (K,), with K at most L.

    Returns:
        Array of shape (L - K + 1,), as ``np.correlate(x, weights, mode="valid")``.

    Raises:
        ValueError: for inputs that are not 1-D, are empty or not real numbers, or for K larger than L.
    """
    return _weighted_sums(*_check("correlate1d", x, weights))


def convolve1d(x: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Slide ``weights`` along ``x`` *flipped*: the convolution of mathematics, where the weights fit.

    ``out[i] = sum over k of weights[K - 1 - k] * x[i + k]``

    Args:
        x: signal of shape (L,).
        weights: shape (K,), with K at most L.

    Returns:
        Array of shape (L - K + 1,), as ``np.convolve(x, weights, mode="valid")``. (NumPy's own default is the
        mode "full", which also keeps the positions where the weights stick out.)

    Raises:
        ValueError: for inputs that are not 1-D, are empty or not real numbers, or for K larger than L.
    """
    x, weights = _check("convolve1d", x, weights)
    return _weighted_sums(x, weights[::-1])


def _check(name: str, x: ArrayLike, weights: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return signal and weights as arrays, the weights no longer than the signal."""
    x, weights = real_array(name, "x", x, "(L,)"), real_array(name, "weights", weights, "(K,)")
    if len(weights) > len(x):
        raise ValueError(f"{name}: weights has length {len(weights)}, x only {len(x)}; weights must fit in x")
    return x, weights


def _weighted_sums(x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Multiply every window of the signal by the weights as they are."""
    dtype, sum_dtype = dtypes(x, weights)
    with np.errstate(all="ignore"):
        windows = sliding_window_view(x.astype(sum_dtype), len(weights))  # (L - K + 1, K)
        return (windows @ weights.astype(sum_dtype)).astype(dtype, copy=False)
