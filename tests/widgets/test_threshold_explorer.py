"""ThresholdExplorer: its functions and its screen in a real browser, held against `backbone.metrics`."""

import re

import numpy as np
import page_checks
import pytest
import traitlets
from page_checks import FRAME

from backbone import metrics
from backbone.widgets import ThresholdExplorer

RNG = np.random.default_rng(0)
POSITIVES = RNG.normal(1.5, 2, 80).astype(np.float32)
NEGATIVES = RNG.normal(-2, 2, 320).astype(np.float32)
TIES = np.array([1, 1, 2, 0, -1], np.float32), np.array([0, 0, 1, -1, -3, 1], np.float32)
SETS = {"random": (POSITIVES, NEGATIVES), "ties": TIES, "one of each": (np.ones(1), np.zeros(1)),
        "equal": (np.ones(2), np.ones(3)), "wrong way": (np.zeros(2), np.ones(3))}  # fmt: skip


PICTURES = RNG.integers(0, 256, (80, 6, 6), np.uint8), RNG.integers(0, 256, (320, 6, 6), np.uint8)


def made(**changes):
    return ThresholdExplorer(
        POSITIVES, NEGATIVES, positive="shirts", score="log-odds", **({"pictures": PICTURES} | changes)
    )


def pooled(positives, negatives):
    return np.repeat([True, False], [len(positives), len(negatives)]), np.concatenate([positives, negatives])


# --- Python -------------------------------------------------------------------------------------------------


def test_rates_and_precision():
    widget = made(threshold=0.5)
    assert widget.prevalence == 0.2
    assert widget.rates == (np.mean(POSITIVES >= 0.5), np.mean(NEGATIVES >= 0.5))
    called = np.concatenate([POSITIVES, NEGATIVES]) >= 0.5
    assert widget.precision == pytest.approx(called[:80].sum() / called.sum())
    widget.prevalence = 0.01
    assert widget.precision == pytest.approx(metrics.precision_at(*widget.rates, 0.01))
    assert widget.positives.tolist() == sorted(POSITIVES.tolist(), reverse=True)


def test_the_pictures_that_are_shown():
    """Of each kind 40, from its lowest score to its highest, all by falling score, each with its own picture."""
    widget = made()
    assert widget.face_scores.tolist() == sorted(widget.face_scores, reverse=True)
    assert widget.face_truth.sum() == 40 == len(widget.face_scores) / 2
    for score, face, truth in zip(widget.face_scores, widget.faces, widget.face_truth, strict=True):
        scores, images = (POSITIVES, PICTURES[0]) if truth else (NEGATIVES, PICTURES[1])
        np.testing.assert_allclose(face, images[np.argmin(abs(scores - score))], atol=8.6)  # 16 levels of gray
    for scores, truth in ((POSITIVES, 1), (NEGATIVES, 0)):
        shown = widget.face_scores[widget.face_truth == truth]
        assert (shown.max(), shown.min()) == (scores.max(), scores.min())
    assert made(pictures=None).faces.size == 0


def test_errors_say_what_is_allowed():
    with pytest.raises(ValueError, match=r"pictures\[0\] has shape \(80, 36\)"):
        made(pictures=(PICTURES[0].reshape(80, 36), PICTURES[1]))
    with pytest.raises(traitlets.TraitError):
        made(answer="all")
    with pytest.raises(ValueError, match=r"positives has shape \(0,\)"):
        ThresholdExplorer([], [1.0])
    with pytest.raises(ValueError, match="negatives must hold finite real numbers"):
        ThresholdExplorer([1.0], [np.nan])
    with pytest.raises(traitlets.TraitError):
        made(prevalence=0.95)


# --- The functions of the module ----------------------------------------------------------------------------


CURVES = """([positives, negatives, prevalence]) => {
    const curve = m.curveOf(positives, negatives);
    const precisions = m.withPrecision(curve, prevalence);
    return { recall: curve.map((p) => p.recall), alarms: curve.map((p) => p.alarms), precisions,
             thresholds: curve.slice(1).map((p) => p.threshold),
             area: m.areaOf(curve), average: m.averageOf(curve, precisions), best: m.bestF1(curve, prevalence) };
}"""


