"""Pooling against PyTorch, forward and backward, with ties, padding, NaN and infinity."""

import functools

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st

from backbone.ops import avg_pool2d, avg_pool2d_backward, conv2d, max_pool2d, max_pool2d_backward, output_size

from .common import INTEGER, MODEST, arrays, seeds, tensor

# kernel_size, stride, padding: touching, overlapping, gaps, pairs
SWEEP = [(1, None, 0), (2, None, 0), (2, 1, 1), (3, None, 1), (3, 1, 1), (3, 2, 0), (3, 2, 1), (2, 3, 0), (5, 2, 2)]
SWEEP += [((2, 3), None, (1, 0)), ((3, 1), (1, 2), (1, 0)), ([4, 2], [2, 1], [2, 1])]
GEOMETRY = pytest.mark.parametrize(("kernel_size", "stride", "padding"), SWEEP)


def by_torch(pool, grad, x, *geometry, **options):
    """Output and input gradient as PyTorch computes them."""
    x = tensor(x, requires_grad=True)
    out = pool(x, *geometry, **options)
    (gradient,) = torch.autograd.grad(out, x, tensor(grad))
    return out.detach().numpy(), gradient.numpy()


def assert_max_equals_torch(x, *geometry, seed=0):
    out = max_pool2d(x, *geometry)
    (grad,) = arrays(seed, out.shape)
    expected, expected_gradient = by_torch(F.max_pool2d, grad, x, *geometry)
    np.testing.assert_array_equal(out, expected)
    gradient = max_pool2d_backward(grad, x, *geometry)
    assert gradient.shape == x.shape
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-10)


# --- The right numbers --------------------------------------------------------------------------------------


@GEOMETRY
@pytest.mark.parametrize("dilation", [1, 2, (1, 2)])
def test_max_pool2d_equals_torch(kernel_size, stride, padding, dilation):
    (x,) = arrays(0, (2, 3, 11, 9))
    assert_max_equals_torch(x, kernel_size, stride, padding, dilation)


@GEOMETRY
def test_among_equals_the_first_gets_the_gradient_as_in_torch(kernel_size, stride, padding):
    x = np.random.default_rng(1).integers(0, 3, (2, 3, 11, 9)).astype(np.float64)
    assert_max_equals_torch(x, kernel_size, stride, padding)
    assert_max_equals_torch(np.zeros_like(x), kernel_size, stride, padding)


def test_the_first_of_equals_by_hand():
    gradient = max_pool2d_backward([[[[5.0]]]], np.ones((1, 1, 2, 2)), 2)
    np.testing.assert_array_equal(gradient, [[[[5, 0], [0, 0]]]])


@GEOMETRY
def test_avg_pool2d_equals_torch(kernel_size, stride, padding):
    (x,) = arrays(2, (2, 3, 11, 9))
    geometry = kernel_size, stride, padding
    out = avg_pool2d(x, *geometry)
    (grad,) = arrays(3, out.shape)
    expected, expected_gradient = by_torch(F.avg_pool2d, grad, x, *geometry)
    np.testing.assert_allclose(out, expected, rtol=0, atol=1e-10)
    gradient = avg_pool2d_backward(grad, x.shape, *geometry)
    np.testing.assert_allclose(gradient, expected_gradient, rtol=0, atol=1e-10)


@GEOMETRY
@pytest.mark.parametrize("pool", ["max", "avg"])
def test_gradients_equal_central_finite_differences(kernel_size, stride, padding, pool):
    x = np.random.default_rng(4).permutation(2 * 2 * 7 * 6).reshape(2, 2, 7, 6) / 10.0  # no ties, steps of 0.1
    forward = functools.partial({"max": max_pool2d, "avg": avg_pool2d}[pool], kernel_size=kernel_size)
    forward = functools.partial(forward, stride=stride, padding=padding)
    (grad,) = arrays(5, forward(x).shape)
    if pool == "max":
        gradient = max_pool2d_backward(grad, x, kernel_size, stride, padding)
    else:
        gradient = avg_pool2d_backward(grad, x.shape, kernel_size, stride, padding)
    for index in list(np.ndindex(x.shape))[::5]:
        change = np.zeros_like(x)
        change[index] = 0.01
        difference = (grad * (forward(x + change) - forward(x - change))).sum() / 0.02
        assert gradient[index] == pytest.approx(difference, abs=1e-9)


