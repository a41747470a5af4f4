"""ConvolutionExplorer in a real browser: its JavaScript against Python, its controls, and what the page shows.

Every number on the screen is read back and compared with what `backbone.ops` gives for the same settings.
"""

import itertools
import json
import re
from fractions import Fraction

import numpy as np
import pytest

from backbone import ops
from backbone.data import photo
from backbone.ops import KERNELS
from backbone.palette import COLORS
from backbone.widgets import ConvolutionExplorer
from backbone.widgets.base import BookWidget

pytestmark = pytest.mark.browser

CHAPTER = "chapters/convolution.html"
PHOTOS = {"cat": "chelsea", "photographer": "camera", "coins": "coins", "bricks": "brick"}
KIT = "array, choice, dropdown, fromHalf, gray, numberCell, paletteColor, parseNumber, scope, show, signed"
MARGIN = 3  # of padding, around both pictures
TOLERANCE = 1e-12  # of the largest output; both sides compute in float64


# --- Its functions ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(browser):
    """Return a function that evaluates a script in a page where `m` is the very module that a page gets."""
    page = browser.new_page()
    page.evaluate(
        """async (source) => {
            window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        }""",
        f"{ConvolutionExplorer._esm}\nexport {{ {KIT} }};",
    )
    yield page.evaluate
    page.close()


def call(module, name, *arguments):
    """Call one of its functions."""
    return module("([name, given]) => m[name](...given)", [name, arguments])


def cases():
    """Yield pictures, kernels and geometry: all settings the widget has, on sizes down to those that do not fit."""
    rng = np.random.default_rng(7)
    for size, stride, padding, dilation in itertools.product(range(1, 8), range(1, 5), range(4), range(1, 4)):
        height, width = (int(side) for side in rng.integers(1, 20, 2))
        kernel = rng.normal(size=(size, size)) * (rng.random((size, size)) < 0.8)
        yield rng.random((height, width)), kernel, {"stride": stride, "padding": padding, "dilation": dilation}


def by_python(x, weight, geometry):
    """Return what `ops.conv2d` gives, or None where the window does not fit."""
    try:
        return ops.conv2d(x[None, None], weight[None, None], **geometry)[0, 0]
    except ValueError:
        return None


def test_conv2d_equals_python(module):
    given = list(cases())
    sent = [[x.ravel().tolist(), *x.shape, weight.tolist(), geometry] for x, weight, geometry in given]
    found = module("(cases) => cases.map((c) => m.conv2d(...c)).map((o) => [[...o.data], o.height, o.width])", sent)
    empty = 0
    for (x, weight, geometry), (data, height, width) in zip(given, found, strict=True):
        expected = by_python(x, weight, geometry)
        if expected is None:
            assert data == []
            assert height == 0 or width == 0
            empty += 1
            continue
        assert (height, width) == expected.shape
        error = np.abs(np.reshape(data, expected.shape) - expected).max()
        assert error <= TOLERANCE * max(np.abs(expected).max(), 1e-300)
    assert 20 < empty < len(given) / 2


def test_output_size(module):
    for size, kernel, stride, padding, dilation in itertools.product(
        (1, 5, 12, 128), (1, 3, 7), (1, 4), (0, 3), (1, 3)
    ):
        found = call(module, "outputSize", size, kernel, stride, padding, dilation)
        try:
            assert found == ops.output_size(size, kernel, stride, padding, dilation)
        except ValueError:
            assert found <= 0


def window(picture, size, row, column, stride=1, padding=0, dilation=1):
    """Return the pixels under the window, row by row; None where it lies on padding."""
    padded = np.pad(picture, padding, constant_values=np.nan)
    rows = row * stride + dilation * np.arange(size)
    columns = column * stride + dilation * np.arange(size)
    return [[None if np.isnan(pixel) else pixel for pixel in line] for line in padded[np.ix_(rows, columns)]]


