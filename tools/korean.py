"""The Korean edition: what its pages are made of, and what is still to be done for it.

    python tools/korean.py stamp NAME ...     say that all of these chapters' Korean agrees with the English of today
    python tools/korean.py stale              list the passages whose English has changed since
    python tools/korean.py missing [NAME ...] list the English words of these chapters that no catalogue has

A chapter in Korean, `chapters/ko/NAME.md`, is a chapter of its own: its text is written by hand. Its code cells are
not: `make notebooks` copies the English ones. A passage is the text between two code cells; `+++ {"en": "..."}` over it
has the hash of the English it was made from. The other pages lie in `ko/`, each a passage of its own.

The Korean site is a book of its own in `_build/ko`, with the same names of pages, which executes nothing: it shows the
outputs of the English chapters, whose words are told from the catalogues (`backbone.language`).
"""

from __future__ import annotations

import ast
import hashlib
import html
import io
import json
import os
import re
import shutil
import sys
import tokenize
from functools import cache
from pathlib import Path
from textwrap import shorten

import book_files
import execution
import yaml
from book_files import NotebookError

from backbone import language

CODE = "ko"
# Of a page's card: _ext/fonts/hangul.otf, and for the rest, such as a Polish name, what matplotlib brings.
CARD_FACES = ("Backbone Hangul", "DejaVu Sans")
CELL = re.compile(r"^```\{code-cell\}[^\n]*\n.*?^```$\n?|^@@$\n?", re.MULTILINE | re.DOTALL)
CELL_PARTS = re.compile(r"(```\{code-cell\}[^\n]*\n(?::[^\n]*\n)*\n?)(.*?)(```\n?)\Z", re.DOTALL)
STAMP = re.compile(r'^\+\+\+ \{"en": "(\w+)"\}\n+', re.MULTILINE)
HEADER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
QUESTION = re.compile(r"^question: (.+)$", re.MULTILINE)
SAME = ("_ext", "_extra", "src", "tools", "tests", "references.bib")  # of both editions
STALE = '<p class="bb-note bb-stale" role="note">{words} <a hreflang="en" lang="en" href="{href}">English</a></p>'


def source_of(root: Path, docname: str) -> Path:
    """Return the file of a page's Korean text."""
    return root / source_name(docname)


def source_name(docname: str) -> str:
    """Return the name of that file."""
    folder, _, name = docname.rpartition("/")
    return "/".join(filter(None, [folder, CODE, f"{name}.md"]))


def pages(root: Path) -> list[str]:
    """Return the names of the pages that are there in Korean, in reading order."""
    return [name for name in book_files.documents(root) if source_of(root, name).exists()]


# --- Passages -------------------------------------------------------------------------------------------------


def passages(text: str) -> list[str]:
    """Return the texts between the code cells, without stamps and blank ends."""
    return [STAMP.sub("", part).strip() for part in CELL.split(HEADER.sub("", text))]


def hash_of(passage: str) -> str:
    """Return the stamp of what was made from an English passage."""
    return hashlib.sha256(passage.encode()).hexdigest()[:8]


def stamps(text: str) -> list[str | None]:
    """Return the stamp of each passage."""
    found = [STAMP.search(part) for part in CELL.split(HEADER.sub("", text))]
    return [match and match[1] for match in found]


def stale(root: Path, docname: str) -> list[int]:
    """Return the numbers of the passages whose English is another than they were made from."""
    english, korean = read(root, docname)
    pairs = zip(passages(english), stamps(korean), strict=True)
    return [number for number, (passage, stamp) in enumerate(pairs) if passage and stamp != hash_of(passage)]


def opening(root: Path, docname: str, number: int) -> str:
    """Return the first words of an English passage, by which an author finds it."""
    return shorten(passages(read(root, docname)[0])[number], 60, placeholder=" ...")


def read(root: Path, docname: str) -> tuple[str, str]:
    """Return the English and the Korean source of a page.

    Raises:
        NotebookError: there is no Korean one, or their cells are not as many.
    """
    english, path = (root / f"{docname}.md").read_text("utf-8"), source_of(root, docname)
    if not path.exists():
        raise NotebookError(f"{source_name(docname)} is not there: write it, with a line `@@` for each code cell.")
    korean = path.read_text("utf-8")
    cells = [len(CELL.findall(text)) for text in (english, korean)]
    if cells[0] != cells[1]:
        raise NotebookError(
            f"{path.relative_to(root).as_posix()} has {cells[1]} code cells, the English {cells[0]}: write a line `@@` "
            "where one is missing, or take one out."
        )
    return english, korean


