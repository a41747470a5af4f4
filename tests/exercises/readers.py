"""Tests of functions as readers write them, right and wrong, against the exercises they belong to."""

from collections.abc import Callable

import pytest

from backbone.exercises.check import Exercise
from backbone.exercises.report import Report


def named(exercise: Exercise, report: Report) -> list[str]:
    """Return the messages of the mistakes that a report names."""
    return [message for message in dict(exercise.mistakes) if message in report.messages]


def title(value) -> str | None:
    """Name a test by its exercise, and by the words that are expected."""
    return value.title if isinstance(value, Exercise) else value if isinstance(value, str) else None


def pass_the_check(*written: tuple[Exercise, Callable]) -> Callable:
    """Return the test that each of these functions is right."""

    @pytest.mark.parametrize(("exercise", "function"), written, ids=title)
    def test(exercise, function):
        report = exercise.check(function)
        assert report.passed, report

    return test


def are_recognized(*written: tuple[Exercise, str, Callable]) -> Callable:
    """Return the test that each of these is told its mistake, by the message that begins so, and no other."""

    @pytest.mark.parametrize(("exercise", "opening", "function"), written, ids=title)
    def test(exercise, opening, function):
        report = exercise.check(function)
        assert not report.passed
        assert [message[: len(opening)] for message in named(exercise, report)] == [opening], report

    return test


def are_not_recognized(*written: tuple[Exercise, Callable]) -> Callable:
    """Return the test that each of these is wrong in a way that no message speaks of."""

    @pytest.mark.parametrize(("exercise", "function"), written, ids=title)
    def test(exercise, function):
        report = exercise.check(function)
        assert not report.passed
        assert named(exercise, report) == []

    return test
