"""What readers take with them, an archive, a PDF or the package, is whole; so is what the site tells machines."""

import io
import os
import pickle
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import book_files
import edition as editions
import folds
import korean
import matplotlib
import publish
import pytest
import yaml
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from PIL import Image
from pypdf import PdfReader

from backbone import language

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
    assert publish.misstated(packed.rename(unpacked.parent / book_files.ARCHIVE)) == ""
    for page, name in (("intro.md", "backbone.pdf"), ("ko/intro.md", "backbone-ko.pdf")):
        (unpacked.parent / name).write_bytes(b"short")
        assert re.fullmatch(rf"{page} says \d+ MB", publish.misstated(unpacked.parent / name))


def test_each_edition_offers_its_own_pdf(site):
    for page, name in (("intro.html", "backbone.pdf"), ("ko/intro.html", "backbone-ko.pdf")):
        front = BeautifulSoup((site / page).read_text("utf-8"), "html.parser")
        places = [link["href"].rpartition("/")[2] for link in front.select('a[href$=".pdf"]')]
        assert places == [name] * 2  # in the text, and among the downloads


def test_an_unpacked_page_is_alive(open_page, unpacked):
    page = open_page(f"{CHAPTER}.html", folder=unpacked, scheme="file")
    assert page.locator(".bb-widget").count() == 1
    assert page.locator("mjx-container").count() > 10
    page.goto((unpacked / "index.html").as_uri())
    page.wait_for_url("**/intro.html")


# A process of its own: this one's browser holds the event loop. Going over to paper, a browser asks for all faces
# again, and on a busy computer shows no words until they come; so none may go while it prints.
PRINT = """
import pickle, sys
sys.path.insert(0, "tools")
import publish
from playwright.sync_api import Page
def watched(page, **options):
    page.evaluate("window.faces = [...document.fonts]")
    made = pdf(page, **options)
    assert page.evaluate("[...document.fonts].every((face, i) => face === faces[i])"), "other faces than it waited for"
    return made
pdf, Page.pdf = Page.pdf, watched
try:
    parts = publish.printed(publish.SITE, sys.argv[1:])
except publish.NoFaceError as error:
    sys.exit(str(error))
sys.stdout.buffer.write(pickle.dumps({name: (p.title, p.sections, p.content) for name, p in parts.items()}))
"""
# What the two printed pages say in each edition: the chapter's title, and of solutions.
SAID = {
    "en": ("Dropout", "The solution stands at the end", "Solution to Exercise"),
    "ko": ("드롭아웃", "해답은 이 장의 끝에 있습니다", "연습 문제 1 (드롭아웃) 해답"),
}


def print_pages(*names, **environment):
    """Print pages of the site in a process; return it, done."""
    command, around = [sys.executable, "-c", PRINT, *names], os.environ | environment
    return subprocess.run(command, cwd=ROOT, capture_output=True, timeout=120, env=around)


def pages_of(done):
    """Return the pages that a process printed."""
    return {name: publish.Part(*values) for name, values in pickle.loads(done.stdout).items()}


def squeezed(text):
    """Return a text without spaces, of which there are others on paper."""
    return "".join(text.split())


@pytest.fixture(scope="module", params=publish.EDITIONS)
def edition(request):
    """An edition's name, where its pages lie, and the title of its PDF."""
    return request.param, *publish.EDITIONS[request.param]


@pytest.fixture(scope="module")
def parts(site, edition):
    """Two pages of the site, printed."""
    _, place, _ = edition
    done = print_pages(f"{place}intro", f"{place}{CHAPTER}")
    if done.returncode:
        said = done.stderr.decode()
        assert said.strip() == publish.NO_FACE, said
        pytest.skip(said)
    return pages_of(done)


@pytest.fixture(scope="module")
def book(parts, edition):
    """The two bound together."""
    language, _, title = edition
    publish.bound(parts, ADDRESS, title, language).write(file := io.BytesIO())
    return PdfReader(file)


@pytest.fixture(scope="module")
def texts(book):
    """What each page says."""
    return [page.extract_text() for page in book.pages]


def test_a_book_says_what_it_is_and_in_what_language(book, edition):
    language, _, title = edition
    assert (book.metadata.title, book.root_object["/Lang"]) == (title, language)


