"""Exercises of the chapter on ResNet."""

import copy
from functools import partial

import numpy as np
import torch
from torch import nn

from backbone.exercises.check import Measured, UnfitError, exercise
from backbone.exercises.report import TEXT
from backbone.models import cifar_resnet
from backbone.models.resnet import BasicBlock, Bottleneck


def _relu(z):
    return np.maximum(z, 0)


def _shortcut(x, y, zeros_first=False, taken=lambda x: x[:, :, ::2, ::2]):
    """Return what is added to y: x, or option A of the paper."""
    if x.shape == y.shape:
        return x
    new = y.shape[1] - x.shape[1]
    return np.pad(taken(x), ((0, 0), (new, 0) if zeros_first else (0, new), (0, 0), (0, 0)))


_OUTPUT, _X, _Y = range(3)
_draw = np.random.default_rng(23).normal


def _watched(watched, shape, out_shape):
    """Measure what comes out, or what stands in x or y afterwards; the function gets copies."""

    def ask(function, x, y):
        x, y = x.copy(), y.copy()
        answer = function(x, y)
        return None if answer is None else (answer, x, y)[watched]

    return Measured(ask, (np.abs(_draw(size=shape)), _draw(size=out_shape) - 0.3))


@exercise(
    {
        "one shape in and out": _watched(_OUTPUT, (2, 3, 4, 5), (2, 3, 4, 5)),
        "stride 2 and twice the channels": _watched(_OUTPUT, (2, 3, 6, 6), (2, 6, 3, 3)),
        "stride 2, a map that is wider than high": _watched(_OUTPUT, (1, 2, 4, 8), (1, 4, 2, 4)),
        "stride 2 on sides that are odd": _watched(_OUTPUT, (2, 2, 5, 7), (2, 4, 3, 4)),
        "one picture, one shape in and out": _watched(_OUTPUT, (1, 4, 3, 3), (1, 4, 3, 3)),
        "what became of x": _watched(_X, (2, 3, 3, 3), (2, 3, 3, 3)),
        "what became of y": _watched(_Y, (2, 3, 3, 3), (2, 3, 3, 3)),
    }
)
def basic_block(x, y):
    """Add the shortcut of x (N, C, H, W) to y, of this shape or (N, 2 C, ceil(H / 2), ceil(W / 2)), then cut at 0."""
    return _relu(y + _shortcut(x, y))


def _averaged(x, edge="edge"):
    x = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)), mode=edge)
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def _from_the_second(x):
    x = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)))  # no second one: 0
    return x[:, :, 1::2, 1::2]


def _into_x(x, y):
    if x.shape != y.shape:
        return basic_block(x, y)
    x += y
    return _relu(x)


def _into_y(x, y):
    y += _shortcut(x, y)
    return _relu(y)


basic_block.mistake(
    "ReLU came before the addition. Then a block can only add, never take away: the branch would have no negative "
    "numbers. Add first, then cut at 0. Try x = 1 and y = -3: 0 comes out, not 1.",
    lambda x, y: _relu(y) + _shortcut(x, y),
)
basic_block.mistake(
    "The last ReLU is missing. In the block of 2015 it follows the addition. Try x = 1 and y = -3: 0 comes out, not "
    "-2.",
    lambda x, y: y + _shortcut(x, y),
)
basic_block.mistake(
    "There is no shortcut: only ReLU of y came out. That is the plain block. Add x first. Try x = 1 and y = 2: 3 comes "
    "out.",
    lambda x, y: _relu(y),
)
basic_block.mistake(
    "Where the shapes differ the shortcut was left out. It stays there, too: every other row and column of x, and "
    "zeros for the new channels.",
    lambda x, y: _relu(x + y if x.shape == y.shape else y),
)
basic_block.mistake(
    "The input was added as it is. At stride 2 the shapes differ: take every other row and column, add zeros for the "
    "new channels.",
    lambda x, y: _relu(x + y),
)
basic_block.mistake(
    "The new channels were put in front. The first channels of y belong to those of x; the zeros come behind them.",
    lambda x, y: _relu(y + _shortcut(x, y, zeros_first=True)),
)
basic_block.mistake(
    "Squares of four pixels were averaged. Option A of the paper takes every other pixel, the first one first: "
    "x[:, :, ::2, ::2].",
    lambda x, y: _relu(y + _shortcut(x, y, taken=_averaged)),
)
basic_block.mistake(
    "Squares of four pixels were averaged, and zeros filled the odd edge. Option A of the paper takes every other "
    "pixel, the first one first: x[:, :, ::2, ::2].",
    lambda x, y: _relu(y + _shortcut(x, y, taken=partial(_averaged, edge="constant"))),
)
basic_block.mistake(
    "The second of every two rows and columns was taken. Option A begins at the first: x[:, :, ::2, ::2]. On odd sides "
    "there is one more of those, as many as y has.",
    lambda x, y: _relu(y + _shortcut(x, y, taken=_from_the_second)),
)
basic_block.mistake(
    "The channels of x were repeated for the new ones. Option A adds nothing there: zeros stand in the new channels, "
    "behind those of x.",
    lambda x, y: _relu(y + (x if x.shape == y.shape else np.repeat(x[:, :, ::2, ::2], 2, axis=1))),
    lambda x, y: _relu(y + (x if x.shape == y.shape else np.tile(x[:, :, ::2, ::2], (1, 2, 1, 1)))),
)
basic_block.mistake(
    "An input was rewritten: += writes into the array that was given. A shortcut, a probe or the way back that still "
    "needs it finds other numbers there. Write x + y, which makes a new array.",
    _into_x,
    _into_y,
)
check_basic_block = basic_block.check


