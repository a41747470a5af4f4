"""Exercise ``convert_keep_prob``: a network of 2014, its p and its weights, as PyTorch's modules want them."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "usual": "hidden units, of which 0.5 are kept",
    "input": "inputs, of which 0.8 are kept",
    "few": "units of which only a quarter is kept",
    "all": "units that are all kept",
}

MESSAGES = {
    "same p": (
        "The p of 2014 was handed on as it is. There it is the probability of being kept, in PyTorch of being dropped: "
        "1 - keep. Try keep = 0.8."
    ),
    "weights stay": (
        "The weights came back unchanged. They were learned from kept units as they are; PyTorch's kept units are "
        "1 / keep times as large, and its evaluation scales nothing. Multiply the weights by keep."
    ),
    "nothing": (
        "Neither number was changed. PyTorch's p is the probability of being dropped, 1 - keep; and since it scales "
        "the kept units by 1 / keep in training, the weights have to be multiplied by keep."
    ),
    "divided": (
        "The weights were divided by keep, which undoes the scaling in the wrong direction: all units together would "
        "give more than those that were kept. Multiply by keep, the rule of 2014 for test time."
    ),
    "by p": (
        "The weights were multiplied by the share that is dropped. At test time there are 1 / keep times as many units "
        "as in training, so each weight counts keep times as much."
    ),
}


def convert_keep_prob(keep: float, w: np.ndarray) -> tuple[float, np.ndarray]:
    """Do right what the reader is asked to write: PyTorch's p, and weights that give the same in both modes."""
    return 1 - keep, keep * w


def check_convert_keep_prob(reader_function: Callable) -> Report:
    """Check the reader's ``convert_keep_prob(keep, w)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(14)
    given = {
        "usual": (0.5, rng.normal(size=(3, 4))),
        "input": (0.8, rng.normal(size=(2, 5))),
        "few": (0.25, rng.normal(size=(4, 1))),
        "all": (1.0, rng.normal(size=(2, 2))),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


_WRONG = (
    ("same p", lambda keep, w: (keep, keep * w)),
    ("weights stay", lambda keep, w: (1 - keep, w)),
    ("nothing", lambda keep, w: (keep, w)),
    ("divided", lambda keep, w: (1 - keep, w / keep)),
    ("divided", lambda keep, w: (keep, w / keep)),
    ("by p", lambda keep, w: (1 - keep, (1 - keep) * w)),
)

EXERCISE = Exercise(
    title="convert_keep_prob",
    reference=convert_keep_prob,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
