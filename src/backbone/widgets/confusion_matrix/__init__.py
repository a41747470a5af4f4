"""ConfusionMatrix: which classes a network takes for which, and the pictures behind each number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone import metrics
from backbone.checks import class_numbers, to_array
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.pictures import levels

MOST_CLASSES = 12
HALF = 5  # of the pictures asked; the network gets so many wrong
PAIRS = ("both", "first", "second", "neither")


class ConfusionMatrix(BookWidget):
    """Name ten pictures against a network, see where both lists of answers fall in its matrix, and open its cells.

    The first network gets half of the ten wrong. All counts are exact. Of the pictures, the widget carries every one
    that a network gets wrong, and the first ``right_per_class`` of each class that all networks get right, with 16
    levels of gray: enough to see what happened, and a quarter of the bytes that all of them would take.

    Args:
        images: (N, H, W) or (N, 1, H, W), uint8, or floats in [0, 1].
        labels: true classes, integers (N,).
        probabilities: network's name -> (N, K), a row a picture, that sums to 1. One network or two.
        classes: K names, 2 to 12.
        right_per_class: how many pictures of each class to carry that all networks get right.

    Traits, live both ways:
        guesses: the reader's answers to the pictures asked, in their order, as numbers of classes.
        over: the reader has pressed on, or the last picture was answered: the cells open.
        network: name of the network whose matrix is shown.
        numbers: "counts", "rows" (percent of the true class) or "columns" (percent of those called so).
        cell: true class and called class of the open cell.
        pair: "" where a cell of the matrix is open, else which pictures of the comparison are: "both" networks
            right, only the "first", only the "second", or "neither".

    Raises:
        ValueError: shapes do not fit, or a value lies outside its range.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"": (479, 638)}

    guesses = t.List(t.Int(min=0)).tag(sync=True)
    over = t.Bool(False).tag(sync=True)
    network = t.Unicode().tag(sync=True)
    numbers = t.Enum(["counts", "rows", "columns"], "counts").tag(sync=True)
    cell = t.List(t.Int(min=0), minlen=2, maxlen=2).tag(sync=True)
    pair = t.Enum(["", *PAIRS], "").tag(sync=True)

    asked = t.List(t.Int(), read_only=True, help="numbers of the pictures that the reader names").tag(sync=True)
    networks = t.List(t.Unicode(), read_only=True).tag(sync=True)
    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    labels = Array("uint8", read_only=True, help="true class of each picture, (N,)").tag(sync=True)
    predicted = Array("uint8", read_only=True, help="called class, (networks, N)").tag(sync=True)
    probability = Array("float16", read_only=True, help="of the called class, (networks, N)").tag(sync=True)
    kept = t.List(t.Int(), read_only=True, help="numbers of the pictures carried").tag(sync=True)
    shape = t.List(t.Int(), read_only=True, help="height, width").tag(sync=True)
    pixels = Array("uint8", read_only=True, help="of kept pictures, two to a byte, the first in the high half").tag(
        sync=True
    )

    def __init__(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        probabilities: Mapping[str, ArrayLike],
        classes: Sequence[str],
        right_per_class: int = 8,
        **traits,
    ):
        labels = class_numbers("ConfusionMatrix", "labels", labels)
        pictures = levels("ConfusionMatrix", "images", images, len(labels))
        tables = _tables(probabilities, len(labels), list(classes))
        if labels.max() >= len(classes):
            raise ValueError(f"labels holds class {labels.max()}, but {len(classes)} classes are named")
        calls = np.stack([table.argmax(axis=1) for table in tables.values()])
        asked = _asked(labels, calls, len(classes))
        kept = _kept(labels, calls, right_per_class, asked)
        flat = pictures[kept].reshape(-1)
        flat = np.append(flat, np.zeros(len(flat) % 2, np.uint8))
        self.set_trait("asked", asked)
        self.set_trait("networks", list(tables))
        self.set_trait("classes", list(classes))
        self.set_trait("labels", labels)
        self.set_trait("predicted", calls)
        self.set_trait("probability", [table.max(axis=1) for table in tables.values()])
        self.set_trait("kept", kept.tolist())
        self.set_trait("shape", list(pictures.shape[1:]))
        self.set_trait("pixels", flat[::2] << 4 | flat[1::2])
        traits.setdefault("network", self.networks[0])
        traits.setdefault("cell", _largest_error(metrics.confusion_matrix(labels, calls[0], len(classes))))
        super().__init__(**traits)

    @property
    def matrix(self) -> np.ndarray:
        """Counts (K, K) of the network shown, true classes in rows."""
        calls = self.predicted[self.networks.index(self.network)].astype(np.int64)
        return metrics.confusion_matrix(self.labels.astype(np.int64), calls, len(self.classes))

    @property
    def comparison(self) -> metrics.McNemar | None:
        """The paired test of the two networks; None where there is one network."""
        right = self.predicted == self.labels
        return metrics.mcnemar(*right) if len(right) == 2 else None

    @t.validate("network")
    def _network_is_known(self, proposal):
        if proposal["value"] not in self.networks:
            raise t.TraitError(f"network is {proposal['value']!r}; it must be one of {', '.join(self.networks)}")
        return proposal["value"]

    @t.validate("cell")
    def _cell_is_inside(self, proposal):
        if max(proposal["value"]) >= len(self.classes):
            raise t.TraitError(f"cell is {proposal['value']}; classes go from 0 to {len(self.classes) - 1}")
        return proposal["value"]

    @t.validate("guesses")
    def _guesses_are_classes(self, proposal):
        given = proposal["value"]
        if len(given) > len(self.asked) or max(given, default=0) >= len(self.classes):
            raise t.TraitError(
                f"guesses is {given}; it must be at most {len(self.asked)} classes, 0 to {len(self.classes) - 1}"
            )
        return given

    @t.validate("pair")
    def _pair_needs_two(self, proposal):
        if proposal["value"] and len(self.networks) < 2:
            raise t.TraitError(f"pair is {proposal['value']!r}, but there is one network; give two to compare them")
        return proposal["value"]


