"""Checks of a reader's own function: run it on hidden cases and say what came out.

An exercise is a right function, hidden cases in words, and mistakes: wrong functions that readers are likely to
write, each with what to say about it. Where the reader's answers agree with one of these, the report can say what was
misunderstood, and not only that a number is off. Each chapter has a module beside this one with its exercises::

    @exercise({"a number": (3,), "nothing": (0,)})
    def double(n):
        return 2 * n

    double.mistake("The number was squared. Add it to itself instead.", lambda n: n * n)
    check_double = double.check
"""

import copy
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from backbone.exercises.report import (
    TEXT,
    Report,
    describe_case,
    describe_error,
    describe_misfit,
    describe_values,
    is_numeric,
)

# --- What an exercise is made of ----------------------------------------------------------------------------


def _call(function: Callable, *arguments):
    return function(*arguments)


@dataclass(frozen=True)
class Measured:
    """A case that measures a function, where right answers differ.

    Attributes:
        measure: called with the function and the arguments; calls it and returns a number, or raises `UnfitError`.
        arguments: those of the function, or the first of them.
    """

    measure: Callable
    arguments: tuple


class UnfitError(Exception):
    """Raised by a measure for an answer that it cannot measure.

    Args:
        answer: what the function returned.
        expected: what it should have returned: an array of the right shape, or words.
    """

    def __init__(self, answer, expected):
        super().__init__()
        self.answer, self.expected = plain(answer), expected


@dataclass(frozen=True)
class Case:
    """One hidden case.

    Attributes:
        name: what is special about it, in words.
        arguments: what the function is called with, or the first of it.
        measure: called with the function and the arguments, calls the function and answers in its place.
    """

    name: str
    arguments: tuple
    measure: Callable = _call


