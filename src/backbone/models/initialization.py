"""First weights from a generator that is passed in, so that a seed stands where a network is made."""

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from backbone.checks import one_of

Draw = Callable[[nn.Conv2d | nn.Linear, torch.Generator | None], None]


def initialize(model: nn.Module, generator: torch.Generator | None = None, scheme: str = "pytorch") -> nn.Module:
    """Draw the weights of all convolutions and linear layers anew, in place. BatchNorm keeps scale 1 and shift 0.

    Args:
        model: any network.
        generator: draws the numbers, layer by layer in the order of ``model.modules()``; without it PyTorch's global
            one does.
        scheme: a name in ``SCHEMES``; by default what PyTorch does by itself.

    Returns:
        The same model.

    Raises:
        ValueError: an unknown scheme.
    """
    draw = SCHEMES[one_of("initialize", "scheme", scheme, SCHEMES)]
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            draw(layer, generator)
    return model


def _uniform(layer, generator) -> None:
    """Draw weights and biases uniform in +-1/sqrt(fan_in), where fan_in counts the inputs of one output."""
    nn.init.kaiming_uniform_(layer.weight, a=math.sqrt(5), generator=generator)
    if layer.bias is not None:
        bound = 1 / math.sqrt(layer.weight[0].numel())
        nn.init.uniform_(layer.bias, -bound, bound, generator=generator)


def _he(layer, generator) -> None:
    """Draw weights normal with variance 2 / fan_in: He, Zhang, Ren, Sun 2015, section 2.2, forward propagation case."""
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)


def _he_backward(layer, generator) -> None:
    """Draw convolutions normal with variance 2 / fan_out, the backward case: fan_out counts what one input goes to."""
    if isinstance(layer, nn.Linear):
        _uniform(layer, generator)
    else:
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu", generator=generator)


def _vgg(layer, generator) -> None:
    """Draw convolutions by the backward case, linear layers normal with standard deviation 0.01; biases are 0."""
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01, generator=generator)
    else:
        _he_backward(layer, generator)
    nn.init.zeros_(layer.bias)


def _truncated(layer, generator, std: float) -> None:
    """Draw weights normal, cut at -2 and 2; a layer may bring its own deviation, ``stddev``. Biases are uniform."""
    if isinstance(layer, nn.Linear):
        _uniform(layer, generator)
    nn.init.trunc_normal_(layer.weight, 0.0, getattr(layer, "stddev", std), -2, 2, generator=generator)


SCHEMES: dict[str, Draw] = {
    "pytorch": _uniform,
    "he": _he,
    "resnet": _he_backward,
    "vgg": _vgg,
    "googlenet": partial(_truncated, std=0.01),
    "inception": partial(_truncated, std=0.1),
}
"""Ways to draw: "pytorch" is ``reset_parameters``; those named for networks are torchvision's for these."""
