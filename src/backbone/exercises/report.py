"""What a check says: the words, and how an argument, an error or a wrong value is described."""

import html
import textwrap
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from pathlib import Path

import numpy as np

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
    "booleans": "an array of booleans",
}

HINTS = {
    "IndexError": "An index went past the edge: compare your ranges with the shapes named here.",
    "OverflowError": "A number does not fit the dtype of the array that takes it: use an array of floats.",
    "NameError": "A name is used that was never given a value: look for a misspelling or a missing import.",
    "TypeError": "Look at the number of arguments, and at what is combined with what.",
    "ValueError": "Look at the shapes of the arrays that meet there.",
    "one number": (
        "The math module takes one number at a time: use NumPy's function of that name, such as np.exp, for an array."
    ),
    "BaseException": "Run your function on a small example of your own and read the whole message.",
}


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


def describe_case(number: int, name: str, arguments: Iterable[tuple[str, object]], problem: str) -> str:
    """Name a case by its words and by its arguments, (name, value) of each, then say what went wrong."""
    said = ", ".join(_describe_argument(*pair) for pair in arguments)
    said = TEXT["arguments"].format(arguments=said) if said else ""
    return TEXT["case"].format(number=number, name=name, arguments=said, problem=problem)


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


def describe_misfit(given, expected) -> str:
    """Say that an answer is of another kind or shape than expected; `expected` may be words."""
    if isinstance(given, np.ndarray) and isinstance(expected, np.ndarray) and is_numeric(given):
        return TEXT["shape"].format(given=given.shape, expected=expected.shape)
    words = expected if isinstance(expected, str) else _kind(expected)
    return TEXT["type"].format(given=_kind(given), expected=words)


def describe_error(error: BaseException) -> str:
    """Give the error, the reader's own line it came from where that is known, and what to look at."""
    name = type(error).__name__
    message = _shorten("".join(traceback.format_exception_only(error)).partition(":")[2].strip(" .\n"))
    # Our own calls come first, then the reader's function.
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not _is_ours(frame.filename)]
    line = TEXT["line"].format(line=_shorten(frames[0].line)) if frames and frames[0].line else ""
    hint = next(HINTS[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in HINTS)
    hint = HINTS["one number"] if "math." in line and isinstance(error, TypeError) and "scalar" in message else hint
    return TEXT["raised"].format(error=f"{name}: {message}" if message else name, line=line, hint=hint)


def _is_ours(filename: str) -> bool:
    return Path(filename).is_relative_to(Path(__file__).parent)


def describe_values(given: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    """Give the first value that is wrong, the strange ones first, and how many are."""
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


def is_numeric(value) -> bool:
    """Say whether a value is a real number or an array of such."""
    return isinstance(value, Real | np.generic | np.ndarray) and np.asarray(value).dtype.kind in "biuf"


def _kind(value) -> str:
    """Name what a value is, as far as it matters for a comparison."""
    if isinstance(value, tuple):
        return TEXT["tuple"].format(total=len(value))
    if isinstance(value, np.ndarray):
        return TEXT["array" if is_numeric(value) else "array of"].format(shape=value.shape, dtype=value.dtype)
    return TEXT["number" if is_numeric(value) else "some type"].format(type=type(value).__name__)


def _shorten(text: str) -> str:
    return textwrap.shorten(text, width=160, placeholder=" ...")
