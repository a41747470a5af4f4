"""Pictures on their way into a widget."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import to_array

LEVELS = 15


def levels(name: str, argument: str, images: ArrayLike, count: int) -> np.ndarray:
    """Return pictures as 16 levels of gray, uint8 (N, H, W), 0 to 15: enough to see what they show.

    Args:
        name: who asks, for the error.
        argument: what is asked for, likewise.
        images: (N, H, W) or (N, 1, H, W), uint8, or floats in [0, 1].
        count: how many they must be.

    Raises:
        ValueError: another shape, dtype or range.
    """
    given = to_array(name, argument, images)
    array = given[:, 0] if given.ndim == 4 and given.shape[1] == 1 else given
    if array.ndim != 3 or len(array) != count:
        raise ValueError(f"{argument} has shape {given.shape}; for {count} labels it must be ({count}, H, W)")
    if array.dtype == np.uint8:
        array = array / 255
    if array.dtype.kind != "f" or not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"{argument} has dtype {given.dtype}; it must be uint8, or floating point in [0, 1]")
    return np.rint(array * LEVELS).astype(np.uint8)
