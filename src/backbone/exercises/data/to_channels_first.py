"""Exercise ``to_channels_first``: from a picture file's layout and range to a network's."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "high": "a picture that is higher than wide",
    "wide": "a picture that is wider than high",
    "square": "a square picture",
    "bright": "a picture that is white everywhere",
}

MESSAGES = {
    "reshaped": (
        "The numbers were laid out anew with reshape, which keeps their order in memory and mixes the colors. Axes are "
        "exchanged by transpose: picture.transpose(2, 0, 1). Try a picture that is red everywhere."
    ),
    "turned": (
        "Rows and columns changed places: .T reverses all three axes. Only the channels move to the front: "
        "transpose(2, 0, 1). Try a picture of shape (2, 5, 3)."
    ),
    "not divided": "The values still run from 0 to 255. Divide by 255: white has to become 1.",
    "whole": "The result holds whole numbers: // rounds down, so all but white is black. Divide by / 255.",
    "256": "The values were divided by 256. The largest byte is 255: white has to become exactly 1.",
    "reversed": "The colors came out in the order blue, green, red. Keep the order that the picture has.",
    "stays": "The channels are still the last axis. A network expects them first: (3, H, W).",
}


def to_channels_first(picture: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: (H, W, 3) bytes to (3, H, W) floats in [0, 1]."""
    return picture.transpose(2, 0, 1) / 255


def check_to_channels_first(reader_function: Callable) -> Report:
    """Check the reader's ``to_channels_first(picture)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    draw = np.random.default_rng(0).integers
    shapes = {"high": (5, 2, 3), "wide": (2, 7, 3), "square": (4, 4, 3)}
    pictures = {name: draw(0, 256, shape, dtype=np.uint8) for name, shape in shapes.items()}
    pictures["bright"] = np.full((3, 4, 3), 255, np.uint8)
    return tuple(Case(CASES[name], (picture,)) for name, picture in pictures.items())


_WRONG = (
    ("reshaped", lambda p: p.reshape(3, *p.shape[:2]) / 255),
    ("turned", lambda p: p.T / 255),
    ("not divided", lambda p: p.transpose(2, 0, 1).astype(float)),
    ("whole", lambda p: p.transpose(2, 0, 1) // 255),
    ("256", lambda p: p.transpose(2, 0, 1) / 256),
    ("reversed", lambda p: p.transpose(2, 0, 1)[::-1] / 255),
    ("stays", lambda p: p / 255),
)

EXERCISE = Exercise(
    title="to_channels_first",
    reference=to_channels_first,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
