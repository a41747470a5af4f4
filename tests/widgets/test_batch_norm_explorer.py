"""BatchNormExplorer: its functions and its screen in a real browser, held against torch.nn.BatchNorm1d."""

import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import FRAME

from backbone.widgets import BatchNormExplorer
from backbone.widgets.batch_norm_explorer import START

BATCHES = {
    "start": START,
    "two": (1.3, -4.0),
    "four": (0.0, 0.1, 0.2, -0.5),
    "equal": (2.0,) * 8,
    "far": (-0.5, -0.2, -0.1, 0.1, 0.2, 0.3, 0.5, 8.5),
}
EACH_BATCH = pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES)


def torch_norm(gamma=1.0, beta=0.0, eps=1e-5, momentum=0.1, mean=0.0, variance=1.0):
    norm = torch.nn.BatchNorm1d(1, eps=eps, momentum=momentum).double()
    parts = norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var
    for part, value in zip(parts, (gamma, beta, mean, variance), strict=True):
        part.fill_(value)
    return norm


def column(batch):
    return torch.tensor(batch, dtype=torch.float64)[:, None]


# --- Python -------------------------------------------------------------------------------------------------


def test_outputs_and_runs_equal_pytorch():
    widget = BatchNormExplorer(gamma=1.5, beta=-0.5, momentum=0.5)
    norm = torch_norm(1.5, -0.5, momentum=0.5)
    np.testing.assert_allclose(widget.outputs, norm(column(START)).detach()[:, 0], rtol=1e-12)
    widget.run()
    assert widget.running_mean == pytest.approx(norm.running_mean.item())
    assert widget.running_var == pytest.approx(norm.running_var.item())
    assert widget.batches == norm.num_batches_tracked == 1
    widget.training = False
    np.testing.assert_allclose(widget.outputs, norm.eval()(column(START)).detach()[:, 0], rtol=1e-12)
    widget.run()
    assert widget.batches == 1
    widget.size = 2
    assert widget.outputs.shape == (2,)


def test_values_are_kept_in_tenths_and_errors_say_what_is_allowed():
    assert BatchNormExplorer([0.123, 1, 2, 3, 4, 5, 6, 7]).values[0] == 0.1
    for bad in ([1.0, 2.0], [0, 1, 2, 3, 4, 5, 6, 9.4]):
        with pytest.raises(ValueError, match="it takes 8, between -9 and 9"):
            BatchNormExplorer(bad)
    with pytest.raises(ValueError, match="finite real numbers"):
        BatchNormExplorer([np.nan] * 8)
    for trait in ({"size": 3}, {"eps": 0.5}, {"gamma": 4}, {"running_var": -1}, {"selected": 8}):
        with pytest.raises(traitlets.TraitError):
            BatchNormExplorer(**trait)
    for trait in ({"gamma": np.nan}, {"beta": np.nan}, {"running_mean": np.inf}, {"running_var": np.inf}):
        with pytest.raises(traitlets.TraitError, match=f"{next(iter(trait))} is (nan|inf); it must be finite"):
            BatchNormExplorer(**trait)
    widget = BatchNormExplorer()
    with pytest.raises(traitlets.TraitError, match="it must be finite"):
        widget.values = [np.nan] * 8


# --- The functions of the module ----------------------------------------------------------------------------


@EACH_BATCH
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("eps", [1e-5, 1.0])
def test_outputs_and_slopes_equal_pytorch(module, batch, training, eps):
    given = {"gamma": -1.7, "beta": 0.4, "eps": eps, "mean": 0.6, "variance": 2.5}
    norm = torch_norm(**given).train(training)
    x = column(batch).requires_grad_()
    y = norm(x)[:, 0]
    settings = given | {"training": training}
    found = module("([x, settings]) => m.normalize(x, settings)", [batch, settings])
    np.testing.assert_allclose(found["outputs"], y.detach(), rtol=1e-10, atol=1e-10)
    for j in range(len(batch)):
        slopes = module("([x, j, settings]) => m.slopes(x, j, settings)", [batch, j, settings])
        (expected,) = torch.autograd.grad(y[j], x, retain_graph=True)
        np.testing.assert_allclose(slopes, expected[:, 0], rtol=1e-9, atol=1e-9)


