"""Exercise ``clip_by_norm``: shorten a gradient that is too long, and leave its direction."""

from collections.abc import Callable, Sequence

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "clip_by_norm"

CASES = {
    "long": "two layers, far too long together",
    "one large": "one layer with large numbers, one with small ones",
    "each short": "each layer short enough, all together too long",
    "short": "short enough as it is",
    "zero": "a gradient that is 0",
    "single": "a single layer",
}

MESSAGES = {
    "each number": (
        "Each number was clipped by itself. That bends the gradient's direction: large entries are cut, small ones "
        "stay. Multiply all of them by one factor. Try [3, 4] with 1: [0.6, 0.8] comes out, not [1, 1]."
    ),
    "each layer": (
        "Each layer was shortened by itself. The length is that of all layers' numbers together, and one factor serves "
        "all. Try [3.0] and [4.0] with 1: 0.6 and 0.8 come out, not 1 and 1."
    ),
    "stretched": (
        "A gradient that is short enough was made longer. Clipping sets an upper limit only: the factor is never above "
        "1. Try [0.3] with 1: it stays."
    ),
    "lengths added": (
        "The lengths of the layers were added up. The length of the whole is the root of the sum of all squares. Try "
        "[3.0] and [4.0]: it is 5, not 7."
    ),
    "no root": (
        "The root is missing: the sum of the squares was taken for the length. Try [3, 4]: the length is 5, not 25."
    ),
}


def clip_by_norm(gradients: Sequence[np.ndarray], most: float) -> tuple[np.ndarray, ...]:
    """Do right what the reader is asked to write: the gradients, shortened by one factor to ``most`` if longer.

    Args:
        gradients: one array for each parameter, of any shapes.
        most: the largest length that is allowed, above 0.
    """
    return _scaled(gradients, most)


def check_clip_by_norm(reader_function: Callable) -> Report:
    """Check the reader's ``clip_by_norm(gradients, most)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _squares(gradients):
    return sum(np.sum(np.square(one)) for one in gradients)


def _scaled(gradients, most, length=lambda gradients: np.sqrt(_squares(gradients)), limit=1.0):
    """Multiply by most / length, never by more than the limit; the keywords are the places where it goes wrong."""
    total = length(gradients)
    factor = min(most / total, limit) if total else 1.0
    return tuple(one * factor for one in gradients)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(17)
    some = [rng.normal(size=(3, 4)), rng.normal(size=3)]
    unit = [one / np.sqrt(_squares(some)) for one in some]
    given = {
        "long": ([20 * one for one in unit], 1.0),
        "one large": ([9 * unit[0], 0.01 * unit[1]], 2.0),
        "each short": ([np.array([0.9]), np.array([-0.8, 0.1])], 1.0),
        "short": ([0.3 * one for one in unit], 0.5),
        "zero": ([np.zeros((2, 2))], 1.0),
        "single": ([np.array([3.0, -4.0])], 2.5),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


def _each_layer(gradients, most):
    return tuple(_scaled([one], most)[0] for one in gradients)


_WRONG = (
    ("each number", lambda gradients, most: tuple(np.clip(one, -most, most) for one in gradients)),
    ("each layer", _each_layer),
    ("stretched", lambda gradients, most: _scaled(gradients, most, limit=np.inf)),
    ("lengths added", lambda gradients, most: _scaled(gradients, most, length=lambda g: sum(map(np.linalg.norm, g)))),
    ("no root", lambda gradients, most: _scaled(gradients, most, length=_squares)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=clip_by_norm,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
