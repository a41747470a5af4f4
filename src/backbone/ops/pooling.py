"""Pooling of images: the largest value of each window, or the mean, and the way back."""

import functools
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import Pair, integer, output_gradient, pair, real_array
from backbone.ops.dtypes import dtypes
from backbone.ops.geometry import positions2d


def max_pool2d(
    x: ArrayLike, kernel_size: Pair, stride: Pair | None = None, padding: Pair = 0, dilation: Pair = 1
) -> np.ndarray:
    """Keep the largest value of each window, channel by channel, as ``torch.nn.functional.max_pool2d`` does.

    ``out[n, c, i, j] = max over u, v of x[n, c, i * stride + u * dilation, j * stride + v * dilation]``

    with x padded by minus infinity, which never wins. A window that holds a NaN gives NaN.

    Args:
        x: images of shape (N, C, H, W).
        kernel_size: pixels of a window; an integer, or a pair (vertical, horizontal).
        stride: pixels from one window to the next; None means kernel_size, so that windows touch.
        padding: pixels added at each side, at most half the kernel_size.
        dilation: pixels from one pixel of a window to the next.

    Returns:
        Array of shape (N, C, OH, OW), of the dtype of x, OH and OW as ``output_size`` counts them.

    Raises:
        ValueError: for shapes, dtypes or geometry that do not fit, or a window without a pixel of x.

    Source: Scherer, Müller and Behnke, "Evaluation of pooling operations in convolutional architectures for
    object recognition", 2010.
    """
    x = real_array("max_pool2d", "x", x, "(N, C, H, W)")
    windows = _windows("max_pool2d", x.shape, kernel_size, stride, padding, dilation)
    padded = windows.pad(x, _lowest(x.dtype))
    with np.errstate(all="ignore"):
        return functools.reduce(np.maximum, windows.shifts(padded))


def max_pool2d_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
    dilation: Pair = 1,
) -> np.ndarray:
    """Carry the gradient of a loss back through ``max_pool2d``: each window gives all of it to its largest pixel.

    Among equals the first one, row by row, gets it; among NaN the last one, both as in PyTorch. A pixel that wins
    in several windows gets the sum.

    Args:
        grad_output: derivatives of the loss by the output of ``max_pool2d``, shape (N, C, OH, OW).
        x: images that ``max_pool2d`` was given, shape (N, C, H, W).
        kernel_size: as ``max_pool2d`` was given it.
        stride: likewise.
        padding: likewise.
        dilation: likewise.

    Returns:
        Gradient by x, shape (N, C, H, W), of the dtype that grad_output and x have in common.

    Raises:
        ValueError: as ``max_pool2d``, and for a grad_output that is not of the output's shape.
    """
    name = "max_pool2d_backward"
    x = real_array(name, "x", x, "(N, C, H, W)")
    windows = _windows(name, x.shape, kernel_size, stride, padding, dilation)
    grad = output_gradient(name, grad_output, windows.output_shape)
    dtype, sum_dtype = dtypes(grad, x)
    winners = _winners(x, windows)
    grad_padded = windows.pad(np.zeros(x.shape, sum_dtype), 0)
    with np.errstate(all="ignore"):
        for number, grad_pixels in enumerate(windows.shifts(grad_padded)):
            grad_pixels += np.where(winners == number, grad.astype(sum_dtype, copy=False), 0)
        return windows.crop(grad_padded).astype(dtype, copy=False)


def _winners(x: np.ndarray, windows: "_Windows") -> np.ndarray:
    """Return which pixel of each window is the largest, counted row by row, (N, C, OH, OW)."""
    lowest = _lowest(x.dtype)
    largest, winners = np.full(windows.output_shape, lowest, x.dtype), np.full(windows.output_shape, -1)
    pairs = zip(windows.shifts(windows.pad(x, lowest)), windows.shifts(windows.inside()), strict=True)
    for number, (pixels, real) in enumerate(pairs):
        first = real & (winners < 0)  # so that minus infinity in the image wins over the padding
        better = first | (pixels > largest) | np.isnan(pixels)
        largest, winners = np.where(better, pixels, largest), np.where(better, number, winners)
    return winners


def avg_pool2d(
    x: ArrayLike,
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
) -> np.ndarray:
    """Take the mean of each window, channel by channel, as ``torch.nn.functional.avg_pool2d`` does.

    ``out[n, c, i, j] = 1 / count * sum over u, v of x[n, c, i * stride + u, j * stride + v]``

    with x padded by zeros, which count like other pixels.

    Args:
        x: images of shape (N, C, H, W).
        kernel_size: pixels of a window; an integer, or a pair (vertical, horizontal).
        stride: pixels from one window to the next; None means kernel_size, so that windows touch.
        padding: zeros added at each side, at most half the kernel_size.

    Returns:
        Array of shape (N, C, OH, OW), OH and OW as ``output_size`` counts them; float64 for integers.

    Raises:
        ValueError: for shapes, dtypes or geometry that do not fit.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document recognition", 1998,
    section II (its sub-sampling also has a weight and a bias per channel).
    """
    x = real_array("avg_pool2d", "x", x, "(N, C, H, W)")
    windows = _windows("avg_pool2d", x.shape, kernel_size, stride, padding)
    dtype, sum_dtype = _mean_dtypes(x)
    count = np.prod(windows.kernel_size).astype(sum_dtype)
    with np.errstate(all="ignore"):
        padded = windows.pad(x.astype(sum_dtype, copy=False), 0)
        return (sum(windows.shifts(padded)) / count).astype(dtype, copy=False)


