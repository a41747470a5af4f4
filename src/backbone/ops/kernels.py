"""Well-known kernels to filter a picture with, for cross-correlation (no flip)."""

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from backbone.checks import integer


def gabor(angle: float, size: int = 7, wavelength: float = 4.0, sigma: float = 2.0, phase: float = 0.0) -> np.ndarray:
    """Make a Gabor kernel: a wave under a bell. It answers to stripes of one width and one direction.

    ``g[y, x] = exp(-(x**2 + y**2) / (2 * sigma**2)) * (cos(2 * pi * t / wavelength + phase) - mean)``

    with ``t = x * cos(angle) + y * sin(angle)``, and x, y counted from the center of the kernel. ``mean`` is the
    average of the cosine under the bell, so that the weights sum to 0 and an even area vanishes.

    Args:
        angle: where the wave goes, in degrees: 0 to the right (vertical stripes), 90 downwards (horizontal
            stripes). On the screen it turns clockwise, because rows are counted downwards.
        size: rows, and columns, of the kernel; at least 3.
        wavelength: pixels from stripe to stripe, at least 2: a shorter wave cannot be told from a longer one.
        sigma: standard deviation of the bell in pixels.
        phase: of the wave at the center, in degrees: 0 a bright line, 90 an edge.

    Returns:
        Kernel of shape (size, size), float64.

    Raises:
        ValueError: for a number that is not finite, or too small.

    Source: Daugman, "Uncertainty relation for resolution in space, spatial frequency, and orientation optimized
    by two-dimensional visual cortical filters", 1985. (There the mean is not taken off.)
    """
    size = integer("gabor", "size", size, minimum=3)
    _check_numbers(angle=angle, wavelength=wavelength, sigma=sigma, phase=phase)
    radians, radius = math.radians(angle), (size - 1) / 2
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    bell = np.exp(-(x**2 + y**2) / (2 * sigma**2))
    t = x * math.cos(radians) + y * math.sin(radians)
    wave = np.cos(2 * math.pi * t / wavelength + math.radians(phase))
    return bell * (wave - np.average(wave, weights=bell))


def _check_numbers(**numbers: float) -> None:
    """Raise ValueError unless the numbers of ``gabor`` are finite and large enough."""
    for argument, value in numbers.items():
        if isinstance(value, bool | str) or not np.isscalar(value) or not np.isfinite(value):
            raise ValueError(f"gabor: {argument} is {value!r}; it must be a finite number")
    if numbers["wavelength"] < 2:
        raise ValueError(f"gabor: wavelength is {numbers['wavelength']!r}; it must be at least 2 pixels")
    if numbers["sigma"] <= 0:
        raise ValueError(f"gabor: sigma is {numbers['sigma']!r}; it must be above 0")


def _kernel(rows: list[list[float]], divisor: float = 1) -> np.ndarray:
    """Return a read-only kernel, float64."""
    kernel = np.array(rows, dtype=np.float64) / divisor
    kernel.setflags(write=False)
    return kernel


def _short_gabor(angle: float) -> np.ndarray:
    """Return a 5x5 Gabor kernel in whole hundredths; its center makes up for what rounding does to the sum."""
    hundredths = np.rint(100 * gabor(angle, size=5, sigma=1.5)).astype(int)
    hundredths[2, 2] -= hundredths.sum()
    return _kernel(hundredths, divisor=100)


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
        "gabor_0": _short_gabor(0),
        "gabor_45": _short_gabor(45),
        "gabor_90": _short_gabor(90),
        "gabor_135": _short_gabor(135),
    }
)
"""Name -> kernel of shape (KH, KW), float64 and read-only: 3x3, the Gabor kernels 5x5.

``sobel_x`` answers positively where brightness grows to the right, ``sobel_y`` where it grows downwards, and
``emboss`` where it grows to the lower right. A Gabor kernel answers to a bright line: ``gabor_0`` to a vertical
one, ``gabor_90`` to a horizontal one, ``gabor_45`` to one that rises to the right, ``gabor_135`` to one that falls.
Weights of ``identity``, ``box``, ``gaussian``, ``sharpen`` and ``emboss`` sum to 1, so an even area keeps its
value; those of the others sum to 0, so it vanishes.
"""
