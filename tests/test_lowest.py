"""The tool behind `make lowest`: it turns the bounds around, and finds what the tests need."""

import ast
import sys
from importlib import metadata
from pathlib import Path

import lowest  # tools/lowest.py
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent


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


def test_what_is_not_left_out_imports_no_more_than_is_installed():
    """Such a file fails there before its first test."""
    assert [name for name in lowest.HOUSE if not (TESTS / f"{name}.py").exists()] == []
    there = needed_by({*lowest.TEST_NEEDS, *lowest.bounds((ROOT / "pyproject.toml").read_text("utf-8"))})
    packages = metadata.packages_distributions()
    ours = [path for folder in ("tests", "tools", "experiments") for path in (ROOT / folder).rglob("*.py")]
    ours = {path.parent.name if path.stem == "__init__" else path.stem: path for path in ours}
    known = {*sys.stdlib_module_names, "backbone", *ours}
    known |= {module for module, names in packages.items() if {canonicalize_name(name) for name in names} & there}
    files = [
        path
        for path in TESTS.rglob("test_*.py")
        if path.relative_to(TESTS).with_suffix("").as_posix() not in lowest.HOUSE
    ]
    files += TESTS.rglob("conftest.py")
    for path in files:  # and what these import of ours, as it is found
        files += {ours[name] for name in imported(path) & ours.keys()} - {*files}
    assert {path.name: more for path in files if (more := imported(path) - known)} == {}


def needed_by(names):
    """Return packages with all that they need, by their names in one spelling."""
    found, waiting = set(), [canonicalize_name(name) for name in names]
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            needs = [Requirement(line) for line in metadata.requires(name) or []]
            waiting += [canonicalize_name(one.name) for one in needs if not one.marker or one.marker.evaluate()]
    return found


def imported(path):
    """Return the modules that a file imports as it is loaded."""
    lines = ast.parse(path.read_text("utf-8")).body
    names = [name.name for line in lines if isinstance(line, ast.Import) for name in line.names]
    names += [line.module or "" for line in lines if isinstance(line, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}