def test_each_page_and_section_has_its_bookmark(book, texts, parts, edition):
    language, place, _ = edition
    (front, front_sections, chapter, sections) = book.outline
    assert (front.title, chapter.title) == ("Backbone", SAID[language][0])
    assert book.get_destination_page_number(chapter) == len(PdfReader(io.BytesIO(parts[f"{place}intro"].content)).pages)
    assert [one.title for one in sections] == [heading for heading, _ in parts[f"{place}{CHAPTER}"].sections]
    pages = [book.get_destination_page_number(one) for one in [front, *front_sections, chapter, *sections]]
    assert pages == sorted(pages)
    for one in sections:
        words = texts[book.get_destination_page_number(one)]
        assert re.sub(r"\W", "", one.title) in re.sub(r"\W", "", words)


def test_links_lead_inside_or_to_the_site(book, parts, edition):
    _, place, _ = edition
    targets = [link.get_object() for page in book.pages for link in page.get("/Annots") or []]
    out = [str(link["/A"]["/URI"]) for link in targets if "/A" in link]
    assert sum("/Dest" in link for link in targets) >= len(parts[f"{place}{CHAPTER}"].sections)
    assert all(link["/Dest"][0].get_object()["/Type"] == "/Page" for link in targets if "/Dest" in link)
    assert [address for address in out if "127.0.0.1" in address] == []
    assert f"{ADDRESS}{place}chapters/resnet.html" in {address.partition("#")[0] for address in out}


def test_faces_are_in_the_book_and_stand_there_once(book, parts):
    fonts = [one for page in book.pages for one in page["/Resources"].get("/Font", {}).values()]
    assert fonts
    for font in fonts:
        (inner,) = font.get_object().get("/DescendantFonts", [font])
        file = inner.get_object().get("/FontDescriptor", {}).keys() & {"/FontFile", "/FontFile2", "/FontFile3"}
        assert font["/Subtype"] == "/Type3" or file, font
    assert book.stream.getbuffer().nbytes < 0.9 * sum(len(part.content) for part in parts.values())


def test_no_page_is_empty_and_no_check_is_printed(texts, edition):
    assert [number for number, text in enumerate(texts) if len(text.split()) < 5] == []
    assert told(folds.CHECKS, edition) in squeezed(" ".join(texts))
    assert "glue(" not in texts[-1]


def told(text, edition):
    """Return words of the site in the language of an edition, without spaces."""
    return squeezed(language.catalogue(edition[0], "site").tell(text) if edition[0] != "en" else text)


def test_the_paper_has_no_code_that_only_sets_up_or_draws_and_its_solutions_at_the_end(texts, parts, edition):
    code, place, _ = edition
    words = squeezed("".join(texts))
    assert told(folds.IMPORTS, edition) not in words
    assert told(folds.FIGURE, edition) not in words
    assert "importbackbone" not in words
    *_, (last, _), _ = parts[f"{place}{CHAPTER}"].sections  # before the solutions
    stands_at_the_end, solution, last = map(squeezed, (*SAID[code][1:], last))
    assert words.rindex(stands_at_the_end) < words.rindex(last) < words.index(solution)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a browser finds its faces without fontconfig")
def test_korean_is_not_printed_as_boxes(site, tmp_path):
    latin = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    (tmp_path / "fonts.conf").write_text(f"<fontconfig><dir>{latin}</dir></fontconfig>", "utf-8")
    done = print_pages(f"ko/{CHAPTER}", FONTCONFIG_FILE=str(tmp_path / "fonts.conf"))
    assert done.stderr.decode().strip() == publish.NO_FACE


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
    settings = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["config"]
    room = settings["ogp_social_cards"]["description_max_length"]
    faces = [editions.CARD_FACE, font_manager.findfont(korean.CARD_FACES[1])]
    known = {letter for face in faces for letter in TTFont(face).getBestCmap()}
    for name in [f"{place}{name}" for name in book_files.documents(ROOT) for place in ("", "ko/")]:
        head = BeautifulSoup((site / f"{name}.html").read_text("utf-8").partition("</head>")[0], "html.parser")
        about = {tag.get("property", tag.get("name")): tag["content"] for tag in head.select("meta[content]")}
        assert about["og:url"] == f"{home}{name}.html"
        place = "ko/" if name.startswith("ko/") else ""
        assert len(about["description"]) > (30 if place else 40)
        assert re.search(r"(?<!\.)[.?!…)]$", about["description"]), name  # no button, no letters, no half of a word
        assert about["og:locale"] == ("ko_KR" if place else "en_US")
        assert about["og:image"].startswith(f"{home}{place}_images/"), name
        assert not place or {*map(ord, about["og:title"] + about["og:description"])} <= known, name
        assert about["og:image:alt"] == about["og:description"]
        assert len(about["og:description"]) <= room, f"the card of {name} cuts it"
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
