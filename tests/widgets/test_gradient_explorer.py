"""GradientExplorer: its functions against PyTorch in float64, and every control on a page."""

import itertools
import re

import deep_network
import numpy as np
import page_checks
import pytest
import traitlets
from page_checks import number

from backbone import deep
from backbone.data import LabeledImages, fashion_mnist
from backbone.widgets import GradientExplorer
from backbone.widgets.base import HERE, join
from backbone.widgets.gradient_explorer import ANSWERS, CHOICES, LADDER, MOST, USUAL

PICTURES = fashion_mnist("train")[:24]


def made(setting=None, **changes):
    return GradientExplorer(PICTURES, setting, **changes)


def parts_of(setting):
    return setting["activation"], setting["normalization"], setting["residual"]


def autograd(widget):
    """The numbers of the network from PyTorch's automatic differentiation: name -> one for each layer."""
    loss, h, grad_h, grad_w = deep_network.autograd(widget.weights, *parts_of(widget.setting), *widget.batch)
    size = {"gradH": grad_h, "gradW": grad_w[:-1]}
    numbers = {name: np.array([deep.rms(one) for one in arrays]) for name, arrays in size.items()}
    return numbers | {
        "loss": loss,
        "mean": np.array([one.mean() for one in h]),
        "std": np.array([one.std() for one in h]),
        "h": h,
        "grad": grad_h,
    }


def profile(widget):
    """The same from `backbone.deep`, which counts saturated and dead units too."""
    network = deep.Network(tuple(widget.weights), *parts_of(widget.setting))
    return deep.profile_of(network, *widget.batch)


# --- Python -------------------------------------------------------------------------------------------------


def test_what_travels_is_small():
    widget = made()
    size = (widget.pixels.nbytes + widget.noise.nbytes) * 4 / 3  # as base64
    assert size < 150_000


def test_settings_left_out_are_the_usual_ones():
    widget = made({"depth": np.int64(30), "gain": 2})
    assert widget.setting == USUAL | {"depth": 30, "gain": 2.0}
    widget.setting = {"residual": True}
    assert widget.setting == USUAL | {"residual": True}
    assert made().setting == LADDER["sigmoid"]


@pytest.mark.parametrize("setting", LADDER.values(), ids=LADDER)
def test_weights_are_drawn_as_gradients_draws_them(setting):
    widget = made(setting)
    drawn = deep.make_network(**setting, width=24, inputs=196)
    for own, other in zip(widget.weights, drawn.weights, strict=True):
        assert own.shape == other.shape
        assert own.std() == pytest.approx(other.std(), rel=0.15)
    _, labels = widget.batch
    assert labels.tolist() == PICTURES.labels.tolist()


