"""StageExplorer: what it takes, its functions, and its screen in a browser, with and without the network."""

import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME, FRAMES
from traitlets import TraitError

from backbone.data import photo
from backbone.probes import Probe
from backbone.widgets import StageExplorer
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import jpeg, pixels
from backbone.widgets.stage_explorer import levels, liveliest

TAPS = ["_relu0", "_blocks.2", "_blocks.4", "_blocks.10", "_blocks.15", "_relu1"]


@pytest.fixture(scope="module")
def recorded(imagenet):
    with torch.no_grad(), Probe(imagenet.model, TAPS) as probe:
        logits = imagenet.model(imagenet.inputs)
    return logits.numpy(), {tap: probe.activations[tap].numpy() for tap in TAPS}


@pytest.fixture
def made(imagenet, recorded):
    return lambda **traits: StageExplorer(imagenet.packed, imagenet.photos, imagenet.alts, *recorded, **traits)


def test_taps_are_those_given(made, recorded):
    assert [(tap["side"], tap["channels"], tap["stride"]) for tap in made().taps] == [
        (112, 32, 2),
        (56, 24, 4),
        (28, 40, 8),
        (14, 112, 16),
        (7, 320, 32),
        (7, 1280, 32),
    ]
    assert len(made().maps) == 3 * 5 * (56**2 + 56**2 + 28**2 + 14**2 + 7**2 + 7**2)


def test_errors_say_what_is_allowed(imagenet, recorded, made):
    logits, taps = recorded
    parts = imagenet.packed, imagenet.photos, imagenet.alts
    for arguments, message in (
        ((logits, {}), "taps is empty; give at least one"),
        ((logits[:2], taps), r"logits has shape \(2, 1000\); it must be \(3, 1000\)"),
        ((logits, {"_relu0": taps["_relu0"][:2]}), r"taps\['_relu0'\] has shape .*; it must be \(3, C, H, H\)"),
    ):
        with pytest.raises(ValueError, match=message):
            StageExplorer(*parts, *arguments)
    with pytest.raises(TraitError, match="stage is 6; it must be from 0 to 5"):
        made(stage=6)


@pytest.mark.browser
def test_maps_are_chosen_and_painted_as_in_python(module_of):
    module = module_of(join(HERE / "stage_explorer" / "maths.js"))
    rng = np.random.default_rng(0)
    for side in (112, 56, 7):
        maps = rng.normal(size=(9, side, side)) * rng.uniform(0, 3, size=(9, 1, 1))
        maps[4] = 0
        tap = {"data": maps.transpose(1, 2, 0).ravel(), "side": side, "channels": 9}
        chosen = module("(tap) => m.liveliest(tap, 5)", tap)
        assert chosen == liveliest(maps)
        found = [module("([tap, channel]) => m.levels(tap, channel)", [tap, channel]) for channel in (*chosen, 4)]
        expected = levels(maps[[*chosen, 4]]).reshape(6, -1)
        np.testing.assert_allclose(found, expected, atol=1)  # a sum may round the other way
        assert (np.array(found) == expected).mean() > 0.999


@pytest.mark.browser
def test_a_point_lies_in_one_place_of_each_map(module_of):
    module = module_of(join(HERE / "stage_explorer" / "maths.js"))
    assert module("m.cellAt(7, [0.5, 0.99])") == {"row": 3, "column": 6, "top": 3 / 7, "left": 6 / 7, "size": 1 / 7}
    assert module("[m.cellAt(7, [1, -1]).row, m.cellAt(7, [1, -1]).column]") == [6, 0]


def says(page):
    page.evaluate(FRAME)
    return page.locator(".bb-says").inner_text()


@pytest.mark.browser
def test_stages_and_places_by_pointer_and_keys(page_with, made):
    page = page_with(made(), width=720)
    assert says(page).startswith("Stride 4: 24 maps of 56 × 56; a step is 4 pixels. Answer: “espresso”, 9")
    page.locator(".bb-st-stages label").nth(4).click()
    assert says(page).startswith("Stride 32: 320 maps of 7 × 7; a step is 32 pixels.")
    handle = page.locator(".bb-st-seen > .bb-st-map")
    assert "row 3, column 3" in handle.get_attribute("aria-label")
    handle.press("ArrowUp")
    for _ in range(40):
        handle.press("ArrowRight")
    assert "row 3, column 6" in handle.get_attribute("aria-label")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] - 3)
    page.evaluate(FRAME)
    assert "row 6, column 0" in handle.get_attribute("aria-label")
    page.mouse.down()
    for side, far in ((0, -300), (6, 900)):  # past the end
        page.mouse.move(box["x"] + far, box["y"] + far)
        page.evaluate(FRAME)
        assert f"row {side}, column {side}" in handle.get_attribute("aria-label")
        assert page.locator(".bb-st-map").evaluate_all(STICKING_OUT) == []
    page.mouse.up()
    page.locator(".bb-st-stages label").last.click()
    assert says(page).startswith("Head: 1,280 maps of 7 × 7;")
    assert page.get_by_text("Of its 1,280 maps the five").is_visible()


