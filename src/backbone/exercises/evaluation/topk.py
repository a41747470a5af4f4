"""Exercise ``topk``: how often the true class is among the k best."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "three": "three pictures, k = 1",
    "two best": "the same, k = 2",
    "forty": "forty pictures, k = 1",
    "forty, 3": "forty pictures, k = 3",
    "forty, 5": "forty pictures, k = 5",
    "equal": "equal logits",
}
MESSAGES = {
    "axis": (
        "You sort along the pictures. The classes of one picture compete with each other, so sort along axis 1. "
        "Try logits [[3, 1], [9, 8]]: the first picture's best class is 0, whatever the second one scores."
    ),
    "smallest": (
        "You take the k smallest logits. argsort sorts upwards, so the best classes stand at the end. "
        "Try logits [[1, 5]] with y = [1] and k = 1: the answer is 1."
    ),
    "kth only": (
        "Your function asks whether the true class stands at place k. It may stand at any place from 1 to k. "
        "Try logits [[1, 5]] with y = [1] and k = 2: the answer is 1."
    ),
    "first only": (
        "Your function looks only at the best class, whatever k is: that is top-1. "
        "Try logits [[1, 5]] with y = [0] and k = 2: the answer is 1."
    ),
    "ties": (
        "Equal logits count for the network, or by the order of the classes. Here a class that scores exactly as "
        "much as the true one stands before it. Try logits [[0, 0]] with k = 1: the answer is 0 for either y."
    ),
    "sum": "You return how many pictures are right. Divide by their number: the answer is a share.",
}


def topk(logits: np.ndarray, y: np.ndarray, k: int) -> float:
    """Return the share of rows of logits (N, K) whose class y (N,) is among the k largest; ties count against it."""
    own = logits[np.arange(len(y)), y][:, None]
    return float(np.mean((logits >= own).sum(axis=1) <= k))


def check_topk(reader_function: Callable) -> Report:
    """Check the reader's ``topk(logits, y, k)``."""
    return check(EXERCISE, reader_function)


def _by_order(logits, y, k, axis=1, sign=-1, first=0):
    order = np.argsort(sign * logits, axis=axis, kind="stable")
    return float(np.mean((order[:, first:k] == y[:, None]).any(axis=1)))


def _last(logits, y, k, axis=1):
    return float(np.mean((np.argsort(logits, axis=axis)[:, -k:] == y[:, None]).any(axis=1)))


def _in_favor(logits, y, k):
    return float(np.mean((logits > logits[np.arange(len(y)), y][:, None]).sum(axis=1) < k))


_WRONG = (
    ("axis", lambda logits, y, k: _by_order(logits, y, k, axis=0)),
    ("axis", lambda logits, y, k: _last(logits, y, k, axis=0)),
    ("smallest", lambda logits, y, k: _by_order(logits, y, k, sign=1)),
    ("smallest", lambda logits, y, k: 1 - topk(logits, y, logits.shape[1] - k) if k < logits.shape[1] else 1.0),
    ("kth only", lambda logits, y, k: _by_order(logits, y, k, first=k - 1)),
    ("first only", lambda logits, y, k: _by_order(logits, y, 1)),
    ("first only", lambda logits, y, k: topk(logits, y, 1)),
    ("ties", _by_order),
    ("ties", _last),
    ("ties", _in_favor),
    ("sum", lambda logits, y, k: len(y) * topk(logits, y, k)),
)

_SMALL = np.array([[3.0, 1, 2], [0, 5, 4], [1, 2, 0]]), np.array([0, 2, 0])
_RNG = np.random.default_rng(5)
_LOGITS, _Y = _RNG.normal(size=(40, 6)), _RNG.integers(0, 6, 40)
_ARGUMENTS = {
    "three": (*_SMALL, 1),
    "two best": (*_SMALL, 2),
    "forty": (_LOGITS, _Y, 1),
    "forty, 3": (_LOGITS, _Y, 3),
    "forty, 5": (_LOGITS, _Y, 5),
    "equal": (np.zeros((4, 3)), np.array([0, 1, 2, 0]), 2),
}

EXERCISE = Exercise(
    title="topk",
    reference=topk,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
