"""The notebooks for Colab say what the chapters say, hold no raw MyST, and are up to date."""

import dataclasses
import json
import re
import subprocess
import sys
import warnings
from pathlib import Path

import book_files
import execution
import glued
import jupytext
import nbformat
import notebooks
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).resolve().parents[1]
CONFIG = "repository:\n  url: {url}\n  branch: main\n"
TOC = "{root: intro, parts: [{chapters: [{file: chapters/one, sections: [{file: chapters/two}]}, {file: references}]}]}"
ADDRESS = "https://github.com/Some-One/cnn.book"
SITE = "https://some-one.github.io/cnn.book/"
HEADER = """\
---
jupytext: {text_representation: {extension: .md, format_name: myst}}
kernelspec: {display_name: Python 3, language: python, name: python3}
---
"""
IMPORT = "\n```{code-cell}\n:tags: [remove-cell]\n\nimport backbone\n```\n\n"
ONE = HEADER + "\n(sec-one)=\n# The first chapter\n" + IMPORT
TWO = HEADER + "\n(sec-two)=\n# Chapter two\n" + IMPORT + "(Deep_part)=\n## A part\n"
FIRST = ONE.count("\n") + 1  # the line of chapter one on which a test's own text begins
BIB = r"""
@article{lecun1989, author={LeCun, Yann and Boser, B. and Denker, J. S.}, year={1989}, doi={10.1162/neco.1989.1.4.541}}
@inproceedings{he2016, author={He, Kaiming and Zhang, Xiangyu}, year={2016}, url={https://example.org/a\_b(c)}}
@misc{kingma2014, author={van M{\"u}ller, D.}, year={2014}, eprint={1412.6980}, archiveprefix={arXiv}}
@book{nobody, organization={Group \_}}
"""


@pytest.fixture
def make(tmp_path):
    """Return a function that makes a book whose first chapter has the given text."""

    def make_book(text="", **files):
        (tmp_path / "chapters").mkdir(exist_ok=True)
        contents = {
            "_config.yml": CONFIG.format(url=ADDRESS),
            "_toc.yml": TOC,
            "intro.md": "# Welcome\n\n```{figure} a.png\n```\n",
            "references.md": "(all)=\n# References\n\n```{glossary}\n1 × 1 step\nstride\n  How far.\n```\n",
            "references.bib": BIB,
            "chapters/one.md": ONE + text,
            "chapters/two.md": TWO,
        }
        contents |= {name.replace("__", "/"): content for name, content in files.items()}
        for name, content in contents.items():
            if content is not None:
                (tmp_path / name).parent.mkdir(exist_ok=True)
                (tmp_path / name).write_text(content, encoding="utf-8")
        return tmp_path

    return make_book


def rendered(root):
    """Return the twin of the first chapter."""
    book, errors = notebooks.read_book(root)
    assert errors == []
    text, _ = notebooks.render(
        (root / "chapters/one.md").read_text("utf-8"), "chapters/one", book, glued.stored(root, "chapters/one")
    )
    return nbformat.reads(text, as_version=4)


def code(source, tags=""):
    return f"```{{code-cell}}\n{tags}\n{source}\n```\n"


def run(root, *arguments):
    return notebooks.main(["--root", str(root), *arguments])


