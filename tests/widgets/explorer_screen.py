"""One ConvolutionExplorer on a page: where its parts are, and whether it shows what Python computes."""

import re
from fractions import Fraction

import numpy as np
import pytest

from backbone.data import photo
from backbone.ops import KERNELS, conv2d
from backbone.palette import COLORS
from backbone.widgets import ConvolutionExplorer

CHAPTER = "chapters/convolution.html"
# The pictures of the chapter: label -> photograph, and whether it comes in color.
PHOTOS = {
    "coins": ("coins", False),
    "cat": ("chelsea", True),
    "photographer": ("camera", False),
    "cup": ("coffee", True),
    "bricks": ("brick", False),
}
CHANNELS = ("red", "green", "blue")
GEOMETRY = ("stride", "padding", "dilation")
MARGIN = 3  # of padding, around both pictures
AFTER = {"nothing": "nothing", "relu": "ReLU", "relu_pool": "ReLU, pool 2×2"}


def explorer(**changes):
    """Return in Python the explorer that stands in the chapter."""
    images = {label: photo(name, gray=not color) for label, (name, color) in PHOTOS.items()}
    return ConvolutionExplorer(images, **({"kernel": "emboss", "point": (27, 36)} | changes))


def wave(height, width):
    """Return a small picture."""
    rows, columns = np.mgrid[:height, :width]
    return 0.5 + 0.5 * np.sin(rows / 3) * np.cos(columns / 4)


def geometry_of(widget) -> dict:
    return {name: getattr(widget, name) for name in GEOMETRY}


def convolved(widget) -> np.ndarray:
    """Return the map before ReLU and pooling."""
    return conv2d(widget.picture[None], widget.weight, **geometry_of(widget))[0, 0]


def window(picture, size, row, column, stride=1, padding=0, dilation=1):
    """Return the pixels under the window, row by row; None where it lies on padding."""
    padded = np.pad(picture, padding, constant_values=np.nan)
    rows = row * stride + dilation * np.arange(size)
    columns = column * stride + dilation * np.arange(size)
    return [[None if np.isnan(pixel) else pixel for pixel in line] for line in padded[np.ix_(rows, columns)]]


def number(text) -> Fraction:
    """Read a number as the page prints it, exactly: "−1.5", "1/9", "1.24"."""
    return Fraction(text.strip().replace("−", "-").removeprefix("+"))


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


