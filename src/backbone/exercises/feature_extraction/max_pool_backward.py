"""Exercise ``max_pool_backward``: where the gradient of max pooling goes."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import avg_pool2d_backward, max_pool2d_backward

TITLE = "max_pool_backward"
CASES = {
    "square": "a 4 x 4 map",
    "wide": "a map that is wider than high",
    "negative": "a map of negative numbers",
    "ties": "windows in which the largest number stands twice",
}
MESSAGES = {
    "average": (
        "The gradient was shared out. That is average pooling. Only the largest input moved the output: "
        "with the window 1, 2, 3, 9 and a gradient of 1, the 9 gets 1 and the others 0."
    ),
    "all": "Every input of a window got the whole gradient. Only the largest one gets it; the other three get 0.",
    "ties": (
        "Where the largest number stands twice in a window, both got the gradient. It goes to one of them, the first "
        "in reading order, as PyTorch has it: what comes back must sum to what came in."
    ),
    "last": (
        "Where the largest number stands twice in a window, the last one got the gradient. It goes to the first in "
        "reading order: `argmax` finds that one."
    ),
    "value": "The input was multiplied in. Max pooling hands a number on as it is, so its slope is 1.",
    "ones": "The winners got 1. They get the gradient that came back to their window, which need not be 1.",
}


def max_pool_backward(x: np.ndarray, grad: np.ndarray) -> np.ndarray:
    """Pass ``grad`` (H / 2, W / 2) back through max pooling of ``x`` (H, W) by 2 x 2: the right answer."""
    return max_pool2d_backward(grad[None, None], x[None, None], 2)[0, 0]


def check_max_pool_backward(reader_function: Callable) -> Report:
    """Check the reader's ``max_pool_backward(x, grad)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(3)
    tied = np.array([[2.0, 2, 1, 0], [2, 0, 5, 5], [0, 3, 4, 4], [3, 1, 4, 4]])
    return (
        Case(CASES["square"], (rng.normal(size=(4, 4)), rng.normal(size=(2, 2)))),
        Case(CASES["wide"], (rng.normal(size=(2, 6)), rng.normal(size=(1, 3)))),
        Case(CASES["negative"], (-1 - rng.random((4, 4)), rng.normal(size=(2, 2)))),
        Case(CASES["ties"], (tied, np.array([[1.0, 2], [3, 4]]))),
    )


def _spread(grad: np.ndarray) -> np.ndarray:
    return grad.repeat(2, axis=0).repeat(2, axis=1)


def _winners(x: np.ndarray) -> np.ndarray:
    """Mark every place that holds the largest number of its window."""
    height, width = x.shape
    return x == _spread(x.reshape(height // 2, 2, width // 2, 2).max(axis=(1, 3)))


_WRONG = (
    ("average", lambda x, grad: avg_pool2d_backward(grad[None, None], (1, 1, *x.shape), 2)[0, 0]),
    ("all", lambda x, grad: _spread(grad)),
    ("ties", lambda x, grad: _spread(grad) * _winners(x)),
    ("last", lambda x, grad: max_pool_backward(x[::-1, ::-1], grad[::-1, ::-1])[::-1, ::-1]),
    ("value", lambda x, grad: max_pool_backward(x, grad) * x),
    ("ones", lambda x, grad: max_pool_backward(x, np.ones_like(grad))),
)
EXERCISE = Exercise(
    title=TITLE,
    reference=max_pool_backward,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