REWRITTEN = {
    "label": ("(Here)=\n## Title\n\n{ref}`hERE` {ref}`it <here>`", "## Title\n\nTitle it"),
    "label of a page": ("{ref}`sec-one`", "The first chapter"),
    "comment and breaks": ('a\n\n% not for readers\n\nb\n\n+++\n\n+++ {"en": "4c1f"}\n\nc', "a\n\nb\n\nc"),
    "exercise": (
        "````{exercise} Count $n$\n:label: ex-count\n\n```python\nf()\n```\n````\n\n{ref}`ex-count`",
        "#### Exercise 1: Count $n$\n\n```python\nf()\n```\n\nCount $n$",
    ),
    "untitled exercise": ("a\n```{exercise}\nDo.\n```\nb", "a\n\n#### Exercise\n\nDo.\n\nb"),
    "solution": (
        "~~~{exercise} *Is* `a<b` {ref}`x <sec-one>`?\n:label: e\nx\n~~~\n"
        "````{solution} e\n:label: s\n:class: dropdown\n```python\na = 1\n\n\nb = 2\n```\n````",
        "#### Exercise 1: *Is* `a<b` x?\n\nx\n\n<details>\n"
        "<summary>Solution: <em>Is</em> <code>a&lt;b</code> x?</summary>\n\n"
        "```python\na = 1\n\n\nb = 2\n```\n\n</details>",
    ),
    "fold": (
        "a\n```{admonition} What *you* should have seen\n:class: dropdown\n{ref}`x <sec-one>`\n```\nb",
        "a\n\n<details>\n<summary>What <em>you</em> should have seen</summary>\n\nx\n\n</details>\n\nb",
    ),
    "question": (
        "~~~{question} How many has {ref}`x <sec-one>`?\n- [ ] `9`\n  One *channel*\n  alone.\n- [x] 27\n  Three.\n~~~",
        "**Question.** How many has x?\n\n- `9`\n- 27\n\n"
        "<details>\n<summary>Answer</summary>\n\n- `9` – One *channel* alone.\n- **27** – Three.\n\n</details>",
    ),
    "ref to another page": (
        "{ref}`deep_part` {ref}`the\n  text <sec-two>`",
        f"[A part]({SITE}chapters/two.html#deep-part) [the text]({SITE}chapters/two.html#sec-two)",
    ),
    "doc": (
        "{doc}`two` {doc}`/intro` {doc}`all of them <../references>`",
        f"[Chapter two]({SITE}chapters/two.html) [Welcome]({SITE}intro.html) [all of them]({SITE}references.html)",
    ),
    "term": (
        "{term}`stride` {term}`the\n  step <1 × 1 step>`",
        f"[stride]({SITE}references.html#term-stride) [the step]({SITE}references.html#term-1-1-step)",
    ),
    "formulas": ("$$ b $$\n\n- c\n\n  $$\n  d\n\n  e\n  $$", "$$ b $$\n\n- c\n\n  $$\n  d\n  e\n  $$"),
    "cite:p": (
        "{cite:p}`lecun1989,he2016`",
        "([LeCun et al., 1989](https://doi.org/10.1162/neco.1989.1.4.541); "
        "[He and Zhang, 2016](https://example.org/a_b%28c%29))",
    ),
    "cite:t": (
        "{cite:t}`kingma2014, nobody`",
        "[van Müller (2014)](https://arxiv.org/abs/1412.6980) and Group \\_ (n.d.)",
    ),
}

UNTOUCHED = [
    "`{ref}` and ``{ref}`x` `` stay",
    "```python\n:::{note}\n{ref}`x` [a](b.png) (label)=\n```",
    "~~~\n$$ never closed\n~~~",
    "- item\n  ```text\n\n  {cite}`x`\n  ```",
    "> ```text\n> {cite}`x`\n> ```",
    "$a[^2]$, $[0](x.png)$, \\$5 and \\{ref\\}",
    "| a | b |\n| - | - |\n| `x` | $y$ |",
    '<div class="x"><b>raw</b> <!-- {ref}-like --> <https://e.org></div>',
    "- [ ] an interval [0, 1] (see above)",
    'f(x)=2 [w](https://e.org/a_(b) "T") ![x](https://e.org/a.png) <mailto:a@b.org> [m](mailto:a@b.org)',
]

