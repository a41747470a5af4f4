"""InceptionExplorer: its counts against `models.summary` of the module in PyTorch, and every control on a page."""

import functools
import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import FRAME
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
    return list(_counted(tuple(widths), tuple(reduced)))


@functools.cache
def _counted(widths, reduced):
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
    found = counted(widths, reduced)
    maps, cost = [one[0] for one in found], sum(one[2] for one in found)
    each = min(maps) >= 16
    return {
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
        ({"answer": "6"}, "answer"),
    ],
)
def test_errors_say_what_is_allowed(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        InceptionExplorer(**change)


# --- The functions of the module ------------------------------------------------------------------------------


def some_modules():
    rng = np.random.default_rng(0)
    made = [(list(row), [True] * 3) for row in MODULES.values() if not isinstance(row, int) and max(row) <= 256]
    for _ in range(12):
        out = 8 * rng.integers(0, 33, 3)
        into = 8 * rng.integers(1, 25, 2)
        widths = [out[0], into[0], out[1], into[1], out[2], 8 * rng.integers(1, 33)]
        made.append(([int(width) for width in widths], [bool(one) for one in rng.integers(0, 2, 3)]))
    return [*made, ([0, 8, 0, 8, 0, 8], [True, True, False])]


def test_counts_equal_the_summary_of_the_module_in_pytorch(module):
    every = module("([shape, all]) => all.map(([w, r]) => m.count(shape, w, r))", [SHAPE, some_modules()])
    for (widths, reduced), found in zip(some_modules(), every, strict=True):
        expected = counted(widths, reduced)
        assert [(one["maps"], one["weights"], one["cost"]) for one in found["branches"]] == expected
        assert [found["out"], found["weights"], found["cost"]] == totals(widths, reduced)


def test_the_module_of_the_book_costs_what_its_widths_say(module):
    """`backbone.models` has 3x3 in place of 5x5: the rest is the same."""
    with torch.device("meta"):
        net = models.googlenet(aux_logits=False)
        rows = models.summary(net, (1, 3, 224, 224)).rows
    found = module("([shape, w, r]) => m.count(shape, w, r).branches", [SHAPE, PAPER["widths"], PAPER["reduced"]])
    for number in (1, 2, 4):
        own = sum(row.multiply_adds for row in rows if row.name.startswith(f"inception3a.branch{number}."))
        assert found[number - 1]["cost"] == own


def test_goals_are_reached_as_pytorch_counts(module):
    settings = some_modules() + [tuple(one["solution"].values()) for one in PUZZLES.values()]
    settings += [tuple(one["start"].values()) for one in PUZZLES.values()]
    for name, puzzle in PUZZLES.items():
        every = module("([s, p, all]) => all.map(([w, r]) => m.reached(s, p, w, r))", [SHAPE, puzzle, settings])
        for (widths, reduced), met in zip(settings, every, strict=True):
            assert len(met) == len(puzzle["goals"])
            assert all(met) == holds(name, widths, reduced), (name, widths, reduced)


def test_what_a_step_saves(module):
    """In the paper's module the 1x1 before the 3x3 saves most; a width at its end, or out of use, saves nothing."""

    def saves(widths, reduced):
        return module("([shape, w, r]) => m.savings(shape, w, r)", [SHAPE, widths, reduced])

    def fewer(place):
        return [width - 8 * (i == place) for i, width in enumerate(PAPER["widths"])]

    cost = totals(**PAPER)[2]
    expected = [cost - totals(fewer(place), PAPER["reduced"])[2] for place in range(6)]
    assert saves(**PAPER) == expected
    assert np.argmax(expected) == 1
    assert saves([0, 8, 128, 16, 32, 32], PAPER["reduced"])[:2] == [0, 0]
    assert saves(**NAIVE)[1] == saves(**NAIVE)[3] == saves(**NAIVE)[5] == 0


BOXES = """([shape, all, width]) => all.map(([w, r]) => {
    const unit = m.unitOf(shape[0], w, r);
    return { unit, ...m.layout(shape[0], w, r, width, unit) };
})"""


@pytest.mark.parametrize("width", [288, 328, 688])
def test_the_drawing_is_to_scale_and_within_its_frame(module, width):
    extremes = [([256, 192, 256, 192, 256, 256], [True] * 3), ([0, 8, 0, 8, 0, 8], [True] * 3)]
    settings = some_modules() + extremes
    for (widths, reduced), drawn in zip(settings, module(BOXES, [SHAPE, settings, width]), strict=True):
        maps = [one[0] for one in counted(widths, reduced)]
        heights = np.array([part["height"] for part in drawn["parts"]])
        np.testing.assert_allclose(heights, np.array(maps) * drawn["unit"], atol=1e-9)
        assert sum(heights) == pytest.approx(drawn["output"]["height"])
        assert drawn["input"]["height"] == pytest.approx(192 * drawn["unit"])
        boxes = [box for lane in drawn["lanes"] for box in lane]
        for box in [*boxes, drawn["input"], *drawn["parts"]]:
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width + 1e-6
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= drawn["height"] + 1e-6
        for upper, lower in itertools.pairwise(drawn["lanes"]):
            assert max(one["y"] + one["height"] for one in upper) <= min(one["y"] for one in lower)


# --- On a page --------------------------------------------------------------------------------------------------


def number(text):
    return float(text.replace("−", "-").replace(",", "").replace(" M", "").replace(" %", "").replace("–", "0"))


class Screen:
    """An InceptionExplorer on a page, and the settings that it should have by now."""

    def __init__(self, page, **settings):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.want = {**PAPER, "puzzle": "half", "solved": 0, "shown": ""} | settings
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def frame(self):
        self.page.evaluate(FRAME)

    def block(self, place):
        return self.root.locator(".bb-inc-block").nth(place)

    def put(self, place, value, **changes):
        """Move a block's edge by keys, from the end that is nearer."""
        low, high = ((8 if place in (1, 3, 5) else 0), (192 if place in (1, 3) else 256))
        end, key = (("Home", "ArrowUp"), ("End", "ArrowDown"))[value - low > high - value]
        self.block(place).evaluate(page_checks.KEYS, [end, *[key] * (min(value - low, high - value) // 8)])
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
        self.check_table([*found, tuple(totals(widths, reduced))], [*twin, tuple(totals(widths, [False] * 3))])
        self.check_blocks()
        self.check_bars(found, twin)
        met = holds(self.want["puzzle"], widths, reduced)
        verdict = "Solved, but shown." if self.want["shown"] == self.want["puzzle"] else "Solved."
        assert self.root.locator(".bb-inc-verdict").inner_text() == (verdict if met else "Not solved yet.")
        marks = self.root.locator(".bb-inc-goals li > :first-child").all_inner_texts()
        assert len(marks) == len(PUZZLES[self.want["puzzle"]]["goals"])
        assert (set(marks) == {"✓"}) == met
        score = self.root.locator(".bb-inc-score").inner_text()
        assert score == f"{self.want['solved']} of {len(PUZZLES)} puzzles solved"

    def check_table(self, found, twin):
        rows = self.root.locator("tbody tr").evaluate_all(
            "(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
        )
        for cells, (maps, weights, cost), (_, _, other) in zip(rows, found, twin, strict=True):
            assert [number(cells[i]) for i in (0, 1)] == [maps, weights]
            assert [number(cells[i]) for i in (2, 4)] == pytest.approx([cost / 1e6, other / 1e6], abs=0.051)
            share = 100 * cost / found[-1][2] if found[-1][2] else 0
            assert number(cells[3]) == pytest.approx(share, abs=0.51)
        says = self.root.locator(".bb-says").inner_text()
        maps, _, cost = found[-1]
        if said := re.match(r"([\d.]+) M multiply-adds for (\d+) maps", says):
            assert [float(said[1]), int(said[2])] == [pytest.approx(cost / 1e6, abs=0.051), maps]
        else:
            assert "No branch is left" in says if cost == 0 else "3×3 to look at" in says

    def check_blocks(self):
        blocks = self.root.locator(".bb-inc-block").evaluate_all(
            "(all) => all.map((n) => [n.hasAttribute('hidden'), n.ariaValueNow, n.querySelector('text').textContent])"
        )
        used = {1: self.want["reduced"][0], 3: self.want["reduced"][1], 5: self.want["reduced"][2]}
        for place, width in enumerate(self.want["widths"]):
            hidden, now, text = blocks[place]
            assert hidden != used.get(place, True)
            if not hidden:
                assert [now, text.split(": ")[1]] == [str(width)] * 2
        assert blocks[6][2] == f"pool: {IN_CHANNELS}"

    def check_bars(self, found, twin):
        bars = self.root.locator(".bb-inc-bar")
        drawn = bars.evaluate_all(
            "(all) => all.map((n) => [...n.children].slice(0, 4).map((c) => parseFloat(c.style.width)))"
        )
        costs = [[one[2] for one in each] for each in (found, twin)]
        budget = next(goal["most"] for goal in PUZZLES[self.want["puzzle"]]["goals"] if goal["kind"] == "cost")
        end = max(sum(costs[0]), sum(costs[1]), budget)
        np.testing.assert_allclose(drawn, 100 * np.array(costs) / end, atol=1e-3)
        for label, values in zip(bars.evaluate_all("(all) => all.map((n) => n.ariaLabel)"), costs, strict=True):
            named = [name for name in BRANCHES if f"{name} " in label.split(". ", 1)[1]]
            assert named == [name for name, value in zip(BRANCHES, values, strict=True) if value]


@pytest.fixture
def screen(page_with):
    return Screen(page_with(InceptionExplorer(), width=720))


def test_every_control(screen):
    screen.check()
    for place, value in ((0, 128), (1, 48), (2, 0), (2, 256), (3, 192), (4, 200), (5, 8), (0, 0)):
        screen.put(place, value)
    screen.toggle("1×1 before the 3×3", 0)
    screen.toggle("1×1 before the 5×5", 1)
    screen.toggle("1×1 after pooling", 2)
    screen.put(2, 0)
    screen.put(4, 0)
    screen.root.get_by_text("with 1×1").click()
    screen.expect(reduced=[True] * 3)
    screen.root.get_by_text("naive, without").click()
    screen.expect(reduced=[False] * 3)
    screen.press("Module 3a", **PAPER)
    screen.block(1).press("PageUp")
    screen.expect(widths=[64, 128, 128, 16, 32, 32])


def test_a_blocks_edge_follows_the_hand(screen):
    """The block grows both ways, so that its edge stays under the pointer; far past its ends it stops."""
    box = screen.block(2).locator("rect").first.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] - 2
    mouse = screen.page.mouse
    mouse.move(x, y)
    mouse.down()
    mouse.move(x, y + 9, steps=3)
    screen.expect(widths=[64, 96, 160, 16, 32, 32])
    mouse.move(x, y - 400, steps=2)
    screen.expect(widths=[64, 96, 0, 16, 32, 32])
    mouse.up()
    mouse.move(x, y + 100)
    screen.check()


@pytest.mark.parametrize(("place", "opening"), [(1, "Yes"), (4, "No, ")])
def test_the_prediction(screen, place, opening):
    """The answer makes that width smaller, and all six buttons say what they save."""
    screen.root.locator(".bb-answers").nth(place).click()
    screen.expect(widths=[w - 8 * (i == place) for i, w in enumerate(PAPER["widths"])])
    assert screen.root.locator(".bb-says").inner_text().startswith(opening)
    saved = [
        (totals(**PAPER)[2] - totals([w - 8 * (i == j) for i, w in enumerate(PAPER["widths"])], [True] * 3)[2]) / 1e6
        for j in range(6)
    ]
    texts = screen.root.locator(".bb-answers").all_inner_texts()
    assert [number(text.strip("−")) for text in texts] == pytest.approx(saved, abs=0.051)
    looks = [screen.root.locator(f".bb-answers{kind}").all_inner_texts() for kind in (".bb-given", ".bb-true")]
    assert looks == [[texts[place]], [texts[1]]]
    screen.put(0, 128)
    assert screen.root.locator(".bb-answers:visible").count() == 0, "the module is another by now"


def test_what_is_saved_lies_on_no_block(page_with):
    page = page_with(InceptionExplorer(), width=320)
    page.locator(".bb-answers").nth(3).click()
    for width in (320, 360, 720):
        page_checks.resize(page, width)
        assert page.locator(".bb-answers:visible").count() == 6
        assert page_checks.overlaps(page, ".bb-answers", ".bb-inc-block > rect:first-child") == [], width


def test_a_branch_without_maps(page_with):
    """The name stands over the edge of a block without height; a twin that costs nothing is nobody's whole."""
    widget = InceptionExplorer(widths=[0, 96, 0, 16, 0, 32])
    page = page_with(widget, width=720)
    read = "(n) => ['text', '.bb-inc-edge'].map((part) => Number(n.querySelector(part).getAttribute('y')))"
    for place in (0, 2, 4):
        line, edge = page.locator(".bb-inc-block").nth(place).evaluate(read)
        assert line < edge - 2
    says = page.locator(".bb-says").inner_text()
    cost, out = totals(widget.widths, widget.reduced)[2], totals(widget.widths, widget.reduced)[0]
    assert says.startswith(f"{cost / 1e6:.1f} M multiply-adds for {out} maps, all after the pooling; the naive twin")


def test_every_puzzle_can_be_solved_by_hand(screen):
    """Its solution, set width by width, is counted; the one that is shown is not."""
    labels = ["1×1 before the 3×3", "1×1 before the 5×5", "1×1 after pooling"]
    for solved, (name, puzzle) in enumerate(PUZZLES.items()):
        screen.root.get_by_label("Puzzle").select_option(name)
        screen.press("Start the puzzle", puzzle=name, solved=solved, shown="", **puzzle["start"])
        screen.press("Show a solution", shown=name, **puzzle["solution"])
        screen.press("Start the puzzle", shown="", **puzzle["start"])
        for place, (now, goal) in enumerate(zip(screen.want["reduced"], puzzle["solution"]["reduced"], strict=True)):
            if now != goal:
                after = [*screen.want["reduced"][:place], goal, *screen.want["reduced"][place + 1 :]]
                done = holds(name, screen.want["widths"], after)
                screen.toggle(labels[place], place, solved=solved + done)
        hidden = {place for place, on in zip((1, 3, 5), screen.want["reduced"], strict=True) if not on}
        for place, goal in enumerate(puzzle["solution"]["widths"]):
            if goal != screen.want["widths"][place] and place not in hidden:
                screen.want["solved"] = None
                after = [*screen.want["widths"][:place], goal, *screen.want["widths"][place + 1 :]]
                screen.put(place, goal, solved=solved + holds(name, after, screen.want["reduced"]))
        assert screen.want["solved"] == solved + 1


def test_a_shown_solution_is_not_a_found_one(screen):
    """A width moved away from it and back counts for nothing, until the puzzle starts anew."""
    half = PUZZLES["half"]
    screen.root.get_by_label("Puzzle").select_option("half")
    screen.expect(puzzle="half", **half["start"])
    screen.press("Show a solution", shown="half", **half["solution"])
    for into_three in (96, 40, 32):
        screen.put(1, into_three)
    screen.press("Start the puzzle", shown="", **half["start"])
    for place in (0, 2, 1):  # the last of them is what it takes
        screen.put(place, half["solution"]["widths"][place], solved=int(place == 1))


def test_it_follows_python_and_says_what_is_seen(page_with):
    widget = InceptionExplorer(puzzle="half", widths=PUZZLES["half"]["solution"]["widths"])
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    screen = Screen(page, puzzle="half", widths=PUZZLES["half"]["solution"]["widths"])
    screen.check()
    first, second = page.locator(".bb-widget").all()
    screen.put(0, 24)
    assert first.locator(".bb-says").inner_text() == second.locator(".bb-says").inner_text()
    page.wait_for_function("() => document.querySelector('.bb-says').ariaLive === 'polite'")


@pytest.mark.parametrize("given", [{}, {"puzzle": "wide", **PUZZLES["wide"]["start"]}])
def test_it_is_whole(page_with, given):
    blocks = [[".bb-inc-block[role]", f"key {key}"] for key in ("Home", "End")]
    answers = [] if given else [[".bb-answers:not(:disabled)", None]]
    page_checks.assert_whole(
        page_with(InceptionExplorer(**given)), *blocks, [".bb-segmented label", None, *blocks], then=answers
    )
