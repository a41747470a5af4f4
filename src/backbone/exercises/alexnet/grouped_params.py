"""Exercise ``grouped_params``: the parameters of the AlexNet of 2012, whose convolutions see one tower each."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "grouped_params"

CASES = {
    "first": "the first convolution, which sees all",
    "second": "the second convolution, two groups",
    "depthwise": "a group for each channel, as many filters as channels",
    "four": "four groups, and fewer filters than channels",
    "several": "two convolutions with two groups, and a linear layer",
    "whole": "the AlexNet of 2012",
}

MESSAGES = {
    "groups ignored": (
        "The groups were ignored: each filter was given weights for all channels. With groups it sees in_channels / "
        "groups of them. For the AlexNet of 2012 that would make 62,378,344."
    ),
    "divided twice": (
        "The filters were divided by the groups as well. That counts one group only. Each filter sees fewer channels, "
        "but all out_channels filters are there."
    ),
    "multiplied": (
        "The groups were multiplied in. They make a layer smaller: each filter sees in_channels / groups channels. "
        "Try 4 channels, 2 filters, a window of 1 and 2 groups: 2 weights for each filter."
    ),
    "biases": "Biases are missing. There is one for each filter, and one for each output of a linear layer.",
    "bias divided": (
        "The biases were divided by the groups. There is one for each filter, and the filters do not get fewer."
    ),
    "not squared": (
        "The window was counted as kernel_size weights. It has kernel_size rows and as many columns: an 11 x 11 window "
        "has 121."
    ),
    "no linear": "The linear layers are missing. A linear layer has inputs * outputs weights, and a bias an output.",
}


def grouped_params(convolutions: list[tuple[int, int, int, int]], linears: list[tuple[int, int]]) -> int:
    """Do right what the reader is asked to write: count weights and biases.

    Args:
        convolutions: (in_channels, out_channels, kernel_size, groups) of each.
        linears: (inputs, outputs) of each.
    """
    return _total(convolutions, linears)


def check_grouped_params(reader_function: Callable) -> Report:
    """Check the reader's ``grouped_params(convolutions, linears)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_ALEXNET_2012 = (
    [(3, 96, 11, 1), (96, 256, 5, 2), (256, 384, 3, 1), (384, 384, 3, 2), (384, 256, 3, 2)],
    [(9216, 4096), (4096, 4096), (4096, 1000)],
)
_ARGUMENTS = {
    "first": ([(3, 96, 11, 1)], []),
    "second": ([(96, 256, 5, 2)], []),
    "depthwise": ([(32, 32, 3, 32)], []),
    "four": ([(64, 24, 3, 4)], []),
    "several": ([(8, 16, 3, 2), (16, 12, 5, 2)], [(48, 10)]),
    "whole": _ALEXNET_2012,
}


def _right(c, o, k, g):
    return o * (c // g) * k * k + o


def _total(convolutions, linears, one=_right, linear=lambda inputs, outputs: inputs * outputs + outputs):
    return sum(one(*row) for row in convolutions) + sum(linear(*row) for row in linears)


def _with(one):
    return lambda convolutions, linears: _total(convolutions, linears, one)


def _without_biases(convolutions, linears):
    return _total(convolutions, linears, lambda c, o, k, g: o * (c // g) * k * k, lambda i, o: i * o)


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("groups ignored", _with(lambda c, o, k, g: o * c * k * k + o)),
    ("divided twice", _with(lambda c, o, k, g: (o // g) * (c // g) * k * k + o)),
    ("divided twice", _with(lambda c, o, k, g: (o // g) * (c // g) * k * k + o // g)),
    ("multiplied", _with(lambda c, o, k, g: o * c * g * k * k + o)),
    ("biases", _without_biases),
    ("biases", _with(lambda c, o, k, g: o * (c // g) * k * k)),
    ("bias divided", _with(lambda c, o, k, g: o * (c // g) * k * k + o // g)),
    ("not squared", _with(lambda c, o, k, g: o * (c // g) * k + o)),
    ("no linear", lambda convolutions, linears: _total(convolutions, [])),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=grouped_params,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
