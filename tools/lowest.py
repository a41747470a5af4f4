"""Run the package's tests with the lowest versions that pyproject.toml allows.

    python tools/lowest.py              all tests that need neither the site nor a browser
    python tools/lowest.py tests/ops    some of them; any arguments of pytest will do

The bounds stand in pyproject.toml alone; what only the tests need comes in the versions of requirements.txt. The
environment is made in `_build/lowest`, once for each set of versions.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_build" / "lowest"
PYTHON = FOLDER / ("Scripts" if os.name == "nt" else "bin") / "python"
TEST_NEEDS = (
    "axe-playwright-python",
    "beautifulsoup4",
    "captum",
    "hypothesis",
    "jupytext",
    "markdown-it-py",
    "playwright",
    "pytest",
    "pytest-xdist",
    "PyYAML",
    "torchinfo",
    "wasmtime",
)
# Tests of how the book is made, which needs the pinned packages.
HOUSE = (
    "test_browser",
    "test_build",
    "test_chapters",
    "test_colab",
    "test_find_browser",
    "test_floors",
    "test_jupyterlab",
    "test_korean",
    "test_korean_pages",
    "test_notebooks",
    "test_other_browsers",
    "test_publish",
    "test_site",
    "test_uses",
    "widgets/test_every_widget",
)


def main(arguments: list[str]) -> int:
    """Make the environment where it is missing, say what it is for, and run the tests; return pytest's exit code."""
    lowest = bounds((ROOT / "pyproject.toml").read_text("utf-8"))
    pins = "\n".join(f"{name}=={version}" for name, version in lowest.items())
    needs = pinned(TEST_NEEDS, (ROOT / "requirements.txt").read_text("utf-8"))
    mark = FOLDER / hashlib.sha256(f"{pins} {needs} {sys.version}".encode()).hexdigest()[:16]
    print(pins, flush=True)
    if not mark.exists():
        make(pins, needs)
        mark.touch()
    ignored = [f"--ignore=tests/{name}.py" for name in HOUSE]
    # Old packages warn of each other.
    options = ["-q", "-n", "2", "-W", "default", "-m", "not site and not browser and not build"]
    command = [PYTHON, "-m", "pytest", *options, *ignored, *arguments]
    return subprocess.run(command, cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}).returncode


def bounds(pyproject: str) -> dict[str, str]:
    """Return package -> the lowest version allowed, or raise ValueError for a dependency without such a bound."""
    found = {}
    for dependency in tomllib.loads(pyproject)["project"]["dependencies"]:
        match = re.fullmatch(r"([\w.-]+)>=([\d.]+)", dependency)
        if not match:
            raise ValueError(f"pyproject.toml: {dependency!r} must be NAME>=VERSION, which lowest.py can turn around")
        found[match[1]] = match[2]
    return found


def pinned(names: tuple[str, ...], requirements: str) -> list[str]:
    """Return "NAME==VERSION" as requirements.txt has it, for each name."""
    versions = dict(re.findall(r"^([\w.-]+)==(\S+)$", requirements, re.MULTILINE))
    return [f"{name}=={versions[name]}" for name in names]


def make(pins: str, needs: list[str]) -> None:
    """Make the environment anew: the package, its dependencies at their bounds, and what the tests need."""
    print("Installing these into _build/lowest (minutes; gigabytes, where torch brings CUDA) ...", flush=True)
    shutil.rmtree(FOLDER, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", FOLDER], check=True)
    (FOLDER / "constraints.txt").write_text(pins + "\n", "utf-8")
    install = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-q"]
    subprocess.run([*install, "-c", FOLDER / "constraints.txt", "-e", ROOT, *needs], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
