"""Exercises of the chapter on AlexNet."""

import math
from functools import partial

from backbone.exercises.check import exercise


def _floor(size, window, stride):
    return (size - window) // stride + 1


@exercise(
    {
        "224 pixels with a padding of 2, as in PyTorch": (224, 2),
        "227 pixels without padding": (227, 0),
        "224 pixels without padding, as the paper prints": (224, 0),
        "pictures twice as large": (448, 2),
        "the 256 pixels before cropping": (256, 0),
        "a padding of 1": (230, 1),
    },
    rtol=0,
)
def alexnet_shapes(size, padding, first=_floor, pool=lambda side: _floor(side, 3, 2), second=lambda side: side):
    """Compute the sides after the first convolution and after each pooling; the keywords are where it goes wrong."""
    conv1 = first(size + 2 * padding, 11, 4)
    pool1 = pool(conv1)
    pool2 = pool(second(pool1))
    return conv1, pool1, pool2, pool(pool2)


def _ceiling(size, window, stride):
    return math.ceil((size - window) / stride) + 1


def _unrounded(size, window=3, stride=2):
    return (size - window) / stride + 1


def _steps(size, window, stride):
    return (size - window) // stride


alexnet_shapes.mistake(
    "The division of the first layer was rounded up. A last step that does not fit is not made. Only rounded up, 224 "
    "pixels without padding would give 55: 213 / 4 + 1 is 54.25.",
    partial(alexnet_shapes, first=_ceiling),
)
alexnet_shapes.mistake(
    "The divisions were rounded up, those of the pooling too. A last step that does not fit is not made: 213 / 4 + 1 "
    "is 54.25, and 54 places remain.",
    partial(alexnet_shapes, first=_ceiling, pool=lambda side: _ceiling(side, 3, 2)),
)
alexnet_shapes.mistake(
    "Nothing was rounded. A last step that does not fit is not made: divide by //. Try 224 pixels with a padding of 2: "
    "217 / 4 + 1 is 55.25, and 55 places remain.",
    partial(alexnet_shapes, first=_unrounded, pool=_unrounded),
)
alexnet_shapes.mistake(
    "The padding was not used. It makes the picture larger on both sides: 224 becomes 228.",
    lambda size, padding: alexnet_shapes(size, 0),
)
alexnet_shapes.mistake(
    "The padding was counted once. It is added on both sides, so 224 pixels become 228, not 226.",
    lambda size, padding: alexnet_shapes(size + padding, 0),
)
alexnet_shapes.mistake(
    "The pooling was taken for one of 2 x 2, which halves. Its window is 3 wide, at stride 2. From 55 both make 27; "
    "from 54 a window of 2 makes 27, one of 3 only 26.",
    partial(alexnet_shapes, pool=lambda side: side // 2),
)
alexnet_shapes.mistake(
    "The 1 at the end is missing. The division counts steps, and before its first step the window already has one "
    "place. Try 11 pixels and a window of 11.",
    partial(alexnet_shapes, first=_steps, pool=lambda side: _steps(side, 3, 2)),
    partial(alexnet_shapes, first=_steps),
)
alexnet_shapes.mistake(
    "The second convolution was given no padding. It has 2 on each side, so its windows of 5 keep the size, as the "
    "windows of 3 with a padding of 1 do.",
    partial(alexnet_shapes, second=lambda side: side - 4),
)
alexnet_shapes.mistake(
    "The last number is the side before the third pooling. AlexNet pools after its first, second and fifth "
    "convolution. Nothing changes the side between the last two of these.",
    lambda size, padding: (*alexnet_shapes(size, padding)[:3], alexnet_shapes(size, padding)[2]),
)
check_alexnet_shapes = alexnet_shapes.check


_ALEXNET_2012 = (
    [(3, 96, 11, 1), (96, 256, 5, 2), (256, 384, 3, 1), (384, 384, 3, 2), (384, 256, 3, 2)],
    [(9216, 4096), (4096, 4096), (4096, 1000)],
)


def _convolution(c, o, k, g):
    return o * (c // g) * k * k + o


def _linear(inputs, outputs):
    return inputs * outputs + outputs


@exercise(
    {
        "the first convolution, which sees all": ([(3, 96, 11, 1)], []),
        "the second convolution, two groups": ([(96, 256, 5, 2)], []),
        "a group for each channel, as many filters as channels": ([(32, 32, 3, 32)], []),
        "four groups, and fewer filters than channels": ([(64, 24, 3, 4)], []),
        "two convolutions with two groups, and a linear layer": ([(8, 16, 3, 2), (16, 12, 5, 2)], [(48, 10)]),
        "the AlexNet of 2012": _ALEXNET_2012,
    },
    rtol=0,
)
def grouped_params(convolutions, linears, one=_convolution, linear=_linear):
    """Count the weights and biases of convolutions (c, o, k, groups) and linear layers (inputs, outputs)."""
    return sum(one(*row) for row in convolutions) + sum(linear(*row) for row in linears)


grouped_params.mistake(
    "The groups were ignored: each filter was given weights for all channels. With groups it sees in_channels / groups "
    "of them. For the AlexNet of 2012 that would make 62,378,344.",
    partial(grouped_params, one=lambda c, o, k, g: o * c * k * k + o),
)
grouped_params.mistake(
    "The filters were divided by the groups as well. That counts one group only. Each filter sees fewer channels, but "
    "all out_channels filters are there.",
    partial(grouped_params, one=lambda c, o, k, g: (o // g) * (c // g) * k * k + o),
    partial(grouped_params, one=lambda c, o, k, g: (o // g) * (c // g) * k * k + o // g),
)
grouped_params.mistake(
    "The groups were multiplied in. They make a layer smaller: each filter sees in_channels / groups channels. Try 4 "
    "channels, 2 filters, a window of 1 and 2 groups: 2 weights for each filter.",
    partial(grouped_params, one=lambda c, o, k, g: o * c * g * k * k + o),
)
grouped_params.mistake(
    "Biases are missing. There is one for each filter, and one for each output of a linear layer.",
    partial(grouped_params, one=lambda c, o, k, g: o * (c // g) * k * k, linear=lambda i, o: i * o),
    partial(grouped_params, one=lambda c, o, k, g: o * (c // g) * k * k),
)
grouped_params.mistake(
    "The biases were divided by the groups. There is one for each filter, and the filters do not get fewer.",
    partial(grouped_params, one=lambda c, o, k, g: o * (c // g) * k * k + o // g),
)
grouped_params.mistake(
    "The window was counted as kernel_size weights. It has kernel_size rows and as many columns: an 11 x 11 window has "
    "121.",
    partial(grouped_params, one=lambda c, o, k, g: o * (c // g) * k + o),
)
grouped_params.mistake(
    "The linear layers are missing. A linear layer has inputs * outputs weights, and a bias an output.",
    lambda convolutions, linears: grouped_params(convolutions, []),
)
check_grouped_params = grouped_params.check


@exercise(
    {
        "one multiply-add, one picture, one pass": (1, 1, 1),
        "a hundred pictures, one pass": (1000, 100, 1),
        "one picture, ten passes": (1000, 1, 10),
        "LeNet-5 on Fashion-MNIST": (416_520, 60_000, 9),
        "AlexNet, 90 passes over ImageNet": (714_188_480, 1_281_167, 90),
    }
)
def training_flops(macs, images, epochs):
    """Count a training's floating-point operations, from the multiply-adds of one picture's forward pass."""
    return 2 * 3 * macs * images * epochs


training_flops.mistake(
    "The way back was forgotten. It makes two products of the size of the forward one: the gradient of the weights and "
    "that of the inputs. A training step costs three times the forward pass.",
    lambda macs, images, epochs: 2 * macs * images * epochs,
)
training_flops.mistake(
    "These are multiply-adds. Each is a multiplication and an addition, so it counts as two floating-point operations.",
    lambda macs, images, epochs: 3 * macs * images * epochs,
)
training_flops.mistake(
    "This counts the multiply-adds of the forward passes only. Two things are missing: a multiply-add is two "
    "operations, and the way back costs twice the forward pass.",
    lambda macs, images, epochs: macs * images * epochs,
)
training_flops.mistake(
    "Forward and backward do not cost the same. Back, a layer computes two products: the gradient of its weights and "
    "that of its inputs. So it is 1 + 2 forward passes, not 1 + 1 and not 2.",
    lambda macs, images, epochs: 4 * macs * images * epochs,
)
training_flops.mistake(
    "Only one pass over the pictures was counted. Each of the epochs shows every picture once.",
    lambda macs, images, epochs: 6 * macs * images,
)
training_flops.mistake(
    "The pictures were not counted. The multiply-adds are those of one picture.",
    lambda macs, images, epochs: 6 * macs * epochs,
)
check_training_flops = training_flops.check
