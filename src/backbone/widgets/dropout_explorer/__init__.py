"""DropoutExplorer: many thinned networks, and the one that stands for them at test time."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.widgets.base import BookWidget

MAX_INPUTS, MAX_UNITS = 6, 10  # 2^10 thinned networks are gone through one by one, in each frame
MAX_RUNS = 5000
HEADS = ["linear", "relu"]
SCALINGS = ["inverted", "test time", "none"]


class DropoutExplorer(BookWidget):
    """Run a small network with many masks, and hold the mean of its outputs against the full network's output.

    The network is h = ReLU(W x + b), then dropout on h, then z = v h + c; the head gives z itself or ReLU(z).

    Args:
        inputs: name -> input x (D,), D from 1 to 6; the reader chooses among the names.
        weight: W (H, D), H from 2 to 10. bias: b (H,).
        output_weight: v (H,). output_bias: c, a number.

    Traits, live both ways:
        sample: name of the input shown.
        p: probability that a unit is dropped, 0 to 1.
        scaling: "inverted" (kept units times 1 / (1 - p) in training), "test time" (all units times 1 - p at test
            time, the rule of 2014) or "none".
        head: "linear" or "relu".
        runs: masks run so far, 1 to 5000. seed: of the masks, 0 to 999.
        kept: which units the drawn network keeps, set by hand; while it is empty, the mask of the last run is drawn.

    Raises:
        ValueError: a shape does not fit, a number is not finite, or there is too much of something.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"": (518, 620)}

    sample = t.Unicode().tag(sync=True)
    p = t.Float(0.5, min=0, max=1).tag(sync=True)
    scaling = t.Enum(SCALINGS, "inverted").tag(sync=True)
    head = t.Enum(HEADS, "linear").tag(sync=True)
    runs = t.Int(200, min=1, max=MAX_RUNS).tag(sync=True)
    seed = t.Int(0, min=0, max=999).tag(sync=True)
    kept = t.List(t.Bool()).tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    inputs = t.List(t.List(t.Float()), read_only=True).tag(sync=True)
    weight = t.List(t.List(t.Float()), read_only=True).tag(sync=True)
    bias = t.List(t.Float(), read_only=True).tag(sync=True)
    output_weight = t.List(t.Float(), read_only=True).tag(sync=True)
    output_bias = t.Float(0, read_only=True).tag(sync=True)

    def __init__(
        self,
        inputs: Mapping[str, ArrayLike],
        weight: ArrayLike,
        bias: ArrayLike,
        output_weight: ArrayLike,
        output_bias: float = 0.0,
        **traits,
    ):
        network = _network(weight, bias, output_weight, output_bias)
        samples = _samples(inputs, np.shape(weight)[1])
        self.set_trait("names", list(samples))
        self.set_trait("inputs", [values.tolist() for values in samples.values()])
        for name, values in network.items():
            self.set_trait(name, values.tolist())
        traits.setdefault("sample", self.names[0])
        super().__init__(**traits)

    @property
    def hidden(self) -> np.ndarray:
        """The hidden units' values (H,), before dropout, for the input shown."""
        x = np.array(self.inputs[self.names.index(self.sample)])
        return np.maximum(np.array(self.weight) @ x + self.bias, 0)

    @property
    def masks(self) -> np.ndarray:
        """The masks of all runs, booleans (runs, H), True where a unit is kept."""
        units = len(self.bias)
        return (uniform(self.seed, self.runs * units) >= self.p).reshape(self.runs, units)

    @property
    def outputs(self) -> np.ndarray:
        """What each run gave (runs,)."""
        return self._of(self.masks * _factors(self.scaling, self.p)[0])

    @property
    def test_value(self) -> float:
        """What the full network gives at test time."""
        return float(self._of(np.full(len(self.bias), _factors(self.scaling, self.p)[1])))

    @property
    def exact_mean(self) -> float:
        """The mean over all 2^H masks, each with its probability."""
        masks = np.array(list(itertools.product([False, True], repeat=len(self.bias))))
        chance = np.where(masks, 1 - self.p, self.p).prod(axis=1)
        return float(chance @ self._of(masks * _factors(self.scaling, self.p)[0]))

    def _of(self, factors: np.ndarray) -> np.ndarray:
        """Return the outputs (...,) with each hidden unit times its factor (..., H)."""
        z = (factors * self.hidden) @ np.array(self.output_weight) + self.output_bias
        return np.maximum(z, 0) if self.head == "relu" else z

    @t.validate("sample")
    def _sample_is_known(self, proposal):
        if proposal["value"] not in self.names:
            raise t.TraitError(f"sample is {proposal['value']!r}; it must be one of {', '.join(self.names)}")
        return proposal["value"]

    @t.validate("kept")
    def _kept_names_each_unit(self, proposal):
        if len(proposal["value"]) not in (0, len(self.bias)):
            raise t.TraitError(f"kept has {len(proposal['value'])} entries; give {len(self.bias)}, or none")
        return proposal["value"]


def uniform(seed: int, count: int) -> np.ndarray:
    """Return numbers from 0 to 1, 1 left out, (count,): mulberry32, as the page draws them.

    Source: Tommy Ettinger's 32-bit generator, in the public domain. Its state only counts, so number i needs no other.
    """
    start = np.uint64(seed * 0x9E3779B9 % 2**32)
    state = (start + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x6D2B79F5)).astype(np.uint32)
    out = (state ^ (state >> 15)) * (state | np.uint32(1))
    out ^= out + (out ^ (out >> 7)) * (out | np.uint32(61))
    return (out ^ (out >> 14)) / 2**32


def _factors(scaling: str, p: float) -> tuple[float, float]:
    """Return what a kept unit is multiplied with in training, and each unit at test time."""
    if scaling == "inverted":
        return (1 / (1 - p) if p < 1 else 1.0), 1.0
    return 1.0, (1 - p if scaling == "test time" else 1.0)


def _numbers(name: str, values: ArrayLike, *shape: int) -> np.ndarray:
    """Return values as float64; raise ValueError unless they are finite and of the shape."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiu" or not np.isfinite(values).all():
        raise ValueError(f"{name} holds something else than finite real numbers (its dtype is {values.dtype})")
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}; it must be {shape}")
    return values.astype(np.float64)


def _network(weight, bias, output_weight, output_bias) -> dict[str, np.ndarray]:
    """Return the network's numbers, checked."""
    shape = np.shape(weight)
    if len(shape) != 2 or not (2 <= shape[0] <= MAX_UNITS and 1 <= shape[1] <= MAX_INPUTS):
        raise ValueError(
            f"weight has shape {shape}; it must be (units, inputs), 2 to {MAX_UNITS} and 1 to {MAX_INPUTS}"
        )
    return {
        "weight": _numbers("weight", weight, *shape),
        "bias": _numbers("bias", bias, shape[0]),
        "output_weight": _numbers("output_weight", output_weight, shape[0]),
        "output_bias": _numbers("output_bias", output_bias),
    }


def _samples(inputs, size: int) -> dict[str, np.ndarray]:
    if not isinstance(inputs, Mapping) or not inputs:
        raise ValueError("inputs must be name -> numbers, with at least one name, such as {'a': [1.0, 0.5]}")
    return {name: _numbers(f"inputs[{name!r}]", values, size) for name, values in inputs.items()}
