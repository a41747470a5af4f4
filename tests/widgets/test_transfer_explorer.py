"""TransferExplorer: what it shows is what was recorded; its functions against Python; every control on a page."""

import json

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from scipy import stats

from backbone import records
from backbone.widgets import TransferExplorer
from backbone.widgets.transfer_explorer import QUESTIONS

RECORDED = records.load("freezing")
# Made up, so that the tests do not depend on how a training ended.
WAYS, COUNTS, DRAWS = ["scratch", "0", "1", "2", "3", "4"], [1, 5, 20, 100], 4
RNG = np.random.default_rng(13)
CURVES = {
    "scratch": [0.50, 0.70, 0.80, 0.90],
    "0": [0.58, 0.71, 0.82, 0.91],
    "1": [0.60, 0.72, 0.82, 0.90],
    "2": [0.61, 0.73, 0.82, 0.90],
    "3": [0.62, 0.74, 0.82, 0.87],
    "4": [0.62, 0.66, 0.68, 0.70],
}
LEVEL = RNG.normal(0, 0.04, DRAWS)  # some halves are easier than others
TABLE = {
    way: (np.array(curve)[:, None] + LEVEL + RNG.normal(0, 0.01, (4, DRAWS))).round(4) for way, curve in CURVES.items()
}
ROWS = [
    {"way": int(way) if way.isdigit() else way, "labels": count, "accuracy": TABLE[way][i].tolist()}
    for way in WAYS
    for i, count in enumerate(COUNTS)
]
ALL = {"probe": 1, "tune": 0, "freeze": 4}
LONG = {
    "scratch": "from scratch, nothing carried",
    "0": "0 frozen, every layer learns",
    "1": "1 frozen, the rest learns",
    "2": "2 frozen, the rest learns",
    "3": "3 frozen, the rest learns",
    "4": "4 frozen, only the head learns",
}


def made(**changes):
    return TransferExplorer({"rows": ROWS}, **changes)


def paired(first, second):
    """Return mean, low and high of the paired difference at each count, by SciPy."""
    x = 100 * (TABLE[first] - TABLE[second])
    low, high = stats.t.interval(0.95, DRAWS - 1, x.mean(axis=1), stats.sem(x, axis=1))
    return np.array([x.mean(axis=1), low, high])


def crossed(first, second):
    mean, low, _ = paired(first, second)
    starts = range(len(COUNTS) + 1)
    return [next(i for i in starts if (values[i:] > 0).all()) for values in (mean, low)]


def number(text):
    return float(text.replace("−", "-").removesuffix("%"))


# --- The record and Python ------------------------------------------------------------------------------------


def test_the_record_is_whole():
    about, rows = RECORDED["about"], RECORDED["rows"]
    assert {"command", "data", "network", "training", "seeds", "torch"} <= set(about)
    assert {(str(row["way"]), row["labels"]) for row in rows} == {
        (way, count) for way in WAYS for count in (1, 2, 5, 10, 20, 50, 100, 200)
    }
    for row in rows:
        assert len(row["accuracy"]) == len(about["seeds"]) >= 5
        assert 0.2 < min(row["accuracy"]) <= max(row["accuracy"]) < 1
    assert TransferExplorer(RECORDED).ways == WAYS


def test_the_record_says_what_the_page_says():
    """With a handful of labels freezing more is no worse; with 200 the frozen body loses to all others."""
    widget = TransferExplorer(RECORDED)
    last = len(widget.counts) - 1
    assert widget.difference("0", "4")[1][last] > 5
    assert widget.difference("scratch", "4")[1][last] > 4
    assert widget.difference("0", "3")[0][0] < 0 < widget.difference("0", "3")[0][last]
    assert abs(widget.difference("0", "scratch")[0][last]) < 3


