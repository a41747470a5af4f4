"""Exercise ``nearest``: the most alike picture, by the angle between features."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "nearest"
CASES = {
    "lengths": "rows of very different lengths",
    "near": "a near row in another direction, a far one in the same",
    "opposite": "a row that points exactly the other way",
    "first": "the nearest row is the first one",
    "middle": "the nearest row is in the middle",
}
MESSAGES = {
    "dot": (
        "The largest product won. A long row has large products with everything. Divide by the lengths: of the rows "
        "(1, 0) and (9, 9), the first is nearer in direction to the query (1, 0)."
    ),
    "distance": (
        "The smallest distance won. Here the direction counts, not the length: for the query (1, 0), the row (8, 0) "
        "has cosine 1, and (1, 1) only 0.71."
    ),
    "smallest": "The smallest cosine won: that is the least alike row. A cosine of 1 means the same direction.",
    "absolute": "A row of the opposite direction won. Its cosine is -1, the lowest there is: leave the sign as it is.",
}


def nearest(features: np.ndarray, query: np.ndarray) -> int:
    """Find the row of ``features`` (N, D) with the largest cosine to ``query`` (D,): the right answer."""
    return int(np.argmax(_cosines(features, query)))


def check_nearest(reader_function: Callable) -> Report:
    """Check the reader's ``nearest(features, query)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cosines(features: np.ndarray, query: np.ndarray) -> np.ndarray:
    return features @ query / np.linalg.norm(features, axis=1) / np.linalg.norm(query)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(9, 5)) * np.geomspace(0.1, 30, 9)[:, None]
    tables = {
        "lengths": (rows, rows[1] * 2 + 0.01),
        "near": (np.array([[0.6, 1.1], [-2, 1], [7, 0.5]]), np.array([1.0, 0.1])),
        "opposite": (np.array([[3.0, 1], [-2, -4], [0, -1], [1, 0]]), np.array([0.5, 1])),
        "first": (np.array([[5.0, 5], [1, -1], [-20, 30], [-4, -5]]), np.array([1.0, 1.2])),
        "middle": (np.array([[1.0, 9], [8, 2], [0.2, 0.3], [-6, 1], [-2, -2]]), np.array([1.0, 1.4])),
    }
    return tuple(Case(CASES[name], table) for name, table in tables.items())


_WRONG = (
    ("dot", lambda features, query: int(np.argmax(features @ query))),
    ("distance", lambda features, query: int(np.argmin(((features - query) ** 2).sum(axis=1)))),
    ("smallest", lambda features, query: int(np.argmin(_cosines(features, query)))),
    ("absolute", lambda features, query: int(np.argmax(abs(_cosines(features, query))))),
)
EXERCISE = Exercise(
    title=TITLE,
    reference=nearest,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
