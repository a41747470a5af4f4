"""The tool behind `make lowest`: it turns the bounds around, and finds what the tests need."""

from pathlib import Path

import lowest  # tools/lowest.py
import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_the_bounds_are_those_of_pyproject():
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    found = lowest.bounds(text)
    assert all(f'"{name}>={version}"' in text for name, version in found.items())
    assert tuple(map(int, found["torch"].split("."))) >= (2, 10)  # below, loading weights can run a stranger's code


@pytest.mark.parametrize("dependency", ["torch", "torch==2.10", "torch>=2.10,<3", "torch>2"])
def test_a_bound_that_cannot_be_turned_around_is_named(dependency):
    with pytest.raises(ValueError, match=r"must be NAME>=VERSION"):
        lowest.bounds(f'[project]\ndependencies = ["{dependency}"]')


def test_what_the_tests_need_is_pinned():
    pins = lowest.pinned(lowest.TEST_NEEDS, (ROOT / "requirements.txt").read_text("utf-8"))
    assert len(pins) == len(lowest.TEST_NEEDS)
    assert "pytest==" in " ".join(pins)