def test_differences_are_students():
    for first, second in QUESTIONS.values():
        np.testing.assert_allclose(made().difference(first, second), paired(first, second), atol=1e-6)
    assert made().factor == pytest.approx(3.18245, abs=1e-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": "5"}, "a is '5'; it must be one of 'scratch', '0', '1', '2', '3', '4'"),
        ({"way": "all"}, "way is 'all'"),
        ({"labels": 7}, "labels is 7; it must be one of 1, 5, 20, 100"),
        ({"guess": 5}, "guess is 5; it must be from 0 to 4, which stands for never"),
        ({"answers": {"probe": 9}}, r"answers\['probe'\] is 9"),
        ({"answers": {"other": 1}}, "answers"),
        ({"view": "loss"}, "view"),
        ({"question": "why"}, "question"),
    ],
)
def test_what_was_not_measured_is_refused(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        made(**change)


@pytest.mark.parametrize(
    ("recorded", "message"),
    [
        ({}, "recorded lacks 'rows'"),
        ({"rows": [{"way": "0"}]}, "recorded lacks 'labels'"),
        ({"rows": [row for row in ROWS if row["way"] != 3]}, "it must have 0, 3, 4, scratch at two or more"),
        ({"rows": ROWS[:-1]}, "recorded lacks way '4' at 100 labels"),
        ({"rows": [*ROWS[:-1], ROWS[-1] | {"accuracy": [0.5] * 3}]}, r"rows of \[3, 4\] draws"),
        ({"rows": [row | {"accuracy": [0.5, 0.6]} for row in ROWS]}, "at least 3"),
        ({"rows": [*ROWS[:-1], ROWS[-1] | {"accuracy": [50.0] * 4}]}, "an accuracy outside 0 to 1"),
    ],
)
def test_incomplete_records_are_named(recorded, message):
    with pytest.raises(ValueError, match=message):
        TransferExplorer(recorded)


# --- The functions of the module ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(TransferExplorer._esm)


@pytest.mark.browser
def test_moments_and_differences(module):
    values = [3.5, -1.25, 0.5, 8.0]
    found = module("(values) => m.moments(values)", values)
    x = torch.tensor(values, dtype=torch.float64)
    assert (found["mean"], found["spread"]) == pytest.approx((x.mean().item(), x.std().item()), abs=1e-12)
    given = [(100 * TABLE[way]).tolist() for way in ("0", "3")]
    found = module("([a, b, factor]) => m.differences(a, b, factor)", [*given, stats.t.ppf(0.975, DRAWS - 1).item()])
    for i, key in enumerate(("mean", "low", "high")):
        np.testing.assert_allclose([one[key] for one in found], paired("0", "3")[i], atol=1e-9)


@pytest.mark.browser
def test_crossings_and_guesses(module):
    def crossing(means, lows):
        found = module("([means, lows]) => m.crossing(means.map((mean, i) => ({ mean, low: lows[i] })))", [means, lows])
        return found["from"], found["clear"]

    assert crossing([-1, 1, 2, 3], [-3, -1, 0.5, 1]) == (1, 2)
    assert crossing([1, 2], [0.1, 0.2]) == (0, 0)
    assert crossing([1, -1, 2], [0.5, -2, -0.1]) == (2, 3)  # where it comes back, the last crossing counts
    assert crossing([3, 0], [1, -1]) == (2, 2)  # level is not ahead
    agrees = "([guess, from, clear]) => m.agrees(guess, { from, clear })"
    assert [module(agrees, [guess, 1, 2]) for guess in range(4)] == [False, True, True, False]
    assert module(agrees, [8, 8, 8])


@pytest.mark.browser
def test_rows_open_with_answers(module):
    def opened(answers, shown=False):
        given = [WAYS, {name: list(pair) for name, pair in QUESTIONS.items()}, answers, shown]
        return module("(given) => m.openWays(...given)", given)

    assert opened({}) == ["scratch"]
    assert opened({"probe": 0}) == ["scratch", "4"]
    assert opened({"freeze": 0}) == ["scratch", "0", "3"]
    assert opened(ALL) == opened({}, True) == WAYS


# --- On a page --------------------------------------------------------------------------------------------------


class Screen:
    """The explorer on a page, with what it must show."""

    def __init__(self, page):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.slider = self.root.locator("input[type=range]")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()
        self.frame()

    def choose(self, name):
        self.root.get_by_role("radio", name=name, exact=True).check(force=True)
        self.frame()

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def text(self, name):
        return self.root.locator(f".bb-tr-{name}").inner_text()

    def check_map(self, opened, view="accuracy"):
        gain = {way: paired(way, "scratch") for way in WAYS if way != "scratch"}
        for row, way in zip(self.root.locator(".bb-tr-map tbody tr").all(), WAYS, strict=True):
            cells = row.locator("button")
            texts = cells.all_inner_texts()
            labels = cells.evaluate_all("(all) => all.map((one) => one.getAttribute('aria-label'))")
            dashed = cells.evaluate_all("(all) => all.map((one) => one.matches('.bb-tr-unsure'))")
            for i, count in enumerate(COUNTS):
                start = f"{LONG[way]}, {count} label{'' if count == 1 else 's'} a class: "
                assert labels[i].startswith(start)
                if way not in opened:
                    assert (texts[i], labels[i]) == ("?", f"{start}hidden until you have guessed")
                    continue
                x = 100 * TABLE[way][i]
                values = {
                    "accuracy": (x.mean(), 0.51),
                    "spread": (x.std(ddof=1), 0.051),
                    "gain": (0 if way == "scratch" else gain[way][0][i], 0.51),
                }
                value, allowed = values[view]
                assert number(texts[i]) == pytest.approx(value, abs=allowed)
                assert texts[i] in labels[i]
                unsure = way != "scratch" and gain[way][1][i] <= 0 <= gain[way][2][i]
                assert dashed[i] == (view == "gain" and unsure)

    def check_detail(self, way, count):
        words, i = self.text("detail"), COUNTS.index(count)
        assert words.startswith(f"{LONG[way]}, {count} label")
        x = 100 * TABLE[way][i]
        for value in (x.mean(), x.std(ddof=1), x.min(), x.max()):
            assert f"{value:.1f}" in words
        if way != "scratch":
            for value in paired(way, "scratch")[:, i]:
                printed = f"{value:+.1f}".replace("-", "−")
                assert ("0.0" if printed[1:] == "0.0" else printed) in words

    def check_charts(self, a, b, guess=None):
        for side, way in (("a", a), ("b", b)):
            line = self.root.locator(f".bb-tr-line-{side}")
            drawn = [float(text) for text in line.get_attribute("data-values").split(",")]
            np.testing.assert_allclose(drawn, 100 * TABLE[way].mean(axis=1), atol=1e-3)
        means = self.root.locator(".bb-tr-mean")
        drawn = means.evaluate_all("(all) => all.map((one) => one.dataset.values.split(',').map(Number))")
        np.testing.assert_allclose(np.transpose(drawn), paired(a, b), atol=1e-3)
        rings = means.evaluate_all("(all) => all.map((one) => one.matches('.bb-tr-open'))")
        assert rings == [bool(low <= 0 <= high) for _, low, high in np.transpose(paired(a, b))]
        guesses = self.root.locator(".bb-tr-guess").evaluate_all("(all) => all.map((one) => Number(one.dataset.guess))")
        assert guesses == ([] if guess is None else [guess])


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=722))


