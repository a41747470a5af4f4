"""First weights from a generator that is passed in, so that a seed stands where a network is made."""

import math

import torch
from torch import nn


def initialize(model: nn.Module, generator: torch.Generator) -> nn.Module:
    """Draw the weights of all linear and convolutional layers as PyTorch does by default, but from ``generator``.

    Weights and biases are uniform in +-1/sqrt(fan_in), where fan_in counts the inputs of one output. The model is
    changed in place.

    Args:
        model: any network.
        generator: draws the numbers, layer by layer in the order of ``model.modules()``.

    Returns:
        The same model.

    Source: PyTorch, ``torch.nn.Linear.reset_parameters``.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
            if layer.bias is not None:
                bound = 1 / math.sqrt(layer.weight[0].numel())
                nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return model
