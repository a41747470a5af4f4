"""The photographs: all from the installed package, square, in range, and described."""

import hashlib
import re
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from skimage.color import rgb2gray

from backbone.data.photos import PHOTOS, _load, photo

EACH = pytest.mark.parametrize("name", PHOTOS)


@EACH
def test_every_photo_ships_with_scikit_image_and_needs_no_network(name, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a photo reached for the network")

    monkeypatch.setattr(socket, "socket", refuse)
    assert list(Path(skimage.data.__file__).parent.glob(f"{name}.*"))
    _load.cache_clear()
    photo(name)


@EACH
def test_gray_and_color_have_their_shape_and_range(name):
    gray, color = photo(name, size=64), photo(name, size=64, gray=False)
    assert (gray.shape, color.shape) == ((64, 64), (3, 64, 64))
    for picture in (gray, color):
        assert picture.dtype == np.float64
        assert picture.min() >= 0
        assert picture.max() <= 1
        assert np.ptp(picture) > 0.4  # not empty, not washed out
    np.testing.assert_allclose(rgb2gray(color, channel_axis=0), gray, rtol=0, atol=1e-12)
    assert np.array_equal(color[0], color[1]) == (not PHOTOS[name].color)


@EACH
def test_full_size_is_the_crop_itself(name):
    top, left, side = PHOTOS[name].crop
    original = getattr(skimage.data, name)()
    assert (original.ndim == 3) == PHOTOS[name].color
    assert top + side <= original.shape[0]
    assert left + side <= original.shape[1]
    expected = original[top : top + side, left : left + side] / 255
    picture = photo(name, size=side, gray=False)
    channel_last = np.moveaxis(picture, 0, 2) if expected.ndim == 3 else picture[0]
    np.testing.assert_allclose(channel_last, expected, rtol=0, atol=1e-12)


@EACH
def test_shrinking_averages_and_so_keeps_the_mean(name):
    side = PHOTOS[name].crop[2]
    assert photo(name, size=32).mean() == pytest.approx(photo(name, size=side).mean(), abs=1e-9)
    blocks = photo(name, size=side)[: side // 2 * 2, : side // 2 * 2]
    if side % 2 == 0:
        halves = blocks.reshape(side // 2, 2, side // 2, 2).mean(axis=(1, 3))
        np.testing.assert_allclose(photo(name, size=side // 2), halves, rtol=0, atol=1e-12)


def test_calls_give_equal_and_independent_arrays():
    one = photo("coins")
    digest = hashlib.sha256(one.tobytes()).digest()
    one[:] = 0
    assert hashlib.sha256(photo("coins").tobytes()).digest() == digest


@EACH
def test_every_photo_is_described_and_credited(name):
    entry = PHOTOS[name]
    assert re.fullmatch(r"[A-Z][^.]{20,130}\.", entry.alt), "one sentence"
    assert entry.title
    assert entry.credit
    assert entry.license in {"CC0", "public domain", "no known copyright restrictions"}


def test_the_table_cannot_be_changed():
    with pytest.raises(TypeError):
        PHOTOS["mine"] = PHOTOS["coins"]
    with pytest.raises(AttributeError):
        PHOTOS["coins"].alt = ""


@pytest.mark.parametrize("name", ["lena", "", None, 3, ["coins"]])
def test_an_unknown_name_lists_the_names(name):
    with pytest.raises(ValueError, match=re.escape(f"photo: name is {name!r}; it must be one of 'chelsea', 'astro")):
        photo(name)


@pytest.mark.parametrize("size", [7, 0, -8, 304, 64.0, "64", None, True])
def test_a_bad_size_says_what_is_allowed(size):
    message = f"photo: size of 'coins' is {size!r}; it must be an integer from 8 to 303"
    with pytest.raises(ValueError, match=re.escape(message)):
        photo("coins", size=size)


def test_the_smallest_size_and_numpy_integers_work():
    assert photo("grass", size=np.int64(8)).shape == (8, 8)


def test_importing_the_module_does_not_import_scikit_image():
    code = "import sys, backbone.data; sys.exit('skimage' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
