"""ReceptiveField: what it takes, its functions against Python, and its screen in a real browser."""

import re

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME
from torch import nn
from traitlets import TraitError

from backbone.ops import Layer, receptive_field
from backbone.widgets import ReceptiveField
from backbone.widgets.base import HERE, join

SIDE = 224
NAMES = [
    *("conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2", "pool2", "conv3_1", "conv3_2", "conv3_3", "pool3"),
    *("conv4_1", "conv4_2", "conv4_3", "pool4", "conv5_1", "conv5_2", "conv5_3", "pool5"),
]
LAYERS = [Layer(2, stride=2) if name.startswith("pool") else Layer(3, padding=1) for name in NAMES]
FIELDS = {name: receptive_field(LAYERS[: depth + 1]) for depth, name in enumerate(NAMES)}
PROFILES = [np.hanning(field.size + 2)[1:-1] for field in FIELDS.values()]
PICTURE = np.random.default_rng(0).integers(0, 256, (SIDE, SIDE), np.uint8)


def made(**changes):
    pooled = [name for name in NAMES if "pool" in name]
    return ReceptiveField(PICTURE, FIELDS, PROFILES, pooled, **({"step": 12, "place": [80, 85]} | changes))


def test_the_fields_are_those_of_the_network():
    """The squares that the figure draws are where the gradient of a unit of VGG-16 is."""
    sizes = [3, 5, 6, 10, 14, 16, 24, 32, 40, 44, 60, 76, 92, 100, 132, 164, 196, 212]
    assert [field.size for field in FIELDS.values()] == sizes
    torch.manual_seed(0)
    x, maps = torch.randn(1, 1, SIDE, SIDE, requires_grad=True), []
    y = x
    for layer in LAYERS:  # averages in place of maxima, and no ReLU: every path counts
        pool = layer.stride == 2
        y = nn.functional.avg_pool2d(y, 2) if pool else nn.functional.conv2d(y, torch.rand(1, 1, 3, 3) + 0.1, padding=1)
        maps.append(y / y.detach().abs().max())
    for step, place in ((0, [10, 200]), (5, [50, 60]), (9, [0, 224]), (12, [100, 110]), (17, [100, 130])):
        widget = made(step=step, place=place)
        unit = maps[step][0, 0][widget.unit]
        seen = torch.autograd.grad(unit, x, retain_graph=True)[0][0, 0] != 0
        expected = torch.zeros(SIDE, SIDE, dtype=torch.bool)
        rows, columns = (slice(max(0, one.start), one.stop) for one in widget.field)
        expected[rows, columns] = True
        assert torch.equal(seen, expected), step


def test_the_middle_holds_95_percent():
    widget = made()
    for size, profile, most in zip(FIELDS.values(), PROFILES, widget.most, strict=True):
        product = np.outer(profile, profile) / profile.sum() ** 2
        held = [product[r : size.size - r, r : size.size - r].sum() for r in range((size.size - most) // 2 + 2)]
        edge = (size.size - most) // 2
        assert held[edge] >= 0.95 - 1e-9
        assert size.size - 2 * edge <= 2 or held[edge + 1] < 0.95


ONE = {"a": receptive_field([Layer(3)])}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((np.zeros((4, 5)), ONE, [[1, 1, 1]]), r"picture has shape \(4, 5\); it must be a gray square"),
        ((np.full((4, 4), 2.0), ONE, [[1, 1, 1]]), "picture has dtype float64; it must be uint8, or floating point"),
        ((np.zeros((4, 4)), ONE, []), "there are 1 fields and 0 profiles; give one each"),
        ((np.zeros((4, 4)), ONE, [[1, 1]]), r"the profile of a has shape \(2,\); its field is 3 pixels wide"),
        ((np.zeros((4, 4)), ONE, [[0, 0, 0]]), "the profile of a holds something else than finite shares"),
        ((np.zeros((4, 4)), ONE, [[1, 1, 1]], ["b"]), "pooled has 'b'; it must hold names of fields: a"),
    ],
)
def test_errors_say_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        ReceptiveField(*arguments)
    for change, found in (({"step": 18}, "step is 18.0; there are 18 layers"), ({"place": [0, 225]}, "has 224 rows")):
        with pytest.raises(TraitError, match=found):
            made(**change)


