"""Exercises of the chapter on batch normalization."""

from functools import partial

import numpy as np

from backbone.exercises.check import exercise

_EPS = 1e-5
_rng = np.random.default_rng(21)


def _deviation(var, n):
    return np.sqrt(var + _EPS)


def _maps(shape, change=lambda x: x):
    """Draw maps, a gamma and a beta."""
    return change(_rng.normal(2, 3, shape)), _rng.normal(1, 1, shape[1]), _rng.normal(size=shape[1])


@exercise(
    {
        "four examples of three channels": _maps((4, 3, 2, 5)),
        "a single example": _maps((1, 2, 3, 4)),
        "two examples of one pixel": _maps((2, 3, 1, 1)),
        "channels that hardly vary, where eps counts": _maps((3, 2, 2, 2), lambda x: 0.003 * _rng.normal(size=x.shape)),
        "channels of very different sizes": _maps((2, 3, 4, 2), lambda x: x * np.array([[[1]], [[10]], [[100]]])),
        "as many channels as rows and columns": _maps((3, 3, 3, 3)),
    }
)
def batchnorm_train(x, g, b, axes=(0, 2, 3), divide_by=_deviation, then=lambda x, g, b: g * x + b):
    """Normalize maps (N, C, H, W) by the batch, then scale and shift; the keywords are where it goes wrong."""
    normalized = (x - x.mean(axis=axes, keepdims=True)) / divide_by(x.var(axis=axes, keepdims=True), x[:, 0].size)
    return then(normalized, g.reshape(1, -1, 1, 1), b.reshape(1, -1, 1, 1))


batchnorm_train.mistake(
    "The mean and the variance were taken over the examples only, one for each pixel. A channel has one mean and one "
    "variance, over N, H and W: axis=(0, 2, 3). Try a single example: yours gives beta everywhere.",
    partial(batchnorm_train, axes=(0,)),
)
batchnorm_train.mistake(
    "One mean and one variance were taken of the whole batch. Each channel has its own: axis=(0, 2, 3). Try two "
    "channels, one of them 100 times as large as the other: both must come out alike.",
    partial(batchnorm_train, axes=(0, 1, 2, 3)),
)
batchnorm_train.mistake(
    "Each example was normalized by itself, over H and W. That is instance normalization. Here the examples of a batch "
    "share their mean and variance: axis=(0, 2, 3).",
    partial(batchnorm_train, axes=(2, 3)),
)
batchnorm_train.mistake(
    "The mean and the variance were taken over channels and pixels of one example: layer normalization. Here they run "
    "over N, H and W, and each channel has its own: axis=(0, 2, 3).",
    partial(batchnorm_train, axes=(1, 2, 3)),
)
batchnorm_train.mistake(
    "The eps was added to the standard deviation. It belongs inside the root: sqrt(variance + eps). The two differ "
    "where a channel hardly varies.",
    partial(batchnorm_train, divide_by=lambda var, n: np.sqrt(var) + _EPS),
)
batchnorm_train.mistake(
    "There is no eps. Without it a channel that does not vary gives 0 / 0. Divide by sqrt(variance + eps), where eps "
    "is 1e-5.",
    partial(batchnorm_train, divide_by=lambda var, n: np.sqrt(var)),
)
batchnorm_train.mistake(
    "The values were divided by the variance. Divide by its root: only then is the output's variance 1, whatever the "
    "unit of x. Try x and 10 * x: the outputs must be alike.",
    partial(batchnorm_train, divide_by=lambda var, n: var + _EPS),
)
batchnorm_train.mistake(
    "The weights are missing. After normalizing, scale each channel by its gamma and add its beta.",
    partial(batchnorm_train, then=lambda x, g, b: x),
)
batchnorm_train.mistake(
    "The beta is missing. Add it after scaling by gamma: it is the output's mean. Try a gamma of 0: beta must be left.",
    partial(batchnorm_train, then=lambda x, g, b: g * x),
)
batchnorm_train.mistake(
    "The beta was added before the scaling. The order is gamma * x_hat + beta: beta is the output's mean. Try a gamma "
    "of 0: beta must be left.",
    partial(batchnorm_train, then=lambda x, g, b: g * (x + b)),
)
batchnorm_train.mistake(
    "The variance was divided by n - 1. To normalize, the biased one is used, the plain mean of the squares, so that "
    "the output's variance is 1. Try two examples of one pixel: they become -1 and 1, not 0.71.",
    partial(batchnorm_train, divide_by=lambda var, n: np.sqrt(var * n / (n - 1) + _EPS)),
)
check_batchnorm_train = batchnorm_train.check