NOWHERE = "is MyST in a place where it does nothing; correct it"
REFUSED = {
    "figure": ("a\n\n```{figure} a.png\n```", 2, "the directive {figure} needs a file"),
    "directive": ("```{note}\nx\n```", 0, "the directive {note} cannot be shown in a notebook; use one of "),
    "open box": ("```{admonition} A title\nx\n```", 0, "needs a title and the line `:class: dropdown`"),
    "question": ("```{question} Why?\n- [ ] a\n  x\n- [ ] b\n  y\n```", 0, "the question 'Why?': exactly one answer"),
    "box without a title": ("```{admonition}\n:class: dropdown\nx\n```", 0, "needs a title and the line"),
    "directive in an exercise": (
        "````{exercise}\n:label: e\na\n\n```{margin}\nb\n```\n````",
        4,
        "the directive {margin} cannot be shown",
    ),
    "role": ("a\n{numref}`x`", 1, "the role {numref} cannot be shown in a notebook; use one of cite:p, "),
    "role below options": ("```{exercise}\n:class: x\n\n{kbd}`a`\n```", 3, "the role {kbd} cannot be shown"),
    "option": ("```{exercise}\n:wide:\nx\n```", 0, "the option :wide: is not known here; use one of class, label"),
    "YAML options": ("```{exercise}\n---\nclass: x\n---\nx\n```", 1, "write the options as lines such as"),
    "open fence": ("a\n\n```{exercise}\nx", 2, "the block that ``` opens is never closed; add ``` below it"),
    "open fence inside": ("~~~{exercise}\n\n```\nx\n~~~", 2, "the block that ``` opens is never closed"),
    "same fence twice": ("```{exercise}\n```python\nx\n```\n```", 4, "the block that ``` opens is never closed"),
    "shorter fence below": ("````\nx\n```", 0, "the block that ```` opens is never closed"),
    "colons": (":::{note}\nx\n:::", 0, f"::: {NOWHERE}"),
    "directive in a list": ("a\n- ```{exercise}\n  x\n  ```", 1, "no directive in a list or a quote; write it below"),
    "directive in a quote": ("> a\n>\n> ~~~{exercise}\n> x\n> ~~~", 2, "no directive in a list or a quote"),
    "code in a title": (
        "```{exercise} Why `a`\nx\n```",
        0,
        "code in a title needs a fence of tildes; write ~~~",
    ),
    "open formula": ("a\n\n$$\nx", 2, "the formula that $$ opens is never closed"),
    "environment": ("\\begin{align}\nx\n\\end{align}", 0, "write it between $$ and $$"),
    "numbered formula": ("$$ a $$ (eq-a)", 0, "take the label behind $$ away"),
    "numbered formula on lines": ("$$\na\n$$ (eq-a)", 2, "take the label behind $$ away"),
    "open role": ("a\nb {ref}`x", 1, f"{{ref}}` {NOWHERE}"),
    "role between prices": ("a\n$5 and {ref}`sec-one` or $6", 1, f"{{ref}}` {NOWHERE}"),
    "label in HTML": ("<div>\n---\n(l)=\n</div>", 2, f"(l)= {NOWHERE}"),
    "label in a list": ("- (label)=", 0, f"- (label)= {NOWHERE}"),
    "attributes": ("a\n{#id .class}", 1, "{#id .class} changes nothing in a notebook; take it away"),
    "attributes of a link": ("[a](https://e.org){.b}", 0, "{.b} changes nothing in a notebook"),
    "attributes of code": ("a `b`{.python}", 0, "{.python} changes nothing in a notebook"),
    "definition list": ("Stride\n: a step", 1, "definition lists"),
    "footnote": ("a\nb[^1]\n", 1, "a notebook shows no footnotes; put [^1] into the text"),
    "footnote text": ("[^1]: a", 0, "footnotes"),
    "definition of a link": ("[a][b]\n\n[b]: https://e.org", 2, "write this link in place, as [text](address)"),
    "local image": ("a\n![a](b.png)", 1, "'b.png' leads nowhere on Colab"),
    "local file": ("[a](<b.csv>)", 0, "leads nowhere on Colab; link with {ref}, {doc} or https://"),
    "link to a page": ("[a {ref}`x <sec-one>`](two.md)", 0, "'two.md' leads nowhere on Colab"),
    "unknown page": ("{doc}`three`", 0, "'three' is no page of _toc.yml"),
    "unknown label": ("a\nb\n{ref}`nowhere`", 2, "no page of the book has the label 'nowhere'"),
    "label without title": ("(l)=\ntext\n\n{ref}`l`", 3, "the label 'l' stands before no heading"),
    "unknown exercise": ("```{solution} e\nx\n```", 0, "no exercise of this chapter has the label 'e'"),
    "exercise in a box": (
        "~~~~{admonition} A title\n:class: dropdown\n\n```{exercise} X\n:label: e\nx\n```\n~~~~",
        3,
        "the exercise 'e' stands within another block; write it outside",
    ),
    "label that names no cell": ("```{exercise} X\n:label: a.b\nx\n```", 0, "use letters, digits, - and _ alone"),
    "unknown term": ("a\n{term}`strides`", 1, "the glossary has no term 'strides'; correct it, or add it"),
    "unknown key": ("{cite:p}`lecun1989,absent`", 0, "references.bib has no entry 'absent'"),
    "raw cell": ("```{raw-cell}\nx\n```", 0, "a raw cell shows nothing"),
}


