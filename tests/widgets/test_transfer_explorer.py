"""TransferExplorer: what it shows is what was recorded; its functions against Python; its screen in a real browser."""

import re

import numpy as np
import page_checks
import pytest
import traitlets
from page_checks import FRAME
from scipy import stats

from backbone import data, records
from backbone.widgets import TransferExplorer
from backbone.widgets.base import HERE, join

RECORDED = records.load("freezing")
# Made up, so that the tests do not depend on how a training ended.
WAYS, COUNTS, DRAWS, SECOND = ["scratch", "0", "3"], [1, 5, 20, 100], 4, [[0, 2], [1, 2], [0, 1], [1, 3]]
NAMES, EACH = ["bag", "boot", "coat", "shirt"], 3
RNG = np.random.default_rng(13)
CURVES = {"scratch": [0.50, 0.70, 0.80, 0.90], "0": [0.58, 0.71, 0.82, 0.91], "3": [0.62, 0.66, 0.68, 0.70]}
LEVEL = RNG.normal(0, 0.04, DRAWS)  # some halves are easier than others
TABLE = {
    way: (np.array(curve)[:, None] + LEVEL + RNG.normal(0, 0.01, (4, DRAWS))).round(4) for way, curve in CURVES.items()
}
ANSWERS = {way: [[RNG.choice(pair, 2 * EACH) for pair in SECOND] for _ in COUNTS] for way in WAYS}
ROWS = [
    {"way": int(way) if way.isdigit() else way, "labels": count, "accuracy": TABLE[way][i].tolist()}
    | {"answers": ["".join(map(str, one)) for one in ANSWERS[way][i]]}
    for way in WAYS
    for i, count in enumerate(COUNTS)
]
MADE = {"rows": ROWS, "draws": [{"second": pair} for pair in SECOND]}
PICTURES = RNG.integers(0, 256, (4 * EACH, 28, 28)).astype(np.uint8)


def made(**changes):
    return TransferExplorer(MADE, PICTURES, NAMES, **changes)


def students(first, second):
    """Return mean, low and high of the paired difference at each count, by SciPy."""
    x = 100 * (TABLE[first] - TABLE[second])
    low, high = stats.t.interval(0.95, DRAWS - 1, x.mean(axis=1), stats.sem(x, axis=1))
    return np.array([x.mean(axis=1), low, high])


def test_the_record_is_whole():
    rows, seeds = RECORDED["rows"], RECORDED["about"]["seeds"]
    assert {(str(row["way"]), row["labels"]) for row in rows} == {
        (way, count) for way in ("scratch", *"01234") for count in (1, 2, 5, 10, 20, 50, 100, 200)
    }
    test = data.fashion_mnist("test")
    first = np.concatenate([np.flatnonzero(test.labels == k)[:3] for k in range(10)])
    widget = TransferExplorer(RECORDED, test.images[first], test.classes)
    assert widget.accuracy.shape == (6, 8, len(seeds))
    for draw, classes in enumerate(widget.second):
        assert set(widget.answers[:, :, draw].ravel()) <= set(classes)
        # What is shown of the test pictures goes the way of all of them.
        right = (widget.answers[:, :, draw] == np.repeat(classes, 3)).mean(axis=2)
        assert abs(right.mean() - widget.accuracy[:, :, draw].mean() / 100) < 0.15
    assert widget.difference("scratch", "4")[1][-1] > 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"left": "5"}, "left is '5'; it must be one of 'scratch', '0', '3'"),
        ({"right": "all"}, "right is 'all'"),
        ({"labels": 7}, "labels is 7; it must be one of 1, 5, 20, 100"),
        ({"draw": 4}, "draw is 4; it must be one of 0, 1, 2, 3"),
        ({"answer": "why"}, "answer"),
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
        ({"rows": ROWS[4:]}, "it must have scratch and another"),
        ({"rows": ROWS[:-1]}, "recorded lacks way '3' at 100 labels"),
        ({"rows": [*ROWS[:-1], ROWS[-1] | {"accuracy": [0.5] * 3}]}, r"rows of \[3, 4\] draws"),
        ({"rows": [row | {"accuracy": [0.5, 0.6], "answers": ["0", "1"]} for row in ROWS]}, "at least 3"),
        ({"rows": [*ROWS[:-1], ROWS[-1] | {"accuracy": [50.0] * 4}]}, "an accuracy outside 0 to 1"),
        ({"rows": ROWS}, r"12 pictures of 4 classes do not fit 0 draws and answers of shape \(3, 4, 4, 6\)"),
    ],
)
def test_incomplete_records_are_named(recorded, message):
    with pytest.raises(ValueError, match=message):
        TransferExplorer(recorded, PICTURES, NAMES)


def test_differences_are_students_in_both_languages(module_of):
    module = module_of(join(HERE / "transfer_explorer" / "maths.js"))
    widget = made()
    for first, second in (("scratch", "3"), ("0", "3"), ("3", "0")):
        expected = students(first, second)
        np.testing.assert_allclose(widget.difference(first, second), expected, atol=1e-9)
        rows = [(100 * TABLE[way]).tolist() for way in (second, first)]
        found = module("([a, b, f]) => a.map((row, i) => m.paired(row, b[i], f))", [*rows, widget.factor])
        np.testing.assert_allclose([[one[key] for one in found] for key in ("mean", "low", "high")], expected)
    ahead = module("() => [[-1, 1], [0.1, 2], [-3, -1], [0, 1]].map(([low, high]) => m.aheadOf({ low, high }))")
    assert ahead == ["", "right", "left", ""]
    corners = "() => [[0, 0], [0.99, 0.99], [0.5, 0.4], [1, 0], [-0.1, 0]].map(([x, y]) => m.pictureAt(x, y, 2, 3))"
    assert module(corners) == [0, 5, 4, None, None]


