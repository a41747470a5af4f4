"""The package's modules import only from floors below their own (CONTRIBUTING.md)."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "backbone"
FLOORS = {
    "palette": 0,
    "glue": 0,
    "ops": 1,
    "data": 1,
    "layers": 1,
    "metrics": 1,
    "models": 1,
    "pretrained": 2,
    "probes": 2,
    "training": 2,
    "gradients": 2,
    "plots": 3,
    "exercises": 3,
    "widgets": 4,
}
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


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_imports_go_downwards(path):
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for other in imported(path) - {own}:
        assert FLOORS[other] < FLOORS[own], f"{own} (floor {FLOORS[own]}) imports {other} (floor {FLOORS[other]})"