@pytest.mark.parametrize(("source", "expected"), REWRITTEN.values(), ids=REWRITTEN)
def test_myst_is_rewritten(make, source, expected):
    cells = rendered(make(source)).cells[2:]
    assert "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown") == expected


@pytest.mark.parametrize("source", UNTOUCHED)
def test_what_is_not_myst_stays_as_it_is(make, source):
    assert rendered(make(source)).cells[2].source == source


@pytest.mark.parametrize(("source", "line", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_notebook_cannot_show_is_refused_with_its_line(make, source, line, message):
    found = notebooks.problems(make(source, **{"chapters__two.md": None, "_toc.yml": "root: chapters/one\n"}))
    assert len(found) == 1
    assert found[0].startswith(f"chapters/one.md, line {FIRST + line}: ")
    assert message in found[0]
    assert "\n" not in found[0]
    assert found[0].endswith(".")


def test_line_numbers_hold_after_code_cells_and_block_breaks(make):
    source = "a\n\n" + code("x = 1\n\n# y", ":tags: [hide-input]\n") + "\n\n\nb\n\n+++\n\n\nc\n{kbd}`x`"
    line = FIRST + source.count("\n")
    assert notebooks.problems(make(source))[0].startswith(f"chapters/one.md, line {line}: the role {{kbd}}")


def test_twin_says_where_it_comes_from_and_installs_the_package(make):
    title, install = rendered(make()).cells
    assert title.source == (
        "# The first chapter\n\n"
        f"*This notebook is made from [chapters/one.md]({ADDRESS}/blob/main/chapters/one.md). "
        f"Read the same chapter on [the book's site]({SITE}chapters/one.html).*"
    )
    assert install.source == (
        "# Colab and other fresh machines: install the book's package first.\n"
        "try:\n    import backbone\nexcept ModuleNotFoundError:\n"
        f"    %pip install -q git+{ADDRESS}\n    import backbone"
    )


def test_only_metadata_that_a_notebook_needs_stays(make):
    tags = ":tags: [raises-exception, rough]\n:mystnb: {figure: {name: x}}\n"
    cells = rendered(make(code("1/0", tags) + "\n% only a comment\n\n" + code("2", ":tags: [remove-cell]\n"))).cells
    assert [cell.id for cell in cells] == [f"c{i:03}" for i in range(len(cells))]
    assert [cell.cell_type for cell in cells] == ["markdown", "code", "code", "code"]
    assert [cell.metadata for cell in cells] == [{}, {}, {"tags": ["raises-exception"]}, {}]


def test_the_cell_of_an_exercise_bears_its_label(make):
    ask = "```{exercise} How many?\n:label: count\nCount.\n```\n"
    cells = rendered(make(f"{ask}\nA hint.\n\n{code('n = ...')}\n{code('n')}")).cells
    assert [cell.id for cell in cells[1:]] == ["c001", "c002", "count", "c004"]


@pytest.mark.parametrize(
    ("tag", "source", "title"),
    [
        ("hide-input", "import numpy\nfrom backbone import plots", "Imports"),
        ("hide-input", "x = 1\nplots.Drawing(x)", "Code of this figure"),
        ("hide-input", "x = 1\nprint(x)", "Code"),
        ("hide-input", "def f():\n    return 1", "Code"),
        ("hide-input", "plots.Table(x)", "Code of this table"),
        ("hide-cell", "import numpy", "How the numbers on this page are checked"),
    ],
)
def test_what_the_site_folds_is_folded_in_jupyter_and_on_colab(make, tag, source, title):
    cell = rendered(make(code(source, f":tags: [{tag}]\n"))).cells[2]
    assert cell.source == f"# @title {title}\n{source}"
    hidden = {"source_hidden": True} | ({"outputs_hidden": True} if tag == "hide-cell" else {})
    assert cell.metadata == {"cellView": "form", "jupyter": hidden}


# Numbers in the text.

SHOWN = "{glue:text}`loss:.2f`, {glue:text}`total:,d` {glue:text}`who`"


def numbers(**values):
    return json.dumps({"computed with": {"Python": "3.11", "NumPy": "2.4.0"}, "values": values})


def test_numbers_are_shown_as_on_the_site_and_the_twin_says_what_they_were_computed_with(make):
    root = make(SHOWN, **{"chapters__numbers__one.json": numbers(loss=0.12345, total=61706, who="*me*")})
    title, _, text = rendered(root).cells
    assert text.source == "0.12, 61,706 \\*me\\*"
    assert "computed with Python 3.11, NumPy 2.4.0. Running the cells computes them again" in title.source
    assert run(root) == 0
    assert run(root, "--check") == 0


def test_numbers_that_no_build_stored_are_named_until_one_does(make, capsys):
    root = make(SHOWN, **{"chapters__numbers__one.json": numbers(loss=0.5, old=1)})
    assert run(root) == 0
    assert json.loads((root / "chapters/numbers/one.json").read_text())["values"] == {"loss": 0.5}
    assert "0.50, **`total`** *(not computed yet)*" in (root / "chapters/one.ipynb").read_text()
    capsys.readouterr()
    assert run(root, "--check") == 1
    assert capsys.readouterr().err == (
        'chapters/one: not computed yet: total, who. Run "make book", then "make notebooks".\n'
    )
    assert notebooks.problems(root) == [], "a build must go on, or they could never be computed"


def test_numbers_of_other_code_are_named(make, capsys):
    root = make(f"{SHOWN}\n\n" + code("x = 1"), **{"chapters__numbers__one.json": numbers(loss=0.5, total=1, who="me")})
    assert (run(root), run(root, "--check")) == (0, 0), "by which code is not known"
    cells = execution.code_cells(execution.read(root / "chapters/one.md"))
    file = root / "chapters/numbers/one.json"
    stored = json.loads(file.read_text()) | {"code": glued.hash_of([cell.source for cell in cells])}
    file.write_text(json.dumps(stored))
    assert (run(root), run(root, "--check")) == (0, 0)
    chapter = root / "chapters/one.md"
    chapter.write_text(chapter.read_text().replace("x = 1", "x = 2"))
    assert run(root) == 0
    capsys.readouterr()
    assert run(root, "--check") == 1
    said = 'chapters/one: its numbers are those of other code. Run "make book", then "make notebooks".\n'
    assert capsys.readouterr().err == said


def test_a_format_that_does_not_fit_its_number_fails_with_its_line(make):
    root = make("a\n{glue:text}`who:.2f`", **{"chapters__numbers__one.json": numbers(who="me")})
    (found,) = notebooks.problems(root)[:1]
    assert found.startswith(f"chapters/one.md, line {FIRST + 1}: who is 'me', and '.2f' is no format for it: ")


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({}, True),
        ({"code": "edited"}, False),
        ({"versions": {"PyTorch": "9"}}, False),
        ({"values": {"a": 0.5}}, False),  # far
        ({"values": {"other": 0.8001}}, False),
    ],
)
def test_stored_numbers_stay_while_the_same_code_says_the_same_of_them(change, kept):
    old = glued.Numbers({"a": 0.8}, {"PyTorch": "2"}, "code")
    new = glued.Numbers({"a": 0.8001}, {"PyTorch": "2"}, "code")
    new = dataclasses.replace(new, **change)
    assert glued.newest("chapters/one", old, new) == (old if kept else new)


