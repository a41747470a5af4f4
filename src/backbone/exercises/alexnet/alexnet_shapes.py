"""Exercise ``alexnet_shapes``: the sides of AlexNet's maps, and why 224 does not give 55."""

import math
from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "alexnet_shapes"

CASES = {
    "padded": "224 pixels with a padding of 2, as in PyTorch",
    "larger": "227 pixels without padding",
    "printed": "224 pixels without padding, as the paper prints",
    "double": "pictures twice as large",
    "whole": "the 256 pixels before cropping",
    "between": "a padding of 1",
}

MESSAGES = {
    "rounded up": (
        "The division of the first layer was rounded up. A last step that does not fit is not made. Only rounded up, "
        "224 pixels without padding would give 55: 213 / 4 + 1 is 54.25."
    ),
    "rounded up everywhere": (
        "The divisions were rounded up, those of the pooling too. A last step that does not fit is not made: 213 / 4 + "
        "1 is 54.25, and 54 places remain."
    ),
    "padding ignored": "The padding was not used. It makes the picture larger on both sides: 224 becomes 228.",
    "padding once": "The padding was counted once. It is added on both sides, so 224 pixels become 228, not 226.",
    "halved": (
        "The pooling was taken for one of 2 x 2, which halves. Its window is 3 wide, at stride 2. From 55 both make "
        "27; from 54 a window of 2 makes 27, one of 3 only 26."
    ),
    "one forgotten": (
        "The 1 at the end is missing. The division counts steps, and before its first step the window already has one "
        "place. Try 11 pixels and a window of 11."
    ),
    "second": (
        "The second convolution was given no padding. It has 2 on each side, so its windows of 5 keep the size, as the "
        "windows of 3 with a padding of 1 do."
    ),
    "two poolings": (
        "The last number is the side before the third pooling. AlexNet pools after its first, second and fifth "
        "convolution. Nothing changes the side between the last two of these."
    ),
}


def alexnet_shapes(size: int, padding: int) -> tuple[int, int, int, int]:
    """Do right what the reader is asked to write: the sides after the first convolution and after each pooling.

    Args:
        size: side of the picture, in pixels.
        padding: zeros at each side of the picture, in the first convolution.
    """
    return _sides(size, padding)


def check_alexnet_shapes(reader_function: Callable) -> Report:
    """Check the reader's ``alexnet_shapes(size, padding)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_ARGUMENTS = {
    "padded": (224, 2),
    "larger": (227, 0),
    "printed": (224, 0),
    "double": (448, 2),
    "whole": (256, 0),
    "between": (230, 1),
}


def _floor(size, window, stride):
    return (size - window) // stride + 1


def _ceiling(size, window, stride):
    return math.ceil((size - window) / stride) + 1


def _sides(size, padding, first=_floor, pool=lambda side: _floor(side, 3, 2), second=lambda side: side):
    """Return the four sides; what may go wrong is passed in."""
    conv1 = first(size + 2 * padding, 11, 4)
    pool1 = pool(conv1)
    pool2 = pool(second(pool1))
    return conv1, pool1, pool2, pool(pool2)


def _without_one(size, padding):
    return _sides(size, padding, lambda n, k, s: (n - k) // s, lambda side: (side - 3) // 2)


def _rounded_up_everywhere(size, padding):
    return _sides(size, padding, _ceiling, lambda side: _ceiling(side, 3, 2))


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("rounded up", lambda size, padding: _sides(size, padding, _ceiling)),
    ("rounded up everywhere", _rounded_up_everywhere),
    ("padding ignored", lambda size, padding: _sides(size, 0)),
    ("padding once", lambda size, padding: _sides(size + padding, 0)),
    ("halved", lambda size, padding: _sides(size, padding, pool=lambda side: side // 2)),
    ("one forgotten", _without_one),
    ("one forgotten", lambda size, padding: _sides(size, padding, lambda n, k, s: (n - k) // s)),
    ("second", lambda size, padding: _sides(size, padding, second=lambda side: side - 4)),
    ("two poolings", lambda size, padding: (*_sides(size, padding)[:3], _sides(size, padding)[2])),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=alexnet_shapes,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
)
