"""ConvolutionExplorer in a real browser: each of its figures, every number and color against Python's."""

import re

import numpy as np
import page_checks
import pytest
from explorer_screen import Screen, convolved, drawn, explorer, geometry_of, wave

from backbone.ops import KERNELS, conv2d
from backbone.widgets import ConvolutionExplorer

FIGURES = {
    "window": {"kernel": "sobel_x"},
    "filter": {"kernel": "sobel_x"},
    "size": {"stride": 2, "padding": 1, "dilation": 2},
    "shift": {"kernel": "sobel_x", "stride": 2, "shift": [0, 1]},
    "lab": {"image": "cat", "color": True},
}
EACH = pytest.mark.parametrize("show", FIGURES)


@pytest.fixture
def figure(page_with):
    """Return a function that shows one of the figures alone, at rest."""

    def figure_(show, width=720, images=None, page=None, **changes):
        page = {"reduced_motion": "reduce"} | (page or {})
        made = ConvolutionExplorer(images, show=show, **changes) if images else explorer(show, **changes)
        return Screen(page_with(made, width=width, **page), made)

    return figure_


@EACH
def test_it_is_whole(figure, show):
    acts = [["canvas", f"key {key}"] for key in ("ArrowRight", "PageDown", "End", "Home", "PageUp")]
    acts += [["select", name] for name in ("gabor_0", "box", "gaussian", "emboss") if show in ("filter", "lab")]
    if show == "size":
        acts += [[".bb-segmented input", None]]
    page_checks.assert_whole(figure(show, **FIGURES[show]).page, *acts)


# --- The window ---------------------------------------------------------------------------------------------


def filled(screen) -> np.ndarray:
    """Return which pixels of the map are drawn."""
    shape = screen.expected.output.shape
    return drawn(screen.output, screen.places(screen.output, np.ndindex(shape)))[:, 3].reshape(shape) > 0


def test_the_map_grows_once_in_sight_and_can_be_scrubbed(figure):
    screen = figure("window", images={"wave": wave(10, 12)}, point=(3, 4), page={"reduced_motion": "no-preference"})
    assert screen.says.inner_text().startswith("Each place of the window")
    screen.press("Pause")
    slider = screen.root.locator("input[type=range]")
    slider.fill("60")  # of 80 pixels 48, four rows of ten and a part
    screen.frame()
    assert slider.get_attribute("aria-valuetext") == "60 %"
    assert filled(screen)[:4].mean() > 0.8
    assert not filled(screen)[5:].any()
    slider.fill("30")
    screen.frame()
    assert filled(screen)[:2].mean() > 0.8
    assert not filled(screen)[3:].any()
    screen.press("Sweep")
    screen.page.wait_for_function("document.querySelector('input[type=range]').value > 60")
    screen.root.get_by_role("button", name="Sweep", exact=True).wait_for()  # it stops at the end
    screen.check()
    assert filled(screen).mean() > 0.8
    screen.check_map()


def test_on_a_phone_both_pictures_and_the_numbers_of_the_window_are_in_sight_together(figure):
    screen = figure("window", width=360, **FIGURES["window"])
    page_checks.unfold(screen.page)
    assert screen.root.bounding_box()["height"] <= 640
    page_checks.assert_fits(screen.root)


def test_whoever_scrolls_on_finds_the_whole_map(figure):
    """Where the button is out of sight the map grows all the same, and to its end where the figure itself is."""
    screen = figure("window", page={"reduced_motion": "no-preference"})
    screen.page.set_viewport_size({"width": 360, "height": 420})
    value = "document.querySelector('input[type=range]').value"
    screen.page.wait_for_function(f"{value} > 5 && {value} < 95")
    screen.page.evaluate("document.body.style.paddingBottom = '200vh'; scrollTo(0, 1e5)")
    screen.page.wait_for_function(f"{value} === '100'", timeout=2000)
    assert screen.root.get_by_role("button", name="Sweep", exact=True).count() == 1


def test_with_less_motion_the_map_is_there_at_once(figure):
    screen = figure("window", **FIGURES["window"])
    screen.check()
    screen.check_map()
    slider = screen.root.locator("input[type=range]")
    assert [slider.input_value(), slider.get_attribute("aria-valuetext")] == ["100", "100 %"]


