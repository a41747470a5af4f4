"""The exercises of the chapter on reading architectures, held against PyTorch and against answers as readers write."""

import numpy as np
import pytest
import torch
from readers import pass_the_check
from torch import nn

from backbone import models
from backbone.exercises.architectures import conv_parameters, output_side, stage_multiply_adds

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


test_other_right_ways_pass = pass_the_check(
    (conv_parameters, parameters_by_torch),
    (conv_parameters, lambda i, o, k, g, b: np.int64(g * (i / g) * (o / g) * k**2 + o * b)),
    (output_side, side_by_torch),
    (output_side, side_by_recursion),
    (stage_multiply_adds, stage_by_blocks),
)


@pytest.mark.parametrize("index", [2, 3, 4])
def test_a_stage_is_that_of_the_network(index):
    with torch.device("meta"):
        network = models.resnet34()
    rows = models.summary(network, (1, 3, 224, 224)).rows
    counted = sum(row.multiply_adds for row in rows if row.name.startswith(f"layer{index}."))
    width = 32 * 2**index
    blocks = (3, 4, 6, 3)[index - 1]
    assert stage_multiply_adds(width // 2, width, blocks, 224 // 2**index) == counted
