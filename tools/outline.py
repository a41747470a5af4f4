"""The book as a path: what each chapter asks, what it needs, and how long it takes to read.

The question and what it needs stand in the chapter's front matter. The minutes are computed from its text, its open
code and its figures.
"""

import ast
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import book_files
import execution
import folds

# What is read or done in a minute, and the minutes that a figure takes.
WORDS, LINES = 120, 10
STILL, MOVING = 1, 3
RULE = (
    f"A minute is {WORDS} words or {LINES} lines of open code; a figure takes {STILL}, one that moves {MOVING}. "
    "Exercises are extra. In all: with the chapters that are needed before."
)
EXERCISES = "\n## Exercises\n"
EXERCISE = re.compile(r"^`{3,}\{exercise\}", re.MULTILINE)
WORD = re.compile(r"\w+(?:[-’'.]\w+)*")
WIDGETS = "backbone.widgets"


@dataclass(frozen=True)
class Part:
    """A part of the book, with its chapters in reading order."""

    title: str
    chapters: tuple["Chapter", ...]


@dataclass(frozen=True)
class Chapter:
    """A chapter on the path; `needs` are the names of those that it builds on."""

    docname: str
    question: str
    needs: tuple[str, ...]
    text: str  # up to the exercises, without code
    code: tuple[tuple[str, str | None], ...]  # of each cell, with the title of its fold
    given: int = 0  # minutes that the front matter says
    exercises: int = 0

    @cached_property
    def minutes(self) -> int:
        """Return how long it takes to read, to the nearest five; in Korean as long as in English (tools/korean.py)."""
        if self.given:
            return self.given
        words = len(WORD.findall(self.text))
        lines = sum(len(source.splitlines()) for source, title in self.code if title is None)
        moving = sum(moves(source, self.widgets) for source, _ in self.code)
        still = sum(title == folds.FIGURE for _, title in self.code) - moving
        return max(5, 5 * round((words / WORDS + lines / LINES + STILL * still + MOVING * moving) / 5))

    @cached_property
    def widgets(self) -> set[str]:
        """Return the names of the classes of moving figures that the chapter imports."""
        return {
            alias.asname or alias.name
            for source, _ in self.code
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and node.module == WIDGETS
            for alias in node.names
        }


def moves(source: str, widgets: set[str]) -> bool:
    """Return whether a cell makes one of the moving figures."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return any(ast.unparse(call.func) in widgets for call in calls)


@cache
def parts(root: Path) -> tuple[Part, ...]:
    """Return the parts of `_toc.yml` that have chapters."""
    found = []
    for part in book_files.read_yaml(root, "_toc.yml").get("parts") or []:
        names = [entry["file"] for entry in part["chapters"] if entry["file"].startswith("chapters/")]
        if names:
            found.append(Part(part["caption"], tuple(read(root, name) for name in names)))
    return tuple(found)


def chapters(root: Path) -> dict[str, Chapter]:
    """Return the chapters by their names, in reading order."""
    return {chapter.docname: chapter for part in parts(root) for chapter in part.chapters}


def minutes_in_all(docname: str, known: dict[str, Chapter]) -> int:
    """Return how long it takes to read a chapter with all that it builds on, each once."""
    path = [docname]
    for name in path:  # which grows meanwhile
        path += [other for other in known[name].needs if other in known and other not in path]
    return sum(known[name].minutes for name in path)


def read(root: Path, docname: str) -> Chapter:
    """Read a chapter up to its exercises."""
    notebook = execution.read(root / f"{docname}.md")
    text, code = [], []
    for cell in notebook.cells:
        tags = cell.metadata.get("tags", [])
        if cell.cell_type == "code" and "remove-cell" not in tags:
            code.append((cell.source, folds.title(cell.source, tags)))
        elif cell.cell_type == "markdown":
            text.append(cell.source)
            if EXERCISES in f"\n{cell.source}\n":
                text[-1] = f"\n{cell.source}\n".partition(EXERCISES)[0]
                break
    exercises = sum(len(EXERCISE.findall(cell.source)) for cell in notebook.cells if cell.cell_type == "markdown")
    needs = tuple(f"chapters/{name}" for name in notebook.metadata.get("needs", []))
    said = notebook.metadata.get("question", ""), notebook.metadata.get("minutes", 0)
    return Chapter(docname, said[0], needs, "\n".join(text), tuple(code), said[1], exercises)
