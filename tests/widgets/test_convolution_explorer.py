"""ConvolutionExplorer: what it takes and refuses, and its functions against Python's and PyTorch's."""

import itertools

import numpy as np
import pytest
import torch
from explorer_screen import explorer, window
from sent import REVIVED, sent, size_of
from traitlets import TraitError

from backbone import ops
from backbone.data import PHOTOS, photo
from backbone.ops import KERNELS
from backbone.widgets import ConvolutionExplorer
from backbone.widgets.base import HERE, join


def picture(height=6, width=7, seed=0):
    return np.random.default_rng(seed).random((height, width))


def colorful(height=6, width=7, seed=2):
    return np.random.default_rng(seed).random((3, height, width))


# --- In Python ----------------------------------------------------------------------------------------------


def test_pixels_travel_as_hundredths_and_gray_is_their_luma():
    images = {"a": picture(), "c": colorful(), "b": (picture(seed=1) * 255).astype(np.uint8)}
    made = ConvolutionExplorer(images)
    assert (made.image, made.channels, made.show) == ("a", [1, 3, 1], "lab")
    np.testing.assert_array_equal(made.pixels[0], np.rint(images["a"] * 100))
    np.testing.assert_array_equal(made.pixels[1:4], np.rint(images["c"] * 100))
    np.testing.assert_array_equal(made.pixels[4], np.rint(images["b"] / 255 * 100))
    made.image = "c"
    red, green, blue = made.pixels[1:4] / 100
    luma = 0.2125 * red + 0.7154 * green + 0.0721 * blue
    np.testing.assert_allclose(made.picture[0], luma, rtol=0, atol=0.005 + 1e-12)
    np.testing.assert_allclose(made.picture * 100, np.rint(made.picture * 100), rtol=0, atol=1e-12)
    made.color = True
    np.testing.assert_array_equal(made.picture, made.pixels[1:4] / 100)
    made.image = "a"
    assert made.picture.shape == (1, 6, 7), "a gray picture stays gray"


@pytest.mark.parametrize("color", [False, True])
def test_output_is_that_of_pytorch(color):
    planes = np.random.default_rng(5).normal(size=(3, 3, 3))
    made = ConvolutionExplorer({"c": colorful(19, 18)}, kernel=planes, color=color, stride=2, padding=1, dilation=2)
    weight = torch.tensor(planes[None] if color else planes[None, :1])
    expected = torch.conv2d(torch.tensor(made.picture[None]), weight, stride=2, padding=1, dilation=2)
    np.testing.assert_allclose(made.output, expected[0, 0], rtol=0, atol=1e-12)
    made.after = "relu_pool"
    np.testing.assert_allclose(made.output, torch.max_pool2d(expected.relu(), 2)[0, 0], rtol=0, atol=1e-12)
    made.kernel = [[[-2.0]]]
    assert not made.output.any()


def with_one(value):
    image = picture()
    image[2, 3] = value
    return {"a": image}