_rng = np.random.default_rng(22)


def _start(channels):
    return _rng.normal(size=channels), _rng.uniform(0.5, 4, channels)


@exercise(
    {
        "the first batch, from mean 0 and variance 1": (np.zeros(3), np.ones(3), _rng.normal(2, 3, (4, 3, 2, 2)), 0.1),
        "a later batch": (*_start(2), _rng.normal(2, 3, (3, 2, 3, 2)), 0.1),
        "two examples of one pixel": (*_start(4), _rng.normal(2, 3, (2, 4, 1, 1)), 0.1),
        "momentum 0.01": (*_start(2), _rng.normal(2, 3, (5, 2, 1, 3)), 0.01),
        "momentum 1: only the new batch counts": (*_start(3), _rng.normal(2, 3, (2, 3, 2, 1)), 1.0),
        "momentum 0: the averages stay": (*_start(2), _rng.normal(2, 3, (3, 2, 2, 2)), 0.0),
    }
)
def update_running(
    mean, var, x, momentum, keep=lambda m: 1 - m, take=lambda m: m, ddof=1, of_var=lambda v: v, axes=(0, 2, 3)
):
    """Move mean and variance (C,) toward those of a batch (N, C, H, W); the keywords are where it goes wrong."""
    pairs = (mean, x.mean(axis=axes)), (var, of_var(x.var(axis=axes, ddof=ddof)))
    return tuple(keep(momentum) * old + take(momentum) * new for old, new in pairs)


def _over_examples(mean, var, x, momentum):
    """Take the variance of each pixel, and average where the shapes would not fit."""
    right = update_running(mean, var, x, momentum)
    return right[0], (1 - momentum) * var + momentum * x.var(axis=0, ddof=1).mean(axis=(1, 2))


_REVERSED = {"keep": lambda m: m, "take": lambda m: 1 - m}


update_running.mistake(
    "The momentum is the wrong way round. In PyTorch it is the weight of the new batch: "
    "(1 - momentum) * old + momentum * new. With 0.1 the averages keep 90 %. Try momentum 0: nothing may change.",
    partial(update_running, **_REVERSED),
)
update_running.mistake(
    "The variance that is stored was divided by n. PyTorch stores the unbiased one, divided by n - 1, and normalizes "
    "by the biased one. Try two examples of one pixel: yours is half as large.",
    partial(update_running, ddof=0),
)
update_running.mistake(
    "Two things: the momentum is the weight of the new batch, not of the old average; and the variance that is stored "
    "is the unbiased one, divided by n - 1.",
    partial(update_running, **_REVERSED, ddof=0),
)
update_running.mistake(
    "The standard deviation was averaged. What is stored is the variance; the root comes later, at evaluation.",
    partial(update_running, of_var=np.sqrt),
    partial(update_running, of_var=np.sqrt, ddof=0),
)
update_running.mistake(
    "The old averages were kept whole and the new values added. An average keeps the share 1 - momentum of the old "
    "one; otherwise it grows with every batch.",
    partial(update_running, keep=lambda m: 1),
)
update_running.mistake(
    "The old averages are gone. Only the share momentum of the new batch comes in; the share 1 - momentum of the old "
    "average stays.",
    partial(update_running, keep=lambda m: 0, take=lambda m: 1),
)
update_running.mistake(
    "The statistics were taken over the examples only, one for each pixel. A channel has one mean and one variance, "
    "over N, H and W.",
    partial(update_running, axes=0),
    _over_examples,
)
check_update_running = update_running.check


