"""ActivationExplorer: its functions and its screen in a real browser, held against `backbone.layers.ACTIVATIONS`."""

import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets

from backbone.layers import ACTIVATIONS
from backbone.widgets import ActivationExplorer
from backbone.widgets.activation_explorer import DEEPEST, chain

SETTINGS = [(1.0, 0.0), (0.1, -4.0), (4.0, -2.0), (6.0, 4.0), (1.5, 0.3)]
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")


def read(text):
    """Return the number that the screen writes as "−2.1 × 10⁻¹³" or "×0.214"."""
    digits, _, power = text.lstrip("×").replace("−", "-").partition(" × 10")
    return float(f"{digits}e{power.translate(RAISED) or 0}")


# --- Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_product_is_autograds_derivative(name):
    widget = ActivationExplorer([-2.0, -0.3, 0.4, 3.0], activation=name, layers=6, weight=1.7, bias=-0.2)
    inputs = torch.tensor([-2.0, -0.3, 0.4, 3.0], dtype=torch.float64, requires_grad=True)
    a = inputs
    for _ in range(6):
        a = ACTIVATIONS[name].module()(1.7 * a - 0.2)
    (slope,) = torch.autograd.grad(a.sum(), inputs)
    np.testing.assert_allclose(widget.result.values, a.detach(), rtol=1e-12)
    np.testing.assert_allclose(10**widget.result.log_product, slope.abs(), rtol=1e-9, atol=1e-300)


def test_a_product_below_the_smallest_float_is_kept_as_its_logarithm():
    found = chain(ACTIVATIONS["sigmoid"], [0.0], DEEPEST * 10, 0.1, 0.0)
    assert -900 < found.log_product[0] < -700
    assert chain(ACTIVATIONS["relu"], [-1.0], 3, 1.0, 0.0).log_product[0] == -np.inf


def test_saturated_means_a_tenth_of_the_largest_slope():
    edge = np.log(0.025**-1 / 2 - 1 + np.sqrt((0.025**-1 / 2 - 1) ** 2 - 1))  # where the sigmoid's slope is 0.025
    found = ActivationExplorer([-edge - 0.01, 0.01 - edge, edge - 0.01, edge + 0.01], layers=1)
    assert found.result.saturated.tolist() == [True, False, False, True]
    assert ActivationExplorer([-1.0, 1.0], layers=1, activation="relu").result.saturated.tolist() == [True, False]


def test_the_inputs_are_spread_as_a_normal_distribution():
    inputs = ActivationExplorer().inputs
    assert inputs.shape == (400,)
    assert inputs.mean() == pytest.approx(0, abs=1e-12)
    assert inputs.std() == pytest.approx(1, abs=0.01)


def test_errors_say_what_is_allowed():
    with pytest.raises(ValueError, match=r"inputs has shape \(0,\); it must be \(N,\) with N from 1 to 1000"):
        ActivationExplorer([])
    with pytest.raises(ValueError, match=r"inputs has shape \(2, 2\)"):
        ActivationExplorer(np.ones((2, 2)))
    with pytest.raises(ValueError, match="finite real numbers"):
        ActivationExplorer([1.0, np.nan])
    for bad in ({"activation": "softmax"}, {"layers": 51}, {"weight": 0.0}, {"bias": 5.0}, {"input": -4.5}):
        with pytest.raises(traitlets.TraitError):
            ActivationExplorer(**bad)


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(f"{ActivationExplorer._esm}\nexport {{ activationFunctions }};")


