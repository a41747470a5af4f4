"""ResidualExplorer: it shows what was recorded; its functions against Python, and its screen in a real browser."""

import re

import numpy as np
import page_checks
import pytest
import torch
from traitlets import TraitError

from backbone.data import fashion_mnist
from backbone.widgets import ResidualExplorer
from backbone.widgets.residual_explorer import NETWORKS

TEST = fashion_mnist("test")
SHOWN = [int((TEST.labels == k).nonzero()[0]) for k in range(10)]
KEEPS = {"residual": 0.9, "plain": 0.2}  # the share of answers that one cut leaves right


def recorded():
    """Return a record that is made up, so that the tests do not depend on how training went."""
    rng, right, answers = np.random.default_rng(0), [], []
    cuts = np.array([i.bit_count() for i in range(512)])
    for name, keeps in KEEPS.items():
        told = (900 * keeps**cuts + rng.integers(0, 50, 512)).astype(int)
        right += [{"network": name, "seed": 0, "right": told.tolist()}]
        right += [{"network": name, "seed": 1, "right": told[[0, *(2**k for k in range(9))]].tolist()}]
        for label, picture in enumerate(SHOWN):
            stays = rng.random(512) < keeps**cuts
            digits = np.where(stays, label, (label + rng.integers(1, 10, 512)) % 10)
            row = {"network": name, "picture": picture, "label": label, "answers": "".join(map(str, digits))}
            answers.append(row | {"percents": "".join(f"{one:02d}" for one in rng.integers(20, 100, 512))})
    return {"right": right, "answers": answers}


RECORD = recorded()
ROWS = {name: [row for row in RECORD["answers"] if row["network"] == name] for name in NETWORKS}


def made(**changes):
    return ResidualExplorer(TEST, RECORD, **changes)


def answered(name, place):
    """Return what a network answers after a set of cuts, and how many are right."""
    called = np.array([int(row["answers"][place]) for row in ROWS[name]])
    return called, int((called == np.arange(10)).sum())


def test_answers_and_accuracy_are_those_of_the_record():
    widget = made()
    for cuts, place in (([], 0), ([5], 16), ([9, 1, 1], 257), (range(1, 10), 511)):
        widget.cuts = list(cuts)
        for name in NETWORKS:
            widget.skips = name == "residual"
            assert widget.answers.tolist() == answered(name, place)[0].tolist()
            row = next(row for row in RECORD["right"] if row["network"] == name)
            assert widget.accuracy == row["right"][place] / 1000
    assert widget.cuts == [*range(1, 10)]


def test_errors_say_what_is_allowed():
    for change in ({"cuts": [0]}, {"cuts": [10]}, {"answer": "all"}):
        with pytest.raises(TraitError):
            made(**change)
    with pytest.raises(ValueError, match="recorded has no 'answers'; give"):
        ResidualExplorer(TEST, {"right": []})
    with pytest.raises(ValueError, match="recorded is of other pictures"):
        ResidualExplorer(TEST[torch.arange(999, -1, -1)], RECORD)
    short = [row | {"answers": row["answers"][:511]} for row in RECORD["answers"]]
    with pytest.raises(ValueError, match="one answer and one percentage for each of 512"):
        ResidualExplorer(TEST, RECORD | {"answers": short})


# --- The functions of the module ------------------------------------------------------------------------------


def test_functions(module):
    assert module("() => [m.setOf([]), m.setOf([1]), m.setOf([5, 9]), m.ASKED]") == [0, 1, 272, made().cuts]
    assert module("() => [m.toggled([1, 9], 5), m.toggled([1, 5], 1)]") == [[1, 5, 9], [5]]
    assert module("() => [m.truthOf(9, 8), m.truthOf(9, 2), m.truthOf(9, 5), m.truthOf(4, 1)]") == [
        "many",
        "few",
        "half",
        "few",
    ]
    for row in RECORD["right"]:
        expected = [*(row["right"][0 if i < 0 else 2**i if row["seed"] == 0 else i + 1] for i in range(-1, 9))]
        expected.append(row["right"][17] if row["seed"] == 0 else None)
        assert module("(right) => m.numbersOf(right, [1, 5])", row["right"]) == expected


