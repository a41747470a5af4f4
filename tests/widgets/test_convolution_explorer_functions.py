"""The functions of ConvolutionExplorer's module, and of the kit, in a real browser against Python."""

import itertools

import numpy as np
import pytest
from explorer_screen import window
from sent import REVIVED, sent

from backbone import ops
from backbone.data import photo
from backbone.ops import KERNELS
from backbone.widgets import ConvolutionExplorer

pytestmark = pytest.mark.browser

KIT = "choice, dropdown, fromHalf, gray, numberCell, paletteColor, parseNumber, scope, show, signed"
TOLERANCE = 1e-12  # of the largest output; both sides compute in float64


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(f"{ConvolutionExplorer._esm}\nexport {{ {KIT} }};")


def call(module, name, *arguments):
    """Call one of its functions."""
    return module("([name, given]) => m[name](...given)", [name, arguments])


def cases():
    """Yield pictures, kernels and geometry: all settings the widget has, gray and color, down to what does not fit."""
    rng = np.random.default_rng(7)
    for size, stride, padding, dilation in itertools.product(range(1, 8), range(1, 5), range(4), range(1, 4)):
        channels = int(rng.choice([1, 3]))
        height, width = (int(side) for side in rng.integers(1, 20, 2))
        kernel = rng.normal(size=(channels, size, size)) * (rng.random((channels, size, size)) < 0.8)
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        yield rng.random((channels, height, width)), kernel, geometry


def flat(planes) -> list[list[float]]:
    """Return planes as the widget keeps them: the rows of each one after another."""
    return np.reshape(planes, (len(planes), -1)).tolist()


def by_python(x, weight, geometry):
    """Return what `ops.conv2d` gives, or None where the window does not fit."""
    try:
        return ops.conv2d(x[None], weight[None], **geometry)[0, 0]
    except ValueError:
        return None


def test_conv2d_equals_python(module):
    given = list(cases())
    sent = [[flat(x), *x.shape[1:], weight.tolist(), geometry] for x, weight, geometry in given]
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


