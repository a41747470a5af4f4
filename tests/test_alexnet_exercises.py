"""The exercises on AlexNet, held against PyTorch and against functions as readers write them."""

import importlib
import math
import pkgutil

import pytest
import torch
from torch import nn

from backbone import models
from backbone.exercises import alexnet

NAMES = [module.name for module in pkgutil.iter_modules(alexnet.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.alexnet.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(alexnet, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def alexnet_shapes_by_torch(size, padding):
    with torch.device("meta"):
        features = models.alexnet().features
    features[0].padding = (padding, padding)
    sides, x = [], torch.zeros(1, 3, size, size, device="meta")
    for layer in features:
        x = layer(x)
        if layer is features[0] or isinstance(layer, nn.MaxPool2d):
            sides.append(x.shape[-1])
    return tuple(sides)


def grouped_params_by_torch(convolutions, linears):
    with torch.device("meta"):
        layers = [nn.Conv2d(c, o, k, groups=g) for c, o, k, g in convolutions] + [nn.Linear(*row) for row in linears]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


def training_flops_in_steps(macs, images, epochs):
    forward = 2 * macs
    backward = 2 * forward
    return float((forward + backward) * images * epochs)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("alexnet_shapes", alexnet_shapes_by_torch),
        ("grouped_params", grouped_params_by_torch),
        ("training_flops", training_flops_in_steps),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


def test_the_network_of_2012_has_the_parameters_of_the_books_facts():
    whole = next(case for case in MODULES["grouped_params"].EXERCISE.cases if case.name == "the AlexNet of 2012")
    assert grouped_params_by_torch(*whole.arguments) == 60_965_224
    ungrouped = [(c, o, k, 1) for c, o, k, _ in whole.arguments[0]], whole.arguments[1]
    assert grouped_params_by_torch(*ungrouped) == 62_378_344


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("alexnet_shapes", lambda size, padding: (55, 27, 13, 7)),
        ("grouped_params", lambda convolutions, linears: grouped_params_by_torch(convolutions, linears) + 1),
        ("training_flops", lambda macs, images, epochs: 7 * macs * images * epochs),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


def test_usual_mistakes_written_out():
    def rounded_up(size, padding):
        first = math.ceil((size + 2 * padding - 11) / 4) + 1
        sides = [first]
        for _ in range(3):
            sides.append((sides[-1] - 3) // 2 + 1)
        return tuple(sides)

    def halved(size, padding):
        first = (size + 2 * padding - 11) // 4 + 1
        return first, first // 2, first // 4, first // 8

    def ungrouped(convolutions, linears):
        total = sum(o * c * k * k + o for c, o, k, _ in convolutions)
        return total + sum(i * o + o for i, o in linears)

    assert rounded_up(224, 0)[0] == 55
    assert named("alexnet_shapes", report_of("alexnet_shapes", rounded_up)) == ["rounded up"]
    assert named("alexnet_shapes", report_of("alexnet_shapes", halved)) == ["halved"]
    assert named("grouped_params", report_of("grouped_params", ungrouped)) == ["groups ignored"]
    for factor, key in ((1, "neither"), (2, "forward only"), (3, "multiply-adds"), (4, "way back once")):
        report = report_of("training_flops", lambda macs, images, epochs, f=factor: f * macs * images * epochs)
        assert named("training_flops", report) == [key]
