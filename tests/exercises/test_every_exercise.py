"""Every exercise of every chapter: its reference passes, and each wrong function is told what is wrong."""

import ast
import copy
import dataclasses
import importlib
import pkgutil
import runpy
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from readers import named

import backbone.exercises
from backbone.exercises import check
from backbone.exercises.check import Exercise
from backbone.exercises.report import TEXT

FRAMEWORK = {"check", "measures", "report"}
CHAPTERS = {
    module.name: importlib.import_module(f"backbone.exercises.{module.name}")
    for module in pkgutil.iter_modules(backbone.exercises.__path__)
    if module.name not in FRAMEWORK
}
EXERCISES = {
    f"{chapter}.{name}": value
    for chapter, module in CHAPTERS.items()
    for name, value in vars(module).items()
    if isinstance(value, Exercise)
}
WRONG = [(name, index) for name, exercise in EXERCISES.items() for index in range(len(exercise.mistakes))]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_has_its_exercises_and_their_checks(chapter):
    module = CHAPTERS[chapter]
    names = [name.partition(".")[2] for name in EXERCISES if name.startswith(f"{chapter}.")]
    assert len(names) >= 3
    assert sorted(f"check_{name}" for name in names) == sorted(key for key in vars(module) if key.startswith("check_"))
    for name in names:
        assert getattr(module, f"check_{name}") == getattr(module, name).check


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_sentence_stands_as_it_is_read(chapter):
    """A sentence that is put together cannot be looked up in another language."""
    tree = ast.parse(Path(CHAPTERS[chapter].__file__).read_text("utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_an_import_draws_no_numbers_that_a_chapter_seeded(chapter):
    before = torch.random.get_rng_state()
    runpy.run_path(CHAPTERS[chapter].__file__)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_check_draws_no_numbers_that_a_reader_seeded(name):
    fresh = dataclasses.replace(EXERCISES[name])  # it has not run its own functions yet
    before = torch.random.get_rng_state()
    fresh.check(lambda *arguments: 7)
    assert torch.equal(torch.random.get_rng_state(), before)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_reference_passes_and_carries_the_title(name):
    exercise = EXERCISES[name]
    assert exercise.title == exercise.reference.__name__ == name.partition(".")[2]
    report = exercise.check(exercise.reference)
    assert report.passed
    assert report.messages == (f"Right in all {len(exercise.cases)} hidden cases.",)


@pytest.mark.parametrize(("name", "index"), WRONG)
def test_each_mistake_gets_its_own_message_only(name, index):
    message, function = EXERCISES[name].mistakes[index]
    report = EXERCISES[name].check(function)
    assert not report.passed
    assert report.messages[0] == message
    assert named(EXERCISES[name], report) == [message]


@pytest.mark.parametrize("name", EXERCISES)
def test_its_texts_are_all_a_reader_can_see_and_plain_sentences(name):
    exercise = EXERCISES[name]
    messages = list(dict(exercise.mistakes))
    assert exercise.texts == [case.name for case in exercise.cases] + messages
    for message in messages:
        assert message[0].isupper()
        assert message.endswith((".", "?"))
        assert len(message) < 300
        assert "  " not in message


@pytest.mark.parametrize("name", EXERCISES)
def test_unwritten_broken_and_absurd_functions_are_described(name):
    exercise = EXERCISES[name]

    def broken(*arguments):
        raise ZeroDivisionError("division by zero")

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert exercise.check(lambda *arguments: None).messages == (TEXT["not written"],)
        assert "your function stopped with ZeroDivisionError: division by zero." in str(exercise.check(broken))
        assert 'The line was "raise ZeroDivisionError("division by zero")".' in str(exercise.check(broken))
        assert "a value of type NoneType, not a function" in str(exercise.check(None))
        assert "your function stopped with TypeError" in str(exercise.check(lambda: 1))
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
            report = exercise.check(lambda *arguments, answer=answer: answer)
            assert not report.passed
            assert report.messages[0].startswith("Case 1, ")
            assert len(report.messages[0]) < 400
            assert named(exercise, report) == []
            for inside in ("array(", " at 0x", "seed =", "measured =", "measure =", "asked =", "inputs = ("):
                assert inside not in report.messages[0]
        for answer in (
            -1,
            0.5,
            (1, 2),
            [],
            [3],
            np.zeros(3),
            torch.ones(2),
            torch.zeros(2, 3),
            torch.zeros(2, dtype=torch.bfloat16),
            True,
        ):
            report = exercise.check(lambda *arguments, answer=answer: answer)
            assert not report.passed
            assert named(exercise, report) == []
    assert not warned  # what is wrong stands in the report


def each(change, answer):
    """Change what a function returned, or each of its results."""
    return type(answer)(each(change, part) for part in answer) if isinstance(answer, tuple) else change(answer)


NO_NUMBERS = {"data.split_by_group", "transfer_learning.freeze", "transfer_learning.param_groups", "vgg.build_vgg"}


@pytest.mark.parametrize("name", [name for name in EXERCISES if name not in NO_NUMBERS])
@pytest.mark.parametrize(
    "change", [lambda x: -3 * x, lambda x: 1.1 * x, lambda x: 2 * x + 1], ids=["-3x", "1.1x", "2x+1"]
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, change):
    exercise = EXERCISES[name]
    report = exercise.check(lambda *arguments: each(change, exercise(*arguments)))
    assert not report.passed
    assert named(exercise, report) == []


def in_lists(answer):
    """Return numbers in lists, as deep as they go."""
    answer = list(map(in_lists, answer)) if isinstance(answer, tuple) else answer
    return answer.tolist() if isinstance(answer, np.ndarray | torch.Tensor) else answer


def in_float32(answer):
    return each(lambda part: part.astype(np.float32) if isinstance(part, np.ndarray) else part, answer)


def in_tensors(answer):
    def tensor(part):
        return torch.tensor(part, requires_grad=part.dtype.kind == "f") if isinstance(part, np.ndarray) else part

    return each(tensor, answer)


@pytest.mark.parametrize("name", EXERCISES)
@pytest.mark.parametrize("to", [in_lists, in_float32, in_tensors])
def test_right_numbers_pass_whatever_holds_them(name, to):
    exercise = EXERCISES[name]
    report = exercise.check(lambda *arguments: to(exercise(*arguments)))
    assert report.passed, report


def spoil(arguments) -> bool:
    """Change the first array or list among the arguments."""
    for argument in arguments:
        if isinstance(argument, list):
            argument.pop()
            return True
        if isinstance(argument, np.ndarray | torch.Tensor):
            argument += 1
            return True
    return False


SPOILED = [name for name, exercise in EXERCISES.items() if spoil(copy.deepcopy(exercise.cases[0].arguments))]


@pytest.mark.parametrize("name", SPOILED)
def test_arguments_may_not_be_changed(name):
    exercise = EXERCISES[name]

    def greedy(*arguments):
        answer = exercise(*arguments)
        spoil(arguments)
        return answer

    report = exercise.check(greedy)
    assert not report.passed
    if name != "resnet.basic_block":  # which says so in its own words
        assert "your function changes its argument" in str(report)
    assert exercise.check(exercise.reference).passed


@pytest.mark.parametrize("name", EXERCISES)
def test_a_second_check_does_not_run_the_exercises_own_functions_again(name, monkeypatch):
    exercise, ran, run = EXERCISES[name], [], check._run
    exercise.check(lambda *arguments: 7)
    monkeypatch.setattr(check, "_run", lambda *given: ran.append(given) or run(*given))
    exercise.check(lambda *arguments: 7)
    assert len(ran) == len(exercise.cases)
