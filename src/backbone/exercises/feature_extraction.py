"""Exercises of the chapter on feature extraction."""

import copy
from functools import partial

import numpy as np
import torch
from torch import nn

from backbone.exercises.check import Measured, UnfitError, exercise, numbers, plain
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


with torch.random.fork_rng(devices=[]):
    torch.manual_seed(5)
    _NETWORK = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(0.5), nn.Flatten(), nn.Linear(18, 3)
    )
    _BLOCKS = nn.Sequential(_NETWORK, nn.ReLU())
    _IN_PLACE = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True))
    _X = torch.randn(4, 1, 5, 5) + 0.5


def _hooked(model):
    return sum(len(layer._forward_hooks) for layer in model.modules())


def _told(count, training=True, network=_NETWORK, name="2", frozen=()):
    """Count something after the function has read a layer of a network of its own."""

    def ask(function):
        model = copy.deepcopy(network).train(training)
        for index in frozen:
            model[index].eval()
        with torch.random.fork_rng(devices=[]):  # a dropout that was left on draws
            torch.manual_seed(6)
            answer = function(model, name, _X.clone())
        if numbers(plain(answer)) is None:
            raise UnfitError(answer, _read(model, name, _X).numpy())
        return count(model, answer)

    return Measured(ask, ())


def _answer(model, answer):
    return answer


def _asks_for_gradients(model, answer):
    return int(getattr(answer, "requires_grad", False))


def _in_training(model, answer):
    return sum(layer.training for layer in model.modules())


def _moved_averages(model, answer):
    return int(not torch.equal(model[1].running_mean, _NETWORK[1].running_mean))


@exercise(
    {
        "a ReLU, read while the model is in training mode": _told(_answer),
        "a layer before a ReLU that works in place": _told(_answer, network=_IN_PLACE, name="0"),
        "a dropout": _told(_answer, name="3"),
        "a layer inside a block": _told(_answer, network=_BLOCKS, name="0.2"),
        "the last layer": _told(_answer, name="5"),
        "hooks that are left on the model": _told(lambda model, answer: _hooked(model)),
        "layers that are in training mode afterward, of a model that was in it": _told(_in_training),
        "layers that are in training mode afterward, of a model that was not": _told(_in_training, training=False),
        "layers that are in training mode afterward, of a model in which only batch normalization was not": _told(
            _in_training, frozen=[1]
        ),
        "running averages that moved": _told(_moved_averages),
        "answers that ask for a gradient": _told(_asks_for_gradients),
    },
    rtol=1e-5,
    atol=1e-6,
)
def read_layer(model, name, x):
    """Return what a layer gives for x (N, C, H, W), and leave the model as it was."""
    return _read(model, name, x)


def _read(model, name, x, *, evaluation=True, restore="parts", remove=True, gradient=False, which="output", clone=True):
    """Read a layer by a hook; the keywords are where it goes wrong."""
    kept, modes = {}, {part: part.training for part in model.modules()}

    def keep(layer, inputs, output):
        kept.update(input=inputs[0], output=output.clone() if clone else output)

    hook = model.get_submodule(name).register_forward_hook(keep)
    if evaluation:
        model.eval()
    with torch.set_grad_enabled(gradient):
        kept["last"] = model(x)
    if remove:
        hook.remove()
    if restore == "model":
        model.train(modes[model])
    for part in modes if restore == "parts" else ():
        part.training = modes[part]
    return kept[which]


_usual = partial(_read, restore="model", clone=False)  # as most readers write it at first


