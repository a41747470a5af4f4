"""FilterGallery in a real browser: its arithmetic against PyTorch, its controls, and the page around it."""

import itertools
import re
from functools import partial

import numpy as np
import pytest
import torch
from explorer_screen import drawn, number, rgb
from gallery_screen import gallery, models, rounded
from page_checks import assert_accessible, assert_fits

from backbone import pretrained
from backbone.models.efficientnet import SameConv2d
from backbone.probes import top_patches
from backbone.widgets import FilterGallery, Filters

pytestmark = pytest.mark.browser

LAYERS = {"convolution": "_conv_stem", "batchnorm": "_bn0"}
LABELS = {
    "order": ("Order", {"stored": "as stored", "strength": "strength", "color": "color", "edges": "edges"}),
    "stretched": ("Color scale", {False: "one for all", True: "each its own"}),
    "stage": ("Maps and scores", {"convolution": "convolution", "batchnorm": "with BatchNorm"}),
}


# --- Functions ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(FilterGallery._esm)


def test_response_equals_pytorch(module):
    rng = np.random.default_rng(4)
    for kernel, stride in itertools.product((1, 2, 3, 5), (1, 2, 3)):
        height, width = (int(side) for side in rng.integers(kernel, 14, 2))
        layer = SameConv2d(3, 1, kernel, stride).double()
        x = rng.random((3, height, width))
        expected = layer(torch.as_tensor(x)[None])[0, 0].detach().numpy()
        sent = [x.reshape(3, -1).tolist(), height, width, layer.weight.detach().ravel().tolist(), stride]
        data, *shape = module("(c) => { const o = m.response(...c); return [[...o.data], o.height, o.width] }", sent)
        assert tuple(shape) == expected.shape
        np.testing.assert_allclose(np.reshape(data, shape), expected, rtol=0, atol=1e-12)


def test_pictures_are_prepared_as_for_the_network(module):
    x = np.arange(256)
    found = module("([x, mean, std]) => m.seen([x], mean, std).map((p) => [...p])", [x.tolist(), 127 / 255, 128 / 255])
    expected = pretrained.normalize("efficientnet_lite0", torch.as_tensor(x / 255)).numpy()
    np.testing.assert_allclose(found, [expected] * 3, rtol=0, atol=1e-12)


def shares(weight) -> dict:
    """Return strength, and by projections the shares of color and of edges."""
    total = (weight**2).sum()
    color = ((weight - weight.mean(0, keepdims=True)) ** 2).sum() / total
    edges = ((weight - weight.mean((1, 2), keepdims=True)) ** 2).sum() / total
    return {"strength": total**0.5, "color": color, "edges": edges}


def test_measures(module):
    rng = np.random.default_rng(5)
    gray, flat = np.stack([rng.normal(size=(3, 3))] * 3), np.ones((3, 3, 3)) * rng.normal(size=(3, 1, 1))
    for weight in (*rng.normal(size=(5, 3, 3, 3)), rng.normal(size=(3, 5, 5)), gray, flat):
        found = module("(w) => m.measures(w)", weight.ravel().tolist())
        assert found == pytest.approx(shares(weight), abs=1e-12)
    assert module("(w) => m.measures(w)", gray.ravel().tolist())["color"] == pytest.approx(0, abs=1e-12)
    assert module("(w) => m.measures(w)", flat.ravel().tolist())["edges"] == pytest.approx(0, abs=1e-12)
    assert module("() => m.measures(new Array(27).fill(0))") == {"strength": 0, "color": 0, "edges": 0}


def test_order_and_colors(module):
    all_ = [{"strength": one} for one in (1, 3, 2, 3)]
    assert module("(all) => m.sorted(all, 'strength')", all_) == [1, 3, 2, 0]
    assert module("(all) => m.sorted(all, 'stored')", all_) == [0, 1, 2, 3]
    assert module("() => [...m.colors([1, 0, -1], 1)]") == [255, 128, 0, 255]
    assert module("() => [...m.colors([0, 0, 0], 0)]") == [128, 128, 128, 255]


