"""ConfusionMatrix: what Python sends, and what a browser shows of it, held against `backbone.metrics`."""

import re

import numpy as np
import page_checks
import pytest
import torch
import traitlets
from page_checks import FRAME

from backbone import metrics, pretrained
from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist, standardize, to_float
from backbone.training import predict
from backbone.widgets import ConfusionMatrix
from backbone.widgets.base import HERE, join
from backbone.widgets.confusion_matrix import HALF

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


def test_half_of_the_pictures_asked_are_those_the_network_gets_wrong():
    for widget in (made(), clothes()):
        calls, labels = np.array(widget.predicted), np.array(widget.labels)
        wrong = [i for i in widget.asked if calls[0][i] != labels[i]]
        assert len(widget.asked) == len(set(widget.asked)) == 2 * HALF
        assert len(wrong) == HALF
        assert all((calls[:, i] == labels[i]).all() for i in set(widget.asked) - set(wrong))
        assert set(widget.asked) <= set(widget.kept)
    assert sorted(labels[i] for i in widget.asked) == list(range(10))  # of the clothes one of each class


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


@pytest.mark.parametrize(
    "change",
    [{"network": "x"}, {"cell": [0, 4]}, {"numbers": "x"}, {"pair": "x"}, {"guesses": [4]}, {"guesses": [0] * 11}],
)
def test_settings_outside_their_range_are_refused(change):
    with pytest.raises(traitlets.TraitError):
        made(**change)
    with pytest.raises(traitlets.TraitError, match="give two to compare them"):
        made(1, pair="both")


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    evaluate = module_of(join(HERE / "confusion_matrix" / "maths.js"))
    return lambda name, *given: evaluate("([name, given]) => m[name](...given)", [name, given])


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


@pytest.mark.parametrize(("b", "c"), [(0, 0), (1, 0), (5, 5), (49, 21), (21, 49), (700, 640), (3000, 2000)])
def test_exact_p_equals_python(module, b, c):
    expected = metrics.mcnemar([1] * b + [0] * c + [1], [0] * b + [1] * c + [1]).exact_p
    assert module("exactP", b, c) == pytest.approx(expected, rel=1e-9)


def test_strengths_scores_and_keys(module):
    matrix = [[6, 0, 2], [0, 0, 0], [1, 0, 3]]
    assert module("strengths", matrix) == [[0.75, 0, 1], [0, 0, 0], [0.5, 0, 0.75]]
    asked, labels, called = [3, 0, 2], [0, 1, 2, 3], [1, 1, 2, 3]
    assert module("scoreOf", asked, [3, 1], labels, called) == {"right": 1, "itsRight": 1}
    assert module("scoreOf", asked, [], labels, called) == {"right": 0, "itsRight": 0}
    keys = {"Home": [1, 0], "End": [1, 3], "PageUp": [0, 2], "PageDown": [3, 2], "ArrowUp": [0, 2], "Enter": [1, 2]}
    for key, cell in keys.items():
        assert module("cellAfter", key, [1, 2], 3) == cell
    assert module("cellAfter", "ArrowDown", [3, 2], 3) == [3, 2]
    assert module("cellAfter", "x", [1, 2], 3) is None


# --- On a page ----------------------------------------------------------------------------------------------


PIXELS = "(n) => [...n.getContext('2d').getImageData(0, 0, 5, 6).data].filter((_, i) => i % 4 === 0)"


