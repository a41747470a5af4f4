"""First weights from a generator that is passed in, so that a seed stands where a network is made."""

import math

import torch
from torch import nn


def initialize(model: nn.Module, generator: torch.Generator | None = None) -> nn.Module:
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


def initialize_he(model: nn.Module, generator: torch.Generator | None = None) -> nn.Module:
    """Draw the weights of all layers as torchvision does for its ResNets. The model is changed in place.

    Convolutions: normal with variance 2 / fan_out, where fan_out counts the outputs that one input takes part in.
    BatchNorm: scale 1, shift 0. Linear layers: as ``initialize``.

    Args:
        model: any network.
        generator: draws the numbers; without it PyTorch's global one does.

    Returns:
        The same model.

    Source: He, Zhang, Ren, Sun 2015, "Delving deep into rectifiers", section 2.2, backward propagation case.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)
        elif isinstance(layer, nn.Linear):
            initialize(layer, generator)
    return model


def initialize_truncated(model: nn.Module, generator: torch.Generator | None, default: float) -> nn.Module:
    """Draw the weights of all layers as torchvision does for its Inception networks. The model is changed in place.

    Convolutions and linear layers: normal with a standard deviation of ``default``, or of the layer's own
    ``stddev``, cut at -2 and 2. Linear biases: as ``initialize``. BatchNorm: scale 1, shift 0.

    Args:
        model: any network.
        generator: draws the numbers; without it PyTorch's global one does.
        default: standard deviation where a layer names none.

    Returns:
        The same model.
    """
    for layer in model.modules():
        if isinstance(layer, nn.Linear):
            initialize(layer, generator)
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.trunc_normal_(layer.weight, 0.0, getattr(layer, "stddev", default), -2, 2, generator=generator)
    return model