# --- On the page --------------------------------------------------------------------------------------------


def best_by_pytorch(widget) -> dict:
    """Return, by `top_patches`, each network's best patches at the stage shown."""
    scaled, normalize = rounded(widget), partial(pretrained.normalize, "efficientnet_lite0")
    return {
        name: top_patches(model, LAYERS[widget.stage], scaled, k=6, transform=normalize, inside=True)
        for name, model in models().items()
    }


def assert_shows(text, value):
    """Assert that a text is a value, rounded as the widget rounds: to about three digits."""
    unit = 1e-3 if abs(value) < 0.1 else 1e-2 if abs(value) < 10 else 0.1
    assert float(number(text)) == pytest.approx(value, abs=0.51 * unit + 1e-5)


def legend(node) -> list[str]:
    return node.locator(".bb-legend span:not(.bb-ramp)").all_inner_texts()


class Gallery:
    """The gallery on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-filters")
        self.columns = dict(zip(expected.networks, self.root.locator("section").all(), strict=True))
        self.maps = dict(zip(expected.networks, self.root.locator(".bb-map").all(), strict=True))
        self.patches = {}

    def group(self, legend):
        return self.root.locator("fieldset").filter(has=self.page.locator(f"legend:text-is('{legend}')"))

    def choose(self, name, value):
        legend, texts = LABELS[name]
        self.group(legend).get_by_text(texts[value], exact=True).click()

    def pick(self, network, filter_number):
        self.columns[network].locator(f"label[title='filter {filter_number}']").click()

    def frame(self):
        self.page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def check(self, **changes):
        for name, value in changes.items():
            setattr(self.expected, name, value)
        self.frame()
        if self.expected.stage not in self.patches:
            self.patches[self.expected.stage] = best_by_pytorch(self.expected)
        for name, (legend, texts) in LABELS.items():
            chosen = self.group(legend).locator("label:has(:checked)").inner_text()
            assert chosen == texts[getattr(self.expected, name)]
        checked = self.group("Photograph for the maps").locator("input:checked").get_attribute("value")
        assert checked == self.expected.image
        for network, chosen in zip(self.expected.networks, self.expected.chosen, strict=True):
            self.check_filters(network, chosen)
            self.check_patches(network, chosen)
            self.check_map(network, chosen)

    def check_filters(self, network, chosen):
        """Compare the order, the colors, the weights and what is said of them."""
        column, filters = self.columns[network], self.expected.filters(network)
        weight = filters.weight.astype(float)
        all_ = [shares(one) for one in weight]
        off = [one["strength"] < 1e-3 * max(other["strength"] for other in all_) for one in all_]
        order = self.expected.order
        keys = [
            0 if order == "stored" else 1 if out and order != "strength" else -one[order]
            for one, out in zip(all_, off, strict=True)
        ]
        titles = column.locator("label").evaluate_all("(labels) => labels.map((label) => label.title)")
        assert titles == [f"filter {index}" for index in np.argsort(keys, kind="stable")]
        assert column.locator("input:checked").get_attribute("value") == f"filter {chosen}"
        limits = np.full(len(weight), np.abs(weight).max())
        if self.expected.stretched:
            limits = np.where(off, limits, np.abs(weight).max((1, 2, 3)))
        for index in {0, 7, 28, chosen}:
            canvas = column.locator(f"label[title='filter {index}'] canvas")
            self.check_colors(canvas, weight[index] / limits[index])
        self.check_colors(column.locator(".bb-large"), weight[chosen] / limits[chosen])
        self.check_planes(column, weight[chosen], limits[chosen])
        title = f"filter {chosen}" + (": off" if off[chosen] else "")
        assert column.locator(".bb-chosen").first.inner_text() == title
        facts, norm = column.locator(".bb-facts").all()
        strength, color, edges = facts.locator("span").all_inner_texts()
        assert_shows(strength.removeprefix("strength "), all_[chosen]["strength"])
        for text, share in ((color, "color"), (edges, "edges")):
            expected = "–" if off[chosen] else f"{np.floor(100 * all_[chosen][share] + 0.5):.0f} %"
            assert text == f"{share} {expected}"
        scale, sign, shift = re.fullmatch(r"× (\S+) ([+−]) (\S+)", norm.locator("span").nth(1).inner_text()).groups()
        assert_shows(scale, filters.scale[chosen])
        assert_shows(sign.replace("+", "") + shift, filters.shift[chosen])

    def check_colors(self, canvas, weight):
        """Compare a canvas of k x k pixels with weights in [-1, 1]."""
        size = weight.shape[1]
        found = canvas.evaluate("(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
        found = np.reshape(found, (size, size, 4)).transpose(2, 0, 1)
        np.testing.assert_allclose(found[:3], 127.5 + 127.5 * weight, atol=0.51)
        assert (found[3] == 255).all()

    def check_planes(self, column, weight, limit):
        """Compare the three signed pictures, their names for a screen reader, and the scale under them."""
        canvases = column.locator(".bb-planes canvas").all()
        for channel, canvas, plane in zip(("red", "green", "blue"), canvases, weight, strict=True):
            found = canvas.evaluate("(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")
            opacity = np.reshape(found, (*plane.shape, 4))[..., 3]
            np.testing.assert_allclose(opacity, 255 * np.abs(plane) / limit, atol=0.51)
            label = canvas.get_attribute("aria-label")
            assert label.startswith(f"Weights for {channel}, row by row: ")
            for text, one in zip(label.split(": ")[1].split(", "), plane.ravel(), strict=True):
                assert_shows(text, one)
        for text, end in zip(legend(column), (-limit, 0, limit), strict=True):
            assert_shows(text, end)

    def check_patches(self, network, chosen):
        """Compare the patches with those that `backbone.probes` finds in the network itself."""
        found = self.patches[self.expected.stage][network]
        buttons = self.columns[network].locator(".bb-patch").all()
        off = self.expected.filters(network).weight[chosen]
        if np.abs(off).max() < 1e-4:
            return  # scores that differ by rounding errors only
        for rank, press in enumerate(buttons):
            words = r"Score (\S+): (\w+), pixel row (\d+), column (\d+)\. Show its map\."
            score, image, row, column = re.fullmatch(words, press.get_attribute("aria-label")).groups()
            assert press.inner_text().strip() == score
            assert_shows(score, float(found.scores[chosen, rank]))
            assert self.expected.names.index(image) == found.pictures[chosen, rank]
            assert [int(row), int(column)] == found.corners[chosen, rank].tolist()

    def check_map(self, network, chosen):
        """Compare the map's colors, its scale and what is said of it."""
        canvas, expected = self.maps[network], self.expected.map(network, chosen)
        limit = np.abs(expected).max()
        shape = np.array(expected.shape)
        places = np.random.default_rng(1).integers(0, shape, (60, 2))
        marked = canvas.get_attribute("data-marked") is not None
        colors = canvas.evaluate(
            """(c, places) => places.map(([row, column]) => {
                const side = c.width / 56;
                return [...c.getContext("2d").getImageData((column + 0.5) * side, (row + 0.5) * side, 1, 1).data];
            })""",
            places.tolist(),
        )
        for (row, column), color in zip(places, np.array(colors, float), strict=True):
            if marked:  # the ring may cover it
                break
            assert color[3] == pytest.approx(255 * abs(expected[row, column]) / limit, abs=1)
            if color[3] > 40:
                name = "positive" if expected[row, column] > 0 else "negative"
                np.testing.assert_allclose(color[:3], rgb(name), atol=4)
        below = canvas.locator("xpath=..")
        for text, end in zip(legend(below), (-limit, 0, limit), strict=True):
            assert_shows(text, end)
        words = rf"Map of {network} filter {chosen} over {self.expected.image}: from (\S+) to (\S+)\."
        low, high = re.fullmatch(words, canvas.get_attribute("aria-label")).groups()
        assert_shows(low, expected.min())
        assert_shows(high, expected.max())