def _tables(probabilities, count: int, classes: list[str]) -> dict[str, np.ndarray]:
    """Return the networks' probabilities as arrays; raise ValueError where they are none."""
    if not 2 <= len(classes) <= MOST_CLASSES:
        raise ValueError(f"classes has {len(classes)} names; the matrix takes 2 to {MOST_CLASSES}")
    if not 1 <= len(probabilities) <= 2:
        raise ValueError(f"probabilities has {len(probabilities)} networks; give one, or two to compare them")
    tables = {
        name: to_array("ConfusionMatrix", f"probabilities[{name!r}]", table).astype(np.float64)
        for name, table in probabilities.items()
    }
    for name, table in tables.items():
        if table.shape != (count, len(classes)):
            raise ValueError(
                f"probabilities[{name!r}] has shape {table.shape}; it must be {(count, len(classes))}, a row a picture"
            )
        if not (table.min() >= 0 and np.allclose(table.sum(axis=1), 1, atol=1e-3)):
            raise ValueError(f"probabilities[{name!r}] has rows that do not sum to 1; give softmax of the logits")
    return tables


def _asked(labels: np.ndarray, calls: np.ndarray, classes: int) -> list[int]:
    """Return the pictures to ask for: five that the first network gets wrong, five that all get right, mixed.

    Wrong ones are of the classes with most errors, right ones of those with fewest, a picture of each in turn.
    """
    wrong = calls[0] != labels
    hardest = np.argsort([-np.sum(wrong & (labels == k)) for k in range(classes)], kind="stable")
    right = (calls == labels).all(axis=0)
    chosen = [_in_turn(labels, wrong, hardest), _in_turn(labels, right, hardest[::-1])]
    return np.random.default_rng(0).permutation(np.concatenate(chosen)).tolist()


def _in_turn(labels: np.ndarray, allowed: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the numbers of up to five pictures: the first of each class in order, then the second of each."""
    of_class = [np.flatnonzero(allowed & (labels == k)) for k in order]
    turns = [found[turn] for turn in range(HALF) for found in of_class if turn < len(found)]
    return np.array(turns[:HALF], dtype=int)


def _kept(labels: np.ndarray, calls: np.ndarray, right_per_class: int, asked: list[int]) -> np.ndarray:
    """Return the numbers of the pictures to carry, rising."""
    right = (calls == labels).all(axis=0)
    keep = ~right
    for k in range(labels.max() + 1):
        keep[np.flatnonzero(right & (labels == k))[:right_per_class]] = True
    keep[asked] = True
    return np.flatnonzero(keep)


def _largest_error(matrix: np.ndarray) -> list[int]:
    """Return the cell off the diagonal with most pictures: the matrix opens where there is something to see."""
    errors = matrix - np.diag(np.diag(matrix))
    return [int(at) for at in np.unravel_index(errors.argmax(), errors.shape)]
