"""Exercises of the chapter on convolution."""

import math
from functools import partial

import numpy as np

from backbone.exercises.check import exercise
from backbone.ops import KERNELS, conv2d, output_size

_rng = np.random.default_rng(7)


@exercise(
    {
        "a square kernel without symmetry": (_rng.random((5, 7)), _rng.random((3, 3))),
        "a kernel wider than tall": (_rng.random((8, 5)), _rng.random((2, 3))),
        "a kernel taller than wide": (_rng.random((5, 9)), _rng.random((4, 2))),
        "a kernel of a single weight": (_rng.random((4, 3)), np.array([[-1.5]])),
        # Square, so that a transposed kernel still fits and is recognized.
        "a kernel as large as the image": (_rng.random((3, 3)), _rng.random((3, 3))),
        "a kernel with negative weights": (_rng.random((6, 6)), KERNELS["sobel_x"]),
        "an image of integers (uint8)": (_rng.integers(100, 256, (5, 6), np.uint8), np.array([[1, 2], [-1, 3]])),
    }
)
def filter_image(image, kernel):
    """Compute out[i, j], the sum over u and v of kernel[u, v] * image[i + u, j + v], wherever the kernel fits."""
    return conv2d(image[None, None], kernel[None, None])[0, 0]


def _zeros_added(before, after):
    """Return a filter that first adds before(k) and after(k) zeros along an axis with k weights."""
    return lambda image, kernel: filter_image(np.pad(image, [(before(k), after(k)) for k in kernel.shape]), kernel)


def _transposed_by_index(image, kernel):
    if kernel.shape[0] != kernel.shape[1]:
        raise IndexError  # kernel[v, u] runs out of a kernel that is not square
    return filter_image(image, kernel.T)


def _first_only(image, kernel):
    right = filter_image(image, kernel)
    out = np.zeros(right.shape)
    out[0, 0] = right[0, 0]
    return out


def _last_left_zero(image, kernel):
    out = filter_image(image, kernel).copy()
    out[-1], out[:, -1] = 0, 0
    return out


def _upper_left(image, kernel):
    return image[: kernel.shape[0], : kernel.shape[1]]