def avg_pool2d_backward(
    grad_output: ArrayLike,
    input_shape: tuple[int, int, int, int],
    kernel_size: Pair,
    stride: Pair | None = None,
    padding: Pair = 0,
) -> np.ndarray:
    """Carry the gradient of a loss back through ``avg_pool2d``: each window shares it out equally among its pixels.

    A pixel that lies in several windows gets the sum of its shares; those of the padding are lost.

    Args:
        grad_output: derivatives of the loss by the output of ``avg_pool2d``, shape (N, C, OH, OW).
        input_shape: (N, C, H, W) of x. A mean is linear, so the values of x do not matter.
        kernel_size: as ``avg_pool2d`` was given it.
        stride: likewise.
        padding: likewise.

    Returns:
        Gradient by x, shape (N, C, H, W), of the dtype of grad_output; float64 for integers.

    Raises:
        ValueError: as ``avg_pool2d``, for an impossible input_shape, and for a grad_output that is not of the
            output's shape.
    """
    name = "avg_pool2d_backward"
    windows = _windows(name, _shape(name, input_shape), kernel_size, stride, padding)
    grad = output_gradient(name, grad_output, windows.output_shape)
    dtype, sum_dtype = _mean_dtypes(grad)
    count = np.prod(windows.kernel_size).astype(sum_dtype)
    grad_padded = windows.pad(np.zeros(windows.input_shape, sum_dtype), 0)
    with np.errstate(all="ignore"):
        share = grad.astype(sum_dtype, copy=False) / count
        for grad_pixels in windows.shifts(grad_padded):
            grad_pixels += share
        return windows.crop(grad_padded).astype(dtype, copy=False)


# --- Windows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Windows:
    """Checked geometry of a pooling layer, and the views that it is computed by."""

    input_shape: tuple[int, int, int, int]
    kernel_size: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    output_size: tuple[int, int]

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        """(N, C, OH, OW)."""
        return *self.input_shape[:2], *self.output_size

    def pad(self, x: np.ndarray, value: float) -> np.ndarray:
        """Return a copy with the padding around it, (N, C, H + 2 * padding, W + 2 * padding)."""
        height, width = ((size, size) for size in self.padding)
        return np.pad(x, ((0, 0), (0, 0), height, width), constant_values=value)

    def crop(self, padded: np.ndarray) -> np.ndarray:
        """Undo ``pad``."""
        (h, w), (ph, pw) = self.input_shape[2:], self.padding
        return padded[:, :, ph : ph + h, pw : pw + w]

    def shifts(self, padded: np.ndarray) -> Iterator[np.ndarray]:
        """Yield the first pixel of all windows as a view (N, C, OH, OW), then the second, row by row."""
        (oh, ow), (sh, sw) = self.output_size, self.stride
        for u, v in itertools.product(*(range(size) for size in self.kernel_size)):
            top, left = u * self.dilation[0], v * self.dilation[1]
            yield padded[:, :, top : top + (oh - 1) * sh + 1 : sh, left : left + (ow - 1) * sw + 1 : sw]

    def inside(self) -> np.ndarray:
        """Tell the pixels of the image from the padding, (1, 1, H + 2 * padding, W + 2 * padding), bool."""
        return self.pad(np.ones((1, 1, *self.input_shape[2:]), bool), False)

    def count(self) -> np.ndarray:
        """Count the pixels of the part of each window inside the image, (1, 1, OH, OW)."""
        return sum(self.shifts(self.inside()))


def _windows(name, input_shape, kernel_size, stride, padding, dilation=1) -> _Windows:
    """Check the geometry of a pooling layer; ``name`` is the function that errors speak for."""
    kernel = pair(name, "kernel_size", kernel_size, 1)
    stride = kernel if stride is None else pair(name, "stride", stride, 1)
    padding, dilation = pair(name, "padding", padding, 0), pair(name, "dilation", dilation, 1)
    if any(pad > size // 2 for pad, size in zip(padding, kernel, strict=True)):
        raise ValueError(f"{name}: padding is {padding}; it must be at most half the kernel_size, {kernel}")
    sizes = positions2d(name, input_shape, kernel, stride, padding, dilation)
    windows = _Windows(tuple(input_shape), kernel, stride, padding, dilation, sizes)
    if not windows.count().all():  # possible where dilation steps over the whole image
        raise ValueError(
            f"{name}: with padding {padding} and dilation {dilation} a window meets no pixel of x, which is"
            f" {input_shape[2]} x {input_shape[3]}; every window must"
        )
    return windows


def _shape(name: str, value: tuple[int, int, int, int]) -> tuple[int, ...]:
    """Return input_shape as a tuple of four positive integers."""
    if not isinstance(value, tuple | list) or len(value) != 4:
        raise ValueError(f"{name}: input_shape is {value!r}; it must be (N, C, H, W)")
    return tuple(integer(name, f"input_shape[{axis}]", size, minimum=1) for axis, size in enumerate(value))


def _lowest(dtype: np.dtype) -> float:
    """Return the value of a dtype that no other is smaller than."""
    if dtype.kind == "f":
        return -np.inf
    return np.iinfo(dtype).min if dtype.kind in "iu" else False


def _mean_dtypes(array: np.ndarray) -> tuple[np.dtype, np.dtype]:
    """Return the dtype of a mean and the one to sum in: those of a sum, but float64 for integers."""
    dtype, sum_dtype = dtypes(array)
    return (dtype, sum_dtype) if dtype.kind == "f" else (np.dtype(np.float64),) * 2
