"""The list of this book's checks, made from its tests: `{checks} folder folder ...`.

Each file of tests says in its first sentence what it holds against what; "." stands for the files beside the folders.
"""

from __future__ import annotations

import ast
import hashlib
from pathlib import Path

import book_files
from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class Checks(SphinxDirective):
    """Some folders of tests, a line for each file, with a link to it."""

    required_arguments = 1
    optional_arguments = 20

    def run(self):
        """Return the list; the page is read again when a test changes."""
        root = Path(self.env.srcdir)
        repository, lines = book_files.repository(root), []
        for path in sorted(one for name in self.arguments for one in (root / "tests" / name).glob("test_*.py")):
            self.env.note_dependency(str(path))
            name, (said, count) = path.relative_to(root).as_posix(), about(path.read_text("utf-8"))
            link = nodes.reference("", said, internal=False, refuri=repository.source_url(name))
            rest = [nodes.inline("", f" {count} tests", classes=["bb-note"])] if count > 1 else []
            lines.append(nodes.list_item("", nodes.paragraph("", "", link, *rest)))
        if not lines:
            raise self.error(f"there are no tests in {', '.join(self.arguments)}")
        return [nodes.bullet_list("", *lines)]


def about(source: str) -> tuple[str, int]:
    """Return what a file of tests says that it checks, and how many tests it has, some of which run on many cases."""
    tree = ast.parse(source)
    count = sum(isinstance(node, ast.FunctionDef) and node.name.startswith("test_") for node in ast.walk(tree))
    return " ".join((ast.get_docstring(tree) or "").split("\n\n")[0].split()), count


def setup(app):
    """Connect the directive."""
    # A file of tests that is new, and an edit here, make the page anew, too.
    names = sorted(str(path) for path in (Path(app.srcdir) / "tests").rglob("test_*.py"))
    made_by = hashlib.sha256("\0".join([Path(__file__).read_text("utf-8"), *names]).encode()).hexdigest()
    app.add_config_value("backbone_list_of_checks", made_by, "env")
    app.add_directive("checks", Checks)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
