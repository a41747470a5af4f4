"""Exercise ``activation_memory``: the bytes that one stage of VGG keeps for the way back."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "activation_memory"

CASES = {
    "first": "the first stage of VGG-16",
    "second": "the second stage of VGG-16",
    "third": "the third stage of VGG-16",
    "fourth": "the fourth stage of VGG-19",
    "last": "the last stage of VGG-16",
    "small": "a stage of a small network",
}

MESSAGES = {
    "parameters": (
        "These are the parameters. They do not depend on the size of the map; the activations do not depend on the "
        "kernel. Count the numbers that come out of each convolution: width * side * side."
    ),
    "bytes of parameters": (
        "These are the bytes of the parameters. What is asked for are the layers' outputs: width * side * side numbers "
        "of each convolution, with 4 bytes each."
    ),
    "numbers": "This counts numbers. A float32 has 4 bytes. Try one convolution, width 1, side 1: 4 bytes.",
    "one": (
        "Only one convolution was counted. Each of the stage keeps its own output, because the way back needs all of "
        "them. Try two convolutions: twice as much as one."
    ),
    "one side": "The map has side * side places, not side. Try width 1, side 3: 9 numbers, 36 bytes.",
    "pooled": (
        "The pooled size was taken. The pooling comes after the stage's last convolution, so all convolutions work at "
        "the full side. Try width 1, side 2: 4 numbers, 16 bytes."
    ),
    "input": (
        "The stage's input was counted, too. It is the output of the stage before and is kept there. Here only the "
        "convolutions' own outputs count."
    ),
}


def activation_memory(channels: int, count: int, width: int, side: int) -> int:
    """Do right what the reader is asked to write: bytes of the outputs of a stage's convolutions, one picture, float32.

    Args:
        channels: of the stage's input; they do not matter.
        count: of convolutions.
        width: channels of each one's output.
        side: of the square map, in pixels.
    """
    return 4 * count * width * side**2


def check_activation_memory(reader_function: Callable) -> Report:
    """Check the reader's ``activation_memory(channels, count, width, side)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    given = {
        "first": (3, 2, 64, 224),
        "second": (64, 2, 128, 112),
        "third": (128, 3, 256, 56),
        "fourth": (256, 4, 512, 28),
        "last": (512, 3, 512, 14),
        "small": (5, 3, 7, 11),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


def _weights(channels, count, width, side):
    return 9 * width * (channels + (count - 1) * width)


def _parameters(channels, count, width, side):
    return _weights(channels, count, width, side) + count * width


_WRONG = (
    ("parameters", _parameters),
    ("parameters", _weights),
    ("bytes of parameters", lambda *stage: 4 * _parameters(*stage)),
    ("bytes of parameters", lambda *stage: 4 * _weights(*stage)),
    ("numbers", lambda channels, count, width, side: count * width * side**2),
    ("one", lambda channels, count, width, side: 4 * width * side**2),
    ("one side", lambda channels, count, width, side: 4 * count * width * side),
    ("pooled", lambda channels, count, width, side: 4 * count * width * (side // 2) ** 2),
    ("input", lambda channels, count, width, side: 4 * (count * width + channels) * side**2),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=activation_memory,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
