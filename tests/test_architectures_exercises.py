"""The exercises of the chapter on reading architectures, held against PyTorch and against answers as readers write."""

import numpy as np
import pytest
import torch
from torch import nn

from backbone import models
from backbone.exercises import architectures
from backbone.exercises.architectures import conv_parameters as parameters
from backbone.exercises.architectures import output_side as chain
from backbone.exercises.architectures import stage_multiply_adds as stage

MODULES = {"conv_parameters": parameters, "output_side": chain, "stage_multiply_adds": stage}


def report_of(name, function):
    return getattr(architectures, f"check_{name}")(function)


# --- Right, in another way ----------------------------------------------------------------------------------


def parameters_by_torch(c_in, c_out, k, groups, bias):
    layer = nn.Conv2d(c_in, c_out, k, groups=groups, bias=bias, device="meta")
    return sum(p.numel() for p in layer.parameters())


def side_by_torch(size, layers):
    x = torch.zeros(1, 1, size, size, device="meta")
    for kernel, stride, padding in layers:
        x = nn.Conv2d(1, 1, kernel, stride, padding, device="meta")(x)
    return x.shape[-1]


def side_by_recursion(size, layers):
    if not layers:
        return size
    (kernel, stride, padding), *rest = layers
    return side_by_recursion(np.floor((size + 2 * padding - kernel) / stride) + 1, rest)


def stage_by_blocks(c_in, width, blocks, side):
    places, total = (side / 2) ** 2, 0
    for _ in range(blocks):
        total += places * (9 * c_in * width + 9 * width**2 + (c_in * width if total == 0 else 0))
        c_in = width
    return total


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("conv_parameters", parameters_by_torch),
        ("conv_parameters", lambda i, o, k, g, b: np.int64(g * (i / g) * (o / g) * k**2 + o * b)),
        ("output_side", side_by_torch),
        ("output_side", side_by_recursion),
        ("stage_multiply_adds", stage_by_blocks),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


@pytest.mark.parametrize("index", [2, 3, 4])
def test_a_stage_is_that_of_the_network(index):
    with torch.device("meta"):
        network = models.resnet34()
    rows = models.summary(network, (1, 3, 224, 224)).rows
    counted = sum(row.multiply_adds for row in rows if row.name.startswith(f"layer{index}."))
    width = 32 * 2**index
    blocks = (3, 4, 6, 3)[index - 1]
    assert stage.stage_multiply_adds(width // 2, width, blocks, 224 // 2**index) == counted


# --- Wrong --------------------------------------------------------------------------------------------------

WRONG = [(name, key, function) for name, module in MODULES.items() for key, function in module._WRONG]


@pytest.mark.parametrize(("name", "key", "function"), WRONG)
def test_a_wrong_answer_is_named(name, key, function):
    report = report_of(name, function)
    assert not report.passed
    assert MODULES[name].MESSAGES[key] in report.messages, report


@pytest.mark.parametrize("name", MODULES)
def test_every_message_is_used(name):
    assert {key for key, _ in MODULES[name]._WRONG} == set(MODULES[name].MESSAGES)


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize(
    "answer", [None, "many", -1, 0.5, [1], (1, 2), np.zeros(3), torch.ones(2), {}, float("nan"), True]
)
def test_other_wrong_answers_do_not_raise(name, answer):
    assert not report_of(name, lambda *arguments: answer).passed


@pytest.mark.parametrize("name", MODULES)
def test_a_function_that_raises_is_reported(name):
    assert not report_of(name, lambda: 1).passed
