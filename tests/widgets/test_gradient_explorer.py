"""GradientExplorer: its functions against PyTorch in float64, and every control on a page."""

import itertools
import re

import deep_network
import numpy as np
import page_checks
import pytest
import traitlets

from backbone import deep
from backbone.data import LabeledImages, fashion_mnist
from backbone.widgets import GradientExplorer
from backbone.widgets.gradient_explorer import CHOICES, LADDER, MOST, USUAL

PICTURES = fashion_mnist("train")[:24]
NAMES = ("a", "b", "edit", "layer", "asked", "guess", "answers")


def made(a=None, b=None, **changes):
    return GradientExplorer(PICTURES, a, b, **changes)


def autograd(widget, side):
    """The numbers of one network from PyTorch's automatic differentiation: name -> one for each layer."""
    setting = getattr(widget, side)
    parts = (setting["activation"], setting["normalization"], setting["residual"])
    loss, h, grad_h, grad_w = deep_network.autograd(widget.weights(side), *parts, *widget.batch)
    size = {"gradH": grad_h, "gradW": grad_w[:-1]}
    numbers = {name: np.array([deep.rms(one) for one in arrays]) for name, arrays in size.items()}
    return numbers | {
        "loss": loss,
        "mean": np.array([one.mean() for one in h]),
        "std": np.array([one.std() for one in h]),
        "h": h,
        "grad": grad_h,
    }


def profile(widget, side):
    """The same from `backbone.deep`, which counts saturated and dead units too."""
    setting = getattr(widget, side)
    parts = (setting["activation"], setting["normalization"], setting["residual"])
    network = deep.Network(tuple(widget.weights(side)), *parts)
    return deep.profile_of(network, *widget.batch)


# --- Python -------------------------------------------------------------------------------------------------


def test_what_travels_is_small():
    widget = made()
    size = (widget.pixels.nbytes + widget.noise.nbytes) * 4 / 3  # as base64
    print(f"state: {size / 1e3:.0f} KB")
    assert size < 150_000


def test_settings_left_out_are_the_usual_ones():
    widget = made(b={"depth": np.int64(30), "gain": 2})
    assert widget.a == USUAL | {"activation": "sigmoid", "init": "xavier"}
    assert widget.b == USUAL | {"depth": 30, "gain": 2.0}
    widget.b = {"residual": True}
    assert widget.b == USUAL | {"residual": True}


@pytest.mark.parametrize("setting", LADDER.values(), ids=LADDER)
def test_weights_are_drawn_as_gradients_draws_them(setting):
    widget = made(setting)
    drawn = deep.make_network(**setting, width=24, inputs=196)
    for own, other in zip(widget.weights("a"), drawn.weights, strict=True):
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
        ({"depth": 61}, r"a\['depth'\] is 61; it must be an integer from 2 to 60"),
        ({"depth": 5.5}, "'depth'"),
        ({"depth": True}, "'depth'"),
        ({"gain": 5}, r"a\['gain'\] is 5; it must be a number from 0.25 to 4"),
        ({"gain": float("nan")}, "'gain'"),
        ({"activation": "swish"}, "'activation'.* one of 'none', 'sigmoid'"),
        ({"init": "kaiming"}, "'init'.* one of 'normal', 'xavier', 'he'"),
        ({"normalization": "none"}, "'normalization'.* one of None, 'batch', 'layer'"),
        ({"residual": 1}, "'residual'.* one of False, True"),
        ({"width": 3}, "a has 'width'; a setting has depth"),
    ],
)
def test_a_bad_setting_is_named(change, message):
    with pytest.raises(traitlets.TraitError, match=message):
        made(change)


@pytest.mark.parametrize(
    "change",
    [{"edit": "c"}, {"layer": 0}, {"asked": "x"}, {"guess": 13}, {"answers": {"x": 1}}, {"answers": {"he": 99}}],
)
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
    evaluate, widget = module_of(GradientExplorer._esm), made()
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


@pytest.mark.browser
def test_every_combination_equals_pytorch(module):
    for setting, found in zip(GRID, module(MEASURE, [GRID]), strict=True):
        check(setting, found, 1e-7 if setting["normalization"] and setting["depth"] > 30 else 1e-9)


