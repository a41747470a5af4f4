"""BlockExplorer: a trained network whose blocks can lose their inside or their shortcut, on a photograph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.checks import to_array
from backbone.widgets.base import Array
from backbone.widgets.engine import NetworkWidget, likeliest

if TYPE_CHECKING:  # it would load PyTorch
    from backbone.pretrained import Packed

TOP = 5
PARTS = ("branch", "skip")


class BlockExplorer(NetworkWidget):
    """Take the inside or the shortcut of a network's blocks away, and see what it says of a photograph.

    What it says without one part of one block is recorded, so that the figure lives before the network is loaded.

    Args:
        packed, photos, alts: as ``NetworkWidget`` takes them.
        recorded: cuts -> logits (photos, classes): "" for the whole network, "4 branch" or "4 skip" for one part of one
            block, and others, such as "4 branch, 6 skip", if there are any. Every block with a shortcut has both.

    Traits, live both ways:
        photo: name of the picture shown, or "" for the reader's own.
        cuts: number of a block, as a text -> what is taken out of it, "branch" or "skip".
        answer: to "Does the answer stay without a shortcut?": "stays", "changes", or "".

    Raises:
        ValueError: a case is missing, or logits are of another shape.
        traitlets.TraitError: a cut of a block that has no shortcut, or of another part.
    """

    room = {"": (504, 622)}

    cuts = t.Dict().tag(sync=True)
    answer = t.Enum(["", "stays", "changes"], "").tag(sync=True)

    blocks = t.List(read_only=True, help="number, whether it adds its input, size of its maps from 0 to 1").tag(
        sync=True
    )
    cases = t.List(t.Unicode(), read_only=True).tag(sync=True)
    first = Array("int16", read_only=True, help="(cases, photos, 5): the likeliest classes").tag(sync=True)
    shares = Array("float32", read_only=True, help="(cases, photos, 5): how likely they are").tag(sync=True)

    def __init__(
        self,
        packed: Packed,
        photos: Mapping[str, bytes],
        alts: Mapping[str, str],
        recorded: Mapping[str, ArrayLike],
        **traits,
    ):
        blocks = blocks_of(packed)
        cases = ["", *(f"{block['number']} {part}" for block in blocks if block["adds"] for part in PARTS)]
        if missing := [case for case in cases if case not in recorded]:
            raise ValueError(f"BlockExplorer: recorded has nothing for {missing[0]!r}; it must have {len(cases)} cases")
        cases += [case for case in recorded if case not in cases]
        logits = {case: to_array("BlockExplorer", f"recorded[{case!r}]", recorded[case]) for case in cases}
        for case, given in logits.items():
            if given.shape != (len(photos), len(packed.classes)):
                raise ValueError(
                    f"BlockExplorer: recorded[{case!r}] has shape {given.shape}; "
                    f"it must be {(len(photos), len(packed.classes))}"
                )
        first, shares = likeliest(np.stack(list(logits.values())), TOP)
        for name, value in {"blocks": blocks, "cases": cases, "first": first, "shares": shares}.items():
            self.set_trait(name, value)
        super().__init__(packed, photos, alts, **traits)

    @t.validate("cuts")
    def _can_be_cut(self, proposal):
        open_ = {str(block["number"]) for block in self.blocks if block["adds"]}
        for block, part in proposal["value"].items():
            if block not in open_ or part not in PARTS:
                raise t.TraitError(
                    f"cuts has {block!r}: {part!r}; a block is one of {sorted(open_, key=int)}, a part one of {PARTS}"
                )
        return proposal["value"]


def blocks_of(packed: Packed) -> list[dict]:
    """Return of each block its number, whether it adds its input, and how large its maps are, from 0 to 1."""
    side, found = 1.0, []
    for layer in packed.layers:
        side /= layer["stride"]
        if layer["tap"].startswith("_blocks."):
            found.append({"number": len(found), "adds": layer["adds"], "size": (5 + np.log2(side)) / 4})
    return found
