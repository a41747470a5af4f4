"""ConfusionMatrix: what Python sends, and what a browser shows of it, held against `backbone.metrics`."""

import gzip
import json
import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from ipywidgets.embed import dependency_state
from sent import REVIVED, sent

from backbone import metrics, pretrained
from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist, standardize, to_float
from backbone.training import predict
from backbone.widgets import ConfusionMatrix, ThresholdExplorer

CLASSES = ("T-shirt/top", "Coat", "Sandal", "Bag")
N = 120


def answers(seed, labels, share):
    """Return probabilities that put the true class first for about this share of the pictures."""
    rng = np.random.default_rng(seed)
    scores = rng.random((len(labels), len(CLASSES)))
    scores[np.arange(len(labels)), labels] += rng.random(len(labels)) < share
    return scores / scores.sum(axis=1, keepdims=True)


LABELS = np.random.default_rng(0).integers(0, 4, N)
IMAGES = np.random.default_rng(1).integers(0, 256, (N, 6, 5), dtype=np.uint8)
TABLES = {"first net": answers(2, LABELS, 0.8), "second net": answers(3, LABELS, 0.6)}
CALLS = {name: table.argmax(axis=1) for name, table in TABLES.items()}


def made(count=2, **changes):
    return ConfusionMatrix(IMAGES, LABELS, dict(list(TABLES.items())[:count]), CLASSES, **changes)


def clothes():
    """Return the chapter's matrix: two networks, a thousand pictures, ten classes with long names."""
    test = fashion_mnist("test")
    x = standardize(to_float(test.images), FASHION_MNIST_STATISTICS)
    tables = {"LeNet": "lenet", "MLP": "mlp"}
    tables = {name: predict(pretrained.load(file), x).softmax(1) for name, file in tables.items()}
    return ConfusionMatrix(test.images, test.labels, tables, test.classes)


# --- Python -------------------------------------------------------------------------------------------------


def test_counts_and_comparison_are_those_of_metrics():
    widget = made()
    for name, called in CALLS.items():
        widget.network = name
        np.testing.assert_array_equal(widget.matrix, metrics.confusion_matrix(LABELS, called, 4))
    assert widget.comparison == metrics.mcnemar(*(called == LABELS for called in CALLS.values()))
    assert made(1).comparison is None


def test_every_wrong_picture_is_carried_with_sixteen_levels():
    widget = made(right_per_class=3)
    wrong = np.flatnonzero((CALLS["first net"] != LABELS) | (CALLS["second net"] != LABELS))
    assert set(wrong) <= set(widget.kept)
    right = np.setdiff1d(widget.kept, wrong)
    assert np.bincount(LABELS[right]).tolist() == [3, 3, 3, 3]
    packed = widget.pixels
    levels = np.stack([packed >> 4, packed & 15], 1).ravel()[: len(widget.kept) * 30].reshape(-1, 6, 5)
    np.testing.assert_allclose(levels / 15, IMAGES[widget.kept] / 255, atol=1 / 30 + 1e-9)


def test_tensors_and_floats_are_taken():
    same = ConfusionMatrix(
        torch.tensor(IMAGES)[:, None] / 255, torch.tensor(LABELS), {"a": torch.tensor(TABLES["first net"])}, CLASSES
    )
    plain = ConfusionMatrix(IMAGES, LABELS, {"a": TABLES["first net"]}, CLASSES)
    np.testing.assert_array_equal(same.pixels, plain.pixels)


def test_it_opens_at_the_largest_error():
    widget = made()
    errors = widget.matrix - np.diag(np.diag(widget.matrix))
    assert errors[tuple(widget.cell)] == errors.max() > 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((IMAGES[:3], LABELS, TABLES, CLASSES), "images has shape (3, 6, 5); for 120 labels it must be (120, H, W)"),
        ((IMAGES / 100, LABELS, TABLES, CLASSES), "floating point in [0, 1]"),
        ((IMAGES, LABELS, TABLES, CLASSES[:1]), "classes has 1 names; the matrix takes 2 to 12"),
        ((IMAGES, LABELS, {}, CLASSES), "probabilities has 0 networks"),
        ((IMAGES, LABELS, {"a": np.ones((N, 3))}, CLASSES), "has shape (120, 3); it must be (120, 4)"),
        ((IMAGES, LABELS, {"a": np.ones((N, 4))}, CLASSES), "do not sum to 1; give softmax of the logits"),
        ((IMAGES, LABELS + 4, TABLES, CLASSES), "labels holds class 7, but 4 classes are named"),
    ],
)
def test_errors_say_what_is_allowed(arguments, words):
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        ConfusionMatrix(*arguments)
    assert words in str(caught.value)