class Screen:
    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").first
        self.cells, self.slots = self.root.locator(".bb-cm-cell"), self.root.locator(".bb-cm-slot")

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def says(self):
        self.page.evaluate(FRAME)
        return self.root.locator(".bb-says").inner_text()

    def inside(self):
        """Return the numbers of the pictures of the open cell, and the place of the network whose words they show."""
        calls = self.expected.predicted
        first, second = calls == LABELS
        if self.expected.pair:
            where = {"both": first & second, "first": first & ~second, "second": ~first & second}
            found = where.get(self.expected.pair, ~first & ~second)
            return np.flatnonzero(found), 1 if self.expected.pair == "first" else 0
        truth, called = self.expected.cell
        speaker = self.expected.networks.index(self.expected.network)
        return np.flatnonzero((truth == LABELS) & (calls[speaker] == called)), speaker

    def check(self, page=0, **changes):
        """Compare cells, table, sentence and pictures with Python's."""
        for name, value in changes.items():
            setattr(self.expected, name, value)
        says, matrix = self.says(), self.expected.matrix
        cells = self.cells.evaluate_all("(all) => all.map((n) => [n.ariaLabel.split(': ').at(-1), n.ariaSelected])")
        assert [count for count, _ in cells] == [str(count) for count in matrix.ravel()]
        place = [chosen == "true" for _, chosen in cells]
        truth, called = self.expected.cell
        assert np.flatnonzero(place).tolist() == ([] if self.expected.pair else [4 * truth + called])
        totals = {"counts": np.full((4, 1), 100), "rows": matrix.sum(1, keepdims=True), "columns": matrix.sum(0)}
        values = np.floor(100 * matrix / totals[self.expected.numbers] + 0.5).astype(int)
        recall, precision = (np.floor(100 * f(matrix) + 0.5).astype(int) for f in (metrics.recall, metrics.precision))
        rows = [*np.column_stack([values, recall]).ravel().tolist(), *precision.tolist()]
        shown = self.root.locator("details").first.locator("tbody td").all_text_contents()
        assert shown == [*map(str, rows), ""]
        inside, speaker = self.inside()
        assert f"{len(inside)} of " in says
        self.check_pictures(inside, list(TABLES.values())[speaker].astype(np.float16).astype(float), page)

    def check_pictures(self, inside, table, page):
        here = sorted(np.intersect1d(inside, self.expected.kept), key=lambda i: -table[i].max())
        seen = self.slots.locator("canvas:visible").evaluate_all(
            f"(all) => all.map((n) => [n.ariaLabel, ({PIXELS})(n)])"
        )
        shown = here[6 * page : 6 * page + 6]
        assert len(seen) == len(shown)
        for (words, pixels), picture in zip(seen, shown, strict=True):
            truth, called, probability = re.match(r"(.*), called (.*): (\d+) %", words).groups()
            assert truth == CLASSES[LABELS[picture]]
            assert called == CLASSES[table[picture].argmax()]
            assert float(probability) == pytest.approx(100 * table[picture].max(), abs=0.51)
            np.testing.assert_allclose(pixels, IMAGES[picture].ravel(), atol=9)


@pytest.fixture
def screen(page_with):
    """The matrix of which cells are open already."""
    return Screen(page_with(made(over=True), width=720), made(over=True))


def test_the_reader_against_the_network(page_with):
    """The reader names ten pictures; they fall into the cells of their class and of the reader's word."""
    screen, calls = Screen(page_with(made(), width=720), made()), CALLS["first net"]
    guesses, asked = [0, 1, 2, 3, 0, 1, 2, 3, 0, 1], screen.expected.asked
    assert "first net gets 5 wrong" in screen.says()
    assert screen.cells.first.get_attribute("tabindex") == "-1"
    for number, (picture, guess) in enumerate(zip(asked, guesses, strict=True), start=1):
        assert screen.root.locator(".bb-question").inner_text() == f"What is it? Picture {number} of 10"
        drawn = screen.root.locator(".bb-cm-large").evaluate(PIXELS)
        np.testing.assert_allclose(drawn, IMAGES[picture].ravel(), atol=9)
        answer = screen.root.locator(".bb-cm-answer").nth(guess)
        answer.press("Enter") if number % 2 else answer.click()
        cell = screen.cells.nth(4 * LABELS[picture] + guess)
        kind = "yes" if LABELS[picture] == guess else "no"
        mine = sum(LABELS[i] == k for i, k in zip(asked, guesses[:number], strict=False))
        its = sum(calls[i] == LABELS[i] for i in asked[:number])
        says = screen.says()
        assert cell.locator(f".bb-cm-{kind}").count() >= 1
        assert screen.root.locator(".bb-cm-you").count() == number
        if number < 10:
            truth, its_word = CLASSES[LABELS[picture]], CLASSES[calls[picture]]
            assert says.startswith(f"{truth}! You said {CLASSES[guess]}, first net {its_word}.")
            assert says.endswith(f"you {mine}, first net {its}.")
    truth, guessed = CLASSES[LABELS[asked[-1]]], CLASSES[guesses[-1]]
    assert says == (f"{truth}! You said {guessed}. You told {mine} of 10 right, first net {HALF}. Now the cells open.")
    screen.cells.nth(5).click()
    screen.check(cell=[1, 1], guesses=guesses, over=True)
    screen.root.locator("details").last.locator("summary").click()
    screen.root.get_by_label("second net", exact=True).check(force=True)
    screen.check(network="second net")
    screen.press("Ask me again")  # about the first network, whose matrix stands behind
    screen.page.evaluate(FRAME)
    assert screen.root.get_by_label("first net", exact=True).is_checked()
    assert "gets 5 wrong" in screen.says()
    assert screen.root.locator(".bb-cm-you").count() == 0