def test_numbers_of_unknown_code_are_given_its_hash():
    old, new = glued.Numbers({"a": 0.8}), glued.Numbers({"a": 0.8001}, code="code")
    assert glued.newest("chapters/one", old, new) == glued.Numbers({"a": 0.8}, code="code")


def test_numbers_are_compared_within_what_processors_differ_by():
    old = glued.Numbers({"a": 100.0, "b": 0.5, "c": "cat", "d": 1, "e": float("nan"), "f": 3.0, "gone": 1})
    new = glued.Numbers({"a": 111.5, "b": 0.52, "c": "dog", "d": 1, "e": float("nan"), "f": 9.0, "new": 2}, rough={"f"})
    assert glued.compare("chapters/one", old, new) == (
        [
            "chapters/one: a is stored as 100.0, computed 111.5",
            "chapters/one: c is stored as 'cat', computed 'dog'",
        ],
        ["b"],
    )


def test_twin_is_a_valid_notebook_in_the_form_that_nbformat_writes(make):
    root = make("Größe – “x”\n\n" + code("a = 1\n\n\nb = 2") + "\nmore\n")
    assert run(root) == 0
    text = (root / "chapters/one.ipynb").read_text(encoding="utf-8")
    twin = nbformat.reads(text, as_version=4)
    nbformat.validate(twin)
    assert (twin.metadata.kernelspec.name, twin.nbformat, twin.nbformat_minor) == ("python3", 4, 5)
    assert twin.metadata.backbone == {"source": "chapters/one.md"}
    assert text == nbformat.writes(twin) + "\n"
    assert "Größe" in text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nbformat warns of the random ids that we replace
        read = jupytext.read(root / "chapters/one.md")
    assert [cell.cell_type for cell in read.cells] == [cell.cell_type for cell in twin.cells]
    assert [cell.source for cell in read.cells][2:] == [cell.source for cell in twin.cells][2:]


