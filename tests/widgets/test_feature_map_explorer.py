"""FeatureMapExplorer: what it takes, the network in the page against PyTorch, and its screen in a real browser."""

import dataclasses
import functools
import re

import numpy as np
import page_checks
import pytest
import torch
from page_checks import FRAME
from traitlets import TraitError

from backbone import models, pretrained
from backbone.data import FASHION_MNIST_STATISTICS, Statistics, fashion_mnist, standardize, to_float
from backbone.probes import Probe
from backbone.widgets import FeatureMapExplorer
from backbone.widgets.base import HERE, join
from backbone.widgets.feature_map_explorer import LAYERS, MODULES
from backbone.widgets.lenet import SHAPES

STATISTICS = [float(FASHION_MNIST_STATISTICS.mean), float(FASHION_MNIST_STATISTICS.std)]
TOLERANCE = 1e-4  # PyTorch computes in float32, the page in float64


def prepared(images):
    return standardize(to_float(images), FASHION_MNIST_STATISTICS)


@functools.cache
def networks():
    untrained = models.lenet(generator=torch.Generator().manual_seed(0)).eval()
    return {"trained": pretrained.load("lenet"), "untrained": untrained}


def parameters(name="trained"):
    return {key: value.numpy() for key, value in networks()[name].state_dict().items()}


def some_pictures():
    """Return a picture of each class, an ankle boot first."""
    test = fashion_mnist("test")
    return test[[int(torch.nonzero(test.labels == label)[0]) for label in (9, 7, 5, 8, 1, 3, 0, 6, 4, 2)]]


def explorer(**traits):
    given = {name: parameters(name) for name in networks()}
    return FeatureMapExplorer(some_pictures(), given, FASHION_MNIST_STATISTICS, **traits)


def small(**changes):
    """Return an explorer with three pictures and one network."""
    given = {"pictures": some_pictures()[:3], "networks": {"trained": parameters()}}
    return FeatureMapExplorer(**(given | {"statistics": FASHION_MNIST_STATISTICS} | changes))


def rounded(made):
    """Return the network that runs in the page, in PyTorch, with the page's own rounded weights."""
    model = models.lenet().eval()
    model.load_state_dict({key: torch.from_numpy(value) for key, value in made.parameters.items()})
    return model


def maps_of(model, image):
    """Return PyTorch's output of each layer for a uint8 picture (28, 28)."""
    with torch.no_grad(), Probe(model, list(MODULES.values())) as probe:
        model(prepared(torch.as_tensor(np.asarray(image).copy())[None, None]))
    return {name: probe.activations[module][0].numpy() for name, module in MODULES.items()}


def shares_of(model, image):
    return torch.from_numpy(maps_of(model, image)["fc3"]).softmax(0).numpy()


# --- Python -------------------------------------------------------------------------------------------------


def test_it_opens_with_a_shoe_that_is_drawn():
    made = explorer()
    assert (made.picture, made.network, made.tool, made.layer, made.unit) == (-1, "trained", "draw", "fc3", -1)
    shares = shares_of(rounded(made), made.input)
    assert made.classes[int(shares.argmax())] == "Sneaker"
    assert shares.max() > 0.8
    np.testing.assert_array_equal(made.sketch, made.drawing)


def test_the_table_of_parameters_is_lenets():
    shapes = {name: value.shape for name, value in parameters().items()}
    assert list(shapes.items()) == list(SHAPES.items())
    assert sum(np.prod(shape) for shape in shapes.values()) == 61706


def test_rounding_hardly_changes_what_the_network_says():
    test, made = fashion_mnist("test"), explorer()
    exact = [shares_of(networks()["trained"], image) for image in test.images[:300, 0]]
    kept = [shares_of(rounded(made), image) for image in test.images[:300, 0]]
    assert np.abs(np.subtract(exact, kept)).max(axis=1).mean() < 0.002
    assert np.mean(np.argmax(exact, 1) == np.argmax(kept, 1)) > 0.99


def test_the_cover_and_the_drawing_are_part_of_the_input():
    made = explorer(tool="cover", cover=[3, 20], picture=0)
    expected = some_pictures().images[0, 0].numpy().copy()
    expected[3:11, 20:28] = 128
    np.testing.assert_array_equal(made.input, expected)
    made.tool, made.picture = "draw", -1
    made.drawing = np.full((28, 28), 7, np.uint8)
    assert (made.input == 7).all()


def pictures(**changes):
    return dataclasses.replace(some_pictures(), **changes)


