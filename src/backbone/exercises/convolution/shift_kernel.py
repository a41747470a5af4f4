"""Exercise ``shift_kernel``: design a kernel that moves the picture by one pixel."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "shift_kernel"

CASES = {
    "still": "the picture stays",
    "down": "the picture moves down",
    "up": "the picture moves up",
    "right": "the picture moves right",
    "left": "the picture moves left",
    "down and right": "the picture moves down and right",
    "down and left": "the picture moves down and left",
    "up and right": "the picture moves up and right",
    "up and left": "the picture moves up and left",
}

MESSAGES = {
    "opposite": (
        "The picture moves the opposite way. Each output pixel fetches what lies under the 1 of the kernel. To "
        "move the picture down, fetch from above: the 1 stands in the top row."
    ),
    "rows opposite": (
        "Left and right are as they should be, up and down are exchanged. Each output pixel fetches what lies "
        "under the 1. To move the picture down, fetch from above: the 1 stands in the top row."
    ),
    "columns opposite": (
        "Up and down are as they should be, left and right are exchanged. Each output pixel fetches what lies "
        "under the 1. To move the picture right, fetch from the left: the 1 stands in the left column."
    ),
    "swapped": (
        "Rows and columns were swapped. The first index of an array counts rows, from the top, the second "
        "columns, from the left."
    ),
    "swapped and opposite": (
        "Rows and columns were swapped, and the direction is opposite as well. The first index of an array "
        "counts rows. To move the picture down, fetch from above: the 1 stands in the top row."
    ),
    "not the center": (
        "The picture moves although rows and columns are 0. Indices count from the corner: the center of the "
        "kernel, which leaves a pixel where it is, is kernel[1, 1]."
    ),
    "two ones": (
        "The kernel has more than one 1. Each 1 makes a copy of the picture, and the copies are added. A move "
        "down and right is one step to one place, so it takes a single 1."
    ),
    "a line of ones": (
        "The kernel has a whole row or column of ones. Each 1 makes a copy of the picture, and the copies are "
        "added: that blurs. Set one cell, with kernel[i, j] = 1."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def shift_kernel(rows: int, columns: int) -> np.ndarray:
    """Do right what the reader is asked to write: let each output pixel fetch the pixel it is to show.

    ``out[i, j] = sum over u, v of kernel[u, v] * image[i + u - 1, j + v - 1]`` has to be
    ``image[i - rows, j - columns]``, so the 1 stands at u = 1 - rows, v = 1 - columns.

    Args:
        rows: how far the picture moves down, -1, 0 or 1.
        columns: how far it moves right, -1, 0 or 1.

    Returns:
        Kernel of shape (3, 3), for cross-correlation with padding 1.
    """
    return _ones((1 - rows, 1 - columns))


def check_shift_kernel(reader_function: Callable) -> Report:
    """Check the reader's ``shift_kernel(rows, columns)`` for all nine moves."""
    return check(EXERCISE, reader_function)


_ARGUMENTS = {
    "still": (0, 0),
    "down": (1, 0),
    "up": (-1, 0),
    "right": (0, 1),
    "left": (0, -1),
    "down and right": (1, 1),
    "down and left": (1, -1),
    "up and right": (-1, 1),
    "up and left": (-1, -1),
}


def _ones(*places) -> np.ndarray:
    """Return a 3x3 kernel with ones at these indices, negative ones counting from the end."""
    kernel = np.zeros((3, 3))
    for place in places:
        kernel[place] = 1
    return kernel


def _two_steps(r, c):
    """Set a 1 for each direction in which the picture moves, and one in the center if it does not."""
    return _ones(*({(1 - r, 1) if r else (1, 1 - c), (1, 1 - c) if c else (1 - r, 1)}))


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("opposite", lambda r, c: _ones((1 + r, 1 + c))),
    ("rows opposite", lambda r, c: _ones((1 + r, 1 - c))),
    ("columns opposite", lambda r, c: _ones((1 - r, 1 + c))),
    ("swapped", lambda r, c: _ones((1 - c, 1 - r))),
    ("swapped and opposite", lambda r, c: _ones((1 + c, 1 + r))),
    ("not the center", lambda r, c: _ones((r, c))),
    ("not the center", lambda r, c: _ones((-r, -c))),
    ("two ones", _two_steps),
    ("two ones", lambda r, c: _two_steps(-r, -c)),
    ("two ones", lambda r, c: _ones((1 - r, 1), (1, 1 - c))),
    ("two ones", lambda r, c: _ones((1 + r, 1), (1, 1 + c))),
    ("two ones", lambda r, c: _ones((1 - r, 1 - c), (1, 1))),
    ("two ones", lambda r, c: _ones((1 + r, 1 + c), (1, 1))),
    ("a line of ones", lambda r, c: _ones(1 - r)),
    ("a line of ones", lambda r, c: _ones((slice(None), 1 - c))),
    ("a line of ones", lambda r, c: _ones(1 - r, (slice(None), 1 - c))),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=shift_kernel,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