TITLE, FIRST_CELL = HEADER + "\n# T\n\n", "the first code cell must be the line `import backbone` alone"
SHAPELESS = [
    (TITLE + code("import backbone"), FIRST_CELL),
    (TITLE + code("import backbone\nimport numpy", ":tags: [remove-cell]\n"), FIRST_CELL),
    (TITLE + code("import numpy", ":tags: [remove-cell]\n"), FIRST_CELL),
    (TITLE, FIRST_CELL),
    (HEADER + "\ntext\n" + IMPORT, "line 6: the text must begin with the chapter's title"),
    (ONE.removeprefix(HEADER), "has no jupytext header"),
    (ONE + "```{code-cell}\n:tags: [\n\nx\n```\n", "cannot be read"),
]


@pytest.mark.parametrize(("source", "message"), SHAPELESS)
def test_a_chapter_without_its_form_is_refused(make, source, message):
    found = notebooks.problems(make(**{"chapters__one.md": source}))
    assert found[0].startswith("chapters/one.md")
    assert message in found[0]


def test_write_check_and_write_again(make, capsys):
    root = make("text")
    assert notebooks.problems(root) == [
        f'chapters/{name}.ipynb is missing: run "make notebooks" and commit it.' for name in ("one", "two")
    ]
    assert run(root, "--check") == 1
    assert not list(root.rglob("*.ipynb"))
    assert run(root) == 0
    assert capsys.readouterr().out == "written   chapters/one.ipynb\nwritten   chapters/two.ipynb\n"
    assert run(root, "--check") == 0
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.ipynb")}
    assert run(root) == 0
    assert capsys.readouterr().out == "unchanged chapters/one.ipynb\nunchanged chapters/two.ipynb\n"
    assert before == {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in root.rglob("*.ipynb")}
    assert not list(root.rglob("*.tmp"))


def test_bytes_do_not_depend_on_the_run(make):
    root = make("{cite:p}`lecun1989,he2016` {ref}`deep_part`")
    texts = set()
    for seed in "0", "1", "2":
        command = [sys.executable, str(ROOT / "tools/notebooks.py"), "--root", str(root)]
        subprocess.run(command, capture_output=True, check=True, env={"PYTHONHASHSEED": seed})
        texts.add((root / "chapters/one.ipynb").read_bytes())
        (root / "chapters/one.ipynb").unlink()
    assert len(texts) == 1
    assert texts.pop().endswith(b"}\n")


def test_an_edit_makes_one_twin_stale_and_another_address_all(make):
    root = make("text")
    run(root)
    (root / "chapters/one.md").write_text(ONE + "other text")
    stale = [f'chapters/{name}.ipynb is stale: run "make notebooks" and commit it.' for name in ("one", "two")]
    assert notebooks.problems(root) == stale[:1]
    (root / "_config.yml").write_text(CONFIG.format(url="https://github.com/else/where"))
    assert notebooks.problems(root) == stale
    run(root)
    text = (root / "chapters/one.ipynb").read_text()
    assert "git+https://github.com/else/where\\n" in text
    assert "https://else.github.io/where/chapters/one.html" in text
    assert "ome-" not in text