@EACH_BATCH
@pytest.mark.parametrize("momentum", [0.01, 0.1, 0.5, 1])
def test_running_averages_equal_pytorchs_buffers(module, batch, momentum):
    norm = torch_norm(momentum=momentum)
    running = {"mean": 0, "variance": 1, "batches": 0}
    for shift in range(3):
        x = [value + shift for value in batch]
        norm(column(x))
        running = module("([running, x, momentum]) => m.updated(running, x, momentum)", [running, x, momentum])
    assert running["mean"] == pytest.approx(norm.running_mean.item(), rel=1e-12)
    assert running["variance"] == pytest.approx(norm.running_var.item(), rel=1e-12)
    assert running["batches"] == norm.num_batches_tracked


def test_statistics_snapping_and_levels(module):
    found = module("(x) => m.statistics(x)", START)
    assert found["mean"] == pytest.approx(np.mean(START))
    assert (found["biased"], found["unbiased"]) == (pytest.approx(np.var(START)), pytest.approx(np.var(START, ddof=1)))
    assert module("(x) => x.map(m.snap)", [1.234, -0.04, 55, -9.1]) == [1.2, 0, 9, -9]
    assert module("(x) => m.levels(x, 10)", [0, 50, 4, 8, 100]) == [0, 0, 1, 2, 0]
    assert module("(x) => m.levels(x, 10)", [5, 5, 5]) == [0, 1, 2]


# --- On a page ----------------------------------------------------------------------------------------------


def numbers(text):
    return [float(part) for part in re.findall(r"-?\d+\.?\d*", text.replace("−", "-"))]


