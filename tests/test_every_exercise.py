"""Every exercise of every chapter: its reference passes, and each wrong function is told what is wrong."""

import importlib
import pkgutil
import warnings

import numpy as np
import pytest
import torch

import backbone.exercises
from backbone.exercises import TEXT

CHAPTERS = [module.name for module in pkgutil.iter_modules(backbone.exercises.__path__)]
PACKAGES = {chapter: importlib.import_module(f"backbone.exercises.{chapter}") for chapter in CHAPTERS}
EXERCISES = {chapter: [one.name for one in pkgutil.iter_modules(PACKAGES[chapter].__path__)] for chapter in CHAPTERS}
NAMES = [f"{chapter}.{exercise}" for chapter in CHAPTERS for exercise in EXERCISES[chapter]]
MODULES = {name: importlib.import_module(f"backbone.exercises.{name}") for name in NAMES}
WRONG = [(name, index) for name in NAMES for index in range(len(MODULES[name].EXERCISE.misconceptions))]


def report_of(name, function):
    chapter, _, exercise = name.partition(".")
    return getattr(PACKAGES[chapter], f"check_{exercise}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_there_is_a_check_for_each_module(chapter):
    assert PACKAGES[chapter].__all__ == [f"check_{name}" for name in EXERCISES[chapter]]
    assert len(EXERCISES[chapter]) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_passes_and_carries_the_title(name):
    exercise = MODULES[name].EXERCISE
    assert exercise.title == exercise.reference.__name__ == name.partition(".")[2]
    report = report_of(name, exercise.reference)
    assert report.passed
    assert report.messages == (f"Right in all {len(exercise.cases)} hidden cases.",)


@pytest.mark.parametrize(("name", "index"), WRONG)
def test_each_misconception_gets_its_own_message_only(name, index):
    misconception = MODULES[name].EXERCISE.misconceptions[index]
    report = report_of(name, misconception.function)
    assert not report.passed
    assert report.messages[0] == misconception.message
    assert [MODULES[name].MESSAGES[key] for key in named(name, report)] == [misconception.message]


@pytest.mark.parametrize("name", NAMES)
def test_every_message_and_every_case_is_used(name):
    module = MODULES[name]
    assert {misconception.message for misconception in module.EXERCISE.misconceptions} == set(module.MESSAGES.values())
    assert len(set(module.MESSAGES.values())) == len(module.MESSAGES)
    assert [case.name for case in module.EXERCISE.cases] == list(module.CASES.values())


@pytest.mark.parametrize("name", NAMES)
def test_messages_are_plain_sentences(name):
    for message in MODULES[name].MESSAGES.values():
        assert message[0].isupper()
        assert message.endswith((".", "?"))
        assert len(message) < 300
        assert "  " not in message


@pytest.mark.parametrize("name", NAMES)
def test_unwritten_broken_and_absurd_functions_are_described(name):
    def broken(*arguments):
        raise ZeroDivisionError("division by zero")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert report_of(name, lambda *arguments: None).messages == (TEXT["not written"],)
        assert "your function stopped with ZeroDivisionError: division by zero." in str(report_of(name, broken))
        assert "a value of type NoneType, not a function" in str(report_of(name, None))
        assert "your function stopped with TypeError" in str(report_of(name, lambda: 1))
        for answer in (
            "text",
            [1],
            [[1], [1, 2]],
            (),
            {},
            np.zeros((2, 0)),
            np.nan,
            np.full((3, 3), np.nan),
            1j,
            print,
        ):
            report = report_of(name, lambda *arguments, answer=answer: answer)
            assert not report.passed
            assert report.messages[0].startswith("Case 1, ")
            assert len(report.messages[0]) < 400
            for inside in ("array(", " at 0x", "seed =", "measured =", "measure =", "asked =", "inputs = ("):
                assert inside not in report.messages[0]
    assert not warned  # what is wrong stands in the report


def poured(answer):
    """Return numbers in lists, as deep as they go."""
    if isinstance(answer, tuple):
        return [poured(part) for part in answer]
    return answer.tolist() if isinstance(answer, np.ndarray | torch.Tensor) else answer


@pytest.mark.parametrize("name", NAMES)
def test_right_numbers_pass_in_lists_too(name):
    reference = MODULES[name].EXERCISE.reference
    report = report_of(name, lambda *arguments: poured(reference(*arguments)))
    assert report.passed, report


@pytest.mark.parametrize("name", NAMES)
def test_a_second_check_does_not_run_the_exercises_own_functions_again(name, monkeypatch):
    module, ran = MODULES[name], []
    report_of(name, lambda *arguments: 7)
    run = backbone.exercises._run
    monkeypatch.setattr(backbone.exercises, "_run", lambda *given: ran.append(given) or run(*given))
    report_of(name, lambda *arguments: 7)
    assert len(ran) == len(module.EXERCISE.cases)
