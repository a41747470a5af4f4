"""Checks of a reader's own function: run it on hidden cases and say what came out.

An exercise is data: a reference that is right, cases to try, and misconceptions. A misconception is itself a
function, a wrong one. Where the reader's answers agree with it, the report can say what was misunderstood,
and not only that a number is off. Each chapter has a package beside this one, with a module for each exercise:
a table of cases, a table of messages, and a call of ``check``.
"""

import copy
import html
import inspect
import textwrap
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path

import numpy as np

# --- What a reader can see ----------------------------------------------------------------------------------

TEXT = {
    "passed": "Passed",
    "failed": "Not passed yet",
    "all right": "Right in all {total} hidden cases.",
    "some right": "Right in {right} of {total} hidden cases.",
    "not callable": (
        "This check was given a value of type {type}, not a function. Pass the function by its name, without "
        "parentheses after it."
    ),
    "not written": "Not written yet: your function gives no result. Does it end with a return?",
    "case": "Case {number}, {name} [{arguments}]: {problem}",
    "array argument": "{argument} of shape {shape}",
    "other argument": "{argument} = {value}",
    "raised": "your function stopped with {error}.{line} {hint}",
    "line": ' The line was "{line}".',
    "changed": "your function changes its argument {argument}. Work on a copy, or fill a new array.",
    "part": "result {number} of {total}: {problem}",
    "type": "your function returned {given}; {expected} was expected.",
    "some type": "a value of type {type}",
    "array of": "an array of dtype {dtype}",
    "number": "a number",
    "array": "a NumPy array of shape {shape}",
    "tuple": "a tuple of {total} results",
    "shape": "shape {given} came out; {expected} was expected.",
    "not finite": "NaN or infinity came out {place}; {expected} was expected.",
    "value": "{given} came out {place}; {expected} was expected. {wrong} of {total} values are wrong.",
    "one value": "{given} came out; {expected} was expected.",
    "not whole": "{given} came out as a float; an int was expected.",
    "place in 2-D": "at row {}, column {}",
    "place": "at index {}",
}

HINTS = {
    "IndexError": "An index went past the edge: compare your ranges with the shapes named here.",
    "OverflowError": "A number does not fit the dtype of the array that takes it: use an array of floats.",
    "NameError": "A name is used that was never given a value: look for a misspelling or a missing import.",
    "TypeError": "Look at the number of arguments, and at what is combined with what.",
    "ValueError": "Look at the shapes of the arrays that meet there.",
    "BaseException": "Run your function on a small example of your own and read the whole message.",
}

# --- What an exercise is made of ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """One hidden case: what is special about it, in words, and the arguments the function is called with."""

    name: str
    arguments: tuple


@dataclass(frozen=True)
class Misconception:
    """A wrong function, and what to tell a reader whose function does the same."""

    function: Callable
    message: str


@dataclass(frozen=True)
class Exercise:
    """A function to write.

    Attributes:
        title: what the report calls it.
        reference: a right solution; it returns a number, an array, or a tuple of these.
        cases: the hidden cases.
        misconceptions: wrong functions that readers are likely to write. Where two explain the answers
            equally well, the first is named.
        rtol: error allowed, relative to the largest expected value. The default lets float32 pass. Numbers that
            count something are exact, and take 0.
        atol: error allowed on top of that.
        whole: whether a single number has to be of an integer type too, because it goes where Python takes
            nothing else, such as into a shape.
        measure: given a function, returns the one that is called with a case's arguments in its place. For
            functions that draw at random, whose right answers differ: see ``measured``.
    """

    title: str
    reference: Callable
    cases: Sequence[Case]
    misconceptions: Sequence[Misconception] = ()
    rtol: float = 1e-5
    atol: float = 1e-6
    whole: bool = False
    measure: Callable | None = None