_NOTHING, _OVERFITTING, _DEGRADATION, _UNDERFITTING = range(4)
_MARGIN = 0.01


def _curves(*ends):
    """Return curves (2, 5) from (first, last) of the training and of the test error."""
    return np.array([first + (last - first) * np.array([0, 0.5, 0.75, 0.9, 1]) for first, last in ends])


_USUAL = _curves((0.6, 0.12), (0.6, 0.15))
_FAST, _SLOW = _curves((0.5, 0.2), (0.5, 0.22)), _curves((0.8, 0.1), (0.8, 0.13))
_WEAK = _curves((0.9, 0.5), (0.9, 0.51))
_POOR = _curves((0.8, 0.35), (0.8, 0.36))
_LUCKY = _curves((0.7, 0.05), (0.7, 0.25))
_LUCKY[1, 2] = 0.1  # a lucky pass on the test pictures


@exercise(
    {
        "training and test error both higher in the deeper one": (_USUAL, _curves((0.8, 0.2), (0.8, 0.24))),
        "training error lower, test error higher": (_USUAL, _LUCKY),
        "both lower, and the training error small": (_USUAL, _curves((0.55, 0.06), (0.55, 0.1))),
        "training error higher, test error the same": (
            _curves((0.6, 0.12), (0.6, 0.2)),
            _curves((0.6, 0.17), (0.6, 0.2)),
        ),
        "the deeper one begins worse and ends better": (_FAST, _SLOW),
        "the deeper one begins better and ends worse in training": (_SLOW, _FAST),
        "both errors alike and high": (_WEAK, _WEAK),
        "a wide gap in both networks, the deeper one better in both": (
            _curves((0.6, 0.08), (0.6, 0.25)),
            _curves((0.55, 0.01), (0.55, 0.2)),
        ),
        "training error higher, and above 0.3": (_curves((0.6, 0.23), (0.6, 0.25)), _curves((0.8, 0.36), (0.8, 0.37))),
        "test error higher, and the training error above 0.3": (_WEAK, _curves((0.9, 0.48), (0.9, 0.56))),
        "test error higher by 0.02, training error the same": (_USUAL, _curves((0.6, 0.12), (0.62, 0.17))),
        "both errors alike, training error 0.35": (_POOR, _POOR),
        "both errors lower, and only the deeper one's training error below 0.3": (
            _POOR,
            _curves((0.8, 0.25), (0.8, 0.33)),
        ),
        "differences too small to count": (_curves((0.6, 0.1), (0.6, 0.15)), _curves((0.6, 0.104), (0.6, 0.156))),
    },
    rtol=0,
    whole=True,
)
def diagnose(shallow, deep, judged=lambda errors: errors[:, -1], margin=_MARGIN):
    """Compare the errors (2, passes), training and test, of two networks; the keywords are where it goes wrong."""
    (train, test), (deep_train, deep_test) = judged(shallow), judged(deep)
    if deep_train > train + margin:
        return _DEGRADATION
    if deep_test > test + margin:
        return _OVERFITTING
    return _UNDERFITTING if deep_train > 0.3 else _NOTHING


