"""ResidualExplorer: what it shows is what was recorded; its functions against Python; every control on a page."""

import json
from itertools import permutations, product

import numpy as np
import page_checks
import pytest
import traitlets

from backbone import records
from backbone.widgets import ResidualExplorer
from backbone.widgets.residual_explorer import QUESTIONS, WHOLE

RECORDED = records.load("residual")
RIGHT = {row["network"]: row["right"] for row in RECORDED["blocks"]}
COUNT = RECORDED["blocks"][0]["count"]
# Made up, so that the tests do not depend on how long networks were trained.
ROWS = [
    {
        "network": f"{kind}{depth}",
        "epoch": str(epoch),
        "train_error": str(train / epoch),
        "test_error": str(0.9 / epoch),
    }
    for kind, errors in (("plain", (0.6, 0.7, 0.8)), ("resnet", (0.5, 0.48, 0.45)))
    for depth, train in zip((20, 32, 44), errors, strict=True)
    for epoch in (1, 2, 3)
] + [{"network": "alexnet", "epoch": 1, "train_error": 0.9, "test_error": 0.9}]
ALL = {"depth": "higher", "gradient": "larger", "block": "plain"}
NAMES = {"plain": "plain20", "residual": "resnet20"}


def made(**changes):
    return ResidualExplorer(ROWS, RECORDED, **changes)


def wrong(kind, way):
    return 1 - RIGHT[NAMES[kind]][way] / COUNT


def rows_of(*wanted):
    return [r for r in RECORDED["gradients"] if (r["network"], r["depth"], r["steps"]) == wanted]


def ratios(kind, depth, steps, what="grad_h"):
    network = NAMES[kind][:-2]
    return [row[what][0] / row[what][-1] for row in rows_of(network, depth, steps)]


# --- The record and Python ------------------------------------------------------------------------------------


def test_every_way_was_measured_once():
    def ordered(names):
        return {"".join(one) or "-" for n in range(len(names) + 1) for one in permutations(names, n)}

    def stage(first, free):
        return {(first + one).replace(f"{first}-", first) for one in ordered(free)} | ordered(free)

    expected = {" ".join(one) for one in product(ordered("123"), stage("4", "56"), stage("7", "89"))}
    for right in RIGHT.values():
        assert set(right) == expected
        assert len(right) == 1600
        assert all(0 <= one <= COUNT for one in right.values())


def test_gradients_were_measured_for_all_networks():
    rows = RECORDED["gradients"]
    assert len(rows) == 2 * 2 * 3 * 2
    for row in rows:
        assert len(row["grad_h"]) == (row["depth"] - 2) // 2 + 1
        assert len(row["grad_w"]) == row["depth"] - 1
        assert min(row["grad_h"] + row["grad_w"]) > 0


