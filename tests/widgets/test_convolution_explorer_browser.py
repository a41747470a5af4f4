"""ConvolutionExplorer in a real browser: its controls by pointer and keyboard, its colors, and the page around it.

Every number on the screen is read back and compared with what `backbone.ops` gives for the same settings.
"""

import re

import numpy as np
import pytest
from explorer_screen import AFTER, CHAPTER, PHOTOS, Screen, away_from, drawn, explorer, number, rgb, wave

from backbone.ops import KERNELS
from backbone.widgets import ConvolutionExplorer

pytestmark = pytest.mark.browser


OPENING = {
    "image": "coins",
    "color": False,
    "kernel": [KERNELS["sobel_x"].tolist()],
    "stride": 1,
    "padding": 0,
    "dilation": 1,
    "after": "nothing",
    "point": [27, 36],
    "mode": "look",
    "shift": [0, 0],
}


def test_it_starts_as_the_chapter_says(chapter):
    chapter.check()


# --- Pointer ------------------------------------------------------------------------------------------------


def test_filters_stand_in_pythons_order(chapter):
    options = chapter.filter.locator("option").evaluate_all("(options) => options.map((option) => option.value)")
    assert options == [*KERNELS, ""]


def test_every_choice_by_pointer(chapter):
    for name in PHOTOS:
        chapter.choose("Photograph", name)
        chapter.check(image=name)
    for name in KERNELS:
        chapter.filter.select_option(name)
        chapter.check(kernel=[KERNELS[name].tolist()])
    for name, values in {"stride": (4, 3, 2), "padding": (1, 2, 3), "dilation": (2, 3, 1)}.items():
        for value in values:
            before, old = middle(chapter), chapter.expected.stride
            chapter.choose(name.capitalize(), value)
            setattr(chapter.expected, name, value)
            chapter.check(point=chapter.point())
            assert np.abs(np.subtract(middle(chapter), before)).max() <= max(old, chapter.expected.stride)
    for after in ("relu", "relu_pool", "nothing"):
        chapter.after.select_option(label=AFTER[after])
        chapter.check(after=after)
    chapter.press("Start again")
    chapter.check(**OPENING)


def middle(screen) -> list[float]:
    """Return where in the photograph the middle of the window lies."""
    e = screen.expected
    return [at * e.stride - e.padding + e.dilation * (len(e.kernel[0]) - 1) / 2 for at in e.point]


def test_pointing_at_pixels(chapter):
    for row, column in [(0, 0), (5, 90), (125, 125), (64, 3)]:
        chapter.click(chapter.output, row, column)
        chapter.check(point=[row, column])
    for row, column in [(1, 1), (50, 60), (126, 2)]:
        chapter.click(chapter.input, row, column)
        chapter.check(point=[row - 1, column - 1])  # the middle of a window of three


def test_pointing_with_stride_padding_and_dilation(screen):
    for name, value in {"Stride": "3", "Padding": "3", "Dilation": "2"}.items():
        screen.choose(name, value)
    screen.expected.stride, screen.expected.padding, screen.expected.dilation = 3, 3, 2
    last = screen.expected.output.shape[0] - 1
    for row, column in [(0, 0), (7, 20), (last, last)]:
        screen.click(screen.output, row, column)
        screen.check(point=[row, column])
        screen.click(screen.input, row * 3 - 1, column * 3 - 1)
        screen.check(point=[row, column])


@pytest.mark.parametrize("name", ["input", "output"])
def test_dragging_past_the_edges(screen, name):
    canvas = getattr(screen, name)
    box = canvas.bounding_box()
    mouse = screen.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()
    for (right, down), point in {
        (1.3, 0.5): [None, 125],
        (1.3, 1.2): [125, 125],
        (-0.3, 1.2): [125, 0],
        (-0.3, -0.2): [0, 0],
        (0.5, -0.2): [0, None],
    }.items():
        mouse.move(box["x"] + right * box["width"], box["y"] + down * box["height"], steps=3)
        found = screen.point()
        assert all(at in (None, seen) for at, seen in zip(point, found, strict=True))
        screen.check(point=found)
    mouse.up()
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    screen.check()  # let go: nothing follows the pointer any more


def test_other_buttons_do_not_point(screen):
    screen.output.click(position=screen.place(screen.output, 5, 5), button="right")
    screen.check()


