"""The package's modules import only from floors below their own (CONTRIBUTING.md)."""

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "backbone"
ROWS = re.findall(r"^\| (\d) \| ([^|]+)", (PACKAGE.parents[1] / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
FLOORS = {name: int(floor) for floor, names in ROWS for name in re.findall(r"`(\w+)(?:\.py|/)`", names)}
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def part(name: str) -> str:
    """Return the module or folder of the package that a dotted name lies in."""
    return name.split(".")[1] if "." in name else ""


def imported(path: Path) -> set[str]:
    """Return the parts of the package that a file imports."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: write imports from backbone in full"
            names |= (
                {f"{node.module}.{alias.name}" for alias in node.names} if node.module == "backbone" else {node.module}
            )
    return {part(name) for name in names if name.startswith("backbone.")}


OURS = [
    path for folder in ("tools", "experiments", "_ext") for path in sorted((PACKAGE.parents[1] / folder).glob("*.py"))
]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_what_a_tool_asks_of_another_is_there(path):
    tree, names = ast.parse(path.read_text("utf-8")), {one.stem for one in OURS}
    modules = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name in names
    }
    asked = {
        (modules[node.value.id], node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules
    }
    missing = [f"{name}.{attribute}" for name, attribute in asked if not hasattr(import_module(name), attribute)]
    assert missing == []


def test_each_part_of_the_package_has_a_floor():
    parts = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in MODULES}
    assert set(FLOORS) == parts


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_downwards(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for other in imported(path) - {own}:
        assert FLOORS[other] < FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {other} (floor {FLOORS[other]})"