def test_functions_equal_python(module_of):
    module = module_of(join(HERE / "receptive_field" / "maths.js"))
    rng, widget = np.random.default_rng(1), made()
    fields = [dict(zip(("size", "jump", "start", "count"), row, strict=True)) for row in widget.fields]
    for step in range(18):
        places = [[0, SIDE], [SIDE, 0], *(rng.random((20, 2)) * SIDE).tolist()]
        found = module("([field, places]) => places.map((place) => m.fieldAt(field, place))", [fields[step], places])
        for place, box in zip(places, found, strict=True):
            widget.step, widget.place = step, place
            rows, columns = widget.field
            assert box == {"top": rows.start, "left": columns.start, "side": len(rows)}
    between = module("([fields]) => [12, 12.25, 13].map((step) => m.boxAt(fields, step, [80, 85]))", [fields])
    for name in ("top", "left", "side"):
        low, found, high = (box[name] for box in between)
        assert found == pytest.approx(0.75 * low + 0.25 * high)
    profile = rng.random(7)
    expected = np.sqrt(np.outer(profile, profile) / profile.max() ** 2)
    found = module("(profile) => m.strengths(profile)", profile.tolist())
    np.testing.assert_allclose(np.reshape(found, (7, 7)), expected, atol=1e-12)


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    def __init__(self, page, widget):
        self.page, self.widget = page, widget
        self.root = page.locator(".bb-widget").first
        self.picture, self.plot = self.root.locator(".bb-rf-picture"), self.root.locator(".bb-rf-plot")
        self.slider = self.root.locator("input[type=range]")

    def check(self, **changes):
        """Compare the sentence, the slider, the marker and the square with Python's."""
        for name, value in changes.items():
            setattr(self.widget, name, value)
        self.page.evaluate(FRAME)
        at = round(self.widget.step)
        size, most = FIELDS[NAMES[at]].size, self.widget.most[at]
        says = self.root.locator(".bb-says").inner_text().replace("\xa0", " ")
        assert says.startswith(f"One unit of {NAMES[at]} can see {size} × {size} pixels; ")
        assert f"the middle {most} × {most}." in says
        rows, columns = self.widget.field
        beyond = min(rows.start, columns.start) < 0 or max(rows.stop, columns.stop) > SIDE
        assert ("only padding" in says) == beyond
        assert self.slider.input_value() == str(at)
        left = self.root.locator(".bb-rf-marker").evaluate("(node) => parseFloat(node.style.insetInlineStart)")
        assert left == pytest.approx(100 * self.widget.step / 18, abs=0.01)
        self.check_square(rows, columns)

    def check_square(self, rows, columns):
        """What lies far outside of the square is faded, what lies in it is not."""
        light = self.picture.evaluate(
            """(canvas) => {
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                return Array.from({ length: canvas.height }, (_, y) => {
                    const row = Array.from({ length: canvas.width }, (_, x) => data[4 * (y * canvas.width + x) + 2]);
                    return Math.min(...row.slice(3, -3));
                });
            }"""
        )
        faded = np.array(light) > 100  # even black has become light in the whole row
        scale = len(light) / SIDE
        for y in range(4, len(light) - 4):
            if y < scale * rows.start - 4 or y > scale * rows.stop + 4:
                assert faded[y], y
            elif scale * rows.start + 4 < y < scale * rows.stop - 4:
                assert not faded[y], y


@pytest.fixture
def screen(page_with):
    return Screen(page_with(made(), width=720), made())


def test_the_square_is_dragged(screen):
    box, mouse = screen.picture.bounding_box(), screen.page.mouse
    screen.check()
    assert screen.root.locator(".bb-invite").is_visible()
    mouse.move(box["x"] + 100, box["y"] + 100)
    mouse.down()
    for x, y in ((150, 120), (260, 300), (30, 20)):
        mouse.move(box["x"] + x, box["y"] + y, steps=4)
        screen.check(place=[y * SIDE / box["height"], x * SIDE / box["width"]])
    mouse.move(box["x"] + box["width"] + 80, box["y"] - 50)
    screen.check(place=[0, SIDE])
    mouse.up()
    mouse.move(box["x"] + 100, box["y"] + 100)
    screen.check()
    assert screen.root.locator(".bb-invite").is_hidden()


def test_layers_by_slider_chart_and_keys(screen):
    for key, step in {"Home": 0, "ArrowRight": 1, "End": 17, "ArrowLeft": 16}.items():
        screen.slider.press(key)
        screen.check(step=step)
    box = screen.plot.bounding_box()
    for step in (2, 9):
        screen.plot.click(position={"x": (step + 0.5) / 18 * box["width"], "y": 60})
        screen.check(step=step)
    screen.picture.press("PageUp")
    screen.check(step=10)
    screen.picture.press("ArrowDown")
    screen.check(place=[88, 85])
    screen.picture.press("Shift+ArrowRight")
    screen.check(place=[88, 149])
    screen.picture.press("PageDown")
    screen.check(step=9)


def test_it_plays_to_the_end_and_rests_when_it_is_scrubbed(screen):
    play = screen.root.get_by_role("button", name="Play")
    play.click()
    screen.page.wait_for_function("() => Number(document.querySelector('.bb-rf input').value) > 13")
    screen.slider.press("ArrowLeft")
    assert screen.root.get_by_role("button", name="Play").count() == 1
    screen.check(step=int(screen.slider.input_value()))
    screen.slider.press("End")
    screen.root.get_by_role("button", name="Play").click()
    screen.page.wait_for_function("() => Number(document.querySelector('.bb-rf input').value) < 5")


def test_the_numbers_are_those_of_all_layers(screen):
    rows = screen.root.locator("tbody tr").all()
    for row, name, most in zip(rows, NAMES, screen.widget.most, strict=True):
        field = FIELDS[name]
        assert row.locator("th").text_content() == name
        numbers = [int(re.sub(r"\D", "", text)) for text in row.locator("td").all_text_contents()]
        assert numbers == [field.size, most, field.jump, SIDE // field.jump]


def test_it_is_whole_and_follows_python(page_with):
    widget = made()
    page = page_with(widget, views=[widget.model_id, widget.model_id])
    acts = [["input[type=range]", str(step), [".bb-rf-picture", "key ArrowUp"]] for step in (0, 16, 17)]
    page_checks.assert_whole(page, *acts)
    page.locator("input[type=range]").first.press("Home")
    assert page_checks.said_by_both(page).startswith("One unit of conv1_1 can see 3\xa0×\xa03")