@pytest.fixture
def screen(page_with):
    made = gallery()
    return Gallery(page_with(made, width=720), made)


def test_it_starts_as_python_says(screen):
    assert screen.expected.chosen == [21, 16]
    screen.check()


def test_every_choice_by_pointer(screen):
    for value in ("strength", "color", "edges", "stored"):
        screen.choose("order", value)
        screen.check(order=value)
    for value in (True, False):
        screen.choose("stretched", value)
        screen.check(stretched=value)
    for value in ("batchnorm", "convolution"):
        screen.choose("stage", value)
        screen.check(stage=value)
    for image in screen.expected.names:
        screen.group("Photograph for the maps").locator(f"label[title='{image}']").click()
        screen.check(image=image)


def test_filters_by_pointer(screen):
    for chosen in (0, 3, 6, 11, 15, 16, 20, 28, 31):
        screen.pick("trained", chosen)
        screen.pick("untrained", 31 - chosen)
        screen.check(chosen=[chosen, 31 - chosen])


def test_filters_by_keyboard_in_the_order_shown(screen):
    screen.choose("order", "strength")
    screen.check(order="strength")
    weight = screen.expected.filters("trained").weight.astype(float)
    order = np.argsort(-((weight**2).sum((1, 2, 3))), kind="stable").tolist()
    screen.columns["trained"].locator("input:checked").focus()
    for key, rank in [("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowUp", 31)]:
        screen.page.keyboard.press(key)
        screen.check(chosen=[order[rank], 16])
    assert screen.page.evaluate("document.activeElement.value") == f"filter {order[31]}"


