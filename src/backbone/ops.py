"""Convolution in NumPy: once as plain loops, once fast, and the kernels to try it with.

What deep learning calls a convolution is a cross-correlation: the kernel slides over the image as it is,
without being flipped. Everything here follows that convention, as PyTorch does.

Rules for dtypes, the same in every function:

- Different dtypes meet as ``np.result_type`` says: float32 stays float32, float64 stays float64, and a uint8
  image under a float64 kernel gives float64.
- float16 is summed in float32 and rounded once, at the end.
- Where all inputs are integers or booleans, the sums are done in int64 and come out as int64: exact, and a
  uint8 image never overflows. (Where uint64 takes part, NumPy's common type with int64 is float64.)
- NaN and infinity pass through by the rules of arithmetic and without a warning. Padding is made of real
  zeros, so an infinite weight gives 0 * inf = NaN there, as in PyTorch's float64 convolution.
"""

import itertools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

Pair = int | tuple[int, int]


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Count the positions a sliding kernel has along one axis.

    ``floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1``

    Args:
        size: input pixels along the axis.
        kernel_size: weights along the axis.
        stride: pixels from one position to the next.
        padding: zeros added at *each* end.
        dilation: pixels from one weight to the next.

    Returns:
        Output pixels along the axis, at least 1.

    Raises:
        ValueError: for a value that is not an integer or too small, or a kernel that does not fit.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016.
    """
    name = "output_size"
    size = _integer(name, "size", size, minimum=1)
    kernel_size = _integer(name, "kernel_size", kernel_size, minimum=1)
    stride = _integer(name, "stride", stride, minimum=1)
    padding = _integer(name, "padding", padding, minimum=0)
    dilation = _integer(name, "dilation", dilation, minimum=1)
    return _positions(name, "size", size, kernel_size, stride, padding, dilation)


def correlate1d(x: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Slide ``weights`` along ``x`` and take a weighted sum at every position where they fit.

    ``out[i] = sum over k of weights[k] * x[i + k]``

    Args:
        x: signal of shape (L,).
        weights: shape (K,), with K at most L.

    Returns:
        Array of shape (L - K + 1,).

    Raises:
        ValueError: for inputs that are not 1-D, are empty or not real numbers, or for K larger than L.
    """
    name = "correlate1d"
    x, weights = _real_array(name, "x", x, "(L,)"), _real_array(name, "weights", weights, "(K,)")
    if len(weights) > len(x):
        raise ValueError(f"{name}: weights has length {len(weights)}, x only {len(x)}; weights must fit in x")
    result_dtype, sum_dtype = _dtypes(x, weights)
    with np.errstate(all="ignore"):
        windows = sliding_window_view(x.astype(sum_dtype), len(weights))  # (L - K + 1, K)
        return (windows @ weights.astype(sum_dtype)).astype(result_dtype, copy=False)