def test_what_is_given_is_kept():
    widget = made()
    assert widget.curves["plain"]["44"]["train"] == [0.8, 0.4, 0.2667]
    assert set(widget.curves) == {"plain", "residual"}
    assert widget.error_of("plain") == pytest.approx(wrong("plain", WHOLE))
    assert widget.error_of("residual", "12 46 789") == pytest.approx(wrong("residual", "12 46 789"))
    assert len(json.dumps({name: getattr(widget, name) for name in ("curves", "gradients", "ways", "right")})) < 100_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 56}, "depth is 56; it must be one of 20, 32, 44"),
        ({"size": 44}, "size is 44; it must be one of 20, 56"),
        ({"steps": 1}, "steps is 1; it must be one of 0, 50"),
        ({"way": "123 645 789"}, "way is '123 645 789'"),
        ({"answers": {"depth": "sideways"}}, "answers has 'depth': 'sideways'"),
        ({"error": "validation"}, "error"),
    ],
)
def test_what_was_not_measured_is_refused(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        made(**change)


def test_incomplete_records_are_named():
    with pytest.raises(ValueError, match="have the depths 20 in common"):
        ResidualExplorer([row for row in ROWS if row["network"] not in ("plain32", "plain44")], RECORDED)
    with pytest.raises(ValueError, match="recorded has no 'blocks'"):
        ResidualExplorer(ROWS, {"gradients": RECORDED["gradients"]})
    blocks = [{"network": name, "count": 1, "right": {"- - -": 1}} for name in NAMES.values()]
    with pytest.raises(ValueError, match="there is no '123 456 789'"):
        ResidualExplorer(ROWS, RECORDED | {"blocks": blocks})


def test_it_takes_the_shipped_curves():
    rows = records.load("cifar_curves")["passes"]
    curves = ResidualExplorer(rows, RECORDED).curves
    assert {kind: list(found) for kind, found in curves.items()} == {kind: ["20", "32", "44"] for kind in NAMES}
    for kind, name in (("plain", "plain"), ("residual", "resnet")):
        for depth, found in curves[kind].items():
            written = [float(row["train_error"]) for row in rows if row["network"] == name + depth]
            assert found["train"] == written


# --- The functions of the module ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(ResidualExplorer._esm)


@pytest.mark.browser
def test_all_ways_are_reached_and_no_other(module):
    """From the whole network, by the two kinds of button."""
    reached = module(
        """(start) => {
            const seen = new Set([start]), todo = [start];
            while (todo.length) {
                const way = todo.pop();
                const next = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((block) => m.toggle(way, block));
                for (const one of [...next, ...[0, 1, 2].map((stage) => m.reorder(way, stage))]) {
                    if (!seen.has(one)) { seen.add(one); todo.push(one); }
                }
            }
            return [...seen];
        }""",
        WHOLE,
    )
    assert set(reached) == set(RIGHT["plain20"])


@pytest.mark.browser
def test_profile_and_truths(module):
    rows = rows_of("plain", 56, 0)
    found = module("(rows) => m.profile(rows, 'grad_w')", rows)
    expected = np.exp(np.log([row["grad_w"] for row in rows]).mean(axis=0))
    np.testing.assert_allclose(found["sizes"], expected, rtol=1e-12)
    first = [row["grad_w"][0] / row["grad_w"][-1] for row in rows]
    assert (found["least"], found["most"]) == pytest.approx((min(first), max(first)))
    assert module("(n) => [m.brief(n), m.brief(n / 1e6)]", 4123) == ["4100", "4.1×10⁻³"]
    asked = """([more, ratio, plain, residual]) => m.truths({
        curves: { plain: { 20: { train: [0.2] }, 44: { train: [0.2 + more] } } },
        gradients: [{ network: "plain", depth: 56, steps: 0, loss: 1, grad_h: [ratio, 1], grad_w: [1, 1] }],
        wrong: (kind, way) => (way === "123 456 789" ? 0.2 : 0.2 + { plain, residual }[kind]),
    })"""
    assert module(asked, [0.1, 100, 0.6, 0.1]) == {"depth": "higher", "gradient": "larger", "block": "plain"}
    assert module(asked, [-0.1, 0.01, 0.1, 0.6]) == {"depth": "lower", "gradient": "smaller", "block": "residual"}
    assert module(asked, [0.005, 2, 0.12, 0.1]) == {"depth": "alike", "gradient": "alike", "block": "alike"}


# --- On a page --------------------------------------------------------------------------------------------------


class Screen:
    """The explorer on a page."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.parts = self.root.locator(".bb-res-part")

    def press(self, name, part=None):
        (self.root if part is None else self.parts.nth(part)).get_by_role("button", name=name, exact=True).click()
        self.frame()

    def choose(self, part, name):
        self.parts.nth(part).get_by_role("radio", name=name, exact=True).check(force=True)
        self.frame()

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def cells(self, part):
        """Return the numbers of a part's table, a list for each kind."""
        rows = self.parts.nth(part).locator("tbody tr")
        return {kind: rows.nth(i).locator("td").all_inner_texts() for i, kind in enumerate(("plain", "residual"))}

    def check_way(self, way):
        for kind, (now, before, lost) in self.cells(2).items():
            for text, share in ((now, wrong(kind, way)), (before, wrong(kind, WHOLE))):
                assert float(text.removesuffix(" %")) == pytest.approx(100 * share, abs=0.051)
            points = float(lost.removesuffix(" points").replace("−", "-"))
            assert points == pytest.approx(100 * (wrong(kind, way) - wrong(kind, WHOLE)), abs=0.051)
        groups = self.parts.nth(2).get_by_role("group").filter(has=self.page.locator(".bb-res-block"))
        labels = groups.evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
        for label, stage in zip(labels, way.split(), strict=True):
            assert label.endswith(f"in this order: {', '.join(stage).replace('-', 'none')}.")


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=722))


@pytest.fixture
def opened(page_with):
    return Screen(page_with(made(answers=ALL), width=722))


