"""Exercise ``compose``: one kernel that does what two do, one after the other."""

from collections.abc import Callable

import numpy as np
from scipy.signal import convolve2d, correlate2d

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "compose"

CASES = {
    "two": "two kernels of 3 x 3",
    "shifts": "two kernels that only shift",
    "edges": "a blur, then a difference",
    "sizes": "kernels of different sizes",
    "row": "a row, then a column",
    "single": "a kernel of a single number",
}

MESSAGES = {
    "flipped": (
        "One of the kernels was flipped. Position a of the first and b of the second look at pixel a + b together, so "
        "both count in the same direction: out[a + b] += k1[a] * k2[b]. Try [[1, 0]] and [[0, 1]]: [[0, 1, 0]]."
    ),
    "turned": (
        "The result is turned by 180 degrees. A layer does not flip its kernels, so nothing is flipped here. Try "
        "[[1, 0]] twice: [[1, 0, 0]] comes out, not [[0, 0, 1]]."
    ),
    "cut": (
        "The rim of the kernel was cut off. Two windows of 3 see 5 pixels together: 3 + 3 - 1. The result has k1's "
        "size plus k2's size minus 1, on each side."
    ),
    "place by place": (
        "The kernels were multiplied place by place. That pairs each number with one only; each number of the first "
        "kernel meets each number of the second. Try [[1, 1]] twice: [[1, 2, 1]]."
    ),
    "matrix product": (
        "This is the matrix product. Kernels are windows that slide, not matrices that act on vectors. Add up "
        "k1[a] * k2[b] at the place a + b. Try [[1, 1]] twice: [[1, 2, 1]]."
    ),
}


def compose(k1: np.ndarray, k2: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: the kernel that acts as ``k1`` and then ``k2``, without padding.

    Args:
        k1: (h, w), of the first layer.
        k2: (m, n), of the second.

    Returns:
        (h + m - 1, w + n - 1).
    """
    return convolve2d(k1, k2)


def check_compose(reader_function: Callable) -> Report:
    """Check the reader's ``compose(k1, k2)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(10)
    shift, other = np.zeros((3, 3)), np.zeros((3, 3))
    shift[0, 1], other[1, 0] = 1, 2
    given = {
        "two": (rng.normal(size=(3, 3)), rng.normal(size=(3, 3))),
        "shifts": (shift, other),
        "edges": (np.array([[1.0, 2.0, 1.0]]) / 4, np.array([[-1.0, 0.0, 3.0]])),
        "sizes": (rng.normal(size=(3, 5)), rng.normal(size=(5, 3))),
        "row": (np.array([[1.0, 2.0, 4.0]]), np.array([[3.0], [5.0], [-1.0]])),
        "single": (rng.normal(size=(3, 3)), np.array([[2.0]])),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


def _written(k1, k2):
    """Return the same sizes as the right answer, flipped as a correlation of the kernels flips it."""
    return correlate2d(k2, k1)


_WRONG = (
    ("flipped", correlate2d),
    ("flipped", _written),
    ("turned", lambda k1, k2: convolve2d(k1, k2)[::-1, ::-1]),
    ("cut", lambda k1, k2: convolve2d(k1, k2, mode="same")),
    ("cut", lambda k1, k2: convolve2d(k1, k2, mode="valid")),
    ("place by place", lambda k1, k2: k1 * k2),
    ("matrix product", lambda k1, k2: k1 @ k2),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=compose,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
