"""Exercise ``receptive_field``: how far one output of a stack of layers can see."""

import math
from collections.abc import Callable, Iterable

from backbone.exercises import Case, Exercise, Misconception, Report, check

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "receptive_field"

CASES = {
    "one": "a single layer",
    "two": "two layers",
    "three": "three layers",
    "late stride": "a stride in the last layer",
    "early stride": "a stride in the first layer",
    "two strides": "two strides, then a third layer",
    "mixed": "windows of different sizes, some of a single pixel",
    "AlexNet": "the convolutions and poolings of AlexNet",
}

MESSAGES = {
    "added": (
        "The windows were added in full. Neighboring windows overlap: a layer adds its kernel_size less 1. Draw two "
        "layers of 3 on a line of pixels: one output sees 5 of them, not 6."
    ),
    "multiplied": (
        "The windows were multiplied. Windows side by side overlap almost entirely: a second layer of 3 adds one "
        "pixel on each side. Draw two layers of 3 on a line of pixels: one output sees 5 of them, not 9."
    ),
    "last only": (
        "Only the last layer was counted. Its window covers kernel_size outputs of the layer before, and each of "
        "these sees several pixels itself. Go through all layers, down to the pixels."
    ),
    "stride ignored": (
        "The strides were not used. After a layer with stride 2, neighboring outputs lie 2 pixels apart, so each "
        "further layer reaches twice as far. Try [(3, 2), (3, 1)]: 7 pixels."
    ),
    "own stride": (
        "The stride of a layer was applied to its own window. It moves the window, it does not stretch it: only the "
        "layers after it reach further. Try [(3, 2)] alone: one output sees 3 pixels."
    ),
    "stride before only": (
        "Only the stride of the layer just before was used. Strides multiply: after two layers of stride 2, "
        "neighboring outputs lie 4 pixels apart."
    ),
    "strides added": (
        "The strides were added. They multiply: after layers of stride 2 and 3, neighboring outputs lie 6 pixels "
        "apart. Begin with a distance of 1."
    ),
    "wrong end": (
        "The layers were taken from the wrong end. A stride widens the steps of the layers after it, not of those "
        "before. Compare [(3, 2), (3, 1)], which sees 7 pixels, with [(3, 1), (3, 2)], which sees 5."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def receptive_field(layers: Iterable[tuple[int, int]]) -> int:
    """Do right what the reader is asked to write: count from the first to the last pixel that one output sees.

    ``1 + sum over layers of (kernel_size - 1) * (product of the strides of all layers before)``

    Args:
        layers: pairs (kernel_size, stride), the first layer first.

    Returns:
        Pixels along one axis.
    """
    return 1 + sum((k - 1) * before for (k, _), before in zip(layers, _distances(layers), strict=False))


def check_receptive_field(reader_function: Callable) -> Report:
    """Check the reader's ``receptive_field(layers)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_LAYERS = {
    "one": [(5, 1)],
    "two": [(3, 1), (3, 1)],
    "three": [(3, 1), (3, 1), (3, 1)],
    "late stride": [(3, 1), (5, 2)],
    "early stride": [(7, 2), (3, 1)],
    "two strides": [(3, 2), (2, 3), (3, 1)],
    "mixed": [(1, 1), (5, 2), (1, 1), (3, 2), (1, 2), (4, 1)],
    "AlexNet": [(11, 4), (3, 2), (5, 1), (3, 2), (3, 1), (3, 1), (3, 1), (3, 2)],
}


def _distances(layers) -> list[int]:
    """Return how many pixels apart neighboring values lie: of the input, and after each layer."""
    return [math.prod(s for _, s in layers[:i]) for i in range(len(layers) + 1)]


def _from_the_end(layers, grow: Callable, start=1):
    """Go through the layers from the last to the first."""
    size = start
    for k, s in reversed(layers):
        size = grow(size, k, s)
    return size


def _weighted(weights: Callable, less=1) -> Callable:
    """Return 1 + sum of (kernel_size - less) times these weights, one for each layer."""
    return lambda layers: 1 + sum((k - less) * d for (k, _), d in zip(layers, weights(layers), strict=False))


def _added_strides(layers):
    return [1 + sum(s for _, s in layers[:i]) for i in range(len(layers))]


def _added_further_strides(layers):
    return [sum(s for _, s in layers[:i]) or 1 for i in range(len(layers))]


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("added", lambda layers: sum(k for k, _ in layers)),
    ("added", lambda layers: 1 + sum(k for k, _ in layers)),
    ("added", _weighted(_distances, less=0)),
    ("added", lambda layers: _weighted(_distances, less=0)(layers) - 1),
    ("multiplied", lambda layers: math.prod(k for k, _ in layers)),
    ("last only", lambda layers: layers[-1][0]),
    ("stride ignored", _weighted(lambda layers: [1] * len(layers))),
    ("own stride", _weighted(lambda layers: _distances(layers)[1:])),
    ("own stride", _weighted(lambda layers: [s for _, s in layers])),
    ("own stride", lambda layers: _from_the_end(layers, lambda size, k, s: (size + k - 1) * s)),
    ("stride before only", _weighted(lambda layers: [1, *(s for _, s in layers)])),
    ("strides added", _weighted(_added_strides)),
    ("strides added", _weighted(_added_further_strides)),
    ("wrong end", lambda layers: _from_the_end(layers[::-1], lambda size, k, s: (size - 1) * s + k)),
    ("wrong end", lambda layers: receptive_field(layers[::-1])),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=receptive_field,
    cases=tuple(Case(CASES[name], (layers,)) for name, layers in _LAYERS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
)
