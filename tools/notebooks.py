"""Make what follows from the chapters and from the repository's address.

`python tools/notebooks.py` writes, `python tools/notebooks.py --check` only says what is out of date:

- `chapters/NAME.ipynb`, the twin of a chapter: the same text as a notebook for Colab and Jupyter
- `chapters/ko/NAME.md`, but for its text: the code cells of the English chapter, and `chapters/ko/NAME.ipynb`, its twin
- `chapters/numbers/NAME.json`, the numbers that the text shows, as the last built book computed them
- the table of links in `README.md`, and the two addresses in `CITATION.cff`
"""

import argparse
import contextlib
import json
import os
import re
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import execution
import folds
import glued
import korean
from book_files import ARCHIVE, PDFS, NotebookError, Reference, Repository, bibliography, documents, repository
from myst_blocks import Page, survey
from notebook_markdown import WORDS, Renderer

from backbone import language

ROOT = Path(__file__).resolve().parents[1]
LINKS = "<!-- links: made by tools/notebooks.py -->"
LINKS_END = "<!-- /links -->"
KEPT_TAGS = {"raises-exception"}  # the only tag that changes what Jupyter does when it runs a cell
INSTALL = """\
# {install}
try:
    import backbone
except ModuleNotFoundError:
    %pip install -q git+{url}
    import backbone"""
SPEAK = """

from backbone import language

language.use("{language}", "{name}")"""


@dataclass(frozen=True, eq=False)
class Book:
    """What chapters need to know of the rest of the book."""

    root: Path
    repository: Repository
    pages: dict[str, Page]
    references: dict[str, Reference]
    language: str = ""  # English, where it is none of the others

    @property
    def chapters(self) -> list[str]:
        """Return the names of the chapters that could be read, in reading order."""
        return [name for name in self.pages if name.startswith("chapters/")]

    def source(self, docname: str) -> str:
        """Return the name of a page's file."""
        return korean.source_name(docname) if self.language else f"{docname}.md"

    def told(self, text: str) -> str:
        """Return fixed words of a notebook in the book's language."""
        return language.catalogue(self.language, "site").tell(text) if self.language else text

    @property
    def words(self) -> dict[str, str]:
        """Return the fixed words of a notebook."""
        return {name: self.told(text) for name, text in WORDS.items()}


@dataclass
class Cell:
    """A cell of a chapter, and the line of the chapter on which its source begins."""

    kind: str
    source: str
    line: int
    tags: tuple[str, ...] = ()
    name: str = ""  # in the notebook; without one a cell is numbered


def read_book(root: Path) -> tuple[Book, list[str]]:
    """Return the book, and a sentence for each page that cannot be read."""
    pages, errors = {}, []
    for docname in documents(root):
        try:
            pages[docname] = survey((root / f"{docname}.md").read_text(encoding="utf-8"), docname)
        except FileNotFoundError:
            if docname.startswith("chapters/"):
                errors.append(f"{docname}.md does not exist: write it, or take it out of _toc.yml.")
        except NotebookError as error:
            errors.append(str(error))
    return Book(root, repository(root), pages, bibliography(root)), errors


def render(text: str, docname: str, book: Book, numbers: glued.Numbers) -> tuple[str, set[str]]:
    """Return the twin of a chapter, given its source, and the names of the numbers that it shows."""
    file = book.source(docname)
    cells = read_cells(text, file)
    check_opening(cells, file)
    words = book.words
    known = (book.pages[docname], book.pages, book.repository, book.references)
    renderer = Renderer(*known, numbers.values, words=words, file=file)
    made = []
    for cell in cells:
        if cell.kind == "markdown":
            source = "\n".join(renderer.markdown(cell.source.splitlines(), cell.line))
            made += [Cell("markdown", source, cell.line)] if source else []
        else:
            made.append(replace(cell, name=renderer.asked))
            renderer.asked = ""
    opening = next(cell for cell in made if cell.kind == "markdown")
    title, _, rest = opening.source.partition("\n")
    opening.source = "\n\n".join(
        filter(None, (title, origin(docname, book, renderer.shown and numbers.versions), rest.strip("\n")))
    )
    install = next(cell for cell in made if cell.kind == "code")
    install.source = INSTALL.format(install=words["install"], url=book.repository.url)
    if book.language:
        install.source += SPEAK.format(language=book.language, name=docname.rpartition("/")[2])
    return dump(made, file, book.told), renderer.shown


