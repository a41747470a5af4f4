"""Exercise ``label_smoothing``: targets that are a little less than certain."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "label_smoothing"

CASES = {
    "few": "four classes, epsilon 0.1",
    "two": "two classes, epsilon 0.3",
    "single": "a single label among five classes",
    "all": "epsilon 1: nothing is left of the label",
    "none": "epsilon 0: the labels as they were",
    "many": "ten classes, epsilon 0.2",
}

MESSAGES = {
    "others only": (
        "The other classes alone were given epsilon, epsilon / (K - 1) each. The paper's and PyTorch's rule "
        "shares it among all K, the right class included: 1 - epsilon + epsilon / K for that. Try K = 2 and "
        "epsilon = 1: both get 1/2."
    ),
    "right class short": (
        "The right class has 1 - epsilon only, though it gets its share of epsilon too: 1 - epsilon + epsilon / K. "
        "Try to add up a row: it has to give 1."
    ),
    "not taken": (
        "Every class got its epsilon / K, but nothing was taken from the right class before. Try to add up "
        "a row: it has to give 1, so the right class starts from 1 - epsilon."
    ),
    "epsilon each": (
        "Each wrong class got the whole of epsilon. It is shared out among the K classes: epsilon / K each. Try to add "
        "up a row of ten classes: it has to give 1."
    ),
    "hard": "These are the labels as they were, 0 and 1. Take epsilon from the 1 and share it out among all classes.",
    "transposed": (
        "Classes and examples are exchanged: the answer has a row for each example and a column for each class, (N, K)."
    ),
}


def label_smoothing(y: np.ndarray, eps: float, classes: int) -> np.ndarray:
    """Do right what the reader is asked to write.

    Args:
        y: labels (N,), from 0 to classes - 1.
        eps: share of certainty that is given up, 0 to 1.
        classes: how many there are, K.

    Returns:
        Targets (N, K), each row a distribution.
    """
    return _smoothed(y, eps, classes, eps / classes, 1 - eps + eps / classes)


def check_label_smoothing(reader_function: Callable) -> Report:
    """Check the reader's ``label_smoothing(y, eps, classes)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _smoothed(y, eps, classes, others, right):
    targets = np.full((len(y), classes), float(others))
    targets[np.arange(len(y)), y] = right
    return targets


def _cases() -> tuple[Case, ...]:
    given = {
        "few": ([2, 0, 3], 0.1, 4),
        "two": ([1, 0], 0.3, 2),
        "single": ([4], 0.2, 5),
        "all": ([0, 2, 1], 1.0, 3),
        "none": ([1, 1, 0], 0.0, 3),
        "many": ([9, 3, 0, 5], 0.2, 10),
    }
    return tuple(Case(CASES[name], (np.array(y), eps, classes)) for name, (y, eps, classes) in given.items())


_WRONG = (
    ("others only", lambda y, eps, k: _smoothed(y, eps, k, eps / (k - 1), 1 - eps)),
    ("right class short", lambda y, eps, k: _smoothed(y, eps, k, eps / k, 1 - eps)),
    ("not taken", lambda y, eps, k: _smoothed(y, eps, k, eps / k, 1 + eps / k)),
    ("not taken", lambda y, eps, k: _smoothed(y, eps, k, eps / k, 1)),
    ("epsilon each", lambda y, eps, k: _smoothed(y, eps, k, eps, 1 - eps)),
    ("hard", lambda y, eps, k: _smoothed(y, eps, k, 0, 1)),
    ("transposed", lambda y, eps, k: label_smoothing(y, eps, k).T),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=label_smoothing,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
