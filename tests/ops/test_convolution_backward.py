"""conv2d_backward against autograd, finite differences, and the law that makes it a transpose."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d

from backbone.ops import ConvGradients, conv2d, conv2d_backward

from .common import DTYPES, INTEGER, KERNEL_SIZES, MODEST, SWEEP, arrays, seeds, tensor


def by_autograd(grad, x, weight, **geometry):
    """The three gradients as PyTorch computes them."""
    inputs = tensor(x, True), tensor(weight, True), torch.zeros(len(weight), dtype=torch.float64, requires_grad=True)
    out = F.conv2d(*inputs, **geometry)
    return ConvGradients(*(g.numpy() for g in torch.autograd.grad(out, inputs, tensor(grad))))


def assert_equal(ours, theirs, atol=1e-10):
    for field in dataclasses.fields(ConvGradients):
        a, b = getattr(ours, field.name), getattr(theirs, field.name)
        assert a.shape == b.shape, field.name
        np.testing.assert_allclose(a, b, rtol=0, atol=atol, err_msg=field.name)


def example(seed, kernel, geometry, size=(9, 7), dtype=np.float64):
    """An output gradient, images and kernels that fit together."""
    x, weight = arrays(seed, (2, 4, *size), (8, 4 // geometry.get("groups", 1), *kernel), dtype=dtype)
    (grad,) = arrays(seed + 1, conv2d(x, weight, **geometry).shape, dtype=dtype)
    return grad, x, weight


# --- The right numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stride", "padding", "dilation", "groups"), SWEEP)
@pytest.mark.parametrize("kernel", KERNEL_SIZES)
def test_it_equals_autograd(stride, padding, dilation, groups, kernel):
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    problem = example(0, kernel, geometry)
    assert_equal(conv2d_backward(*problem, **geometry), by_autograd(*problem, **geometry))


@pytest.mark.parametrize("size", [(7, 7), (8, 9), (10, 11), (6, 12)])
@pytest.mark.parametrize("stride", [2, 3, 4, 5])
def test_it_equals_autograd_whatever_rest_the_stride_leaves(size, stride):
    problem = example(1, (3, 2), {"stride": stride}, size)
    assert_equal(conv2d_backward(*problem, stride=stride), by_autograd(*problem, stride=stride))


def test_depthwise_equals_autograd():
    grad, x, weight = arrays(2, (2, 12, 5, 5), (2, 6, 5, 5), (12, 1, 3, 3))
    geometry = {"padding": 1, "groups": 6}
    assert_equal(conv2d_backward(grad, x, weight, **geometry), by_autograd(grad, x, weight, **geometry))


def test_padding_wider_than_the_kernel():
    grad, x, weight = example(3, (2, 1), {"padding": (3, 2)})
    assert_equal(conv2d_backward(grad, x, weight, padding=(3, 2)), by_autograd(grad, x, weight, padding=(3, 2)))


@pytest.mark.parametrize(
    "geometry", [{}, {"stride": 2, "padding": 1}, {"stride": (3, 2), "dilation": 2, "padding": 2, "groups": 2}]
)
def test_it_equals_central_finite_differences(geometry):
    grad, x, weight = example(4, (3, 2), geometry)
    (bias,) = arrays(5, (8,))
    inputs, step = (
        {"input": x, "weight": weight, "bias": bias},
        1e-3,
    )  # the loss is linear in each: no step is too large
    gradients = conv2d_backward(grad, x, weight, **geometry)

    def loss(name, index, change):
        changed = inputs | {name: inputs[name].copy()}
        changed[name][index] += change
        return (grad * conv2d(*changed.values(), **geometry)).sum()

    for name, array in inputs.items():
        for index in list(np.ndindex(array.shape))[::7]:
            difference = (loss(name, index, step) - loss(name, index, -step)) / (2 * step)
            assert getattr(gradients, name)[index] == pytest.approx(difference, abs=1e-9)


def test_in_one_channel_at_stride_one_they_are_scipys_full_convolution_and_correlation():
    grad, x, weight = arrays(6, (5, 4), (7, 7), (3, 4))
    gradients = conv2d_backward(*(a[None, None] for a in (grad, x, weight)))
    np.testing.assert_allclose(gradients.input[0, 0], convolve2d(grad, weight, mode="full"), rtol=0, atol=1e-12)
    np.testing.assert_allclose(gradients.weight[0, 0], correlate2d(x, grad, mode="valid"), rtol=0, atol=1e-12)


def test_pixels_that_no_window_reached_have_no_gradient():
    gradients = conv2d_backward(np.ones((1, 1, 2, 2)), np.full((1, 1, 6, 6), 2.0), np.ones((1, 1, 2, 2)), stride=3)
    assert gradients.input[0, 0].tolist() == [[1, 1, 0, 1, 1, 0], [1, 1, 0, 1, 1, 0], [0] * 6] * 2
    np.testing.assert_array_equal(gradients.weight, np.full((1, 1, 2, 2), 8))


# --- The law ------------------------------------------------------------------------------------------------

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@MODEST
@given(seeds, pairs, pairs, pairs, st.tuples(st.integers(0, 3), st.integers(0, 3)), st.integers(1, 2))
def test_both_gradients_are_adjoint_to_the_convolution(seed, kernel, stride, dilation, padding, groups):
    geometry = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    grad, x, weight = example(seed % 2**31, kernel, geometry)
    out, gradients = conv2d(x, weight, **geometry), conv2d_backward(grad, x, weight, **geometry)
    inner = (out * grad).sum()
    assert (x * gradients.input).sum() == pytest.approx(inner, abs=1e-9)
    assert (weight * gradients.weight).sum() == pytest.approx(inner, abs=1e-9)


# --- Dtypes, special values, memory -------------------------------------------------------------------------


@pytest.mark.parametrize(("x_dtype", "weight_dtype", "expected"), DTYPES)
def test_dtypes(x_dtype, weight_dtype, expected):
    x, weight = np.ones((1, 2, 3, 3), x_dtype), np.ones((2, 2, 2, 2), weight_dtype)
    gradients = conv2d_backward(np.ones((1, 2, 2, 2), "?"), x, weight)
    assert {a.dtype for a in vars(gradients).values()} == {np.dtype(expected)}
    np.testing.assert_array_equal(gradients.input[0, 0], [[2, 4, 2], [4, 8, 4], [2, 4, 2]])
    np.testing.assert_array_equal(gradients.weight, np.full((2, 2, 2, 2), 4))
    np.testing.assert_array_equal(gradients.bias, [4, 4])


def test_a_float64_output_gradient_widens_the_result():
    grad, x, weight = example(7, (3, 3), {}, dtype=np.float32)
    assert conv2d_backward(grad, x, weight).input.dtype == np.float32
    assert conv2d_backward(grad.astype(np.float64), x, weight).input.dtype == np.float64


def test_integers_stay_exact():
    x, weight = np.full((1, 1, 1, 2), 2**53 + 1), np.ones((1, 1, 1, 1), int)
    assert conv2d_backward(np.ones((1, 1, 1, 2), int), x, weight).weight.item() == 2**54 + 2


def test_half_precision_is_summed_in_single():
    x = np.full((1, 1, 64, 64), 1.001, np.float16)
    gradients = conv2d_backward(x, x, np.ones((1, 1, 1, 1), np.float16))
    np.testing.assert_array_equal(gradients.bias, np.float16(x.sum(dtype=np.float64)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("into", ["grad", "x", "both"])
@pytest.mark.parametrize("geometry", [{}, {"padding": 1}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2}])
def test_nan_and_infinity_pass_as_in_torch(value, into, geometry):
    grad, x, weight = example(8, (3, 3), geometry)
    weight[2] = 0
    if into != "x":
        grad[0, 2, 1, 2] = value
        grad[1, 0, 0, 0] = value
    if into != "grad":
        x[0, 1, 1, 2] = value
    assert_equal(conv2d_backward(grad, x, weight, **geometry), by_autograd(grad, x, weight, **geometry))


def test_an_infinite_weight_gives_nan_where_it_meets_a_zero_put_in():
    weight = np.array([[[[np.inf, 1.0]]]])
    gradients = conv2d_backward(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 4)), weight, stride=2)
    np.testing.assert_array_equal(gradients.input, [[[[np.inf, np.nan, np.inf, np.nan]]]])  # PyTorch: inf 1 inf 1
    np.testing.assert_array_equal(gradients.weight, [[[[2, 2]]]])


def test_views_and_lists_are_accepted_and_nothing_is_changed():
    grad, x, weight = example(9, (3, 2), {"padding": 1})
    before = [a.copy() for a in (grad, x, weight)]
    views = [np.asfortranarray(grad), x[:, :, ::-1][:, :, ::-1], weight.tolist()]
    views[0].setflags(write=False)
    gradients = conv2d_backward(*views, padding=1)
    assert_equal(gradients, by_autograd(*before, padding=1))
    for a, kept in zip((grad, x, weight), before, strict=True):
        np.testing.assert_array_equal(a, kept)
        assert not any(np.shares_memory(a, gradient) for gradient in vars(gradients).values())


# --- Errors -------------------------------------------------------------------------------------------------

GRAD, X, W = np.zeros((2, 8, 4, 3)), np.zeros((2, 4, 6, 5)), np.zeros((8, 4, 3, 3))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grad_output": GRAD[0]}, r"grad_output has shape \(8, 4, 3\); it must be \(2, 8, 4, 3\)"),
        (
            {"grad_output": GRAD[..., :2]},
            r"grad_output has shape \(2, 8, 4, 2\); it must be \(2, 8, 4, 3\), the shape of what conv2d returns"
            " for these arguments",
        ),
        ({"padding": 1}, r"grad_output has shape \(2, 8, 4, 3\); it must be \(2, 8, 6, 5\), the shape of what"),
        ({"grad_output": GRAD.astype(complex)}, "grad_output has dtype complex128; it must hold real numbers"),
        ({"x": X[0]}, r"x has shape \(4, 6, 5\); it must be \(N, C, H, W\)"),
        ({"weight": W[:, :3]}, "weight has 3 input channels, x has 4; they must agree"),
        ({"groups": 3}, "groups is 3; it must divide the 4 channels of x and the 8 kernels of weight"),
        ({"stride": 0}, f"stride is 0; {INTEGER} 1, or a pair of them"),
        ({"padding": -1}, f"padding is -1; {INTEGER} 0"),
        ({"dilation": (3, 1)}, "a kernel of 3 with dilation 3 spans 7 pixels, but height of x is 6"),
    ],
)
def test_errors_say_what_is_wrong(change, message):
    with pytest.raises(ValueError, match=f"^conv2d_backward: {message}"):
        conv2d_backward(**({"grad_output": GRAD, "x": X, "weight": W} | change))
