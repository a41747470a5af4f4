"""Exercise ``conv_output``: the size of a feature map along one axis."""

import math
from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import output_size

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "conv_output"

CASES = {
    "plain": "a window of 3, and nothing else",
    "padding": "padding that keeps the size",
    "fits": "a stride that fits exactly",
    "half": "a stride that fits up to a half: the first layer of ResNet",
    "quarter": "a stride that fits up to a quarter: the first layer of AlexNet",
    "two thirds": "a stride that fits up to two thirds",
    "dilation": "a window with gaps",
    "single": "a window of one cell, which has no gaps",
    "full": "a window as large as the image",
    "all": "everything at once",
}

MESSAGES = {
    "rounded up": (
        "The division was rounded up. A last step that does not fit is not made, so round down. Try 6 pixels, a "
        "window of 3 and stride 2: it starts at pixels 0 and 2, and starting at 4 it would need a pixel 6."
    ),
    "rounded to nearest": (
        "The division was rounded to the nearest whole number. A step that fits for the larger part still does "
        "not fit, so round down. Try 8 pixels, a window of 3 and stride 3: it starts at pixels 0 and 3, and "
        "starting at 6 it would need a pixel 8."
    ),
    "not rounded": (
        "The division was not rounded. Nobody has half a pixel: a last step that does not fit is not made. "
        "Divide with //, which rounds down."
    ),
    "float": (
        "The number is right, but it is a float, and np.zeros(5.0) is an error. Return an int: divide with //, "
        "or use int()."
    ),
    "one forgotten": (
        "The 1 at the end is missing. The division counts steps, and before its first step the window already "
        "has one place. Try 3 pixels and a window of 3: no step, one place."
    ),
    "one too many": (
        "Every result is too large by 1. The division counts steps, and one place comes on top of them, the place "
        "before the first step. Try 3 pixels and a window of 3: no step, one place."
    ),
    "one too early": (
        "The 1 at the end was added before the division. The division counts steps; the place before the first "
        "step comes on top. Try 3 pixels, a window of 3 and stride 2: no step, one place."
    ),
    "brackets": (
        "The stride divides only a part of the sum. Python divides before it adds, so put everything that "
        "stands above the fraction bar in brackets."
    ),
    "stride ignored": (
        "The stride was not used. Try 5 pixels, a window of 3 and stride 2: it starts at pixels 0 and 2, and "
        "that makes 2 places, not 3."
    ),
    "too short": (
        "The window was counted one pixel too short. It reaches over dilation * (kernel - 1) + 1 pixels: the gaps, "
        "and the cells on both sides of them. Try 3 pixels and a window of 3: it fits once, not twice."
    ),
    "padding once": (
        "The padding was counted once. It is added on both sides, so it counts twice. Try 5 pixels, a window of "
        "3 and padding 1: the map is as large as the image."
    ),
    "padding ignored": (
        "The padding was not used. It makes the image larger, on both sides, before the window starts to slide."
    ),
    "dilation ignored": (
        "The dilation was not used: the window counts with its cells only. With gaps it reaches over "
        "dilation * (kernel - 1) + 1 pixels. Draw 3 cells with dilation 2: cell, gap, cell, gap, cell, 5 pixels."
    ),
    "gap after the last": (
        "The window was counted as dilation * kernel pixels. Gaps lie between cells, and after the last cell "
        "there is none. Draw 3 cells with dilation 2: cell, gap, cell, gap, cell, 5 pixels and not 6."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def conv_output(size: int, kernel: int, stride: int, padding: int, dilation: int) -> int:
    """Do right what the reader is asked to write: count the places of a window along one axis.

    Args:
        size: pixels of the image.
        kernel: cells of the window.
        stride: pixels from one place to the next.
        padding: zeros added at each end.
        dilation: pixels from one cell to the next.

    Returns:
        Pixels of the feature map.
    """
    return output_size(size, kernel, stride, padding, dilation)


def check_conv_output(reader_function: Callable) -> Report:
    """Check the reader's ``conv_output(size, kernel, stride, padding, dilation)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_ARGUMENTS = {
    "plain": (128, 3, 1, 0, 1),
    "padding": (9, 3, 1, 1, 1),
    "fits": (11, 3, 2, 0, 1),
    "half": (224, 7, 2, 3, 1),
    "quarter": (224, 11, 4, 2, 1),
    "two thirds": (17, 4, 3, 2, 1),
    "dilation": (20, 3, 1, 0, 4),
    "single": (10, 1, 2, 0, 3),
    "full": (5, 5, 1, 0, 1),
    "all": (57, 5, 3, 2, 2),
}


def _rest(size, kernel, stride, padding, dilation):
    """Count the pixels over which the window can move."""
    return size + 2 * padding - dilation * (kernel - 1) - 1


def _steps(rounded: Callable) -> Callable:
    """Return the formula with another way of rounding the division."""
    return lambda n, k, s, p, d: rounded(_rest(n, k, s, p, d) / s) + 1


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("rounded up", _steps(math.ceil)),
    ("rounded to nearest", _steps(round)),
    ("rounded to nearest", _steps(lambda steps: round(steps + 1) - 1)),
    ("rounded to nearest", _steps(lambda steps: math.floor(steps + 0.5))),
    ("not rounded", _steps(float)),
    ("float", _steps(lambda steps: float(math.floor(steps)))),
    ("one forgotten", lambda n, k, s, p, d: _rest(n, k, s, p, d) // s),
    ("one too many", lambda n, k, s, p, d: _rest(n, k, s, p, d) // s + 2),
    ("one too early", lambda n, k, s, p, d: (_rest(n, k, s, p, d) + 1) // s),
    ("brackets", lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 // s + 1),
    ("brackets", lambda n, k, s, p, d: n + 2 * p - d * (k - 1) - 1 / s + 1),
    ("brackets", lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) // s + 1),
    ("brackets", lambda n, k, s, p, d: n + 2 * p - (d * (k - 1) + 1) / s + 1),
    ("brackets", lambda n, k, s, p, d: n + 2 * p // s - d * (k - 1) - 1 + 1),
    ("brackets", lambda n, k, s, p, d: n // s + 2 * p - d * (k - 1) - 1 + 1),
    ("stride ignored", lambda n, k, s, p, d: _rest(n, k, 1, p, d) + 1),
    ("too short", lambda n, k, s, p, d: (n + 2 * p - d * (k - 1)) // s + 1),
    ("padding once", lambda n, k, s, p, d: (_rest(n, k, s, p, d) - p) // s + 1),
    ("padding ignored", lambda n, k, s, p, d: _rest(n, k, s, 0, d) // s + 1),
    ("dilation ignored", lambda n, k, s, p, d: _rest(n, k, s, p, 1) // s + 1),
    ("gap after the last", lambda n, k, s, p, d: (n + 2 * p - d * k) // s + 1),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=conv_output,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    whole=True,
)
