"""The exercises of the chapter on feature extraction, against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone.exercises.feature_extraction import layer_parameters, max_pool_backward, nearest

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


test_other_right_ways_pass = pass_the_check(
    (max_pool_backward, max_pool_backward_by_torch),
    (layer_parameters, layer_parameters_by_torch),
    (nearest, nearest_by_angle),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


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


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (max_pool_backward, "Where the largest number stands twice in a window, both", torch_without_indices),
    (max_pool_backward, "The gradient was shared", lambda x, grad: np.kron(grad, np.ones((2, 2))) / 4),
    (layer_parameters, "A filter was counted", counts_one_slice),
    (layer_parameters, "The linear layer was counted", counts_channels_only),
    (nearest, "The largest product won", lambda features, query: (features @ query).argmax()),
    (nearest, "The smallest distance won", lambda features, query: np.linalg.norm(features - query, axis=1).argmin()),
)
