"""Well-known kernels to filter a picture with, for cross-correlation (no flip)."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np


def _kernel(rows: list[list[float]], divisor: float = 1) -> np.ndarray:
    """Return a read-only kernel, float64."""
    kernel = np.array(rows, dtype=np.float64) / divisor
    kernel.setflags(write=False)
    return kernel


KERNELS: Mapping[str, np.ndarray] = MappingProxyType(
    {
        "identity": _kernel([[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
        "box": _kernel([[1, 1, 1], [1, 1, 1], [1, 1, 1]], divisor=9),
        "gaussian": _kernel([[1, 2, 1], [2, 4, 2], [1, 2, 1]], divisor=16),
        "sobel_x": _kernel([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]),
        "sobel_y": _kernel([[-1, -2, -1], [0, 0, 0], [1, 2, 1]]),
        "laplacian": _kernel([[0, 1, 0], [1, -4, 1], [0, 1, 0]]),
        "sharpen": _kernel([[0, -1, 0], [-1, 5, -1], [0, -1, 0]]),
        "emboss": _kernel([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]),
    }
)
"""Name -> kernel of shape (KH, KW), float64 and read-only: all 3x3.

``sobel_x`` answers positively where brightness grows to the right, ``sobel_y`` where it grows downwards, and
``emboss`` where it grows to the lower right.
Weights of ``identity``, ``box``, ``gaussian``, ``sharpen`` and ``emboss`` sum to 1, so an even area keeps its
value; those of the others sum to 0, so it vanishes.
"""