def in_step(root: Path, docname: str, stamped: bool = False) -> str:
    """Return a Korean chapter with the English code cells and header of today; its own text and question stay.

    With `stamped` each passage says that it was made from the English of today.
    """
    english, korean = read(root, docname)
    told = language.of_chapter(CODE, docname.rpartition("/")[2])
    marks = [hash_of(one) if one else None for one in passages(english)] if stamped else stamps(korean)
    cells = [cell_told(cell, told) for cell in CELL.findall(english)]
    out = [header(english, korean)]
    for text, mark, cell in zip(passages(korean), marks, [*cells, ""], strict=True):
        stamp = f'+++ {{"en": "{mark}"}}\n\n' if mark else ""
        out.append("\n".join(filter(None, [f"{stamp}{text}\n" if text else "", cell])))
    return "\n".join(out).rstrip("\n") + "\n"


def header(english: str, korean: str) -> str:
    """Return the English front matter with the Korean question."""
    head, asked = HEADER.match(english), QUESTION.search((HEADER.match(korean) or [""])[0])
    return QUESTION.sub(lambda match: asked[0] if asked else match[0], head[0]) if head else ""


# --- Code -----------------------------------------------------------------------------------------------------


def cell_told(block: str, told: language.Catalogue) -> str:
    """Return a fenced code cell with its comments and docstrings told; every other token stays."""
    head, code, fence = CELL_PARTS.match(block).groups()
    return head + code_told(code, told) + fence.rstrip("\n") + "\n"


def code_told(code: str, told: language.Catalogue) -> str:
    """Return code with its comments and docstrings told."""
    lines = code.splitlines(keepends=True)
    for place, text in reversed(said(code)):
        row, column, end = place
        line, new = lines[row - 1], told.find(text)
        if new is not None:
            lines[row - 1] = line[:column] + line[column:end].replace(text, new) + line[end:]
    return "".join(lines)


def said(code: str) -> list[tuple[tuple[int, int, int], str]]:
    """Return what code says in words: place (row, column, end) and text of its comments and one-line docstrings."""
    body = re.sub(r"^[%!]", "#", code, flags=re.MULTILINE)
    docs = {
        (node.body[0].lineno, node.body[0].col_offset)
        for node in ast.walk(ast.parse(body))
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)
    }
    found = []
    for token in tokenize.generate_tokens(io.StringIO(body).readline):
        (row, column), (last, end) = token.start, token.end
        if token.type == tokenize.COMMENT and code.splitlines()[row - 1][column] == "#":
            found.append(((row, column, end), token.string.lstrip("# ")))
        elif token.type == tokenize.STRING and token.start in docs:
            text = ast.literal_eval(token.string)
            if row == last:
                found.append(((row, column, end), text))
            else:  # a line at a time
                lines = code.splitlines()[row - 1 : last]
                found += [
                    ((row + i, 0, len(line)), line.strip(' "')) for i, line in enumerate(lines) if line.strip(' "')
                ]
    return found


def same_code(english: str, korean: str) -> bool:
    """Say whether two chapters have the same cells but for comments and docstrings."""
    return list(map(meaning, CELL.findall(english))) == list(map(meaning, CELL.findall(korean)))


def meaning(block: str) -> tuple[str, str]:
    """Return a cell's options, and its code as Python reads it, without docstrings."""
    head, code, _ = CELL_PARTS.match(block).groups()
    tree = ast.parse(re.sub(r"^([%!].*)$", "pass", code, flags=re.MULTILINE))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body[0] = ast.Expr(ast.Constant(""))
    return head, ast.dump(tree)


# --- The site -------------------------------------------------------------------------------------------------


