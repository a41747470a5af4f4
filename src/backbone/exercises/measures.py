"""What to measure on a function whose right answers differ, such as one that draws at random."""

from collections.abc import Callable

import numpy as np

from backbone.exercises.check import Measured, UnfitError, numbers, plain

_CALLS = 8
_LIKE = 4  # calls compared with one another: of a few objects, two draws are the same by chance now and then


def drawn(measure: Callable, *inputs) -> Measured:
    """Measure a function of these inputs and a ``numpy.random.Generator``, which answers in the first input's shape.

    Args:
        measure: takes an iterator of answers as arrays, each of another generator, and the inputs; returns a number.
        inputs: what the function gets before the generator.
    """

    def ask(function: Callable, *inputs):
        answers = (_drawn(function, inputs, np.random.default_rng(call)) for call in range(_CALLS))
        return measure(answers, *inputs)

    return Measured(ask, inputs)


def disagreeing(*inputs) -> Measured:
    """Measure 1 where calls with equal generators disagree, so that randomness comes from elsewhere."""

    def ask(function: Callable, *inputs) -> int:
        first, *others = (_drawn(function, inputs, np.random.default_rng(0)) for _ in range(_LIKE))
        return int(not all(np.array_equal(first, other) for other in others))

    return Measured(ask, inputs)


def repeating(*inputs) -> Measured:
    """Measure 1 where calls in a row, with one generator, all give the same."""

    def ask(function: Callable, *inputs) -> int:
        generator = np.random.default_rng(0)
        first, *others = (_drawn(function, inputs, generator) for _ in range(_LIKE))
        return int(all(np.array_equal(first, other) for other in others))

    return Measured(ask, inputs)


def _drawn(function: Callable, inputs: tuple, generator: np.random.Generator) -> np.ndarray:
    answer = plain(function(*inputs, generator))
    array = numbers(answer)
    if array is None or array.shape != inputs[0].shape:
        raise UnfitError(answer, inputs[0])
    return array