def test_pictures_travel_at_half_their_size():
    x, _ = made().batch
    assert x.shape == (24, 196)
    assert (x.mean(), x.std()) == pytest.approx((0, 1), abs=1e-12)
    small = PICTURES.images[:, 0].double().unfold(1, 2, 2).unfold(2, 2, 2).mean((3, 4)).flatten(1).numpy()
    assert np.corrcoef(x.ravel(), small.ravel())[0, 1] > 0.9999


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"depth": 61}, r"setting\['depth'\] is 61; it must be an integer from 2 to 60"),
        ({"depth": 5.5}, "'depth'"),
        ({"depth": True}, "'depth'"),
        ({"gain": 5}, r"setting\['gain'\] is 5; it must be a number from 0.25 to 4"),
        ({"gain": float("nan")}, "'gain'"),
        ({"activation": "swish"}, "'activation'.* one of 'none', 'sigmoid'"),
        ({"init": "kaiming"}, "'init'.* one of 'normal', 'xavier', 'he'"),
        ({"normalization": "none"}, "'normalization'.* one of None, 'batch', 'layer'"),
        ({"residual": 1}, "'residual'.* one of False, True"),
        ({"width": 3}, "setting has 'width'; it may have depth"),
    ],
)
def test_a_bad_setting_is_named(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        made(change)


@pytest.mark.parametrize("change", [{"bars": "h"}, {"step": -1}, {"step": 61}, {"answer": "-7"}])
def test_a_bad_trait_is_refused(change):
    with pytest.raises(traitlets.TraitError):
        made(**change)


def test_bad_pictures_are_named():
    images, labels = PICTURES.images, PICTURES.labels
    for bad, message in [
        (LabeledImages(images[:, 0], labels), "they must be uint8"),
        (LabeledImages(images.float(), labels), "they must be uint8"),
        (fashion_mnist("train")[: MOST + 1], f"has {MOST + 1} entries; give 8 to {MOST}"),
        (LabeledImages(images[..., :27], labels), "28 by 27; both sides must be even"),
        (LabeledImages(images, labels[:5]), r"labels of shape \(5,\)"),
        (LabeledImages(images, labels + 5), "they must be \\(N,\\), 0 to 9"),
        (LabeledImages(images * 0, labels), "one gray"),
    ]:
        with pytest.raises(ValueError, match=message):
            GradientExplorer(bad)


# --- The functions of the module ------------------------------------------------------------------------------


MEASURE = """([settings]) => settings.map((setting) => {
    const found = m.measure(m.weightsOf(data.noise, data.inputs, setting), setting, data.x, data.labels);
    const plain = (value) => (ArrayBuffer.isView(value) ? [...value] : Array.isArray(value) ? value.map(plain) : value);
    return Object.fromEntries(Object.entries(found).map(([name, value]) => [name, plain(value)]));
})"""


@pytest.fixture(scope="module")
def module(module_of):
    """Evaluate in a page where `m` is the module, and `data` is what the view reads from the model."""
    evaluate, widget = module_of(join(HERE / "gradient_explorer" / "maths.js")), made()
    state = {name: np.ravel(getattr(widget, name)).tolist() for name in ("noise", "pixels", "labels", "statistics")}
    evaluate(
        """(state) => {
            const [mean, std] = state.statistics;
            const x = Float64Array.from(state.pixels, (pixel) => (pixel - mean) / std);
            const noise = Float64Array.from(state.noise);
            window.data = { x, noise, labels: state.labels, inputs: x.length / state.labels.length };
        }""",
        state,
    )
    return evaluate


def close(found, expected, tolerance):
    """Compare on the scale of each number, wherever between 1e-100 and 1e40 it lies."""
    np.testing.assert_allclose(np.array(found, float), expected, rtol=tolerance)  # 1e36 comes as an integer


SIZES = [(30, "he", 1.0), (60, "xavier", 0.9), (2, "normal", 4.0), (17, "xavier", 1.5), (60, "normal", 0.25)]
PARTS = itertools.product(CHOICES["activation"], CHOICES["normalization"], CHOICES["residual"])
GRID = [
    {"depth": depth, "activation": activation, "init": init, "gain": gain, "normalization": kind, "residual": residual}
    for (activation, kind, residual), (depth, init, gain) in zip(PARTS, itertools.cycle(SIZES), strict=False)
]


def test_every_combination_equals_pytorch(module):
    for setting, found in zip(GRID, module(MEASURE, [GRID]), strict=True):
        check(setting, found, 1e-7 if setting["normalization"] and setting["depth"] > 30 else 1e-9)


BOUNDS = {
    "sigmoid": (1e-33, 1e-30),
    "tanh": (0.01, 1),
    "xavier": (1e-10, 1e-6),
    "he": (0.01, 100),
    "batch": (1e3, 1e6),
    "skips": (1e6, 1e10),
    "both": (3, 100),
}


def test_the_ladder_equals_pytorch(module):
    """To nine digits, at 1e-32 as at 1e7."""
    for (name, setting), found in zip(LADDER.items(), module(MEASURE, [list(LADDER.values())]), strict=True):
        check(setting, found, 1e-9)
        low, high = BOUNDS[name]
        assert low < found["gradH"][0] / found["gradH"][-1] < high


def test_the_ends_of_the_gain_equal_pytorch(module):
    # Not deeper with the large gain: where gradients explode, so do rounding errors on their way forward.
    ends = itertools.product(["sigmoid", "tanh", "relu", "gelu", "elu"], ((60, 0.25), (15, 4.0)))
    settings = [USUAL | {"depth": depth, "activation": name, "gain": gain} for name, (depth, gain) in ends]
    for setting, found in zip(settings, module(MEASURE, [settings]), strict=True):
        check(setting, found, 1e-9)


def check(setting, found, tolerance):
    widget = made(setting)
    expected, counted = autograd(widget), profile(widget)
    assert found["loss"] == pytest.approx(expected["loss"], rel=tolerance)
    for name in ("gradH", "gradW", "std"):
        close(found[name], expected[name], tolerance)
    # A mean may be small beside what it is the mean of.
    assert np.abs(np.array(found["mean"], float) - expected["mean"]).max() <= tolerance * np.abs(expected["std"]).max()
    for name in ("h", "grad"):
        for one, other in zip(found[name], expected[name], strict=True):
            assert np.abs(np.array(one, float) - other.ravel()).max() <= 10 * tolerance * np.abs(other).max()
    np.testing.assert_allclose(found["saturated"], counted.saturated, atol=1.5 / 576)
    np.testing.assert_allclose(found["dead"], counted.dead, atol=1e-12)
    close(found["gradH"], counted.grad_h, tolerance)


def test_weights_equal_pythons(module):
    for setting in GRID[:6]:
        script = "([setting]) => m.weightsOf(data.noise, data.inputs, setting).map((weight) => [...weight])"
        for own, other in zip(module(script, [setting]), made(setting).weights, strict=True):
            np.testing.assert_allclose(own, other.ravel(), rtol=1e-15)


def test_histograms_gain_and_the_axis(module):
    values = np.random.default_rng(0).standard_normal(576) * 1e-33
    found = module("(v) => m.histogram(v)", values.tolist())
    assert found["limit"] == np.abs(values).max()
    edges = np.linspace(-1, 1, 32) * np.abs(values).max()
    assert found["counts"] == np.histogram(values, edges)[0].tolist()
    assert module("() => m.histogram([0, 0]).counts")[15] == 2
    assert module("(v) => m.middleSize(v)", values.tolist()) == pytest.approx(np.median(np.abs(values)), rel=1e-12)
    gains = module("() => Array.from({ length: 65 }, (_, i) => m.toGain(i - 32))")
    assert (gains[0], gains[32], gains[-1]) == (0.25, 1, 4)
    assert (np.diff(gains) > 0).all()
    assert module("(g) => g.map(m.toStep)", gains) == list(range(-32, 33))
    assert module("() => [m.rms([3e-200, 4e-200]), m.rms([3e200, -4e200])]") == pytest.approx(
        [np.sqrt(12.5) * 1e-200, np.sqrt(12.5) * 1e200]
    )
    sizes = [1e-30, 1e-3, 2.0]
    np.testing.assert_allclose(module("(sizes) => m.logsOf(sizes)", sizes), np.log10(np.array(sizes) / 2), rtol=1e-12)
    assert module("() => [-99, -36, -12, 12, 99].map(m.heightOf)") == [0, 0, 0.5, 1, 1]
    assert module("() => [0, 0.9, 1, 1.9, 2, 9.2, 10].map((step) => m.layerAt(step, 10))") == [10, 10, 10, 10, 9, 2, 1]
    assert module("() => [-31, -7.4, -7.6, 2].map((log) => m.nearest([-30, -10, -5, 0], log))") == [-30, -5, -10, 0]


# --- On a page --------------------------------------------------------------------------------------------------

LOW, HIGH = -36, 12  # the powers of ten at the ends of the axis


# Of each panel the texts under it, and its bars.
PANELS = """(panels) => panels.map((panel) => [
    [...panel.querySelectorAll(".bb-grad-feet span")].map((one) => one.innerText),
    panel.querySelector(".bb-grad-lit").getAttribute("d"),
])"""


class Screen:
    """A GradientExplorer on a page, and one in Python that has the settings which the page should have."""

    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").first
        self.chart = self.root.locator(".bb-grad-chart")
        self.open()

    def open(self):
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def frame(self):
        self.page.evaluate(page_checks.FRAMES, 2)

    def slide(self, name, value):
        self.root.get_by_role("slider", name=name).fill(str(value))

    def choose(self, group, option):
        self.root.get_by_role("group", name=group).get_by_text(option, exact=True).click()

    def says(self):
        return self.root.locator(".bb-says").inner_text()

    def drawn(self):
        """Return the powers of ten at which the bars end, and how many of them are lit."""
        path, cut = self.root.locator(".bb-grad-lit").first.evaluate("(n) => [n.getAttribute('d'), n.style.clipPath]")
        tops = [float(top) for top in re.findall(r"1V(-?[\d.]+)h", path)]
        return HIGH - np.array(tops) * (HIGH - LOW), 1 - float(re.findall(r"([\d.]+)%", cut)[0]) / 100

    def check(self, **changes):
        """Compare all that is drawn and printed with PyTorch's."""
        self.frame()
        for name, value in changes.items():
            setattr(self.expected, name, value)
        widget, numbers, counted = self.expected, autograd(self.expected), profile(self.expected)
        depth = widget.setting["depth"]
        step = min(widget.step, depth)
        logs = np.log10(numbers[widget.bars] / numbers[widget.bars][-1])
        tops, lit = self.drawn()
        np.testing.assert_allclose(tops, logs.clip(LOW, HIGH), atol=5e-4)
        assert lit == pytest.approx(step / depth, abs=1e-5)
        layer = min(depth, depth - int(step) + 1)
        assert self.chart.get_attribute("aria-valuenow") == str(layer if step >= 1 else depth + 1)
        if step >= 1:
            value = self.chart.get_attribute("aria-valuetext")
            assert value.startswith(f"layer {layer}: ")
            for text in (value.split(": ")[1], self.root.locator(".bb-grad-words").inner_text().strip("↑↓ ")):
                assert number(text) == pytest.approx(10 ** logs[layer - 1], rel=0.051)
        self.check_layer(numbers, counted, layer)
        self.check_words(logs, layer, step)

    def check_layer(self, numbers, counted, layer):
        at = layer - 1
        texts = self.root.locator(".bb-numbers tbody td").all_inner_texts()
        found = [number(text.removesuffix(" %")) for text in texts]
        std = numbers["std"][at]
        exact = [numbers["gradH"][at], numbers["gradW"][at], numbers["mean"][at], std]
        for shown, value in zip(found[:4], exact, strict=True):
            assert shown == pytest.approx(value, rel=0.051, abs=1e-12 * std)
        assert found[4:] == pytest.approx([100 * counted.saturated[at], 100 * counted.dead[at]], abs=0.51)
        panels = self.root.locator(".bb-panel").evaluate_all(PANELS)
        for (ends, bars), values in zip(
            panels[:2], (numbers["h"][at].ravel(), numbers["grad"][at].ravel()), strict=True
        ):
            limit = np.abs(values).max()
            assert [-number(ends[0]), number(ends[2])] == pytest.approx([limit, limit], rel=0.051)
            tall = {int(float(x)): 100 - float(y) for x, y in re.findall(r"M([\d.]+) 100V([\d.]+)h", bars)}
            counts = np.histogram(values, np.linspace(-limit, limit, 32))[0]
            drawn = np.array([tall.get(bin_, 0) for bin_ in range(31)])
            # Values at an edge between bins may fall to either side of it.
            assert np.abs(drawn / 98 * counts.max() - counts).sum() <= 4 + 0.02 * counts.max()

    def check_words(self, logs, layer, step):
        says, depth = self.says(), self.expected.setting["depth"]
        if step < 1:
            assert says.startswith("Nothing has come back yet")
        elif layer == depth:
            assert says.startswith(f"The gradient has come back to layer {depth}")
        elif layer > 1:
            assert f"Back to layer {layer}:" in says
        elif self.expected.answer:
            assert says.startswith(("Yes, ", "No, it is "))
        else:
            verdict = "vanishes" if logs[0] < -3 else "explodes" if logs[0] > 3 else "lasts"
            assert says.startswith(f"It {verdict}: layer 1 has ")
            factor = number(re.search(r"multiplies by (\S+)\.$", says)[1])
            assert factor == pytest.approx(10 ** (logs[0] / (depth - 1)), abs=5.1e-4)

    def change(self, **changes):
        """Take down what the page should have now, and compare."""
        setting = self.expected.setting | changes
        self.check(setting=setting, step=float(setting["depth"]), answer="")


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=722), made())


