"""FilterGallery: what it takes, its functions against PyTorch, and its screen in a real browser."""

import functools
import itertools
import re

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME, number
from traitlets import TraitError

from backbone import pretrained
from backbone.data import photo
from backbone.models import efficientnet_lite0, initialize
from backbone.models.efficientnet import SameConv2d
from backbone.probes import Probe, top_patches
from backbone.widgets import FilterGallery

PHOTOS = {"cat": "chelsea", "astronaut": "astronaut", "cup": "coffee", "rocket": "rocket", "photographer": "camera"}
SIDE = 56  # of a map


@functools.cache
def models():
    """Return the networks: trained, and drawn from a seed, both in evaluation mode."""
    untrained = initialize(efficientnet_lite0(), torch.Generator().manual_seed(0))
    return {"trained": pretrained.load("efficientnet_lite0"), "untrained": untrained.eval()}


def gallery(**traits):
    images = {label: photo(name, 112, gray=False) for label, name in PHOTOS.items()}
    weights = {name: model._conv_stem.weight.detach().numpy() for name, model in models().items()}
    return FilterGallery(images, weights, **traits)


def random_filters(count=4, size=3, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 3, size, size))


def small(**options):
    rng = np.random.default_rng(1)
    pictures = {"color": rng.random((3, 9, 12)), "gray": rng.random((9, 12))}
    return FilterGallery(pictures, {"one": random_filters(), "other": random_filters(seed=2)}, **options)


# --- Python -------------------------------------------------------------------------------------------------


def test_it_starts_with_the_first_picture_and_the_strongest_filter():
    for network, seed in (("one", 0), ("other", 2)):
        made = small(network=network)
        strongest = int(np.argmax((random_filters(seed=seed) ** 2).sum((1, 2, 3))))
        assert (made.image, made.network, made.filter, made.order) == ("color", network, strongest, "stored")
        np.testing.assert_array_equal(made.weight, random_filters(seed=seed)[strongest].astype("f4"))


def test_pictures_are_kept_in_bytes_and_gray_ones_once():
    bright = np.full((9, 12), 200, np.uint8)
    made = FilterGallery({"a": np.stack([bright] * 3), "b": bright / 255}, {"one": random_filters()}, mean=0, std=1)
    assert made.channels == [1, 1]
    assert made.pixels.shape == (2, 9, 12)
    np.testing.assert_allclose(made.picture("a"), np.full((3, 9, 12), 200 / 255))


def rounded(made):
    """Return the pictures as the widget keeps them, (N, 3, H, W) in [0, 1]."""
    seen = np.stack([made.picture(name) * made.std + made.mean for name in made.names])
    return torch.as_tensor(seen, dtype=torch.float32)


def test_maps_are_those_of_the_networks():
    made = gallery()
    for name, model in models().items():
        with torch.no_grad(), Probe(model, ["_conv_stem"]) as probe:
            model(pretrained.normalize("efficientnet_lite0", rounded(made)))
        for image, chosen in itertools.product(("cat", "photographer"), (0, 7, 31)):
            made.image, made.network, made.filter = image, name, chosen
            expected = probe.activations["_conv_stem"][made.names.index(image), chosen].numpy()
            np.testing.assert_allclose(made.map, expected, rtol=0, atol=1e-4 * max(1, np.abs(expected).max()))


