"""Exercises of the chapter on reading architectures."""

from functools import partial

from backbone.exercises.check import exercise


@exercise(
    {
        "a stem without a bias": (3, 64, 7, 1, False),
        "a stem with a bias": (3, 96, 11, 1, True),
        "a 1x1 without a bias": (64, 64, 1, 1, False),
        "two groups, as in the second layer of the AlexNet of 2012": (96, 256, 5, 2, True),
        "a depthwise convolution: as many groups as channels": (32, 32, 3, 32, False),
        "a depthwise convolution that doubles the channels, with a bias": (32, 64, 3, 32, True),
    },
    rtol=0,
)
def conv_parameters(c_in, c_out, k, groups, bias):
    """Count what c_out kernels of k x k numbers for c_in / groups channels hold, and their biases."""
    return c_out * (c_in // groups) * k * k + (c_out if bias else 0)


conv_parameters.mistake(
    "The groups were not taken into account. With g groups a kernel sees only c_in / g of the channels, so a "
    "convolution holds 1 / g of the weights.",
    lambda i, o, k, g, b: o * i * k * k + o * b,
)
conv_parameters.mistake(
    "The groups divided twice, what comes in and what goes out. Each kernel sees c_in / g channels, but there are "
    "still c_out kernels.",
    lambda i, o, k, g, b: (o // g) * (i // g) * k * k + o * b,
)
conv_parameters.mistake(
    "The weights were multiplied by the number of groups. More groups mean fewer weights: each kernel sees only "
    "c_in / g channels.",
    lambda i, o, k, g, b: o * i * g * k * k + o * b,
)
conv_parameters.mistake(
    "The bias was left out. Where bias is True there is one number more for each channel that goes out.",
    lambda i, o, k, g, b: o * (i // g) * k * k,
)
conv_parameters.mistake(
    "A bias was counted where there is none. Look at the argument bias.",
    lambda i, o, k, g, b: o * (i // g) * k * k + o,
)
conv_parameters.mistake(
    "The bias was counted once for each channel that comes in. There is one for each that goes out.",
    lambda i, o, k, g, b: o * (i // g) * k * k + i * b,
)
conv_parameters.mistake(
    "One bias was counted for the whole layer. There is one for each channel that goes out.",
    lambda i, o, k, g, b: o * (i // g) * k * k + b,
)
conv_parameters.mistake(
    "The side of the kernel was counted once. A kernel is k x k numbers for each channel it sees.",
    lambda i, o, k, g, b: o * (i // g) * k + o * b,
)
conv_parameters.mistake(
    "The channels that come in were left out. A kernel has k x k numbers for each channel it sees, since it sums over "
    "all of them.",
    lambda i, o, k, g, b: o * k * k + o * b,
)
check_conv_parameters = conv_parameters.check


@exercise(
    {
        "the first layer of AlexNet": (224, [(11, 4, 2)]),
        "a 3x3 with padding": (56, [(3, 1, 1)]),
        "a chain without padding": (32, [(5, 1, 0), (2, 2, 0), (5, 1, 0), (2, 2, 0)]),
        "the stem of a ResNet": (224, [(7, 2, 3), (3, 2, 1)]),
        "an odd size": (225, [(7, 2, 3), (3, 2, 1), (3, 2, 1)]),
        "no layer": (17, []),
        "the layers of AlexNet": (
            224,
            [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)],
        ),
    },
    rtol=0,
)
def output_side(size, layers):
    """Compute the side of the map behind layers (kernel, stride, padding), rounded down in each."""
    for kernel, stride, padding in layers:
        size = (size + 2 * padding - kernel) // stride + 1
    return size


def _chain(step, end=lambda size: size):
    """Return a function that does `step(size, kernel, stride, padding)` for each layer, and `end` at last."""

    def run(size, layers):
        for layer in layers:
            size = step(size, *layer)
        return end(size)

    return run


def _exact(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) / stride + 1


output_side.mistake(
    "The padding was added once. It is added at both ends: size + 2 * padding.",
    _chain(lambda n, k, s, p: (n + p - k) // s + 1),
)
output_side.mistake(
    "The padding was left out. It is added at both ends: size + 2 * padding.",
    _chain(lambda n, k, s, p: (n - k) // s + 1),
)
output_side.mistake(
    "The last 1 is missing. Behind the first place of the kernel there are (size + 2 * padding - kernel) // stride "
    "more; the first one counts too.",
    _chain(lambda n, k, s, p: (n + 2 * p - k) // s),
)
output_side.mistake(
    "The division was rounded up. A place where the kernel would stick out is not used: round down. Pools with "
    "ceil_mode=True round up, convolutions never.",
    _chain(lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1),
)
output_side.mistake(
    "The division was not rounded. A map has a whole number of pixels: round down.",
    _chain(_exact),
)
output_side.mistake(
    "The sizes were rounded to the nearest whole number. A place where the kernel would stick out is not used, however "
    "little it sticks out: round down.",
    _chain(lambda n, k, s, p: int((n + 2 * p - k) / s + 1.5)),
    _chain(lambda n, k, s, p: round((n + 2 * p - k) / s) + 1),
    _chain(_exact, round),
)
output_side.mistake(
    "Only the strides were counted. With no padding, or with little, a kernel also takes pixels off at the border.",
    _chain(lambda n, k, s, p: n // s),
    _chain(lambda n, k, s, p: -(-n // s)),
)
output_side.mistake(
    "Only the first layer was counted. The output of each layer is the input of the next.",
    lambda size, layers: output_side(size, layers[:1]),
)
output_side.mistake(
    "Each layer was given the first size. The output of each layer is the input of the next.",
    lambda size, layers: output_side(size, layers[-1:]),
)
check_output_side = output_side.check


@exercise(
    {
        "the second stage of ResNet-18": (64, 128, 2, 56),
        "the third stage of ResNet-34": (128, 256, 6, 28),
        "a single block": (16, 32, 1, 32),
        "a long and narrow stage": (8, 24, 9, 64),
        "a stage that keeps the width": (32, 32, 3, 16),
    },
    rtol=0,
)
def stage_multiply_adds(c_in, width, blocks, side, *, first=None, shortcut=None, inner=None, places=None):
    """Count a stage's weights times the places of its output; the keywords are where it goes wrong."""
    first = 9 * c_in * width if first is None else first
    shortcut = c_in * width if shortcut is None else shortcut
    inner = 2 * blocks - 1 if inner is None else inner
    return (first + shortcut + inner * 9 * width * width) * ((side // 2) ** 2 if places is None else places)


stage_multiply_adds.mistake(
    "The places were counted on the map that comes in. The first convolution strides, so all outputs have half the "
    "side: a quarter of the places.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, places=s * s),
)
stage_multiply_adds.mistake(
    "The first convolution was counted on the map that comes in. It has stride 2: it is computed at a quarter of these "
    "places only.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, first=4 * 9 * c * w),
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, first=4 * 9 * c * w, shortcut=4 * c * w),
)
stage_multiply_adds.mistake(
    "The 1x1 on the shortcut is missing. In the first block the shapes differ, and the input goes through a 1x1 from "
    "c_in to width.",
    partial(stage_multiply_adds, shortcut=0),
)
stage_multiply_adds.mistake(
    "The shortcut was counted as a 3x3. It is a 1x1: c_in * width weights.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, shortcut=9 * c * w),
)
stage_multiply_adds.mistake(
    "A 1x1 was counted on the shortcut of every block. Only the first one changes the shape; the others add their "
    "input as it is.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, shortcut=c * w + (n - 1) * w * w),
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, shortcut=n * c * w),
)
stage_multiply_adds.mistake(
    "The first convolution was counted from width to width. It is the one that gets the c_in channels of the stage "
    "before.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, first=9 * w * w),
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, first=9 * w * w, shortcut=w * w),
)
stage_multiply_adds.mistake(
    "A block was counted with one convolution. A basic block has two.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, inner=n - 1),
)
stage_multiply_adds.mistake(
    "Twice too many: multiplications and additions were counted apart. Here, as in papers, one multiply-add is one.",
    lambda c, w, n, s: 2 * stage_multiply_adds(c, w, n, s),
)
stage_multiply_adds.mistake(
    "These are the weights. Each is used once at each place of the output: multiply by the number of places.",
    partial(stage_multiply_adds, places=1),
)
stage_multiply_adds.mistake(
    "The weights were multiplied by the side of the map. A map has side x side places.",
    lambda c, w, n, s: stage_multiply_adds(c, w, n, s, places=s // 2),
)
check_stage_multiply_adds = stage_multiply_adds.check
