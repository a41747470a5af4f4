"""The exercises of the chapter on batch normalization, held against PyTorch and against readers' own ways."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn

from backbone.exercises import batch_normalization

NAMES = [module.name for module in pkgutil.iter_modules(batch_normalization.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.batch_normalization.{name}") for name in NAMES}
EPS = 1e-5


def report_of(name, function):
    return getattr(batch_normalization, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


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


RIGHT = {"batchnorm_train": batchnorm_by_torch, "update_running": running_by_torch, "fold": fold_by_torch}


@pytest.mark.parametrize("name", NAMES)
def test_pytorch_passes(name):
    report = report_of(name, RIGHT[name])
    assert report.passed, report


def test_float32_passes():
    def batchnorm_train(x, g, b):
        return batchnorm_by_torch(*(part.astype(np.float32) for part in (x, g, b)))

    assert report_of("batchnorm_train", batchnorm_train).passed


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("batchnorm_train", lambda x, g, b: -3 * batchnorm_by_torch(x, g, b)),
        ("update_running", lambda *given: tuple(part + 1 for part in running_by_torch(*given))),
        ("fold", lambda *given: tuple(2 * part for part in fold_by_torch(*given))),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


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


@pytest.mark.parametrize(
    ("name", "function", "key"),
    [
        ("batchnorm_train", statistics_over_examples, "over N only"),
        ("batchnorm_train", unbiased, "unbiased"),
        ("batchnorm_train", eps_outside, "eps outside"),
        ("update_running", momentum_reversed, "reversed"),
        ("update_running", biased_stored, "biased"),
        ("update_running", reversed_and_biased, "both"),
        ("fold", bias_forgotten, "bias forgotten"),
        ("fold", scale_on_inputs, "input axis"),
        ("fold", variance_for_deviation, "variance"),
    ],
)
def test_usual_mistakes_written_out(name, function, key):
    assert named(name, report_of(name, function)) == [key]


def test_arguments_may_not_be_changed():
    def in_place(mean, var, x, momentum):
        answer = running_by_torch(mean, var, x, momentum)
        mean *= 1 - momentum
        return answer

    assert "your function changes its argument mean." in str(report_of("update_running", in_place))
