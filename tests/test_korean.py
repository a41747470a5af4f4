"""The Korean edition against the English: the same code, places and numbers, every text told, the words as decided."""

import json
import re
import subprocess
import sys
from pathlib import Path

import book_files
import execution
import korean
import pytest
from book_files import NotebookError

from backbone import language
from backbone.exercises import report

ROOT = Path(__file__).resolve().parents[1]
KO = language.HERE / korean.CODE
PAGES = korean.pages(ROOT)
CATALOGUES = sorted(path.relative_to(KO).with_suffix("").as_posix() for path in KO.rglob("*.json"))
WIDGETS = {f"widgets/{path.parent.name}" for path in (ROOT / "src/backbone/widgets").glob("*/text.js")}
TABLES = sorted({*CATALOGUES, *WIDGETS} - {"names", "endings", "avoided", "rooms"})

# --- Looking texts up -----------------------------------------------------------------------------------------


def test_a_text_is_found_whole_with_its_numbers_and_with_its_blanks():
    told = language.Catalogue.of(
        {"Runs": "횟수", "run {} of {}": "{1}번 중 {0}번", "{n} of {all} right": "{all}개 중 {n}개"}
    )
    assert told.tell("Runs") == "횟수"
    assert told.tell(" Runs\n") == " 횟수\n"
    assert told.tell("run 3 of 1,200") == "1,200번 중 3번"
    assert told.tell("2 of 3 right") == "3개 중 2개"
    assert told.tell("{n} of {all} right") == "{all}개 중 {n}개"  # a template stays one
    assert told.tell("run 3 of") == "run 3 of"
    assert told.find("nothing") is None


def test_numbers_end_where_a_sentence_goes_on():
    assert language.NUMBER.findall("all 200, on average 0.5, −3 and conv1 of 60,000.") == ["200", "0.5", "−3", "60,000"]


def test_an_empty_entry_is_none():
    assert language.Catalogue.of({"Runs": ""}).tell("Runs") == "Runs"


def test_markup_is_told_in_texts_and_labels_but_not_in_code():
    told = language.Catalogue.of({"Code": "코드", 'a < "b"': "ㄱ < ㄴ", "Runs": "횟수"})
    page = '<p title="Code">Code</p><code>Code</code><pre>Code</pre><b aria-label="Runs">a &lt; &quot;b&quot;</b>'
    assert told.tell_html(page) == (
        '<p title="코드">코드</p><code>Code</code><pre>Code</pre><b aria-label="횟수">ㄱ &lt; ㄴ</b>'
    )


def test_a_module_of_texts_is_told_but_for_names_and_addresses():
    told = language.Catalogue.of({"none": "없음", "./x.js": "!", 'say "it"': "말"})
    module = 'import { A } from "./x.js";\nexport const TEXT = { "none": "none", none: \'say "it"\' };\n'
    assert told.tell_module(module) == (
        'import { A } from "./x.js";\nexport const TEXT = { "none": "없음", none: "말" };\n'
    )
    assert language.texts_of(module) == ["none", 'say "it"']


def test_an_unknown_language_or_chapter_is_refused():
    with pytest.raises(ValueError, match=r"code is 'kr'; the book has ko"):
        language.use("kr", "dropout")
    with pytest.raises(ValueError, match=r"chapter is 'drop'; the book has .*dropout"):
        language.use("ko", "drop")


IN_A_NOTEBOOK = """
import re, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
from backbone import language, table, widgets
from backbone.exercises import dropout, report
from backbone.widgets.base import BookWidget
language.use("ko", "dropout")
hangul = re.compile("[가-힣]")
made = [one for one in vars(widgets).values() if isinstance(one, type) and issubclass(one, BookWidget)]
assert len(made) > 15, made
assert all(hangul.search(one._esm) for one in made), [one for one in made if not hangul.search(one._esm)]
assert all(map(hangul.search, [*report.HINTS.values(), *dropout.dropout.texts]))
assert hangul.search(repr(dropout.check_dropout(lambda x, p, training, generator: x)))
shown, _ = shell.display_formatter.format(table.Table([{"method": 1}]))
assert hangul.search(shown["text/html"]), shown
"""


def test_a_notebook_speaks_korean_in_its_widgets_checks_and_tables():
    subprocess.run([sys.executable, "-c", IN_A_NOTEBOOK], check=True, cwd=ROOT / "src")


# --- Chapters -------------------------------------------------------------------------------------------------

ENGLISH = """\
---
question: What is left?
---

# Title

First.

```{code-cell} ipython3
:tags: [hide-input]

def f(x):
    \"\"\"Return x.\"\"\"
    return "# no comment"  # a comment
```

Second.
"""
KOREAN = """\
---
question: 무엇이 남을까요?
---

# 제목

첫째.

@@

둘째.
"""


