"""conv2d against PyTorch, SciPy, the loops of its formula, and the laws a convolution obeys."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d

from backbone.ops import KERNELS, conv2d, output_size

from .common import DTYPES, INTEGER, KERNEL_SIZES, MODEST, SWEEP, arrays, numbers, seeds, tensor


def by_loops(x, weight, bias, stride, padding, dilation, groups):
    """Return the formula of conv2d, spelled out."""
    (sh, sw), (dh, dw), (ph, pw) = stride, dilation, padding
    x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    kernels, channels, kh, kw = weight.shape
    oh, ow = ((x.shape[2] - dh * (kh - 1) - 1) // sh + 1, (x.shape[3] - dw * (kw - 1) - 1) // sw + 1)
    out = np.empty((len(x), kernels, oh, ow))
    for n, o, i, j in np.ndindex(*out.shape):
        first = o // (kernels // groups) * channels  # the first channel this kernel sees
        out[n, o, i, j] = bias[o] + sum(
            weight[o, c, u, v] * x[n, first + c, i * sh + u * dh, j * sw + v * dw]
            for c, u, v in np.ndindex(channels, kh, kw)
        )
    return out


def by_torch(x, weight, bias=None, **geometry):
    tensors = [None if a is None else tensor(a) for a in (x, weight, bias)]
    return F.conv2d(*tensors, **geometry).numpy()


# --- The right numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SWEEP)
@pytest.mark.parametrize("kernel", KERNEL_SIZES)
def test_conv2d_equals_torch(stride, padding, dilation, groups, kernel):
    x, weight, bias = arrays(0, (2, 4, 9, 7), (8, 4 // groups, *kernel), (8,))
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    out = conv2d(x, weight, bias, **geometry)
    assert out.shape[2:] == tuple(
        output_size(*sizes)
        for sizes in zip((9, 7), kernel, *(np.broadcast_to(g, 2) for g in (stride, padding, dilation)), strict=True)
    )
    np.testing.assert_allclose(out, by_torch(x, weight, bias, **geometry), rtol=0, atol=1e-10)
    np.testing.assert_allclose(conv2d(x, weight, **geometry), by_torch(x, weight, **geometry), rtol=0, atol=1e-10)


def test_depthwise_equals_torch():
    x, weight = arrays(1, (2, 6, 5, 5), (12, 1, 3, 3))
    np.testing.assert_allclose(
        conv2d(x, weight, padding=1, groups=6), by_torch(x, weight, padding=1, groups=6), rtol=0, atol=1e-10
    )


@pytest.mark.parametrize("kernel", [(3, 3), (2, 4), (5, 1)])
def test_it_is_scipys_convolution_with_the_kernel_flipped(kernel):
    image, weights = arrays(2, (8, 6), kernel)
    out = conv2d(image[None, None], weights[None, None, ::-1, ::-1])[0, 0]
    np.testing.assert_allclose(out, convolve2d(image, weights, mode="valid"), rtol=0, atol=1e-12)


pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@MODEST
@given(
    seeds,
    pairs,
    pairs,
    pairs,
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.integers(1, 2),
)
def test_conv2d_equals_its_formula(seed, kernel, stride, dilation, padding, groups):
    x, weight, bias = arrays(seed, (2, 2, 7, 8), (4, 2 // groups, *kernel), (4,))
    arguments = (x, weight, bias, stride, padding, dilation, groups)
    np.testing.assert_allclose(conv2d(*arguments), by_loops(*arguments), rtol=0, atol=1e-12)


# --- The laws -----------------------------------------------------------------------------------------------


@MODEST
@given(seeds, numbers, numbers)
def test_linear_in_the_image_and_in_the_kernel(seed, a, b):
    x, y, v, w = arrays(seed, (1, 2, 6, 5), (1, 2, 6, 5), (3, 2, 3, 2), (3, 2, 3, 2))
    mixed_images = a * conv2d(x, w) + b * conv2d(y, w)
    mixed_kernels = a * conv2d(x, v) + b * conv2d(x, w)
    np.testing.assert_allclose(conv2d(a * x + b * y, w), mixed_images, rtol=0, atol=1e-10)
    np.testing.assert_allclose(conv2d(x, a * v + b * w), mixed_kernels, rtol=0, atol=1e-10)


@MODEST
@given(seeds, st.integers(0, 3), st.integers(0, 3))
def test_a_shift_of_the_image_shifts_the_output_inside(seed, down, right):
    x, weight = arrays(seed, (1, 1, 9, 10), (2, 1, 3, 3))
    shifted = np.roll(x, (down, right), axis=(2, 3))
    inside = conv2d(shifted, weight)[:, :, down:, right:]
    np.testing.assert_allclose(inside, conv2d(x, weight)[:, :, : 7 - down, : 8 - right], rtol=0, atol=1e-12)


@MODEST
@given(seeds, st.integers(2, 3))
def test_at_a_stride_only_a_shift_by_the_stride_shifts_the_output(seed, stride):
    x, weight = arrays(seed, (1, 1, 12, 12), (1, 1, 3, 3))
    out = conv2d(x, weight, stride=stride)
    by_stride = conv2d(x[:, :, stride:, stride:], weight, stride=stride)
    np.testing.assert_allclose(by_stride, out[:, :, 1:, 1:], rtol=0, atol=1e-12)
    by_one = conv2d(np.roll(x, -1, axis=3), weight, stride=stride)
    assert not np.allclose(by_one[..., :-1], out[..., :-1])
    assert not np.allclose(by_one[..., :-1], out[..., 1:])


@MODEST
@given(seeds, pairs, pairs)
def test_two_convolutions_are_one_with_a_composed_kernel(seed, first, second):
    x, a, b = arrays(seed, (2, 2, 9, 8), (3, 2, *first), (4, 3, *second))
    # The composed kernel is the full convolution of b with a, summed over the three channels in between.
    full = (second[0] - 1, second[1] - 1)
    composed = conv2d(a.swapaxes(0, 1), b[:, :, ::-1, ::-1], padding=full).swapaxes(0, 1)
    assert composed.shape == (4, 2, first[0] + full[0], first[1] + full[1])
    np.testing.assert_allclose(conv2d(conv2d(x, a), b), conv2d(x, composed), rtol=0, atol=1e-10)


@MODEST
@given(seeds)
def test_identity_kernel_returns_the_image(seed):
    (x,) = arrays(seed, (2, 1, 5, 6))
    np.testing.assert_array_equal(conv2d(x, KERNELS["identity"][None, None], padding=1), x)


# --- Dtypes, special values, memory -------------------------------------------------------------------------


@pytest.mark.parametrize(("x_dtype", "weight_dtype", "expected"), DTYPES)
def test_dtypes_of_conv2d(x_dtype, weight_dtype, expected):
    out = conv2d(np.ones((1, 2, 3, 3), x_dtype), np.ones((2, 2, 2, 2), weight_dtype))
    assert out.dtype == expected
    np.testing.assert_array_equal(out, 8)


def test_a_float64_bias_widens_the_result():
    x, weight = arrays(3, (1, 1, 3, 3), (1, 1, 2, 2), dtype=np.float32)
    assert conv2d(x, weight, np.zeros(1)).dtype == np.float64


def test_uint8_never_overflows():
    x = np.full((1, 1, 3, 3), 255, np.uint8)
    assert conv2d(x, np.full((1, 1, 3, 3), 255, np.uint8)).item() == 9 * 255**2
    assert conv2d(x, np.full((1, 1, 3, 3), -1, np.int8)).item() == -9 * 255


def test_large_integers_stay_exact():
    assert conv2d(np.full((1, 1, 1, 2), 2**53 + 1), np.ones((1, 1, 1, 2), int)).item() == 2**54 + 2


def test_half_precision_is_summed_in_single():
    x = np.full((1, 1, 64, 64), 1.001, np.float16)  # adding this in float16 stalls at 2,048
    out = conv2d(x, np.ones((1, 1, 64, 64), np.float16))
    np.testing.assert_array_equal(out, np.float16(x.sum(dtype=np.float64)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("into", ["x", "weight", "both"])
@pytest.mark.parametrize("size", [5, 3])
def test_nan_and_infinity_pass_as_in_torch(value, into, size):
    x, weight = arrays(4, (1, 2, size, size), (3, 2, 3, 3))
    if into != "weight":
        x[0, 1, 1, 2] = value
    if into != "x":
        weight[1, 0, 0, 0] = value
    weight[2] = 0  # 0 * inf is NaN; no shortcut may skip it
    for padding in (0, 1):
        expected = by_torch(x, weight, padding=padding)
        np.testing.assert_allclose(conv2d(x, weight, padding=padding), expected, rtol=0, atol=1e-12)


def test_float32_overflows_to_infinity_without_a_warning():
    x = np.full((1, 1, 2, 2), 3e38, np.float32)
    assert conv2d(x, np.ones((1, 1, 2, 2), np.float32)).item() == np.inf


def test_views_lists_and_tensors_are_accepted_and_nothing_is_changed():
    x, weight, bias = arrays(5, (2, 4, 6, 10), (3, 4, 3, 2), (6,))
    x, weight, bias = x[::-1, ::2, :, ::-2], weight[:, 1:3].transpose(0, 1, 3, 2), bias[::2]
    before = [a.copy() for a in (x, weight, bias)]
    for a in (x, weight, bias):
        a.setflags(write=False)
    out = conv2d(x, weight, bias, padding=1)
    np.testing.assert_allclose(out, by_torch(*before, padding=1), rtol=0, atol=1e-12)
    assert out.flags.writeable
    for a, kept in zip((x, weight, bias), before, strict=True):
        np.testing.assert_array_equal(a, kept)
    np.testing.assert_array_equal(conv2d(x.tolist(), torch.tensor(before[1]), bias, padding=1), out)


def test_the_result_shares_no_memory_with_the_image():
    x = np.ones((1, 1, 3, 3))
    out = conv2d(x, np.ones((1, 1, 1, 1)))
    out[:] = 7
    assert (x == 1).all()


# --- Errors -------------------------------------------------------------------------------------------------

X, W = np.zeros((2, 4, 6, 5)), np.zeros((8, 4, 3, 3))
CONV_ERRORS = [
    ({"x": X[0]}, r"x has shape \(4, 6, 5\); it must be \(N, C, H, W\)"),
    ({"weight": W[0, 0]}, r"weight has shape \(3, 3\); it must be \(O, C / groups, KH, KW\)"),
    ({"bias": 1.0}, r"bias has shape \(\); it must be \(O,\)"),
    ({"bias": np.zeros(7)}, "bias has length 7, weight has 8 kernels; they must agree"),
    ({"weight": W[:, :3]}, "weight has 3 input channels, x has 4; they must agree"),
    ({"groups": 2}, "weight has 4 input channels, x has 2 in each of 2 groups; they must agree"),
    ({"groups": 3}, "groups is 3; it must divide the 4 channels of x and the 8 kernels of weight"),
    ({"groups": 4, "weight": W[:6, :1]}, "groups is 4; it must divide the 4 channels .* the 6 kernels"),
    ({"groups": 0}, f"groups is 0; {INTEGER} 1"),
    ({"groups": (1, 1)}, rf"groups is \(1, 1\); {INTEGER} 1"),
    ({"x": X[:0]}, r"x has shape \(0, 4, 6, 5\); every size must be at least 1"),
    ({"weight": W[..., :0]}, r"weight has shape \(8, 4, 3, 0\); every size must be at least 1"),
    ({"x": X.astype(complex)}, "x has dtype complex128; it must hold real numbers"),
    ({"weight": W.astype(object)}, "weight has dtype object; it must hold real numbers"),
    ({"bias": ["a"] * 8}, "bias has dtype <U1; it must hold real numbers"),
    ({"x": [[1, 2], [3]]}, "x cannot be made an array"),
    ({"stride": 0}, f"stride is 0; {INTEGER} 1, or a pair of them"),
    ({"stride": -2}, f"stride is -2; {INTEGER} 1"),
    ({"stride": (1, 0)}, f"stride is 0; {INTEGER} 1"),
    ({"stride": 1.0}, rf"stride is 1\.0; {INTEGER} 1"),
    ({"stride": True}, f"stride is True; {INTEGER} 1"),
    ({"stride": (1, 2, 3)}, r"stride is \(1, 2, 3\); it must be an integer, or a pair of them"),
    ({"padding": -1}, f"padding is -1; {INTEGER} 0"),
    ({"padding": "same"}, f"padding is 'same'; {INTEGER} 0, or a pair of them"),
    ({"padding": None}, f"padding is None; {INTEGER} 0"),
    ({"dilation": 0}, f"dilation is 0; {INTEGER} 1"),
    ({"dilation": (2, 2.5)}, rf"dilation is 2\.5; {INTEGER} 1"),
    (
        {"dilation": (3, 1)},
        "a kernel of 3 with dilation 3 spans 7 pixels, but height of x is 6 .6 with padding.;",
    ),
    (
        {"x": X[..., :1], "padding": (2, 0)},
        "a kernel of 3 with dilation 1 spans 3 pixels, but width of x is 1 .1 with padding.;",
    ),
]


@pytest.mark.parametrize(("change", "message"), CONV_ERRORS)
def test_conv2d_says_what_is_wrong(change, message):
    with pytest.raises(ValueError, match=rf"^conv2d: {message}"):
        conv2d(**({"x": X, "weight": W} | change))