@pytest.mark.browser
@pytest.mark.parametrize("name", LADDER)
def test_the_ladder_equals_pytorch(module, name):
    """To nine digits, at 1e-32 as at 1e7."""
    (found,) = module(MEASURE, [[LADDER[name]]])
    check(LADDER[name], found, 1e-9)
    ratio = found["gradH"][0] / found["gradH"][-1]
    bounds = {
        "sigmoid": (1e-33, 1e-30),
        "tanh": (0.01, 1),
        "xavier": (1e-10, 1e-6),
        "he": (0.01, 100),
        "batch": (1e3, 1e6),
        "skips": (1e6, 1e10),
        "both": (3, 100),
    }[name]
    assert bounds[0] < ratio < bounds[1]


@pytest.mark.browser
@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu", "elu"])
def test_the_ends_of_the_gain_equal_pytorch(module, activation):
    # Not deeper with the large gain: where gradients explode, so do rounding errors on their way forward.
    settings = [USUAL | {"depth": depth, "activation": activation, "gain": g} for depth, g in ((60, 0.25), (15, 4.0))]
    for setting, found in zip(settings, module(MEASURE, [settings]), strict=True):
        check(setting, found, 1e-9)


def check(setting, found, tolerance):
    widget = made(setting)
    expected, counted = autograd(widget, "a"), profile(widget, "a")
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


@pytest.mark.browser
def test_weights_equal_pythons(module):
    for setting in GRID[:6]:
        script = "([setting]) => m.weightsOf(data.noise, data.inputs, setting).map((weight) => [...weight])"
        for own, other in zip(module(script, [setting]), made(setting).weights("a"), strict=True):
            np.testing.assert_allclose(own, other.ravel(), rtol=1e-15)


@pytest.mark.browser
def test_histograms_gain_and_print(module):
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


# --- On a page --------------------------------------------------------------------------------------------------


def sizes_of(path):
    """Return the sizes that a path shows: a thousandth of the chart is 0.052 powers of ten."""
    return [10 ** (12 - 0.052 * float(y)) for y in re.findall(r",(-?[\d.]+)", path)]


class Screen:
    """A GradientExplorer on a page, and one in Python that has the settings which the page should have."""

    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").first
        self.chart = self.root.get_by_role("slider", name="Layer looked at")

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def choose(self, legend, option):
        group = self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))
        group.get_by_text(option, exact=True).click()

    def row(self, name):
        return self.root.locator(f"td.bb-grad-{name}").all_inner_texts()

    def curve(self, kind, side):
        """Return the sizes that a chart draws."""
        chart = self.root.locator(".bb-grad-plot").nth(["gradH", "gradW"].index(kind))
        path = chart.locator(f"path.bb-grad-{side}").get_attribute("d") or ""
        return sizes_of(path)

    def check(self, layer=None):
        """Compare everything drawn and printed with PyTorch."""
        self.frame()
        shown = min(layer or self.expected.layer, max(self.expected.a["depth"], self.expected.b["depth"]))
        assert self.chart.get_attribute("aria-valuenow") == str(shown)
        for i, side in enumerate("ab"):
            setting = getattr(self.expected, side)
            numbers, counted = autograd(self.expected, side), profile(self.expected, side)
            at = min(shown, setting["depth"]) - 1
            ratio = numbers["gradH"][0] / numbers["gradH"][-1]
            printed = {
                "factor": ratio ** (1 / (setting["depth"] - 1)),
                "ratio": ratio,
                "ratioW": numbers["gradW"][0] / numbers["gradW"][-1],
                "gradH": numbers["gradH"][at],
                "gradW": numbers["gradW"][at],
            }
            for name, value in printed.items():
                assert read(self.row(name)[i]) == pytest.approx(value, rel=0.051), name  # two digits
            mean, std = (read(self.row(name)[i]) for name in ("mean", "std"))
            assert mean == pytest.approx(numbers["mean"][at], rel=0.051, abs=1e-12 * std)
            assert std == pytest.approx(numbers["std"][at], rel=0.051)
            for name, value in {"saturated": counted.saturated[at], "dead": counted.dead[at]}.items():
                assert read(self.row(name)[i].removesuffix(" %")) == pytest.approx(100 * value, abs=0.51)
            for kind in ("gradH", "gradW"):
                np.testing.assert_allclose(self.curve(kind, side), numbers[kind], rtol=1e-4)
            self.check_histograms(i, numbers, at)
        self.check_words()

    def check_histograms(self, i, numbers, at):
        for kind, place in {"h": i, "grad": 2 + i}.items():
            values = numbers[kind][at].ravel()
            panel = self.root.locator(".bb-panel:has(.bb-grad-hist)").nth(place)
            ends = panel.locator(".bb-grad-ends span").all_inner_texts()
            limit = np.abs(values).max()
            assert [-read(ends[0]), read(ends[2])] == pytest.approx([limit, limit], rel=0.051)
            bars = panel.locator(".bb-grad-bars").get_attribute("d")
            tall = {int(float(x)): 100 - float(y) for x, y in re.findall(r"M([\d.]+) 100V([\d.]+)h", bars)}
            counts = np.histogram(values, np.linspace(-limit, limit, 32))[0]
            drawn = np.array([tall.get(bin_, 0) for bin_ in range(31)])
            # Values at an edge between bins may fall to either side of it.
            assert np.abs(drawn / 98 * counts.max() - counts).sum() <= 4 + 0.02 * counts.max()

    def check_words(self):
        for side, words in zip("ab", self.root.locator(".bb-grad-side").all_inner_texts(), strict=True):
            numbers = autograd(self.expected, side)["gradH"]
            ratio = numbers[0] / numbers[-1]
            verdict = "Vanishes" if ratio < 1e-3 else "Explodes" if ratio > 1e3 else "Holds"
            assert f"{verdict}: |∂L/∂h| of layer 1 is" in words
            assert f"{side.upper()}: {getattr(self.expected, side)['depth']} layers" in words

    def change(self, side="a", **changes):
        """Take down what the page should have now, and compare."""
        setattr(self.expected, side, getattr(self.expected, side) | changes)
        self.check()


