"""Exercise ``batchnorm_train``: batch normalization of maps in training."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "batchnorm_train"

CASES = {
    "plain": "four examples of three channels",
    "single": "a single example",
    "pair": "two examples of one pixel",
    "quiet": "channels that hardly vary, where eps counts",
    "unlike": "channels of very different sizes",
    "square": "as many channels as rows and columns",
}
EPS = 1e-5

MESSAGES = {
    "over N only": (
        "The mean and the variance were taken over the examples only, one for each pixel. A channel has one mean and "
        "one variance, over N, H and W: axis=(0, 2, 3). Try a single example: yours gives beta everywhere."
    ),
    "over all": (
        "One mean and one variance were taken of the whole batch. Each channel has its own: axis=(0, 2, 3). Try two "
        "channels, one of them 100 times as large as the other: both must come out alike."
    ),
    "each example": (
        "Each example was normalized by itself, over H and W. That is instance normalization. Here the examples of a "
        "batch share their mean and variance: axis=(0, 2, 3)."
    ),
    "over channels": (
        "The mean and the variance were taken over channels and pixels of one example: layer normalization. Here they "
        "run over N, H and W, and each channel has its own: axis=(0, 2, 3)."
    ),
    "unbiased": (
        "The variance was divided by n - 1. To normalize, the biased one is used, the plain mean of the squares, so "
        "that the output's variance is 1. Try two examples of one pixel: they become -1 and 1, not 0.71."
    ),
    "eps outside": (
        "The eps was added to the standard deviation. It belongs inside the root: sqrt(variance + eps). The two differ "
        "where a channel hardly varies."
    ),
    "no eps": (
        "There is no eps. Without it a channel that does not vary gives 0 / 0. Divide by sqrt(variance + eps), where "
        "eps is 1e-5."
    ),
    "no root": (
        "The values were divided by the variance. Divide by its root: only then is the output's variance 1, whatever "
        "the unit of x. Try x and 10 * x: the outputs must be alike."
    ),
    "no affine": "The weights are missing. After normalizing, scale each channel by its gamma and add its beta.",
    "beta first": (
        "The beta was added before the scaling. The order is gamma * x_hat + beta: beta is the output's mean. Try a "
        "gamma of 0: beta must be left."
    ),
}


def batchnorm_train(x: np.ndarray, g: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: normalize each channel by the batch, then scale and shift.

    Args:
        x: (N, C, H, W).
        g: gamma, (C,).
        b: beta, (C,).
    """
    return _normalized(x, g, b)


def check_batchnorm_train(reader_function: Callable) -> Report:
    """Check the reader's ``batchnorm_train(x, g, b)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _normalized(x, g, b, axes=(0, 2, 3), divisor=lambda var: np.sqrt(var + EPS), affine=lambda y, g, b: g * y + b):
    """Normalize; the keywords are the places where it goes wrong."""
    y = (x - x.mean(axis=axes, keepdims=True)) / divisor(x.var(axis=axes, keepdims=True))
    return affine(y, g.reshape(1, -1, 1, 1), b.reshape(1, -1, 1, 1))


def _unbiased(x, g, b):
    n = x[:, 0].size
    return _normalized(x, g, b, divisor=lambda var: np.sqrt(var * n / (n - 1) + EPS))


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(21)
    shapes = {"plain": (4, 3, 2, 5), "single": (1, 2, 3, 4), "pair": (2, 3, 1, 1), "quiet": (3, 2, 2, 2)}
    cases = []
    for name, shape in (shapes | {"unlike": (2, 3, 4, 2), "square": (3, 3, 3, 3)}).items():
        x = rng.normal(2, 3, shape)
        if name == "quiet":
            x = 0.003 * rng.normal(size=shape)
        if name == "unlike":
            x *= np.array([1, 10, 100]).reshape(1, -1, 1, 1)
        cases.append(Case(CASES[name], (x, rng.normal(1, 1, shape[1]), rng.normal(size=shape[1]))))
    return tuple(cases)


_WRONG = (
    ("over N only", {"axes": (0,)}),
    ("over all", {"axes": (0, 1, 2, 3)}),
    ("each example", {"axes": (2, 3)}),
    ("over channels", {"axes": (1, 2, 3)}),
    ("eps outside", {"divisor": lambda var: np.sqrt(var) + EPS}),
    ("no eps", {"divisor": np.sqrt}),
    ("no root", {"divisor": lambda var: var + EPS}),
    ("no affine", {"affine": lambda y, g, b: y}),
    ("beta first", {"affine": lambda y, g, b: g * (y + b)}),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=batchnorm_train,
    cases=_cases(),
    misconceptions=(
        *(
            Misconception(lambda x, g, b, change=change: _normalized(x, g, b, **change), MESSAGES[name])
            for name, change in _WRONG
        ),
        Misconception(_unbiased, MESSAGES["unbiased"]),
    ),
)
