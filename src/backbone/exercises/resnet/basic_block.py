"""Exercise ``basic_block``: add the shortcut, then ReLU, and leave what was given as it was."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "basic_block"

CASES = {
    "same": "one shape in and out",
    "strided": "stride 2 and twice the channels",
    "flat": "stride 2, a map that is wider than high",
    "odd": "stride 2 on sides that are odd",
    "single": "one picture, one shape in and out",
    "keep x": "what became of x",
    "keep y": "what became of y",
}

MESSAGES = {
    "relu first": (
        "ReLU came before the addition. Then a block can only add, never take away: the branch would have no negative "
        "numbers. Add first, then cut at 0. Try x = 1 and y = -3: 0 comes out, not 1."
    ),
    "no relu": (
        "The last ReLU is missing. In the block of 2015 it follows the addition. Try x = 1 and y = -3: 0 comes out, "
        "not -2."
    ),
    "no shortcut": (
        "There is no shortcut: only ReLU of y came out. That is the plain block. Add x first. Try x = 1 and y = 2: 3 "
        "comes out."
    ),
    "none at stride 2": (
        "Where the shapes differ the shortcut was left out. It stays there, too: every other row and column of x, and "
        "zeros for the new channels."
    ),
    "shapes": (
        "The input was added as it is. At stride 2 the shapes differ: take every other row and column, add zeros for "
        "the new channels."
    ),
    "zeros first": (
        "The new channels were put in front. The first channels of y belong to those of x; the zeros come behind them."
    ),
    "averaged": (
        "Squares of four pixels were averaged. Option A of the paper takes every other pixel, the first one first: "
        "x[:, :, ::2, ::2]."
    ),
    "in place": (
        "An input was rewritten: += writes into the array that was given. A shortcut, a probe or the way back that "
        "still needs it finds other numbers there. Write x + y, which makes a new array."
    ),
}


def basic_block(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: ReLU of y plus the shortcut of x, option A.

    Args:
        x: what goes into the block (N, C, H, W).
        y: what the second normalization gives: as x, or (N, 2 C, ceil(H / 2), ceil(W / 2)).
    """
    return _relu(y + _shortcut(x, y))


def check_basic_block(reader_function: Callable) -> Report:
    """Check the reader's ``basic_block(x, y)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _relu(z):
    return np.maximum(z, 0)


def _shortcut(x, y, *, zeros_first=False, taken=lambda x: x[:, :, ::2, ::2]):
    if x.shape == y.shape:
        return x
    new = y.shape[1] - x.shape[1]
    return np.pad(taken(x), ((0, 0), (new, 0) if zeros_first else (0, new), (0, 0), (0, 0)))


OUTPUT, X_AFTERWARDS, Y_AFTERWARDS = range(3)


def _watched(asked: int) -> Callable:
    """Return a measure that calls the function on copies and answers with what came out, or with a copy afterwards."""

    def ask(function, x, y):
        x, y = x.copy(), y.copy()
        answer = function(x, y)
        return None if answer is None else (answer, x, y)[asked]

    return ask


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(23)
    shapes = {
        "same": ((2, 3, 4, 5), (2, 3, 4, 5), OUTPUT),
        "strided": ((2, 3, 6, 6), (2, 6, 3, 3), OUTPUT),
        "flat": ((1, 2, 4, 8), (1, 4, 2, 4), OUTPUT),
        "odd": ((2, 2, 5, 7), (2, 4, 3, 4), OUTPUT),
        "single": ((1, 4, 3, 3), (1, 4, 3, 3), OUTPUT),
        "keep x": ((2, 3, 3, 3), (2, 3, 3, 3), X_AFTERWARDS),
        "keep y": ((2, 3, 3, 3), (2, 3, 3, 3), Y_AFTERWARDS),
    }
    return tuple(
        Case(CASES[name], (np.abs(rng.normal(size=x)), rng.normal(size=y) - 0.3), _watched(asked))
        for name, (x, y, asked) in shapes.items()
    )


def _averaged(x):
    x = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)), mode="edge")
    return (x[:, :, ::2, ::2] + x[:, :, 1::2, ::2] + x[:, :, ::2, 1::2] + x[:, :, 1::2, 1::2]) / 4


def _into_x(x, y):
    if x.shape != y.shape:
        return basic_block(x, y)
    x += y
    return _relu(x)


def _into_y(x, y):
    y += _shortcut(x, y)
    return _relu(y)


_WRONG = (
    ("relu first", lambda x, y: _relu(y) + _shortcut(x, y)),
    ("no relu", lambda x, y: y + _shortcut(x, y)),
    ("no shortcut", lambda x, y: _relu(y)),
    ("none at stride 2", lambda x, y: _relu(x + y if x.shape == y.shape else y)),
    ("shapes", lambda x, y: _relu(x + y)),
    ("zeros first", lambda x, y: _relu(y + _shortcut(x, y, zeros_first=True))),
    ("averaged", lambda x, y: _relu(y + _shortcut(x, y, taken=_averaged))),
    ("in place", _into_x),
    ("in place", _into_y),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=basic_block,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