class Screen:
    """One explorer on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected, nth=0):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").nth(nth)
        self.input, self.output = self.root.locator(".bb-pair canvas").all()
        self.weights = self.root.locator("input[aria-label^='Weight']")
        self.answers = self.root.locator("input[aria-label^='Your product']")
        self.answer = self.root.locator("input.bb-answer")
        self.result = self.root.locator(".bb-result")
        self.filter = self.field("Filter").locator("select")
        self.after = self.field("Then").locator("select")
        self.strip = self.root.locator(".bb-channels")
        self.verdict = self.root.locator("p[role=status]:not(.bb-hidden):visible")
        self.channel = 0
        self.root.scroll_into_view_if_needed()

    def field(self, label):
        return self.root.locator(".bb-field").filter(has=self.page.locator(f"span:text-is('{label}')"))

    def group(self, legend):
        return self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))

    def choose(self, legend, option):
        """Click on one of a group's choices: its text, or the title of its picture."""
        group = self.group(legend)
        titled = group.locator(f"label[title='{option}']")
        (titled if titled.count() else group.get_by_text(str(option), exact=True)).click()

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def frame(self):
        """Wait until what was asked for is painted."""
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def point(self) -> list[int]:
        self.frame()
        place = re.match(r"Output at row (\d+), column (\d+)", self.result.text_content())
        return [int(digits) for digits in place.groups()]

    def typed_kernel(self) -> list[list[list[float]]]:
        """Return the weights on the screen."""
        self.frame()
        weights = [float(number(cell.input_value())) for cell in self.weights.all()]
        size = round(len(weights) ** 0.5)
        return [np.reshape(weights, (size, size)).tolist()]

    def unit(self) -> float:
        """Return the length of one input pixel on the screen."""
        return self.input.bounding_box()["width"] / (self.expected.pixels.shape[2] + 2 * MARGIN)

    def place(self, canvas, row, column) -> dict:
        """Return the middle of an input pixel, or of a pixel of the map shown, relative to its canvas."""
        top = left = MARGIN
        if canvas is self.output:
            top, left = (
                MARGIN + np.floor((side - size) / 2 + 0.5)
                for side, size in zip(self.expected.pixels.shape[1:], self.expected.output.shape, strict=True)
            )
        return {"x": (left + column + 0.5) * self.unit(), "y": (top + row + 0.5) * self.unit()}

    def click(self, canvas, row, column):
        """Click on an input pixel, or on a pixel of the map shown."""
        box, place = canvas.bounding_box(), self.place(canvas, row, column)
        self.page.mouse.click(box["x"] + place["x"], box["y"] + place["y"])

    def check(self, **changes):
        """Take the changes as expected settings, and compare all that is on the screen with them."""
        for name, value in changes.items():
            setattr(self.expected, name, value)
        self.frame()
        self.check_controls()
        self.check_captions()
        self.check_arithmetic()
        self.check_channels()

    def check_controls(self):
        expected = self.expected
        assert self.group("Photograph").locator("input:checked").get_attribute("value") == expected.image
        assert self.group("What to do").locator("input:checked").get_attribute("value") == expected.mode
        for name in GEOMETRY:
            chosen = self.group(name.capitalize()).locator("input:checked").get_attribute("value")
            assert int(chosen) == getattr(expected, name)
        assert int(self.group("Size").locator("input:checked").get_attribute("value")) == len(expected.kernel[0])
        names = [name for name, kernel in KERNELS.items() if all(kernel.tolist() == k for k in self.planes())]
        assert self.filter.input_value() == (names[0] if names else "")
        assert self.after.input_value() == expected.after
        has_color = expected.channels[expected.names.index(expected.image)] == 3
        assert self.group("Channels").is_visible() == has_color
        if has_color:
            chosen = self.group("Channels").locator("label:has(:checked)").inner_text()
            assert chosen == ("color" if expected.color else "gray")
        assert self.root.get_by_role("button", name="Sum to 1").is_enabled() == (abs(np.sum(self.planes())) > 1e-9)

    def planes(self) -> list:
        """Return the squares of weights that the picture meets."""
        return self.expected.weight[0].tolist()

    def check_captions(self):
        expected, size = self.expected, len(self.expected.kernel[0])
        height, width = expected.pixels.shape[1:]
        out_height, out_width = expected.output.shape
        depth = " × 3" if len(expected.picture) == 3 else ""
        captions = self.root.locator(".bb-pair .bb-caption").all_inner_texts()
        assert captions == [f"photograph, {height} × {width}{depth}", f"feature map, {out_height} × {out_width}"]
        formula = self.root.locator(".bb-formula").inner_text()
        assert (
            f"⌊({height} + 2·{expected.padding} − {expected.dilation}·({size} − 1) − 1) / {expected.stride}⌋ + 1"
            f" = {convolved(expected).shape[0]}"
        ) in formula
        pooled = f"after pooling {out_height} × {out_width}"
        assert (pooled in formula) == ("pooling" in formula) == (expected.after == "relu_pool")
        limit = np.abs(expected.output).max()
        signed = np.min(self.planes()) < 0
        legend = [number(text) for text in self.root.locator(".bb-legend span:not(.bb-ramp)").all_inner_texts()]
        ends = [-limit, 0, limit] if signed else [0, max(limit, 1)]
        assert [float(end) for end in legend] == pytest.approx(ends, abs=0.005 + 1e-9)

    def check_arithmetic(self):
        """Compare pixels, weights, products and the sum, each as printed."""
        expected, channel = self.expected, self.channel
        row, column = expected.point
        size = len(expected.kernel[0])
        weight = np.ravel(self.planes()[channel])
        pixels = np.ravel(window(expected.picture[channel], size, row, column, **geometry_of(expected)))
        panels = self.root.locator(".bb-equation .bb-panel").all()
        assert panels[0].locator(".bb-cell").all_inner_texts() == [f"{pixel or 0:.2f}" for pixel in pixels]
        assert panels[0].locator(".bb-pad").count() == sum(pixel is None for pixel in pixels)
        weights = [float(number(cell.input_value())) for cell in self.weights.all()]
        assert weights == pytest.approx(weight, abs=5e-4)
        unit = re.search(r"1/(\d+)$", panels[2].locator(".bb-caption").inner_text())
        unit = int(unit[1]) if unit else 1
        products = [number(text) for text in panels[2].locator(".bb-cell").all_inner_texts()]
        exact = [(pixel or 0) * weight * unit for pixel, weight in zip(pixels, weight, strict=True)]
        assert [float(product) for product in products] == pytest.approx(exact, abs=5e-5 + 1e-9)
        self.check_sum(self.result.inner_text(), products, unit, convolved(expected)[row, column])

    def check_sum(self, text, products, unit, value):
        """Compare the written sum: its terms are those shown, it adds up to the last digit, then what follows."""
        row, column = self.expected.point
        assert text.startswith(f"Output at row {row}, column {column} ")
        text, *following = text.removeprefix(f"Output at row {row}, column {column} ").split("; ")
        self.check_following(following, value)
        *steps, last = re.split(r" ?[=≈] ", text)[1:]
        assert float(number(last)) == pytest.approx(value, abs=5e-5 + 1e-9)
        in_color = len(self.expected.picture) == 3
        if not in_color and "≈" not in text:
            assert number(last) == sum(products) / unit
        for step in steps:
            terms, _, divisor = step.partition(" / ")
            terms = [number(term.replace(" ", "")) for term in re.findall(r"[+−]? ?[\d.]+", terms)]
            if in_color:
                assert float(sum(terms) / int(divisor or 1)) == pytest.approx(value, abs=3e-4)
                continue
            assert sum(terms) / int(divisor or 1) == sum(products) / unit
            if len(terms) > 1:
                assert [abs(term) for term in terms] == [abs(product) for product in products if product]
        if in_color and len(steps) > 0:
            terms = re.findall(r"[+−]? ?[\d.]+", steps[0].partition(" / ")[0])
            assert len(terms) == 3
            assert float(number(terms[self.channel].replace(" ", ""))) == pytest.approx(float(sum(products)), abs=6e-4)

    def check_following(self, texts, value):
        """Compare what is said about ReLU and pooling with Python's output."""
        expected = self.expected
        said = [re.fullmatch(r"(ReLU makes it|the largest of its 2 × 2 is) (\S+)", text).groups() for text in texts]
        row, column = (at // 2 for at in expected.point)
        inside = row < expected.output.shape[0] and column < expected.output.shape[1]
        right = [("ReLU makes it", max(value, 0))] if expected.after != "nothing" else []
        if expected.after == "relu_pool" and inside:
            right.append(("the largest of its 2 × 2 is", expected.output[row, column]))
        assert [words for words, _ in said] == [words for words, _ in right]
        assert [float(number(text)) for _, text in said] == pytest.approx([at for _, at in right], abs=5e-5 + 1e-9)

    def check_channels(self):
        """Compare the three sums of a color filter with what each square gives alone."""
        expected = self.expected
        in_color = len(expected.picture) == 3
        assert self.strip.is_visible() == in_color
        if not in_color:
            return
        assert self.strip.locator("input:checked").get_attribute("value") == CHANNELS[self.channel]
        text = self.strip.locator("p").inner_text()
        sums = re.match(r"red (\S+), green (\S+), blue (\S+):", text).groups()
        row, column = expected.point
        alone = [
            conv2d(pixels[None, None], weight[None, None], **geometry_of(expected))[0, 0, row, column]
            for pixels, weight in zip(expected.picture, expected.weight[0], strict=True)
        ]
        assert [float(number(one)) for one in sums] == pytest.approx(alone, abs=5e-5 + 1e-9)
        assert sum(alone) == pytest.approx(convolved(expected)[row, column], abs=1e-12)
