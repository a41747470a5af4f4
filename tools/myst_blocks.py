"""MyST Markdown cut into blocks, and what a page offers to references."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from book_files import NotebookError

# Directives whose bodies are Markdown again.
ADMONITIONS = {name: name.capitalize() for name in ("note", "tip", "important", "warning", "hint", "caution")}
ADMONITIONS["seealso"] = "See also"
NESTED = {*ADMONITIONS, "admonition", "dropdown", "exercise", "solution"}

# Where a line may carry a fence: indented, quoted, or as the start of a list item.
FENCE = re.compile(r"(?P<lead>\s*(?:>\s?|[-*+]\s+|\d+[.)]\s+)*)(?P<mark>`{3,}|~{3,}|:{3,})(?P<info>.*)$")
DIRECTIVE = re.compile(r"\s*\{(?P<name>[^{}\s]+)\}\s*(?P<argument>.*)$")
OPTION = re.compile(r":(?P<name>[\w-]+):(?:\s+(?P<value>.*))?$")
ATTRIBUTES = r"\{\s*(?:[.#][\w-]|[\w-]+=)[^{}`]*\}"
LABEL = re.compile(r"\s*\((?P<label>[^()\s][^()]*)\)=\s*$")
HEADING = re.compile(rf"(?P<level>#{{1,6}})\s+(?P<text>.*?)(?:\s+{ATTRIBUTES})?\s*$")
MATH_LINE = re.compile(r"(?P<lead>[\s>]*)\$\$(?P<body>(?:(?!\$\$).)+)\$\$\s*(?:\((?P<label>[^()]+)\))?\s*$")
MATH_OPEN = re.compile(r"(?P<lead>[\s>]*)\$\$(?P<body>(?:(?!\$\$).)*)$")
MATH_CLOSE = re.compile(r"(?P<body>.*?)\$\$\s*(?:\((?P<label>[^()]+)\))?\s*$")
AMSMATH = re.compile(r"\s*\\begin\{(?P<name>[a-zA-Z]+\*?)\}")
DROPPED = re.compile(rf" {{0,3}}(?:%|\+\+\+|{ATTRIBUTES}\s*$)")
DEFINITION = re.compile(r" {0,3}:\s+\S")


@dataclass
class Block:
    """A piece of a page: blank, dropped, label, heading, math, verbatim, definition, text or directive."""

    kind: str
    line: int
    lines: list[str] = field(default_factory=list)
    lead: str = ""  # what stands before its first line, such as "- "
    rest: str = ""  # what stands before its other lines
    name: str = ""
    argument: str = ""
    options: dict[str, str] = field(default_factory=dict)
    body: list["Block"] = field(default_factory=list)


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
    exercises: dict[str, str] = field(default_factory=dict)
    equations: dict[str, int] = field(default_factory=dict)
    cited: set[str] = field(default_factory=set)


def parse(lines: list[str], path: str, first: int = 1) -> list[Block]:
    """Split Markdown into blocks; `first` is the number of the first line in its file."""
    blocks, i = [], 0
    while i < len(lines):
        block, used = next_block(lines[i:], path, first + i)
        previous = blocks[-1] if blocks else None
        if block.kind == "text" and previous and previous.kind == "text":
            previous.lines += block.lines
        else:
            blocks.append(block)
        i += used
    return blocks


def next_block(lines: list[str], path: str, number: int) -> tuple[Block, int]:
    """Return the block that begins at the first of the lines, and how many lines it takes."""
    line = lines[0]
    if not line.strip():
        return Block("blank", number), 1
    # Three backticks with more of them behind are inline code, unless a directive was meant.
    match = FENCE.match(line)
    if match and (match["mark"][0] != "`" or "`" not in match["info"]):
        return fenced(match, lines, path, number)
    if match and DIRECTIVE.match(match["info"]):
        raise NotebookError.at(path, number, "inline code in a title needs a fence of colons; write :::.")
    if DROPPED.match(line):
        return Block("dropped", number), 1
    if match := LABEL.match(line):
        return Block("label", number, name=match["label"]), 1
    if match := HEADING.match(line):
        return Block("heading", number, [match["text"]], lead=match["level"] + " "), 1
    if match := MATH_LINE.match(line):
        options = {"label": match["label"]} if match["label"] else {}
        return Block("math", number, [match["body"]], match["lead"], match["lead"], options=options), 1
    if match := MATH_OPEN.match(line):
        return displayed(match, lines, path, number)
    if match := AMSMATH.match(line):
        end = f"\\end{{{match['name']}}}"
        used = next((i + 1 for i, text in enumerate(lines) if end in text), None)
        if used is None:
            raise NotebookError.at(path, number, f"the formula has no {end}; add it.")
        return Block("verbatim", number, lines[:used]), used
    return Block("definition" if DEFINITION.match(line) else "text", number, [line]), 1


def fenced(match: re.Match, lines: list[str], path: str, number: int) -> tuple[Block, int]:
    """Read a code block or a directive."""
    mark, lead = match["mark"], match["lead"]
    rest = re.sub(r"[^\s>]", " ", lead)
    inside = [without(rest, line) for line in lines[1:]]
    close = re.compile(rf" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}\s*$")
    end = next((i for i, line in enumerate(inside) if close.match(line)), None)
    if end is None:
        raise NotebookError.at(path, number, f"the block that {mark} opens is never closed; add {mark} below it.")
    directive, used = DIRECTIVE.match(match["info"]), end + 2
    if not directive:
        if mark[0] == ":":
            raise NotebookError.at(path, number, f"{mark} opens no directive; name one, such as {{note}}.")
        return Block("verbatim", number, lines[:used]), used
    name, argument = directive["name"], directive["argument"].strip()
    block = Block("directive", number, inside[:end], lead, rest, name, argument)
    while block.lines and (option := OPTION.match(block.lines[0])):
        block.options[option["name"]] = (option["value"] or "").strip()
        del block.lines[0]
    if block.name in NESTED:
        if block.lines and block.lines[0].strip() == "---":
            raise NotebookError.at(path, number + 1, "write the options as lines such as `:class: dropdown`.")
        block.body = parse(block.lines, path, number + 1 + len(block.options))
    elif block.name == "math":
        block.kind = "math"
        block.lines = [block.argument, *block.lines] if block.argument else block.lines
    return block, used


def displayed(match: re.Match, lines: list[str], path: str, number: int) -> tuple[Block, int]:
    """Read `$$ ... $$` over several lines."""
    body = [match["body"]]
    for used, line in enumerate(lines[1:], start=2):
        if close := MATH_CLOSE.match(without(match["lead"], line)):
            options = {"label": close["label"]} if close["label"] else {}
            body = [text for text in (body[0], *body[1:], close["body"]) if text.strip()]
            return Block("math", number, body, match["lead"], match["lead"], options=options), used
        body.append(without(match["lead"], line))
    raise NotebookError.at(path, number, "the formula that $$ opens is never closed; add $$ below it.")


def without(prefix: str, line: str) -> str:
    """Take the indentation or quote mark of a block off one of its lines."""
    same = 0
    while same < min(len(prefix), len(line)) and prefix[same] == line[same]:
        same += 1
    return line[same:]


def walk(blocks: list[Block]) -> Iterator[Block]:
    """Yield the blocks and all that they hold, in reading order."""
    for block in blocks:
        yield block
        yield from walk(block.body)


def survey(text: str, docname: str) -> Page:
    """Read what a page offers to references: title, labels, exercises, equations."""
    page, path = Page(docname), f"{docname}.md"
    lines = text.splitlines()
    header = lines.index("---", 1) + 1 if lines[:1] == ["---"] and "---" in lines[1:] else 0
    waiting: list[str] = []
    for block in walk(parse(lines[header:], path, header + 1)):
        title = ""
        if block.kind == "label":
            waiting.append(block.name)
            continue
        if block.kind in {"blank", "dropped"}:
            continue
        if block.kind == "heading":
            title = block.lines[0]
            page.title = page.title or (title if block.lead == "# " else "")
        elif block.name == "exercise":
            title = f'Exercise "{block.argument}"' if block.argument else "Exercise"
            page.exercises[block.options.get("label", "")] = block.argument
        elif block.kind == "math" and "label" in block.options:
            page.equations[block.options["label"]] = len(page.equations) + 1
        elif block.kind == "directive":
            title = block.argument if block.name in {"admonition", "dropdown"} else ""
        for label in waiting:
            page.targets[label.lower()] = Target(docname, make_id(label), title)
        if block.kind == "directive" and (label := block.options.get("label") or block.options.get("name")):
            anchor = label if block.name == "exercise" else make_id(label)
            page.targets[label.lower()] = Target(docname, anchor, title)
        waiting.clear()
    page.targets |= {label.lower(): Target(docname, make_id(label), "") for label in waiting}
    page.cited = {key.strip() for keys in re.findall(r"\{cite(?::[pt])?\}`([^`]+)`", text) for key in keys.split(",")}
    return page


def make_id(label: str) -> str:
    """Return the HTML id that Sphinx gives to a label."""
    return re.sub(r"^[-\d]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", label.lower()))