# The frames that do not stay on their picture, also where a place of it is smaller than they are.
STICKING_OUT = """(maps) => maps.flatMap((map) => {
    const [picture, frame] = [...map.children].map((node) => node.getBoundingClientRect());
    const inside = ["left", "top"].every((side) => frame[side] >= picture[side] - 0.5)
        && ["right", "bottom"].every((side) => frame[side] <= picture[side] + 0.5);
    return inside ? [] : [[frame.right - picture.right, frame.bottom - picture.bottom]];
})"""


@pytest.mark.browser
def test_pointing_is_what_the_figure_invites_to(page_with, made):
    page = page_with(made(), width=720)
    assert page.locator(".bb-invite").is_visible()
    box = page.locator(".bb-st-seen > .bb-st-map").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    assert not page.locator(".bb-invite").is_visible()


@pytest.mark.browser
@pytest.mark.parametrize(("answer", "opening"), [("fewer", "No, more: 401,408. "), ("more", "Yes, more: 401,408. ")])
def test_the_prediction_leads_to_the_stem(page_with, made, answer, opening):
    page = page_with(made(stage=3), width=720)
    page.get_by_role("button", name=answer, exact=True).click()
    assert says(page).startswith(f"{opening}Stem: 32 maps of 112 × 112")
    assert page.locator(".bb-true").all_inner_texts() == ["more"]


@pytest.mark.browser
def test_the_readers_own_photograph_goes_through(page_with, made, imagenet, tmp_path):
    page = page_with(made(stage=0), width=720)
    own = jpeg(photo("chelsea", 224, gray=False))
    page.locator("input[type=file]").set_input_files({"name": "cat.jpg", "mimeType": "image/jpeg", "buffer": own})
    page.wait_for_function("() => document.querySelector('.bb-says').textContent.startsWith('Load the network')")
    page.get_by_role("button", name="Load the network").click()
    page.wait_for_function("() => /cat/.test(document.querySelector('.bb-says').textContent)", timeout=60_000)
    x = (255 * torch.tensor(pixels(own))[None] - 127) / 128
    with torch.no_grad(), Probe(imagenet.model, TAPS) as probe:
        shares = imagenet.model(x).softmax(1)[0]
    name, share = imagenet.packed.classes[shares.argmax()], f"{100 * shares.max():.0f}"
    assert says(page).endswith(f"“{name}”, {share} %.")
    chosen = liveliest(probe.activations["_relu0"][0].numpy())
    labels = page.locator("[data-part=maps] canvas").evaluate_all("(all) => all.map((one) => one.ariaLabel)")
    assert [int(re.search(r"\d+", label)[0]) for label in labels] == chosen
    page.locator(".bb-pictures label").first.click()
    assert "espresso" in says(page)


# For the page each frame is 0.1 s after the one before, however long it took; `passed` gets what is shown in each.
STEADY = """<script>
    let now = 0;
    const [frame, passed] = [requestAnimationFrame, []];
    performance.now = () => now;
    requestAnimationFrame = (act) => frame(() => act(now));
    const look = () => {
        const stage = document.querySelector(".bb-says")?.textContent.split(":")[0];
        if (stage && passed.at(-1) !== stage) passed.push(stage);
        now += 100;
        frame(look);
    };
    frame(look);
</script>"""


@pytest.mark.browser
def test_the_front_pages_figure_opens_with_a_way_through_the_stages_and_asks_nothing(page_with, made, tmp_path):
    page, file = page_with(made(show="front"), width=720), tmp_path / "page.html"
    file.write_text(file.read_text("utf-8").replace("<head>", f"<head>{STEADY}"), "utf-8")
    page.reload()
    page.wait_for_function("() => passed.length > 3 && passed.at(-1) === 'Stride 4'")
    assert page.evaluate("passed")[-5:] == ["Stride 8", "Stride 16", "Stride 32", "Head", "Stride 4"]
    assert page.locator(".bb-invite").is_visible()
    assert page.locator(".bb-question").count() == 0
    assert "row 28, column 28" in page.locator(".bb-st-seen > .bb-st-map").get_attribute("aria-label")


@pytest.mark.browser
@pytest.mark.parametrize("calm", [False, True])
def test_who_acts_or_asks_for_less_motion_is_not_led(page_with, made, calm):
    page = page_with(made(show="front"), width=720, reduced_motion="reduce" if calm else "no-preference")
    if not calm:
        page.locator(".bb-st-seen > .bb-st-map").press("ArrowUp")
    for _ in range(3):
        assert says(page).startswith("Stride 4: ")
        page.evaluate(FRAMES, 40)


@pytest.mark.browser
@pytest.mark.parametrize("show", ["front", "stages"])
def test_it_fits_is_accessible_and_nothing_jumps(page_with, made, show):
    page_checks.assert_whole(
        page_with(made(show=show)),
        [".bb-st-stages input", None],
        [".bb-pictures label:not(.bb-photo-none) input", None],
    )


@pytest.mark.browser
def test_nothing_jumps_in_a_narrower_or_wider_face(page_with, made):
    page = page_with(made())
    for width, spacing in itertools.product((360, 340, 320), ("-0.03em", "0.05em")):
        page.locator("body").evaluate("(body, spacing) => (body.style.letterSpacing = spacing)", spacing)
        page_checks.resize(page, width)
        assert page_checks.jumps(page, [[".bb-st-stages input", None]]) == [], (width, spacing)