def check(page, widget):
    """Compare the sentence, the names of the pictures' answers and the numbers with Python's."""
    page.evaluate(FRAME)
    root, place = page.locator(".bb-widget").first, COUNTS.index(widget.labels)
    says = root.locator(".bb-says").inner_text()
    found = re.match(r"(\d+) labels? a class: (\d+) % of all test pictures right on the left, (\d+) % on", says)
    shown = [TABLE[way][place][widget.draw] for way in (widget.left, widget.right)]
    assert [int(one) for one in found.groups()] == [widget.labels, *(int(f"{100 * one:.0f}") for one in shown)]
    mean, low, high = students(widget.right, widget.left)
    settled = "On the right it is more" if low[place] > 0 else "On the left it is more" if high[place] < 0 else "do not"
    assert settled in says
    for side in ("left", "right"):
        way = getattr(widget, side)
        assert root.get_by_label(f"{side.capitalize()} network").input_value() == way
        right = (ANSWERS[way][place][widget.draw] == np.repeat(SECOND[widget.draw], EACH)).sum()
        label = root.locator(f"canvas[data-part={side}]").get_attribute("aria-label")
        assert f": {right} of 6 pictures right" in label
    cells = root.locator("table").nth(1).locator("tbody td").all_text_contents()
    numbers = np.array([float(text.replace("−", "-")) for text in cells]).reshape(3, 4)
    np.testing.assert_allclose(numbers, [mean, low, high], atol=0.051)


def test_labels_networks_and_draws(page_with):
    page, widget = page_with(made(), width=720), made()
    chart = page.locator(".bb-tr-chart")
    invitation = page.locator(".bb-invite")
    check(page, widget)
    assert invitation.is_visible()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + 60, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 2000, box["y"] + 60, steps=4)
    page.mouse.up()
    assert not invitation.is_visible()
    widget.labels = 100
    check(page, widget)
    for key, count in {"ArrowLeft": 20, "Home": 1, "ArrowRight": 5, "End": 100}.items():
        chart.press(key)
        widget.labels = count
        check(page, widget)
    page.get_by_label("Left network").select_option("0")
    page.get_by_role("button", name="Another draw").click()
    widget.left, widget.draw = "0", 1
    check(page, widget)
    page.get_by_label("Right network").select_option("0")
    page.evaluate(FRAME)
    assert page.locator(".bb-says").inner_text().endswith("Twice the same network.")
    page.locator("canvas[data-part=left]").press("ArrowDown")
    page.evaluate(FRAME)
    assert re.fullmatch("This is .+ Twice the same network: it says “.+”.", page.locator(".bb-says").inner_text())


def test_a_picture_tells_its_answers(page_with):
    page, says = page_with(made(), width=720), ".bb-says"

    def told(place):
        left, right = (NAMES[ANSWERS[way][0][0][place]] for way in ("scratch", "3"))
        truth = NAMES[np.repeat(SECOND[0], EACH)[place]]
        return f"This is “{truth}”. The left network says “{left}”, the right one “{right}”."

    pane = page.locator("canvas[data-part=right]")
    box = pane.bounding_box()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.5 * box["height"])
    page.evaluate(FRAME)
    assert page.locator(says).inner_text().startswith(told(4))
    page.mouse.move(0, 0)
    page.evaluate(FRAME)
    assert page.locator(says).inner_text().startswith("1 label a class")
    pane.focus()
    for key, place in {"ArrowDown": 0, "ArrowRight": 3, "ArrowUp": 2, "ArrowLeft": 2}.items():
        pane.press(key)
        page.evaluate(FRAME)
        assert page.locator(says).inner_text().startswith(told(place)), key
    pane.evaluate(page_checks.KEYS, ["ArrowRight", "ArrowUp"])
    page.evaluate(FRAME)
    assert page.locator(says).inner_text().startswith(told(4))
    pane.press("Escape")
    check(page, made())


@pytest.mark.parametrize(("answer", "opening"), [("the carried one", "No. "), ("the one from scratch", "Yes. ")])
def test_the_prediction_is_shown_by_a_movement(page_with, answer, opening):
    page = page_with(made(left="0"), width=720)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("button", name=answer).click()
    page.evaluate(FRAME)
    mean = students("scratch", "3")[0][-1]
    assert page.locator(".bb-says").inner_text() == (
        f"{opening}At 100 labels the one from scratch is ahead, by {mean:.1f} points on average."
    )
    assert page.locator(".bb-true").all_inner_texts() == ["the one from scratch"]
    page.locator(".bb-tr-chart").press("ArrowLeft")
    check(page, made(labels=20))


def test_it_is_whole(page_with):
    test = data.fashion_mnist("test")
    first = np.concatenate([np.flatnonzero(test.labels == k)[:3] for k in range(10)])
    page = page_with(TransferExplorer(RECORDED, test.images[first], test.classes))
    acts = [[".bb-tr-chart", "key End"], [".bb-tr-another", None], ["canvas[data-part=left]", "key ArrowDown"]]
    page_checks.assert_whole(page, *acts, ["select", "0"], ["select", "4"], then=[[".bb-answers|neither", None]])
