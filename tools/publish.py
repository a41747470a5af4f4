"""Make what readers take with them from the built site: one archive, or each edition as a PDF.

    python tools/publish.py zip     _build/backbone.zip: unpack it, and open index.html
    python tools/publish.py pdf     _build/backbone.pdf, _build/backbone-ko.pdf: still figures, links, an outline

A release carries them, and the front pages lead to them there and say how large they are.

The archive is the site as it is, which needs no server. A PDF is printed by the browser of the tests, page by page.
"""

from __future__ import annotations

import argparse
import io
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urldefrag

import book_files
import korean
from book_files import ARCHIVE, NAME, PDFS
from browser import KEEP_FACES, NoBrowserError, launch, serving
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NullObject, TextStringObject

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
FRONT_PAGES = {"intro.md": (ARCHIVE, PDFS["en"]), "ko/intro.md": (ARCHIVE, PDFS[korean.CODE])}
# Of each edition: where its pages lie in the site, and the title of its PDF.
EDITIONS = {"en": ("", "Backbone"), korean.CODE: (f"{korean.CODE}/", "Backbone 한국어판")}
PAPER = {"format": "A4", "margin": dict.fromkeys(("top", "bottom", "left", "right"), "16mm")}
SHEET = {"width": 675, "height": 1004}  # the same in pixels, less the margins
PLAIN = {".png", ".webp", ".woff2", ".gz"}  # packed already
# All figures and formulas, in the light, with folds open: as on a reader's own paper.
READY = """async () => {
    await window.widgetHost?.drawAll();
    await (window.widgetHost?.formulas ?? window.MathJax?.startup?.promise);
    dispatchEvent(new Event("beforeprint"));
}"""
# Going over to paper, or to another width, a browser asks for all faces again, and shows no words until they come.
FACES = """async () => {
    for (const _ of [1, 2, 3]) await new Promise(requestAnimationFrame);
    await document.fonts.ready;
}"""
# Where no face has Hangul, each of its letters is the same empty box.
LETTERS = """() => ["한", "글"].map((letter) => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = `40px ${getComputedStyle(document.body).fontFamily}`;
    context.fillText(letter, 0, 60);
    return context.canvas.toDataURL();
})"""
NO_FACE = "No face here has Hangul, so Korean would be boxes; install one (Debian: apt-get install fonts-noto-cjk)."
HEADINGS = """() => [...document.querySelectorAll("article section > :is(h1, h2)")].map((heading) => {
    const text = [...heading.childNodes].filter((node) => !node.matches?.(".headerlink"));
    return [text.map((node) => node.textContent).join("").trim(), heading.parentElement.id];
})"""


class NoFaceError(RuntimeError):
    """A language cannot be printed on this computer; the message says what to install."""


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
            page.emulate_media(media="print")
            page.set_viewport_size(SHEET)
            page.evaluate(FACES)
            if page.evaluate("document.documentElement.lang") == korean.CODE and len(set(page.evaluate(LETTERS))) < 2:
                raise NoFaceError(NO_FACE)
            [[title, _], *sections] = page.evaluate(HEADINGS)
            made[name] = Part(title, sections, page.pdf(**PAPER, print_background=True, tagged=True))
            page.close()
        browser.close()
    return made


def bound(parts: dict[str, Part], address: str, title: str, language: str) -> PdfWriter:
    """Bind printed pages into one document, with an outline, and with links between them that lead inside.

    Faces and pictures that several of them brought stand in it once. `address` is the site's: links to what is not in
    the document lead there.
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
    book.writer.add_metadata({"/Title": title})
    book.writer.root_object[NameObject("/Lang")] = TextStringObject(language)
    book.writer.compress_identical_objects(remove_duplicates=True, remove_unreferenced=True)
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
    for page in [page for page, files in FRONT_PAGES.items() if target.name in files]:
        (said,) = re.findall(rf"<{re.escape(target.name)}>` ?\([^)\d]*(\d+) MB", (ROOT / page).read_text("utf-8"))
        if abs(target.stat().st_size / 1e6 - int(said)) > max(1, int(said) / 10):
            wrong.append(f"{page} says {said} MB")
    return ", ".join(wrong)


def carried(wanted: str) -> Iterator[Path]:
    """Make the archive or the PDFs, and return where each lies."""
    folder, address = ROOT / "_build", book_files.repository(ROOT).pages_url
    if wanted == "zip":
        archive(SITE, folder / ARCHIVE)
        yield folder / ARCHIVE
        return
    for language, (place, title) in EDITIONS.items():
        parts = printed(SITE, [f"{place}{name}" for name in book_files.documents(ROOT)])
        bound(parts, address, title, language).write(folder / PDFS[language])
        yield folder / PDFS[language]


def main(wanted: str) -> int:
    """Make what is wanted, and say where it lies."""
    if not (SITE / "index.html").exists():
        print("There is no site: run make book", file=sys.stderr)
        return 1
    wrong = False
    try:
        for target in carried(wanted):
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB", flush=True)
            if said := misstated(target):
                print(f"{said} of it; correct it there.", file=sys.stderr)
                wrong = True
    except (NoBrowserError, NoFaceError) as error:
        print(error, file=sys.stderr)
        return 1
    return int(wrong)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Make what readers take with them from the built site.")
    parser.add_argument("wanted", choices=["zip", "pdf"])
    sys.exit(main(parser.parse_args().wanted))