WRONG_PICTURES = {
    "none": ({}, "images is empty"),
    "two channels": ({"a": np.zeros((2, 6, 6))}, r"has shape \(2, 6, 6\); it must be gray \(H, W\) or color"),
    "channels last": ({"a": np.zeros((6, 6, 3))}, r"images\['a'\] has shape \(6, 6, 3\)"),
    "a batch": ({"a": np.zeros((1, 3, 6, 6))}, r"has shape \(1, 3, 6, 6\)"),
    "no pixel": ({"a": np.zeros((0, 6))}, r"has shape \(0, 6\)"),
    "integers": ({"a": np.zeros((6, 6), int)}, "has dtype int64; it must be floating point"),
    "too bright": (with_one(1.01), r"values from .* to 1.01; they must lie in \[0, 1\]"),
    "a hole": (with_one(np.nan), r"must lie in \[0, 1\]"),
    "sizes": ({"a": picture(6, 7), "b": picture(7, 6)}, r"images\['b'\] is \(7, 6\), images\['a'\] is \(6, 7\)"),
}
WRONG_SETTINGS = {
    "unknown image": ({"image": "c"}, "image is 'c'; it must be one of a"),
    "stride": ({"stride": 5}, "stride"),
    "padding": ({"padding": -1}, "padding"),
    "dilation": ({"dilation": 4}, "dilation"),
    "point": ({"point": (1, 2, 3)}, "point"),
    "after": ({"after": "pool"}, "after"),
    "show": ({"show": "play"}, "show"),
    "answer": ({"answer": "two"}, "answer"),
    "color": ({"color": 3}, "color"),
    "far shift": ({"shift": [0, 9]}, "shift"),
    "large kernel": ({"kernel": np.ones((6, 6))}, "it must be one square or three, 1x1 to 5x5"),
    "wide kernel": ({"kernel": np.ones((2, 3))}, r"rows of \[\[3, 3\]\] numbers; it must be one square"),
    "two planes": ({"kernel": np.ones((2, 3, 3))}, "it must be one square or three"),
    "no weights": ({"kernel": np.ones((1, 0, 0))}, "it must be one square or three"),
    "infinity": ({"kernel": [[np.inf]]}, "its weights must be finite numbers"),
}
WRONG_KERNELS = {
    "name": ("sobel", "kernel is 'sobel'; it must be one of identity, box"),
    "row": ([1, 2, 3], r"kernel has shape .*; it must be \(k, k\) or \(3, k, k\)"),
    "ragged": ([[1, 2], [3]], "rows of numbers"),
}