@pytest.mark.parametrize(
    ("pictures", "filters", "message"),
    [
        ({}, {"a": random_filters()}, "images have the sizes []; give at least one picture"),
        ({"a": np.zeros((4, 4)), "b": np.zeros((4, 5))}, {"a": random_filters()}, "the sizes [(4, 4), (4, 5)]"),
        ({"a": np.zeros((4, 4, 3))}, {"a": random_filters()}, "images['a'] has shape (4, 4, 3); it must be gray"),
        ({"a": np.full((4, 4), 1.5)}, {"a": random_filters()}, "dtype float64 and values from 1.5 to 1.5; it must be"),
        ({"a": np.zeros((4, 4))}, {}, "filters have the shapes []; give at least one network"),
        ({"a": np.zeros((4, 4))}, {"a": random_filters(), "b": random_filters(5)}, "[(4, 3, 3, 3), (5, 3, 3, 3)]"),
        ({"a": np.zeros((4, 4))}, {"a": np.zeros((4, 1, 3, 3))}, "filters['a'] has shape (4, 1, 3, 3); it must be"),
        ({"a": np.zeros((4, 4))}, {"a": np.full((4, 3, 3, 3), np.inf)}, "all its numbers must be finite"),
    ],
)
def test_what_does_not_fit(pictures, filters, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        FilterGallery(pictures, filters)


def test_settings_out_of_range():
    with pytest.raises(ValueError, match="stride is 0, std is"):
        small(stride=0)
    for change, message in (
        ({"image": "dog"}, "image is 'dog'; it must be one of color, gray"),
        ({"network": "third"}, "network is 'third'; it must be one of one, other"),
        ({"filter": 4}, "filter is 4; it must be a number from 0 to 3"),
        ({"order": "size"}, "order"),
    ):
        with pytest.raises(TraitError, match=message):
            small(**change)


# --- The functions of the module ----------------------------------------------------------------------------


def test_response_equals_pytorch(module):
    rng = np.random.default_rng(4)
    for kernel, stride in itertools.product((1, 2, 3, 5), (1, 2, 3)):
        height, width = (int(side) for side in rng.integers(kernel, 14, 2))
        layer = SameConv2d(3, 1, kernel, stride).double()
        x = rng.random((3, height, width))
        expected = layer(torch.as_tensor(x)[None])[0, 0].detach().numpy()
        given = [x.reshape(3, -1).tolist(), height, width, layer.weight.detach().ravel().tolist(), stride]
        found = module("(given) => m.response(...given)", given)
        assert (found["height"], found["width"]) == expected.shape
        np.testing.assert_allclose(np.reshape(found["data"], expected.shape), expected, rtol=0, atol=1e-12)


def test_pictures_are_prepared_as_for_the_network(module):
    x = np.arange(256)
    found = module("([x, mean, std]) => m.seen([x], mean, std)", [x.tolist(), 127 / 255, 128 / 255])
    expected = pretrained.normalize("efficientnet_lite0", torch.as_tensor(x / 255)).numpy()
    np.testing.assert_allclose(found, [expected] * 3, rtol=0, atol=1e-12)


def shares(weight):
    """Return strength, and by projections the shares of color and of edges."""
    total = (weight**2).sum()
    color = ((weight - weight.mean(0, keepdims=True)) ** 2).sum() / total
    edges = ((weight - weight.mean((1, 2), keepdims=True)) ** 2).sum() / total
    return {"strength": total**0.5, "color": color, "edges": edges}


def test_measures_kinds_and_order(module):
    rng = np.random.default_rng(5)
    gray, flat = np.stack([rng.normal(size=(3, 3))] * 3), np.ones((3, 3, 3)) * rng.normal(size=(3, 1, 1))
    for weight in (*rng.normal(size=(5, 3, 3, 3)), rng.normal(size=(3, 5, 5)), gray, flat):
        found = module("(w) => m.measures(w)", weight.ravel().tolist())
        assert found == pytest.approx(shares(weight), abs=1e-12)
    kinds = [(0.1, 0.9), (0.9, 0.1), (0.9, 0.9), (0.1, 0.1)]
    found = module("(all) => all.map(([color, edges]) => m.kindOf({ color, edges }))", kinds)
    assert found == ["edge", "color", "both", "even"]
    assert module("() => m.kindOf({ off: true, color: 1, edges: 1 })") == "off"
    several = [{"strength": one} for one in (1, 3, 2, 3)]
    assert module("(all) => m.sorted(all, 'strength')", several) == [1, 3, 2, 0]
    assert module("(all) => m.sorted(all, 'stored')", several) == [0, 1, 2, 3]
    assert module("() => m.colors([1, 0, -1], 1)") == [255, 128, 0, 255]


# --- On a page ----------------------------------------------------------------------------------------------


PATCHES = """(all) => all.map((n) =>
    [n.ariaLabel, n.getAttribute("title"), n.querySelector("canvas").title, n.ariaPressed])"""


class Screen:
    """The gallery on a page, with the settings that a reader of it should have reached by now."""

    def __init__(self, page, expected):
        self.page, self.expected = page, expected
        self.root = page.locator(".bb-widget").first
        self.map = self.root.locator(".bb-map")
        self.tiles = dict(zip(expected.networks, self.root.locator(".bb-tiles").all(), strict=True))

    def open(self):
        self.page.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def pick(self, network, filter_number):
        self.tiles[network].locator(f"label[title='filter {filter_number}']").click()

    def check(self, **changes):
        for name, value in changes.items():
            setattr(self.expected, name, value)
        self.page.evaluate(FRAME)
        made = self.expected
        checked = self.root.locator(".bb-tiles input:checked")
        assert checked.evaluate_all("(all) => all.map((one) => one.value)") == [f"filter {made.filter}"]
        says = self.root.locator(".bb-says").inner_text()
        assert says.startswith(f"Filter {made.filter}, {made.network}")
        self.check_order()
        self.check_numbers()
        self.check_patches()
        self.check_map()
        return says

    def check_order(self):
        made = self.expected
        for network, tiles in self.tiles.items():
            weights = made.weights[made.networks.index(network)].astype(float)
            numbers = list(range(len(weights)))
            if made.order != "stored":
                all_ = [shares(one) for one in weights]
                off = max(one["strength"] for one in all_) * 1e-3
                sizes = [-1 if one["strength"] < off and made.order != "strength" else one[made.order] for one in all_]
                numbers.sort(key=lambda i: (-sizes[i], i))
            titles = tiles.locator("label").evaluate_all("(all) => all.map((one) => one.title)")
            assert titles == [f"filter {i}" for i in numbers]

    def check_numbers(self):
        cells = [number(text) for text in self.root.locator("tbody td").all_text_contents() if text != "–"]
        found, weight = self.expected.map, self.expected.weight.astype(float)
        expected = shares(weight)
        if len(cells) == 5:  # a filter that is off has no shares to speak of
            assert cells[1:3] == pytest.approx([100 * expected["color"], 100 * expected["edges"]], abs=0.51)
        assert [cells[0], *cells[-2:]] == pytest.approx([expected["strength"], found.min(), found.max()], abs=0.051)

    def check_patches(self):
        """Compare the patches with those that `backbone.probes` finds in the network itself."""
        made = self.expected
        off = np.abs(made.weight).max() < 1e-4
        assert self.root.get_by_text("it is off, so that nothing fits it").count() == off
        assert self.root.locator(".bb-patch:visible").count() == (0 if off else len(made.names))
        if off:
            return  # scores that differ by rounding errors only
        best = best_patches(made.network)
        for rank, (label, title, image, pressed) in enumerate(self.root.locator(".bb-patch").evaluate_all(PATCHES)):
            words = r"Score (\S+): (\w+), pixel row (\d+), column (\d+)\. Show its map\."
            score, named, row, column = re.fullmatch(words, label).groups()
            assert number(score) == pytest.approx(float(best.scores[made.filter, rank]), abs=0.051)
            assert made.names.index(named) == best.pictures[made.filter, rank]
            assert (title, image) == (None, named)
            assert [int(row), int(column)] == best.corners[made.filter, rank].tolist()
            assert (pressed == "true") == (named == made.image)
            if named == made.image:
                assert self.map.get_attribute("data-marked") == f"{int(row) // 2} {int(column) // 2}"

    def check_map(self):
        """Compare the map's opacity, far from the ring, and what is said of it."""
        found = self.expected.map
        words = rf"Map of filter {self.expected.filter}, {self.expected.network}, over {self.expected.image}: "
        low, high = re.fullmatch(words + r"from (\S+) to (\S+)\.", self.map.get_attribute("aria-label")).groups()
        assert [number(low), number(high)] == pytest.approx([found.min(), found.max()], abs=0.051)
        marked = self.map.get_attribute("data-marked")
        ring = [int(at) for at in marked.split()] if marked else [-99, -99]
        script = """(c, places) => places.map(([row, column]) => {
            const side = c.width / 56;
            return c.getContext("2d").getImageData((column + 0.5) * side, (row + 0.5) * side, 1, 1).data[3];
        })"""
        places = np.random.default_rng(1).integers(0, SIDE, (40, 2)).tolist()
        for (row, column), alpha in zip(places, self.map.evaluate(script, places), strict=True):
            if max(abs(row - ring[0]), abs(column - ring[1])) > 5:
                size = abs(found[row, column]) / np.abs(found).max() if marked else 0  # one that is off shows nothing
                assert alpha == pytest.approx(255 * size, abs=1)


@functools.cache
def best_patches(network):
    made = gallery()
    normalize = functools.partial(pretrained.normalize, "efficientnet_lite0")
    return top_patches(models()[network], "_conv_stem", rounded(made), k=5, transform=normalize, inside=True)


@pytest.fixture
def screen(page_with):
    found = Screen(page_with(gallery(filter=27), width=720), gallery(filter=27))
    found.open()
    return found


def test_filters_orders_and_photographs(screen):
    assert "edge" in screen.check()
    assert screen.root.locator(".bb-invite").is_visible()
    for network, chosen in (("trained", 23), ("untrained", 5), ("trained", 14)):
        screen.pick(network, chosen)
        screen.check(network=network, filter=chosen)
    assert screen.root.locator(".bb-invite").is_hidden()
    for order in ("strength", "color", "edges", "stored"):
        screen.root.get_by_text(order if order != "stored" else "as stored", exact=True).first.click()
        screen.check(order=order)
    for rank in (4, 0):
        press = screen.root.locator(".bb-patch").nth(rank)
        press.click()
        screen.check(image=press.locator("canvas").get_attribute("title"))


def test_what_a_filter_looks_for_in_words(screen):
    all_ = [shares(one.astype(float)) for one in screen.expected.weights[0]]
    off = int(np.argmin([one["strength"] for one in all_]))
    color = int(np.argmax([one["color"] if one["strength"] > 1e-2 else 0 for one in all_]))
    for chosen, words in ((off, "switched off"), (color, "a color, with little edge")):
        screen.pick("trained", chosen)
        assert words in screen.check(filter=chosen)


def test_filters_by_keyboard_in_the_order_shown(screen):
    screen.root.get_by_text("strength", exact=True).first.click()
    screen.check(order="strength")
    weights = screen.expected.weights[0].astype(float)
    order = np.argsort(-((weights**2).sum((1, 2, 3))), kind="stable").tolist()
    screen.pick("trained", order[0])
    screen.tiles["trained"].locator("input:checked").focus()
    for key, rank in [("ArrowRight", 1), ("ArrowDown", 2), ("ArrowLeft", 1), ("ArrowUp", 0), ("ArrowUp", 31)]:
        screen.page.keyboard.press(key)
        screen.check(filter=order[rank])


# How far each tile goes from the middle gray, read off the sheet at the place that it shows.
STRONGEST = """async (tiles) => {
    const sheet = Object.assign(new Image(), { src: getComputedStyle(tiles[0]).backgroundImage.slice(5, -2) });
    await sheet.decode();
    const context = new OffscreenCanvas(sheet.width, sheet.height).getContext("2d");
    context.drawImage(sheet, 0, 0);
    const side = sheet.height - 2;
    return tiles.map((tile) => {
        const left = (parseFloat(tile.style.backgroundPositionX) / 100) * (sheet.width - side);
        const { data } = context.getImageData(Math.round(left), 1, side, side);
        return Math.max(...data.filter((_, i) => i % 4 < 3).map((byte) => Math.abs(byte - 127.5)));
    });
}"""


def test_scales_of_color(screen):
    """On one scale the strongest weight alone has full color; each on its own, every filter has."""
    one = screen.tiles["trained"].locator(".bb-tile").evaluate_all(STRONGEST)
    weights = np.abs(screen.expected.weights[0]).max((1, 2, 3))
    np.testing.assert_allclose(one, np.maximum(127.5 * weights / weights.max(), 0.5), atol=1)
    screen.root.get_by_text("each its own", exact=True).click()
    screen.page.evaluate(FRAME)
    own = screen.tiles["trained"].locator(".bb-tile").evaluate_all(STRONGEST)
    assert sum(value > 126 for value in own) == 28, "but four are off"


def test_one_network_alone_and_other_sizes(page_with):
    rng = np.random.default_rng(0)
    images = {"noise": rng.random((3, 31, 40)), "wave": np.outer(np.linspace(0, 1, 31), np.ones(40))}
    page = page_with(FilterGallery(images, {"only": rng.normal(size=(5, 3, 7, 7))}, stride=3), width=720)
    assert page.locator(".bb-tiles").count() == 1
    assert page.locator(".bb-patch").count() == 2


def test_it_is_whole_and_follows_python(page_with):
    made = gallery()
    page = page_with(made, views=[made.model_id, made.model_id])
    page_checks.assert_whole(page, [".bb-tiles label", None], [".bb-patch:not([aria-pressed=true])", None])
    page.locator("label[title='filter 4']").nth(1).click()
    assert page_checks.said_by_both(page).startswith("Filter 4, untrained")
