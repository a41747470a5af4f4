"""Correlation of a signal."""

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
    name = "correlate1d"
    x, weights = real_array(name, "x", x, "(L,)"), real_array(name, "weights", weights, "(K,)")
    if len(weights) > len(x):
        raise ValueError(f"{name}: weights has length {len(weights)}, x only {len(x)}; weights must fit in x")
    dtype, sum_dtype = dtypes(x, weights)
    with np.errstate(all="ignore"):
        windows = sliding_window_view(x.astype(sum_dtype), len(weights))  # (L - K + 1, K)
        return (windows @ weights.astype(sum_dtype)).astype(dtype, copy=False)
