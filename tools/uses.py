"""Which files of the package a piece of Python uses: what a chapter's outputs depend on besides its own text.

Imports are followed through the source, without running it. A package whose ``__init__.py`` only imports names is a
face: whoever takes one name from it uses the module behind that name, and not its neighbors. So an edit of one widget
or one exercise concerns the one chapter that shows it. Every other doubt is settled by taking more.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

# Code, and what computes nothing in a kernel: pages get the current JavaScript and CSS without being executed.
NO_DATA = {".py", ".pyc", ".js", ".css"}
WHOLE = "*"


def files_used(source: str, src: Path) -> set[Path]:
    """Return the files under `src`, modules and data, that the outputs of `source` can depend on."""
    found, waiting = set(), _targets(source, src)
    while waiting:
        path = waiting.pop()
        found.add(path)
        waiting |= _imports_of(path, src, path.stat().st_mtime_ns) - found
    return found | {file for folder in {path.parent for path in found} for file in _data(folder)}


def _data(folder: Path) -> list[Path]:
    """List a folder's files that are no code: modules read those that lie beside them."""
    return [path for path in folder.iterdir() if path.is_file() and path.suffix not in NO_DATA]


@cache
def _imports_of(path: Path, src: Path, _edited: int) -> frozenset[Path]:
    return frozenset(_targets(path.read_text("utf-8"), src))


def _targets(source: str, src: Path) -> set[Path]:
    """Return the modules that a source names itself, each face replaced by what stands behind the names taken."""
    nodes = list(ast.walk(ast.parse(source)))
    return {path for module, name in _names(nodes, src) for path in _behind(module, name, src)}


def _names(nodes: list[ast.AST], src: Path):
    """Yield (module, name) for everything a source takes from the package; the name is `WHOLE` for all of a module."""
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.level:
            raise ValueError(f"line {node.lineno}: a relative import; write the module's whole name")
        if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
            for alias in node.names:
                yield from _taken(nodes, node.module, alias, src)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, WHOLE) for alias in node.names if _is_ours(alias.name) and "." in alias.name)
        elif _is_attribute_of(node, "backbone") and _file(f"backbone.{node.attr}", src):  # after ``import backbone``
            yield f"backbone.{node.attr}", WHOLE
        elif _is_module_name(node, src):  # importlib.resources.files("backbone.data")
            yield node.value, WHOLE


def _is_module_name(node: ast.AST, src: Path) -> bool:
    named = isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_ours(node.value)
    return named and _file(node.value, src) is not None


def _taken(nodes: list[ast.AST], module: str, alias: ast.alias, src: Path):
    """Yield what an imported name stands for; of a package, only the attributes that the source asks for."""
    whole = f"{module}.{alias.name}"
    if not _file(whole, src):
        yield module, alias.name
        return
    bound = alias.asname or alias.name
    asked = [node.attr for node in nodes if _is_attribute_of(node, bound)]
    alone = sum(isinstance(node, ast.Name) and node.id == bound for node in nodes) - len(asked)
    yield from ((whole, name) for name in ({WHOLE} if alone or not asked else set(asked)))


def _is_attribute_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == name


def _behind(module: str, name: str, src: Path) -> set[Path]:
    """Return the modules that a name of a module needs."""
    if name != WHOLE and _file(f"{module}.{name}", src):
        return _behind(f"{module}.{name}", WHOLE, src)
    path = _file(module, src)
    if not path:
        raise ValueError(f"there is no module {module} under {src}")
    face = _face(path, path.stat().st_mtime_ns)
    if face is None:
        return {path, *_parents(module, src)}
    if name in face:
        return _behind(*face[name], src)
    return {path, *(found for target in face.values() for found in _behind(*target, src))}


def _parents(module: str, src: Path) -> set[Path]:
    """Return the packages around a module that do more than import: they run before it."""
    names = module.split(".")
    around = [_file(".".join(names[:end]), src) for end in range(1, len(names))]
    return {path for path in around if path and _face(path, path.stat().st_mtime_ns) is None}


@cache
def _face(path: Path, _edited: int) -> dict[str, tuple[str, str]] | None:
    """Return name -> (module, name) for an ``__init__.py`` that only imports from the package, else None."""
    if path.name != "__init__.py":
        return None
    face = {}
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.ImportFrom) and _is_ours(node.module):
            face |= {alias.asname or alias.name: (node.module, alias.name) for alias in node.names}
        elif not _says_nothing(node):
            return None
    return face


def _says_nothing(node: ast.stmt) -> bool:
    """Say whether a statement is a docstring or the list of public names."""
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)] == ["__all__"]
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_ours(module: str | None) -> bool:
    return bool(module) and module.split(".")[0] == "backbone"


def _file(module: str, src: Path) -> Path | None:
    """Return the file of a module, or None where no module has that name."""
    path = src.joinpath(*module.split("."))
    candidates = (path / "__init__.py", path.with_name(f"{path.name}.py"))
    return next((file for file in candidates if file.is_file()), None)
