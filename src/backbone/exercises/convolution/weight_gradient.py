"""Exercise ``weight_gradient``: the gradient of a convolution by its weights."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import conv2d

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "weight_gradient"

CASES = {
    "one": "one channel, one filter",
    "as many": "as many filters as channels",
    "stride": "stride 2, one channel",
    "pixel": "a window of a single pixel",
    "all": "stride 3, everything different",
}

MESSAGES = {
    "turned": (
        "The gradient was turned by 180 degrees. Nothing is turned here: it lies on the image as it is. The input's "
        "gradient is the one with a turn. Try a gradient that is 1 at (0, 0) and 0 elsewhere: the upper left "
        "window of x has to come out."
    ),
    "result turned": (
        "The result is turned by 180 degrees. Entry [o, c, u, v] collects what the weight at row u and column v of "
        "each window met. Try a gradient that is 1 at (0, 0) and 0 elsewhere: the upper left window of x has to "
        "come out."
    ),
    "not dilated": (
        "The stride was not used. Neighboring entries of the gradient belong to windows that lie stride pixels "
        "apart, so they meet pixels that far apart: x[:, u + i * stride, v + j * stride]."
    ),
    "strided": (
        "The stride was used for the steps of the window. That skips weights. It belongs between the entries of the "
        "gradient: spread them stride pixels apart, then move by one pixel."
    ),
    "swapped": (
        "The channel axes are swapped. The result has the shape of the weights: (O, C, KH, KW), the filter first."
    ),
    "channels summed": (
        "The channels of the image were added up. Each slice of a filter met its own channel, so entry [o, c] is "
        "made from x[c] alone."
    ),
    "filters summed": (
        "The gradients of all filters were added up. Each filter made its own map, so entry [o, c] is made from "
        "grad[o] alone."
    ),
    "mean": (
        "The mean over the positions was taken. A weight is used at every position, and what it causes there adds "
        "up: take the sum."
    ),
    "first position": (
        "Only the first window was counted. A weight is shared by all positions, so its gradient is a sum over all "
        "of them: use +=."
    ),
    "last position": (
        "Only the last window was left. A weight is shared by all positions, so its gradient is a sum over all of "
        "them: use += and not =."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def weight_gradient(x: np.ndarray, grad: np.ndarray, stride: int) -> np.ndarray:
    """Do right what the reader is asked to write: correlate the input with the gradient, dilated by the stride.

    ``out[o, c, u, v] = sum over i, j of grad[o, i, j] * x[c, i * stride + u, j * stride + v]``

    Args:
        x: input of shape (C, (OH - 1) * stride + KH, (OW - 1) * stride + KW).
        grad: gradient of the loss by the output, shape (O, OH, OW).
        stride: pixels from one window to the next.

    Returns:
        Gradient by the weights, shape (O, C, KH, KW).
    """
    return _correlate(x, grad, dilation=stride)


def check_weight_gradient(reader_function: Callable) -> Report:
    """Check the reader's ``weight_gradient(x, grad, stride)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    draw = np.random.default_rng(10).normal
    return (
        Case(CASES["one"], (draw(size=(1, 6, 7)), draw(size=(1, 4, 5)), 1)),
        Case(CASES["as many"], (draw(size=(3, 5, 4)), draw(size=(3, 3, 3)), 1)),
        Case(CASES["stride"], (draw(size=(1, 7, 9)), draw(size=(1, 3, 4)), 2)),
        Case(CASES["pixel"], (draw(size=(2, 5, 7)), draw(size=(3, 3, 4)), 2)),
        Case(CASES["all"], (draw(size=(3, 6, 8)), draw(size=(2, 2, 3)), 3)),
    )


def _correlate(x: np.ndarray, grad: np.ndarray, **steps: int) -> np.ndarray:
    """Lay each map of the gradient on each channel of x; channels of x stand where images would."""
    return conv2d(x[:, None], grad[:, None], **steps).swapaxes(0, 1)


def _one_position(index: int) -> Callable:
    """Return the gradient with the first (0) or the last (-1) window alone."""

    def wrong(x, grad, stride):
        alone = np.zeros_like(grad)
        alone[:, index, index] = grad[:, index, index]
        return weight_gradient(x, alone, stride)

    return wrong


def _not_dilated_to_fit(x, grad, stride):
    kh, kw = weight_gradient(x, grad, stride).shape[2:]
    return weight_gradient(x, grad, 1)[:, :, :kh, :kw]


def _strided(x, grad, stride):
    return _correlate(x, grad, stride=stride)


def _filters_summed(x, grad, stride):
    return weight_gradient(x, np.broadcast_to(grad.sum(axis=0), grad.shape), stride)


def _channels_summed(x, grad, stride):
    return weight_gradient(np.broadcast_to(x.sum(axis=0), x.shape), grad, stride)


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("turned", lambda x, grad, stride: weight_gradient(x, grad[:, ::-1, ::-1], stride)),
    ("result turned", lambda x, grad, stride: weight_gradient(x, grad, stride)[:, :, ::-1, ::-1]),
    ("not dilated", lambda x, grad, stride: weight_gradient(x, grad, 1)),
    ("not dilated", _not_dilated_to_fit),
    ("strided", _strided),
    ("swapped", lambda x, grad, stride: weight_gradient(x, grad, stride).swapaxes(0, 1)),
    ("channels summed", _channels_summed),
    ("channels summed", lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=1)),
    ("channels summed", lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=1, keepdims=True)),
    ("filters summed", _filters_summed),
    ("filters summed", lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=0)),
    ("filters summed", lambda x, grad, stride: weight_gradient(x, grad, stride).sum(axis=0, keepdims=True)),
    ("mean", lambda x, grad, stride: weight_gradient(x, grad, stride) / grad[0].size),
    ("first position", _one_position(0)),
    ("last position", _one_position(-1)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=weight_gradient,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