def origin(docname: str, book: Book, versions: dict[str, str]) -> str:
    """Say where a twin comes from, and with what the numbers in its text were computed."""
    source = book.source(docname)
    places = {"source_url": book.repository.source_url(source), "page_url": book.repository.page_url(docname)}
    said = book.words["origin"].format(source=source, **places)
    if versions:
        said += " " + book.words["computed"].format(
            versions=", ".join(f"{name} {number}" for name, number in versions.items())
        )
    return f"*{said}*"


def read_cells(text: str, source: str) -> list[Cell]:
    """Read a chapter with jupytext; `source` names its file."""
    from jupytext.myst import MystMetadataParsingError, myst_to_notebook

    try:
        # jupytext.read calls this function too, but without the line numbers that our messages need.
        notebook = myst_to_notebook(text, add_source_map=True)
    except MystMetadataParsingError as error:
        raise NotebookError(f"{source} cannot be read: {' '.join(str(error).split())}.") from None
    # jupytext keeps what it found under "jupyter" when the cells name a lexer, and beside it when they do not.
    places = (notebook.metadata, notebook.metadata.get("jupyter", {}))
    if not any("text_representation" in place.get("jupytext", {}) for place in places):
        raise NotebookError(f"{source} has no jupytext header: copy that of another chapter.")
    lines, cells = text.splitlines(), []
    for cell, start in zip(notebook.cells, notebook.metadata["source_map"], strict=True):
        while not lines[start]:  # jupytext counts the blank lines above a cell, but drops them
            start += 1
        if cell.cell_type == "raw":
            raise NotebookError.at(source, start, "a raw cell shows nothing in a notebook; remove it.")
        cells.append(Cell(cell.cell_type, cell.source, start + 1, tuple(cell.metadata.get("tags") or ())))
    return cells


def check_opening(cells: list[Cell], source: str) -> None:
    """Raise unless the chapter begins as every chapter does."""
    text = next((cell for cell in cells if cell.kind == "markdown"), Cell("markdown", "", 1))
    # A label or a comment may stand above the title.
    if not re.match(r"(?:(?:\(.*\)=|%.*)?\n)*# \S", text.source):
        raise NotebookError.at(source, text.line, "the text must begin with the chapter's title, `# Title`.")
    code = next((cell for cell in cells if cell.kind == "code"), Cell("code", "", 1))
    if code.source != "import backbone" or "remove-cell" not in code.tags:
        raise NotebookError.at(
            source,
            code.line,
            "the first code cell must be the line `import backbone` alone, with `:tags: [remove-cell]`, "
            "because the notebook installs the package there.",
        )