@dataclass(eq=False)
class Exercise:
    """A function to write; it can be called as its reference.

    Attributes:
        reference: a right solution; it returns a number, an array, or a tuple of these. What it takes besides the
            arguments of the cases, the places where it may go wrong, only its mistakes set.
        cases: the hidden cases.
        rtol: error allowed, relative to the largest expected value. The default lets float32 pass. Numbers that
            count something are exact, and take 0.
        atol: error allowed on top of that.
        whole: whether a single number has to be of an integer type too, because it goes where Python takes
            nothing else, such as into a shape.
        mistakes: what to say, and a wrong function. Where two explain the answers equally well, the first is named.
    """

    reference: Callable
    cases: Sequence[Case]
    rtol: float = 1e-5
    atol: float = 1e-6
    whole: bool = False
    mistakes: list[tuple[str, Callable]] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What the report calls it."""
        return self.reference.__name__

    @property
    def texts(self) -> list[str]:
        """All that a reader can see of it, in order, each once."""
        return list(dict.fromkeys([case.name for case in self.cases] + [message for message, _ in self.mistakes]))

    def mistake(self, message: str, *wrong: Callable) -> None:
        """Say `message` to a reader whose function answers as one of these does, the usual ways to write a mistake."""
        self.mistakes.extend((message, function) for function in wrong)

    def __call__(self, *arguments, **changes):
        """Return the right answer, or with changes a wrong one."""
        return self.reference(*arguments, **changes)

    def check(self, function: Callable) -> Report:
        """Run the reader's function on every hidden case and report.

        The function gets copies of the arguments. Whatever it raises ends up in the report, except a keyboard
        interrupt, so that an endless loop can be stopped.

        Args:
            function: the reader's function.

        Returns:
            A report that has passed only if every case came out right and no argument was changed. Otherwise it
            names a mistake if one fits, then the first case that went wrong.
        """
        if not callable(function):
            message = TEXT["not callable"].format(type=type(function).__name__)
            return Report(False, self.title, (message,))
        with np.errstate(all="ignore"):  # what came of an overflow, in the reader's function or in ours, is reported
            outcomes = [_run(function, case) for case in self.cases]
            return self._judge(outcomes)

    def _judge(self, outcomes: list["_Outcome"]) -> Report:
        if _not_written(outcomes):
            return Report(False, self.title, (TEXT["not written"],))
        problems = [_problem(self, *pair) for pair in zip(outcomes, self._expected, strict=True)]
        total, right = len(problems), problems.count(None)
        if right == total:
            return Report(True, self.title, (TEXT["all right"].format(total=total),))
        first = next(index for index, problem in enumerate(problems) if problem)
        case = self.cases[first]
        # A measure may add arguments to those of the case, such as a generator.
        arguments = zip(inspect.signature(self.reference).parameters, case.arguments, strict=False)
        messages = (
            *_recognize(self, outcomes),
            describe_case(first + 1, case.name, arguments, problems[first]),
            TEXT["some right"].format(right=right, total=total),
        )
        return Report(False, self.title, messages)

    @cached_property
    def _expected(self) -> list:
        """The right answer of each case."""
        return [_run(self.reference, case).answer for case in self.cases]

    @cached_property
    def _mistaken(self) -> list[tuple]:
        """Of each mistake the message, the outcomes, and the cases where it is not right."""
        found = []
        for message, function in self.mistakes:
            outcomes = [_run(function, case) for case in self.cases]
            pairs = enumerate(zip(outcomes, self._expected, strict=True))
            found.append((message, outcomes, [i for i, pair in pairs if not _agrees(self, *pair)]))
        return found


def exercise(cases: Mapping[str, "tuple | Measured"], **options) -> Callable[[Callable], Exercise]:
    """Make an exercise of a right function.

    Args:
        cases: in words what is special about a case -> its arguments, or what to measure with them: see ``measures``.
        options: `rtol`, `atol`, `whole` of the exercise.
    """
    made = tuple(
        Case(name, case.arguments, case.measure) if isinstance(case, Measured) else Case(name, case)
        for name, case in cases.items()
    )
    return lambda reference: Exercise(reference, made, **options)


# --- Running a function -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    """What one call did: the answer or the error, and the positions of the arguments it changed.

    Where a measure could not take the answer, `unfit` is what it should have been.
    """

    answer: object = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()
    unfit: object = None


def _run(function: Callable, case: Case) -> _Outcome:
    arguments = copy.deepcopy(case.arguments)
    try:
        answer = plain(case.measure(function, *arguments))
    except UnfitError as error:
        return _Outcome(error.answer, unfit=error.expected)
    except (Exception, SystemExit) as error:
        return _Outcome(error=error)
    pairs = enumerate(zip(arguments, case.arguments, strict=True))
    return _Outcome(answer, changed=tuple(index for index, pair in pairs if not _identical(*pair)))


def _not_written(outcomes: list[_Outcome]) -> bool:
    if any(isinstance(outcome.error, NotImplementedError) for outcome in outcomes):
        return True
    return all(outcome.answer is None and outcome.error is None for outcome in outcomes)


def plain(value):
    """Turn tensors into arrays, and copy arrays: the next call may write into the same one again."""
    if isinstance(value, tuple | list):
        parts = [plain(part) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.array(value) if isinstance(value, np.ndarray) else value


def _identical(one, other) -> bool:
    """Compare arrays and lists by what they hold; a call cannot change numbers, texts or functions."""
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_identical, one, other))
    one, other = plain(one), plain(other)
    if not isinstance(one, np.ndarray):
        return True
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


# --- Comparing ----------------------------------------------------------------------------------------------


def _problem(exercise: Exercise, outcome: _Outcome, expected) -> str | None:
    """Say what is wrong with the outcome of one case, or return None."""
    if outcome.error is not None:
        return describe_error(outcome.error)
    if outcome.changed:  # said first, since it is often why the values are wrong
        names = list(inspect.signature(exercise.reference).parameters)
        return TEXT["changed"].format(argument=names[outcome.changed[0]])
    if outcome.unfit is not None:
        return describe_misfit(outcome.answer, outcome.unfit)
    return _difference(exercise, outcome.answer, expected)


def _difference(exercise: Exercise, given, expected) -> str | None:
    """Say how an answer differs from the expected one in type, shape or values, or return None."""
    given = _poured(given, expected)
    if isinstance(expected, tuple):
        return _difference_of_tuples(exercise, given, expected)
    fits = isinstance(given, np.ndarray) or not np.ndim(expected)
    if not is_numeric(given) or not fits or np.shape(given) != np.shape(expected):
        return describe_misfit(given, expected)
    is_float = np.asarray(given).dtype.kind == "f"
    # float64 on both sides: unsigned integers would wrap around when subtracted.
    given, expected = np.asarray(given, np.float64), np.asarray(expected, np.float64)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    tolerance = exercise.atol + exercise.rtol * scale
    wrong = ~np.isclose(given, expected, rtol=0, atol=tolerance, equal_nan=True)
    if wrong.any():
        return describe_values(given, expected, wrong)
    return TEXT["not whole"].format(given=float(given)) if exercise.whole and is_float else None


def _poured(given, expected):
    """Return the numbers in the container that is expected, where they fit it; else what was given.

    Right numbers in a list are no mistake, neither are two results in one array.
    """
    if isinstance(expected, tuple):
        stacked = isinstance(given, np.ndarray) and all(given.shape == (len(expected), *np.shape(e)) for e in expected)
        return tuple(given) if stacked or (isinstance(given, list) and len(given) == len(expected)) else given
    if isinstance(given, tuple | list) and np.ndim(expected):
        array = numbers(given)
        return given if array is None or array.shape != np.shape(expected) else array
    return given


def numbers(value) -> np.ndarray | None:
    """Return numbers, whatever holds them, as an array, or None where they make none."""
    try:
        array = np.asarray(value)
    except Exception:  # rows of different lengths, or a class with ways of its own
        return None
    return array if array.dtype.kind in "biuf" else None


def _difference_of_tuples(exercise: Exercise, given, expected: tuple) -> str | None:
    if not isinstance(given, tuple) or len(given) != len(expected):
        return describe_misfit(given, expected)
    for number, (part, expected_part) in enumerate(zip(given, expected, strict=True), start=1):
        problem = _difference(exercise, part, expected_part)
        if problem:
            return TEXT["part"].format(number=number, total=len(expected), problem=problem)
    return None


def _recognize(exercise: Exercise, outcomes: list[_Outcome]) -> tuple[str, ...]:
    """Return the message of the mistake that explains most wrong answers, if one fits.

    It fits if the reader's outcome is the mistake's in every case where that one is not right, and if
    these are more than half of the cases where the reader is not right. A case where both are right says
    nothing, and a mistake that stops with an error fits the same error.
    """
    # A reader who misunderstood something, and also returns a float for an int, misunderstood it no less.
    lenient = replace(exercise, whole=False)
    pairs = zip(outcomes, exercise._expected, strict=True)
    best, most = (), sum(not _agrees(lenient, outcome, answer) for outcome, answer in pairs) // 2
    for message, wrong, telling in exercise._mistaken:
        if len(telling) > most and all(_same(lenient, outcomes[i], wrong[i]) for i in telling):
            best, most = (message,), len(telling)
    return best


def _agrees(exercise: Exercise, outcome: _Outcome, answer) -> bool:
    if outcome.error is not None or outcome.unfit is not None:
        return False
    return _difference(exercise, outcome.answer, answer) is None


def _same(exercise: Exercise, outcome: _Outcome, wrong: _Outcome) -> bool:
    if wrong.error is not None:
        return type(outcome.error) is type(wrong.error)
    return _agrees(exercise, outcome, wrong.answer)
