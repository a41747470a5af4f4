"""What is done to the finished pages, once Sphinx has written them.

* They run nothing that was not built with them (tools/policy.py).
* They lose the scripts, rules and icons that they do not use (tools/slim.py), and what the theme says twice.
* Words of code stand in elements only where they have a look of their own; the faces of formulas have their rules.
* Their drawings weigh less, and sizes and numbers with their units are not broken across lines.
* They ask for one style sheet in place of twelve, and one script that runs when they are read in place of nine.
* The download button gives the notebook made for readers (chapters/NAME.ipynb).
* All pages are listed for robots.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import book_files
import edition
import figures
import korean
import policy
import slim
from sphinx.errors import SphinxError

from backbone.palette import css_variables

# Tags of the theme that a page does without: FontAwesome's script draws icons that its style sheet already draws
# (542 KB compressed). Preloading its fonts fails in a page opened from a folder; the theme's scripts are not urgent.
# Thebe, which would run code, is gone, and page.js stands in for handlers in tags, which a policy would have to allow.
UNUSED_TAGS = re.compile(
    r'\s*<script src="[^"]*/fontawesome/[^"]*"></script>'
    r'|\s*<link rel="preload" as="(?:font"[^>]*/fa-[\w-]+\.woff2|script"[^>]*/_static/scripts/)[^>]*/>'
    r'|\s*<script type="text/x-thebe-config">.*?</script>\s*<script>kernelName = [^<]*</script>'
    r'| onclick="(?:window\.print|toggleFullScreen)\(\)"'
    r'|(?<=<summary) aria-label="Toggle hidden content"'  # it would be read instead of what the fold is called
    r'| +title="[^"]*"(?=>\s*(?:<i [^>]*></i>\s*)?<div class="prev-next-info">)'  # after "Next" the same again
    r'| +title="[^"]*"(?= aria-label="Search"[^>]*>\s*<i [^>]*></i>\s*<span)',  # the button shows this word
    re.DOTALL,
)
# The title of a button that shows an icon alone is its name; with a label that says the same it would be heard again.
SAID_AGAIN = re.compile(r'( title="([^"]*)") aria-label="\2"')
# An icon is a letter for private use, which would be read aloud.
ICON = re.compile(r'<(?:i|span) (?=class="(?:theme-switch )?fa[bs]?[ -])')
# Tags of the theme, and what a screen reader is told of them besides.
TOLD = {
    '<nav class="bd-toc-nav page-toc">': ' aria-label="Contents"',
    '<a class="current reference internal" href="#">': ' aria-current="page"',
}
# A table says its caption as its name, for notebooks; here the caption stands in its figure and would be heard twice.
TABLE = re.compile(
    r'(?<=<figure class="bb-table" style="margin: 0"><div) role="region" aria-label="[^"]*"(?= tabindex="0")'
)
# What may scroll can have the focus, so that keys scroll it; page.js takes it from what does not.
MAY_SCROLL = ("<pre>", '<pre tabindex="0">')
# Above the names of rows stands no header, which who listens would hear at each of them.
NO_HEADER = ('<th class="head"><p></p></th>', '<td class="head"></td>')
# Scripts that a page can show its text and figures without; they run when it is read, in this order.
LATER = r"(?:doctools|clipboard\.min|copybutton|togglebutton|design-tabs|reading|scripts/[\w-]+)\.js\b"
LATER_TAGS = re.compile(rf'<script (?!defer)(?=[^>]*src="[^"]*_static/{LATER})')

# A size, and a number with its unit or its name, stay on one line; code, drawings and formulas stay as they are.
AS_WRITTEN = re.compile(
    r"<(pre|code|script|style|svg|head|textarea)\b.*?</\1>|<(?:span|div) class=\"math.*?</", re.DOTALL
)
TIMES = re.compile(r"[ \n](×)[ \n]")
UNIT = re.compile(r"(\d(?:</[a-z]+>)*)[ \n](?=(?:<span[^>]*>)*(?:%|(?:px|KB|MB|GB|ms|min|h|s)\b))")
NUMBERED = re.compile(r"\b(pp?\.|Figure|Table|Section|Equation|Exercise|Chapter)[ \n](?=(?:<span[^>]*>)*\d)")

# What a page asks for: the folder and the file of each style sheet, and of each script that runs when the page is read.
SHEET_TAG = re.compile(r'\s*<link [^>]*href="([^"?:]*_static/)([^"?]*\.css)[^"]*"[^>]*>')
SCRIPT_TAG = re.compile(r'\s*<script defer [^>]*src="([^"?:]*_static/)([^"?]*\.js)[^"]*"></script>')
PUT_OFF = ("scripts/bootstrap", "scripts/pydata")
GIVEN = re.compile(r' data-[\w-]+="[^"]*"')  # to a script, which reads it
CHARSET = re.compile(r'@charset "[^"]*";')
IMPORT = re.compile(r"""@import ["']([^"']+)["'];""")
ADDRESS = re.compile(r"""url\((["']?)(?!data:|[#/%])([^"')]+)\1\)""")

FORMULA_FACE = re.compile(r'"font-family":"(MJX[\w-]+)",src:\'url\("%%URL%%/([\w-]+\.woff)"\)')

SITEMAP = "http://www.sitemaps.org/schemas/sitemap/0.9"


def finish(app, exception):
    """Mend the finished pages and put the readers' notebooks behind the download button."""
    if exception or app.builder.name != "html":
        return
    site, source = Path(app.outdir), Path(app.srcdir)
    aside = {site / "_static", site / korean.CODE}  # the other edition is finished by its own build
    pages = [page for page in site.rglob("*.html") if not aside & set(page.parents)]
    looks = slim.colored((site / "_static" / "pygments.css").read_text("utf-8"))
    change(pages, lambda text, page: slim.plainer(text, looks))
    change(pages, lambda text, page: mended(edition.finished(app, mended(text, page), page), page))
    style = (source / "_static" / "site.css").read_text("utf-8")
    faces = formula_faces((source / "_extra" / "mathjax" / "formulas.js").read_text("utf-8"), app.config.mathjax_path)
    (site / "_static" / "site.css").write_text(f":root {{ {css_variables()} }}\n{faces}{style}", "utf-8")
    slim.slim(site)
    edition.tell_copy_buttons(app)
    join(site / "_static", pages, SHEET_TAG, slim.JOINED, alone)
    join(site / "_static", pages, SCRIPT_TAG, slim.JOINED_SCRIPTS, after)
    change(pages, lambda text, page: policy.guarded(text))
    if not app.config.backbone_english:
        names = book_files.documents(source)
        tell_robots(site, app.config.html_baseurl, [*names, *(f"{korean.CODE}/{name}" for name in names)])
    for twin in sorted((source / "chapters").glob("*.ipynb")):
        target = site / "_sources" / "chapters" / twin.name
        if target.parent.is_dir():
            shutil.copyfile(twin, target)


def tell_robots(site: Path, address: str, names: list[str]) -> None:
    """List all pages of the book; sphinx-sitemap lists those that the last build wrote, which are often few."""
    pages = "".join(f"<url><loc>{address}{name}.html</loc></url>" for name in names)
    listed = f'<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="{SITEMAP}">{pages}</urlset>\n'
    (site / "sitemap.xml").write_text(listed, "utf-8")
    (site / "robots.txt").write_text(f"User-agent: *\nSitemap: {address}sitemap.xml\n", "utf-8")


def formula_faces(script: str, address: str) -> str:
    """Return rules for the faces that MathJax's script names; page.js keeps it from bringing them itself."""
    folder = f"{address.rpartition('/')[0]}/output/chtml/fonts/woff-v2"
    faces = [f'{name}; src: url("{folder}/{file}") format("woff")' for name, file in FORMULA_FACE.findall(script)]
    if not faces:
        raise SphinxError("formulas.js names its faces otherwise than finished.FORMULA_FACE expects")
    return "".join(f"@font-face {{ font-family: {face}; }}\n" for face in faces)


def change(pages: list[Path], mend) -> None:
    """Write the pages that come out of a function other than they were; it takes a page's text and its path."""
    for page in pages:
        text = page.read_text("utf-8")
        if (new := mend(text, page)) != text:
            page.write_text(new, "utf-8")


def mended(text: str, page: Path) -> str:
    """Return a page without what the theme has twice, or for nothing, and with what it leaves unsaid."""
    text = text.replace(*NO_HEADER)
    text = SAID_AGAIN.sub(r"\1", UNUSED_TAGS.sub("", text))
    text = ICON.sub(r'\g<0>aria-hidden="true" ', unbroken(TABLE.sub("", text)))
    text = text.replace(*MAY_SCROLL)
    for tag, told in TOLD.items():
        text = text.replace(tag, f"{tag[:-1]}{told}>")
    return text if page.name == "search.html" else LATER_TAGS.sub("<script defer ", text)


def unbroken(text: str) -> str:
    """Return a page on which no line ends within a size, or between a number and its unit or its name."""
    start, parts = 0, []
    for kept in [*AS_WRITTEN.finditer(text), None]:
        part = text[start : kept.start() if kept else len(text)]
        part = TIMES.sub("\N{NO-BREAK SPACE}\\1\N{NO-BREAK SPACE}", part)
        part = UNIT.sub("\\1\N{NO-BREAK SPACE}", part)
        parts += [NUMBERED.sub("\\1\N{NO-BREAK SPACE}", part), kept[0] if kept else ""]
        start = kept.end() if kept else start
    return "".join(parts)


def join(static: Path, pages: list[Path], tag: re.Pattern, joined: str, part) -> None:
    """Put all files that pages ask for in such tags into one, in their order.

    A browser shows nothing before the last style sheet has come, and each request takes a slow computer 5 to 10 ms.
    """
    asked = {page: tuple(found[2] for found in tag.finditer(page.read_text("utf-8"))) for page in pages}
    asked = {page: names for page, names in asked.items() if names}  # one that leads elsewhere asks for none
    new = {*asked.values()} - {(joined,)}  # those of an earlier build ask for what it joined
    if len(new) > 1:
        raise SphinxError(f"the pages ask for different files, of which {joined} is made for all: {new}")
    target = static / joined
    names = new.pop() if new else target.read_text("utf-8").partition("*/")[0].split()[1:]
    target.write_text(f"/* {' '.join(names)} */\n{''.join(part(static / name, static) for name in names)}", "utf-8")
    change(asked, lambda text, _: with_one(text, tag, target))


def with_one(text: str, tag: re.Pattern, joined: Path) -> str:
    """Return a page that asks for a joined file where its last one stood, under an address that changes with it."""
    tags = list(tag.finditer(text))
    for found in tags[:-1]:
        text = text.replace(found[0], "", 1)
    address = f"{tags[-1][1]}{joined.name}?v={figures.version(joined.read_text('utf-8'))[:8]}"
    given = "".join(GIVEN.findall("".join(found[0] for found in tags)))
    script = f'\n    <script defer{given} src="{address}"></script>'
    sheet = f'\n    <link rel="stylesheet" href="{address}" />'
    return text.replace(tags[-1][0], script if tag is SCRIPT_TAG else sheet)


def after(script: Path, static: Path) -> str:
    """Return a script as it can stand behind another; where one fails, those behind it do not run.

    Bootstrap's and pydata's are half of the work, and the page is whole without them: they run a moment later, each by
    itself, so that all together are no long task.
    """
    text = script.read_text("utf-8")
    later = script.relative_to(static).as_posix().startswith(PUT_OFF)
    return f";setTimeout(() => {{{text}\n}});\n" if later else f";{text}\n"


def alone(sheet: Path, static: Path) -> str:
    """Return a style sheet as it can stand in the folder of all, with what it imports."""
    text = CHARSET.sub("", sheet.read_text("utf-8"))
    folder = os.path.relpath(sheet.parent, static)
    text = ADDRESS.sub(lambda at: f'url("{os.path.normpath(f"{folder}/{at[2]}")}")', text)
    return IMPORT.sub(lambda other: alone(sheet.parent / other[1], static), text)


def setup(app):
    """Connect the extension."""
    app.connect("build-finished", finish, priority=900)  # behind the theme, which writes the colors of code then
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
