"""What readers take with them, an archive, a PDF or the package, is whole; so is what the site tells machines."""

import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import book_files
import folds
import publish
import pytest
from bs4 import BeautifulSoup
from PIL import Image
from pypdf import PdfReader

ROOT = Path(__file__).resolve().parents[1]
ADDRESS = "https://example.github.io/book/"
CHAPTER = "chapters/dropout"

pytestmark = [pytest.mark.site, pytest.mark.xdist_group("publish")]


@pytest.fixture(scope="module")
def unpacked(site, tmp_path_factory):
    """The archive, unpacked."""
    folder = tmp_path_factory.mktemp("archive")
    publish.archive(site, folder / "book.zip")
    with zipfile.ZipFile(folder / "book.zip") as packed:
        packed.extractall(folder)
    return folder / "backbone"


def test_the_archive_holds_the_whole_site_in_one_folder(site, unpacked):
    def files(folder):
        return {path.relative_to(folder): path.stat().st_size for path in folder.rglob("*") if path.is_file()}

    assert files(unpacked) == files(site)
    assert [path.name for path in unpacked.parent.iterdir() if path.is_dir()] == ["backbone"]


def test_the_front_pages_say_how_large_it_is(unpacked):
    packed = unpacked.parent / "book.zip"
    assert publish.misstated(packed.rename(unpacked.parent / f"{publish.NAME}.zip")) == ""
    (unpacked.parent / f"{publish.NAME}.pdf").write_bytes(b"short")
    said = publish.misstated(unpacked.parent / f"{publish.NAME}.pdf")
    assert re.fullmatch(r"intro.md says \d+ MB, ko/intro.md says \d+ MB", said)


def test_a_korean_reader_hears_that_the_pdf_is_english(site):
    front = BeautifulSoup((site / "ko" / "intro.html").read_text("utf-8"), "html.parser")
    places = front.select(f'a[href$="/{publish.NAME}.pdf"]')
    assert len(places) == 2  # in the text, and among the downloads
    assert [place for place in places if "영어" not in place.parent.text] == []


def test_an_unpacked_page_is_alive(open_page, unpacked):
    page = open_page(f"{CHAPTER}.html", folder=unpacked, scheme="file")
    assert page.locator(".bb-widget").count() == 1
    assert page.locator("mjx-container").count() > 10
    page.goto((unpacked / "index.html").as_uri())
    page.wait_for_url("**/intro.html")


# A process of its own: this one's browser holds the event loop.
PRINT = """
import pickle, sys
from pathlib import Path
sys.path.insert(0, "tools")
import publish
parts = publish.printed(publish.SITE, ["intro", "chapters/dropout"])
sys.stdout.buffer.write(pickle.dumps({name: (p.title, p.sections, p.content) for name, p in parts.items()}))
"""


@pytest.fixture(scope="module")
def parts(site):
    """Two pages of the site, printed."""
    import pickle

    done = subprocess.run([sys.executable, "-c", PRINT], cwd=ROOT, capture_output=True, check=True, timeout=120)
    return {name: publish.Part(*values) for name, values in pickle.loads(done.stdout).items()}


@pytest.fixture(scope="module")
def book(parts):
    """The two bound together."""
    publish.bound(parts, ADDRESS).write(file := io.BytesIO())
    return PdfReader(file)


def test_each_page_and_section_has_its_bookmark(book, parts):
    (front, front_sections, chapter, sections) = book.outline
    assert (front.title, chapter.title) == ("Backbone", "Dropout")
    assert book.get_destination_page_number(chapter) == len(PdfReader(io.BytesIO(parts["intro"].content)).pages)
    assert [one.title for one in sections] == [heading for heading, _ in parts[CHAPTER].sections]
    pages = [book.get_destination_page_number(one) for one in [front, *front_sections, chapter, *sections]]
    assert pages == sorted(pages)
    for one in sections:
        words = book.pages[book.get_destination_page_number(one)].extract_text()
        assert re.sub(r"\W", "", one.title) in re.sub(r"\W", "", words)


def test_links_lead_inside_or_to_the_site(book, parts):
    targets = [link.get_object() for page in book.pages for link in page.get("/Annots") or []]
    out = [str(link["/A"]["/URI"]) for link in targets if "/A" in link]
    assert sum("/Dest" in link for link in targets) >= len(parts[CHAPTER].sections)
    assert all(link["/Dest"][0].get_object()["/Type"] == "/Page" for link in targets if "/Dest" in link)
    assert [address for address in out if "127.0.0.1" in address] == []
    assert f"{ADDRESS}chapters/resnet.html" in {address.partition("#")[0] for address in out}


