"""DropoutExplorer: its functions and its screen in a real browser, held against NumPy and PyTorch."""

import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets

from backbone.widgets import DropoutExplorer
from backbone.widgets.dropout_explorer import uniform

RNG = np.random.default_rng(186)
W, B = RNG.normal(0, 1, (8, 3)).round(1), RNG.normal(0, 0.3, 8).round(1)
V, C = RNG.normal(0, 0.6, 8).round(1), 0.1
INPUTS = {"near 0": [0.7, -0.6, 0.0], "far above": [-1.3, 0.6, -0.2], "below": [-0.5, -1.0, 1.4]}
PS = [0, 0.25, 0.5, 0.9]
CURVES = {
    "wrong labels": (PS, 60 + np.random.default_rng(1).normal(0, 2, (4, 3))),
    "right labels": (PS, 80 + np.random.default_rng(2).normal(0, 1, (4, 3))),
}


def made(**changes):
    return DropoutExplorer(INPUTS, W, B, V, C, curves=CURVES, measure="test accuracy, %", **changes)


def masks_of(seed, runs, p, units=8):
    """Draw the masks with Python's own whole numbers, one by one: another way than the widget's."""
    drawn = []
    for i in range(runs * units):
        a = (seed * 0x9E3779B9 + (i + 1) * 0x6D2B79F5) % 2**32
        out = (a ^ a >> 15) * (a | 1) % 2**32
        out ^= (out + (out ^ out >> 7) * (out | 61)) % 2**32
        drawn.append((out ^ out >> 14) / 2**32)
    return (np.array(drawn) >= p).reshape(runs, units)


def by_torch(sample, masks, p, scaling, head):
    """Return the outputs of masks (R, H), in float64; a mask of None is test time."""
    x = torch.tensor(INPUTS[sample], dtype=torch.float64)
    h = torch.relu(torch.tensor(W) @ x + torch.tensor(B))
    if masks is None:
        h = h * (1 - p) if scaling == "test time" else h
    else:
        h = h * torch.tensor(np.asarray(masks, float))
        h = h / (1 - p) if scaling == "inverted" and p < 1 else h
    z = h @ torch.tensor(V) + C
    return (torch.relu(z) if head == "relu" else z).numpy()


def exactly(sample, p, scaling, head):
    masks = np.array(list(itertools.product([0, 1], repeat=8)), bool)
    chance = np.array([p ** (8 - m.sum()) * (1 - p) ** m.sum() for m in masks])
    return float(chance @ by_torch(sample, masks, p, scaling, head))


ALL = list(itertools.product(INPUTS, [0, 0.3, 0.5, 0.95, 1], ["inverted", "test time", "none"], ["linear", "relu"]))

# --- Python -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sample", "p", "scaling", "head"), ALL)
def test_python_equals_torch(sample, p, scaling, head):
    widget = made(sample=sample, p=p, scaling=scaling, head=head, runs=50, seed=3)
    masks = masks_of(3, 50, p)
    np.testing.assert_array_equal(widget.masks, masks)
    np.testing.assert_allclose(widget.outputs, by_torch(sample, masks, p, scaling, head), atol=1e-12)
    assert widget.test_value == pytest.approx(float(by_torch(sample, None, p, scaling, head)), abs=1e-12)
    assert widget.exact_mean == pytest.approx(exactly(sample, p, scaling, head), abs=1e-12)


def test_the_lots_are_even_and_seeds_differ():
    numbers = uniform(0, 100_000)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.histogram(numbers, 20, (0, 1))[0]
    assert np.abs(counts - 5000).max() < 5 * np.sqrt(5000)
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.01
    assert abs(np.corrcoef(numbers, uniform(1, 100_000))[0, 1]) < 0.01


def test_the_mean_holds_with_a_linear_head_only():
    for p, sample in itertools.product([0.2, 0.5, 0.8], INPUTS):
        for scaling in ("inverted", "test time"):
            widget = made(p=p, sample=sample, scaling=scaling)
            assert widget.exact_mean == pytest.approx(widget.test_value, abs=1e-12)
            widget.head = "relu"
            assert widget.exact_mean >= widget.test_value - 1e-12


def test_curves_become_mean_and_deviation():
    first = made().curves[0]
    values = CURVES["wrong labels"][1]
    assert (first["name"], first["p"]) == ("wrong labels", PS)
    np.testing.assert_allclose(first["mean"], values.mean(axis=1))
    np.testing.assert_allclose(first["spread"], values.std(axis=1, ddof=1))