def test_every_control(screen):
    screen.check()
    for value in (23, 60, 2, 12):
        screen.slide("Layers", value)
        screen.change(depth=value)
    for step, gain in {-32: 0.25, 8: 1.41, 32: 4.0, 0: 1.0}.items():
        screen.slide("Gain", step)
        screen.change(gain=gain)
        usual = screen.root.locator(".bb-grad-usual").get_attribute("d")
        if gain == 1:
            assert usual == ""
            continue
        numbers = autograd(made(screen.expected.setting | {"gain": 1}))["gradH"]
        heights = [float(y) for y in re.findall(r",(-?[\d.]+)", usual)]
        exact = np.log10(numbers / numbers[-1]).clip(LOW, HIGH)
        np.testing.assert_allclose(HIGH - np.array(heights) * (HIGH - LOW), exact, atol=3e-3)
    for name in CHOICES["activation"]:
        screen.root.get_by_label("Activation").select_option(name)
        screen.change(activation=name)
    for name in CHOICES["init"]:
        screen.root.get_by_role("combobox", name="First weights").select_option(name)
        screen.change(init=name)
    for name, text in {"gradW": "|∂L/∂W|", "std": "spread of h", "gradH": "|∂L/∂h|"}.items():
        screen.choose("Bars", text)
        screen.check(bars=name)
    text = screen.root.locator(".bb-grad-block")
    for norm, skip, block in (("batch", "none", "φ(BN(W h))"), ("layer", "h + …", "h + W φ(LN(h))"),
                              ("none", "h + …", "h + W φ(h)"), ("none", "none", "φ(W h)")):  # fmt: skip
        screen.choose("Normalization", norm)
        screen.choose("Skips", skip)
        screen.change(normalization=None if norm == "none" else norm, residual=skip != "none")
        assert f"h′ = {block}." in text.inner_text()
    assert screen.root.get_by_label("Network").input_value() == "own"


