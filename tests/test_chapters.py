"""The sources keep their own rules: short cells, links that lead somewhere, solutions that pass their checks."""

import ast
import contextlib
import io
import itertools
import posixpath
import re
from functools import cache
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import book_files
import folds
import glued
import korean
import notebooks
import outline
import pytest
from docutils.nodes import make_id
from myst_blocks import Block, parse
from notebook_markdown import INLINE, ROLES, Renderer

LINT = pytest.mark.lint

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


@LINT
@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_code_fits_the_reading_column(path):
    wide = [line for _, code in cells(path) for line in code.splitlines() if len(line) > 76]
    assert not wide


@LINT
@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_cells_are_short(path):
    long = [code for tags, code in cells(path) if "hide" not in tags and len(code.strip().splitlines()) > 20]
    assert not long


@LINT
@pytest.mark.parametrize("path", CHAPTERS, ids=named)
def test_headings_are_short(path):
    headings = re.findall(r"^#+ .+", CELL.sub("", path.read_text("utf-8")), re.MULTILINE)
    assert [heading for heading in headings if len(heading.lstrip("# ")) > 60] == []


@LINT
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


# --- Links, glued numbers and alternative texts, before anything is built --------------------------------------

PAGES = [(docname, code) for code in ("", korean.CODE) for docname in book_files.documents(ROOT)]
ON_GITHUB = sorted({path.name for path in ROOT.glob("*.md")} - {f"{docname}.md" for docname, _ in PAGES})
FILES = ("image", "figure", "button-ref")  # directives whose argument is an address; the first two show a picture
LINKS = ("doc", "ref", "term", "cite:p", "cite:t")
SPAN = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
ADDRESS = re.compile(r"\]\(\s*<?([^\s()<>]+)|\b(?:href|src)=\"([^\"]*)\"")
PICTURE = re.compile(r"<(?:img|svg)\b[^>]*>|!\[\s*\]\([^)]*\)")
NAMED = re.compile(r"\b(?:alt|aria-label|aria-labelledby)=\"[^\"]|\baria-hidden=\"true\"")
IN_WORDS = {"plots.Drawing": "alt", "plots.Table": "caption"}  # what says what a figure or a table shows
ANY = r"\w+"


@cache
def edition(code: str) -> notebooks.Book:
    english, _ = notebooks.read_book(ROOT)
    return notebooks.korean_book(english) if code else english


@cache
def blocks(text, file, first=1) -> list[Block]:
    """Return the blocks of a source, and those within its directives."""
    found = []
    for block in parse(text.splitlines(), file, first):
        found.append(block)
        if block.kind == "directive" and block.name != "code-cell":
            found += blocks("\n".join(block.lines), file, block.line + 1 + len(block.options))
    return found


def prose(text, file):
    """Yield the running text of a source, each with its first line."""
    for block in blocks(text, file):
        if block.kind in ("text", "nested", "heading_open"):
            yield block.line, "\n".join(block.lines)
        elif block.kind == "directive" and block.name not in ("code-cell", *FILES):
            yield block.line, block.argument


@cache
def calls(text) -> list[tuple[int, ast.Call]]:
    """Return the calls in a source's cells, each with its line."""
    found = []
    for cell in CELL.finditer(text):
        first = text.count("\n", 0, cell.start(1)) + 1
        code = re.sub(r"^(?:%|!|:tags:).*$", "", cell[1], flags=re.MULTILINE)
        nodes = ast.walk(ast.parse(code))
        found += [(first + node.lineno - 1, node) for node in nodes if isinstance(node, ast.Call)]
    return found


def on_line(file, line, said) -> str:
    return f"{file}, line {line}: {said}"


def problems(text: str, docname: str, book: notebooks.Book) -> list[str]:
    """Return a sentence for each link of a page that leads nowhere, each picture without words and each lost number."""
    file = book.source(docname)
    found = [*lost_roles(text, docname, book), *lost_addresses(text, file, lambda a: leads(a, docname, book))]
    for block in blocks(text, file):
        if block.name in FILES and not leads(block.argument, docname, book):
            found.append(on_line(file, block.line, f"{block.argument!r} leads nowhere; correct it."))
        if block.name in FILES[:2] and not block.options.get("alt"):
            found.append(on_line(file, block.line, "the picture has no words; say with :alt: what it shows."))
        if shown := block.options.get("file"):
            if not (ROOT / shown).is_file():
                found.append(on_line(file, block.line, f"{shown!r} is not there; correct it."))
            else:
                found += wordless((ROOT / shown).read_text("utf-8"), shown)
    return [*found, *wordless(text, file), *wordless_calls(text, file), *lost_numbers(text, docname, file)]


