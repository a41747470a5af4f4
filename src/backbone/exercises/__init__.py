"""Exercises: a reader writes a function, and a check says what is right and what was misunderstood.

Each chapter has a module with its exercises; ``check`` is how they are made, ``report`` what they say.
"""

from typing import NamedTuple

from backbone.exercises.check import Case, Report, UnfitError, exercise
from backbone.exercises.check import Exercise as _Exercise
from backbone.exercises.report import HINTS, TEXT

__all__ = ["HINTS", "TEXT", "Case", "Report", "UnfitError", "exercise"]


# Until every chapter is converted.
class Misconception(NamedTuple):
    """A wrong function, and what to tell a reader whose function does the same."""

    function: object
    message: str


def Exercise(title, reference, cases, misconceptions=(), **options):  # noqa: N802
    """Make an exercise."""
    made = _Exercise(reference, tuple(cases), **options)
    for one in misconceptions:
        made.mistake(one.message, one.function)
    made.misconceptions = misconceptions
    return made


def check(exercise, function):
    """Check."""
    return exercise.check(function)