def dump(cells: list[Cell], source: str, told) -> str:
    """Write cells as a notebook that is marked with its source; `told` says the titles of folds in its language."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

    make, made = {"markdown": new_markdown_cell, "code": new_code_cell}, []
    for number, cell in enumerate(cells):
        fold = folds.title(cell.source, cell.tags) if cell.kind == "code" else None
        # Jupyter hides the code that the site hides; Colab does so where a cell has a form, which needs a title.
        made_of = f"# @title {told(fold)}\n{cell.source}" if fold else cell.source
        made.append(make[cell.kind](made_of, id=cell.name or f"c{number:03}", metadata=marks(cell, fold)))
    metadata = {
        "backbone": {"source": source},  # by this mark `is_twin` knows it again
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return nbformat.writes(new_notebook(cells=made, metadata=metadata)) + "\n"


def marks(cell: Cell, fold: str | None) -> dict:
    """Return the metadata of a cell: what Jupyter and Colab hide, and the tags that stay."""
    found = {}
    if fold:
        found |= {"cellView": "form", "jupyter": {"source_hidden": True}}
    if fold == folds.CHECKS:
        found["jupyter"]["outputs_hidden"] = True
    tags = [tag for tag in cell.tags if tag in KEPT_TAGS]
    return found | ({"tags": tags} if tags else {})


def links(text: str, book: Book) -> str:
    """Return the README with its table of links made anew."""
    if LINKS not in text:
        return text
    before, _, rest = text.partition(LINKS)
    _, end, after = rest.partition(LINKS_END)
    if not end:
        raise NotebookError(f"README.md: the block after `{LINKS}` has no end; put `{LINKS_END}` below it.")
    rows = ["| Chapter | Read | Run |", "| --- | --- | --- |"]
    for docname in book.chapters:
        read, run = book.repository.page_url(docname), book.repository.colab_url(docname)
        title = book.pages[docname].title.replace("|", "\\|")
        rows.append(f"| {title} | [on the site]({read}) | [on Colab]({run}) |")
    latest = book.repository.latest_url
    along = (
        f"Take it along: [the whole site]({latest}{ARCHIVE}), [the book as a PDF]({latest}{PDFS['en']}), "
        f"[the PDF in Korean]({latest}{PDFS[korean.CODE]})."
    )
    return "\n".join([before + LINKS, "", *rows, "", along, "", LINKS_END + after])


def citation(text: str, book: Book) -> str:
    """Return CITATION.cff with the repository's two addresses."""
    for key, url in (("repository-code", book.repository.url), ("url", book.repository.pages_url)):
        text = re.sub(rf"^{key}:.*$", f'{key}: "{url}"', text, flags=re.MULTILINE)
    return text


def outputs(root: Path, computed: dict[str, glued.Numbers] | None = None) -> tuple[dict[str, str], list[str]]:
    """Return the text that each made file should have, and a sentence for each that cannot be made.

    The numbers in the text are those that are stored, or those that were `computed` where glued.py prefers them.
    """
    book, errors = read_book(root)
    texts = {}
    for docname in book.chapters:
        try:
            numbers = glued.stored(root, docname)
            source = (root / f"{docname}.md").read_text(encoding="utf-8")
            texts[f"{docname}.ipynb"], shown = render(source, docname, book, numbers)
            if new := (computed or {}).get(docname):
                numbers = new if shown - numbers.values.keys() else glued.newest(docname, numbers, new)
                texts[f"{docname}.ipynb"], _ = render(source, docname, book, numbers)
            if docname in korean.pages(root):
                texts |= korean_texts(docname, book, numbers)
            if shown or glued.place(root, docname).exists():
                texts[glued.place(root, docname).relative_to(root).as_posix()] = numbers.text(shown)
        except NotebookError as error:
            errors.append(str(error))
    for docname in korean.pages(root):
        if docname not in book.chapters:
            try:
                texts[korean.source_name(docname)] = korean.in_step(root, docname)
            except NotebookError as error:
                errors.append(str(error))
    for name, make in (("README.md", links), ("CITATION.cff", citation)):
        if (root / name).exists():
            try:
                texts[name] = make((root / name).read_bytes().decode(), book)
            except NotebookError as error:
                errors.append(str(error))
    return texts, errors


def korean_texts(docname: str, english: Book, numbers: glued.Numbers) -> dict[str, str]:
    """Return a Korean chapter in step with the English code, and its twin."""
    book = korean_book(english)
    source = korean.in_step(book.root, docname)
    twin, _ = render(source, docname, book, numbers)
    return {book.source(docname): source, book.source(docname).removesuffix(".md") + ".ipynb": twin}


