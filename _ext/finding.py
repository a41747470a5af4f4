"""How a reader finds things: an anchor at each figure, and the lists of figures and exercises, made from the pages.

The list of a page stands where the page says `{list-of} figures` or `{list-of} exercises`.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

import book_files
import edition
import figures
from docutils import nodes
from myst_blocks import numbered
from sphinx import addnodes
from sphinx.environment.collectors import EnvironmentCollector
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import clean_astext

DRAWING = 'class="bb-figure"'
CAPTION = re.compile(r'<figcaption[^>]*>(.*?)</figcaption>|<p class="bb-note">(.*?)</p>', re.DOTALL)
SENTENCE = re.compile(r".+?[.?!](?=\s+[^a-z\s]|$)")
GLOSSARY = "glossary"
CONSONANT = "HANGUL CHOSEONG "  # Unicode's name of one that begins a syllable
MOVES = "moves"  # stands behind a figure in the list
LISTS = ("figures", "exercises")
LOG = logging.getLogger(__name__)  # a warning fails the build, and says where
ALONE = "alone, for a projector"  # the link to it without the text around (page.js)


class Noted(EnvironmentCollector):
    """Keeps what was noted of each page in the list of its name."""

    name: str

    def clear_doc(self, app, env, docname):
        """Forget a page."""
        book_list(env, self.name).pop(docname, None)

    def merge_other(self, app, env, docnames, other):
        """Take over what another process has read."""
        found = book_list(other, self.name)
        book_list(env, self.name).update({page: found[page] for page in docnames if page in found})


class Figures(Noted):
    """Gives each figure's cell an anchor, and notes what the list of figures says of it."""

    name = "figures"

    def process_doc(self, app, doctree):
        """Find the figures of a page."""
        scripts = app.env.nb_metadata.get(app.env.docname, {}).get("js_files", {})
        _, attributes = scripts.get("ipywidgets_state", (None, {"body": '{"state": {}}'}))
        models = json.loads(attributes["body"])["state"]
        taken, found = set(), []
        for output in list(doctree.findall(is_output)):
            source = "\n".join(raw.astext() for raw in output.findall(nodes.raw))
            view = figures.VIEW_TAG.search(source)
            if not view and DRAWING not in source:
                continue
            section = section_of(output)
            anchor = once(name_of_widget(models, view) if view else question(section), taken)
            output["ids"].append(anchor)
            heading = [] if isinstance(section.parent, nodes.document) else [clean_astext(section[0])]
            found.append(
                (anchor, caption(text_below(output.parent) if view else source), heading + [MOVES] * bool(view))
            )
        book_list(app.env, "figures")[app.env.docname] = found


class Terms(Noted):
    """Notes the entries of a glossary.

    A page that uses them is read again when they change.
    """

    name = "terms"

    def process_doc(self, app, doctree):
        """Find the terms of a page."""
        links = [link for link in doctree.findall(addnodes.pending_xref) if link["reftype"] == "term"]
        if links and GLOSSARY in app.env.found_docs:
            app.env.note_dependency(app.env.doc2path(GLOSSARY))
        entries = [
            (item, [term for term in item if isinstance(term, nodes.term)])
            for glossary in doctree.findall(addnodes.glossary)
            for item in glossary.findall(nodes.definition_list_item)
        ]
        book_list(app.env, "terms")[app.env.docname] = [
            Entry([term["ids"][0] for term in terms], [clean_astext(term) for term in terms], *definition(item[-1]))
            for item, terms in entries
        ]


class Entry(NamedTuple):
    """An entry of the glossary."""

    anchors: list[str]
    names: list[str]
    text: str
    target: str  # the label or the page where it is explained


