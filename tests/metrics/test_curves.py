"""ROC, precision-recall and the areas under them against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backbone import metrics

RNG = np.random.default_rng(1)
CASES = {
    "random": (RNG.random(300) < 0.3, RNG.normal(size=300)),
    "ties": (RNG.random(200) < 0.4, RNG.integers(0, 5, 200)),
    "all scores equal": (np.array([True, False, False]), np.ones(3)),
    "perfect": (np.array([False, False, True]), np.array([0.1, 0.2, 0.9])),
    "always wrong": (np.array([True, False, False]), np.array([0.1, 0.2, 0.9])),
    "one of each": (np.array([True, False]), np.array([0.5, 0.5])),
    "rare": (np.arange(500) == 250, RNG.normal(size=500)),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


def test_roc(case):
    found, (fpr, tpr, thresholds) = metrics.roc_curve(*case), sk.roc_curve(*case, drop_intermediate=False)
    np.testing.assert_allclose(found.false_positive_rate, fpr, atol=1e-15)
    np.testing.assert_allclose(found.true_positive_rate, tpr, atol=1e-15)
    np.testing.assert_array_equal(found.thresholds, thresholds)
    assert metrics.auc(*case) == pytest.approx(sk.roc_auc_score(*case), abs=1e-12)


def test_precision_recall(case):
    found, (precision, recall, thresholds) = metrics.precision_recall_curve(*case), sk.precision_recall_curve(*case)
    np.testing.assert_allclose(found.precision[::-1], precision, atol=1e-15)
    np.testing.assert_allclose(found.recall[::-1], recall, atol=1e-15)
    np.testing.assert_array_equal(found.thresholds[:0:-1], thresholds)
    assert metrics.average_precision(*case) == pytest.approx(sk.average_precision_score(*case), abs=1e-12)


def test_tensors_and_zeros_and_ones_are_taken(case):
    positive, scores = case
    found = metrics.auc(torch.tensor(positive).long(), torch.tensor(scores, dtype=torch.float64, requires_grad=True))
    assert found == metrics.auc(positive, scores)


def test_one_picture_has_a_precision_but_no_roc():
    curve = metrics.precision_recall_curve([True], [0.2])
    assert (curve.precision.tolist(), curve.recall.tolist()) == ([1, 1], [0, 1])
    assert metrics.average_precision([True], [0.2]) == 1
    with pytest.raises(ValueError, match="all 1 pictures are positive; both rates need at least one of each"):
        metrics.roc_curve([True], [0.2])


pairs = st.lists(st.tuples(st.booleans(), st.integers(-4, 4)), min_size=2, max_size=40)


@settings(max_examples=100, deadline=None)
@given(pairs)
def test_area_is_the_chance_to_rank_a_pair_rightly(given_pairs):
    positive, scores = (np.array(part) for part in zip(*given_pairs, strict=True))
    assume(0 < positive.sum() < len(positive))
    above = scores[positive][:, None] - scores[~positive]
    assert metrics.auc(positive, scores) == pytest.approx(np.mean((np.sign(above) + 1) / 2))
    # Only the order counts, and turning it around mirrors the area.
    assert metrics.auc(positive, np.exp(scores)) == pytest.approx(metrics.auc(positive, scores))
    assert metrics.auc(positive, -scores) == pytest.approx(1 - metrics.auc(positive, scores))


@settings(max_examples=60, deadline=None)
@given(pairs, st.integers(1, 20))
def test_more_negatives_leave_the_roc_and_lower_precision(given_pairs, times):
    positive, scores = (np.array(part) for part in zip(*given_pairs, strict=True))
    assume(0 < positive.sum() < len(positive))
    more = np.concatenate([positive, np.tile(positive[~positive], times)])
    scored = np.concatenate([scores, np.tile(scores[~positive], times)])
    before, after = metrics.roc_curve(positive, scores), metrics.roc_curve(more, scored)
    np.testing.assert_allclose(after.false_positive_rate, before.false_positive_rate)
    np.testing.assert_array_equal(after.true_positive_rate, before.true_positive_rate)
    curve = metrics.precision_recall_curve(more, scored)
    assert (curve.precision <= metrics.precision_recall_curve(positive, scores).precision + 1e-12).all()
    expected = [
        metrics.precision_at(t, f, more.mean())
        for f, t in zip(before.false_positive_rate, before.true_positive_rate, strict=True)
    ]
    np.testing.assert_allclose(curve.precision, expected)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.roc_curve([0, 0], [1.0, 2.0]), "all 2 pictures are negative"),
        (lambda: metrics.auc([0, 2], [1.0, 2.0]), "positive holds 2; it must be true or false"),
        (lambda: metrics.auc([0, 1], [1.0]), "positive has 2, scores has 1 entries"),
        (lambda: metrics.auc([0, 1], [1.0, np.inf]), "scores must hold finite real numbers"),
        (lambda: metrics.average_precision([0, 0], [1.0, 2.0]), "none of the 2 pictures is positive"),
        (lambda: metrics.precision_at(1.2, 0, 0.5), "true_positive_rate is 1.2; it must lie in [0, 1]"),
        (lambda: metrics.precision_at(1, 0, 1), "prevalence is 1; it must lie between 0 and 1"),
    ],
)
def test_errors_say_what_is_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
