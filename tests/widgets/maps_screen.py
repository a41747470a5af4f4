"""One FeatureMapExplorer on a page: the networks that run in it, and what PyTorch says of the same pictures."""

import functools
import re

import numpy as np
import torch

from backbone import models, pretrained
from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist, standardize, to_float
from backbone.probes import Probe, top_patches
from backbone.widgets import FeatureMapExplorer
from backbone.widgets.feature_map_explorer import LAYERS, SEARCHED

# The module whose output stands for a layer of the strip: fc1 and fc2 are shown after ReLU.
MODULES = {name: name for name in LAYERS} | {"fc1": "relu3", "fc2": "relu4"}
SEEN = 350  # test pictures in which best patches are looked for


def prepared(images):
    """Return pictures as the networks take them."""
    return standardize(to_float(images), FASHION_MNIST_STATISTICS)


@functools.cache
def networks():
    """Return the trained network and one with its first weights."""
    untrained = models.lenet(generator=torch.Generator().manual_seed(0)).eval()
    return {"trained": pretrained.load("lenet"), "untrained": untrained}


@functools.cache
def best():
    """Return the best patches of both networks in some test pictures."""
    images = fashion_mnist("test")[:SEEN].images
    return {
        name: {layer: top_patches(model, layer, images, transform=prepared) for layer in SEARCHED}
        for name, model in networks().items()
    }


def some_pictures():
    """Return a picture of each class, an ankle boot first."""
    test = fashion_mnist("test")
    return test[[int(torch.nonzero(test.labels == label)[0]) for label in (9, 7, 5, 8, 1, 3, 0, 6, 4, 2)]]


def explorer(**traits):
    """Return the explorer of the tests."""
    parameters = {name: model.state_dict() for name, model in networks().items()}
    data = fashion_mnist("test")[:SEEN]
    return FeatureMapExplorer(some_pictures(), parameters, FASHION_MNIST_STATISTICS, data=data, best=best(), **traits)


def rounded(made, name=None):
    """Return the network that runs in the page, in PyTorch, with the page's own rounded weights."""
    model = models.lenet().eval()
    before, made.network = made.network, name or made.network
    model.load_state_dict({key: torch.from_numpy(value) for key, value in made.parameters.items()})
    made.network = before
    return model


def maps_of(model, image):
    """Return PyTorch's output of each layer of the strip for a uint8 picture (28, 28)."""
    with torch.no_grad(), Probe(model, list(MODULES.values())) as probe:
        model(prepared(torch.as_tensor(np.asarray(image).copy())[None, None]))
    return {name: probe.activations[module][0].numpy() for name, module in MODULES.items()}


def probabilities_of(model, image):
    return torch.from_numpy(maps_of(model, image)["fc3"]).softmax(0).numpy()


def number(text) -> float:
    """Read a number as the page prints it."""
    return float(text.replace("−", "-").replace("+", "").replace("%", "").strip())


