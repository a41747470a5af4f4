"""The functions of the kit that need no widget."""

import pytest

from backbone.widgets.base import HERE, join


@pytest.fixture(scope="module")
def module(module_of):
    return module_of(join(HERE / "kit.js"))


@pytest.mark.browser
def test_ticks_are_round_numbers_within_the_range(module):
    assert module("() => m.ticksOf(-0.31, 0.92, 6)") == [-0.2, 0, 0.2, 0.4, 0.6, 0.8]
    assert module("() => m.ticksOf(45, 100, 4)") == [60, 80, 100]