def falling(scores):
    return sorted(map(float, scores), reverse=True)


@pytest.mark.parametrize("name", SETS)
def test_curves_equal_python(module, name):
    positives, negatives = SETS[name]
    truth, scores = pooled(positives, negatives)
    found = module(CURVES, [falling(positives), falling(negatives), float(truth.mean())])
    roc, pr = metrics.roc_curve(truth, scores), metrics.precision_recall_curve(truth, scores)
    np.testing.assert_allclose(found["recall"], roc.true_positive_rate, atol=1e-12)
    np.testing.assert_allclose(found["alarms"], roc.false_positive_rate, atol=1e-12)
    np.testing.assert_allclose(found["thresholds"], roc.thresholds[1:], atol=1e-12)
    np.testing.assert_allclose(found["precisions"], pr.precision, atol=1e-12)
    assert found["area"] == pytest.approx(metrics.auc(truth, scores), abs=1e-12)
    assert found["average"] == pytest.approx(metrics.average_precision(truth, scores), abs=1e-12)
    best = max(f1_at(truth, scores, threshold) for threshold in scores)
    assert f1_at(truth, scores, found["best"]) == pytest.approx(best)


def f1_at(truth, scores, threshold):
    return metrics.f1(metrics.confusion_matrix(truth.astype(int), (scores >= threshold).astype(int), 2))[1]


@pytest.mark.parametrize("threshold", [-9.0, -1.0, 0.0, 1.0, 1.7, 9.0])
def test_scores_at_a_threshold_equal_python(module, threshold):
    for positives, negatives in SETS.values():
        truth, scores = pooled(positives, negatives)
        called = scores >= threshold
        given = [falling(positives), falling(negatives), threshold, float(truth.mean())]
        found = module("(given) => m.scoresAt(...given)", given)
        matrix = metrics.confusion_matrix(truth.astype(int), called.astype(int), 2)
        assert found["recall"] == pytest.approx(metrics.recall(matrix)[1])
        assert found["precision"] == pytest.approx(metrics.precision(matrix, zero_division=1)[1])
        assert found["f1"] == pytest.approx(metrics.f1(matrix)[1])
        assert found["accuracy"] == pytest.approx(metrics.accuracy(truth.astype(int), called.astype(int)))
        shares = [matrix[1, 1], matrix[1, 0], matrix[0, 1], matrix[0, 0]]
        np.testing.assert_allclose(found["shares"], np.array(shares) / len(truth), atol=1e-12)
        for prevalence in (0.001, 0.03, 0.9):
            given[3] = prevalence
            found = module("(given) => m.scoresAt(...given)", given)
            rates = found["recall"], found["alarms"]
            assert found["precision"] == pytest.approx(metrics.precision_at(*rates, prevalence))


def test_bins_counts_and_slider(module):
    bins = module("(s) => [...m.binned(s, -8, 8, 10)]", falling(POSITIVES))
    np.testing.assert_allclose(bins, np.histogram(POSITIVES, 10, (-8, 8))[0] / 80, atol=1e-12)
    for shares in ([0.1, 0.2, 0.3, 0.4], [0.33333, 0.33333, 0.33334, 0], [0.00004, 0.00006, 0.0999, 0.9]):
        counts = module("(s) => m.wholeCounts(s, 10000)", shares)
        assert sum(counts) == 10000
        assert np.abs(np.array(counts) - 10000 * np.array(shares)).max() < 1
    shares = module("() => Array.from({ length: 201 }, (_, i) => m.toShare(i))")
    assert (shares[0], shares[-1]) == (0.001, 0.9)
    assert (np.diff(shares) >= 0).all()
    back = module("(s) => s.map(m.toStep)", shares)
    np.testing.assert_allclose(back, range(201), atol=2.1)  # the shares are rounded to be read