# JSON has no -Infinity, and the page would hand over null.
SPREAD = """([name, inputs, weight, bias]) => {
    const plain = (numbers) => Array.from(numbers, (number) => (number === -Infinity ? "-inf" : number));
    return m.spread(m.activationFunctions[name], Float64Array.from(inputs), 50, weight, bias)
        .map(({ values, logs, flat }) => [plain(values), plain(logs), plain(flat)]);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_signal_product_and_saturation_equal_python(module, name):
    inputs = ActivationExplorer().inputs[::7]
    for weight, bias in SETTINGS:
        depths = module(SPREAD, [name, inputs.tolist(), weight, bias])
        assert len(depths) == 51
        for layers in (0, 1, 2, 10, 50):
            values, logs, flat = (np.array(part, dtype=float) for part in depths[layers])
            expected = chain(ACTIVATIONS[name], inputs, layers, weight, bias)
            np.testing.assert_allclose(values, expected.values, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(logs, expected.log_product, rtol=1e-9, atol=1e-9)
            assert (flat.astype(bool) == expected.saturated).all()


@pytest.mark.browser
def test_the_way_of_one_input_equals_python(module):
    for name in ACTIVATIONS:
        way = module("([name]) => m.wayOf(m.activationFunctions[name], 0.8, 5, 1.3, 0.1)", [name])
        found = [chain(ACTIVATIONS[name], [0.8], layers, 1.3, 0.1) for layers in range(6)]
        np.testing.assert_allclose(way["values"], [one.values[0] for one in found], rtol=1e-12)
        np.testing.assert_allclose(way["logs"], [one.log_product[0] for one in found], rtol=1e-9, atol=1e-12)
        assert np.log10(np.abs(np.prod(way["factors"]))) == pytest.approx(way["logs"][-1])


@pytest.mark.browser
def test_quantiles_and_bins_equal_numpy(module):
    numbers = np.random.default_rng(0).normal(size=77)
    shares = [0, 0.1, 0.5, 0.9, 1]
    found = module("([numbers, shares]) => m.quantiles(numbers, shares)", [numbers.tolist(), shares])
    np.testing.assert_array_equal(found, np.quantile(numbers, shares, method="lower"))
    bins = module("(numbers) => [...m.counted(numbers, -1, 1, 8)]", numbers.tolist())
    expected = np.histogram(numbers.clip(-1, 0.999), 8, (-1, 1))[0]
    np.testing.assert_array_equal(bins, expected)
    assert module("() => [...m.counted([-Infinity, -50, 0.5], -40, 12, 4)]") == [1, 0, 0, 1]


@pytest.mark.browser
def test_numbers_are_written_to_be_read(module):
    given = [0.21349, -1.3, 2.1e-13, 9.96e-13, 0, 1, 12345, 150, -3.4e20, 0.00999, 0.01, 0.9999, 99.99]
    expected = "0.213 −1.30 2.1 × 10⁻¹³ 1.0 × 10⁻¹² 0 1.00 1.2 × 10⁴ 150 −3.4 × 10²⁰ 0.010 0.010 1.00 100.0"
    assert " ".join(module("(given) => given.map(m.number)", given)) == expected
    assert module("() => m.listed([0.1, 0.2, 0.3])") == "0.100 × 0.200 × 0.300"
    assert module("() => m.listed([0.1, 0.2, 0.3, 1, 1, 0.5])") == "0.100 × 0.200 × 0.300 × … × 0.500"


@pytest.mark.browser
def test_the_curve_is_one_layer_and_gray_where_it_saturates(module):
    found = module("() => m.layerCurve(m.activationFunctions.tanh, 2, 0.5)")
    at = np.array([point["at"] for point in found["curve"]])
    tanh = ACTIVATIONS["tanh"]
    np.testing.assert_allclose([point["out"] for point in found["curve"]], tanh.value(2 * at + 0.5), atol=1e-12)
    np.testing.assert_allclose(
        [point["factor"] for point in found["curve"]], 2 * tanh.derivative(2 * at + 0.5), atol=1e-12
    )
    (left, right), edge = found["flat"], np.arctanh(np.sqrt(0.9))
    assert left == pytest.approx([-4, (-edge - 0.5) / 2], abs=0.03)
    assert right == pytest.approx([(edge - 0.5) / 2, 4], abs=0.03)


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page):
        self.page, self.expected = page, ActivationExplorer()
        self.root = page.locator(".bb-widget")
        self.map = self.root.locator(".bb-ac-map")

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def numbers(self):
        return [text.split("\n")[-1] for text in self.root.locator(".bb-ac-numbers strong").all_inner_texts()]

    def slide(self, label, value):
        self.root.get_by_role("slider", name=label).fill(str(value))
        setattr(self.expected, {"Layers n": "layers", "Weight w": "weight", "Bias b": "bias"}[label], value)

    def check(self):
        """Compare what is written on the screen with Python's at the same settings."""
        self.frame()
        widget = self.expected
        out, each, product, middle, saturated, zero = self.numbers()
        all_inputs, own = widget.result, widget.way
        assert float(self.map.get_attribute("aria-valuenow")) == pytest.approx(widget.input)
        assert read(out.partition(" → ")[2]) == pytest.approx(own.values[0], rel=0.05, abs=0.0006)
        median = np.quantile(all_inputs.log_product, 0.5, method="lower")
        for text, log in [(product, own.log_product[0]), (middle, median)]:
            assert abs(read(text)) == pytest.approx(10**log, rel=0.06)
        share = np.mean(all_inputs.log_product == -np.inf)
        assert read(zero.rstrip(" %")) == pytest.approx(100 * share, abs=0.051)
        if widget.layers:
            assert read(each) == pytest.approx(10 ** (own.log_product[0] / widget.layers), rel=0.06)
            assert read(saturated.rstrip(" %")) == pytest.approx(100 * all_inputs.saturated.mean(), abs=0.051)
            assert self.root.locator(".bb-ac-factors").inner_text().endswith(f" = {product}")


