"""Convolution of images, and its gradients."""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike

from backbone.checks import Pair, integer, output_gradient, pair, real_array, to_array
from backbone.ops.dtypes import dtypes
from backbone.ops.geometry import positions2d


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


@dataclass(frozen=True, eq=False)
class ConvGradients:
    """Gradients of a loss by everything that goes into a convolution, each of the shape of what it belongs to."""

    input: np.ndarray  # (N, C, H, W)
    weight: np.ndarray  # (O, C / groups, KH, KW)
    bias: np.ndarray  # (O,)


def conv2d_backward(
    grad_output: ArrayLike,
    x: ArrayLike,
    weight: ArrayLike,
    stride: Pair = 1,
    padding: Pair = 0,
    dilation: Pair = 1,
    groups: int = 1,
) -> ConvGradients:
    """Carry the gradient of a loss back through ``conv2d``, by convolutions again.

    - input: the *full convolution* (kernels flipped, channel axes swapped) of the output gradient. At stride s that
      gradient first gets s - 1 zeros between its entries and, where H + 2 * padding - dilation * (KH - 1) - 1 is
      not a multiple of s, rows of zeros at the far edge, for the pixels that no window reached. Every pixel
      collects from the windows it was in:
      ``sum over o, i, j, u, v of grad_output[n, o, i, j] * weight[o, c, u, v]``
      where ``i * stride + u * dilation`` is the pixel's row in the padded input, and likewise for the column.
    - weight: the *correlation* of the padded input with the output gradient dilated by s. Every weight collects
      from the pixels it met:
      ``sum over n, i, j of grad_output[n, o, i, j] * x[n, c, i * stride + u * dilation, j * stride + v * dilation]``
    - bias: ``sum over n, i, j of grad_output[n, o, i, j]``

    NaN and infinity reach the gradients that they reach in PyTorch. Besides, an infinite or NaN *weight* gives NaN
    where it meets a zero that was put between or around the entries of grad_output; PyTorch has no such zeros.

    Args:
        grad_output: derivatives of the loss by the output of ``conv2d``, shape (N, O, OH, OW).
        x: images that ``conv2d`` was given, shape (N, C, H, W).
        weight: kernels that it was given, shape (O, C / groups, KH, KW).
        stride: as ``conv2d`` was given it.
        padding: likewise.
        dilation: likewise.
        groups: likewise.

    Returns:
        Gradients by input, weight and bias (also where no bias was used), all of the dtype that grad_output, x and
        weight have in common.

    Raises:
        ValueError: as ``conv2d``, and for a grad_output that is not of the output's shape.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 4.
    """
    p = _prepare("conv2d_backward", x, weight, None, stride, padding, dilation, groups)
    grad = output_gradient("conv2d_backward", grad_output, (len(p.x), len(p.weight), *p.output_size))
    dtype, sum_dtype = dtypes(grad, *(to_array("conv2d_backward", *given) for given in (("x", x), ("weight", weight))))
    with np.errstate(all="ignore"):
        grad = grad.astype(sum_dtype, copy=False)
        gradients = _input_gradient(grad, p), _weight_gradient(grad, p), grad.sum(axis=(0, 2, 3))
        return ConvGradients(*(gradient.astype(dtype, copy=False) for gradient in gradients))


def _input_gradient(grad: np.ndarray, p: "_Problem") -> np.ndarray:
    """Return the full convolution of the spread-out output gradient with the kernels, (N, C, H, W)."""
    (kh, kw), (dh, dw), (ph, pw) = p.weight.shape[2:], p.dilation, p.padding
    kernels = _swap_channels(p.weight[:, :, ::-1, ::-1], p.groups)
    spread = _spread(grad, p.stride, p.rest)
    full = conv2d(spread, kernels, padding=(dh * (kh - 1), dw * (kw - 1)), dilation=p.dilation, groups=p.groups)
    height, width = full.shape[2:]  # those of the padded input; the padding's own gradient is not wanted
    return full[:, :, ph : height - ph, pw : width - pw]


def _weight_gradient(grad: np.ndarray, p: "_Problem") -> np.ndarray:
    """Return the correlation of the padded input with the output gradient, (O, C / groups, KH, KW).

    The images of the batch are summed over, as channels are in ``conv2d``: so they stand where channels stand.
    The weights' positions are ``dilation`` apart, and the gradient's entries ``stride``: the two change places.
    """
    n, c, height, width = p.x.shape
    x = p.x[:, :, : height - p.rest[0], : width - p.rest[1]]  # the last rows, if no window reached them, are cut
    x = x.reshape(n, p.groups, c // p.groups, *x.shape[2:]).transpose(2, 1, 0, 3, 4)
    x = x.reshape(c // p.groups, p.groups * n, *x.shape[3:])
    out = conv2d(x, grad.transpose(1, 0, 2, 3), stride=p.dilation, dilation=p.stride, groups=p.groups)
    return out.transpose(1, 0, 2, 3)


def _swap_channels(weight: np.ndarray, groups: int) -> np.ndarray:
    """Swap the channel axes within each group: (O, C / groups, KH, KW) -> (C, O / groups, KH, KW)."""
    o, c, kh, kw = weight.shape
    split = weight.reshape(groups, o // groups, c, kh, kw)
    return split.swapaxes(1, 2).reshape(groups * c, o // groups, kh, kw)


def _spread(grad: np.ndarray, stride: tuple[int, int], rest: tuple[int, int]) -> np.ndarray:
    """Put stride - 1 zeros between the entries, and ``rest`` rows and columns of zeros at the far edges."""
    n, o, oh, ow = grad.shape
    (sh, sw), (rest_h, rest_w) = stride, rest
    spread = np.zeros((n, o, (oh - 1) * sh + 1 + rest_h, (ow - 1) * sw + 1 + rest_w), grad.dtype)
    spread[:, :, ::sh, ::sw] = grad
    return spread


# --- Checking the arguments, once for all of them -----------------------------------------------------------


@dataclass(frozen=True)
class _Problem:
    """Checked arguments of a convolution, the arrays in the dtype the sums are done in."""

    x: np.ndarray  # (N, C, H + 2 * padding, W + 2 * padding): already padded
    weight: np.ndarray  # (O, C / groups, KH, KW)
    bias: np.ndarray  # (O,)
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    groups: int
    output_size: tuple[int, int]
    dtype: np.dtype  # of the result

    @property
    def rest(self) -> tuple[int, int]:
        """Rows and columns of the padded input that lie behind the last window: the size formula's remainder."""
        sizes = zip(self.x.shape[2:], self.weight.shape[2:], self.stride, self.dilation, strict=True)
        rest_h, rest_w = ((size - dilation * (k - 1) - 1) % stride for size, k, stride, dilation in sizes)
        return rest_h, rest_w


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
    return _Problem(x, weight, bias, stride, padding, dilation, groups, sizes, dtype)


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
