"""A picture of one's own: every kind of file comes out as (3, H, W) in [0, 1], or with a sentence on what to do."""

import io

import numpy as np
import pytest
import torch
from PIL import Image

from backbone.data import photo, photo_from
from backbone.pretrained import prepare

RED, BLUE = (255, 0, 0), (0, 0, 255)


def two_colors(mode="RGB"):
    """Return 12 columns by 8 rows, red on the left and blue on the right."""
    picture = Image.new("RGB", (12, 8), RED)
    picture.paste(BLUE, (6, 0, 12, 8))
    return picture.convert(mode)


@pytest.fixture
def saved(tmp_path):
    """Return a function that saves a picture and reads it with photo_from."""

    def save(picture, name="mine.png", **options):
        picture.save(tmp_path / name, **options)
        found = photo_from(tmp_path / name)
        assert (found.dtype, found.flags.c_contiguous) == (np.float32, True)
        assert 0 <= found.min() <= found.max() <= 1
        return found

    return save


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.tif", "a.webp", "a.gif", "a.jpg"])
def test_formats(saved, name):
    options = {"lossless": True} if name == "a.webp" else {"quality": 100, "subsampling": 0} if "jpg" in name else {}
    found = saved(two_colors(), name, **options)
    assert found.shape == (3, 8, 12)
    np.testing.assert_allclose(found[:, 0, 0], (1, 0, 0), atol=0.02)
    np.testing.assert_allclose(found[:, -1, -1], (0, 0, 1), atol=0.02)


@pytest.mark.parametrize("mode", ["P", "CMYK", "RGBA", "LA", "L", "1"])
def test_modes(saved, mode):
    found = saved(two_colors(mode), "a.tif" if mode == "CMYK" else "a.png")
    expected = np.asarray(two_colors(mode).convert("RGB"), np.float32) / 255
    np.testing.assert_allclose(found, np.moveaxis(expected, -1, 0), atol=0.01)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_the_camera_was_held(saved, orientation):
    """A camera writes the picture as the sensor saw it, and by a number how to turn it."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    picture = two_colors()
    picture.putpixel((0, 0), (0, 255, 0))
    stored = picture.transpose(undo[orientation]) if orientation in undo else picture
    exif = Image.Exif()
    exif[0x0112] = orientation
    np.testing.assert_array_equal(saved(stored, exif=exif), saved(picture))


def test_what_is_transparent_becomes_white(saved):
    glass = Image.new("RGBA", (3, 2), (255, 0, 0, 0))
    glass.putpixel((0, 0), (255, 0, 0, 255))
    glass.putpixel((1, 0), (0, 0, 0, 51))  # black, a fifth opaque
    found = saved(glass)
    np.testing.assert_allclose(found[:, 0, :].T, [[1, 0, 0], [0.8] * 3, [1] * 3], atol=0.003)
    palette = two_colors("P")
    np.testing.assert_array_equal(saved(palette, transparency=palette.getpixel((0, 0)))[:, 0, 0], 1)


@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_keep_their_levels(saved, name):
    levels = np.linspace(0, 65535, 96).astype(np.uint16).reshape(8, 12)
    found = saved(Image.fromarray(levels), name)
    np.testing.assert_allclose(found, np.stack([levels / 65535] * 3), atol=1e-7)


def test_floating_point_is_taken_as_it_is(saved):
    levels = np.linspace(0, 1, 96, dtype=np.float32).reshape(8, 12)
    np.testing.assert_array_equal(saved(Image.fromarray(levels), "a.tif")[1], levels)
    with pytest.raises(ValueError, match=r"holds 0 to 300; scale it to \[0, 1\]"):
        saved(Image.fromarray(levels * 300), "a.tif")


def test_of_an_animation_the_first_picture_is_taken(saved):
    frames = [Image.new("RGB", (3, 2), color) for color in (RED, BLUE)]
    for name in ("a.gif", "a.webp", "a.png"):
        found = saved(frames[0], name, save_all=True, append_images=frames[1:], duration=50)
        np.testing.assert_allclose(found[:, 0, 0], (1, 0, 0), atol=0.02, err_msg=name)


def test_it_goes_straight_into_a_network(tmp_path):
    cup = np.moveaxis(np.rint(photo("coffee", 256, gray=False) * 255).astype(np.uint8), 0, -1)
    Image.fromarray(cup).save(tmp_path / "cup.png")
    found = photo_from(str(tmp_path / "cup.png"))
    lite = "efficientnet_lite0"
    assert prepare(lite, found).shape == prepare("resnet50", found).shape == (1, 3, 224, 224)
    expected = prepare(lite, photo("coffee", 256, gray=False))
    torch.testing.assert_close(prepare(lite, found), expected, atol=0.01, rtol=0)


def test_a_missing_file_and_a_folder(tmp_path):
    for path in (tmp_path / "dog.jpg", tmp_path):
        with pytest.raises(FileNotFoundError, match=r"there is no file .*; on Colab, upload it first"):
            photo_from(path)


def jpeg():
    buffer = io.BytesIO()
    two_colors().resize((300, 200)).save(buffer, "jpeg")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\0\0\0\x18ftypheic" + b"\0" * 40, "HEIC or AVIF picture.* Save it as JPEG"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 40, "no picture of a kind known here"),
        (
            b"<!DOCTYPE html><html>no such picture</html>",
            "no picture of a kind known here, JPEG, .* Save it as JPEG",
        ),
        (b"", "no picture"),
        (b"8BPS" + bytes(60), "no picture"),
        (jpeg()[:700], "truncated.* Copy the file again"),
    ],
    ids=["HEIC", "MP4", "HTML", "empty", "Photoshop", "cut off"],
)
def test_what_is_no_picture(tmp_path, content, message):
    (tmp_path / "mine").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        photo_from(tmp_path / "mine")


def test_a_picture_too_large_to_be_true(tmp_path, monkeypatch):
    two_colors().save(tmp_path / "bomb.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(ValueError, match=r"more pixels than is safe\. Save a smaller copy"):
        photo_from(tmp_path / "bomb.png")
