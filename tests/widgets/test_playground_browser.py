"""Playground in a real browser: every control, by pointer and by keys, held against the network that PyTorch trains."""

import re

import numpy as np
import page_checks
import pytest
from page_checks import number
from playground_screen import Screen, Twin
from sent import REVIVED, sent

from backbone.widgets import Playground


@pytest.fixture
def show(page_with):
    """Return a function that shows a Playground alone on a page."""

    def show_(page_width=720, theme="light", **settings):
        made = Playground(**settings)
        return Screen(page_with(made, width=page_width, theme=theme), made)

    return show_


# --- Learning -----------------------------------------------------------------------------------------------


def test_steps_are_those_of_gradient_descent(show):
    screen = show(step=20)
    screen.check(20)
    for name, steps in [("1 step", 21), ("100 steps", 121), ("Back to step 0", 0), ("10 steps", 10)]:
        screen.press(name)
        screen.check(steps)
    assert re.match(r"Step 10: loss 0.\d+, \d+ % of the training points right\.", screen.says())


def test_playing_goes_on_through_another_theme_and_width(show):
    screen = show()
    screen.press("Play")
    reached = "(step) => Number(document.querySelector('.bb-play-strip').ariaValueNow) > step"
    screen.page.wait_for_function(reached, arg=3)
    assert screen.root.locator(".bb-invite:visible").count() == 0
    screen.page.emulate_media(color_scheme="dark")
    page_checks.resize(screen.page, 360)
    screen.page.wait_for_function(reached, arg=screen.step() + 5)
    screen.press("Pause")
    steps = screen.step()
    screen.check(steps)
    screen.page.wait_for_timeout(200)
    screen.check(steps)


def test_the_curve_of_the_loss_goes_back(show):
    screen = show()
    screen.press("100 steps")
    box = screen.strip.bounding_box()
    screen.page.mouse.move(box["x"] + box["width"] - 8, box["y"] + 20)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + 36 + (box["width"] - 44) / 2, box["y"] + 20, steps=4)
    screen.check(50)
    screen.page.mouse.move(box["x"] - 100, box["y"])
    screen.check(0)
    screen.page.mouse.up()
    for key, steps in {"ArrowRight": 1, "PageUp": 11, "ArrowLeft": 10, "End": 100, "Home": 0}.items():
        screen.strip.press(key)
        screen.check(steps)
    screen.strip.press("PageUp")
    screen.press("10 steps")  # from where it is
    screen.check(20)
    screen.strip.press("End")
    screen.check(20)


def test_every_choice(show):
    screen = show(rate=0.1)
    for legend, name, options in [
        ("Points", "dataset", {key: key for key in ("circles", "spiral", "xor", "blobs", "moons")}),
        ("Hidden layers", "depth", {key: key for key in (0, 2, 4, 1)}),
        ("Activation", "activation", {"none": "none", "ReLU": "relu", "sigmoid": "sigmoid", "tanh": "tanh"}),
    ]:
        for label, value in options.items():
            screen.choose(legend, label)
            setattr(screen.expected, name, value)
            screen.press("10 steps")
            screen.check(10)
    for key, width in {"Home": 1, "End": 8}.items():
        screen.root.locator("input[type=range]").press(key)
        screen.expected.width = width
        screen.check(0)
    rate, first = screen.root.locator("select").all()
    rate.select_option("1")
    screen.expected.rate = 1.0
    screen.press("1 step")
    screen.check(1)
    first.select_option("equal")
    screen.expected.initialization = "equal"
    screen.press("1 step")
    screen.check(1)
    first.select_option("random")
    screen.press("Other random weights")
    screen.expected.initialization, screen.expected.start = "random", 1
    screen.check(0)
    screen.press("Start again")
    screen.expected = Playground(rate=0.1)
    screen.check(0)


def test_a_network_may_come_with_its_weights(show):
    rng = np.random.default_rng(1)
    layers = [(rng.normal(size=w.shape), rng.normal(size=b.shape)) for w, b in Playground(width=3).first_layers()]
    twin = Twin(layers, "tanh")
    screen = show(width=3, parameters=twin.flat(), step=77)
    screen.check(77, twin)
    screen.press("1 step")
    screen.check(78, twin.learn(*screen.training(), 0.3, 1))
    assert screen.strip.get_attribute("aria-valuetext") == "step 78"


