"""InceptionExplorer: its counts against `models.summary` of the module in PyTorch, and every control on a page."""

import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from torch import nn

from backbone import models
from backbone.models.googlenet import MODULES
from backbone.widgets import InceptionExplorer
from backbone.widgets.inception_explorer import IN_CHANNELS, NAIVE, OUT_CHANNELS, PAPER, PUZZLES, SIDE

BRANCHES = ["1×1", "3×3", "5×5", "pool"]
SHAPE = [IN_CHANNELS, SIDE, OUT_CHANNELS]


def branches(widths, reduced):
    """The four branches as PyTorch's layers; None for one that gives no maps."""
    one, into_three, three, into_five, five, pooled = widths

    def wide(into, out, kernel, narrowed):
        first = [nn.Conv2d(IN_CHANNELS, into, 1, bias=False)] if narrowed else []
        inside = into if narrowed else IN_CHANNELS
        return nn.Sequential(*first, nn.Conv2d(inside, out, kernel, padding=kernel // 2, bias=False)) if out else None

    with torch.device("meta"):
        projection = [nn.Conv2d(IN_CHANNELS, pooled, 1, bias=False)] if reduced[2] else []
        return [
            nn.Conv2d(IN_CHANNELS, one, 1, bias=False) if one else None,
            wide(into_three, three, 3, reduced[0]),
            wide(into_five, five, 5, reduced[1]),
            nn.Sequential(nn.MaxPool2d(3, 1, 1), *projection),
        ]


def counted(widths, reduced):
    """Maps, weights and multiply-adds of each branch, by `models.summary`."""
    found = []
    for branch in branches(widths, reduced):
        if branch is None:
            found.append((0, 0, 0))
            continue
        whole = summary_of(branch)
        found.append((whole.rows[-1].shape[1], whole.parameters, whole.multiply_adds))
    return found


def summary_of(branch):
    if not list(branch.parameters()):  # summary takes its device from the weights
        return models.summary(branch, (1, IN_CHANNELS, SIDE, SIDE))
    with torch.device("meta"):
        return models.summary(branch, (1, IN_CHANNELS, SIDE, SIDE))


def totals(widths, reduced):
    return [sum(column) for column in zip(*counted(widths, reduced), strict=True)]


def holds(name, widths, reduced):
    """Whether a puzzle's goals are reached, from PyTorch's counts and in words of its own."""
    found, start = counted(widths, reduced), PUZZLES[name]["start"]
    maps, cost = [one[0] for one in found], sum(one[2] for one in found)
    each = min(maps) >= 16
    saved = totals(start["widths"], start["reduced"])[2] - cost
    changes = np.array(start["widths"]) - widths
    return {
        "step": sorted(changes) == [0] * 5 + [8] and reduced == start["reduced"] and saved >= 8e6,
        "naive": sum(maps) == 256 and cost <= 130e6 and (np.array(maps) >= [64, 128, 32, 32]).all(),
        "half": sum(maps) == 256 and cost <= 64e6 and each,
        "wide": sum(maps) == 256 and cost <= 64e6 and each and maps[2] >= 128,
        "plain": sum(maps) == 256 and cost <= 128e6 and each and not reduced[0] and not reduced[1],
    }[name]


# --- Python -------------------------------------------------------------------------------------------------


def test_it_starts_from_the_papers_module():
    assert tuple(InceptionExplorer().widths) == MODULES["inception3a"]
    assert totals(**PAPER)[0] == OUT_CHANNELS
    assert round(totals(**PAPER)[2] / 1e6) == 128  # the paper's table 1
    assert totals(**NAIVE)[0] == 416


@pytest.mark.parametrize("name", PUZZLES)
def test_every_puzzle_is_open_at_its_start_and_has_a_solution(name):
    start, solution = PUZZLES[name]["start"], PUZZLES[name]["solution"]
    assert not holds(name, **start)
    assert holds(name, **solution)
    InceptionExplorer(**solution)


def test_no_module_without_reductions_is_cheaper_than_the_one_shown():
    costs = []
    for one, three, five in itertools.product(range(16, 256, 8), repeat=3):
        rest = 256 - one - three - five  # of the projection; without it the pooling gives what went in
        if rest >= 16:
            weights = IN_CHANNELS * (one + 9 * three + 25 * five + (0 if rest == IN_CHANNELS else rest))
            costs.append((weights * SIDE**2, [one, three, five], rest == IN_CHANNELS))
    shown = PUZZLES["plain"]["solution"]
    cost, widths, unprojected = min(costs)
    assert totals(**shown)[2] == cost == 86_704_128
    assert (shown["widths"][::2], shown["reduced"]) == (widths, [False, False, not unprojected])


def test_only_one_step_of_the_first_puzzle_is_right():
    right = []
    for place in range(6):
        widths = list(PAPER["widths"])
        widths[place] -= 8
        if holds("step", widths, PAPER["reduced"]):
            right.append(place)
    assert right == [1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"widths": [64, 96, 128, 16, 32, 33]}, r"widths\[5\] is 33; it must be a multiple of 8 from 8 to 256"),
        ({"widths": [64, 0, 128, 16, 32, 32]}, r"widths\[1\] is 0; it must be a multiple of 8 from 8 to 192"),
        ({"widths": [264, 96, 128, 16, 32, 32]}, r"widths\[0\] is 264"),
        ({"widths": [64, 96]}, "widths"),
        ({"reduced": [True]}, "reduced"),
        ({"puzzle": "none"}, "puzzle"),
        ({"solved": ["none"]}, "solved"),
        ({"shown": "none"}, "shown"),
    ],
)
def test_errors_say_what_is_allowed(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        InceptionExplorer(**change)


# --- The functions of the module ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(InceptionExplorer._esm)


def some_modules():
    rng = np.random.default_rng(0)
    made = [(list(row), [True] * 3) for row in MODULES.values() if not isinstance(row, int) and max(row) <= 256]
    for _ in range(12):
        out = 8 * rng.integers(0, 33, 3)
        into = 8 * rng.integers(1, 25, 2)
        widths = [out[0], into[0], out[1], into[1], out[2], 8 * rng.integers(1, 33)]
        made.append(([int(width) for width in widths], [bool(one) for one in rng.integers(0, 2, 3)]))
    return [*made, ([0, 8, 0, 8, 0, 8], [True, True, False])]


@pytest.mark.browser
def test_counts_equal_the_summary_of_the_module_in_pytorch(module):
    for widths, reduced in some_modules():
        found = module("([shape, w, r]) => m.count(shape, w, r)", [SHAPE, widths, reduced])
        expected = counted(widths, reduced)
        assert [(one["maps"], one["weights"], one["cost"]) for one in found["branches"]] == expected
        assert [found["out"], found["weights"], found["cost"]] == [
            sum(column) for column in zip(*expected, strict=True)
        ]


@pytest.mark.browser
def test_the_module_of_the_book_costs_what_its_widths_say(module):
    """`backbone.models` has 3x3 in place of 5x5: the rest is the same."""
    with torch.device("meta"):
        net = models.googlenet(aux_logits=False)
        rows = models.summary(net, (1, 3, 224, 224)).rows
    found = module("([shape, w, r]) => m.count(shape, w, r).branches", [SHAPE, PAPER["widths"], PAPER["reduced"]])
    for number in (1, 2, 4):
        own = sum(row.multiply_adds for row in rows if row.name.startswith(f"inception3a.branch{number}."))
        assert found[number - 1]["cost"] == own


@pytest.mark.browser
def test_goals_are_reached_as_pytorch_counts(module):
    settings = some_modules() + [tuple(one["solution"].values()) for one in PUZZLES.values()]
    settings += [tuple(one["start"].values()) for one in PUZZLES.values()]
    for name, puzzle in PUZZLES.items():
        for widths, reduced in settings:
            met = module("([s, p, w, r]) => m.reached(s, p, w, r)", [SHAPE, puzzle, widths, reduced])
            assert len(met) == len(puzzle["goals"])
            assert all(met) == holds(name, widths, reduced), (name, widths, reduced)


@pytest.mark.browser
def test_bars_end_at_round_numbers(module):
    ends = module("() => [0, 1, 303464448, 128e6, 64e6, 999e6].map(m.scaleEnd)")
    assert ends == [1, 1, 4e8, 2e8, 8e7, 1e9]


# --- On a page --------------------------------------------------------------------------------------------------


def number(text):
    return float(text.replace("−", "-").replace(",", "").replace(" M", "").replace(" %", "").replace("–", "0"))


class Screen:
    """An InceptionExplorer on a page, and the settings that it should have by now."""

    def __init__(self, page, **settings):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.want = {
            "widths": PAPER["widths"],
            "reduced": PAPER["reduced"],
            "puzzle": "step",
            "solved": 0,
            "shown": "",
        } | settings

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def slider(self, place):
        return self.root.locator("input[type=range]").nth(place)

    def put(self, place, value, **changes):
        self.slider(place).fill(str(value))
        self.want["widths"] = [value if i == place else w for i, w in enumerate(self.want["widths"])]
        self.expect(**changes)

    def toggle(self, label, place, **changes):
        self.root.get_by_role("checkbox", name=label).click()
        self.want["reduced"] = [not r if i == place else r for i, r in enumerate(self.want["reduced"])]
        self.expect(**changes)

    def press(self, name, **changes):
        self.root.get_by_role("button", name=name, exact=True).click()
        self.expect(**changes)

    def expect(self, **changes):
        self.want |= changes
        self.check()

    def check(self):
        """Compare every number that is printed or drawn with PyTorch's counts."""
        self.frame()
        widths, reduced = self.want["widths"], self.want["reduced"]
        found, twin = counted(widths, reduced), counted(widths, [False] * 3)
        all_found, all_twin = ([sum(column) for column in zip(*one, strict=True)] for one in (found, twin))
        self.check_table([*found, tuple(all_found)], [*twin, tuple(all_twin)])
        self.check_controls(found)
        self.check_bars(found, twin)
        met = holds(self.want["puzzle"], widths, reduced)
        verdict = "Solved, but shown." if self.want["shown"] == self.want["puzzle"] else "Solved."
        assert self.root.locator(".bb-inc-verdict").inner_text() == (verdict if met else "Not solved yet.")
        marks = self.root.locator(".bb-inc-goals li > :first-child").all_inner_texts()
        assert len(marks) == len(PUZZLES[self.want["puzzle"]]["goals"])
        assert (set(marks) == {"✓"}) == met
        score = self.root.locator(".bb-inc-score").inner_text()
        assert score == f"{self.want['solved']} of {len(PUZZLES)} puzzles solved"
        if all_found[2]:
            says = self.root.locator(".bb-inc-say").inner_text()
            assert number(re.match(r"[\d.]+", says)[0]) == pytest.approx(all_found[2] / 1e6, abs=0.051)

    def check_table(self, found, twin):
        rows = [row.locator("td").all_inner_texts() for row in self.root.locator("tbody tr").all()]
        for cells, (maps, weights, cost), (_, _, other) in zip(rows, found, twin, strict=True):
            assert [number(cells[i]) for i in (0, 1)] == [maps, weights]
            assert [number(cells[i]) for i in (2, 4)] == pytest.approx([cost / 1e6, other / 1e6], abs=0.051)
            share = 100 * cost / found[-1][2] if found[-1][2] else 0
            assert number(cells[3]) == pytest.approx(share, abs=0.51)

    def check_controls(self, found):
        reduced = dict(zip((1, 3, 5), self.want["reduced"], strict=True))
        for place, width in enumerate(self.want["widths"]):
            off = not reduced.get(place, True)
            assert self.slider(place).is_disabled() == off
            shown = self.root.locator(".bb-inc-slider output").nth(place).inner_text()
            assert shown == (f"all {IN_CHANNELS}" if off else str(width))
            assert self.slider(place).get_attribute("aria-valuetext") == shown
        for shown, (maps, _, cost) in zip(self.root.locator(".bb-inc-cost").all_inner_texts(), found, strict=True):
            assert shown == "no branch" if maps == 0 else number(shown) == pytest.approx(cost / 1e6, abs=0.051)

    def check_bars(self, found, twin):
        bars = self.root.locator(".bb-inc-bar").all()
        columns = ([one[0] for one in found], [one[2] for one in found], [one[2] for one in twin])
        for bar, values in zip(bars, columns, strict=True):
            drawn = bar.locator(".bb-inc-piece").evaluate_all("(ns) => ns.map((n) => parseFloat(n.style.width))")
            if sum(values):
                np.testing.assert_allclose(np.array(drawn) / sum(drawn), np.array(values) / sum(values), atol=1e-4)
            label = bar.get_attribute("aria-label")
            end = bar.locator("xpath=following-sibling::*").locator("span").last.inner_text()
            assert label.endswith(f". The bar ends at {end}.")
            unit = 1e6 if end.endswith(" M") else 1
            assert sum(drawn) / 100 == pytest.approx(sum(values) / (unit * number(end)), abs=1e-4)
            assert [name for name in BRANCHES if f"{name} " in label.split(". ", 1)[1]] == [
                name for name, value in zip(BRANCHES, values, strict=True) if value
            ]
        costs = [sum(bar.locator(".bb-inc-piece").evaluate_all("(ns) => ns.map((n) => parseFloat(n.style.width))"))
                 for bar in bars[1:]]  # fmt: skip
        if costs[1]:
            assert costs[0] / costs[1] == pytest.approx(sum(columns[1]) / sum(columns[2]), rel=1e-4)


@pytest.fixture
def screen(page_with):
    return Screen(page_with(InceptionExplorer(), width=722))


@pytest.mark.browser
def test_every_control(screen):
    screen.check()
    for place, value in ((0, 128), (1, 48), (2, 0), (2, 256), (3, 192), (4, 200), (5, 8), (0, 0)):
        screen.put(place, value)
    screen.toggle("1×1 before the 3×3", 0)
    screen.toggle("1×1 before the 5×5", 1)
    screen.toggle("1×1 after pooling", 2)
    screen.put(2, 0)
    screen.put(4, 0)
    assert "No branch is left" in screen.root.inner_text()
    screen.toggle("1×1 before the 5×5", 1)
    screen.press("Module 3a", **PAPER)
    screen.slider(1).focus()
    screen.page.keyboard.press("ArrowRight")
    screen.expect(widths=[64, 104, 128, 16, 32, 32])


@pytest.mark.browser
def test_every_puzzle_can_be_solved_by_hand(screen):
    """Its solution, set slider by slider, is counted; the one that is shown is not."""
    labels = ["1×1 before the 3×3", "1×1 before the 5×5", "1×1 after pooling"]
    for solved, (name, puzzle) in enumerate(PUZZLES.items()):
        screen.root.get_by_label("Puzzle").select_option(name)
        screen.expect(puzzle=name, solved=solved, **puzzle["start"])
        screen.press("Show a solution", shown=name, **puzzle["solution"])
        screen.press("Start of the puzzle", shown="", **puzzle["start"])
        for place, (now, goal) in enumerate(zip(screen.want["reduced"], puzzle["solution"]["reduced"], strict=True)):
            if now != goal:
                after = [*screen.want["reduced"][:place], goal, *screen.want["reduced"][place + 1 :]]
                done = holds(name, screen.want["widths"], after)
                screen.toggle(labels[place], place, solved=solved + done)
        for place, goal in enumerate(puzzle["solution"]["widths"]):
            if goal != screen.want["widths"][place]:
                after = [*screen.want["widths"][:place], goal, *screen.want["widths"][place + 1 :]]
                done = screen.want["solved"] > solved or holds(name, after, screen.want["reduced"])
                screen.put(place, goal, solved=solved + done)
        assert screen.want["solved"] == solved + 1


@pytest.mark.browser
def test_a_shown_solution_is_not_a_found_one(screen):
    """A slider moved away from it and back counts for nothing, until the puzzle starts anew."""
    half = PUZZLES["half"]
    screen.root.get_by_label("Puzzle").select_option("half")
    screen.expect(puzzle="half", **half["start"])
    screen.press("Show a solution", shown="half", **half["solution"])
    for into_three in (96, 40, 32):
        screen.put(1, into_three)
    screen.press("Start of the puzzle", shown="", **half["start"])
    for place in (0, 2, 1):  # the last of them is what it takes
        screen.put(place, half["solution"]["widths"][place], solved=int(place == 1))


@pytest.mark.browser
def test_the_papers_module_is_shown_where_it_is_the_solution(screen):
    screen.root.get_by_label("Puzzle").select_option("naive")
    screen.expect(puzzle="naive", **PUZZLES["naive"]["start"])
    screen.press("Module 3a", shown="naive", **PAPER)
    for pooled in (40, 32):
        screen.put(5, pooled)
    screen.root.get_by_label("Puzzle").select_option("plain")
    screen.expect(puzzle="plain", shown="", **PUZZLES["plain"]["start"])
    screen.press("Module 3a", **PAPER)


@pytest.mark.browser
def test_it_follows_python_and_writes_nothing_by_itself(page_with):
    widget = InceptionExplorer(puzzle="half", widths=PUZZLES["half"]["solution"]["widths"])
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=722)
    Screen(page, puzzle="half", widths=PUZZLES["half"]["solution"]["widths"]).check()
    first, second = page.locator(".bb-widget").all()
    first.locator("input[type=range]").first.fill("24")
    page.wait_for_timeout(100)
    assert first.inner_text() == second.inner_text()


@pytest.mark.browser
def test_what_is_seen_is_said(screen):
    live = screen.root.locator("[role=status]")
    assert live.inner_text() == ""
    screen.put(1, 88, solved=1)
    screen.page.wait_for_timeout(700)
    assert "Solved. 119.6 M multiply-adds" in live.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("puzzle", ["naive", "wide"])
def test_it_fits_and_is_accessible(page_with, puzzle):
    page_checks.assert_sound(page_with(InceptionExplorer(puzzle=puzzle, **PUZZLES[puzzle]["start"])))


@pytest.mark.browser
@pytest.mark.parametrize("width", [722, 360, 320])
def test_nothing_jumps(page_with, width):
    page = page_with(InceptionExplorer(), width=width)
    sliders = [["input[type=range]", "0"], ["input[type=range]", "256"]]
    assert page_checks.jumps(page, [["select", name, *sliders] for name in PUZZLES]) == []


@pytest.mark.browser
def test_it_lets_go(page_with):
    page = page_with(InceptionExplorer(), width=722)
    assert page.locator(".bb-widget.bb-inc").count() == 1