read_layer.mistake(
    "The layer was read in training mode: dropout blanked some numbers, and batch normalization used this batch and "
    "moved its running averages. Call model.eval() before the pictures pass through.",
    partial(_read, evaluation=False),
)
read_layer.mistake(
    "The model was left in evaluation mode. Whoever trains it next gets no dropout and no batch statistics, and no "
    "error either. Keep the mode of each part before you change it, part.training for part in model.modules(), and "
    "give it back.",
    partial(_read, restore=None),
)
read_layer.mistake(
    "The model was put into training mode at the end, but one of the models came in evaluation mode. Give back the "
    "mode in which it came.",
    lambda model, name, x: (_read(model, name, x), model.train())[0],
)
read_layer.mistake(
    "What the hook kept was changed afterward: the ReLU behind the layer works in place, and writes its answer over "
    "the numbers. Keep a copy, output.clone().",
    partial(_read, clone=False),
    _usual,
)
read_layer.mistake(
    "All parts were set alike by model.train(mode), so a layer that came in evaluation mode is in training mode now. "
    "Keep the mode of each part of model.modules(), and give each its own back.",
    partial(_read, restore="model"),
)
read_layer.mistake(
    "The hook was left on the layer. It runs at every later pass, and keeps what it sees. Call remove() on what "
    "register_forward_hook returned.",
    partial(_read, remove=False),
    partial(_usual, remove=False),
)
read_layer.mistake(
    "The answer still asks for a gradient, so it holds the whole computation in memory. Let the pictures pass through "
    "within torch.no_grad().",
    partial(_read, gradient=True),
    partial(_usual, gradient=True),
)
read_layer.mistake(
    "What went into the layer came back. The hook gets both: f(layer, inputs, output); keep the third.",
    partial(_read, which="input"),
)
read_layer.mistake(
    "The network's own answer came back. Keep what the hook on the layer sees, not what model(x) returns.",
    partial(_read, which="last"),
)
check_read_layer = read_layer.check


_drawn = np.random.default_rng(7)
_TWO = np.array([[0.0, 0], [0, 2], [10, 1], [12, 1]])
_UNEVEN = np.array([0, 0, 0, 0, 0, 0, 0, 1, 1, 2])


def _means(features, labels, mean=np.mean):
    return np.stack([mean(features[labels == k], axis=0) for k in range(labels.max() + 1)])


def _gaps(queries, means):
    return np.linalg.norm(queries[:, None] - means, axis=2)


@exercise(
    {
        "two classes": (_TWO, np.array([0, 0, 1, 1]), np.array([[1.0, 1], [9, 0], [5, 1]])),
        "three classes, one of them large": (
            _drawn.normal(size=(10, 3)) + 1.5 * _UNEVEN[:, None],
            _UNEVEN,
            _drawn.normal(size=(12, 3)) + 1.5,
        ),
        "labels in no order": (
            _drawn.normal(size=(8, 4)) * 3,
            np.array([3, 0, 2, 1, 0, 3, 1, 2]),
            _drawn.normal(size=(9, 4)) * 3,
        ),
        "a class far from 0": (
            np.array([[1.0, 0], [1, 0.4], [9, 8], [7, 9]]),
            np.array([0, 0, 1, 1]),
            np.array([[2.0, 1.5], [3, 3], [8, 8]]),
        ),
        "a class with one far picture": (
            np.array([[0.0], [1], [14], [10], [11], [12]]),
            np.array([0, 0, 0, 1, 1, 1]),
            np.array([[6.0], [7], [9], [14]]),
        ),
    },
    rtol=0,
)
def nearest_mean(features, labels, queries):
    """Give each of queries (M, D) the class of the nearest mean of features (N, D), whose classes are labels (N,)."""
    return _gaps(queries, _means(features, labels)).argmin(axis=1)


nearest_mean.mistake(
    "The nearest single picture decided. That is nearest neighbor; here each class has one point, the mean of its "
    "rows.",
    lambda features, labels, queries: labels[_gaps(queries, features).argmin(axis=1)],
)
nearest_mean.mistake(
    "The largest product with a mean won. A mean far from 0 has large products with everything; take the distance, the "
    "length of the difference.",
    lambda features, labels, queries: (queries @ _means(features, labels).T).argmax(axis=1),
)
nearest_mean.mistake(
    "The median of each class was kept. Take the mean, as the title says: a far picture counts in it.",
    lambda features, labels, queries: _gaps(queries, _means(features, labels, np.median)).argmin(axis=1),
)
nearest_mean.mistake(
    "The sum of each class was kept, so a class of many pictures lies far out. Divide by how many there are.",
    lambda features, labels, queries: _gaps(queries, _means(features, labels, np.sum)).argmin(axis=1),
)
nearest_mean.mistake(
    "The farthest mean won. The smallest distance is wanted: argmin.",
    lambda features, labels, queries: _gaps(queries, _means(features, labels)).argmax(axis=1),
)
check_nearest_mean = nearest_mean.check
