"""Reliability against scikit-learn, the calibration error against its definition, temperature against scipy."""

import numpy as np
import pytest
import torch
from scipy.optimize import minimize_scalar
from sklearn.calibration import calibration_curve

from backbone import metrics

RNG = np.random.default_rng(2)


@pytest.mark.parametrize("bins", [1, 5, 10, 15])
def test_reliability(bins):
    confidence = np.concatenate([RNG.random(400) ** 0.3, np.linspace(0, 1, bins + 1)])  # edges among them
    correct = RNG.random(len(confidence)) < confidence
    found = metrics.reliability(correct, confidence, bins)
    accuracy, mean = calibration_curve(correct, confidence, n_bins=bins)
    full = found.count > 0
    np.testing.assert_allclose(found.accuracy[full], accuracy)
    np.testing.assert_allclose(found.confidence[full], mean)
    assert found.count.sum() == len(confidence)
    gap = sum(abs(correct[a].mean() - confidence[a].mean()) * len(a) for a in groups(confidence, bins))
    assert metrics.expected_calibration_error(correct, confidence, bins) == pytest.approx(gap / len(confidence))


def groups(confidence, bins):
    """Return the places of each full bin, from the definition."""
    for k in range(bins):
        low, high = np.linspace(0, 1, bins + 1)[[k, k + 1]]
        inside = np.flatnonzero((confidence > low) & (confidence <= high) | ((k == 0) & (confidence == 0)))
        if len(inside):
            yield inside


def test_one_picture_and_empty_bins():
    found = metrics.reliability([True], [0.7], 4)
    assert found.count.tolist() == [0, 0, 1, 0]
    assert np.isnan(found.accuracy).tolist() == [True, True, False, True]
    assert metrics.expected_calibration_error([True], [0.7]) == pytest.approx(0.3)
    assert metrics.expected_calibration_error([False], torch.tensor([0.0])) == 0


@pytest.mark.parametrize("true", [0.5, 1.0, 3.0])
def test_temperature_has_the_smallest_loss(true):
    logits = RNG.normal(size=(2000, 6)) * 2
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    labels = (p.cumsum(1) < RNG.random((2000, 1))).sum(1)

    def loss(temperature):
        z = torch.tensor(logits * true) / temperature
        return torch.nn.functional.cross_entropy(z, torch.tensor(labels)).item()

    found = metrics.calibration_temperature(labels, torch.tensor(logits * true))
    best = minimize_scalar(loss, bounds=(0.05, 20), method="bounded", options={"xatol": 1e-8})
    assert found == pytest.approx(best.x, rel=1e-4)
    assert found == pytest.approx(true, rel=0.1)


def test_temperature_ends_where_the_loss_only_falls():
    sure = [[100.0, 0], [0, 100]]
    assert metrics.calibration_temperature([0, 1], sure) == pytest.approx(0.05)
    assert metrics.calibration_temperature([0, 1], [[1.0, 0], [0, 1]], low=0.2) == pytest.approx(0.2)
    assert metrics.calibration_temperature([1, 0], sure) == pytest.approx(20)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: metrics.reliability([1], [1.2]), "it must lie in [0, 1]: give probabilities"),
        (lambda: metrics.reliability([1, 0], [0.5]), "correct has 2, confidence has 1 entries"),
        (lambda: metrics.reliability([1], [0.5], 0), "bins is 0; it must be an integer of at least 1"),
        (lambda: metrics.calibration_temperature([3], [[0.1, 0.2]]), "labels holds class 3"),
    ],
)
def test_errors_say_what_is_allowed(call, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        call()
    assert words in str(caught.value)