def test_field_is_the_window_and_arithmetic_its_sum(module):
    for x, weight, geometry in list(cases())[::7]:
        expected = by_python(x, weight, geometry)
        if expected is None:
            continue
        row, column = (side // 2 for side in expected.shape)
        values = call(module, "field", x.ravel().tolist(), *x.shape, len(weight), row, column, geometry)
        assert values == window(x, len(weight), row, column, **geometry)
        parts = call(module, "arithmetic", values, weight.tolist())
        assert parts["result"] == pytest.approx(expected[row, column], abs=1e-12)
        assert np.sum(parts["products"]) == pytest.approx(parts["total"], abs=1e-12)


UNITS = {"identity": 1, "box": 9, "gaussian": 16, "sobel_x": 1, "laplacian": 1, "sharpen": 1, "emboss": 1}
WEIGHT_TEXTS = [
    (0, "0"),
    (1, "1"),
    (-2, "−2"),
    (0.25, "0.25"),
    (-0.5, "−0.5"),
    (1 / 9, "1/9"),
    (-2 / 3, "−2/3"),
    (2 / 16, "1/8"),
    (np.pi, "3.142"),
]


def test_unit_makes_all_weights_whole(module):
    assert {name: call(module, "unitOf", KERNELS[name].tolist()) for name in UNITS} == UNITS


@pytest.mark.parametrize(("weight", "text"), WEIGHT_TEXTS)
def test_weight_text(module, weight, text):
    assert call(module, "weightText", float(weight)) == text


def test_weights_read_back_as_they_are_written(module):
    for kernel in KERNELS.values():
        unit = call(module, "unitOf", kernel.tolist())
        for weight in kernel.ravel().tolist():
            assert call(module, "parseNumber", call(module, "weightText", weight, unit)) == pytest.approx(
                weight, abs=1e-12
            )


READ = [
    ("1", 1),
    ("-1.5", -1.5),
    ("−1,5", -1.5),
    ("–2", -2),
    ("1/9", 1 / 9),
    (" +.5 ", 0.5),
    ("3.", 3),
    ("-1 / 3", -1 / 3),
]
NOT_READ = ["", " ", "abc", "1/0", "1/2/3", "1e3", "--1", "1 2", "/", "NaN", "Infinity", "0x10", "1,2,3"]


@pytest.mark.parametrize(("text", "value"), READ)
def test_a_number_that_is_typed(module, text, value):
    assert call(module, "parseNumber", text) == value


@pytest.mark.parametrize("text", NOT_READ)
def test_what_is_no_number(module, text):
    assert call(module, "parseNumber", text) is None


def test_half_precision_is_decoded_exactly(module):
    bits = np.arange(2**16, dtype=np.uint16)
    found = module("() => Array.from({ length: 65536 }, (_, bits) => String(m.fromHalf(bits)))")
    np.testing.assert_array_equal(np.array(found, float), bits.view(np.float16).astype(float))
    zeros = module("() => [0, 0x8000].map((bits) => Object.is(m.fromHalf(bits), -0))")
    assert zeros == [False, True]


@pytest.mark.parametrize("offset", [0, 1, 3])
@pytest.mark.parametrize("name", ["uint8", "float16", "float32", "float64"])
def test_array_reads_a_buffer_at_any_offset(module, name, offset):
    values = np.array([0, 1, 2, 200] if name == "uint8" else [0, -1.5, 1e-3, 65504], name)
    found = module(
        """([bytes, offset, length, type]) => {
            const raw = new DataView(Uint8Array.from(bytes).buffer, offset, length);
            return [...m.array({ get: () => raw }, "raw", type)];
        }""",
        [list(bytes(offset) + values.tobytes() + b"\xff"), offset, values.nbytes, name],
    )
    np.testing.assert_array_equal(found, values.astype(float))


def test_array_reads_a_plain_buffer(module):
    assert module('() => [...m.array({ get: () => Uint8Array.of(1, 2).buffer }, "raw")]') == [1, 2]


def test_colors_of_values(module):
    gray = module("() => [-1, 0, 0.5, 1, 2].map(m.gray(1))")
    assert gray == [[level, level, level, 255] for level in (0, 0, 128, 255, 255)]
    diverging = module("() => [-4, -2, 0, 1, 2].map(m.signed(2, [1, 2, 3], [4, 5, 6]))")
    assert diverging == [[4, 5, 6, 255], [4, 5, 6, 255], [1, 2, 3, 0], [1, 2, 3, 128], [1, 2, 3, 255]]
    assert module("() => m.signed(0, [1, 2, 3], [4, 5, 6])(0)") == [1, 2, 3, 0]


RENDER_ALONE = """async ([state, bytes, offset]) => {
    const written = [], listening = new Map();
    const model = {
        get: (name) => (name === "pixels" ? new DataView(Uint8Array.from(bytes).buffer, offset) : state[name]),
        set: (name) => written.push(name),
        save_changes: () => written.push("save"),
        on: (name) => listening.set(name, (listening.get(name) ?? 0) + 1),
        off: (name) => listening.set(name, listening.get(name) - 1),
    };
    const el = document.body.appendChild(document.createElement("div"));
    const dispose = await m.default.render({ model, el });
    const on = [...listening.values()];
    await new Promise((done) => setTimeout(done, 500)); // whatever it does later: timers, frames, observers
    const text = el.innerText;
    dispose();
    return { written, on, off: [...listening.values()], text, left: el.children.length };
}"""


@pytest.mark.parametrize("offset", [0, 1])
def test_render_writes_nothing_and_lets_go_of_everything(module, offset):
    explorer = ConvolutionExplorer({"a": photo("coins")}, point=(27, 36))
    state = {key: value for key, value in explorer.get_state().items() if not isinstance(value, bytes)}
    seen = module(RENDER_ALONE, [state, list(bytes(offset) + explorer.pixels), offset])
    assert seen["written"] == []
    assert set(seen["on"]) == {1}
    assert set(seen["off"]) == {0}
    assert seen["left"] == 0
    assert "Output at row 27, column 36" in seen["text"]


# --- What the screen shows ----------------------------------------------------------------------------------


def number(text) -> Fraction:
    """Read a number as the page prints it, exactly: "−1.5", "1/9", "1.24"."""
    return Fraction(text.strip().replace("−", "-").removeprefix("+"))


READ = """(root) => new Promise((done) => {
    const all = (selector, part = root) => [...part.querySelectorAll(selector)];
    const texts = (selector, part) => all(selector, part).map((node) => node.innerText);
    const chosen = (legend) => all("fieldset").find((node) => node.querySelector("legend").innerText === legend)
        .querySelector("input:checked").value;
    const read = () => {
        const [pixels, filter, products] = all(".bb-equation .bb-panel");
        return {
            image: chosen("Photograph"),
            geometry: ["Stride", "Padding", "Dilation"].map((legend) => Number(chosen(legend))),
            filter: root.querySelector("select").value,
            captions: texts(".bb-pair .bb-caption"),
            legend: texts(".bb-legend span:not(.bb-ramp)"),
            formula: root.querySelector(".bb-formula").innerText,
            pixels: texts(".bb-cell", pixels),
            padding: all(".bb-cell", pixels).map((cell) => cell.classList.contains("bb-pad")),
            weights: all(".bb-cell", filter).map((cell) => cell.value),
            products: texts(".bb-cell", products),
            unit: products.querySelector(".bb-caption").innerText,
            sum: root.querySelector(".bb-result").innerText,
        };
    };
    requestAnimationFrame(() => requestAnimationFrame(() => done(read()))); // once it is painted
})"""


class Screen:
    """One explorer on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected, nth=0):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").nth(nth)
        self.input, self.output = self.root.locator(".bb-pair canvas").all()
        self.weights = self.root.locator("input.bb-cell")
        self.result = self.root.locator(".bb-result")
        self.root.scroll_into_view_if_needed()

    def group(self, legend):
        return self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))

    def frame(self):
        """Wait until what was asked for is painted."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def point(self) -> list[int]:
        self.frame()
        return [
            int(digits) for digits in re.match(r"Output at row (\d+), column (\d+)", self.result.inner_text()).groups()
        ]

    def unit(self) -> float:
        """Return the length of one input pixel on the screen."""
        return self.input.bounding_box()["width"] / (self.expected.shape[2] + 2 * MARGIN)

    def places(self, canvas, cells) -> list[dict]:
        """Return the middles of input pixels, or of output pixels, relative to their canvas."""
        top = left = MARGIN
        if canvas is self.output:
            sides = zip(self.expected.shape[1:], self.expected.output.shape, strict=True)
            top, left = (MARGIN + np.floor((side - size) / 2 + 0.5) for side, size in sides)
        unit = self.unit()
        return [{"x": (left + column + 0.5) * unit, "y": (top + row + 0.5) * unit} for row, column in cells]

    def place(self, canvas, row, column) -> dict:
        return self.places(canvas, [(row, column)])[0]

    def click(self, canvas, row, column):
        """Click on an input pixel, or on an output pixel."""
        box, place = canvas.bounding_box(), self.place(canvas, row, column)
        self.page.mouse.click(box["x"] + place["x"], box["y"] + place["y"])

    def check(self, **changes):
        """Take the changes as expected settings, and compare all that is on the screen with them."""
        for name, value in changes.items():
            setattr(self.expected, name, value)
        seen, output = self.root.evaluate(READ), self.expected.output
        self.check_settings(seen)
        self.check_captions(seen, output)
        self.check_arithmetic(seen, output)

    def check_settings(self, seen):
        expected = self.expected
        assert seen["image"] == expected.image
        assert seen["geometry"] == [expected.stride, expected.padding, expected.dilation]
        names = [name for name, kernel in KERNELS.items() if kernel.tolist() == expected.kernel]
        assert seen["filter"] == (names[0] if names else "")
        weights = [float(number(text)) for text in seen["weights"]]
        assert weights == pytest.approx(np.ravel(expected.kernel), abs=5e-4)

    def check_captions(self, seen, output):
        e, size = self.expected, len(self.expected.kernel)
        _, height, width = e.shape
        rows, columns = output.shape
        assert seen["captions"] == [f"photograph, {height} × {width}", f"feature map, {rows} × {columns}"]
        formula = f"⌊({height} + 2·{e.padding} − {e.dilation}·({size} − 1) − 1) / {e.stride}⌋ + 1 = {rows}"
        assert formula in seen["formula"]
        limit = np.abs(output).max()
        ends = [-limit, 0, limit] if np.min(e.kernel) < 0 else [0, max(limit, 1)]
        assert [float(number(text)) for text in seen["legend"]] == pytest.approx(ends, abs=0.005 + 1e-9)

    def check_arithmetic(self, seen, output):
        """Compare pixels, products and the sum, each as printed."""
        e, (row, column) = self.expected, self.expected.point
        pixels = np.ravel(window(e.picture, len(e.kernel), row, column, e.stride, e.padding, e.dilation))
        assert seen["padding"] == [pixel is None for pixel in pixels]
        assert seen["pixels"] == [f"{pixel or 0:.2f}" for pixel in pixels]
        unit = re.search(r"1/(\d+)$", seen["unit"])
        unit = int(unit[1]) if unit else 1
        products = [number(text) for text in seen["products"]]
        exact = [(pixel or 0) * weight * unit for pixel, weight in zip(pixels, np.ravel(e.kernel), strict=True)]
        assert [float(product) for product in products] == pytest.approx(exact, abs=5e-5 + 1e-9)
        self.check_sum(seen["sum"], products, unit, output[row, column])

    def check_sum(self, text, products, unit, value):
        """Compare the written sum: its terms are the products shown, and it adds up to the last digit shown."""
        row, column = self.expected.point
        assert text.startswith(f"Output at row {row}, column {column} ")
        rest = text.removeprefix(f"Output at row {row}, column {column} ")
        *steps, last = re.split(r" ?[=≈] ", rest)[1:]
        assert float(number(last)) == pytest.approx(value, abs=5e-5 + 1e-9)
        if "≈" not in rest:
            assert number(last) == sum(products) / unit
        for step in steps:
            terms, _, divisor = step.partition(" / ")
            terms = re.findall(r"[+−]? ?[\d.]+", terms)
            total = sum(number(term.replace(" ", "")) for term in terms)
            assert total / int(divisor or 1) == sum(products) / unit
            if len(terms) > 1:
                assert [abs(number(term.replace(" ", ""))) for term in terms] == [abs(p) for p in products if p]


def explorer(**changes):
    """Return in Python the explorer that stands in the chapter."""
    images = {label: photo(name) for label, name in PHOTOS.items()}
    return ConvolutionExplorer(images, **({"image": "coins", "kernel": "sobel_x", "point": (27, 36)} | changes))


@pytest.fixture
def chapter(open_page):
    """The explorer of the chapter, on the site."""
    return Screen(open_page(CHAPTER), explorer())


@pytest.fixture
def screen(page_with):
    """The same explorer, alone on a page."""
    made = explorer()
    return Screen(page_with(made, width=720), made)


def test_it_starts_as_the_chapter_says(chapter):
    chapter.check()


# --- Pointer ------------------------------------------------------------------------------------------------


def test_every_choice_by_pointer(chapter):
    for name in PHOTOS:
        chapter.group("Photograph").locator(f"label[title='{name}']").click()
        chapter.check(image=name)
    for name in KERNELS:
        chapter.root.locator("select").select_option(name)
        chapter.check(kernel=KERNELS[name].tolist())
    for name, values in {"stride": (4, 3, 2), "padding": (1, 2, 3), "dilation": (2, 3, 1)}.items():
        for value in values:
            before, old = middle(chapter), chapter.expected.stride
            chapter.group(name.capitalize()).get_by_text(str(value), exact=True).click()
            setattr(chapter.expected, name, value)
            chapter.check(point=chapter.point())
            assert np.abs(np.subtract(middle(chapter), before)).max() <= max(old, chapter.expected.stride)
    chapter.root.get_by_role("button", name="Start again").click()
    chapter.check(image="coins", kernel=KERNELS["sobel_x"].tolist(), stride=1, padding=0, dilation=1, point=[27, 36])


def middle(screen) -> list[float]:
    """Return where in the photograph the middle of the window lies."""
    e = screen.expected
    return [at * e.stride - e.padding + e.dilation * (len(e.kernel) - 1) / 2 for at in e.point]


def test_pointing_at_pixels(chapter):
    for row, column in [(0, 0), (5, 90), (125, 125), (64, 3)]:
        chapter.click(chapter.output, row, column)
        chapter.check(point=[row, column])
    for row, column in [(1, 1), (50, 60), (126, 2)]:
        chapter.click(chapter.input, row, column)
        chapter.check(point=[row - 1, column - 1])  # the middle of a window of three


def test_pointing_with_stride_padding_and_dilation(screen):
    for name, value in {"Stride": "3", "Padding": "3", "Dilation": "2"}.items():
        screen.group(name).get_by_text(value, exact=True).click()
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
    screen = Screen(open_page(CHAPTER, width=360, has_touch=True), explorer())
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
    for key, name in {"ArrowRight": "bricks", "ArrowLeft": "coins", "ArrowUp": "photographer"}.items():
        press(key)
        chapter.check(image=name)
    press("Tab")
    assert chapter.input.evaluate("(node) => node === document.activeElement")
    press("Tab")
    press("ArrowDown")
    chapter.check(point=[28, 36])
    press("Tab")
    press("ArrowDown")
    chapter.check(kernel=KERNELS["sobel_y"].tolist())
    for name in ("stride", "padding", "dilation"):
        press("Tab")
        press("ArrowRight")
        setattr(chapter.expected, name, getattr(chapter.expected, name) + 1)
        chapter.check(point=chapter.point())
    press("Tab")
    press("Enter")
    chapter.check(image="coins", kernel=KERNELS["sobel_x"].tolist(), stride=1, padding=0, dilation=1, point=[27, 36])
    press("Tab")
    assert chapter.weights.first.evaluate("(node) => node === document.activeElement")


def test_focus_is_seen(screen):
    screen.group("Photograph").locator("input:checked").focus()
    for _ in range(8):
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


def with_weight(screen, index, value) -> list[list[float]]:
    kernel = np.array(screen.expected.kernel)
    kernel.flat[index] = value
    return kernel.tolist()


def test_typing_a_weight(screen):
    cell = screen.weights.nth(4)
    for text, value in [("-1.5", -1.5), ("−1,5", -1.5), ("1/9", 1 / 9), ("0", 0), ("99", 99), (".25", 0.25)]:
        cell.click()
        screen.page.keyboard.type(text)
        cell.blur()
        screen.check(kernel=with_weight(screen, 4, value))


def test_what_is_no_weight_is_marked_and_taken_back(screen):
    cell = screen.weights.nth(2)
    for text in ("abc", "100", "-", "1/0", ""):
        cell.fill("3")
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
        ("ArrowUp", 0),
        ("ArrowUp", 1),
        ("Shift+ArrowUp", 1.1),
        ("ArrowDown", 0.1),
        ("Shift+ArrowDown", 0),
    ]:
        screen.page.keyboard.press(key)
        screen.check(kernel=with_weight(screen, 0, value))


