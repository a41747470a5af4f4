"""Exercises of the chapter on VGG."""

from functools import partial

import numpy as np
import torch
from scipy.signal import convolve2d, correlate2d
from torch import nn

from backbone.exercises.check import Measured, UnfitError, exercise
from backbone.exercises.report import TEXT

_draw = np.random.default_rng(10).normal


@exercise(
    {
        "two kernels of 3 x 3": (_draw(size=(3, 3)), _draw(size=(3, 3))),
        "two kernels that only shift": (
            np.array([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]]),
            np.array([[0.0, 0, 0], [2, 0, 0], [0, 0, 0]]),
        ),
        "a blur, then a difference": (np.array([[1.0, 2.0, 1.0]]) / 4, np.array([[-1.0, 0.0, 3.0]])),
        "kernels of different sizes": (_draw(size=(3, 5)), _draw(size=(5, 3))),
        "a row, then a column": (np.array([[1.0, 2.0, 4.0]]), np.array([[3.0], [5.0], [-1.0]])),
        "a kernel of a single number": (_draw(size=(3, 3)), np.array([[2.0]])),
    }
)
def compose(k1, k2):
    """Compute the kernel (h + m - 1, w + n - 1) that acts as k1 (h, w) and then k2 (m, n), without padding."""
    return convolve2d(k1, k2)


compose.mistake(
    "One of the kernels was flipped. Position a of the first and b of the second look at pixel a + b together, so both "
    "count in the same direction: out[a + b] += k1[a] * k2[b]. Try [[1, 0]] and [[0, 1]]: [[0, 1, 0]].",
    correlate2d,
    lambda k1, k2: correlate2d(k2, k1),
)
compose.mistake(
    "The result is turned by 180 degrees. A layer does not flip its kernels, so nothing is flipped here. Try [[1, 0]] "
    "twice: [[1, 0, 0]] comes out, not [[0, 0, 1]].",
    lambda k1, k2: convolve2d(k1, k2)[::-1, ::-1],
)
compose.mistake(
    "The rim of the kernel was cut off. Two windows of 3 see 5 pixels together: 3 + 3 - 1. The result has k1's size "
    "plus k2's size minus 1, on each side.",
    partial(convolve2d, mode="same"),
    partial(convolve2d, mode="valid"),
)
compose.mistake(
    "The kernels were multiplied place by place. That pairs each number with one only; each number of the first kernel "
    "meets each number of the second. Try [[1, 1]] twice: [[1, 2, 1]].",
    lambda k1, k2: k1 * k2,
)
compose.mistake(
    "This is the matrix product. Kernels are windows that slide, not matrices that act on vectors. Add up "
    "k1[a] * k2[b] at the place a + b. Try [[1, 1]] twice: [[1, 2, 1]].",
    lambda k1, k2: k1 @ k2,
)
check_compose = compose.check


def _counted(count):
    """Count something on the layers."""

    def ask(function, counts, widths):
        answer = function(counts, widths)
        layers = list(answer) if isinstance(answer, list | tuple | nn.Sequential | nn.ModuleList) else []
        if not layers or not all(isinstance(layer, nn.Module) for layer in layers):
            raise UnfitError(answer, TEXT["layers"])
        return count(layers)

    return Measured(ask, ((2, 1, 3), (8, 12, 20)))


def _number_of(kind):
    return lambda layers: sum(isinstance(layer, kind) for layer in layers)


def _side(layers):
    """Return the side of what comes out, on the meta device, where nothing is computed; 0 where layers do not fit."""
    channels = layers[0].in_channels if isinstance(layers[0], nn.Conv2d) else 3
    try:
        return nn.Sequential(*layers).to("meta")(torch.empty(1, channels, 64, 64, device="meta")).shape[-1]
    except RuntimeError:
        return 0


def _windows(layers):
    """Return the side of the poolings' windows, 0 where they are not squares of one size."""
    sizes = [layer.kernel_size for layer in layers if isinstance(layer, nn.MaxPool2d)]
    sides = {int(side) for size in sizes for side in np.broadcast_to(size, 2)}
    return sides.pop() if len(sides) == 1 else 0


def _not_followed(layers, one, other):
    """Count the layers of one kind that are not followed at once by one of the other kind."""
    pairs = zip(layers, [*layers[1:], None], strict=True)
    return sum(isinstance(layer, one) and not isinstance(after, other) for layer, after in pairs)


@exercise(
    {
        "number of convolutions": _counted(_number_of(nn.Conv2d)),
        "number of ReLUs": _counted(_number_of(nn.ReLU)),
        "number of poolings": _counted(_number_of(nn.MaxPool2d)),
        "number of parameters": _counted(lambda layers: sum(p.numel() for p in nn.ModuleList(layers).parameters())),
        "side of a pooling's window": _counted(_windows),
        "side of the map that comes out for 64 x 64 pixels": _counted(_side),
        "convolutions that no ReLU follows at once": _counted(lambda layers: _not_followed(layers, nn.Conv2d, nn.ReLU)),
        "poolings with no ReLU just before": _counted(
            lambda layers: _not_followed(layers[::-1], nn.MaxPool2d, nn.ReLU)
        ),
        "1 if the last layer is a pooling, else 0": _counted(lambda layers: int(isinstance(layers[-1], nn.MaxPool2d))),
    },
    rtol=0,
)
def build_vgg(counts, widths, *, stage="CR", last="", end="P", pool=(2,), padding=1, carried=True, final=True):
    """Build layers by letters, on the meta device, which draws no weights; the keywords are where it goes wrong."""
    layers, channels = [], 3
    for number, (count, width) in enumerate(zip(counts, widths, strict=True), start=1):
        before = channels
        for letter in stage * (count - 1) + (last or stage) + end * (final or number < len(counts)):
            if letter == "C":
                layers.append(nn.Conv2d(channels, width, 3, padding=padding, device="meta"))
                channels = width if carried else before
            else:
                layers.append(nn.ReLU() if letter == "R" else nn.MaxPool2d(*pool))
        channels = width
    return layers


