"""ActivationExplorer: its functions and its screen in a real browser, held against `backbone.layers.ACTIVATIONS`."""

import itertools

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import number

from backbone.layers import ACTIVATIONS
from backbone.widgets import ActivationExplorer
from backbone.widgets.activation_explorer import DEEPEST, chain
from backbone.widgets.base import HERE, join

SETTINGS = [(1.0, 0.0), (0.1, -4.0), (4.0, -2.0), (6.0, 4.0), (1.5, 0.3)]

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
    for bad in ({"activation": "softmax"}, {"layers": 50.5}, {"weight": 0.0}, {"bias": 5.0}, {"input": -4.5}):
        with pytest.raises(traitlets.TraitError):
            ActivationExplorer(**bad)


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(f"{join(HERE / 'activation_explorer' / 'maths.js')}\nexport {{ activationFunctions }};")


SPREAD = """([name, inputs, settings]) => settings.map(([weight, bias]) =>
    m.spread(m.activationFunctions[name], Float64Array.from(inputs), 50, weight, bias)
        .map(({ values, logs, flat }) => [values, logs, flat]))"""


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_signal_product_and_saturation_equal_python(module, name):
    inputs = ActivationExplorer().inputs[::7]
    found = module(SPREAD, [name, inputs.tolist(), SETTINGS])
    for (weight, bias), depths in zip(SETTINGS, found, strict=True):
        assert len(depths) == 51
        for layers in (0, 1, 2, 10, 50):
            values, logs, flat = (np.array(part, dtype=float) for part in depths[layers])
            expected = chain(ACTIVATIONS[name], inputs, layers, weight, bias)
            np.testing.assert_allclose(values, expected.values, rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(logs, expected.log_product, rtol=1e-9, atol=1e-9)
            assert (flat.astype(bool) == expected.saturated).all()


def test_the_way_of_one_input_equals_python(module):
    for name in ACTIVATIONS:
        way = module("([name]) => m.wayOf(m.activationFunctions[name], 0.8, 5, 1.3, 0.1)", [name])
        found = [chain(ACTIVATIONS[name], [0.8], layers, 1.3, 0.1) for layers in range(6)]
        np.testing.assert_allclose(way["values"], [one.values[0] for one in found], rtol=1e-12)
        np.testing.assert_allclose(way["logs"], [one.log_product[0] for one in found], rtol=1e-9, atol=1e-12)
        assert np.log10(np.abs(np.prod(way["factors"]))) == pytest.approx(way["logs"][-1])


def test_quantiles_equal_numpys(module):
    numbers = np.random.default_rng(0).normal(size=77)
    shares = [0, 0.1, 0.5, 0.9, 1]
    found = module("([numbers, shares]) => m.quantiles(numbers, shares)", [numbers.tolist(), shares])
    np.testing.assert_array_equal(found, np.quantile(numbers, shares, method="lower"))


def test_an_input_hops_from_the_curve_to_the_line_and_to_the_curve(module):
    values = [1.5, 0.8, 0.6, 0.5]
    places = module(
        "([values, steps]) => steps.map((at) => m.placeAt(values, at))", [values, [0, 0.5, 1, 1.5, 1.75, 2, 3]]
    )
    expected = [(1.5, -1.4), (1.5, -0.3), (1.5, 0.8), (0.8, 0.8), (0.8, 0.7), (0.8, 0.6), (0.6, 0.5)]
    np.testing.assert_allclose(places, expected, atol=1e-12)
    ways = module("([values, steps]) => steps.map((at) => m.wayTo(values, at))", [values, [0, 1, 1.25, 1.75, 2]])
    start = [[1.5, -1.4]]
    assert ways[0][0] == ways[0][-1] == start[0]
    np.testing.assert_allclose(ways[1], [*start, [1.5, 0.8], [1.5, 0.8]])
    np.testing.assert_allclose(ways[2], [*start, [1.5, 0.8], [1.15, 0.8]])
    np.testing.assert_allclose(ways[3], [*start, [1.5, 0.8], [0.8, 0.8], [0.8, 0.7]])
    np.testing.assert_allclose(ways[4][-2:], [[0.8, 0.6], [0.8, 0.6]])
    assert module("() => [[0, 0], [4.1, 1], [0, 2.7], [-4, -1.5], [-4, 2.6]].map(m.inView)") == [
        True,
        *[False] * 3,
        True,
    ]


def test_numbers_are_written_to_be_read(module):
    given = [0.21349, -1.3, 2.1e-13, 9.96e-13, 0, 1, 12345, 150, -3.4e20, 0.00999, 0.01, 0.9999, 99.99]
    expected = "0.213 −1.30 2.1×10⁻¹³ 1.0×10⁻¹² 0 1.00 1.2×10⁴ 150 −3.4×10²⁰ 0.010 0.010 1.00 100.0"
    assert " ".join(module("(given) => given.map(m.number)", given)) == expected
    assert module("() => m.listed([0.1, 0.2, 0.3])") == "0.100 × 0.200 × 0.300"
    assert module("() => m.listed([0.1, 0.2, 0.3, 1, 1, 0.5])") == "0.100 × 0.200 × 0.300 × … × 0.500"


def test_the_curve_is_one_layer_and_gray_where_it_saturates(module):
    found = module("() => m.layerCurve(m.activationFunctions.tanh, 2, 0.5)")
    at, out = np.transpose(found["curve"])
    np.testing.assert_allclose(out, ACTIVATIONS["tanh"].value(2 * at + 0.5), atol=1e-12)
    (left, right), edge = found["flat"], np.arctanh(np.sqrt(0.9))
    assert left == pytest.approx([-4, (-edge - 0.5) / 2], abs=0.03)
    assert right == pytest.approx([(edge - 0.5) / 2, 4], abs=0.03)


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page, expected=None):
        self.page, self.expected = page, expected or ActivationExplorer()
        self.root = page.locator(".bb-widget").first
        self.plot, self.strip = self.root.locator(".bb-ac-plot"), self.root.locator(".bb-ac-strip")
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def frame(self):
        self.page.evaluate(page_checks.FRAMES, 2)

    def says(self):
        return self.root.locator(".bb-says").inner_text()

    def slide(self, label, value):
        self.root.get_by_role("slider", name=label).fill(str(value))
        setattr(self.expected, {"Weight w": "weight", "Bias b": "bias"}[label], value)

    def go(self, layers):
        """Bring the strip to a layer, by keys."""
        keys = ["Home", *["ArrowRight"] * layers] if layers < 25 else ["End", *["ArrowLeft"] * (50 - layers)]
        self.strip.evaluate(page_checks.KEYS, keys)
        self.expected.layers = layers

    def check(self, **changes):
        """Compare what is written on the screen with Python's at the same settings."""
        self.frame()
        for name, value in changes.items():
            setattr(self.expected, name, value)
        widget = self.expected
        texts = self.root.locator(".bb-numbers tbody td").all_inner_texts()
        out, each, product, middle, zero, saturated = texts
        everyone, own = widget.result, widget.way
        assert float(self.plot.get_attribute("aria-valuenow")) == pytest.approx(widget.input)
        assert self.strip.get_attribute("aria-valuenow") == str(int(widget.layers))
        assert number(out) == pytest.approx(own.values[0], rel=0.05, abs=0.0006)
        median = np.quantile(everyone.log_product, 0.5, method="lower")
        for text, log in [(product, own.log_product[0]), (middle, median)]:
            assert abs(number(text)) == pytest.approx(10**log, rel=0.06)
        assert self.strip.get_attribute("aria-valuetext").endswith(f": {product}")
        assert number(zero) == pytest.approx(100 * np.mean(everyone.log_product == -np.inf), abs=0.051)
        if widget.layers < 1:
            assert self.says().startswith("No layer yet")
            return
        assert number(each) == pytest.approx(10 ** (own.log_product[0] / widget.layers), rel=0.06)
        assert number(saturated) == pytest.approx(100 * everyone.saturated.mean(), abs=0.051)
        assert self.root.locator(".bb-ac-factors").inner_text().endswith(f" = {product}")
        given = f"{widget.input:g}".replace("-", "−")
        assert f"your input {given} has become {out}. The product of the slopes on its way is {product}." in self.says()