def test_field_is_the_window_and_arithmetic_its_sum(module):
    for x, weight, geometry in list(cases())[::7]:
        expected = by_python(x, weight, geometry)
        if expected is None:
            continue
        row, column = (side // 2 for side in expected.shape)
        result = 0
        for pixels, plane in zip(x, weight, strict=True):
            values = call(module, "field", pixels.ravel().tolist(), *pixels.shape, len(plane), row, column, geometry)
            assert values == window(pixels, len(plane), row, column, **geometry)
            parts = call(module, "arithmetic", values, plane.tolist())
            assert np.sum(parts["products"]) == pytest.approx(parts["total"], abs=1e-12)
            result += parts["result"]
        assert result == pytest.approx(expected[row, column], abs=1e-12)


def test_luma_is_rounded_as_in_python(module):
    rng = np.random.default_rng(4)
    picture = rng.integers(0, 101, (3, 60, 60)) / 100
    expected = ConvolutionExplorer({"a": picture}).picture[0]
    found = call(module, "luma", flat(np.rint(picture * 100)))
    np.testing.assert_array_equal(np.reshape(found, (60, 60)) / 100, expected)
    assert call(module, "luma", [[100, 0], [100, 0], [100, 0]]) == [100, 0]


FOLLOW = """([rows, after]) => {
    const map = { data: Float64Array.from(rows.flat()), height: rows.length, width: rows[0].length };
    const { data, height, width } = m.follow(map, after);
    return [[...data], height, width];
}"""


@pytest.mark.parametrize("shape", [(6, 8), (7, 5), (2, 2), (1, 4), (1, 1), (3, 2)])
def test_what_follows_the_convolution(module, shape):
    x = np.random.default_rng(shape[0]).normal(size=shape)
    assert module(FOLLOW, [x.tolist(), "nothing"]) == [x.ravel().tolist(), *shape]
    relu = np.maximum(x, 0)
    assert module(FOLLOW, [x.tolist(), "relu"]) == [relu.ravel().tolist(), *shape]
    height, width = (side // 2 for side in shape)
    pooled = ops.max_pool2d(relu[None, None], 2)[0, 0] if height and width else np.zeros((height, width))
    assert module(FOLLOW, [x.tolist(), "relu_pool"]) == [pooled.ravel().tolist(), height, width]


def moved(x, down, right, fill=0.0):
    """Return an array moved down and right; what comes in is `fill`."""
    height, width = x.shape
    around = np.pad(x, ((height, height), (width, width)), constant_values=fill)
    return around[height - down : 2 * height - down, width - right : 2 * width - right]


@pytest.mark.parametrize("shift", [(0, 0), (1, 0), (0, -2), (-3, 4), (5, 7), (-5, -7), (8, -8)])
def test_shifted(module, shift):
    x = np.arange(1.0, 36).reshape(5, 7)
    for fill in (0, -1):
        found = module("([x, shift, fill]) => [...m.shifted(x, 5, 7, shift, fill)]", [x.ravel().tolist(), shift, fill])
        down, right = (int(np.clip(by, -side, side)) for by, side in zip(shift, x.shape, strict=True))
        np.testing.assert_array_equal(np.reshape(found, x.shape), moved(x, down, right, fill))


DIFFERENCE = """([planes, height, width, kernel, settings, shift]) => {
    const found = m.shiftDifference(planes, height, width, kernel, settings, shift);
    return { ...found, data: [...found.data] };
}"""


def layer(x, weight, after, geometry):
    """Return what Python's layer makes of channels, and the largest over the same windows."""
    out = ops.conv2d(x[None], weight[None], **geometry)
    if after != "nothing":
        out = np.maximum(out, 0)
    return (ops.max_pool2d(out, 2) if after == "relu_pool" else out)[0, 0]


def difference(x, weight, after, geometry, shift):
    """Return shift-then-filter minus filter-then-shift, and where both orders see nothing but the picture."""
    step = geometry["stride"] * (2 if after == "relu_pool" else 1)
    steps = [int(np.floor(by / step + 0.5)) for by in shift]
    plain = layer(x, weight, after, geometry)
    found = layer(np.array([moved(plane, *shift) for plane in x]), weight, after, geometry) - moved(plain, *steps)

    # Foreign pixels, padding and what comes in, are 1 in a picture of zeros; a box of ones finds them.
    def foreign(outside):
        border = np.pad(outside, geometry["padding"], constant_values=1.0)
        return layer(border[None], np.ones((1, *weight.shape[1:])), after, geometry | {"padding": 0})

    nothing = np.zeros(x.shape[1:])
    seen = foreign(moved(nothing, *shift, 1.0)) + moved(foreign(nothing), *steps, 1.0)
    return found, seen == 0, step


@pytest.mark.parametrize("after", ["nothing", "relu", "relu_pool"])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_difference_of_shifting_before_and_after(module, stride, after):
    rng = np.random.default_rng(stride)
    exact = 0
    for padding, dilation, size, channels in [(0, 1, 3, 1), (1, 1, 3, 3), (3, 2, 2, 1), (2, 3, 4, 3), (0, 1, 1, 1)]:
        geometry = {"stride": stride, "padding": padding, "dilation": dilation}
        x, weight = rng.random((channels, 30, 37)), rng.normal(size=(channels, size, size))
        for shift in [(0, 0), (1, 0), (0, -1), (2, -4), (-3, 6), (-6, -6), (8, -8)]:
            settings = geometry | {"after": after}
            found = module(DIFFERENCE, [flat(x), 30, 37, weight.tolist(), settings, shift])
            expected, inside, step = difference(x, weight, after, geometry, shift)
            assert (found["height"], found["width"], found["step"]) == (*expected.shape, step)
            np.testing.assert_allclose(np.reshape(found["data"], expected.shape), expected, rtol=0, atol=1e-12)
            for name, where in {"inside": inside, "border": ~inside}.items():
                assert found[name] == pytest.approx(np.abs(expected[where]).max(initial=0), abs=1e-12)
            if all(by % step == 0 for by in shift):
                assert inside.any()
                assert found["inside"] < 1e-12
                exact += 1
            elif size > 1 and after == "nothing" and inside.any():
                assert found["inside"] > 0.01
    assert exact >= 5


def test_turned_is_flipped_twice(module):
    for size in range(1, 8):
        kernel = np.arange(size * size).reshape(size, size)
        assert call(module, "turned", kernel.tolist()) == kernel[::-1, ::-1].tolist()
        assert call(module, "turned", call(module, "turned", kernel.tolist())) == kernel.tolist()


def test_summed_to_one(module):
    rng = np.random.default_rng(6)
    for channels, size in itertools.product((1, 3), (1, 3, 6)):
        planes = rng.normal(size=(channels, size, size))
        found = call(module, "summedToOne", planes.tolist())
        np.testing.assert_allclose(found, planes / planes.sum(), rtol=1e-9)
        assert np.sum(found) == pytest.approx(1, abs=1e-9)
    for name in ("sobel_x", "laplacian"):
        assert call(module, "summedToOne", [KERNELS[name].tolist()]) is None
    assert call(module, "summedToOne", [[[0]]]) is None


def test_resized_keeps_the_middle(module):
    for old, new in itertools.product(range(1, 8), repeat=2):
        kernel = np.random.default_rng(old).normal(size=(old, old))
        offset = old // 2 - new // 2
        at = np.arange(new) + offset
        known = (at >= 0) & (at < old)
        expected = np.zeros((new, new))
        expected[np.ix_(known, known)] = kernel[np.ix_(at[known], at[known])]
        assert call(module, "resized", kernel.tolist(), new) == expected.tolist()
        assert expected[new // 2, new // 2] == kernel[old // 2, old // 2]


def test_judge_names_the_mistake(module):
    values = np.array([[0.1, 0.2, None], [0.4, 0.9, 0.3], [0.7, 0.05, 0.6]])
    kernel = KERNELS["emboss"]
    pixels = np.where(values == None, 0, values).astype(float)  # noqa: E711
    sums = {
        "right": (pixels * kernel).sum(),
        "turned": (pixels * kernel[::-1, ::-1]).sum(),
        "positive": (pixels * np.abs(kernel)).sum(),
        "mean": (pixels * kernel).sum() / 9,
        "wrong": 50.0,
    }
    for kind, guess in sums.items():
        for off in (-0.005, 0, 0.005):
            assert call(module, "judge", guess + off, values.tolist(), kernel.tolist()) == kind
    # What is right is right, by whatever way.
    box = KERNELS["box"]
    assert call(module, "judge", (pixels * box).sum(), values.tolist(), box.tolist()) == "right"


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
    ("0,125", 0.125),
    ("1,0625", 1.0625),
    ("–2", -2),
    ("1/9", 1 / 9),
    (" +.5 ", 0.5),
    ("3.", 3),
    ("-1 / 3", -1 / 3),
]
NOT_READ = [
    "",
    " ",
    "abc",
    "1/0",
    "1/2/3",
    "1e3",
    "--1",
    "1 2",
    "/",
    "NaN",
    "Infinity",
    "0x10",
    "1,2,3",
    "1,000",
    "-12,345/2",
]


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


COLORS_OF = """(values) => values.map((value) => {{
    const bytes = new Uint8ClampedArray(8).fill(7);
    {}(value, bytes, 4);
    if (bytes.subarray(0, 4).some((byte) => byte !== 7)) throw new Error("it wrote beside its pixel");
    return [...bytes.subarray(4)];
}})"""


def test_colors_of_values(module):
    gray = module(COLORS_OF.format("m.gray(1)"), [-1, 0, 0.5, 1, 2])
    assert gray == [[level, level, level, 255] for level in (0, 0, 128, 255, 255)]
    diverging = module(COLORS_OF.format("m.signed(2, [1, 2, 3], [4, 5, 6])"), [-4, -2, 0, 1, 2])
    assert diverging == [[4, 5, 6, 255], [4, 5, 6, 255], [1, 2, 3, 0], [1, 2, 3, 128], [1, 2, 3, 255]]
    assert module(COLORS_OF.format("m.signed(0, [1, 2, 3], [4, 5, 6])"), [0]) == [[1, 2, 3, 0]]


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
    await new Promise((done) => setTimeout(done, 500)); // whatever it does later: timers, frames, observers
    const text = el.innerText;
    dispose();
    return { written, on, off: [...listening.values()], text, left: el.children.length };
}""".replace("REVIVED", REVIVED)


@pytest.mark.parametrize("offset", [0, 1])
def test_render_writes_nothing_and_lets_go_of_everything(module, offset):
    explorer = ConvolutionExplorer({"a": photo("coins")}, point=(27, 36))
    seen = module(RENDER_ALONE, sent(explorer, offset))
    assert seen["written"] == []
    assert set(seen["on"]) == {1}
    assert set(seen["off"]) == {0}
    assert seen["left"] == 0
    assert "Output at row 27, column 36" in seen["text"]
