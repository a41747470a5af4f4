"""A reader's own photograph in a figure: resized as Python does it."""

import base64

import numpy as np
import pytest
import torch

from backbone import pretrained
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import SIDE

PHOTO = HERE / "photo"
LITE = "efficientnet_lite0"
SIZES = [(1, 1), (2, 3), (7, 300), (223, 225), (224, 224), (225, 224), (299, 301), (480, 641), (1501, 40), (1200, 901)]
PREPARE = """([data, width, height]) => {
    const bytes = Uint8ClampedArray.from(atob(data), (letter) => letter.charCodeAt(0));
    return m.prepare(bytes, width, height);
}"""


def seen(picture):
    """Return what a network sees of (H, W, 3), 0 to 255, in Python: (224, 224, 3), 0 to 255."""
    share = torch.from_numpy(np.asarray(picture, np.float32)).permute(2, 0, 1) / 255
    return (128 * pretrained.prepare(LITE, share, crop=1)[0] + 127).permute(1, 2, 0).numpy()


@pytest.fixture(scope="module")
def resize(module_of):
    """Return a function that prepares (H, W, 4) bytes in the page."""
    module = module_of(join(PHOTO / "resize.js"))

    def run(picture):
        height, width, _ = picture.shape
        found = module(PREPARE, [base64.b64encode(picture.tobytes()).decode(), width, height])
        return np.array(found).reshape(SIDE, SIDE, 3)

    return run


@pytest.mark.browser
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_picture_is_cut_and_resized_as_python_does_it(resize, height, width):
    picture = np.random.default_rng(height).integers(0, 256, (height, width, 4), dtype=np.uint8)
    picture[: height // 2] //= 200  # black and white next to each other, which bicubic passes
    picture[: height // 2, :, :3] *= 255
    picture[..., 3] = 255
    np.testing.assert_allclose(resize(picture), seen(picture[..., :3]), atol=0.01)


@pytest.mark.browser
def test_what_is_transparent_becomes_white(resize):
    picture = np.random.default_rng(0).integers(0, 256, (300, 250, 4), dtype=np.uint8)
    opacity = picture[..., 3:] / 255
    np.testing.assert_allclose(resize(picture), seen(picture[..., :3] * opacity + 255 * (1 - opacity)), atol=0.01)