@dataclass(frozen=True, repr=False)
class Report:
    """What a check found; a notebook shows it as HTML, a terminal as text."""

    passed: bool
    title: str
    messages: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The result in words."""
        return TEXT["passed" if self.passed else "failed"]

    def __repr__(self) -> str:
        return "\n".join([f"{self.verdict}: {self.title}", *(f"- {message}" for message in self.messages)])

    def _repr_html_(self) -> str:
        state = "bb-report-passed" if self.passed else "bb-report-failed"
        items = "".join(f"<li>{html.escape(message)}</li>" for message in self.messages)
        return (
            f'<div class="bb-report {state}"><p class="bb-report-title"><strong>{html.escape(self.verdict)}'
            f'</strong>: {html.escape(self.title)}</p><ul class="bb-report-messages">{items}</ul></div>'
        )


def check(exercise: Exercise, function: Callable) -> Report:
    """Run the reader's function on every hidden case and report.

    The function gets copies of the arguments. Whatever it raises ends up in the report, except a keyboard
    interrupt, so that an endless loop can be stopped.

    Args:
        exercise: what to check against.
        function: the reader's function.

    Returns:
        A report that has passed only if every case came out right and no argument was changed. Otherwise it
        names a misconception if one fits, then the first case that went wrong.
    """
    if not callable(function):
        message = TEXT["not callable"].format(type=type(function).__name__)
        return Report(False, exercise.title, (message,))
    if exercise.measure:
        exercise, function = _measuring(exercise), exercise.measure(function)
    outcomes = [_run(function, case) for case in exercise.cases]
    if _not_written(outcomes):
        return Report(False, exercise.title, (TEXT["not written"],))

    expected = [_run(exercise.reference, case).answer for case in exercise.cases]
    problems = [_problem(exercise, *pair) for pair in zip(outcomes, expected, strict=True)]
    total, right = len(problems), problems.count(None)
    if right == total:
        return Report(True, exercise.title, (TEXT["all right"].format(total=total),))
    first = next(index for index, problem in enumerate(problems) if problem)
    messages = (
        *_recognize(exercise, outcomes, expected),
        _describe(exercise, first, problems[first]),
        TEXT["some right"].format(right=right, total=total),
    )
    return Report(False, exercise.title, messages)


# --- Functions that draw at random -------------------------------------------------------------------------

DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"
_CALLS = 8


def measured(function: Callable, measures: Mapping[str, Callable]) -> Callable:
    """Return a function of (inputs, seed, measured) that calls `function` and answers with a measure of what it gave.

    Args:
        function: takes the inputs and a ``numpy.random.Generator``.
        measures: name -> measure(answers, *inputs), a number; the answers are an iterator, each of another generator.
            Two more are known: `DISAGREE` and `REPEATED`, both 0 where all randomness comes from the generator.
    """

    def ask(inputs: tuple, seed: int, measured: str):
        generator = np.random.default_rng(seed)
        answer = function(*inputs, generator)
        if answer is None:
            return None
        if measured == DISAGREE:
            return int(not np.array_equal(answer, function(*inputs, np.random.default_rng(seed))))
        if measured == REPEATED:
            return int(np.array_equal(answer, function(*inputs, generator)))
        answers = (function(*inputs, np.random.default_rng(seed + call)) for call in range(_CALLS))
        return measures[measured](answers, *inputs)

    return ask


def _measuring(exercise: Exercise) -> Exercise:
    """Return the exercise with its own functions measured as the reader's is."""
    wrong = [replace(one, function=exercise.measure(one.function)) for one in exercise.misconceptions]
    return replace(exercise, reference=exercise.measure(exercise.reference), misconceptions=wrong, measure=None)


# --- Running a function -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    """What one call did: the answer or the error, and the positions of the arguments it changed."""

    answer: object = None
    error: BaseException | None = None
    changed: tuple[int, ...] = ()


def _run(function: Callable, case: Case) -> _Outcome:
    arguments = copy.deepcopy(case.arguments)
    try:
        answer = _plain(function(*arguments))
    except (Exception, SystemExit) as error:
        return _Outcome(error=error)
    pairs = enumerate(zip(arguments, case.arguments, strict=True))
    return _Outcome(answer, changed=tuple(index for index, pair in pairs if not _identical(*pair)))


def _not_written(outcomes: list[_Outcome]) -> bool:
    if any(isinstance(outcome.error, NotImplementedError) for outcome in outcomes):
        return True
    return all(outcome.answer is None and outcome.error is None for outcome in outcomes)


def _plain(value):
    """Turn tensors into arrays, and copy arrays: the next call may write into the same one again."""
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.array(value) if isinstance(value, np.ndarray) else value


def _identical(one, other) -> bool:
    """Compare arrays and lists by what they hold; a call cannot change numbers, texts or functions."""
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(_identical, one, other))
    one, other = _plain(one), _plain(other)
    if not isinstance(one, np.ndarray):
        return True
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind in "fc")


# --- Comparing ----------------------------------------------------------------------------------------------


def _problem(exercise: Exercise, outcome: _Outcome, expected) -> str | None:
    """Say what is wrong with the outcome of one case, or return None."""
    if outcome.error is not None:
        return _describe_error(outcome.error)
    if outcome.changed:  # said first, since it is often why the values are wrong
        names = list(inspect.signature(exercise.reference).parameters)
        return TEXT["changed"].format(argument=names[outcome.changed[0]])
    return _difference(exercise, outcome.answer, expected)


def _difference(exercise: Exercise, given, expected) -> str | None:
    """Say how an answer differs from the expected one in type, shape or values, or return None."""
    if isinstance(expected, tuple):
        return _difference_of_tuples(exercise, given, expected)
    fits = isinstance(given, np.ndarray) if np.ndim(expected) else np.ndim(given) == 0
    if not _is_numeric(given) or not fits:
        return TEXT["type"].format(given=_kind(given), expected=_kind(expected))
    is_float = np.asarray(given).dtype.kind == "f"
    # float64 on both sides: unsigned integers would wrap around when subtracted.
    given, expected = np.asarray(given, np.float64), np.asarray(expected, np.float64)
    if given.shape != expected.shape:
        return TEXT["shape"].format(given=given.shape, expected=expected.shape)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    tolerance = exercise.atol + exercise.rtol * scale
    wrong = ~np.isclose(given, expected, rtol=0, atol=tolerance, equal_nan=True)
    if wrong.any():
        return _describe_values(given, expected, wrong)
    return TEXT["not whole"].format(given=float(given)) if exercise.whole and is_float else None