@pytest.fixture
def opened(page_with):
    return Screen(page_with(made(answers=ALL), width=722))


def test_questions_keep_their_order_in_a_page():
    state = json.loads(json.dumps(made().get_state(), sort_keys=True, default=str))
    assert dict(state["questions"]) == {name: list(pair) for name, pair in QUESTIONS.items()}
    assert [name for name, _ in state["questions"]] == list(QUESTIONS)


@pytest.mark.browser
def test_the_reader_guesses_first(screen):
    screen.check_map(["scratch"])
    assert "hidden" in screen.text("outcome")
    assert "A row of this comparison is hidden" in screen.text("verdict")
    assert screen.root.locator(".bb-tr-line").count() == 1
    assert screen.root.locator(".bb-tr-mean").count() == 0
    start, clear = crossed("scratch", "4")
    screen.slider.focus()
    screen.page.keyboard.press("Home")
    for _ in range(clear):
        screen.page.keyboard.press("ArrowRight")
    screen.frame()
    assert screen.root.locator(".bb-track output").inner_text() == str(COUNTS[clear])
    screen.press("Reveal")
    assert screen.text("outcome").startswith(f"You said {COUNTS[clear]}. That agrees with the record. ")
    assert f"is ahead from {COUNTS[start]} on" in screen.text("outcome")
    assert f"From {COUNTS[clear]} on the 95 % interval" in screen.text("outcome")
    assert screen.slider.is_disabled()
    screen.check_map(["scratch", "4"])
    screen.check_charts("scratch", "4", clear)
    screen.press("Ask again")
    screen.check_map(["scratch"])
    screen.slider.fill("4")
    screen.frame()
    assert screen.root.locator(".bb-track output").inner_text() == "never"
    screen.press("Reveal")
    assert screen.text("outcome").startswith("You said never. The record says otherwise. ")
    screen.press("0 frozen against 3 frozen")
    assert "3 frozen, the rest learns" in screen.text("question")
    screen.press("Reveal")
    screen.check_map(["scratch", "0", "3", "4"])
    screen.check_charts("0", "3", 2)
    screen.press("0 frozen against 4 frozen")
    screen.press("Reveal")
    screen.check_map(WAYS)
    screen.check_charts("0", "4", 2)


@pytest.mark.browser
def test_a_row_that_is_never_ahead_is_called_so(page_with):
    swap = {0: 4, 4: 0}
    rows = [row | {"way": swap.get(row["way"], row["way"])} for row in ROWS]
    widget = TransferExplorer({"rows": rows}, question="tune", answers={"tune": 4})
    screen = Screen(page_with(widget, width=722))
    assert screen.text("outcome").startswith("You said never. That agrees with the record. At 100 labels “0 frozen” is")
    assert "still not ahead: −" in screen.text("outcome")


@pytest.mark.browser
def test_every_view_of_the_map(opened):
    for name, view in (("gain over scratch", "gain"), ("spread", "spread"), ("accuracy", "accuracy")):
        opened.choose(name)
        opened.check_map(WAYS, view)


