"""Exercise ``zero_gamma_block``: a block that starts as the identity, and which of its parts can learn at once."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "zero_gamma_block"

CASES = {
    "zero": "every scale at 0, the start",
    "some": "some scales at 0, others not",
    "ones": "every scale at 1",
    "mixed": "scales of both signs",
    "single": "a single picture, every scale at 0",
}

MESSAGES = {
    "dead scale": (
        "The scale got no gradient since the branch adds nothing. But its gradient does not hold the scale: it is the "
        "sum of g times z. Try g = 1, z = 2, gamma = 0: a step of gamma changes y by 2 for each unit."
    ),
    "weights alive": (
        "The weights' gradient does not know the scale. What they do reaches y only after the multiplication by gamma, "
        "so their gradient has the factor gamma, too, and is 0 at the start."
    ),
    "no skip": (
        "The gradient for x is without the skip: g itself is missing. x reaches y in two ways, so its gradient is the "
        "sum of two. At gamma = 0 it is exactly g."
    ),
    "skip only": (
        "The gradient for x is the skip's alone. That holds at gamma = 0; elsewhere the branch adds (g * gamma) @ W."
    ),
    "mean": (
        "Gradients were averaged over the pictures. g is given for each picture, so those of gamma and W are sums over "
        "them."
    ),
    "transposed": "The gradient of W came out transposed. W is (C, C) in z = x @ W.T: it is (g * gamma).T @ x.",
}


def zero_gamma_block(x: np.ndarray, W: np.ndarray, gamma: np.ndarray, g: np.ndarray):
    """Do right what the reader is asked to write: y = x + gamma * (x @ W.T), and the gradients of gamma, W and x.

    Args:
        x: what goes in (N, C).
        W: weights of the branch (C, C).
        gamma: its scales (C,).
        g: the gradient of the loss with respect to y (N, C).
    """
    return _block(x, W, gamma, g)


def check_zero_gamma_block(reader_function: Callable) -> Report:
    """Check the reader's ``zero_gamma_block(x, W, gamma, g)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _block(x, W, gamma, g, *, alive=1, own=1, skip=1, branch=1, shared=1, turned=False):
    """Compute all four; the keywords are the places where it goes wrong."""
    z = x @ W.T
    through = g * gamma
    by_scale = (g * z).sum(axis=0) * (alive if alive == 1 else gamma)
    by_weight = (through if own else g).T @ x
    by_input = skip * g + branch * through @ W
    share = len(x) if shared != 1 else 1
    return x + gamma * z, by_scale / share, (by_weight.T if turned else by_weight) / share, by_input


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(29)
    scales = {
        "zero": np.zeros(3),
        "some": np.array([0.0, 0.7, 0.0, -1.2]),
        "ones": np.ones(3),
        "mixed": np.array([0.5, -0.8]),
        "single": np.zeros(4),
    }
    cases = []
    for name, gamma in scales.items():
        size, count = len(gamma), 1 if name == "single" else 5
        arguments = rng.normal(size=(count, size)), rng.normal(size=(size, size)), gamma, rng.normal(size=(count, size))
        cases.append(Case(CASES[name], arguments))
    return tuple(cases)


def _wrong(**changes):
    return lambda x, W, gamma, g: _block(x, W, gamma, g, **changes)


_WRONG = (
    ("dead scale", _wrong(alive=0)),
    ("weights alive", _wrong(own=0)),
    ("no skip", _wrong(skip=0)),
    ("skip only", _wrong(branch=0)),
    ("mean", _wrong(shared=0)),
    ("transposed", _wrong(turned=True)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=zero_gamma_block,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