class Screen:
    """The widget on a page beside a Python one, which is set alike and asked what should be seen."""

    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget")
        self.inputs = self.root.locator(".bb-bn-in")
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def frame(self):
        self.page.evaluate(FRAME)

    def choose(self, group, option):
        self.root.get_by_role("group", name=group).get_by_text(option, exact=True).click()
        self.frame()

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()
        self.frame()

    def line(self, name):
        return self.root.locator(f".bb-bn-{name}").inner_text()

    def says(self):
        return self.root.locator(".bb-says").inner_text()

    def table(self):
        rows = self.root.locator(".bb-numbers tbody tr:visible").evaluate_all(
            "(rows) => rows.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
        )
        cells = [[cell.replace("−", "-") for cell in row] for row in rows]
        return [[float(cell) if cell != "–" else None for cell in row] for row in cells]

    def drawn(self, part, reach):
        """Return the values at which the dots of a line stand."""
        read = """([root, part, reach]) => {
            const width = root.querySelector("svg").clientWidth;
            return [...root.querySelectorAll(`.bb-bn-${part}`)].filter((n) => n.style.display !== "none").map((n) =>
                (parseFloat(n.getAttribute("transform").slice(10)) - 18) / (width - 36) * 2 * reach - reach);
        }"""
        return np.array(self.page.evaluate(read, [self.root.element_handle(), part, reach]))

    def check(self, **settings):
        """Compare the table, the dots and the written sums with PyTorch's at the same settings."""
        self.frame()
        widget = self.expected
        for name, value in settings.items():
            setattr(widget, name, value)
        x = column(widget.values[: widget.size]).requires_grad_()
        norm = torch_norm(
            widget.gamma, widget.beta, widget.eps, widget.momentum, widget.running_mean, widget.running_var
        ).train(widget.training)
        y = norm(x)[:, 0]
        (slopes,) = torch.autograd.grad(y[widget.selected], x)
        y = y.detach().numpy()
        np.testing.assert_allclose(widget.outputs, y, atol=1e-10)
        table = np.array(self.table())
        np.testing.assert_allclose(table[:, 0], x.detach()[:, 0], atol=1e-9)
        for shown, exact in ((table[:, 3], y), (table[:, 4], slopes[:, 0].numpy())):
            decimals = np.where(np.abs(exact) < 99.9, 3, 1)  # large ones would not fit on a phone
            assert (np.abs(shown - exact) <= 0.51 * 10.0**-decimals).all()
        np.testing.assert_allclose(self.drawn("in", 9), x.detach()[:, 0], atol=1e-6)
        np.testing.assert_allclose(self.drawn("out", 4.5), np.clip(y, -4.5, 4.5), atol=1e-6)
        arrows = self.root.locator(".bb-bn-out path").evaluate_all("(all) => all.map((n) => n.getAttribute('d') || '')")
        beyond = [0 if not path else int(np.sign(float(path[1:].split()[0]))) for path in arrows[: len(y)]]
        assert beyond == [int(np.sign(one)) if abs(one) > 4.5 else 0 for one in y]
        dashed = """(all) => all.filter((n) => getComputedStyle(n).strokeDasharray !== "none")
            .map((n) => n.className.baseVal)"""
        assert set(self.root.locator("svg circle").evaluate_all(dashed)) <= {"bb-bn-ring"}, "dashes mean one thing"
        self.check_sums(x.detach().numpy()[:, 0], y[widget.selected])

    def check_sums(self, x, output):
        """Every equation on the screen holds for the numbers that it shows."""
        widget = self.expected
        *_, given_sum, count, mean = numbers(self.line("mean")) if widget.training else (0, 0, 1, widget.running_mean)
        if widget.training:
            assert given_sum == pytest.approx(x.sum(), abs=1e-9)  # the sum and the mean are exact as printed
            assert mean == pytest.approx(given_sum / count, abs=1e-9)
            squares, count, variance = numbers(self.line("variance"))[-3:]
            assert squares == pytest.approx(((x - mean) ** 2).sum(), abs=1e-9)
            assert variance == pytest.approx(squares / count, abs=5.1e-5 if variance >= 1 else 5.1e-8)
        else:
            mean, variance = numbers(self.line("mean"))[0], numbers(self.line("variance"))[0]
            assert variance == pytest.approx(widget.running_var, abs=5.1e-5)
            assert mean == pytest.approx(widget.running_mean, abs=5.1e-5)
        value, shown_mean, shown_var, eps, hat = numbers(self.line("hat").split("= (", 1)[1].replace("− ", ""))
        assert (value, shown_mean, shown_var, eps) == (x[widget.selected], mean, variance, widget.eps)
        assert hat == pytest.approx((value - mean) / np.sqrt(variance + eps), abs=3e-4 * max(1, abs(hat)))
        gamma, hat_again, beta, result = numbers(self.line("output").split("≈", 1)[1])
        assert (gamma, hat_again, beta) == (pytest.approx(widget.gamma), hat, pytest.approx(widget.beta))
        assert result == pytest.approx(gamma * hat + beta, abs=7e-4)
        assert result == pytest.approx(output, abs=5.1e-4)

    def check_running(self):
        self.frame()
        text = self.root.inner_text()
        count = self.expected.batches
        assert f"Running averages after {count} batch{'es' if count != 1 else ''}" in text
        mean, variance = numbers(self.line("running-now"))
        assert mean == pytest.approx(self.expected.running_mean, abs=5.1e-5)
        assert variance == pytest.approx(self.expected.running_var, abs=5.1e-5)


@pytest.fixture
def screen(page_with):
    return Screen(page_with(BatchNormExplorer(), width=720), BatchNormExplorer())


