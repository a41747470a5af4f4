"""Exercise ``interval``: what an accuracy on n pictures can tell."""

import math
from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "large": "860 of 1,000",
    "larger": "the same share of 10,000",
    "few": "the same share of 50",
    "half": "half of 400",
    "all": "all of 20",
}

MESSAGES = {
    "no n": (
        "The width does not depend on n. More pictures have to make the interval narrower: divide p (1 - p) by n "
        "before you take the root. Try 860 of 1,000 and 8,600 of 10,000: the second is narrower by the root of ten."
    ),
    "no root": (
        "The root is missing. p (1 - p) / n is the variance; its square root has the unit of a share. "
        "Try 200 of 400: the half width is 1.96 x 0.025 = 0.049."
    ),
    "n outside": (
        "Your n stands outside the root. The width shrinks with the root of n, not with n: four times the pictures "
        "halve it. Try 200 of 400: the half width is 1.96 x 0.025 = 0.049."
    ),
    "one sigma": (
        "The factor 1.96 is missing. One standard error to each side holds the true share about 68 times in 100; "
        "1.96 of them make it 95. Try 200 of 400: the interval goes from 0.451 to 0.549."
    ),
    "n minus hits": (
        "You multiply p by something other than 1 - p. The spread is largest at one half and 0 at both ends. "
        "Try 200 of 400: p (1 - p) is 0.25."
    ),
}


def interval(correct: int, n: int) -> tuple[float, float]:
    """Return p - h and p + h with p = correct / n and h = 1.96 sqrt(p (1 - p) / n)."""
    return _around(correct, n, lambda p: 1.96 * math.sqrt(p * (1 - p) / n))


def check_interval(reader_function: Callable) -> Report:
    """Check the reader's ``interval(correct, n)``."""
    return check(EXERCISE, reader_function)


def _around(correct, n, half):
    p = correct / n
    return p - half(p), p + half(p)


_WRONG = (
    ("no n", lambda c, n: _around(c, n, lambda p: 1.96 * math.sqrt(p * (1 - p)))),
    ("no n", lambda c, n: _around(c, n, lambda p: 1.96 * p * (1 - p))),
    ("no root", lambda c, n: _around(c, n, lambda p: 1.96 * p * (1 - p) / n)),
    ("n outside", lambda c, n: _around(c, n, lambda p: 1.96 * math.sqrt(p * (1 - p)) / n)),
    ("one sigma", lambda c, n: _around(c, n, lambda p: math.sqrt(p * (1 - p) / n))),
    ("n minus hits", lambda c, n: _around(c, n, lambda p: 1.96 * math.sqrt(p / n))),
    ("n minus hits", lambda c, n: _around(c, n, lambda p: 1.96 * math.sqrt(p * p / n))),
)

_ARGUMENTS = {
    "large": (860, 1000),
    "larger": (8600, 10_000),
    "few": (43, 50),
    "half": (200, 400),
    "all": (20, 20),
}
EXERCISE = Exercise(
    title="interval",
    reference=interval,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
