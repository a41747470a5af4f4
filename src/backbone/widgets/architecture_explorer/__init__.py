"""ArchitectureExplorer: two networks side by side, from the whole down to one layer, with what each part costs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import groupby

import traitlets as t

from backbone.models import LayerRow, Summary
from backbone.widgets.base import BookWidget

SIZES = (64, 448, 32)  # least, most and step of the picture's side
LEARNED = ("Conv2d", "Linear")
# What is asked; where the answer is a part of a network, the name of that layer.
TASKS = {
    "size": {"kind": "size", "network": "ResNet-50", "sizes": [224, 448]},
    "parameters": {"kind": "part", "network": "AlexNet", "measure": "parameters", "layer": "classifier.1"},
    "arithmetic": {"kind": "shrink", "network": "VGG-16", "share": 0.5},
    "deep": {"kind": "part", "network": "ResNet-152", "measure": "cost", "layer": "layer3.1.conv2"},
    "pair": {"kind": "pair", "parameters": 0.02, "factor": 10},
}


class ArchitectureExplorer(BookWidget):
    """Compare two networks at any input size, and go down from the whole to stages, blocks and single layers.

    The page lists what has weights; the parameters of a BatchNorm count with the convolution before it. It works
    out the maps' sides and the multiply-adds for other input sizes itself.

    Args:
        networks: name -> its `Summary` for one square picture. The names of the layers are those of
            ``backbone.models``. Where a network that a task is about is missing, that task is left out.

    Traits, live both ways:
        a, b: the networks shown, names of ``networks``.
        size: side of the picture, in pixels: a multiple of 32 from 64 to 448.
        path_a, path_b: what is open: an index for each step down from the whole network.
        task: which of ``TASKS`` is asked.
        guess: answers to "size": factors of the parameters and of the multiply-adds, 0 for none yet.
        solved: tasks that the reader has solved.

    Raises:
        ValueError: there is no network, a summary is not of one square picture, or a map's side cannot be worked
            out from the layers before it.
        traitlets.TraitError: a name or a size outside what is allowed.
    """

    room = {"": (1175, 1967)}

    a = t.Unicode().tag(sync=True)
    b = t.Unicode().tag(sync=True)
    size = t.Int(224).tag(sync=True)
    path_a = t.List(t.Int(min=0), maxlen=3).tag(sync=True)
    path_b = t.List(t.Int(min=0), maxlen=3).tag(sync=True)
    task = t.Enum(list(TASKS), "size").tag(sync=True)
    guess = t.List(t.Int(min=0), [0, 0], minlen=2, maxlen=2).tag(sync=True)
    solved = t.List(t.Enum(list(TASKS))).tag(sync=True)

    networks = t.Dict(help="name -> side of the picture, windows and tree").tag(sync=True)
    tasks = t.Dict().tag(sync=True)
    sizes = t.List(list(SIZES), read_only=True).tag(sync=True)

    def __init__(self, networks: Mapping[str, Summary], **traits):
        if not networks:
            raise ValueError("ArchitectureExplorer: networks is empty; give at least one name and summary")
        given = {name: outline(summary.rows) for name, summary in networks.items()}
        asked = {name: task for name, task in TASKS.items() if task.get("network", next(iter(given))) in given}
        names = list(given)
        # Networks first: the names of the others are checked against them.
        super().__init__(networks=given, tasks=asked)
        task = {} if "size" in asked else {"task": next(iter(asked))}
        for name, value in {"a": names[0], "b": names[-1], **task, **traits}.items():
            setattr(self, name, value)

    @t.validate("a", "b")
    def _is_known(self, proposal):
        if proposal["value"] not in self.networks:
            raise t.TraitError(f"{proposal['value']!r} is not a network; there are {', '.join(self.networks)}")
        return proposal["value"]

    @t.validate("size")
    def _is_a_size(self, proposal):
        least, most, step = SIZES
        if proposal["value"] % step or not least <= proposal["value"] <= most:
            raise t.TraitError(f"size is {proposal['value']}; it must be a multiple of {step} from {least} to {most}")
        return proposal["value"]


# --- A network's layers as a tree -----------------------------------------------------------------------------


def outline(rows: Sequence[LayerRow]) -> dict:
    """Return what the page needs of a network: the picture's side, its windows, and a tree of its parts.

    Args:
        rows: of a `Summary` for one square picture.

    Returns:
        ``side``; ``windows``, which give the side of every map from that of another; ``tree``, a list of parts. A
        part has a kind, a name or numbers, how many alike it stands for (``count``), how many layers one after the
        other one of them is (``depth``), its maps and their side (0 after the last map), and either parts of its own
        or, a layer, its parameters and the multiply-adds at each place.
    """
    first = rows[0].fed
    if len(first) != 4 or first[0] != 1 or first[2] != first[3]:
        raise ValueError(f"ArchitectureExplorer: a summary is of shape {first}; it must be of one square picture")
    tree = []
    for stage, members in _grouped(_stages(rows)):
        blocks = [_block(name, inside) for name, inside in _grouped(members)]
        tree.append(_collapsed({**stage, **_whole(blocks), "parts": _alike(blocks)}))
    return {"side": first[2], "windows": _windows(rows), "tree": tree}


def _windows(rows) -> list[dict]:
    """Return one window for each new size of the maps, in an order in which each can be worked out."""
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


def _grouped(pairs) -> list[tuple]:
    """Return (key, values) of runs with one key."""
    return [(key, [value for _, value in run]) for key, run in groupby(pairs, key=lambda pair: pair[0])]


def _stages(rows):
    """Yield each layer that learns as (stage, (block, layer)); the parameters of a norm count with the layer before."""
    pools, convolutions = 0, 0
    learned = []
    for row in rows:
        top, _, rest = row.name.partition(".")
        if row.kind == "MaxPool2d" and top == "features":  # AlexNet, VGG: a pooling closes a stage
            pools += 1
        if row.kind not in LEARNED:
            if row.parameters:
                learned[-1][1][1]["parameters"] += row.parameters
            continue
        convolutions += row.kind == "Conv2d"
        stage, block = {"kind": "stem"}, {"kind": "single", "number": len(learned)}
        if found := re.fullmatch(r"layer(\d+)", top):
            stage = {"kind": "stage", "number": int(found[1])}
            block = {"kind": "block", "number": int(rest.split(".")[0]) + 1}
        elif found := re.fullmatch(r"inception((\d)\w)", top):
            stage, block = {"kind": "stage", "number": int(found[2])}, {"kind": "module", "name": found[1]}
        elif top == "features":
            stage = {"kind": "stage", "number": pools + 1}
        elif row.kind == "Linear":
            stage = {"kind": "head"}
        learned.append((stage, (block, _layer(row, convolutions))))
    return learned


def _layer(row: LayerRow, number: int) -> dict:
    weights = row.multiply_adds // (row.shape[2] * row.shape[3] if len(row.shape) == 4 else 1)
    found = {
        "id": row.name,
        "count": 1,
        "depth": 0 if "downsample" in row.name else 1,
        "into": row.fed[1],
        "maps": row.shape[1],
        "parameters": row.parameters,
        "each": weights,
    }
    if row.kind == "Linear":
        return {"kind": "linear", "side": 0, **found}
    found |= {"side": row.shape[2], "kernel": row.window.kernel, "stride": row.window.stride}
    if branch := re.search(r"\.branch(\d)", row.name):
        return {"kind": "conv", "branch": int(branch[1]), **found}
    if re.match(r"layer\d", row.name):  # counted within its block
        local = re.search(r"conv(\d)", row.name)
        return {"kind": "conv", "number": int(local[1]), **found} if local else {"kind": "shortcut", **found}
    return {"kind": "conv", "number": number, **found}


def _block(block: dict, layers: list[dict]) -> dict:
    if block["kind"] == "single":
        return layers[0]
    whole = {"count": 1, "depth": sum(layer["depth"] for layer in layers), "side": layers[-1]["side"], "parts": layers}
    if block["kind"] == "block":
        last = max(layer["maps"] for layer in layers)
        return {**block, **whole, "maps": last}
    one, _, three, _, five, pooled = (layer["maps"] for layer in layers)
    return {**block, **whole, "depth": 2, "maps": one + three + five + pooled}  # four branches side by side


def _whole(blocks: list[dict]) -> dict:
    last = blocks[-1]
    return {"count": 1, "depth": sum(block["depth"] for block in blocks), "maps": last["maps"], "side": last["side"]}


def _alike(blocks: list[dict]) -> list[dict]:
    """Put neighbors that differ in nothing but their place into one part that counts them."""
    found = []
    for block in blocks:
        if found and _shape(found[-1]) == _shape(block):
            found[-1] = {**found[-1], "count": found[-1]["count"] + 1}
        else:
            found.append(block)
    return found


def _shape(part: dict):
    own = {name: value for name, value in part.items() if name not in ("id", "count", "number", "parts")}
    return own, [_shape(one) for one in part.get("parts", ())]


def _collapsed(part: dict) -> dict:
    """Take out a step down that leads to one part only."""
    only = part["parts"][0]
    if len(part["parts"]) > 1 or only["count"] > 1:
        return part
    return {**only, **{name: part[name] for name in ("kind", "number") if name in part}}