def test_a_filter_of_ones_own_is_named_so_and_a_known_one_by_its_name(screen):
    screen.weights.nth(4).fill("1")
    screen.check(kernel=with_weight(screen, 4, 1))
    assert screen.root.locator("option:checked").inner_text() == "your own"
    screen.root.locator("select").select_option("identity")
    screen.check(kernel=KERNELS["identity"].tolist())
    screen.weights.nth(4).fill("0")
    screen.weights.nth(5).fill("1")
    screen.weights.nth(5).blur()
    screen.check(kernel=[[0, 0, 0], [0, 0, 1], [0, 0, 0]])
    assert screen.root.locator("option:checked").inner_text() == "your own"


def test_start_again_while_a_weight_is_wrong(screen):
    screen.weights.nth(4).fill("abc")
    screen.root.get_by_role("button", name="Start again").click()
    screen.check()
    assert screen.weights.nth(4).get_attribute("aria-invalid") is None


# --- Colors -------------------------------------------------------------------------------------------------


def drawn(canvas, places) -> np.ndarray:
    """Return the color, red, green, blue and opacity, of canvas points given in CSS pixels."""
    return np.array(
        canvas.evaluate(
            """(canvas, places) => places.map(({ x, y }) => {
                const scale = canvas.width / canvas.getBoundingClientRect().width;
                const context = canvas.getContext("2d");
                return [...context.getImageData(Math.floor(x * scale), Math.floor(y * scale), 1, 1).data];
            })""",
            places,
        ),
        float,
    )