def test_no_page_is_empty_and_no_check_is_printed(book):
    texts = [page.extract_text() for page in book.pages]
    assert [number for number, text in enumerate(texts) if len(text.split()) < 5] == []
    assert folds.CHECKS in " ".join(" ".join(texts).split())
    assert "glue(" not in texts[-1]


def test_the_paper_has_no_code_that_only_sets_up_or_draws_and_its_solutions_at_the_end(book):
    words = "\n".join(page.extract_text() for page in book.pages)
    assert folds.IMPORTS not in words
    assert folds.FIGURE not in words
    assert "import backbone" not in words
    first = words.index("Solution to Exercise")
    assert words.rindex("The solution stands at the end") < words.rindex("Where this comes from") < first


def test_what_a_fold_holds_does_not_fade_in_on_paper(open_page):
    page = open_page(f"{CHAPTER}.html")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    assert page.evaluate("[...document.querySelectorAll('details > *')].flatMap((n) => n.getAnimations()).length") == 0
    assert page.evaluate(
        "[...document.querySelectorAll('details > *')].every((node) => getComputedStyle(node).opacity === '1')"
    )


# --- What the site tells machines, and what pip installs --------------------------------------------------------


def test_robots_find_every_page_once(site):
    pages = {f"{place}{name}.html" for name in book_files.documents(ROOT) for place in ("", "ko/")}
    found = re.findall(r"<loc>([^<]*)</loc>", (site / "sitemap.xml").read_text("utf-8"))
    home = book_files.repository(ROOT).pages_url
    assert sorted(found) == sorted(f"{home}{page}" for page in pages)
    assert f"Sitemap: {home}sitemap.xml" in (site / "robots.txt").read_text("utf-8")


def test_each_page_has_a_card_that_lies_on_the_site(site):
    home = book_files.repository(ROOT).pages_url
    for name in [f"{place}{name}" for name in book_files.documents(ROOT) for place in ("", "ko/")]:
        head = BeautifulSoup((site / f"{name}.html").read_text("utf-8").partition("</head>")[0], "html.parser")
        about = {tag.get("property", tag.get("name")): tag["content"] for tag in head.select("meta[content]")}
        assert about["og:url"] == f"{home}{name}.html"
        assert len(about["description"]) > 40
        assert about["og:image"].startswith(home)
        assert about["og:image:alt"] == about["og:description"]
        assert not name.startswith("ko/") or not re.search(r"(?:\b[a-z]+ ){3}", about["og:description"]), name
        with Image.open(site / about["og:image"].removeprefix(home)) as card:
            assert card.width >= 1000


def test_the_page_for_wrong_addresses_works_at_any_depth(site):
    page = BeautifulSoup((site / "404.html").read_text("utf-8"), "html.parser")
    path = "/" + book_files.repository(ROOT).pages_url.split("/", 3)[3]
    links = [link.get("href") or link["src"] for link in page.select("[href], [src]")]
    own = [link for link in links if not link.startswith(("https:", "#", "data:"))]
    assert own
    assert [link for link in own if not link.startswith(path)] == []
    missing = [
        link for link in own if not (site / link.removeprefix(path).partition("?")[0].partition("#")[0]).exists()
    ]
    assert missing == []
    assert "This page does not exist" in page.select_one("article").text


@pytest.mark.build
def test_the_package_builds_as_a_wheel_with_all_its_files(tmp_path):
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    left_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=left_out)
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", "."]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next((tmp_path / "dist").glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("backbone/")}
        wheel.extractall(tmp_path / "installed")
    source = tmp_path / "src" / "backbone"
    assert packed == {f"backbone/{path.relative_to(source).as_posix()}" for path in source.rglob("*") if path.is_file()}
    run = [
        sys.executable,
        "-c",
        "from backbone import pretrained, widgets; print(pretrained.load('lenet'), widgets)",
    ]
    alone = os.environ | {"PYTHONPATH": str(tmp_path / "installed")}
    done = subprocess.run(run, env=alone, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert str(tmp_path / "installed") in done.stdout
