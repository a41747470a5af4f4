"""The functions of FeatureMapExplorer's module in a real browser against PyTorch and NumPy."""

import math

import numpy as np
import pytest
import torch
from maps_screen import best, explorer, maps_of, rounded
from sent import REVIVED, sent

from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist
from backbone.widgets import FeatureMapExplorer
from backbone.widgets.feature_map_explorer import LAYERS

pytestmark = pytest.mark.browser

STATISTICS = [float(FASHION_MNIST_STATISTICS.mean), float(FASHION_MNIST_STATISTICS.std)]
TOLERANCE = 1e-4  # PyTorch computes in float32, the page in float64

SETUP = """async ([source, state]) => {
    window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    window.networks = m.networksOf({ get: (name) => REVIVED(state[name]) });
}""".replace("REVIVED", REVIVED)
FORWARD = """([number, pixels, statistics]) => {
    const maps = m.forward(networks[number], m.standardized(pixels, statistics));
    return Object.fromEntries(Object.entries(maps).map(([name, values]) => [name, [...values]]));
}"""


@pytest.fixture(scope="module")
def made():
    return explorer()


@pytest.fixture(scope="module")
def module(tabs, made):
    """Return a function that evaluates a script where `m` is the module and `networks` are those of `made`."""
    with tabs() as tab:
        tab.page.evaluate(SETUP, [f"{FeatureMapExplorer._esm}\nexport {{ fixed, softmax }};", sent(made)])
        yield tab.page.evaluate


def call(module, name, *arguments):
    return module("([name, given]) => m[name](...given)", [name, arguments])


def images():
    """Return real pictures, a drawn one, noise, and the extremes."""
    rng = np.random.default_rng(0)
    drawn = np.zeros((28, 28), np.uint8)
    drawn[5:20, 8:19] = 255
    drawn[20, 8:19] = 90
    real = list(fashion_mnist("test").images.numpy()[:40:2, 0])
    noise = list(rng.integers(0, 256, (5, 28, 28), np.uint8))
    return [*real, drawn, *noise, np.zeros((28, 28), np.uint8), np.full((28, 28), 255, np.uint8)]


@pytest.mark.parametrize("name", ["trained", "untrained"])
def test_forward_equals_pytorch(module, made, name):
    model = rounded(made, name)
    for image in images():
        found = module(FORWARD, [made.networks.index(name), image.ravel().tolist(), STATISTICS])
        for layer, expected in maps_of(model, image).items():
            assert np.abs(np.reshape(found[layer], expected.shape) - expected).max() <= TOLERANCE, layer


@pytest.mark.parametrize("name", ["trained", "untrained"])
def test_the_page_has_the_weights_that_python_says(module, made, name):
    made.network = name
    found = module(
        "(i) => Object.fromEntries(Object.entries(networks[i]).map(([k, v]) => [k, [...v]]))", made.networks.index(name)
    )
    expected = made.parameters
    made.network = "trained"
    assert set(found) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(np.array(found[key], np.float32), value.ravel())


def test_softmax_and_entropy(module):
    rng = np.random.default_rng(1)
    for scores in [*rng.normal(0, 8, (20, 10)), np.zeros(10), np.eye(10)[3] * 800, np.full(10, -900.0)]:
        exact = torch.tensor(scores).softmax(0).numpy()
        found = call(module, "softmax", scores.tolist())
        np.testing.assert_allclose(found, exact, rtol=1e-12, atol=1e-300)
        bits = -sum(p * math.log2(p) for p in exact if p > 0)
        assert call(module, "entropy", found) == pytest.approx(bits, abs=1e-12)
    assert call(module, "entropy", [0.1] * 10) == pytest.approx(math.log2(10), abs=1e-12)


def test_fields_are_those_of_the_probes(module):
    for layer, found in best()["trained"].items():
        places, corners = found.places.reshape(-1, 2).tolist(), found.corners.reshape(-1, 2).tolist()
        for (row, column), (top, left) in list(zip(places, corners, strict=True))[:60]:
            field = call(module, "fieldOf", layer, row, column)
            if LAYERS[layer][1] == 1:
                assert field == [0, 0, 28]  # a field larger than the picture is the whole picture
            else:
                assert field == [top, left, found.fields[0].size]