def test_dragging_one_input_moves_all_outputs_in_train_and_its_own_in_eval(screen):
    screen.check()
    for mode, moved in (("train", 8), ("eval", 1)):
        screen.choose("Mode", mode)
        screen.check(training=mode == "train")
        before = np.array(screen.table())[:, 3]
        box = screen.inputs.nth(6).bounding_box()
        x, y = box["x"] + box["width"] / 2 + 2, box["y"] + box["height"] / 2
        mouse = screen.page.mouse
        mouse.move(x, y)
        mouse.down()
        mouse.move(x - 60, y, steps=4)
        mouse.up()
        width = screen.root.locator("svg").bounding_box()["width"]
        values = list(screen.expected.values)
        values[6] = round(10 * (values[6] - 60 / (width - 36) * 18)) / 10
        screen.check(values=values, selected=6)
        changed = np.abs(np.array(screen.table())[:, 3] - before) > 0.002
        assert changed.sum() == moved
        assert f"Input 7 has moved, and with it {moved} of 8 outputs" in screen.says()
        rings = screen.root.locator("circle.bb-bn-ring").evaluate_all(
            "(all) => all.filter((n) => n.style.display !== 'none').length"
        )
        assert rings == moved
        mouse.move(x + 100, y)
        screen.check()  # let go, it stays


def test_axes_and_bars_say_what_they_are(screen):
    chart = screen.root.locator("svg").first
    last = chart.locator(".bb-bn-axis ~ text").all_text_contents()
    assert "y, what goes out, at 2 times the scale" in last
    ends = [float(text.replace("−", "-")) for text in last if re.fullmatch(r"−?[\d.]+", text)]
    assert max(ends) == 2 * max(ends[ends.index(max(ends)) + 1 :])
    name, middles = chart.get_by_text("mean ± deviation"), chart.locator(".bb-bn-bar line:nth-of-type(2)")
    for mode, i in (("train", 0), ("eval", 1)):
        screen.choose("Mode", mode)
        screen.page.evaluate(FRAME)
        assert float(name.get_attribute("x")) == pytest.approx(float(middles.nth(i).get_attribute("x1")), abs=0.01)


def test_the_note_speaks_of_a_move_only_while_one_input_alone_has_moved(screen):
    def rings():
        return screen.root.locator("circle.bb-bn-ring:visible").count()

    screen.inputs.nth(7).focus()
    screen.page.keyboard.press("PageUp")
    screen.frame()
    assert (rings(), screen.says()[:17]) == (8, "Input 8 has moved")
    screen.root.get_by_label("Try").select_option("two groups")  # all have moved now, and not by the reader's hand
    screen.frame()
    assert (rings(), screen.says()[:10]) == (0, "Input 8 is")
    screen.inputs.nth(7).press("PageDown")  # from here on the rings are those of the new batch
    screen.frame()
    assert (rings(), screen.says()[:17]) == (8, "Input 8 has moved")


def test_a_move_in_a_batch_of_two_is_said_to_move_no_output(screen):
    screen.choose("Batch size", "2")
    screen.inputs.nth(1).press("PageUp")
    screen.frame()
    assert "Input 2 has moved, and no output with it" in screen.says()
    assert screen.root.locator("circle.bb-bn-ring:visible").count() == 0
    screen.inputs.nth(1).press("Home")  # now it is the smaller one
    screen.frame()
    assert "Input 2 has moved, and with it 2 of 2 outputs" in screen.says()


def test_keys_move_an_input_and_focus_chooses_it(screen):
    values = list(START)
    screen.inputs.nth(2).focus()
    screen.check(selected=2)
    steps = {"ArrowRight": 0.1, "ArrowUp": 0.1, "ArrowLeft": -0.1, "ArrowDown": -0.1}
    for key, change in (steps | {"Shift+ArrowRight": 1, "PageUp": 1, "PageDown": -1}).items():
        screen.page.keyboard.press(key)
        values[2] = round(values[2] + change, 1)
        screen.check(values=values)
        assert screen.inputs.nth(2).get_attribute("aria-valuenow") == f"{values[2]:g}"
    for key, value in {"Home": -9, "End": 9, "ArrowRight": 9}.items():
        screen.page.keyboard.press(key)
        values[2] = value
        screen.check(values=values)
    screen.page.keyboard.press("Tab")
    screen.check(selected=3)
    spoken = f"Input 4 is 2, and {screen.expected.outputs[3]:.2f} comes out".replace("-", "−")
    assert screen.says().startswith(spoken)
    screen.page.wait_for_function("() => document.querySelector('.bb-says').ariaLive === 'polite'")


