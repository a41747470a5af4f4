"""MyST Markdown rewritten as the Markdown that Jupyter and Colab show.

The list of what is rewritten is closed: ROLES and DIRECTIVES, at the end. Anything else raises NotebookError with
file and line, because a reader on Colab must never meet raw MyST. Code, inline code and math pass untouched.
"""

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from book_files import NotebookError, Reference, Repository, escaped
from myst_blocks import SILENT, Block, Page, numbered, parse
from questions import answers

# All that a notebook says besides the chapter's own text.
WORDS = {
    "install": "Colab and other fresh machines: install the book's package first.",
    "origin": "This notebook is made from [{source}]({source_url}). "
    "Read the same chapter on [the book's site]({page_url}).",
    "exercise": "Exercise",
    "solution": "Solution",
    "question": "Question",
    "answer": "Answer",
    "computed": "The numbers in the text were computed with {versions}. Running the cells computes them again, "
    "with other last digits on another computer.",
    "unknown": "not computed yet",
    "and": " and ",
    "and others": "{} et al.",
    "no year": "n.d.",
}
OPTIONS = ("class", "label")
CELL_ID = re.compile(r"[\w-]{1,64}", re.ASCII)  # as nbformat has it

# What must be recognized inside a line; the order decides, as in a Markdown parser.
INLINE = re.compile(
    r"""
    \\[^\w\s]
    | \{(?P<role>[A-Za-z][\w:+-]*)\}(?P<tick>`+)(?P<content>.+?)(?<!`)(?P=tick)(?!`)
    | (?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))
    | (?P<math>\$\$.+?\$\$|\$(?:\\.|[^$\\])+\$)
    | <!--.*?--> | (?<!\]\()</?[A-Za-z][^<>]*>
    """,
    re.VERBOSE | re.DOTALL,
)

# What may not be left between them, and what its author is told.
MYST = r"\{[A-Za-z][\w:+-]*\}`|(?:```|~~~)\s*\{|:::|^[ >*+-]*\([^()\s][^()]*\)=\s*$"
REFUSED = {
    MYST: "{} is MyST in a place where it does nothing; correct it.",
    r"(?:^|(?<=[\])`]))\{[.#][^{}]*\}": "{} changes nothing in a notebook; take it away.",
    r"(?<=\$\$) *\([^()\s]+\)": "a notebook does not number formulas; take the label behind $$ away.",
    r"\$\$|\\begin\{\w+\*?\}": "the formula that {} opens is never closed; write it between $$ and $$.",
    r"\[\^[^\]\s]+\]": "a notebook shows no footnotes; put {} into the text.",
    r"^ {0,3}\[[^\]]+\]:.*": "write this link in place, as [text](address).",
    r"^ {0,3}: +\S": "a notebook shows no definition lists; write a list or a table.",
    r"(?<=\]\()\s*<?(?!https?:|mailto:)[^\s()<>]+": (
        "{!r} leads nowhere on Colab; link with {{ref}}, {{doc}} or https://, and draw pictures in a code cell."
    ),
}