@pytest.mark.parametrize("how", ["click", "key"])
def test_a_patch_shows_its_place_on_the_map(screen, how):
    canvas = screen.maps["trained"]
    for rank in (2, 4):
        press = screen.columns["trained"].locator(".bb-patch").nth(rank)
        words = r"Score \S+: (\w+), pixel row (\d+), column (\d+)\. Show its map\."
        image, row, column = re.fullmatch(words, press.get_attribute("aria-label")).groups()
        if how == "click":
            press.click()
        else:
            press.focus()
            screen.page.keyboard.press("Enter")
        screen.expected.image = image
        screen.frame()
        assert screen.page.evaluate("document.activeElement.className") == "bb-patch"
        assert canvas.get_attribute("data-marked") == f"{int(row) // 2} {int(column) // 2}"
        side = canvas.evaluate("(c) => c.clientWidth / 56")
        ring = {"x": (int(column) / 2 + 0.5 + 4) * side, "y": (int(row) / 2 + 0.5) * side}
        np.testing.assert_allclose(drawn(canvas, [ring])[0, :3], rgb("mark"), atol=8)
        screen.check()
    screen.pick("trained", 3)
    screen.check(chosen=[3, 16])
    assert canvas.get_attribute("data-marked") is None


def test_patches_are_cut_from_the_photographs(screen):
    pictures = {name: screen.expected.picture(name) * 128 + 127 for name in screen.expected.names}
    for press in screen.columns["untrained"].locator(".bb-patch").all():
        words = r"Score \S+: (\w+), pixel row (\d+), column (\d+)\. Show its map\."
        image, *corner = re.fullmatch(words, press.get_attribute("aria-label")).groups()
        data = press.locator("canvas").evaluate(
            "(c) => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"
        )
        shown = np.reshape(data, (11, 8, 11, 8, 4))[:, 4, :, 4]
        for i, j in itertools.product(range(11), repeat=2):
            row, column = int(corner[0]) + i - 4, int(corner[1]) + j - 4
            inside = 0 <= row < 112 and 0 <= column < 112
            assert shown[i, j, 3] == 255 * inside
            near = max(abs(i - 5), abs(j - 5)) == 2  # under the frame
            if inside and not near:
                np.testing.assert_allclose(shown[i, j, :3], pictures[image][:, row, column], atol=1)


