"""The named kernels: sums and directions."""

import numpy as np
import pytest

from backbone.ops import KERNELS, conv2d

SUM_TO_ONE = ["identity", "box", "gaussian", "sharpen", "emboss"]
NAMES = ["identity", "box", "gaussian", "sobel_x", "sobel_y", "laplacian", "sharpen", "emboss"]


def test_kernels_are_read_only_and_sum_to_one_or_zero():
    assert list(KERNELS) == NAMES
    for name, kernel in KERNELS.items():
        assert kernel.shape == (3, 3)
        assert kernel.dtype == np.float64
        assert kernel.sum() == pytest.approx(1 if name in SUM_TO_ONE else 0, abs=1e-15)
        with pytest.raises(ValueError, match="read-only"):
            kernel[0, 0] = 1
    with pytest.raises(TypeError):
        KERNELS["mine"] = np.ones((3, 3))


@pytest.mark.parametrize(
    ("name", "slope"), [("sobel_x", (0, 1)), ("sobel_y", (1, 0)), ("emboss", (1, 1)), ("emboss", (1, 0))]
)
def test_edge_kernels_answer_positively_where_brightness_grows(name, slope):
    ramp = np.add.outer(slope[0] * np.arange(5.0), slope[1] * np.arange(5.0)) - 4
    response = conv2d(ramp[None, None], KERNELS[name][None, None])[0, 0]
    assert (response - (ramp[1:-1, 1:-1] if name == "emboss" else 0) > 0).all()


def test_sobel_ignores_the_other_direction_and_emboss_is_not_symmetric():
    ramp = np.tile(np.arange(5.0), (5, 1))[None, None]
    assert (conv2d(ramp, KERNELS["sobel_y"][None, None]) == 0).all()
    assert not np.array_equal(KERNELS["emboss"], KERNELS["emboss"][::-1, ::-1])
