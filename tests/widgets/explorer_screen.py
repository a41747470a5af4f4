"""One ConvolutionExplorer on a page: where its parts are, and whether it shows what Python computes."""

import re
from fractions import Fraction

import numpy as np
import pytest
from page_checks import FRAME

from backbone.data import photo
from backbone.ops import conv2d
from backbone.palette import COLORS
from backbone.widgets import ConvolutionExplorer

GEOMETRY = ("stride", "padding", "dilation")
MARGIN = 3  # of padding, around both pictures


def explorer(show="lab", **changes):
    """Return in Python an explorer as it stands in the chapter."""
    images = {"coins": photo("coins"), "cat": photo("chelsea", gray=False)}
    return ConvolutionExplorer(images, **({"kernel": "emboss", "point": (27, 36), "show": show} | changes))


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


# The numbers on the screen, as printed.
SHOWN = """(root) => {
    const texts = (node, css) => [...node.querySelectorAll(css)].map((one) => one.textContent);
    const [pixels, weights, products] = root.querySelectorAll(".bb-conv-equation .bb-panel");
    return {
        sum: root.querySelector(".bb-conv-sum").textContent,
        typed: [...root.querySelectorAll("input[aria-label^='Weight']")].map((cell) => cell.value),
        pixels: texts(pixels, ".bb-cell"), pads: texts(pixels, ".bb-pad").length,
        weights: texts(weights, ".bb-cell"),
        products: texts(products, ".bb-cell"), caption: texts(products, ".bb-caption")[0],
    };
}"""


