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
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
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
    "case": "Case {number}, {name}{arguments}: {problem}",
    "arguments": " [{arguments}]",
    "array argument": "{argument} of shape {shape}",
    "other argument": "{argument} = {value}",
    "array within": "array of shape {shape}",
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
    "model": "a model",
    "layers": "a list of layers",
    "groups": "a list of dicts",
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


def _call(function: Callable, *arguments):
    return function(*arguments)


@dataclass(frozen=True)
class Case:
    """One hidden case.

    Attributes:
        name: what is special about it, in words.
        arguments: what the function is called with, or the first of it.
        measure: called with the function and the arguments, calls the function and answers in its place. For
            functions whose right answers differ, such as those that draw at random: see ``drawn``.
    """

    name: str
    arguments: tuple
    measure: Callable = _call


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
    """

    title: str
    reference: Callable
    cases: Sequence[Case]
    misconceptions: Sequence[Misconception] = ()
    rtol: float = 1e-5
    atol: float = 1e-6
    whole: bool = False

    @cached_property
    def expected(self) -> list:
        """The right answer of each case."""
        return [_run(self.reference, case).answer for case in self.cases]

    @cached_property
    def mistaken(self) -> list[tuple]:
        """Each misconception with its outcomes, and the cases where it is not right."""
        found = []
        for one in self.misconceptions:
            outcomes = [_run(one.function, case) for case in self.cases]
            pairs = enumerate(zip(outcomes, self.expected, strict=True))
            found.append((one, outcomes, [i for i, pair in pairs if not _agrees(self, *pair)]))
        return found


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
    with np.errstate(all="ignore"):  # what came of an overflow, in the reader's function or in ours, is reported
        return _check(exercise, function)


def _check(exercise: Exercise, function: Callable) -> Report:
    outcomes = [_run(function, case) for case in exercise.cases]
    if _not_written(outcomes):
        return Report(False, exercise.title, (TEXT["not written"],))
    problems = [_problem(exercise, *pair) for pair in zip(outcomes, exercise.expected, strict=True)]
    total, right = len(problems), problems.count(None)
    if right == total:
        return Report(True, exercise.title, (TEXT["all right"].format(total=total),))
    first = next(index for index, problem in enumerate(problems) if problem)
    messages = (
        *_recognize(exercise, outcomes),
        _describe(exercise, first, problems[first]),
        TEXT["some right"].format(right=right, total=total),
    )
    return Report(False, exercise.title, messages)


# --- Functions whose right answers differ ------------------------------------------------------------------

_CALLS = 8


class UnfitError(Exception):
    """Raised by a measure for an answer that it cannot measure.

    Args:
        answer: what the function returned.
        expected: what it should have returned: an array of the right shape, or words.
    """

    def __init__(self, answer, expected):
        super().__init__()
        self.answer, self.expected = answer, expected


def drawn(measure: Callable) -> Callable:
    """Return a case's measure for functions of inputs and a ``numpy.random.Generator``.

    Args:
        measure: takes an iterator of answers, each of another generator, and the inputs; returns a number. An answer
            is an array of the first input's shape.
    """

    def ask(function: Callable, *inputs):
        answers = (_drawn(function, inputs, np.random.default_rng(call)) for call in range(_CALLS))
        return measure(answers, *inputs)

    return ask


def disagreeing(function: Callable, *inputs) -> int:
    """Return 1 where calls with equal generators disagree, so that randomness comes from elsewhere."""
    one, other = (_drawn(function, inputs, np.random.default_rng(0)) for _ in range(2))
    return int(not np.array_equal(one, other))


def repeating(function: Callable, *inputs) -> int:
    """Return 1 where two calls in a row, with one generator, give the same."""
    generator = np.random.default_rng(0)
    one, other = (_drawn(function, inputs, generator) for _ in range(2))
    return int(np.array_equal(one, other))


def _drawn(function: Callable, inputs: tuple, generator: np.random.Generator) -> np.ndarray:
    answer = _plain(function(*inputs, generator))
    array = _numbers(answer)
    if array is None or array.shape != inputs[0].shape:
        raise UnfitError(answer, inputs[0])
    return array


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
        answer = _plain(case.measure(function, *arguments))
    except UnfitError as error:
        return _Outcome(_plain(error.answer), unfit=error.expected)
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
    if isinstance(value, tuple | list):
        parts = [_plain(part) for part in value]
        return tuple(parts) if isinstance(value, tuple) else parts
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
    if outcome.unfit is not None:
        return _describe_misfit(outcome.answer, outcome.unfit)
    return _difference(exercise, outcome.answer, expected)


def _difference(exercise: Exercise, given, expected) -> str | None:
    """Say how an answer differs from the expected one in type, shape or values, or return None."""
    given = _poured(given, expected)
    if isinstance(expected, tuple):
        return _difference_of_tuples(exercise, given, expected)
    fits = isinstance(given, np.ndarray) or not np.ndim(expected)
    if not _is_numeric(given) or not fits or np.shape(given) != np.shape(expected):
        return _describe_misfit(given, expected)
    is_float = np.asarray(given).dtype.kind == "f"
    # float64 on both sides: unsigned integers would wrap around when subtracted.
    given, expected = np.asarray(given, np.float64), np.asarray(expected, np.float64)
    scale = np.abs(expected[np.isfinite(expected)]).max(initial=0)
    tolerance = exercise.atol + exercise.rtol * scale
    wrong = ~np.isclose(given, expected, rtol=0, atol=tolerance, equal_nan=True)
    if wrong.any():
        return _describe_values(given, expected, wrong)
    return TEXT["not whole"].format(given=float(given)) if exercise.whole and is_float else None


def _poured(given, expected):
    """Return the numbers in the container that is expected, where they fit it; else what was given.

    Right numbers in a list are no mistake, neither are two results in one array.
    """
    if isinstance(expected, tuple):
        stacked = isinstance(given, np.ndarray) and all(given.shape == (len(expected), *np.shape(e)) for e in expected)
        return tuple(given) if stacked or (isinstance(given, list) and len(given) == len(expected)) else given
    if isinstance(given, tuple | list) and np.ndim(expected):
        array = _numbers(given)
        return given if array is None or array.shape != np.shape(expected) else array
    return given


def _numbers(value) -> np.ndarray | None:
    """Return numbers, whatever holds them, as an array, or None where they make none."""
    try:
        array = np.asarray(value)
    except ValueError:  # rows of different lengths
        return None
    return array if array.dtype.kind in "biuf" else None


def _difference_of_tuples(exercise: Exercise, given, expected: tuple) -> str | None:
    if not isinstance(given, tuple) or len(given) != len(expected):
        return TEXT["type"].format(given=_kind(given), expected=_kind(expected))
    for number, (part, expected_part) in enumerate(zip(given, expected, strict=True), start=1):
        problem = _difference(exercise, part, expected_part)
        if problem:
            return TEXT["part"].format(number=number, total=len(expected), problem=problem)
    return None


def _recognize(exercise: Exercise, outcomes: list[_Outcome]) -> tuple[str, ...]:
    """Return the message of the misconception that explains most wrong answers, if one fits.

    It fits if the reader's outcome is the misconception's in every case where that one is not right, and if
    these are more than half of the cases where the reader is not right. A case where both are right says
    nothing, and a misconception that stops with an error fits the same error.
    """
    # A reader who misunderstood something, and also returns a float for an int, misunderstood it no less.
    lenient = replace(exercise, whole=False)
    pairs = zip(outcomes, exercise.expected, strict=True)
    best, most = (), sum(not _agrees(lenient, outcome, answer) for outcome, answer in pairs) // 2
    for misconception, wrong, telling in exercise.mistaken:
        if len(telling) > most and all(_same(lenient, outcomes[i], wrong[i]) for i in telling):
            best, most = (misconception.message,), len(telling)
    return best


def _agrees(exercise: Exercise, outcome: _Outcome, answer) -> bool:
    if outcome.error is not None or outcome.unfit is not None:
        return False
    return _difference(exercise, outcome.answer, answer) is None


def _same(exercise: Exercise, outcome: _Outcome, wrong: _Outcome) -> bool:
    if wrong.error is not None:
        return type(outcome.error) is type(wrong.error)
    return _agrees(exercise, outcome, wrong.answer)


# --- Describing ---------------------------------------------------------------------------------------------


def _describe(exercise: Exercise, index: int, problem: str) -> str:
    """Name a case by its words and its actual arguments, then say what went wrong."""
    case = exercise.cases[index]
    # A measure may add arguments to those of the case, such as a generator.
    pairs = zip(inspect.signature(exercise.reference).parameters, case.arguments, strict=False)
    said = ", ".join(_describe_argument(name, value) for name, value in pairs)
    arguments = TEXT["arguments"].format(arguments=said) if said else ""
    return TEXT["case"].format(number=index + 1, name=case.name, arguments=arguments, problem=problem)


def _describe_argument(name: str, value) -> str:
    """Name an argument and say what it is: an array by its shape, a function or a model by its name alone."""
    if hasattr(value, "shape"):
        return TEXT["array argument"].format(argument=name, shape=tuple(value.shape))
    if callable(value):
        return name
    return TEXT["other argument"].format(argument=name, value=_shorten(_written(value)))


def _written(value) -> str:
    """Write a value as Python does, but arrays inside lists and tuples by their shapes."""
    if getattr(value, "shape", ()):
        return TEXT["array within"].format(shape=tuple(value.shape))
    if not isinstance(value, list | tuple):
        return repr(value)
    inside = ", ".join(map(_written, value))
    if isinstance(value, list):
        return f"[{inside}]"
    return f"({inside},)" if len(value) == 1 else f"({inside})"


def _describe_misfit(given, expected) -> str:
    """Say that an answer is of another kind or shape than expected; `expected` may be words."""
    if isinstance(given, np.ndarray) and isinstance(expected, np.ndarray) and _is_numeric(given):
        return TEXT["shape"].format(given=given.shape, expected=expected.shape)
    words = expected if isinstance(expected, str) else _kind(expected)
    return TEXT["type"].format(given=_kind(given), expected=words)


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
