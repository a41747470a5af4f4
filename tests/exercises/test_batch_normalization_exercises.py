"""The exercises of the chapter on batch normalization, held against PyTorch and against readers' own ways."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone.exercises.batch_normalization import batchnorm_train, fold, update_running

EPS = 1e-5


# --- Right, in another way ----------------------------------------------------------------------------------


def batchnorm_by_torch(x, g, b):
    return nn.functional.batch_norm(torch.tensor(x), None, None, torch.tensor(g), torch.tensor(b), training=True)


def running_by_torch(mean, var, x, momentum):
    norm = nn.BatchNorm2d(len(mean), momentum=momentum).double()
    norm.running_mean.copy_(torch.tensor(mean))
    norm.running_var.copy_(torch.tensor(var))
    norm(torch.tensor(x))
    return norm.running_mean, norm.running_var


def fold_by_torch(W, b, g, beta, mean, var):
    parts = map(torch.tensor, (W, b, mean, var))
    return nn.utils.fusion.fuse_conv_bn_weights(*parts, EPS, torch.tensor(g), torch.tensor(beta))


test_pytorch_passes = pass_the_check(
    (batchnorm_train, batchnorm_by_torch),
    (update_running, running_by_torch),
    (fold, fold_by_torch),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def statistics_over_examples(x, g, b):
    mean, var = x.mean(axis=0), x.var(axis=0)
    return g[:, None, None] * (x - mean) / np.sqrt(var + EPS) + b[:, None, None]


def unbiased(x, g, b):
    flat = x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1)
    mean, var = (part[:, None, None] for part in (flat.mean(axis=1), flat.var(axis=1, ddof=1)))
    return g[:, None, None] * (x - mean) / np.sqrt(var + EPS) + b[:, None, None]


def eps_outside(x, g, b):
    std = x.std(axis=(0, 2, 3), keepdims=True) + 1e-5
    return (x - x.mean(axis=(0, 2, 3), keepdims=True)) / std * g[None, :, None, None] + b[None, :, None, None]


def momentum_reversed(mean, var, x, momentum):
    count = x.size // x.shape[1]
    new_mean, new_var = x.mean((0, 2, 3)), x.var((0, 2, 3)) * count / (count - 1)
    return momentum * mean + (1 - momentum) * new_mean, momentum * var + (1 - momentum) * new_var


def biased_stored(mean, var, x, momentum):
    return (
        mean + momentum * (x.mean((0, 2, 3)) - mean),
        var + momentum * (x.var((0, 2, 3)) - var),
    )


def reversed_and_biased(mean, var, x, momentum):
    return momentum * mean + (1 - momentum) * x.mean((0, 2, 3)), momentum * var + (1 - momentum) * x.var((0, 2, 3))


def bias_forgotten(W, b, g, beta, mean, var):
    scale = g / np.sqrt(var + EPS)
    return W * scale.reshape(-1, 1, 1, 1), beta - mean * scale


def scale_on_inputs(W, b, g, beta, mean, var):
    scale = g / np.sqrt(var + EPS)
    return W * scale.reshape(1, -1, 1, 1), (b - mean) * scale + beta


def variance_for_deviation(W, b, g, beta, mean, var):
    scale = g / (var + EPS)
    return W * scale[:, None, None, None], (b - mean) * scale + beta


def mean_forgotten(W, b, g, beta, mean, var):
    scale = g / np.sqrt(var + EPS)
    return W * scale[:, None, None, None], b * scale + beta


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (
        batchnorm_train,
        "The mean and the variance were taken over the examples",
        statistics_over_examples,
    ),
    (batchnorm_train, "The variance was divided by n - 1", unbiased),
    (batchnorm_train, "The eps was added to the standard deviation", eps_outside),
    (batchnorm_train, "The beta is missing", lambda x, g, b: batchnorm_by_torch(x, g, 0 * b)),
    (update_running, "The momentum is the wrong way round", momentum_reversed),
    (update_running, "The variance that is stored was divided by n", biased_stored),
    (update_running, "Two things: the momentum is the weight", reversed_and_biased),
    (fold, "The convolution's own bias is lost", bias_forgotten),
    (fold, "The running mean is missing", mean_forgotten),
    (fold, "The scale met the wrong axis", scale_on_inputs),
    (fold, "The weights were divided by the variance", variance_for_deviation),
)
