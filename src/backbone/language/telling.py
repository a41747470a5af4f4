"""The book's words in another language, looked up by the English ones where a reader meets them.

English stands in the code. Beside this module each language has a folder of catalogues, JSON tables from an English
text to its own: `chapters/NAME.json` (comments of a chapter's cells, words of its figures and tables),
`exercises/NAME.json`, `widgets/NAME.json`, `shared.json` (what several of these say) and `site.json`. Where a text
holds numbers, an entry with places, `"run {} of {}"`, fits all of them.
"""

from __future__ import annotations

import html
import inspect
import json
import re
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
NUMBER = re.compile(r"(?<![\w.])[-−+]?\d+(?:,\d{3})*(?:\.\d+)?")
PLACE = re.compile(r"\{(\w*)\}")
# What is not running text, and, between two tags or in a label, what a reader meets.
KEPT = re.compile(r"(<(pre|code|script|style)\b.*?</\2>)", re.DOTALL)
SHOWN = re.compile(r'(?<=>)[^<>]+(?=<)|(?<= aria-label=")[^"]+(?=")|(?<= title=")[^"]+(?=")|(?<= alt=")[^"]+(?=")')
# In a module of texts: a text, and what is none, a name before a colon or the address of an import.
LITERAL = re.compile(r"""(from )?("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')(\s*:)?""")


@dataclass(frozen=True)
class Catalogue:
    """Texts of one language by the English ones; `known` maps each, `forms` those with places for numbers."""

    known: dict[str, str]
    forms: dict[str, tuple[list[str], str]] = field(default_factory=dict)

    @classmethod
    def of(cls, known: dict[str, str]) -> Catalogue:
        """Make a catalogue of a table."""
        forms = {PLACE.sub("{}", english): (PLACE.findall(english), told) for english, told in known.items()}
        return cls(known, {form: pair for form, pair in forms.items() if pair[0]})

    def find(self, text: str) -> str | None:
        """Return what a text is in this language, or None; its numbers may stand in an entry's places."""
        if known := self.known.get(text):
            return known
        names, told = self.forms.get(NUMBER.sub("{}", text), ((), ""))
        numbers = NUMBER.findall(text)
        if not told or len(numbers) != len(names):
            return None
        given = dict(zip(names, numbers, strict=True))
        rest = iter(numbers)
        return PLACE.sub(
            lambda place: given[place[1]] if place[1] in given and place[1] else _numbered(place[1], numbers, rest),
            told,
        )

    def tell(self, text: str) -> str:
        """Return a text in this language, with the blanks around it; one without an entry stays."""
        if (told := self.find(text)) is not None:
            return told
        if (told := self.find(" ".join(text.split()))) is None:
            return text
        return text[: len(text) - len(text.lstrip())] + told + text[len(text.rstrip()) :]

    def tell_html(self, markup: str) -> str:
        """Return markup whose texts and labels are told; code stays."""

        def told(match: re.Match) -> str:
            text = html.unescape(match[0])
            new = self.tell(text)
            return match[0] if new == text else html.escape(new)

        parts = KEPT.split(markup)  # text, what is kept, its tag, text, ...
        parts[2::3] = [""] * len(parts[2::3])
        parts[0::3] = [SHOWN.sub(told, part) for part in parts[0::3]]
        return "".join(parts)

    def tell_module(self, source: str) -> str:
        """Return a JavaScript module of texts, told."""

        def told(match: re.Match) -> str:
            if match[1] or match[3] or not (new := self.known.get(_unquoted(match[2]))):
                return match[0]
            return json.dumps(new, ensure_ascii=False)

        return LITERAL.sub(told, source)


def _numbered(name: str, numbers: list[str], rest) -> str:
    """Return the number for a place, by its index or in turn."""
    return numbers[int(name)] if name else next(rest)


def _unquoted(literal: str) -> str:
    """Return the text of a JavaScript string."""
    if literal[0] == "'":
        literal = '"' + literal[1:-1].replace("\\'", "'").replace('"', '\\"') + '"'
    try:
        return json.loads(literal)
    except ValueError:  # with an escape that only JavaScript has: no text of ours
        return literal