def lost_roles(text, docname, book) -> list[str]:
    """Return a sentence for each reference to a page, a label, a term or a source that is not there."""
    known = (book.pages[docname], book.pages, book.repository, book.references)
    renderer, found = Renderer(*known, file=book.source(docname)), []
    for first, part in prose(text, renderer.file):
        for role in INLINE.finditer(part):
            if role["role"] in LINKS:
                line = first + part.count("\n", 0, role.start())
                try:
                    ROLES[role["role"]](renderer, " ".join(role["content"].split()), line)
                except book_files.NotebookError as error:
                    found.append(str(error))
    return found


def lost_addresses(text, file, exists) -> list[str]:
    """Return a sentence for each relative address of a link or a picture for which `exists` says no."""
    found = []
    for first, part in prose(text, file):
        plain = SPAN.sub(lambda code: re.sub(r"\S", " ", code[0]), part)
        for match in ADDRESS.finditer(plain):
            address = match[1] or match[2]
            if not urlsplit(address).scheme and not exists(address):
                line = first + plain.count("\n", 0, match.start())
                found.append(on_line(file, line, f"{address!r} leads nowhere; correct it."))
    return found


def leads(address, docname, book) -> bool:
    """Say whether an address on a page names a page of the book, with the place on it, or a file."""
    parts = urlsplit(address)
    folder = "" if parts.path.startswith("/") else posixpath.dirname(docname)
    path = posixpath.normpath(posixpath.join(folder, unquote(parts.path).lstrip("/"))) if parts.path else docname
    if path.removesuffix(".html") not in book.pages:
        return (ROOT / path).is_file()
    places = [*parse_qs(parts.query).get("alone", []), parts.fragment]
    known = anchors(path.removesuffix(".html"), book)
    return all(any(re.fullmatch(anchor, place) for anchor in known) for place in places if place)


@cache
def anchors(docname, book) -> list[str]:
    """Return patterns for the places of a page: labels, terms, headings and moving figures."""
    page, text = book.pages[docname], (ROOT / f"{docname}.md").read_text("utf-8")  # headings have the English anchors
    found = [*(target.anchor for target in page.targets.values()), *page.terms.values()]
    found += [make_id(block.argument) for block in blocks(text, f"{docname}.md") if block.kind == "heading_open"]
    figures = [figure_anchor(call) for _, call in calls(text) if re.fullmatch(r"[A-Z]\w+", ast.unparse(call.func))]
    return [*map(re.escape, found), *figures]


def figure_anchor(call) -> str:
    """Return a pattern for the anchor that finding.py gives a moving figure; what it shows may be a default."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", call.func.id.removesuffix("Explorer")).lower()
    shown = [ast.literal_eval(one.value) for one in call.keywords if one.arg == "show"]
    return f"figure-{name}" + (f"-{shown[0]}" if shown else r"(?:-\w+)?")


def wordless(text, file) -> list[str]:
    """Return a sentence for each picture that says to nobody what it shows."""
    plain = SPAN.sub(lambda code: re.sub(r"\S", " ", code[0]), CELL.sub(lambda cell: "\n" * cell[0].count("\n"), text))
    return [
        on_line(file, plain.count("\n", 0, one.start()) + 1, "the picture has no words; give it an alternative text.")
        for one in PICTURE.finditer(plain)
        if not NAMED.search(one[0])
    ]


def wordless_calls(text, file) -> list[str]:
    """Return a sentence for each figure without an alternative text, and for each table without a caption."""
    found = []
    for line, call in calls(text):
        if name := IN_WORDS.get(ast.unparse(call.func)):
            words = [*call.args[1:2], *(one.value for one in call.keywords if one.arg == name)]
            if not words or (isinstance(words[0], ast.Constant) and not str(words[0].value).strip()):
                found.append(on_line(file, line, f"{ast.unparse(call.func)} says nothing; give it {name}=."))
    return found


def lost_numbers(text, docname, file) -> list[str]:
    """Return a sentence for each number of the text that no cell glues, and for each glued one that is nowhere shown.

    Where a cell puts a name together, the last built book says which names that made.
    """
    shown = {name: line for line, name in numbers_shown(text, file)}
    given = [(line, pattern(call.args[0])) for line, call in calls(text) if ast.unparse(call.func) == "glue"]
    whole = {name for _, name in given if ANY not in name} | glued.stored(ROOT, docname).values.keys()
    lost = {name for name in shown if name not in whole or not any(re.fullmatch(one, name) for _, one in given)}
    unused = {line for line, one in given if not any(re.fullmatch(one, name) for name in shown)}
    return [on_line(file, shown[name], f"no cell glues {name!r}; correct it.") for name in sorted(lost)] + [
        on_line(file, line, "the text shows no number of this name; show it, or do not glue it.")
        for line in sorted(unused)
    ]


def numbers_shown(text, file):
    """Yield the names of the numbers that a text shows, each with its line."""
    for first, part in prose(text, file):
        for role in INLINE.finditer(part):
            if role["role"] == "glue:text":
                yield first + part.count("\n", 0, role.start()), role["content"].partition(":")[0]


def pattern(node) -> str:
    """Return a pattern for the names that an expression may make."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(pattern, node.values))
    if isinstance(node, ast.BinOp):
        return pattern(node.left) + pattern(node.right)
    return re.escape(node.value) if isinstance(node, ast.Constant) else ANY


