"""Exercise ``count_parameters``: what sharing the weights saves."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "count_parameters"

CASES = {
    "smallest": "one channel in, one channel out",
    "channels": "other channels out than in",
    "fewer": "fewer channels out than in, a window of 5",
    "pixel": "a window of a single pixel",
    "photograph": "a color photograph",
}

MESSAGES = {
    "biases": (
        "Biases are missing. A convolution has one for each output channel, a fully connected layer one for each "
        "of its outputs."
    ),
    "no sharing": (
        "The weights of the convolution were counted again for every pixel. All places of the picture share them: "
        "that is what weight sharing means. The picture's size has no say in the first number."
    ),
    "bias per pixel": (
        "The convolution was given a bias for each output pixel. A bias is shared like the weights: one for each "
        "output channel."
    ),
    "bias per slice": (
        "The convolution was given a bias for each slice of a filter. The slices are added up to one map, and that "
        "map gets one bias: one for each output channel."
    ),
    "not squared": (
        "The window was counted as kernel_size weights. It has kernel_size rows and as many columns: a 3x3 window "
        "has 9 weights."
    ),
    "in_channels": (
        "The channels of the input are missing in the first number. A filter has a slice of weights for each of "
        "them: a 3x3 filter over RGB has 27 weights."
    ),
    "out_channels": (
        "The channels of the output are missing in the first number. Each of them is made by a filter of its own."
    ),
    "outputs are channels": (
        "The fully connected layer was given one output for each channel. It has to give what the convolution "
        "gives, a whole map for each channel: out_channels * height * width outputs."
    ),
    "inputs are channels": (
        "The fully connected layer was given one input for each channel. It is connected to every pixel of every "
        "channel: in_channels * height * width inputs."
    ),
    "no picture": (
        "The fully connected layer was counted without the picture's size. It connects every pixel of the input "
        "with every pixel of the output, so height * width counts on both sides."
    ),
    "fully connected bias": (
        "The fully connected layer was given one bias for each channel. It shares nothing: each of its "
        "out_channels * height * width outputs has a bias of its own."
    ),
    "order": "Both numbers are right, in the other order. The convolution comes first.",
}

# --- The exercise -------------------------------------------------------------------------------------------


def count_parameters(in_channels: int, out_channels: int, kernel_size: int, height: int, width: int) -> tuple[int, int]:
    """Do right what the reader is asked to write: count weights and biases, with sharing and without.

    Args:
        in_channels: channels of the input.
        out_channels: channels of the output.
        kernel_size: rows, and columns, of the window.
        height: rows of the picture, before and after.
        width: columns of the picture, before and after.

    Returns:
        Parameters of the convolution, and of a fully connected layer between the same numbers of values.
    """
    inputs, outputs = in_channels * height * width, out_channels * height * width
    return _convolution(in_channels, out_channels, kernel_size), inputs * outputs + outputs


def check_count_parameters(reader_function: Callable) -> Report:
    """Check the reader's ``count_parameters(in_channels, out_channels, kernel_size, height, width)``."""
    return check(EXERCISE, reader_function)


_ARGUMENTS = {
    "smallest": (1, 1, 3, 4, 4),
    "channels": (3, 8, 3, 5, 7),
    "fewer": (16, 6, 5, 6, 9),
    "pixel": (4, 2, 1, 3, 3),
    "photograph": (3, 64, 3, 224, 224),
}


def _convolution(c: int, o: int, k: int) -> int:
    return o * (c * k * k + 1)


def _first(wrong: Callable) -> Callable:
    """Return the counts with this one for the convolution."""
    return lambda c, o, k, h, w: (wrong(c, o, k, h * w), count_parameters(c, o, k, h, w)[1])


def _second(wrong: Callable) -> Callable:
    """Return the counts with this one for the fully connected layer."""
    return lambda c, o, k, h, w: (_convolution(c, o, k), wrong(c, o, h * w))


# A mistake has as many entries as it has usual ways to be written. n stands for the number of pixels.
_WRONG = (
    ("biases", lambda c, o, k, h, w: (o * c * k * k, c * o * (h * w) ** 2)),
    ("biases", _first(lambda c, o, k, n: o * c * k * k)),
    ("biases", _second(lambda c, o, n: c * o * n * n)),
    ("no sharing", _first(lambda c, o, k, n: _convolution(c, o, k) * n)),
    ("no sharing", _first(lambda c, o, k, n: o * c * k * k * n + o)),
    ("no sharing", _first(lambda c, o, k, n: o * c * k * k * n)),
    ("bias per pixel", _first(lambda c, o, k, n: o * c * k * k + o * n)),
    ("bias per slice", _first(lambda c, o, k, n: o * c * (k * k + 1))),
    ("not squared", _first(lambda c, o, k, n: o * (c * k + 1))),
    ("in_channels", _first(lambda c, o, k, n: o * (k * k + 1))),
    ("out_channels", _first(lambda c, o, k, n: c * k * k + 1)),
    ("out_channels", _first(lambda c, o, k, n: c * k * k + o)),
    ("outputs are channels", _second(lambda c, o, n: c * n * o + o)),
    ("inputs are channels", _second(lambda c, o, n: c * o * n + o * n)),
    ("no picture", _second(lambda c, o, n: c * o + o)),
    ("fully connected bias", _second(lambda c, o, n: c * o * n * n + o)),
    ("order", lambda *arguments: count_parameters(*arguments)[::-1]),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=count_parameters,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _ARGUMENTS.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
)
