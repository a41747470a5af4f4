"""Playground in a real browser: every control, by pointer and by keys, held against the network that PyTorch trains."""

import re

import numpy as np
import pytest
from page_checks import assert_accessible, assert_fits
from playground_screen import Screen, Twin
from sent import REVIVED, sent

from backbone.widgets import Playground

pytestmark = pytest.mark.browser


@pytest.fixture
def show(page_with):
    """Return a function that shows a Playground alone on a page."""

    def show_(page_width=720, theme="light", reduced_motion=None, **settings):
        made = Playground(**settings)
        return Screen(page_with(made, width=page_width, theme=theme, reduced_motion=reduced_motion), made)

    return show_


def select(screen, name):
    """Walk to a weight by its name."""
    for _ in range(300):
        if screen.which() == name:
            return
        screen.press("Next weight")
    pytest.fail(f"there is no {name}")


# --- Learning -----------------------------------------------------------------------------------------------


def test_it_opens_after_the_steps_that_python_asks_for(show):
    show(step=20).check(20)


def test_steps_are_those_of_gradient_descent(show):
    screen = show()
    screen.check(0)
    for name, steps in [("1 step", 1), ("10 steps", 11), ("100 steps", 111), ("1 step", 112)]:
        screen.press(name)
        screen.check(steps)
    screen.press("Back to step 0")
    screen.check(0)


def test_playing_and_pausing(show):
    screen = show()
    screen.choose("Speed", "fast")
    screen.press("Play")
    screen.page.wait_for_function(
        "() => parseInt(document.querySelector('.bb-scores strong').textContent.slice(5)) > 30"
    )
    screen.press("Pause")
    steps = screen.step()
    screen.check(steps)
    screen.page.wait_for_timeout(200)
    screen.check(steps)


def test_it_rests_out_of_sight(show):
    screen = show()
    screen.page.evaluate(
        "document.body.append(Object.assign(document.createElement('div'), { style: 'height: 5000px' }))"
    )
    screen.press("Play")
    screen.page.evaluate("scrollTo(0, 4000)")
    screen.root.get_by_role("button", name="Play", exact=True).wait_for(state="attached")
    steps = screen.step()
    screen.page.wait_for_timeout(200)
    assert screen.step() == steps


def test_less_motion_changes_the_picture_twice_a_second(show):
    screen = show(reduced_motion="reduce")
    screen.press("Play")
    seen = screen.page.evaluate(
        """async () => {
            const seen = new Set(), end = performance.now() + 1800;
            while (performance.now() < end) {
                await new Promise(requestAnimationFrame);
                seen.add(document.querySelector('.bb-scores strong').textContent);
            }
            return [...seen];
        }"""
    )
    screen.press("Pause")
    assert 2 <= len(seen) <= 5


def test_every_choice_by_pointer(show):
    screen = show()
    for legend, name, options in [
        ("Points", "dataset", {key: key for key in ("circles", "spiral", "xor", "blobs", "moons")}),
        ("Hidden layers", "depth", {key: key for key in (0, 2, 3, 4, 1)}),
        ("Neurons in each", "width", {key: key for key in (1, 2, 3, 5, 6, 7, 8, 4)}),
        ("Activation", "activation", {"none": "none", "ReLU": "relu", "sigmoid": "sigmoid", "tanh": "tanh"}),
    ]:
        for label, value in options.items():
            screen.choose(legend, label)
            setattr(screen.expected, name, value)
            screen.check(0)
            screen.press("10 steps")
            screen.check(10)
    for value in ["0.01", "0.03", "0.1", "1"]:
        screen.field("Learning rate").select_option(value)
        screen.expected.rate = float(value)
        screen.press("Back to step 0")
        screen.press("10 steps")
        screen.check(10)
    for value in ("zero", "equal", "random"):
        screen.field("Weights at first").select_option(value)
        screen.expected.initialization = value
        screen.press("10 steps")
        screen.check(10)
    screen.press("Other random weights")
    screen.expected.start = 1
    screen.check(0)
    screen.press("Start again")
    screen.expected = Playground()
    screen.check(0)


def test_the_rate_changes_without_forgetting(show):
    screen = show()
    screen.press("10 steps")
    screen.field("Learning rate").select_option("1")
    screen.check(10)
    screen.press("10 steps")
    points, labels, train = screen.expected.shown
    screen.check_scores(screen.twin(10).learn(points[:train], labels[:train], 1.0, 10))


