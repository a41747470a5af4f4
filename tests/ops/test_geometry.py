"""Sizes against counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backbone.ops import output_size

from .common import INTEGER, MODEST

# --- Output size --------------------------------------------------------------------------------------------


@MODEST
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_output_size_counts_the_windows_that_fit(size, kernel_size, stride, padding, dilation):
    last = dilation * (kernel_size - 1)
    starts = [i for i in range(0, size + 2 * padding, stride) if i + last < size + 2 * padding]
    if starts:
        assert output_size(size, kernel_size, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="the span must not be larger"):
            output_size(size, kernel_size, stride, padding, dilation)


def test_numpy_integers_are_integers():
    assert output_size(np.int64(5), np.uint8(3)) == 3
    assert type(output_size(np.int64(5), 3)) is int


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), f"size is 0; {INTEGER} 1"),
        ((5.0, 3), rf"size is 5\.0; {INTEGER} 1"),
        ((5, 0), f"kernel_size is 0; {INTEGER} 1"),
        ((5, 3, 0), f"stride is 0; {INTEGER} 1"),
        ((5, 3, 1, -1), f"padding is -1; {INTEGER} 0"),
        ((5, 3, 1, 0, 0), f"dilation is 0; {INTEGER} 1"),
        ((5, "3"), f"kernel_size is '3'; {INTEGER} 1"),
        (
            (4, 5),
            "a kernel of 5 with dilation 1 spans 5 pixels, but size is 4 .4 with padding.; the span must",
        ),
    ],
)
def test_output_size_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=f"^output_size: {message}"):
        output_size(*arguments)