def definition(node) -> tuple[str, str]:
    """Return the text of a definition without its last sentence, "See ...", and what that sentence refers to."""
    links = list(node.findall(addnodes.pending_xref))
    if len(links) != 1:
        said = "the glossary's %r has %d references; end it with one, as in: See {doc}`chapters/vgg`."
        LOG.warning(said, clean_astext(node.parent[0]), len(links), location=node)
        return node.astext(), ""
    (link,) = links
    text = "".join(part.astext() for part in link.parent[: link.parent.index(link)])
    return text.strip().removesuffix("See").strip(), link["reftarget"].lstrip("/")


def tell_terms(app, doctree, docname):
    """Give a link to a term its definition as a title, which `page.js` shows in a box."""
    texts = {
        anchor: one.text for page in book_list(app.env, "terms").values() for one in page for anchor in one.anchors
    }
    for link in doctree.findall(nodes.reference):
        if any("std-term" in child.get("classes", []) for child in link.children if isinstance(child, nodes.Element)):
            link["reftitle"] = texts[link.get("refid") or link["refuri"].partition("#")[2]]


def book_list(env, name: str) -> dict:
    """Return what is known of each page, by its name."""
    return env.__dict__.setdefault(f"backbone_{name}", {})


def is_output(node) -> bool:
    """Say whether a node holds the outputs of a cell."""
    return isinstance(node, nodes.container) and "cell_output" in node["classes"]


def name_of_widget(models: dict, view: re.Match) -> str:
    """Return the name of a widget: that of its class, and of what it shows."""
    state = models.get(json.loads(view[1])["model_id"], {}).get("state", {})
    cls = state.get("_anywidget_id", "").rpartition(".")[2].removesuffix("Explorer")
    return "-".join(filter(None, [re.sub(r"(?<=[a-z])(?=[A-Z])", "-", cls), state.get("show", "")])).lower()


def section_of(node) -> nodes.section:
    """Return the section in which a node stands."""
    while not isinstance(node, nodes.section):
        node = node.parent
    return node


def question(section: nodes.section) -> str:
    """Return a section's heading without the term that follows its question, as a name."""
    return nodes.make_id(re.split("[:?]", section.get("english") or clean_astext(section[0]))[0])


def once(name: str, taken: set) -> str:
    """Return an anchor for a figure that no other on the page has."""
    count = next(n for n in range(1, len(taken) + 2) if (name, n) not in taken)
    taken.add((name, count))
    return nodes.make_id(f"figure-{name}" + (f"-{count}" if count > 1 else ""))


def text_below(cell) -> str:
    """Return the source of what stands below a cell."""
    below = cell.next_node(siblings=True, descend=False, ascend=False)
    return below.astext() if isinstance(below, nodes.raw) else ""


def caption(source: str) -> str:
    """Return the first sentence of the caption in an HTML source, as plain text."""
    match = CAPTION.search(source)
    text = " ".join(html.unescape(re.sub(r"<[^>]+>", "", match[1] or match[2])).split()) if match else ""
    return (SENTENCE.match(text) or [text])[0]


class Place(nodes.General, nodes.Element):
    """Where a list will stand, once all pages are read."""


class ListOf(SphinxDirective):
    """`{list-of} figures` or `{list-of} exercises`."""

    required_arguments = 1

    def run(self):
        """Keep the place."""
        (of,) = self.arguments
        if of not in LISTS:
            raise self.error(f"{{list-of}} {of!r}: there is no such list; write {' or '.join(LISTS)}")
        book_list(self.env, "lists")[self.env.docname] = True
        return [Place(of=of)]


def pages_with_lists(app, env):
    """Name the pages to be written again because other pages were read."""
    return [name for name in book_list(env, "lists") if name in env.found_docs]


def write_lists(app, doctree, docname):
    """Put the lists into their places, a heading for each page that has anything in them."""
    for place in list(doctree.findall(Place)):
        entries = exercise_entries(app.env) if place["of"] == "exercises" else book_list(app.env, "figures")
        made = []
        for page in book_files.documents(Path(app.srcdir)):
            if lines := entries.get(page):
                link = app.builder.get_relative_uri(docname, page)
                title = clean_astext(app.env.titles[page])
                items = [nodes.list_item("", line_of(app, link, *line)) for line in lines]
                made += [nodes.rubric("", "", refer(title, link), level=3), nodes.bullet_list("", *items)]
        place.replace_self(made)


def line_of(app, page: str, anchor: str, text: str, notes: list[str]) -> nodes.paragraph:
    """Return one line of a list."""
    told = [edition.words(app).tell(note) for note in notes]
    rest = [nodes.inline("", " · ".join(["", *told]), classes=["bb-note"])] if notes else []
    if MOVES in notes:
        alone = refer(ALONE, f"{page}?alone={anchor}")
        alone += nodes.inline("", f": {text}", classes=["visually-hidden"])  # each link has a name of its own
        rest += [nodes.Text(" · "), alone]
    return nodes.paragraph("", "", refer(text, f"{page}#{anchor}"), *rest)


def refer(text: str, address: str) -> nodes.reference:
    """Return a link."""
    return nodes.reference("", text, internal=True, refuri=address)


def number_in_chapters(app, builder):
    """Count the exercises of each page from 1, as its notebook does; Sphinx counts through the book.

    Its own numbers are kept with the environment before this, or it would take all pages for changed in the next build.
    """
    for numbers in app.env.toc_fignumbers.values():
        if exercises := numbers.get("exercise"):
            numbers["exercise"] = {label: (number,) for label, number in numbered(exercises).items()}


def exercise_entries(env) -> dict[str, list[tuple[str, str, list[str]]]]:
    """Return anchor and title of all exercises, by page and number."""
    entries: dict[str, list] = {}
    for page, numbers in env.toc_fignumbers.items():
        for label, number in sorted(numbers.get("exercise", {}).items(), key=lambda item: item[1]):
            node = env.sphinx_exercise_registry[label]["node"]
            subtitle = next(iter(node.findall(nodes.subtitle)), nodes.subtitle())
            name = edition.words(env.app).tell("Exercise")
            title = f"{name} {'.'.join(map(str, number))}: {subtitle.astext()}".removesuffix(": ")
            entries.setdefault(page, []).append((label, title, []))
    return entries


def initial(term: str) -> str:
    """Return the letter under which a dictionary has a term: of a Korean one the first consonant."""
    first = unicodedata.normalize("NFD", term)[0]
    name = unicodedata.name(first)
    if not name.startswith(CONSONANT):
        return first.upper()
    return unicodedata.lookup(f"HANGUL LETTER {name.removeprefix(CONSONANT).removeprefix('SSANG')}")


def add_letters(app, doctree, docname):
    """Put above a glossary the letters of its terms, each a link to the first of them."""
    for glossary in list(doctree.findall(addnodes.glossary)):
        first: dict[str, str] = {}
        for item in glossary.findall(nodes.definition_list_item):
            first.setdefault(initial(clean_astext(item[0])), item[0]["ids"][0])
        links = [nodes.reference("", letter, internal=True, refid=anchor) for letter, anchor in first.items()]
        glossary.parent.insert(glossary.parent.index(glossary), nodes.paragraph("", "", *links, classes=["bb-letters"]))


def setup(app):
    """Connect the extension."""
    # What is noted of a page is noted when it is read: after an edit here, all are read again.
    app.add_config_value("backbone_finding", hashlib.sha256(Path(__file__).read_bytes()).hexdigest(), "env")
    app.add_node(Place)
    app.add_directive("list-of", ListOf)
    app.add_env_collector(Figures)
    app.add_env_collector(Terms)
    app.connect("env-updated", pages_with_lists)
    app.connect("write-started", number_in_chapters)
    app.connect("doctree-resolved", write_lists)
    app.connect("doctree-resolved", tell_terms)
    app.connect("doctree-resolved", add_letters)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
