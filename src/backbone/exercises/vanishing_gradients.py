"""Exercises of the chapter on vanishing gradients."""

import itertools
import math
from functools import partial

import numpy as np
import torch
from scipy.special import expit
from torch import nn

from backbone.exercises.check import exercise


@exercise(
    {
        "at 0": (np.array([0.0]),),
        "from -3 to 3": (np.linspace(-3, 3, 7),),
        "far on the left": (np.array([-40.0, -30.0]),),
        "at 40, where the slope is 4e-18": (np.array([40.0]),),
        "at 30": (np.array([30.0]),),
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
    "The square in the denominator is missing: e / (1 + e), with e = exp(-z), is sigmoid(-z), and goes to 0 on the "
    "right only. The slope has one more factor, sigmoid(z). Try 0: the slope there is 1/4, not 1/2.",
    lambda z: np.exp(-z) / (1 + np.exp(-z)),
)
sigmoid_prime.mistake(
    "The slope of tanh is 1 minus its square. The sigmoid's is sigmoid(z) times 1 - sigmoid(z). Try 0: the slope there "
    "is 1/4, not 3/4.",
    lambda z: 1 - expit(z) ** 2,
)
sigmoid_prime.mistake(
    "The sign is wrong: the sigmoid rises everywhere, so its slope is never negative. Try 0: it is 1/4.",
    lambda z: -expit(z) * expit(-z),
    lambda z: expit(z) * (expit(z) - 1),
    lambda z: -np.exp(-z) / (1 + np.exp(-z)) ** 2,
)
sigmoid_prime.mistake(
    "Far on the right your slope is exactly 0: from z = 37 on, a computer's 1 - sigmoid(z) has no digits left. "
    "sigmoid(-z) is the same number and keeps them. Try 40: the slope is 4e-18.",
    lambda z: expit(z) * (1 - expit(z)),
)
sigmoid_prime.mistake(
    "Far out, on both sides, your slope is exactly 0: a computer's 1 - tanh(z / 2) ** 2 has no digits left there. Take "
    "sigmoid(z) times sigmoid(-z), which keeps them. Try 40: the slope is 4e-18.",
    lambda z: 0.25 * (1 - np.tanh(z / 2) ** 2),
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
first_layer_factor.mistake(
    "One factor too few. Between the first and the last of three layers lie two steps, so depth - 1. Try two layers "
    "and 0.5: 0.5 is left.",
    lambda depth, factor: float(factor) ** (depth - 2),
)
first_layer_factor.mistake(
    "The factor was divided by the number of steps. Each step multiplies what the one before left. Try three layers "
    "and 0.5: 0.25 is left.",
    lambda depth, factor: factor / max(depth - 1, 1),
    lambda depth, factor: factor / depth,
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
he_std.mistake(
    "All sizes of the shape were multiplied. The first of them counts the outputs; each output is a sum of its own, so "
    "it does not come in. Try (10, 8): a sum has 8 terms, not 80.",
    lambda shape: math.sqrt(2 / math.prod(shape)),
)
he_std.mistake(
    "The sizes were added up. A window over in_channels has in_channels times height times width places. Try (8, 3, 5, "
    "5): the sum has 75 terms, not 13.",
    lambda shape: math.sqrt(2 / sum(shape[1:])),
)
he_std.mistake(
    "The root was taken of the 2 only. The variance is 2 / n, and the standard deviation the root of all of it. Try "
    "(10, 8): it is 0.5, not 0.18.",
    lambda shape: math.sqrt(2) / math.prod(shape[1:]),
)
he_std.mistake(
    "This is the bound of an even distribution, which has He's variance between -bound and bound. Its standard "
    "deviation is bound / sqrt(3). Try (10, 8): 0.5, not 0.87.",
    lambda shape: math.sqrt(6 / math.prod(shape[1:])),
)
he_std.mistake(
    "Only the last size was counted. For a convolution that is the width of the kernel. Try (8, 3, 5, 5): the sum has "
    "75 terms, not 5.",
    lambda shape: math.sqrt(2 / shape[-1]),
)
check_he_std = he_std.check


def _squares(gradients):
    return sum(np.sum(np.square(one)) for one in gradients)


def _all(gradients):
    return np.concatenate([one.ravel() for one in gradients])


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
    lambda gradients, most: tuple(one / np.sqrt(_squares(gradients)) * most for one in gradients),
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
clip_by_norm.mistake(
    "The longest layer was taken for the whole. The length is the root of the sum of all squares, over all layers. Try "
    "[3.0] and [4.0]: it is 5, not 4.",
    partial(clip_by_norm, length=lambda gradients: max(map(np.linalg.norm, gradients))),
)
clip_by_norm.mistake(
    "The mean of the squares was taken, the size of a typical entry. The length is the root of their sum. Try [3, 4]: "
    "it is 5, not 3.5.",
    partial(clip_by_norm, length=lambda gradients: np.sqrt(np.mean(_all(gradients) ** 2))),
)
clip_by_norm.mistake(
    "The largest entry was taken for the length. The length is the root of the sum of all squares. Try [3, 4]: it is "
    "5, not 4.",
    partial(clip_by_norm, length=lambda gradients: np.abs(_all(gradients)).max()),
)
check_clip_by_norm = clip_by_norm.check


def _network(seed, sizes):
    """Return a network of linear layers with ReLU between them, in float64, and pictures with labels."""
    generator = torch.Generator().manual_seed(seed)
    parts = [nn.Flatten()]
    for inputs, outputs in itertools.pairwise(sizes):
        linear = nn.utils.skip_init(nn.Linear, inputs, outputs, dtype=torch.float64)
        nn.init.normal_(linear.weight, 0, math.sqrt(2 / inputs), generator=generator)
        nn.init.normal_(linear.bias, 0, 0.1, generator=generator)
        parts += [linear, nn.ReLU()]
    x = torch.randn(6, 1, 1, sizes[0], generator=generator, dtype=torch.float64)
    return nn.Sequential(*parts[:-1]), x, torch.randint(sizes[-1], (6,), generator=generator)


def _profile(network, x, labels, measured="output", reduction="mean", size=torch.mean, last=lambda h: h):
    """Return a size for each ReLU; the keywords are where it goes wrong."""
    inputs, outputs, h = [], [], x
    for part in network:
        before, h = h, part(h)
        if isinstance(part, nn.ReLU):
            inputs.append(before)
            outputs.append(h)
    wanted = inputs if measured == "input" else outputs
    if measured == "signal":
        return np.array([size(one.square()).sqrt().item() for one in outputs])
    loss = nn.functional.cross_entropy(last(h), labels, reduction=reduction)
    return np.array([size(one.square()).sqrt().item() for one in torch.autograd.grad(loss, wanted)])


@exercise(
    {
        "three hidden layers of ReLU": _network(1, (5, 8, 7, 6, 4)),
        "two hidden layers of ReLU, many classes": _network(2, (6, 9, 5, 8)),
        "one hidden layer of ReLU": _network(3, (4, 12, 3)),
        "six hidden layers of ReLU": _network(4, (9, *[10] * 6, 5)),
    },
    atol=0,
)
def gradient_profile(network, x, labels):
    """Compute the typical entry of the loss's gradient at the output of each ReLU, the first one first."""
    return _profile(network, x, labels)


def _of_weights(network, x, labels):
    weights = [part.weight for part in network if isinstance(part, nn.Linear)][:-1]
    gradients = torch.autograd.grad(nn.functional.cross_entropy(network(x), labels), weights)
    return np.array([one.square().mean().sqrt().item() for one in gradients])


gradient_profile.mistake(
    "The last layer came first. Give the numbers in the order of the layers: the ReLU next to the pictures first.",
    lambda network, x, labels: _profile(network, x, labels)[::-1],
)
gradient_profile.mistake(
    "These are the gradients of the weights. Asked for is the gradient of what each ReLU hands on: keep its output "
    "while the pictures pass, and ask autograd for the loss's gradient with respect to it.",
    _of_weights,
)
gradient_profile.mistake(
    "This is the gradient of what goes into each ReLU. It is 0 wherever the ReLU is off. Ask for that of its output.",
    partial(_profile, measured="input"),
)
gradient_profile.mistake(
    "This is the size of what the layers hand on, the signal, on the way forward. Asked for is the loss's gradient "
    "with respect to it.",
    partial(_profile, measured="signal"),
)
gradient_profile.mistake(
    "The loss was summed over the pictures. Take its mean, as cross_entropy does by itself: then the size does not "
    "depend on how many pictures there are.",
    partial(_profile, reduction="sum"),
)
gradient_profile.mistake(
    "A softmax came before cross_entropy, which makes one by itself. Give it the network's output as it is.",
    partial(_profile, last=lambda h: h.softmax(dim=1)),
)
gradient_profile.mistake(
    "This is the length of the gradient, the root of the sum of all squares. The typical entry is the root of their "
    "mean, so that a wide layer can be compared with a narrow one.",
    partial(_profile, size=torch.sum),
)
gradient_profile.mistake(
    "The root is missing: this is the mean of the squares. The typical entry is its square root.",
    lambda network, x, labels: _profile(network, x, labels) ** 2,
)
gradient_profile.mistake(
    "The mean of the absolute values was taken. The typical entry is the root of the mean of the squares: square "
    "first, then take the mean, then the root.",
    partial(_profile, size=lambda squares: squares.sqrt().mean().square()),
)
check_gradient_profile = gradient_profile.check