def test_pointing_by_touch(open_page):
    screen = Screen(open_page(CHAPTER, width=360, has_touch=True), explorer(kernel="sobel_x"))
    box, place = screen.output.bounding_box(), screen.place(screen.output, 40, 80)
    screen.page.touchscreen.tap(box["x"] + place["x"], box["y"] + place["y"])
    screen.check(point=[40, 80])


# --- Keyboard -----------------------------------------------------------------------------------------------


KEYS = [
    ("ArrowRight", [27, 37]),
    ("ArrowDown", [28, 37]),
    ("ArrowLeft", [28, 36]),
    ("ArrowUp", [27, 36]),
    ("Shift+ArrowRight", [27, 46]),
    ("Shift+ArrowDown", [37, 46]),
    ("Home", [37, 0]),
    ("ArrowLeft", [37, 0]),
    ("End", [37, 125]),
    ("ArrowRight", [37, 125]),
    ("PageUp", [0, 125]),
    ("ArrowUp", [0, 125]),
    ("PageDown", [125, 125]),
    ("Shift+ArrowDown", [125, 125]),
    ("Control+Home", [125, 125]),
]


@pytest.mark.parametrize("name", ["input", "output"])
def test_moving_by_keys(screen, name):
    getattr(screen, name).focus()
    for key, point in KEYS:
        screen.page.keyboard.press(key)
        screen.check(point=point)


def test_every_choice_by_keyboard(chapter):
    press = chapter.page.keyboard.press
    chapter.group("Photograph").locator("input:checked").focus()
    for key, name in {"ArrowRight": "cat", "ArrowLeft": "coins", "ArrowUp": "bricks"}.items():
        press(key)
        chapter.check(image=name)
    press("Tab")  # what to do
    press("Tab")
    assert chapter.input.evaluate("(node) => node === document.activeElement")
    press("Tab")
    press("ArrowDown")
    chapter.check(point=[28, 36])
    press("Tab")
    press("ArrowUp")
    names = list(KERNELS)
    kernel = KERNELS[names[names.index("sobel_x") - 1]]
    chapter.check(kernel=[kernel.tolist()])
    press("Tab")
    press("ArrowRight")
    chapter.check(kernel=[np.pad(kernel, ((1, 0), (1, 0))).tolist()], point=chapter.point())
    press("Tab")
    press("Space")
    chapter.check(kernel=[np.pad(kernel[::-1, ::-1], ((0, 1), (0, 1))).tolist()])
    press("Tab")
    press("Space")
    total = kernel.sum()
    chapter.check(kernel=(np.array(chapter.expected.kernel) / total).tolist())
    press("Tab")
    press("Space")
    chapter.check(kernel=chapter.typed_kernel())
    for name in ("stride", "padding", "dilation"):
        press("Tab")
        press("ArrowRight")
        setattr(chapter.expected, name, getattr(chapter.expected, name) + 1)
        chapter.check(point=chapter.point())
    press("Tab")
    press("ArrowDown")
    chapter.check(after="relu")
    press("Tab")
    press("Enter")
    chapter.check(**OPENING)
    press("Tab")
    assert chapter.weights.first.evaluate("(node) => node === document.activeElement")


def test_focus_is_seen(screen):
    screen.group("Photograph").locator("input:checked").focus()
    for _ in range(16):
        screen.page.keyboard.press("Tab")
        shown = "(() => { const node = document.activeElement; return [node, node.closest('label')]"
        styles = f"{shown}.filter(Boolean).map((one) => getComputedStyle(one).outlineStyle); }})()"
        assert "solid" in screen.page.evaluate(styles)


def test_two_keys_in_one_frame_are_two_steps(screen):
    screen.output.evaluate(
        """(canvas) => {
            for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) {
                canvas.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true }));
            }
        }"""
    )
    screen.check(point=[28, 38])


# --- Weights ------------------------------------------------------------------------------------------------


def with_weight(screen, index, value) -> list[list[list[float]]]:
    kernel = np.array(screen.expected.kernel)
    kernel[screen.channel].flat[index] = value
    return kernel.tolist()


@pytest.mark.parametrize(
    ("text", "value"), [("-1.5", -1.5), ("−1,5", -1.5), ("1/9", 1 / 9), ("0", 0), ("99", 99), (".25", 0.25)]
)
def test_typing_a_weight(screen, text, value):
    cell = screen.weights.nth(4)
    cell.click()
    screen.page.keyboard.type(text)
    cell.blur()
    screen.check(kernel=with_weight(screen, 4, value))