def test_a_network_may_come_with_its_weights(show):
    rng = np.random.default_rng(1)
    made = Playground(depth=2, width=3)
    layers = [(rng.normal(size=w.shape), rng.normal(size=b.shape)) for w, b in made.first_layers()]
    twin = Twin(layers, "tanh")
    screen = show(depth=2, width=3, parameters=twin.flat(), step=77)
    assert screen.step() == 77
    screen.check_scores(twin)


# --- One weight ---------------------------------------------------------------------------------------------


def moved_twin(screen, steps, at, by):
    """Return the twin with one weight moved."""
    twin = screen.twin(steps)
    layer, to, source = at
    part = twin.layers[layer][1][to : to + 1] if source < 0 else twin.layers[layer][0][to, source : source + 1]
    part.data += by
    return twin


@pytest.mark.parametrize("at", [[0, 0, 0], [0, 3, 1], [0, 2, -1], [1, 0, 2], [1, 0, -1]])
def test_gradient_tangent_and_truth_equal_pytorchs(show, at):
    screen = show(step=20, weight=at)
    points, labels, train = screen.expected.shown
    x, y = points[:train], labels[:train]
    twin = screen.twin(20)
    loss, found = twin.gradients(x, y)
    layer, to, source = at
    gradient = found[layer][1][to] if source < 0 else found[layer][0][to, source]
    value = (twin.layers[layer][1][to] if source < 0 else twin.layers[layer][0][to, source]).item()
    assert screen.cell("value") == pytest.approx(value, abs=5.1e-5)
    assert screen.cell("gradient") == pytest.approx(gradient, rel=6e-3)
    assert screen.cell("step") == pytest.approx(-0.3 * gradient, rel=6e-3)
    screen.slider.fill("0.5")
    change = moved_twin(screen, 20, at, 0.5).loss(x, y).item() - loss
    assert screen.cell("moved") == 0.5
    assert screen.cell("predicted") == pytest.approx(0.5 * gradient, rel=6e-3)
    assert screen.cell("real") == pytest.approx(change, rel=6e-3)
    screen.check_scores(moved_twin(screen, 20, at, 0.5))
    screen.press("Put back")
    assert screen.cell("real") == pytest.approx(0, abs=1e-12)
    screen.check(20)


def test_small_moves_agree_and_large_ones_do_not(show):
    screen = show(step=20)
    errors = {}
    for zoom, by in [("±0.1", "0.01"), ("±4", "4")]:
        screen.choose("Range of the slider", zoom)
        screen.slider.fill(by)
        errors[zoom] = abs(screen.cell("predicted") / screen.cell("real") - 1)
        screen.press("Put back")
    assert errors["±0.1"] < 0.1
    assert errors["±4"] > 0.5


def test_measuring_at_the_new_place_moves_the_tangent(show):
    screen = show(step=20)
    before = screen.cell("gradient")
    screen.slider.fill("0.5")
    screen.press("Measure here")
    assert screen.cell("moved") == 0
    assert screen.cell("gradient") != before
    assert screen.root.get_by_role("button", name="Measure here").is_disabled()
    screen.press("1 step")
    points, labels, train = screen.expected.shown
    screen.check_scores(moved_twin(screen, 20, [0, 0, 0], 0.5).learn(points[:train], labels[:train], 0.3, 1))


def test_the_dots_stand_on_the_lines(show):
    screen = show(step=20)
    screen.slider.fill("0.4")
    screen.frame()
    plot = screen.root.locator(".bb-plot-probe")
    box = plot.bounding_box()
    low, high = (float(plot.locator(f".bb-tick-{end}").inner_text()) for end in ("bottom", "top"))
    loss = float(screen.scores()[0])
    dot = plot.locator(".bb-dot-real").bounding_box()
    x = (dot["x"] + dot["width"] / 2 - box["x"]) / box["width"]
    y = 1 - (dot["y"] + dot["height"] / 2 - box["y"]) / box["height"]
    assert x == pytest.approx(0.7, abs=0.01)
    assert low + y * (high - low) == pytest.approx(loss, abs=0.03 * (high - low) + 1e-3)
    guess = plot.locator(".bb-dot-guess").bounding_box()
    assert guess["y"] > dot["y"]  # the tangent promises more than comes
    d = plot.locator(".bb-line-0").get_attribute("d")
    assert len(re.findall("[ML]", d)) == 61


def test_the_steepest_weight_has_the_largest_gradient(show):
    screen = show(step=20)
    screen.press("Steepest")
    points, labels, train = screen.expected.shown
    _, found = screen.twin(20).gradients(points[:train], labels[:train])
    largest = max(np.abs(part).max() for pair in found for part in pair)
    assert abs(screen.cell("gradient")) == pytest.approx(largest, rel=6e-3)