def rgb(name):
    return np.array([int(COLORS[name][i : i + 2], 16) for i in (1, 3, 5)], float)


def away_from(point, shape, count=60, reach=8):
    """Return random places of a map that its mark does not cover."""
    places = np.random.default_rng(3).integers(1, np.array(shape) - 1, (4 * count, 2))
    return [tuple(place) for place in places if np.abs(place - point).max() > reach][:count]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_signed_maps_are_drawn_in_the_palette(page_with, theme):
    made = explorer()
    screen = Screen(page_with(made, theme=theme, width=720), made)
    output = screen.expected.output
    places = away_from(screen.expected.point, output.shape)
    found = drawn(screen.output, screen.places(screen.output, places))
    for place, (*color, opacity) in zip(places, found, strict=True):
        value = output[place]
        assert opacity == pytest.approx(255 * abs(value) / np.abs(output).max(), abs=0.51)
        if opacity > 25:
            assert np.abs(color - rgb("negative" if value < 0 else "positive")).max() <= 255 / opacity


def test_a_map_without_negative_weights_is_a_photograph(screen):
    screen.root.locator("select").select_option("gaussian")
    screen.check(kernel=KERNELS["gaussian"].tolist())
    output = screen.expected.output
    places = away_from(screen.expected.point, output.shape)
    found = drawn(screen.output, screen.places(screen.output, places))
    expected = [[255 * output[place]] * 3 + [255] for place in places]
    np.testing.assert_allclose(found, expected, atol=0.51)


