"""What the search page finds: the sections of all pages, in `searchindex.js`, which `_static/search.js` reads.

A section is found by what stands in it, by its heading, by the names that the glossary has for what it explains, and by
the words that its moving figures show.
The file is a script, so that it also loads from a folder. It is written from all pages; what the unchanged ones hold is
kept beside Sphinx's own record of them.
"""

from __future__ import annotations

import html
import inspect
import json
import re
from pathlib import Path

import book_files
import edition
import figures
from backbone_book import class_of
from docutils import nodes
from finding import CAPTION, GLOSSARY, book_list
from sphinx.util import logging
from sphinx.util.nodes import clean_astext

from backbone import language

STORE = "sections.json"
FINDER = "search.js"
INDEX = "globalThis.backboneIndex = {};\n"
# Pages that only lead to others.
LISTS = {GLOSSARY, "figures-and-exercises", "references"}
WORD = re.compile(r"(?<!\{)\b[^\W\d_]{2,}\b(?!\})")  # not the name of a place for a number
MADE_UP = re.compile(r"id\d+")  # an id that counts, and is another when the page is edited
LOG = logging.getLogger(__name__)  # a warning fails the build, and says where
SILENT = (nodes.literal_block, nodes.math_block, nodes.comment, nodes.Invisible, nodes.title)

PAGE = """\
<h1>Search</h1>
<form class="bb-search" role="search">
<input type="search" name="q" id="search-field" aria-label="Search this book" autocomplete="off" spellcheck="false">
<button type="submit">Search</button>
</form>
<noscript><p>The search needs JavaScript.</p></noscript>
<p class="search-summary" role="status"></p>
<ol id="search-results"></ol>
<script src="{shared}minisearch/minisearch.js"></script>
<script src="searchindex.js"></script>
"""


def replace_search(app):
    """Take the place of Sphinx's own index and search page, and read what is kept of pages that did not change."""
    app.builder.search = False
    store = Path(app.doctreedir) / STORE
    app.env.backbone_sections = json.loads(store.read_text("utf-8")) if store.is_file() else {}


def search_page(app):
    """Make the search page."""
    yield "search", {"title": "Search", "body": PAGE.format(shared=edition.shared(app))}, "page.html"


def note_sections(app, doctree, docname):
    """Note the sections of a page."""
    if docname in LISTS:
        return
    sections = [one for one in doctree.findall(nodes.section) if isinstance(one.parent, nodes.document | nodes.section)]
    for section in sections[1:]:
        if not lasting(section["ids"]):
            said = "the heading %r has no letters for an address; write one above it, as in: (sec-a-name)="
            LOG.warning(said, clean_astext(section[0]), location=section)
    app.env.backbone_sections[docname] = [
        [one["ids"], clean_astext(one[0]), spoken(one), shown(app, docname, one)] for one in sections
    ]


def lasting(ids: list[str]) -> list[str]:
    """Return the addresses of a section that an edit of the page does not change."""
    return [name for name in ids if not MADE_UP.fullmatch(name)]


def spoken(section) -> str:
    """Return what a reader reads in a section, without code, formulas and the sections in it."""
    return " ".join(" ".join(words(part) for part in section if not isinstance(part, nodes.section)).split())


def shown(app, docname: str, section) -> str:
    """Return the words that a section's moving figures show, each once."""
    own = [part for part in section if not isinstance(part, nodes.section)]
    sources = "\n".join(raw.astext() for part in own for raw in part.findall(nodes.raw))
    models, tell, texts = app.env.backbone_models[docname], edition.telling(app), []
    for view in figures.VIEW_TAG.findall(sources):
        path = Path(inspect.getfile(class_of(models[json.loads(view)["model_id"]]["state"]))).with_name("text.js")
        source = path.read_text("utf-8") if path.is_file() else ""  # a figure may have no words
        texts += language.texts_of(tell(path, source) if tell else source)
    return " ".join(dict.fromkeys(WORD.findall(" ".join(texts).lower())))


def words(node) -> str:
    """Return the words of a node; of a figure those of its caption."""
    if isinstance(node, SILENT):
        return ""
    if isinstance(node, nodes.raw):
        captions = CAPTION.findall(node.astext()) if node.get("format") == "html" else []
        return html.unescape(re.sub("<[^>]+>", "", " ".join(map("".join, captions))))
    if isinstance(node, nodes.math):
        return "…" if "\\" in node.astext() else node.astext()
    if isinstance(node, nodes.Text):
        return node.astext()
    return ("" if isinstance(node, nodes.TextElement) else " ").join(map(words, node.children))


def write_index(app, exception):
    """Write the index, and keep what was noted for the next build."""
    if exception or app.builder.name != "html":
        return
    noted, found = app.env.backbone_sections, book_files.documents(Path(app.srcdir))
    (Path(app.doctreedir) / STORE).write_text(json.dumps(noted), "utf-8")
    pages = [name for name in found if name in noted]
    meanings = explained(app.env)
    sections = [
        {
            "page": number,
            "anchor": (lasting(ids) or [""])[-1] if i else "",
            "heading": heading,
            "text": text,
            "figures": words_shown,
            "names": [name for place in (ids if i else [""]) for name in meanings.get((page, place), [])],
        }
        for number, page in enumerate(pages)
        for i, (ids, heading, text, words_shown) in enumerate(noted[page])
    ]
    titles = [[f"{page}.html", clean_astext(app.env.titles[page])] for page in pages]
    finder = (Path(app.srcdir) / "_static" / FINDER).read_text("utf-8")
    scripts = [f"{edition.shared(app)}minisearch/minisearch.js", f"_static/{FINDER}?v={figures.version(finder)[:8]}"]
    told = {
        "scripts": scripts,  # for the dialog
        "pages": titles,
        "sections": sections,
        "endings": language.endings(app.config.language),
    }
    index = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "searchindex.js").write_text(INDEX.format(index), "utf-8")


def explained(env) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return, by page and section, the names of what is explained there, each with its definition."""
    labels, found = env.domains["std"].anonlabels, {}
    for entry in (one for page in book_list(env, "terms").values() for one in page):
        place = labels.get(entry.target, (entry.target, ""))
        found.setdefault(place, []).extend((name, entry.text) for name in entry.names)
    return found


def setup(app):
    """Connect the extension."""
    app.connect("builder-inited", replace_search)
    app.connect("html-collect-pages", search_page)
    app.connect("doctree-resolved", note_sections, priority=950)  # behind what finds a page's models
    app.connect("build-finished", write_index)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