RAISED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(text):
    """Return the number that is written "0.235", "1.5×10⁻³¹" or, as a factor, "×0.235"."""
    digits, _, power = text.removeprefix("×").replace("−", "-").partition("×10")
    return float(f"{digits}e{power.translate(RAISED) or 0}")


def printed(value):
    """Return a number as the page writes it."""
    if 0.001 <= abs(value) < 9999.5:
        return f"{float(f'{value:.3g}'):g}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits}×10{''.join('⁰¹²³⁴⁵⁶⁷⁸⁹'[int(one)] if one != '-' else '⁻' for one in str(int(power)))}"


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=722), made())


@pytest.mark.browser
def test_every_control(screen):
    screen.check()
    for value in ("23", "60", "2"):
        screen.root.get_by_role("slider", name="Layers", exact=True).fill(value)
        screen.change(depth=int(value))
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("12")
    for step, gain in {"-32": 0.25, "8": 1.41, "32": 4.0, "0": 1.0}.items():
        screen.root.get_by_label("Gain").fill(step)
        screen.change(depth=12, gain=gain)
    for name in CHOICES["activation"]:
        screen.root.get_by_label("Activation").select_option(name)
        screen.change(activation=name)
    for name in CHOICES["init"]:
        screen.root.get_by_label("First weights").select_option(name)
        screen.change(init=name)
    for name in ("batch", "layer", "none"):
        screen.choose("Normalization", name)
        screen.change(normalization=None if name == "none" else name)
    screen.choose("Skips", "h + …")
    screen.change(residual=True)
    assert "pre-activation: h′ = h + W φ(h)" in screen.root.inner_text()
    screen.choose("Normalization", "batch")
    screen.change(normalization="batch")
    assert "h′ = h + W φ(BN(h))" in screen.root.inner_text()
    screen.choose("Skips", "none")
    screen.change(residual=False)
    assert "h′ = φ(BN(W h))" in screen.root.inner_text()


