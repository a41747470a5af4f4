"""Exercise ``update_running``: what batch normalization remembers after one more batch."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "update_running"

CASES = {
    "first": "the first batch, from mean 0 and variance 1",
    "later": "a later batch",
    "pair": "two examples of one pixel",
    "slow": "momentum 0.01",
    "all": "momentum 1: only the new batch counts",
    "none": "momentum 0: the averages stay",
}

MESSAGES = {
    "reversed": (
        "The momentum is the wrong way round. In PyTorch it is the weight of the new batch: (1 - momentum) * old + "
        "momentum * new. With 0.1 the averages keep 90 %. Try momentum 0: nothing may change."
    ),
    "biased": (
        "The variance that is stored was divided by n. PyTorch stores the unbiased one, divided by n - 1, and "
        "normalizes by the biased one. Try two examples of one pixel: yours is half as large."
    ),
    "both": (
        "Two things: the momentum is the weight of the new batch, not of the old average; and the variance that is "
        "stored is the unbiased one, divided by n - 1."
    ),
    "deviation": (
        "The standard deviation was averaged. What is stored is the variance; the root comes later, at evaluation."
    ),
    "added": (
        "The old averages were kept whole and the new values added. An average keeps the share 1 - momentum of the "
        "old one; otherwise it grows with every batch."
    ),
    "replaced": (
        "The old averages are gone. Only the share momentum of the new batch comes in; the share 1 - momentum of the "
        "old average stays."
    ),
    "over N only": (
        "The statistics were taken over the examples only, one for each pixel. A channel has one mean and one "
        "variance, over N, H and W."
    ),
}


def update_running(mean: np.ndarray, var: np.ndarray, x: np.ndarray, momentum: float) -> tuple[np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: the running mean and variance after the batch x.

    Args:
        mean: the running mean so far, (C,).
        var: the running variance so far, (C,).
        x: the new batch, (N, C, H, W).
        momentum: as PyTorch means it.
    """
    return _moved(mean, var, x, momentum)


def check_update_running(reader_function: Callable) -> Report:
    """Check the reader's ``update_running(mean, var, x, momentum)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _moved(mean, var, x, momentum, keep=lambda m: 1 - m, take=lambda m: m, ddof=1, spread=lambda v: v, axes=(0, 2, 3)):
    """Move both averages; the keywords are the places where it goes wrong."""
    parts = (mean, x.mean(axis=axes)), (var, spread(x.var(axis=axes, ddof=ddof)))
    return tuple(keep(momentum) * old + take(momentum) * new for old, new in parts)


def _over_examples(mean, var, x, momentum):
    """Take the statistics of each pixel, and average them where the shapes would not fit."""
    new_var = x.var(axis=0, ddof=1).mean(axis=(1, 2))
    return (1 - momentum) * mean + momentum * x.mean(axis=(0, 2, 3)), (1 - momentum) * var + momentum * new_var


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(22)
    shapes = {"first": (4, 3, 2, 2), "later": (3, 2, 3, 2), "pair": (2, 4, 1, 1), "slow": (5, 2, 1, 3)}
    momenta = {"slow": 0.01, "all": 1.0, "none": 0.0}
    cases = []
    for name, shape in (shapes | {"all": (2, 3, 2, 1), "none": (3, 2, 2, 2)}).items():
        c = shape[1]
        start = (np.zeros(c), np.ones(c)) if name == "first" else (rng.normal(size=c), rng.uniform(0.5, 4, c))
        cases.append(Case(CASES[name], (*start, rng.normal(2, 3, shape), momenta.get(name, 0.1))))
    return tuple(cases)


_REVERSED = {"keep": lambda m: m, "take": lambda m: 1 - m}
_WRONG = (
    ("reversed", _REVERSED),
    ("biased", {"ddof": 0}),
    ("both", {**_REVERSED, "ddof": 0}),
    ("deviation", {"spread": np.sqrt}),
    ("deviation", {"spread": np.sqrt, "ddof": 0}),
    ("added", {"keep": lambda m: 1}),
    ("replaced", {"keep": lambda m: 0, "take": lambda m: 1}),
    ("over N only", {"axes": 0}),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=update_running,
    cases=_cases(),
    misconceptions=(
        *(
            Misconception(lambda *given, change=change: _moved(*given, **change), MESSAGES[name])
            for name, change in _WRONG
        ),
        Misconception(_over_examples, MESSAGES["over N only"]),
    ),
)
