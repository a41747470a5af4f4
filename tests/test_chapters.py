"""The chapters keep their own rules: short cells, exercises with solutions that pass their checks."""

import ast
import contextlib
import io
import itertools
import re
from pathlib import Path

import book_files
import folds
import outline
import pytest

ROOT = Path(__file__).resolve().parents[1]

CHAPTERS = book_files.chapters(ROOT)
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TAGS = re.compile(r"^:tags: \[(.*)\]\n")
EXERCISE = re.compile(r"^(`{3,})\{exercise\}[^\n]*\n:label: (\S+)\n.*?^\1$", re.MULTILINE | re.DOTALL)
SOLUTION = re.compile(r"^(`{3,})\{solution\} (\S+)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
WIDTH = re.compile(r"[<>^=]?[+ ]?0?\d")  # of a format that pads with blanks
CHECK = re.compile(r"^(check_\w+)\((\w+)\)$", re.MULTILINE)


def named(path: Path) -> str:
    return path.stem


def cells(path: Path) -> list[tuple[str, str]]:
    """Return the tags and the code of each cell."""
    found = []
    for body in CELL.findall(path.read_text("utf-8")):
        tags = TAGS.match(body)
        found.append((tags[1] if tags else "", TAGS.sub("", body)))
    return found


def test_there_are_chapters():
    assert CHAPTERS


def test_a_chapter_asks_a_question_and_builds_on_earlier_ones_alone():
    chapters, before = outline.chapters(ROOT), set()
    for name, chapter in chapters.items():
        assert re.fullmatch(r"[A-Z].{9,69}\?", chapter.question), f"{name}: question, in its front matter"
        assert set(chapter.needs) <= before, f"{name}: needs, in its front matter"
        before.add(name)
    assert len(before) == len(CHAPTERS)
    assert len({chapter.question for chapter in chapters.values()}) == len(CHAPTERS)


def test_minutes_come_from_words_open_code_and_figures():
    code = (
        ("from backbone.widgets import Playground", folds.IMPORTS),
        ("Playground()", folds.FIGURE),
        ("plots.Drawing()", folds.FIGURE),
        ("x = 1\n" * 60, None),
        ("assert x", folds.CHECKS),
    )
    chapter = outline.Chapter("chapters/some", "?", (), "It’s a word. " * 400, code)
    assert chapter.minutes == 5 * round((1200 / 120 + 60 / 10 + 3 + 1) / 5)


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_code_fits_the_reading_column(path):
    wide = [line for _, code in cells(path) for line in code.splitlines() if len(line) > 76]
    assert not wide


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_cells_are_short(path):
    long = [code for tags, code in cells(path) if "hide" not in tags and len(code.strip().splitlines()) > 20]
    assert not long


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_headings_are_short(path):
    headings = re.findall(r"^#+ .+", CELL.sub("", path.read_text("utf-8")), re.MULTILINE)
    assert [heading for heading in headings if len(heading.lstrip("# ")) > 60] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_cells_print_no_columns(path):
    printed = [
        call
        for _, code in cells(path)
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "print"
    ]
    padded = [
        ast.unparse(part)
        for call in printed
        for part in ast.walk(call)
        if (
            isinstance(part, ast.FormattedValue)
            and part.format_spec
            and WIDTH.match(ast.unparse(part.format_spec)[2:-1])
        )
        or (isinstance(part, ast.Constant) and re.search(r"\S {3}|\t", str(part.value)))
    ]
    assert not padded, "what stands in columns is a plots.Table"


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_every_exercise_has_a_check_and_a_solution(path):
    text = path.read_text("utf-8")
    exercises = [match[2] for match in EXERCISE.finditer(text)]
    solutions = [match[2] for match in SOLUTION.finditer(text)]
    checks = [call for _, code in cells(path) for call in CHECK.findall(code)]
    assert exercises
    assert solutions == exercises
    assert len(checks) == len(exercises)


def is_import(node) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom)


def opening(path: Path) -> dict:
    """Return the names a reader has after the chapter's first imports."""
    names: dict = {}
    imports = (code for _, code in cells(path) if all(map(is_import, ast.parse(code).body)))
    for code in itertools.islice(imports, 2):
        exec(code, names)
    return names


@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_solutions_pass_their_own_checks_and_the_empty_functions_do_not(path):
    solutions = [
        re.search(r"```python\n(.*?)```", match[3], re.DOTALL)[1] for match in SOLUTION.finditer(path.read_text())
    ]
    exercises = [code for _, code in cells(path) if CHECK.search(code)]
    for code, solution in zip(exercises, solutions, strict=True):
        names = opening(path)
        check, function = CHECK.search(code).groups()
        with contextlib.redirect_stdout(io.StringIO()):
            exec(code, names)
        assert not names[check](names[function]).passed
        exec(solution, names)
        report = names[check](names[function])
        assert report.passed, report
