"""Dropout: in training, values become 0 at random, and those that stay are scaled up; in evaluation nothing happens.

    y = x m / (1 - p)        in training, m = 0 with probability p and 1 otherwise
    y = x                    in evaluation

``p`` is the probability of being *dropped*, as in PyTorch. The paper's p is the probability of being kept, and its
scaling happens at test time. The mask m has the shape of x; of spatial dropout it has one entry for each channel.

Sources: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, "Dropout: a simple way to prevent neural
networks from overfitting", section 10 for the scaling in training; Tompson, Goroshin, Jain, LeCun, Bregler 2015,
"Efficient object localization using convolutional networks", section 3.2, for whole channels.
The chapter on dropout uses this module.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from backbone.checks import to_array


def dropout_mask(shape: Sequence[int], p: float, generator: np.random.Generator) -> np.ndarray:
    """Draw a mask: booleans of the given shape, False with probability p, each by itself."""
    # random() is below 1, so p = 1 drops everything, and never below 0, so p = 0 keeps everything.
    return generator.random(tuple(shape)) >= _probability("dropout_mask", p)


def dropout(x: ArrayLike, mask: ArrayLike, p: float) -> np.ndarray:
    """Compute what dropout gives in training, x m / (1 - p).

    Args:
        x: values of any shape.
        mask: True where a value stays; of the shape of x, or (N, C, 1, 1) for maps (N, C, H, W).
        p: the probability of being dropped with which the mask was drawn, 0 to 1.

    Returns:
        An array of the shape of x. Zeros where p is 1: there is nothing left that could be scaled.

    Raises:
        ValueError: p is no probability, or the mask does not fit x.
    """
    return _masked("dropout", "x", x, mask, p)


def dropout_backward(grad_output: ArrayLike, mask: ArrayLike, p: float) -> np.ndarray:
    """Carry the gradient back through the same mask: g m / (1 - p), of the shape of ``grad_output``.

    A value that was dropped had no part in the output, so its gradient is 0.
    """
    return _masked("dropout_backward", "grad_output", grad_output, mask, p)


class Dropout(nn.Module):
    """Dropout as a module, with a generator of its own.

    Args:
        p: probability of being dropped, 0 to 1.
        generator: draws the masks. Its numbers are those of ``torch.nn.Dropout`` after ``torch.manual_seed`` with the
            same seed.

    Attributes:
        mask: of the last pass in training, booleans, True where a value stayed; None before.

    Raises:
        ValueError: p is no probability.
        TypeError: generator is no torch.Generator.
    """

    def __init__(self, p: float = 0.5, *, generator: torch.Generator):
        super().__init__()
        self.p = _probability(type(self).__name__, p)
        if not isinstance(generator, torch.Generator):
            raise TypeError(
                f"{type(self).__name__}: generator is {generator!r}; pass torch.Generator().manual_seed(0), or the "
                "one that the rest of your program draws from"
            )
        self.generator = generator
        self.mask: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Drop values of x, of any shape, in training; return x itself in evaluation."""
        shape = self.mask_shape(x)  # a shape that does not fit is an error in both modes
        if not self.training:
            return x
        mask = torch.empty(shape, dtype=torch.bool, device=self.generator.device)
        self.mask = mask.bernoulli_(1 - self.p, generator=self.generator).to(x.device)
        return x * self.mask * _scale(self.p)

    def mask_shape(self, x: torch.Tensor) -> tuple[int, ...]:
        """Return the shape of the mask for x: one entry a value."""
        return tuple(x.shape)

    def extra_repr(self) -> str:
        """Return what ``print`` shows between the parentheses."""
        return f"p={self.p:g}"


class SpatialDropout(Dropout):
    """Dropout of whole channels of maps (N, C, H, W), as ``torch.nn.Dropout2d``; arguments as for `Dropout`."""

    def mask_shape(self, x: torch.Tensor) -> tuple[int, ...]:
        """Return the shape of the mask for x: one entry a channel, (N, C, 1, 1)."""
        if x.ndim != 4:
            raise ValueError(
                f"SpatialDropout: the shape is {tuple(x.shape)}; whole channels are dropped of a batch of maps "
                "(N, C, H, W): x[None] makes one picture a batch"
            )
        return (*x.shape[:2], 1, 1)


def _probability(name: str, p: float) -> float:
    """Return p; raise ValueError unless it is a number from 0 to 1. NaN is none."""
    if not 0 <= p <= 1:
        raise ValueError(f"{name}: p is {p}; it is the probability of being dropped, from 0 to 1")
    return p


def _scale(p: float) -> float:
    """Return 1 / (1 - p), and 1 for p = 1, where the mask alone gives the answer: 0 times infinity would be NaN."""
    return 1 / (1 - p) if p < 1 else 1.0


def _masked(name: str, called: str, values: ArrayLike, mask: ArrayLike, p: float) -> np.ndarray:
    values, mask = to_array(name, called, values), to_array(name, "mask", mask)
    p = _probability(name, p)
    if mask.dtype != bool:
        raise ValueError(f"{name}: the mask is of dtype {mask.dtype}; it must be bool, True where a value stays")
    if mask.shape != values.shape and (values.ndim != 4 or mask.shape != (*values.shape[:2], 1, 1)):
        raise ValueError(
            f"{name}: the mask has shape {mask.shape} and {called} {values.shape}; they must be equal, or (N, C, 1, 1) "
            "for maps (N, C, H, W)"
        )
    return values * mask * _scale(p)
