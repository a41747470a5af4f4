"""The multilayer perceptron: linear layers with an activation between them."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import nn

from backbone.models.initialization import initialize
from backbone.models.taps import Tap


class MLP(nn.Module):
    """Linear layers of the given widths, an activation after each but the last.

    The modules are ``flatten``, ``fc1``, ``act1``, ``fc2`` and so on. Pictures (N, C, H, W) are flattened first.
    """

    def __init__(self, widths: Sequence[int], activation: Callable[[], nn.Module] = nn.ReLU):
        super().__init__()
        if len(widths) < 2:
            raise ValueError(f"mlp: widths are {tuple(widths)}; at least the number of inputs and of outputs is needed")
        self.flatten = nn.Flatten()
        for number, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            self.add_module(f"fc{number}", nn.Linear(inputs, outputs))
            if number < len(widths) - 1:
                self.add_module(f"act{number}", activation())
        self.taps = tuple(Tap(f"act{number}", width, 0) for number, width in enumerate(widths[1:-1], start=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map (N, C, H, W) or (N, D) to logits (N, widths[-1])."""
        for layer in self.children():
            x = layer(x)
        return x


def mlp(
    widths: Sequence[int] = (784, 128, 10),
    activation: Callable[[], nn.Module] = nn.ReLU,
    generator: torch.Generator | None = None,
) -> MLP:
    """Build a multilayer perceptron.

    Args:
        widths: number of inputs, of the units of each hidden layer, and of outputs.
        activation: makes one activation module; called once for each hidden layer.
        generator: draws the first weights; without it PyTorch's global one does.
    """
    model = MLP(widths, activation)
    return model if generator is None else initialize(model, generator)