def test_errors_say_what_is_allowed():
    def build(inputs=INPUTS, weight=W, bias=B, output_weight=V, output_bias=C, **rest):
        return DropoutExplorer(inputs, weight, bias, output_weight, output_bias, **rest)

    wrong = [
        ({"weight": W[:1]}, r"weight has shape \(1, 3\); it must be \(units, inputs\), 2 to 10 and 1 to 6"),
        ({"bias": B[:3]}, r"bias has shape \(3,\); it must be \(8,\)"),
        ({"output_weight": np.full(8, np.nan)}, "output_weight holds something else than finite real numbers"),
        ({"output_bias": [1.0, 2.0]}, r"output_bias has shape \(2,\); it must be \(\)"),
        ({"inputs": {}}, "inputs must be name -> numbers"),
        ({"inputs": {"a": [1.0]}}, r"inputs\['a'\] has shape \(1,\); it must be \(3,\)"),
        (
            {"curves": {"a": ([0, 0.5], np.ones((2, 1)))}},
            r"values have shape \(2, 1\); for 2 values of p it is \(2, S\)",
        ),
        ({"curves": {"a": ([0.5, 0], np.ones((2, 3)))}}, "p must be two numbers or more that rise within 0 to 1"),
        ({"curves": dict.fromkeys("abcd", CURVES["wrong labels"])}, "there are 4 curves; at most 3"),
    ]
    for changes, message in wrong:
        with pytest.raises(ValueError, match=message):
            build(**changes)
    for changes in ({"p": 1.2}, {"sample": "none"}, {"kept": [True]}, {"scaling": "twice"}, {"runs": 0}, {"seed": -1}):
        with pytest.raises(traitlets.TraitError):
            build(**changes)


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(DropoutExplorer._esm)