def test_a_batch_of_two_is_plus_and_minus_one_and_of_one_is_refused(screen):
    for size in (4, 2):
        screen.choose("Batch size", str(size))
        screen.check(size=size, selected=min(3, size - 1))
    assert [row[3] for row in screen.table()] == [-1, 1]
    screen.inputs.nth(1).focus()
    screen.page.keyboard.press("End")
    screen.check(values=[START[0], 9, *START[2:]])
    assert [row[3] for row in screen.table()] == [-1, 1]
    screen.choose("Batch size", "1")
    assert "PyTorch raises an error here" in screen.says()
    assert screen.drawn("out", 4.5).size == 0
    assert screen.table()[0][3] is None
    for name in ("Run the batch", "Run it 10 times"):
        screen.press(name)
        screen.check_running()
    screen.choose("Mode", "eval")
    screen.check(size=1, selected=0, training=False)
    screen.choose("Batch size", "8")
    screen.check(size=8)


def test_presets_sliders_and_eps(screen):
    presets = {
        "all equal": [2.0] * 8,
        "one far away": BATCHES["far"],
        "two groups": [-4.4, -4, -3.5, -2.9, 4.1, 4.6, 5, 5.8],
    }
    for name, values in (presets | {"the first batch": START}).items():
        screen.root.get_by_label("Try").select_option(name)
        screen.check(values=list(values))
    screen.inputs.nth(3).focus()
    screen.page.keyboard.press("ArrowRight")
    screen.check(values=[*START[:3], 2.1, *START[4:]])
    tried = screen.root.get_by_label("Try")
    assert tried.evaluate("(n) => n.selectedOptions[0].text") == "as you moved them"
    tried.select_option("the first batch")
    tried.select_option("as you moved them")
    screen.check(values=list(START))
    for name, trait in {"γ, the scale": "gamma", "β, the shift": "beta"}.items():
        for value in ("-3", "2.4"):
            screen.root.get_by_label(name).fill(value)
            screen.check(**{trait: float(value)})
    screen.root.get_by_label("Try").select_option("all equal")
    screen.check(values=[2.0] * 8)
    assert {row[3] for row in screen.table()} == {2.4}  # beta, whatever the inputs are
    screen.inputs.nth(3).focus()
    screen.page.keyboard.press("ArrowRight")
    screen.check(values=[2.0] * 3 + [2.1] + [2.0] * 4)  # a variance so small that its digits matter
    for label, value in {"0.01": 0.01, "1": 1.0, "10⁻⁵": 1e-5}.items():
        screen.choose("ε", label)
        screen.check(eps=value)


def test_running_the_batch_moves_the_averages_in_train_only(screen):
    screen.check_running()
    for label, value in {"0.1": 0.1, "0.5": 0.5, "1": 1.0, "0.01": 0.01}.items():
        screen.choose("Momentum", label)
        screen.expected.momentum = value
        texts = screen.line("running-mean"), screen.line("running-var")
        old, mean = screen.expected.running_mean, np.mean(START)
        keep, shown_old, share, shown_mean, result = numbers(texts[0])
        assert (keep, share) == (pytest.approx(1 - value), value)
        assert (shown_old, shown_mean) == (pytest.approx(old, abs=5.1e-5), pytest.approx(mean, abs=5.1e-5))
        assert result == pytest.approx(keep * shown_old + share * shown_mean, abs=1.1e-4)
        keep, shown_old, share, squares, n, result = numbers(texts[1])
        assert (squares / n, n) == (pytest.approx(np.var(START, ddof=1)), 7)
        assert result == pytest.approx(keep * shown_old + share * squares / n, abs=1.1e-4)
        screen.press("Run the batch")
        screen.expected.run()
        screen.check_running()
        screen.press("Run it 10 times")
        for _ in range(10):
            screen.expected.run()
        screen.check_running()
    screen.choose("Mode", "eval")
    screen.check(training=False)
    screen.press("Run the batch")
    screen.check_running()
    assert "In eval, running a batch moves neither average." in screen.root.inner_text()
    screen.press("Start again")
    screen.check(running_mean=0.0, running_var=1.0, batches=0)
    screen.check_running()


