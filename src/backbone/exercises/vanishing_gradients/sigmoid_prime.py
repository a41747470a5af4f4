"""Exercise ``sigmoid_prime``: the slope of the sigmoid, near zero and far away on both sides."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "sigmoid_prime"

CASES = {
    "zero": "at 0",
    "around": "from -3 to 3",
    "left": "far on the left",
    "right": "far on the right",
    "matrix": "a matrix",
    "extreme": "at -1000 and 1000, where exp overflows",
}

MESSAGES = {
    "falls": (
        "Your slope goes to 0 on the right only. The sigmoid is flat on both sides: its slope is the product of "
        "sigmoid(z) and 1 - sigmoid(z), and each of them goes to 0 on one side. Try -5 and 5: the slopes are equal."
    ),
    "rises": (
        "Your slope goes to 0 on the left only: that is the sigmoid itself. Its slope needs the second factor, "
        "1 - sigmoid(z). Try 5, where the curve is flat."
    ),
    "of the value": (
        "You took z for a value of the sigmoid already: z * (1 - z). Here z is what goes into it, so compute "
        "sigmoid(z) first. Try 0: the slope there is 1/4."
    ),
    "lost digits": (
        "Far on the right your slope is exactly 0: from z = 37 on, a computer's 1 - sigmoid(z) has no digits left. "
        "sigmoid(-z) is the same number and keeps them. Try 40: the slope is 4e-18."
    ),
    "overflow": (
        "The exponential became infinite, and infinity divided by infinity is no number. Write the slope as a product "
        "of two sigmoids instead of a fraction with a square. Try -1000: the slope is 0."
    ),
}


def sigmoid_prime(z: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: the slope of 1 / (1 + exp(-z)) at each number, of z's shape."""
    return expit(z) * expit(-z)


def check_sigmoid_prime(reader_function: Callable) -> Report:
    """Check the reader's ``sigmoid_prime(z)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    given = {
        "zero": [0.0],
        "around": np.linspace(-3, 3, 7),
        "left": [-40.0, -30.0],
        "right": [30.0, 40.0],
        "matrix": np.random.default_rng(5).normal(size=(2, 3)),
        "extreme": [-1000.0, 1000.0],
    }
    return tuple(Case(CASES[name], (np.array(z),)) for name, z in given.items())


def _as_a_fraction(z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2


def _as_the_other_fraction(z):
    return np.exp(z) / (1 + np.exp(z)) ** 2


_WRONG = (
    ("falls", lambda z: expit(-z)),
    ("falls", lambda z: 1 - expit(z)),
    ("rises", expit),
    ("of the value", lambda z: z * (1 - z)),
    ("lost digits", lambda z: expit(z) * (1 - expit(z))),
    ("overflow", _as_a_fraction),
    ("overflow", _as_the_other_fraction),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=sigmoid_prime,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=1e-3,  # of the largest slope of a case, so that the far ones count; a float32 gives these digits too
    atol=0,
)