def _listed_again(counts, widths):
    """Make one convolution for all places of a stage but the first."""
    layers, channels = [], 3
    for count, width in zip(counts, widths, strict=True):
        first, other = (nn.Conv2d(seen, width, 3, padding=1, device="meta") for seen in (channels, width))
        layers += [first, nn.ReLU(), *[other, nn.ReLU()] * (count - 1), nn.MaxPool2d(2)]
        channels = width
    return layers


build_vgg.mistake(
    "A pooling follows every convolution. It closes a stage: count convolutions at one size first, then one pooling. "
    "Try counts (2,) and widths (4,): conv, ReLU, conv, ReLU, pool.",
    partial(build_vgg, stage="CRP", end=""),
)
build_vgg.mistake(
    "Each stage has one ReLU only. Without one between them two convolutions are a single linear map. Try counts (2,) "
    "and widths (4,): conv, ReLU, conv, ReLU, pool.",
    partial(build_vgg, stage="C", last="CR"),
)
build_vgg.mistake(
    "There is no ReLU. Then all convolutions together are one linear map, and depth buys nothing but cost. Put one "
    "after each convolution.",
    partial(build_vgg, stage="C"),
)
build_vgg.mistake(
    "The ReLU comes after the pooling. The numbers stay the same, since the larger of two stays the larger, but the "
    "ReLU works on the big map in VGG and the layers' names move. Order: conv, ReLU, pool.",
    partial(build_vgg, last="C", end="PR"),
    partial(build_vgg, stage="C", last="C", end="PR"),
)
build_vgg.mistake(
    "The ReLU stands before its convolution. So the picture itself is cut at 0, and the last convolution of a stage "
    "has none before the pooling. Order: conv, ReLU.",
    partial(build_vgg, stage="RC"),
)
build_vgg.mistake(
    "The last stage has no pooling. In VGG all stages end with one, the fifth too: 224 pixels become 7. Try counts "
    "(1,): conv, ReLU, pool.",
    partial(build_vgg, final=False),
)
build_vgg.mistake(
    "The convolutions have no padding, so each takes two pixels off the side. VGG keeps the size within a stage: "
    "padding=1.",
    partial(build_vgg, padding=0),
)
build_vgg.mistake(
    "The channels are wrong inside a stage. Only its first convolution sees the stage before; the others see width "
    "channels. Set channels = width after each convolution.",
    partial(build_vgg, carried=False),
)
build_vgg.mistake(
    "One convolution stands in several places, so these share its weights. [layer] * 2 lists the same layer twice. "
    "Make each with a call of its own: for _ in range(count).",
    _listed_again,
)
build_vgg.mistake(
    "The pooling looks at 3 x 3. VGG's windows do not overlap: 2 x 2 at stride 2, nn.MaxPool2d(2).",
    partial(build_vgg, pool=(3, 2, 1)),
    partial(build_vgg, pool=(3, 2)),
)
check_build_vgg = build_vgg.check


@exercise(
    {
        "the first stage of VGG-16": (3, 2, 64, 224),
        "the second stage of VGG-16": (64, 2, 128, 112),
        "the third stage of VGG-16": (128, 3, 256, 56),
        "the fourth stage of VGG-19": (256, 4, 512, 28),
        "the last stage of VGG-16": (512, 3, 512, 14),
        "a stage of a small network": (5, 3, 7, 11),
    },
    rtol=0,
)
def activation_memory(channels, count, width, side):
    """Count the bytes of what a stage's convolutions give for one picture, in float32."""
    return 4 * count * width * side**2


def _weights(channels, count, width, side):
    return 9 * width * (channels + (count - 1) * width)


def _parameters(channels, count, width, side):
    return _weights(channels, count, width, side) + count * width


activation_memory.mistake(
    "These are the parameters. They do not depend on the size of the map; the activations do not depend on the kernel. "
    "Count the numbers that come out of each convolution: width * side * side.",
    _parameters,
    _weights,
)
activation_memory.mistake(
    "These are the bytes of the parameters. What is asked for are the layers' outputs: width * side * side numbers of "
    "each convolution, with 4 bytes each.",
    lambda *stage: 4 * _parameters(*stage),
    lambda *stage: 4 * _weights(*stage),
)
activation_memory.mistake(
    "This counts numbers. A float32 has 4 bytes. Try one convolution, width 1, side 1: 4 bytes.",
    lambda channels, count, width, side: count * width * side**2,
)
activation_memory.mistake(
    "Only one convolution was counted. Each of the stage keeps its own output, because the way back needs all of them. "
    "Try two convolutions: twice as much as one.",
    lambda channels, count, width, side: 4 * width * side**2,
)
activation_memory.mistake(
    "The map has side * side places, not side. Try width 1, side 3: 9 numbers, 36 bytes.",
    lambda channels, count, width, side: 4 * count * width * side,
)
activation_memory.mistake(
    "The pooled size was taken. The pooling comes after the stage's last convolution, so all convolutions work at the "
    "full side. Try width 1, side 2: 4 numbers, 16 bytes.",
    lambda channels, count, width, side: 4 * count * width * (side // 2) ** 2,
)
activation_memory.mistake(
    "The stage's input was counted, too. It is the output of the stage before and is kept there. Here only the "
    "convolutions' own outputs count.",
    lambda channels, count, width, side: 4 * (count * width + channels) * side**2,
)
check_activation_memory = activation_memory.check