# --- Choosing a weight ----------------------------------------------------------------------------------------


def test_clicking_lines_and_squares(show):
    screen = show()
    box = screen.net.bounding_box()
    column = box["width"] / 3
    top = box["height"] / 2 - 1.5 * 56
    screen.net.click(position={"x": 1.5 * column, "y": top + 2 * 56})
    assert screen.which() == "Bias of neuron 3 of layer 1"
    screen.net.click(position={"x": 0.5 * column + 0.75 * column, "y": (box["height"] / 2 + 28) * 0.25 + top * 0.75})
    assert screen.which() == "Weight from x₂ to neuron 1 of layer 1"
    screen.net.click(position={"x": 1.5 * column + 0.25 * column, "y": top * 0.75 + box["height"] / 2 * 0.25})
    assert screen.which() == "Weight from neuron 1 of layer 1 to the output"
    screen.net.click(position={"x": 3, "y": 3})
    assert screen.which() == "Weight from neuron 1 of layer 1 to the output"


def test_choosing_by_keys(show):
    screen = show(depth=2, width=2)
    screen.net.focus()
    for key, name in [
        ("ArrowDown", "Weight from x₂ to neuron 1 of layer 1"),
        ("ArrowDown", "Bias of neuron 1 of layer 1"),
        ("ArrowUp", "Weight from x₂ to neuron 1 of layer 1"),
        ("ArrowRight", "Weight from neuron 1 of layer 1 to neuron 1 of layer 2"),
        ("End", "Bias of neuron 2 of layer 2"),
        ("ArrowRight", "Weight from neuron 1 of layer 2 to the output"),
        ("End", "Bias of the output"),
        ("Home", "Weight from neuron 1 of layer 2 to the output"),
        ("ArrowLeft", "Weight from neuron 1 of layer 1 to neuron 1 of layer 2"),
    ]:
        screen.page.keyboard.press(key)
        assert screen.which() == name
    screen.press("Previous weight")
    assert screen.which() == "Bias of neuron 2 of layer 1"
    screen.press("Next weight")
    select(screen, "Bias of the output")
    screen.press("Next weight")
    assert screen.which() == "Weight from x₁ to neuron 1 of layer 1"


def test_everything_by_keys(show):
    screen = show()
    press = screen.page.keyboard.press
    screen.root.get_by_role("button", name="1 step", exact=True).focus()
    press("Enter")
    screen.check(1)
    screen.group("Hidden layers").locator("input:checked").focus()
    press("ArrowRight")
    screen.expected.depth = 2
    screen.check(0)
    screen.slider.focus()
    for _ in range(3):
        press("ArrowRight")
    assert screen.cell("moved") == pytest.approx(0.03)
    press("ArrowLeft")
    assert screen.cell("moved") == pytest.approx(0.02)
    press("End")
    assert screen.cell("moved") == 1


# --- The failures ---------------------------------------------------------------------------------------------


def test_all_weights_zero_never_learn(show):
    screen = show(dataset="circles", depth=1, width=2, activation="relu")
    screen.press("All weights zero")
    assert "Which neuron will learn first?" in screen.says()
    screen.expected = Playground(depth=2, initialization="zero")
    screen.check(0)
    screen.press("100 steps")
    screen.check(100)
    assert "Every gradient is 0" in screen.says()
    assert screen.scores()[0] == "0.693"


def test_equal_weights_stay_equal(show):
    screen = show()
    screen.press("All weights equal")
    screen.expected = Playground(depth=1, width=8, initialization="equal")
    screen.press("100 steps")
    screen.check(100)
    assert "The 8 neurons of layer 1 have equal weights." in screen.says()
    weights = []
    for neuron in range(1, 9):
        select(screen, f"Weight from x₂ to neuron {neuron} of layer 1")
        weights.append(screen.cell("value"))
    assert len(set(weights)) == 1
    screen.slider.fill("0.3")
    assert "have equal weights" not in screen.says()


def test_without_activation_four_layers_are_one_line(show):
    screen = show()
    screen.press("No activation")
    screen.expected = Playground(dataset="circles", depth=4, activation="none", rate=0.1)
    screen.press("100 steps")
    screen.check(100)
    found = re.search(
        r"all 5 layers together are one neuron: logit = (\S+)·x₁ ([+−]) (\S+)·x₂ ([+−]) (\S+)\. Its", screen.says()
    )
    first, *rest = (text.replace("−", "-").replace("+", "") for text in found.groups())
    printed = [float(first), float(rest[0] + rest[1]), float(rest[2] + rest[3])]
    points, _, _ = screen.expected.shown
    line = points @ printed[:2] + printed[2]
    np.testing.assert_allclose(line, screen.twin(100).logits(points).detach().numpy(), atol=0.03)
    assert float(screen.scores()[1].removesuffix(" %")) < 75