# --- On a page ------------------------------------------------------------------------------------------------


def check(page, widget):
    """Compare the drawing, the pictures and the sentence with Python's."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    root = page.locator(".bb-widget").first
    gone = root.locator(".bb-res-block").evaluate_all("(all) => all.map((n) => n.ariaPressed === 'true')")
    assert [i for i, one in enumerate(gone, start=1) if one] == widget.cuts
    right = widget.answers == np.arange(10)
    marks = {True: "✓", False: "✗"}
    words = [f"{marks[bool(yes)]} {TEST.classes[k]}" for yes, k in zip(right, widget.answers, strict=True)]
    assert root.locator(".bb-res-word").all_inner_texts() == words
    place, name = sum(2 ** (k - 1) for k in widget.cuts), "residual" if widget.skips else "plain"
    widths = root.locator(".bb-res-sure").evaluate_all("(all) => all.map((n) => n.style.width)")
    assert widths == [f"{int(row['percents'][2 * place : 2 * place + 2])}%" for row in ROWS[name]]
    says = root.locator(".bb-says").inner_text()
    assert f"{right.sum()} of 10" in says
    if found := re.match(r"(With|Without) skips, .* Of 1,000 test pictures (\d+) % are right", says):
        assert found[1] == ("With" if widget.skips else "Without")
        assert int(found[2]) == pytest.approx(100 * widget.accuracy, abs=0.501)
    else:
        assert "A plain block" in says
    assert root.locator(".bb-res-plain").count() == (0 if widget.skips else 1)
    now = root.locator(".bb-numbers tbody tr").nth(0 if widget.skips else 2).locator("td").all_text_contents()
    assert float(now[-1]) == pytest.approx(100 * widget.accuracy)


def test_blocks_are_cut_by_pointer_touch_and_keys(page_with):
    page, widget = page_with(made(), width=360, has_touch=True), made()
    check(page, widget)
    assert page.locator(".bb-invite").is_visible()
    blocks = page.locator(".bb-res-block")
    blocks.nth(1).click()
    widget.cuts = [2, 6]
    check(page, widget)
    assert not page.locator(".bb-invite").is_visible()
    blocks.nth(5).tap()
    widget.cuts = [2]
    check(page, widget)
    for key, cuts in {"Enter": [2, 9], "Space": [2]}.items():
        blocks.nth(8).press(key)
        widget.cuts = cuts
        check(page, widget)
    page.get_by_text("without", exact=True).click()
    widget.skips = False
    check(page, widget)
    page.get_by_role("button", name="All blocks back").click()
    widget.cuts = []
    check(page, widget)
    assert "no block cut" in page.locator(".bb-says").inner_text()


@pytest.mark.parametrize(("answer", "opening"), [("as many", "No: "), ("hardly any", "Yes, ")])
def test_the_prediction_takes_the_skips_away(page_with, answer, opening):
    page, widget = page_with(made(cuts=[1, 2]), width=720), made(skips=False)
    page.get_by_role("button", name=answer, exact=True).click()
    check(page, widget)
    assert page.locator(".bb-says").inner_text().startswith(opening)
    assert page.locator(".bb-given").all_inner_texts() == [answer]
    assert page.locator(".bb-true").all_inner_texts() == ["hardly any"]


def test_it_is_whole_and_follows_python(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id])
    blocks = [".bb-segmented input", None, [".bb-res-block", None]]
    page_checks.assert_whole(page, blocks, then=[[".bb-answers|hardly any", None]])
    page.locator(".bb-res-block").nth(2).click()
    assert "blocks 3, 6 cut" in page_checks.said_by_both(page)