@pytest.mark.parametrize(("answer", "opening"), [("Its own only", "No. "), ("All, not one way", "Yes. ")])
def test_the_prediction(screen, answer, opening):
    """Dot 8 moves to the right by itself, and all eight outputs with it, not all one way."""
    before = np.array(screen.table())[:, 3]
    screen.root.get_by_role("button", name=answer).click()
    screen.page.wait_for_function("() => document.querySelectorAll('.bb-bn-in')[7].ariaValueNow === '8.4'")
    screen.check(values=[*START[:7], 8.4], selected=7)
    moved = np.array(screen.table())[:, 3] - before
    assert (np.abs(moved) > 0.001).all()
    assert {*np.sign(moved)} == {-1, 1}
    assert screen.says().startswith(opening)
    assert screen.root.locator(".bb-true").all_inner_texts() == ["All, not one way"]
    screen.inputs.nth(0).press("ArrowRight")
    screen.frame()
    assert screen.says().startswith("Input 1 has moved")


def test_less_motion(page_with):
    """The dot is where it goes at once."""
    page = page_with(BatchNormExplorer(), width=720, reduced_motion="reduce")
    page.get_by_role("button", name="Its own only").click()
    page.evaluate(FRAME)
    assert page.locator(".bb-bn-in").nth(7).get_attribute("aria-valuenow") == "8.4"


def test_dots_have_colors_only_beside_their_numbers(page_with):
    page = page_with(BatchNormExplorer(), width=720)
    fills = "(all) => all.map((n) => n.children[1].style.fill).join('')"
    assert page.locator(".bb-bn-in").evaluate_all(fills) == ""
    page.locator("summary").last.click()
    page.wait_for_function(f"() => ({fills})([...document.querySelectorAll('.bb-bn-in')]).includes('negative')")


def test_touch_chooses_a_dot(page_with):
    screen = Screen(page_with(BatchNormExplorer(), width=360, has_touch=True), BatchNormExplorer())
    screen.inputs.nth(7).tap()
    screen.check(selected=7)


def test_two_views_stay_in_step_and_nothing_is_written_before_the_reader_acts(page_with):
    widget = BatchNormExplorer()
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    page_checks.unfold(page)
    first, second = page.locator(".bb-widget").all()
    first.locator(".bb-bn-in").nth(5).press("PageUp")
    first.get_by_role("button", name="Run the batch").click()
    first.get_by_label("β, the shift").fill("1.5")
    Screen(page, widget).frame()
    for part in (".bb-bn-sums", ".bb-numbers", ".bb-bn-running-now", ".bb-bn-title"):
        assert first.locator(part).inner_text() == second.locator(part).inner_text()
    assert "after 1 batch" in second.inner_text()


def test_it_is_whole(page_with):
    page = page_with(BatchNormExplorer())
    page_checks.assert_figure(page)
    Screen(page, None).root.get_by_label("γ, the scale").fill("-3")
    page.get_by_label("Try").select_option("all equal")  # the steepest there is
    page_checks.assert_sound(page)


def test_nothing_jumps(page_with):
    page = page_with(BatchNormExplorer())
    keys = ["Home", *["PageUp"] * 9, "ArrowLeft", "End"]
    acts = [
        [".bb-bn-in:nth-of-type(n)", "key Home"],
        [".bb-segmented label", None],
        *[[".bb-bn-in", f"key {key}"] for key in keys[:3]],
    ]
    for width in (720, 340):
        page_checks.resize(page, width)
        assert page_checks.jumps(page, [*acts, [".bb-button", None]]) == []
