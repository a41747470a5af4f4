"""Exercises of the chapter on ResNet."""

from functools import partial

import numpy as np

from backbone.exercises.check import Measured, exercise


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


def _averaged(x):
    x = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)), mode="edge")
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


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


diagnose.mistake(
    "A higher test error alone was called overfitting. Overfitting is a lower training error with a higher test error. "
    "Look at the training error first: where it is higher, too, the deeper network is worse at what it was shown.",
    lambda shallow, deep: _OVERFITTING if deep[1, -1] > shallow[1, -1] + _MARGIN else diagnose(shallow, deep),
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
)
diagnose.mistake(
    "Differences below 0.01 were counted. With one run of each they are noise. Treat them as equal.",
    partial(diagnose, margin=0),
)
diagnose.mistake(
    "The rows were mixed up. The first row of each array is the training error, the second the test error.",
    partial(diagnose, judged=lambda errors: errors[::-1, -1]),
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
check_zero_gamma_block = zero_gamma_block.check