@pytest.fixture
def book(tmp_path):
    """Write a book of one chapter in two languages, and return its root."""
    (tmp_path / "chapters/ko").mkdir(parents=True)
    (tmp_path / "_toc.yml").write_text("root: intro\nchapters:\n  - file: chapters/one\n")
    (tmp_path / "chapters/one.md").write_text(ENGLISH, "utf-8")
    (tmp_path / "chapters/ko/one.md").write_text(KOREAN, "utf-8")
    return tmp_path


def test_a_chapter_gets_the_english_cells_and_keeps_its_text(book):
    made = korean.in_step(book, "chapters/one", stamped=True)
    assert "question: 무엇이 남을까요?" in made
    assert korean.passages(made) == ["# 제목\n\n첫째.", "둘째."]
    assert korean.same_code(ENGLISH, made)
    assert 'return "# no comment"  # a comment' in made
    (book / "chapters/ko/one.md").write_text(made, "utf-8")
    assert korean.in_step(book, "chapters/one") == made
    assert korean.stale(book, "chapters/one") == []


def test_comments_and_docstrings_are_told_and_nothing_else_changes():
    told = language.Catalogue.of({"a comment": "설명", "Return x.": "x를 돌려줍니다.", "no comment": "!"})
    cell = korean.CELL.search(ENGLISH)[0]
    made = korean.cell_told(cell, told)
    assert '"""x를 돌려줍니다."""\n    return "# no comment"  # 설명\n' in made
    assert korean.same_code(cell, made)
    assert not korean.same_code(cell, made.replace("return", "yield"))


def test_a_changed_sentence_makes_its_passage_stale_and_a_changed_cell_none(book):
    path = book / "chapters/ko/one.md"
    path.write_text(korean.in_step(book, "chapters/one", stamped=True), "utf-8")
    english = book / "chapters/one.md"
    english.write_text(ENGLISH.replace("return", "yield"), "utf-8")
    assert korean.stale(book, "chapters/one") == []
    english.write_text(ENGLISH.replace("Second.", "Two."), "utf-8")
    assert korean.stale(book, "chapters/one") == [1]
    page = korean.page(book, "chapters/one", language.catalogue("ko", "site"), {})
    assert page.index("둘째.") < page.index("영어판이 바뀌었습니다")
    assert page.count("bb-stale") == 1


def test_another_number_of_cells_is_refused_with_both(book):
    (book / "chapters/ko/one.md").write_text(KOREAN.replace("@@", ""), "utf-8")
    with pytest.raises(NotebookError, match=r"has 0 code cells, the English 1: write a line `@@`"):
        korean.in_step(book, "chapters/one")


def test_a_page_that_is_not_there_says_so_in_its_first_lines(book):
    (book / "chapters/ko/one.md").unlink()
    page = korean.page(book, "chapters/one", language.catalogue("ko", "site"), {})
    assert page.index("# Title") < page.index("아직 영어입니다") < page.index("First.")


@pytest.mark.parametrize("docname", PAGES)
def test_each_page_has_the_english_code(docname):
    english, text = korean.read(ROOT, docname)
    assert korean.same_code(english, text)


def test_every_page_is_there():
    assert book_files.documents(ROOT) == PAGES


# What a passage must keep: roles with their targets, labels, formulas, directives, headings.
KEPT = {
    "roles": r"\{(?:glue:text|cite:[pt])\}`([^`]+)`",
    "targets": r"\{(?:ref|doc)\}`(?:[^`<]*<)?([^`>]+)>?`",
    "terms": r"\{(term)\}`",  # a name may be the Korean one of the same term
    "labels": r"^\(([^)\s]+)\)=",
    "directives": r"^`{3,4}\{(?!code-cell)([\w-]+)\}",
    "options": r"^:(?:label|class): (.*)",
    "headings": r"^(#+) ",
    "answers": r"^- \[([ x])\] ",
    "parts of figures": r'data-part="([^"]+)"',
}


@pytest.mark.parametrize("docname", [name for name in PAGES if name != "glossary"])
def test_each_passage_keeps_what_the_english_has(docname):
    english, text = map(korean.passages, korean.read(ROOT, docname))
    late = korean.stale(ROOT, docname)  # who edits the English breaks nothing
    for number, (mine, other) in enumerate(zip(english, text, strict=True)):
        if number in late:
            continue
        for kind, pattern in KEPT.items():
            find = re.compile(pattern, re.MULTILINE)
            ordered = kind in ("headings", "directives", "labels", "answers")
            wanted, found = find.findall(mine), find.findall(other)
            assert (wanted if ordered else sorted(wanted)) == (found if ordered else sorted(found)), (number, kind)


