"""The activations that widgets compute in the page equal Python's, which equal PyTorch's."""

import numpy as np
import pytest
from scipy.special import ndtr

from backbone.layers import ACTIVATIONS
from backbone.widgets.base import HERE, join

POINTS = np.concatenate([np.linspace(-12, 12, 1201), [-1000.0, -700, -40, -9, 9, 37, 700, 1000, 1e-300]])


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(f"{join(HERE / 'activations.js')}\nexport {{ normalShare }};")


def test_the_names_are_pythons(module):
    assert module("() => Object.keys(m.activationFunctions)") == list(ACTIVATIONS)


@pytest.mark.parametrize("part", ["value", "derivative"])
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_values_and_derivatives_equal_pythons(module, name, part):
    found = module("([name, part, z]) => z.map(m.activationFunctions[name][part])", [name, part, POINTS.tolist()])
    expected = getattr(ACTIVATIONS[name], part)(POINTS)

    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


def test_no_number_stays_none(module):
    found = module("() => Object.values(m.activationFunctions).map((one) => one.value(NaN))")
    assert np.isnan(np.array(found, dtype=float)).all()


def test_the_normal_distribution_equals_scipys_far_into_its_tail(module):
    near = np.r_[np.linspace(-12, 9.5, 2151), -0.0, 40, -40]
    for z, tolerance in [(near, 1e-12), (np.linspace(-36, -12, 2401), 1e-6)]:
        np.testing.assert_allclose(module("(z) => z.map(m.normalShare)", z.tolist()), ndtr(z), rtol=tolerance)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_the_largest_slope_equals_pythons(module, name):
    found = module("(name) => m.steepest(m.activationFunctions[name])", name)
    assert found == pytest.approx(np.abs(ACTIVATIONS[name].derivative(np.linspace(-10, 10, 20_001))).max(), rel=1e-5)
