"""What a hand draws."""

import numpy as np
import pytest

from backbone.widgets.base import HERE, join


@pytest.mark.parametrize("radius", [0.8, 2])
def test_a_stroke_is_soft_and_covers_its_line(module_of, radius):
    module = module_of(join(HERE / "brush.js"))
    script = "([p, ...rest]) => { const pixels = Uint8Array.from(p); m.stroke(pixels, ...rest); return pixels; }"
    pixels = np.reshape(module(script, [[0] * 784, [10, 5], [10, 20], radius, "white"]), (28, 28))
    assert (pixels[10, 5:21] == 255).all()
    distance = np.abs(np.arange(28) - 10)
    np.testing.assert_allclose(pixels[:, 12], np.clip(radius + 0.7 - distance, 0, 1) * 255, atol=1)
    erased = module(script, [pixels.ravel().tolist(), [10, 5], [10, 20], radius + 1, "black"])
    assert not np.reshape(erased, (28, 28))[10, 5:21].any()
