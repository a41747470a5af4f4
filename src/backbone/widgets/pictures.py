"""Pictures on their way into a widget."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image, ImageDraw

from backbone.checks import to_array
from backbone.data import Statistics

LEVELS = 15
SIDE = 28  # of the pictures of clothes
# A sneaker as a hand might draw it: corners in pixels, (column, row).
SHOE = ((1, 19), (3, 16), (10, 14), (15, 11), (19, 9), (22, 11), (26, 9), (27, 14), (27, 20), (1, 20))


def levels(name: str, argument: str, images: ArrayLike, count: int, top: int = LEVELS) -> np.ndarray:
    """Return pictures as a few levels of gray, uint8 (N, H, W): 16 are enough to see what they show.

    Args:
        name: who asks, for the error.
        argument: what is asked for, likewise.
        images: (N, H, W) or (N, 1, H, W), uint8, or floats in [0, 1].
        count: how many they must be.
        top: the level of white; black is 0.

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
    return np.rint(array * top).astype(np.uint8)


def packed(values: np.ndarray, bits: int) -> np.ndarray:
    """Return levels of ``bits`` bits each (N, H, W) several to a byte, first in its highest bits (N, H W bits / 8)."""
    rows = values.reshape(len(values), -1, 8 // bits)
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
    return np.bitwise_or.reduce(rows << shifts, axis=-1).astype(np.uint8)


def shoe() -> np.ndarray:
    """Return a drawing of a sneaker, uint8 (28, 28)."""
    large = Image.new("L", (4 * SIDE, 4 * SIDE))
    ImageDraw.Draw(large).polygon([(4 * x + 2, 4 * y + 2) for x, y in SHOE], fill=255)
    return np.asarray(large.resize((SIDE, SIDE), Image.Resampling.BOX)).copy()


def gray_statistics(given: Statistics) -> list[float]:
    """Return mean and std as two numbers; raise ValueError where they are not those of gray pictures in [0, 1]."""
    mean, std = (np.asarray(part, float).reshape(-1) for part in (given.mean, given.std))
    if len(mean) != 1 or len(std) != 1 or not 0 <= mean[0] <= 1 or not std[0] > 0:
        raise ValueError(
            f"statistics has mean {mean.tolist()} and std {std.tolist()}; it must have one mean from 0 to 1 and one "
            "std above 0, as backbone.data.FASHION_MNIST_STATISTICS has"
        )
    return [float(mean[0]), float(std[0])]