# --- The experiments ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "asks", "says"),
    [
        ("All weights zero", {"depth": 2, "initialization": "zero"}, "which neuron will learn", "Every gradient is 0"),
        ("All weights equal", {"width": 8, "initialization": "equal"}, "what can eight do", "The 8 neurons of layer 1"),
        (
            "No activation",
            {"dataset": "circles", "depth": 4, "activation": "none", "rate": 0.1},
            "can they part the disc",
            "all 5 layers are one neuron",
        ),
    ],
)
def test_the_experiments(show, name, settings, asks, says):
    screen = show(step=5)
    screen.press(name)
    assert asks in screen.says()
    screen.expected = Playground(**settings)
    screen.check(0)
    screen.press("100 steps")
    screen.check(100)
    assert says in screen.says()
    if name == "No activation":
        numbers = re.findall(r"[−+]? ?[\d.]+(?=·|$)", screen.root.locator("details .bb-hint").inner_text())
        a, b, c = (float(text.replace("−", "-").replace(" ", "").replace("+", "")) for text in numbers)
        points = screen.expected.shown[0]
        np.testing.assert_allclose(points @ [a, b] + c, screen.twin(100).logits(points).detach().numpy(), atol=0.03)


def test_a_rate_that_is_too_large(show):
    screen = show()
    screen.press("Rate too large")
    before = float(screen.cells()[0])
    screen.press("1 step")
    screen.press("1 step")
    assert float(screen.cells()[0]) > before
    screen.choose("Activation", "none")
    screen.choose("Hidden layers", 4)
    screen.press("100 steps")
    assert "The weights have left the range of numbers" in screen.says()
    screen.press("Back to step 0")
    assert screen.step() == 0


# --- One weight ---------------------------------------------------------------------------------------------


def check_tangent(screen, at, moved, name):
    """Compare the sentence, the handle and the numbers with PyTorch's."""
    x, y = screen.training()
    twin = screen.twin(20)
    loss, found = twin.gradients(x, y)
    layer, to, source = at
    gradient = found[layer][1][to] if source < 0 else found[layer][0][to, source]
    part = twin.layers[layer][1][to : to + 1] if source < 0 else twin.layers[layer][0][to, source : source + 1]
    part.data += moved
    change = twin.loss(x, y).item() - loss
    says = screen.says()
    assert says.startswith(name)
    if moved:
        found = re.search(r"moved by (\S+): the tangent promises (\S+), and really the loss changes by (\S+)\.", says)
        expected = [moved, moved * gradient, change]
        assert [number(text) for text in found.groups()] == pytest.approx(expected, rel=6e-3, abs=1e-6)
    else:
        assert number(re.search(r"gradient, (\S+),", says)[1]) == pytest.approx(gradient, rel=6e-3)
    expected = [part.item(), gradient, loss, loss + change, -0.3 * gradient]
    assert [number(text) for text in screen.cells()] == pytest.approx(expected, rel=6e-3, abs=6e-5)
    assert screen.root.locator("tbody th").first.text_content() == ("bias" if source < 0 else "weight")
    assert float(screen.plot.get_attribute("aria-valuenow")) == pytest.approx(moved)


@pytest.mark.parametrize(("at", "name"), [([0, 3, 0], "Weight from x₁ to neuron 4 of layer 1"),
                                          ([0, 2, -1], "Bias of neuron 3 of layer 1"),
                                          ([1, 0, 2], "Weight from neuron 3 of layer 1 to the output")])  # fmt: skip
def test_gradient_tangent_and_truth_equal_pytorchs(show, at, name):
    screen = show(step=20, show="tangent", weight=at, moved=-0.5)
    check_tangent(screen, at, -0.5, name)
    box = screen.plot.bounding_box()
    screen.page.mouse.move(box["x"] + 66 + (box["width"] - 78) / 4, box["y"] + 90)
    screen.page.mouse.down()
    check_tangent(screen, at, -0.5, name)
    screen.page.mouse.move(box["x"] + box["width"] + 90, box["y"] + 90)
    check_tangent(screen, at, 1, name)
    screen.page.mouse.up()
    for key, moved in {"ArrowLeft": 0.99, "Home": -1, "PageUp": -0.9}.items():
        screen.plot.press(key)
        check_tangent(screen, at, moved, name)
    screen.choose("Range", "±0.1")
    check_tangent(screen, at, -0.1, name)
    screen.choose("Range", "±4")
    screen.plot.press("End")
    check_tangent(screen, at, 4, name)


