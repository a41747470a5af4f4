"""How far a score can be trusted, and whether two networks differ by more than chance."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import fraction, integer, random_generator, real_numbers, same_length, truths


@dataclass(frozen=True)
class Interval:
    """From ``low`` to ``high``."""

    low: float
    high: float


@dataclass(frozen=True)
class McNemar:
    """Two networks on the same pictures.

    Attributes:
        only_first: pictures that only the first network gets right.
        only_second: pictures that only the second one gets right.
        exact_p: two-sided p-value from the binomial distribution.
        chi_square: (|only_first - only_second| - 1)^2 / (only_first + only_second), not below 0 before the square.
        chi_square_p: two-sided p-value from that statistic; good from about 25 such pictures on.
    """

    only_first: int
    only_second: int
    exact_p: float
    chi_square: float
    chi_square_p: float


@dataclass(frozen=True)
class PairedDifference:
    """Accuracy of the first network minus accuracy of the second, and an interval around it."""

    difference: float
    low: float
    high: float


def wilson_interval(correct: int, count: int, confidence: float = 0.95) -> Interval:
    """Return the shares that agree with ``correct`` hits in ``count`` independent tries.

    Unlike p ± z sqrt(p (1 - p) / n) it stays inside [0, 1] and has a width where every try was a hit.
    Source: Wilson, Probable inference, the law of succession, and statistical inference, 1927.

    Args:
        correct: 0 to count.
        count: at least 1.
        confidence: how often such intervals hold the true share, between 0 and 1.

    Raises:
        ValueError: an argument lies outside its range.
    """
    count = integer("wilson_interval", "count", count, 1)
    correct = integer("wilson_interval", "correct", correct, 0, count)
    z = NormalDist().inv_cdf((1 + fraction("wilson_interval", "confidence", confidence)) / 2)
    middle = (correct + z**2 / 2) / (count + z**2)
    half = z / (count + z**2) * math.sqrt(correct * (count - correct) / count + z**2 / 4)
    # Rounding would leave the ends a hair inside or outside.
    return Interval(0.0 if correct == 0 else middle - half, 1.0 if correct == count else middle + half)


def bootstrap_interval(
    values: ArrayLike,
    generator: np.random.Generator,
    statistic: Callable[[np.ndarray], float] = np.mean,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> Interval:
    """Return an interval for a statistic, from drawing the pictures again with replacement (percentile bootstrap).

    Args:
        values: one number a picture (N,), or a row a picture (N, M).
        generator: draws the pictures.
        statistic: takes an array like values, returns a number; the mean by default.
        confidence: between 0 and 1.
        resamples: how often to draw.

    Raises:
        ValueError: values is empty or not finite, or another argument lies outside its range.
    """
    name = "bootstrap_interval"
    rows = real_numbers(name, "values", values, axes=max(1, min(2, np.ndim(values))))
    generator = random_generator(name, generator)
    level = fraction(name, "confidence", confidence)
    draws = range(integer(name, "resamples", resamples, 1))
    found = [float(statistic(rows[generator.integers(len(rows), size=len(rows))])) for _ in draws]
    return Interval(*_percentiles(found, level))


def mcnemar(first_correct: ArrayLike, second_correct: ArrayLike) -> McNemar:
    """Test whether two networks are right equally often, from the pictures on which only one is right.

    Pictures that both or neither get right say nothing about the difference and do not enter. Where there is no
    other picture, both p-values are 1. Source: McNemar, Note on the sampling error of the difference between
    correlated proportions or percentages, 1947; continuity correction: Edwards, 1948.

    Args:
        first_correct: whether the first network is right, for each picture (N,).
        second_correct: the same for the second, in the same order (N,).

    Raises:
        ValueError: lengths differ, or something other than true and false is given.
    """
    first, second = _both("mcnemar", first_correct, second_correct)
    b, c = int((first & ~second).sum()), int((~first & second).sum())
    n, smaller = b + c, min(b, c)
    tail = sum(math.comb(n, i) for i in range(smaller + 1))
    exact = min(1.0, 2 * tail / 2**n)  # whole numbers up to here, so no rounding however many pictures
    chi = max(abs(b - c) - 1, 0) ** 2 / n if n else 0.0
    return McNemar(b, c, exact, chi, math.erfc(math.sqrt(chi / 2)))


def paired_bootstrap(
    first_correct: ArrayLike,
    second_correct: ArrayLike,
    generator: np.random.Generator,
    confidence: float = 0.95,
    resamples: int = 2000,
) -> PairedDifference:
    """Return the difference of two accuracies on the same pictures, with a bootstrap interval.

    Both networks are drawn together, picture by picture: what makes a picture hard for both then cancels.
    Arguments are those of ``mcnemar`` and ``bootstrap_interval``, and so are the errors.
    """
    first, second = _both("paired_bootstrap", first_correct, second_correct)
    values = first.astype(float) - second
    interval = bootstrap_interval(values, generator, np.mean, confidence, resamples)
    return PairedDifference(float(values.mean()), interval.low, interval.high)


def _both(name, first, second):
    first, second = truths(name, "first_correct", first), truths(name, "second_correct", second)
    same_length(name, first_correct=first, second_correct=second)
    return first, second


def _percentiles(found, level):
    return np.quantile(found, [(1 - level) / 2, (1 + level) / 2]).tolist()