def _upside_down(shallow, deep):
    """Judge as if the larger number were the better one, the limit of 0.3 too."""
    (train, test), (deep_train, deep_test) = shallow[:, -1], deep[:, -1]
    if deep_train < train - _MARGIN:
        return _DEGRADATION
    if deep_test < test - _MARGIN:
        return _OVERFITTING
    return _UNDERFITTING if deep_train < 0.3 else _NOTHING


diagnose.mistake(
    "A higher test error alone was called overfitting. Here it is that only where the training error is not higher. "
    "Look at the training error first: where it is higher, too, the deeper network is worse at what it was shown.",
    lambda shallow, deep: _OVERFITTING if deep[1, -1] > shallow[1, -1] + _MARGIN else diagnose(shallow, deep),
)
diagnose.mistake(
    "Underfitting was asked for first. Where the deeper network's training error is the higher one, depth made it "
    "worse: that is degradation, however high the error is. Compare first, and ask for 0.3 last.",
    lambda shallow, deep: _UNDERFITTING if deep[0, -1] > 0.3 else diagnose(shallow, deep),
)
diagnose.mistake(
    "Errors were taken for accuracies. The arrays hold errors: the larger number is the worse one.",
    lambda shallow, deep: diagnose(1 - shallow, 1 - deep),
    _upside_down,
)
diagnose.mistake(
    "The gap between training and test error was judged. A good network can have a wide gap. Compare the deeper "
    "network with the shallower one, each error with its own.",
    lambda shallow, deep: _OVERFITTING if deep[1, -1] - deep[0, -1] > 0.1 else diagnose(shallow, deep),
)
diagnose.mistake(
    "The first pass was compared. Deep networks often begin slower. Compare the last numbers of the curves.",
    partial(diagnose, judged=lambda errors: errors[:, 0]),
)
diagnose.mistake(
    "The smallest test error of each curve was compared. That is choosing by the test pictures. Compare the last "
    "numbers.",
    partial(diagnose, judged=lambda errors: (errors[0, -1], errors[1].min())),
)
diagnose.mistake(
    "Degradation was looked for in the test error. It is a higher *training* error; that is why overfitting cannot "
    "explain it.",
    partial(diagnose, judged=lambda errors: errors[[1, 1], -1]),
    lambda shallow, deep: (
        _DEGRADATION if deep[1, -1] > shallow[1, -1] + _MARGIN else _UNDERFITTING if deep[0, -1] > 0.3 else _NOTHING
    ),
)
diagnose.mistake(
    "Differences below 0.01 were counted. With one run of each they are noise. Treat them as equal.",
    partial(diagnose, margin=0),
)
diagnose.mistake(
    "The rows were mixed up. The first row of each array is the training error, the second the test error.",
    partial(diagnose, judged=lambda errors: errors[::-1, -1]),
)
diagnose.mistake(
    "Rows and columns were mixed up. Each array is (2, passes): errors[0] is the training error of all passes, and "
    "errors[0, -1] that of the last one.",
    partial(diagnose, judged=lambda errors: errors[-1, :2]),
)
check_diagnose = diagnose.check


_draw = np.random.default_rng(29).normal


def _with_scales(gamma, count=5):
    size = len(gamma)
    return _draw(size=(count, size)), _draw(size=(size, size)), np.array(gamma), _draw(size=(count, size))


@exercise(
    {
        "every scale at 0, the start": _with_scales([0.0, 0.0, 0.0]),
        "some scales at 0, others not": _with_scales([0.0, 0.7, 0.0, -1.2]),
        "every scale at 1": _with_scales([1.0, 1.0, 1.0]),
        "scales of both signs": _with_scales([0.5, -0.8]),
        "a single picture, every scale at 0": _with_scales([0.0, 0.0, 0.0, 0.0], 1),
    }
)
def zero_gamma_block(
    x, W, gamma, g, *, dead_gamma=False, live_weight=False, skip=1, branch=1, mean=False, turn=lambda w: w
):
    """Compute y = x + gamma * (x @ W.T), then the gradients of gamma, W and x, where g is that of y.

    The shapes: x and g (N, C), W (C, C), gamma (C,). The keywords are where it goes wrong.
    """
    z = x @ W.T
    through = g * gamma
    by_gamma = (g * z).sum(axis=0) * (gamma if dead_gamma else 1)
    by_weight = turn((g if live_weight else through).T @ x)
    by_x = skip * g + branch * through @ W
    share = len(x) if mean else 1
    return x + gamma * z, by_gamma / share, by_weight / share, by_x


