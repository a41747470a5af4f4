"""MyST Markdown rewritten as the Markdown that Jupyter and Colab show.

The list of what is rewritten is closed. Anything else raises NotebookError with file and line, because a
reader on Colab must never meet raw MyST. Code, inline code and math pass untouched.
"""

import html
import posixpath
import re
from dataclasses import dataclass, field

from book_files import NotebookError, Reference, Repository
from myst_blocks import ADMONITIONS, ATTRIBUTES, NESTED, Block, Page, make_id, parse

DIRECTIVES = {*NESTED, "math", "bibliography"}
ROLES = ("ref", "doc", "eq", "term", "math", "cite", "cite:p", "cite:t", "glue", "glue:text")
OPTIONS = {"class", "name", "label", "nonumber", "open", "icon", "color", "animate", "style", "filter"}

# What only MyST gives a meaning.
LEFTOVER = re.compile(r"\{[A-Za-z][\w:+-]*\}`|(?:```|~~~)\s*\{|:::|^[\s>*+-]*\([^()\s][^()]*\)=\s*$", re.MULTILINE)

# What must be recognized inside a line; the order decides, as in a Markdown parser.
INLINE = re.compile(
    rf"""
    (?P<escape>\\[^\w\s])
    | (?P<role>\{{(?P<name>[A-Za-z][\w:+-]*)\}}(?P<tick>`+)(?P<content>.+?)(?<!`)(?P=tick)(?!`))
    | (?P<code>(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))(?:{ATTRIBUTES})?
    | (?P<math>\$\$.+?\$\$|\$(?:\\.|[^$\\])+\$)
    | (?P<html><!--.*?-->|</?[A-Za-z][^<>]*>)
    | (?P<footnote>\[\^[^\]\s]+\])
    | (?P<definition>^[ ]{{0,3}}\[[^\]]+\]:[ \t]*\S+)
    | (?P<link>(?P<image>!)?\[(?P<text>(?:\\.|`[^`]*`|\[[^\[\]]*\]|[^\[\]`\\])*)\]
        (?: \(\s*(?P<address><[^<>]*>|(?:[^\s()]|\([^\s()]*\))*)
            (?P<title>\s+(?:"[^"]*"|'[^']*'))?\s*\)(?:{ATTRIBUTES})?
          | (?P<span>{ATTRIBUTES}) ))
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


@dataclass
class Renderer:
    """Rewrites the Markdown of one chapter."""

    page: Page
    pages: dict[str, Page]
    repository: Repository
    references: dict[str, Reference]
    printed: dict[str, int] = field(default_factory=dict)  # glued name -> number of the cell that prints it
    cell: int = 0  # number of the cell that is being rewritten

    @property
    def path(self) -> str:
        """Return the chapter's file name as messages show it."""
        return f"{self.page.docname}.md"

    def fail(self, line: int, message: str) -> NotebookError:
        """Return the error for one line of the chapter."""
        return NotebookError.at(self.path, line, message)

    def markdown(self, source: str, line: int) -> str:
        """Rewrite a Markdown cell that begins at the given line."""
        return "\n".join(self.blocks(parse(source.splitlines(), self.path, line)))

    def blocks(self, blocks: list[Block]) -> list[str]:
        """Rewrite blocks to lines, without blank lines at the ends."""
        out: list[str] = []
        for block in blocks:
            if block.kind == "blank" and out and out[-1]:
                out.append("")
            elif block.kind == "heading":
                out.append(block.lead + self.inline(block.lines[0], block.line))
            elif block.kind == "text":
                out += self.inline("\n".join(block.lines), block.line).split("\n")
            elif block.kind == "verbatim":
                out += block.lines
            elif block.kind == "definition":
                raise self.fail(block.line, "a notebook shows no definition lists; write a list or a table.")
            elif block.kind in {"math", "directive"}:
                lines = self.math(block) if block.kind == "math" else self.directive(block)
                # A paragraph that follows a block quote directly would become part of it.
                gap = [""] if block.kind == "directive" else []
                out += gap if out and out[-1] else []
                leads = [block.lead] + [block.rest] * (len(lines) - 1)
                out += [(lead + text).rstrip() for lead, text in zip(leads, lines, strict=True)] + gap
        while out and not out[-1]:
            out.pop()
        return out

    def math(self, block: Block) -> list[str]:
        """Show a formula; one with a label carries the number it has on the site."""
        self.check_options(block)
        lines = [line.rstrip() for line in block.lines] or [""]
        if label := block.options.get("label"):
            lines[-1] += f" \\tag{{{self.page.equations[label]}}}"
        return [f"$${lines[0]}$$"] if len(lines) == 1 else ["$$", *lines, "$$"]

    def check_options(self, block: Block) -> None:
        """Raise for an option that this module does not know."""
        if others := sorted(set(block.options) - OPTIONS):
            known = ", ".join(sorted(OPTIONS))
            raise self.fail(block.line, f"the option :{others[0]}: is not known here; use one of {known}.")

    def directive(self, block: Block) -> list[str]:
        """Rewrite a directive."""
        if block.name in {"figure", "image"}:
            message = "needs a file, which Colab does not have; draw the picture in a code cell."
            raise self.fail(block.line, f"the directive {{{block.name}}} {message}")
        if block.name not in DIRECTIVES:
            raise self.fail(block.line, unknown("directive", block.name, sorted(DIRECTIVES)))
        self.check_options(block)
        if block.name == "bibliography":
            return self.bibliography(block)
        body, title = self.blocks(block.body), self.inline(block.argument, block.line)
        if block.name == "exercise":
            return ["#### Exercise" + (f": {title}" if title else ""), "", *body]
        if block.name == "solution":
            if block.argument not in self.page.exercises:
                message = f"no exercise of this chapter has the label {block.argument!r}; correct it."
                raise self.fail(block.line, message)
            title = self.inline(self.page.exercises[block.argument], block.line)
            return details("Solution" + (f": {title}" if title else ""), body)
        if block.name in ADMONITIONS:
            # What follows the name of a note on its line is the note's first line, not its title.
            body, title = [*([title] if title else []), *body], ADMONITIONS[block.name]
        if block.name == "dropdown" or "dropdown" in block.options.get("class", "").split():
            return details(title, body, is_open="open" in block.options)
        return [f"> {line}".rstrip() for line in (f"**{title}**", "", *body)]

    def bibliography(self, block: Block) -> list[str]:
        """List what the chapter cites."""
        if block.options.get("filter") != "docname in docnames":
            raise self.fail(block.line, "give the bibliography the line `:filter: docname in docnames`.")
        cited = [self.reference(key, block.line) for key in self.page.cited]
        return [f"- {item.entry}" for item in sorted(cited, key=lambda item: item.order)]

    def reference(self, key: str, line: int) -> Reference:
        """Return an entry of the bibliography."""
        if key not in self.references:
            raise self.fail(line, f"references.bib has no entry {key!r}; add it or correct the key.")
        return self.references[key]

    def inline(self, text: str, line: int) -> str:
        """Rewrite roles and links in running text."""
        out, done = [], 0
        for match in INLINE.finditer(text):
            at = line + text.count("\n", 0, match.start())
            out += [self.check(text, done, match.start(), line), self.element(match, at)]
            done = match.end()
        return "".join([*out, self.check(text, done, len(text), line)])

    def check(self, text: str, start: int, end: int, line: int) -> str:
        """Return a part of the text that needs no rewriting; raise if MyST is left in it."""
        # The character after the part belongs to the pattern: in {ref}` the backtick may open a code span.
        if match := LEFTOVER.search(text[start : end + 1]):
            at = line + text.count("\n", 0, start + match.start())
            raise self.fail(at, f"{match[0]} is MyST in a place where it does nothing; correct it.")
        return text[start:end]

    def element(self, match: re.Match, line: int) -> str:
        """Rewrite one match of INLINE."""
        if match["role"]:
            return self.role(match["name"], " ".join(match["content"].split()), line)
        if match["math"]:
            # Two unescaped prices make a formula of all that stands between them.
            self.check(match[0], 0, len(match[0]), line)
        if match["footnote"]:
            raise self.fail(line, f"a notebook shows no footnotes; put {match['footnote']} into the text.")
        if match["definition"] and not re.search(r"\]:\s*<?https?://", match["definition"]):
            raise self.fail(line, "write this link in place, as [text](address).")
        if not match["link"]:
            return match["code"] or match[0]
        text = self.inline(match["text"], line)
        if match["span"]:
            return text
        address = match["address"].strip("<>")
        if match["image"]:
            if not re.match(r"https?:|data:", address):
                raise self.fail(line, f"Colab cannot show the file {address!r}; draw it in a code cell.")
            return f"![{match['text']}]({match['address']}{match['title'] or ''})"
        if re.match(r"(?:https?|mailto):", address):
            return f"[{text}]({match['address']}{match['title'] or ''})"
        document, _, label = address.partition("#")
        if not document and label:
            return self.labelled(label, text, line)
        if document.endswith(".md") and ":" not in document:
            return self.document(document.removesuffix(".md"), text, line, label)
        raise self.fail(line, f"{address!r} leads nowhere on Colab; link to a label, a page or https://.")

    def role(self, name: str, content: str, line: int) -> str:
        """Rewrite a role."""
        if name not in ROLES:
            raise self.fail(line, unknown("role", name, ROLES))
        text, target = content, content
        if match := re.fullmatch(r"(.*?)\s*<([^<>]+)>", content):
            text, target = match.groups()
        explicit = self.inline(text, line) if target != content else ""
        if name == "math":
            return f"${content}$"
        if name == "term":
            return self.inline(text, line)
        if name == "ref":
            return self.labelled(target.lstrip("!"), explicit, line)
        if name == "doc":
            return self.document(target, explicit, line)
        if name == "eq":
            return self.equation(content, line)
        if name.startswith("glue"):
            variable = content.split(":")[0]
            where = "below" if self.printed.get(variable, -1) > self.cell else "above"
            return f"**`{variable}`** *(printed {where})*"
        return self.citation(name, [key.strip() for key in content.split(",")], line)

    def labelled(self, label: str, text: str, line: int) -> str:
        """Refer to a label: in this chapter by its text, in another by a link to the site."""
        if label in self.page.equations:
            return text or self.equation(label, line)
        known = {name: target for page in self.pages.values() for name, target in page.targets.items()}
        target = known.get(label.lower())
        if target is None:
            raise self.fail(line, f"no page of the book has the label {label!r}; correct it.")
        text = text or self.inline(target.title, line)
        if not text:
            raise self.fail(line, f"the label {label!r} stands before no heading; write the link's text too.")
        if target.docname == self.page.docname:
            return text
        return f"[{text}]({self.repository.page_url(target.docname, target.anchor)})"

    def document(self, path: str, text: str, line: int, label: str = "") -> str:
        """Link to a page of the book's site."""
        folder = posixpath.dirname(self.page.docname)
        docname = posixpath.normpath(path[1:] if path.startswith("/") else posixpath.join(folder, path))
        if docname not in self.pages:
            raise self.fail(line, f"{path!r} is no page of _toc.yml; correct the path, which begins in {folder}.")
        text = text or self.inline(self.pages[docname].title, line) or docname
        return f"[{text}]({self.repository.page_url(docname, make_id(label))})"

    def equation(self, label: str, line: int) -> str:
        """Refer to an equation by its number, as the site does."""
        if label not in self.page.equations:
            raise self.fail(line, f"no equation of this chapter has the label {label!r}; correct it.")
        return f"({self.page.equations[label]})"

    def citation(self, name: str, keys: list[str], line: int) -> str:
        """Cite by author and year, with links."""
        shape = "{0.authors} ({0.year})" if name == "cite:t" else "{0.authors}, {0.year}"
        links = []
        for key in keys:
            item = self.reference(key, line)
            links.append(f"[{shape.format(item)}]({item.url})" if item.url else shape.format(item))
        if name == "cite:t":
            return ", ".join(links[:-1]) + (" and " if links[:-1] else "") + links[-1]
        return "(" + "; ".join(links) + ")"


def unknown(sort: str, name: str, known: list[str] | tuple[str, ...]) -> str:
    """Say that a directive or role is not on the list."""
    return (
        f"the {sort} {{{name}}} cannot be shown in a notebook; use one of {', '.join(known)}, "
        "or teach tools/notebook_markdown.py to render it."
    )


def details(title: str, body: list[str], is_open: bool = False) -> list[str]:
    """Fold lines under a title; inside the title the browser reads HTML, not Markdown."""
    title = re.sub(r"`+([^`]+)`+", r"<code>\1</code>", html.escape(title, quote=False))
    title = re.sub(r"(?<![\w*])\*([^*]+)\*(?![\w*])", r"<em>\1</em>", title)
    title = re.sub(r"\[([^\]]*)\]\([^()]*\)", r"\1", title)
    opening = "<details open>" if is_open else "<details>"
    return [opening, f"<summary>{title}</summary>", "", *body, "", "</details>"]
