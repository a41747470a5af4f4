"""Intervals and paired comparisons against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from backbone import metrics


@pytest.mark.parametrize(("correct", "count"), [(0, 1), (1, 1), (0, 30), (30, 30), (7, 10), (861, 1000), (5, 10**6)])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_wilson(correct, count, confidence):
    found = metrics.wilson_interval(correct, count, confidence)
    expected = stats.binomtest(correct, count).proportion_ci(confidence, "wilson")
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_properties(given_counts):
    correct, count = given_counts
    found = metrics.wilson_interval(correct, count)
    assert 0 <= found.low <= correct / count <= found.high <= 1
    mirrored = metrics.wilson_interval(count - correct, count)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((found.low, found.high), abs=1e-12)
    four_times = metrics.wilson_interval(4 * correct, 4 * count)
    assert four_times.high - four_times.low < found.high - found.low


def test_bootstrap_is_near_wilson_and_repeats_itself():
    values = np.arange(1000) < 860
    found = metrics.bootstrap_interval(values, np.random.default_rng(0))
    wilson = metrics.wilson_interval(860, 1000)
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high), abs=0.004)
    assert found == metrics.bootstrap_interval(values, np.random.default_rng(0))
    assert found != metrics.bootstrap_interval(values, np.random.default_rng(1))


def test_bootstrap_equals_scipy_and_takes_any_statistic():
    values = np.random.default_rng(3).normal(size=200) ** 2
    found = metrics.bootstrap_interval(values, np.random.default_rng(0), np.median, 0.9, 4000)
    expected = stats.bootstrap(
        (values,),
        np.median,
        confidence_level=0.9,
        n_resamples=4000,
        method="percentile",
        random_state=np.random.default_rng(5),  # called rng from SciPy 1.15 on, which takes both
    ).confidence_interval
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.03)
    rows = np.stack([values, 2 * values], 1)
    ratio = metrics.bootstrap_interval(rows, np.random.default_rng(0), lambda r: r[:, 1].sum() / r[:, 0].sum())
    assert (ratio.low, ratio.high) == pytest.approx((2, 2))
    one = metrics.bootstrap_interval([True], np.random.default_rng(0))
    assert (one.low, one.high) == (1, 1)


def paired(both, b, c, neither=3):
    first = np.repeat([True, True, False, False], [both, b, c, neither])
    second = np.repeat([True, False, True, False], [both, b, c, neither])
    return first, second


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (0, 5), (5, 5), (12, 20), (60, 31), (1500, 1400)])
def test_mcnemar(b, c):
    found = metrics.mcnemar(*paired(40, b, c))
    assert (found.only_first, found.only_second) == (b, c)
    exact = stats.binomtest(b, b + c).pvalue if b + c else 1
    assert found.exact_p == pytest.approx(exact, rel=1e-9)
    chi = max(abs(b - c) - 1, 0) ** 2 / (b + c) if b + c else 0
    assert found.chi_square == pytest.approx(chi)
    assert found.chi_square_p == pytest.approx(stats.chi2.sf(chi, 1), rel=1e-9)


def test_pictures_on_which_both_agree_say_nothing():
    assert metrics.mcnemar(*paired(0, 9, 2, 0)) == metrics.mcnemar(*paired(500, 9, 2, 90))


def test_paired_bootstrap():
    first, second = paired(700, 60, 30, 210)
    found = metrics.paired_bootstrap(first, second, np.random.default_rng(0))
    assert found.difference == pytest.approx(0.03)
    spread = np.std(first.astype(float) - second) / np.sqrt(1000)
    assert found.low == pytest.approx(0.03 - 1.96 * spread, abs=0.003)
    assert found.high == pytest.approx(0.03 + 1.96 * spread, abs=0.003)
    swapped = metrics.paired_bootstrap(second, first, np.random.default_rng(0))
    assert swapped.difference == -found.difference
    same = metrics.paired_bootstrap(first, first, np.random.default_rng(0))
    assert (same.difference, same.low, same.high) == (0, 0, 0)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.wilson_interval(3, 0), "count is 0; it must be an integer of at least 1"),
        (lambda: metrics.wilson_interval(4, 3), "correct is 4; it must be an integer from 0 to 3"),
        (lambda: metrics.wilson_interval(0.5, 3), "correct is 0.5"),
        (lambda: metrics.wilson_interval(1, 3, 1), "confidence is 1; it must lie between 0 and 1"),
        (lambda: metrics.bootstrap_interval([1.0], 0), "pass one such as np.random.default_rng(0)"),
        (lambda: metrics.bootstrap_interval([], np.random.default_rng(0)), "values has shape (0,)"),
        (lambda: metrics.mcnemar([1], [0, 1]), "first_correct has 1, second_correct has 2 entries"),
        (lambda: metrics.mcnemar([3], [0]), "first_correct holds 3"),
    ],
)
def test_errors_say_what_is_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