def _without_gamma(x, W, gamma, g):
    y, by_gamma, _, _ = zero_gamma_block(x, W, gamma, g)
    return y, by_gamma, g.T @ x, g + g @ W


def _not_transposed(x, W, gamma, g):
    y, by_gamma, by_weight, by_x = zero_gamma_block(x, W.T, gamma, g)
    return y, by_gamma, by_weight.T, by_x


zero_gamma_block.mistake(
    "The scale got no gradient since the branch adds nothing. But its gradient does not hold the scale: it is the sum "
    "of g times z. Try g = 1, z = 2, gamma = 0: a step of gamma changes y by 2 for each unit.",
    partial(zero_gamma_block, dead_gamma=True),
)
zero_gamma_block.mistake(
    "The weights' gradient does not know the scale. What they do reaches y only after the multiplication by gamma, so "
    "their gradient has the factor gamma, too, and is 0 at the start.",
    partial(zero_gamma_block, live_weight=True),
)
zero_gamma_block.mistake(
    "The gradient for x is without the skip: g itself is missing. x reaches y in two ways, so its gradient is the sum "
    "of two. At gamma = 0 it is exactly g.",
    partial(zero_gamma_block, skip=0),
)
zero_gamma_block.mistake(
    "The gradient for x is the skip's alone. That holds at gamma = 0; elsewhere the branch adds (g * gamma) @ W.",
    partial(zero_gamma_block, branch=0),
)
zero_gamma_block.mistake(
    "Gradients were averaged over the pictures. g is given for each picture, so those of gamma and W are sums over "
    "them.",
    partial(zero_gamma_block, mean=True),
)
zero_gamma_block.mistake(
    "The gradient of W came out transposed. W is (C, C) in z = x @ W.T: it is (g * gamma).T @ x.",
    partial(zero_gamma_block, turn=np.transpose),
)
zero_gamma_block.mistake(
    "The gradient for x came out turned: on the way back through z = x @ W.T the matrix is W, so the branch adds "
    "(g * gamma) @ W, not @ W.T.",
    lambda x, W, gamma, g: (*zero_gamma_block(x, W, gamma, g)[:3], g + (g * gamma) @ W.T),
)
zero_gamma_block.mistake(
    "Gamma is missing on the way back into the branch. What W and x do there reaches y only times gamma, so both "
    "gradients hold g * gamma. At gamma = 0 the branch passes nothing back.",
    _without_gamma,
)
zero_gamma_block.mistake(
    "W was not transposed: the branch is z = x @ W.T, as in PyTorch's linear layer, where row i of W makes unit i. "
    "Try W = [[0, 1], [0, 0]] and x = [[1, 2]]: z is [[2, 0]].",
    _not_transposed,
)
check_zero_gamma_block = zero_gamma_block.check


def _bottlenecks():
    """Return two bottlenecks, the first with a convolution on its shortcut."""
    shortcut = nn.Sequential(nn.Conv2d(8, 16, 1, bias=False), nn.BatchNorm2d(16))
    return nn.Sequential(Bottleneck(8, 4, 1, shortcut), Bottleneck(16, 4, 1, nn.Identity()))


with torch.random.fork_rng(devices=[]):
    torch.manual_seed(31)
    _CIFAR, _NARROW = cifar_resnet(14), _bottlenecks()
    _X, _X8 = torch.rand(4, 3, 8, 8), torch.rand(4, 8, 5, 5)


def _changed_by(measure, network, x):
    """Measure the network that comes back; the function gets a copy."""

    def ask(function):
        model = function(copy.deepcopy(network))
        if not isinstance(model, nn.Module):
            raise UnfitError(model, TEXT["model"])
        return measure(model.train(), network, x)

    return Measured(ask, ())


def _blocks(model):
    return [part for part in model.modules() if isinstance(part, BasicBlock | Bottleneck)]


