"""ConvolutionExplorer in a real browser: color, sizes, what follows, and its modes Slide, Guess and Shift."""

import re

import numpy as np
import pytest
from explorer_screen import (
    AFTER,
    Screen,
    away_from,
    convolved,
    drawn,
    explorer,
    geometry_of,
    number,
    rgb,
    wave,
    window,
)
from page_checks import assert_accessible, assert_fits

from backbone import ops
from backbone.ops import KERNELS
from backbone.widgets import ConvolutionExplorer

pytestmark = pytest.mark.browser

MODES = ("Look", "Slide", "Guess", "Shift")


@pytest.fixture
def cat(page_with):
    """The explorer with the cat in color."""
    made = explorer(image="cat", color=True)
    return Screen(page_with(made, width=720), made)


# --- Color --------------------------------------------------------------------------------------------------


def test_color_on_and_off(screen):
    screen.choose("Photograph", "cat")
    screen.check(image="cat")
    screen.choose("Channels", "color")
    screen.check(color=True)
    for channel, name in enumerate(("red", "green", "blue")):
        screen.strip.locator(f"label[title='{name}']").click()
        screen.channel = channel
        screen.check()
    screen.click(screen.output, 60, 70)
    screen.check(point=[60, 70])
    screen.choose("Photograph", "bricks")
    screen.channel = 0
    screen.check(image="bricks")  # gray, whatever is asked for
    screen.choose("Photograph", "cup")
    screen.check(image="cup")
    screen.choose("Channels", "gray")
    screen.check(color=False)


def test_a_color_photograph_is_drawn_in_color(cat):
    picture = cat.expected.picture
    places = away_from(np.add(cat.expected.point, 1), picture.shape[1:])
    found = drawn(cat.input, [cat.place(cat.input, *place) for place in places])
    np.testing.assert_allclose(found, [[*(255 * picture[:, *place]), 255] for place in places], atol=0.51)
    assert np.ptp(found[:, :3], axis=1).max() > 30
    cat.choose("Channels", "gray")
    cat.frame()
    cat.expected.color = False
    found = drawn(cat.input, [cat.place(cat.input, *place) for place in places])
    gray = [[255 * cat.expected.picture[0][place]] * 3 + [255] for place in places]
    np.testing.assert_allclose(found, gray, atol=0.51)


def test_each_square_of_a_color_filter_has_weights_of_its_own(cat):
    kernel = np.array(cat.planes())
    for channel, value in ((1, 3), (2, -2.5), (0, 0.5)):
        cat.strip.locator("label").nth(channel).click()
        cat.channel = channel
        cat.frame()
        cat.weights.nth(5).fill(str(value))
        cat.weights.nth(5).blur()
        kernel[channel, 1, 2] = value
        cat.check(kernel=kernel.tolist())
    cat.press("Turn by 180°")
    cat.check(kernel=kernel[:, ::-1, ::-1].tolist())
    cat.press("Sum to 1")
    cat.check(kernel=(kernel[:, ::-1, ::-1] / kernel.sum()).tolist())
    assert np.sum(cat.expected.weight) == pytest.approx(1)
    cat.choose("Size", 2)
    cat.check(kernel=[plane[:2, :2].tolist() for plane in np.array(cat.expected.kernel)], point=cat.point())
    cat.filter.select_option("box")
    cat.check(kernel=[KERNELS["box"].tolist()], point=cat.point())
    cat.press("Sum to 1")  # of all three squares
    cat.check(kernel=[(KERNELS["box"] / 3).tolist()] * 3)


def test_the_map_of_a_color_filter_is_drawn_in_the_palette(cat):
    assert_palette(cat)