_rng = np.random.default_rng(23)


def _layers(shape, bias=1, spread=1):
    """Draw the weight and bias of a convolution, and what its normalization holds."""
    outputs = shape[0]
    W, (b, beta, mean) = _rng.normal(size=shape), _rng.normal(size=(3, outputs))
    return W, bias * b, _rng.uniform(0.5, 2, outputs), beta, mean, spread * _rng.uniform(0.5, 4, outputs)


@exercise(
    {
        "three filters on two channels": _layers((3, 2, 3, 3)),
        "as many filters as input channels": _layers((3, 3, 2, 3)),
        "windows of one pixel": _layers((4, 2, 1, 1)),
        "a convolution whose bias is 0": _layers((2, 3, 3, 2), bias=0),
        "variances so small that eps counts": _layers((3, 3, 3, 3), spread=1e-5),
        "one filter": _layers((1, 2, 3, 3)),
    }
)
def fold(
    W,
    b,
    g,
    beta,
    mean,
    var,
    scale=lambda g, var: g / np.sqrt(var + _EPS),
    meets=lambda s: s[:, None, None, None],
    shift=lambda b, mean, s, beta: (b - mean) * s + beta,
):
    """Compute the weight and the bias of one convolution that does both; the keywords are where it goes wrong."""
    s = scale(g, var)
    return W * meets(s), shift(b, mean, s, beta)


fold.mistake(
    "The convolution's own bias is lost. Normalization acts on weight * x + bias, so the bias is scaled too: "
    "(bias - mean) * scale + beta. Try a bias equal to the running mean: beta must be left.",
    partial(fold, shift=lambda b, mean, s, beta: beta - mean * s),
    partial(fold, shift=lambda b, mean, s, beta: beta),
)
fold.mistake(
    "The convolution's bias was carried over unscaled. It passes through the normalization as the rest does: "
    "(bias - mean) * scale + beta.",
    partial(fold, shift=lambda b, mean, s, beta: b - mean * s + beta),
)
fold.mistake(
    "The scale met the wrong axis. The weight is (outputs, inputs, kh, kw), and each filter is scaled as a whole: "
    "scale[:, None, None, None]. The scale has one number for each output channel.",
    partial(fold, meets=lambda s: s[None, :, None, None]),
)
fold.mistake(
    "The scale met the last axis, the columns of the window: NumPy lines shapes up from the right. Write "
    "scale[:, None, None, None]: one number for each filter.",
    partial(fold, meets=lambda s: s),
)
fold.mistake(
    "The weights were divided by the variance. Divide by its root, sqrt(var + eps), as the normalization does.",
    partial(fold, scale=lambda g, var: g / (var + _EPS)),
    partial(fold, scale=lambda g, var: g / var),
)
fold.mistake(
    "The eps is missing or stands outside the root. The scale is gamma / sqrt(var + eps).",
    partial(fold, scale=lambda g, var: g / np.sqrt(var)),
    partial(fold, scale=lambda g, var: g / (np.sqrt(var) + _EPS)),
)
fold.mistake(
    "The running mean is missing. The normalization takes it away before it scales: (bias - mean) * scale + beta. Try "
    "a bias equal to the running mean: beta must be left.",
    partial(fold, shift=lambda b, mean, s, beta: b * s + beta),
)
fold.mistake(
    "The running mean was taken away unscaled. It is taken away before the division and before gamma: "
    "(bias - mean) * scale + beta.",
    partial(fold, shift=lambda b, mean, s, beta: b * s - mean + beta),
)
fold.mistake(
    "The beta was scaled too. It is added last: (bias - mean) * scale + beta.",
    partial(fold, shift=lambda b, mean, s, beta: (b - mean + beta) * s),
)
fold.mistake(
    "The gamma is missing: scale = gamma / sqrt(var + eps).",
    partial(fold, scale=lambda g, var: 1 / np.sqrt(var + _EPS)),
)
check_fold = fold.check