RUN = """([net, x, settings]) => {
    const hidden = m.hiddenOf(net, x);
    const products = hidden.map((value, j) => value * net.output_weight[j]);
    const { outputs, masks } = m.runAll(products, settings);
    const all = m.overAll(products, settings);
    const { means, errors } = m.runningMeans(outputs);
    const full = m.sumOf(products, () => true);
    const test = m.headOf(full, m.factorsOf(settings.scaling, settings.p).test, settings.bias, settings.head);
    return { hidden, outputs: [...outputs], masks: [...masks], all, test,
             means: [...means], errors: [...errors].slice(1) };
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("sample", "p", "scaling", "head"), ALL)
def test_functions_equal_torch(module, sample, p, scaling, head):
    net = {"weight": W.tolist(), "bias": B.tolist(), "output_weight": V.tolist()}
    settings = {"p": p, "scaling": scaling, "head": head, "seed": 5, "count": 60, "bias": C}
    found = module(RUN, [net, INPUTS[sample], settings])
    masks = masks_of(5, 60, p)
    outputs = by_torch(sample, masks, p, scaling, head)
    np.testing.assert_allclose(found["outputs"], outputs, atol=1e-12)
    np.testing.assert_array_equal(found["masks"], masks @ 2 ** np.arange(8))
    assert found["all"]["mean"] == pytest.approx(exactly(sample, p, scaling, head), abs=1e-12)
    assert found["test"] == pytest.approx(float(by_torch(sample, None, p, scaling, head)), abs=1e-12)
    possible = np.array(list(itertools.product([0, 1], repeat=8)), bool)
    possible = possible[possible.all(axis=1)] if p == 0 else possible[~possible.any(axis=1)] if p == 1 else possible
    every = by_torch(sample, possible, p, scaling, head)
    np.testing.assert_allclose([found["all"]["low"], found["all"]["high"]], [every.min(), every.max()], atol=1e-12)
    counts = np.arange(1, 61)
    np.testing.assert_allclose(found["means"], np.cumsum(outputs) / counts, atol=1e-12)
    errors = [outputs[:k].std(ddof=1) / np.sqrt(k) for k in counts[1:]]
    np.testing.assert_allclose(found["errors"], errors, atol=1e-9)


@pytest.mark.browser
def test_lots_bins_ticks_and_nearest(module):
    for seed in (0, 1, 999):
        drawn = module("([seed]) => Array.from({ length: 500 }, (_, i) => m.uniform(seed, i))", [seed])
        np.testing.assert_array_equal(drawn, uniform(seed, 500))
        mask = module("([seed]) => m.maskOf(seed, 7, 8, 0.4)", [seed])
        assert mask == masks_of(seed, 8, 0.4)[7].tolist()
    values = np.random.default_rng(0).normal(size=300)
    found = module("(values) => m.binned(values, -4, 4, 37)", values.tolist())
    np.testing.assert_array_equal(found, np.histogram(values, 37, (-4, 4))[0])
    assert module("() => [0, 0.3, 0.95, 1].map((p) => m.nearest([0, 0.25, 0.5, 0.9], p))") == [0, 1, 3, 3]


# --- On a page ----------------------------------------------------------------------------------------------


def number(text):
    return float(text.replace("−", "-").replace(",", ""))


class Screen:
    """One explorer on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, **settings):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.want = {"sample": "near 0", "p": 0.5, "scaling": "inverted", "head": "linear", "runs": 200, "seed": 0}
        self.want |= {"hand": None} | settings
        self.slider = self.root.locator("input[type=range]")

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def choose(self, legend, option, **changes):
        group = self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))
        group.get_by_text(option, exact=True).click()
        self.expect(**changes)

    def press(self, name, **changes):
        self.root.get_by_role("button", name=name, exact=True).click()
        self.expect(**changes)

    def expect(self, **changes):
        self.want |= changes
        self.check()

    def unit(self, j):
        return self.root.locator(".bb-do-press").nth(j)

    def value(self, name):
        return self.root.locator(f".bb-do-{name}-value").inner_text()

    def drawn(self, selector):
        return [
            float(text) for text in self.root.locator(selector).evaluate_all("(ns) => ns.map((n) => n.dataset.value)")
        ]

    def check(self):
        """Compare every number that is printed or drawn with PyTorch's at the same settings."""
        self.frame()
        want = self.want
        rest = (want["p"], want["scaling"], want["head"])
        masks = masks_of(want["seed"], want["runs"], want["p"])
        outputs = by_torch(want["sample"], masks, *rest)
        test = float(by_torch(want["sample"], None, *rest))
        exact = exactly(want["sample"], *rest)
        error = outputs.std(ddof=1) / np.sqrt(len(outputs)) if len(outputs) > 1 else None
        self.check_numbers(outputs, masks, test, exact, error)
        kept = masks[-1] if want["hand"] is None else np.array(want["hand"])
        self.check_net(kept)
        self.check_charts(outputs, test, float(by_torch(want["sample"], kept[None], *rest)[0]))
        self.check_curves()

    def check_numbers(self, outputs, masks, test, exact, error):
        mean, _, spread = self.value("mean").partition(" ± ")
        assert number(mean) == pytest.approx(outputs.mean(), abs=5.1e-4)
        if error is None:
            assert (spread, self.value("deviation")) == ("–", "–")
        else:
            assert number(spread) == pytest.approx(error, abs=5.1e-4)
            assert number(self.value("deviation")) == pytest.approx(outputs.std(ddof=1), abs=5.1e-4)
        assert number(self.value("test")) == pytest.approx(test, abs=5.1e-4)
        assert number(self.value("exact")) == pytest.approx(exact, abs=5.1e-4)
        assert self.value("seen") == f"{len(np.unique(masks, axis=0))} of 256"
        assert self.root.locator(".bb-do-p").inner_text() == f"{self.want['p']:.2f}"
        agree = abs(exact - test) < 1e-9
        says = self.root.locator(".bb-do-say").inner_text()
        assert ("the mean is the value at test time" in says or "is the full network" in says) == agree, says

    def check_net(self, kept):
        want = self.want
        h = np.maximum(W @ np.array(INPUTS[want["sample"]]) + B, 0)
        rows = self.root.locator(".bb-do-table tbody tr")
        for j, row in enumerate(rows.all()):
            assert self.unit(j).get_attribute("aria-pressed") == ("true" if kept[j] else "false")
            value, adds = row.locator("td").all_inner_texts()
            assert [number(part) for part in value.split(" × ")] == pytest.approx([h[j], V[j]], abs=5.1e-4)
            assert adds == "out" if not kept[j] else number(adds) == pytest.approx(h[j] * V[j], abs=5.1e-4)
        lost = self.root.locator(".bb-do-unit").evaluate_all("(ns) => ns.map((n) => n.matches('.bb-do-lost'))")
        assert lost == (~kept).tolist()
        total = float((h * V)[kept].sum())
        assert number(self.root.locator(".bb-do-table tfoot td").inner_text()) == pytest.approx(total, abs=5.1e-4)
        factor = 1 / (1 - want["p"]) if want["scaling"] == "inverted" and want["p"] < 1 else 1
        later = 1 - want["p"] if want["scaling"] == "test time" else 1
        for line, s, by in ((".bb-do-now", total, factor), (".bb-do-then", float(h @ V), later)):
            z = s * by + C
            printed = [number(n) for n in re.findall(r"−?\d+\.\d+", self.root.locator(line).inner_text())]
            expected = [s, *([by] if by != 1 else []), C, z, *([max(z, 0)] if want["head"] == "relu" else [])]
            assert printed == pytest.approx(expected, abs=5.1e-4)

    def check_charts(self, outputs, test, own):
        counts = self.root.locator(".bb-do-bar").evaluate_all("(ns) => ns.map((n) => Number(n.dataset.count))")
        assert sum(counts) == len(outputs)
        tall = self.root.locator(".bb-do-bar").evaluate_all("(ns) => ns.map((n) => Number(n.getAttribute('height')))")
        large = [(count, height) for count, height in zip(counts, tall, strict=True) if count > max(counts) / 20]
        np.testing.assert_allclose([h / c for c, h in large], max(tall) / max(counts), rtol=1e-6)
        assert self.drawn(".bb-do-histogram .bb-do-test") == pytest.approx([test], abs=1e-9)
        assert self.drawn(".bb-do-mean") == pytest.approx([outputs.mean()], abs=1e-9)
        assert self.drawn(".bb-do-own") == pytest.approx([own], abs=1e-9)
        assert self.drawn(".bb-do-running .bb-do-test") == pytest.approx([test], abs=1e-9)
        assert self.drawn(".bb-do-running .bb-do-dot") == pytest.approx([outputs.mean()], abs=1e-9)

    def check_curves(self):
        near = min(range(4), key=lambda i: abs(PS[i] - self.want["p"]))
        texts = self.root.locator(".bb-do-key strong").all_inner_texts()
        for text, (_, values) in zip(texts, CURVES.values(), strict=True):
            mean, spread = (number(part) for part in text.split(" ± "))
            assert mean == pytest.approx(values[near].mean(), abs=0.051)
            assert spread == pytest.approx(values[near].std(ddof=1), abs=0.051)
        assert self.drawn(".bb-do-here") == pytest.approx([self.want["p"]])
        title = self.root.locator(".bb-do-recorded .bb-do-title").inner_text()
        assert ("At p" in title) == (self.want["p"] in PS)


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=720))