def assemble(root: Path, minutes: dict[str, int]) -> Path:
    """Write the sources of the Korean book and return their folder; what did not change keeps its date."""
    site, told = root / "_build" / CODE, language.catalogue(CODE, "site")
    (site / "chapters").mkdir(parents=True, exist_ok=True)
    for name in SAME:
        link_to(root / name, site / name)
    copy_static(root / "_static", site / "_static")
    put(site / "_config.yml", config(root, told))
    put(site / "_toc.yml", toc(root, told))
    names = book_files.documents(root)
    for docname in names:
        put(site / f"{docname}.md", page(root, docname, told, minutes))
        twins = (source_of(root, docname).with_suffix(".ipynb"), root / f"{docname}.ipynb")
        if twin := next((path for path in twins if path.exists()), None):
            put(site / f"{docname}.ipynb", twin.read_text("utf-8"))
    for path in [*(site / "chapters").glob("*.md"), *(site / "chapters").glob("*.ipynb")]:
        if f"chapters/{path.stem}" not in names:
            path.unlink()
    return site


def link_to(source: Path, target: Path) -> None:
    """Let a folder or a file stand in another place; where a system makes no links, as a copy."""
    if target.is_symlink():
        return
    if target.exists():
        shutil.rmtree(target) if target.is_dir() else target.unlink()
    try:
        target.symlink_to(os.path.relpath(source, target.parent))
    except OSError:  # Windows, but for developers
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)


def copy_static(source: Path, target: Path) -> None:
    """Copy the site's own files, with the words of its scripts told."""
    told = language.catalogue(CODE, "static")
    for path in source.rglob("*"):
        if path.is_file():
            text = told.tell_module(path.read_text("utf-8")).encode() if path.suffix == ".js" else path.read_bytes()
            put(target / path.relative_to(source), text)


def put(path: Path, text: str | bytes) -> None:
    """Write a file that has another content."""
    content = text.encode() if isinstance(text, str) else text
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def config(root: Path, told: language.Catalogue) -> str:
    """Return the settings of the Korean book."""
    settings = book_files.read_yaml(root, "_config.yml")
    cards = settings["sphinx"]["config"]["ogp_social_cards"]
    settings["sphinx"]["config"] |= {
        "language": CODE,
        "html_extra_path": [],  # both editions share the English one's
        "mathjax_path": "../" + settings["sphinx"]["config"]["mathjax_path"],
        "ogp_social_cards": cards | {"font": [*CARD_FACES]},
        "ogp_custom_meta_tags": ['<meta property="og:locale" content="ko_KR" />'],
        "togglebutton_hint": told.tell("Click to show"),
        "togglebutton_hint_hide": told.tell("Click to hide"),
    }
    return yaml.safe_dump(settings, allow_unicode=True, sort_keys=False)


def toc(root: Path, told: language.Catalogue) -> str:
    """Return the table of contents with its captions told."""
    content = book_files.read_yaml(root, "_toc.yml")
    for part in content.get("parts") or []:
        part["caption"] = told.tell(part["caption"])
    return yaml.safe_dump(content, allow_unicode=True, sort_keys=False)


def page(root: Path, docname: str, told: language.Catalogue, minutes: dict[str, int]) -> str:
    """Return the source of a page of the Korean book; one that is not there in Korean yet is English, and says so."""
    href = f"{'../' * (docname.count('/') + 1)}{docname}.html"

    def note(words: str) -> str:
        return STALE.format(words=told.tell(words), href=href)

    if not source_of(root, docname).exists():
        text = (root / f"{docname}.md").read_text("utf-8")
        return re.sub(r"^# .*$", lambda title: f"{title[0]}\n\n{note(ENGLISH)}", text, count=1, flags=re.MULTILINE)
    english, korean = read(root, docname)
    late = stale(root, docname)
    parts = CELL.split(korean)
    cells = [match[0] for match in CELL.finditer(korean)]
    for number in late:
        # With the hash, so that the page is written again when the English changes again.
        mark = f"% {hash_of(passages(english)[number])}"
        parts[number] = f"{parts[number].rstrip()}\n\n{note(CHANGED)}\n\n{mark}\n\n"
    text = "".join(piece for pair in zip(parts, [*cells, ""], strict=True) for piece in pair)
    if docname in minutes:
        text = text.replace("\nquestion:", f"\nminutes: {minutes[docname]}\nquestion:", 1)
    return text


ENGLISH = "This page is not there in Korean yet."
CHANGED = "The English of this part has changed."


def publish(root: Path) -> None:
    """Put the built Korean pages into the site."""
    target = root / "_build" / "html" / CODE
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(root / "_build" / CODE / "_build" / "html", target, copy_function=shutil.copyfile)
    (target / "404.html").unlink()  # a server shows that of the English pages


# --- What is to be done -----------------------------------------------------------------------------------------