def test_the_photograph_is_drawn_as_it_is(screen):
    picture = screen.expected.picture
    places = away_from(np.add(screen.expected.point, 1), picture.shape)
    found = drawn(screen.input, screen.places(screen.input, places))
    np.testing.assert_allclose(found, [[255 * picture[place]] * 3 + [255] for place in places], atol=0.51)


def test_padding_is_drawn_black(screen):
    screen.group("Padding").get_by_text("2", exact=True).click()
    screen.frame()
    found = drawn(screen.input, screen.places(screen.input, [(-2, 60), (-3, 60)]))
    assert found.tolist() == [[0, 0, 0, 255], [0, 0, 0, 0]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_zero_has_the_color_of_the_page(open_page, theme):
    screen = Screen(open_page(CHAPTER, theme=theme), explorer(image="photographer"))
    screen.group("Photograph").locator("label[title='photographer']").click()
    screen.frame()
    output = screen.expected.output
    quiet = [tuple(place) for place in np.argwhere(output[2:-2, 2:-2] == 0)[::40] + 2]
    assert len(quiet) > 20
    box = screen.output.bounding_box()
    places = screen.places(screen.output, quiet)
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
        found = drawn(canvas, screen.places(canvas, corners))
        np.testing.assert_allclose(found[:, :3], [rgb("mark")] * 4, atol=40)


# --- The page around it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [720, 360, 320])
def test_nothing_jumps(page_with, width):
    """The widget keeps its height while the point moves, and its pictures and filter while weights change."""
    made = explorer()
    screen = Screen(page_with(made, width=width), made)
    for name in ("box", "gaussian", "sobel_x", "emboss"):
        screen.root.locator("select").select_option(name)
        heights = set()
        for row, column in [(0, 0), (125, 125), (60, 100), (3, 99)]:
            screen.click(screen.output, row, column)
            screen.frame()
            heights.add(screen.root.bounding_box()["height"])
        assert len(heights) == 1, (name, heights)
    before = [one.bounding_box() for one in (screen.input, screen.weights.first)]
    for value in ("-3", "0.5", "1/9", "-1/7", "2"):
        screen.weights.nth(4).fill(value)
        screen.frame()
        assert [one.bounding_box() for one in (screen.input, screen.weights.first)] == before


def test_it_speaks_after_a_move_and_not_before(screen):
    live = screen.root.get_by_role("status")
    screen.page.wait_for_timeout(500)
    assert live.text_content() == ""
    screen.output.focus()
    screen.page.keyboard.press("ArrowRight")
    live.filter(has_text="column 37").wait_for(state="attached")
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
    screen = Screen(open_page(CHAPTER, reduced_motion="reduce"), explorer())
    screen.click(screen.output, 50, 50)
    screen.check(point=[50, 50])
    assert screen.page.evaluate("document.querySelector('.bb-widget').getAnimations({ subtree: true }).length") == 0


def test_it_works_from_a_folder(open_page):
    screen = Screen(open_page(CHAPTER, scheme="file", theme="dark", width=360), explorer())
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


def wave(height, width):
    rows, columns = np.mgrid[:height, :width]
    return 0.5 + 0.5 * np.sin(rows / 3) * np.cos(columns / 4)


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
    screen.group("Dilation").get_by_text("3", exact=True).click()
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
    screen.group("Padding").get_by_text("1", exact=True).click()
    made.dilation, made.padding = 3, 1
    screen.check(point=screen.point())
    assert screen.result.is_visible()


def test_a_black_picture(page_with):
    made = ConvolutionExplorer({"night": np.zeros((10, 10))})
    screen = Screen(page_with(made), made)
    screen.check()
    assert screen.result.inner_text() == "Output at row 0, column 0 = 0"


# --- The host -----------------------------------------------------------------------------------------------


class Throws(BookWidget):
    _esm = "export default { render() { throw new Error('boom in render') } }"


class DoesNotParse(BookWidget):
    _esm = "export default { render( { }"


class Remembers(BookWidget):
    """A widget that leaves its model to the test."""

    _esm = """export default {
        initialize({ model }) { model.set("started", (model.get("started") ?? 0) + 1) },
        render({ model, el }) { (window.models ??= []).push(model); el.innerHTML = "<p>drawn</p>" },
    }"""
    _css = ".bb-widget.remembers { color: red }"


def test_a_broken_widget_leaves_the_others_alive(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    broken = [Throws(), DoesNotParse()]
    views = [broken[0].model_id, "no-such-model", made.model_id, broken[1].model_id]
    expected = ["boom in render", "no state for the widget no-such-model", "SyntaxError"]
    page = page_with(*broken, made, views=views, expected=expected)
    messages = page.locator(".bb-view[role=alert]")
    assert messages.all_inner_texts() == [messages.first.inner_text()] * 3
    assert messages.first.inner_text().startswith("This figure could not be drawn.")
    screen = Screen(page, made)
    screen.check()
    screen.output.focus()
    page.keyboard.press("End")
    screen.check(point=[0, 9])


def test_a_view_that_is_no_json_is_fenced_off(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made, views=[made.model_id, {"not": "an id"}], expected=["no state for the widget"])
    Screen(page, made).check()


def test_two_views_of_one_model_stay_in_step(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made, views=[made.model_id] * 2)
    first, second = Screen(page, made, 0), Screen(page, made, 1)
    first.output.focus()
    page.keyboard.press("End")
    second.group("Stride").get_by_text("2", exact=True).click()
    made.stride = 2
    point = first.point()
    for screen in (first, second):
        screen.check(point=point)


def test_two_models_are_apart(page_with):
    made = [ConvolutionExplorer({"wave": wave(12, 12)}) for _ in range(2)]
    page = page_with(*made)
    first, second = Screen(page, made[0], 0), Screen(page, made[1], 1)
    second.group("Stride").get_by_text("3", exact=True).click()
    second.check(stride=3, point=second.point())
    first.check()


def test_style_and_module_are_loaded_once(page_with):
    made = [ConvolutionExplorer({"wave": wave(12, 12)}), ConvolutionExplorer({"wave": wave(12, 12)}), Remembers()]
    page = page_with(*made)
    styles = page.locator("head style").all_inner_texts()
    assert sum("--bb-positive" in style for style in styles) == 1
    assert sum(".remembers" in style for style in styles) == 1


def test_a_model_is_started_once(page_with):
    made = Remembers()
    page = page_with(made, views=[made.model_id] * 2)
    assert page.evaluate("[models.length, models[0] === models[1], models[0].get('started')]") == [2, True, 1]


def test_model_tells_of_changes(page_with):
    page = page_with(Remembers())
    heard = page.evaluate(
        """() => {
            const [model] = models, heard = [];
            const note = (name) => (sender, value) => heard.push([name, sender === model, value ?? null]);
            const first = note("first"), second = note("second");
            model.on("change:a", first);
            model.on("change:a", first); // twice is once
            model.on("change:a", second);
            model.on("change", note("any"));
            model.set("a", 1);
            model.set("a", 1); // no change of a
            model.off("change:a", first);
            model.set({ a: 2, b: 3 });
            model.off("change:a");
            model.set("a", NaN);
            model.off("change:never", first);
            model.save_changes();
            return [heard, model.get("b"), Number.isNaN(model.get("a")), model.get("unknown") === undefined];
        }"""
    )
    assert heard[1:] == [3, True, True]
    named = [entry for entry in heard[0] if entry[0] != "any"]
    assert named == [["first", True, 1], ["second", True, 1], ["second", True, 2]]


def test_a_handler_may_go_while_it_is_called(page_with):
    page = page_with(Remembers())
    heard = page.evaluate(
        """() => {
            const [model] = models;
            let heard = 0;
            const once = () => { heard++; model.off("change:a", once); };
            model.on("change:a", once);
            model.set("a", 1);
            model.set("a", 2);
            return heard;
        }"""
    )
    assert heard == 1


def test_binary_state_arrives_whole(page_with):
    made = ConvolutionExplorer({"wave": wave(12, 12)})
    page = page_with(made)
    state = json.loads(page.locator('script[type$="widget-state+json"]').text_content())["state"][made.model_id]
    assert [buffer["path"] for buffer in state["buffers"]] == [["pixels"]]
    Screen(page, made).check()


def test_text_cannot_end_the_state_early(page_with):
    name = "</script><b>wave</b>"
    made = ConvolutionExplorer({name: wave(12, 12)})
    page = page_with(made)
    Screen(page, made).check()
    assert page.locator("b").count() == 0
