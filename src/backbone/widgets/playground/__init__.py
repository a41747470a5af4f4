"""Playground: a small network that is trained in the page, and one of its weights held against its gradient."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.data.points import POINTS
from backbone.widgets.base import Array, BookWidget

MAX_DEPTH, MAX_WIDTH = 4, 8
MAX_POINTS = 1000
MAX_STEP = 500  # taken before the page shows anything
STARTS = 8
RATES = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
REACHES = [0.1, 1.0, 4.0]
TRAINED = 0.6  # the share of the points that the network learns from


class Playground(BookWidget):
    """Train a network on points of two classes, by gradient descent on all points at once; or move one of its weights.

    Args:
        data: names in ``backbone.data.points.POINTS``, or name -> (points, labels). Points are numbers of shape
            (N, 2), labels of shape (N,) are 0 or 1; N is 10 to 1000. The first 60 % train, the rest is held out.
        seed: of the named sets and of the random starts.

    Traits, live both ways:
        dataset: name of the set shown.
        depth: hidden layers, 0 to 4. width: neurons in each, 1 to 8.
        activation: "none", "relu", "tanh" or "sigmoid", of the hidden layers. The output is one logit.
        rate: the learning rate, one of 0.01, 0.03, 0.1, 0.3, 1, 3, 10.
        initialization: "random" (normal; standard deviation 1 / sqrt(inputs), for ReLU times sqrt(2)), "zero" or
            "equal" (all 0.5). Biases start at 0.
        start: which of the 8 random starts.
        show: "training", or "tangent" for the loss along one weight, beside its tangent.
        weight: layer, neuron and input of the weight that is looked at; the input -1 is the bias.
        moved: how far the weight is moved from where it is, at most `reach`, which is 0.1, 1 or 4.
        parameters: all weights after the reader's last act, layer by layer, each (outputs, inputs) row by row and
            then its biases. While it is empty, the network is the start after `step` steps of gradient descent.
        step: steps of gradient descent so far.

    Raises:
        ValueError: an unknown name, or points or labels of the wrong shape or with wrong values.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"training": (548, 633), "tangent": (440, 586)}

    dataset = t.Unicode().tag(sync=True)
    depth = t.Int(1, min=0, max=MAX_DEPTH).tag(sync=True)
    width = t.Int(4, min=1, max=MAX_WIDTH).tag(sync=True)
    activation = t.Enum(["none", "relu", "tanh", "sigmoid"], "tanh").tag(sync=True)
    rate = t.Enum(RATES, 0.3).tag(sync=True)
    initialization = t.Enum(["random", "zero", "equal"], "random").tag(sync=True)
    start = t.Int(0, min=0, max=STARTS - 1).tag(sync=True)
    weight = t.List(t.Int(), [0, 0, 0], minlen=3, maxlen=3).tag(sync=True)
    show = t.Enum(["training", "tangent"], "training").tag(sync=True)
    moved = t.Float(0).tag(sync=True)
    reach = t.Enum(REACHES, 1.0).tag(sync=True)
    parameters = t.List(t.Float()).tag(sync=True)
    step = t.Int(0, min=0).tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    counts = t.List(read_only=True, help="for each set: points that train, all points").tag(sync=True)
    points = Array("float64", read_only=True, help="all x then all y, set by set").tag(sync=True)
    labels = Array("uint8", read_only=True, help="of all sets").tag(sync=True)
    noise = Array("float64", read_only=True, help="(starts, layers, 8, 8), standard normal").tag(sync=True)
    rates = t.List(RATES, read_only=True).tag(sync=True)

    def __init__(self, data: Mapping[str, tuple] | Sequence[str] = tuple(POINTS), seed: int = 0, **traits):
        sets = _read(data, seed)
        self.set_trait("names", list(sets))
        self.set_trait("counts", [[round(TRAINED * len(labels)), len(labels)] for _, labels in sets.values()])
        self.set_trait("points", np.concatenate([points.T.ravel() for points, _ in sets.values()]))
        self.set_trait("labels", np.concatenate([labels for _, labels in sets.values()]))
        rng = np.random.default_rng(seed)
        self.set_trait("noise", rng.standard_normal((STARTS, MAX_DEPTH + 1, MAX_WIDTH, MAX_WIDTH)))
        traits.setdefault("dataset", self.names[0])
        if traits.get("step", 0) > MAX_STEP:
            raise ValueError(f"step is {traits['step']}; the page takes at most {MAX_STEP} before it shows anything")
        super().__init__(**traits)

    @property
    def shown(self) -> tuple[np.ndarray, np.ndarray, int]:
        """The set shown: points (N, 2) float64, labels (N,) uint8, and how many of the first ones train."""
        index = self.names.index(self.dataset)
        first = sum(total for _, total in self.counts[:index])
        train, total = self.counts[index]
        points = self.points[2 * first : 2 * (first + total)].reshape(2, total).T
        return points, self.labels[first : first + total], train

    def first_layers(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return where training begins: for each layer the weight (outputs, inputs) and the bias (outputs,)."""
        noise = self.noise[self.start]
        sizes, layers = _sizes(self.depth, self.width), []
        for layer, (inputs, outputs) in enumerate(itertools.pairwise(sizes)):
            scale = np.sqrt((2 if self.activation == "relu" else 1) / inputs)
            weight = {
                "random": scale * noise[layer, :outputs, :inputs],
                "zero": np.zeros((outputs, inputs)),
                "equal": np.full((outputs, inputs), 0.5),
            }[self.initialization]
            layers.append((weight, np.zeros(outputs)))
        return layers

    @t.validate("dataset")
    def _dataset_is_known(self, proposal):
        if proposal["value"] not in self.names:
            raise t.TraitError(f"dataset is {proposal['value']!r}; it must be one of {', '.join(self.names)}")
        return proposal["value"]

    @t.validate("moved")
    def _moved_is_within_reach(self, proposal):
        if not abs(proposal["value"]) <= max(REACHES):
            raise t.TraitError(
                f"moved is {proposal['value']}; it must be a number from -{max(REACHES)} to {max(REACHES)}"
            )
        return proposal["value"]

    @t.validate("parameters")
    def _parameters_are_finite(self, proposal):
        if not np.isfinite(proposal["value"]).all():
            raise t.TraitError("parameters holds a NaN or an infinity; all must be finite numbers, or the list empty")
        return proposal["value"]


def _sizes(depth: int, width: int) -> list[int]:
    """Return the values that go into each layer and, last, the one that comes out."""
    return [2, *[width] * depth, 1]


def _read(data, seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return name -> points, labels, checked; a name alone stands for the set that the book makes."""
    if isinstance(data, str):
        data = [data]
    if not isinstance(data, Mapping):
        unknown = [name for name in data if name not in POINTS]
        if unknown:
            raise ValueError(f"data names {unknown[0]!r}; it must be one of {', '.join(POINTS)}, or name -> points")
        # Each set from a generator of its own: it stays the same, whichever others are chosen.
        data = {name: POINTS[name](160, np.random.default_rng(seed)) for name in data}
    if not data:
        raise ValueError("data is empty; give at least one set, such as data=['moons']")
    return {name: _checked(name, *pair) for name, pair in data.items()}


def _checked(name: str, points: ArrayLike, labels: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return points as float64 (N, 2) and labels as uint8 (N,); raise ValueError where they are not that."""
    points, labels = np.asarray(points), np.asarray(labels)
    if points.ndim != 2 or points.shape[1] != 2 or not 10 <= len(points) <= MAX_POINTS:
        raise ValueError(f"data[{name!r}] has points of shape {points.shape}; it must be (N, 2), N from 10 to 1000")
    if points.dtype.kind not in "fiu" or not np.isfinite(points).all():
        raise ValueError(f"data[{name!r}] has points of dtype {points.dtype}, or NaN; they must be finite real numbers")
    if not points.any():
        raise ValueError(f"data[{name!r}] has all its points at (0, 0); a network cannot tell them apart")
    if labels.shape != points.shape[:1]:
        raise ValueError(f"data[{name!r}] has labels of shape {labels.shape}; for its points it is {points.shape[:1]}")
    found = np.unique(labels).tolist()
    if found != [0, 1]:
        raise ValueError(f"data[{name!r}] has the labels {found[:5]}; it must have both 0 and 1, and no other")
    return points.astype(np.float64), labels.astype(np.uint8)