def test_the_rank_of_a_threshold(module):
    """At a score half of its picture has crossed the line, between two scores whole pictures have."""
    scores = [5.0, 4.0, 1.0]
    ranks = module("(given) => given[1].map((t) => m.rankOf(given[0], t))", [scores, [6, 4, 2.5, 0]])
    assert ranks == [0, 1.5, 2.0, 3]
    fine = module("(given) => given[1].map((t) => m.rankOf(given[0], t))", [scores, np.linspace(6, 0, 99).tolist()])
    assert (np.diff(fine) >= 0).all()


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget")
        self.histogram = self.root.locator(".bb-th-scores")
        self.prevalence = self.root.locator("input[type=range]")

    def frame(self):
        self.page.evaluate(FRAME)

    def threshold(self):
        self.frame()
        return float(self.histogram.get_attribute("aria-valuenow"))

    def number(self, name):
        row = self.root.locator(".bb-numbers tr").filter(has_text=re.compile(f"^{name}"))
        text = row.locator("td").text_content()
        return float(text.rstrip(" %")) / (1 if name == "F1" else 100)

    def said(self):
        """Return recall and precision as the sentence gives them; where nothing is called shirts, 0 and 1."""
        text = self.root.locator(".bb-says").text_content()
        if "nothing is called" in text:
            return 0.0, 1.0
        recall, precision = re.search(r"([\d.]+) % of the shirts are found, and ([\d.]+) %", text).groups()
        return float(recall) / 100, float(precision) / 100

    def check(self, prevalence=None):
        """Compare every number on the screen with Python's at the same settings."""
        self.frame()
        widget = self.expected
        widget.threshold = self.threshold()
        if prevalence is not None:
            widget.prevalence = prevalence
        recall, alarms = widget.rates
        share, tolerance = widget.prevalence, 0.00051
        accuracy = recall * share + (1 - alarms) * (1 - share)
        assert self.said() == pytest.approx((recall, widget.precision), abs=tolerance)
        assert self.number("false positive rate") == pytest.approx(alarms, abs=tolerance)
        widths = self.root.locator(".bb-th-bar").evaluate_all(
            "(bars) => bars.map((bar) => bar.firstChild.style.flexGrow)"
        )
        assert float(widths[0]) == pytest.approx(recall, abs=1e-6)
        assert self.number("accuracy") == pytest.approx(accuracy, abs=tolerance)
        hits = recall * share
        assert self.number("F1") == pytest.approx(2 * hits / (hits + alarms * (1 - share) + share), abs=tolerance)
        texts = self.root.locator(".bb-numbers tbody td").all_text_contents()[:4]
        counts = [int(text.replace(",", "")) for text in texts]
        shares = [hits, share - hits, alarms * (1 - share), (1 - alarms) * (1 - share)]
        np.testing.assert_allclose(counts, 10000 * np.array(shares), atol=1)
        assert sum(counts) == 10000
        captions = self.root.locator(".bb-caption").all_text_contents()
        truth, scores = pooled(POSITIVES, NEGATIVES)
        assert captions[0] == f"ROC, area {metrics.auc(truth, scores):.4f}"
        curve = metrics.roc_curve(truth, scores)
        rates = zip(curve.true_positive_rate, curve.false_positive_rate, strict=True)
        precisions = np.array([metrics.precision_at(float(t), float(f), share) for t, f in rates])
        average = np.sum(np.diff(curve.true_positive_rate) * precisions[1:])
        assert captions[1] == f"precision–recall, average {average:.4f}"


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=720), made())


