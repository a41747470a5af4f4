"""Exercise ``backward``: the four gradients of a network with one hidden layer."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "backward"

CASES = {
    "small": "six examples, other sizes in each layer",
    "single": "one example and one output",
    "wide": "more hidden neurons than examples",
    "square": "the same size in every layer",
    "bent": "large weights, where tanh is nearly flat",
}

MESSAGES = {
    "no mean": (
        "The mean was left out: the gradients are those of a sum. The loss divides by the number of squares, z.size, "
        "and so does its gradient. Try the same example twice: the gradient must not double."
    ),
    "by examples": (
        "The error was divided by the number of examples only. np.mean runs over examples and outputs: divide by "
        "z.size, N times K."
    ),
    "factor": (
        "The gradients are twice too large. The square brings down a factor 2, and the / 2 of the loss takes it away."
    ),
    "no slope": (
        "The way back through tanh is missing. Multiply the gradient of h by the slope of tanh, 1 - h**2, before you "
        "go on to W1 and b1. Try large weights: tanh is flat there, and W1 hardly matters."
    ),
    "slope of h": (
        "The slope of tanh was taken at h. h is already the tanh of the sum, so the slope is 1 - h**2, without another "
        "tanh."
    ),
    "transposed": (
        "The weights' gradients came out transposed. A gradient has the shape of its weight: W1 is (H, D), so write "
        "g1.T @ x and not x.T @ g1."
    ),
    "wrong way": (
        "On the way back W2 was transposed. Forward it is h @ W2.T, backward g2 @ W2: from K outputs to H neurons. "
        "Compare the shapes (N, K) and (K, H)."
    ),
}


def backward(
    x: np.ndarray, W1: np.ndarray, b1: np.ndarray, W2: np.ndarray, b2: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: the gradients of W1, b1, W2, b2, each of its parameter's shape.

    Args:
        x: examples, (N, D).
        W1: weights of the hidden layer, (H, D), which tanh follows.
        b1: its biases, (H,).
        W2: weights of the output layer, (K, H).
        b2: its biases, (K,).
        y: what should come out, (N, K). The loss is mean((z - y)**2) / 2.
    """
    return _walk(x, W1, b1, W2, b2, y)


def check_backward(reader_function: Callable) -> Report:
    """Check the reader's ``backward(x, W1, b1, W2, b2, y)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _walk(x, W1, b1, W2, b2, y, share=lambda z: z.size, back=lambda W: W, slope=lambda h: 1 - h**2, turn=lambda g: g):
    """Walk back through the network; the keywords are the places where it goes wrong."""
    h = np.tanh(x @ W1.T + b1)
    z = h @ W2.T + b2
    g2 = (z - y) / share(z)
    g1 = (g2 @ back(W2)) * slope(h)
    return turn(g1.T @ x), g1.sum(axis=0), turn(g2.T @ h), g2.sum(axis=0)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(11)
    sizes = {"small": (6, 3, 4, 2), "single": (1, 2, 3, 1), "wide": (3, 2, 5, 4), "square": (4, 3, 3, 3)}
    cases = []
    for name, (n, d, hidden, k) in (sizes | {"bent": (5, 2, 3, 2)}).items():
        scale = 2 if name == "bent" else 1
        shapes = [(n, d), (hidden, d), hidden, (k, hidden), k, (n, k)]
        x, W1, b1, W2, b2, y = (rng.normal(size=shape) for shape in shapes)
        cases.append(Case(CASES[name], (x, scale * W1, b1, W2, b2, y)))
    return tuple(cases)


_WRONG = (
    ("no mean", {"share": lambda z: 1}),
    ("by examples", {"share": len}),
    ("factor", {"share": lambda z: z.size / 2}),
    ("no slope", {"slope": np.ones_like}),
    ("slope of h", {"slope": lambda h: 1 - np.tanh(h) ** 2}),
    ("transposed", {"turn": np.transpose}),
    ("wrong way", {"back": np.transpose}),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=backward,
    cases=_cases(),
    misconceptions=tuple(
        Misconception(lambda *arguments, change=change: _walk(*arguments, **change), MESSAGES[name])
        for name, change in _WRONG
    ),
)