@pytest.mark.browser
def test_answers_open_the_parts(screen):
    assert screen.root.get_by_role("radio", name="44", exact=True).is_disabled()
    assert screen.root.get_by_role("button", name="Block 5, on").is_disabled()
    assert screen.cells(0)["plain"] == ["20.0 %", "30.0 %"]
    words = screen.root.inner_text()
    assert "26.7 %" not in words  # what the deeper one ends with
    screen.press("lower", 0)
    said = screen.parts.nth(0).locator(".bb-res-say").inner_text()
    assert said.startswith("You said: lower. No. ")
    assert "20.0 %" in said
    assert "26.7 %" in said
    assert screen.cells(0) == {"plain": ["26.7 %", "30.0 %"], "residual": ["15.0 %", "30.0 %"]}
    screen.press("Ask again", 0)
    assert screen.parts.nth(0).locator(".bb-res-say").inner_text() == ""
    screen.press("higher", 0)
    assert screen.parts.nth(0).locator(".bb-res-say").inner_text().startswith("Yes. ")

    screen.press("larger", 1)
    assert screen.parts.nth(1).locator(".bb-res-say").inner_text().startswith("Yes. ")
    mean = np.exp(np.log(ratios("plain", 56, 0)).mean())
    assert float(screen.cells(1)["plain"][0]) == pytest.approx(mean, rel=0.051)

    screen.press("within 5 points", 2)
    assert "No. " in screen.parts.nth(2).locator(".bb-res-say").inner_text()
    screen.check_way("123 46 789")
    screen.press("Ask again", 2)
    screen.check_way(WHOLE)


@pytest.mark.browser
def test_curves_and_gradients_are_those_recorded(opened):
    for depth, which in product(("20", "32", "44"), ("training pictures", "test pictures")):
        opened.choose(0, depth)
        opened.choose(0, which)
        last = {"20": "20.0 %", "32": "23.3 %", "44": "26.7 %"}[depth]
        assert opened.cells(0)["plain"][0] == last
        label = opened.parts.nth(0).get_by_role("img").get_attribute("aria-label")
        assert f"{depth} layers" in label
        assert ("to 30.0 %" if "test" in which else f"to {last}") in label
        drawn = opened.parts.nth(0).locator(".bb-res-line")
        assert drawn.count() == (2 if depth == "20" else 4)
    for depth, steps, what in product(("20", "56"), ("nothing yet", "50 steps"), ("grad_h", "grad_w")):
        opened.choose(1, depth)
        opened.choose(1, steps)
        opened.choose(1, {"grad_h": "|∂L/∂h|, blocks", "grad_w": "|∂L/∂W|, convolutions"}[what])
        for kind, (middle, span, _) in opened.cells(1).items():
            found = ratios(kind, int(depth), 50 if "50" in steps else 0, what)
            assert float(middle) == pytest.approx(np.exp(np.log(found).mean()), rel=0.051) or "×" in middle
            least, most = span.split(" – ")
            if "×" not in span:
                assert (float(least), float(most)) == pytest.approx((min(found), max(found)), rel=0.051)


@pytest.mark.browser
def test_blocks_by_pointer_and_keys(opened):
    opened.check_way(WHOLE)
    opened.press("Block 5, on")
    opened.check_way("123 46 789")
    opened.root.get_by_role("button", name="Block 4, on").focus()
    opened.page.keyboard.press("Enter")
    opened.frame()
    opened.check_way("123 6 789")
    opened.press("Block 6, on")
    opened.check_way("123 - 789")
    opened.press("Another order of the blocks of stage 1")
    opened.check_way("132 - 789")
    opened.press("Another order of the blocks of stage 3")
    opened.check_way("132 - 798")
    assert opened.root.get_by_role("button", name="Another order of the blocks of stage 2").is_disabled()
    places = opened.root.locator(".bb-res-block").evaluate_all(
        "(all) => all.map((one) => [one.getBoundingClientRect().x, one.textContent])"
    )
    assert "".join(text for _, text in sorted(places)) == "132456798"
    opened.press("All on, in order")
    opened.check_way(WHOLE)


@pytest.mark.browser
def test_it_follows_python_and_says_what_changed(page_with):
    widget = made(answers=ALL, way="12 45 78", depth=44, size=56, steps=50)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=722)
    first, second = page.locator(".bb-widget").all()
    Screen(page).check_way("12 45 78")
    live = first.locator("[role=status]")
    assert live.inner_text() == ""
    second.get_by_role("button", name="Block 3, off").click()
    page.wait_for_timeout(700)
    Screen(page).check_way("123 45 78")
    assert first.inner_text() == second.inner_text()
    assert f"Wrong: plain {100 * wrong('plain', '123 45 78'):.1f} %" in live.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("answers", [{}, ALL], ids=["asked", "answered"])
def test_it_fits_and_is_accessible(page_with, answers):
    assert all(answer in QUESTIONS[question] for question, answer in answers.items())
    page_checks.assert_sound(page_with(made(answers=answers)))


@pytest.mark.browser
@pytest.mark.parametrize("width", [722, 360, 320])
def test_nothing_jumps(page_with, width):
    screen = Screen(page_with(made(), width=width))
    before = screen.root.bounding_box()["height"]
    for part, name in enumerate(("lower", "smaller", "the residual one")):
        screen.press(name, part)
        assert screen.root.bounding_box()["height"] == before, name
    for name in ("Block 1, on", "Block 4, on", "All on, in order"):
        screen.press(name)
        assert screen.root.bounding_box()["height"] == before, name
