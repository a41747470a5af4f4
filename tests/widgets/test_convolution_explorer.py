"""ConvolutionExplorer in Python: what it takes, what it refuses, what it hands to the page."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sent import size_of
from traitlets import TraitError

from backbone.data import PHOTOS, photo
from backbone.ops import KERNELS, conv2d, max_pool2d
from backbone.palette import COLORS
from backbone.widgets import ConvolutionExplorer

SETTINGS = {"image", "color", "kernel", "stride", "padding", "dilation", "after", "point", "mode", "shift"}
FIXED = {"names", "channels", "kernels", "pixels"}
KILOBYTE = 1024


def picture(height=6, width=7, seed=0):
    return np.random.default_rng(seed).random((height, width))


def colorful(height=6, width=7, seed=2):
    return np.random.default_rng(seed).random((3, height, width))


# --- What it shows ------------------------------------------------------------------------------------------


def test_it_starts_with_the_first_picture_and_a_filter_that_shows_something():
    explorer = ConvolutionExplorer({"a": picture(), "b": picture(seed=1)})
    assert (explorer.image, explorer.names) == ("a", ["a", "b"])
    assert explorer.kernel == [KERNELS["emboss"].tolist()]
    assert (explorer.stride, explorer.padding, explorer.dilation, explorer.point) == (1, 0, 1, [0, 0])
    assert (explorer.color, explorer.after, explorer.mode, explorer.shift) == (False, "nothing", "look", [0, 0])


def test_traits_are_those_of_the_docstring():
    explorer = ConvolutionExplorer({"a": picture()})
    own = {name for name, trait in explorer.traits(sync=True).items() if trait.this_class is ConvolutionExplorer}
    assert own == SETTINGS | FIXED
    for name in FIXED:
        with pytest.raises(TraitError):
            setattr(explorer, name, getattr(explorer, name))


def test_pixels_travel_as_hundredths():
    images = {"a": picture(), "c": colorful(), "b": (picture(seed=1) * 255).astype(np.uint8)}
    explorer = ConvolutionExplorer(images)
    assert explorer.channels == [1, 3, 1]
    sent = explorer.pixels
    np.testing.assert_array_equal(sent[0], np.rint(images["a"] * 100))
    np.testing.assert_array_equal(sent[1:4], np.rint(images["c"] * 100))
    np.testing.assert_array_equal(sent[4], np.rint(images["b"] / 255 * 100))
    explorer.image = "b"
    np.testing.assert_array_equal(explorer.picture, sent[4:] / 100)
    assert np.abs(explorer.picture - images["b"] / 255).max() <= 0.005 + 1e-12
    explorer.image, explorer.color = "c", True
    np.testing.assert_array_equal(explorer.picture, sent[1:4] / 100)


def test_gray_is_the_luma_in_whole_hundredths():
    explorer = ConvolutionExplorer({"c": colorful(40, 50)})
    assert explorer.picture.shape == (1, 40, 50)
    red, green, blue = np.rint(colorful(40, 50) * 100) / 100
    np.testing.assert_allclose(
        explorer.picture[0], 0.2125 * red + 0.7154 * green + 0.0721 * blue, rtol=0, atol=0.005 + 1e-12
    )
    np.testing.assert_allclose(explorer.picture * 100, np.rint(explorer.picture * 100), rtol=0, atol=1e-12)
    white = ConvolutionExplorer({"c": np.ones((3, 2, 2))})
    np.testing.assert_array_equal(white.picture, np.ones((1, 2, 2)))


def test_a_gray_picture_stays_gray():
    explorer = ConvolutionExplorer({"a": picture()}, color=True)
    assert explorer.picture.shape == (1, 6, 7)
    assert explorer.weight.shape == (1, 1, 3, 3)


@given(
    st.integers(0, 2**32 - 1), st.sampled_from(sorted(KERNELS)), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3)
)
@settings(max_examples=30, deadline=None, derandomize=True)
def test_output_is_the_convolution_of_the_picture(seed, kernel, stride, padding, dilation):
    explorer = ConvolutionExplorer(
        {"a": picture(9, 8, seed)}, kernel=kernel, stride=stride, padding=padding, dilation=dilation
    )
    geometry = {"stride": stride, "padding": padding, "dilation": dilation}
    expected = conv2d(explorer.picture[None], KERNELS[kernel][None, None], **geometry)[0, 0]
    np.testing.assert_array_equal(explorer.output, expected)


@pytest.mark.parametrize("count", [1, 3])
def test_in_color_one_filter_gives_one_map(count):
    planes = np.random.default_rng(5).normal(size=(count, 3, 3))
    explorer = ConvolutionExplorer({"c": colorful(9, 8)}, kernel=planes, color=True, stride=2, padding=1)
    box = np.broadcast_to(planes, (3, 3, 3))
    np.testing.assert_array_equal(explorer.weight, box[None])
    alone = [
        conv2d(channel[None, None], weights[None, None], stride=2, padding=1)[0, 0]
        for channel, weights in zip(explorer.picture, box, strict=True)
    ]
    np.testing.assert_allclose(explorer.output, sum(alone), rtol=0, atol=1e-12)
    explorer.color = False
    expected = conv2d(explorer.picture[None], planes[None, :1], stride=2, padding=1)[0, 0]
    np.testing.assert_array_equal(explorer.output, expected)


@pytest.mark.parametrize("color", [False, True])
def test_what_follows_the_convolution(color):
    explorer = ConvolutionExplorer({"c": colorful(9, 8)}, kernel="laplacian", color=color)
    before = explorer.output
    assert (before < 0).any()
    assert (before > 0).any()
    explorer.after = "relu"
    np.testing.assert_array_equal(explorer.output, np.maximum(before, 0))
    explorer.after = "relu_pool"
    np.testing.assert_array_equal(explorer.output, max_pool2d(np.maximum(before, 0)[None, None], 2)[0, 0])
    assert explorer.output.shape == (3, 3)  # of 7 x 6: the odd row is left out


@pytest.mark.parametrize("name", ["mode", "shift", "point"])
def test_looking_changes_no_output(name):
    explorer = ConvolutionExplorer({"a": picture()})
    before = explorer.output
    setattr(explorer, name, {"mode": "shift", "shift": [-8, 8], "point": [3, 2]}[name])
    np.testing.assert_array_equal(explorer.output, before)


def test_changes_are_seen_in_the_output():
    explorer = ConvolutionExplorer({"a": picture(), "b": picture(seed=1)}, kernel="identity")
    seen = []
    explorer.observe(lambda change: seen.append(change.name), list(SETTINGS))
    explorer.image = "b"
    explorer.stride = 2
    explorer.kernel = [[[-2.0]]]
    np.testing.assert_allclose(explorer.output, -2 * explorer.picture[0, ::2, ::2])
    explorer.after = "relu"
    assert not explorer.output.any()
    assert seen == ["image", "stride", "kernel", "after"]


def test_impossible_geometry_is_said_by_the_operation():
    explorer = ConvolutionExplorer({"a": picture(4, 4)}, dilation=3)
    with pytest.raises(ValueError, match="spans 7 pixels, but height of x is 4"):
        _ = explorer.output


@pytest.mark.parametrize("kernel", [[[1]], [[1, 2], [3, 4]], np.ones((7, 7)), np.eye(3, dtype=np.float32)])
def test_any_square_is_a_kernel(kernel):
    explorer = ConvolutionExplorer({"a": picture(8, 8)}, kernel=kernel)
    np.testing.assert_array_equal(explorer.kernel, np.asarray(kernel, float)[None])


def test_three_squares_are_a_kernel():
    explorer = ConvolutionExplorer({"a": picture(8, 8)}, kernel=np.arange(12).reshape(3, 2, 2))
    np.testing.assert_array_equal(explorer.kernel, np.arange(12.0).reshape(3, 2, 2))


# --- What it refuses ----------------------------------------------------------------------------------------


def with_one(value):
    image = picture()
    image[2, 3] = value
    return {"a": image}


WRONG_PICTURES = {
    "none": ({}, "images is empty"),
    "two channels": (
        {"a": np.zeros((2, 6, 6))},
        r"images\['a'\] has shape \(2, 6, 6\); it must be gray \(H, W\) or color \(3, H, W\)",
    ),
    "channels last": ({"a": np.zeros((6, 6, 3))}, r"has shape \(6, 6, 3\)"),
    "a batch": ({"a": np.zeros((1, 3, 6, 6))}, r"has shape \(1, 3, 6, 6\)"),
    "row": ({"a": np.zeros(6)}, r"has shape \(6,\)"),
    "no pixel": ({"a": np.zeros((0, 6))}, r"has shape \(0, 6\)"),
    "integers": ({"a": np.zeros((6, 6), int)}, "has dtype int64; it must be floating point"),
    "booleans": ({"a": np.zeros((6, 6), bool)}, "has dtype bool"),
    "complex": ({"a": np.zeros((6, 6), complex)}, "has dtype complex128"),
    "texts": ({"a": np.full((6, 6), "x")}, "has dtype <U1"),
    "too bright": (with_one(1.01), r"values from .* to 1.01; they must lie in \[0, 1\]"),
    "below zero": (with_one(-0.01), r"values from -0.01"),
    "a hole": (with_one(np.nan), r"must lie in \[0, 1\]"),
    "infinite": (with_one(np.inf), r"must lie in \[0, 1\]"),
    "sizes": (
        {"a": picture(6, 7), "b": picture(7, 6)},
        r"images\['b'\] is \(7, 6\), images\['a'\] is \(6, 7\); all must be",
    ),
    "sizes in color": ({"a": picture(), "c": colorful(6, 6)}, r"images\['c'\] is \(6, 6\), images\['a'\] is"),
}
WRONG_SETTINGS = {
    "unknown image": ({"image": "c"}, "image is 'c'; it must be one of a"),
    "stride 0": ({"stride": 0}, "stride"),
    "stride 5": ({"stride": 5}, "stride"),
    "padding -1": ({"padding": -1}, "padding"),
    "padding 4": ({"padding": 4}, "padding"),
    "dilation 0": ({"dilation": 0}, "dilation"),
    "dilation 4": ({"dilation": 4}, "dilation"),
    "half a stride": ({"stride": 1.5}, "stride"),
    "point": ({"point": (1, 2, 3)}, "point"),
    "half a point": ({"point": (1.5, 2)}, "point"),
    "after": ({"after": "pool"}, "after"),
    "mode": ({"mode": "play"}, "mode"),
    "color": ({"color": 3}, "color"),
    "far shift": ({"shift": [0, 9]}, "shift"),
    "far shift back": ({"shift": [-9, 0]}, "shift"),
    "half a shift": ({"shift": [0.5, 0]}, "shift"),
    "one shift": ({"shift": [1]}, "shift"),
    "large kernel": ({"kernel": np.ones((8, 8))}, "it must be one square or three, 1x1 to 7x7"),
    "wide kernel": ({"kernel": np.ones((2, 3))}, r"rows of \[\[3, 3\]\] numbers; it must be one square"),
    "two planes": ({"kernel": np.ones((2, 3, 3))}, "it must be one square or three"),
    "no planes": ({"kernel": np.ones((0, 3, 3))}, "it must be one square or three"),
    "no weights": ({"kernel": np.ones((1, 0, 0))}, "it must be one square or three"),
    "NaN": ({"kernel": [[np.nan]]}, "its weights must be finite numbers"),
    "infinity": ({"kernel": [[np.inf]]}, "its weights must be finite numbers"),
}


@pytest.mark.parametrize(("images", "message"), WRONG_PICTURES.values(), ids=WRONG_PICTURES)
def test_wrong_pictures(images, message):
    with pytest.raises(ValueError, match=message):
        ConvolutionExplorer(images)


@pytest.mark.parametrize(("traits", "message"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_wrong_settings(traits, message):
    with pytest.raises(TraitError, match=message):
        ConvolutionExplorer({"a": picture()}, **traits)


def test_unknown_kernel_names_those_there_are():
    with pytest.raises(ValueError, match="kernel is 'sobel'; it must be one of identity, box"):
        ConvolutionExplorer({"a": picture()}, kernel="sobel")


@pytest.mark.parametrize("kernel", [[], [1, 2, 3], 2.0, np.ones((1, 1, 3, 3))])
def test_a_kernel_that_is_no_square_at_all(kernel):
    with pytest.raises(ValueError, match=r"kernel has shape .*; it must be \(k, k\) or \(3, k, k\)"):
        ConvolutionExplorer({"a": picture()}, kernel=kernel)


def test_planes_of_different_sizes_are_refused():
    explorer = ConvolutionExplorer({"a": picture()})
    square, larger = np.ones((2, 2)).tolist(), np.ones((3, 3)).tolist()
    with pytest.raises(TraitError, match=r"rows of \[\[2, 2\], \[2, 2\], \[3, 3, 3\]\]"):
        explorer.kernel = [square, square, larger]


def test_a_ragged_kernel_is_refused():
    with pytest.raises(ValueError, match=r"rows of numbers"):
        ConvolutionExplorer({"a": picture()}, kernel=[[1, 2], [3]])


def test_a_refused_change_leaves_the_old_value():
    explorer = ConvolutionExplorer({"a": picture()})
    wrong = {"image": "c", "stride": 9, "kernel": [[[1.0, 2.0]]], "after": "pool", "mode": "", "shift": [9, 9]}
    for name, value in wrong.items():
        before = getattr(explorer, name)
        with pytest.raises(TraitError):
            setattr(explorer, name, value)
        assert getattr(explorer, name) == before


# --- What it costs ------------------------------------------------------------------------------------------


def test_code_and_state_are_small():
    names = list(PHOTOS)
    gray = {name: photo(name) for name in names[:3]}
    color = {f"{name} in color": photo(name, gray=False) for name in ("chelsea", "coffee")}
    explorer = ConvolutionExplorer(gray | color)
    assert len(gzip.compress(explorer._esm.encode())) <= 30 * KILOBYTE  # as it travels
    assert size_of(explorer) <= 400 * KILOBYTE


def test_module_stands_alone_and_brings_the_palette():
    esm, css = ConvolutionExplorer._esm, ConvolutionExplorer._css
    assert "import " not in esm
    assert "http" not in (esm + css).replace("http://www.w3.org/2000/svg", "")  # a name that nobody fetches
    assert esm.count("export default") == 1
    for name, color in COLORS.items():
        assert f"--bb-{name}: {color};" in css


def test_instances_share_their_code():
    one, other = (ConvolutionExplorer({"a": picture()}) for _ in range(2))
    assert one._esm == other._esm == ConvolutionExplorer._esm