@MODEST
@given(seeds, st.integers(1, 4), st.integers(1, 4), st.integers(0, 2))
def test_a_mean_is_a_convolution_with_a_box_channel_by_channel(seed, kernel_size, stride, padding):
    padding = min(padding, kernel_size // 2)
    (x,) = arrays(seed, (2, 3, 9, 8))
    box = np.full((3, 1, kernel_size, kernel_size), 1 / kernel_size**2)
    expected = conv2d(x, box, stride=stride, padding=padding, groups=3)
    np.testing.assert_allclose(avg_pool2d(x, kernel_size, stride, padding), expected, rtol=0, atol=1e-12)


@MODEST
@given(seeds, st.integers(1, 4), st.integers(1, 4))
def test_the_gradient_of_a_mean_is_its_adjoint(seed, kernel_size, stride):
    (x,) = arrays(seed, (2, 3, 9, 8))
    out = avg_pool2d(x, kernel_size, stride, kernel_size // 2)
    (grad,) = arrays(seed + 1, out.shape)
    gradient = avg_pool2d_backward(grad, x.shape, kernel_size, stride, kernel_size // 2)
    assert (x * gradient).sum() == pytest.approx((out * grad).sum(), abs=1e-10)


@MODEST
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4), st.integers(0, 2), st.integers(1, 3))
def test_output_size_counts_the_windows(size, kernel_size, stride, padding, dilation):
    padding = min(padding, kernel_size // 2)
    x = np.zeros((1, 1, size, size))
    try:
        out = max_pool2d(x, kernel_size, stride, padding, dilation)
    except ValueError as error:
        assert "span" in str(error) or "no pixel" in str(error)  # noqa: PT017
    else:
        assert out.shape[2:] == (output_size(size, kernel_size, stride, padding, dilation),) * 2


# --- NaN and infinity ---------------------------------------------------------------------------------------


@GEOMETRY
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("share", [0.1, 0.6, 1.0])
def test_special_values_in_the_image_pass_as_in_torch(kernel_size, stride, padding, value, share):
    (x,) = arrays(6, (2, 2, 7, 6))
    x[np.random.default_rng(7).random(x.shape) < share] = value
    assert_max_equals_torch(x, kernel_size, stride, padding)
    expected = F.avg_pool2d(tensor(x), kernel_size, stride, padding).numpy()
    np.testing.assert_allclose(avg_pool2d(x, kernel_size, stride, padding), expected, rtol=0, atol=1e-10)


def test_infinities_of_both_signs_have_no_mean():
    assert np.isnan(avg_pool2d([[[[np.inf, -np.inf]]]], (1, 2))).all()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_special_values_in_the_gradient_pass_as_in_torch(value):
    x, grad = arrays(8, (1, 2, 6, 6), (1, 2, 6, 6))
    grad[0, 1, 2, 3] = value
    _, expected = by_torch(F.max_pool2d, grad, x, 3, 1, 1)
    np.testing.assert_allclose(max_pool2d_backward(grad, x, 3, 1, 1), expected, rtol=0, atol=1e-10)
    _, expected = by_torch(F.avg_pool2d, grad, x, 3, 1, 1)
    np.testing.assert_allclose(avg_pool2d_backward(grad, x.shape, 3, 1, 1), expected, rtol=0, atol=1e-10)


# --- Dtypes and memory --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "u1", "i1", "i8", "u8", "?"])
def test_a_maximum_keeps_the_dtype_and_a_mean_of_integers_is_float64(dtype):
    x = np.ones((1, 1, 4, 4), dtype)
    largest, mean = max_pool2d(x, 2, padding=1), avg_pool2d(x, 2)
    assert largest.dtype == dtype
    assert mean.dtype == (dtype if dtype.startswith("f") else "f8")
    assert (largest == 1).all()
    assert (mean == 1).all()


def test_padding_never_wins_among_negative_integers():
    assert (max_pool2d(np.full((1, 1, 4, 4), -128, np.int8), 3, padding=1) == -128).all()


@pytest.mark.parametrize(
    ("grad_dtype", "x_dtype", "expected"),
    [("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f4", "u1", "f4"), ("f2", "f2", "f2"), ("i4", "u1", "i8")],
)
def test_dtypes_of_the_gradients(grad_dtype, x_dtype, expected):
    grad, x = np.ones((1, 1, 2, 2), grad_dtype), np.ones((1, 1, 4, 4), x_dtype)
    assert max_pool2d_backward(grad, x, 2).dtype == expected
    gradient = avg_pool2d_backward(grad, x.shape, 2)
    assert gradient.dtype == ("f8" if grad_dtype == "i4" else grad_dtype)
    assert (gradient == 0.25).all()


def test_half_precision_is_summed_in_single():
    x = np.full((1, 1, 64, 64), 1.001, np.float16)  # adding this in float16 stalls at 2,048
    assert avg_pool2d(x, 64).item() == np.float16(1.001)


@pytest.mark.parametrize("kernel_size", [1, 2])
def test_results_share_no_memory_with_what_was_given(kernel_size):
    x = np.zeros((1, 2, 4, 4))
    x.setflags(write=False)
    outs = [max_pool2d(x, kernel_size), avg_pool2d(x, kernel_size)]
    outs += [max_pool2d_backward(outs[0], x, kernel_size), avg_pool2d_backward(outs[0], x.shape, kernel_size)]
    for out in outs:
        assert out.flags.writeable
        assert not np.shares_memory(out, x)


# --- Errors -------------------------------------------------------------------------------------------------

X = np.zeros((2, 3, 6, 5))
ALL = [
    max_pool2d,
    avg_pool2d,
    functools.partial(max_pool2d_backward, np.zeros((2, 3, 3, 2))),
    lambda x, *geometry: avg_pool2d_backward(np.zeros((2, 3, 3, 2)), np.shape(x), *geometry),
]


@pytest.mark.parametrize("pool", ALL)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((X, 0), f"kernel_size is 0; {INTEGER} 1, or a pair of them"),
        ((X, 2.0), rf"kernel_size is 2\.0; {INTEGER} 1"),
        ((X, 2, 0), f"stride is 0; {INTEGER} 1"),
        ((X, 2, (1, 2, 3)), r"stride is \(1, 2, 3\); it must be an integer, or a pair of them"),
        ((X, 2, 1, -1), f"padding is -1; {INTEGER} 0"),
        ((X, 3, 1, 2), r"padding is \(2, 2\); it must be at most half the kernel_size, \(3, 3\)"),
        ((X, (4, 1), 1, (2, 1)), r"padding is \(2, 1\); it must be at most half the kernel_size, \(4, 1\)"),
        ((X, (2, 7)), "a kernel of 7 with dilation 1 spans 7 pixels, but width of x is 5 .5 with padding."),
    ],
)
def test_errors_say_what_is_wrong(pool, arguments, message):
    with pytest.raises(ValueError, match=f"^(max|avg)_pool2d(_backward)?: {message}"):
        pool(*arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_pool2d(X[0], 2), r"max_pool2d: x has shape \(3, 6, 5\); it must be \(N, C, H, W\)"),
        (lambda: avg_pool2d(X.astype(complex), 2), "avg_pool2d: x has dtype complex128; it must hold real"),
        (lambda: max_pool2d(X, 2, dilation=0), f"max_pool2d: dilation is 0; {INTEGER} 1"),
        (
            lambda: max_pool2d(X[..., :2, :2], 2, 1, 1, 3),
            r"max_pool2d: with padding \(1, 1\) and dilation \(3, 3\) a window meets no pixel of x, which is 2 x 2",
        ),
        (
            lambda: max_pool2d_backward(np.zeros((2, 3, 3, 3)), X, 2),
            r"max_pool2d_backward: grad_output has shape \(2, 3, 3, 3\); it must be \(2, 3, 3, 2\), the shape of what"
            " max_pool2d returns",
        ),
        (
            lambda: avg_pool2d_backward(np.zeros((2, 3, 3, 3)), X.shape, 2),
            r"avg_pool2d_backward: grad_output has shape .* \(2, 3, 3, 2\), the shape of what avg_pool2d returns",
        ),
        (
            lambda: avg_pool2d_backward(np.zeros((2, 3, 3, 2)), (6, 5), 2),
            r"avg_pool2d_backward: input_shape is \(6, 5\); it must be \(N, C, H, W\)",
        ),
        (
            lambda: avg_pool2d_backward(np.zeros((2, 3, 3, 2)), (2, 3, 6.5, 5), 2),
            rf"avg_pool2d_backward: input_shape\[2\] is 6\.5; {INTEGER} 1",
        ),
    ],
)
def test_errors_of_single_functions(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