@pytest.fixture
def screen(page_with):
    return Screen(page_with(ActivationExplorer(), width=720))


def test_every_activation_weight_and_bias(screen):
    screen.check()
    activation = screen.root.get_by_label("Activation")
    offered = activation.locator("option").all_inner_texts()
    assert offered == [function.title for function in ACTIVATIONS.values()]
    for layers in (0, 1, 50, 7):
        screen.go(layers)
        for name in ACTIVATIONS:
            activation.select_option(name)
            screen.check(activation=name)
    for weight, bias in SETTINGS:
        screen.slide("Weight w", weight)
        screen.slide("Bias b", bias)
        screen.check()
    screen.root.get_by_role("slider", name="Weight w").press("Home")
    screen.check(weight=0.1)


def test_the_input_and_the_layer_by_dragging_and_by_keys(screen):
    mouse = screen.page.mouse
    for node, name, low, high in ((screen.plot, "input", -4, 4), (screen.strip, "layers", 0, 50)):
        box = node.bounding_box()
        mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
        mouse.down()
        for right in (0.2, 0.9):
            mouse.move(box["x"] + right * box["width"], box["y"] + 60, steps=3)
            screen.frame()
            at = low + (right * box["width"] - 36) / (box["width"] - 48) * (high - low)
            now = float(node.get_attribute("aria-valuenow"))
            assert now == pytest.approx(at, abs=0.03 if name == "input" else 0.51)
            screen.check(**{name: now})
        mouse.move(box["x"] - 60, box["y"])
        screen.check(**{name: low})
        mouse.up()
        mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
        screen.check()
    for key, value in {"Home": -4.0, "ArrowRight": -3.95, "PageUp": -3.45, "End": 4.0, "ArrowLeft": 3.95,
                       "ArrowUp": 4.0, "Control+ArrowLeft": 4.0}.items():  # fmt: skip
        screen.plot.press(key)
        screen.check(input=value)
    for key, layers in {"End": 50, "PageDown": 40, "ArrowLeft": 39, "ArrowRight": 40, "Home": 0}.items():
        screen.strip.press(key)
        screen.check(layers=layers)
    screen.page.wait_for_function("() => document.querySelector('.bb-says').ariaLive === 'polite'")