@pytest.mark.browser
def test_show_every_row(screen):
    screen.press("Show every row")
    screen.check_map(WAYS)
    assert screen.root.get_by_role("button", name="Show every row").get_attribute("aria-pressed") == "true"
    screen.press("Show every row")
    screen.check_map(["scratch"])


@pytest.mark.browser
def test_cells_by_pointer_and_keys(opened):
    opened.check_detail("scratch", 1)
    opened.press(f"{LONG['2']}, 20 labels a class: {100 * TABLE['2'][2].mean():.0f} %")
    opened.check_detail("2", 20)
    for key, way, count in [
        ("ArrowDown", "3", 20),
        ("ArrowRight", "3", 100),
        ("ArrowRight", "3", 100),
        ("ArrowUp", "2", 100),
        ("ArrowLeft", "2", 20),
        ("Home", "2", 1),
        ("End", "2", 100),
    ]:
        opened.page.keyboard.press(key)
        opened.frame()
        opened.check_detail(way, count)
    assert opened.root.locator(".bb-tr-cell[tabindex='0']").count() == 1
    focused = opened.page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert focused.startswith(f"{LONG['2']}, 100 labels")


@pytest.mark.browser
def test_any_two_rows_are_compared(opened):
    for side, other, a, b in (
        ("A", "2 frozen", "2", "4"),
        ("B", "from scratch", "2", "scratch"),
        ("A", "1 frozen", "1", "scratch"),
    ):
        opened.root.get_by_role("combobox", name=side, exact=True).select_option(label=other)
        opened.frame()
        opened.check_charts(a, b)
    opened.root.get_by_role("combobox", name="A", exact=True).select_option(label="from scratch")
    opened.frame()
    assert opened.text("verdict") == "A and B are the same row."
    opened.root.get_by_role("combobox", name="B", exact=True).select_option(label="4 frozen")
    opened.frame()
    mean, low, high = paired("scratch", "4")
    above = ", ".join(str(count) for count, one in zip(COUNTS, low, strict=True) if one > 0)
    below = ", ".join(str(count) for count, one in zip(COUNTS, high, strict=True) if one < 0)
    assert f"lies above 0 at {above}" in opened.text("verdict")
    assert f"lies below 0 at {below}" in opened.text("verdict")
    label = opened.root.locator(".bb-tr-chart").nth(1).get_attribute("aria-label")
    assert f"100: +{mean[-1]:.1f}" in label


@pytest.mark.browser
def test_two_views_go_together_and_nothing_is_said_at_first(page_with):
    widget = made(answers={"probe": 1})
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=722)
    page.wait_for_timeout(700)
    first, second = page.locator(".bb-widget").all()
    live = first.locator("[role=status]")
    assert live.inner_text() == ""
    second.get_by_role("button", name="Show every row").click()
    second.get_by_role("radio", name="spread", exact=True).check(force=True)
    second.locator(".bb-tr-cell").nth(9).click()
    page.wait_for_timeout(200)
    assert first.inner_text() == second.inner_text()
    first.get_by_role("button", name="0 frozen against 4 frozen").click()
    page.wait_for_timeout(800)
    assert "hidden in the map" in live.inner_text()
    assert "labels a class" in live.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize(
    "changes", [{}, {"answers": ALL, "way": "2"}, {"shown": True, "view": "gain"}], ids=["asked", "answered", "gain"]
)
def test_it_fits_and_is_accessible(page_with, changes):
    page = page_with(TransferExplorer(RECORDED, **changes))
    page_checks.assert_sound(page)
    root = page.locator(".bb-widget")
    for theme in page_checks.THEMES:
        page.emulate_media(color_scheme=theme)
        inks = root.locator(".bb-tr-cell, .bb-tr-map th").evaluate_all(
            "(all) => all.map((x) => getComputedStyle(x).color)"
        )
        assert set(inks) == {root.evaluate("(root) => getComputedStyle(root).color")}  # a button's own ink is black


@pytest.mark.browser
@pytest.mark.parametrize("width", [722, 360, 320])
def test_nothing_jumps(page_with, width):
    screen = Screen(page_with(TransferExplorer(RECORDED), width=width))
    before = screen.root.bounding_box()["height"]
    for guess in ("0", "8"):
        screen.slider.fill(guess)
        screen.frame()
        assert screen.root.bounding_box()["height"] == before
    for name in ("from scratch against 4 frozen", "0 frozen against 4 frozen", "0 frozen against 3 frozen"):
        screen.press(name)
        screen.press("Reveal")
        assert screen.root.bounding_box()["height"] == before, name
    for name in ("gain over scratch", "spread"):
        screen.choose(name)
        assert screen.root.bounding_box()["height"] == before, name
    screen.root.locator(".bb-tr-cell").nth(39).click()
    screen.frame()
    assert screen.root.bounding_box()["height"] == before
