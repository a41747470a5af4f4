"""How a reader goes through the book: its chapters as cards, and beside each chapter what its neighbors ask.

The cards stand where a page says `{cards}`. What they say comes from tools/outline.py, their pictures from
tools/thumbnails.py.
"""

from __future__ import annotations

import html
from pathlib import Path

import book_files
import edition
import outline
from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import clean_astext

# The same picture twice, in the ink of each theme; the theme shows one of them, and only that is fetched.
THUMBNAIL = (
    '<img class="only-{theme}" src="{folder}/{name}-{theme}.webp" alt="" width="320" height="180" loading="lazy">'
)
CARD = (
    '<li class="bb-card">{pictures}<a href="{link}">{title}</a>'
    '<p class="bb-asks">{question}</p><p class="bb-note">{minutes}{needs}&nbsp;· <a href="{link}#exercises">{exercises}'
    '<span class="visually-hidden">: {title}</span></a></p></li>'
)
AFTER = " · after {needs} · in\N{NO-BREAK SPACE}all\N{NO-BREAK SPACE}{hours}\N{NO-BREAK SPACE}h"
LOG = logging.getLogger(__name__)  # a warning fails the build, and says where
ASKS = '{title}<span class="bb-asks">{question}</span>'


class CardsPlace(nodes.General, nodes.Element):
    """Where the cards will stand, once all pages are read."""


class Cards(SphinxDirective):
    """`{cards}`."""

    def run(self):
        """Keep the place."""
        self.env.backbone_cards = self.env.docname
        return [CardsPlace()]


def page_with_cards(app, env):
    """Name the page to be written again because what the cards say may have changed."""
    return [name for name in [getattr(env, "backbone_cards", None)] if name in env.found_docs]


def write_cards(app, doctree, docname):
    """Put the cards into their place, under the parts of the book."""
    for place in list(doctree.findall(CardsPlace)):
        made = []
        for part in outline.parts(Path(app.srcdir)):
            title = nodes.rubric("", part.title, level=3)  # MyST's name for it
            cards = "".join(card(app, docname, chapter) for chapter in part.chapters)
            made += [title, nodes.raw("", f'<ol class="bb-cards">{cards}</ol>', format="html")]
        rule = edition.words(app).tell(outline.RULE)  # told here, because a page's description takes it along
        place.replace_self([*made, nodes.paragraph("", rule, classes=["bb-note"])])


def card(app, docname: str, chapter: outline.Chapter) -> str:
    """Return the card of a chapter."""
    folder = app.builder.get_relative_uri(docname, "_static/thumbnails").removesuffix(".html")
    name = chapter.docname.rpartition("/")[2]
    if unknown := [other for other in chapter.needs if other not in app.env.titles]:
        said = "needs, in its front matter, names %s; name files of chapters in _toc.yml, as in: needs: [convolution]"
        LOG.warning(said, ", ".join(unknown), location=chapter.docname)
    needs = ", ".join(title(app, other) for other in chapter.needs if other not in unknown)
    hours = round(outline.minutes_in_all(chapter.docname, outline.chapters(Path(app.srcdir))) / 30) / 2
    return CARD.format(
        pictures="".join(THUMBNAIL.format(theme=theme, folder=folder, name=name) for theme in ("light", "dark")),
        link=app.builder.get_relative_uri(docname, chapter.docname),
        title=title(app, chapter.docname),
        question=html.escape(chapter.question),
        minutes=edition.words(app).tell("{minutes} min").format(minutes=chapter.minutes),
        exercises=edition.words(app).tell("{count} exercises").format(count=chapter.exercises),
        needs=edition.words(app).tell(AFTER).format(needs=needs, hours=f"{hours:g}") if needs else "",
    )


def title(app, docname: str) -> str:
    """Return the title of a page, for HTML."""
    return html.escape(clean_astext(app.env.titles[docname]))


def ask_of_neighbors(app, pagename, templatename, context, doctree):
    """Show beside the titles of the previous and the next page what they ask."""
    pages, known = book_files.documents(Path(app.srcdir)), outline.chapters(Path(app.srcdir))
    if pagename not in pages:
        return
    here = pages.index(pagename)
    for side, there in (("prev", here - 1), ("next", here + 1)):
        if chapter := known.get(pages[there]) if 0 <= there < len(pages) else None:
            question = html.escape(chapter.question)
            context[f"{side}_title"] = ASKS.format(title=title(app, chapter.docname), question=question)


def setup(app):
    """Connect the extension."""
    # A page is written again when a neighbor asks something else.
    questions = [chapter.question for chapter in outline.chapters(Path(app.srcdir)).values()]
    app.add_config_value("backbone_questions", questions, "html")
    app.add_node(CardsPlace)
    app.add_directive("cards", Cards)
    app.connect("env-updated", page_with_cards)
    app.connect("doctree-resolved", write_cards)
    app.connect("html-page-context", ask_of_neighbors)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
