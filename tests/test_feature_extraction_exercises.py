"""The exercises of the chapter on feature extraction, against PyTorch and against functions as readers write them."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch
from torch import nn

from backbone.exercises import feature_extraction

NAMES = [module.name for module in pkgutil.iter_modules(feature_extraction.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.feature_extraction.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(feature_extraction, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def max_pool_backward_by_torch(x, grad):
    leaf = torch.tensor(x.copy(), requires_grad=True)
    pooled = nn.functional.max_pool2d(leaf[None], 2)[0]
    return torch.autograd.grad(pooled, leaf, torch.tensor(grad.copy()))[0]


def layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width):
    layer = {
        "convolution": lambda: nn.Conv2d(inputs, outputs, kernel),
        "linear": lambda: nn.Linear(inputs * height * width, outputs),
        "pooling": lambda: nn.MaxPool2d(kernel),
        "relu": nn.ReLU,
    }[kind]()
    return sum(parameter.numel() for parameter in layer.parameters())


def nearest_by_angle(features, query):
    """Put all rows on the unit sphere, and look for the smallest distance there."""
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    return np.argmin(np.linalg.norm(rows - query / np.linalg.norm(query), axis=1))


RIGHT = {
    "max_pool_backward": max_pool_backward_by_torch,
    "layer_parameters": layer_parameters_by_torch,
    "nearest": nearest_by_angle,
}


def test_every_exercise_is_done_in_another_way():
    assert sorted(RIGHT) == sorted(NAMES)


@pytest.mark.parametrize("name", RIGHT)
def test_other_right_ways_pass(name):
    report = report_of(name, RIGHT[name])
    assert report.passed, report


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("max_pool_backward", lambda x, grad: -max_pool_backward_by_torch(x, grad)),
        ("layer_parameters", lambda *layer: 2 * layer_parameters_by_torch(*layer) + 1),
        ("nearest", lambda features, query: 0),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


def torch_without_indices(x, grad):
    """Paint every place that equals the largest of its window, as a mask does."""
    largest = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).max(axis=(1, 3))
    return np.kron(grad, np.ones((2, 2))) * (x == np.kron(largest, np.ones((2, 2))))


def counts_one_slice(kind, inputs, outputs, kernel, height, width):
    if kind == "convolution":
        return kernel * kernel * outputs + outputs
    return layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width)


def counts_channels_only(kind, inputs, outputs, kernel, height, width):
    if kind == "linear":
        return (inputs + 1) * outputs
    return layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width)


@pytest.mark.parametrize(
    ("name", "function", "expected"),
    [
        ("max_pool_backward", torch_without_indices, "ties"),
        ("max_pool_backward", lambda x, grad: np.kron(grad, np.ones((2, 2))) / 4, "average"),
        ("layer_parameters", counts_one_slice, "depth"),
        ("layer_parameters", counts_channels_only, "flatten"),
        ("nearest", lambda features, query: (features @ query).argmax(), "dot"),
        ("nearest", lambda features, query: np.linalg.norm(features - query, axis=1).argmin(), "distance"),
    ],
)
def test_usual_mistakes_written_out(name, function, expected):
    assert named(name, report_of(name, function)) == [expected]


def test_arguments_may_not_be_changed():
    def in_place(features, query):
        features /= np.linalg.norm(features, axis=1, keepdims=True)
        return int((features @ query).argmax())

    report = report_of("nearest", in_place)
    assert not report.passed
    assert "your function changes its argument features." in str(report)