@pytest.mark.parametrize(("images", "message"), WRONG_PICTURES.values(), ids=WRONG_PICTURES)
def test_wrong_pictures(images, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionExplorer(images)


@pytest.mark.parametrize(("traits", "message"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_wrong_settings(traits, message):
    with pytest.raises(TraitError, match=message):
        ConvolutionExplorer({"a": picture()}, **traits)


@pytest.mark.parametrize(("kernel", "message"), WRONG_KERNELS.values(), ids=WRONG_KERNELS)
def test_wrong_kernels(kernel, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionExplorer({"a": picture()}, kernel=kernel)


def test_its_state_is_small():
    color = {name: photo(name, gray=False) for name in ("chelsea", "coffee")}
    assert size_of(ConvolutionExplorer({name: photo(name) for name in list(PHOTOS)[:3]} | color)) <= 400 * 1024


MATHS = join(HERE / "convolution_explorer" / "maths.js")


# --- Its functions ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def call(module_of):
    """Return a function that calls one of the module's."""
    module = module_of(MATHS)
    return lambda name, *given: module(f"(given) => m.{name}(...given)", given)


def cases():
    """Yield pictures, kernels and geometry: all settings the widget has, gray and color, down to what does not fit."""
    rng = np.random.default_rng(7)
    for size, stride, padding, dilation in itertools.product(range(1, 6), range(1, 5), range(4), range(1, 4)):
        channels = int(rng.choice([1, 3]))
        height, width = (int(side) for side in rng.integers(1, 20, 2))
        kernel = rng.normal(size=(channels, size, size)) * (rng.random((channels, size, size)) < 0.8)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        yield rng.random((channels, height, width)), kernel, geometry


def flat(planes) -> list[list[float]]:
    """Return planes as the widget keeps them: the rows of each one after another."""
    return np.reshape(planes, (len(planes), -1)).tolist()


EACH_CASE = """(cases) => cases.map(([planes, height, width, kernel, geometry]) => {
    const { stride, padding, dilation } = geometry;
    const size = kernel[0].length;
    const sides = [height, width].map((side) => m.outputSize(side, size, stride, padding, dilation));
    const map = m.conv2d(planes, height, width, kernel, geometry);
    const [row, column] = sides.map((side) => side >> 1);
    const fields = planes.map((plane) => m.field(plane, height, width, size, row, column, geometry));
    const sums = fields.map((values, c) => m.arithmetic(values, kernel[c]).result);
    return { ...map, sides, fields, sums };
})"""


def test_conv2d_its_size_and_one_window_of_it_equal_pytorch(module_of):
    given = list(cases())
    sent_cases = [[flat(x), *x.shape[1:], weight.tolist(), geometry] for x, weight, geometry in given]
    found = module_of(MATHS)(EACH_CASE, sent_cases)
    empty = 0
    for (x, weight, geometry), one in zip(given, found, strict=True):
        assert [one["height"], one["width"]] == [max(0, side) for side in one["sides"]]
        if min(one["sides"]) < 1:
            assert one["data"] == []
            empty += 1
            continue
        expected = torch.conv2d(torch.tensor(x[None]), torch.tensor(weight[None]), **geometry)[0, 0].numpy()
        error = np.abs(np.reshape(one["data"], expected.shape) - expected).max()
        assert error <= 1e-12 * max(np.abs(expected).max(), 1e-300)
        row, column = (side // 2 for side in expected.shape)
        assert one["fields"] == [window(pixels, weight.shape[-1], row, column, **geometry) for pixels in x]
        assert sum(one["sums"]) == pytest.approx(expected[row, column], abs=1e-12)
    assert 15 < empty < len(given) / 2


def test_luma_is_rounded_as_in_python(call):
    x = np.random.default_rng(4).integers(0, 101, (3, 60, 60))
    found = np.reshape(call("luma", flat(x)), (60, 60))
    np.testing.assert_array_equal(found / 100, ConvolutionExplorer({"a": x / 100}).picture[0])


@pytest.mark.parametrize("shape", [(6, 8), (7, 5), (1, 4), (3, 2)])
def test_what_follows_the_convolution(call, shape):
    x = np.random.default_rng(shape[0]).normal(size=shape)
    given = {"data": x.ravel().tolist(), "height": shape[0], "width": shape[1]}
    assert call("follow", given, "nothing") == given
    relu = np.maximum(x, 0)
    assert call("follow", given, "relu")["data"] == relu.ravel().tolist()
    pooled = ops.max_pool2d(relu[None, None], 2)[0, 0] if min(shape) > 1 else np.zeros((0, 2))
    found = call("follow", given, "relu_pool")
    assert (found["data"], found["height"], found["width"]) == (pooled.ravel().tolist(), *pooled.shape)


def moved(x, down, right, fill=0.0):
    """Return an array moved down and right; what comes in is `fill`."""
    height, width = x.shape
    around = np.pad(x, ((height, height), (width, width)), constant_values=fill)
    return around[height - down : 2 * height - down, width - right : 2 * width - right]


def layer(x, weight, after, geometry):
    """Return what Python's layer makes of channels, and the largest over the same windows."""
    out = ops.conv2d(x[None], weight[None], **geometry)
    out = out if after == "nothing" else np.maximum(out, 0)
    return (ops.max_pool2d(out, 2) if after == "relu_pool" else out)[0, 0]


def difference(x, weight, after, geometry, shift):
    """Return shift-then-filter minus filter-then-shift, and where both orders see nothing but the picture."""
    step = geometry["stride"] * (2 if after == "relu_pool" else 1)
    steps = [int(np.floor(by / step + 0.5)) for by in shift]
    found = layer(np.array([moved(plane, *shift) for plane in x]), weight, after, geometry)
    found = found - moved(layer(x, weight, after, geometry), *steps)

    # Foreign pixels, padding and what comes in, are 1 in a picture of zeros; a box of ones finds them.
    def foreign(outside):
        border = np.pad(outside, geometry["padding"], constant_values=1.0)
        return layer(border[None], np.ones((1, *weight.shape[1:])), after, geometry | {"padding": 0})

    nothing = np.zeros(x.shape[1:])
    seen = foreign(moved(nothing, *shift, 1.0)) + moved(foreign(nothing), *steps, 1.0)
    return found, seen == 0, step


@pytest.mark.parametrize("after", ["nothing", "relu", "relu_pool"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_difference_of_shifting_before_and_after(call, stride, after):
    rng = np.random.default_rng(stride)
    exact = 0
    for padding, dilation, size, channels in [(0, 1, 3, 1), (1, 1, 3, 3), (3, 2, 2, 1), (2, 3, 4, 3), (0, 1, 1, 1)]:
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        x, weight = rng.random((channels, 30, 37)), rng.normal(size=(channels, size, size))
        for shift in [(0, 0), (1, 0), (0, -1), (2, -4), (-3, 6), (-6, -6), (8, -8)]:
            settings = geometry | {"after": after}
            found = call("shiftDifference", flat(x), 30, 37, weight.tolist(), settings, shift)
            expected, inside, step = difference(x, weight, after, geometry, shift)
            assert (found["height"], found["width"], found["step"]) == (*expected.shape, step)
            np.testing.assert_allclose(np.reshape(found["data"], expected.shape), expected, rtol=0, atol=1e-12)
            for name, where in {"inside": inside, "border": ~inside}.items():
                assert found[name] == pytest.approx(np.abs(expected[where]).max(initial=0), abs=1e-12)
            if all(by % step == 0 for by in shift):
                assert inside.any()
                assert found["inside"] < 1e-12
                exact += 1
    assert exact >= 5


def test_what_is_done_to_a_whole_filter(call):
    rng = np.random.default_rng(6)
    for old, new in itertools.product(range(1, 6), repeat=2):
        kernel = rng.normal(size=(old, old))
        assert call("turned", kernel.tolist()) == kernel[::-1, ::-1].tolist()
        at = np.arange(new) + old // 2 - new // 2
        known = (at >= 0) & (at < old)
        expected = np.zeros((new, new))
        expected[np.ix_(known, known)] = kernel[np.ix_(at[known], at[known])]
        assert call("resized", kernel.tolist(), new) == expected.tolist()
        planes = rng.normal(size=(new % 2 * 2 + 1, old, old))
        np.testing.assert_allclose(call("summedToOne", planes.tolist()), planes / planes.sum(), rtol=1e-9)
    assert call("summedToOne", [KERNELS["sobel_x"].tolist()]) is None


def test_weights_as_they_are_typed(call):
    units = {"identity": 1, "box": 9, "gaussian": 16, "sobel_x": 1, "laplacian": 1, "sharpen": 1, "emboss": 1}
    assert {name: call("unitOf", KERNELS[name].tolist()) for name in units} == units
    texts = {0: "0", -2: "−2", 0.25: "0.25", 1 / 9: "1/9", -2 / 3: "−2/3", 2 / 16: "1/8", np.pi: "3.142"}
    assert {weight: call("weightText", weight) for weight in texts} == texts


def test_the_sweep_makes_every_pixel_once_and_begins_slowly(call):
    made = [call("swept", share, 80) for share in np.linspace(0, 1, 101)]
    assert made == sorted(made)
    assert (made[0], made[40], made[100]) == (0, 5, 79)
    assert call("strip", 12, 15, 10) == {"row": 1, "first": 2, "last": 5}
    assert call("strip", 12, 35, 10) == {"row": 3, "first": 0, "last": 9}


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
    const on = [...listening.values()].every(Boolean);
    await new Promise((done) => setTimeout(done, 500)); // whatever it does later: timers, frames, observers
    const text = el.textContent;
    dispose();
    return { written, on, off: [...listening.values()], text, left: el.children.length };
}""".replace("REVIVED", REVIVED)


@pytest.mark.parametrize(("show", "offset"), [("window", 0), ("filter", 1), ("lab", 0)])
def test_render_writes_nothing_and_lets_go_of_everything(module_of, show, offset):
    seen = module_of(ConvolutionExplorer._esm)(RENDER_ALONE, sent(explorer(show), offset))
    assert seen["written"] == []
    assert seen["on"]
    assert set(seen["off"]) == {0}
    assert seen["left"] == 0
    assert ("Output at row 27, column 36" in seen["text"]) == (show != "window"), "the window is on its way"
