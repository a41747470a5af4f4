"""Exercises of the chapter on training."""

import numpy as np

from backbone.exercises.check import exercise

_draw = np.random.default_rng(13).normal
_W, _VELOCITY, _GRADIENT = _draw(size=(3, 4))


@exercise(
    {
        "the first step, from rest": (_W, 0 * _VELOCITY, _GRADIENT, 0.1, 0.9),
        "a velocity that points the other way": (_W, -5 * _GRADIENT, _GRADIENT, 0.1, 0.9),
        "a gradient of 0: the velocity alone moves the weight": (_W, _VELOCITY, 0 * _GRADIENT, 0.5, 0.8),
        "keep = 0: plain gradient descent": (_W, _VELOCITY, _GRADIENT, 0.2, 0.0),
        "a matrix of weights": (*_draw(size=(3, 2, 3)), 0.3, 0.5),
    }
)
def momentum_step(w, velocity, gradient, rate, keep):
    """Compute the weights and the velocity after one step."""
    velocity = keep * velocity + gradient
    return w - rate * velocity, velocity


def _with_rate_inside(w, velocity, gradient, rate, keep):
    velocity = keep * velocity + rate * gradient
    return w - velocity, velocity


momentum_step.mistake(
    "The weight was moved by the old velocity. First renew the velocity, then move by the new one. Try the first step, "
    "where the old velocity is 0: the weight must move already.",
    lambda w, v, g, rate, keep: (w - rate * v, keep * v + g),
)
momentum_step.mistake(
    "The weight moves uphill. The gradient points to where the loss rises, so subtract rate * velocity.",
    lambda w, v, g, rate, keep: (w + rate * (keep * v + g), keep * v + g),
)
momentum_step.mistake(
    "The gradient was multiplied by 1 - keep. That is a running mean, as Adam takes it. Here the gradient counts "
    "fully, so that steps grow while it stays the same.",
    lambda w, v, g, rate, keep: momentum_step(w, v, (1 - keep) * g, rate, keep),
)
momentum_step.mistake(
    "The velocity holds the learning rate already. Here it collects gradients only, and the rate comes in when the "
    "weight moves. The two differ once a schedule changes the rate.",
    _with_rate_inside,
    lambda *given: (_with_rate_inside(*given)[0], -_with_rate_inside(*given)[1]),
)
check_momentum_step = momentum_step.check


@exercise(
    {
        "the first step": (_W, _GRADIENT * [1, 1, 1, 0], 0 * _W, 0 * _W, 1, 0.01),
        "the second step": (_W, _GRADIENT, 0.1 * _VELOCITY, 0.001 * _VELOCITY**2, 2, 0.01),
        "the hundredth step": (_W, _GRADIENT, 0.3 * _VELOCITY, 0.2 * _VELOCITY**2, 100, 0.1),
        "gradients of very different sizes": (
            _W,
            np.array([1e3, 1, 1e-3, -1e3]),
            np.array([900.0, 0.5, 2e-3, -800]),
            np.array([1e4, 0.1, 1e-7, 1e5]),
            30,
            0.01,
        ),
        "a matrix of weights": (*_draw(size=(3, 2, 3)), _draw(size=(2, 3)) ** 2, 5, 0.3),
    },
    rtol=1e-6,
)
def adam_step(w, gradient, mean, square, t, rate):
    """Compute the weights and the two means after step t of Adam."""
    return _adam(w, gradient, mean, square, t, rate)


def _adam(w, gradient, mean, square, t, rate, *, keep=(0.9, 0.999), corrected=True, root=np.sqrt, power=2, kept=False):
    """Take a step of Adam; the keywords are where it goes wrong."""
    mean = keep[0] * mean + (1 - keep[0]) * gradient
    square = keep[1] * square + (1 - keep[1]) * np.abs(gradient) ** power
    first, second = (mean / (1 - keep[0] ** t), square / (1 - keep[1] ** t)) if corrected else (mean, square)
    w = w - rate * first / (root(second) + 1e-8)
    return (w, first, second) if kept else (w, mean, square)


def _with(**wrong):
    return lambda *given: _adam(*given, **wrong)