class Screen:
    """An explorer on a page."""

    def __init__(self, page, made, nth=0):
        self.page, self.made = page, made
        self.root = page.locator(".bb-widget").nth(nth)
        squares = self.root.locator("canvas.bb-square")
        self.input, self.map, self.heat = (squares.nth(i) for i in range(3))
        self.result = self.root.locator(".bb-result")
        self.verdict = self.root.locator(".bb-verdict p")
        self.patches = self.root.locator(".bb-patches canvas")
        self.root.scroll_into_view_if_needed()

    def group(self, legend):
        return self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))

    def choose(self, legend, option):
        group = self.group(legend)
        titled = group.locator(f"label[title='{option}']")
        (titled if titled.count() else group.get_by_text(str(option), exact=True)).click()
        self.frame()

    def chosen(self, legend):
        return self.group(legend).locator("input:checked").get_attribute("value")

    def press(self, name):
        self.root.get_by_role("button", name=name).click()
        self.frame()

    def keys(self, *names):
        for name in names:
            self.page.keyboard.press(name)
        self.frame()

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def layer(self, name):
        """Return the canvas of a layer of the strip."""
        return self.root.locator("canvas.bb-units").nth(list(LAYERS).index(name))

    def spot(self, canvas, row, column) -> tuple[float, float]:
        """Return where a pixel of the picture lies on the page."""
        box = canvas.bounding_box()
        unit = box["width"] / 32
        return box["x"] + (column + 2.5) * unit, box["y"] + (row + 2.5) * unit

    def click(self, canvas, row, column):
        canvas.scroll_into_view_if_needed()
        self.page.mouse.click(*self.spot(canvas, row, column))
        self.frame()

    def drag(self, canvas, *places):
        canvas.scroll_into_view_if_needed()
        self.page.mouse.move(*self.spot(canvas, *places[0]))
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*self.spot(canvas, *place), steps=8)
        self.page.mouse.up()
        self.frame()

    def shares(self) -> dict[str, str]:
        """Return the ten classes with the probabilities as they are printed."""
        self.frame()
        rows = self.root.locator(".bb-score").all()
        return {row.locator(".bb-class").inner_text(): row.locator(".bb-share").inner_text() for row in rows}

    def pixels(self) -> np.ndarray:
        """Read the picture, uint8 (28, 28), off the thumbnail of the drawing."""
        self.frame()
        data = self.root.locator(".bb-pen canvas").evaluate(
            "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
        )
        return np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]

    def check(self, image=None, **changes):
        """Take the changes as expected settings; compare scores, verdict, map caption and arithmetic with PyTorch."""
        for name, value in changes.items():
            setattr(self.made, name, value)
        made, classes = self.made, self.made.classes
        image = made.input if image is None else image
        model = rounded(made)
        maps = maps_of(model, image)
        shares = probabilities_of(model, image)
        for text, share in zip(self.shares().values(), shares, strict=True):
            self.check_share(text, share)
        says = self.verdict.nth(0).inner_text()
        top = int(shares.argmax())
        assert says.startswith(f"{classes[top]}, ")
        bits = -(shares[shares > 0] * np.log2(shares[shares > 0])).sum()
        entropy, most = re.match(r"Entropy (\S+) of at most (\S+) bits", self.verdict.nth(1).inner_text()).groups()
        assert float(entropy) == np.float64(bits).round(2) or abs(float(entropy) - bits) < 0.0051
        assert most == "3.32"
        self.check_unit(maps, model)

    @staticmethod
    def check_share(text, share):
        if text == "<0.1 %":
            assert share < 0.00051
        elif text == ">99.9 %":
            assert share > 0.9994
        else:
            assert abs(number(text) / 100 - share) < 0.00051

    def check_unit(self, maps, model):
        made = self.made
        value = np.atleast_3d(maps[made.layer])
        if maps[made.layer].ndim == 1:
            value = maps[made.layer][:, None, None]
        row, column = made.position if value.shape[1] > 1 else (0, 0)
        exact = float(value[made.unit, row, column])
        caption = self.root.locator(".bb-squares .bb-caption").nth(1).inner_text()
        assert abs(number(caption.split("\n")[-1].split(": ")[-1]) - exact) < 0.00051 + 1e-4
        text = self.result.inner_text()
        if made.layer.startswith(("relu", "pool")):
            assert abs(number(re.search(r" is (\S+?)\.$", text)[1]) - exact) < 0.00061
            return
        self.check_sum(text, exact)

    def check_sum(self, text, exact):
        """The written sum adds up to the last digit; so do the products shown; the total is PyTorch's."""
        made = self.made
        _, terms, rest = text.split(" = ", 2)
        total = re.match(r"(\S+)\.", rest)[1]
        parts = [round(1000 * number(part.replace(" ", ""))) for part in re.findall(r"[+−]? ?\d+\.\d{3}", terms)]
        whole = round(1000 * number(total.removesuffix(".")))
        assert sum(parts) == whole
        shown = max(whole, 0) if made.layer in ("fc1", "fc2") else whole
        assert abs(shown / 1000 - exact) < 0.00061
        if made.layer in ("fc2", "fc3"):
            products = [line.split(" = ")[1] for line in self.root.locator(".bb-terms button").all_inner_texts()]
            assert [round(1000 * number(one)) for one in products] == parts[:6]
            return
        products = self.root.locator(".bb-equation .bb-panel").nth(2).locator(".bb-cell").all_inner_texts()
        channel = 0
        if made.layer in ("conv2", "fc1"):
            channel = int(self.root.locator(".bb-parts:visible input:checked").get_attribute("value"))
        assert sum(round(1000 * number(one)) for one in products) == parts[channel]

    def place(self) -> list[int]:
        """Return row and column that stand under the map."""
        self.frame()
        caption = self.root.locator(".bb-squares .bb-caption").nth(1).inner_text()
        found = re.search(r"row (\d+), column (\d+): ", caption)
        return [int(digits) for digits in found.groups()] if found else self.made.position

    def pick(self, layer, unit):
        """Click on a unit of the strip, and take it and its place as expected."""
        if layer == "fc3":
            self.root.locator(".bb-scores label").nth(unit).click()
        else:
            canvas = self.layer(layer)
            canvas.scroll_into_view_if_needed()
            box, units = canvas.bounding_box(), LAYERS[layer][0]
            # The cells are squares: as many in a row as fit.
            columns = round((units * box["width"] / box["height"]) ** 0.5)
            x, y = (unit % columns + 0.5) / columns, (unit // columns + 0.5) / (units // columns)
            canvas.click(position={"x": x * box["width"], "y": y * box["height"]})
        self.made.layer, self.made.unit = layer, unit
        self.made.position = self.place()
