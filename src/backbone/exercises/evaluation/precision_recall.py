"""Exercise ``precision_recall``: read both from a confusion matrix."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "two": "two classes",
    "three": "three classes",
    "never": "a class that is never called",
    "absent": "a class without pictures",
    "millions": "counts in the millions",
}
MESSAGES = {
    "swapped": (
        "Precision and recall are swapped. A column holds all pictures that were *called* a class, and precision "
        "divides by its sum; a row holds all pictures *of* a class, for recall. Try [[50, 10], [5, 100]]: "
        "precision of the first class is 50 / 55."
    ),
    "rows twice": "Both results divide by the sums of rows. That is recall. For precision, add up the columns.",
    "columns twice": "Both results divide by the sums of columns. That is precision. For recall, add up the rows.",
    "whole": (
        "You divide by the number of all pictures. Precision asks only about those that were called the class, "
        "recall only about those that are of it. Try [[50, 10], [5, 100]]: the recall of the first class is 50 / 60."
    ),
    "nan": (
        "You let 0 / 0 come out as NaN. A class that is never called has no precision; here it shall be 0, so that it "
        "counts in a mean. Try [[6, 0], [4, 0]]: the precisions are 0.6 and 0."
    ),
}


def precision_recall(cm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return precision and recall of each class from a matrix (K, K) with true classes in rows; 0 / 0 is 0."""
    hits = np.diag(cm)
    return hits / np.maximum(cm.sum(axis=0), 1), hits / np.maximum(cm.sum(axis=1), 1)


def check_precision_recall(reader_function: Callable) -> Report:
    """Check the reader's ``precision_recall(cm)``."""
    return check(EXERCISE, reader_function)


def _unguarded(cm):
    return np.diag(cm) / cm.sum(axis=0), np.diag(cm) / cm.sum(axis=1)


_WRONG = (
    ("swapped", lambda cm: precision_recall(cm)[::-1]),
    ("swapped", lambda cm: _unguarded(cm)[::-1]),
    ("rows twice", lambda cm: (precision_recall(cm)[1],) * 2),
    ("rows twice", lambda cm: (_unguarded(cm)[1],) * 2),
    ("columns twice", lambda cm: (precision_recall(cm)[0],) * 2),
    ("columns twice", lambda cm: (_unguarded(cm)[0],) * 2),
    ("whole", lambda cm: (np.diag(cm) / cm.sum(),) * 2),
    ("nan", _unguarded),
)

_MATRICES = {
    "two": [[50, 10], [5, 100]],
    "three": [[8, 2, 0], [1, 7, 4], [3, 0, 9]],
    "never": [[6, 0], [4, 0]],
    "absent": [[5, 1, 2], [0, 0, 0], [3, 1, 7]],
    "millions": [[900_000, 100_000], [300_000, 700_000]],
}
EXERCISE = Exercise(
    title="precision_recall",
    reference=precision_recall,
    cases=tuple(Case(CASES[name], (np.array(matrix),)) for name, matrix in _MATRICES.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