@cache
def names() -> re.Pattern:
    """Return what a word that stays Latin in Korean looks like."""
    listed = json.loads((language.HERE / CODE / "names.json").read_text("utf-8"))
    return re.compile("|".join(sorted(listed, key=len, reverse=True)))


def is_english(text: str) -> bool:
    """Say whether a text has Latin words besides names, and so needs an entry."""
    return bool(re.search(r"[A-Za-z]{2}", names().sub("", text)))


def needed(text: str) -> str:
    """Return the entry that a text needs: with places for its numbers."""
    return language.NUMBER.sub("{}", " ".join(text.split()))


def chapter_texts(root: Path, docname: str) -> tuple[list[str], list[str]]:
    """Return what the cells of a chapter say in words, and what its figures and tables show."""
    text = (root / f"{docname}.md").read_text("utf-8")
    comments = [words for cell in CELL.findall(text) for _, words in said(CELL_PARTS.match(cell)[2])]
    file = execution.kept_of(root, docname)
    pictures = [(root / name).read_text("utf-8") for name in re.findall(r"^:file: (\S+\.svg)$", text, re.MULTILINE)]
    return comments, (shown_texts(file) if file else []) + [text for one in pictures for text in texts_in(one)]


def wanted(root: Path, docname: str) -> dict[str, dict[str, str]]:
    """Return by catalogue the texts of a chapter that have no entry yet, each with nothing."""
    name = docname.rpartition("/")[2]
    told, found = language.of_chapter(CODE, name), {}
    comments, shown = chapter_texts(root, docname)
    for text in [*comments, *shown]:
        if is_english(text) and told.find(text) is None and told.find(" ".join(text.split())) is None:
            found.setdefault(f"chapters/{name}", {})[text if text in comments else needed(text)] = ""
    for text in exercise_texts(name):
        if told.find(text) is None:
            found.setdefault(f"exercises/{name}", {})[text] = ""
    return found


def unused(root: Path, docname: str) -> set[str]:
    """Return the entries of a chapter's catalogue for which there is no text any more."""
    comments, shown = chapter_texts(root, docname)
    there = {*comments, *map(needed, shown), *(" ".join(text.split()) for text in shown)}
    return set(language.table(CODE, f"chapters/{docname.rpartition('/')[2]}")) - there


def texts_in(markup: str) -> list[str]:
    """Return the texts and labels that markup shows."""
    return [html.unescape(text) for part in language.KEPT.split(markup)[0::3] for text in language.SHOWN.findall(part)]


def shown_texts(file: Path) -> list[str]:
    """Return the texts of a kept chapter's figures and tables."""
    cells = json.loads(file.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    markup = ["".join(output.get("data", {}).get("text/html", "")) for output in outputs]
    figures = [one for one in markup if 'class="bb-' in one and "bb-report" not in one]
    return list(dict.fromkeys(text for one in figures for text in texts_in(one)))


def exercise_texts(name: str) -> list[str]:
    """Return what the checks of a chapter say."""
    from importlib import import_module

    from backbone.exercises.check import Exercise

    try:
        found = vars(import_module(f"backbone.exercises.{name.replace('-', '_')}")).values()
    except ModuleNotFoundError:
        return []
    return list(dict.fromkeys(text for one in found if isinstance(one, Exercise) for text in one.texts))


def main(command: str, *given: str) -> int:
    """Run a command."""
    root = Path(__file__).resolve().parents[1]
    known = {name.rpartition("/")[2]: name for name in book_files.documents(root)}
    if unknown := sorted(set(given) - set(known)):
        print(f"There is no page {', '.join(unknown)}; the book has {', '.join(known)}.", file=sys.stderr)
        return 1
    docnames = [known[name] for name in given]
    if command == "stamp":
        for docname in docnames:
            source_of(root, docname).write_text(in_step(root, docname, stamped=True), "utf-8")
    elif command == "stale":
        for docname in docnames or pages(root):
            for number in stale(root, docname):
                print(f"{source_name(docname)}: the English has changed: {opening(root, docname, number)!r}")
    elif command == "missing":
        for docname in docnames or pages(root):
            print(json.dumps(wanted(root, docname), ensure_ascii=False, indent=1))
    else:
        print(__doc__, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(*(sys.argv[1:] or [""])))
    except NotebookError as error:
        sys.exit(str(error))