def wrong_arguments():
    """Yield changes of what is given, and what is said about them."""
    images = some_pictures().images
    yield {"pictures": pictures(images=images[:, 0])}, r"pictures.images has shape \(10, 28, 28\); it must be \(P, 1,"
    yield {"pictures": pictures(images=images / 255)}, "dtype float32; it must be uint8"
    yield {"pictures": pictures(labels=torch.zeros(3, dtype=int))}, "there are 10 pictures, one label each"
    yield {"pictures": pictures(labels=torch.full((10,), 10))}, "whole numbers from 0 to 9"
    yield {"pictures": pictures(classes=("a", "b"))}, "LeNet has 10 scores, so give 10 names"
    yield {"networks": {}}, "networks has 0 entries; give 1 to 3"
    short = {key: value for key, value in parameters().items() if key != "fc1.bias"}
    yield {"networks": {"a": short}}, r"networks\['a'\] has no 'fc1.bias'; LeNet needs conv1.weight"
    yield {"networks": {"a": parameters() | {"fc3.bias": np.zeros(11)}}}, r"has shape \(11,\); it must be \(10,\)"
    yield {"networks": {"a": parameters() | {"fc3.bias": np.full(10, np.nan)}}}, "holds a NaN or an infinity"
    yield {"statistics": Statistics(torch.tensor([0.3]), torch.tensor([0.0]))}, "one std above 0"


@pytest.mark.parametrize("index", range(10))
def test_wrong_arguments(index):
    changes, message = list(wrong_arguments())[index]
    with pytest.raises(ValueError, match=message):
        small(**changes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "other"}, "network is 'other'; it must be one of trained"),
        ({"picture": 3}, "picture is 3; there are 3, so give 0 to 2, or -1"),
        ({"drawing": np.zeros(784)}, r"drawing has shape \(784,\); it must be \(28, 28\)"),
        ({"layer": "relu1"}, "layer"),
        ({"cover": [0, 25]}, "cover"),
    ],
)
def test_wrong_settings(change, message):
    with pytest.raises(TraitError, match=message):
        small(**change)


# --- The functions of the module ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module(module_of):
    """Return a function that evaluates a script where `m` is the module and `nets` are the two networks."""
    call = module_of(join(HERE / "feature_map_explorer" / "maths.js"))
    given = [
        {key: value.ravel().tolist() for key, value in explorer(network=name).parameters.items()} for name in networks()
    ]
    call("(given) => { window.nets = given; }", given)
    return call


def images():
    """Return real pictures, a drawn one, noise, and the extremes."""
    real = list(fashion_mnist("test").images.numpy()[:40:4, 0])
    noise = list(np.random.default_rng(0).integers(0, 256, (3, 28, 28), np.uint8))
    return [*real, small().drawing, *noise, np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)]


@pytest.mark.browser
@pytest.mark.parametrize("number", [0, 1])
def test_forward_equals_pytorch(module, number):
    model = rounded(explorer(network=list(networks())[number]))
    script = "([i, pixels, statistics]) => m.forward(nets[i], m.standardized(pixels, statistics))"
    for image in images():
        found = module(script, [number, image.ravel().tolist(), STATISTICS])
        for layer, expected in maps_of(model, image).items():
            assert np.abs(np.reshape(found[layer], expected.shape) - expected).max() <= TOLERANCE, layer


def test_the_scale_of_a_layers_colors_ends_where_one_number_in_200_is_beyond():
    before = networks() and torch.get_rng_state()
    made = explorer()
    assert torch.equal(before, torch.get_rng_state()), "a figure leaves a reader's own draws as they are"
    maps = [maps_of(rounded(explorer(network=name)), image) for name in networks() for image in made.pixels]
    assert set(made.limits) == set(LAYERS)
    for layer, limit in made.limits.items():
        sizes = np.sort(np.abs([found[layer] for found in maps]).ravel())
        assert limit == pytest.approx(sizes[int(0.995 * (len(sizes) - 1))], abs=TOLERANCE), layer


TRACE = """([pixels, statistics, layer, unit, place]) => {
    const maps = m.forward(nets[0], m.standardized(pixels, statistics));
    return m.trace(nets[0], maps, layer, unit, place);
}"""