@pytest.mark.parametrize("layer", LAYERS)
def test_a_point_leads_to_the_place_whose_field_is_around_it(module, layer):
    side = LAYERS[layer][1]
    for row in range(side):
        for column in (0, side // 2, side - 1):
            top, left, reach = call(module, "fieldOf", layer, row, column)
            assert call(module, "placeAt", layer, top + reach / 2, left + reach / 2) == [row, column]
    assert call(module, "placeAt", layer, -50, 90) == [0, side - 1]


@pytest.mark.parametrize("size", [4, 8, 12])
def test_the_cover(module, made, size):
    made.tool, made.cover, made.cover_size, made.cover_fill = "cover", [5, 9], size, "mean"
    found = module(
        "([pixels, size]) => [...m.coveredBy(pixels, [5, 9], size, 73)]", [made.pixels[0].ravel().tolist(), size]
    )
    np.testing.assert_array_equal(np.reshape(found, (28, 28)), made.input)
    made.tool = "look"


def test_what_is_shown_adds_up(module):
    rng = np.random.default_rng(2)
    for count in (1, 3, 25, 150):
        for scale in (0.001, 1, 40):
            values = rng.normal(0, scale * 100, count)
            target = round(values.sum()) + int(rng.integers(-1, 2))
            parts = call(module, "apportion", values.tolist(), target)
            assert sum(parts) == target
            assert np.abs(np.array(parts) - values).max() <= max(1.0, 2 / count) + 0.5
    assert call(module, "apportion", [0, 0.4, 0.4, 0.4], 1) == [0, 1, 0, 0]
    assert call(module, "apportion", [0, 0], 0) == [0, 0]
    assert call(module, "apportion", [-0.4, -0.4, -0.4], -1) == [-1, 0, 0]


SUM = """([number, pixels, statistics, layer, unit, row, column]) => {
    const maps = m.forward(networks[number], m.standardized(pixels, statistics));
    const parts = m.summands(networks[number], maps, layer, unit, row, column);
    return { parts, book: m.ledger(parts), top: m.largestTerms(m.ledger(parts), 6) };
}"""


@pytest.mark.parametrize("layer", ["conv1", "conv2", "fc1", "fc2", "fc3"])
@pytest.mark.parametrize("name", ["trained", "untrained"])
def test_sums_are_pytorchs(module, made, name, layer):
    model, image = rounded(made, name), images()[3]
    maps = maps_of(model, image)
    rng = np.random.default_rng(3)
    units, side = LAYERS[layer]
    for _ in range(12):
        unit, row, column = int(rng.integers(units)), *(int(at) for at in rng.integers(side, size=2))
        given = [made.networks.index(name), image.ravel().tolist(), STATISTICS, layer, unit, row, column]
        found = module(SUM, given)
        parts, book, top = found["parts"], found["book"], found["top"]
        exact = parts["bias"] + sum(
            (value or 0) * weight
            for g in parts["groups"]
            for value, weight in zip(g["values"], g["weights"], strict=True)
        )
        shown = maps[layer].reshape(units, side, side)[unit, row, column]
        assert (max(exact, 0) if layer in ("fc1", "fc2") else exact) == pytest.approx(shown, abs=TOLERANCE)
        assert book["total"] == pytest.approx(1000 * exact, abs=0.51)
        assert book["bias"] + sum(book["sums"]) == book["total"]
        assert [sum(products) for products in book["products"]] == book["sums"]
        if len(book["products"]) == 1:
            assert sum(book["products"][0][i] for i in top["top"]) + top["rest"] == book["sums"][0]
        for group, products in zip(parts["groups"], book["products"], strict=True):
            exactly = [1000 * (v or 0) * w for v, w in zip(group["values"], group["weights"], strict=True)]
            assert np.abs(np.subtract(products, exactly)).max() < 1.51
    corner = module(SUM, [0, image.ravel().tolist(), STATISTICS, layer, 0, 0, 0])["parts"]["groups"][0]["values"]
    assert (None in corner) == (layer == "conv1")  # padding, in the first layer only


def test_color_scales_leave_out_one_number_in_200(module, made):
    some = fashion_mnist("test").images[:4, 0].numpy()
    model = rounded(made)
    found = module(
        "([all, statistics]) => m.limitsOf(networks[0], all.map((pixels) => m.standardized(pixels, statistics)))",
        [[image.ravel().tolist() for image in some], STATISTICS],
    )
    maps = [maps_of(model, image) for image in some]
    for limit, layer in zip(found, ["conv1", "conv2", "fc1", "fc2"], strict=True):
        sizes = np.sort(np.abs(np.concatenate([one[layer].ravel() for one in maps])))
        assert limit == pytest.approx(sizes[int(0.995 * (len(sizes) - 1))], abs=TOLERANCE)


@pytest.mark.parametrize(
    ("value", "end"), [(0.412, 0.42), (4.93, 5), (5.01, 5.1), (23.2, 24), (1, 1), (0, 1), (0.0999, 0.1), (116.2, 117)]
)
def test_ends_of_color_scales_are_round(module, value, end):
    assert call(module, "tidy", value) == pytest.approx(end)


STROKE = """([start, from, to, radius, ink]) => {
    const pixels = Uint8Array.from(start);
    m.stroke(pixels, from, to, radius, ink);
    return [...pixels];
}"""


@pytest.mark.parametrize("radius", [0.8, 2.2])
def test_a_stroke_is_soft_and_covers_its_line(module, radius):
    pixels = np.reshape(module(STROKE, [[0] * 784, [10, 5], [10, 20], radius, "white"]), (28, 28))
    assert (pixels[10, 5:21] == 255).all()
    distance = np.abs(np.arange(28) - 10)
    expected = np.clip(radius + 0.7 - distance, 0, 1) * 255
    np.testing.assert_allclose(pixels[:, 12], expected, atol=1)
    again = module(STROKE, [pixels.ravel().tolist(), [10, 5], [10, 20], radius, "white"])
    np.testing.assert_array_equal(np.reshape(again, (28, 28)), pixels)
    erased = np.reshape(module(STROKE, [pixels.ravel().tolist(), [10, 5], [10, 20], radius + 1, "black"]), (28, 28))
    assert not erased[10, 5:21].any()
    outside = module(STROKE, [[0] * 784, [-20, -20], [-9, 40], radius, "white"])
    assert not any(outside)


@pytest.mark.parametrize(
    ("share", "text"),
    [(1, "100.0 %"), (0.9999, ">99.9 %"), (0.9994, "99.9 %"), (0.1234, "12.3 %"), (0.0004, "<0.1 %"), (0, "0.0 %")],
)
def test_percent_never_rounds_to_certainty(module, share, text):
    assert call(module, "shareText", share) == text


@pytest.mark.parametrize(("value", "text"), [(-0.0001, "0.000"), (-1.2346, "−1.235"), (0, "0.000"), (12.5, "12.500")])
def test_fixed(module, value, text):
    assert call(module, "fixed", value, 3) == text


@pytest.mark.parametrize("width", range(280, 730, 7))
def test_the_strip_fits(module, width):
    sizes = call(module, "layout", width)
    across = {name: s["columns"] * s["cell"] + (s["columns"] - 1) * s["gap"] for name, s in sizes.items()}
    for name, s in sizes.items():
        assert s["columns"] * s["rows"] == LAYERS[name][0]
    if width >= 544:
        assert sum(across.values()) + 7 * 8 <= width - 100  # the scores have the rest
    else:
        for stage in (("conv1", "relu1", "pool1"), ("conv2", "relu2", "pool2"), ("fc1", "fc2")):
            assert sum(across[name] for name in stage) + 8 * (len(stage) - 1) <= width


RENDER_ALONE = """async (state) => {
    const written = [], listening = new Map();
    const model = {
        get: (name) => REVIVED(state[name]),
        set: (name) => written.push(name),
        save_changes: () => written.push("save"),
        on: (name) => listening.set(name, (listening.get(name) ?? 0) + 1),
        off: (name) => listening.set(name, listening.get(name) - 1),
    };
    const el = document.body.appendChild(document.createElement("div"));
    const dispose = await m.default.render({ model, el });
    const on = [...listening.values()];
    await new Promise((done) => setTimeout(done, 700)); // whatever it does later: timers, frames, observers
    const text = el.innerText;
    dispose();
    return { written, on, off: [...listening.values()], text, left: el.children.length };
}""".replace("REVIVED", REVIVED)


@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("tool", ["look", "cover", "draw"])
def test_render_writes_nothing_and_lets_go_of_everything(module, offset, tool):
    one = explorer(tool=tool)
    seen = module(RENDER_ALONE, sent(one, offset))
    assert seen["written"] == []
    assert set(seen["on"]) == {1}
    assert set(seen["off"]) == {0}
    assert seen["left"] == 0
    assert "Ankle boot" in seen["text"]