@pytest.mark.parametrize("change", [{"network": "x"}, {"cell": [0, 4]}, {"numbers": "x"}, {"pair": "x"}])
def test_settings_outside_their_range_are_refused(change):
    with pytest.raises(traitlets.TraitError):
        made(**change)
    with pytest.raises(traitlets.TraitError, match="give two to compare them"):
        made(1, pair="both")


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    evaluate = module_of(ConfusionMatrix._esm)
    return lambda name, *given: evaluate("([name, given]) => m[name](...given)", [name, given])


@pytest.mark.browser
def test_matrix_shares_and_pairs_equal_python(module):
    first, second = (called.tolist() for called in CALLS.values())
    matrix = metrics.confusion_matrix(LABELS, first, 4)
    assert module("countMatrix", LABELS.tolist(), first, 4) == matrix.tolist()
    np.testing.assert_allclose(module("recallOf", matrix.tolist()), metrics.recall(matrix), rtol=1e-12)
    np.testing.assert_allclose(module("precisionOf", matrix.tolist()), metrics.precision(matrix), rtol=1e-12)
    rows, columns = (module("cellValues", matrix.tolist(), name) for name in ("rows", "columns"))
    np.testing.assert_allclose(rows, 100 * matrix / matrix.sum(1, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(columns, 100 * matrix / matrix.sum(0), rtol=1e-12)
    pairs = module("pairing", LABELS.tolist(), first, second)
    a, b = (called == LABELS for called in CALLS.values())
    for name, where in {"both": a & b, "first": a & ~b, "second": ~a & b, "neither": ~a & ~b}.items():
        np.testing.assert_array_equal(np.array(pairs) == name, where)
    assert module("recallOf", [[0, 0], [1, 2]]) == [None, pytest.approx(2 / 3)]
    assert module("precisionOf", [[0, 3], [0, 2]]) == [None, 0.4]


@pytest.mark.browser
@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 5), (49, 21), (21, 49), (700, 640), (3000, 2000)])
def test_exact_p_equals_python(module, b, c):
    expected = metrics.mcnemar([1] * b + [0] * c + [1], [0] * b + [1] * c + [1]).exact_p
    assert module("exactP", b, c) == pytest.approx(expected, rel=1e-9)


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget")
        self.cells = self.root.locator(".bb-cm-cell")
        self.title = self.root.locator(".bb-cm-title")
        self.slots = self.root.locator(".bb-cm-slot")

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def choose(self, text):
        self.root.locator("fieldset label").filter(has_text=re.compile(f"^{re.escape(text)}$")).click()

    def inside(self):
        """Return the numbers of the pictures of the open cell."""
        calls = self.expected.predicted
        right = calls == LABELS
        if self.expected.pair:
            first, second = right
            where = {"both": first & second, "first": first & ~second, "second": ~first & second}
            return np.flatnonzero(where.get(self.expected.pair, ~first & ~second))
        truth, called = self.expected.cell
        speaker = calls[self.expected.networks.index(self.expected.network)]
        return np.flatnonzero((truth == LABELS) & (speaker == called))

    def check(self, page=0, **changes):
        for name, value in changes.items():
            setattr(self.expected, name, value)
        self.frame()
        matrix = self.expected.matrix
        totals = {"counts": np.full((4, 1), 100), "rows": matrix.sum(1, keepdims=True), "columns": matrix.sum(0)}
        values = 100 * matrix / totals[self.expected.numbers]
        texts = [f"{np.floor(value + 0.5):.0f}" if value else "·" for value in values.ravel()]
        assert self.cells.all_inner_texts() == texts
        margins = self.root.locator(".bb-cm-margin").all_inner_texts()
        shares = [*metrics.recall(matrix), *metrics.precision(matrix)]
        assert margins == [*(f"{np.floor(100 * share + 0.5):.0f}" for share in shares), ""]
        place = [i for i, cell in enumerate(self.cells.all()) if cell.get_attribute("aria-selected") == "true"]
        truth, called = self.expected.cell
        assert place == ([] if self.expected.pair else [4 * truth + called])
        self.check_pictures(page)

    def check_pictures(self, page):
        inside = self.inside()
        assert f": {len(inside)} picture{'' if len(inside) == 1 else 's'}" in self.title.inner_text()
        speaker = {"first": 1, "second": 0, "both": 0, "neither": 0}.get(
            self.expected.pair, self.expected.networks.index(self.expected.network)
        )
        table = list(TABLES.values())[speaker].astype(np.float16).astype(float)
        here = sorted(np.intersect1d(inside, self.expected.kept), key=lambda i: -table[i].max())
        seen = [slot for slot in self.slots.all() if slot.evaluate("(n) => n.style.visibility") != "hidden"]
        shown = here[8 * page : 8 * page + 8]
        assert len(seen) == len(shown)
        for slot, picture in zip(seen, shown, strict=True):
            truth, called, probability = slot.locator("span").all_inner_texts()
            assert truth == CLASSES[LABELS[picture]]
            assert called == f"→ {CLASSES[table[picture].argmax()]}"
            assert float(probability.rstrip(" %")) == pytest.approx(100 * table[picture].max(), abs=0.51)
            drawn = slot.locator("canvas").evaluate(
                "(n) => [...n.getContext('2d').getImageData(0, 0, 5, 6).data].filter((_, i) => i % 4 === 0)"
            )
            np.testing.assert_allclose(np.array(drawn), IMAGES[picture].ravel(), atol=9)


