"""DropoutExplorer: its functions and its screen in a real browser, held against NumPy and PyTorch."""

import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import FRAME, number

from backbone.widgets import DropoutExplorer
from backbone.widgets.dropout_explorer import uniform

RNG = np.random.default_rng(186)
W, B = RNG.normal(0, 1, (8, 3)).round(1), RNG.normal(0, 0.3, 8).round(1)
V, C = RNG.normal(0, 0.6, 8).round(1), 0.1
INPUTS = {"near 0": [0.7, -0.6, 0.0], "far above": [-1.3, 0.6, -0.2], "below": [-0.5, -1.0, 1.4]}


def made(**changes):
    return DropoutExplorer(INPUTS, W, B, V, C, **changes)


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
    ]
    for changes, message in wrong:
        with pytest.raises(ValueError, match=message):
            build(**changes)
    for changes in ({"p": 1.2}, {"sample": "none"}, {"kept": [True]}, {"scaling": "twice"}, {"runs": 0}, {"seed": -1}):
        with pytest.raises(traitlets.TraitError):
            build(**changes)


# --- The functions of the module ----------------------------------------------------------------------------


RUN = """([net, x, settings]) => {
    const { outputs, masks, ...rest } = m.resultOf(net, x, settings, []);
    const run = m.runAll(rest.products, { ...settings, bias: net.output_bias });
    return { ...rest, outputs: [...outputs], masks: [...run.masks] };
}"""


@pytest.mark.parametrize(("sample", "p", "scaling", "head"), ALL)
def test_functions_equal_torch(module, sample, p, scaling, head):
    net = {"weight": W.tolist(), "bias": B.tolist(), "output_weight": V.tolist(), "output_bias": C}
    settings = {"p": p, "scaling": scaling, "head": head, "seed": 5, "count": 60}
    found = module(RUN, [net, INPUTS[sample], settings])
    masks = masks_of(5, 60, p)
    outputs = by_torch(sample, masks, p, scaling, head)
    np.testing.assert_allclose(found["outputs"], outputs, atol=1e-12)
    np.testing.assert_array_equal(found["masks"], masks @ 2 ** np.arange(8))
    assert found["kept"] == masks[-1].tolist()
    assert found["own"] == pytest.approx(outputs[-1], abs=1e-12)
    assert found["seen"] == len(np.unique(masks, axis=0))
    assert found["all"]["mean"] == pytest.approx(exactly(sample, p, scaling, head), abs=1e-12)
    assert found["test"] == pytest.approx(float(by_torch(sample, None, p, scaling, head)), abs=1e-12)
    possible = np.array(list(itertools.product([0, 1], repeat=8)), bool)
    possible = possible[possible.all(axis=1)] if p == 0 else possible[~possible.any(axis=1)] if p == 1 else possible
    every = by_torch(sample, possible, p, scaling, head)
    np.testing.assert_allclose([found["all"]["low"], found["all"]["high"]], [every.min(), every.max()], atol=1e-12)
    statistics = [outputs.mean(), outputs.std(ddof=1), outputs.std(ddof=1) / np.sqrt(60)]
    np.testing.assert_allclose([found[name] for name in ("mean", "deviation", "error")], statistics, atol=1e-12)