# --- Words ----------------------------------------------------------------------------------------------------

TEXTS = {docname: korean.source_of(ROOT, docname).read_text("utf-8") for docname in PAGES} | {
    name: json.dumps(list(language.table(korean.CODE, name).values()), ensure_ascii=False, indent=0) for name in TABLES
}
HANGUL = "[가-힣]"
# Each with what to do instead.
MISTAKES = {
    rf"[)\]\"'’”.,%`]\*\*{HANGUL}": "bold ends behind a letter, and a particle follows: **합성곱**(convolution)은",
    rf"\{{glue:text\}}`[^`]+` ?(?:은|는|이|가|을|를|으로|과|와)(?!{HANGUL})": "a noun or a unit stands behind a number",
    r"\d %|\} %|` %": "% stands without a blank",
    r"\b(?:우리는|우리가|그것은|그것이|그것을|그들은|그들이)\b": "name it, or leave it out",
    r"되어지|보여지": "no double passive",
}


def prose(text: str) -> str:
    """Return a source without code, formulas and the names that a glossary lists on purpose."""
    text = re.sub(r"^```\{code-cell\}.*?^```$|^```(?:python|text)?\n.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"\$[^$\n]+\$", "", text)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_no_text_has_a_usual_mistake(name, mistake):
    found = re.findall(f".*(?:{mistake}).*", prose(TEXTS[name]))
    assert not found, f"{MISTAKES[mistake]}: {found[:3]}"


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "glossary"])
def test_terms_are_the_decided_ones(name):
    avoided = language.table(korean.CODE, "avoided")
    words = re.compile(rf"(?<!{HANGUL})(?:{'|'.join(map(re.escape, sorted(avoided, key=len, reverse=True)))})")
    text = prose(TEXTS[name]).replace("클래스 활성화 맵", "")
    assert {word: avoided[word] for word in words.findall(text)} == {}


@pytest.mark.parametrize("name", TABLES)
def test_each_entry_says_something_with_the_same_places(name):
    for english, told in language.table(korean.CODE, name).items():
        assert told.strip(), english
        wanted, found = (sorted(language.PLACE.findall(text)) for text in (english, told))
        if found and all(map(str.isdigit, found)) and not any(wanted):  # numbers in another order
            wanted, found = list(range(len(wanted))), sorted(map(int, found))
        assert wanted == found, english
        blanks = [len(text) - len(text.lstrip()) for text in (english, told)]
        assert blanks[0] == blanks[1] or not told.strip().startswith("·"), english


def sources(name: str) -> set[str] | None:
    """Return the English texts that a catalogue is for, or None where they come from pages."""
    kind, _, place = name.partition("/")
    if kind == "widgets" and place != "words":
        return set(language.texts_of((ROOT / f"src/backbone/widgets/{place}/text.js").read_text("utf-8")))
    if name == "exercises/report":
        return {*report.TEXT.values(), *report.HINTS.values()}
    if kind == "exercises":
        return set(korean.exercise_texts(place))
    if name == "static":
        scripts = "".join(path.read_text("utf-8") for path in (ROOT / "_static").glob("*.js"))
        named = r"const (?:TEXT|MODES) = \{(?: [^\n]*|\n.*?\n  )\};|const FAILED = [^\n]*\n"
        parts = re.findall(named, scripts, re.DOTALL)
        return {text for part in parts for text in language.texts_of(part)}
    return None


@pytest.mark.parametrize("name", [name for name in TABLES if name.startswith(("widgets/", "exercises/", "static"))])
def test_a_catalogue_has_the_texts_that_there_are_and_no_others(name):
    if (there := sources(name)) is None:
        return
    known = set(language.table(korean.CODE, name))
    assert known <= there, f"no text of this kind any more: {sorted(known - there)[:3]}"
    missing = {text for text in there - known if korean.is_english(text)}
    assert not missing, f"no entry: {sorted(missing)[:3]}"


@pytest.mark.site
@pytest.mark.parametrize("docname", [name for name in PAGES if "/" in name or name == "intro"])
def test_figures_tables_and_comments_of_a_chapter_are_told(docname, monkeypatch):
    kept = execution.kept_of(ROOT, docname)
    if not kept:
        pytest.fail(f"{docname} is not executed: run make book", pytrace=False)
    monkeypatch.setattr(execution, "kept_of", lambda *page: kept)  # to find it is most of the work
    assert korean.wanted(ROOT, docname) == {}
    assert korean.unused(ROOT, docname) == set()
