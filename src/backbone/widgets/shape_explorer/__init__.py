"""ShapeExplorer: what a change of the photograph does to a trained network's answer, and where a score comes from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.checks import one_of, picture, to_array
from backbone.widgets.base import Array
from backbone.widgets.engine import SIDE, NetworkWidget, likeliest

if TYPE_CHECKING:  # it would load PyTorch
    from backbone.pretrained import Packed

TOP = 4
TILES = {"4 tiles": 2, "16 tiles": 4, "64 tiles": 8}  # tiles a side
CHANGES = ("as it is", "mirrored", "upside down", "moved", "gray", "negative", *TILES)
SHUFFLES = 10
ASKED = ("mirrored", "negative", "16 tiles")
MOVED = 16 / SIDE  # share of the side
LUMA = (0.2125, 0.7154, 0.0721)  # as ``data.photo`` mixes gray
PATCH, STEP, PLACES = 56, 24, 8  # of what covers: side and step in pixels, places a side
GRAY = 127 / 255  # 0 to the network


def order(change: str, shuffle: int) -> np.ndarray:
    """Return which tile stands at each place, in reading order, for one of ``TILES`` and a number of a shuffle."""
    return np.random.default_rng([TILES[change], shuffle]).permutation(TILES[change] ** 2)


def cases() -> list[str]:
    """Return the changes with each shuffle as its own: "negative", "16 tiles 3"."""
    return [
        case
        for change in CHANGES
        for case in ([f"{change} {shuffle}" for shuffle in range(SHUFFLES)] if change in TILES else [change])
    ]


def changed(photograph: ArrayLike, case: str) -> np.ndarray:
    """Change a photograph (3, S, S) with values in [0, 1] as the figure does; ``case`` is one of ``cases()``.

    "moved" is by 16 of 224 pixels to the right, with the left edge repeated; "negative" is 1 - x.

    Raises:
        ValueError: another case or shape, or a side that the tiles do not divide.
    """
    x = picture("changed", "photograph", photograph, "(3, S, S)")
    one_of("changed", "case", case, cases())
    change, _, shuffle = case.rpartition(" ")
    if change in TILES:
        count, size = TILES[change], x.shape[1] // TILES[change]
        if x.shape[1] % count:
            raise ValueError(f"changed: the side is {x.shape[1]}; {count} tiles a side do not divide it")
        cut = x.reshape(3, count, size, count, size).transpose(1, 3, 0, 2, 4).reshape(count**2, 3, size, size)
        mixed = cut[order(change, int(shuffle))].reshape(count, count, 3, size, size)
        return mixed.transpose(2, 0, 3, 1, 4).reshape(x.shape)
    if case == "mirrored":
        return x[:, :, ::-1].copy()
    if case == "upside down":
        return x[:, ::-1].copy()
    if case == "moved":
        return x[:, :, np.maximum(np.arange(x.shape[2]) - round(MOVED * x.shape[2]), 0)]
    if case == "gray":
        return np.broadcast_to(np.tensordot(np.array(LUMA, x.dtype), x, 1), x.shape).copy()
    return 1 - x if case == "negative" else x.copy()


def covered(photograph: ArrayLike) -> Iterator[np.ndarray]:
    """Yield the photograph (3, 224, 224) with a gray patch of 56 pixels at each of 8 x 8 places, row by row."""
    x = picture("covered", "photograph", photograph, f"(3, {SIDE}, {SIDE})")
    for place in range(PLACES**2):
        top, left = (STEP * at for at in divmod(place, PLACES))
        hidden = x.copy()
        hidden[:, top : top + PATCH, left : left + PATCH] = GRAY
        yield hidden


class ShapeExplorer(NetworkWidget):
    """Change the photograph and see what a trained network says; or see where a score comes from, in two ways.

    What it says of the photographs at hand is recorded, so that the figure lives before the network is loaded.

    Args:
        packed, photos, alts: as ``NetworkWidget`` takes them.
        recorded: for "tiles" each of ``cases()`` -> logits (photos, classes). For "evidence" "as it is" -> logits,
            "local" -> (photos, classes, 7, 7), the scores of each place, whose mean with "bias" -> (classes,) is the
            logit, and "covered" -> logits (photos, 64, classes) for what ``covered`` gives.
        show: "tiles" (change the photograph) or "evidence" (the class activation map beside occlusion).

    Traits, live both ways:
        photo: name of the picture shown, or "" for the reader's own.
        change, shuffle: one of ``CHANGES``, and the number of the shuffle.
        rank: which of the four first answers is explained, from 0.
        place: of the patch that covers, 0 to 63 row by row, or -1 before it is moved.
        answer: to the question, one of ``ASKED`` for "tiles", "kept" or "lost" for "evidence", or "".

    Raises:
        ValueError: a record is missing or of another shape, or local scores do not add up to the logits.
    """

    room = {"tiles": (498, 609), "evidence": (502, 616)}

    show = t.Enum(["tiles", "evidence"], "tiles").tag(sync=True)
    change = t.Enum(CHANGES, "4 tiles").tag(sync=True)
    shuffle = t.Int(0, min=0, max=SHUFFLES - 1).tag(sync=True)
    rank = t.Int(0, min=0, max=TOP - 1).tag(sync=True)
    place = t.Int(-1, min=-1, max=PLACES**2 - 1).tag(sync=True)
    answer = t.Enum(["", *ASKED, "kept", "lost"], "").tag(sync=True)

    changes = t.List(t.Unicode(), list(CHANGES), read_only=True).tag(sync=True)
    sides = t.Dict(TILES, read_only=True, help="tiles a side").tag(sync=True)
    orders = t.Dict(read_only=True, help="change -> for each shuffle which tile stands at each place").tag(sync=True)
    cases = t.List(t.Unicode(), read_only=True).tag(sync=True)
    first = Array("int16", read_only=True, help="(cases, photos, 4): the likeliest classes").tag(sync=True)
    shares = Array("float32", read_only=True, help="(cases, photos, 4): how likely they are").tag(sync=True)
    before = Array("float32", read_only=True, help="(cases, photos): share of the class that was first").tag(sync=True)
    local = Array("float32", read_only=True, help="(photos, 4, 49): scores of each place").tag(sync=True)
    biases = Array("float32", read_only=True, help="(photos, 4)").tag(sync=True)
    scores = Array("float32", read_only=True, help="(photos, 65, 4): logits whole, then with each place covered").tag(
        sync=True
    )
    firsts = Array("int16", read_only=True, help="(photos, 64): the first class with each place covered").tag(sync=True)

    def __init__(
        self,
        packed: Packed,
        photos: Mapping[str, bytes],
        alts: Mapping[str, str],
        recorded: Mapping[str, ArrayLike],
        show: str = "tiles",
        **traits,
    ):
        one_of("ShapeExplorer", "show", show, ("tiles", "evidence"))
        shape = (len(photos), len(packed.classes))
        known = cases() if show == "tiles" else ["as it is"]
        wanted = dict.fromkeys(known, shape)
        if show == "evidence":
            wanted |= {"local": (*shape, 7, 7), "bias": shape[1:], "covered": (shape[0], PLACES**2, shape[1])}
        given = {name: _given(recorded, name, expected) for name, expected in wanted.items()}
        values = {"cases": known} | _answers(np.stack([given[case] for case in known]))
        if show == "evidence":
            values |= _evidence(given, values["first"][0])
        orders = {change: [order(change, n).tolist() for n in range(SHUFFLES)] for change in TILES}
        for name, value in (values | {"orders": orders if show == "tiles" else {}}).items():
            self.set_trait(name, value)
        super().__init__(packed, photos, alts, show=show, **traits)


def _given(recorded: Mapping[str, ArrayLike], name: str, shape: tuple[int, ...]) -> np.ndarray:
    if name not in recorded:
        raise ValueError(f"ShapeExplorer: recorded has nothing for {name!r}")
    found = to_array("ShapeExplorer", f"recorded[{name!r}]", recorded[name])
    if found.shape != shape:
        raise ValueError(f"ShapeExplorer: recorded[{name!r}] has shape {found.shape}; it must be {shape}")
    return found.astype(np.float64)


def _answers(logits: np.ndarray) -> dict[str, np.ndarray]:
    """Return what the page shows of logits (cases, photos, classes), of which the first case is the whole picture."""
    every, shares = likeliest(logits, logits.shape[2])
    before = np.where(every == every[:1, :, :1], shares, 0).sum(axis=2)  # of what was first at first
    return {"first": every[:, :, :TOP], "shares": shares[:, :, :TOP], "before": before}


def _evidence(given: Mapping[str, np.ndarray], first: np.ndarray) -> dict[str, np.ndarray]:
    """Return local scores, biases and logits of the classes ``first`` (photos, 4)."""
    local, whole, bias = given["local"], given["as it is"], given["bias"]
    if not np.allclose(local.mean(axis=(2, 3)) + bias, whole, rtol=0, atol=1e-3):
        raise ValueError("ShapeExplorer: the mean of recorded['local'] plus recorded['bias'] is not the logit")
    every = np.concatenate([whole[:, None], given["covered"]], axis=1)  # (photos, 65, classes)
    rows = np.arange(len(first))[:, None]
    return {
        "local": local[rows, first].reshape(*first.shape, -1),
        "biases": bias[first],
        "scores": np.take_along_axis(every, first[:, None], 2),
        "firsts": given["covered"].argmax(axis=2),
    }