@pytest.fixture
def screen(page_with):
    widget = made()
    return Screen(page_with(widget, width=720), made())


@pytest.mark.browser
def test_every_control_by_pointer(screen):
    screen.check()
    for name, text in {"rows": "% of row", "columns": "% of column", "counts": "counts"}.items():
        screen.choose(text)
        screen.check(numbers=name)
    screen.choose("second net")
    screen.check(network="second net")
    for cell in ([0, 0], [1, 3], [3, 2]):
        screen.cells.nth(4 * cell[0] + cell[1]).click()
        screen.check(cell=cell)
    buttons = screen.root.locator(".bb-cm-pairs .bb-button")
    for at, pair in enumerate(["both", "first", "second", "neither"]):
        buttons.nth(at).click()
        screen.check(pair=pair)
        assert buttons.nth(at).inner_text() == str(len(screen.inside()))
        assert buttons.nth(at).get_attribute("aria-pressed") == "true"
    buttons.nth(3).click()
    screen.check(pair="")
    test = screen.expected.comparison
    said = screen.root.locator(".bb-cm-compare .bb-hint").inner_text()
    assert said.startswith(f"Only first net: {test.only_first}, only second net: {test.only_second}.")
    assert f"p = {test.exact_p:.4f}" in said


@pytest.mark.browser
def test_pages_of_pictures(screen):
    screen.root.locator(".bb-cm-pairs .bb-button").nth(0).click()
    screen.check(pair="both")
    here = np.intersect1d(screen.inside(), screen.expected.kept)
    assert len(here) == 32  # eight of each class
    assert f"1–8 of 32 (of {len(screen.inside())}, 32 are carried" in screen.root.inner_text()
    for page in (1, 2, 3):
        screen.press("More")
        screen.check(page)
    assert screen.root.get_by_role("button", name="More").is_disabled()
    screen.press("Back")
    screen.check(2)
    screen.root.locator(".bb-cm-pairs .bb-button").nth(3).click()
    screen.check(0, pair="neither")


@pytest.mark.browser
def test_moving_by_keys(screen):
    cell = screen.expected.cell
    screen.cells.nth(4 * cell[0] + cell[1]).focus()
    steps = {"Home": (None, 0), "PageUp": (0, None), "ArrowRight": (0, 1), "ArrowDown": (1, 1), "End": (1, 3),
             "ArrowUp": (0, 3), "PageDown": (3, 3), "ArrowLeft": (3, 2)}  # fmt: skip
    for key, (row, column) in steps.items():
        screen.page.keyboard.press(key)
        cell = [cell[0] if row is None else row, cell[1] if column is None else column]
        screen.check(cell=cell)
        assert screen.page.evaluate("document.activeElement.ariaSelected") == "true"
    screen.page.keyboard.press("ArrowDown")
    screen.page.keyboard.press("ArrowDown")
    screen.check(cell=[3, 2])
    # One stop for the whole matrix.
    assert screen.root.locator(".bb-cm-cell[tabindex='0']").count() == 1


