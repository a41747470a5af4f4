"""Whole networks: their layers and the maps between them, from the first on top or on the left to the last."""

import math
from collections.abc import Mapping, Sequence

from torch import nn

from backbone.diagrams.sheet import LINE, WIDTH, Sheet, figure
from backbone.figure import Figure
from backbone.models.summary import LayerRow, summary

ROW = 25  # from one layer to the next
FIELD = 96  # width of the widest map of a stack
NAMES = {
    "Conv2d": "conv",
    "Linear": "linear",
    "MaxPool2d": "max",
    "AvgPool2d": "mean",
    "AdaptiveAvgPool2d": "mean",
}
GROUND = 40  # height of its tallest layer


def stacks(named: Mapping[str, tuple[nn.Module, Sequence[int]]], caption: str = "") -> Figure:
    """Draw networks from top to bottom, each map as wide as the root of its side, as high as the log of its channels.

    Args:
        named: title -> (network, shape of its input (N, C, H, W)).
        caption: what to look for. ReLU and dropout are not drawn; the caption should say so.
    """
    svgs, told, largest = [], [], max(side for _, shape in named.values() for side in shape[2:])
    for title, (model, shape) in named.items():
        table = summary(model, shape)
        rows = [row for row in table.rows if words_of(row)]
        svgs.append(_stack(f"{title}: {table.parameters:,} parameters", rows, shape, largest))
        steps = (f"{words_of(row)} to {shape_of(row.shape)}" for row in rows)
        told.append(f"{title}, {table.parameters:,} parameters, from {shape_of(shape)}: {'; '.join(steps)}.")
    return figure(svgs, " ".join(told), caption)


def words_of(row: LayerRow) -> str:
    """Return the words for a layer that is drawn, "" for another, such as a mean that changes nothing."""
    name = NAMES.get(row.kind, "")
    if row.window is None or not name:
        return name if row.shape != row.fed else ""
    kernel, stride = row.window.kernel, row.window.stride
    return f"{name} {kernel}×{kernel}" + (f" /{stride}" if stride > 1 else "")


def shape_of(shape: Sequence[int]) -> str:
    """Return "64 × 55 × 55" for (N, 64, 55, 55)."""
    return " × ".join(map(str, shape[1:]))


def _stack(title: str, rows: Sequence[LayerRow], shape: Sequence[int], largest: int) -> str:
    sheet = Sheet(title)
    y = sheet.top + ROW / 2
    _maps(sheet, y, shape, largest)
    sheet.text(FIELD + 12, y + 4, "input", anchor="start")
    sheet.text(WIDTH, y + 4, shape_of(shape), anchor="end")
    for row in rows:
        y += ROW
        sheet.way((FIELD / 2, y - ROW / 2 - 5), (FIELD / 2, y - ROW / 2 + 4))
        _maps(sheet, y, row.shape, largest)
        sheet.text(FIELD + 12, y + 4, words_of(row), anchor="start", bold=row.parameters > 0)
        sheet.text(WIDTH, y + 4, shape_of(row.shape), anchor="end")
    return sheet.svg(y + ROW / 2)


def _maps(sheet: Sheet, y: float, shape: Sequence[int], largest: int):
    """Draw maps as a box: its width the root of their side, its height the logarithm of their number."""
    side = shape[-1] if len(shape) == 4 else 1  # units are maps of one place
    width = FIELD * math.sqrt(side / largest)
    sheet.box(FIELD / 2 - width / 2, y, width, 3 + 1.1 * math.log2(shape[1]), (), "maps")


def columns(named: Mapping[str, nn.Module], shape: Sequence[int], caption: str = "") -> Figure:
    """Draw deep networks of one family, each a row: a bar for each layer with weights, as high as its channels.

    Layers of one resolution stand together, so that a longer stage shows. Convolutions of 1×1 are dashed.

    Args:
        named: title -> network.
        shape: of the input (N, C, H, W).
        caption: what to look for.
    """
    tables = {title: summary(model, shape) for title, model in named.items()}
    stages = {title: _stages(table.rows) for title, table in tables.items()}
    most = [max(map(len, group)) for group in zip(*stages.values(), strict=True)]
    sheet, told = Sheet(), []
    step = (WIDTH - 8 * (len(most) - 1)) / sum(most)
    starts = [sum(most[:number]) * step + 8 * number for number in range(len(most))]
    y = _heads(sheet, next(iter(stages.values())), starts, most, step)
    for title, groups in stages.items():
        count = sum(map(len, groups))
        y += LINE + 8
        sheet.text(0, y, f"{title}: {count} layers", anchor="start", bold=True)
        sheet.text(WIDTH, y, f"{tables[title].parameters:,} parameters", anchor="end")
        y += GROUND + 6
        for x, group in zip(starts, groups, strict=True):
            _bars(sheet, x, y, step, group)
        told.append(f"{title}, {tables[title].parameters:,} parameters: {', '.join(map(_counted, groups))}.")
    return figure([sheet.svg(y + 4)], " ".join(told), caption)