def test_hovering_looks_and_a_press_stays(figure):
    screen = figure("window", page={"reduced_motion": "no-preference"})
    made = screen.expected
    for canvas, place, point in [
        (screen.output, (60, 80), [60, 80]),
        (screen.input, (50, 20), [49, 19]),  # the middle of a window of three
        (screen.input, (0, 127), [0, 125]),
    ]:
        screen.move(canvas, *place)
        screen.check(point=point)  # which ends the sweep, too
    assert not screen.root.locator(".bb-invite").is_visible()
    screen.page.mouse.move(1, 1)
    screen.check(point=[27, 36])
    screen.click(screen.output, 90, 70)
    screen.page.mouse.move(1, 1)
    screen.check(point=[90, 70])
    box = screen.input.bounding_box()
    screen.move(screen.input, 64, 64)
    screen.page.mouse.down()
    screen.page.mouse.move(box["x"] + 2 * box["width"], box["y"] - 50, steps=3)  # past the corner
    screen.page.mouse.up()
    screen.check(point=[0, 125])
    assert made.point == [0, 125]


def test_a_finger_taps_or_drags_aside_and_scrolls_the_page_where_it_goes_down(figure):
    screen = figure("window", width=360, page={"has_touch": True})
    box, place = screen.output.bounding_box(), screen.place(screen.output, 40, 80)
    screen.page.touchscreen.tap(box["x"] + place["x"], box["y"] + place["y"])
    screen.check(point=[40, 80])
    screen.page.evaluate("document.body.style.paddingBottom = '200vh'")
    page_checks.swipe(screen.page, screen.input, down=-150)
    assert screen.page.evaluate("scrollY") > 100
    screen.check(point=[40, 80])
    page_checks.swipe(screen.page, screen.input, right=40)
    assert screen.point()[1] > 63 + 15, "the window has gone along"


KEYS = [
    ("ArrowRight", [27, 37]),
    ("ArrowDown", [28, 37]),
    ("Shift+ArrowRight", [28, 47]),
    ("Home", [28, 0]),
    ("ArrowLeft", [28, 0]),
    ("End", [28, 125]),
    ("PageUp", [0, 125]),
    ("PageDown", [125, 125]),
    ("Control+Home", [125, 125]),
]


@pytest.mark.parametrize("name", ["input", "output"])
def test_keys_move_the_window(figure, name):
    screen = figure("window")
    getattr(screen, name).focus()
    for key, point in KEYS:
        screen.page.keyboard.press(key)
        screen.check(point=point)
    screen.page.wait_for_function("document.querySelector('.bb-says').ariaLive === 'polite'")


# --- The filter ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("answer", "opening"), [("nine", "No, all: "), ("all", "Yes, all: ")])
def test_one_weight_changes_the_whole_map(figure, answer, opening):
    screen = figure("filter", kernel="sobel_x")
    screen.press(answer)
    kernel = KERNELS["sobel_x"].copy()
    kernel[1, 1] = 1
    screen.check(kernel=[kernel.tolist()], answer=answer)
    screen.check_map()
    assert screen.says.inner_text().startswith(opening)
    assert screen.root.locator(".bb-true").all_inner_texts() == ["all"]
    screen.open()
    screen.press("Start again")
    screen.check(kernel=[KERNELS["sobel_x"].tolist()])
    assert screen.root.locator(".bb-given").count() == 0


def test_weights_are_typed_and_stepped(figure):
    screen = figure("filter")
    assert screen.weights.nth(5).get_attribute("aria-label") == "Weight, row 1, column 2", "counted as the output is"
    kernel = KERNELS["emboss"].copy()
    for index, text, value in [(4, "−1,5", -1.5), (0, "1/9", 1 / 9), (8, "99", 99)]:
        screen.weights.nth(index).fill(text)
        screen.weights.nth(index).blur()
        kernel.flat[index] = value
        screen.check(kernel=[kernel.tolist()])
        screen.check_map()
    assert screen.root.locator("option:checked").inner_text() == "your own"
    cell = screen.weights.nth(2)
    for text in ("abc", "100", "1/0", ""):
        cell.fill(text)
        assert cell.get_attribute("aria-invalid") == "true"
    cell.blur()
    screen.check()
    cell.focus()
    for key, value in [("ArrowUp", 1), ("Shift+ArrowUp", 1.1), ("ArrowDown", 0.1)]:
        screen.page.keyboard.press(key)
        kernel[0, 2] = value
        screen.check(kernel=[kernel.tolist()])


def test_named_filters_and_what_is_done_to_one(figure):
    screen = figure("filter")
    for name, kernel in KERNELS.items():
        screen.root.locator("select").select_option(name)
        screen.check(kernel=[kernel.tolist()])
    screen.open()
    screen.root.locator("select").select_option("emboss")
    screen.press("Turn by 180°")
    screen.check(kernel=[KERNELS["emboss"][::-1, ::-1].tolist()])
    screen.press("Random")
    kernel = screen.kernel()
    assert np.abs(kernel).max() <= 1
    screen.check(kernel=[kernel])
    screen.weights.nth(0).fill("20")
    screen.press("Sum to 1")
    kernel[0][0] = 20
    screen.check(kernel=[(np.array(kernel) / np.sum(kernel)).tolist()])
    screen.root.locator("select").select_option("sobel_x")
    screen.frame()
    assert screen.root.get_by_role("button", name="Sum to 1").is_disabled()


