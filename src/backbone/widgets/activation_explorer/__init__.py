"""ActivationExplorer: one activation applied again and again, what it does to a signal and to its derivative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike
from scipy.special import ndtri

from backbone.layers import ACTIVATIONS, Activation
from backbone.widgets.base import Array, BookWidget

DEEPEST = 50
MOST_INPUTS = 1000
FLAT = 0.1  # of an activation's largest slope: below that a neuron is saturated; maths.js has the same


@dataclass(frozen=True)
class Chain:
    """What a chain of single neurons did to some inputs.

    Attributes:
        values: what comes out of the last neuron (N,).
        saturated: whether the slope of its activation there is below a tenth of its largest (N,).
        log_product: logarithm to base 10 of the size of d value / d input (N,); -inf where that is exactly 0.
    """

    values: np.ndarray
    saturated: np.ndarray
    log_product: np.ndarray


def chain(activation: Activation, inputs: ArrayLike, layers: int, weight: float, bias: float) -> Chain:
    """Apply a <- activation(weight * a + bias) to each input, ``layers`` times.

    The derivative of the whole is the product of weight * slope over the layers. Its logarithm is kept, because 50
    small slopes multiply to less than the smallest float.
    """
    values = np.asarray(inputs, dtype=np.float64)
    largest = np.abs(activation.derivative(np.arange(-384, 385) / 128)).max()  # it lies within +-3 for all seven
    saturated, log_product = np.zeros(values.shape, dtype=bool), np.zeros(values.shape)
    with np.errstate(divide="ignore"):
        for _ in range(layers):
            sums = weight * values + bias
            slopes = np.abs(activation.derivative(sums))
            saturated, log_product = slopes < FLAT * largest, log_product + np.log10(weight * slopes)
            values = activation.value(sums)
    return Chain(values, saturated, log_product)


class ActivationExplorer(BookWidget):
    """Let many inputs hop through a chain of equal neurons, on the curve of one, and multiply its slopes on the way.

    Args:
        inputs: the numbers that are sent through (N,), finite, 1000 at most; by default 400 that are spread as a
            standard normal distribution is.

    Traits, live both ways: activation (a name in ``ACTIVATIONS``), layers (0 to 50; between two whole ones the inputs
    are on their way), weight (0.1 to 6), bias (-4 to 4), input (-4 to 4; the one whose way is shown).

    Raises:
        ValueError: there are no inputs, too many, or one that is not finite.
        traitlets.TraitError: a trait lies outside its range.
    """

    room = {"": (538, 624)}

    activation = t.Enum(list(ACTIVATIONS), default_value="sigmoid").tag(sync=True)
    layers = t.Float(DEEPEST, min=0, max=DEEPEST).tag(sync=True)
    weight = t.Float(1.0, min=0.1, max=6.0).tag(sync=True)
    bias = t.Float(0.0, min=-4.0, max=4.0).tag(sync=True)
    input = t.Float(1.5, min=-4.0, max=4.0).tag(sync=True)

    inputs = Array("float64", read_only=True, help="(N,)").tag(sync=True)
    # A list of pairs: a page's JSON sorts the names of an object.
    titles = t.List(read_only=True, help="(name of an activation, how it is written)").tag(sync=True)

    def __init__(self, inputs: ArrayLike | None = None, **traits):
        values = ndtri((np.arange(400) + 0.5) / 400) if inputs is None else np.asarray(inputs)
        if values.ndim != 1 or not 0 < len(values) <= MOST_INPUTS:
            raise ValueError(
                f"ActivationExplorer: inputs has shape {values.shape}; it must be (N,) with N from 1 to {MOST_INPUTS}"
            )
        if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
            raise ValueError("ActivationExplorer: inputs must hold finite real numbers; remove the others first")
        self.set_trait("inputs", values)
        self.set_trait("titles", [[name, one.title] for name, one in ACTIVATIONS.items()])
        super().__init__(**traits)

    @property
    def result(self) -> Chain:
        """What the chain did to all inputs, at the present settings."""
        return self._through(self.inputs)

    @property
    def way(self) -> Chain:
        """What it did to the one input whose way is shown; arrays of length 1."""
        return self._through(np.array([self.input]))

    def _through(self, inputs: np.ndarray) -> Chain:
        return chain(ACTIVATIONS[self.activation], inputs, int(self.layers), self.weight, self.bias)