@pytest.mark.parametrize("text", ["abc", "100", "-", "1/0", ""])
def test_what_is_no_weight_is_marked_and_taken_back(screen, text):
    cell = screen.weights.nth(2)
    cell.fill("3")
    screen.frame()
    cell.fill(text)
    screen.frame()
    assert cell.get_attribute("aria-invalid") == "true"
    assert cell.input_value() == text
    cell.blur()
    assert cell.get_attribute("aria-invalid") is None
    screen.check(kernel=with_weight(screen, 2, 3))


def test_a_weight_on_the_way_is_kept_at_its_last_valid_value(screen):
    cell = screen.weights.nth(0)
    cell.click()
    for typed, value in [("1", 1), ("1/", 1), ("1/4", 0.25)]:
        screen.page.keyboard.type(typed[-1])
        screen.frame()
        assert cell.input_value() == typed
        screen.expected.kernel = with_weight(screen, 0, value)
        row, column = screen.expected.point
        last = screen.result.inner_text().split(" ")[-1]
        assert float(number(last)) == pytest.approx(screen.expected.output[row, column], abs=5e-5)


def test_arrow_keys_change_a_weight(screen):
    cell = screen.weights.nth(0)
    cell.focus()
    for key, value in [
        ("ArrowUp", -1),
        ("ArrowUp", 0),
        ("ArrowUp", 1),
        ("Shift+ArrowUp", 1.1),
        ("ArrowDown", 0.1),
        ("Shift+ArrowDown", 0),
    ]:
        screen.page.keyboard.press(key)
        screen.check(kernel=with_weight(screen, 0, value))


def test_the_wheel_changes_the_weight_that_has_the_focus(screen):
    cell = screen.weights.nth(3)
    box = cell.bounding_box()
    screen.page.mouse.move(box["x"] + 5, box["y"] + 5)
    screen.page.mouse.wheel(0, -100)
    screen.check()  # without the focus the wheel scrolls the page
    cell.scroll_into_view_if_needed()
    cell.focus()
    cell.hover()
    where = screen.page.evaluate("scrollY")
    for by, value in [(-100, 0), (-100, 1), (100, 0), (100, -1)]:
        screen.page.mouse.wheel(0, by)
        screen.frame()
        screen.check(kernel=with_weight(screen, 3, value))
    screen.page.keyboard.down("Shift")
    screen.page.mouse.wheel(0, -100)
    screen.page.keyboard.up("Shift")
    screen.frame()
    screen.check(kernel=with_weight(screen, 3, -0.9))
    assert screen.page.evaluate("scrollY") == where


def test_two_weights_typed_within_one_frame_both_stay(screen):
    screen.root.evaluate(
        """(root) => {
            const cells = root.querySelectorAll("input[aria-label^=Weight]");
            for (const [at, text] of [[0, "5"], [8, "-3"]]) {
                cells[at].value = text;
                cells[at].dispatchEvent(new Event("input"));
            }
        }"""
    )
    screen.expected.kernel = with_weight(screen, 0, 5)
    screen.check(kernel=with_weight(screen, 8, -3))


def test_a_filter_of_ones_own_is_named_so_and_a_known_one_by_its_name(screen):
    screen.weights.nth(4).fill("5")
    screen.weights.nth(4).blur()
    screen.check(kernel=with_weight(screen, 4, 5))
    assert screen.filter.locator("option:checked").inner_text() == "your own"
    screen.filter.select_option("identity")
    screen.check(kernel=[KERNELS["identity"].tolist()])
    screen.weights.nth(4).fill("0")
    screen.weights.nth(5).fill("1")
    screen.weights.nth(5).blur()
    screen.check(kernel=[[[0, 0, 0], [0, 0, 1], [0, 0, 0]]])
    assert screen.filter.locator("option:checked").inner_text() == "your own"


def test_start_again_while_a_weight_is_wrong(screen):
    screen.weights.nth(4).fill("abc")
    screen.press("Start again")
    screen.check()
    assert screen.weights.nth(4).get_attribute("aria-invalid") is None


# --- Colors -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signed_maps_are_drawn_in_the_palette(page_with, theme):
    made = explorer()
    screen = Screen(page_with(made, theme=theme, width=720), made)
    output = screen.expected.output
    places = away_from(screen.expected.point, output.shape)
    found = drawn(screen.output, [screen.place(screen.output, *place) for place in places])
    for place, (*color, opacity) in zip(places, found, strict=True):
        value = output[place]
        assert opacity == pytest.approx(255 * abs(value) / np.abs(output).max(), abs=0.51)
        if opacity > 25:
            assert np.abs(color - rgb("negative" if value < 0 else "positive")).max() <= 255 / opacity


