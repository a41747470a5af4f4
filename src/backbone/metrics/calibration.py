"""Whether a network is right as often as its probabilities say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import ROUNDING, class_numbers, integer, real_numbers, same_length, truths


@dataclass(frozen=True)
class Reliability:
    """Pictures in bins of equal width by the network's confidence.

    Attributes:
        edges: of the bins (B + 1,). A bin holds its upper edge; the first one holds 0 too.
        count: pictures in each bin, int64 (B,).
        confidence: mean confidence in each bin (B,), NaN where it is empty.
        accuracy: share that is right in each bin (B,), NaN where it is empty.
    """

    edges: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray


def reliability(correct: ArrayLike, confidence: ArrayLike, bins: int = 10) -> Reliability:
    """Sort pictures by confidence into bins, and compare confidence with accuracy in each.

    Args:
        correct: whether the named class is the true one (N,).
        confidence: probability of the named class (N,), 0 to 1. A rounding error outside is cut off.
        bins: how many, of equal width.

    Raises:
        ValueError: lengths differ, confidence leaves [0, 1], or bins is not a whole number of at least 1.
    """
    correct = truths("reliability", "correct", correct)
    confidence = real_numbers("reliability", "confidence", confidence)
    same_length("reliability", correct=correct, confidence=confidence)
    if confidence.min() < -ROUNDING or confidence.max() > 1 + ROUNDING:
        raise ValueError(
            f"reliability: confidence goes from {confidence.min():.7g} to {confidence.max():.7g}; it must lie in "
            "[0, 1]: give probabilities, such as softmax of the logits"
        )
    confidence = confidence.clip(0, 1)
    edges = np.linspace(0, 1, integer("reliability", "bins", bins, 1) + 1)
    place = np.searchsorted(edges[1:-1], confidence)
    count = np.bincount(place, minlength=bins)

    def mean(values):
        total = np.bincount(place, weights=values, minlength=bins)
        return np.divide(total, count, out=np.full(bins, np.nan), where=count > 0)

    return Reliability(edges, count, mean(confidence), mean(correct))


def expected_calibration_error(correct: ArrayLike, confidence: ArrayLike, bins: int = 10) -> float:
    """Return the mean distance between confidence and accuracy over the bins, each weighted by its pictures.

    It depends on the number of bins and is too large on few pictures. Arguments and errors are those of
    ``reliability``.
    """
    curve = reliability(correct, confidence, bins)
    full = curve.count > 0
    gaps = np.abs(curve.accuracy[full] - curve.confidence[full])
    return float(np.average(gaps, weights=curve.count[full]))


def calibration_temperature(labels: ArrayLike, logits: ArrayLike, low: float = 0.05, high: float = 20.0) -> float:
    """Return the number that logits are divided by so that their softmax has the smallest cross-entropy.

    The loss is convex in 1 / temperature, so a search that halves an interval finds the one minimum. Find it on
    pictures that are not used to judge the result. Source: Guo et al., On calibration of modern neural networks, 2017.

    Args:
        labels: true classes, integers (N,).
        logits: (N, K).
        low: smallest temperature considered.
        high: largest.

    Returns:
        The temperature; above 1 where the network is too sure of itself. ``low`` or ``high`` itself where the loss only
        falls towards it, as where all pictures are right.

    Raises:
        ValueError: lengths differ, or a label has no column in logits.
    """
    labels = class_numbers("calibration_temperature", "labels", labels)
    logits = real_numbers("calibration_temperature", "logits", logits, axes=2)
    same_length("calibration_temperature", labels=labels, logits=logits)
    if labels.max() >= logits.shape[1]:
        raise ValueError(
            f"calibration_temperature: labels holds class {labels.max()}, but logits has {logits.shape[1]} columns"
        )
    own = np.take_along_axis(logits, labels[:, None], axis=1)[:, 0].mean()
    start, end = 1 / high, 1 / low
    for _ in range(60):
        middle = (start + end) / 2
        scaled = np.exp(middle * (logits - logits.max(axis=1, keepdims=True)))
        mean = (scaled * logits).sum(axis=1) / scaled.sum(axis=1)  # of the logits, by the softmax
        start, end = (middle, end) if mean.mean() <= own else (start, middle)  # the sign of the slope
    return 2 / (start + end)