@pytest.mark.browser
def test_two_settings_side_by_side(screen):
    screen.choose("Change", "B")
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("33")
    screen.change("b", depth=33)
    screen.press("Copy B to A")
    screen.change("a", **screen.expected.b)
    screen.root.get_by_label("Activation").select_option("silu")
    screen.change("b", activation="silu")
    screen.press("Swap A and B")
    screen.expected.a, screen.expected.b = screen.expected.b, screen.expected.a
    screen.check()
    screen.choose("Change", "A")
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("7")
    screen.change("a", depth=7)
    screen.press("Copy A to B")
    screen.change("b", **screen.expected.a)
    screen.press("Start again")
    screen.expected = made()
    screen.check()


@pytest.mark.browser
def test_the_layer_by_keys_and_by_dragging(screen):
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("40")
    screen.expected.a = screen.expected.a | {"depth": 40}
    screen.chart.focus()
    keys = {"Home": 1, "ArrowRight": 2, "PageUp": 12, "ArrowDown": 11, "ArrowUp": 12, "End": 40, "ArrowRight ": 40,
            "PageDown": 30, "ArrowLeft": 29}  # fmt: skip
    for key, layer in keys.items():
        screen.page.keyboard.press(key.strip())
        screen.check(layer)
    for place in (0, 1):
        box = screen.root.locator(".bb-grad-plot").nth(place).bounding_box()
        mouse = screen.page.mouse
        mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 90)
        mouse.down()
        screen.check(22)
        mouse.move(box["x"] + box["width"] + 40, box["y"] + 20, steps=3)
        screen.check(40)
        mouse.move(box["x"] - 9, box["y"] + 20)
        mouse.up()
        mouse.move(box["x"] + 200, box["y"] + 20)
        screen.check(1)
        screen.chart.focus()
    assert "At layer 1" in screen.root.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("name", LADDER)
def test_predict_then_reveal(screen, name):
    words = dict(zip(LADDER, ("sigmoid, Xavier", "tanh, Xavier", "ReLU, Xavier", "ReLU, He", "+ BatchNorm", "+ skips", "+ both"), strict=True))  # fmt: skip  # noqa: E501
    before = screen.root.inner_text()
    assert "Guess how much" in before
    screen.press(words[name])
    screen.frame()
    screen.expected.a = LADDER[name]
    numbers = autograd(screen.expected, "a")["gradH"]
    ratio = numbers[0] / numbers[-1]
    # Nothing on the page gives the answer away.
    assert [screen.row(row)[0] for row in ("factor", "ratio", "ratioW", "gradH", "mean", "dead")] == ["?"] * 6
    assert screen.curve("gradH", "a") == screen.curve("gradW", "a") == []
    assert "Hidden until you have guessed" in screen.root.inner_text()
    labels = screen.root.locator("[aria-label], [aria-valuetext]").evaluate_all(
        "(all) => all.map((n) => `${n.getAttribute('aria-label')} ${n.getAttribute('aria-valuetext')}`).join(' ')"
    )
    assert "A: hidden" not in screen.chart.get_attribute("aria-valuetext")
    assert printed(numbers[0]) not in labels
    assert printed(autograd(screen.expected, "b")["gradH"][0]) in labels
    guess = screen.root.get_by_label("Your guess")
    guess.fill("-7")
    screen.frame()
    line = screen.root.locator(".bb-grad-guessed").first.get_attribute("d")
    first, last = sizes_of(line)
    assert (first, last) == pytest.approx((numbers[-1] * 1e-7, numbers[-1]), rel=1e-3)
    screen.press("Reveal")
    screen.check()
    said = screen.root.locator(".bb-grad-question").inner_text()
    away = abs(-7 - round(np.log10(ratio)))
    assert said.startswith("You said 10⁻⁷. It is ")
    assert read(said.split("It is ")[1].split(":")[0]) == pytest.approx(ratio, rel=0.051)
    assert f"{away} powers of ten {'less' if ratio < 1e-7 else 'more'}" in said or away < 2
    assert screen.page.evaluate("document.activeElement.textContent") == words[name]
    assert guess.is_disabled()
    # Another depth is no rung of the ladder; a change while the curve is hidden gives the question up.
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("49")
    screen.change(depth=49)
    assert "Guess how much" in screen.root.inner_text()
    screen.press(words[name])
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("48")
    screen.change(depth=48)


