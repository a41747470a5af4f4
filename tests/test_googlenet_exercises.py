"""The exercises on GoogLeNet, held against PyTorch and against functions as readers write them."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn

from backbone import models
from backbone.exercises import googlenet

NAMES = [module.name for module in pkgutil.iter_modules(googlenet.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.googlenet.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(googlenet, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def conv1x1_by_torch(x, weight):
    return nn.functional.conv2d(torch.tensor(x), torch.tensor(weight)[:, :, None, None])


def conv1x1_by_einsum(x, weight):
    return np.einsum("kc,chw->khw", weight, x).astype(np.float32)


def conv1x1_by_loops(x, weight):
    out = np.zeros((len(weight), *x.shape[1:]))
    for k in range(len(weight)):
        for c in range(len(x)):
            out[k] += weight[k, c] * x[c]
    return out


def cost_by_summary(in_channels, size, widths):
    """The paper's module in PyTorch, counted layer by layer."""
    one, into_three, three, into_five, five, pooled = widths
    with torch.device("meta"):
        branches = [
            nn.Conv2d(in_channels, one, 1),
            nn.Sequential(nn.Conv2d(in_channels, into_three, 1), nn.Conv2d(into_three, three, 3, padding=1)),
            nn.Sequential(nn.Conv2d(in_channels, into_five, 1), nn.Conv2d(into_five, five, 5, padding=2)),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), nn.Conv2d(in_channels, pooled, 1)),
        ]
    return sum(models.summary(branch, (1, in_channels, *size)).multiply_adds for branch in branches)


def smoothing_by_torch(y, eps, classes):
    """The targets that PyTorch's own loss has: minus its slope in each log-probability."""
    log = torch.zeros(len(y), classes, dtype=torch.float64, requires_grad=True)
    uniform = torch.full((len(y), classes), 1 / classes, dtype=torch.float64)
    loss = nn.functional.cross_entropy(log, torch.tensor(y), reduction="sum", label_smoothing=eps)
    return uniform - torch.autograd.grad(loss, log)[0]


def smoothing_by_mixing(y, eps, classes):
    return (1 - eps) * np.eye(classes)[y] + eps / classes


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("conv1x1_as_matmul", conv1x1_by_torch),
        ("conv1x1_as_matmul", conv1x1_by_einsum),
        ("conv1x1_as_matmul", conv1x1_by_loops),
        ("inception_cost", cost_by_summary),
        ("inception_cost", lambda *arguments: float(cost_by_summary(*arguments))),
        ("label_smoothing", smoothing_by_torch),
        ("label_smoothing", smoothing_by_mixing),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("conv1x1_as_matmul", lambda x, weight: 2 * conv1x1_by_loops(x, weight)),
        ("inception_cost", lambda *arguments: cost_by_summary(*arguments) + 1),
        ("label_smoothing", lambda *arguments: smoothing_by_mixing(*arguments) / 3),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


def test_usual_mistakes_written_out():
    def across_channels(x, weight):
        c, h, w = x.shape
        return (x.reshape(h * w, c) @ weight.T).T.reshape(-1, h, w)

    def not_transposed_back(x, weight):
        pixels = np.moveaxis(x, 0, -1).reshape(-1, len(x))
        return (pixels @ weight.T).reshape(len(weight), *x.shape[1:])

    def without_projection(in_channels, size, widths):
        one, a, three, b, five, _ = widths
        places = size[0] * size[1]
        return places * (in_channels * (one + a + b) + a * three * 9 + b * five * 25)

    def among_the_others(y, eps, classes):
        targets = np.full((len(y), classes), eps / (classes - 1))
        targets[range(len(y)), y] = 1 - eps
        return targets

    assert named("conv1x1_as_matmul", report_of("conv1x1_as_matmul", across_channels)) == ["mixes pixels"]
    assert named("conv1x1_as_matmul", report_of("conv1x1_as_matmul", not_transposed_back)) == ["scrambled"]
    assert named("inception_cost", report_of("inception_cost", without_projection)) == ["no projection"]
    assert named("label_smoothing", report_of("label_smoothing", among_the_others)) == ["others only"]


def test_arguments_may_not_be_changed():
    def in_place(x, weight):
        answer = conv1x1_by_loops(x, weight)
        x *= 2
        return answer

    assert "your function changes its argument x." in str(report_of("conv1x1_as_matmul", in_place))