@cache
def korean_book(english: Book) -> Book:
    """Return what Korean chapters need to know of their book; a page that is not there in Korean yet is English."""
    pages = dict(english.pages)
    for docname in pages:
        if (path := korean.source_of(english.root, docname)).exists():
            pages[docname] = survey(path.read_text(encoding="utf-8"), docname)
    repository = replace(english.repository, pages_url=f"{english.repository.pages_url}{korean.CODE}/")
    return Book(english.root, repository, pages, english.references, korean.CODE)


def orphans(root: Path) -> list[str]:
    """Return the notebooks and numbers without a chapter; other languages have folders with the same names."""
    listed = {Path(docname).name for docname in documents(root)}
    found = [
        path
        for path in sorted((root / "chapters").rglob("*.ipynb"))
        if ".ipynb_checkpoints" not in path.parts and not (path.stem in listed and path.with_suffix(".md").exists())
    ]
    found += [path for path in sorted((root / "chapters" / "numbers").glob("*.json")) if path.stem not in listed]
    return [path.relative_to(root).as_posix() for path in found]


def unknown(root: Path) -> list[str]:
    """Return a sentence for each chapter whose text shows a number that no build, or other code, has stored."""
    book, _ = read_book(root)
    found = []
    for docname in book.chapters:
        with contextlib.suppress(NotebookError):
            numbers, path = glued.stored(root, docname), root / f"{docname}.md"
            _, shown = render(path.read_text(encoding="utf-8"), docname, book, numbers)
            cells = execution.code_cells(execution.read(path)) if numbers.code else []
            if numbers.code and numbers.code != glued.hash_of([cell.source for cell in cells]):
                found.append(f'{docname}: its numbers are those of other code. Run "make book", then "make notebooks".')
            if missing := sorted(shown - set(numbers.values)):
                names = ", ".join(missing)
                found.append(f'{docname}: not computed yet: {names}. Run "make book", then "make notebooks".')
    return found


def is_twin(root: Path, name: str) -> bool:
    """Tell what we made, a twin by the mark of its source, from a notebook that somebody wrote or copied."""
    if name.endswith(".json"):
        return True
    try:
        source = json.loads((root / name).read_text(encoding="utf-8"))["metadata"]["backbone"]["source"]
    except (KeyError, TypeError, ValueError):
        return False
    return source == Path(name).with_suffix(".md").as_posix()


def problems(root: Path) -> list[str]:
    """Return one sentence for each file that is not what it should be."""
    try:
        texts, found = outputs(root)
        stray = orphans(root)
    except NotebookError as error:
        return [str(error)]
    for name, text in texts.items():
        if not (root / name).exists():
            found.append(f'{name} is missing: run "make notebooks" and commit it.')
        elif (root / name).read_bytes() != text.encode():
            found.append(f'{name} is stale: run "make notebooks" and commit it.')
    for name in stray:
        if is_twin(root, name):
            found.append(f'{name} has no chapter: run "make notebooks", which removes it.')
        else:
            found.append(f"{name} was not made from a chapter: remove it, or write {Path(name).stem}.md.")
    return found


def write(root: Path) -> list[str]:
    """Bring every made file up to date, printing a line for each; return what could not be made."""
    kept = execution.latest(root)
    texts, errors = outputs(root, {docname: glued.computed(file) for docname, file in kept.items()})
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(exist_ok=True)
        if path.exists() and path.read_bytes() == text.encode():
            print(f"unchanged {name}")
            continue
        # A reader of the file meets the old text or the new one, never half of either.
        unfinished = path.with_name(path.name + ".tmp")
        unfinished.write_bytes(text.encode())
        os.replace(unfinished, path)
        print(f"written   {name}")
    for name in orphans(root):
        if is_twin(root, name):
            (root / name).unlink()
            print(f"removed   {name}")
    return errors


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit code."""
    parser = argparse.ArgumentParser(description="Make the notebooks, the README's links and the citation.")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is out of date")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository (default: this one)")
    options = parser.parse_args(arguments)
    try:
        found = problems(options.root) + unknown(options.root) if options.check else write(options.root)
    except NotebookError as error:
        found = [str(error)]
    for sentence in found:
        print(sentence, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