def test_it_speaks_after_a_choice_and_not_before(screen):
    live = screen.root.locator("p.bb-hidden[role=status]")
    screen.choose("order", "color")
    screen.page.wait_for_timeout(500)
    assert live.text_content() == ""
    screen.pick("trained", 20)
    words = r"trained, filter 20\. strength 4\.55, color 100 %, edges 11 %\. Best patch: \w+, score [\d.]+\."
    screen.page.wait_for_function("document.querySelector('.bb-filters p.bb-hidden').textContent !== ''")
    assert re.fullmatch(words, live.text_content())


def test_two_views_stay_in_step(page_with):
    made = gallery()
    page = page_with(made, views=[made.model_id] * 2, width=720)
    page.locator("section label[title='filter 4']").nth(0).click()
    page.locator(".bb-filters").nth(1).get_by_text("strength", exact=True).click()
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    titles = page.locator(".bb-filters").evaluate_all(
        """(all) => all.map((one) => [
            one.querySelector(".bb-chosen").textContent, one.querySelector("section label").title
        ])"""
    )
    assert titles[0] == titles[1]
    assert titles[0][0] == "filter 4"


def test_one_network_alone_and_other_sizes(page_with):
    rng = np.random.default_rng(0)
    made = FilterGallery(
        {"noise": rng.random((3, 31, 40)), "wave": np.outer(np.linspace(0, 1, 31), np.ones(40))},
        {"only": Filters(rng.normal(size=(5, 3, 7, 7)), np.ones(5), np.zeros(5))},
        stride=3,
        order="edges",
    )
    page = page_with(made, width=720)
    assert page.locator("section").count() == 1
    assert page.locator(".bb-patch").count() == 2
    assert "map over noise, 11 × 14" in page.locator(".bb-filters").inner_text()
    assert "BatchNorm" not in page.locator(".bb-filters").inner_text()  # this network has none
    assert page.locator("legend", has_text="Color scale").count() == 1
    assert page.locator("legend", has_text="Maps and scores").count() == 0


# --- The page around it -------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [320, 360, 1280])
def test_it_fits_and_nothing_jumps(page_with, width):
    made = gallery()
    screen = Gallery(page_with(made, width=width), made)
    heights = set()
    for chosen, order, stage in [
        (21, "stored", "convolution"),
        (28, "color", "batchnorm"),
        (12, "strength", "convolution"),
    ]:
        screen.pick("trained", chosen)
        screen.choose("order", order)
        screen.choose("stage", stage)
        screen.frame()
        heights.add(screen.root.bounding_box()["height"])
        assert_fits(screen.root)
        assert screen.page.evaluate("document.documentElement.scrollWidth") <= width
    assert len(heights) == 1


def test_it_is_accessible(page_with):
    made = gallery()
    screen = Gallery(page_with(made), made)
    assert_accessible(screen.page)
    screen.columns["trained"].locator(".bb-patch").first.click()
    screen.choose("stage", "batchnorm")
    screen.choose("stretched", True)
    screen.frame()
    assert_accessible(screen.page)


def test_it_repaints_once_a_frame(screen):
    painted = screen.page.evaluate(
        """async () => {
            const painted = [], ask = window.requestAnimationFrame;
            let times = 0;
            window.requestAnimationFrame = (paint) => ask((now) => (times++, paint(now)));
            for (const input of [...document.querySelectorAll("section input")].slice(0, 40)) {
                times = 0;
                input.click();
                await new Promise((done) => ask(() => ask(done)));
                painted.push(times);
            }
            return painted;
        }"""
    )
    assert len(painted) >= 39
    assert max(painted) == 1