def test_a_twin_without_chapter_is_removed_and_a_notebook_is_not(make, capsys):
    root = make("text", **{"chapters__mine.ipynb": "{}", "chapters__notes.ipynb": "no JSON"})
    run(root)
    # Who copies a twin to work in it owns the copy.
    copy = (root / "chapters/one.ipynb").read_text(encoding="utf-8")
    (root / "chapters/one-copy.ipynb").write_text(copy, encoding="utf-8")
    # The Korean edition keeps the chapters' names.
    (root / "chapters/ko").mkdir()
    (root / "chapters/ko/one.md").write_bytes((root / "chapters/one.md").read_bytes())
    run(root)
    for name in "two", "gone":
        source = f"chapters/ko/{name}.md"
        twin = json.dumps({"metadata": {"backbone": {"source": source}}})
        (root / source).with_suffix(".ipynb").write_text(twin, encoding="utf-8")
    (root / "chapters/ko/two.md").touch()
    (root / "_toc.yml").write_text("root: intro\nchapters:\n  - file: chapters/one\n")
    own, left = ("mine", "notes", "one-copy"), ("ko/gone", "ko/two", "two")
    (root / "chapters/numbers").mkdir()
    (root / "chapters/numbers/gone.json").write_text(numbers())
    assert sorted(notebooks.problems(root)) == sorted(
        [f"chapters/{name}.ipynb was not made from a chapter: remove it, or write {name}.md." for name in own]
        + [f'chapters/{name}.ipynb has no chapter: run "make notebooks", which removes it.' for name in left]
        + ['chapters/numbers/gone.json has no chapter: run "make notebooks", which removes it.']
    )
    assert run(root) == 0
    output = capsys.readouterr().out
    assert all(f"removed   chapters/{name}.ipynb" in output for name in left)
    assert not (root / "chapters/numbers/gone.json").exists()
    names = sorted(path.relative_to(root / "chapters").as_posix() for path in root.rglob("*.ipynb"))
    assert names == ["ko/one.ipynb", "mine.ipynb", "notes.ipynb", "one-copy.ipynb", "one.ipynb"]


def test_one_bad_chapter_does_not_hold_up_the_others(make, capsys):
    root = make("{kbd}`x`")
    assert run(root) == 1
    output = capsys.readouterr()
    assert output.out == "written   chapters/two.ipynb\n"
    assert output.err.count("\n") == 1
    assert "the role {kbd}" in output.err


def test_chapters_are_listed_in_reading_order_and_must_exist(make):
    root = make("text", **{"chapters__two.md": None})
    assert book_files.chapters(root) == [root / "chapters/one.md", root / "chapters/two.md"]
    assert "chapters/two.md does not exist: write it, or take it out of _toc.yml." in notebooks.problems(root)


README = f"# Book\n\n{notebooks.LINKS}\nold\n{notebooks.LINKS_END}\n\nEnd\n"


def test_readme_and_citation_follow_the_address(make):
    citation = "cff-version: 1.2.0\nrepository-code: x\nurl: y\nauthors:\n  - name: Z\n    url: https://keep.me\n"
    root = make("text", **{"README.md": README, "CITATION.cff": citation})
    stale = [text.split()[0] for text in notebooks.problems(root) if "stale" in text]
    assert stale == ["README.md", "CITATION.cff"]
    run(root)
    assert notebooks.problems(root) == []
    colab = "https://colab.research.google.com/github/Some-One/cnn.book/blob/main/chapters"
    assert (root / "README.md").read_text() == (
        f"# Book\n\n{notebooks.LINKS}\n\n| Chapter | Read | Run |\n| --- | --- | --- |\n"
        f"| The first chapter | [on the site]({SITE}chapters/one.html) | [on Colab]({colab}/one.ipynb) |\n"
        f"| Chapter two | [on the site]({SITE}chapters/two.html) | [on Colab]({colab}/two.ipynb) |\n"
        f"\nTake it along: [the whole site]({ADDRESS}/releases/latest/download/backbone.zip), "
        f"[the book as a PDF]({ADDRESS}/releases/latest/download/backbone.pdf), "
        f"[the PDF in Korean]({ADDRESS}/releases/latest/download/backbone-ko.pdf).\n\n{notebooks.LINKS_END}\n\nEnd\n"
    )
    assert (root / "CITATION.cff").read_text() == (
        f'cff-version: 1.2.0\nrepository-code: "{ADDRESS}"\nurl: "{SITE}"\n'
        "authors:\n  - name: Z\n    url: https://keep.me\n"
    )