def test_a_rate_that_is_too_large(show):
    screen = show()
    screen.press("Rate too large")
    before = float(screen.scores()[0])
    screen.press("1 step")
    screen.press("1 step")
    assert float(screen.scores()[0]) > before
    screen.choose("Activation", "none")
    screen.choose("Hidden layers", 4)
    screen.press("100 steps")
    assert "The weights have left the range of numbers" in screen.says()
    assert not re.search(r"\de[+−-]?\d|\d{7}", screen.root.inner_text()), "numbers in a form that can be read"
    screen.press("Back to step 0")
    assert screen.step() == 0


def test_one_neuron_alone_is_a_line_too(show):
    screen = show(depth=0, dataset="blobs")
    screen.press("100 steps")
    screen.check(100)
    assert "No hidden layer, one neuron: logit = " in screen.says()


# --- The page around it -----------------------------------------------------------------------------------------


def test_the_model_hears_only_what_the_reader_did(show):
    screen = show(step=5)
    listen = """async ([source, state]) => {
        const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        const heard = [];
        const model = {
            get: (name) => REVIVED(state[name]),
            set: (name, value) => { heard.push(name); state[name] = value; },
            on() {}, off() {}, save_changes() {},
        };
        const el = document.body.appendChild(document.createElement("div"));
        const dispose = module.default.render({ model, el });
        await new Promise((done) => setTimeout(done, 400));
        const silent = heard.length;
        [...el.querySelectorAll("button")].find((button) => button.textContent === "10 steps").click();
        await new Promise((done) => setTimeout(done, 400));
        dispose();
        return [silent, heard, state.step, state.parameters, el.childElementCount];
    }""".replace("REVIVED", REVIVED)
    state = {name: value for name, value in sent(screen.expected).items() if not name.startswith("_")}
    silent, heard, step, parameters, left = screen.page.evaluate(listen, [Playground._esm, state])
    assert silent == 0
    assert (heard, step, left) == (["parameters", "step"], 15, 0)
    np.testing.assert_allclose(parameters, screen.twin(15).flat(), rtol=1e-9)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_surface_has_the_colors_of_the_classes(show, theme):
    screen = show(theme=theme, dataset="blobs", depth=0, rate=3.0, step=100)
    screen.frame()
    corners = screen.root.locator(".bb-surface").evaluate(
        """(canvas) => [[0.02, 0.98], [0.98, 0.02]].map(([x, y]) =>
            [...canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data])"""
    )
    for (*color, opacity), name in zip(corners, ["negative", "positive"], strict=True):
        expected = [int(Playground._css.split(f"--bb-{name}: #")[1][i : i + 2], 16) for i in (0, 2, 4)]
        np.testing.assert_allclose(color, expected, atol=4)
        assert opacity == pytest.approx(0.6 * 255, abs=8)


@pytest.mark.parametrize("width", [320, 360, 720, 1280])
def test_it_fits_and_can_be_read_and_touched(show, width):
    screen = show(page_width=width, step=20)
    for change in [lambda: None, lambda: screen.press("No activation"), lambda: screen.press("All weights equal")]:
        change()
        screen.frame()
        root = screen.root
        assert_fits(root)


def test_it_is_accessible(show):
    screen = show(step=20)
    assert_accessible(screen.page)
    screen.slider.fill("0.5")
    screen.press("All weights zero")
    screen.frame()
    assert_accessible(screen.page)


@pytest.mark.parametrize("width", [360, 720])
def test_nothing_jumps_while_it_learns(show, width):
    screen = show(page_width=width)
    before = screen.root.bounding_box()["height"]
    for name in [
        "1 step",
        "10 steps",
        "100 steps",
        "100 steps",
        "All weights zero",
        "100 steps",
        "All weights equal",
        "100 steps",
    ]:
        screen.press(name)
        screen.frame()
        assert screen.root.bounding_box()["height"] == pytest.approx(before, abs=1)


def test_what_was_done_is_said_once_it_rests(show):
    screen = show()
    live = screen.root.locator("p[role=status]")
    assert live.inner_text() == ""
    screen.press("10 steps")
    screen.page.wait_for_function(
        "() => document.querySelector('.bb-play p[role=status]').textContent.startsWith('Step 10.')"
    )
    assert "Weight from x₁ to neuron 1 of layer 1: the gradient is" in live.inner_text()
