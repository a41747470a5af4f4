"""ResidualExplorer: blocks cut out of a trained network with skips and out of its plain twin, as recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t

from backbone.data import LabeledImages
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.pictures import levels

NETWORKS = ("residual", "plain")
BLOCKS = 9
SETS = 2**BLOCKS


class ResidualExplorer(BookWidget):
    """Cut blocks, so that only their skip is left, and see what the network answers for a picture of each class.

    Args:
        pictures: the test pictures that the record numbers.
        recorded: the record ``cuts``: "right" and "answers", see ``experiments/measure_cuts.py``.

    Traits, live both ways: cuts (the blocks that are cut, 1 to 9); skips (False shows the plain network); answer (to
    "How many without the skips?": "many", "half", "few", or "").

    Raises:
        ValueError: the record lacks a table, or is not of these pictures.
        traitlets.TraitError: a block that is not there.

    Source: Veit et al. 2016, "Residual networks behave like ensembles of relatively shallow networks", section 4.
    """

    room = {"": (436, 558)}

    cuts = t.List(t.Int(min=1, max=BLOCKS), [6]).tag(sync=True)
    skips = t.Bool(True).tag(sync=True)
    answer = t.Enum(["", "many", "half", "few"], "").tag(sync=True)

    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    labels = Array("uint8", read_only=True, help="of the pictures (P,)").tag(sync=True)
    pixels = Array("uint8", read_only=True, help="the pictures (P, H, W), 0 to 15").tag(sync=True)
    called = Array("uint8", read_only=True, help="(networks, P, 512): set i holds block k where bit k - 1 is 1").tag(
        sync=True
    )
    percents = Array("uint8", read_only=True, help="probability of what is called, likewise, 99 for more").tag(
        sync=True
    )
    right = t.List(read_only=True, help="rows: network, seed, right, count of those told right").tag(sync=True)
    count = t.Int(read_only=True, help="pictures that `right` was counted on").tag(sync=True)

    def __init__(self, pictures: LabeledImages, recorded: Mapping, **traits):
        try:
            rows = {name: [row for row in recorded["answers"] if row["network"] == name] for name in NETWORKS}
            shown = [row["picture"] for row in rows["residual"]]
            called = [[list(map(int, row["answers"])) for row in rows[name]] for name in NETWORKS]
            percents = [[_pairs(row["percents"]) for row in rows[name]] for name in NETWORKS]
            labels = [row["label"] for row in rows["residual"]]
            self.set_trait(
                "right", [{key: row[key] for key in ("network", "seed", "right")} for row in recorded["right"]]
            )
        except KeyError as error:
            raise ValueError(
                f'recorded has no {error}; give records.load("cuts"), which experiments/measure_cuts.py writes'
            ) from None
        if max(shown) >= len(pictures) or pictures.labels[shown].tolist() != labels:
            raise ValueError("recorded is of other pictures: its labels do not agree; give the packaged test pictures")
        if {len(one) for table in (called, percents) for found in table for one in found} != {SETS}:
            raise ValueError(
                f"recorded: each picture has one answer and one percentage for each of {SETS} sets of cuts"
            )
        self.set_trait("classes", list(pictures.classes))
        self.set_trait("labels", labels)
        self.set_trait("pixels", levels("ResidualExplorer", "pictures", pictures.images[shown], len(shown)))
        self.set_trait("called", called)
        self.set_trait("percents", percents)
        self.set_trait("count", len(pictures))
        super().__init__(**traits)

    @t.validate("cuts")
    def _cuts_in_order(self, proposal):
        return sorted(set(proposal["value"]))

    @property
    def answers(self) -> np.ndarray:
        """The class that the network shown answers for each picture (P,)."""
        return self.called[NETWORKS.index("residual" if self.skips else "plain"), :, self._set]

    @property
    def accuracy(self) -> float:
        """The share of all test pictures that the network shown tells right, 0 to 1."""
        name = "residual" if self.skips else "plain"
        return next(row["right"] for row in self.right if row["network"] == name)[self._set] / self.count

    @property
    def _set(self) -> int:
        return sum(2 ** (block - 1) for block in self.cuts)


def _pairs(digits: str) -> list[int]:
    return [int(digits[i : i + 2]) for i in range(0, len(digits), 2)]
