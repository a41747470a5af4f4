"""Exercises whose right answers differ: a function that draws at random is judged by what can be measured on it."""

from collections.abc import Callable, Mapping

import numpy as np

from backbone.exercises import Report, check

DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"
CALLS = 8


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
        answers = (function(*inputs, np.random.default_rng(seed + call)) for call in range(CALLS))
        return measures[measured](answers, *inputs)

    return ask


def check_measured(exercise, function: Callable, measures: Mapping[str, Callable]) -> Report:
    """Check a reader's function by its measures; the exercise's own functions are measured already."""
    return check(exercise, measured(function, measures) if callable(function) else function)
