"""ShapeExplorer: its maths against Python, and both figures in a browser, with and without the network."""

import io

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME
from PIL import Image
from traitlets import TraitError

from backbone import pretrained
from backbone.probes import Probe
from backbone.widgets import ShapeExplorer
from backbone.widgets.engine import pixels
from backbone.widgets.shape_explorer import PLACES, TILES, cases, changed, covered, order


def logits_of(imagenet, pictures):
    x = pretrained.normalize("efficientnet_lite0", torch.tensor(np.stack(list(pictures))).float())
    with torch.no_grad():  # four at a time stay near the processor, and take a third as long as 64
        return torch.cat([imagenet.model(some) for some in x.split(4)]).numpy()


@pytest.fixture(scope="module")
def pictures(imagenet):
    return np.stack([pixels(file) for file in imagenet.photos.values()])


@pytest.fixture(scope="module")
def recorded(imagenet, pictures):
    """Logits under each change; of shuffles only the first is run, and stands for the others too."""
    found = {}
    for case in cases():
        first = case if case[-1] not in "123456789" else f"{case[:-1]}0"
        found[case] = found[first] if first in found else logits_of(imagenet, [changed(one, case) for one in pictures])
    return found


@pytest.fixture(scope="module")
def explained(imagenet, recorded, pictures):
    """Records for "evidence"; the patch is run at every place of the first photograph alone."""
    with torch.no_grad(), Probe(imagenet.model, ["_relu1"]) as probe:
        imagenet.model(imagenet.inputs)
    head = imagenet.model._fc
    with torch.no_grad():
        local = torch.einsum("nkij,ck->ncij", probe.activations["_relu1"], head.weight).numpy()
    hidden = np.repeat(recorded["as it is"][:, None], PLACES**2, axis=1)
    hidden[0] = logits_of(imagenet, covered(pictures[0]))
    bias = head.bias.detach().numpy()
    return {"as it is": recorded["as it is"], "local": local, "bias": bias, "covered": hidden}


@pytest.fixture
def tiles(imagenet, recorded):
    return lambda **traits: ShapeExplorer(imagenet.packed, imagenet.photos, imagenet.alts, recorded, **traits)


@pytest.fixture
def evidence(imagenet, explained):
    return lambda **traits: ShapeExplorer(
        imagenet.packed, imagenet.photos, imagenet.alts, explained, show="evidence", **traits
    )


def first(imagenet, logits):
    shares = np.exp(logits - logits.max())
    return imagenet.packed.classes[logits.argmax()], round(100 * float(shares.max() / shares.sum()))