# Thresholds on the screen have two decimals; keep them off the scores themselves.
def test_dragging_the_threshold(screen):
    screen.check()
    box = screen.histogram.bounding_box()
    mouse = screen.page.mouse
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
    mouse.down()
    for right in (0.3, 0.62, 0.8):
        mouse.move(box["x"] + right * box["width"], box["y"] + 40, steps=3)
        low, high = (float(screen.histogram.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
        assert screen.threshold() == pytest.approx(low + right * (high - low), abs=0.03)
        screen.check()
    mouse.move(box["x"] - 50, box["y"] + 40)
    assert screen.threshold() == pytest.approx(low, abs=0.01)
    mouse.move(box["x"] + box["width"] + 50, box["y"])
    screen.check()
    assert screen.said() == (0, 1)
    mouse.up()
    mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 40)
    assert screen.threshold() == pytest.approx(high, abs=0.01)


def test_prevalence_moves_precision_and_leaves_recall(screen):
    recall, precision = screen.said()
    alarms = screen.number("false positive rate")
    screen.root.locator("details").last.locator("summary").click()
    roc = screen.root.locator(".bb-pair canvas").first.evaluate("(n) => n.toDataURL()")
    screen.prevalence.focus()
    screen.page.keyboard.press("Home")
    screen.check(0.001)
    assert (screen.said()[0], screen.number("false positive rate")) == (recall, alarms)
    assert screen.said()[1] < 0.05 < precision
    assert screen.root.locator(".bb-pair canvas").first.evaluate("(n) => n.toDataURL()") == roc
    assert "has an accuracy of 99.9 %" in screen.root.text_content()
    screen.page.keyboard.press("End")
    screen.check(0.9)
    screen.root.get_by_role("button", name="Prevalence as measured").click()
    screen.check(0.2)
    screen.prevalence.fill("100")
    screen.frame()
    share = screen.root.locator(".bb-track output").inner_text().split(" %")[0]
    screen.check(float(share) / 100)


@pytest.mark.parametrize(("answer", "opening"), [("Recall", "No: "), ("Precision", "Yes, ")])
def test_the_prediction(screen, answer, opening):
    """The answer makes shirts ten times as rare, and stays in sight beside the truth."""
    recall, precision = screen.said()
    screen.root.get_by_role("button", name=answer, exact=True).click()
    screen.check(0.02)
    assert screen.said()[0] == recall
    assert screen.said()[1] < precision
    assert screen.root.locator(".bb-says").inner_text().startswith(opening)
    assert screen.root.locator(".bb-given").all_inner_texts() == [answer]
    assert screen.root.locator(".bb-true").all_inner_texts() == ["Precision"]
    assert screen.root.locator(".bb-answers:enabled").count() == 0


def test_pictures_cross_the_line(screen):
    """Beside the line, under the scores, lie a picture that is called a shirt and one that is not."""
    painted = "(n) => n.getContext('2d').getImageData(0, n.height * 0.8, n.width, n.height * 0.19).data.join()"
    seen = [screen.histogram.evaluate(painted)]
    for key in ("ArrowRight", "PageUp", "PageUp"):
        screen.histogram.press(key)
        screen.frame()
        seen.append(screen.histogram.evaluate(painted))
    assert len(set(seen)) == 4
    assert screen.root.locator(".bb-invite:visible").count() == 0, "the invitation has been taken"


def test_pictures_hang_on_their_scores(page_with):
    """A thread leads from each picture to its score, in the axis's order; the line does not cross the axis's name."""
    named = {"positive": "shirts", "score": "log-odds of shirt"}
    widget = ThresholdExplorer(POSITIVES, NEGATIVES, **named, pictures=PICTURES)
    page = page_with(widget, width=360)
    page.evaluate(DRAWN)
    canvas = page.locator(".bb-th-scores")
    low, high = (float(canvas.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    scores = sorted(widget.face_scores)
    width = canvas.bounding_box()["width"]
    for key in ("ArrowLeft", "Home", "End"):
        page.evaluate("drawn.threads.length = drawn.texts.length = 0")
        canvas.press(key)
        page.evaluate(FRAME)
        threads = np.array(sorted(page.evaluate("drawn.threads"), key=lambda thread: thread[2]))
        assert len(threads) > 5
        places = (np.array(scores) - low) / (high - low) * width
        assert np.abs(threads[:, :1] - places).min(1).max() < 0.5
        assert (np.diff(threads[:, 0]) >= -0.01).all()
        x, name_wide = page.evaluate("drawn.texts.at(-1)")
        line = (float(canvas.get_attribute("aria-valuenow")) - low) / (high - low) * width
        assert not x - name_wide < line < x


DRAWN = """() => {
    globalThis.drawn = { threads: [], texts: [] };
    const Path = Path2D, { prototype } = CanvasRenderingContext2D, { fillText } = prototype;
    globalThis.Path2D = class extends Path {
        constructor(d) {
            super(d);
            const numbers = d.match(/[-\\d.]+/g).map(Number);
            if (numbers.length === 4) drawn.threads.push(numbers);
        }
    };
    prototype.fillText = function (text, x, ...rest) {
        if (text.startsWith("log-odds")) drawn.texts.push([x, this.measureText(text).width]);
        return fillText.call(this, text, x, ...rest);
    };
}"""


def test_threshold_by_keys_and_best_f1(screen):
    screen.histogram.focus()
    start = screen.threshold()
    for key, change in {"ArrowRight": 1, "ArrowLeft": 0, "PageUp": 10, "ArrowDown": 9, "Shift+ArrowUp": 19}.items():
        screen.page.keyboard.press(key)
        if key == "ArrowRight":
            step = screen.threshold() - start
            assert step > 0
        assert screen.threshold() == pytest.approx(start + change * step, abs=0.011)
        screen.check()
    for key, end in {"Home": "aria-valuemin", "End": "aria-valuemax"}.items():
        screen.page.keyboard.press(key)
        assert screen.threshold() == pytest.approx(float(screen.histogram.get_attribute(end)), abs=0.01)
    screen.root.locator("details").last.locator("summary").click()
    screen.root.get_by_role("button", name="Best F1").click()
    screen.check()
    truth, scores = pooled(POSITIVES, NEGATIVES)
    assert screen.number("F1") == pytest.approx(max(f1_at(truth, scores, at) for at in scores), abs=0.006)


def test_touch_moves_the_line(page_with):
    screen = Screen(page_with(made(), width=360, has_touch=True), made())
    box = screen.histogram.bounding_box()
    screen.page.touchscreen.tap(box["x"] + 0.7 * box["width"], box["y"] + 60)
    low, high = (float(screen.histogram.get_attribute(f"aria-value{end}")) for end in ("min", "max"))
    assert screen.threshold() == pytest.approx(low + 0.7 * (high - low), abs=0.05)
    screen.check()


def test_it_follows_python(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id], width=720)
    first, second = page.locator(".bb-widget").all()
    first.locator(".bb-th-scores").press("PageUp")
    first.locator("input[type=range]").fill("20")
    page.evaluate(page_checks.FRAMES, 4)
    for part in (".bb-says", ".bb-numbers", "output"):
        assert first.locator(part).text_content() == second.locator(part).text_content()
    assert "At 0.00" not in second.inner_text()


def wide():
    """Scores with many digits and a name as long as the chapter's, whose ends no rounding meets."""
    scores = (SCALE * part - 4.00125 for part in (POSITIVES, NEGATIVES))
    return ThresholdExplorer(*scores, positive="shirts", score="log-odds of shirt")


SCALE = np.float32(4.321)


@pytest.mark.parametrize("figure", [made, wide])
def test_it_is_whole(page_with, figure):
    keys = ["Home", "ArrowLeft", *["PageUp"] * 20, "End", "ArrowRight"]
    pressed = [[".bb-th-scores", f"key {key}"] for key in keys]
    ends = [["input[type=range]", end, *pressed] for end in ("-99", "99")]
    page_checks.assert_whole(page_with(figure()), *ends, widths=(320, 360, 720, 1280))


def test_the_two_words_at_the_top_never_lie_on_each_other(module):
    for line in range(0, 300, 3):
        place = module("(line) => m.beside(line, 300, 40, 90, 70)", line)
        left = place["x"] if place["called"] else place["x"] - 70
        right = left + (90 if place["called"] else 70)
        assert left >= 40, line
        assert right <= 300, line