def test_one_press_skips_the_questions(page_with):
    screen = Screen(page_with(made(), width=720), made())
    screen.root.get_by_role("button", name="Skip to the matrix").press("Enter")
    screen.check(over=True)
    assert screen.page.evaluate("document.activeElement.ariaSelected") == "true", "the keys go on in the matrix"


def test_every_control_by_pointer(screen):
    screen.check()
    screen.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")
    labels = screen.root.locator("fieldset label")
    for name, text in {"rows": "% of row", "columns": "% of column", "counts": "counts"}.items():
        labels.filter(has_text=re.compile(f"^{text}$")).click()
        screen.check(numbers=name)
    labels.filter(has_text="second net").click()
    screen.check(network="second net")
    for cell in ([0, 0], [1, 3], [3, 2]):
        screen.cells.nth(4 * cell[0] + cell[1]).click()
        screen.check(cell=cell)
    buttons = screen.root.locator(".bb-cm-pairs .bb-button")
    for at, pair in enumerate(["both", "first", "second", "neither"]):
        buttons.nth(at).click()
        screen.check(pair=pair)
        assert buttons.nth(at).inner_text() == str(len(screen.inside()[0]))
        assert buttons.nth(at).get_attribute("aria-pressed") == "true"
    buttons.nth(3).click()
    screen.check(pair="")
    test = screen.expected.comparison
    said = screen.root.locator(".bb-cm-pairs .bb-hint").inner_text()
    assert said.startswith(f"Only first net: {test.only_first}, only second net: {test.only_second}.")
    assert f"p = {test.exact_p:.4f}" in said


def test_pages_of_pictures(screen):
    screen.root.locator("details").last.locator("summary").click()
    screen.root.locator(".bb-cm-pairs .bb-button").nth(0).click()
    screen.check(pair="both")
    for page in range(1, 6):
        screen.press("less sure →")
        screen.check(page)
    assert screen.root.get_by_role("button", name="less sure →").is_disabled()
    screen.press("← surer")
    screen.check(4)
    screen.root.locator(".bb-cm-pairs .bb-button").nth(3).click()
    screen.check(0, pair="neither")


def test_moving_by_keys_and_by_touch(page_with):
    screen = Screen(page_with(made(over=True), width=360, has_touch=True), made(over=True))
    screen.cells.nth(6).tap()
    screen.check(cell=[1, 2])
    for key, cell in {
        "Home": [1, 0],
        "PageUp": [0, 0],
        "ArrowDown": [1, 0],
        "End": [1, 3],
        "ArrowDown ": [2, 3],
    }.items():
        screen.page.keyboard.press(key.strip())
        screen.check(cell=cell)
        assert screen.page.evaluate("document.activeElement.ariaSelected") == "true"
    assert screen.root.locator(".bb-cm-cell[tabindex='0']").count() == 1, "one stop for the whole matrix"


def test_two_views_of_one_matrix_agree(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    first, second = page.locator(".bb-widget").all()
    first.locator(".bb-cm-answer").nth(2).click()
    assert Screen(page, widget).says() == second.locator(".bb-says").inner_text()
    first.get_by_role("button", name="Skip to the matrix").click()
    first.locator(".bb-cm-cell").nth(9).click()
    assert Screen(page, widget).says() == second.locator(".bb-says").inner_text()
    assert second.locator(".bb-cm-cell[aria-selected=true]").count() == 1


@pytest.mark.parametrize("over", [False, True])
def test_it_is_whole(page_with, over):
    widget = clothes()
    widget.over = over
    page = page_with(widget)
    answers = [[f".bb-cm-answer|{name}", None] for name in ("Ankle boot", "T-shirt/\u200btop") * 5]
    page_checks.assert_whole(page, *answers, [".bb-cm-cell", None], widths=(320, 360, 720))


def test_the_page_does_not_shift(page_with):
    page = page_with(clothes(), width=720)
    page.locator(".bb-cm-answer").first.click()
    page.get_by_role("button", name="Skip to the matrix").click()
    page.locator(".bb-cm-cell").nth(9).click()
    page.evaluate(FRAME)
    assert page.evaluate("layoutShift") < 0.01


def test_one_network_has_nothing_to_compare(page_with):
    page = page_with(made(1), width=400)
    page.locator("details").last.locator("summary").click()
    assert page.locator(".bb-cm-pairs").count() == 0
    assert not page.get_by_text("Network", exact=True).is_visible()