def conv2d(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Cross-correlate a batch of images with a bank of kernels, as ``torch.nn.functional.conv2d`` does.

    ``out[n, o, i, j] = bias[o] + sum over c, u, v of
    weight[o, c, u, v] * x[n, c, i * stride + u * dilation, j * stride + v * dilation]``

    with x padded by zeros. With groups, output channel o sees only the C / groups channels of its group.
    The sums are one matrix product: a window of the image becomes a column, a kernel becomes a row (im2col).

    Args:
        x: images of shape (N, C, H, W).
        weight: kernels of shape (O, C / groups, KH, KW).
        bias: shape (O,), added to each output channel, or None.
        stride: pixels from one window to the next; an integer, or a pair (vertical, horizontal).
        padding: zeros added at each side; an integer or a pair.
        dilation: pixels from one weight to the next; an integer or a pair.
        groups: number of groups the channels are split into; it must divide C and O.

    Returns:
        Feature maps of shape (N, O, OH, OW), OH and OW as ``output_size`` counts them.

    Raises:
        ValueError: for shapes, dtypes or geometry that do not fit; the message names the argument.

    Source: Chellapilla, Puri and Simard, "High performance convolutional neural networks for document
    processing", 2006 (im2col).
    """
    p = _prepare("conv2d", x, weight, bias, stride, padding, dilation, groups)
    n, c = p.x.shape[:2]
    o, _, kh, kw = p.weight.shape
    oh, ow = p.output_size
    reach_h, reach_w = p.dilation[0] * (kh - 1) + 1, p.dilation[1] * (kw - 1) + 1
    with np.errstate(all="ignore"):
        windows = sliding_window_view(p.x, (reach_h, reach_w), axis=(2, 3))  # a view: nothing is copied yet
        windows = windows[:, :, :: p.stride[0], :: p.stride[1], :: p.dilation[0], :: p.dilation[1]]
        columns = windows.transpose(0, 1, 4, 5, 2, 3)  # (N, C, KH, KW, OH, OW)
        columns = columns.reshape(n, p.groups, c // p.groups * kh * kw, oh * ow)  # the one copy
        rows = p.weight.reshape(p.groups, o // p.groups, c // p.groups * kh * kw)
        out = (rows @ columns).reshape(n, o, oh, ow)  # one product per image and group
        out += p.bias[:, None, None]
        return out.astype(p.dtype, copy=False)


def conv2d_naive(
    x: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> np.ndarray:
    """Do what ``conv2d`` does, in loops that spell out its formula. Slow: for reading and for small arrays.

    Args, returns and errors are those of ``conv2d``.
    """
    p = _prepare("conv2d_naive", x, weight, bias, stride, padding, dilation, groups)
    n_images, n_kernels = len(p.x), len(p.weight)
    (oh, ow), (sh, sw), (dh, dw) = p.output_size, p.stride, p.dilation
    _, group_channels, kh, kw = p.weight.shape
    out = np.empty((n_images, n_kernels, oh, ow), p.x.dtype)
    with np.errstate(all="ignore"):
        for n, o, i, j in itertools.product(range(n_images), range(n_kernels), range(oh), range(ow)):
            first = o // (n_kernels // p.groups) * group_channels  # the first channel this kernel sees
            total = p.bias[o]
            for c in range(group_channels):
                for u in range(kh):
                    for v in range(kw):
                        pixel = p.x[n, first + c, i * sh + u * dh, j * sw + v * dw]
                        total += p.weight[o, c, u, v] * pixel
            out[n, o, i, j] = total
        return out.astype(p.dtype, copy=False)


# --- Checking the arguments, once for both versions ---------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    """Checked arguments of a convolution, the arrays in the dtype the sums are done in."""

    x: np.ndarray  # (N, C, H + 2 * padding, W + 2 * padding): already padded
    weight: np.ndarray  # (O, C / groups, KH, KW)
    bias: np.ndarray  # (O,)
    stride: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    output_size: tuple[int, int]
    dtype: np.dtype  # of the result


def _prepare(name, x, weight, bias, stride, padding, dilation, groups) -> _Problem:
    """Check everything a convolution is given; ``name`` is the function that errors speak for."""
    x = _real_array(name, "x", x, "(N, C, H, W)")
    weight = _real_array(name, "weight", weight, "(O, C / groups, KH, KW)")
    # Boolean zeros change neither the sum nor its dtype.
    bias = np.zeros(len(weight), bool) if bias is None else _real_array(name, "bias", bias, "(O,)")
    groups = _integer(name, "groups", groups, minimum=1)
    stride, dilation = _pair(name, "stride", stride, 1), _pair(name, "dilation", dilation, 1)
    padding = _pair(name, "padding", padding, 0)
    _check_channels(name, x.shape[1], weight.shape[:2], len(bias), groups)
    sizes = tuple(
        _positions(name, f"{axis} of x", *numbers)
        for axis, *numbers in zip(
            ("height", "width"), x.shape[2:], weight.shape[2:], stride, padding, dilation, strict=True
        )
    )
    dtype, sum_dtype = _dtypes(x, weight, bias)
    with np.errstate(all="ignore"):
        x, weight, bias = (array.astype(sum_dtype, copy=False) for array in (x, weight, bias))
    if any(padding):
        x = np.pad(x, ((0, 0), (0, 0), padding[:1] * 2, padding[1:] * 2))
    return _Problem(x, weight, bias, stride, dilation, groups, sizes, dtype)


def _check_channels(name, in_channels, weight_channels, bias_length, groups) -> None:
    """Raise ValueError unless the channels of x, weight and bias agree."""
    out_channels, group_channels = weight_channels
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"{name}: groups is {groups}; it must divide the {in_channels} channels of x"
            f" and the {out_channels} kernels of weight"
        )
    if group_channels != in_channels // groups:
        share = f" in each of {groups} groups" if groups > 1 else ""
        raise ValueError(
            f"{name}: weight has {group_channels} input channels, x has {in_channels // groups}{share}; they must agree"
        )
    if bias_length != out_channels:
        raise ValueError(f"{name}: bias has length {bias_length}, weight has {out_channels} kernels; they must agree")


def _real_array(name: str, argument: str, value: ArrayLike, shape: str) -> np.ndarray:
    """Return the value as an array of real numbers with as many axes as ``shape`` names, none empty."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name}: {argument} cannot be made an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {argument} has dtype {array.dtype}; it must hold real numbers")
    if array.ndim != len(shape.strip("(,)").split(",")):
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be {shape}")
    if 0 in array.shape:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; every size must be at least 1")
    return array


