"""Exercise ``first_layer_factor``: what many layers leave of a gradient."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "first_layer_factor"

CASES = {
    "shrinks": "ten layers that shrink it a little",
    "grows": "twenty layers that let it grow",
    "two": "two layers, one step between them",
    "kept": "layers that keep it",
    "deep": "fifty layers with the factor of a sigmoid",
    "one": "a single layer: first and last are the same",
}

MESSAGES = {
    "added": (
        "The factors were added up. The chain rule multiplies: a half of a half is a quarter. Try three layers and "
        "0.5, two steps back: 0.25 is left."
    ),
    "one by one": (
        "The same amount was taken away for each layer. Each layer takes its share of what is left: after 0.9 comes "
        "0.81, not 0.8. Multiply, and nothing ever goes below 0."
    ),
    "one too many": (
        "One factor too many. The gradient starts at the last layer, so between it and the first lie depth - 1 steps. "
        "Try a single layer: nothing is multiplied, the answer is 1."
    ),
    "upside down": (
        "The factor was divided by instead of multiplied with. Try two layers and 0.5: the first layer gets half of "
        "what the last one gets."
    ),
}


def first_layer_factor(depth: int, factor: float) -> float:
    """Do right what the reader is asked to write: the gradient at the first of ``depth`` layers, 1 at the last."""
    return float(factor) ** (depth - 1)


def check_first_layer_factor(reader_function: Callable) -> Report:
    """Check the reader's ``first_layer_factor(depth, factor)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    given = {
        "shrinks": (10, 0.9),
        "grows": (20, 1.25),
        "two": (2, 0.3),
        "kept": (30, 1.0),
        "deep": (50, 0.235),
        "one": (1, 0.5),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


_WRONG = (
    ("added", lambda depth, factor: depth * factor),
    ("added", lambda depth, factor: (depth - 1) * factor),
    ("one by one", lambda depth, factor: 1 - (depth - 1) * (1 - factor)),
    ("one by one", lambda depth, factor: 1 - depth * (1 - factor)),
    ("one too many", lambda depth, factor: factor**depth),
    ("upside down", lambda depth, factor: factor ** (1 - depth)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=first_layer_factor,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    atol=0,  # 1e-31 is not 0 here
)
