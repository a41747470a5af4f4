"""The directive `{question}`: a quick question with its answers, of which `_static/reading.js` shows one's reasons."""

from __future__ import annotations

import hashlib
from pathlib import Path

import questions
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

RIGHT, WRONG = "Right.", "Not this one."


class Question(SphinxDirective):
    """One question: buttons, and under each answer why it is right or wrong.

    Its name is made of its words: what a reader answered is forgotten when they change.
    """

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self):
        """Return the question's nodes."""
        try:
            found = questions.answers(list(self.content))
        except ValueError as error:
            raise self.error(f"{{question}} {self.arguments[0]!r}: {error}") from None
        words = "\0".join([self.arguments[0], *self.content])
        name = f"question-{hashlib.sha256(words.encode()).hexdigest()[:8]}"
        asked = [raw(f'<p id="{name}-asked">'), *self.inline(self.arguments[0]), raw("</p>")]
        answers = [node for answer in found for node in self.answer(answer)]
        box = nodes.container("", classes=["bb-question"], ids=[name])
        box += [*asked, raw(f'<ul role="list" aria-labelledby="{name}-asked">'), *answers, raw("</ul>")]
        return [box]

    def answer(self, answer: questions.Answer) -> list[nodes.Node]:
        """Return the nodes of one answer."""
        kind, verdict = ("right", RIGHT) if answer.right else ("wrong", WRONG)
        return [
            raw(f'<li class="bb-{kind}"><button type="button">'),
            *self.inline(answer.text),
            raw(f'</button><p class="bb-why"><strong>{verdict}</strong> '),
            *self.inline(answer.why),
            raw("</p></li>"),
        ]

    def inline(self, text: str) -> list[nodes.Node]:
        """Return the nodes of running text."""
        made, messages = self.state.inline_text(text, self.lineno)
        return [*made, *messages]


def raw(text: str) -> nodes.raw:
    """Return HTML that stands as it is."""
    return nodes.raw("", text, format="html")


def setup(app):
    """Connect the directive."""
    # What a page says is noted when it is read: after an edit here, all are read again.
    files = (Path(__file__), Path(questions.__file__))
    made_by = hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()
    app.add_config_value("backbone_quick_questions", made_by, "env")
    app.add_directive("question", Question)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
