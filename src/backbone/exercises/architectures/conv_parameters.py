"""Exercise ``conv_parameters``: what a convolution holds, with groups and with or without a bias."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    (3, 64, 7, 1, False): "a stem without a bias",
    (3, 96, 11, 1, True): "a stem with a bias",
    (64, 64, 1, 1, False): "a 1x1 without a bias",
    (96, 256, 5, 2, True): "two groups, as in the second layer of the AlexNet of 2012",
    (32, 32, 3, 32, False): "a depthwise convolution: as many groups as channels",
    (32, 64, 3, 32, True): "a depthwise convolution that doubles the channels, with a bias",
}

MESSAGES = {
    "groups": (
        "The groups were not taken into account. With g groups a kernel sees only c_in / g of the channels, so a "
        "convolution holds 1 / g of the weights."
    ),
    "twice": (
        "The groups divided twice, what comes in and what goes out. Each kernel sees c_in / g channels, "
        "but there are still c_out kernels."
    ),
    "times groups": (
        "The weights were multiplied by the number of groups. More groups mean fewer weights: each kernel sees only "
        "c_in / g channels."
    ),
    "no bias": "The bias was left out. Where bias is True there is one number more for each channel that goes out.",
    "always bias": "A bias was counted where there is none. Look at the argument bias.",
    "bias of input": "The bias was counted once for each channel that comes in. There is one for each that goes out.",
    "one bias": "One bias was counted for the whole layer. There is one for each channel that goes out.",
    "one side": "The side of the kernel was counted once. A kernel is k x k numbers for each channel it sees.",
    "one plane": (
        "The channels that come in were left out. A kernel has k x k numbers for each channel it sees, since it sums "
        "over all of them."
    ),
}


def conv_parameters(c_in: int, c_out: int, k: int, groups: int, bias: bool) -> int:
    """Do right what the reader is asked to write: c_out kernels of k x k numbers for c_in / groups channels."""
    return c_out * (c_in // groups) * k * k + (c_out if bias else 0)


def check_conv_parameters(reader_function: Callable) -> Report:
    """Check the reader's ``conv_parameters(c_in, c_out, k, groups, bias)`` on hidden cases."""
    return check(EXERCISE, reader_function)


_WRONG = (
    ("groups", lambda i, o, k, g, b: o * i * k * k + o * b),
    ("twice", lambda i, o, k, g, b: (o // g) * (i // g) * k * k + o * b),
    ("times groups", lambda i, o, k, g, b: o * i * g * k * k + o * b),
    ("no bias", lambda i, o, k, g, b: o * (i // g) * k * k),
    ("always bias", lambda i, o, k, g, b: o * (i // g) * k * k + o),
    ("bias of input", lambda i, o, k, g, b: o * (i // g) * k * k + i * b),
    ("one bias", lambda i, o, k, g, b: o * (i // g) * k * k + b),
    ("one side", lambda i, o, k, g, b: o * (i // g) * k + o * b),
    ("one plane", lambda i, o, k, g, b: o * k * k + o * b),
)

EXERCISE = Exercise(
    title="conv_parameters",
    reference=conv_parameters,
    cases=tuple(Case(name, arguments) for arguments, name in CASES.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
