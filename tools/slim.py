"""Cut from a built site what no page of it uses: rules of the theme's style sheets, glyphs, and one of its habits.

Of a page goes what shows nothing: an element around a word of code that has the color of all code.

A rule goes only where a class or an id that it asks for stands on no page and in no script. What scripts put together
counts too: a word of theirs that ends in a hyphen begins names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import tinycss2
from fontTools import subset
from fontTools.ttLib import TTFont

ICONS = "vendor/fontawesome/*"
OWN = "site.css"  # no rule of ours is unused
JOINED, JOINED_SCRIPTS = "all.css", "all.js"  # made of those that were cut, and of scripts, by an earlier build
NAMES = re.compile(r'\b(?:class|id)="([^"]*)"')
WORDS = re.compile(r"[\w-]{2,}")
NESTED = ("media", "supports")
GLYPH = re.compile("[\ue000-\uf8ff]")  # icons are letters for private use; a written rule has them unescaped
# woff2 would be a tenth smaller, and need one more package.
SOURCES = re.compile(r'(url\(\.\./webfonts/[\w-]+\.woff)2\) format\("woff2"\),url\([^)]*\.ttf\) format\("truetype"\)')
# After each change of a page the theme lays out all its code, in closed folds too, to see which has a scroll bar; that
# takes longer than a figure's move. page.js does it when code is shown.
HABIT = re.compile(r',"complete"===document\.readyState\?(\w)\(\):window\.addEventListener\("load",\1\)')

CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
TOKEN = re.compile(r'<span(?: class="(\w*)")?>([^<]*)</span>')
ALIKE = re.compile(r'<span class="(\w+)">[^<]*</span>(?:\s*<span class="\1">[^<]*</span>)+')
COLOR = re.compile(r'html\[data-theme="(\w+)"\] \.highlight(?: \.(\w+))?\s*\{([^}]*)\}')


def colored(css: str) -> set[str]:
    """Return the classes of code to which a style sheet gives another look than to all code, in one theme or more."""
    rules = COLOR.findall(css)
    plain = {theme: body.rpartition("color: ")[2].strip() for theme, name, body in rules if not name}
    return {name for theme, name, body in rules if name and body.strip() != f"color: {plain[theme]}"}


def plainer(page: str, looks: set[str]) -> str:
    """Return a page whose code has no element around a word without a look of its own, and one around words alike."""

    def token(found) -> str:
        return found[0] if found[1] in looks else found[2]

    def joined(found) -> str:
        words = TOKEN.sub(r"\2", found[0])
        return f'<span class="{found[1]}">{words}</span>'

    return CODE.sub(lambda code: ALIKE.sub(joined, TOKEN.sub(token, code[0])), page)


def slim(site: Path) -> None:
    """Cut the style sheets, the icon fonts and the theme's script in a site's folder, whose pages are finished."""
    static = site / "_static"
    script = static / "scripts" / "pydata-sphinx-theme.js"
    script.write_text(HABIT.sub("", script.read_text("utf-8")), "utf-8")
    used, begun = names(site)
    sheets = [path for path in static.rglob("*.css") if path.name not in (OWN, JOINED)]
    for path in sheets:
        text = path.read_text("utf-8")
        slimmer = SOURCES.sub(r'\1) format("woff")', rules(text, used, begun))
        if slimmer != text:
            path.write_text(slimmer, "utf-8")
    code_points = {ord(letter) for path in sheets for letter in GLYPH.findall(path.read_text("utf-8"))}
    for path in static.glob(f"{ICONS}/webfonts/*.ttf"):
        cut_font(path, code_points)
        path.unlink()
    for path in [*static.glob(f"{ICONS}/webfonts/*.woff2"), *static.glob(f"{ICONS}/js/*")]:
        path.unlink()


def names(site: Path) -> tuple[set[str], tuple[str, ...]]:
    """Return the names that pages and scripts use, and beginnings of those that scripts put together."""
    static = site / "_static"
    pages = [path for path in site.rglob("*.html") if not {static, site / "ko"} & {*path.parents}]
    found = {name for path in pages for names in NAMES.findall(path.read_text("utf-8")) for name in names.split()}
    scripts = [path for path in static.rglob("*.js") if not {"vendor", "networks", JOINED_SCRIPTS} & {*path.parts}]
    words = {word for path in scripts for word in WORDS.findall(path.read_text("utf-8"))}
    return found | words, tuple(word for word in words if word.endswith("-") and word.strip("-"))


def rules(css: str, used: set[str], begun: tuple[str, ...]) -> str:
    """Return a style sheet without the rules that ask for a name which is not used."""
    return "".join(kept(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True), used, begun))


def kept(nodes: list, used: set[str], begun: tuple[str, ...]) -> Iterator[str]:
    """Yield what stays of some rules."""
    for node in nodes:
        if node.type == "qualified-rule":
            wanted = (s for s in selectors(node.prelude) if all(n in used or n.startswith(begun) for n in asked(s)))
            if prelude := ",".join(tinycss2.serialize(selector).strip() for selector in wanted):
                yield f"{prelude}{{{tinycss2.serialize(node.content).strip()}}}\n"
        elif node.type == "at-rule" and node.lower_at_keyword in NESTED:
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            if inside := "".join(kept(inner, used, begun)):
                yield f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}{{\n{inside}}}\n"
        else:
            yield f"{node.serialize()}\n"


def selectors(prelude: list) -> Iterator[list]:
    """Yield the selectors of a list."""
    one = []
    for token in [*prelude, None]:
        if token is None or token == ",":
            yield one
            one = []
        else:
            one.append(token)


def asked(selector: list) -> Iterator[str]:
    """Yield the classes and ids that a selector cannot do without; what stands in :is() or :not() may be absent."""
    for before, token in zip([None, *selector], selector, strict=False):
        if token.type == "hash" or (token.type == "ident" and before == "."):
            yield token.value


def cut_font(path: Path, code_points: set[int]) -> None:
    """Write a font of some characters alone beside a whole one."""
    with TTFont(path) as font:
        cutter = subset.Subsetter(subset.Options(layout_features=[], hinting=False, notdef_outline=True))
        cutter.populate(unicodes=code_points)
        cutter.subset(font)
        font.flavor = "woff"
        font.save(path.with_suffix(".woff"))
