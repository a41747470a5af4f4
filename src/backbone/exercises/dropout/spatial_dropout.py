"""Exercise ``spatial_dropout``: a feature map stays or goes as a whole."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check, disagreeing, drawn, repeating

GONE = "share of the maps that are 0 everywhere, in tenths"
PARTLY = "maps that are 0 in some places only: 0 none, 1 some, 2 all maps of a picture at the same places"
OWN = "pictures: 0 each loses maps of its own, 1 all lose the same ones, 2 each loses all of its maps or none"
FACTOR = "what the other values were multiplied with"
DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"

MESSAGES = {
    "per pixel": (
        "Single pixels were dropped. Their neighbors show nearly the same, so little is hidden from the next layer. "
        "Draw one number for each map, of shape (N, C, 1, 1), and let it broadcast."
    ),
    "same place": (
        "One mask of pixels was laid on all maps of a picture. Here it is the other way round: one number for each "
        "map, the same at all of its pixels. The shape to draw is (N, C, 1, 1)."
    ),
    "one for all": (
        "All pictures lost the same maps: the mask was drawn for the channels only. Each picture draws its own: "
        "(N, C, 1, 1)."
    ),
    "whole pictures": "Whole pictures came out as 0. Draw a number for each map: (N, C, 1, 1), not (N, 1, 1, 1).",
    "not scaled": "The maps that stay were not scaled. As in plain dropout, divide them by 1 - p.",
    "divided by p": "The maps that stay were divided by p. Divide by 1 - p, the share that stays.",
    "keep": (
        "The number p was taken as the probability of being kept. Here it is that of being dropped: a map stays where "
        "the number drawn is at least p."
    ),
    "global": (
        "The numbers did not come from generator: calls with equal generators disagree. Draw by generator.random, not "
        "by np.random."
    ),
    "seeded inside": (
        "Each call gave the same mask again. A generator made inside the function starts from its seed every time. Use "
        "the one that is passed in."
    ),
}


def spatial_dropout(x: np.ndarray, p: float, generator: np.random.Generator) -> np.ndarray:
    """Do right what the reader is asked to write: drop whole maps with probability p, scale the others."""
    return _dropped(x, p, generator)


def check_spatial_dropout(reader_function: Callable) -> Report:
    """Check the reader's ``spatial_dropout(x, p, generator)`` by what it does to 2,000 maps."""
    return check(EXERCISE, reader_function)


def _dropped(x, p, generator, *, axes=(0, 1), kept=False, factor=None):
    """Drop and scale; `axes` are those along which the mask varies."""
    drawn = generator.random([size if axis in axes else 1 for axis, size in enumerate(x.shape)])
    return x * (drawn < p if kept else drawn >= p) * (factor(p) if factor else 1 / (1 - p))


def _share(answers, x, p) -> float:
    return round(float((next(answers) == 0).all(axis=(2, 3)).mean()), 1)


def _partly(answers, x, p) -> float:
    gone = next(answers) == 0
    if (gone.any(axis=(2, 3)) == gone.all(axis=(2, 3))).all():
        return 0
    return 2 if (gone == gone[:, :1]).all() else 1


def _own(answers, x, p) -> float:
    gone = next(answers) == 0
    if (gone == gone[:, :1, :1, :1]).all():
        return 2
    return int((gone == gone[0]).all())


def _factor(answers, x, p) -> float:
    answer = next(answers)
    return float(np.median((answer / x)[answer != 0])) if answer.any() else 0.0


MEASURES = {
    GONE: drawn(_share),
    PARTLY: drawn(_partly),
    OWN: drawn(_own),
    FACTOR: drawn(_factor),
    DISAGREE: disagreeing,
    REPEATED: repeating,
}
_ASKED = (
    (0.3, GONE),
    (0.3, PARTLY),
    (0.3, OWN),
    (0.3, FACTOR),
    (0.8, GONE),
    (0.8, FACTOR),
    (0.3, DISAGREE),
    (0.3, REPEATED),
)
CASES = {asked: f"p = {asked[0]}, {asked[1]}" for asked in _ASKED}
_MAPS = np.random.default_rng(15).uniform(1, 2, (50, 40, 5, 6))


def _one(p):
    return 1.0


def _inverse(p):
    return 1 / p


_WRONG = (
    ("per pixel", {"axes": (0, 1, 2, 3)}),
    ("per pixel", {"axes": (0, 1, 2, 3), "factor": _one}),
    ("same place", {"axes": (0, 2, 3)}),
    ("same place", {"axes": (2, 3)}),
    ("one for all", {"axes": (1,)}),
    ("whole pictures", {"axes": (0,)}),
    ("not scaled", {"factor": _one}),
    ("divided by p", {"factor": _inverse}),
    ("keep", {"kept": True, "factor": _inverse}),
    ("keep", {"kept": True, "factor": _one}),
    ("keep", {"kept": True}),
)


def _mistaken(changes) -> Callable:
    return lambda *given: _dropped(*given, **changes)


EXERCISE = Exercise(
    title="spatial_dropout",
    reference=spatial_dropout,
    cases=tuple(Case(CASES[asked], (_MAPS, asked[0]), MEASURES[asked[1]]) for asked in _ASKED),
    misconceptions=(
        *(Misconception(_mistaken(changes), MESSAGES[name]) for name, changes in _WRONG),
        Misconception(lambda x, p, generator: _dropped(x, p, np.random.default_rng()), MESSAGES["global"]),
        Misconception(lambda x, p, generator: _dropped(x, p, np.random.default_rng(0)), MESSAGES["seeded inside"]),
    ),
)