@pytest.mark.browser
def test_every_choice(screen):
    screen.check()
    screen.choose("Output", "ReLU", head="relu")
    for name in ("far above", "below", "near 0"):
        screen.choose("Input", name, sample=name)
    for label, name in {"at test time (2014)": "test time", "none": "none", "in training": "inverted"}.items():
        screen.choose("Scaling", label, scaling=name)
    screen.choose("Output", "linear", head="linear")
    screen.choose("Scaling", "none", scaling="none")
    assert "Nothing makes up for" in screen.root.inner_text()


@pytest.mark.browser
def test_the_slider_to_both_ends(screen):
    screen.slider.focus()
    screen.page.keyboard.press("ArrowRight")
    screen.expect(p=0.55)
    screen.page.keyboard.press("End")
    screen.expect(p=1)
    assert "No factor brings back what is gone" in screen.root.inner_text()
    screen.page.keyboard.press("Home")
    screen.expect(p=0)
    assert "every run is the full network" in screen.root.inner_text()
    screen.slider.fill("0.9")
    screen.expect(p=0.9)
    screen.choose("Output", "ReLU", head="relu")


@pytest.mark.browser
def test_runs_and_other_masks(screen):
    for name, runs in {"1 run": 201, "10 runs": 211, "100 runs": 311, "1,000 runs": 1311}.items():
        screen.press(name, runs=runs)
    screen.press("Other masks", seed=1)
    screen.press("Start over", runs=1)
    for runs in (1001, 2001, 3001, 4001, 5000):
        screen.press("1,000 runs", runs=runs)
    for name in ("1 run", "10 runs", "100 runs", "1,000 runs"):
        assert screen.root.get_by_role("button", name=name, exact=True).is_disabled()


