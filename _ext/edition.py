"""The two editions of the book: their pages lead to each other, and the Korean ones keep the English anchors.

The Korean pages are made like the English ones, behind them (tools/book.py), and are told at the end: every text and
label on them that a catalogue has, be it the theme's, this extension's, or an output's.
"""

from __future__ import annotations

import html
import json
import re
from functools import cache
from pathlib import Path

import korean
from docutils import nodes
from sphinx.errors import SphinxError

from backbone import language

ENGLISH = "en"
NAMES = {ENGLISH: "English", korean.CODE: "한국어"}
SECTION = re.compile(
    r'<section[^>]* id="([^"]+)"[^>]*>\s*((?:<span id="[^"]+"></span>\s*)*)<h[1-6]>(.*?)<a class="headerlink"',
    re.DOTALL,
)
COUNTED = re.compile(r"id\d+")
BUTTONS = '<div class="article-header-buttons">'
SWITCH = '<a class="bb-language" lang="{code}" hreflang="{code}" href="{href}">{name}</a>'
HEAD = '<link rel="alternate" hreflang="{code}" href="{address}"/>\n</head>'

COPYING = re.compile(r"const messages = \{")
COPY_WORDS = {
    "copy": "Copy",
    "copy_to_clipboard": "Copy to clipboard",
    "copy_success": "Copied!",
    "copy_failure": "Failed to copy",
}

CARD_FACE = Path(__file__).parent / "fonts" / "hangul.otf"


class EditionError(SphinxError):
    """A Korean page that is not built like its English one."""

    category = "Edition"


@cache
def english_sections(page: Path) -> list[tuple[list[str], str]]:
    """Return the anchors and the heading of each section of a built English page, in order."""
    return [
        ([anchor, *re.findall('id="([^"]+)"', spans)], html.unescape(re.sub("<[^>]+>", "", heading)))
        for anchor, spans, heading in SECTION.findall(page.read_text("utf-8"))
    ]


def name_no_sections(app, config):
    """Let Korean headings make no anchors: what is Latin in one may be the label of an exercise."""
    if config.language != korean.CODE:
        return
    own = nodes.document.set_id

    def set_id(self, node, *rest):
        names = node["names"]
        if isinstance(node, nodes.section):
            node["names"] = []  # so that it is numbered, until `share_anchors`
        made = own(self, node, *rest)
        node["names"] = names
        return made

    nodes.document.set_id = set_id


def share_anchors(app, doctree):
    """Give the sections of a Korean page the anchors of the English ones, and note the English headings."""
    if app.config.language != korean.CODE:
        return
    english = english_sections(Path(app.config.backbone_english) / f"{app.env.docname}.html")
    sections = [one for one in doctree.findall(nodes.section) if isinstance(one[0], nodes.title)]
    if len(sections) != len(english):
        raise EditionError(
            f"{app.env.docname}: {len(sections)} headings in Korean, {len(english)} in English; "
            "give each English one a Korean one, in the same order."
        )
    for section, (ids, heading) in zip(sections, english, strict=True):
        # One that counts, where an English heading is no name, may be another's here.
        named = [name for name in ids if not COUNTED.fullmatch(name)]
        section["ids"], section["english"] = named or section["ids"], heading


def shared(app) -> str:
    """Return the way from a site to what it shares with the other edition, which lies in the English one."""
    return "../" if app.config.language == korean.CODE else ""


def words(app) -> language.Catalogue:
    """Return the words of the site in the language of its pages."""
    return language.catalogue(app.config.language, "site")


def telling(app):
    """Return what makes of each file of a widget what pages get; None where they get it as it is."""
    code = app.config.language
    return (lambda path, source: language.module_told(code, path, source)) if code == korean.CODE else None


def headline(section: nodes.section) -> str:
    """Return the English heading of a section, of which names are made that both editions share."""
    return section.get("english") or section[0].astext()


# sphinx-exercise has Korean words, in the order of English.
SOLUTION = re.compile(r'(?<=class="admonition-title">)해답 연습 ([^<]*)')


def finished(app, text: str, page: Path) -> str:
    """Return a finished page with a link to the same page of the other edition; a Korean one is told."""
    code, name = app.config.language, page.relative_to(app.outdir).as_posix()
    address = app.config.html_baseurl.removesuffix(f"{korean.CODE}/")
    if app.config.backbone_korean and BUTTONS in text and "bb-language" not in text and name != "404.html":
        other = ENGLISH if code == korean.CODE else korean.CODE
        up = "../" * name.count("/")
        href = f"{up}../{name}" if other == ENGLISH else f"{up}{other}/{name}"
        text = text.replace(BUTTONS, BUTTONS + SWITCH.format(code=other, href=href, name=NAMES[other]), 1)
        for one, place in ((ENGLISH, ""), (korean.CODE, f"{korean.CODE}/")):
            text = text.replace("</head>", HEAD.format(code=one, address=f"{address}{place}{name}"), 1)
    return told(app, text, name) if code == korean.CODE else text


def give_cards_hangul(app, config):
    """Let the pictures that a link to a page shows have a face with Hangul, which that of their extension has not."""
    if config.language == korean.CODE:
        from matplotlib.font_manager import FontEntry, fontManager

        fontManager.ttflist.append(FontEntry(fname=str(CARD_FACE), name=korean.CARD_FACES[0]))


def told(app, text: str, name: str) -> str:
    """Return a Korean page with all told that a catalogue has; what leads to its source leads to the Korean one."""
    docname = name.removesuffix(".html")
    chapter = docname.rpartition("/")[2]
    tables = (f"chapters/{chapter}", f"exercises/{chapter}", "exercises/report", "site")
    text = language.catalogue(korean.CODE, *tables).tell_html(text)
    text = SOLUTION.sub(r"연습 문제 \1 해답", text)
    if docname not in app.config.backbone_korean:
        return text
    own = korean.source_name(docname).removesuffix(".md")
    return re.sub(rf"(?<=/)(edit|blob)/([\w./-]+?)/{docname}\.(md|ipynb)", rf"\1/\2/{own}.\3", text)


def tell_copy_buttons(app) -> None:
    """Give sphinx-copybutton's script the words of the edition's language, which it has not."""
    code, script = app.config.language, Path(app.outdir) / "_static" / "copybutton.js"
    text = script.read_text("utf-8")
    if not (begin := COPYING.search(text)):
        raise SphinxError(f"{script.name} no longer begins its messages with {COPYING.pattern!r}")
    if code == korean.CODE:
        words = {key: language.catalogue(code, "site").tell(word) for key, word in COPY_WORDS.items()}
        told = f"'{code}': {json.dumps(words, ensure_ascii=False)},"
        rest = re.sub(rf"^'{code}': \{{.*?\}},", "", text[begin.end() :])  # of an earlier build
        script.write_text(text[: begin.end()] + told + rest, "utf-8")


def setup(app):
    """Connect the extension."""
    app.add_config_value("backbone_english", "", "env")
    app.add_config_value("backbone_korean", [], "")
    app.connect("config-inited", name_no_sections)
    app.connect("config-inited", give_cards_hangul)
    app.connect("doctree-read", share_anchors, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
