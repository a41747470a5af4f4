"""Blocks and modules: what a picture's maps go through from left to right, drawn from the module itself."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from torch import nn

from backbone.diagrams.sheet import LINE, ROUND, WIDTH, Sheet, figure, width_of
from backbone.diagrams.steps import Fork, Step, steps_of
from backbone.figure import Figure

AHEAD = 10  # from one box to the next, the arrow between them
BRANCH = 11  # between two branches
BAR = 9  # width of the bar at which maps are stacked


def modules(
    named: Mapping[str, tuple[nn.Module, Sequence[int]]], caption: str = "", short: bool = False, note: str = ""
) -> Figure:
    """Draw modules, a panel for each: layers as boxes, an addition as a +, a concatenation as a bar.

    Args:
        named: title -> (module, shape of its input (N, C, H, W)).
        caption: what to look for.
        short: leave out norms and activations.
        note: what the alt text says besides the steps.
    """
    svgs, told = [], []
    for title, (module, shape) in named.items():
        steps = steps_of(module, shape, short)
        count = sum(one.numel() for one in module.parameters())
        svgs.append(_panel(title, steps, shape[1], count))
        told.append(f"{title}, {count:,} parameters: {said(steps)}.")
    return figure(svgs, " ".join([*told, note]).strip(), caption)


def said(steps: Sequence[Step | Fork]) -> str:
    """Return the steps in words."""
    words = []
    for step in steps:
        if isinstance(step, Step):
            words.append(", ".join(step.lines))
            continue
        ways = [said(branch) or "the input as it is" for branch in step.branches]
        verb = "added" if step.join == "add" else "stacked"
        words.append(f"[{' | '.join(ways)}] {verb} to {step.channels} maps")
    return "; ".join(words)


def _panel(title: str, steps: Sequence[Step | Fork], channels: int, count: int) -> str:
    sheet = Sheet(title)
    width, above, below = _size(steps)
    lead = AHEAD * isinstance(steps[0], Step)  # a fork brings its own way in
    start = max(0, (WIDTH - width - lead - AHEAD) / 2)
    middle = sheet.top + above + 5
    if lead:
        sheet.way((start, middle), (start + lead, middle))
    _draw(sheet, steps, start + lead, middle)
    end = start + lead + width
    sheet.way((end, middle), (end + AHEAD, middle))
    out = next((step.channels for step in reversed(steps) if isinstance(step, Fork)), None)
    foot = middle + below + LINE + 3
    sheet.text(0, foot, f"{channels} maps in{f', {out} out' if out else ''}", anchor="start")
    sheet.text(WIDTH, foot, f"{count:,} parameters", anchor="end")
    return sheet.svg(foot + 6)


def _size(steps: Sequence[Step | Fork]) -> tuple[float, float, float]:
    """Return how wide steps are, and how far they reach above and below their middle."""
    sizes = [_box(step) if isinstance(step, Step) else _fork(step)[0] for step in steps]
    width = sum(size[0] for size in sizes) + AHEAD * max(len(sizes) - 1, 0)
    return width, *(max((size[side] for size in sizes), default=0) for side in (1, 2))


def _box(step: Step) -> tuple[float, float, float]:
    half = (LINE * len(step.lines) + 8) / 2
    return width_of(step.lines), half, half


def _fork(fork: Fork) -> tuple[tuple[float, float, float], list[float]]:
    """Return the size of a fork, and where the middle of each branch is, from the middle of the whole."""
    sizes = [_size(branch) for branch in fork.branches]
    sizes = [(width, max(up, 6), max(down, 6)) for width, up, down in sizes]
    places = [0.0]
    for (_, _, down), (_, up, _) in pairwise(sizes):
        places.append(places[-1] + down + BRANCH + up)
    # An addition stands on the way of the layers, the way past goes over them; a stack stands in the middle.
    center = (places[0] + places[-1]) / 2
    adds = fork.join == "add"
    places = _over(sizes, _main(fork)) if adds else [place - center for place in places]
    above = max(size[1] - place for place, size in zip(places, sizes, strict=True))
    below = max(size[2] + place for place, size in zip(places, sizes, strict=True))
    join = 2 * ROUND if adds else BAR
    return (2 * AHEAD + max(size[0] for size in sizes) + AHEAD + join, above, below), places


def _main(fork: Fork) -> int:
    """Return the number of the longest branch."""
    return max(range(len(fork.branches)), key=lambda number: len(fork.branches[number]))


def _over(sizes: Sequence[tuple[float, float, float]], main: int) -> list[float]:
    """Return the places of branches that go over the main one."""
    places, top = [0.0] * len(sizes), sizes[main][1]
    for number, (_, up, down) in enumerate(sizes):
        if number != main:
            places[number] = -(top + BRANCH + down)
            top += BRANCH + up + down
    return places


def _draw(sheet: Sheet, steps: Sequence[Step | Fork], x: float, y: float):
    """Draw steps from x on, around the line at y, with an arrow into each but the first."""
    for number, step in enumerate(steps):
        if number:
            sheet.way((x, y), (x + AHEAD, y), arrow=isinstance(step, Step))
            x += AHEAD
        if isinstance(step, Step):
            width, half, _ = _box(step)
            sheet.box(x, y, width, 2 * half, step.lines, "plain" if step.kind == "plain" else "weights")
        else:
            width = _draw_fork(sheet, step, x, y)
        x += width


def _draw_fork(sheet: Sheet, fork: Fork, x: float, y: float) -> float:
    """Draw branches and the sign or the bar that joins them; return the width of all."""
    (width, above, below), places = _fork(fork)
    adds, main = fork.join == "add", _main(fork)
    join = x + width - (2 * ROUND if adds else BAR)
    for number, (branch, place) in enumerate(zip(fork.branches, places, strict=True)):
        over = adds and number != main
        ends = [(join + ROUND, y + place), (join + ROUND, y - ROUND)] if over else [(join, y + place)]
        _draw_branch(sheet, branch, (x, y), ends, "past" if over else "")
    if adds:
        sheet.sign(join + ROUND, y, "+")
    else:
        sheet.box(join, y + (below - above) / 2, BAR, above + below, (), "maps")
    return width


def _draw_branch(sheet: Sheet, branch: Sequence[Step | Fork], start: tuple[float, float], ends: Sequence, look: str):
    """Draw a branch in the middle of its way from the fork to the join."""
    (x, y), (last, place) = start, ends[0]
    turn = x + AHEAD / 2
    if not branch:
        sheet.way((x, y), (turn, y), (turn, place), *ends, look=look)
        return
    wide, first = _size(branch)[0], x + 2 * AHEAD
    begin = first + max(0.0, (last - AHEAD - first - wide) / 2)
    sheet.way((x, y), (turn, y), (turn, place), (begin, place), look=look)
    _draw(sheet, branch, begin, place)
    sheet.way((begin + wide, place), *ends, look=look)