@pytest.mark.browser
def test_a_curve_that_leaves_the_axis_says_where_it_ends(page_with):
    setting = {"depth": 60, "activation": "sigmoid", "init": "normal"}
    screen = Screen(page_with(made(setting), width=722), made(setting))
    screen.check()
    first = autograd(screen.expected, "a")["gradH"][0]
    tag = screen.root.locator(".bb-grad-tag-a").first.inner_text()
    assert tag.startswith("A ↓ ")
    assert read(tag.removeprefix("A ↓ ")) == pytest.approx(first, rel=0.051)


@pytest.mark.browser
def test_words_say_why_the_weights_gradients_stay_level(page_with):
    widget = made(LADDER["xavier"], LADDER["skips"])
    screen = Screen(page_with(widget, width=722), made(LADDER["xavier"], LADDER["skips"]))
    screen.check()
    for side, words in zip("ab", screen.root.locator(".bb-grad-side").all_inner_texts(), strict=True):
        numbers = autograd(screen.expected, side)
        found = [
            read(text) for text in re.search(r"it is (\S+) times.* is (\S+) in layer 1, (\S+) in the", words).groups()
        ]
        expected = [numbers["gradW"][1] / numbers["gradW"][-1], numbers["std"][0], numbers["std"][-1]]
        assert found == pytest.approx(expected, rel=0.051)


@pytest.mark.browser
def test_it_follows_python_and_writes_nothing_by_itself(page_with):
    widget = made(asked="", layer=3)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=722)
    first, second = page.locator(".bb-widget").all()
    Screen(page, made(layer=3)).check()
    first.get_by_role("button", name="tanh, Xavier").click()
    first.get_by_label("Your guess").fill("-3")
    page.wait_for_timeout(100)
    assert first.inner_text() == second.inner_text()
    second.get_by_role("button", name="Reveal").click()
    first.get_by_label("Gain").fill("10")
    page.wait_for_timeout(100)
    assert first.inner_text() == second.inner_text()
    assert "1.54" in second.inner_text()


@pytest.mark.browser
def test_what_is_seen_is_said(screen):
    live = screen.root.locator("[role=status]")
    assert live.inner_text() == ""
    screen.root.get_by_role("slider", name="Layers", exact=True).fill("30")
    screen.page.wait_for_timeout(700)
    assert "A: Vanishes: |∂L/∂h| of layer 1" in live.inner_text()
    screen.press("+ skips")
    screen.page.wait_for_timeout(700)
    assert "its curve is hidden" in live.inner_text()
    assert "Explodes" not in live.inner_text()
    screen.press("Reveal")
    screen.page.wait_for_timeout(700)
    assert "You said 10⁰" in live.inner_text()
    assert "A: Explodes" in live.inner_text()


@pytest.mark.browser
def test_touch_chooses_a_layer(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True), made())
    box = screen.chart.bounding_box()
    screen.page.touchscreen.tap(box["x"] + box["width"] - 3, box["y"] + 60)
    screen.check(10)


@pytest.mark.browser
@pytest.mark.parametrize("asked", ["", "both"])
def test_it_fits_and_is_accessible(page_with, asked):
    long = {"depth": 60, "activation": "leaky_relu", "init": "normal", "gain": 1.09, "residual": True}
    page_checks.assert_sound(page_with(made(long, LADDER["xavier"], asked=asked)))


@pytest.mark.browser
@pytest.mark.parametrize("width", [722, 360])
def test_nothing_jumps(page_with, width):
    screen = Screen(page_with(made(), width=width), made())
    before = screen.root.bounding_box()["height"]
    changes = [("Layers", "60"), ("Gain", "-32"), ("Gain", "32"), ("Gain", "1"), ("Layers", "2"), ("Layers", "50")]
    for label, value in changes:
        screen.root.get_by_role("slider", name=re.compile(f"^{label}")).last.fill(value)
        screen.frame()
        assert screen.root.bounding_box()["height"] == before, (label, value)
    for name in ("ReLU, Xavier", "+ skips"):
        screen.press(name)
        screen.frame()
        assert screen.root.bounding_box()["height"] == before, name
        screen.press("Reveal")
        screen.frame()
        assert screen.root.bounding_box()["height"] == before, name
