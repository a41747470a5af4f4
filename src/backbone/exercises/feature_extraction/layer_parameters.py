"""Exercise ``layer_parameters``: what a layer has to learn."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "layer_parameters"
CASES = {
    "convolution": "a convolution",
    "large": "the same convolution on a larger picture",
    "square": "a convolution with as many channels out as in",
    "linear": "a linear layer after flatten",
    "pooling": "pooling",
    "relu": "ReLU",
}
MESSAGES = {
    "size": (
        "The convolution's number grows with the picture. The same filters are used at every place, so height and "
        "width do not count: weights and a bias for each filter, and nothing else."
    ),
    "bias": "The biases are missing: one for each filter of a convolution, one for each output of a linear layer.",
    "depth": (
        "A filter was counted with one slice. It has a slice for each input channel: with 3 channels and a window of "
        "5 x 5, one filter has 75 weights."
    ),
    "pooling": "Pooling was given weights. It takes the largest or the mean of a window and has nothing to learn.",
    "relu": "ReLU was given weights. It replaces negative numbers by 0, and has nothing to learn.",
    "flatten": (
        "The linear layer was counted with a weight for each channel. After flatten, every number of every map is an "
        "input: channels x height x width of them."
    ),
}


def layer_parameters(kind: str, inputs: int, outputs: int, kernel: int, height: int, width: int) -> int:
    """Count the parameters of a layer that is fed maps (inputs, height, width): the right answer."""
    return _count(kind, inputs, outputs, kernel, height, width)


def check_layer_parameters(reader_function: Callable) -> Report:
    """Check the reader's ``layer_parameters(kind, inputs, outputs, kernel, height, width)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _count(kind, inputs, outputs, kernel, height, width, bias=1, free=("pooling", "relu")) -> int:
    if kind in free:
        return 0
    if kind == "linear":
        return outputs * (inputs * height * width + bias)
    return outputs * (inputs * kernel**2 + bias)


_CASES = (
    Case(CASES["convolution"], ("convolution", 3, 8, 5, 32, 24)),
    Case(CASES["large"], ("convolution", 3, 8, 5, 64, 48)),
    Case(CASES["square"], ("convolution", 6, 6, 3, 14, 14)),
    Case(CASES["linear"], ("linear", 16, 120, 1, 5, 4)),
    Case(CASES["pooling"], ("pooling", 6, 6, 2, 28, 28)),
    Case(CASES["relu"], ("relu", 6, 6, 1, 28, 28)),
)


def _with_size(kind, inputs, outputs, kernel, height, width):
    count = _count(kind, inputs, outputs, kernel, height, width)
    return count * height * width if kind == "convolution" else count


_WRONG = (
    ("size", _with_size),
    ("bias", lambda *layer: _count(*layer, bias=0)),
    ("depth", lambda kind, i, o, k, h, w: o * (k**2 + 1) if kind == "convolution" else _count(kind, i, o, k, h, w)),
    ("pooling", lambda *layer: _count(*layer, free=("relu",))),
    ("relu", lambda *layer: _count(*layer, free=("pooling",))),
    ("flatten", lambda kind, i, o, k, h, w: o * (i + 1) if kind == "linear" else _count(kind, i, o, k, h, w)),
)
EXERCISE = Exercise(
    title=TITLE,
    reference=layer_parameters,
    cases=_CASES,
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