def assert_palette(screen):
    """Compare the map on the screen with Python's output: the sign gives the color, the size its opacity."""
    output = screen.expected.output
    screen.frame()
    factor = 2 if screen.expected.after == "relu_pool" else 1
    places = away_from(np.array(screen.expected.point) // factor, output.shape)
    found = drawn(screen.output, [screen.place(screen.output, *place) for place in places])
    for place, (*color, opacity) in zip(places, found, strict=True):
        value = output[place]
        assert opacity == pytest.approx(255 * abs(value) / np.abs(output).max(), abs=0.51)
        if opacity > 25:
            assert np.abs(color - rgb("negative" if value < 0 else "positive")).max() <= 255 / opacity


# --- The filter ---------------------------------------------------------------------------------------------


def test_every_size(screen):
    for size in (7, 6, 5, 4, 3, 2, 1):
        screen.choose("Size", size)
        old = np.array(screen.expected.kernel[0])
        kernel = np.zeros((size, size))
        for i, j in np.ndindex(size, size):
            at = (i + len(old) // 2 - size // 2, j + len(old) // 2 - size // 2)
            if min(at) >= 0 and max(at) < len(old):
                kernel[i, j] = old[at]
        screen.expected.kernel = [kernel.tolist()]
        screen.check(point=screen.point())
        assert screen.weights.count() == size * size
        # The middle weight stays where it was.
        assert [at + size // 2 for at in screen.expected.point] == [28, 37]
    screen.choose("Size", 5)
    screen.expected.kernel = [np.pad([[1.0]], 2).tolist()]
    screen.check(point=screen.point())


def test_turn_by_180_degrees(screen):
    kernel = KERNELS["emboss"]
    screen.press("Turn by 180°")
    screen.check(kernel=[kernel[::-1, ::-1].tolist()])
    screen.press("Turn by 180°")
    screen.check(kernel=[kernel.tolist()])
    assert screen.filter.input_value() == "emboss"


def test_sum_to_one(screen):
    screen.weights.nth(4).fill("5")
    screen.weights.nth(4).blur()
    kernel = KERNELS["emboss"].copy()
    kernel[1, 1] = 5
    screen.check(kernel=[kernel.tolist()])
    screen.press("Sum to 1")
    screen.check(kernel=[(kernel / 5).tolist()])
    for name in ("sobel_x", "laplacian"):
        screen.filter.select_option(name)
        screen.check(kernel=[KERNELS[name].tolist()])
        assert screen.root.get_by_role("button", name="Sum to 1").is_disabled()
    screen.weights.nth(4).fill("0.5")
    screen.frame()
    assert screen.root.get_by_role("button", name="Sum to 1").is_enabled()


def test_random(screen):
    seen = set()
    for size in (3, 5, 1):
        screen.choose("Size", size)
        screen.expected.kernel = screen.typed_kernel()
        screen.press("Random")
        kernel = screen.typed_kernel()
        assert np.isfinite(kernel).all()
        assert np.abs(kernel).max() <= 1
        screen.check(kernel=kernel, point=screen.point())
        assert_palette(screen) if np.min(kernel) < 0 else None
        seen.add(str(kernel))
    assert len(seen) == 3


def test_random_in_color_makes_three_squares(cat):
    cat.press("Random")
    planes = []
    for channel in range(3):
        cat.strip.locator("label").nth(channel).click()
        planes += cat.typed_kernel()
    cat.channel = 2
    cat.check(kernel=planes)
    assert planes[0] != planes[1] != planes[2]


# --- What follows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("geometry", [{}, {"stride": 2, "padding": 3}])
def test_relu_and_pooling(page_with, geometry):
    made = explorer(**geometry)
    screen = Screen(page_with(made, width=720), made)
    for after in ("relu", "relu_pool"):
        screen.after.select_option(label=AFTER[after])
        screen.check(after=after)
        assert_palette(screen)
        for row, column in [(0, 0), (12, 30), (3, 17)]:
            screen.click(screen.output, row, column)
            factor = 2 if after == "relu_pool" else 1
            screen.check(point=[row * factor, column * factor])
    made.after = "nothing"
    last = [side - 1 for side in convolved(made).shape]
    screen.output.focus()
    for key in ("PageDown", "End"):
        screen.page.keyboard.press(key)
    screen.check(after="relu_pool", point=last)


def test_a_map_too_small_to_pool(page_with):
    made = ConvolutionExplorer({"wave": wave(6, 3)}, after="relu_pool")
    screen = Screen(page_with(made), made)
    assert screen.root.get_by_text("no feature map").is_visible()
    for mode in MODES:
        screen.choose("What to do", mode)
        screen.frame()
    screen.choose("What to do", "Look")
    screen.after.select_option("relu")
    screen.check(after="relu", point=screen.point())


# --- Slide --------------------------------------------------------------------------------------------------


@pytest.fixture
def small(page_with):
    """An explorer with a map of 8 x 10."""
    made = ConvolutionExplorer({"wave": wave(10, 12)}, point=(3, 4))
    return Screen(page_with(made, width=720), made)


def filled(screen) -> np.ndarray:
    """Return which pixels of the map are drawn."""
    shape = screen.expected.output.shape
    places = [screen.place(screen.output, *place) for place in np.ndindex(shape)]
    return drawn(screen.output, places)[:, 3].reshape(shape) > 0


def index(screen) -> int:
    row, column = screen.point()
    return row * screen.expected.output.shape[1] + column


def test_slide_step_by_step(small):
    small.choose("What to do", "Slide")
    small.check(mode="slide", point=[0, 0])
    for step in range(1, 13):
        small.press("Step")
        small.check(point=[step // 10, step % 10])
    assert not filled(small)[4:].any()
    assert filled(small)[0].mean() > 0.8
    small.root.get_by_role("button", name="Play").click()
    small.page.wait_for_function("document.querySelector('.bb-result').textContent.includes('row 7, column 9')")
    small.root.get_by_role("button", name="Play", exact=True).wait_for()  # it stops at the end
    small.check(point=[7, 9])
    assert filled(small).mean() > 0.8
    small.press("Step")  # from the end to the beginning
    small.check(point=[0, 0])


def test_slide_plays_pauses_and_has_a_speed(screen):
    screen.choose("What to do", "Slide")
    screen.check(mode="slide", point=[0, 0])
    screen.choose("Speed", "fast")
    screen.press("Play")
    screen.page.wait_for_function("/row [2-9]/.test(document.querySelector('.bb-result').textContent)")
    screen.press("Pause")
    screen.frame()
    where = index(screen)
    screen.page.wait_for_timeout(200)
    assert index(screen) == where > 2 * 126
    screen.check(point=screen.point())
    screen.choose("Speed", "slow")
    screen.press("Play")
    screen.page.wait_for_timeout(900)
    screen.press("Pause")
    assert 1 <= index(screen) - where <= 20
    screen.press("Play")
    screen.choose("What to do", "Look")
    screen.frame()
    where = index(screen)
    screen.page.wait_for_timeout(400)
    assert index(screen) == where  # off the mode nothing moves
    screen.check(mode="look", point=screen.point())


def test_slide_with_less_motion(page_with):
    made = explorer()
    screen = Screen(page_with(made, width=720, reduced_motion="reduce"), made)
    screen.choose("What to do", "Slide")
    screen.check(mode="slide", point=[0, 0])
    screen.page.evaluate(
        """() => {
            window.seen = [];
            const text = document.querySelector(".bb-result");
            new MutationObserver(() => seen.push(performance.now())).observe(text, { subtree: true, childList: true });
        }"""
    )
    screen.press("Play")
    screen.page.wait_for_timeout(1800)
    screen.press("Pause")
    times = screen.page.evaluate("seen")
    assert 1 <= len(times) <= 5
    assert np.diff(times).min(initial=1000) > 250
    assert index(screen) > 30


# --- Guess --------------------------------------------------------------------------------------------------


@pytest.fixture
def quiz(screen):
    """The explorer at its first question."""
    screen.choose("What to do", "Guess")
    screen.expected.mode, screen.expected.point = "guess", asked_point(screen)
    return screen


def asked_point(screen) -> list[int]:
    """Return the place that is asked for, found by its pixels: a question names no place."""
    screen.frame()
    cells = screen.root.locator(".bb-equation .bb-panel").first.locator(".bb-cell").all_inner_texts()
    size = len(screen.expected.kernel[0])
    windows = np.lib.stride_tricks.sliding_window_view(screen.expected.picture[0], (size, size))
    same = np.abs(windows - np.reshape(cells, (size, size)).astype(float)).max((2, 3)) < 1e-9
    return np.argwhere(same)[0].tolist()


def products(screen) -> np.ndarray:
    """Return the products of the question, by Python."""
    e = screen.expected
    pixels = window(e.picture[0], len(e.kernel[0]), *e.point, **geometry_of(e))
    return np.ravel([[pixel or 0 for pixel in line] for line in pixels]) * np.ravel(e.kernel[0])


def guess(screen, value):
    screen.answer.fill(str(value))
    screen.answer.press("Enter")
    return screen.verdict.inner_text()


def test_the_right_sum(quiz):
    assert not quiz.result.is_visible()
    total = products(quiz).sum()
    assert total == pytest.approx(quiz.expected.output[tuple(quiz.expected.point)])
    said = guess(quiz, f"{total:.2f}")
    assert re.match(r"Right: the sum is \S+\.$", said)
    assert float(number(said.split()[-1].rstrip("."))) == pytest.approx(total, abs=5e-5)
    quiz.answer.fill(f"{total:.2f}".replace("-", "−").replace(".", ","))
    quiz.press("Check")
    assert quiz.verdict.inner_text() == said


def test_wrong_sums_are_told_apart(quiz):
    # A place where each mistake leads to a sum of its own.
    e = quiz.expected
    turned = ConvolutionExplorer({"a": e.picture[0]}, kernel=np.array(e.kernel)[:, ::-1, ::-1]).output
    positive = ConvolutionExplorer({"a": e.picture[0]}, kernel=np.abs(e.kernel)).output
    sums = np.stack([e.output, turned, positive, e.output / 9, np.full_like(turned, 77)])
    apart = np.abs(sums[:, None] - sums[None]) + 9 * np.eye(5)[..., None, None]
    row, column = (int(at) for at in np.argwhere(apart.min((0, 1)) > 0.03)[40])
    quiz.click(quiz.output, row, column)
    assert asked_point(quiz) == [row, column]
    said = [guess(quiz, f"{value:.2f}") for value in sums[:, row, column]]
    for text, words in zip(said, ["Right", "turned by 180°", "minus signs", "divided by", "Fill in the"], strict=True):
        assert words in text


def test_wrong_products_are_marked(quiz):
    right = products(quiz)
    at = int(np.argmax(np.abs(right)))
    for i, cell in enumerate(quiz.answers.all()):
        cell.fill(f"{right[i] + (1 if i == at else 0):.2f}")
    assert "One product is wrong" in guess(quiz, "55")
    wrong = [cell.get_attribute("aria-invalid") for cell in quiz.answers.all()]
    assert wrong == ["true" if i == at else None for i in range(9)]
    quiz.answers.nth(at).fill(f"{right[at]:.2f}")
    assert "Every product is right" in guess(quiz, "55")
    assert {cell.get_attribute("aria-invalid") for cell in quiz.answers.all()} == {None}
    quiz.answers.nth(at).fill("50")
    quiz.answers.nth((at + 1) % 9).fill("50")
    assert "2 products are wrong" in guess(quiz, "55")


@pytest.mark.parametrize("text", ["", "abc", "1/0"])
def test_no_number_is_no_guess(quiz, text):
    assert guess(quiz, text) == "Type a number first, such as −0.25."
    assert {cell.get_attribute("aria-invalid") for cell in quiz.answers.all()} == {None}


@pytest.mark.parametrize("name", ["emboss", "box", "gabor_45"])
def test_show_me(quiz, name):
    quiz.filter.select_option(name)
    quiz.expected.kernel = [KERNELS[name].tolist()]
    quiz.expected.point = asked_point(quiz)
    quiz.press("Show me")
    right = products(quiz)
    shown = [float(number(cell.input_value())) for cell in quiz.answers.all()]
    assert shown == pytest.approx(right, abs=5e-5 + 1e-9)
    assert float(number(quiz.answer.input_value())) == pytest.approx(right.sum(), abs=5e-5 + 1e-9)
    assert re.match(r"The sum is \S+\.$", quiz.verdict.inner_text())
    quiz.press("Check")
    assert quiz.verdict.inner_text().startswith("Right")


def test_another_pixel(quiz):
    points = set()
    for _ in range(6):
        guess(quiz, "55")
        quiz.answers.first.fill("9")
        quiz.press("Another pixel")
        point = asked_point(quiz)
        if point != quiz.expected.point:
            assert quiz.answer.input_value() == quiz.answers.first.input_value() == ""
            assert quiz.verdict.inner_text() == ""
        quiz.expected.point = point
        points.add(tuple(point))
    assert len(points) > 2
    # The hidden pixel is covered.
    found = drawn(quiz.output, [quiz.place(quiz.output, *quiz.expected.point)])
    np.testing.assert_allclose(found[0, :3], rgb("mark"), atol=2)


def test_guessing_is_in_gray(cat):
    cat.choose("What to do", "Guess")
    cat.expected.color = False
    cat.expected.point = asked_point(cat)
    assert not cat.group("Channels").is_visible()
    assert not cat.strip.is_visible()
    assert guess(cat, f"{products(cat).sum():.2f}").startswith("Right")


# --- Shift --------------------------------------------------------------------------------------------------


def moved(x, down, right):
    height, width = x.shape
    around = np.pad(x, ((height, height), (width, width)))
    return around[height - down : 2 * height - down, width - right : 2 * width - right]


def differences(screen) -> np.ndarray:
    """Return, by Python, shift-then-filter minus filter-then-shift."""
    e = screen.expected
    picture = np.array([moved(plane, *e.shift) for plane in e.picture])
    first = ops.conv2d(picture[None], e.weight, **geometry_of(e))[0, 0]
    steps = [int(np.floor(by / e.stride + 0.5)) for by in e.shift]
    return first - moved(e.output, *steps)


def check_shift(screen, shift):
    """Compare what is said and drawn after a shift with Python."""
    screen.frame()
    screen.expected.shift = list(shift)
    difference, said = differences(screen), screen.verdict.inner_text()
    size, stride = len(screen.expected.kernel[0]), screen.expected.stride
    cut = 8 + size
    inside = np.abs(difference[cut:-cut, cut:-cut]).max()
    down, right = shift
    words = f"Moved {abs(down)} {'up' if down < 0 else 'down'}, {abs(right)} {'left' if right < 0 else 'right'}."
    assert said.startswith(words)
    limit = np.abs(difference).max()
    legend = [number(text) for text in screen.root.locator(".bb-legend span:not(.bb-ramp)").all_inner_texts()]
    assert [float(end) for end in legend] == pytest.approx([-limit, 0, limit], abs=0.005 + 1e-9)
    assert f"difference, {difference.shape[0]} × {difference.shape[1]}" in screen.root.inner_text()
    if not any(shift):
        assert said.endswith("Move the picture by a pixel.")
    elif all(by % stride == 0 for by in shift):
        border = re.search(
            r"Inside both orders agree: the largest difference is 0\. At the border it is (\S+)\.$", said
        )
        assert inside < 1e-9
        assert float(number(border[1])) == pytest.approx(limit, abs=0.005 + 1e-9)
    else:
        found = re.search(r"The orders differ by up to (\S+) inside\. One step of the map is (\d) pixels", said)
        assert int(found[2]) == stride
        assert float(number(found[1])) >= inside - 0.005
        assert float(number(found[1])) <= limit + 0.005
        assert inside > 0.1
    if limit:
        places = [tuple(place) for place in np.random.default_rng(1).integers(1, len(difference) - 1, (50, 2))]
        found = drawn(screen.output, [screen.place(screen.output, *place) for place in places])
        for place, (*_, opacity) in zip(places, found, strict=True):
            assert opacity == pytest.approx(255 * abs(difference[place]) / limit, abs=0.51)


def test_shift_by_keys_and_buttons(screen):
    screen.choose("What to do", "Shift")
    screen.expected.mode = "shift"
    check_shift(screen, (0, 0))
    screen.input.focus()
    for key, shift in [("ArrowRight", (0, 1)), ("ArrowDown", (1, 1)), ("ArrowLeft", (1, 0)), ("ArrowUp", (0, 0))]:
        screen.page.keyboard.press(key)
        check_shift(screen, shift)
    for name, shift in [("down", (1, 0)), ("right", (1, 1)), ("up", (0, 1)), ("left", (0, 0)), ("left", (0, -1))]:
        screen.press(f"Move {name}")
        check_shift(screen, shift)
    for _ in range(12):
        screen.press("Move up")
    check_shift(screen, (-8, -1))
    found = drawn(screen.input, [screen.place(screen.input, 124, 60), screen.place(screen.input, 60, 127)])
    assert found.tolist() == [[0, 0, 0, 255]] * 2
    place = screen.place(screen.input, 40, 50)
    assert drawn(screen.input, [place])[0, 0] == pytest.approx(255 * screen.expected.picture[0, 48, 51], abs=0.51)


@pytest.mark.parametrize("color", [False, True])
def test_shift_at_stride_2(page_with, color):
    made = explorer(image="cat", color=color, stride=2, padding=1)
    screen = Screen(page_with(made, width=720), made)
    screen.choose("What to do", "Shift")
    for shift in [(0, 1), (0, 2), (0, 3), (0, 4)]:
        screen.press("Move right")
        check_shift(screen, shift)
    screen.press("Move down")
    check_shift(screen, (1, 4))


# --- Everything again, and the page around it ----------------------------------------------------------------


def test_start_again_restores_everything(page_with):
    made = explorer(image="cup", color=True, stride=2, after="relu", shift=[1, 2])
    opening = {name: getattr(made, name) for name in ("image", "color", "kernel", "stride", "padding", "dilation")}
    opening |= {name: getattr(made, name) for name in ("after", "point", "mode", "shift")}
    screen = Screen(page_with(made, width=720), made)
    screen.check()
    screen.strip.locator("label").nth(2).click()
    for legend, option in [
        ("Photograph", "coins"),
        ("Size", 5),
        ("Stride", 1),
        ("Padding", 3),
        ("Dilation", 2),
        ("What to do", "Shift"),
    ]:
        screen.choose(legend, option)
    screen.press("Move up")
    screen.press("Random")
    screen.after.select_option("relu_pool")
    screen.choose("What to do", "Slide")
    screen.press("Play")
    screen.press("Start again")
    screen.page.wait_for_timeout(100)
    screen.check(**opening)
    screen.choose("What to do", "Shift")
    screen.frame()
    assert screen.verdict.inner_text().startswith("Moved 1 down, 2 right.")


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_every_mode_fits(page_with, width):
    planes = np.full((3, 7, 7), -1 / 7)
    states = [{"color": True}, {"color": True, "kernel": planes, "padding": 3, "after": "relu_pool"}]
    for state in states:
        page = page_with(explorer(image="cat", **state), width=width)
        root = page.locator(".bb-widget")
        for mode in MODES:
            root.get_by_text(mode, exact=True).click()
            page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
            assert_fits(root)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [720, 320])
def test_nothing_jumps_in_color_and_with_pooling(page_with, width):
    made = explorer(image="cat", color=True, after="relu_pool")
    screen = Screen(page_with(made, width=width), made)
    places = set()
    for row, column in [(0, 0), (62, 62), (30, 50), (1, 49), (44, 7)]:
        screen.click(screen.output, row, column)
        screen.frame()
        boxes = [one.bounding_box() for one in (screen.root, screen.weights.first, screen.result)]
        places.add(tuple(tuple(box.values()) for box in boxes))
    assert len(places) == 1, places


def test_every_mode_is_accessible(page_with):
    screen = Screen(page_with(made := explorer(image="cat", color=True)), made)
    assert_accessible(screen.page)
    for mode in MODES[1:]:
        screen.choose("What to do", mode)
        if mode == "Guess":
            screen.answers.nth(1).fill("50")
            guess(screen, "50")
        screen.frame()
        assert_accessible(screen.page)