def test_readme_without_a_block_stays_and_an_open_block_is_refused(make):
    root = make("text", **{"README.md": "# Book\n"})
    run(root)
    assert (root / "README.md").read_text() == "# Book\n"
    (root / "README.md").write_text(README.replace(notebooks.LINKS_END, ""))
    assert notebooks.problems(root) == [
        f"README.md: the block after `{notebooks.LINKS}` has no end; put `{notebooks.LINKS_END}` below it."
    ]


UNUSABLE = f"""{ADDRESS}/ {ADDRESS}.git https://gitlab.com/a/b http://github.com/a/b https://github.com/a
    https://github.com/a/b/c https://github.com/-a/b https://github.com/a/b?x git@github.com:a/b.git [a,b] ''"""


@pytest.mark.parametrize("url", [*UNUSABLE.split(), ""])
def test_a_broken_address_fails_in_one_sentence(make, capsys, url):
    root = make("text", **{"_config.yml": CONFIG.format(url=url)})
    with pytest.raises(notebooks.NotebookError, match=r"must have the form https://github\.com/OWNER/NAME"):
        notebooks.repository(root)
    for arguments in ([], ["--check"]):
        assert run(root, *arguments) == 1
        output = capsys.readouterr()
        assert output.out == ""
        assert re.fullmatch(r"repository\.url is .+: correct it in _config\.yml\.\n", output.err)


BROKEN = [
    ("_config.yml", "title: x\n", "repository.url is missing"),
    ("_config.yml", f"repository: {ADDRESS}\n", "repository.url is missing"),
    ("_config.yml", f"repository: {{url: {ADDRESS}}}\n", "repository.branch is missing"),
    ("_config.yml", "a: b: c\n", "_config.yml, line 1: this is not valid YAML"),
    ("_config.yml", "", "_config.yml holds no settings"),
    ("_toc.yml", None, "_toc.yml is missing"),
    ("references.bib", "@article{a, title={x}", "references.bib cannot be read"),
    ("references.bib", "@book{a, title={x}}\n@book{a, title={x}}", "references.bib cannot be read"),
]


@pytest.mark.parametrize(("name", "content", "message"), BROKEN)
def test_a_broken_file_of_the_book_fails_in_one_sentence(make, name, content, message):
    found = notebooks.problems(make("text", **{name: content}))
    assert len(found) == 1
    assert message in found[0]
    assert "\n" not in found[0]


@pytest.mark.parametrize(("name", "path"), [("Book", "Book/"), ("me.github.io", "")])
def test_addresses_follow_the_repository(make, name, path):
    found = notebooks.repository(make(**{"_config.yml": CONFIG.format(url=f"https://github.com/Me/{name}")}))
    assert found.pages_url == "https://me.github.io/" + path
    colab = f"https://colab.research.google.com/github/Me/{name}/blob/main/chapters/one.ipynb"
    assert found.colab_url("chapters/one") == colab


def test_the_book_has_no_problems():
    assert notebooks.problems(ROOT) == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("chapters/*.ipynb")), ids=lambda path: path.stem)
def test_twins_hold_code_that_compiles_and_no_myst(path):
    for item in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        source = "".join(item["source"])
        if item["cell_type"] == "code":
            compile(TransformerManager().transform_cell(source), f"{path.name}:{item['id']}", "exec")
            continue
        prose = re.sub(r"(?ms)^[\s>]*(```+|~~~+).*?^[\s>]*\1\s*$", "", source)
        prose = re.sub(r"`[^`]+`", "`code`", prose)
        assert not re.search(r"(?m)\{[\w:+-]+\}`|```\s*\{|:::|^\([^()]+\)=\s*$|^%|^\+\+\+", prose)
