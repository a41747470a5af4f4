"""Activations and their derivatives, held against PyTorch and against differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy.special import log_ndtr

from backbone.layers import ACTIVATIONS

EACH = pytest.mark.parametrize("name", ACTIVATIONS)
HARD = [-1000, -40, -20, -3, -1e-9, -0.0, 0, 1e-9, 0.5, 3, 20, 40, 1000]


def torch_gives(name, z, grad):
    z = torch.tensor(z, requires_grad=True)
    value = ACTIVATIONS[name].module()(z)
    (back,) = torch.autograd.grad(value, z, torch.tensor(grad))
    return value.detach().numpy(), back.numpy()


def test_there_are_seven():
    assert list(ACTIVATIONS) == ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu"]


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st_numpy.arrays(np.float64, (3, 5), elements=st.floats(-60, 60)))
def test_value_and_way_back_equal_pytorchs(z):
    """One draw for all of them: it costs more than what is done with it."""
    grad = np.linspace(-2, 3, z.size).reshape(z.shape)
    for name, activation in ACTIVATIONS.items():
        value, back = torch_gives(name, z, grad)
        np.testing.assert_allclose(activation.value(z), value, rtol=1e-12, atol=1e-12, err_msg=name)
        np.testing.assert_allclose(activation.backward(grad, z), back, rtol=1e-12, atol=1e-12, err_msg=name)


@EACH
def test_hard_numbers_give_no_warning_and_pytorchs_values(name):
    z = np.array(HARD, dtype=np.float64)
    value, back = torch_gives(name, z, np.ones_like(z))
    np.testing.assert_allclose(ACTIVATIONS[name].value(z), value, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(z), back, rtol=1e-12, atol=1e-12)


@EACH
def test_the_derivative_is_the_slope(name):
    z = np.array([-4, -1.7, -0.6, 0.3, 1.1, 2.9])
    value = ACTIVATIONS[name].value
    slope = (value(z + 1e-6) - value(z - 1e-6)) / 2e-6
    np.testing.assert_allclose(ACTIVATIONS[name].derivative(z), slope, rtol=1e-7, atol=1e-8)


@EACH
def test_dtypes_stay_and_integers_become_floats(name):
    for function in (ACTIVATIONS[name].value, ACTIVATIONS[name].derivative):
        assert function(np.ones((2, 3), np.float32)).dtype == np.float32
        assert function([1, -1]).dtype == np.float64
        assert function(2).shape == ()


def test_saturated_slopes_do_not_become_zero():
    """At z = 40 the slopes are tiny and not 0: products of many of them are the chapter's subject."""
    assert ACTIVATIONS["sigmoid"].derivative(40) == pytest.approx(np.exp(-40), rel=1e-12)
    assert ACTIVATIONS["tanh"].derivative(40) == pytest.approx(4 * np.exp(-80), rel=1e-12)
    z, bell = -14.8, np.exp(-(14.8**2) / 2) / np.sqrt(2 * np.pi)
    assert ACTIVATIONS["gelu"].derivative(z) == pytest.approx(np.exp(log_ndtr(z)) + z * bell, rel=1e-9)


@pytest.mark.parametrize(
    ("name", "lowest", "highest"),
    [
        ("sigmoid", 0, 0.25),
        ("tanh", 0, 1),
        ("relu", 0, 1),
        ("leaky_relu", 0.01, 1),
        ("elu", 0, 1),
        ("gelu", -0.13, 1.13),
        ("silu", -0.10, 1.10),
    ],
)
def test_derivatives_lie_where_the_table_says(name, lowest, highest):
    slopes = ACTIVATIONS[name].derivative(np.linspace(-30, 30, 60_001))
    assert slopes.min() == pytest.approx(lowest, abs=0.005)
    assert slopes.max() == pytest.approx(highest, abs=0.005)
