"""The exercises on ResNet, held against PyTorch and against functions as readers write them."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

from backbone.exercises import resnet
from backbone.models.resnet import PadShortcut

NAMES = [module.name for module in pkgutil.iter_modules(resnet.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.resnet.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(resnet, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


def relu(z):
    return np.maximum(z, 0)


# --- Right, in another way ----------------------------------------------------------------------------------


def basic_block_by_torch(x, y):
    x, y = torch.tensor(x), torch.tensor(y)
    stride = 1 if x.shape == y.shape else 2
    return torch.relu(y + PadShortcut(x.shape[1], y.shape[1], stride)(x))


def zero_gamma_block_by_torch(x, W, gamma, g):
    x, W, gamma = (torch.tensor(one, requires_grad=True) for one in (x, W, gamma))
    y = x + gamma * (x @ W.T)
    gradients = torch.autograd.grad(y, [gamma, W, x], torch.tensor(g))
    return y, *gradients


def diagnose_by_words(shallow, deep):
    (train, test), (deep_train, deep_test) = shallow[:, -1], deep[:, -1]
    if deep_train - train > 0.01:
        return 2
    return 1 if deep_test - test > 0.01 else 3 if deep_train > 0.3 else 0


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("basic_block", basic_block_by_torch),
        ("zero_gamma_block", zero_gamma_block_by_torch),
        ("diagnose", diagnose_by_words),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


# --- Wrong ways ---------------------------------------------------------------------------------------------


def test_usual_mistakes_written_out():
    def relu_before(x, y):
        shortcut = np.zeros_like(y)
        step = 1 if x.shape == y.shape else 2
        shortcut[:, : x.shape[1]] = x[:, :, ::step, ::step]
        return relu(y) + shortcut

    def in_place(x, y):
        step = 1 if x.shape == y.shape else 2
        y[:, : x.shape[1]] += x[:, :, ::step, ::step]
        return relu(y)

    def forgotten(x, y):
        if x.shape != y.shape:
            return relu(y)
        return relu(x + y)

    assert named("basic_block", report_of("basic_block", relu_before)) == ["relu first"]
    assert named("basic_block", report_of("basic_block", in_place)) == ["in place"]
    assert named("basic_block", report_of("basic_block", forgotten)) == ["none at stride 2"]
    assert named("basic_block", report_of("basic_block", lambda x, y: relu(x + y))) == ["shapes"]
    assert named("basic_block", report_of("basic_block", lambda x, y: relu(y))) == ["no shortcut"]

    def by_test_error(shallow, deep):
        if deep[1, -1] > shallow[1, -1] + 0.01:
            return 1
        return 2 if deep[0, -1] > shallow[0, -1] + 0.01 else 3 if deep[0, -1] > 0.3 else 0

    assert named("diagnose", report_of("diagnose", by_test_error)) == ["test only"]

    def adds_nothing_learns_nothing(x, W, gamma, g):
        y, by_gamma, by_weight, by_input = zero_gamma_block_by_torch(x, W, gamma, g)
        return y, by_gamma * torch.tensor(gamma), by_weight, by_input

    assert named("zero_gamma_block", report_of("zero_gamma_block", adds_nothing_learns_nothing)) == ["dead scale"]


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("basic_block", lambda x, y: relu(y) * 3),
        ("diagnose", lambda shallow, deep: 7),
        ("zero_gamma_block", lambda x, W, gamma, g: (x, gamma, W, -g)),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []
