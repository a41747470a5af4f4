"""What stops a build, and what a build does again: proved by making it happen in a small copy of the book.

The copy has the book's own tools, extension, package and settings, but two pages: an introduction and one chapter
written here, so the time does not grow with the book.
"""

import json
import multiprocessing
import os
import re
import runpy
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import book as build_tool
import forks
import notebooks
import pytest
from bs4 import BeautifulSoup

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.build
# Two processes run the tests; each group keeps to one of them and shares one copy.
RED = pytest.mark.xdist_group("build-red")
GREEN = pytest.mark.xdist_group("build-green")

TOC = "format: jb-book\nroot: intro\nchapters:\n  - file: chapters/tiny\n"
INTRO = "# A small book\n\nIt has {doc}`one chapter <chapters/tiny>`.\n"
CHAPTER = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# Tiny

```{code-cell}
:tags: [remove-cell]

import backbone
```

Some prose.

```{code-cell}
from backbone.glue import glue
from backbone.tiny import VALUE

glue("value", VALUE)
```

The value is {glue:text}`value:.2f` today.
"""
DOTS = "from backbone.widgets.dot import Dot\n\nunseen = Dot(size=1)\nDot(size=2)"
WIDGET = '''\
"""A widget for the tests."""

import traitlets as t

from backbone.widgets.base import BookWidget


class Dot(BookWidget):
    """A dot."""

    size = t.Int().tag(sync=True)
'''
DOT = """\
import { write } from "../kit.js";
export default { render: ({ el }) => write(el, "first dot") };
"""
TRAINING = """\
import torch

from backbone.data.download import cache_folder

