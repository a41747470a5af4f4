"""Backpropagation: what it takes, its functions against autograd, and its screen in a real browser."""

import math
import re

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME, number
from traitlets import TraitError

from backbone.widgets import Backpropagation

NODES = ["x1", "w1", "x2", "w2", "b", "p1", "p2", "z", "a", "loss"]
ACTIVATIONS = {"relu": "ReLU", "sigmoid": "sigmoid", "tanh": "tanh"}


def made(**changes):
    return Backpropagation((2, 1), (0.5, -1), 0.25, 1, **changes)


def by_torch(given, activation):
    """Return the values of all nodes and the gradients of the loss by all but the target."""
    leaves = {name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in given.items()}
    p1, p2 = leaves["x1"] * leaves["w1"], leaves["x2"] * leaves["w2"]
    z = p1 + p2 + leaves["b"]
    a = getattr(torch, activation)(z)
    nodes = leaves | {"p1": p1, "p2": p2, "z": z, "a": a, "loss": (a - leaves["t"]) ** 2}
    found = torch.autograd.grad(nodes["loss"], [nodes[name] for name in NODES])
    return {name: node.item() for name, node in nodes.items()}, dict(zip(NODES, map(float, found), strict=True))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (((1, 2, 3), (1, 2), 0, 1), ValueError, "there are 3 inputs and 2 weights"),
        (((1, 4), (1, 2), 0, 1), TraitError, r"given\['x2'\] is 4.0; it must be a number from -3 to 3"),
        (((1, 2), (1, math.nan), 0, 1), TraitError, r"given\['w2'\] is nan"),
    ],
)
def test_errors_say_what_is_allowed(arguments, error, message):
    with pytest.raises(error, match=message):
        Backpropagation(*arguments)
    for name, value in {"activation": "gelu", "step": 14, "picked": "t", "given": {"x1": 1}}.items():
        with pytest.raises(TraitError):
            setattr(made(), name, value)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_values_and_gradients_are_autograds(module, activation):
    for numbers in np.random.default_rng(0).uniform(-3, 3, (40, 6)).round(2).tolist():
        given = dict(zip(["x1", "w1", "x2", "w2", "b", "t"], numbers, strict=True))
        found = module("([given, activation]) => m.run(given, activation)", [given, activation])
        values, gradients = by_torch(given, activation)
        assert found["values"] == pytest.approx(values, rel=1e-11, abs=1e-11)
        assert found["gradients"] == pytest.approx(gradients, rel=1e-9, abs=1e-11)
        # What stands at the edges of a path is a factor of the gradient at its end.
        for name in NODES[:-1]:
            factors = [found["locals"][node] for node in module("(name) => m.pathTo(name)", name)]
            assert math.prod(factors) == pytest.approx(gradients[name], rel=1e-9, abs=1e-11)


def test_at_its_kink_the_relu_is_closed(module):
    given = {"x1": 1, "w1": 0.1, "x2": 1, "w2": 0.2, "b": -0.3, "t": 1}  # whose sum, in floats, is not 0
    assert module("(given) => m.run(given, 'relu').gradients", given)["z"] == 0


def test_what_is_seen_after_some_steps(module):
    seen = module("() => [0, 1.25, 4, 5.5, 13].map((s) => { const r = m.reached(s); return "
                  "[[...r.forward].length, [...r.back], r.moving]; })")  # fmt: skip
    back = ["loss", "a", "z", "b", "p1", "p2", "w1", "x1", "w2", "x2"]
    arriving = [[name, "z", 0.25] for name in ("b", "p1", "p2")]
    expected = [[0, [], []], [2, [], arriving], [5, back[:1], []], [5, back[:2], [["a", "z", 0.5]]], [5, back, []]]
    assert seen == expected


def texts(root):
    """Return of each node of the graph its texts: name, value and gradient."""
    script = "(all) => all.map((n) => [n.dataset.part, [...n.querySelectorAll('text')].map((t) => t.textContent)])"
    return dict(root.locator("g[data-part]").evaluate_all(script))


