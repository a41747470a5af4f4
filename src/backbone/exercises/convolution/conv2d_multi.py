"""Exercise ``conv2d_multi``: filters over several channels, several filters at once."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import conv2d

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "conv2d_multi"

CASES = {
    "color": "three channels, two filters, every size different",
    "gray": "one channel, three filters",
    "as many": "as many filters as channels, everything square",
    "one filter": "one filter over four channels",
    "pixel": "windows of a single pixel",
    "integers": "an image of integers (uint8)",
}

MESSAGES = {
    "not summed": (
        "The channels were not added up. A filter has a slice of weights for each channel, but it makes one map: "
        "add what its slices give. Print the shape: O filters make O maps, however many channels go in."
    ),
    "mean": (
        "The mean over the channels was taken. Their sum is asked for. Try an image of ones with 2 channels and "
        "weights of 1, one pixel large: 2 comes out."
    ),
    "first channel": (
        "Only the first channel of the image was used. Each channel meets its own slice of the filter, x[c] "
        "meets w[o, c], and all of them are added up."
    ),
    "last channel": (
        "Only the last channel of the image was left: each channel replaced the one before. Start a map at 0 and "
        "add with +=."
    ),
    "one slice": (
        "The first slice of each filter was used for all channels. A filter is as deep as the image: x[c] meets "
        "w[o, c], so it can look for something else in red than in blue."
    ),
    "own channel": (
        "Each filter looked at one channel only, filter o at channel o. That is a depthwise convolution. Here every "
        "filter looks at all channels: add over c for each o."
    ),
    "first filter": (
        "The first filter made all the maps. Each filter makes a map of its own: out[o] uses w[o]. Compare out[0] "
        "with out[1]; they should differ."
    ),
    "one map": (
        "The maps of all filters were added to one. Channels are added up, filters are not: each filter has its "
        "own map, and the maps are stacked, out[o] for w[o]."
    ),
    "flipped": (
        "The kernels were turned by 180 degrees. That is the convolution of mathematics. Here a kernel lies on the "
        "image as it is: w[o, c, u, v] meets x[c, i + u, j + v]."
    ),
    "transposed": (
        "The axes of the output are in another order. It has to be (O, H', W'): the filter first, then rows, then "
        "columns."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def conv2d_multi(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: every filter over all channels, without padding.

    ``out[o, i, j] = sum over c, u, v of w[o, c, u, v] * x[c, i + u, j + v]``

    Args:
        x: image of shape (C, H, W).
        w: filters of shape (O, C, KH, KW).

    Returns:
        Feature maps of shape (O, H - KH + 1, W - KW + 1).
    """
    return conv2d(x[None], w)[0]


def check_conv2d_multi(reader_function: Callable) -> Report:
    """Check the reader's ``conv2d_multi(x, w)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(8)
    return (
        Case(CASES["color"], (rng.random((3, 7, 5)), rng.random((2, 3, 3, 2)))),
        Case(CASES["gray"], (rng.random((1, 5, 6)), rng.random((3, 1, 2, 3)))),
        # Here nothing is told by the shape: swapped axes and single channels still give an array that fits.
        Case(CASES["as many"], (rng.random((3, 5, 5)), rng.random((3, 3, 3, 3)))),
        Case(CASES["one filter"], (rng.random((4, 5, 5)), rng.random((1, 4, 2, 2)))),
        Case(CASES["pixel"], (rng.random((4, 3, 4)), rng.random((2, 4, 1, 1)))),
        Case(CASES["integers"], (rng.integers(100, 256, (2, 5, 6), np.uint8), rng.integers(-3, 4, (2, 2, 2, 3)))),
    )


def _by_channel(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Return the maps before they are added up, of shape (O, C, H', W')."""
    return np.stack([conv2d(x[c][None, None], w[:, c : c + 1])[0] for c in range(len(x))], axis=1)


def _own_channel(x, w):
    if len(w) > len(x):
        raise IndexError  # x[o] runs out of channels
    return np.stack([_by_channel(x, w)[o, o] for o in range(len(w))])


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("not summed", _by_channel),
    ("not summed", lambda x, w: _by_channel(x, w).swapaxes(0, 1)),
    ("not summed", lambda x, w: np.concatenate(_by_channel(x, w))),
    ("mean", lambda x, w: _by_channel(x, w).mean(axis=1)),
    ("first channel", lambda x, w: _by_channel(x, w)[:, 0]),
    ("last channel", lambda x, w: _by_channel(x, w)[:, -1]),
    ("one slice", lambda x, w: conv2d_multi(x, np.broadcast_to(w[:, :1], w.shape))),
    ("own channel", _own_channel),
    ("first filter", lambda x, w: conv2d_multi(x, np.broadcast_to(w[:1], w.shape))),
    ("one map", lambda x, w: conv2d_multi(x, w).sum(axis=0)),
    ("one map", lambda x, w: conv2d_multi(x, w).sum(axis=0, keepdims=True)),
    ("flipped", lambda x, w: conv2d_multi(x, w[:, :, ::-1, ::-1])),
    ("transposed", lambda x, w: conv2d_multi(x, w).transpose(1, 2, 0)),
    ("transposed", lambda x, w: conv2d_multi(x, w).transpose(0, 2, 1)),
    ("transposed", lambda x, w: conv2d_multi(x, w).T),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=conv2d_multi,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
