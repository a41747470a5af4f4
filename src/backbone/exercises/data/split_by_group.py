"""Exercise ``split_by_group``: pictures of one object stay together."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check, disagreeing, drawn, repeating

STRANGE = 2
BOTH = "is an object in both parts: 0 no, 1 yes, 2 no array of booleans"
CHOSEN = "objects in the test part: 1 as asked, 0 more or fewer, -1 those meant for training, 2 no array of booleans"
DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"

MESSAGES = {
    "by picture": (
        "The pictures were drawn one by one, so pictures of one object landed in both parts: the test asks for what "
        "training has shown. Draw among the objects, np.unique(groups), then take all their pictures: np.isin."
    ),
    "not drawn": (
        "The test part is the same whatever the generator: the objects were taken in their order. Data often lie "
        "sorted by class or by day. Draw: generator.permutation(np.unique(groups))."
    ),
    "by size": (
        "The share was taken of the pictures, or of their drawn list, not of the objects. Of n objects, "
        "round(share * n) go to the test part; np.unique(groups) names each object once."
    ),
    "global": (
        "The numbers did not come from generator: calls with equal generators disagree. Use generator.permutation or "
        "generator.choice, not np.random."
    ),
    "turned around": "The answer is True for training. It has to be True for the pictures of the test part.",
}


def split_by_group(groups: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Do right what the reader is asked to write: True for all pictures of the objects drawn for the test part."""
    names = np.unique(groups)
    chosen = generator.permutation(names)[: round(share * len(names))]
    return np.isin(groups, chosen)


def check_split_by_group(reader_function: Callable) -> Report:
    """Check the reader's ``split_by_group(groups, share, generator)`` by the parts that it makes."""
    return check(EXERCISE, reader_function)


def _both(answers, groups, share) -> int:
    parts = [_mask(answer) for answer in answers]
    if any(test is None for test in parts):
        return STRANGE
    return int(any(len(np.intersect1d(groups[test], groups[~test])) for test in parts))


def _chosen(answers, groups, share) -> int:
    test, total = _mask(next(answers)), len(np.unique(groups))
    if test is None:
        return STRANGE
    asked, given = round(share * total), len(np.unique(groups[test]))
    return 1 if given == asked else -1 if given == total - asked else 0


def _mask(answer) -> np.ndarray | None:
    """Return the answer as booleans, or None where it holds other numbers than 0 and 1."""
    return answer.astype(bool) if np.isin(answer, (0, 1)).all() else None


def _by_picture(groups, share, generator):
    test = np.zeros(len(groups), bool)
    test[generator.permutation(len(groups))[: round(share * len(groups))]] = True
    return test


def _first(groups, share, generator):
    names = np.unique(groups)
    return np.isin(groups, names[: round(share * len(names))])


def _last(groups, share, generator):
    names = np.unique(groups)
    return np.isin(groups, names[len(names) - round(share * len(names)) :])


def _drawn_by_size(groups, share, generator):
    return np.isin(groups, generator.permutation(groups)[: round(share * len(groups))])


MEASURES = {BOTH: drawn(_both), CHOSEN: drawn(_chosen), DISAGREE: disagreeing, REPEATED: repeating}
_RNG = np.random.default_rng(5)
_UNEVEN = np.repeat(np.arange(20), _RNG.integers(1, 9, 20))
_GROUPS = {
    "twelve objects, five pictures each": (np.repeat(np.arange(12), 5), 0.25),
    "twenty objects with different numbers of pictures, in any order": (_RNG.permutation(_UNEVEN), 0.3),
}
CASES = {(name, key): f"{name}, {key}" for name in _GROUPS for key in MEASURES}

_WRONG = (
    ("by picture", _by_picture),
    ("by picture", lambda groups, share, generator: generator.random(len(groups)) < share),
    ("not drawn", _first),
    ("not drawn", _last),
    ("by size", _drawn_by_size),
    ("by size", lambda groups, share, generator: np.isin(groups, np.unique(groups)[: round(share * len(groups))])),
    ("global", lambda groups, share, generator: split_by_group(groups, share, np.random.default_rng())),
    ("turned around", lambda *given: ~split_by_group(*given)),
)


EXERCISE = Exercise(
    title="split_by_group",
    reference=split_by_group,
    cases=tuple(Case(text, _GROUPS[name], MEASURES[key]) for (name, key), text in CASES.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
