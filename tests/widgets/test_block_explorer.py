"""BlockExplorer: what it takes, and its screen in a browser, with and without the network."""

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME
from traitlets import TraitError

from backbone.widgets import BlockExplorer
from backbone.widgets.base import HERE, join

OPEN = [2, 4, 6, 7, 9, 10, 12, 13, 14]


@pytest.fixture(scope="module")
def recorded(imagenet):
    """Logits of all photographs, whole and without one part of one block."""
    model, found = imagenet.model, {}
    with torch.no_grad():
        found[""] = model(imagenet.inputs).numpy()
        for number in OPEN:
            block = model._blocks[number]
            model._blocks[number] = torch.nn.Identity()
            found[f"{number} branch"] = model(imagenet.inputs).numpy()
            model._blocks[number], block.residual = block, False
            found[f"{number} skip"] = model(imagenet.inputs).numpy()
            block.residual = True
    return found


@pytest.fixture
def made(imagenet, recorded):
    return lambda **traits: BlockExplorer(imagenet.packed, imagenet.photos, imagenet.alts, recorded, **traits)


def first(imagenet, logits, photo):
    at = logits[list(imagenet.photos).index(photo)]
    shares = np.exp(at - at.max())
    return imagenet.packed.classes[at.argmax()], round(100 * float(shares.max() / shares.sum()))


def test_blocks_are_those_of_the_network(made):
    blocks = made().blocks
    assert [block["number"] for block in blocks if block["adds"]] == OPEN
    assert [block["size"] for block in blocks] == [1, 0.75, 0.75, 0.5, 0.5, *[0.25] * 6, *[0] * 5]


def test_errors_say_what_is_allowed(made, imagenet, recorded):
    some = {name: logits for name, logits in recorded.items() if name != "7 skip"}
    with pytest.raises(ValueError, match="recorded has nothing for '7 skip'; it must have 19 cases"):
        BlockExplorer(imagenet.packed, imagenet.photos, imagenet.alts, some)
    with pytest.raises(ValueError, match=r"recorded\[''\] has shape \(2, 1000\); it must be \(3, 1000\)"):
        BlockExplorer(imagenet.packed, imagenet.photos, imagenet.alts, recorded | {"": recorded[""][:2]})
    for cuts, message in (({"3": "skip"}, "cuts has '3': 'skip'"), ({"4": "all"}, "cuts has '4': 'all'")):
        with pytest.raises(TraitError, match=message):
            made(cuts=cuts)
    with pytest.raises(TraitError, match="photo is 'dog'"):
        made(photo="dog")


def test_cuts_as_a_key_and_as_the_engine_has_them(module_of):
    module = module_of(join(HERE / "block_explorer" / "maths.js"))
    assert module("m.keyOf({ 10: 'skip', 4: 'branch' })") == "4 branch, 10 skip"
    assert module(
        "[m.pressed({}, 4, 'skip'), m.pressed({ 4: 'skip' }, 4, 'skip'), m.pressed({ 4: 'skip' }, 4, 'branch')]"
    ) == [
        {"4": "skip"},
        {},
        {"4": "branch"},
    ]
    assert module("m.withoutOf({ 4: 'branch' })") == {"_blocks.4": "branch"}
    assert module("m.partsOf({ 10: 'skip', 4: 'branch', 2: 'skip' })") == {"branch": [4], "skip": [2, 10]}


def test_one_cut_is_recorded_and_others_are_computed(page_with, made, imagenet, recorded):
    page = page_with(made(), width=720)
    says = page.locator(".bb-says")
    name, share = first(imagenet, recorded[""], "coffee")
    assert says.inner_text() == f"The whole network says “{name}”, {share} %."
    page.get_by_role("button", name="Shortcut of block 7").click()
    page.evaluate(FRAME)
    other, part = first(imagenet, recorded["7 skip"], "coffee")
    assert says.inner_text() == f"With the shortcut of block 7 out: “{other}”, {part} %, not “{name}”."
    page.get_by_role("button", name="Inside of block 9").press("Enter")
    page.evaluate(FRAME)
    assert says.inner_text().startswith("Several cuts at once are not recorded: load the network")
    page.get_by_role("button", name="Load the network").click()
    page.wait_for_function(
        "() => /With the inside of block 9 out and/.test(document.querySelector('.bb-says').textContent)"
    )
    blocks = imagenet.model._blocks
    kept, blocks[9], blocks[7].residual = blocks[9], torch.nn.Identity(), False
    with torch.no_grad():
        expected = imagenet.model(imagenet.inputs[:1]).numpy()
    blocks[9], blocks[7].residual = kept, True
    name, share = first(imagenet, expected, "coffee")
    assert page.locator(".bb-answer-list li").first.inner_text().split("\n") == [name, f"{share} %"]
    page.locator(".bb-pictures label").nth(1).click()
    page.wait_for_function("() => document.querySelector('.bb-says').textContent.includes('tripod')")
    page.get_by_role("button", name="Whole again").click()
    page.evaluate(FRAME)
    name, share = first(imagenet, recorded[""], "camera")
    assert says.inner_text() == f"The whole network says “{name}”, {share} %."


@pytest.mark.parametrize(
    ("answer", "opening"), [("it stays, too", "No, it changes."), ("it changes", "Yes, it changes.")]
)
def test_the_prediction_is_shown_by_a_cut(page_with, made, answer, opening):
    page = page_with(made(cuts={"7": "branch"}), width=720)
    assert page.locator(".bb-says").inner_text().startswith("With the inside of block 7 out")
    whole = page.get_by_role("button", name="Whole again")
    assert not whole.is_visible(), "the invitation stands there"
    page.get_by_role("button", name=answer, exact=True).click()
    page.evaluate(FRAME)
    assert whole.is_visible()
    assert page.locator(".bb-says").inner_text().startswith(opening)
    assert page.locator(".bb-true").all_inner_texts() == ["it changes"]
    assert page.get_by_role("button", name="Shortcut of block 7").get_attribute("aria-pressed") == "true"


def test_numbers_count_the_photographs(page_with, made, imagenet, recorded):
    page = page_with(made())
    page.locator("summary").click()
    whole = recorded[""].argmax(1)
    for row, number in zip(page.locator("tbody tr").all(), OPEN, strict=True):
        kept = [str((recorded[f"{number} {part}"].argmax(1) == whole).sum()) for part in ("branch", "skip")]
        assert row.locator("td").all_inner_texts() == kept


def test_it_is_whole(page_with, made):
    pictures = [".bb-pictures label:not(.bb-photo-none) input", None]
    cuts = [".bb-bl-skip", None, ["button.bb-bl-box", None]]
    answer = [".bb-answers|it changes", None]
    page_checks.assert_whole(page_with(made()), cuts, pictures, then=[answer], widths=(720, 320, 360))