@pytest.fixture
def screen(page_with):
    return Screen(page_with(ActivationExplorer(), width=720))


@pytest.mark.browser
def test_every_activation_at_every_depth(screen):
    screen.check()
    offered = screen.root.locator(".bb-choice label").all_inner_texts()
    assert offered == [function.title for function in ACTIVATIONS.values()]
    for name, function in ACTIVATIONS.items():
        screen.root.get_by_text(function.title, exact=True).click()
        screen.expected.activation = name
        for layers in (0, 1, 50, 7):
            screen.slide("Layers n", layers)
            screen.check()


@pytest.mark.browser
def test_weight_and_bias(screen):
    for weight, bias in SETTINGS:
        screen.slide("Weight w", weight)
        screen.slide("Bias b", bias)
        screen.check()
    screen.root.get_by_role("slider", name="Weight w").focus()
    screen.page.keyboard.press("Home")
    screen.expected.weight = 0.1
    screen.check()


@pytest.mark.browser
def test_dragging_the_input(screen):
    box = screen.map.bounding_box()
    mouse = screen.page.mouse
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
    mouse.down()
    for right in (0.2, 0.6, 0.9):
        mouse.move(box["x"] + right * box["width"], box["y"] + 60, steps=3)
        screen.frame()
        at = -4 + (right * box["width"] - 42) / (box["width"] - 50) * 8
        assert float(screen.map.get_attribute("aria-valuenow")) == pytest.approx(at, abs=0.03)
        screen.expected.input = float(screen.map.get_attribute("aria-valuenow"))
        screen.check()
    mouse.move(box["x"] - 60, box["y"])
    screen.expected.input = -4.0
    screen.check()
    mouse.up()
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
    screen.check()


@pytest.mark.browser
def test_keys_move_the_input(screen):
    screen.map.focus()
    for key, value in {
        "ArrowRight": 1.55, "ArrowUp": 1.6, "ArrowLeft": 1.55, "ArrowDown": 1.5, "PageUp": 2.0, "PageDown": 1.5,
        "Home": -4.0, "End": 4.0,
    }.items():  # fmt: skip
        screen.page.keyboard.press(key)
        screen.expected.input = value
        screen.check()
    screen.page.keyboard.press("Control+ArrowLeft")
    screen.check()
    screen.page.wait_for_timeout(500)
    assert re.match(r"After 10 layers: value 0\.659, product \d", screen.root.locator("[role=status]").inner_text())


