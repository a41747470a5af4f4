"""Exercises of the chapter on vanishing gradients."""

import math
from functools import partial

import numpy as np
from scipy.special import expit

from backbone.exercises.check import exercise


@exercise(
    {
        "at 0": (np.array([0.0]),),
        "from -3 to 3": (np.linspace(-3, 3, 7),),
        "far on the left": (np.array([-40.0, -30.0]),),
        "far on the right": (np.array([30.0, 40.0]),),
        "a matrix": (np.random.default_rng(5).normal(size=(2, 3)),),
        "at -1000 and 1000, where exp overflows": (np.array([-1000.0, 1000.0]),),
    },
    rtol=1e-3,  # of the largest slope of a case, so that the far ones count; a float32 gives these digits too
    atol=0,
)
def sigmoid_prime(z):
    """Compute the slope of 1 / (1 + exp(-z)) at each number."""
    return expit(z) * expit(-z)


sigmoid_prime.mistake(
    "Your slope goes to 0 on the right only. The sigmoid is flat on both sides: its slope is the product of sigmoid(z) "
    "and 1 - sigmoid(z), and each of them goes to 0 on one side. Try -5 and 5: the slopes are equal.",
    lambda z: expit(-z),
    lambda z: 1 - expit(z),
)
sigmoid_prime.mistake(
    "Your slope goes to 0 on the left only: that is the sigmoid itself. Its slope needs the second factor, "
    "1 - sigmoid(z). Try 5, where the curve is flat.",
    expit,
)
sigmoid_prime.mistake(
    "You took z for a value of the sigmoid already: z * (1 - z). Here z is what goes into it, so compute sigmoid(z) "
    "first. Try 0: the slope there is 1/4.",
    lambda z: z * (1 - z),
)
sigmoid_prime.mistake(
    "Far on the right your slope is exactly 0: from z = 37 on, a computer's 1 - sigmoid(z) has no digits left. "
    "sigmoid(-z) is the same number and keeps them. Try 40: the slope is 4e-18.",
    lambda z: expit(z) * (1 - expit(z)),
)
sigmoid_prime.mistake(
    "The exponential became infinite, and infinity divided by infinity is no number. Write the slope as a product of "
    "two sigmoids instead of a fraction with a square. Try -1000: the slope is 0.",
    lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2,
    lambda z: np.exp(z) / (1 + np.exp(z)) ** 2,
)
check_sigmoid_prime = sigmoid_prime.check


@exercise(
    {
        "ten layers that shrink it a little": (10, 0.9),
        "twenty layers that let it grow": (20, 1.25),
        "two layers, one step between them": (2, 0.3),
        "layers that keep it": (30, 1.0),
        "fifty layers with the factor of a sigmoid": (50, 0.235),
        "a single layer: first and last are the same": (1, 0.5),
    },
    atol=0,  # 1e-31 is not 0 here
)
def first_layer_factor(depth, factor):
    """Compute the gradient at the first of `depth` layers, where it is 1 at the last."""
    return float(factor) ** (depth - 1)


first_layer_factor.mistake(
    "The factors were added up. The chain rule multiplies: a half of a half is a quarter. Try three layers and 0.5, "
    "two steps back: 0.25 is left.",
    lambda depth, factor: depth * factor,
    lambda depth, factor: (depth - 1) * factor,
)
first_layer_factor.mistake(
    "The same amount was taken away for each layer. Each layer takes its share of what is left: after 0.9 comes 0.81, "
    "not 0.8. Multiply, and nothing ever goes below 0.",
    lambda depth, factor: 1 - (depth - 1) * (1 - factor),
    lambda depth, factor: 1 - depth * (1 - factor),
)
first_layer_factor.mistake(
    "One factor too many. The gradient starts at the last layer, so between it and the first lie depth - 1 steps. Try "
    "a single layer: nothing is multiplied, the answer is 1.",
    lambda depth, factor: factor**depth,
)
first_layer_factor.mistake(
    "The factor was divided by instead of multiplied with. Try two layers and 0.5: the first layer gets half of what "
    "the last one gets.",
    lambda depth, factor: factor ** (1 - depth),
)
check_first_layer_factor = first_layer_factor.check


@exercise(
    {
        "a linear layer": ((64, 100),),
        "a linear layer with far fewer outputs than inputs": ((10, 784),),
        "a convolution with 3 x 3 kernels": ((32, 16, 3, 3),),
        "a convolution whose kernel is not square": ((12, 5, 3, 7),),
        "a convolution with 1 x 1 kernels": ((64, 24, 1, 1),),
        "a convolution in which each filter looks at one channel": ((48, 1, 5, 5),),
    }
)
def he_std(shape):
    """Compute the standard deviation of He's first weights, for a weight of this shape."""
    return math.sqrt(2 / math.prod(shape[1:]))


