"""Exercises of the chapter on neural networks."""

import itertools
from functools import partial

import numpy as np

from backbone.exercises.check import exercise

_draw = np.random.default_rng(3).normal


def _stack(*sizes):
    return [(_draw(size=(outputs, inputs)), _draw(size=outputs)) for inputs, outputs in itertools.pairwise(sizes)]


@exercise(
    {
        "two layers of different sizes": (_stack(4, 3, 2),),
        "two layers that keep the size": (_stack(3, 3, 3),),
        "three layers that keep the size": (_stack(2, 2, 2, 2),),
        "four layers of different sizes": (_stack(5, 2, 4, 3, 1),),
        "a single layer": (_stack(3, 2),),
        "three layers whose biases are 0": ([(weight, 0 * bias) for weight, bias in _stack(2, 3, 3, 2)],),
    }
)
def collapse(layers, join=lambda W, b, next_W, next_b: (next_W @ W, next_W @ b + next_b)):
    """Compute one layer (W, b) that equals all layers one after another; `join` is where it goes wrong."""
    W, b = (part.copy() for part in layers[0])
    for layer in layers[1:]:
        W, b = join(W, b, *layer)
    return W, b


collapse.mistake(
    "The matrices were multiplied in the wrong order. The first layer meets x first, so its matrix stands on the "
    "right: W2 @ (W1 @ x) is (W2 @ W1) @ x. Try layers of shapes (2, 3) and (1, 2): only one order fits.",
    partial(collapse, join=lambda W, b, next_W, next_b: (W @ next_W, next_W @ b + next_b)),
    partial(collapse, join=lambda W, b, next_W, next_b: (W @ next_W, W @ next_b + b)),
)
collapse.mistake(
    "Only the last bias is left. What a layer adds goes through all later layers too: W2 @ (W1 @ x + b1) + b2 holds "
    "W2 @ b1. Try x = 0: the stack gives more than the last bias.",
    partial(collapse, join=lambda W, b, next_W, next_b: (next_W @ W, next_b)),
)
collapse.mistake(
    "The biases were added up as they are. What a layer adds goes through the later matrices: W2 @ b1 + b2, not "
    "b1 + b2. Try x = 0 by hand.",
    partial(collapse, join=lambda W, b, next_W, next_b: (next_W @ W, b + next_b)),
)
collapse.mistake(
    "The bias was multiplied by the product of all matrices so far. It only meets the matrices after its own: W2 @ b1. "
    "Compute the new bias before W is overwritten, or multiply by the layer's own matrix.",
    partial(collapse, join=lambda W, b, next_W, next_b: (next_W @ W, next_W @ W @ b + next_b)),
)
check_collapse = collapse.check


_draw = np.random.default_rng(5).normal


@exercise(
    {
        "five examples of three classes": (_draw(size=(5, 3)), np.array([2, 0, 1, 0, 2])),
        "more classes than examples": (_draw(size=(2, 6)), np.array([5, 0])),
        "a single example": (_draw(size=(1, 4)), np.array([0])),
        "logits that are all alike": (np.full((3, 4), 0.7), np.array([3, 0, 1])),
        "logits of about 1000": (1000 + _draw(size=(4, 3)), np.array([0, 1, 2, 0])),
        "certain and wrong: the right class has a probability too small for a computer": (
            np.array([[1000.0, 0], [0, 2]]),
            np.array([1, 1]),
        ),
    }
)
def softmax_cross_entropy(logits, y):
    """Compute the mean of -log(softmax(logits)[y]) for logits (N, K) and classes y (N,)."""
    return float(_losses(logits, y).mean())


def _losses(logits, y, axis=1, together=False):
    shifted = logits - logits.max(axis=None if together else axis, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=axis, keepdims=True)) - shifted)[np.arange(len(y)), y]


