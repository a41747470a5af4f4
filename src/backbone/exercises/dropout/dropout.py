"""Exercise ``dropout``: a mask for each value, scaled in training, nothing at all in evaluation."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check, disagreeing, drawn, repeating

DROPPED = "share of values that came out as 0, in tenths"
FACTOR = "what the other values were multiplied with"
ROWS = "rows of the batch: 0 each has a mask of its own, 1 all have the same, 2 a row is dropped as a whole"
EVALUATION = "in evaluation: 0 values are unchanged, 1 some are dropped, 2 all are scaled"
LARGEST = "largest result, without its sign"
DISAGREE = "calls with equal generators that disagree"
REPEATED = "calls in a row, with one generator, that gave the same"

MESSAGES = {
    "keep": (
        "The number p was taken as the probability of being kept. Here it is that of being dropped, as in PyTorch: a "
        "value stays where generator.random(x.shape) >= p. Try p = 0.8, which leaves few."
    ),
    "divided by p": (
        "The kept values were divided by p. Divide by 1 - p, the share that stays: with p = 0.8 one in five is left, "
        "and it has to stand for five."
    ),
    "multiplied": (
        "The kept values were multiplied by 1 - p or by p, which makes the sum smaller still. Divide by 1 - p, so that "
        "the sum of what is left is, on average, the sum of all."
    ),
    "not scaled": (
        "The kept values were not scaled. In training the next layer would get 1 - p of what it gets in evaluation. "
        "Divide by 1 - p."
    ),
    "rule of 2014": (
        "Nothing was scaled in training, and all values in evaluation: that is the rule of 2014. Here the scaling is "
        "done in training, by 1 / (1 - p), and evaluation returns x."
    ),
    "scaled twice": (
        "Kept values were scaled in training, and all values again in evaluation. One of the two is enough: in "
        "evaluation return x as it is."
    ),
    "always": "Values were dropped in evaluation too. Where training is False, return x as it is.",
    "one for all": (
        "All rows of the batch got the same mask: it was drawn once, for a single row. Draw a number for each value, "
        "generator.random(x.shape)."
    ),
    "whole rows": (
        "Whole rows, that is whole examples, came out as 0. Each value is dropped by itself: draw "
        "generator.random(x.shape)."
    ),
    "all": (
        "With p = 1 everything is dropped, and 1 / (1 - p) cannot be computed: 0 / 0 gives NaN. Return zeros in that "
        "case."
    ),
    "global": (
        "The numbers did not come from generator: calls with equal generators disagree. Draw by "
        "generator.random(x.shape), not by np.random."
    ),
    "seeded inside": (
        "Each call gave the same mask again. A generator made inside the function starts from its seed every time, so "
        "every step trains the same thinned network. Use the one that is passed in."
    ),
}


def dropout(x: np.ndarray, p: float, training: bool, generator: np.random.Generator) -> np.ndarray:
    """Do right what the reader is asked to write: drop with probability p, scale what stays, only in training."""
    return _dropped(x, p, training, generator)


def check_dropout(reader_function: Callable) -> Report:
    """Check the reader's ``dropout(x, p, training, generator)`` by what it does to 10,000 values."""
    return check(EXERCISE, reader_function)


def _dropped(x, p, training, generator, *, shape=None, kept=None, train=None, test=None, ends=True, always=False):
    """Drop and scale; each argument by name makes one mistake."""
    if not (training or always):
        return x * (test(p) if test else 1)
    if p == 1 and ends:
        return np.zeros_like(x)
    drawn = generator.random(shape or x.shape)
    mask = drawn < p if kept else drawn >= p
    return x * mask * train(p) if train else x * mask / (1 - p)


def _share(answers, x, p, training) -> float:
    return round(float(np.mean(next(answers) == 0)), 1)


def _factor(answers, x, p, training) -> float:
    answer = next(answers)
    return float(np.median((answer / x)[answer != 0])) if answer.any() else 0.0


def _rows(answers, x, p, training) -> float:
    gone = next(answers) == 0
    if (gone == gone[:, :1]).all():
        return 2
    return int((gone == gone[0]).all())


def _evaluated(answers, x, p, training) -> float:
    answer = next(answers)
    return 1 if (answer == 0).any() else 0 if np.allclose(answer, x, rtol=1e-5) else 2


def _largest(answers, x, p, training) -> float:
    return float(np.abs(next(answers)).max())


MEASURES = {
    DROPPED: drawn(_share),
    FACTOR: drawn(_factor),
    ROWS: drawn(_rows),
    EVALUATION: drawn(_evaluated),
    LARGEST: drawn(_largest),
    DISAGREE: disagreeing,
    REPEATED: repeating,
}
_ASKED = (
    (0.3, True, DROPPED),
    (0.3, True, FACTOR),
    (0.8, True, DROPPED),
    (0.8, True, FACTOR),
    (0.3, True, ROWS),
    (0.3, False, EVALUATION),
    (1.0, True, LARGEST),
    (0.3, True, DISAGREE),
    (0.3, True, REPEATED),
)
CASES = {asked: f"{'training' if asked[1] else 'evaluation'} with p = {asked[0]}, {asked[2]}" for asked in _ASKED}
_VALUES = np.random.default_rng(8).uniform(1, 2, (400, 25))


def _one(p):
    return 1.0


def _kept_share(p):
    return 1 - p


_INVERSE = {"train": lambda p: 1 / p}
_WRONG = (
    ("keep", {"kept": True, "ends": False} | _INVERSE),
    ("keep", {"kept": True, "ends": False, "train": _one}),
    ("divided by p", _INVERSE),
    ("multiplied", {"train": _kept_share}),
    ("multiplied", {"train": lambda p: p}),
    ("not scaled", {"train": _one}),
    ("rule of 2014", {"train": _one, "test": _kept_share}),
    ("scaled twice", {"test": _kept_share}),
    ("scaled twice", {"test": lambda p: 1 / (1 - p)}),
    ("always", {"always": True}),
    ("one for all", {"shape": (25,)}),
    ("whole rows", {"shape": (400, 1)}),
    ("all", {"ends": False}),
    ("all", {"ends": False, "train": lambda p: 1 / (1 - p)}),
)


def _mistaken(changes) -> Callable:
    return lambda *given: _dropped(*given, **changes)


EXERCISE = Exercise(
    title="dropout",
    reference=dropout,
    cases=tuple(Case(CASES[asked], (_VALUES, *asked[:2]), MEASURES[asked[2]]) for asked in _ASKED),
    misconceptions=(
        *(Misconception(_mistaken(changes), MESSAGES[name]) for name, changes in _WRONG),
        Misconception(lambda *given: _dropped(*given[:3], np.random.default_rng()), MESSAGES["global"]),
        Misconception(lambda *given: _dropped(*given[:3], np.random.default_rng(0)), MESSAGES["seeded inside"]),
    ),
)
