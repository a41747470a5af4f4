"""Scores of the class that a network names: accuracy, the confusion matrix, and what is read from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from backbone.checks import class_numbers, integer, real_numbers, same_length, to_array

AVERAGES = ("macro", "micro", "weighted")


def accuracy(labels: ArrayLike, predicted: ArrayLike) -> float:
    """Return the share of pictures whose class was named rightly.

    Args:
        labels: true classes, integers (N,).
        predicted: named classes, integers (N,).

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: an argument is empty, not whole numbers, or of another length than the other.
    """
    labels, predicted = _pair("accuracy", labels, predicted)
    return float(np.mean(labels == predicted))


def top_k_accuracy(labels: ArrayLike, scores: ArrayLike, k: int) -> float:
    """Return the share of pictures whose true class has one of the k largest scores.

    Ties count against the network: a class that scores exactly as much as the true one stands before it. Otherwise
    equal scores for all classes would be right everywhere.

    Args:
        labels: true classes, integers (N,).
        scores: (N, K), a row a picture: logits or probabilities.
        k: 1 to K.

    Returns:
        A number in [0, 1].

    Raises:
        ValueError: lengths differ, a label has no column in scores, or k is outside 1 to K.
    """
    labels = class_numbers("top_k_accuracy", "labels", labels)
    scores = real_numbers("top_k_accuracy", "scores", scores, axes=2)
    same_length("top_k_accuracy", labels=labels, scores=scores)
    _known("top_k_accuracy", "labels", labels, scores.shape[1])
    k = integer("top_k_accuracy", "k", k, 1, scores.shape[1])
    own = np.take_along_axis(scores, labels[:, None], axis=1)
    return float(np.mean((scores >= own).sum(axis=1) <= k))  # the true class is one of those counted


def confusion_matrix(labels: ArrayLike, predicted: ArrayLike, num_classes: int | None = None) -> np.ndarray:
    """Count the pictures of each true class (row) that were called each class (column).

    Args:
        labels: true classes, integers (N,).
        predicted: named classes, integers (N,).
        num_classes: K; by default one more than the largest class that occurs.

    Returns:
        int64 (K, K). ``matrix[i, j]`` pictures of class i were called j.

    Raises:
        ValueError: lengths differ, or a class is K or more.
    """
    labels, predicted = _pair("confusion_matrix", labels, predicted)
    if num_classes is None:
        num_classes = int(max(labels.max(), predicted.max())) + 1
    k = integer("confusion_matrix", "num_classes", num_classes, 1)
    _known("confusion_matrix", "labels", labels, k)
    _known("confusion_matrix", "predicted", predicted, k)
    return np.bincount(labels * k + predicted, minlength=k * k).reshape(k, k)


def precision(matrix: ArrayLike, average: str | None = None, zero_division: float = 0.0) -> np.ndarray | float:
    """Return how many of the pictures *called* a class belong to it: TP / (TP + FP).

    Args:
        matrix: confusion matrix (K, K), true classes in rows.
        average: None for one number a class; "macro", the mean over classes; "weighted", the mean with each class
            counted by its true pictures; "micro", from the counts of all classes together, which is the accuracy.
        zero_division: what 0 / 0 is: here, the precision of a class that was never called. NaN leaves such
            classes out of the averages.

    Returns:
        float64 (K,), or a float where an average is named.

    Raises:
        ValueError: matrix is not square, holds no picture or something other than counts; or average is unknown.
    """
    counts = _counts("precision", matrix)
    return _scores("precision", counts, np.diag(counts), counts.sum(axis=0), average, zero_division)


def recall(matrix: ArrayLike, average: str | None = None, zero_division: float = 0.0) -> np.ndarray | float:
    """Return how many of the pictures *of* a class were called it: TP / (TP + FN).

    Arguments, result and errors are those of ``precision``; 0 / 0 is the recall of a class without pictures.
    """
    counts = _counts("recall", matrix)
    return _scores("recall", counts, np.diag(counts), counts.sum(axis=1), average, zero_division)


def f1(matrix: ArrayLike, average: str | None = None, zero_division: float = 0.0) -> np.ndarray | float:
    """Return the harmonic mean of precision and recall: 2 TP / (2 TP + FP + FN).

    Arguments, result and errors are those of ``precision``; 0 / 0 is a class that neither occurs nor is called. The
    macro average is the mean of the classes' F1, not the F1 of the mean precision and recall.
    """
    counts = _counts("f1", matrix)
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return _scores("f1", counts, 2 * np.diag(counts), both, average, zero_division)


def _scores(name, counts, hits, total, average, zero_division):
    """Divide hits by totals, class by class, and average."""
    if average not in (None, *AVERAGES):
        raise ValueError(f"{name}: average is {average!r}; it must be None, {', '.join(map(repr, AVERAGES))}")
    if average == "micro":
        return float(hits.sum() / total.sum())
    scores = np.divide(hits, total, out=np.full(len(hits), float(zero_division)), where=total > 0)
    if average is None:
        return scores
    weights = counts.sum(axis=1) if average == "weighted" else np.ones(len(hits))
    weights = np.where(np.isnan(scores), 0, weights)
    return float(np.nansum(scores * weights) / weights.sum()) if weights.any() else float("nan")


def _pair(name, labels, predicted):
    labels, predicted = class_numbers(name, "labels", labels), class_numbers(name, "predicted", predicted)
    same_length(name, labels=labels, predicted=predicted)
    return labels, predicted


def _known(name, argument, numbers, num_classes):
    if numbers.max() >= num_classes:
        raise ValueError(
            f"{name}: {argument} holds class {numbers.max()}, but there are {num_classes} classes, 0 to "
            f"{num_classes - 1}"
        )


def _counts(name, matrix):
    array = to_array(name, "matrix", matrix)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not array.size:
        raise ValueError(f"{name}: matrix has shape {array.shape}; it must be (K, K), such as confusion_matrix gives")
    if array.dtype.kind not in "iuf" or not np.isfinite(array).all() or array.min() < 0 or not array.any():
        raise ValueError(f"{name}: matrix must hold counts, none negative and at least one above 0")
    return array.astype(np.float64)