DRAWN = """(root, [part, across, color]) => {
    const canvas = root.querySelector(part), context = canvas.getContext("2d");
    const wanted = getComputedStyle(canvas).getPropertyValue(`--bb-${color}`).trim();
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(wanted.slice(at, at + 2), 16));
    const column = context.getImageData(Math.round(across * devicePixelRatio), 0, 1, canvas.height).data;
    const rows = [];
    for (let y = 0; y < canvas.height; y++) {
        const [red, green, blue, opacity] = column.slice(4 * y, 4 * y + 4);
        const off = Math.abs(red - r) + Math.abs(green - g) + Math.abs(blue - b);
        if (opacity > 200 && off < 30) rows.push(y / devicePixelRatio);
    }
    return { rows, width: canvas.clientWidth, height: canvas.clientHeight };
}"""


@pytest.mark.browser
def test_the_factor_and_the_products_are_drawn_where_they_are(screen):
    """Read pixels: the orange curve of the first picture, the orange line of the second, the bars of the fourth."""
    screen.slide("Layers n", 30)
    screen.frame()
    size = screen.root.evaluate(DRAWN, [".bb-ac-map", 0, "positive"])
    wide, tall = size["width"] - 50, size["height"] - 28
    for at in (-2.0, 3.0):  # away from the dots
        rows = screen.root.evaluate(DRAWN, [".bb-ac-map", 42 + (at + 4) / 8 * wide, "positive"])["rows"]
        low, high = -0.15, 1.25  # what the axis shows where all lies between 0 and 1
        value = high - (np.mean(rows) + 0.5 - 8) / tall * (high - low)
        assert value == pytest.approx(ACTIVATIONS["sigmoid"].derivative(at), abs=0.015)
    rows = screen.root.evaluate(DRAWN, [".bb-ac-depth", 42 + 30 / 50 * wide, "positive"])["rows"]
    power = 12 - (np.mean(rows) + 0.5 - 8) / tall * (12 + 45)
    median = np.quantile(screen.expected.result.log_product, 0.5, method="lower")
    assert power == pytest.approx(median, abs=1.2)
    across = 34 + (np.floor(median) + 0.5 + 40) / 52 * (size["width"] - 40)
    bar = screen.root.evaluate(DRAWN, [".bb-ac-products", across, "positive"])
    assert len(bar["rows"]) > 0.7 * (bar["height"] - 34)


@pytest.mark.browser
def test_touch_moves_the_input(page_with):
    screen = Screen(page_with(ActivationExplorer(), width=360, has_touch=True))
    box = screen.map.bounding_box()
    screen.page.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + 60)
    screen.frame()
    screen.expected.input = float(screen.map.get_attribute("aria-valuenow"))
    assert screen.expected.input == pytest.approx(-4 + (0.7 * box["width"] - 42) / (box["width"] - 50) * 8, abs=0.05)
    screen.check()


@pytest.mark.browser
def test_it_follows_python(page_with):
    widget = ActivationExplorer(activation="gelu", weight=1.5)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    first, second = page.locator(".bb-widget").all()
    first.get_by_text("tanh", exact=True).click()
    first.get_by_role("slider", name="Bias b").fill("1.2")
    page.wait_for_timeout(100)
    for part in (".bb-ac-numbers", ".bb-ac-factors", ".bb-controls >> nth=1"):
        assert first.locator(part).inner_text() == second.locator(part).inner_text()
    assert second.get_by_role("radio", name="tanh").is_checked()


@pytest.mark.browser
def test_it_fits_and_is_accessible(page_with):
    page_checks.assert_sound(page_with(ActivationExplorer(weight=3.0)))


@pytest.mark.browser
@pytest.mark.parametrize("width", [720, 360])
def test_nothing_jumps_while_it_is_moved(page_with, width):
    screen = Screen(page_with(ActivationExplorer(activation="elu"), width=width))
    before = screen.root.bounding_box()["height"]
    for layers, weight in [(0, 1.0), (1, 6.0), (50, 6.0), (50, 0.1), (33, 1.2)]:
        screen.slide("Layers n", layers)
        screen.slide("Weight w", weight)
        screen.frame()
        assert screen.root.bounding_box()["height"] == before
