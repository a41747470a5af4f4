"""The named kernels and Gabor's: sums, directions, symmetries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from skimage.filters import gabor_kernel

from backbone.ops import KERNELS, conv2d, gabor

from .common import MODEST

SUM_TO_ONE = ["identity", "box", "gaussian", "sharpen", "emboss"]
GABORS = ["gabor_0", "gabor_45", "gabor_90", "gabor_135"]
NAMES = ["identity", "box", "gaussian", "sobel_x", "sobel_y", "laplacian", "sharpen", "emboss", *GABORS]


def test_kernels_are_read_only_and_sum_to_one_or_zero():
    assert list(KERNELS) == NAMES
    for name, kernel in KERNELS.items():
        assert kernel.shape == ((5, 5) if name in GABORS else (3, 3))
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


# --- Gabor --------------------------------------------------------------------------------------------------

angles = st.floats(-360, 360)


@MODEST
@given(angles, st.integers(3, 9), st.floats(2, 10), st.floats(0.5, 4), st.floats(-180, 180))
def test_a_gabor_kernel_sums_to_zero(angle, size, wavelength, sigma, phase):
    kernel = gabor(angle, size, wavelength, sigma, phase)
    assert kernel.shape == (size, size)
    assert kernel.sum() == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("angle", [0, 30, 45, 110])
def test_it_is_scikit_images_but_for_the_mean(angle):
    reference = gabor_kernel(1 / 4, np.radians(angle), sigma_x=2, sigma_y=2, n_stds=2).real * 2 * np.pi * 2**2
    size = len(reference)  # it grows and shrinks with the angle
    squares = (np.arange(size) - size // 2) ** 2
    bell = np.exp(-np.add.outer(squares, squares) / 8)
    expected = reference - bell * reference.sum() / bell.sum()
    np.testing.assert_allclose(gabor(angle, size), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", GABORS)
def test_named_gabors_are_short_numbers_near_the_exact_ones(name):
    kernel = KERNELS[name]
    np.testing.assert_array_equal(kernel, np.round(kernel, 2))
    np.testing.assert_allclose(kernel, gabor(int(name[6:]), size=5, sigma=1.5), rtol=0, atol=0.02)
    assert not np.signbit(kernel[kernel == 0]).any()  # a cell that shows -0 looks wrong


def test_named_gabors_are_each_others_turns_and_mirrors():
    np.testing.assert_array_equal(KERNELS["gabor_90"], np.rot90(KERNELS["gabor_0"]))
    np.testing.assert_array_equal(KERNELS["gabor_135"], KERNELS["gabor_45"][:, ::-1])
    for name in GABORS:
        np.testing.assert_array_equal(KERNELS[name], KERNELS[name][::-1, ::-1])


LINES = {
    "gabor_0": np.eye(5)[[2] * 5],  # vertical
    "gabor_90": np.eye(5)[[2] * 5].T,  # horizontal
    "gabor_45": np.eye(5)[::-1],  # rises to the right
    "gabor_135": np.eye(5),  # falls to the right
}


@pytest.mark.parametrize("line", GABORS)
def test_each_gabor_answers_most_to_its_own_line(line):
    answers = {name: (KERNELS[name] * LINES[line]).sum() for name in GABORS}
    assert max(answers, key=answers.get) == line
    assert answers[line] > 2


def test_phase_90_is_an_edge():
    kernel = gabor(0, phase=90)
    np.testing.assert_allclose(kernel, -kernel[:, ::-1], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"size": 2}, "size is 2; it must be an integer of at least 3"),
        ({"size": 5.0}, r"size is 5\.0; it must be an integer of at least 3"),
        ({"angle": np.nan}, "angle is nan; it must be a finite number"),
        ({"angle": "45"}, "angle is '45'; it must be a finite number"),
        ({"phase": np.inf}, "phase is inf; it must be a finite number"),
        ({"wavelength": 1.5}, r"wavelength is 1\.5; it must be at least 2 pixels"),
        ({"wavelength": [4]}, r"wavelength is \[4\]; it must be a finite number"),
        ({"sigma": 0}, "sigma is 0; it must be above 0"),
    ],
)
def test_gabor_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=f"^gabor: {message}"):
        gabor(**({"angle": 0} | arguments))
