"""Exercises of the chapter on feature extraction."""

from functools import partial

import numpy as np

from backbone.exercises.check import exercise
from backbone.ops import avg_pool2d_backward, max_pool2d_backward

_rng = np.random.default_rng(3)
_TIES = np.array([[2.0, 2, 1, 0], [2, 0, 5, 5], [0, 3, 4, 4], [3, 1, 4, 4]])


@exercise(
    {
        "a 4 x 4 map": (_rng.normal(size=(4, 4)), _rng.normal(size=(2, 2))),
        "a map that is wider than high": (_rng.normal(size=(2, 6)), _rng.normal(size=(1, 3))),
        "a map of negative numbers": (-1 - _rng.random((4, 4)), _rng.normal(size=(2, 2))),
        "windows in which the largest number stands twice": (_TIES, np.array([[1.0, 2], [3, 4]])),
    }
)
def max_pool_backward(x, grad):
    """Pass grad (H / 2, W / 2) back through max pooling of x (H, W) by 2 x 2."""
    return max_pool2d_backward(grad[None, None], x[None, None], 2)[0, 0]


def _spread(grad):
    return grad.repeat(2, axis=0).repeat(2, axis=1)


def _to_all_winners(x, grad):
    height, width = x.shape
    return _spread(grad) * (x == _spread(x.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3))))


max_pool_backward.mistake(
    "The gradient was shared out. That is average pooling. Only the largest input moved the output: with the window 1, "
    "2, 3, 9 and a gradient of 1, the 9 gets 1 and the others 0.",
    lambda x, grad: avg_pool2d_backward(grad[None, None], (1, 1, *x.shape), 2)[0, 0],
)
max_pool_backward.mistake(
    "Every input of a window got the whole gradient. Only the largest one gets it; the other three get 0.",
    lambda x, grad: _spread(grad),
)
max_pool_backward.mistake(
    "Where the largest number stands twice in a window, both got the gradient. It goes to one of them, the first in "
    "reading order, as PyTorch has it: what comes back must sum to what came in.",
    _to_all_winners,
)
max_pool_backward.mistake(
    "Where the largest number stands twice in a window, the last one got the gradient. It goes to the first in reading "
    "order: `argmax` finds that one.",
    lambda x, grad: max_pool_backward(x[::-1, ::-1], grad[::-1, ::-1])[::-1, ::-1],
)
max_pool_backward.mistake(
    "The input was multiplied in. Max pooling hands a number on as it is, so its slope is 1.",
    lambda x, grad: max_pool_backward(x, grad) * x,
)
max_pool_backward.mistake(
    "The winners got 1. They get the gradient that came back to their window, which need not be 1.",
    lambda x, grad: max_pool_backward(x, np.ones_like(grad)),
)
check_max_pool_backward = max_pool_backward.check


@exercise(
    {
        "a convolution": ("convolution", 3, 8, 5, 32, 24),
        "the same convolution on a larger picture": ("convolution", 3, 8, 5, 64, 48),
        "a convolution with as many channels out as in": ("convolution", 6, 6, 3, 14, 14),
        "a linear layer after flatten": ("linear", 16, 120, 1, 5, 4),
        "pooling": ("pooling", 6, 6, 2, 28, 28),
        "ReLU": ("relu", 6, 6, 1, 28, 28),
    },
    rtol=0,
)
def layer_parameters(kind, inputs, outputs, kernel, height, width, *, bias=1, free=("pooling", "relu")):
    """Count the parameters of a layer that takes maps (inputs, height, width); the keywords are where it goes wrong."""
    if kind in free:
        return 0
    if kind == "linear":
        return outputs * (inputs * height * width + bias)
    return outputs * (inputs * kernel**2 + bias)


def _only(changed, wrong):
    """Count one kind of layer in the wrong way, the others right."""
    return lambda kind, *layer: wrong(*layer) if kind == changed else layer_parameters(kind, *layer)


layer_parameters.mistake(
    "The convolution's number grows with the picture. The same filters are used at every place, so height and width do "
    "not count: weights and a bias for each filter, and nothing else.",
    _only("convolution", lambda *layer: layer_parameters("convolution", *layer) * layer[3] * layer[4]),
)
layer_parameters.mistake(
    "The biases are missing: one for each filter of a convolution, one for each output of a linear layer.",
    partial(layer_parameters, bias=0),
)
layer_parameters.mistake(
    "A filter was counted with one slice. It has a slice for each input channel: with 3 channels and a window of "
    "5 x 5, one filter has 75 weights.",
    _only("convolution", lambda inputs, outputs, kernel, height, width: outputs * (kernel**2 + 1)),
)
layer_parameters.mistake(
    "Pooling was given weights. It takes the largest or the mean of a window and has nothing to learn.",
    partial(layer_parameters, free=("relu",)),
)
layer_parameters.mistake(
    "ReLU was given weights. It replaces negative numbers by 0, and has nothing to learn.",
    partial(layer_parameters, free=("pooling",)),
)
layer_parameters.mistake(
    "The linear layer was counted with a weight for each channel. After flatten, every number of every map is an "
    "input: channels x height x width of them.",
    _only("linear", lambda inputs, outputs, kernel, height, width: outputs * (inputs + 1)),
)
check_layer_parameters = layer_parameters.check


def _cosines(features, query):
    return features @ query / np.linalg.norm(features, axis=1) / np.linalg.norm(query)


_ROWS = np.random.default_rng(0).normal(size=(9, 5)) * np.geomspace(0.1, 30, 9)[:, None]


@exercise(
    {
        "rows of very different lengths": (_ROWS, _ROWS[1] * 2 + 0.01),
        "a near row in another direction, a far one in the same": (
            np.array([[0.6, 1.1], [-2, 1], [7, 0.5]]),
            np.array([1.0, 0.1]),
        ),
        "a row that points exactly the other way": (
            np.array([[3.0, 1], [-2, -4], [0, -1], [1, 0]]),
            np.array([0.5, 1]),
        ),
        "the nearest row is the first one": (np.array([[5.0, 5], [1, -1], [-20, 30], [-4, -5]]), np.array([1.0, 1.2])),
        "the nearest row is in the middle": (
            np.array([[1.0, 9], [8, 2], [0.2, 0.3], [-6, 1], [-2, -2]]),
            np.array([1.0, 1.4]),
        ),
    },
    rtol=0,
)
def nearest(features, query):
    """Find the row of features (N, D) with the largest cosine to query (D,)."""
    return int(np.argmax(_cosines(features, query)))


nearest.mistake(
    "The largest product won. A long row has large products with everything. Divide by the lengths: of the rows (1, 0) "
    "and (9, 9), the first is nearer in direction to the query (1, 0).",
    lambda features, query: int(np.argmax(features @ query)),
)
nearest.mistake(
    "The smallest distance won. Here the direction counts, not the length: for the query (1, 0), the row (8, 0) has "
    "cosine 1, and (1, 1) only 0.71.",
    lambda features, query: int(np.argmin(((features - query) ** 2).sum(axis=1))),
)
nearest.mistake(
    "The smallest cosine won: that is the least alike row. A cosine of 1 means the same direction.",
    lambda features, query: int(np.argmin(_cosines(features, query))),
)
nearest.mistake(
    "A row of the opposite direction won. Its cosine is -1, the lowest there is: leave the sign as it is.",
    lambda features, query: int(np.argmax(abs(_cosines(features, query)))),
)
check_nearest = nearest.check
