"""Backpropagation: a neuron as a graph, its numbers forward and its gradients back, edge by edge."""

from __future__ import annotations

import math
from collections.abc import Sequence

import traitlets as t

from backbone.widgets.base import BookWidget

NAMES = "x1", "w1", "x2", "w2", "b", "t"
LIMIT = 3
FORWARD, BACK = 4, 9  # steps


class Backpropagation(BookWidget):
    """The graph of (activation(w1 x1 + w2 x2 + b) - t)²: change a number, and see all gradients of the loss.

    Args:
        x: two inputs.
        weights: two weights.
        bias: added.
        target: what should come out.

    Traits, live both ways:
        given: x1, w1, x2, w2, b and t, each within -3 to 3.
        activation: "relu", "sigmoid" or "tanh".
        step: how far the film is: 0 is the start, 4 the loss, and 13 the end, when all gradients are there.
        picked: the number whose gradient is spelled out at the end, one of x1, w1, x2, w2, b.

    Raises:
        ValueError: there are not two inputs and two weights.
        traitlets.TraitError: a setting outside its range.
    """

    room = {"": (431, 619)}

    given = t.Dict().tag(sync=True)
    activation = t.Enum(["relu", "sigmoid", "tanh"], "relu").tag(sync=True)
    step = t.Float(FORWARD + BACK, min=0, max=FORWARD + BACK).tag(sync=True)
    picked = t.Enum(NAMES[:-1], "w1").tag(sync=True)

    def __init__(self, x: Sequence[float], weights: Sequence[float], bias: float, target: float, **traits):
        if len(x) != 2 or len(weights) != 2:
            raise ValueError(f"there are {len(x)} inputs and {len(weights)} weights; it must be two of each")
        numbers = (x[0], weights[0], x[1], weights[1], bias, target)
        super().__init__(given=dict(zip(NAMES, map(float, numbers), strict=True)), **traits)

    @t.validate("given")
    def _given_is_allowed(self, proposal):
        given = proposal["value"]
        if set(given) != set(NAMES):
            raise t.TraitError(f"given has {', '.join(map(str, given))}; it must have {', '.join(NAMES)}")
        for name, value in given.items():
            if not (isinstance(value, int | float) and math.isfinite(value) and abs(value) <= LIMIT):
                raise t.TraitError(f"given[{name!r}] is {value!r}; it must be a number from {-LIMIT} to {LIMIT}")
        return {name: float(given[name]) for name in NAMES}