def test_the_line_by_keys_and_by_dragging(screen):
    screen.slide("Layers", 40)
    screen.change(depth=40)
    screen.chart.focus()
    keys = {"End": 41, "ArrowLeft": 40, "PageDown": 30, "ArrowUp": 31, "ArrowRight": 32, "ArrowDown": 31,
            "PageUp": 41, "Home": 1, "Shift+ArrowRight": 11}  # fmt: skip
    for key, layer in keys.items():
        screen.page.keyboard.press(key)
        screen.check(step=41 - layer)
    box, mouse = screen.root.locator(".bb-grad-inside").bounding_box(), screen.page.mouse
    mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 90)
    mouse.down()
    screen.check(step=18)
    for right, step in ((box["width"] + 40, 0), (-9, 40)):
        mouse.move(box["x"] + right, box["y"] + 20, steps=3)
        screen.check(step=step)
    mouse.up()
    mouse.move(box["x"] + 200, box["y"] + 20)
    screen.check()


FAR = """() => Number(document.querySelector(".bb-grad-chart").getAttribute("aria-valuenow"))"""


def test_predict_then_see(page_with):
    page = page_with(made(), width=722, reduced_motion="reduce")
    screen = Screen(page, made())
    for name, setting in list(LADDER.items())[1:]:
        screen.root.get_by_label("Network").select_option(name)
        screen.check(setting=setting, step=1, answer="")
        assert screen.root.locator(".bb-grad-answer:visible").count() == len(ANSWERS)
        assert "What is that of layer 1?" in screen.root.locator(".bb-question").inner_text()
        # Nothing on the page gives the answer away.
        numbers = autograd(screen.expected)["gradH"]
        log = np.log10(numbers[0] / numbers[-1])
        assert f"{10**log:.1e}"[:3] not in screen.says()
        truth = min(ANSWERS, key=lambda power: abs(int(power) - log))
        given = truth if name in ("tanh", "skips") else "-20"
        screen.root.locator(f".bb-grad-answer[aria-label='Times {written(given)}']").click()
        if name != "tanh":  # one film is enough
            screen.chart.press("Home")
        page.wait_for_function(f"() => ({FAR})() === 1")
        screen.check(step=50, answer=given)
        read_out = re.match(r"(Yes,|No, it is) (\S+): (\S+) a layer\. \S", screen.says())
        assert (read_out[1] == "Yes,") == (given == truth)
        assert number(read_out[2]) == pytest.approx(10**log, rel=0.051)
        assert number(read_out[3]) == pytest.approx(10 ** (log / 49), abs=5.1e-4)
        marked = screen.root.locator(".bb-grad-answer:visible")
        assert set(marked.all_inner_texts()) == {written(given), written(truth)}
        assert screen.root.locator(".bb-true:visible").inner_text() == written(truth)
    screen.slide("Gain", 10)
    screen.frame()
    assert screen.root.locator(".bb-grad-answer:visible").count() == 0


