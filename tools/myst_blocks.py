"""MyST Markdown cut into blocks by the site's own parser, and what a page offers to references."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby, pairwise

from book_files import NotebookError

SILENT = {"myst_target", "myst_line_comment", "myst_block_break"}  # what stands in the source but not on the page
# The parser's names for what is no running text.
KINDS = {*SILENT, "heading_open", "fence", "code_block", "math_block"}
DIRECTIVE = re.compile(r"\{([^{}\s]+)\}\s*(.*)")
OPTION = re.compile(r":([\w-]+):(?:\s+(.*))?")


@dataclass
class Block:
    """A piece of a page: text, blank, directive, nested (a directive in a list or a quote) or one of KINDS."""

    kind: str
    line: int
    lines: list[str]
    name: str = ""  # of a directive or a label; of a heading its tag
    argument: str = ""  # what stands behind a directive's name; of a heading its text
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Target:
    """A place that a label names."""

    docname: str
    anchor: str
    title: str


@dataclass
class Page:
    """What a page offers to references, its own and those of other pages."""

    docname: str
    title: str = ""
    targets: dict[str, Target] = field(default_factory=dict)
    exercises: dict[str, str] = field(default_factory=dict)  # the title of each by its label, in their order
    terms: dict[str, str] = field(default_factory=dict)  # of its glossary, each with its anchor


@cache
def parser():
    """Return the site's parser without its half that looks inside lines."""
    from markdown_it.renderer import RendererHTML
    from myst_parser.config.main import MdParserConfig
    from myst_parser.parsers.mdit import create_md_parser

    made = create_md_parser(MdParserConfig(enable_extensions={"dollarmath"}), RendererHTML)
    made.core.ruler.enableOnly(["normalize", "block"])
    return made


def parse(lines: list[str], path: str, first: int = 1) -> list[Block]:
    """Split Markdown into blocks; `first` is the number of the first line in its file."""
    blocks, done = [], 0
    for token, following in pairwise([*parser().parse("\n".join(lines)), None]):
        # A label in a list names nothing, so it stays in the text.
        if token.type not in KINDS or (token.type == "myst_target" and token.level):
            continue
        start, end = token.map
        blocks += running(lines[done:start], path, first + done)
        block = Block(token.type, first + start, lines[start:end])
        if token.type == "fence":
            read_fence(block, token, path)
        elif token.type == "heading_open":
            block.name, block.argument = token.tag, following.content
        elif token.type == "myst_target":
            block.name = token.content
        elif token.type == "math_block":  # in a notebook a blank line would end the formula
            block.lines = [line for line in block.lines if line.strip()]
        blocks.append(block)
        done = end
    return blocks + running(lines[done:], path, first + done)


def running(lines: list[str], path: str, first: int) -> list[Block]:
    """Cut running text where lines are blank."""
    blocks = []
    for number, line in enumerate(lines, first):
        if re.match(r" {0,3}```+\s*\{", line):  # no fence, because backticks follow
            raise NotebookError.at(path, number, "inline code in a title needs a fence of tildes; write ~~~.")
    for blank, group in groupby(lines, key=lambda line: not line.strip()):
        blocks.append(Block("blank" if blank else "text", first, list(group)))
        first += len(blocks[-1].lines)
    return blocks


def read_fence(block: Block, token, path: str) -> None:
    """Raise if a fence is never closed, which the parser allows, and read the directive if it is one."""
    mark = token.markup
    if len(block.lines) == 1 or not re.fullmatch(rf"[\s>]*{mark}{mark[0]}*\s*", block.lines[-1]):
        raise NotebookError.at(path, block.line, f"the block that {mark} opens is never closed; add {mark} below it.")
    if directive := DIRECTIVE.fullmatch(token.info.strip()):
        block.kind = "nested" if token.level else "directive"
        block.name, block.argument = directive.groups()
        block.lines = token.content.splitlines()
        while block.lines and (option := OPTION.fullmatch(block.lines[0])):
            block.options[option[1]] = (option[2] or "").strip()
            del block.lines[0]


def survey(text: str, docname: str) -> Page:
    """Read what a page offers to references: title, labels, exercises."""
    from docutils.nodes import make_id

    page, waiting = Page(docname), []
    for block in parse(text.splitlines(), f"{docname}.md"):
        if block.kind == "myst_target":
            waiting.append(block.name)
        elif block.kind not in {"blank", *SILENT}:
            title = block.argument if block.kind == "heading_open" else ""
            page.title = page.title or (title if block.name == "h1" else "")
            page.targets |= {label.lower(): Target(docname, make_id(label), title) for label in waiting}
            waiting.clear()
        if block.name == "exercise" and (label := block.options.get("label")):
            page.exercises[label] = block.argument
            page.targets[label.lower()] = Target(docname, label, block.argument)
        if block.name == "glossary":
            page.terms |= {term: term_anchor(term) for term in block.lines if term.strip() and term[0] != " "}
    return page


def numbered(labels: Iterable[str]) -> dict[str, int]:
    """Return the numbers of a page's exercises by their labels: they count from 1, on the site and in the notebook."""
    return {label: number for number, label in enumerate(labels, 1)}


def term_anchor(term: str) -> str:
    """Return the anchor that Sphinx gives a term of a glossary."""
    from sphinx.util.nodes import _make_id

    return _make_id(f"term-{term}")
