"""Exercise ``softmax_cross_entropy``: the loss of logits, for any size of logits."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "softmax_cross_entropy"

CASES = {
    "plain": "five examples of three classes",
    "many": "more classes than examples",
    "one": "a single example",
    "equal": "logits that are all alike",
    "large": "logits of about 1000",
    "certain": "certain and wrong: the right class has a chance too small for a computer",
}

MESSAGES = {
    "overflow": (
        "The exponential of 1000 is too large for a computer, and infinity divided by infinity is no number. Take the "
        "largest logit of each row away before np.exp; the chances stay the same. Try [[1000.0, 999.0]]."
    ),
    "log of zero": (
        "A chance became exactly 0, and its logarithm is minus infinity. Write the logarithm of the fraction as a "
        "difference: log(sum of exp) minus the right logit. Try [[1000.0, 0.0]] with class 1: the loss is 1000."
    ),
    "sum": (
        "The losses were added up. Return their mean: otherwise twice as many examples have twice the loss, and the "
        "learning rate would have to follow."
    ),
    "off by one": (
        "The classes were counted from 1. Here they start at 0, so the right logit is logits[i, y[i]]. With y - 1, "
        "class 0 becomes the index -1, which Python takes as the last one."
    ),
    "axis": (
        "The softmax was taken over the examples. The chances of one example sum to 1: use axis=1, with "
        "keepdims=True. Try a single example: each of its chances would be 1."
    ),
    "sign": "The sign is missing. The logarithm of a chance is negative, and the loss is its opposite: 0 at best.",
    "over classes": (
        "The mean was taken over examples and classes. Only the right class of each example has a loss, so divide by "
        "the number of examples, N, and not by N * K."
    ),
}


def softmax_cross_entropy(logits: np.ndarray, y: np.ndarray) -> float:
    """Do right what the reader is asked to write: the mean of -log(softmax(logits)[y]).

    Args:
        logits: shape (N, K).
        y: right classes, integers, shape (N,).
    """
    return float(_losses(logits, y).mean())


def check_softmax_cross_entropy(reader_function: Callable) -> Report:
    """Check the reader's ``softmax_cross_entropy(logits, y)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _losses(logits, y, axis=1):
    shifted = logits - logits.max(axis=axis, keepdims=True)
    return (np.log(np.exp(shifted).sum(axis=axis, keepdims=True)) - shifted)[np.arange(len(y)), y]


def _naive(logits, y):
    powers = np.exp(logits)
    return -np.log((powers / powers.sum(axis=1, keepdims=True))[np.arange(len(y)), y]).mean()


def _through_zero(logits, y):
    return _naive(logits - logits.max(axis=1, keepdims=True), y)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(5)
    given = {
        "plain": (rng.normal(size=(5, 3)), np.array([2, 0, 1, 0, 2])),
        "many": (rng.normal(size=(2, 6)), np.array([5, 0])),
        "one": (rng.normal(size=(1, 4)), np.array([0])),
        "equal": (np.full((3, 4), 0.7), np.array([3, 0, 1])),
        "large": (1000 + rng.normal(size=(4, 3)), np.array([0, 1, 2, 0])),
        "certain": (np.array([[1000.0, 0], [0, 2]]), np.array([1, 1])),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


_WRONG = (
    ("overflow", _naive),
    ("log of zero", _through_zero),
    ("sum", lambda logits, y: _losses(logits, y).sum()),
    ("off by one", lambda logits, y: _losses(logits, y - 1).mean()),
    ("axis", lambda logits, y: _losses(logits, y, axis=0).mean()),
    ("sign", lambda logits, y: -_losses(logits, y).mean()),
    ("over classes", lambda logits, y: _losses(logits, y).sum() / logits.size),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=softmax_cross_entropy,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
