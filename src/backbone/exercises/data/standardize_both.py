"""Exercise ``standardize_both``: the test pictures have no say in their own preparation."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "gray": "one channel, test pictures that are brighter",
    "color": "three channels with different means and spreads",
    "few": "a single test picture",
    "same": "test pictures that are the training pictures",
}

MESSAGES = {
    "own": (
        "The test pictures were standardized with statistics of their own, so their mean came out as exactly 0. A net "
        "would see a bright test set as an average one. Use the mean and the deviation of the training pictures."
    ),
    "together": (
        "The statistics were taken from training and test pictures together: the test set leaks into the training. "
        "Concatenate nothing; measure train alone."
    ),
    "per pixel": (
        "Each pixel got a mean of its own, over the pictures only. A channel has one mean and one deviation: average "
        "over pictures, rows and columns, axis=(0, 2, 3)."
    ),
    "per picture": (
        "Each picture was standardized by itself, which throws its brightness away. Average over all training "
        "pictures: axis=(0, 2, 3)."
    ),
    "one for all": (
        "One mean was taken over all channels. Each channel has its own: axis=(0, 2, 3), keepdims=True. Try pictures "
        "whose red is always 1 and whose blue is always 0."
    ),
    "variance": "The values were divided by the variance. Divide by its square root, the standard deviation: .std().",
    "train only": "The test pictures came back as they were. They are changed too, by the training statistics.",
}


def standardize_both(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: both parts by the training part's channel statistics."""
    mean, std = _by_channel(train)
    return (train - mean) / std, (test - mean) / std


def check_standardize_both(reader_function: Callable) -> Report:
    """Check the reader's ``standardize_both(train, test)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _statistics(axis) -> Callable:
    return lambda x: (x.mean(axis, keepdims=True), x.std(axis, keepdims=True))


_by_channel = _statistics((0, 2, 3))


def _with(of_train: Callable, of_test: Callable | None = None) -> Callable:
    """Standardize each part with statistics of its choice, by default those of the training part."""

    def function(train, test):
        mean, std = of_train(train)
        own, spread = of_test(test) if of_test else (mean, std)
        return (train - mean) / std, (test - own) / spread

    return function


def _together(train, test):
    mean, std = _by_channel(np.concatenate([train, test]))
    return (train - mean) / std, (test - mean) / std


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(1)
    spread = np.array([0.1, 0.2, 0.3])[None, :, None, None]
    gray, color = rng.random((6, 1, 3, 4)), rng.random((5, 3, 4, 2)) * spread + spread
    parts = {
        "gray": (gray, rng.random((4, 1, 3, 4)) + 0.5),
        "color": (color, rng.random((3, 3, 4, 2)) * 0.5),
        "few": (color, rng.random((1, 3, 4, 2))),
        "same": (color, color.copy()),
    }
    return tuple(Case(CASES[name], part) for name, part in parts.items())


def _variance(x):
    mean, std = _by_channel(x)
    return mean, std**2


_PICTURE, _PIXEL, _ALL = _statistics((1, 2, 3)), _statistics(0), _statistics(None)
_WRONG = (
    ("own", _with(_by_channel, _by_channel)),
    ("together", _together),
    ("per pixel", _with(_PIXEL)),
    ("per pixel", _with(_PIXEL, _PIXEL)),
    ("per picture", _with(_PICTURE, _PICTURE)),
    ("one for all", _with(_ALL)),
    ("one for all", _with(_ALL, _ALL)),
    ("variance", _with(_variance)),
    ("train only", _with(_by_channel, lambda test: (0, 1))),
)

EXERCISE = Exercise(
    title="standardize_both",
    reference=standardize_both,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