@pytest.mark.browser
def test_one_run_is_spoken_of_as_one(screen):
    screen.press("Start over", runs=1)
    assert "Outputs of 1 run\n" in screen.root.inner_text()
    labels = screen.root.locator("svg[aria-label]").evaluate_all("(ns) => ns.map((n) => n.ariaLabel).join()")
    assert "the outputs of 1 run." in labels
    assert "After 1 run it is" in labels
    assert "1 runs" not in labels
    screen.press("1 run", runs=2)
    assert "Outputs of 2 runs\n" in screen.root.inner_text()


@pytest.mark.browser
@pytest.mark.parametrize("changes", [{}, {"seed": 3}, {"p": 0.3}])
def test_no_line_crosses_a_word_that_has_room_elsewhere(page_with, changes):
    page = page_with(made(sample="far above", kept=[True] * 8, **changes), width=720)
    drawing = page.locator(".bb-do-histogram")
    lines = [float(drawing.locator(f".bb-do-{name}").get_attribute("x1")) for name in ("test", "mean")]
    box = "(n) => { const b = n.getBBox(); return [n.textContent, b.x, b.x + b.width]; }"
    for text, left, right in drawing.locator(".bb-do-word").evaluate_all(f"(ns) => ns.map({box})"):
        crossed = [x for x in lines[: 0 if text == "test time" else None] if left < x < right]
        assert not crossed, (text, left, right, lines)


@pytest.mark.browser
def test_units_by_keys_and_by_pointer(screen):
    hand = masks_of(0, 200, 0.5)[-1].tolist()
    screen.unit(2).focus()
    screen.page.keyboard.press("Space")
    hand[2] = not hand[2]
    screen.expect(hand=hand)
    assert "set by hand" in screen.root.inner_text()
    picture = screen.root.locator(".bb-do-net")
    box = picture.bounding_box()
    for j in (0, 7, 2):
        screen.page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 26 + 30 * (j + 0.5))
        hand[j] = not hand[j]
        screen.expect(hand=list(hand))
    screen.page.mouse.click(box["x"] + 2, box["y"] + 60)  # beside the units: nothing happens
    screen.check()
    screen.unit(5).click()
    hand[5] = not hand[5]
    screen.expect(hand=list(hand))
    screen.press("Mask of the last run", hand=None)
    assert screen.root.get_by_role("button", name="Mask of the last run").is_disabled()
    screen.unit(0).click()
    screen.press("1 run", runs=201, hand=None)


@pytest.mark.browser
def test_it_may_come_without_curves_and_with_a_mask(page_with):
    kept = [True] * 7 + [False]
    widget = DropoutExplorer(INPUTS, W, B, V, C, kept=kept, head="relu", runs=1)
    page = page_with(widget, width=720)
    screen = Screen(page, head="relu", runs=1, hand=kept)
    screen.check_curves = lambda: None
    screen.check()
    assert page.locator(".bb-do-curves").count() == 0


@pytest.mark.browser
def test_touch_drops_a_unit(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True))
    hand = masks_of(0, 200, 0.5)[-1].tolist()
    box = screen.root.locator(".bb-do-net").bounding_box()
    screen.page.touchscreen.tap(box["x"] + box["width"] / 2, box["y"] + 26 + 30 * 4.5)
    hand[4] = not hand[4]
    screen.expect(hand=hand)


@pytest.mark.browser
def test_two_views_go_together_and_nothing_is_said_at_first(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    page.wait_for_timeout(700)
    first, second = page.locator(".bb-widget").all()
    assert first.get_by_role("status").inner_text() == ""
    first.get_by_text("ReLU", exact=True).click()
    first.locator("input[type=range]").fill("0.3")
    first.locator(".bb-do-press").nth(3).click()
    page.wait_for_timeout(800)
    for part in (".bb-do-table", ".bb-do-numbers", ".bb-do-say", ".bb-do-sums", ".bb-do-p"):
        assert first.locator(part).inner_text() == second.locator(part).inner_text()
    assert re.match(r"p 0.30, 200 runs: mean 0\.\d{3}", first.get_by_role("status").text_content())


@pytest.mark.browser
def test_it_fits_and_is_accessible(page_with):
    page_checks.assert_sound(page_with(made(head="relu")))


@pytest.mark.browser
@pytest.mark.parametrize("width", [720, 360])
def test_nothing_jumps_while_p_is_dragged(page_with, width):
    screen = Screen(page_with(made(head="relu"), width=width))
    before = screen.root.bounding_box()["height"]
    for p in ("0.05", "0.3", "0.65", "0.95", "1", "0"):
        screen.slider.fill(p)
        screen.frame()
        assert screen.root.bounding_box()["height"] == before, p