@pytest.mark.parametrize("width", [720, 360])
def test_no_weight_is_cut_by_its_cell(figure, width):
    screen = figure("lab", kernel=np.full((5, 5), -0.8), width=width)
    cut = "(all) => all.filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.value)"
    assert screen.weights.evaluate_all(cut) == []
    screen.open()
    screen.press("Sum to 1")
    screen.weights.nth(0).fill("-0.1234")
    screen.weights.nth(0).blur()
    screen.frame()
    assert screen.weights.nth(0).input_value() == "−0.12"
    assert screen.weights.evaluate_all(cut) == []


def test_a_map_without_negative_weights_is_a_photograph(figure):
    screen = figure("filter", kernel="gaussian")
    screen.check()
    places = [(60, 20), (100, 100), (3, 90)]
    found = drawn(screen.output, screen.places(screen.output, places))
    np.testing.assert_allclose(found, [[255 * screen.expected.output[at]] * 3 + [255] for at in places], atol=0.51)
    found = drawn(screen.input, screen.places(screen.input, places))
    np.testing.assert_allclose(found, [[255 * screen.expected.picture[0][at]] * 3 + [255] for at in places], atol=0.51)


# --- The size -----------------------------------------------------------------------------------------------


def middle(screen) -> np.ndarray:
    """Return where in the photograph the middle of the window lies."""
    e = screen.expected
    return np.array(e.point) * e.stride - e.padding + e.dilation * (len(e.kernel[0]) - 1) / 2


def test_every_stride_padding_dilation_and_size(figure):
    screen = figure("size", images={"wave": wave(28, 28)}, point=(12, 9))
    screen.open()
    settings = {"stride": (4, 3, 2), "padding": (1, 2, 3), "dilation": (2, 3, 1), "size": (5, 4, 2, 1, 3)}
    for name, values in settings.items():
        for value in values:
            before, old = middle(screen), screen.expected.stride
            screen.choose(name.capitalize(), value)
            if name == "size":
                screen.expected.kernel = [np.reshape(weights_in_numbers(screen), (value, value)).tolist()]
            else:
                setattr(screen.expected, name, value)
            screen.check(point=screen.point())
            screen.check_map() if np.min(screen.expected.kernel) < 0 else None
            assert np.abs(middle(screen) - before).max() <= max(old, screen.expected.stride)
    found = drawn(screen.input, [screen.place(screen.input, -2, 6)])
    assert found.tolist() == [[0, 0, 0, 255]], "padding is black"
    screen.move(screen.input, 14, 14)
    screen.check(point=screen.point())


def test_the_numbers_are_heard_by_rows_and_columns(figure):
    screen = figure("filter", kernel="sobel_x")
    screen.open()
    window = screen.root.get_by_role("table", name="pixels in the window")
    assert [row.get_by_role("cell").count() for row in window.get_by_role("row").all()] == [3, 3, 3]
    assert screen.root.get_by_role("table", name="products").count() == 1


def weights_in_numbers(screen) -> list[float]:
    screen.frame()
    return [
        float(text.replace("−", "-"))
        for text in screen.root.locator(".bb-conv-equation .bb-panel").nth(1).locator(".bb-cell").all_inner_texts()
    ]


def test_a_picture_that_is_not_square_and_a_window_that_does_not_fit(figure):
    screen = figure("size", images={"wave": wave(5, 9)}, kernel="box", point=(1, 1))
    assert screen.says.inner_text().endswith("⌊(9 + 2·0 − 1·(3 − 1) − 1) / 1⌋ + 1 = 7 columns.")
    screen.check()
    screen.choose("Dilation", 3)
    screen.frame()
    assert screen.says.inner_text().startswith("The window reaches over 7 pixels, but the padded photograph has only 5")
    assert screen.root.get_by_text("no feature map").is_visible()
    screen.output.click()
    screen.input.press("ArrowDown")
    screen.choose("Padding", 1)
    screen.expected.dilation = 3
    screen.check(padding=1, point=screen.point())


# --- The shift ----------------------------------------------------------------------------------------------


def moved(x, down, right):
    """Return an array moved down and right, with zeros behind it."""
    height, width = x.shape
    around = np.pad(x, 16)
    return around[16 - down : 16 - down + height, 16 - right : 16 - right + width]