def _integer(name: str, argument: str, value: int, minimum: int, suffix: str = "") -> int:
    """Return the value as an int of at least ``minimum``; floats, booleans and texts are refused."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < minimum or isinstance(value, bool):
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer of at least {minimum}{suffix}")
    return number


def _pair(name: str, argument: str, value: Pair, minimum: int) -> tuple[int, int]:
    """Return (vertical, horizontal) from an integer or a pair of them."""
    suffix = ", or a pair of them"
    if not isinstance(value, tuple | list):
        return (_integer(name, argument, value, minimum, suffix),) * 2
    if len(value) != 2:
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer{suffix}")
    return _integer(name, argument, value[0], minimum), _integer(name, argument, value[1], minimum)


def _positions(name, axis, size, kernel_size, stride, padding, dilation) -> int:
    """Count the windows along one axis, or raise ValueError when not even one fits."""
    available, reach = size + 2 * padding, dilation * (kernel_size - 1) + 1
    if reach > available:
        raise ValueError(
            f"{name}: a kernel of {kernel_size} with dilation {dilation} spans {reach} pixels, but {axis} is"
            f" {size} ({available} with padding); the span must not be larger"
        )
    return (available - reach) // stride + 1


def _dtypes(*arrays: np.ndarray) -> tuple[np.dtype, np.dtype]:
    """Return the dtype of the result and the one to sum in, by the rules at the top of this module."""
    dtype = np.result_type(*(array.dtype for array in arrays))
    if dtype.kind in "biu":
        dtype = np.result_type(dtype, np.int64)
    return dtype, np.dtype(np.float32) if dtype == np.float16 else dtype


# --- Kernels to try -----------------------------------------------------------------------------------------


def _kernel(rows: list[list[float]], divisor: float = 1) -> np.ndarray:
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
"""Well-known 3x3 kernels, (KH, KW), float64 and read-only, for cross-correlation (no flip).

``sobel_x`` answers positively where brightness grows to the right, ``sobel_y`` where it grows downwards, and
``emboss`` where it grows to the lower right. Weights of ``identity``, ``box``, ``gaussian``, ``sharpen`` and
``emboss`` sum to 1, so an even area keeps its value; those of the others sum to 0, so it vanishes.
"""