def demand(sentences):
    """Fail with one sentence for each thing that is wrong."""
    if sentences:
        pytest.fail("\n".join(sentences), pytrace=False)


@LINT
@pytest.mark.parametrize(("docname", "code"), PAGES)
def test_links_lead_somewhere_pictures_have_words_and_numbers_are_glued(docname, code):
    book = edition(code)
    demand(problems((ROOT / book.source(docname)).read_text("utf-8"), docname, book))


def problems_on_github(text: str, file: str) -> list[str]:
    """Return a sentence for each link of a text on GitHub that leads nowhere, and for each picture without words."""

    def exists(address) -> bool:
        path, _, place = address.partition("#")
        target = ROOT / path if path else ROOT / file
        headings = re.findall(r"^#+ (.*)", text if not path else place and target.read_text("utf-8"), re.MULTILINE)
        slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
        return target.exists() and (not place or place in slugs)

    return [*lost_addresses(text, file, exists), *wordless(text, file)]


@LINT
@pytest.mark.parametrize("file", ON_GITHUB)
def test_links_on_github_lead_somewhere_and_pictures_have_words(file):
    demand(problems_on_github((ROOT / file).read_text("utf-8"), file))


CODE = "```{{code-cell}} ipython3\n{}\n```"
ON_A_PAGE = {
    "See {doc}`nowhere`.": "'nowhere' is no page",
    "See {ref}`nowhere`.": "no page of the book has the label 'nowhere'",
    "A {term}`nothing`.": "the glossary has no term 'nothing'",
    "Says {cite:t}`nobody1900`.": "references.bib has no entry 'nobody1900'",
    "See [this](nowhere.md).": "'nowhere.md' leads nowhere",
    "See [this](#nowhere).": "'#nowhere' leads nowhere",
    'See <a href="vgg.html#nowhere">this</a>.': "'vgg.html#nowhere' leads nowhere",
    'See <a href="vgg.html?alone=figure-nothing">this</a>.': "'vgg.html?alone=figure-nothing' leads nowhere",
    "![A cat](cat.png)": "'cat.png' leads nowhere",
    "```{figure} cat.png\n:alt: A cat\n```": "'cat.png' leads nowhere",
    "```{raw} html\n:file: _static/cat.svg\n```": "'_static/cat.svg' is not there",
    "```{admonition} A box\nSee {doc}`nowhere`.\n```": "'nowhere' is no page",
    "{glue:text}`nothing:.2f` %": "no cell glues 'nothing'",
    CODE.format('glue("nothing", 1)'): "the text shows no number of this name",
    "```{image} ../_static/logo.png\n```": "the picture has no words",
    "![](../_static/logo.png)": "the picture has no words",
    '<img src="../_static/logo.png">': "the picture has no words",
    CODE.format('plots.Drawing(ax, caption="A cat")'): "plots.Drawing says nothing; give it alt=",
    CODE.format("plots.Table(rows)"): "plots.Table says nothing; give it caption=",
}
ON_GITHUB_TOO = {
    "See [this](nowhere.md).": "'nowhere.md' leads nowhere",
    "See [this](LICENSE#nowhere).": "'LICENSE#nowhere' leads nowhere",
    "See [this](#nowhere).": "'#nowhere' leads nowhere",
    "![A cat](cat.png)": "'cat.png' leads nowhere",
    "![](.github/film.webp)": "the picture has no words",
}


@pytest.mark.parametrize("code", ["", korean.CODE])
@pytest.mark.parametrize("planted", ON_A_PAGE)
def test_an_error_that_is_planted_in_a_page_is_found_on_its_line(planted, code):
    book = edition(code)
    text = (ROOT / book.source("chapters/vgg")).read_text("utf-8").rstrip()
    (said,) = problems(f"{text}\n\n{planted}\n", "chapters/vgg", book)
    line, where = int(re.search(r"line (\d+)", said)[1]) - text.count("\n") - 3, 1 if "\n" in planted else 0
    assert said.startswith(f"{book.source('chapters/vgg')}, line ")
    assert ON_A_PAGE[planted] in said
    assert 0 <= line <= where


@pytest.mark.parametrize("planted", ON_GITHUB_TOO)
def test_an_error_that_is_planted_on_github_is_found_on_its_line(planted):
    (said,) = problems_on_github(f"# Title\n\n{planted}\n", "README.md")
    assert said.startswith("README.md, line 3: ")
    assert ON_GITHUB_TOO[planted] in said


def test_what_leads_somewhere_is_no_error():
    sound = "# A title: here\n\n[Here](#a-title-here), [there](CONTRIBUTING.md#write-a-chapter), `[not](a-link)`\n"
    assert problems_on_github(sound, "README.md") == []
