"""Exercise ``conv1x1_as_matmul``: a 1x1 convolution as one matrix product."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "conv1x1_as_matmul"

CASES = {
    "color": "a color picture into five maps",
    "narrow": "eight maps into two",
    "square": "as many maps as before, on a square",
    "one": "one map into three",
    "pixel": "a picture of a single pixel",
}

MESSAGES = {
    "mixes pixels": (
        "Numbers of different pixels were mixed. (C, H, W) lies in memory channel by channel: flatten it to "
        "(C, H * W), so that each column is a pixel. Reshaping it to (H * W, C) cuts across channels instead."
    ),
    "scrambled": (
        "The sums are right, their places are not. A product of shape (H * W, channels) has to be transposed before "
        "it is reshaped to (channels, H, W). Try one that leaves all as it is, np.eye(3)."
    ),
    "pixels turned": (
        "Rows and columns of the picture are exchanged. Flatten and unflatten in the same order: (C, H, W) to "
        "(C, H * W) and back. Try a picture of 1 by 4 pixels."
    ),
    "transposed weight": (
        "The weight was used the wrong way round. weight[o, c] says how much of channel c goes into output o, so "
        "output o is the sum of weight[o, c] * x[c]. Try a weight that is 0 but for weight[0, 1]."
    ),
    "averaged": (
        "The sum over the channels became a mean. A convolution adds up its products. Try two channels of ones and "
        "weights of 1: the answer is 2."
    ),
    "channel by channel": (
        "The channels were not added up. One output map is the sum over all input channels, each with a weight of its "
        "own. Try a weight of ones: each output is the sum of the maps."
    ),
}


def conv1x1_as_matmul(x: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write.

    Args:
        x: (C, H, W).
        weight: (K, C): how much of each channel goes into each output.

    Returns:
        (K, H, W).
    """
    return (weight @ x.reshape(len(x), -1)).reshape(len(weight), *x.shape[1:])


def check_conv1x1_as_matmul(reader_function: Callable) -> Report:
    """Check the reader's ``conv1x1_as_matmul(x, weight)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(11)
    shapes = {  # of the picture; output maps
        "color": ((3, 4, 6), 5),
        "narrow": ((8, 5, 3), 2),
        "square": ((4, 5, 5), 4),
        "one": ((1, 3, 4), 3),
        "pixel": ((6, 1, 1), 4),
    }
    return tuple(
        Case(CASES[name], (rng.normal(size=shape), rng.normal(size=(maps, shape[0]))))
        for name, (shape, maps) in shapes.items()
    )


def _mixes_pixels(x, weight):
    return (x.reshape(-1, len(x)) @ weight.T).reshape(len(weight), *x.shape[1:])


def _mixes_pixels_and_transposes(x, weight):
    return (x.reshape(-1, len(x)) @ weight.T).T.reshape(len(weight), *x.shape[1:])


def _scrambled(x, weight):
    return (x.reshape(len(x), -1).T @ weight.T).reshape(len(weight), *x.shape[1:])


def _pixels_turned(x, weight):
    height, width = x.shape[1:]
    return (weight @ x.transpose(0, 2, 1).reshape(len(x), -1)).reshape(len(weight), height, width)


def _pixels_left_turned(x, weight):
    return np.tensordot(weight, x, (1, 0)).transpose(0, 2, 1)


def _transposed_weight(x, weight):
    return conv1x1_as_matmul(x, weight.T)


def _reshaped_weight(x, weight):
    return conv1x1_as_matmul(x, weight.reshape(weight.shape[::-1]).T)


def _averaged(x, weight):
    return conv1x1_as_matmul(x, weight) / len(x)


def _channel_by_channel(x, weight):
    return weight[:, :, None, None] * x


_WRONG = (
    ("mixes pixels", _mixes_pixels),
    ("mixes pixels", _mixes_pixels_and_transposes),
    ("scrambled", _scrambled),
    ("pixels turned", _pixels_turned),
    ("pixels turned", _pixels_left_turned),
    ("transposed weight", _transposed_weight),
    ("transposed weight", _reshaped_weight),
    ("averaged", _averaged),
    ("channel by channel", _channel_by_channel),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=conv1x1_as_matmul,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
