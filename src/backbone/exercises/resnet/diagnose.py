"""Exercise ``diagnose``: what is wrong with the deeper of two networks; the training error decides first."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "diagnose"
NOTHING, OVERFITTING, DEGRADATION, UNDERFITTING = range(4)
MARGIN, HIGH = 0.01, 0.3

CASES = {
    "degradation": "training and test error both higher in the deeper one",
    "overfitting": "training error lower, test error higher",
    "better": "both lower, and the training error small",
    "hidden": "training error higher, test error the same",
    "late": "the deeper one begins worse and ends better",
    "early": "the deeper one begins better and ends worse in training",
    "weak": "both errors alike and high",
    "gap": "a wide gap in both networks, the deeper one better in both",
    "noise": "differences too small to count",
}

MESSAGES = {
    "test only": (
        "A higher test error alone was called overfitting. Overfitting is a lower training error with a higher test "
        "error. Look at the training error first: where it is higher, too, the deeper network is worse at what it was "
        "shown."
    ),
    "gap": (
        "The gap between training and test error was judged. A good network can have a wide gap. Compare the deeper "
        "network with the shallower one, each error with its own."
    ),
    "first": "The first pass was compared. Deep networks often begin slower. Compare the last numbers of the curves.",
    "best": (
        "The smallest test error of each curve was compared. That is choosing by the test pictures. Compare the last "
        "numbers."
    ),
    "degradation by test": (
        "Degradation was looked for in the test error. It is a higher *training* error; that is why overfitting cannot "
        "explain it."
    ),
    "no margin": ("Differences below 0.01 were counted. With one run of each they are noise. Treat them as equal."),
    "rows": "The rows were mixed up. The first row of each array is the training error, the second the test error.",
}


def diagnose(shallow: np.ndarray, deep: np.ndarray) -> int:
    """Do right what the reader is asked to write: 0 nothing, 1 overfitting, 2 degradation, 3 underfitting.

    Args:
        shallow: errors (2, passes), training and test, 0 to 1.
        deep: those of the deeper network.
    """
    return _judged(shallow[:, -1], deep[:, -1])


def check_diagnose(reader_function: Callable) -> Report:
    """Check the reader's ``diagnose(shallow, deep)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _judged(shallow, deep, margin=MARGIN) -> int:
    """Judge by one pair of numbers each, training and test."""
    if deep[0] > shallow[0] + margin:
        return DEGRADATION
    if deep[1] > shallow[1] + margin:
        return OVERFITTING
    return UNDERFITTING if deep[0] > HIGH else NOTHING


def _curves(*ends) -> np.ndarray:
    """Return curves (2, 5) from (first, last) of the training and of the test error."""
    return np.array([first + (last - first) * np.array([0, 0.5, 0.75, 0.9, 1]) for first, last in ends])


def _cases() -> tuple[Case, ...]:
    dip = _curves((0.7, 0.05), (0.7, 0.25))
    dip[1, 2] = 0.1  # a lucky pass on the test pictures
    pairs = {
        "degradation": (_curves((0.6, 0.12), (0.6, 0.15)), _curves((0.8, 0.2), (0.8, 0.24))),
        "overfitting": (_curves((0.6, 0.12), (0.6, 0.15)), dip),
        "better": (_curves((0.6, 0.12), (0.6, 0.15)), _curves((0.55, 0.06), (0.55, 0.1))),
        "hidden": (_curves((0.6, 0.12), (0.6, 0.2)), _curves((0.6, 0.17), (0.6, 0.2))),
        "late": (_curves((0.5, 0.2), (0.5, 0.22)), _curves((0.8, 0.1), (0.8, 0.13))),
        "early": (_curves((0.8, 0.1), (0.8, 0.13)), _curves((0.5, 0.2), (0.5, 0.22))),
        "weak": (_curves((0.9, 0.5), (0.9, 0.51)), _curves((0.9, 0.5), (0.9, 0.51))),
        "gap": (_curves((0.6, 0.08), (0.6, 0.25)), _curves((0.55, 0.01), (0.55, 0.2))),
        "noise": (_curves((0.6, 0.1), (0.6, 0.15)), _curves((0.6, 0.104), (0.6, 0.156))),
    }
    return tuple(Case(CASES[name], pair) for name, pair in pairs.items())


def _test_only(shallow, deep):
    if deep[1, -1] > shallow[1, -1] + MARGIN:
        return OVERFITTING
    return diagnose(shallow, deep)


def _gap(shallow, deep):
    return OVERFITTING if deep[1, -1] - deep[0, -1] > 0.1 else diagnose(shallow, deep)


def _by_test(shallow, deep):
    if deep[1, -1] > shallow[1, -1] + MARGIN:
        return DEGRADATION
    return UNDERFITTING if deep[0, -1] > HIGH else NOTHING


_WRONG = (
    ("test only", _test_only),
    ("gap", _gap),
    ("first", lambda shallow, deep: _judged(shallow[:, 0], deep[:, 0])),
    ("best", lambda shallow, deep: _judged((shallow[0, -1], shallow[1].min()), (deep[0, -1], deep[1].min()))),
    ("degradation by test", _by_test),
    ("no margin", lambda shallow, deep: _judged(shallow[:, -1], deep[:, -1], margin=0)),
    ("rows", lambda shallow, deep: _judged(shallow[::-1, -1], deep[::-1, -1])),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=diagnose,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    whole=True,
)