def test_a_map_without_negative_weights_is_a_photograph(screen):
    screen.filter.select_option("gaussian")
    screen.check(kernel=[KERNELS["gaussian"].tolist()])
    output = screen.expected.output
    places = away_from(screen.expected.point, output.shape)
    found = drawn(screen.output, [screen.place(screen.output, *place) for place in places])
    expected = [[255 * output[place]] * 3 + [255] for place in places]
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_the_photograph_is_drawn_as_it_is(screen):
    picture = screen.expected.picture[0]
    places = away_from(np.add(screen.expected.point, 1), picture.shape)
    found = drawn(screen.input, [screen.place(screen.input, *place) for place in places])
    np.testing.assert_allclose(found, [[255 * picture[place]] * 3 + [255] for place in places], atol=0.51)


def test_padding_is_drawn_black(screen):
    screen.choose("Padding", 2)
    screen.frame()
    found = drawn(screen.input, [screen.place(screen.input, -2, 60), screen.place(screen.input, -3, 60)])
    assert found.tolist() == [[0, 0, 0, 255], [0, 0, 0, 0]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zero_has_the_color_of_the_page(open_page, theme):
    screen = Screen(open_page(CHAPTER, theme=theme), explorer(image="photographer", kernel="sobel_x"))
    screen.choose("Photograph", "photographer")
    screen.filter.select_option("sobel_x")
    screen.frame()
    output = screen.expected.output
    quiet = [tuple(place) for place in np.argwhere(output[2:-2, 2:-2] == 0)[::40] + 2]
    assert len(quiet) > 20
    box = screen.output.bounding_box()
    places = [screen.place(screen.output, *place) for place in quiet]
    shot = pixels_of(screen.page.screenshot())
    page_color = shot[int(box["y"]) + 100, int(screen.page.locator("article").bounding_box()["x"]) - 12]
    for place in places:
        assert shot[int(box["y"] + place["y"]), int(box["x"] + place["x"])].tolist() == page_color.tolist()
    assert (page_color.mean() > 200) == (theme == "light")


def pixels_of(png) -> np.ndarray:
    from io import BytesIO

    from PIL import Image

    return np.asarray(Image.open(BytesIO(png)).convert("RGB"), int)


def test_the_marks_stand_where_the_point_is(screen):
    screen.click(screen.output, 90, 70)
    screen.frame()
    row, column, reach = 90, 70, 3
    unit = screen.unit()
    grow = max(0, (9 / unit - reach) / 2)  # a frame is never smaller than 9 pixels
    for canvas, center, half in [
        (screen.input, (row + 1, column + 1), reach / 2 + grow),
        (screen.output, (row, column), 4.5 / unit),
    ]:
        corners = [(center[0] + up * half, center[1] + left * half) for up, left in [(-1, 0), (1, 0), (0, -1), (0, 1)]]
        found = drawn(canvas, [screen.place(canvas, *corner) for corner in corners])
        np.testing.assert_allclose(found[:, :3], [rgb("mark")] * 4, atol=40)


# --- The page around it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [720, 360, 320])
def test_nothing_jumps(page_with, width):
    """The widget keeps its height while the point moves, and its pictures and filter while weights change."""
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    for name in ("box", "gaussian", "sobel_x", "emboss"):
        screen.filter.select_option(name)
        places = set()
        for row, column in [(0, 0), (125, 125), (60, 100), (3, 99)]:
            screen.click(screen.output, row, column)
            screen.frame()
            boxes = [one.bounding_box() for one in (screen.root, screen.weights.first, screen.weights.last)]
            places.add(tuple(tuple(box.values()) for box in boxes))
        assert len(places) == 1, (name, places)
    # In the page, not in the window: typing into a cell at its lower edge scrolls.
    place = """(node) => {
        const { x, y, width, height } = node.getBoundingClientRect();
        return [x + scrollX, y + scrollY, width, height];
    }"""
    before = [one.evaluate(place) for one in (screen.input, screen.weights.first)]
    for value in ("-3", "0.5", "1/9", "-1/7", "2"):
        screen.weights.nth(4).fill(value)
        screen.frame()
        assert [one.evaluate(place) for one in (screen.input, screen.weights.first)] == before


def test_it_speaks_after_a_move_and_not_before(screen):
    live = screen.root.locator(".bb-hidden[role=status]")
    screen.page.wait_for_timeout(500)
    assert live.text_content() == ""
    screen.output.focus()
    screen.page.keyboard.press("ArrowRight")
    screen.page.wait_for_timeout(600)
    value = screen.expected.output[27, 37]
    heard = re.fullmatch(r"Output at row 27, column 37 [=≈] (\S+)", live.text_content())
    assert float(number(heard[1])) == pytest.approx(value, abs=5e-5)


def test_it_is_printed(chapter):
    chapter.page.emulate_media(media="print")
    chapter.frame()
    assert chapter.root.is_visible()
    assert all(canvas.bounding_box()["width"] > 100 for canvas in (chapter.input, chapter.output))
    chapter.check()


def test_less_motion(open_page):
    screen = Screen(open_page(CHAPTER, reduced_motion="reduce"), explorer(kernel="sobel_x"))
    screen.click(screen.output, 50, 50)
    screen.check(point=[50, 50])
    assert screen.page.evaluate("document.querySelector('.bb-widget').getAnimations({ subtree: true }).length") == 0


def test_it_works_from_a_folder(open_page):
    screen = Screen(open_page(CHAPTER, scheme="file", theme="dark", width=360), explorer(kernel="sobel_x"))
    screen.check()
    screen.click(screen.output, 50, 50)
    screen.check(point=[50, 50])


def test_everything_has_a_name(screen):
    names = screen.root.locator("canvas, input, select, button, [role=group], fieldset").evaluate_all(
        """(nodes) => nodes.map((node) => [node.getAttribute("aria-label"), node.labels?.[0]?.textContent,
            node.labels?.[0]?.title, node.textContent].find((text) => text?.trim()))"""
    )
    assert all(names)
    cells = [cell.get_attribute("aria-label") for cell in screen.weights.all()]
    assert cells == [f"Weight, row {i}, column {j}" for i in (1, 2, 3) for j in (1, 2, 3)]


# --- Other pictures and filters -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 4, 5, 7])
def test_other_filters(page_with, size):
    kernel = np.random.default_rng(size).integers(-9, 10, (size, size)) / 4
    made = ConvolutionExplorer({"wave": wave(20, 31)}, kernel=kernel, padding=2, stride=2, point=(0, 0))
    screen = Screen(page_with(made, width=400), made)
    geometry = f"⌊(31 + 2·2 − 1·({size} − 1) − 1) / 2⌋ + 1 = {made.output.shape[1]}"
    formula = screen.root.locator(".bb-formula").inner_text()
    assert f"output width = {geometry}" in formula
    assert "output height = " in formula
    screen.check()
    screen.output.focus()
    screen.page.keyboard.press("End")
    screen.check(point=[0, made.output.shape[1] - 1])


@pytest.mark.parametrize("width", [320, 1280])
def test_the_largest_filter_fits(page_with, width):
    made = ConvolutionExplorer({"wave": wave(24, 24)}, kernel=np.full((7, 7), -1 / 7), point=(3, 3))
    page = page_with(made, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cells = page.locator(".bb-cell").evaluate_all("(cells) => cells.map((cell) => cell.scrollWidth - cell.clientWidth)")
    assert max(cells) <= 1


def test_a_point_outside_is_moved_inside(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)}, point=(500, -3))
    assert Screen(page_with(made), made).point() == [9, 0]


def test_impossible_geometry_is_said_in_words(page_with):
    made = ConvolutionExplorer({"wave": wave(5, 9)}, kernel="box", point=(1, 1))
    screen = Screen(page_with(made), made)
    screen.check()
    screen.choose("Dilation", 3)
    screen.frame()
    said = screen.root.locator(".bb-formula").inner_text()
    assert said.startswith("The window reaches over 7 pixels, but the padded photograph has only 5.")
    assert screen.root.get_by_text("no feature map").is_visible()
    assert not screen.result.is_visible()
    assert not screen.weights.first.is_visible()
    screen.output.click()
    screen.input.focus()
    screen.page.keyboard.press("ArrowDown")
    screen.frame()
    screen.choose("Padding", 1)
    made.dilation, made.padding = 3, 1
    screen.check(point=screen.point())
    assert screen.result.is_visible()


def test_a_black_picture(page_with):
    made = ConvolutionExplorer({"night": np.zeros((10, 10))})
    screen = Screen(page_with(made), made)
    screen.check()
    assert screen.result.inner_text() == "Output at row 0, column 0 = 0"
