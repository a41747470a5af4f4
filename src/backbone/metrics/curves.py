"""Scores of a yes-or-no question at every threshold: ROC, precision-recall, and the areas under them.

A picture is called positive where its score is at or above the threshold. Pictures with equal scores are called
together, so that ties need no order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import fraction, real_numbers, same_length, truths


@dataclass(frozen=True)
class ROCCurve:
    """One point for each distinct score, from strict to lenient; the first calls nothing positive.

    Attributes:
        false_positive_rate: share of the negatives that are called positive (T,).
        true_positive_rate: share of the positives that are called positive, the recall (T,).
        thresholds: falling; the first is infinity (T,).
    """

    false_positive_rate: np.ndarray
    true_positive_rate: np.ndarray
    thresholds: np.ndarray


@dataclass(frozen=True)
class PrecisionRecallCurve:
    """One point for each distinct score, from strict to lenient; the first calls nothing and has precision 1.

    Attributes:
        precision: share of those called positive that are (T,).
        recall: share of the positives that are called positive (T,).
        thresholds: falling; the first is infinity (T,).
    """

    precision: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray


def roc_curve(positive: ArrayLike, scores: ArrayLike) -> ROCCurve:
    """Return true and false positive rates at every threshold.

    Args:
        positive: true or false for each picture (N,).
        scores: (N,), larger means more likely positive.

    Raises:
        ValueError: lengths differ, or there is no positive or no negative.
    """
    hits, called, thresholds, positive = _steps("roc_curve", positive, scores)
    negatives = len(positive) - positive.sum()
    if not positive.any() or not negatives:
        raise ValueError(
            f"roc_curve: all {len(positive)} pictures are {'positive' if positive.any() else 'negative'}; "
            "both rates need at least one of each"
        )
    return ROCCurve((called - hits) / negatives, hits / positive.sum(), thresholds)


def auc(positive: ArrayLike, scores: ArrayLike) -> float:
    """Return the area under the ROC curve.

    It is the chance that a positive drawn at random scores higher than a negative drawn at random; a tie counts one
    half. Arguments and errors are those of ``roc_curve``.
    """
    curve = roc_curve(positive, scores)
    width, height = np.diff(curve.false_positive_rate), curve.true_positive_rate
    return float(np.sum(width * (height[1:] + height[:-1]) / 2))


def precision_recall_curve(positive: ArrayLike, scores: ArrayLike) -> PrecisionRecallCurve:
    """Return precision and recall at every threshold.

    Where nothing is called positive, precision is 0 / 0; by convention it is 1 there.
    Arguments are those of ``roc_curve``.

    Raises:
        ValueError: lengths differ, or there is no positive.
    """
    hits, called, thresholds, positive = _steps("precision_recall_curve", positive, scores)
    if not positive.any():
        raise ValueError(
            f"precision_recall_curve: none of the {len(positive)} pictures is positive; recall needs at least one"
        )
    precision = np.divide(hits, called, out=np.ones(len(hits)), where=called > 0)
    return PrecisionRecallCurve(precision, hits / positive.sum(), thresholds)


def average_precision(positive: ArrayLike, scores: ArrayLike) -> float:
    """Return the mean of the precision over the steps of the recall: sum of (R_t - R_{t-1}) P_t.

    No straight lines are drawn between the points; these would be too hopeful. Arguments and errors are those of
    ``precision_recall_curve``.
    """
    curve = precision_recall_curve(positive, scores)
    return float(np.sum(np.diff(curve.recall) * curve.precision[1:]))


def precision_at(true_positive_rate: float, false_positive_rate: float, prevalence: float) -> float:
    """Return the precision that two rates give where this share of all pictures is positive (Bayes' rule).

    Args:
        true_positive_rate: recall, 0 to 1.
        false_positive_rate: 0 to 1.
        prevalence: share of the positives among all pictures, between 0 and 1.

    Returns:
        A number in [0, 1]; 1 where both rates are 0, as on the precision-recall curve.

    Raises:
        ValueError: an argument lies outside its range.
    """
    recall = fraction("precision_at", "true_positive_rate", true_positive_rate, ends=True)
    alarms = fraction("precision_at", "false_positive_rate", false_positive_rate, ends=True)
    prevalence = fraction("precision_at", "prevalence", prevalence)
    right, wrong = recall * prevalence, alarms * (1 - prevalence)
    return right / (right + wrong) if right + wrong else 1.0


def _steps(name, positive, scores):
    """Return hits and calls at each distinct score, first none, then falling; and the thresholds and truths."""
    positive = truths(name, "positive", positive)
    scores = real_numbers(name, "scores", scores)
    same_length(name, positive=positive, scores=scores)
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    last = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)  # of each group of equal scores
    hits = np.append(0, np.cumsum(positive[order])[last])
    return hits, np.append(0, last + 1), np.append(np.inf, ordered[last]), positive
