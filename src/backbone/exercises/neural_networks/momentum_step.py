"""Exercise ``momentum_step``: one step of gradient descent with momentum."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "momentum_step"

CASES = {
    "first": "the first step, from rest",
    "moving": "a velocity that points the other way",
    "flat": "a gradient of 0: the velocity alone moves the weight",
    "plain": "keep = 0: plain gradient descent",
    "matrix": "a matrix of weights",
}

MESSAGES = {
    "old velocity": (
        "The weight was moved by the old velocity. First renew the velocity, then move by the new one. Try the first "
        "step, where the old velocity is 0: the weight must move already."
    ),
    "uphill": "The weight moves uphill. The gradient points to where the loss rises, so subtract rate * velocity.",
    "averaged": (
        "The gradient was multiplied by 1 - keep. That is a running mean, as Adam takes it. Here the gradient counts "
        "fully, so that steps grow while it stays the same."
    ),
    "rate inside": (
        "The velocity holds the learning rate already. Here it collects gradients only, and the rate comes in when the "
        "weight moves. The two differ once a schedule changes the rate."
    ),
}


def momentum_step(
    w: np.ndarray, velocity: np.ndarray, gradient: np.ndarray, rate: float, keep: float
) -> tuple[np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: the weights and the velocity after one step.

    Args:
        w: the weights.
        velocity: of the same shape, from the step before.
        gradient: of the same shape.
        rate: the learning rate.
        keep: the share of the old velocity that stays.
    """
    velocity = keep * velocity + gradient
    return w - rate * velocity, velocity


def check_momentum_step(reader_function: Callable) -> Report:
    """Check the reader's ``momentum_step(w, velocity, gradient, rate, keep)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(13)
    w, v, g = rng.normal(size=(3, 4))
    matrices = rng.normal(size=(3, 2, 3))
    given = {
        "first": (w, 0 * v, g, 0.1, 0.9),
        "moving": (w, -5 * g, g, 0.1, 0.9),
        "flat": (w, v, 0 * g, 0.5, 0.8),
        "plain": (w, v, g, 0.2, 0.0),
        "matrix": (*matrices, 0.3, 0.5),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


def _with_rate_inside(w, v, g, rate, keep):
    v = keep * v + rate * g
    return w - v, v


_WRONG = (
    ("old velocity", lambda w, v, g, rate, keep: (w - rate * v, keep * v + g)),
    ("uphill", lambda w, v, g, rate, keep: (w + rate * (keep * v + g), keep * v + g)),
    ("averaged", lambda w, v, g, rate, keep: momentum_step(w, v, (1 - keep) * g, rate, keep)),
    ("rate inside", _with_rate_inside),
    ("rate inside", lambda *given: (_with_rate_inside(*given)[0], -_with_rate_inside(*given)[1])),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=momentum_step,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