class Screen:
    def __init__(self, page, widget=None):
        self.page, self.widget = page, widget or made()
        self.root = page.locator(".bb-widget").first
        self.slider = self.root.locator("input[type=range]")

    def node(self, name):
        return self.root.locator(f"[data-part={name}]")

    def check(self, **given):
        """Compare every number in the graph, and the product in the sentence, with autograd's."""
        self.page.evaluate(FRAME)
        self.widget.given = self.widget.given | given
        values, gradients = by_torch(self.widget.given, self.widget.activation)
        shown = texts(self.root)
        for name in [*NODES, "t"]:
            _, value, gradient = shown[name]
            assert number(value) == pytest.approx(values[name], abs=6e-3), name
            assert name == "t" or number(gradient) == pytest.approx(gradients[name], abs=6e-3), name
        says = self.root.locator(".bb-says").inner_text()
        if found := re.search(r"^(.)(.?): (.*) = (\S+), the product", says):
            factors = [number(text.strip("()")) for text in found[3].split(" × ")]
            assert math.prod(factors) == pytest.approx(number(found[4]), abs=0.02)
            assert number(found[4]) == pytest.approx(gradients[self.widget.picked], abs=6e-3)
        return says


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=720))


def test_numbers_are_dragged(screen):
    screen.check()
    box = screen.node("w2").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    screen.page.mouse.move(x, y)
    screen.page.mouse.down()
    for up, value in ((20, -0.6), (61, 0.2), (-30, -1.6), (900, 3)):
        screen.page.mouse.move(x, y - up)
        screen.widget.picked = "w2"
        assert screen.check(w2=value).startswith("w₂:" if value > -1.25 else "The slope of ReLU is 0")
    screen.page.mouse.up()
    screen.page.mouse.move(x, y)
    screen.check(w2=3)
    assert screen.root.locator(".bb-invite:visible").count() == 0


def test_numbers_by_keys_and_other_activations(screen):
    screen.widget.picked = "b"
    for key, value in {"ArrowDown": 0.15, "Home": -3, "PageUp": -2, "End": 3}.items():
        screen.node("b").press(key)
        says = screen.check(b=value)
        assert ("The slope of ReLU is 0" in says) == (value < 0)
        assert screen.root.locator(".bb-bp-none").count() == (8 if value < 0 else 0)
    screen.node("t").press("End")
    screen.check(t=3)
    assert "target" in screen.node("t").get_attribute("aria-label")
    for activation, label in reversed(ACTIVATIONS.items()):
        screen.root.locator("details").evaluate("(fold) => (fold.open = true)")
        screen.root.get_by_text(label, exact=True).last.click()
        screen.widget.activation = activation
        screen.check()


def test_what_is_small_is_not_0(page_with):
    """Where tanh is saturated, hardly anything comes through, and two digits of it are told, within the boxes."""
    widget = made(activation="tanh")
    widget.given = widget.given | {"w1": 2.9}
    page = page_with(widget, width=360)
    values, gradients = by_torch(widget.given, "tanh")
    wide = """(all) => all.filter((text) => text.textContent && text.getBoundingClientRect().width >
        text.parentNode.querySelector("rect").getBoundingClientRect().width).map((text) => text.textContent)"""
    for width in (360, 720):
        page_checks.resize(page, width)
        shown = texts(page)
        for name in NODES:
            _, value, gradient = shown[name]
            assert [number(value), number(gradient)] == pytest.approx([values[name], gradients[name]], rel=0.05), name
        assert page.locator("g[data-part] > text").evaluate_all(wide) == [], width
        met = page_checks.overlaps(page, ".bb-bp-local", "g[data-part] > rect")
        assert not [text for text in met if width == 360 or len(text) > 7]  # from left to right boxes are near


def test_the_film_goes_forward_then_back(screen):
    seen = []
    for step in range(14):
        screen.slider.fill(str(step))
        screen.page.evaluate(FRAME)
        seen.append([screen.root.locator(f"text.bb-bp-{part}:not(:empty)").count() for part in ("value", "gradient")])
        if step == 10:
            says = "Back to w₁: −1.5 comes in, times 2, the other factor, x₁, makes −3."
            assert screen.root.locator(".bb-says").inner_text() == says
    assert seen == [[6, 0], [8, 0], [9, 0], [10, 0], *[[11, count] for count in range(1, 11)]]
    screen.root.get_by_role("button", name="Play").click()  # from its end, it begins again
    screen.root.locator(".bb-bp-dot:visible").first.wait_for()
    assert "Forward" in screen.root.locator(".bb-says").inner_text() or "Two inputs" in screen.root.inner_text()


def test_touch_moves_a_number(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True))
    screen.node("x2").tap()
    screen.widget.picked = "x2"
    assert screen.check().startswith("x₂: −1.5 × 1 × 1 × (−1) = 1.5")


def test_it_is_whole_and_follows_python(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id])
    steps = [["input[type=range]", str(step)] for step in range(14)]
    ends = [[f"[data-part={name}]", f"key {key}", *steps] for name in ("b", "w1") for key in ("Home", "End")]
    page_checks.assert_whole(page, *ends)
    page.locator("[data-part=w1]").first.press("Home")
    page_checks.said_by_both(page)