def texts_of(source: str) -> list[str]:
    """Return the texts of a JavaScript module of texts, in order."""
    return [_unquoted(text) for before, text, after in LITERAL.findall(source) if not before and not after]


@cache
def table(code: str, name: str):
    """Return a table of a language by its name, such as "chapters/dropout"; one that is not there is empty."""
    path = HERE / code / f"{name}.json"
    return json.loads(path.read_text("utf-8")) if path.is_file() else {}


def endings(code: str) -> list[str]:
    """Return what a language hangs on a word, the longest first; a search does without it."""
    return sorted(table(code, "endings"), key=len, reverse=True)


@cache
def catalogue(code: str, *names: str) -> Catalogue:
    """Return the entries of some tables of a language, such as "chapters/dropout"; the first that has one wins."""
    known: dict[str, str] = {}
    for name in reversed((*names, "shared")):
        known |= table(code, name)
    return Catalogue.of(known)


def of_chapter(code: str, chapter: str) -> Catalogue:
    """Return the entries that a chapter's page can need, but for those of its widgets."""
    return catalogue(code, f"chapters/{chapter}", f"exercises/{chapter}", "exercises/report")


def module_told(code: str, path: Path, source: str) -> str:
    """Return a file of a widget with its texts told: `text.js`, and `words.js`, which holds the words of the data."""
    if path.name == "words.js":
        return source.replace("{}", json.dumps(catalogue(code, "widgets/words").known, ensure_ascii=False), 1)
    return catalogue(code, f"widgets/{path.parent.name}").tell_module(source) if path.name == "text.js" else source


def use(code: str, chapter: str) -> None:
    """Speak another language in a notebook from here on: its figures and tables, its widgets, and its checks.

    Args:
        code: of the language, such as "ko".
        chapter: the notebook's name, such as "dropout".

    Raises:
        ValueError: there is no such language, or no such chapter in it.
    """
    languages = sorted(path.name for path in HERE.iterdir() if (path / "shared.json").is_file())
    if code not in languages:
        raise ValueError(f"language.use: code is {code!r}; the book has {', '.join(languages)}")
    chapters = sorted(path.stem for path in (HERE / code / "chapters").glob("*.json"))
    if chapter not in chapters:
        raise ValueError(f"language.use: chapter is {chapter!r}; the book has {', '.join(chapters)}")
    told = of_chapter(code, chapter)
    _tell_outputs(told)
    _tell_checks(told, chapter)
    _tell_widgets(code)


def _tell_widgets(code: str) -> None:
    """Tell the widgets, which were joined when they were imported."""
    base = import_module("backbone.widgets.base")
    for one in vars(import_module("backbone.widgets")).values():
        if isinstance(one, type) and issubclass(one, base.BookWidget):
            module = Path(inspect.getfile(one)).with_name("widget.js")
            one._esm = base.join(module, lambda path, source: module_told(code, path, source))


def _tell_outputs(told: Catalogue) -> None:
    """Tell figures and tables when a notebook shows them."""
    from IPython import get_ipython

    if not (shell := get_ipython()):
        return
    page = shell.display_formatter.formatters["text/html"]
    for name in ("backbone.figure.Figure", "backbone.table.Table", "backbone.models.summary.Summary"):
        page.for_type_by_name(*name.rsplit(".", 1), lambda shown: told.tell_html(shown._repr_html_()))


def _tell_checks(told: Catalogue, chapter: str) -> None:
    """Tell what the checks of a chapter say."""
    report = import_module("backbone.exercises.report")
    for texts in (report.TEXT, report.HINTS):
        texts |= {key: told.tell(text) for key, text in texts.items()}
    check = import_module("backbone.exercises.check")
    name = chapter.replace("-", "_")
    if not (Path(report.__file__).parent / f"{name}.py").is_file():
        return
    for one in vars(import_module(f"backbone.exercises.{name}")).values():
        if isinstance(one, check.Exercise):
            one.cases = tuple(replace(case, name=told.tell(case.name)) for case in one.cases)
            one.mistakes = [(told.tell(message), wrong) for message, wrong in one.mistakes]
