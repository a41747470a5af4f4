"""Convolution of images: once as plain loops, once fast."""

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from backbone.ops.arguments import Pair, dtypes, integer, pair, real_array
from backbone.ops.geometry import positions2d


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


# --- Checking the arguments, once for all of them -----------------------------------------------------------


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
    x = real_array(name, "x", x, "(N, C, H, W)")
    weight = real_array(name, "weight", weight, "(O, C / groups, KH, KW)")
    # Boolean zeros change neither the sum nor its dtype.
    bias = np.zeros(len(weight), bool) if bias is None else real_array(name, "bias", bias, "(O,)")
    groups = integer(name, "groups", groups, minimum=1)
    stride, dilation = pair(name, "stride", stride, 1), pair(name, "dilation", dilation, 1)
    padding = pair(name, "padding", padding, 0)
    _check_channels(name, x.shape[1], weight.shape[:2], len(bias), groups)
    sizes = positions2d(name, x.shape, weight.shape[2:], stride, padding, dilation)
    dtype, sum_dtype = dtypes(x, weight, bias)
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
