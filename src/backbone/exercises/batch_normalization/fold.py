"""Exercise ``fold``: a convolution and the batch normalization after it, as one convolution."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "fold"

CASES = {
    "plain": "three filters on two channels",
    "square": "as many filters as input channels",
    "pointwise": "windows of one pixel",
    "no bias": "a convolution whose bias is 0",
    "quiet": "variances so small that eps counts",
    "single": "one filter",
}
EPS = 1e-5

MESSAGES = {
    "bias forgotten": (
        "The convolution's own bias is lost. Normalization acts on weight * x + bias, so the bias is scaled too: (bias "
        "- mean) * scale + beta. Try a bias equal to the running mean: beta must be left."
    ),
    "bias not scaled": (
        "The convolution's bias was carried over unscaled. It passes through the normalization as the rest does: (bias "
        "- mean) * scale + beta."
    ),
    "input axis": (
        "The scale met the wrong axis. The weight is (outputs, inputs, kh, kw), and each filter is scaled as a whole: "
        "scale[:, None, None, None]. The scale has one number for each output channel."
    ),
    "last axis": (
        "The scale met the last axis, the columns of the window: NumPy lines shapes up from the right. Write "
        "scale[:, None, None, None]: one number for each filter."
    ),
    "variance": (
        "The weights were divided by the variance. Divide by its root, sqrt(var + eps), as the normalization does."
    ),
    "eps": "The eps is missing or stands outside the root. The scale is gamma / sqrt(var + eps).",
    "mean not scaled": (
        "The running mean was taken away unscaled. It is taken away before the division and before gamma: (bias - "
        "mean) * scale + beta."
    ),
    "beta scaled": "The beta was scaled too. It is added last: (bias - mean) * scale + beta.",
    "no gamma": "The gamma is missing: scale = gamma / sqrt(var + eps).",
}


def fold(
    W: np.ndarray, b: np.ndarray, g: np.ndarray, beta: np.ndarray, mean: np.ndarray, var: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: the weight and the bias of one convolution that does both.

    Args:
        W: weights, (O, C, kh, kw).
        b: biases, (O,).
        g: gamma, (O,).
        beta: (O,).
        mean: running mean, (O,).
        var: running variance, (O,).
    """
    return _folded(W, b, g, beta, mean, var)


def check_fold(reader_function: Callable) -> Report:
    """Check the reader's ``fold(W, b, g, beta, mean, var)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _scale(g, var):
    return g / np.sqrt(var + EPS)


def _folded(
    W,
    b,
    g,
    beta,
    mean,
    var,
    scale=_scale,
    meets=lambda s: s[:, None, None, None],
    shift=lambda b, mean, s, beta: (b - mean) * s + beta,
):
    """Fold; the keywords are the places where it goes wrong."""
    s = scale(g, var)
    return W * meets(s), shift(b, mean, s, beta)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(23)
    shapes = {"plain": (3, 2, 3, 3), "square": (3, 3, 2, 3), "pointwise": (4, 2, 1, 1), "no bias": (2, 3, 3, 2)}
    cases = []
    for name, shape in (shapes | {"quiet": (3, 3, 3, 3), "single": (1, 2, 3, 3)}).items():
        W, (b, beta, mean) = rng.normal(size=shape), rng.normal(size=(3, shape[0]))
        g, var = rng.uniform(0.5, 2, shape[0]), rng.uniform(0.5, 4, shape[0])
        if name == "quiet":
            var = 1e-5 * var
        cases.append(Case(CASES[name], (W, 0 * b if name == "no bias" else b, g, beta, mean, var)))
    return tuple(cases)


_WRONG = (
    ("bias forgotten", {"shift": lambda b, mean, s, beta: beta - mean * s}),
    ("bias forgotten", {"shift": lambda b, mean, s, beta: beta}),
    ("bias not scaled", {"shift": lambda b, mean, s, beta: b - mean * s + beta}),
    ("input axis", {"meets": lambda s: s[None, :, None, None]}),
    ("last axis", {"meets": lambda s: s}),
    ("variance", {"scale": lambda g, var: g / (var + EPS)}),
    ("variance", {"scale": lambda g, var: g / var}),
    ("eps", {"scale": lambda g, var: g / np.sqrt(var)}),
    ("eps", {"scale": lambda g, var: g / (np.sqrt(var) + EPS)}),
    ("mean not scaled", {"shift": lambda b, mean, s, beta: b * s - mean + beta}),
    ("beta scaled", {"shift": lambda b, mean, s, beta: (b - mean + beta) * s}),
    ("no gamma", {"scale": lambda g, var: 1 / np.sqrt(var + EPS)}),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=fold,
    cases=_cases(),
    misconceptions=tuple(
        Misconception(lambda *given, change=change: _folded(*given, **change), MESSAGES[name])
        for name, change in _WRONG
    ),
)