he_std.mistake(
    "The kernel was forgotten. One output of a convolution is a sum over all channels and all places of the window: "
    "in_channels * height * width terms. Try (8, 3, 5, 5): the sum has 75 terms, not 3.",
    lambda shape: math.sqrt(2 / shape[1]),
)
he_std.mistake(
    "Only one side of the kernel was counted. The window has height times width places. Try (8, 3, 3, 5): the sum has "
    "3 * 15 terms.",
    lambda shape: math.sqrt(2 / math.prod(shape[1:3])),
    lambda shape: math.sqrt(2 / (shape[1] * shape[-1] if shape[2:] else shape[1])),
)
he_std.mistake(
    "The outputs were counted instead of the inputs. shape[0] is the number of outputs; what is summed up for one of "
    "them are shape[1] inputs. Try (10, 784): a sum has 784 terms.",
    lambda shape: math.sqrt(2 / (shape[0] * math.prod(shape[2:]))),
    lambda shape: math.sqrt(2 / shape[0]),
)
he_std.mistake(
    "The 2 is missing. ReLU sets half of the numbers to 0 and with them half of the mean square; the 2 makes up for "
    "that. Try (10, 8): the variance is 2 / 8.",
    lambda shape: math.sqrt(1 / math.prod(shape[1:])),
)
he_std.mistake(
    "This is the variance. The standard deviation is its square root. Try (10, 8): the variance is 0.25, the standard "
    "deviation 0.5.",
    lambda shape: 2 / math.prod(shape[1:]),
)
he_std.mistake(
    "This is Xavier's rule: inputs and outputs averaged, and nothing for ReLU. He's variance is 2 / inputs. Try "
    "(10, 8): it is 2 / 8.",
    lambda shape: math.sqrt(2 / ((shape[0] + shape[1]) * math.prod(shape[2:]))),
)
check_he_std = he_std.check


def _squares(gradients):
    return sum(np.sum(np.square(one)) for one in gradients)


_rng = np.random.default_rng(17)
_LAYERS = [_rng.normal(size=(3, 4)), _rng.normal(size=3)]
_UNIT = [one / np.sqrt(_squares(_LAYERS)) for one in _LAYERS]


@exercise(
    {
        "two layers, far too long together": ([20 * one for one in _UNIT], 1.0),
        "one layer with large numbers, one with small ones": ([9 * _UNIT[0], 0.01 * _UNIT[1]], 2.0),
        "each layer short enough, all together too long": ([np.array([0.9]), np.array([-0.8, 0.1])], 1.0),
        "short enough as it is": ([0.3 * one for one in _UNIT], 0.5),
        "a gradient that is 0": ([np.zeros((2, 2))], 1.0),
        "a single layer": ([np.array([3.0, -4.0])], 2.5),
    }
)
def clip_by_norm(gradients, most, length=lambda gradients: np.sqrt(_squares(gradients)), limit=1.0):
    """Multiply the gradients by most / length, never by more than the limit; the keywords are where it goes wrong."""
    total = length(gradients)
    factor = min(most / total, limit) if total else 1.0
    return tuple(one * factor for one in gradients)


clip_by_norm.mistake(
    "Each number was clipped by itself. That bends the gradient's direction: large entries are cut, small ones stay. "
    "Multiply all of them by one factor. Try [3, 4] with 1: [0.6, 0.8] comes out, not [1, 1].",
    lambda gradients, most: tuple(np.clip(one, -most, most) for one in gradients),
)
clip_by_norm.mistake(
    "Each layer was shortened by itself. The length is that of all layers' numbers together, and one factor serves "
    "all. Try [3.0] and [4.0] with 1: 0.6 and 0.8 come out, not 1 and 1.",
    lambda gradients, most: tuple(clip_by_norm([one], most)[0] for one in gradients),
)
clip_by_norm.mistake(
    "A gradient that is short enough was made longer. Clipping sets an upper limit only: the factor is never above 1. "
    "Try [0.3] with 1: it stays.",
    partial(clip_by_norm, limit=np.inf),
)
clip_by_norm.mistake(
    "The lengths of the layers were added up. The length of the whole is the root of the sum of all squares. Try [3.0] "
    "and [4.0]: it is 5, not 7.",
    partial(clip_by_norm, length=lambda gradients: sum(map(np.linalg.norm, gradients))),
)
clip_by_norm.mistake(
    "The root is missing: the sum of the squares was taken for the length. Try [3, 4]: the length is 5, not 25.",
    partial(clip_by_norm, length=_squares),
)
check_clip_by_norm = clip_by_norm.check
