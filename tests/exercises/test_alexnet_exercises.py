"""The exercises on AlexNet, held against PyTorch and against functions as readers write them."""

import math

import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone import models
from backbone.exercises.alexnet import alexnet_shapes, grouped_params, training_flops

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


test_other_right_ways_pass = pass_the_check(
    (alexnet_shapes, alexnet_shapes_by_torch),
    (grouped_params, grouped_params_by_torch),
    (training_flops, training_flops_in_steps),
)


def test_the_network_of_2012_has_the_parameters_of_the_books_facts():
    whole = next(case for case in grouped_params.cases if case.name == "the AlexNet of 2012")
    assert grouped_params_by_torch(*whole.arguments) == 60_965_224
    ungrouped = [(c, o, k, 1) for c, o, k, _ in whole.arguments[0]], whole.arguments[1]
    assert grouped_params_by_torch(*ungrouped) == 62_378_344


# --- Wrong ways -----------------------------------------------------------------------------------------------


def rounded_up(size, padding):
    first = math.ceil((size + 2 * padding - 11) / 4) + 1
    sides = [first]
    for _ in range(3):
        sides.append((sides[-1] - 3) // 2 + 1)
    return tuple(sides)


def halved(size, padding):
    first = (size + 2 * padding - 11) // 4 + 1
    return first, first // 2, first // 4, first // 8


def unrounded(size, padding):
    sides = [(size - 11 + 2 * padding) / 4 + 1]
    for _ in range(3):
        sides.append((sides[-1] - 3) / 2 + 1)
    return tuple(sides)


def ungrouped(convolutions, linears):
    total = sum(o * c * k * k + o for c, o, k, _ in convolutions)
    return total + sum(i * o + o for i, o in linears)


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (alexnet_shapes, "The division of the first layer was rounded up", rounded_up),
    (alexnet_shapes, "Nothing was rounded", unrounded),
    (alexnet_shapes, "The pooling was taken for one of 2 x 2", halved),
    (grouped_params, "The groups were ignored", ungrouped),
    (training_flops, "This counts the multiply-adds", lambda *given: math.prod(given)),
    (training_flops, "The way back was forgotten", lambda *given: 2 * math.prod(given)),
    (training_flops, "These are multiply-adds", lambda *given: 3 * math.prod(given)),
    (training_flops, "Forward and backward do not cost the same", lambda *given: 4 * math.prod(given)),
)


def test_rounded_up_gives_55_places_for_224_pixels():
    assert rounded_up(224, 0)[0] == 55