def _stages(rows: Sequence[LayerRow]) -> list[list[LayerRow]]:
    """Return layers with weights, those of one resolution together, the linear ones at the end."""
    groups: dict[object, list[LayerRow]] = {}
    for row in rows:
        if row.kind in ("Conv2d", "Linear"):
            groups.setdefault(row.shape[-1] if row.kind == "Conv2d" else "linear", []).append(row)
    return list(groups.values())


def _counted(group: Sequence[LayerRow]) -> str:
    if group[0].kind == "Linear":
        return f"{len(group)} linear"
    ones = sum(row.window.kernel == 1 for row in group)
    return f"{len(group)} at {group[0].shape[-1]} × {group[0].shape[-1]}" + (f", {ones} of them 1×1" if ones else "")


def _heads(sheet: Sheet, groups: Sequence, starts: Sequence[float], most: Sequence[int], step: float) -> float:
    """Write above each stage how many channels it has and how large its maps are; return where that ends."""
    for x, group, wide in zip(starts, groups, most, strict=True):
        conv = group[0].kind == "Conv2d"
        middle = x + wide * step / 2
        sheet.text(middle, 13, f"{group[0].shape[1]}" if conv else "", bold=True)
        sheet.text(middle, 13 + LINE, f"{group[0].shape[-1]}²" if conv else "linear")
    return 13.0 + LINE


def _bars(sheet: Sheet, x: float, y: float, step: float, group: Sequence[LayerRow]):
    """Draw the layers of a stage, standing on the line at y."""
    for number, row in enumerate(group):
        height = GROUND * math.log2(row.shape[1]) / 12
        thin = row.window is not None and row.window.kernel == 1
        look = "weights" if row.kind == "Linear" else "maps"
        sheet.box(x + number * step + 1.5, y - height / 2, step - 3, height, ("1",) if thin else (), look)


def towers(model: nn.Module, shape: Sequence[int], caption: str = "") -> Figure:
    """Draw a network in two towers: straight ways into a layer of two groups, crossed ones where it reads both.

    Args:
        model: layers one after the other; those with weights are drawn.
        shape: of the input (N, C, H, W).
        caption: what to look for.
    """
    layers = dict(model.named_modules())
    drawn = [(layers[row.name], row) for row in summary(model, shape).rows if row.kind in ("Conv2d", "Linear")]
    sheet, y, told = Sheet(), 12.0, []
    sheet.box(WIDTH / 2 - 70, y, 140, 22, (shape_of(shape),), "maps")
    lefts, width = (58.0, 198.0), 126.0
    for number, (layer, row) in enumerate(drawn):
        kind = [one.kind for _, one in drawn[: number + 1]]
        name = f"{NAMES[row.kind]} {kind.count(row.kind)}"
        y += 44
        own = getattr(layer, "groups", 1) == 2
        last = number == len(drawn) - 1
        _into(sheet, y, number, own, last, [left + width / 2 for left in lefts])
        sheet.text(0, y + 4, name, anchor="start", bold=True)
        half = row.shape[1] // 2
        words = f"{half}" + (f" × {row.shape[2]} × {row.shape[3]}" if len(row.shape) == 4 else " units")
        for left in lefts[: 1 if last else 2]:
            at = WIDTH / 2 + 28 - width / 2 if last else left
            sheet.box(at, y, width, 22, (f"{row.shape[1]} units" if last else words,))
        told.append(f"{name} {'from its own tower' if own else 'from all'}, {half} in each")
    return figure([sheet.svg(y + 14)], f"Two towers. {'; '.join(told)}.", caption)


def _into(sheet: Sheet, y: float, number: int, own: bool, last: bool, middles: Sequence[float]):
    """Draw the ways into a row: straight within a tower, crossed where a layer reads both."""
    top, bottom = y - 33, y - 11
    if number == 0:
        for middle in middles:
            sheet.way((WIDTH / 2, 23), (middle, bottom))
        return
    targets = [WIDTH / 2 + 28] if last else middles
    for source in middles:
        for target in targets:
            if source == target or not own:
                sheet.way((source, top), (target, bottom), look="past" if not own else "")
