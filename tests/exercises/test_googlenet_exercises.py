"""The exercises on GoogLeNet, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone import models
from backbone.exercises.googlenet import conv1x1_as_matmul, inception_cost, label_smoothing

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


test_other_right_ways_pass = pass_the_check(
    (conv1x1_as_matmul, conv1x1_by_torch),
    (conv1x1_as_matmul, conv1x1_by_einsum),
    (conv1x1_as_matmul, conv1x1_by_loops),
    (inception_cost, cost_by_summary),
    (inception_cost, lambda *arguments: float(cost_by_summary(*arguments))),
    (label_smoothing, smoothing_by_torch),
    (label_smoothing, smoothing_by_mixing),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


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


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (conv1x1_as_matmul, "Numbers of different pixels", across_channels),
    (conv1x1_as_matmul, "The sums are right, their", not_transposed_back),
    (inception_cost, "The projection after pooling", without_projection),
    (label_smoothing, "The other classes alone", among_the_others),
)
