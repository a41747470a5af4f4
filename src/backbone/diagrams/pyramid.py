"""A network as a backbone: its stem, its stages, where it is tapped, a feature pyramid as neck, and two heads."""

from collections.abc import Sequence

from torch import nn

from backbone.diagrams.sheet import LINE, ROUND, WIDTH, Sheet, figure
from backbone.figure import Figure

LEFT, WIDE = 70.0, 100.0  # left side and width of a stage
NECK, LEVEL = 236.0, 74.0  # left side and width of a level of the pyramid
JOIN = 206.0  # where a level is added to the one above
HIGH, ROW = 40.0, 66.0


def backbone(model: nn.Module, neck: nn.Module, shape: Sequence[int], caption: str = "") -> Figure:
    """Draw a residual network with a feature pyramid on its four stages, and two heads.

    Args:
        model: with `conv1`, `layer1` to `layer4` and `fc`, as ResNet-18 to 152.
        neck: with `lateral` and `smooth`, four convolutions each, for the stages from fine to coarse.
        shape: of the pictures (N, C, H, W).
        caption: what to look for.
    """
    sheet, side = Sheet(), shape[2]
    taps = [tap for tap in model.taps if tap.stride >= 4][:4]
    _stem(sheet, model, shape)
    for number, tap in enumerate(taps):
        y = 92 + ROW * number
        here = side // tap.stride
        _stage(sheet, y, number, f"{tap.channels} × {here}²")
        _level(sheet, y, neck.lateral[number], neck.smooth[number], tap.stride, last=number == len(taps) - 1)
    end = 92 + ROW * (len(taps) - 1)
    _heads(sheet, end, model.fc, neck)
    parts = {"backbone": count(model) - count(model.fc), "neck": count(neck), "first head": count(model.fc)}
    for row, (name, value) in enumerate(parts.items()):
        sheet.text(0, end + 104 + LINE * row, f"{name}: {value:,} parameters", anchor="start")
    return figure([sheet.svg(end + 104 + LINE * len(parts))], _alt(taps, shape, neck, parts), caption)


def count(module: nn.Module) -> int:
    """Return how many parameters a module has."""
    return sum(one.numel() for one in module.parameters())


def _alt(taps: Sequence, shape: Sequence[int], neck: nn.Module, parts: dict[str, int]) -> str:
    where = ", ".join(f"{tap.channels} maps at stride {tap.stride}" for tap in taps)
    counts = ", ".join(f"{name} {value:,}" for name, value in parts.items())
    return (
        f"A picture of {shape[2]} × {shape[3]} goes down through a stem and four stages with taps: {where}. "
        f"From each tap a 1×1 convolution leads to the right; from the coarsest upwards, each level is enlarged and "
        f"added to the next finer one, and a 3×3 makes {neck.smooth[0].out_channels} maps of it. "
        f"One head names the picture from the last stage, another finds objects on all levels. Parameters: {counts}."
    )


def _stem(sheet: Sheet, model: nn.Module, shape: Sequence[int]):
    middle = LEFT + WIDE / 2
    sheet.box(LEFT, 14, WIDE, 24, (" × ".join(map(str, shape[1:])),), "maps")
    sheet.way((middle, 26), (middle, 36))
    kernel = model.conv1.kernel_size[0]
    sheet.box(LEFT, 48, WIDE, 24, (f"stem {kernel}×{kernel}",))
    sheet.text(0, 18, "picture", anchor="start")


def _stage(sheet: Sheet, y: float, number: int, words: str):
    middle = LEFT + WIDE / 2
    sheet.way((middle, 60 if number == 0 else y - ROW + HIGH / 2), (middle, y - HIGH / 2))
    sheet.box(LEFT, y, WIDE, HIGH, (f"stage {number + 1}", words))


def _level(sheet: Sheet, y: float, lateral: nn.Conv2d, smooth: nn.Conv2d, stride: int, last: bool):
    """Draw a tap, its 1×1, the addition, its 3×3."""
    one, three = (f"{layer.kernel_size[0]}×{layer.kernel_size[1]}" for layer in (lateral, smooth))
    sheet.text(0, y + 4, f"stride {stride}", anchor="start", bold=True)
    sheet.way((LEFT + WIDE, y), (JOIN - ROUND, y), arrow=not last, look="taps")
    sheet.text((LEFT + WIDE + JOIN - ROUND) / 2, y - 5, one)
    if last:
        sheet.way((JOIN - ROUND, y), (NECK, y))
    else:
        sheet.sign(JOIN, y, "+")
        sheet.way((JOIN, y + ROW - (ROUND if stride < 16 else 0)), (JOIN, y + ROUND), look="past")
        sheet.text(JOIN + 6, y + ROW / 2 + 4, "×2", anchor="start", ink="past")
        sheet.way((JOIN + ROUND, y), (NECK, y))
    sheet.box(NECK, y, LEVEL, HIGH, (three, f"{smooth.out_channels} maps"))


def _heads(sheet: Sheet, end: float, linear: nn.Linear, neck: nn.Module):
    top, middle = end + 62, LEFT + WIDE / 2
    sheet.way((middle, end + HIGH / 2), (middle, top - 20))
    sheet.box(LEFT - 20, top, WIDE + 40, HIGH, ("head: mean, linear", f"{linear.out_features:,} classes"))
    sheet.way((WIDTH - 14, 92), (WIDTH - 8, 92), (WIDTH - 8, top - 20), arrow=True)
    for number in range(len(neck.smooth)):
        y = 92 + ROW * number
        sheet.way((NECK + LEVEL, y), (WIDTH - 8, y), arrow=False)
    sheet.box(NECK - 36, top, WIDTH - NECK + 35, HIGH, ("head, each level:", "boxes, classes"))
