"""SkipConnection: what it takes, its functions, and its screen in a real browser."""

import re

import numpy as np
import page_checks
import pytest
from page_checks import FRAME, number
from traitlets import TraitError

from backbone.widgets import SkipConnection
from backbone.widgets.base import HERE, join

RNG = np.random.default_rng(0)
WEIGHTS = np.arange(25) / 20
KINDS = ["with BatchNorm", "small weights"]
PROFILES = {name: 10.0 ** RNG.uniform(-9, 9, (25, 50)) for name in KINDS}


def made(**changes):
    return SkipConnection(WEIGHTS, PROFILES, **changes)


def test_profile_is_the_share_of_the_last_block():
    widget = made(weight=0.5, kind="small weights")
    expected = PROFILES["small weights"][10]
    np.testing.assert_allclose(widget.profile, expected / expected[-1], rtol=1e-5)
    widget.weight = 0.3  # not the same bits as 6 / 20
    assert widget.weight == WEIGHTS[6]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 0.5], {"a": np.ones((2, 3))}), "weights must rise, with 1 among them"),
        (([1, 0.5], {"a": np.ones((2, 3))}), "weights must rise"),
        (([0.5, 1], {}), "profiles must hold one kind or more"),
        (([0.5, 1], {"a": np.ones((3, 3))}), r"profiles\['a'\] has shape \(3, 3\); for 2 weights it is \(2, blocks\)"),
        (([0.5, 1], {"a": np.ones((2, 3)), "b": np.ones((2, 4))}), "all with as many blocks"),
        (([0.5, 1], {"a": np.zeros((2, 3))}), r"profiles\['a'\] holds something else than finite sizes above 0"),
    ],
)
def test_errors_say_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        SkipConnection(*arguments)
    for change, name in (({"weight": 0.51}, "weight is 0.51"), ({"kind": "none"}, "kind is 'none'")):
        with pytest.raises(TraitError, match=name):
            made(**change)


def test_a_bar_goes_up_or_down_from_one(module_of):
    module = module_of(join(HERE / "skip_connection" / "maths.js"))
    bars = module("() => [0, 7, -7, 99].map(m.barOf)")
    assert bars == [
        {"top": 0.5, "height": 0},
        {"top": 0.25, "height": 0.25},
        {"top": 0.5, "height": 0.25},
        {"top": 0, "height": 0.5},
    ]


def check(page, widget):
    """Compare the bars, the sentence and the table with Python's."""
    page.evaluate(FRAME)
    root, logs = page.locator(".bb-widget").first, np.log10(widget.profile)
    read = "(all) => all.map((n) => ['y', 'height'].map((name) => Number(n.getAttribute(name))))"
    drawn = np.array(root.locator(".bb-skip-bars rect:not(.bb-skip-gap)").evaluate_all(read))
    np.testing.assert_allclose(drawn[:, 1], np.minimum(abs(logs), 14) / 28, atol=1e-6)
    np.testing.assert_allclose(drawn[:, 0], np.where(logs > 0, 0.5 - drawn[:, 1], 0.5), atol=1e-6)
    gaps = root.locator(".bb-skip-gap").evaluate_all("(all) => all.map((n) => n.style.display !== 'none')")
    assert gaps == (abs(logs) > 14).tolist(), "a bar that is cut has a gap"
    assert root.get_by_text("cut here").count() == 2
    assert root.locator(".bb-skip-tick:text('cut here'):visible").count() == (logs > 14).any() + (logs < -14).any()
    says = root.locator(".bb-says").inner_text()
    if found := re.match(r"Shortcuts times ([\d.]+): block 1 gets (\S+) times the gradient of block 50", says):
        assert float(found[1]) == pytest.approx(widget.weight)
        assert number(found[2]) == pytest.approx(widget.profile[0], rel=0.051)
    else:
        assert "vanish" in says
    row = root.locator("tbody tr").nth(KINDS.index(widget.kind)).locator("td").all_text_contents()
    shown = [number(text) for text in row]
    np.testing.assert_allclose(shown, widget.profile[[0, 12, 25, 37, 49]], rtol=0.051)


def test_slider_and_kinds(page_with):
    page, widget = page_with(made(), width=720), made()
    slider = page.locator("input[type=range]")
    assert page.locator(".bb-question").inner_text().startswith("Shortcuts at 1:")
    assert page.locator(".bb-says").inner_text().startswith("Shortcuts times 1:"), "it opens where its question begins"
    check(page, widget)
    for key, weight in {"ArrowLeft": 0.95, "Home": 0.0, "End": 1.2, "PageDown": None}.items():
        slider.press(key)
        widget.weight = WEIGHTS[int(slider.input_value())] if weight is None else weight
        check(page, widget)
    page.get_by_text("small weights", exact=True).first.click()
    widget.kind = "small weights"
    check(page, widget)
    page.wait_for_function("() => document.querySelector('.bb-says').ariaLive === 'polite'")


@pytest.mark.parametrize(("answer", "opening"), [("half", "No, "), ("it depends", "Yes: ")])
def test_the_prediction(page_with, answer, opening):
    page, widget = page_with(made(), width=720), made(weight=0.5)
    page.get_by_role("button", name=answer, exact=True).click()
    check(page, widget)
    assert page.locator(".bb-says").inner_text().startswith(opening)
    assert page.locator(".bb-true").all_inner_texts() == ["it depends"]
    page.locator("input[type=range]").press("Home")
    widget.weight = 0
    check(page, widget)
    page.locator("input[type=range]").fill("10")  # back at the half, where the answer is no longer spoken of
    page.evaluate(FRAME)
    assert page.locator(".bb-says").inner_text().startswith("Shortcuts times 0.5: ")


def test_it_is_whole_and_follows_python(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id])
    steps = [["input[type=range]", str(step)] for step in (0, 10, 24)]
    page_checks.assert_whole(page, [".bb-segmented label", None, *steps], then=[[".bb-answers|half", None]])
    page.locator("input[type=range]").first.press("Home")
    assert page_checks.said_by_both(page).startswith("Shortcuts times 0:")
