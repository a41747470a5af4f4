"""Accuracy, confusion matrix, precision, recall and F1 against scikit-learn."""

import numpy as np
import pytest
import sklearn.metrics as sk
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from backbone import metrics

RNG = np.random.default_rng(0)
# labels, predicted, number of classes
CASES = {
    "random": (RNG.integers(0, 5, 200), RNG.integers(0, 5, 200), 5),
    "absent class": (RNG.integers(0, 3, 50), RNG.integers(0, 3, 50), 5),
    "never called": (RNG.integers(0, 4, 50), RNG.integers(0, 3, 50), 4),
    "called but absent": (RNG.integers(0, 3, 50), RNG.integers(0, 4, 50), 4),
    "one picture, right": (np.array([2]), np.array([2]), 3),
    "one picture, wrong": (np.array([0]), np.array([1]), 3),
    "all one class": (np.zeros(9, int), np.zeros(9, int), 1),
    "all wrong": (np.zeros(9, int), np.ones(9, int), 2),
}
REFERENCE = {"precision": sk.precision_score, "recall": sk.recall_score, "f1": sk.f1_score}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request):
    return request.param


def test_accuracy_and_matrix(case):
    labels, predicted, k = case
    assert metrics.accuracy(labels, predicted) == pytest.approx(sk.accuracy_score(labels, predicted), abs=1e-15)
    expected = np.array([[np.sum((labels == i) & (predicted == j)) for j in range(k)] for i in range(k)])
    if k > 1:  # scikit-learn warns of a matrix of one class
        np.testing.assert_array_equal(sk.confusion_matrix(labels, predicted, labels=range(k)), expected)
    found = metrics.confusion_matrix(labels, predicted, k)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.int64


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("average", [None, "macro", "micro", "weighted"])
@pytest.mark.parametrize("empty", [0.0, 1.0, np.nan])
def test_scores_of_the_matrix(case, name, average, empty):
    labels, predicted, k = case
    matrix = metrics.confusion_matrix(labels, predicted, k)
    found = getattr(metrics, name)(matrix, average, zero_division=empty)
    expected = REFERENCE[name](labels, predicted, labels=range(k), average=average, zero_division=empty)
    left = ~np.isnan(getattr(metrics, name)(matrix, zero_division=empty))
    if average == "weighted" and not matrix.sum(axis=1)[left].any():
        expected = np.nan  # no class with pictures is left to be averaged; scikit-learn says 0
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    assert isinstance(found, float if average else np.ndarray)


def test_zero_over_zero_is_zero_unless_said_otherwise():
    never_called = np.array([[3, 0], [2, 0]])
    assert metrics.precision(never_called).tolist() == [0.6, 0]
    assert metrics.recall(never_called.T).tolist() == [0.6, 0]
    assert np.isnan(metrics.precision(never_called, zero_division=np.nan)[1])
    assert metrics.precision(never_called, "macro", zero_division=np.nan) == pytest.approx(0.6)


def test_micro_is_accuracy():
    labels, predicted, k = CASES["random"]
    matrix = metrics.confusion_matrix(labels, predicted, k)
    for name in REFERENCE:
        assert getattr(metrics, name)(matrix, "micro") == pytest.approx(metrics.accuracy(labels, predicted))


@pytest.mark.parametrize("k", range(1, 7))
def test_top_k(k):
    scores, labels = RNG.normal(size=(80, 6)), RNG.integers(0, 6, 80)
    expected = sk.top_k_accuracy_score(labels, scores, k=k, labels=range(6)) if k < 6 else 1.0
    assert metrics.top_k_accuracy(labels, scores, k) == pytest.approx(expected)
    assert metrics.top_k_accuracy(torch.tensor(labels), torch.tensor(scores, requires_grad=True), k) == expected


def test_top_k_counts_ties_against_the_network():
    scores = np.array([[1.0, 1.0, 0.0]])
    assert [metrics.top_k_accuracy([0], scores, k) for k in (1, 2, 3)] == [0, 1, 1]
    assert [metrics.top_k_accuracy([1], scores, k) for k in (1, 2, 3)] == [0, 1, 1]
    assert metrics.top_k_accuracy(np.arange(4), np.zeros((4, 4)), 3) == 0


classes = arrays(np.int64, st.integers(1, 40).map(lambda n: (2, n)), elements=st.integers(0, 5))


@settings(max_examples=100, deadline=None)
@given(classes)
def test_properties(both):
    labels, predicted = both
    matrix = metrics.confusion_matrix(labels, predicted, 6)
    assert matrix.sum() == len(labels)
    assert np.trace(matrix) / len(labels) == pytest.approx(metrics.accuracy(labels, predicted))
    np.testing.assert_array_equal(metrics.confusion_matrix(predicted, labels, 6), matrix.T)
    np.testing.assert_array_equal(metrics.precision(matrix), metrics.recall(matrix.T))
    # Each class counted by its pictures, recall is accuracy.
    assert metrics.recall(matrix, "weighted") == pytest.approx(metrics.accuracy(labels, predicted))
    precision, recall, f1 = (getattr(metrics, name)(matrix) for name in REFERENCE)
    assert (f1 <= np.maximum(precision, recall) + 1e-12).all()
    assert (f1 >= np.minimum(precision, recall) - 1e-12).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.accuracy([], []), "labels has shape (0,)"),
        (lambda: metrics.accuracy([0, 1], [0]), "labels has 2, predicted has 1 entries"),
        (lambda: metrics.accuracy([0.5], [0]), "dtype float64; it must hold whole class numbers"),
        (lambda: metrics.accuracy([-1], [0]), "labels holds -1; classes are numbered from 0"),
        (lambda: metrics.accuracy([0], [[0.1, 0.9]]), "predicted has shape (1, 2); it must be (N,)"),
        (lambda: metrics.confusion_matrix([0, 3], [0, 0], 3), "labels holds class 3, but there are 3 classes"),
        (lambda: metrics.top_k_accuracy([0], [[1.0, 2.0]], 3), "k is 3; it must be an integer from 1 to 2"),
        (lambda: metrics.top_k_accuracy([2], [[1.0, 2.0]], 1), "labels holds class 2"),
        (lambda: metrics.top_k_accuracy([0], [[1.0, np.nan]], 1), "finite real numbers"),
        (lambda: metrics.precision(np.ones((2, 3))), "shape (2, 3); it must be (K, K)"),
        (lambda: metrics.recall(np.zeros((2, 2))), "at least one above 0"),
        (lambda: metrics.f1(np.eye(2), "mean"), "average is 'mean'; it must be None, 'macro', 'micro', 'weighted'"),
    ],
)
def test_errors_say_what_is_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