adam_step.mistake(
    "The means were not divided. Both begin at 0, so the first ones are far too small: divide by 1 - 0.9**t and "
    "1 - 0.999**t.",
    _with(corrected=False),
)
adam_step.mistake(
    "The divided means came back. Divide for the step alone: next time 0.9 times the undivided mean is needed.",
    _with(kept=True),
)
adam_step.mistake(
    "The root is missing. The step is divided by the root of the second mean, which is of the gradient's own size.",
    _with(root=lambda value: value),
)
adam_step.mistake(
    "The second mean is of the gradient's size, not of its square. Square the gradient before it goes in.",
    _with(power=1),
)
adam_step.mistake(
    "The two factors are exchanged: 0.9 is for the mean of the gradient, 0.999 for the mean of its square.",
    _with(keep=(0.999, 0.9)),
)
adam_step.mistake(
    "The weight moves uphill. The gradient points to where the loss rises, so subtract.",
    lambda w, *given: (2 * w - _adam(w, *given)[0], *_adam(w, *given)[1:]),
)
adam_step.mistake(
    "The step was counted from 0: divide by 1 - 0.9**t with t = 1 at the first step.",
    lambda w, gradient, mean, square, t, rate: _adam(w, gradient, mean, square, t + 1, rate),
)
adam_step.mistake(
    "The 1e-8 is missing. Where the gradient has always been 0, the step is 0 divided by 0.",
    _with(root=lambda value: np.sqrt(value) - 1e-8),
)
check_adam_step = adam_step.check


@exercise(
    {
        "a valley": ([3.0, 2, 1, 2, 3, 4], 2),
        "a lower valley behind a hill": ([3.0, 2, 2.5, 2.6, 1, 0.5], 2),
        "a hill that patience outlasts": ([3.0, 2, 2.5, 2.6, 1, 0.5], 3),
        "losses that only fall": ([5.0, 4, 3, 2], 1),
        "a rise at once": ([1.0, 2, 3, 0.5], 1),
        "losses that stay level": ([2.0, 2, 2, 2, 1], 3),
        "a fall that is no new low": ([1.0, 3, 2, 1.5, 0.5], 3),
        "one epoch": ([1.0], 2),
        "a low, a pause, a new low, and another pause": ([4.0, 3, 3.5, 3.4, 2, 2.5, 1.5, 2, 2, 2, 1], 3),
    },
    rtol=0,
)
def stop_early(losses, patience):
    """Return the epoch with the lowest loss before `patience` epochs in a row brought no new low."""
    return _stop(losses, patience)


def _stop(losses, patience, *, lower=lambda new, low: new < low, last=False):
    """Go through the losses; the keywords are where it goes wrong."""
    best, epoch = 0, 0
    for epoch, loss in enumerate(losses):
        if epoch and lower(loss, losses[best]):
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch if last else best


def _rises(losses, patience):
    """Stop after so many rises from one epoch to the next, and keep the best until then."""
    count = 0
    for epoch in range(1, len(losses)):
        count = count + 1 if losses[epoch] >= losses[epoch - 1] else 0
        if count == patience:
            return int(np.argmin(losses[: epoch + 1]))
    return int(np.argmin(losses))


def _never_set_back(losses, patience):
    best, count = 0, 0
    for epoch, loss in enumerate(losses[1:], 1):
        if loss < losses[best]:
            best = epoch
        elif (count := count + 1) == patience:
            break
    return best


stop_early.mistake(
    "The lowest of all losses came back. After the stop no more epochs are trained, so their losses are never known. "
    "Go through the list epoch by epoch, and leave when patience is used up.",
    lambda losses, patience: int(np.argmin(losses)),
)
stop_early.mistake(
    "The epoch at which training stops came back. The weights that are kept are those of the lowest loss before it.",
    lambda losses, patience: _stop(losses, patience, last=True),
)
stop_early.mistake(
    "Rises from one epoch to the next were counted. An epoch may fall and still bring no new low: compare with the "
    "lowest loss so far.",
    _rises,
)
stop_early.mistake(
    "A loss that only equals the lowest counted as a new low. Then a level loss never stops the training: compare with "
    "<.",
    lambda losses, patience: _stop(losses, patience, lower=lambda new, low: new <= low),
)
stop_early.mistake(
    "Training went on for one epoch too many. Stop as soon as `patience` epochs in a row have brought no new low.",
    lambda losses, patience: _stop(losses, patience + 1),
)
stop_early.mistake(
    "Training stopped one epoch too early: `patience` epochs in a row may bring no new low.",
    lambda losses, patience: _stop(losses, max(patience - 1, 1)) if patience > 1 else _stop(losses, 1),
)
stop_early.mistake(
    "The count was never set back. Patience is for epochs *in a row*: at each new low, begin to count at 0 again.",
    _never_set_back,
)
check_stop_early = stop_early.check
