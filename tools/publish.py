"""Make what readers take with them from the built site: one archive, or the book as a PDF.

    python tools/publish.py zip     _build/backbone.zip: unpack it, and open index.html
    python tools/publish.py pdf     _build/backbone.pdf: still figures, links, an outline

A release carries both, and the front pages lead to them there and say how large they are.

The archive is the site as it is, which needs no server. The PDF is printed by the browser of the tests, page by page.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag

import book_files
from book_files import NAME
from browser import KEEP_FACES, NoBrowserError, launch, serving
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject, TextStringObject

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
FRONT_PAGES = ("intro.md", "ko/intro.md")
PAPER = {"format": "A4", "margin": dict.fromkeys(("top", "bottom", "left", "right"), "16mm")}
PLAIN = {".png", ".webp", ".woff2", ".gz"}  # packed already
# All figures and formulas, in the light, with folds open: as on a reader's own paper.
READY = """async () => {
    await window.widgetHost?.drawAll();
    await (window.widgetHost?.formulas ?? window.MathJax?.startup?.promise);
    await document.fonts.ready;
    dispatchEvent(new Event("beforeprint"));
    for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame);
}"""
HEADINGS = """() => [...document.querySelectorAll("article section > :is(h1, h2)")].map((heading) => {
    const text = [...heading.childNodes].filter((node) => !node.matches?.(".headerlink"));
    return [text.map((node) => node.textContent).join("").trim(), heading.parentElement.id];
})"""


def archive(site: Path, target: Path) -> None:
    """Pack the site into one file, in one folder of the book's name."""
    with zipfile.ZipFile(target, "w") as packed:
        for file in sorted(path for path in site.rglob("*") if path.is_file()):
            kind = zipfile.ZIP_STORED if file.suffix in PLAIN else zipfile.ZIP_DEFLATED
            packed.write(file, f"{NAME}/{file.relative_to(site).as_posix()}", kind, compresslevel=9)


@dataclass(frozen=True)
class Part:
    """A printed page of the site: its title, its sections with their anchors, and its PDF."""

    title: str
    sections: list[tuple[str, str]]
    content: bytes


def printed(site: Path, names: list[str]) -> dict[str, Part]:
    """Print pages of the site, by the names of their documents."""
    with sync_playwright() as playwright, serving(site) as server:
        browser = launch(playwright)
        made = {}
        for name in names:
            page = browser.new_page(viewport={"width": 800, "height": 1100}, color_scheme="light")
            page.add_init_script(KEEP_FACES)
            page.goto(f"{server.url}/{name}.html")
            page.evaluate(READY)
            [[title, _], *sections] = page.evaluate(HEADINGS)
            made[name] = Part(title, sections, page.pdf(**PAPER, print_background=True, tagged=True))
            page.close()
        browser.close()
    return made


def bound(parts: dict[str, Part], address: str) -> PdfWriter:
    """Bind printed pages into one document, with an outline, and with links between them that lead inside.

    `address` is the site's: links to what is not in the document lead there.
    """
    book = Bound(parts, address)
    for name, part in parts.items():
        start = book.writer.add_outline_item(title=part.title, page_number=book.first[name])
        for heading, anchor in part.sections:
            number, _ = book.place(name, anchor)
            book.writer.add_outline_item(title=heading, page_number=book.first[name] + number, parent=start)
    for name in parts:
        for link in book.links(name):
            book.lead_inside(link, name)
    book.writer.add_metadata({"/Title": "Backbone"})
    return book.writer


class Bound:
    """Printed pages in one document, and where each begins."""

    def __init__(self, parts: dict[str, Part], address: str):
        self.writer, self.address, self.readers, self.first = PdfWriter(), address, {}, {}
        for name, part in parts.items():
            self.readers[name], self.first[name] = PdfReader(io.BytesIO(part.content)), len(self.writer.pages)
            self.writer.append(self.readers[name], import_outline=False)

    def links(self, name: str) -> list:
        """Return the links of a part."""
        start, count = self.first[name], len(self.readers[name].pages)
        pages = self.writer.pages[start : start + count]
        return [link.get_object() for page in pages for link in page.get("/Annots") or []]

    def place(self, name: str, anchor: str):
        """Return the page of an anchor within its part, and the height on it; the top of the part where it has none."""
        if (found := self.readers[name].named_destinations.get(f"/{anchor}")) is None:
            return 0, NullObject()
        return self.readers[name].get_destination_page_number(found), found.top

    def lead_inside(self, link, here: str) -> None:
        """Let a link lead to its place inside, or to the site; one to elsewhere stays."""
        if (target := target_of(link, here)) is None:
            return
        name, anchor = target
        for key in {"/Dest", "/A"} & link.keys():
            del link[key]
        if name in self.first:
            number, top = self.place(name, anchor)
            page = self.writer.pages[self.first[name] + number].indirect_reference
            link[NameObject("/Dest")] = ArrayObject([page, NameObject("/XYZ"), NullObject(), top, NullObject()])
        else:
            page = name if "." in name else f"{name}.html"
            uri = f"{self.address}{page}" + (f"#{anchor}" if anchor else "")
            action = {NameObject("/S"): NameObject("/URI"), NameObject("/URI"): TextStringObject(uri)}
            link[NameObject("/A")] = DictionaryObject(action)


def target_of(link, here: str) -> tuple[str, str] | None:
    """Return the document and the anchor that a link leads to, or None where it leads out of the book."""
    if "/Dest" in link:
        return here, str(link["/Dest"])[1:]
    to = link.get("/A", {})
    if to.get("/S") == "/GoTo":
        return here, str(to["/D"])[1:]
    uri = str(to.get("/URI", ""))
    if not uri.startswith("http://127.0.0.1:"):
        return None
    page, anchor = urldefrag(uri)
    return page.split("/", 3)[3].removesuffix(".html"), unquote(anchor)


def misstated(target: Path) -> str:
    """Return which front page says what of a file's size if that is wrong by more than a tenth, or nothing."""
    wrong = []
    for page in FRONT_PAGES:
        (said,) = re.findall(rf"<{re.escape(target.name)}>` ?\([^)\d]*(\d+) MB", (ROOT / page).read_text("utf-8"))
        if abs(target.stat().st_size / 1e6 - int(said)) > max(1, int(said) / 10):
            wrong.append(f"{page} says {said} MB")
    return ", ".join(wrong)


def main(wanted: str) -> int:
    """Make one of the two, and say where it lies."""
    if not (SITE / "index.html").exists():
        print("There is no site: run make book", file=sys.stderr)
        return 1
    target = ROOT / "_build" / f"{NAME}.{wanted}"
    if wanted == "zip":
        archive(SITE, target)
    else:
        try:
            parts = printed(SITE, book_files.documents(ROOT))
        except NoBrowserError as error:
            print(error, file=sys.stderr)
            return 1
        bound(parts, book_files.repository(ROOT).pages_url).write(target)
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    if said := misstated(target):
        print(f"{said} of it; correct it there.", file=sys.stderr)
    return int(bool(said))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make what readers take with them from the built site.")
    parser.add_argument("wanted", choices=["zip", "pdf"])
    sys.exit(main(parser.parse_args().wanted))