def check_shift(screen, shift, stride=1):
    """Compare the three maps and the sentence with Python's."""
    made = screen.expected
    made.stride, made.shift = stride, shift
    first = np.array([moved(plane, *shift) for plane in made.picture])[None]
    steps = [int(np.floor(by / stride + 0.5)) for by in shift]
    orders = [conv2d(first, made.weight, **geometry_of(made))[0, 0], moved(convolved(made), *steps)]
    screen.frame()
    says = screen.says.inner_text()
    if any(shift):
        down, right = ("up" if shift[0] < 0 else "down"), ("left" if shift[1] < 0 else "right")
        assert says.startswith(f"Moved {abs(shift[0])} {down}, {abs(shift[1])} {right}: ")
        for canvas, values in zip([*screen.orders, screen.output], [*orders, orders[0] - orders[1]], strict=True):
            screen.check_map(values, canvas, np.abs(orders[0]).max())  # one scale for all three
    whole = all(by % stride == 0 for by in shift)
    assert ("inside, both orders agree" in says) == (whole and any(shift))
    assert ("no multiple" in says) == (not whole)


def test_the_picture_is_dragged_and_moved_by_keys_and_buttons(figure):
    screen = figure("shift", **FIGURES["shift"])
    check_shift(screen, [0, 1], stride=2)
    screen.choose("Stride", 1)
    check_shift(screen, [0, 1])
    screen.move(screen.input, 60, 60)
    screen.page.mouse.down()
    screen.move(screen.input, 57, 64)
    check_shift(screen, [-3, 5])
    screen.move(screen.input, 10, 120)
    screen.page.mouse.up()
    check_shift(screen, [-8, 8])
    screen.output.press("ArrowDown")
    check_shift(screen, [-7, 8])
    screen.open()
    for name, shift in {"Move left": [-7, 7], "Move up": [-8, 7], "Move down": [-7, 7], "Move right": [-7, 8]}.items():
        screen.press(name)
        check_shift(screen, shift)


# --- The laboratory -----------------------------------------------------------------------------------------


def test_a_color_filter_is_three_squares_and_one_map(figure):
    screen = figure("lab", image="cat", color=True)
    screen.check()
    kernel = np.array(screen.expected.weight[0])
    for channel, value in ((1, 3), (2, -2.5), (0, 0.5)):
        screen.root.locator(".bb-conv-strip label").nth(channel).click()
        screen.channel = channel
        screen.check()
        screen.weights.nth(5).fill(str(value))
        screen.weights.nth(5).blur()
        kernel[channel, 1, 2] = value
        screen.check(kernel=kernel.tolist())
    screen.check_map()
    place = (60, 70)
    found = drawn(screen.input, [screen.place(screen.input, *place)])[0]
    np.testing.assert_allclose(found, [*(255 * screen.expected.picture[:, *place]), 255], atol=0.51)
    screen.open()
    screen.press("Sum to 1")
    screen.check(kernel=(kernel / kernel.sum()).tolist())
    screen.choose("Channels", "gray")
    screen.check(color=False)
    assert not screen.root.locator(".bb-conv-strip").is_visible()


def test_every_other_setting(figure):
    screen = figure("lab", image="cat", color=True, page={"color_scheme": None, "theme": "dark"})
    screen.open()
    for name, value in {"image": "coins", "stride": 2, "padding": 3}.items():
        screen.choose({"image": "Photograph"}.get(name, name.capitalize()), value)
        setattr(screen.expected, name, value)
    screen.check(point=screen.point())
    for after, text in {"relu": "ReLU", "relu_pool": "ReLU, pool 2×2", "nothing": "nothing"}.items():
        screen.root.locator("select").nth(1).select_option(label=text)
        screen.check(after=after)
        screen.check_map()
        screen.click(screen.output, 12, 30)
        factor = 2 if after == "relu_pool" else 1
        screen.check(point=[12 * factor, 30 * factor])
    screen.choose("Size", 5)
    screen.check(kernel=[np.pad(KERNELS["emboss"], 1).tolist()], point=screen.point())
    screen.press("Start again")
    screen.page.mouse.move(1, 1)
    opening = {"image": "cat", "color": True, "stride": 1, "padding": 0, "point": [27, 36]}
    screen.check(kernel=[KERNELS["emboss"].tolist()], **opening)


def test_a_map_too_small_to_pool_and_a_point_outside(figure):
    screen = figure("lab", images={"wave": wave(6, 3)}, after="relu_pool")
    assert screen.root.get_by_text("no feature map").is_visible()
    screen = figure("lab", images={"wave": wave(12, 12)}, point=(500, -3))
    assert screen.point() == [9, 0]


def test_a_figure_is_printed(figure):
    screen = figure("window")
    screen.page.emulate_media(media="print")
    assert all(canvas.bounding_box()["width"] > 100 for canvas in (screen.input, screen.output))
    assert re.match("Output at row 27", screen.says.inner_text())