@pytest.mark.browser
@pytest.mark.parametrize("layer", ["conv1", "pool1", "conv2", "pool2"])
def test_a_unit_lights_the_pixels_that_it_reads(module, layer):
    """With averages in place of maxima, so that each pixel that is read counts, the gradient says which they are."""
    net = networks()["trained"]
    steps = [net.conv1, nn_pool, net.conv2, nn_pool][: list(LAYERS).index(layer) + 1]
    x = torch.rand(1, 1, 28, 28, requires_grad=True)
    y = x
    for step in steps:
        y = step(y)
    side = LAYERS[layer][1]
    image = some_pictures().images[0, 0].numpy()
    for place in ([0, 0], [side // 2, side // 3], [side - 1, side - 1]):
        gradient = torch.autograd.grad(y[0, 3, place[0], place[1]], x, retain_graph=True)[0][0, 0] != 0
        way = module(TRACE, [image.ravel().tolist(), STATISTICS, layer, 3, place])
        (box,) = way[-1]["boxes"]
        expected = torch.zeros(28, 28, dtype=torch.bool)
        expected[box["top"] : box["top"] + box["height"], box["left"] : box["left"] + box["width"]] = True
        assert torch.equal(gradient, expected)
        assert [step["layer"] for step in way] == [*list(LAYERS)[: list(LAYERS).index(layer) + 1][::-1], "input"]


def nn_pool(x):
    return torch.nn.functional.avg_pool2d(x, 2)


@pytest.mark.browser
def test_the_way_back_follows_what_counts_most(module):
    made, image = explorer(), some_pictures().images[0, 0].numpy()
    p, maps = made.parameters, maps_of(rounded(made), image)
    way = module(TRACE, [image.ravel().tolist(), STATISTICS, "fc3", 9, [0, 0]])
    unit = 9
    for step, (layer, before) in zip(way[1:], [("fc3", "fc2"), ("fc2", "fc1"), ("fc1", "pool2")], strict=False):
        products = p[f"{layer}.weight"][unit] * maps[before].ravel()
        order = np.argsort(-np.abs(products))[:5]
        side = LAYERS[before][1]
        places = [(box["unit"] * side + box["top"]) * side + box["left"] for box in step["boxes"]]
        assert places == order.tolist()
        np.testing.assert_allclose([link["value"] for link in step["links"]], products[order], atol=1e-3)
        unit = int(order[0]) // side**2
    pooled, conv, sources = way[3]["boxes"][0], way[4]["boxes"], way[5]
    assert [box["unit"] for box in conv] == [pooled["unit"]]
    four = maps["conv2"][unit, 2 * pooled["top"] : 2 * pooled["top"] + 2, 2 * pooled["left"] : 2 * pooled["left"] + 2]
    row, column = np.unravel_index(four.argmax(), (2, 2))
    top, left = 2 * pooled["top"] + row, 2 * pooled["left"] + column
    window = maps["pool1"][:, top : top + 5, left : left + 5]
    parts = (p["conv2.weight"][unit] * window).sum((1, 2))
    np.testing.assert_allclose([link["value"] for link in sources["links"]], parts, atol=1e-3)
    assert parts.sum() + p["conv2.bias"][unit] == pytest.approx(maps["conv2"][unit, top, left], abs=1e-3)


@pytest.mark.browser
def test_apportioned_numbers_add_up(module):
    rng = np.random.default_rng(2)
    for count in (1, 3, 25, 150):
        values = rng.normal(0, 100, count)
        target = round(values.sum()) + int(rng.integers(-1, 2))
        parts = module("(given) => m.apportion(...given)", [values.tolist(), target])
        assert sum(parts) == target
        assert np.abs(np.array(parts) - values).max() <= 2.5


@pytest.mark.browser
@pytest.mark.parametrize("width", [280, 328, 543, 544, 650, 688])
def test_everything_has_its_place(module, width):
    plan = module("(width) => m.layout(width)", width)
    boxes = [(name, cell) for name, layer in plan["layers"].items() for cell in layer["cells"]]
    assert {name: len(layer["cells"]) for name, layer in plan["layers"].items()} == {
        n: u for n, (u, _) in LAYERS.items()
    }
    middles = []
    for name, cell in boxes:
        wide, tall = cell.get("width", cell.get("size")), cell.get("height", cell.get("size"))
        assert cell["x"] >= -0.01
        assert cell["x"] + wide <= width + 0.01, name
        assert cell["y"] + tall <= plan["height"] + 0.01, name
        middles.append([cell["x"] + wide / 2, cell["y"] + tall / 2])
    units = [(name, plan["layers"][name]["cells"].index(cell)) for name, cell in boxes]
    found = module("([plan, middles]) => middles.map(([x, y]) => m.unitAt(plan, x, y))", [plan, middles])
    assert [(one["layer"], one["unit"]) for one in found] == units
    assert module("(plan) => m.unitAt(plan, -5, -5)", plan) is None


# --- On a page ----------------------------------------------------------------------------------------------


class Screen:
    """An explorer on a page, and the one in Python that should be in the same state."""

    def __init__(self, page, made):
        self.page, self.made = page, made
        self.root = page.locator(".bb-widget").first
        self.picture, self.network = self.root.locator(".bb-maps-picture"), self.root.locator(".bb-maps-network")
        self.more, self.numbers = self.root.locator("details").all()

    def open(self):
        self.page.locator("details").evaluate_all("(folds) => folds.forEach((fold) => (fold.open = true))")

    def choose(self, option):
        self.more.locator(f"label[title='{option}'], label:text-is('{option}')").first.click()

    def check(self, **changes):
        """Compare the sentence and the numbers with PyTorch's."""
        for name, value in changes.items():
            setattr(self.made, name, value)
        self.page.evaluate(FRAME)
        made = self.made
        maps = maps_of(rounded(made), made.input)
        shares = torch.from_numpy(maps["fc3"]).softmax(0).numpy()
        top = int(shares.argmax())
        says = self.root.locator(".bb-says").inner_text()
        name, share = re.match(r"(.+?), (\S+) %", says).groups()
        assert name == made.classes[top]
        assert float(share.lstrip(">")) / 100 == pytest.approx(shares[top], abs=0.0011)
        first, second = np.sort(shares)[:-3:-1]
        ahead = first > 0.5 or first > 2 * second
        kind = "nearly sure" if first > 0.9 else "then comes" if ahead else "none of the ten stands out"
        assert kind in says
        assert ("The label says" in says) == (made.picture >= 0 and made.labels[made.picture] != top)
        scores = [float(cells[1].replace("−", "-")) for cells in self.rows(1)]
        np.testing.assert_allclose(scores, maps["fc3"], atol=0.0051)
        self.check_sum(maps, top)
        return says

    def check_sum(self, maps, top):
        """What is shown adds up, and to PyTorch's number."""
        made = self.made
        unit = top if made.unit < 0 else made.unit
        names, *_, last = zip(*self.rows(0), strict=True)
        last = [float(text.replace("−", "-") or 0) for text in last]
        expected = maps[made.layer][(unit, *made.position)] if LAYERS[made.layer][1] > 1 else maps[made.layer][unit]
        assert last[-1] == pytest.approx(max(expected, 0) if names[-1] == "after ReLU" else expected, abs=0.0006)
        if "sum" in names:
            at = names.index("sum")
            assert sum(last[:at]) == pytest.approx(last[at], abs=1e-6)

    def rows(self, number):
        """Return the texts of a table of numbers, row by row, the heading first."""
        rows = self.numbers.locator(".bb-numbers").nth(number).locator("tbody tr")
        return rows.evaluate_all("(rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent))")

    def drawn(self):
        """Return the picture as it is shown, uint8 (28, 28)."""
        self.page.evaluate(FRAME)
        data = self.more.locator("canvas[aria-label='your drawing']").evaluate(
            "(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 28, 28).data]"
        )
        return np.array(data, np.uint8).reshape(28, 28, 4)[..., 0]

    def pointed(self, layer, unit, right=0.5, down=0.5):
        """Return where a share of a unit's cell lies on the page."""
        width = self.network.evaluate("(canvas) => canvas.clientWidth")
        cell = self.page.evaluate(
            "(given) => m.layout(given[0]).layers[given[1]].cells[given[2]]", [width, layer, unit]
        )
        box = self.network.bounding_box()
        wide, tall = cell.get("width", cell.get("size")), cell.get("height", cell.get("size"))
        return box["x"] + cell["x"] + right * wide, box["y"] + cell["y"] + down * tall


@pytest.fixture
def screen(page_with):
    page = page_with(explorer(), width=720)
    page.evaluate(
        """async (source) => {
            window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
        }""",
        join(HERE / "feature_map_explorer" / "maths.js"),
    )
    found = Screen(page, explorer())
    found.open()
    page.evaluate("scrollTo(0, 0)")
    return found


@pytest.mark.browser
def test_the_hand_draws_clears_and_begins_again(screen):
    screen.check()
    assert screen.root.locator(".bb-invite").is_visible()
    box, mouse = screen.picture.bounding_box(), screen.page.mouse
    mouse.move(box["x"] + 100, box["y"] + 50)
    mouse.down()
    mouse.move(box["x"] + 140, box["y"] + 20, steps=6)
    mouse.move(box["x"] + 300, box["y"] - 60, steps=6)
    mouse.up()
    assert screen.root.locator(".bb-invite").is_hidden()
    assert screen.drawn().sum() > screen.made.drawing.sum()
    screen.check(drawing=screen.drawn())
    screen.root.get_by_role("button", name="Clear").click()
    screen.check(drawing=np.zeros((28, 28), np.uint8))
    assert not screen.drawn().any()
    screen.root.get_by_role("button", name="Shoe").click()
    screen.check(drawing=explorer().drawing)
    np.testing.assert_array_equal(screen.drawn(), screen.made.drawing)


@pytest.mark.browser
def test_drawing_by_keys(screen):
    screen.picture.focus()
    for key in ("ArrowUp", "ArrowUp", "Enter", "Shift+ArrowRight", "Enter", "ArrowDown", " "):
        screen.page.keyboard.press(key)
    changed = np.argwhere(screen.drawn() != explorer().drawing)
    assert changed.size
    screen.check(drawing=screen.drawn())


@pytest.mark.browser
def test_a_click_lights_a_unit_and_hovering_shows_one(screen):
    for layer, (units, side) in LAYERS.items():
        unit = units // 2
        before = screen.root.locator(".bb-says").inner_text()
        x, y = screen.pointed(layer, unit, 0.3, 0.6)
        screen.page.mouse.move(x, y)
        screen.page.evaluate(FRAME)
        over = screen.root.locator(".bb-says").inner_text()
        assert over != before, layer
        screen.page.mouse.move(2, 2)
        screen.page.evaluate(FRAME)
        assert screen.root.locator(".bb-says").inner_text() == before, layer
        screen.page.mouse.click(x, y)
        screen.page.mouse.move(2, 2)
        says = screen.check(layer=layer, unit=unit, position=[int(0.6 * side), int(0.3 * side)])
        assert says == over
        assert {"fc3": "counts most for", "fc1": f"unit {unit} of fc1"}.get(layer, "Lit") in says


@pytest.mark.browser
def test_units_by_keys(screen):
    screen.network.focus()
    top = screen.made.classes.index("Sneaker")
    screen.page.keyboard.press("ArrowDown")
    screen.check(unit=top + 1)
    screen.page.keyboard.press("ArrowLeft")
    screen.check(layer="fc2", unit=top + 1)
    screen.network.evaluate(page_checks.KEYS, 3 * ["ArrowLeft"])
    maps = maps_of(rounded(screen.made), screen.made.input)
    place = [int(at) for at in np.unravel_index(maps["conv2"][top + 1].argmax(), (10, 10))]
    screen.check(layer="conv2", position=place)
    screen.page.keyboard.press("Shift+ArrowUp")
    screen.check(position=[max(place[0] - 1, 0), place[1]])
    screen.page.keyboard.press("Home")
    screen.check(position=place)


@pytest.mark.browser
def test_pictures_networks_and_the_cover(screen):
    screen.choose("Ankle boot")
    screen.check(picture=0)
    screen.choose("untrained")
    assert "none of the ten stands out" in screen.check(network="untrained")
    assert screen.more.get_by_label("untrained").is_checked()
    screen.choose("trained")
    screen.choose("Cover")
    screen.check(network="trained", tool="cover")
    screen.choose("black")
    screen.check(cover_fill="black")
    box = screen.picture.bounding_box()
    screen.picture.click(position={"x": 0.5 * box["width"], "y": 0.25 * box["height"]})
    screen.check(cover=[3, 10])
    screen.picture.press("ArrowRight")
    screen.check(cover=[3, 11])
    screen.choose("Draw")
    screen.picture.click(position={"x": 20, "y": 20})
    screen.check(tool="draw", picture=-1, drawing=screen.drawn())
    assert (screen.drawn() != some_pictures().images[0, 0].numpy()).any(), "it is drawn over the picture"


@pytest.mark.browser
def test_it_fits_is_accessible_and_follows_python(page_with):
    made = explorer()
    page = page_with(made, views=[made.model_id, made.model_id])
    page_checks.assert_figure(page)
    page_checks.unfold(page)
    page_checks.assert_sound(page)
    page.get_by_role("button", name="Clear").first.click()
    page.evaluate(FRAME)
    first, second = page.locator(".bb-says").all_inner_texts()
    assert first == second


@pytest.mark.browser
def test_nothing_jumps(page_with):
    page = page_with(explorer())
    keys = [[".bb-maps-network", f"key {key}"] for key in ["ArrowLeft"] * 7 + ["ArrowDown"]]
    acts = [["button|Clear", None, *keys], ["button|Shoe", None]]
    for width in (720, 360, 320):
        page_checks.resize(page, width)
        assert page_checks.jumps(page, acts) == []