def _naive(logits, y):
    powers = np.exp(logits)
    return -np.log((powers / powers.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()


softmax_cross_entropy.mistake(
    "The exponential of 1000 is too large for a computer, and infinity divided by infinity is no number. Take the "
    "largest logit of each row away before np.exp; the probabilities stay the same. Try [[1000.0, 999.0]].",
    _naive,
)
softmax_cross_entropy.mistake(
    "One maximum was taken for all examples. Each row has its own: max(axis=1, keepdims=True).",
    lambda logits, y: _naive(logits - logits.max(), y),
    lambda logits, y: _losses(logits, y, together=True).mean(),
)
softmax_cross_entropy.mistake(
    "A probability became exactly 0, and its logarithm is minus infinity. Write the logarithm of the fraction as a "
    "difference: log(sum of exp) minus the right logit. Try [[1000.0, 0.0]] with class 1: the loss is 1000.",
    lambda logits, y: _naive(logits - logits.max(axis=1, keepdims=True), y),
)
softmax_cross_entropy.mistake(
    "The losses were added up. Return their mean: otherwise twice as many examples have twice the loss, and the "
    "learning rate would have to follow.",
    lambda logits, y: _losses(logits, y).sum(),
)
softmax_cross_entropy.mistake(
    "The classes were counted from 1. Here they start at 0, so the right logit is logits[i, y[i]]. With y - 1, class 0 "
    "becomes the index -1, which Python takes as the last one.",
    lambda logits, y: _losses(logits, y - 1).mean(),
)
softmax_cross_entropy.mistake(
    "The softmax was taken over the examples. The probabilities of one example sum to 1: use axis=1, with "
    "keepdims=True. Try a single example: each of its probabilities would be 1.",
    lambda logits, y: _losses(logits, y, axis=0).mean(),
)
softmax_cross_entropy.mistake(
    "The sign is missing. The logarithm of a probability is negative, and the loss is its opposite: 0 at best.",
    lambda logits, y: -_losses(logits, y).mean(),
)
softmax_cross_entropy.mistake(
    "The mean was taken over examples and classes. Only the right class of each example has a loss, so divide by the "
    "number of examples, N, and not by N * K.",
    lambda logits, y: _losses(logits, y).sum() / logits.size,
)
check_softmax_cross_entropy = softmax_cross_entropy.check


_draw = np.random.default_rng(11).normal


def _network(n, d, hidden, k, scale=1):
    """Draw x, W1, b1, W2, b2 and y."""
    x, W1 = _draw(size=(n, d)), scale * _draw(size=(hidden, d))
    return x, W1, _draw(size=hidden), _draw(size=(k, hidden)), _draw(size=k), _draw(size=(n, k))


@exercise(
    {
        "six examples, other sizes in each layer": _network(6, 3, 4, 2),
        "one example and one output": _network(1, 2, 3, 1),
        "more hidden neurons than examples": _network(3, 2, 5, 4),
        "the same size in every layer": _network(4, 3, 3, 3),
        "large weights, where tanh is nearly flat": _network(5, 2, 3, 2, scale=2),
    }
)
def backward(
    x, W1, b1, W2, b2, y, share=lambda z: z.size, back=lambda W: W, slope=lambda h: 1 - h**2, turn=lambda g: g
):
    """Compute the gradients of W1, b1, W2, b2, of mean((z - y)**2) / 2; the keywords are where it goes wrong."""
    h = np.tanh(x @ W1.T + b1)
    z = h @ W2.T + b2
    g2 = (z - y) / share(z)
    g1 = (g2 @ back(W2)) * slope(h)
    return turn(g1.T @ x), g1.sum(axis=0), turn(g2.T @ h), g2.sum(axis=0)


backward.mistake(
    "The mean was left out: the gradients are those of a sum. The loss divides by the number of squares, z.size, and "
    "so does its gradient. Try the same example twice: the gradient must not double.",
    partial(backward, share=lambda z: 1),
)
backward.mistake(
    "The error was divided by the number of examples only. np.mean runs over examples and outputs: divide by z.size, N "
    "times K.",
    partial(backward, share=len),
)
backward.mistake(
    "The gradients are twice too large. The square brings down a factor 2, and the / 2 of the loss takes it away.",
    partial(backward, share=lambda z: z.size / 2),
)
backward.mistake(
    "The way back through tanh is missing. Multiply the gradient of h by the slope of tanh, 1 - h**2, before you go on "
    "to W1 and b1. Try large weights: tanh is flat there, and W1 hardly matters.",
    partial(backward, slope=np.ones_like),
)
backward.mistake(
    "The slope of tanh was taken at h. h is already the tanh of the sum, so the slope is 1 - h**2, without another "
    "tanh.",
    partial(backward, slope=lambda h: 1 - np.tanh(h) ** 2),
)
backward.mistake(
    "The weights' gradients came out transposed. A gradient has the shape of its weight: W1 is (H, D), so write "
    "g1.T @ x and not x.T @ g1.",
    partial(backward, turn=np.transpose),
)
backward.mistake(
    "On the way back W2 was transposed. Forward it is h @ W2.T, backward g2 @ W2: from K outputs to H neurons. Compare "
    "the shapes (N, K) and (K, H).",
    partial(backward, back=np.transpose),
)
check_backward = backward.check