torch.manual_seed(0)
model = torch.nn.Sequential(torch.nn.Conv2d(3, 16, 3), torch.nn.Flatten(), torch.nn.Linear(14400, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
for _ in range(10):
    loss = model(torch.randn(32, 3, 32, 32)).logsumexp(1).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
print(torch.get_num_threads(), loss.item(), [p.double().sum().item() for p in model.parameters()])
print([path.name for path in cache_folder().glob("*")])
"""


class Book:
    """A copy of the book with two pages, which forgets its edits."""

    def __init__(self, root: Path):
        self.root = root
        self.originals: dict[Path, bytes] = {}
        names = run(["git", "ls-files", "-coz", "--exclude-standard"], ROOT).stdout.split("\0")
        for name in names:
            if (ROOT / name).is_file() and not name.startswith(("chapters/", "ko/", "tests/")):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(ROOT / name, root / name)
        self.write("_toc.yml", TOC)
        self.write("intro.md", INTRO)
        self.write("chapters/tiny.md", CHAPTER)
        self.write("src/backbone/tiny.py", '"""A number for the tests."""\n\nVALUE = 0.25\n')
        self.write("src/backbone/widgets/dot/__init__.py", WIDGET)
        self.write("src/backbone/widgets/dot/widget.js", DOT)
        notebooks.write(root)
        self.originals.clear()

    def write(self, name, text):
        path = self.root / name
        self.originals.setdefault(path, path.read_bytes() if path.exists() else b"")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

    def edit(self, name, old, new, twins=True):
        text = (self.root / name).read_text("utf-8")
        assert old in text
        self.write(name, text.replace(old, new, 1))
        if twins:
            notebooks.write(self.root)

    def add_cell(self, source):
        text = (self.root / "chapters/tiny.md").read_text("utf-8")
        self.edit("chapters/tiny.md", text, f"{text}\n```{{code-cell}}\n{source.strip()}\n```\n")

    def restore(self):
        for path, content in self.originals.items():
            path.write_bytes(content)
        self.originals.clear()
        notebooks.write(self.root)

    def build(self, **variables):
        path = os.pathsep.join(str(self.root / name) for name in ("tools", "src", "_ext"))
        environment = {**os.environ, **variables, "PYTHONPATH": path}
        script, lines = ("tools/book.py", None, "__main__"), []
        code = forks.run(runpy.run_path, *script, folder=self.root, environment=environment, hear=lines.append)
        return code, [line.rstrip("\n") for line in lines if line.strip()]

    def build_by_command(self, **variables):
        """Build as a reader does, in a process of its own."""
        environment = {**os.environ, **variables, "PYTHONPATH": str(self.root / "src")}
        done = run([sys.executable, "tools/book.py"], self.root, env=environment)
        assert done.returncode == 0, done.stdout
        assert done.stdout.rstrip().splitlines()[-1].startswith("The book is built")

    def passes(self, **variables):
        code, lines = self.build(**variables)
        assert code == 0, "\n".join(lines)
        assert lines[-1].startswith("The book is built")
        return lines

    def main(self, monkeypatch, capsys):
        """Build in this process, as far as a build goes that fails before anything runs."""
        for name in ("OMP_NUM_THREADS", "TQDM_DISABLE", "BACKBONE_OFFLINE"):
            monkeypatch.setenv(name, "")
        monkeypatch.setattr(build_tool, "ROOT", self.root)
        code = build_tool.main()
        return code, capsys.readouterr().err.strip().splitlines()

    def fails(self):
        code, lines = self.build()
        assert code == 1, "\n".join(lines)
        # The sentence stands last, with no traceback under it; a list of complaints may follow its colon.
        start = max(i for i, line in enumerate(lines) if line.startswith("The book is not built. "))
        assert len(lines) - start <= 2
        return " ".join(lines[start:])

    def page(self, name="chapters/tiny"):
        return BeautifulSoup((self.root / f"_build/html/{name}.html").read_text("utf-8"), "html.parser")

    def article(self):
        return " ".join(self.page().article.get_text().split())


def run(command, folder, **options):
    return subprocess.run(
        command, cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, **options
    )


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    return Book(tmp_path_factory.mktemp("book"))


@pytest.fixture
def book(shared):
    yield shared
    shared.restore()


@pytest.fixture(scope="module")
def built_once(tmp_path_factory):
    book = longer(tmp_path_factory.mktemp("built"))
    book.first_lines, book.first_page, book.first_texts = book.passes(OMP_NUM_THREADS="1"), book.page(), texts(book)
    book.first_script = script(book)
    return book


def longer(folder):
    """Return a copy whose chapter shows widgets and trains a network."""
    book = Book(folder)
    book.add_cell(DOTS)
    book.add_cell(TRAINING)
    book.originals.clear()
    return book


@pytest.fixture
def built(built_once):
    yield built_once
    built_once.restore()


# What stops a build.


@RED
def test_a_failing_cell_is_named_last_each_time(book):
    book.add_cell("x = 1\nassert x == 2, 'one\\nis not two'")
    line = (book.root / "chapters/tiny.md").read_text("utf-8").splitlines().index("x = 1") + 1
    said = f"The book is not built. chapters/tiny.md, line {line} (code cell 3): AssertionError: one is not two"
    for _ in range(2):
        code, lines = book.build()
        assert (code, lines[-1]) == (1, said)


@RED
def test_a_python_warning_on_the_page_fails(book):
    book.add_cell("import warnings\nwarnings.warn('an old habit')")
    line = (book.root / "chapters/tiny.md").read_text("utf-8").splitlines().index("import warnings") + 1
    first = book.fails()
    assert f"chapters/tiny.md, line {line} (code cell 3) warns; change it until it does not: " in first
    assert "UserWarning: an old habit" in first
    assert book.fails() == first


@RED
def test_a_widget_that_the_page_cannot_draw_fails_until_it_is_mended(book):
    book.add_cell("import ipywidgets\nipywidgets.IntSlider()")
    first = book.fails()
    assert first.endswith(
        "in all): chapters/tiny: a cell shows IntSliderModel, which needs a kernel and would be blank here; "
        "use a widget from backbone.widgets."
    )
    assert book.fails() == first


@RED
def test_a_closed_widget_fails(book):
    book.add_cell(f"{DOTS}\nunseen.close()\nunseen")
    said = book.fails()
    assert "chapters/tiny: a cell shows <backbone.widgets.dot.Dot object at 0x" in said
    assert "show a value, a figure or an open widget" in said


@RED
@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("chapters/tiny.md", "prose", "more", 'chapters/tiny.ipynb is stale: run "make notebooks" and commit it.'),
        ("chapters/tiny.md", "Some", "```{mermaid}\n```\n", "chapters/tiny.md, line 20: "),
        ("_config.yml", "url: https://github.com/", "url: https://nowhere.org/", "correct it in _config.yml."),
        ("_toc.yml", "chapters/tiny", "chapters/none", "chapters/none.md does not exist: "),
    ],
    ids=["stale twin", "MyST", "address", "table of contents"],
)
def test_what_no_notebook_can_be_made_of_fails_before_anything_runs(book, monkeypatch, capsys, name, old, new, said):
    book.edit(name, old, new, twins=False)
    code, lines = book.main(monkeypatch, capsys)
    assert code == 1
    assert lines[0].startswith("The book is not built. ")
    assert any(said in line for line in lines)
    assert book.main(monkeypatch, capsys) == (code, lines)


MISTAKES = """
# A small book

[A link](nowhere.md) and {ref}`nothing-has-this-label`.
It has {doc}`one chapter <chapters/tiny>`, and {term}`pixel` stands in its glossary.

```{list-of} tables
```

## 2015

```{cards}
```

```{glossary}
pixel
  The smallest part of a picture.
```
"""


@RED
def test_what_an_author_mistook_fails_with_what_is_allowed_until_it_is_mended(book):
    book.write("_toc.yml", "{format: jb-book, root: intro, parts: [{caption: All, chapters: [{file: chapters/tiny}]}]}")
    book.write("intro.md", MISTAKES)
    book.edit("chapters/tiny.md", "---\n\n#", "needs: [nowhere]\n---\n\n#")
    code, lines = book.build()
    assert code == 1
    for said in (
        "intro.md:4: WARNING: 'myst' cross-reference target not found: 'nowhere.md'",
        "intro.md:4: WARNING: undefined label: 'nothing-has-this-label'",
        "intro.md:7: ERROR: {list-of} 'tables': there is no such list; write figures or exercises",
        "intro.md:10: WARNING: the heading '2015' has no letters for an address; write one above it",
        "intro.md:15: WARNING: the glossary's 'pixel' has 0 references; end it with one, as in: See {doc}`",
        "chapters/tiny.md: WARNING: needs, in its front matter, names chapters/nowhere; ",
    ):
        assert any(said in line for line in lines), [line for line in lines if "WARNING" in line]
    again = book.fails()
    assert "Mend this and build again (6 in all): intro.md:7: ERROR: {list-of} 'tables': " in again
    assert again == " ".join(lines[-2:])


@RED
def test_a_missing_twin_fails(book):
    (book.root / "chapters/tiny.ipynb").unlink()
    assert 'chapters/tiny.ipynb is missing: run "make notebooks" and commit it.' in book.fails()


# What a build does again, and what it does not.


@GREEN
def test_the_first_build_executes_the_chapter(built):
    assert "Chapters: 1 to execute, 1 at a time." in built.first_lines
    assert any(re.fullmatch(r"  chapters/tiny\.md: \d+\.\d s", line) for line in built.first_lines), "its time"
    assert "The value is 0.25 today" in built.first_page.article.get_text()


@GREEN
def test_a_page_carries_the_states_of_the_widgets_it_shows_and_no_others(built):
    (model,) = models(built.first_page)
    assert model["widget"] == "Dot"
    assert model["state"] == {"size": 2}
    assert "function write(" in built.first_script, "what it imports"
    assert "first dot" in built.first_script


@GREEN
def test_a_page_says_with_what_and_when_it_was_executed_also_when_it_comes_from_the_cache(built):
    (said,) = ran(built.first_page)
    versions = r"Python 3\.\d+, PyTorch \d+\.[\d.]+, NumPy \d+\.[\d.]+"
    assert re.fullmatch(rf"Executed with {versions} on [A-Z][a-z]+ \d+, 20\d\d in \d+ s\.", said)
    (file,) = (built.root / "_build/executed").rglob("*.ipynb")
    built.write(file, file.read_text("utf-8").replace('"execution_date": "20', '"execution_date": "19'))
    built.passes()
    assert ran(built.page()) == [said.replace(", 20", ", 19")]


@GREEN
def test_edits_of_prose_a_tag_and_javascript_reach_the_page_without_executing(built):
    cell = "```{code-cell}\n"
    built.edit("chapters/tiny.md", f"{cell}from", f"{cell}:tags: [hide-cell]\n\nfrom")
    further = "## Further exercises\n\nCount on.\n\n## And then\n\nBetter prose."
    built.edit("chapters/tiny.md", "Some prose.", further)
    built.edit("src/backbone/widgets/dot/widget.js", "first dot", "second dot")
    built.edit("intro.md", "It has", "![a dot](https://example.org/dot.png) It has")
    lines = built.passes()
    assert "Chapters: none to execute." in lines
    assert not any("Executing notebook" in line for line in lines), "by Jupyter Book, one after the other"
    assert built.page().select_one("details.hide .cell_input")
    assert "second dot" in script(built)
    assert "first dot" not in script(built)
    assert "Better prose." in built.article()
    (fold,) = built.page().select("#further-exercises details.hide:not([open])")
    assert "Count on." in fold.get_text(), "closed until a reader asks"
    assert "Better prose." not in fold.get_text()
    assert_another_host_is_found(built)


def assert_another_host_is_found(book):
    """Assert that the tests of a site say which page asks another host for a part of itself."""
    (book.root / "tests").mkdir()
    shutil.copyfile(ROOT / "tests/test_site.py", book.root / "tests/test_site.py")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_site.py", "-m", "site"]
    done = run([*command, "-k", "another_host"], book.root)  # the others ask for chapters
    assert done.returncode == 1
    assert "intro.html asks https://example.org/dot.png for a part of the page; keep it in _static/" in done.stdout
    assert "1 failed, 1 passed" in done.stdout


@GREEN
def test_a_killed_build_starts_again_from_unread_pages_and_old_ones_are_forgotten(built):
    (built.root / "_build/unfinished").touch()
    removed = built.root / "_build/html/chapters/removed.html"
    removed.touch()
    cards = built.root / "_build/html/_images/social_previews"
    (cards / "summary_intro_0ld.png").touch()
    lines = built.passes()
    assert not removed.exists(), "the page of a chapter that is no more"
    shown = "".join(page.read_text("utf-8") for page in (built.root / "_build/html").rglob("*.html"))
    assert len(list(cards.iterdir())) == 2, "one a page, and none of words that are no more"
    assert all(card.name in shown for card in cards.iterdir())
    assert any("2 added, 0 changed, 0 removed" in line for line in lines)
    assert "Chapters: none to execute." in lines
    assert not (built.root / "_build/unfinished").exists()


@GREEN
def test_two_builds_give_identical_numbers_whatever_the_threads_and_the_downloads(built, tmp_path):
    other = longer(tmp_path)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "flowers128_1200.npz").write_bytes(b"something")
    other.build_by_command(OMP_NUM_THREADS="2", BACKBONE_DATA=str(tmp_path / "downloads"))
    assert other.article() == " ".join(built.first_page.article.get_text().split())
    assert texts(other) == built.first_texts
    assert built.first_texts[-1].startswith("1 ")  # one thread
    assert built.first_texts[-1].endswith("[]\n")  # no downloads


@GREEN
def test_an_edit_of_the_package_changes_the_number_on_the_page_and_a_build_says_what_differs(built):
    named = 'chapters/tiny: not computed yet: value. Run "make book", then "make notebooks".'
    assert named in built.first_lines
    notebooks.write(built.root)
    numbers = built.root / "chapters/numbers/tiny.json"
    assert json.loads(numbers.read_text("utf-8"))["values"] == {"value": 0.25}
    assert "The value is 0.25 today" in (built.root / "chapters/tiny.ipynb").read_text("utf-8")
    assert notebooks.problems(built.root) + notebooks.unknown(built.root) == []
    built.edit("src/backbone/tiny.py", "0.25", "0.26", twins=False)
    lines = built.passes()
    assert "Chapters: 1 to execute, 1 at a time." in lines
    assert "chapters/tiny: 1 numbers differ a little from the notebook's: value" in lines
    assert "The value is 0.26 today" in built.article()
    built.edit("src/backbone/tiny.py", "0.26", "0.5", twins=False)
    for _ in range(2):
        assert "chapters/tiny: value is stored as 0.25, computed 0.5" in built.fails()
        assert "The value is 0.50 today" in built.article(), "its author wants to see it"
    assert json.loads(numbers.read_text("utf-8"))["values"] == {"value": 0.25}
    cell = "```{code-cell}\n"
    built.edit("chapters/tiny.md", f"{cell}from", f"{cell}:tags: [rough]\n\nfrom", twins=False)
    built.passes()
    built.edit("src/backbone/tiny.py", "0.5", "0.25", twins=False)
    assert "Chapters: none to execute." in built.passes()
    assert "The value is 0.25 today" in built.article(), "back without executing"


@GREEN
def test_a_korean_page_stands_beside_the_english_one_with_its_outputs(built):
    assert not (built.root / "_build/html/ko").exists()
    assert not built.first_page.select("a.bb-language")
    cells = (built.root / "chapters/tiny.md").read_text("utf-8").count("```{code-cell}")
    folder = built.root / "chapters" / "ko"
    folder.mkdir()
    try:
        (folder / "tiny.md").write_text("# 작은 장\n\n글이 있습니다.\n" + "\n@@\n" * cells, "utf-8")
        notebooks.write(built.root)
        assert "Chapters: none to execute." in built.passes()
        page = built.page("ko/chapters/tiny")
        assert page.html["lang"] == "ko"
        assert "글이 있습니다." in page.article.get_text()
        assert built.first_texts[-1].strip() in page.article.get_text()
        for name, other in (
            ("chapters/tiny", "../ko/chapters/tiny.html"),
            ("ko/chapters/tiny", "../../chapters/tiny.html"),
        ):
            assert built.page(name).select_one("a.bb-language")["href"] == other
        built.edit("src/backbone/training.py", '"""', '"""Edited. ')  # which no chapter uses
        lines = built.passes()
        assert "Chapters: none to execute." in lines
        assert sum("0 added, 0 changed, 0 removed" in line for line in lines) == 2, "neither edition is read again"
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(built.root / "_build/html/ko", ignore_errors=True)


def ran(page):
    """Return what a page says of when it was executed."""
    return [line.get_text().replace("\N{NO-BREAK SPACE}", " ") for line in page.select("footer .bb-ran")]


def models(page):
    """Return the models of the widgets on a page."""
    state = page.find("script", type="application/vnd.jupyter.widget-state+json")
    return list(json.loads(state.string)["models"].values())


def script(book):
    """Return the script of the page's widget."""
    address = book.page().find("script", src=re.compile("widgets/Dot"))["src"]
    return (book.root / "_build/html/chapters" / address.partition("?")[0]).read_text("utf-8")


def texts(book):
    """Return what the executed chapter printed."""
    (kept,) = (book.root / "_build/executed").rglob("*.ipynb")
    cells = json.loads(kept.read_text("utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", [])]
    return ["".join(output["text"]) for output in outputs if "text" in output]


def test_a_line_that_the_kernel_sends_in_parts_stays_one(tmp_path):
    import execution
    import nbformat

    code = "import time\nfor part in ('one', '\\n', 'two\\n'):\n    print(part, end='', flush=True), time.sleep(0.3)"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    done = execution.execute(notebook, str(tmp_path))
    assert done.failure is None
    assert [output.text for output in done.notebook.cells[0].outputs] == ["one\ntwo\n"]


@pytest.mark.parametrize("forking", [forks.FORKING, False], ids=["fork", "as on Windows"])
def test_a_call_in_another_process_is_heard_line_by_line_and_its_status_is_known(monkeypatch, tmp_path, forking):
    if not forking:
        monkeypatch.setattr(forks, "FORKING", False)
        monkeypatch.setattr(forks, "FORKS", multiprocessing.get_context("spawn"))
    lines = []
    told = {"folder": tmp_path, "environment": dict(os.environ), "hear": lines.append}
    assert forks.run(partial(print, "a line\n한 줄\nno end", end=""), **told) == 0
    assert lines == ["a line\n", "한 줄\n", "no end"]
    told["hear"] = lambda line: None
    assert forks.run(sys.exit, 3, **told) == 3