@dataclass
class Renderer:
    """Rewrites the Markdown of one chapter."""

    page: Page
    pages: dict[str, Page]
    repository: Repository
    references: dict[str, Reference]
    values: dict[str, float | int | str] = field(default_factory=dict)  # of what the chapter glues
    shown: set[str] = field(default_factory=set)  # the names of those that the text shows
    words: dict[str, str] = field(default_factory=lambda: WORDS)  # in the notebook's language
    asked: str = ""  # the label of an exercise that waits for its cell
    file: str = ""  # of the chapter's text, where its name is not that of the page

    def fail(self, line: int, message: str) -> NotebookError:
        """Return the error for one line of the chapter."""
        return NotebookError.at(self.file or f"{self.page.docname}.md", line, message)

    def markdown(self, lines: list[str], first: int) -> list[str]:
        """Rewrite lines of the chapter, of which the first has the given number; leave no blank ones at the ends."""
        out: list[str] = []
        for block in parse(lines, self.file or f"{self.page.docname}.md", first):
            if block.kind in {"blank", "directive"} and out and out[-1]:
                out.append("")
            if block.kind == "directive":
                out += [*self.directive(block), ""]
            elif block.kind == "nested":
                raise self.fail(block.line, "a notebook shows no directive in a list or a quote; write it below.")
            elif block.kind in {"text", "heading_open"}:
                out += self.inline("\n".join(block.lines), block.line).split("\n")
            elif block.kind not in {"blank", *SILENT}:
                out += block.lines
        return out[:-1] if out and not out[-1] else out

    def directive(self, block: Block) -> list[str]:
        """Rewrite a directive."""
        if block.name in {"figure", "image"}:
            message = "needs a file, which Colab does not have; draw the picture in a code cell."
            raise self.fail(block.line, f"the directive {{{block.name}}} {message}")
        if block.name not in DIRECTIVES:
            raise self.fail(block.line, unknown("directive", block.name, DIRECTIVES))
        if others := sorted(set(block.options) - set(OPTIONS)):
            message = f"the option :{others[0]}: is not known here; use one of {', '.join(OPTIONS)}."
            raise self.fail(block.line, message)
        first = block.line + 1 + len(block.options)
        if block.lines[:1] == ["---"]:
            raise self.fail(first, "write the options as lines such as `:class: dropdown`.")
        return DIRECTIVES[block.name](self, block, self.markdown(block.lines, first))

    def exercise(self, block: Block, body: list[str]) -> list[str]:
        """Put an exercise under a heading, with its number on the site, and keep its label for the cell below."""
        number = ""
        if label := block.options.get("label"):
            if not CELL_ID.fullmatch(label):
                message = f"the label {label!r} becomes the name of a cell; use letters, digits, - and _ alone."
                raise self.fail(block.line, message)
            if label not in self.page.exercises:
                raise self.fail(block.line, f"the exercise {label!r} stands within another block; write it outside.")
            number, self.asked = f" {numbered(self.page.exercises)[label]}", label
        return ["#### " + self.titled("exercise", block.argument, block.line, number), "", *body]

    def solution(self, block: Block, body: list[str]) -> list[str]:
        """Fold a solution under the title of its exercise."""
        label = block.argument
        if label not in self.page.exercises:
            raise self.fail(block.line, f"no exercise of this chapter has the label {label!r}; correct it.")
        return folded(self.titled("solution", self.page.exercises[label], block.line), body)

    def question(self, block: Block, body: list[str]) -> list[str]:
        """Ask a quick question, with the answer in a fold."""
        try:
            found = answers(body)
        except ValueError as error:
            raise self.fail(block.line, f"the question {block.argument!r}: {error}") from None
        asked = f"**{self.words['question']}.** {self.inline(block.argument, block.line)}"
        why = [f"- {f'**{one.text}**' if one.right else one.text} – {one.why}" for one in found]
        return [asked, "", *(f"- {one.text}" for one in found), "", *folded(self.words["answer"], why)]

    def admonition(self, block: Block, body: list[str]) -> list[str]:
        """Fold a box under its title; one that stands open would not look like a box."""
        if block.options.get("class") != "dropdown" or not block.argument:
            message = "an {admonition} needs a title and the line `:class: dropdown`; a notebook shows it folded."
            raise self.fail(block.line, message)
        return folded(self.inline(block.argument, block.line), body)

    def titled(self, word: str, title: str, line: int, number: str = "") -> str:
        """Return a word with the title that follows it, if there is one."""
        name = self.words[word] + number
        return f"{name}: {self.inline(title, line)}" if title else name

    def inline(self, text: str, line: int) -> str:
        """Rewrite running text."""
        out, done = [], 0
        for match in INLINE.finditer(text):
            self.check(text, done, match.start(), line)
            out += [text[done : match.start()], self.element(match, line + text.count("\n", 0, match.start()))]
            done = match.end()
        self.check(text, done, len(text), line)
        return "".join([*out, text[done:]])

    def check(self, text: str, start: int, end: int, line: int, patterns: Iterable[str] = REFUSED) -> None:
        """Raise if a part of the text, which stays as it is, holds what a notebook cannot show."""
        for pattern in patterns:
            # The character after the part belongs to the pattern: in {ref}` the backtick may open a code span.
            if match := re.compile(pattern, re.MULTILINE).search(text, start, end + 1):
                raise self.fail(line + text.count("\n", 0, match.start()), REFUSED[pattern].format(match[0]))

    def element(self, match: re.Match, line: int) -> str:
        """Rewrite one match of INLINE."""
        if name := match["role"]:
            if name not in ROLES:
                raise self.fail(line, unknown("role", name, ROLES))
            return ROLES[name](self, " ".join(match["content"].split()), line)
        if match["math"]:
            # Two unescaped prices make a formula of all that stands between them.
            self.check(match["math"], 0, len(match["math"]), line, {MYST})
        return match[0]

    def ref(self, content: str, line: int) -> str:
        """Refer to a label: in this chapter by its text, in another by a link to the site."""
        text, label = named(content)
        known = {name: target for page in self.pages.values() for name, target in page.targets.items()}
        if not (target := known.get(label.lower())):
            raise self.fail(line, f"no page of the book has the label {label!r}; correct it.")
        if not (text := self.inline(text or target.title, line)):
            raise self.fail(line, f"the label {label!r} stands before no heading; write the link's text too.")
        if target.docname == self.page.docname:
            return text
        return f"[{text}]({self.repository.page_url(target.docname, target.anchor)})"

    def doc(self, content: str, line: int) -> str:
        """Link to a page of the book's site."""
        text, path = named(content)
        folder = posixpath.dirname(self.page.docname)
        docname = posixpath.normpath(path[1:] if path.startswith("/") else posixpath.join(folder, path))
        if docname not in self.pages:
            raise self.fail(line, f"{path!r} is no page of _toc.yml; correct the path, which begins in {folder}.")
        text = self.inline(text or self.pages[docname].title, line)
        return f"[{text}]({self.repository.page_url(docname)})"

    def term(self, content: str, line: int) -> str:
        """Link to a term of the site's glossary."""
        text, term = named(content)
        for page in self.pages.values():
            if term in page.terms:
                address = self.repository.page_url(page.docname, page.terms[term])
                return f"[{self.inline(text or term, line)}]({address})"
        raise self.fail(line, f"the glossary has no term {term!r}; correct it, or add it.")

    def glue(self, content: str, line: int) -> str:
        """Show a value as the site does."""
        from myst_nb.core.variables import format_plain_text

        name, _, spec = content.partition(":")
        self.shown.add(name)
        if name not in self.values:
            return f"**`{name}`** *({self.words['unknown']})*"
        try:
            return escaped(format_plain_text(repr(self.values[name]), spec))
        except ValueError as error:
            raise self.fail(
                line, f"{name} is {self.values[name]!r}, and {spec!r} is no format for it: {error}."
            ) from None

    def cite_p(self, content: str, line: int) -> str:
        """Cite in brackets."""
        return "(" + "; ".join(self.citations(content, "{}, {}", line)) + ")"

    def cite_t(self, content: str, line: int) -> str:
        """Cite as part of a sentence."""
        return self.words["and"].join(self.citations(content, "{} ({})", line))

    def citations(self, content: str, shape: str, line: int) -> list[str]:
        """Return authors and year for each key, linked where the bibliography has an address."""
        made = []
        for key in re.split(r"\s*,\s*", content):
            if key not in self.references:
                raise self.fail(line, f"references.bib has no entry {key!r}; add it or correct the key.")
            item = self.references[key]
            people = (
                self.words["and others"].format(item.people[0])
                if item.people[2:]
                else self.words["and"].join(item.people)
            )
            text = shape.format(people, item.year or self.words["no year"])
            made.append(f"[{text}]({item.url})" if item.url else text)
        return made


ROLES = {
    "cite:p": Renderer.cite_p,
    "cite:t": Renderer.cite_t,
    "doc": Renderer.doc,
    "glue:text": Renderer.glue,
    "ref": Renderer.ref,
    "term": Renderer.term,
}
DIRECTIVES = {
    "admonition": Renderer.admonition,
    "exercise": Renderer.exercise,
    "question": Renderer.question,
    "solution": Renderer.solution,
}


def folded(title: str, body: list[str]) -> list[str]:
    """Return lines that a reader opens by their title."""
    from markdown_it import MarkdownIt

    # In the summary the browser reads HTML, not Markdown.
    return ["<details>", f"<summary>{MarkdownIt().renderInline(title)}</summary>", "", *body, "", "</details>"]


def unknown(sort: str, name: str, known: dict) -> str:
    """Say that a directive or role is not on the list."""
    return (
        f"the {sort} {{{name}}} cannot be shown in a notebook; use one of {', '.join(known)}, "
        "or teach tools/notebook_markdown.py to render it."
    )


def named(content: str) -> tuple[str, str]:
    """Cut `text <target>` in two; the text may be missing."""
    match = re.fullmatch(r"(.*?)\s*<([^<>]+)>", content)
    return match.groups() if match else ("", content)