@pytest.mark.browser
def test_touch_opens_a_cell(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True), made())
    screen.cells.nth(6).tap()
    screen.check(cell=[1, 2])


@pytest.mark.browser
def test_two_views_of_one_matrix_agree(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    first, second = page.locator(".bb-widget").all()
    first.locator(".bb-cm-cell").nth(9).click()
    first.get_by_text("% of row").click()
    page.wait_for_timeout(100)
    for part in (".bb-cm-grid", ".bb-cm-title", ".bb-cm-slots"):
        assert first.locator(part).inner_text() == second.locator(part).inner_text()
    assert second.locator(".bb-cm-cell[aria-selected=true]").count() == 1


@pytest.mark.browser
def test_it_fits_and_is_accessible(page_with):
    page_checks.assert_sound(page_with(made()))


@pytest.mark.browser
@pytest.mark.parametrize("width", [320, 360, 720])
def test_nothing_moves_while_one_looks_around(page_with, width):
    page = page_with(clothes(), width=width)
    more = [["button|More", None]] * 3
    acts = [[".bb-cm-cell", None], *([f"label|{text}", None] for text in ("% of row", "% of column", "MLP"))]
    assert page_checks.jumps(page, [*acts, [".bb-cm-pairs .bb-button", None, *more]]) == []
    assert page.evaluate("layoutShift") < 0.01


@pytest.mark.browser
def test_one_network_has_nothing_to_compare(page_with):
    page = page_with(made(1), width=400)
    assert page.locator(".bb-cm-compare").count() == 0
    assert not page.get_by_text("Network", exact=True).is_visible()


RENDER_ALONE = """async ([esm, state]) => {
    const m = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
    const written = [], listening = new Map();
    const count = (name, by) => listening.set(name, (listening.get(name) ?? 0) + by);
    const model = {
        get: (name) => REVIVED(state[name]),
        set: (name) => written.push(name), save_changes: () => written.push("save"),
        on: (name) => count(name, 1), off: (name) => count(name, -1),
    };
    const el = document.body.appendChild(document.createElement("div"));
    const dispose = await m.default.render({ model, el });
    const on = [...listening.values()];
    await new Promise((done) => setTimeout(done, 600)); // whatever it does later: timers, frames, observers
    const said = [...el.querySelectorAll(".bb-hidden[role=status]")].map((n) => n.textContent).join("");
    dispose();
    return { written, on, said, off: [...listening.values()], left: el.children.length };
}""".replace("REVIVED", REVIVED)


def explorer():
    rng = np.random.default_rng(0)
    return ThresholdExplorer(rng.normal(1, 1, 20), rng.normal(-1, 1, 50))


@pytest.mark.browser
@pytest.mark.parametrize("make", [made, explorer])
def test_render_writes_nothing_and_lets_go_of_everything(tabs, make):
    widget = make()
    with tabs() as tab:
        seen = tab.page.evaluate(RENDER_ALONE, [widget._esm, sent(widget)])
    assert seen["written"] == []
    assert set(seen["on"]) <= {1, 2}  # the repaint; and what an invitation or an answer waits for
    assert set(seen["off"]) == {0}
    assert seen["left"] == 0
    assert seen["said"] == ""


@pytest.mark.parametrize("make", [made, explorer])
def test_it_keeps_the_budget(make):
    widget = make()
    assert len(gzip.compress(widget._esm.encode())) <= 30 * 1024  # as it travels
    assert len(json.dumps(dependency_state([widget], drop_defaults=False))) <= 400 * 1024


def test_a_thousand_pictures_keep_the_budget():
    size = len(json.dumps(dependency_state([clothes()], drop_defaults=False)))
    print(f"{size / 1000:.0f} KB")
    assert size <= 400 * 1024