def png(picture):
    """Return a picture (3, 224, 224) as a file for an input, and what a network sees of it."""
    values = np.rint(255 * picture.transpose(1, 2, 0)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG")
    given = {"name": "own.png", "mimeType": "image/png", "buffer": file.getvalue()}
    return given, np.ascontiguousarray(values.transpose(2, 0, 1).astype(np.float32) / 255)


def load(page):
    page.get_by_role("button", name="Load the network").click()
    page.wait_for_function(
        "() => document.querySelector('.bb-network [role=status]').textContent.startsWith('The network is loaded')",
        timeout=60_000,
    )


def said(page, start):
    page.wait_for_function(
        "(start) => document.querySelector('.bb-says').textContent.startsWith(start)", arg=start, timeout=60_000
    )
    return page.locator(".bb-says").inner_text()


def test_changes_do_what_their_names_say(pictures):
    x = pictures[0]
    assert np.array_equal(changed(changed(x, "mirrored"), "mirrored"), x)
    assert np.array_equal(changed(x, "upside down")[:, 0], x[:, -1])
    assert np.array_equal(changed(x, "moved")[:, :, 16:], x[:, :, :-16])
    assert np.array_equal(changed(x, "moved")[:, :, 5], x[:, :, 0])
    np.testing.assert_allclose(changed(x, "negative"), 1 - x)
    np.testing.assert_allclose(changed(x, "gray")[2], np.tensordot([0.2125, 0.7154, 0.0721], x, 1), atol=1e-6)
    tile = order("16 tiles", 3)[5]  # at row 1, column 1
    top, left = (56 * at for at in divmod(tile, 4))
    assert np.array_equal(changed(x, "16 tiles 3")[:, 56:112, 56:112], x[:, top : top + 56, left : left + 56])
    hidden = list(covered(x))
    assert len(hidden) == 64
    assert np.array_equal(np.argwhere(hidden[10][0] != x[0]).min(0) >= [24, 48], [True, True])
    assert np.all(hidden[10][:, 24:80, 48:104] == np.float32(127 / 255))


def test_errors_say_what_is_allowed(imagenet, tiles, recorded, explained):
    def made(records, show):
        return ShapeExplorer(imagenet.packed, imagenet.photos, imagenet.alts, records, show)

    with pytest.raises(ValueError, match="recorded has nothing for '16 tiles 3'"):
        made({name: logits for name, logits in recorded.items() if name != "16 tiles 3"}, "tiles")
    with pytest.raises(ValueError, match=r"recorded\['covered'\] has shape \(3, 8, 1000\); it must be \(3, 64, 1000\)"):
        made(explained | {"covered": explained["covered"][:, :8]}, "evidence")
    with pytest.raises(ValueError, match=r"the mean of recorded\['local'\] plus recorded\['bias'\] is not the logit"):
        made(explained | {"bias": explained["bias"] + 1}, "evidence")
    with pytest.raises(ValueError, match="show"):
        made(recorded, "map")
    with pytest.raises(ValueError, match="case"):
        changed(np.zeros((3, 224, 224)), "16 tiles 10")
    with pytest.raises(ValueError, match="side is 20; 8 tiles a side"):
        changed(np.zeros((3, 20, 20)), "64 tiles 0")
    with pytest.raises(TraitError):
        tiles(change="16 tile")
    with pytest.raises(TraitError):
        tiles(shuffle=10)


def test_what_is_recorded_is_small(tiles, evidence):
    for made in (tiles(), evidence()):
        state = made.get_state()
        size = sum(len(state[name]["data"]) for name in ("first", "shares", "before", "local", "scores", "firsts"))
        assert size < 20_000


def test_changes_are_those_of_python(module, pictures):
    x = pictures[0][:, ::4, ::4]  # 56 pixels a side, which all tiles divide
    for case in ("as it is", "mirrored", "upside down", "moved", "gray", "negative", *(f"{one} 3" for one in TILES)):
        change = case.removesuffix(" 3")
        tiles = order(change, 3).tolist() if change in TILES else None
        given = {"x": (255 * x.transpose(1, 2, 0)).ravel(), "change": change, "order": tiles}
        found = module("({ x, change, order }) => m.changedPixels(Float32Array.from(x), change, order)", given)
        np.testing.assert_allclose(
            np.reshape(found, (56, 56, 3)).transpose(2, 0, 1), 255 * changed(x, case), atol=1e-3, err_msg=case
        )
    small = module("(x) => m.smallerPixels(Float32Array.from(x), 2)", given["x"])
    mean = 255 * x.reshape(3, 28, 2, 28, 2).mean((2, 4))
    np.testing.assert_allclose(np.reshape(small, (28, 28, 3)), mean.transpose(1, 2, 0), atol=1e-3)


def test_a_patch_covers_what_python_covers(module, pictures):
    given = (255 * pictures[0].transpose(1, 2, 0)).ravel()
    found = module("(x) => m.coveredPixels(Float32Array.from(x), 42)", given)
    expected = 255 * list(covered(pictures[0]))[42].transpose(1, 2, 0)
    np.testing.assert_allclose(np.reshape(found, (224, 224, 3)), expected, atol=1e-3)
    assert sorted(module("m.placesInOrder()")) == list(range(64))
    assert module("m.placesInOrder().slice(0, 5)") == [0, 2, 4, 6, 16]
    assert module("m.filledIn([7]).map((value) => value ?? 0).flatMap((value, i) => value ? [i] : [])") == [0, 1, 8, 9]
    assert module("[m.placeNear(0, 0), m.placeNear(30, 52), m.placeNear(300, 300)]") == [0, 1, 63]
    assert module("[m.placeBeside(0, -1, 0), m.placeBeside(9, 1, -1), m.placeBeside(63, 0, 1)]") == [0, 16, 63]


def test_local_scores_add_up_to_the_score(module, imagenet, recorded, explained):
    with torch.no_grad(), Probe(imagenet.model, ["_relu1"]) as probe:
        imagenet.model(imagenet.inputs[:1])
    features = probe.activations["_relu1"][0].permute(1, 2, 0)  # (7, 7, 1280), as the engine has them
    head, best = imagenet.model._fc, int(recorded["as it is"][0].argmax())
    given = {"data": features.flatten().numpy(), "weights": head.weight[best].tolist(), "bias": head.bias[best].item()}
    local = module("({ data, weights }) => m.localScores({ data, channels: 1280 }, weights)", given)
    np.testing.assert_allclose(local, explained["local"][0, best].ravel(), atol=1e-4)
    score = recorded["as it is"][0, best]
    assert np.mean(local) + given["bias"] == pytest.approx(score, abs=1e-4)

    written = module("({ local, bias }) => m.writtenOut(local, bias)", {"local": local, "bias": given["bias"]})
    assert round(100 * written["sum"]) == sum(round(100 * cell) for cell in written["cells"])
    assert written["mean"] == pytest.approx(written["sum"] / 49, abs=5.1e-4)
    assert round(1000 * written["score"]) == round(1000 * written["mean"]) + round(1000 * written["bias"])
    assert written["score"] == pytest.approx(score, abs=0.006)

    under = module("(local) => Array.from({ length: 64 }, (_, place) => m.meanUnder(local, place))", local)
    large = np.kron(np.reshape(local, (7, 7)), np.ones((32, 32)))
    means = [large[24 * r : 24 * r + 56, 24 * c : 24 * c + 56].mean() for r in range(8) for c in range(8)]
    np.testing.assert_allclose(under, means, rtol=1e-6)
    assert module("(local) => m.strongestPlace(local)", local) == int(np.argmax(means))
    losses = (score - explained["covered"][0, :, best]).tolist()
    assert module("([a, b]) => m.correlation(a, b)", [means, losses]) == pytest.approx(np.corrcoef(means, losses)[0, 1])


def test_changes_are_recorded_and_counted(page_with, tiles, imagenet, recorded):
    page = page_with(tiles(), width=720)
    says = page.locator(".bb-says")
    whole = first(imagenet, recorded["as it is"][0])[0]
    kept = sum(recorded[f"4 tiles {n}"][0].argmax() == recorded["as it is"][0].argmax() for n in range(10))
    assert says.inner_text().startswith("As 4 shuffled tiles, ")
    assert says.inner_text().endswith(f" First in {kept} of 10 shuffles.")
    page.get_by_role("radio", name="negative").check()
    page.evaluate(FRAME)
    name, share = first(imagenet, recorded["negative"][0])
    assert name == whole
    assert says.inner_text() == f"As a negative, still “{name}”, {share} %."
    assert page.locator(".bb-answer-list li").first.inner_text().split("\n") == [name, f"{share} %"]
    assert not page.get_by_role("button", name="Reshuffle").is_visible()
    page.locator(".bb-pictures label").nth(1).click()
    page.get_by_role("radio", name="flipped").check()
    page.evaluate(FRAME)
    other, share = first(imagenet, recorded["upside down"][1])
    assert says.inner_text().startswith(f"Flipped top to bottom, “{other}”, {share} %; “tripod” has ")
    page.get_by_role("radio", name="16 tiles").check()
    shown = "document.querySelector('.bb-photograph').toDataURL()"
    before = page.evaluate(FRAME) or page.evaluate(shown)
    page.get_by_role("button", name="Reshuffle").click()
    page.evaluate(FRAME)
    assert page.evaluate(shown) != before

    page.locator("summary").click()
    top = recorded["as it is"].argmax(1)
    row = page.locator("tbody tr", has_text="As a negative").locator("td")
    assert row.last.inner_text() == f"{(recorded['negative'].argmax(1) == top).sum()} of 3"
    counts = [recorded[f"16 tiles {n}"].argmax(1) == top for n in range(10)]
    row = page.locator("tbody tr", has_text="16 shuffled tiles").locator("td")
    assert row.all_inner_texts() == [f"{np.sum(counts, 0)[1]} of 10", f"{np.sum(counts)} of 30"]


@pytest.mark.parametrize(("answer", "opening"), [("negative", "No: 16 tiles."), ("16 tiles", "Yes. As 16 shuffled")])
def test_the_prediction_is_shown_by_the_change(page_with, tiles, answer, opening):
    page = page_with(tiles(), width=720)
    assert not page.locator(".bb-sh-change .bb-track-thin").first.is_visible()
    page.locator(".bb-pictures label").nth(1).click()
    page.get_by_role("button", name=answer, exact=True).click()
    page.evaluate(FRAME)
    assert page.locator(".bb-says").inner_text().startswith(opening)
    assert page.locator(".bb-true").all_inner_texts() == ["16 tiles"]
    assert page.get_by_role("radio", name="16 tiles").is_checked()
    assert page.locator(".bb-sh-change .bb-track-thin").first.is_visible()
    assert page.locator(".bb-sh-kept").count() < 9


def test_the_readers_own_photograph_is_changed(page_with, tiles, imagenet, pictures):
    page = page_with(tiles(), width=720)
    given, x = png(changed(pictures[1], "mirrored"))
    page.locator("input[type=file]").set_input_files(given)
    said(page, "Load the network to see")
    load(page)
    name, share = first(imagenet, logits_of(imagenet, [changed(x, "4 tiles 0")])[0])
    assert said(page, "As 4 shuffled tiles").startswith(f"As 4 shuffled tiles, still “{name}”, {share} %.")
    page.get_by_role("radio", name="gray").check()
    name, share = first(imagenet, logits_of(imagenet, [changed(x, "gray")])[0])
    assert said(page, "In gray") == f"In gray, still “{name}”, {share} %."


def test_a_score_is_the_mean_of_its_map_and_a_patch_lowers_it(page_with, evidence, imagenet, recorded, explained):
    page = page_with(evidence(), width=720)
    says, whole = page.locator(".bb-says"), recorded["as it is"][0]
    best = int(whole.argmax())
    name = imagenet.packed.classes[best]
    assert says.inner_text().endswith(f"make the score of “{name}”: {whole[best]:.2f}.")
    handle = page.get_by_role("slider")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    part = box["width"] / 224
    page.mouse.move(box["x"] + 28 * part, box["y"] + 28 * part)
    page.mouse.down()
    page.mouse.move(box["x"] + (28 + 48) * part, box["y"] + (28 + 72) * part, steps=4)
    page.mouse.up()
    page.evaluate(FRAME)
    expected = explained["covered"][0, 26, best]  # row 3, column 2
    assert says.inner_text().startswith(f"Covered here, “{name}” scores {expected:.2f}, not {whole[best]:.2f}; ")
    assert handle.get_attribute("aria-valuetext") == "row 4, column 3 of 8"
    handle.press("ArrowRight")
    page.evaluate(FRAME)
    assert f" scores {explained['covered'][0, 27, best]:.2f}, " in says.inner_text()
    second = int(np.argsort(-whole)[1])
    page.get_by_role("button", name=imagenet.packed.classes[second]).click()
    page.evaluate(FRAME)
    assert f"scores {explained['covered'][0, 27, second]:.2f}, not {whole[second]:.2f}; “{name}”" in says.inner_text()
    page.locator("summary").click()
    cells = [float(text.replace("−", "-")) for text in page.locator("tbody td").all_inner_texts()]
    np.testing.assert_allclose(cells, explained["local"][0, second].ravel(), atol=0.0051)
    assert page.locator(".bb-fold .bb-hint").first.inner_text().startswith(f"Their sum {sum(cells):.2f} ÷ 49 = ")


@pytest.mark.parametrize("answer", ["it stays", "it is lost"])
def test_covering_the_strongest_place_is_shown(page_with, evidence, explained, recorded, answer):
    page = page_with(evidence(), width=720)
    page.get_by_role("button", name=answer, exact=True).click()
    opening = (
        "Yes, it stays. Covered" if answer == "it stays" else "No, it stays: other places speak for it too. Covered"
    )
    said(page, opening)
    best = recorded["as it is"][0].argmax()
    large = np.kron(explained["local"][0, best], np.ones((32, 32)))
    means = [large[24 * r : 24 * r + 56, 24 * c : 24 * c + 56].mean() for r in range(8) for c in range(8)]
    row, column = divmod(int(np.argmax(means)), 8)
    where = page.get_by_role("slider").get_attribute("aria-valuetext")
    assert where == f"row {row + 1}, column {column + 1} of 8"
    assert page.locator(".bb-true").all_inner_texts() == ["it stays"]


def test_the_readers_own_photograph_is_covered_until_stopped(page_with, evidence, imagenet, pictures):
    page = page_with(evidence(), width=720)
    given, x = png(changed(pictures[0], "mirrored"))
    page.locator("input[type=file]").set_input_files(given)
    said(page, "Load the network to see")
    load(page)
    whole = logits_of(imagenet, [x])[0]
    name = imagenet.packed.classes[whole.argmax()]
    assert said(page, "The mean of the map’s 49").endswith(f"make the score of “{name}”: {whole.max():.2f}.")
    page.get_by_role("slider").press("ArrowRight")
    one = logits_of(imagenet, [list(covered(x))[1]])[0, whole.argmax()]
    assert f"“{name}” scores {one:.2f}, not {whole.max():.2f}" in said(page, "Covered here")
    page.get_by_role("button", name="Cover all 64").click()
    said(page, "Covered at ")
    page.get_by_role("button", name="Stop").click()
    said(page, "Covered here")
    assert page.get_by_role("button", name="Cover all 64").is_visible()
    page.locator(".bb-pictures label").nth(1).click()
    assert "“tripod”" in said(page, "Covered here, “tripod”")
    assert not page.get_by_role("button", name="Cover all 64").is_visible()


PICTURES = [".bb-pictures label:not(.bb-photo-none) input", None]


def test_changes_are_whole(page_with, tiles):
    acts = [[".bb-sh-strip input", None], [".bb-sh-over", None], PICTURES]
    page_checks.assert_whole(page_with(tiles()), *acts, then=[[".bb-answers", None]])


def test_evidence_is_whole(page_with, evidence):
    acts = [[".bb-answer-pick", None], PICTURES, ["[role=slider]", "key ArrowDown"]]
    page_checks.assert_whole(page_with(evidence()), *acts, then=[[".bb-answers", None]])