def test_weights_are_chosen_by_pointer_and_keys(show):
    screen = show(step=20, show="tangent", moved=0.5)
    net = screen.root.locator(".bb-play-net")
    box = net.bounding_box()
    column, top, middle = box["width"] / 3, box["height"] / 2 - 1.5 * 56, box["height"] / 2
    net.click(position={"x": 1.5 * column, "y": top + 2 * 56})
    check_tangent(screen, [0, 2, -1], 0, "Bias of neuron 3 of layer 1")
    net.click(position={"x": 1.25 * column, "y": (middle + 28) * 0.25 + top * 0.75})
    check_tangent(screen, [0, 0, 1], 0, "Weight from x₂ to neuron 1 of layer 1")
    net.click(position={"x": 3, "y": 3})
    for key, at in {"ArrowDown": [0, 0, -1], "ArrowRight": [1, 0, 0], "End": [1, 0, -1], "Home": [1, 0, 0],
                    "ArrowLeft": [0, 0, 0]}.items():  # fmt: skip
        net.press(key)
        check_tangent(screen, at, 0, "")
    screen.root.locator(".bb-play-net").evaluate(page_checks.KEYS, ["ArrowDown", "ArrowDown"])
    check_tangent(screen, [0, 0, -1], 0, "Bias of neuron 1 of layer 1")
    screen.press("Steepest")
    _, found = screen.twin(20).gradients(*screen.training())
    largest = max(np.abs(part).max() for pair in found for part in pair)
    assert abs(number(screen.cells()[1])) == pytest.approx(largest, rel=6e-3)


# --- The page around it -----------------------------------------------------------------------------------------


def test_the_model_hears_only_what_the_reader_did(show):
    screen = show(step=5)
    listen = """async ([source, state]) => {
        const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        const heard = [], frames = FRAMES;
        const model = {
            get: (name) => REVIVED(state[name]),
            set: (name, value) => { heard.push(name); state[name] = value; },
            on() {}, off() {}, save_changes() {},
        };
        const el = document.body.appendChild(document.createElement("div"));
        const dispose = module.default.render({ model, el });
        await frames(30);
        const silent = heard.length;
        [...el.querySelectorAll("button")].find((button) => button.textContent === "10 steps").click();
        await frames(30);
        dispose();
        return [silent, heard, state.step, state.parameters, el.childElementCount];
    }""".replace("REVIVED", REVIVED).replace("FRAMES", page_checks.FRAMES)
    state = {name: value for name, value in sent(screen.expected).items() if not name.startswith("_")}
    silent, heard, step, parameters, left = screen.page.evaluate(listen, [Playground._esm, state])
    assert silent == 0
    assert (heard, step, left) == (["parameters", "step"], 15, 0)
    np.testing.assert_allclose(parameters, screen.twin(15).flat(), rtol=1e-9)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_surface_has_the_colors_of_the_classes(show, theme):
    screen = show(theme=theme, dataset="blobs", depth=0, rate=3.0, step=100)
    screen.frame()
    corners = screen.root.locator(".bb-play-surface").evaluate(
        """(canvas) => [[0.02, 0.98], [0.98, 0.02]].map(([x, y]) =>
            [...canvas.getContext("2d").getImageData(x * canvas.width, y * canvas.height, 1, 1).data])"""
    )
    for (*color, opacity), name in zip(corners, ["negative", "positive"], strict=True):
        expected = [int(Playground._css.split(f"--bb-{name}: #")[1][i : i + 2], 16) for i in (0, 2, 4)]
        np.testing.assert_allclose(color, expected, atol=4)
        assert opacity == pytest.approx(0.6 * 255, abs=8)


def test_training_is_whole(page_with):
    experiments = ["No activation", "All weights zero", "All weights equal", "Rate too large"]
    acts = [[f"details[open] button|{name}", None, ["details[open] button|100 steps", None]] for name in experiments]
    page = page_with(Playground(step=20))
    page_checks.assert_whole(page)
    page.locator("details").first.evaluate("(fold) => (fold.open = true)")
    for width in (720, 360, 320):
        page_checks.resize(page, width)
        assert page_checks.jumps(page, acts) == []


def test_the_tangent_is_whole(page_with):
    keys = [[".bb-play-plot", f"key {key}"] for key in ("End", "Home", "PageUp")]
    page = page_with(Playground(step=20, show="tangent", moved=0.5))
    page_checks.assert_whole(page, [".bb-segmented label", None, *keys])