def test_lots_bins_and_the_steps_of_the_film(module):
    for seed in (0, 1, 999):
        drawn = module("([seed]) => Array.from({ length: 500 }, (_, i) => m.uniform(seed, i))", [seed])
        np.testing.assert_array_equal(drawn, uniform(seed, 500))
    values = np.random.default_rng(0).normal(size=300)
    found = module("(values) => m.binned(values, -4, 4, 37)", values.tolist())
    np.testing.assert_array_equal(found, np.histogram(values, 37, (-4, 4))[0])
    runs = module("() => m.RUNS")
    assert (runs[0], runs[-1]) == (1, 5000)
    assert (np.diff(runs) > 0).all()
    assert module("(runs) => runs.map(m.stepOf)", runs) == list(range(len(runs)))
    assert np.isnan(module("() => m.statistics([2])")["error"])


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    """One explorer on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, **settings):
        self.page, self.root = page, page.locator(".bb-widget").first
        self.want = {"sample": "near 0", "p": 0.5, "scaling": "inverted", "head": "linear", "runs": 200, "seed": 0}
        self.want |= {"hand": None} | settings
        self.runs, self.p = self.root.locator("input[type=range]").all()

    def choose(self, option, **changes):
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")
        self.root.locator("label, button").get_by_text(option, exact=True).or_(
            self.root.get_by_role("button", name=option, exact=True)
        ).first.click()
        self.expect(**changes)

    def drawn(self, *marks):
        values = "(root, marks) => marks.map((mark) => Number(root.querySelector(`.bb-do-${mark}`).dataset.value))"
        return self.root.evaluate(values, list(marks))

    def says(self):
        return self.root.locator(".bb-says").inner_text()

    def expect(self, **changes):
        """Compare every number that is printed or drawn with PyTorch's at the same settings."""
        self.want |= changes
        self.page.evaluate(FRAME)
        want = self.want
        rest = (want["p"], want["scaling"], want["head"])
        masks = masks_of(want["seed"], want["runs"], want["p"])
        kept = masks[-1] if want["hand"] is None else np.array(want["hand"])
        outputs, test = by_torch(want["sample"], masks, *rest), float(by_torch(want["sample"], None, *rest))
        own, exact = float(by_torch(want["sample"], kept[None], *rest)[0]), exactly(want["sample"], *rest)
        assert self.drawn("test", "mean", "own") == pytest.approx([test, outputs.mean(), own], abs=1e-9)
        counts = self.root.locator(".bb-do-bar").evaluate_all("(ns) => ns.map((n) => Number(n.dataset.count))")
        assert sum(counts) == want["runs"]
        lost = self.root.locator(".bb-do-unit").evaluate_all("(ns) => ns.map((n) => n.ariaPressed === 'false')")
        assert lost == (~kept).tolist()
        says = self.says()
        assert ("mean and test time agree" in says or "is the full network" in says) == (abs(exact - test) < 1e-9)
        self.check_numbers(outputs, masks, kept, test, exact)

    def check_numbers(self, outputs, masks, kept, test, exact):
        """Compare the fold of numbers."""
        scores, units = self.root.locator(".bb-numbers").all()
        printed = scores.locator("tbody td").all_text_contents()
        spread = outputs.std(ddof=1) if len(outputs) > 1 else np.nan
        near = lambda value: pytest.approx(value, abs=5.1e-4, nan_ok=True)  # noqa: E731
        values = [np.nan if text == "–" else number(text) for text in (*printed[0].split(" ± "), *printed[1:4])]
        assert values == near([outputs.mean(), spread / np.sqrt(len(outputs)), spread, test, exact])
        assert printed[4] == f"{len(np.unique(masks, axis=0))} of 256"
        h = np.maximum(W @ np.array(INPUTS[self.want["sample"]]) + B, 0)
        cells = units.locator("tbody td").all_text_contents()
        for j, (product, adds) in enumerate(zip(cells[::2], cells[1::2], strict=True)):
            assert [number(part) for part in product.split(" × ")] == near([h[j], V[j]])
            assert adds == "out" if not kept[j] else number(adds) == near(h[j] * V[j])
        p, scaling = self.want["p"], self.want["scaling"]
        now, then = self.root.locator("details p").all_text_contents()[-2:]
        train = 1 / (1 - p) if scaling == "inverted" and p < 1 else 1
        for text, z in ((now, (h * V)[kept].sum() * train + C), (then, test)):
            result = number(text.split(" = ")[1].split(",")[0])
            assert (max(result, 0) if self.want["head"] == "relu" else result) == near(
                max(z, 0) if self.want["head"] == "relu" else z
            )


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=720))


def test_every_choice(screen):
    screen.expect()
    screen.choose("ReLU", head="relu")
    assert "Mean and test time part: what falls below 0" in screen.says()
    for name in ("far above", "below", "near 0"):
        screen.choose(name, sample=name)
    for label, name in {"at test time (2014)": "test time", "none": "none", "in training": "inverted"}.items():
        screen.choose(label, scaling=name)
    screen.choose("linear", head="linear")
    screen.choose("none", scaling="none")
    assert "nothing makes up for" in screen.says()
    screen.choose("Other masks", seed=1)


def test_p_to_both_ends(screen):
    for key, p in {"ArrowRight": 0.55, "End": 1, "Home": 0}.items():
        screen.p.press(key)
        screen.expect(p=p)
        assert ("no factor brings back" in screen.says()) == (p == 1)
    screen.p.fill("0.9")
    screen.expect(p=0.9)


def test_runs_are_a_film(screen):
    screen.runs.press("Home")
    screen.expect(runs=1)
    assert screen.says().startswith("One run gives ")
    screen.runs.press("ArrowRight")
    screen.expect(runs=2)
    screen.runs.press("End")
    screen.expect(runs=5000)
    assert "5,000 runs" in screen.root.locator("svg").first.text_content()
    screen.root.get_by_role("button", name="Play").click()  # at its end it begins again
    screen.page.wait_for_function("() => /^(10|11|12) runs/.test(document.querySelector('output').textContent)")
    screen.root.get_by_role("button", name="Pause").click()
    screen.page.evaluate(FRAME)
    screen.expect(runs=int(screen.root.locator("output").first.inner_text().removesuffix(" runs")))


def test_units_by_keys_by_pointer_and_by_touch(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True))
    hand = masks_of(0, 200, 0.5)[-1].tolist()
    units = screen.root.locator(".bb-do-unit")
    acts = {2: lambda unit: unit.press("Space"), 0: lambda unit: unit.click(), 7: lambda unit: unit.tap(),
            4: lambda unit: unit.press("Enter")}  # fmt: skip
    for j, act in acts.items():
        act(units.nth(j))
        hand[j] = not hand[j]
        screen.expect(hand=list(hand))
        says = "With these units the output is .+ With enough runs mean and test time agree: .+"
        assert re.fullmatch(says, screen.says())
    assert screen.root.locator(".bb-invite:visible").count() == 0
    screen.choose("Mask of the last run", hand=None)


def test_it_opens_with_a_mask_of_its_own_and_two_views_go_together(page_with):
    kept = [True] * 7 + [False]
    widget = made(kept=kept, head="relu", runs=1)
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    screen = Screen(page, head="relu", runs=1, hand=kept)
    screen.expect()
    screen.p.fill("0.3")
    screen.expect(p=0.3, hand=None)
    first, second = page.locator(".bb-widget").all_inner_texts()
    assert first == second


def test_it_is_whole(page_with):
    ps = [["input[max='1']", str(p)] for p in (0, 0.05, 0.65, 0.95, 1)]
    acts = [".bb-segmented label", None, ["input[type=range]", "0", *ps], *ps]
    page_checks.assert_whole(page_with(made(head="relu")), acts)