def test_the_film_hops_from_the_first_layer_and_is_stopped(screen):
    screen.root.get_by_role("button", name="Play").click()  # it stood at its end
    read_layer = "() => Number(document.querySelector('.bb-ac-strip').getAttribute('aria-valuenow'))"
    screen.page.wait_for_function(f"() => {{ const at = ({read_layer})(); return at > 0 && at < 40; }}")
    screen.strip.press("ArrowRight")
    screen.frame()
    screen.check(layers=screen.page.evaluate(read_layer))
    assert screen.root.get_by_role("button", name="Play").is_visible()


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


def test_your_dot_and_the_products_are_drawn_where_they_are(screen):
    """Read pixels: the green dot on the curve, the orange bars under it, and the mark over one that is cut."""
    screen.go(1)
    screen.frame()
    size = screen.root.evaluate(DRAWN, [".bb-ac-plot", 0, "mark"])
    wide, tall = size["width"] - 48, size["height"] - 28
    rows = screen.root.evaluate(DRAWN, [".bb-ac-plot", 36 + (1.5 + 4) / 8 * wide + 4, "mark"])["rows"]
    value = 2.6 - (np.mean(rows) + 0.5 - 6) / tall * 4
    assert value == pytest.approx(screen.expected.way.values[0], abs=0.07)
    screen.go(30)
    screen.frame()

    def bar(layer):
        found = screen.root.evaluate(DRAWN, [".bb-ac-strip", 36 + (layer - 0.5) / 50 * wide, "positive"])
        high = found["height"] - 44
        return 12 - (min(found["rows"]) - 22) / high * 52 if found["rows"] else None

    for layer in (4, 20, 30):
        screen.expected.layers = layer
        assert bar(layer) == pytest.approx(screen.expected.way.log_product[0], abs=2.5)  # under the dash of the median
    assert bar(31) is None
    screen.root.get_by_label("Activation").select_option("relu")
    screen.slide("Weight w", 6.0)
    screen.check(activation="relu", layers=30)
    assert "beyond the picture" in screen.says()
    for layer, cut in ((2, False), (29, True)):
        column = [".bb-ac-strip", 36 + (layer - 0.5) / 50 * wide, "positive"]
        rows = screen.root.evaluate(DRAWN.replace("wanted.slice", "'#000000'.slice"), column)["rows"]
        assert (sum(16 <= row < 22 for row in rows) >= 3) == cut


def test_no_word_lies_on_a_bar_or_on_another(page_with):
    page = page_with(ActivationExplorer(activation="relu", weight=6.0, layers=50), width=320)
    page.evaluate(page_checks.HEAR_WORDS)
    for width in (360, 720):
        page_checks.resize(page, width)
        words = page.locator(".bb-ac-strip").evaluate("(canvas) => canvasWords.get(canvas)")
        assert "product of the slopes (– median of all)" in [word["text"] for word in words]
        cut = next(word for word in words if word["text"].startswith("↑"))
        assert cut["bottom"] < 17, "over the marks of bars that are cut"
        for one, other in itertools.combinations(words, 2):
            apart = one["right"] < other["left"] or other["right"] < one["left"]
            assert apart or one["bottom"] < other["top"] or other["bottom"] < one["top"], (one, other)


def test_two_views_go_in_step_and_by_touch(page_with):
    widget = ActivationExplorer(activation="gelu", weight=1.5, layers=1)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=360, has_touch=True)
    screen = Screen(page, ActivationExplorer(activation="gelu", weight=1.5, layers=1))
    box = screen.plot.bounding_box()
    page.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + 60)
    screen.frame()
    at = float(screen.plot.get_attribute("aria-valuenow"))
    assert at == pytest.approx(-4 + (0.7 * box["width"] - 36) / (box["width"] - 48) * 8, abs=0.05)
    screen.root.get_by_label("Activation").select_option("tanh")
    screen.check(input=at, activation="tanh")
    first, second = page.locator(".bb-says").all_inner_texts()
    assert first == second


def test_it_is_whole(page_with):
    page = page_with(ActivationExplorer(weight=3.0))
    weight, strip = "input[aria-label^=Weight]", ".bb-ac-strip"
    moves = [[strip, f"key {key}"] for key in ("Home", "ArrowRight", "End")]
    acts = [["select", name, [weight, "6", *moves], [weight, "0.1"]] for name in ("relu", "elu", "sigmoid")]
    page_checks.assert_whole(page, *acts)
    page_checks.unfold(page)
    assert page_checks.jumps(page, acts[:1]) == []