def _handing_on(model, network, x):
    """Count the blocks that give ReLU of their shortcut."""
    kept = []
    handles = [
        block.register_forward_hook(lambda block, given, out: kept.append((block.downsample(given[0]), out)))
        for block in _blocks(model)
    ]
    with torch.no_grad():
        model(x)
    for handle in handles:
        handle.remove()
    return sum(torch.allclose(torch.relu(shortcut), out, atol=1e-6) for shortcut, out in kept)


def _differing(model, network, x):
    """Count the parameters that are not as they were."""
    after = dict(model.named_parameters())
    return sum(name not in after or not torch.equal(one, after[name]) for name, one in network.named_parameters())


def _zeros(model, network, x):
    """Count the last batch normalizations of a block whose scale is 0."""
    lasts = [block.bn3 if isinstance(block, Bottleneck) else block.bn2 for block in _blocks(model)]
    return sum(not last.weight.any() for last in lasts)


def _moving(model, network, x):
    """Count the parameters of the branches that have a gradient."""
    model(x).square().sum().backward()
    branches = [part for block in _blocks(model) for name, part in block.named_children() if name != "downsample"]
    found = [one.grad for part in branches for one in part.parameters()]
    return sum(one is not None and one.abs().max() > 0 for one in found)


@exercise(
    {
        "a network for CIFAR-10, the blocks that hand on what their shortcut gives": _changed_by(
            _handing_on, _CIFAR, _X
        ),
        "a network for CIFAR-10, the last scales that are 0": _changed_by(_zeros, _CIFAR, _X),
        "a network for CIFAR-10, the parameters that were changed": _changed_by(_differing, _CIFAR, _X),
        "a network for CIFAR-10, the parameters in its branches that have a gradient": _changed_by(_moving, _CIFAR, _X),
        "two bottlenecks, the blocks that hand on what their shortcut gives": _changed_by(_handing_on, _NARROW, _X8),
        "two bottlenecks, the last scales that are 0": _changed_by(_zeros, _NARROW, _X8),
        "two bottlenecks, the parameters that were changed": _changed_by(_differing, _NARROW, _X8),
        "two bottlenecks, the parameters in their branches that have a gradient": _changed_by(_moving, _NARROW, _X8),
    },
    rtol=0,
)
def start_as_identity(model, part="bn", number=-1, what="weight"):
    """Set the scale of the last batch normalization of each block to 0; the keywords are where it goes wrong."""
    for block in _blocks(model):
        names = [name for name, _ in block.named_children() if name.startswith(part)]
        nn.init.zeros_(getattr(getattr(block, names[number]), what))
    return model


def _all_zero(*kinds):
    def change(model):
        for part in model.modules():
            if isinstance(part, kinds):
                nn.init.zeros_(part.weight)
        return model

    return change


def _frozen(model):
    for block in _blocks(start_as_identity(model)):
        (block.bn3 if isinstance(block, Bottleneck) else block.bn2).weight.requires_grad_(False)
    return model


start_as_identity.mistake(
    "All batch normalizations of the network got the scale 0, the first one and those on the shortcuts, too. Then "
    "nothing comes through at all. Only the last one of each block is to be 0.",
    _all_zero(nn.BatchNorm2d),
)
start_as_identity.mistake(
    "The first batch normalization of each block was taken. Then the branch adds nothing, but what follows gets only "
    "zeros, and neither its weights nor this scale have a gradient. Take the last one.",
    partial(start_as_identity, number=0),
)
start_as_identity.mistake(
    "The second batch normalization of each block was taken. A bottleneck has three: the last one is bn3.",
    partial(start_as_identity, number=1),
)
start_as_identity.mistake(
    "The shifts, called bias, were set to 0; they are 0 at the start. The scale is called weight.",
    partial(start_as_identity, what="bias"),
)
start_as_identity.mistake(
    "The last convolution was set to 0. Batch normalization behind it divides by the root of epsilon alone, and makes "
    "its first gradient some hundred times too large. Set the scale of that normalization to 0 instead.",
    partial(start_as_identity, part="conv"),
)
start_as_identity.mistake(
    "The scales are 0 and ask for no gradient any more, so the branches stay switched off. Set their values to 0 and "
    "leave requires_grad as it is.",
    _frozen,
)
check_start_as_identity = start_as_identity.check
