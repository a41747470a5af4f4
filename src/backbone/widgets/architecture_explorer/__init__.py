"""ArchitectureExplorer: two networks as boxes to scale, with what each stage stores and computes under it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.checks import one_of, to_array
from backbone.models import LayerRow, Summary
from backbone.widgets.base import Array, BookWidget

SIZES = (64, 448, 32)  # least, most and step of the picture's side
MOST = 56  # pixels of a map's side that are kept


class ArchitectureExplorer(BookWidget):
    """Compare two networks at any size of the picture: their maps, and the parameters and multiply-adds of each stage.

    The page lists what has weights; the parameters of a BatchNorm count with the convolution before it. It works
    out the maps' sides and the multiply-adds for other sizes itself.

    Args:
        networks: name -> its `Summary` for one square picture. The names of the layers are those of
            ``backbone.models``.
        photograph: the picture (3, H, W), in [0, 1].
        maps: name -> one map (H, W) of each stage but the head, at the size of the summary, as `stage_ends` names where
            to take them. Each is shown from its own least value, black, to its largest, white.

    Traits, live both ways:
        a, b: the networks shown, names of ``networks``.
        size: side of the picture, in pixels: a multiple of 32 from 64 to 448.
        chosen: what is looked at, "a" or "b" and the number of a stage, such as "a2", or "" for the whole.
        answer: to "The sides are doubled. What grows?": "cost", "both", "twice", or "".

    Raises:
        ValueError: there is no network, a summary is not of one square picture, maps do not fit the stages, or a map's
            side cannot be worked out from the layers before it.
        traitlets.TraitError: a name or a size outside what is allowed.
    """

    room = {"": (542, 518)}

    a = t.Unicode().tag(sync=True)
    b = t.Unicode().tag(sync=True)
    size = t.Int(224).tag(sync=True)
    chosen = t.Unicode("").tag(sync=True)
    answer = t.Enum(["", "cost", "both", "twice"], "").tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    networks = t.Dict(read_only=True, help="name -> side of the picture, windows and stages").tag(sync=True)
    photograph = Array("uint8", read_only=True, help="(H, W, 3)").tag(sync=True)
    maps = Array("uint8", read_only=True, help="all maps, name by name, stage by stage, row by row").tag(sync=True)
    sizes = t.List(list(SIZES), read_only=True).tag(sync=True)

    def __init__(
        self,
        networks: Mapping[str, Summary],
        photograph: ArrayLike,
        maps: Mapping[str, Sequence[ArrayLike]],
        **traits,
    ):
        if not networks:
            raise ValueError("ArchitectureExplorer: networks is empty; give at least one name and summary")
        given = {name: outline(summary.rows) for name, summary in networks.items()}
        kept = {name: _fitting(name, given[name]["stages"], maps.get(name, ())) for name in given}
        for name, parts in kept.items():
            given[name]["maps"] = [list(one.shape) for one in parts]
        pixels = [part.ravel() for parts in kept.values() for part in parts]
        values = {"names": list(given), "networks": given, "photograph": _photograph(photograph)}
        for name, value in (values | {"maps": np.concatenate(pixels)}).items():
            self.set_trait(name, value)
        super().__init__(**{"a": self.names[0], "b": self.names[-1]} | traits)

    @t.validate("a", "b")
    def _is_known(self, proposal):
        return one_of("ArchitectureExplorer", proposal["trait"].name, proposal["value"], self.names, t.TraitError)

    @t.validate("size")
    def _is_a_size(self, proposal):
        least, most, step = SIZES
        if proposal["value"] % step or not least <= proposal["value"] <= most:
            raise t.TraitError(f"size is {proposal['value']}; it must be a multiple of {step} from {least} to {most}")
        return proposal["value"]

    @t.validate("chosen")
    def _is_a_stage(self, proposal):
        if proposal["value"] and not re.fullmatch(r"[ab]\d", proposal["value"]):
            raise t.TraitError(f"chosen is {proposal['value']!r}; it must be a or b and a stage's number, or empty")
        return proposal["value"]


def _photograph(photograph: ArrayLike) -> np.ndarray:
    """Return the picture as uint8 (H, W, 3)."""
    found = to_array("ArchitectureExplorer", "photograph", photograph)
    if found.ndim != 3 or found.shape[0] != 3 or found.dtype.kind != "f" or not 0 <= found.min() <= found.max() <= 1:
        raise ValueError(
            f"ArchitectureExplorer: photograph has shape {found.shape} and dtype {found.dtype}; it must be (3, H, W), "
            "floating point in [0, 1]"
        )
    return np.rint(255 * found.transpose(1, 2, 0)).astype(np.uint8)


def _fitting(name: str, stages: Sequence[Mapping], maps: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Return the maps of a network, uint8, with every so many pixels of a large one; raise ValueError."""
    sides = [stage["layers"][-1][4] for stage in stages if stage["layers"][-1][4]]
    if len(maps) != len(sides):
        raise ValueError(f"ArchitectureExplorer: {name} has {len(sides)} stages with maps; {len(maps)} are given")
    found = []
    for one in maps:
        values = to_array("ArchitectureExplorer", "maps", one).astype(np.float64)
        if values.ndim != 2 or not np.isfinite(values).all():
            raise ValueError(
                f"ArchitectureExplorer: a map of {name} has shape {values.shape}; it must be (H, W), finite"
            )
        step = -(-max(values.shape) // MOST)
        values = values[::step, ::step]
        low, high = values.min(), values.max()
        found.append(np.rint((values - low) * (255 / (high - low or 1))).astype(np.uint8))
    return found


# --- A network's layers by stages -----------------------------------------------------------------------------


def outline(rows: Sequence[LayerRow]) -> dict:
    """Return what the page needs of a network: the picture's side, its windows, and its stages.

    Args:
        rows: of a `Summary` for one square picture.

    Returns:
        ``side``; ``windows``, which give the side of every map from that of another; ``stages``, each with a kind
        ("stem", "stage", "head"), a number, how many ``maps`` it gives (a head: classes), and its ``layers`` that
        learn: name, kernel, maps in, maps out, the maps' side (0 behind the last map), parameters, and multiply-adds
        at each place.
    """
    first = rows[0].fed
    if len(first) != 4 or first[0] != 1 or first[2] != first[3]:
        raise ValueError(f"ArchitectureExplorer: a summary is of shape {first}; it must be of one square picture")
    stages = []
    staged = _staged(rows)
    given = [members[0].fed[1] for _, members in staged[1:]] + [rows[-1].shape[1]]
    for ((kind, number), members), maps in zip(staged, given, strict=True):
        layers = []
        for row in members:
            if row.kind in ("Conv2d", "Linear"):
                layers.append(_layer(row))
            elif row.parameters:  # those of a norm count with the layer before
                layers[-1][5] += row.parameters
        stages.append({"kind": kind, "number": number, "maps": maps, "layers": layers})
    return {"side": first[2], "windows": _windows(rows), "stages": stages}


def stage_ends(summary: Summary) -> list[str]:
    """Return of each stage but the head the name of its last layer that gives maps."""
    return [
        [row.name for row in members if len(row.shape) == 4 and "Pool" not in row.kind][-1]
        for (kind, _), members in _staged(summary.rows)
        if kind != "head"
    ]


def _staged(rows: Iterable[LayerRow]) -> list[tuple[tuple[str, int], list[LayerRow]]]:
    """Return (kind, number) of each stage with its rows. A pooling that no stage's name holds closes one."""
    pools, where = 0, []
    for row in rows:
        top = row.name.partition(".")[0]
        found = re.fullmatch(r"(?:layer|inception)(\d)\w?", top)
        if found:
            where.append(("stage", int(found[1])))
        elif top == "features":  # AlexNet, VGG
            where.append(("stage", pools + 1))
            pools += row.kind == "MaxPool2d"
        elif "Pool" in row.kind or row.kind == "Linear" or (where and where[-1][0] == "head"):
            where.append(where[-1] if "Max" in row.kind else ("head", 0))
        else:
            where.append(("stem", 0))
    runs = groupby(zip(where, rows, strict=True), key=lambda pair: pair[0])
    return [(stage, [row for _, row in members]) for stage, members in runs]


def _layer(row: LayerRow) -> list:
    places = row.shape[2] * row.shape[3] if len(row.shape) == 4 else 1
    side, kernel = (row.shape[2], row.window.kernel) if len(row.shape) == 4 else (0, 0)
    return [row.name, kernel, row.fed[1], row.shape[1], side, row.parameters, row.multiply_adds // places]


def _windows(rows: Iterable[LayerRow]) -> list[dict]:
    """Return one window for each new size of the maps, in an order in which each can be worked out."""
    rows = list(rows)
    known, found = {rows[0].fed[2]}, []
    for row in rows:
        if row.kind == "AdaptiveAvgPool2d":
            break
        before, after = (shape[2] if len(shape) == 4 else 0 for shape in (row.fed, row.shape))
        if row.window and before not in known:
            raise ValueError(f"ArchitectureExplorer: no layer before {row.name} gives maps of {before} x {before}")
        if row.window and after not in known:
            known.add(after)
            found.append({"before": before, "after": after, **asdict(row.window)})
    return found
