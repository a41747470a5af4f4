"""correlate1d against NumPy and SciPy."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from backbone.ops import correlate1d

from .common import DTYPES, MODEST, arrays, seeds


@MODEST
@given(seeds, st.integers(1, 12), st.integers(1, 12))
def test_correlate1d_equals_numpy_and_scipy(seed, a, b):
    x, weights = arrays(seed, max(a, b), min(a, b))
    out = correlate1d(x, weights)
    np.testing.assert_allclose(out, np.correlate(x, weights, "valid"), rtol=0, atol=1e-12)
    np.testing.assert_allclose(out, scipy.signal.correlate(x, weights, "valid"), rtol=0, atol=1e-12)


def test_the_weights_are_not_flipped():
    np.testing.assert_array_equal(correlate1d([0, 0, 1, 0, 0], [1, 2, 3]), [3, 2, 1])


@pytest.mark.parametrize(("x_dtype", "weight_dtype", "expected"), DTYPES)
def test_dtypes(x_dtype, weight_dtype, expected):
    out = correlate1d(np.ones(4, x_dtype), np.ones(3, weight_dtype))
    assert out.dtype == expected
    np.testing.assert_array_equal(out, 3)


def test_uint8_never_overflows():
    row = np.full(3, 255, np.uint8)
    assert correlate1d(row, row).item() == 3 * 255**2


def test_nan_and_infinity_pass_without_a_warning():
    np.testing.assert_array_equal(correlate1d([1, 2, np.inf, np.nan], [1.0, 1.0]), [3, np.inf, np.nan])
    np.testing.assert_array_equal(correlate1d([np.inf, 1, 1], [0.0, 0.0]), [np.nan, 0])  # 0 * inf


@pytest.mark.parametrize(
    ("x", "weights", "message"),
    [
        ([[1, 2]], [1], r"x has shape \(1, 2\); it must be \(L,\)"),
        ([1, 2], 3, r"weights has shape \(\); it must be \(K,\)"),
        ([], [1], r"x has shape \(0,\); every size must be at least 1"),
        ([1, 2], [1, 2, 3], "weights has length 3, x only 2; weights must fit in x"),
        ([1j], [1], "x has dtype complex128; it must hold real numbers"),
    ],
)
def test_errors_say_what_is_wrong(x, weights, message):
    with pytest.raises(ValueError, match=f"^correlate1d: {message}"):
        correlate1d(x, weights)
