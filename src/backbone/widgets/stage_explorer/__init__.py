"""StageExplorer: a photograph on its way through a trained backbone, with maps of every stage."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.checks import to_array
from backbone.widgets.base import Array
from backbone.widgets.engine import SIDE, NetworkWidget, likeliest

if TYPE_CHECKING:  # it would load PyTorch
    from backbone.pretrained import Packed

SHOWN = 5  # maps of a stage
MOST = 56  # pixels of a map's side that are kept
TOP = 5  # answers


class StageExplorer(NetworkWidget):
    """See what a backbone hands out at its taps: fine maps first, coarse ones last, of a photograph.

    Of each stage the maps are shown that vary most over the photograph. Those of the pictures at hand are recorded, so
    that the figure lives before the network is loaded.

    Args:
        packed, photos, alts: as ``NetworkWidget`` takes them.
        logits: (photos, classes), what the network says of the photographs.
        taps: name of a tap, in order -> its maps of the photographs (photos, C, H, W), H = W.
        show: the figure, from its beginning: "front" (it opens with a way through the stages) or "stages" (with a
            question).

    Traits, live both ways:
        photo: name of the picture shown, or "" for the reader's own.
        stage: which of the taps is looked at, from 0.
        answer: to "Has the first stage fewer numbers than the photograph, or more?": "fewer", "same", "more", or "".

    Raises:
        ValueError: no tap, or arrays of another shape.
        traitlets.TraitError: a stage that there is not.
    """

    room = {"front": (465, 493), "stages": (535, 586)}

    show = t.Enum(["front", "stages"], "stages").tag(sync=True)
    stage = t.Int(1).tag(sync=True)
    answer = t.Enum(["", "fewer", "same", "more"], "").tag(sync=True)

    taps = t.List(read_only=True, help="name, side, channels, stride").tag(sync=True)
    channels = Array("int16", read_only=True, help="(photos, taps, 5): which maps are shown").tag(sync=True)
    maps = Array("uint8", read_only=True, help="photo by photo, tap by tap, map by map; 128 is zero").tag(sync=True)
    first = Array("int16", read_only=True, help="(photos, 5): the likeliest classes").tag(sync=True)
    shares = Array("float32", read_only=True, help="(photos, 5): how likely they are").tag(sync=True)

    def __init__(
        self,
        packed: Packed,
        photos: Mapping[str, bytes],
        alts: Mapping[str, str],
        logits: ArrayLike,
        taps: Mapping[str, ArrayLike],
        **traits,
    ):
        if not taps:
            raise ValueError("StageExplorer: taps is empty; give at least one")
        given = {name: _maps_of(name, values, len(photos)) for name, values in taps.items()}
        said = to_array("StageExplorer", "logits", logits)
        if said.shape != (len(photos), len(packed.classes)):
            raise ValueError(
                f"StageExplorer: logits has shape {said.shape}; it must be {(len(photos), len(packed.classes))}"
            )
        first, shares = likeliest(said, TOP)
        chosen = np.array([[liveliest(maps[i]) for maps in given.values()] for i in range(len(photos))])
        painted = [
            levels(maps[i][chosen[i, number]]) for i in range(len(photos)) for number, maps in enumerate(given.values())
        ]
        values = {
            "taps": [
                {"name": name, "side": maps.shape[2], "channels": maps.shape[1], "stride": SIDE // maps.shape[2]}
                for name, maps in given.items()
            ],
            "channels": chosen,
            "maps": np.concatenate([one.ravel() for one in painted]),
            "first": first,
            "shares": shares,
        }
        for name, value in values.items():
            self.set_trait(name, value)
        super().__init__(packed, photos, alts, **traits)

    @t.validate("stage")
    def _is_there(self, proposal):
        if not 0 <= proposal["value"] < len(self.taps):
            raise t.TraitError(f"stage is {proposal['value']}; it must be from 0 to {len(self.taps) - 1}")
        return proposal["value"]


def _maps_of(name: str, values: ArrayLike, count: int) -> np.ndarray:
    maps = to_array("StageExplorer", f"taps[{name!r}]", values).astype(np.float64)
    if maps.ndim != 4 or len(maps) != count or maps.shape[2] != maps.shape[3] or maps.shape[1] < SHOWN:
        raise ValueError(
            f"StageExplorer: taps[{name!r}] has shape {maps.shape}; it must be ({count}, C, H, H), C at least {SHOWN}"
        )
    return maps


def liveliest(maps: np.ndarray) -> list[int]:
    """Return which of the maps (C, H, W) vary most from place to place, the liveliest first."""
    return np.argsort(-maps.reshape(len(maps), -1).var(axis=1), kind="stable")[:SHOWN].tolist()


def levels(maps: np.ndarray) -> np.ndarray:
    """Return maps (N, H, W) as bytes, each from its own largest size: 128 is zero. Large ones are averaged down."""
    step = -(-maps.shape[1] // MOST)
    count, side = len(maps), maps.shape[1] // step
    small = maps.reshape(count, side, step, side, step).mean(axis=(2, 4))
    largest = np.abs(small).max(axis=(1, 2), keepdims=True)
    return (128 + np.rint(127 * small / np.where(largest, largest, 1))).astype(np.uint8)