filter_image.mistake(
    "The kernel was turned by 180 degrees. That is the convolution of mathematics. Here the kernel lies on the image "
    "as it is: kernel[u, v] meets image[i + u, j + v].",
    lambda image, kernel: filter_image(image, kernel[::-1, ::-1]),
)
filter_image.mistake(
    "The rows and columns of the kernel were swapped. Use kernel[u, v] with u for rows and v for columns.",
    lambda image, kernel: filter_image(image, kernel.T),
    _transposed_by_index,
)
filter_image.mistake(
    "The image was padded with zeros. Use only the positions where the whole kernel lies inside the image; the output "
    "is then smaller than the image.",
    _zeros_added(lambda k: k // 2, lambda k: k // 2),
    _zeros_added(lambda k: (k - 1) // 2, lambda k: k // 2),
    _zeros_added(lambda k: k // 2, lambda k: (k - 1) // 2),
    _zeros_added(lambda k: k - 1, lambda k: k - 1),
)
filter_image.mistake(
    "The sum was divided by the number of weights. Leave it a sum: an average is what you get when the weights "
    "themselves add up to 1.",
    lambda image, kernel: filter_image(image, kernel) / kernel.size,
)
filter_image.mistake(
    "The products were not added up. One output value is the sum over all weights of the kernel; in a loop over them, "
    "use += and not =.",
    lambda image, kernel: image[kernel.shape[0] - 1 :, kernel.shape[1] - 1 :] * kernel[-1, -1],
    lambda image, kernel: _upper_left(image, kernel) * kernel,
)
filter_image.mistake(
    "Only the first window was filtered. Every position of the kernel gives one output value. Does a return stand "
    "inside a loop?",
    lambda image, kernel: np.sum(_upper_left(image, kernel) * kernel),
    _first_only,
)
filter_image.mistake(
    "The rows and columns of the output were swapped. out[i, j] belongs to the window whose top row is i and whose "
    "left column is j.",
    lambda image, kernel: filter_image(image, kernel).T,
)
filter_image.mistake(
    "The absolute value was taken. Keep the sign: it tells in which direction the brightness changes.",
    lambda image, kernel: np.abs(filter_image(image, kernel)),
)
filter_image.mistake(
    "Values were clipped to a range. Keep negative and large sums as they are; squeezing them into a visible range is "
    "a matter for the display.",
    lambda image, kernel: filter_image(image, kernel).clip(0, 1),
    lambda image, kernel: filter_image(image, kernel).clip(0, 255),
    lambda image, kernel: filter_image(image, kernel).clip(0),
)
filter_image.mistake(
    "The results were turned into whole numbers. Collect them in an array of floats, such as np.zeros(shape).",
    lambda image, kernel: filter_image(image, kernel).astype(int),
    lambda image, kernel: filter_image(image, kernel).round(),
)
filter_image.mistake(
    "The results were stored in the integer type of the image, and uint8 holds only 0 to 255: what is outside wraps "
    "around. Collect them in an array of floats, such as np.zeros(shape).",
    lambda image, kernel: filter_image(image, kernel).astype(image.dtype),
)
filter_image.mistake(
    "The last row and the last column are missing. A kernel of KH rows has H - KH + 1 positions, so the loop is "
    "range(H - KH + 1).",
    lambda image, kernel: filter_image(image, kernel)[:-1, :-1],
    _last_left_zero,
)
check_filter_image = filter_image.check


def _ones(*places):
    """Return a 3x3 kernel with ones at these indices, negative ones counting from the end."""
    kernel = np.zeros((3, 3))
    for place in places:
        kernel[place] = 1
    return kernel


@exercise(
    {
        "the picture stays": (0, 0),
        "the picture moves down": (1, 0),
        "the picture moves up": (-1, 0),
        "the picture moves right": (0, 1),
        "the picture moves left": (0, -1),
        "the picture moves down and right": (1, 1),
        "the picture moves down and left": (1, -1),
        "the picture moves up and right": (-1, 1),
        "the picture moves up and left": (-1, -1),
    }
)
def shift_kernel(rows, columns):
    """Set the 1 of a kernel (3, 3) so that, with padding 1, out[i, j] is image[i - rows, j - columns]."""
    return _ones((1 - rows, 1 - columns))


def _two_steps(r, c):
    """Set a 1 for each direction in which the picture moves, and one in the center if it does not."""
    return _ones(*({(1 - r, 1) if r else (1, 1 - c), (1, 1 - c) if c else (1 - r, 1)}))


shift_kernel.mistake(
    "The picture moves the opposite way. Each output pixel fetches what lies under the 1 of the kernel. To move the "
    "picture down, fetch from above: the 1 stands in the top row.",
    lambda r, c: _ones((1 + r, 1 + c)),
)
shift_kernel.mistake(
    "Left and right are as they should be, up and down are exchanged. Each output pixel fetches what lies under the 1. "
    "To move the picture down, fetch from above: the 1 stands in the top row.",
    lambda r, c: _ones((1 + r, 1 - c)),
)
shift_kernel.mistake(
    "Up and down are as they should be, left and right are exchanged. Each output pixel fetches what lies under the 1. "
    "To move the picture right, fetch from the left: the 1 stands in the left column.",
    lambda r, c: _ones((1 - r, 1 + c)),
)
shift_kernel.mistake(
    "Rows and columns were swapped. The first index of an array counts rows, from the top, the second columns, from "
    "the left.",
    lambda r, c: _ones((1 - c, 1 - r)),
)
shift_kernel.mistake(
    "Rows and columns were swapped, and the direction is opposite as well. The first index of an array counts rows. To "
    "move the picture down, fetch from above: the 1 stands in the top row.",
    lambda r, c: _ones((1 + c, 1 + r)),
)
shift_kernel.mistake(
    "The picture moves although rows and columns are 0. Indices count from the corner: the center of the kernel, which "
    "leaves a pixel where it is, is kernel[1, 1].",
    lambda r, c: _ones((r, c)),
    lambda r, c: _ones((-r, -c)),
)
shift_kernel.mistake(
    "The kernel has more than one 1. Each 1 makes a copy of the picture, and the copies are added. A move down and "
    "right is one step to one place, so it takes a single 1.",
    _two_steps,
    lambda r, c: _two_steps(-r, -c),
    lambda r, c: _ones((1 - r, 1), (1, 1 - c)),
    lambda r, c: _ones((1 + r, 1), (1, 1 + c)),
    lambda r, c: _ones((1 - r, 1 - c), (1, 1)),
    lambda r, c: _ones((1 + r, 1 + c), (1, 1)),
)
shift_kernel.mistake(
    "The kernel has a whole row or column of ones. Each 1 makes a copy of the picture, and the copies are added: that "
    "blurs. Set one cell, with kernel[i, j] = 1.",
    lambda r, c: _ones(1 - r),
    lambda r, c: _ones((slice(None), 1 - c)),
    lambda r, c: _ones(1 - r, (slice(None), 1 - c)),
)
check_shift_kernel = shift_kernel.check


@exercise(
    {
        "a window of 3, and nothing else": (128, 3, 1, 0, 1),
        "padding that keeps the size": (9, 3, 1, 1, 1),
        "a stride that fits exactly": (11, 3, 2, 0, 1),
        "a stride that fits up to a half: the first layer of ResNet": (224, 7, 2, 3, 1),
        "a stride that fits up to a quarter: the first layer of AlexNet": (224, 11, 4, 2, 1),
        "a stride that fits up to two thirds": (17, 4, 3, 2, 1),
        "a window with gaps": (20, 3, 1, 0, 4),
        "a window of one cell, which has no gaps": (10, 1, 2, 0, 3),
        "a window as large as the image": (5, 5, 1, 0, 1),
        "everything at once": (57, 5, 3, 2, 2),
    },
    rtol=0,
    whole=True,
)
def conv_output(size, kernel, stride, padding, dilation):
    """Count the places of a window along one axis."""
    return output_size(size, kernel, stride, padding, dilation)


def _rest(size, kernel, stride, padding, dilation):
    """Count the pixels over which the window can move."""
    return size + 2 * padding - dilation * (kernel - 1) - 1


def _steps(rounded):
    """Return the formula with another way of rounding the division."""
    return lambda n, k, s, p, d: rounded(_rest(n, k, s, p, d) / s) + 1


conv_output.mistake(
    "The division was rounded up. A last step that does not fit is not made, so round down. Try 6 pixels, a window of "
    "3 and stride 2: it starts at pixels 0 and 2, and starting at 4 it would need a pixel 6.",
    _steps(math.ceil),
)
conv_output.mistake(
    "The division was rounded to the nearest whole number. A step that fits for the larger part still does not fit, so "
    "round down. Try 8 pixels, a window of 3 and stride 3: it starts at pixels 0 and 3, and starting at 6 it would "
    "need a pixel 8.",
    _steps(round),
    _steps(lambda steps: round(steps + 1) - 1),
    _steps(lambda steps: math.floor(steps + 0.5)),
)
conv_output.mistake(
    "The division was not rounded. Nobody has half a pixel: a last step that does not fit is not made. Divide with //, "
    "which rounds down.",
    _steps(float),
)
conv_output.mistake(
    "The number is right, but it is a float, and np.zeros(5.0) is an error. Return an int: divide with //, or use "
    "int().",
    _steps(lambda steps: float(math.floor(steps))),
)
conv_output.mistake(
    "The 1 at the end is missing. The division counts steps, and before its first step the window already has one "
    "place. Try 3 pixels and a window of 3: no step, one place.",
    lambda n, k, s, p, d: _rest(n, k, s, p, d) // s,
)
conv_output.mistake(
    "Every result is too large by 1. The division counts steps, and one place comes on top of them, the place before "
    "the first step. Try 3 pixels and a window of 3: no step, one place.",
    lambda n, k, s, p, d: _rest(n, k, s, p, d) // s + 2,
)
conv_output.mistake(
    "The 1 at the end was added before the division. The division counts steps; the place before the first step comes "
    "on top. Try 3 pixels, a window of 3 and stride 2: no step, one place.",
    lambda n, k, s, p, d: (_rest(n, k, s, p, d) + 1) // s,
)
conv_output.mistake(
    "The stride divides only a part of the sum. Python divides before it adds, so put everything that stands above the "
    "fraction bar in brackets.",
    lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1,
    lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 / s + 1,
    lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) // s + 1,
    lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) / s + 1,
    lambda n, k, s, p, d: n + 2 * p // s - d * (k - 1) - 1 + 1,
    lambda n, k, s, p, d: n // s + 2 * p - d * (k - 1) - 1 + 1,
)
conv_output.mistake(
    "The stride was not used. Try 5 pixels, a window of 3 and stride 2: it starts at pixels 0 and 2, and that makes 2 "
    "places, not 3.",
    lambda n, k, s, p, d: _rest(n, k, 1, p, d) + 1,
)
conv_output.mistake(
    "The window was counted one pixel too short. It reaches over dilation * (kernel - 1) + 1 pixels: the gaps, and the "
    "cells on both sides of them. Try 3 pixels and a window of 3: it fits once, not twice.",
    lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1,
)
conv_output.mistake(
    "The padding was counted once. It is added on both sides, so it counts twice. Try 5 pixels, a window of 3 and "
    "padding 1: the map is as large as the image.",
    lambda n, k, s, p, d: (_rest(n, k, s, p, d) - p) // s + 1,
)
conv_output.mistake(
    "The padding was not used. It makes the image larger, on both sides, before the window starts to slide.",
    lambda n, k, s, p, d: _rest(n, k, s, 0, d) // s + 1,
)
conv_output.mistake(
    "The dilation was not used: the window counts with its cells only. With gaps it reaches over "
    "dilation * (kernel - 1) + 1 pixels. Draw 3 cells with dilation 2: cell, gap, cell, gap, cell, 5 pixels.",
    lambda n, k, s, p, d: _rest(n, k, s, p, 1) // s + 1,
)
conv_output.mistake(
    "The window was counted as dilation * kernel pixels. Gaps lie between cells, and after the last cell there is "
    "none. Draw 3 cells with dilation 2: cell, gap, cell, gap, cell, 5 pixels and not 6.",
    lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1,
)
check_conv_output = conv_output.check


_rng = np.random.default_rng(8)


@exercise(
    {
        "three channels, two filters, every size different": (_rng.random((3, 7, 5)), _rng.random((2, 3, 3, 2))),
        "one channel, three filters": (_rng.random((1, 5, 6)), _rng.random((3, 1, 2, 3))),
        # Here nothing is told by the shape: swapped axes and single channels still give an array that fits.
        "as many filters as channels, everything square": (_rng.random((3, 5, 5)), _rng.random((3, 3, 3, 3))),
        "one filter over four channels": (_rng.random((4, 5, 5)), _rng.random((1, 4, 2, 2))),
        "windows of a single pixel": (_rng.random((4, 3, 4)), _rng.random((2, 4, 1, 1))),
        "an image of integers (uint8)": (
            _rng.integers(100, 256, (2, 5, 6), np.uint8),
            _rng.integers(-3, 4, (2, 2, 2, 3)),
        ),
    }
)
def conv2d_multi(x, w):
    """Compute the maps of filters (O, C, KH, KW) on an image (C, H, W), each over all channels, without padding."""
    return conv2d(x[None], w)[0]


def _by_channel(x, w):
    """Return the maps before they are added up, of shape (O, C, H', W')."""
    return np.stack([conv2d(x[c][None, None], w[:, c : c + 1])[0] for c in range(len(x))], axis=1)


def _own_channel(x, w):
    if len(w) > len(x):
        raise IndexError  # x[o] runs out of channels
    return np.stack([_by_channel(x, w)[o, o] for o in range(len(w))])


conv2d_multi.mistake(
    "The channels were not added up. A filter has a slice of weights for each channel, but it makes one map: add what "
    "its slices give. Print the shape: O filters make O maps, however many channels go in.",
    _by_channel,
    lambda x, w: _by_channel(x, w).swapaxes(0, 1),
    lambda x, w: np.concatenate(_by_channel(x, w)),
)
conv2d_multi.mistake(
    "The mean over the channels was taken. Their sum is asked for. Try an image of ones with 2 channels and weights of "
    "1, one pixel large: 2 comes out.",
    lambda x, w: _by_channel(x, w).mean(axis=1),
)
conv2d_multi.mistake(
    "Only the first channel of the image was used. Each channel meets its own slice of the filter, x[c] meets w[o, c], "
    "and all of them are added up.",
    lambda x, w: _by_channel(x, w)[:, 0],
)
conv2d_multi.mistake(
    "Only the last channel of the image was left: each channel replaced the one before. Start a map at 0 and add with "
    "+=.",
    lambda x, w: _by_channel(x, w)[:, -1],
)
conv2d_multi.mistake(
    "The first slice of each filter was used for all channels. A filter is as deep as the image: x[c] meets w[o, c], "
    "so it can look for something else in red than in blue.",
    lambda x, w: conv2d_multi(x, np.broadcast_to(w[:, :1], w.shape)),
)
conv2d_multi.mistake(
    "Each filter looked at one channel only, filter o at channel o. That is a depthwise convolution. Here every filter "
    "looks at all channels: add over c for each o.",
    _own_channel,
)
conv2d_multi.mistake(
    "The first filter made all the maps. Each filter makes a map of its own: out[o] uses w[o]. Compare out[0] with "
    "out[1]; they should differ.",
    lambda x, w: conv2d_multi(x, np.broadcast_to(w[:1], w.shape)),
)
conv2d_multi.mistake(
    "The maps of all filters were added to one. Channels are added up, filters are not: each filter has its own map, "
    "and the maps are stacked, out[o] for w[o].",
    lambda x, w: conv2d_multi(x, w).sum(axis=0),
    lambda x, w: conv2d_multi(x, w).sum(axis=0, keepdims=True),
)
conv2d_multi.mistake(
    "The kernels were turned by 180 degrees. That is the convolution of mathematics. Here a kernel lies on the image "
    "as it is: w[o, c, u, v] meets x[c, i + u, j + v].",
    lambda x, w: conv2d_multi(x, w[:, :, ::-1, ::-1]),
)
conv2d_multi.mistake(
    "The axes of the output are in another order. It has to be (O, H', W'): the filter first, then rows, then columns.",
    lambda x, w: conv2d_multi(x, w).transpose(1, 2, 0),
    lambda x, w: conv2d_multi(x, w).transpose(0, 2, 1),
    lambda x, w: conv2d_multi(x, w).T,
)
check_conv2d_multi = conv2d_multi.check


def _convolution(c, o, k):
    return o * (c * k * k + 1)


@exercise(
    {
        "one channel in, one channel out": (1, 1, 3, 4, 4),
        "other channels out than in": (3, 8, 3, 5, 7),
        "fewer channels out than in, a window of 5": (16, 6, 5, 6, 9),
        "a window of a single pixel": (4, 2, 1, 3, 3),
        "a color photograph": (3, 64, 3, 224, 224),
    },
    rtol=0,
)
def count_parameters(in_channels, out_channels, kernel_size, height, width):
    """Count the parameters of a convolution, and of a fully connected layer between the same numbers of values."""
    inputs, outputs = in_channels * height * width, out_channels * height * width
    return _convolution(in_channels, out_channels, kernel_size), inputs * outputs + outputs


def _first(wrong):
    """Return the counts with this one for the convolution."""
    return lambda c, o, k, h, w: (wrong(c, o, k, h * w), count_parameters(c, o, k, h, w)[1])


def _second(wrong):
    """Return the counts with this one for the fully connected layer of n pixels."""
    return lambda c, o, k, h, w: (_convolution(c, o, k), wrong(c, o, h * w))


count_parameters.mistake(
    "Biases are missing. A convolution has one for each output channel, a fully connected layer one for each of its "
    "outputs.",
    lambda c, o, k, h, w: (o * c * k * k, c * o * (h * w) ** 2),
    _first(lambda c, o, k, n: o * c * k * k),
    _second(lambda c, o, n: c * o * n * n),
)
count_parameters.mistake(
    "The weights of the convolution were counted again for every pixel. All places of the picture share them: that is "
    "what weight sharing means. The picture's size has no say in the first number.",
    _first(lambda c, o, k, n: _convolution(c, o, k) * n),
    _first(lambda c, o, k, n: o * c * k * k * n + o),
    _first(lambda c, o, k, n: o * c * k * k * n),
)
count_parameters.mistake(
    "The convolution was given a bias for each output pixel. A bias is shared like the weights: one for each output "
    "channel.",
    _first(lambda c, o, k, n: o * c * k * k + o * n),
)
count_parameters.mistake(
    "The convolution was given a bias for each slice of a filter. The slices are added up to one map, and that map "
    "gets one bias: one for each output channel.",
    _first(lambda c, o, k, n: o * c * (k * k + 1)),
)
count_parameters.mistake(
    "The window was counted as kernel_size weights. It has kernel_size rows and as many columns: a 3x3 window has 9 "
    "weights.",
    _first(lambda c, o, k, n: o * (c * k + 1)),
)
count_parameters.mistake(
    "The channels of the input are missing in the first number. A filter has a slice of weights for each of them: a "
    "3x3 filter over RGB has 27 weights.",
    _first(lambda c, o, k, n: o * (k * k + 1)),
)
count_parameters.mistake(
    "The channels of the output are missing in the first number. Each of them is made by a filter of its own.",
    _first(lambda c, o, k, n: c * k * k + 1),
    _first(lambda c, o, k, n: c * k * k + o),
)
count_parameters.mistake(
    "The fully connected layer was given one output for each channel. It has to give what the convolution gives, a "
    "whole map for each channel: out_channels * height * width outputs.",
    _second(lambda c, o, n: c * n * o + o),
)
count_parameters.mistake(
    "The fully connected layer was given one input for each channel. It is connected to every pixel of every channel: "
    "in_channels * height * width inputs.",
    _second(lambda c, o, n: c * o * n + o * n),
)
count_parameters.mistake(
    "The fully connected layer was counted without the picture's size. It connects every pixel of the input with every "
    "pixel of the output, so height * width counts on both sides.",
    _second(lambda c, o, n: c * o + o),
)
count_parameters.mistake(
    "The fully connected layer was given one bias for each channel. It shares nothing: each of its "
    "out_channels * height * width outputs has a bias of its own.",
    _second(lambda c, o, n: c * o * n * n + o),
)
count_parameters.mistake(
    "Both numbers are right, in the other order. The convolution comes first.",
    lambda *arguments: count_parameters(*arguments)[::-1],
)
check_count_parameters = count_parameters.check


def _distances(layers):
    """Return how many pixels apart neighboring values lie: of the input, and after each layer."""
    return [math.prod(s for _, s in layers[:i]) for i in range(len(layers) + 1)]


@exercise(
    {
        "a single layer": ([(5, 1)],),
        "two layers": ([(3, 1), (3, 1)],),
        "three layers": ([(3, 1), (3, 1), (3, 1)],),
        "a stride in the last layer": ([(3, 1), (5, 2)],),
        "a stride in the first layer": ([(7, 2), (3, 1)],),
        "two strides, then a third layer": ([(3, 2), (2, 3), (3, 1)],),
        "windows of different sizes, some of a single pixel": ([(1, 1), (5, 2), (1, 1), (3, 2), (1, 2), (4, 1)],),
        "the convolutions and poolings of AlexNet": (
            [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
        ),
    },
    rtol=0,
)
def receptive_field(layers, distances=_distances, less=1):
    """Count the pixels that one output sees: 1 + the sum of (kernel_size - less) times the strides before."""
    return 1 + sum((k - less) * before for (k, _), before in zip(layers, distances(layers), strict=False))


def _totals(layers):
    return [sum(s for _, s in layers[:i]) for i in range(len(layers))]


def _from_the_end(layers, grow):
    """Go through the layers from the last to the first."""
    size = 1
    for k, s in reversed(layers):
        size = grow(size, k, s)
    return size


receptive_field.mistake(
    "The windows were added in full. Neighboring windows overlap: a layer adds its kernel_size less 1. Draw two layers "
    "of 3 on a line of pixels: one output sees 5 of them, not 6.",
    lambda layers: sum(k for k, _ in layers),
    lambda layers: 1 + sum(k for k, _ in layers),
    partial(receptive_field, less=0),
    lambda layers: receptive_field(layers, less=0) - 1,
)
receptive_field.mistake(
    "The windows were multiplied. Windows side by side overlap almost entirely: a second layer of 3 adds one pixel on "
    "each side. Draw two layers of 3 on a line of pixels: one output sees 5 of them, not 9.",
    lambda layers: math.prod(k for k, _ in layers),
)
receptive_field.mistake(
    "Only the last layer was counted. Its window covers kernel_size outputs of the layer before, and each of these "
    "sees several pixels itself. Go through all layers, down to the pixels.",
    lambda layers: layers[-1][0],
)
receptive_field.mistake(
    "The strides were not used. After a layer with stride 2, neighboring outputs lie 2 pixels apart, so each further "
    "layer reaches twice as far. Try [(3, 2), (3, 1)]: 7 pixels.",
    partial(receptive_field, distances=lambda layers: [1] * len(layers)),
)
receptive_field.mistake(
    "The stride of a layer was applied to its own window. It moves the window, it does not stretch it: only the layers "
    "after it reach further. Try [(3, 2)] alone: one output sees 3 pixels.",
    partial(receptive_field, distances=lambda layers: _distances(layers)[1:]),
    partial(receptive_field, distances=lambda layers: [s for _, s in layers]),
    lambda layers: _from_the_end(layers, lambda size, k, s: (size + k - 1) * s),
)
receptive_field.mistake(
    "Only the stride of the layer just before was used. Strides multiply: after two layers of stride 2, neighboring "
    "outputs lie 4 pixels apart.",
    partial(receptive_field, distances=lambda layers: [1, *(s for _, s in layers)]),
)
receptive_field.mistake(
    "The strides were added. They multiply: after layers of stride 2 and 3, neighboring outputs lie 6 pixels apart. "
    "Begin with a distance of 1.",
    partial(receptive_field, distances=lambda layers: [1 + total for total in _totals(layers)]),
    partial(receptive_field, distances=lambda layers: [total or 1 for total in _totals(layers)]),
)
receptive_field.mistake(
    "The layers were taken from the wrong end. A stride widens the steps of the layers after it, not of those before. "
    "Compare [(3, 2), (3, 1)], which sees 7 pixels, with [(3, 1), (3, 2)], which sees 5.",
    lambda layers: _from_the_end(layers[::-1], lambda size, k, s: (size - 1) * s + k),
    lambda layers: receptive_field(layers[::-1]),
)
check_receptive_field = receptive_field.check


_draw = np.random.default_rng(9).normal
_TURNS = _draw(size=(1, 1, 3, 3))
_TURNS += _TURNS[:, :, ::-1, ::-1]


def _spread(grad, stride, tail=0):
    """Put stride - 1 zeros between the entries of a gradient (O, OH, OW), and some after the last."""
    o, h, w = grad.shape
    out = np.zeros((o, (h - 1) * stride + 1 + tail, (w - 1) * stride + 1 + tail))
    out[:, : h * stride : stride, : w * stride : stride] = grad
    return out


def _turned(weight):
    return weight.swapaxes(0, 1)[:, :, ::-1, ::-1]


@exercise(
    {
        # The first three tell one mistake each: the other mistakes change nothing there.
        "one channel, one filter without symmetry": (_draw(size=(1, 4, 5)), _draw(size=(1, 1, 3, 3)), 1),
        "as many filters as channels, windows of a single pixel": (
            _draw(size=(3, 3, 4)),
            _draw(size=(3, 3, 1, 1)),
            1,
        ),
        "stride 2, a filter that looks the same when turned": (_draw(size=(1, 3, 4)), _TURNS, 2),
        "more channels than filters": (_draw(size=(2, 4, 3)), _draw(size=(2, 3, 3, 2)), 1),
        "more filters than channels": (_draw(size=(3, 4, 4)), _draw(size=(3, 2, 2, 3)), 2),
        "stride 3, everything different": (_draw(size=(2, 2, 3)), _draw(size=(2, 3, 3, 2)), 3),
    }
)
def input_gradient(grad, weight, stride, spread=_spread, kernels=_turned, padding=lambda k: k - 1):
    """Correlate a gradient (O, OH, OW), spread by the stride and padded, with turned kernels, for each channel.

    The keywords are where it goes wrong.
    """
    maps = spread(grad, stride)[None]
    return conv2d(maps, kernels(weight), padding=tuple(padding(k) for k in weight.shape[2:]))[0]


def _not_swapped(weight):
    return weight[:, :, ::-1, ::-1]


def _not_swapped_in_loops(grad, weight, stride):
    o, c = weight.shape[:2]
    if c > o:
        raise IndexError
    return input_gradient(grad[:c], weight, stride, kernels=_not_swapped)


def _not_swapped_in_a_sum(grad, weight, stride):
    if len(set(weight.shape[:2])) > 1:
        raise IndexError
    return input_gradient(grad, weight, stride, kernels=_not_swapped)


def _overwritten(grad, weight, stride):
    (_, oh, ow), (_, c, kh, kw) = grad.shape, weight.shape
    out = np.zeros((c, (oh - 1) * stride + kh, (ow - 1) * stride + kw))
    for i in range(oh):
        for j in range(ow):
            share = np.tensordot(grad[:, i, j], weight, axes=1)
            out[:, i * stride : i * stride + kh, j * stride : j * stride + kw] = share
    return out


def _zeros_at_the_end(grad, stride):
    return np.pad(grad, [(0, 0), *((0, (n - 1) * (stride - 1)) for n in grad.shape[1:])])


def _repeated(grad, stride):
    return grad.repeat(stride, axis=1).repeat(stride, axis=2)


def _repeated_to_fit(grad, stride):
    return _repeated(grad, stride)[:, : (grad.shape[1] - 1) * stride + 1, : (grad.shape[2] - 1) * stride + 1]


input_gradient.mistake(
    "The kernels lie the wrong way round. They are turned by 180 degrees when they slide over the gradient. They are "
    "not turned when each entry of the gradient is spread over its window. Try a gradient that is a single 1: the "
    "kernel itself has to come out.",
    partial(input_gradient, kernels=lambda w: w.swapaxes(0, 1)),
)
input_gradient.mistake(
    "The kernels are mirrored along one axis. A turn by 180 degrees reverses the rows and the columns: "
    "weight[:, :, ::-1, ::-1].",
    partial(input_gradient, kernels=lambda w: w.swapaxes(0, 1)[:, :, ::-1]),
    partial(input_gradient, kernels=lambda w: w.swapaxes(0, 1)[:, :, :, ::-1]),
)
input_gradient.mistake(
    "The filters and the channels were put in reverse order too. np.flip without an axis reverses every axis; only the "
    "rows and the columns of a kernel are turned: weight[:, :, ::-1, ::-1].",
    partial(input_gradient, kernels=lambda w: w.swapaxes(0, 1)[::-1, ::-1, ::-1, ::-1]),
)
input_gradient.mistake(
    "The channel axes were not swapped. On the way back the output's channels go in and the input's come out: add over "
    "o, and give one map for each c. weight.swapaxes(0, 1) has the shape for that.",
    partial(input_gradient, kernels=_not_swapped),
    _not_swapped_in_loops,
    _not_swapped_in_a_sum,
)
input_gradient.mistake(
    "The stride was not used. Neighboring output pixels belong to windows that lie stride pixels apart: first put "
    "stride - 1 zeros between the entries of the gradient.",
    partial(input_gradient, spread=lambda grad, stride: grad),
)
input_gradient.mistake(
    "The entries of the gradient stand side by side, with zeros only behind them. Neighbors belong to windows that lie "
    "stride pixels apart, so entry i stands at i * stride, with stride - 1 zeros in between.",
    partial(input_gradient, spread=_zeros_at_the_end),
)
input_gradient.mistake(
    "There are zeros after the last entry of the gradient as well, so the result is too large. They go between "
    "entries: n of them, spread out, take (n - 1) * stride + 1 pixels.",
    partial(input_gradient, spread=lambda grad, stride: _spread(grad, stride, tail=stride - 1)),
)
input_gradient.mistake(
    "There is a zero too many between the entries of the gradient. They have to lie stride pixels apart, with "
    "stride - 1 zeros in between.",
    partial(input_gradient, spread=lambda grad, stride: _spread(grad, stride + 1 if stride > 1 else 1)),
    partial(input_gradient, spread=lambda grad, stride: _spread(grad, stride + 1)),
)
input_gradient.mistake(
    "The entries of the gradient were repeated. Each belongs to one window and counts once: what lies between them is "
    "0.",
    partial(input_gradient, spread=_repeated),
    partial(input_gradient, spread=_repeated_to_fit),
)
input_gradient.mistake(
    "The gradient was not padded: the result is too small. The corner pixel of the input lies in a single window, so a "
    "kernel has to reach over the border of the gradient. Pad by KH - 1 rows and KW - 1 columns of zeros on each side.",
    partial(input_gradient, padding=lambda k: 0),
)
input_gradient.mistake(
    "Rows and columns were padded alike, although the kernel is not square. Pad by KH - 1 rows above and below, and by "
    "KW - 1 columns left and right.",
    lambda grad, weight, stride: input_gradient(grad, weight, stride, padding=lambda k: weight.shape[2] - 1),
)
input_gradient.mistake(
    "Windows overlap, and where they do, only the last one was left. A pixel that lies in several windows gets a share "
    "from each: use += and not =.",
    _overwritten,
)
input_gradient.mistake(
    "The gradient was padded by half a kernel, which keeps its size. The input is larger than the output: pad by "
    "KH - 1 rows and KW - 1 columns of zeros on each side.",
    partial(input_gradient, padding=lambda k: k // 2),
)
check_input_gradient = input_gradient.check


_draw = np.random.default_rng(10).normal


@exercise(
    {
        "one channel, one filter": (_draw(size=(1, 6, 7)), _draw(size=(1, 4, 5)), 1),
        "as many filters as channels": (_draw(size=(3, 5, 4)), _draw(size=(3, 3, 3)), 1),
        "stride 2, one channel": (_draw(size=(1, 7, 9)), _draw(size=(1, 3, 4)), 2),
        "a window of a single pixel": (_draw(size=(2, 5, 7)), _draw(size=(3, 3, 4)), 2),
        "stride 3, everything different": (_draw(size=(3, 6, 8)), _draw(size=(2, 2, 3)), 3),
    }
)
def weight_gradient(x, grad, stride, by="dilation"):
    """Correlate an input (C, H, W) with a gradient (O, OH, OW), dilated by the stride: (O, C, KH, KW)."""
    # Channels of x stand where images would.
    return conv2d(x[:, None], grad[:, None], **{by: stride}).swapaxes(0, 1)


def _one_position(index):
    """Return the gradient with the first (0) or the last (-1) window alone."""

    def wrong(x, grad, stride):
        alone = np.zeros_like(grad)
        alone[:, index, index] = grad[:, index, index]
        return weight_gradient(x, alone, stride)

    return wrong


def _not_dilated_to_fit(x, grad, stride):
    kh, kw = weight_gradient(x, grad, stride).shape[2:]
    return weight_gradient(x, grad, 1)[:, :, :kh, :kw]


weight_gradient.mistake(
    "The gradient was turned by 180 degrees. Nothing is turned here: it lies on the image as it is. The input's "
    "gradient is the one with a turn. Try a gradient that is 1 at (0, 0) and 0 elsewhere: the upper left window of x "
    "has to come out.",
    lambda x, grad, stride: weight_gradient(x, grad[:, ::-1, ::-1], stride),
)
weight_gradient.mistake(
    "The result is turned by 180 degrees. Entry [o, c, u, v] collects what the weight at row u and column v of each "
    "window met. Try a gradient that is 1 at (0, 0) and 0 elsewhere: the upper left window of x has to come out.",
    lambda x, grad, stride: weight_gradient(x, grad, stride)[:, :, ::-1, ::-1],
)
weight_gradient.mistake(
    "The stride was not used. Neighboring entries of the gradient belong to windows that lie stride pixels apart, so "
    "they meet pixels that far apart: x[:, u + i * stride, v + j * stride].",
    lambda x, grad, stride: weight_gradient(x, grad, 1),
    _not_dilated_to_fit,
)
weight_gradient.mistake(
    "The stride was used for the steps of the window. That skips weights. It belongs between the entries of the "
    "gradient: spread them stride pixels apart, then move by one pixel.",
    partial(weight_gradient, by="stride"),
)
weight_gradient.mistake(
    "The channel axes are swapped. The result has the shape of the weights: (O, C, KH, KW), the filter first.",
    lambda x, grad, stride: weight_gradient(x, grad, stride).swapaxes(0, 1),
)
weight_gradient.mistake(
    "The channels of the image were added up. Each slice of a filter met its own channel, so entry [o, c] is made from "
    "x[c] alone.",
    lambda x, grad, stride: weight_gradient(np.broadcast_to(x.sum(axis=0), x.shape), grad, stride),
    lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=1),
    lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=1, keepdims=True),
)
weight_gradient.mistake(
    "The gradients of all filters were added up. Each filter made its own map, so entry [o, c] is made from grad[o] "
    "alone.",
    lambda x, grad, stride: weight_gradient(x, np.broadcast_to(grad.sum(axis=0), grad.shape), stride),
    lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=0),
    lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=0, keepdims=True),
)
weight_gradient.mistake(
    "The mean over the positions was taken. A weight is used at every position, and what it causes there adds up: take "
    "the sum.",
    lambda x, grad, stride: weight_gradient(x, grad, stride) / grad[0].size,
)
weight_gradient.mistake(
    "Only the first window was counted. A weight is shared by all positions, so its gradient is a sum over all of "
    "them: use +=.",
    _one_position(0),
)
weight_gradient.mistake(
    "Only the last window was left. A weight is shared by all positions, so its gradient is a sum over all of them: "
    "use += and not =.",
    _one_position(-1),
)
check_weight_gradient = weight_gradient.check