def written(power):
    raised = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(one)] if one != "-" else "⁻" for one in power)
    return f"10{raised}" if power != "0" else "1"


def test_the_film_plays_from_the_loss_and_rests_where_it_is_stopped(screen):
    play = screen.root.get_by_role("button", name="Play")
    play.click()
    screen.page.wait_for_function(f"() => ({FAR})() < 48 && ({FAR})() > 3")
    screen.root.get_by_role("button", name="Pause").click()
    screen.frame()
    _, lit = screen.drawn()
    screen.frame()
    assert screen.drawn()[1] == lit
    assert 0 < lit < 1
    screen.chart.press("ArrowLeft")
    screen.frame()
    assert screen.drawn()[1] != lit


def test_a_bar_beyond_the_axis_says_so(page_with):
    for setting, arrow in (({"depth": 60, "activation": "sigmoid", "init": "normal"}, "↓"),
                           ({"depth": 60, "activation": "none", "gain": 4.0}, "↑")):  # fmt: skip
        screen = Screen(page_with(made(setting), width=722), made(setting))
        screen.check()
        assert screen.root.locator(".bb-grad-words").inner_text().startswith(arrow)


def test_two_views_go_in_step_and_what_is_seen_is_said(page_with):
    widget = made(step=7)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=360, has_touch=True)
    first, second = page.locator(".bb-widget").all()
    screen = Screen(page, made(step=7))
    screen.check()
    page.evaluate("scrollTo(0, 0)")
    box = screen.root.locator(".bb-grad-inside").bounding_box()
    page.touchscreen.tap(box["x"] + 2, box["y"] + 60)
    screen.check(step=50)
    screen.root.get_by_label("Network").select_option("both")
    screen.frame()
    assert first.inner_text().startswith(second.inner_text()[:200])
    page.wait_for_function("() => document.querySelector('.bb-says').ariaLive === 'polite'")
    assert screen.says().startswith("The gradient has come back to layer 50.")


def test_it_is_a_figure_sound_and_nothing_jumps(page_with):
    page = page_with(made(LADDER["xavier"], step=1))
    page_checks.assert_figure(page)
    root = page.locator(".bb-widget")
    gain, chart, network = "input[aria-label^=Gain]", ".bb-grad-chart", "select"
    acts = [[gain, step] for step in ("-32", "32", "0")] + [
        [chart, f"key {key}"] for key in ("End", "ArrowLeft", "Home")
    ]
    acts += [[network, name, ["button|10⁻¹⁰", None], [chart, "key Home"]] for name in LADDER]
    for width in (722, 360):
        page_checks.resize(page, width)
        assert page_checks.jumps(page, acts) == []
    root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")
    page.evaluate(page_checks.FRAMES, 3)
    acts = [["input[aria-label=Layers]", depth] for depth in ("60", "2", "50")] + [[".bb-segmented label", None]]
    assert page_checks.jumps(page, acts) == []
    page.locator("select").first.select_option("xavier")
    page_checks.assert_sound(page)