def _difference_of_tuples(exercise: Exercise, given, expected: tuple) -> str | None:
    if not isinstance(given, tuple) or len(given) != len(expected):
        return TEXT["type"].format(given=_kind(given), expected=_kind(expected))
    for number, (part, expected_part) in enumerate(zip(given, expected, strict=True), start=1):
        problem = _difference(exercise, part, expected_part)
        if problem:
            return TEXT["part"].format(number=number, total=len(expected), problem=problem)
    return None


def _recognize(exercise: Exercise, outcomes: list[_Outcome], expected: list) -> tuple[str, ...]:
    """Return the message of the misconception that explains most wrong answers, if one fits.

    It fits if the reader's outcome is the misconception's in every case where that one is not right, and if
    these are more than half of the cases where the reader is not right. A case where both are right says
    nothing, and a misconception that stops with an error fits the same error.
    """
    # A reader who misunderstood something, and also returns a float for an int, misunderstood it no less.
    exercise, strict = replace(exercise, whole=False), exercise
    pairs = zip(outcomes, expected, strict=True)
    best, most = (), sum(not _agrees(exercise, outcome, answer) for outcome, answer in pairs) // 2
    for misconception in exercise.misconceptions:
        wrong = [_run(misconception.function, case) for case in exercise.cases]
        telling = [i for i, outcome in enumerate(wrong) if not _agrees(strict, outcome, expected[i])]
        if len(telling) > most and all(_same(exercise, outcomes[i], wrong[i]) for i in telling):
            best, most = (misconception.message,), len(telling)
    return best


def _agrees(exercise: Exercise, outcome: _Outcome, answer) -> bool:
    return outcome.error is None and _difference(exercise, outcome.answer, answer) is None


def _same(exercise: Exercise, outcome: _Outcome, wrong: _Outcome) -> bool:
    if wrong.error is not None:
        return type(outcome.error) is type(wrong.error)
    return _agrees(exercise, outcome, wrong.answer)


# --- Describing ---------------------------------------------------------------------------------------------


def _describe(exercise: Exercise, index: int, problem: str) -> str:
    """Name a case by its words and its actual arguments, then say what went wrong."""
    case = exercise.cases[index]
    arguments = ", ".join(
        TEXT["array argument"].format(argument=name, shape=tuple(value.shape))
        if hasattr(value, "shape")
        else TEXT["other argument"].format(argument=name, value=_shorten(repr(value)))
        for name, value in zip(inspect.signature(exercise.reference).parameters, case.arguments, strict=True)
    )
    return TEXT["case"].format(number=index + 1, name=case.name, arguments=arguments, problem=problem)


def _describe_error(error: BaseException) -> str:
    """Give the error, the reader's own line it came from where that is known, and what to look at."""
    name = type(error).__name__
    message = _shorten("".join(traceback.format_exception_only(error)).partition(":")[2].strip(" .\n"))
    # Our own calls come first, then the reader's function.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    line = TEXT["line"].format(line=_shorten(frames[0].line)) if frames and frames[0].line else ""
    hint = next(HINTS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in HINTS)
    return TEXT["raised"].format(error=f"{name}: {message}" if message else name, line=line, hint=hint)


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(Path(__file__).parent)


def _describe_values(given: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    if not given.ndim:
        return TEXT["one value"].format(given=_digits(given), expected=_digits(expected))
    strange = wrong & ~np.isfinite(given)
    index = tuple(np.argwhere(strange if strange.any() else wrong)[0].tolist())
    place = TEXT["place in 2-D"].format(*index) if given.ndim == 2 else TEXT["place"].format(index)
    return TEXT["not finite" if strange.any() else "value"].format(
        given=_digits(given[index]),
        expected=_digits(expected[index]),
        place=place,
        wrong=wrong.sum(),
        total=wrong.size,
    )


def _digits(value) -> str:
    """Write a number out: all digits of a whole one, six of another."""
    value = float(value)
    return f"{value:,.0f}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"


def _is_numeric(value) -> bool:
    return isinstance(value, Real | np.generic | np.ndarray) and np.asarray(value).dtype.kind in "biuf"


def _kind(value) -> str:
    """Name what a value is, as far as it matters for a comparison."""
    if isinstance(value, tuple):
        return TEXT["tuple"].format(total=len(value))
    if isinstance(value, np.ndarray):
        return TEXT["array" if _is_numeric(value) else "array of"].format(shape=value.shape, dtype=value.dtype)
    return TEXT["number" if _is_numeric(value) else "some type"].format(type=type(value).__name__)


def _shorten(text: str) -> str:
    return textwrap.shorten(text, width=160, placeholder=" ...")