class Screen:
    """One explorer on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected, nth=0):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").nth(nth)
        self.input, *self.orders, self.output = self.root.locator(".bb-conv-pair canvas").all()
        self.weights = self.root.locator("input[aria-label^='Weight']")
        self.says = self.root.locator(".bb-says")
        self.channel = 0

    def group(self, legend):
        return self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))

    def choose(self, legend, option):
        """Press one of a group's choices: its text, or the title of its picture."""
        group = self.group(legend)
        titled = group.locator(f"label[title='{option}']")
        (titled if titled.count() else group.get_by_text(str(option), exact=True)).click()

    def press(self, name):
        self.root.get_by_role("button", name=name, exact=True).click()

    def open(self):
        self.root.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def frame(self):
        """Wait until what was asked for is painted."""
        self.page.evaluate(FRAME)

    def sum(self) -> str:
        self.frame()
        return self.root.locator(".bb-conv-sum").text_content()

    def point(self) -> list[int]:
        return [int(digits) for digits in re.match(r"Output at row (\d+), column (\d+)", self.sum()).groups()]

    def typed(self) -> list[str]:
        """Return what stands in the cells."""
        return self.weights.evaluate_all("(cells) => cells.map((cell) => cell.value)")

    def kernel(self) -> list[list[float]]:
        """Return the weights in the cells."""
        self.frame()
        weights = [float(number(typed)) for typed in self.typed()]
        return np.reshape(weights, (round(len(weights) ** 0.5), -1)).tolist()

    def place(self, canvas, row, column) -> dict:
        """Return the middle of an input pixel, or of a pixel of the map shown, relative to its canvas."""
        return self.places(canvas, [(row, column)])[0]

    def places(self, canvas, pixels) -> list[dict]:
        """Return the middles of so many pixels."""
        if self.orders and canvas is not self.input:  # as large as the photograph, whatever the stride
            box, (height, width) = canvas.bounding_box(), self.expected.output.shape
            margin = box["width"] * MARGIN / (self.expected.pixels.shape[2] + 2 * MARGIN)
            steps = [(box[side] - 2 * margin) / count for side, count in (("width", width), ("height", height))]
            return [
                {"x": margin + (column + 0.5) * steps[0], "y": margin + (row + 0.5) * steps[1]}
                for row, column in pixels
            ]
        top = left = MARGIN
        if canvas is self.output:
            top, left = (
                MARGIN + np.floor((side - size) / 2 + 0.5)
                for side, size in zip(self.expected.pixels.shape[1:], self.expected.output.shape, strict=True)
            )
        unit = self.input.bounding_box()["width"] / (self.expected.pixels.shape[2] + 2 * MARGIN)
        return [{"x": (left + column + 0.5) * unit, "y": (top + row + 0.5) * unit} for row, column in pixels]

    def move(self, canvas, row, column):
        """Move the pointer to an input pixel, or to a pixel of the map shown."""
        box, place = canvas.bounding_box(), self.place(canvas, row, column)
        self.page.mouse.move(box["x"] + place["x"], box["y"] + place["y"], steps=2)

    def click(self, canvas, row, column):
        self.move(canvas, row, column)
        self.page.mouse.down()
        self.page.mouse.up()

    def check(self, **changes):
        """Take the changes as expected settings, and compare the numbers on the screen with them, each as printed."""
        for name, value in changes.items():
            setattr(self.expected, name, value)
        expected, (row, column) = self.expected, self.expected.point
        self.frame()
        shown = self.root.evaluate(SHOWN)
        text = shown["sum"]
        planes, size = expected.weight[0], len(expected.kernel[0])
        pixels = np.ravel(window(expected.picture[self.channel], size, row, column, **geometry_of(expected)))
        weights = planes[self.channel].ravel()
        assert shown["pixels"] == [f"{pixel or 0:.2f}" for pixel in pixels]
        assert shown["pads"] == sum(pixel is None for pixel in pixels)
        for texts in (shown["weights"], shown["typed"]):
            assert not texts or [float(number(one)) for one in texts] == pytest.approx(weights, abs=5e-4)
        unit = re.search(r"1/(\d+)$", shown["caption"])
        unit = int(unit[1]) if unit else 1
        products = [number(one) for one in shown["products"]]
        exact = [(pixel or 0) * weight * unit for pixel, weight in zip(pixels, weights, strict=True)]
        assert [float(product) for product in products] == pytest.approx(exact, abs=5e-5 + 1e-9)
        self.check_sum(text, products, unit, convolved(expected)[row, column])
        self.check_sentence(text, convolved(expected)[row, column])

    def check_sum(self, text, products, unit, value):
        """Compare the written sum: its terms are those shown, and it adds up to the last digit."""
        row, column = self.expected.point
        assert text.startswith(f"Output at row {row}, column {column} ")
        *steps, last = re.split(r" ?[=≈] ", text)[1:]
        assert float(number(last)) == pytest.approx(value, abs=5e-5 + 1e-9)
        in_color = len(self.expected.picture) == 3
        if not in_color and "≈" not in text:
            assert number(last) == sum(products) / unit
        for step in steps:
            terms, _, divisor = step.partition(" / ")
            terms = [number(term.replace(" ", "")) for term in re.findall(r"[+−]? ?[\d.]+", terms)]
            assert float(sum(terms) / int(divisor or 1)) == pytest.approx(value, abs=3e-4)
            if not in_color:
                assert sum(terms) / int(divisor or 1) == sum(products) / unit
                assert len(terms) == 1 or [abs(term) for term in terms] == [abs(one) for one in products if one]
            elif len(terms) == 3:
                assert float(terms[self.channel]) == pytest.approx(float(sum(products)), abs=6e-4)

    def check_sentence(self, text, value):
        """Compare the sentence under the pictures: the sum, or the formula, and what ReLU and pooling make of it."""
        expected, says = self.expected, self.says.text_content()
        height, width = expected.output.shape
        if expected.show == "size":
            (p, d, s), n = (
                (getattr(expected, name) for name in ("padding", "dilation", "stride")),
                len(expected.kernel[0]),
            )
            formula = f"⌊({expected.pixels.shape[1]} + 2·{p} − {d}·({n} − 1) − 1) / {s}⌋ + 1 = {height}"
            assert says.startswith(formula)
            assert self.root.locator(".bb-conv-map .bb-caption").text_content() == f"feature map, {height} × {width}"
            return
        said = says.split(". ")[-1] if "at every place" in says else says
        said, *following = said.removesuffix(".").split("; ")
        if found := re.fullmatch(r"(Output at row \d+, column \d+) [=≈] (\S+), the sum of (\d+) products", said):
            assert text.startswith(found[1])
            assert float(number(found[2])) == pytest.approx(value, abs=5e-5 + 1e-9)
            assert int(found[3]) == expected.weight.size
        else:
            assert said == text
        row, column = (at // 2 for at in expected.point)
        right = [("ReLU makes it", max(value, 0))] if expected.after != "nothing" else []
        if expected.after == "relu_pool" and row < height and column < width:
            right.append(("the largest of its 2 × 2 is", expected.output[row, column]))
        found = [re.fullmatch(r"(ReLU makes it|the largest of its 2 × 2 is) (\S+)", one).groups() for one in following]
        assert [words for words, _ in found] == [words for words, _ in right]
        assert [float(number(one)) for _, one in found] == pytest.approx([at for _, at in right], abs=5e-5 + 1e-9)

    def check_map(self, values=None, canvas=None, largest=None):
        """Compare the map's colors, away from its mark, with Python's: of the sign, and as opaque as it is large."""
        canvas = canvas or self.output
        values = self.expected.output if values is None else values
        self.frame()
        places = np.random.default_rng(3).integers(1, np.array(values.shape) - 1, (240, 2))
        factor = 2 if self.expected.after == "relu_pool" else 1
        reach = 8 if min(values.shape) > 40 else 2
        away = np.abs(places - np.array(self.expected.point) // factor).max(axis=1) > reach
        places = [tuple(place) for place in places[away][:60]]
        found = drawn(canvas, self.places(canvas, places))
        largest = largest or np.abs(values).max()
        for place, (*color, opacity) in zip(places, found, strict=True):
            assert opacity == pytest.approx(min(255, 510 * abs(values[place]) / largest), abs=0.51)
            if opacity > 25:
                name = "negative" if values[place] < 0 else "positive"
                assert np.abs(color - rgb(name)).max() <= 255 / opacity
