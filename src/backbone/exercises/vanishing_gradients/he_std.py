"""Exercise ``he_std``: how large He's first weights are, for linear and for convolutional layers."""

import math
from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "he_std"

CASES = {
    "linear": "a linear layer",
    "narrowing": "a linear layer with far fewer outputs than inputs",
    "conv": "a convolution with 3 x 3 kernels",
    "oblong": "a convolution whose kernel is not square",
    "pointwise": "a convolution with 1 x 1 kernels",
    "depthwise": "a convolution in which each filter looks at one channel",
}

MESSAGES = {
    "no kernel": (
        "The kernel was forgotten. One output of a convolution is a sum over all channels and all places of the "
        "window: in_channels * height * width terms. Try (8, 3, 5, 5): the sum has 75 terms, not 3."
    ),
    "one side": (
        "Only one side of the kernel was counted. The window has height times width places. Try (8, 3, 3, 5): the sum "
        "has 3 * 15 terms."
    ),
    "outputs": (
        "The outputs were counted instead of the inputs. shape[0] is the number of outputs; what is summed up for one "
        "of them are shape[1] inputs. Try (10, 784): a sum has 784 terms."
    ),
    "no two": (
        "The 2 is missing. ReLU sets half of the numbers to 0 and with them half of the mean square; the 2 makes up "
        "for that. Try (10, 8): the variance is 2 / 8."
    ),
    "variance": (
        "This is the variance. The standard deviation is its square root. Try (10, 8): the variance is 0.25, the "
        "standard deviation 0.5."
    ),
    "xavier": (
        "This is Xavier's rule: inputs and outputs averaged, and nothing for ReLU. He's variance is 2 / inputs. Try "
        "(10, 8): it is 2 / 8."
    ),
}


def he_std(shape: tuple[int, ...]) -> float:
    """Do right what the reader is asked to write: the standard deviation of He's first weights.

    Args:
        shape: of the weight: (outputs, inputs), or (out_channels, in_channels, height, width).
    """
    return math.sqrt(2 / math.prod(shape[1:]))


def check_he_std(reader_function: Callable) -> Report:
    """Check the reader's ``he_std(shape)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    shapes = {
        "linear": (64, 100),
        "narrowing": (10, 784),
        "conv": (32, 16, 3, 3),
        "oblong": (12, 5, 3, 7),
        "pointwise": (64, 24, 1, 1),
        "depthwise": (48, 1, 5, 5),
    }
    return tuple(Case(CASES[name], (shape,)) for name, shape in shapes.items())


def _outputs_with_kernel(shape):
    return math.sqrt(2 / (shape[0] * math.prod(shape[2:])))


def _xavier(shape):
    kernel = math.prod(shape[2:])
    return math.sqrt(2 / ((shape[0] + shape[1]) * kernel))


_WRONG = (
    ("no kernel", lambda shape: math.sqrt(2 / shape[1])),
    ("one side", lambda shape: math.sqrt(2 / math.prod(shape[1:3]))),
    ("one side", lambda shape: math.sqrt(2 / (shape[1] * shape[-1] if shape[2:] else shape[1]))),
    ("outputs", _outputs_with_kernel),
    ("outputs", lambda shape: math.sqrt(2 / shape[0])),
    ("no two", lambda shape: math.sqrt(1 / math.prod(shape[1:]))),
    ("variance", lambda shape: 2 / math.prod(shape[1:])),
    ("xavier", _xavier),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=he_std,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
