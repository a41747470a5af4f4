"""What the built pages hold: every page is there, asks nobody for anything, and its links lead to files.

And that the workflows, which test and publish the site elsewhere, can be read and ask for no more than they need.
"""

import base64
import contextlib
import hashlib
import io
import json
import re
from collections import Counter
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import figures
import film
import finished
import folds
import numpy as np
import outline
import policy
import pytest
import slim
import thumbnails
import yaml
from book_files import ARCHIVE, PDFS, documents, executed, repository
from bs4 import BeautifulSoup, NavigableString
from fontTools.ttLib import TTFont
from PIL import Image

from backbone.palette import COLORS, css_variables

ROOT = Path(__file__).resolve().parents[1]
HTML = ROOT / "_build" / "html"

SITE = pytest.mark.site
# What a browser fetches to show a page; a link that a reader may follow is not among them.
FETCHED = {
    "audio": "src", "embed": "src", "iframe": "src", "image": "href", "img": "src", "input": "src", "link": "href",
    "object": "data", "script": "src", "source": "src", "track": "src", "use": "href", "video": "src",
}  # fmt: skip
FOREIGN = re.compile(r"\s*(?:https?:)?//", re.IGNORECASE)


@pytest.fixture(scope="module")
def pages(every_page):
    """Return the English pages of the site by their path, parsed."""
    return {name: page for name, page in every_page.items() if not name.startswith("ko/")}


@pytest.fixture(scope="module")
def every_page():
    """Return every page of the site by its path, parsed; the Korean ones lie in `ko/`."""
    if not (HTML / "index.html").exists():
        pytest.fail("there is no site: run make book", pytrace=False)
    names = sorted(path.relative_to(HTML).as_posix() for path in HTML.rglob("*.html"))
    names = [name for name in names if "_static" not in Path(name).parts]  # the theme leaves its templates there
    return {name: BeautifulSoup((HTML / name).read_text("utf-8"), "html.parser") for name in names}


def demand(sentences):
    """Fail with one sentence for each thing that is wrong."""
    if sentences := list(sentences):
        pytest.fail("\n".join(sentences), pytrace=False)


def texts_of(node, without):
    """Yield the texts of a node, but for those in formulas and in tags of these names."""
    for child in node.children:
        if type(child) is NavigableString:
            yield child
        elif child.name and child.name not in without and "math" not in child.get("class", ()):
            yield from texts_of(child, without)


def plain(node) -> str:
    """Return the text of a node as it was written, without the blanks that keep a line from ending."""
    return node.get_text().replace("\N{NO-BREAK SPACE}", " ")


@SITE
def test_every_page_of_the_table_of_contents_is_there(pages):
    expected = ["index", "search", *documents(ROOT)]
    demand(f"{name}.html is not in the site: run make book" for name in expected if f"{name}.html" not in pages)


@SITE
def test_no_page_asks_another_host_for_anything(every_page):
    demand(
        f"{name} asks {address} for a part of the page; keep it in _static/"
        for name, page in every_page.items()
        for address in fetched(page)
        if FOREIGN.match(address)
    )


def fetched(page):
    """List the addresses that a browser asks for to show a page."""
    for tag in page.find_all(list(FETCHED)):
        if tag.name == "link" and set(tag.get("rel", [])) & {
            "canonical",
            "alternate",
            "next",
            "prev",
            "author",
            "license",
        }:
            continue
        yield tag.get(FETCHED[tag.name], "")
        yield from re.split(r",\s+", tag.get("srcset", ""))
    styles = [tag.string or "" for tag in page.find_all("style")]
    yield from in_css("\n".join(styles + [tag["style"] for tag in page.find_all(style=True)]))


def in_css(text):
    """List the addresses that a style sheet asks for."""
    return [address.strip("\"' ") for address in re.findall(r"(?:url\(|@import\s+)([^)\s;]*)", text)]


@SITE
def test_no_style_sheet_asks_another_host_for_anything(pages):
    demand(
        f"{path.relative_to(HTML)} asks {address}; keep it in _static/"
        for path in HTML.rglob("*.css")
        for address in in_css(path.read_text("utf-8"))
        if FOREIGN.match(address)
    )


@SITE
def test_every_page_waits_for_one_style_sheet_whose_files_are_there_and_later_for_one_script(every_page):
    for name, page in every_page.items():
        asked = [link["href"] for link in page.find_all("link", rel="stylesheet")]
        later = [script["src"] for script in page.find_all("script", defer="")]
        assert len(asked) == (Path(name).name != "index.html"), name
        assert len(later) == (Path(name).name not in ("index.html", "search.html")), name
        assert all(re.search(r"_static/all\.(?:css|js)\?v=\w{8}$", address) for address in [*asked, *later]), name
    for static in (HTML / "_static", HTML / "ko/_static"):
        parts, later = [], (static / "all.js").read_text("utf-8")
        for name in later.partition("*/")[0].split()[1:]:
            parts.append(later.index((static / name).read_text("utf-8")))
        assert len(parts) > 5
        assert sorted(parts) == parts, "each is there, whole, in the order of the page"
        joined = (static / "all.css").read_text("utf-8")
        assert not re.search("@(import|charset)", joined)
        wanted = {address.partition("?")[0] for address in in_css(joined) if not address.startswith(("data:", "#"))}
        assert "fonts/text.woff2" in wanted
        demand(f"all.css asks for {name}" for name in wanted if not (static / name).is_file())


@SITE
def test_who_listens_is_told_what_is_an_exercise_code_or_its_output(every_page):
    for name, page in every_page.items():
        for title in page.select(".exercise > .admonition-title"):
            level = "4" if title.find_parent(id="further-exercises") else "3"
            assert (title["role"], title["aria-level"]) == ("heading", level), name
        in_sight = [one for one in page.select(".cell_input") if one.parent.name != "details"]
        for one in [*in_sight, *page.select(".output.text_plain, .output.stream")]:
            assert one["role"] == "group", name
            assert one["aria-label"], name
        assert not page.select(".prev-next-area a[title]"), name  # it would say after "Next" that this is the next page


@SITE
def test_every_page_says_in_its_head_what_it_is_in_words_of_its_own(every_page):
    shown = {name: page for name, page in every_page.items() if page.find("article") or name.endswith("search.html")}
    assert {"404.html", "search.html", "ko/search.html"} <= shown.keys()
    said = {
        name: (page.find("meta", attrs={"name": "description"}) or {}).get("content") for name, page in shown.items()
    }
    assert [name for name, words in said.items() if not words] == []
    assert len(set(said.values())) == len(said)


# The theme writes some buttons by a script.
OPENED = re.compile(r"<(?:button|a|input)\b[^>]*>")


@SITE
def test_no_title_says_a_label_again(every_page):
    for name in every_page:
        tags = [BeautifulSoup(tag, "html.parser").find() for tag in OPENED.findall((HTML / name).read_text("utf-8"))]
        twice = [tag for tag in tags if tag.get("title") and tag["title"] == tag.get("aria-label")]
        demand(f"{name}: {tag} is called by its title; take the label away" for tag in twice)


@SITE
def test_the_list_of_references_is_described_by_a_sentence_not_by_its_first_entry(every_page):
    for name in ("references.html", "ko/references.html"):
        page = every_page[name]
        said = page.find("meta", attrs={"name": "description"})["content"]
        assert said.startswith(page.select_one("article p").get_text().split("\n")[0][:40].replace("'", "\u2019"))


@SITE
def test_every_page_says_first_what_may_run_on_it(every_page):
    for name, page in every_page.items():
        (meta,) = page.find_all("meta", attrs={"http-equiv": "Content-Security-Policy"})
        assert not meta.find_previous(["script", "link", "style"]), name
        policy = dict(part.strip().split(" ", 1) for part in meta["content"].split(";"))
        closed = ("base-uri", "connect-src", "frame-src", "media-src", "object-src")
        assert {policy[name] for name in closed} == {"'none'"}
        assert not re.search(r"'unsafe-(?:inline|hashes|eval)'|https?:|data:|blob:|\*", policy["script-src"]), name
        assert "http" not in meta["content"], name
        inline = [tag.string for tag in page.find_all("script", src=None) if "json" not in tag.get("type", "")]
        known = {base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline}
        assert known == set(re.findall(r"'sha256-([^']*)'", policy["script-src"])), name
        handlers = [tag for tag in page.find_all(True) if any(attribute.startswith("on") for attribute in tag.attrs)]
        assert not handlers, f"{name}: a policy refuses {handlers}; listen in page.js"


@SITE
def test_finished_pages_are_finished_once():
    """Each build goes over all pages, also over those that it did not write."""
    page = HTML / "chapters" / "convolution.html"
    text = page.read_text("utf-8")
    assert finished.mended(text, page) == text
    for tag, joined in ((finished.SHEET_TAG, "all.css"), (finished.SCRIPT_TAG, "all.js")):
        text = finished.with_one(text, tag, HTML / "_static" / joined)
    assert policy.guarded(text) == page.read_text("utf-8")
    assert text.count('aria-current="page"') == text.count('aria-label="Contents"') == 1


# What is younger than Chromium 111, Firefox 121 or Safari 16.4, so that a figure fails there, or is not laid out.
YOUNG_SCRIPT = re.compile(
    r"""\b(?:Object|Map)\.groupBy | Array\.fromAsync | Promise\.(?:withResolvers|try) | RegExp\.escape
    | new\ Float16Array | URL\.(?:parse|canParse) | AbortSignal\.any | Intl\.(?:Segmenter|DurationFormat)
    | \.(?:union|intersection|difference|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom|transfer)\(
    | \.(?:entries|keys|values)\(\)\.(?:map|filter|take|drop|flatMap|reduce|toArray|forEach|some|every|find)\(
    | \.(?:toBase64|setFromBase64|toHex|checkVisibility|showPopover|startViewTransition|moveBefore|setHTMLUnsafe)\(
    | \bscheduler\. | CSS\.highlights | ["']scrollend["'] | ^\s*(?:await\ )?using\ \w | /[dgimsuy]*v[dgimsuy]*[.,;)]
    """,
    re.VERBOSE | re.MULTILINE,
)
YOUNG_STYLE = re.compile(
    r"""light-dark\( | @(?:starting-style|property|scope|position-try|view-transition|function)\b | ^\s*& | [{;]\s*&
    | \b(?:anchor|anchor-size|round|mod|rem|linear|sibling-index|contrast-color)\( | (?:rgb|hsl|oklch)\(from\b
    | \b(?:field-sizing|interpolate-size|position-anchor|animation-timeline|transition-behavior|text-box)[\w-]*:
    | :(?:popover-open|open|user-invalid|user-valid)\b | ::details-content | \bsubgrid\b
    """,
    re.VERBOSE | re.MULTILINE,
)


def test_no_script_or_style_asks_for_more_than_our_oldest_browsers_have():
    own = [path for folder in ("src", "_static") for path in (ROOT / folder).rglob("*.*")]
    for path in own:
        if young := {".js": YOUNG_SCRIPT, ".css": YOUNG_STYLE}.get(path.suffix):
            assert not young.findall(path.read_text("utf-8")), path.name


def test_the_site_s_own_scripts_ask_for_no_more_than_browsers_of_early_2022_have():
    """One look behind in a regular expression and the whole script is an error there."""
    young = re.compile(
        r"\(\?<[=!]|\.(?:toSorted|toReversed|toSpliced|findLast|findLastIndex|with)\(|Object\.groupBy|:has\("
        r"|\.aria[A-Z]\w+ ="
    )
    for path in (ROOT / "_static").glob("*.js"):
        assert not young.findall(path.read_text("utf-8")), path.name


@pytest.mark.parametrize(
    ("young", "text"),
    [
        *((YOUNG_SCRIPT, text) for text in ["Object.groupBy(a, f)", "a.union(b)", "m.values().map(f)", "u.toBase64()"]),
        *((YOUNG_SCRIPT, text) for text in ["/\\p{L}/v.test(x)", "Promise.withResolvers()", "n.checkVisibility()"]),
        *((YOUNG_STYLE, text) for text in ["a { color: light-dark(red, blue) }", "a { & b { top: 0 } }"]),
    ],
)
def test_what_is_too_young_is_known(young, text):
    assert young.search(text)


@SITE
def test_the_scripts_that_no_page_needs_are_gone(every_page):
    unwanted = re.compile(
        "thebe|binder|sphinx_highlight|fontawesome|require(?:js)?[.@/-]|html-manager|unpkg|jsdelivr|cdnjs"
    )
    scripts = [(name, script) for name, page in every_page.items() for script in page.find_all("script")]
    demand(f"{name} has {script['src']}" for name, script in scripts if unwanted.search(script.get("src", "")))
    # A widget's state may speak of anything; other scripts in a page are the theme's.
    inline = [(name, s.string or "") for name, s in scripts if "json" not in s.get("type", "")]
    demand(f"{name} has a script with {found[0]}" for name, text in inline if (found := unwanted.search(text)))


@SITE
def test_every_icon_has_its_glyph(every_page):
    folder = HTML / "_static/vendor/fontawesome/6.5.2"
    rules = re.findall(r'([^{}]+){content:"(.)"}', (folder / "css/all.min.css").read_text("utf-8"))
    letters = {name: letter for rule, letter in rules for name in re.findall(r"\.(fa-[\w-]+)", rule)}
    glyphs = {
        kind: set(TTFont(folder / f"webfonts/{file}.woff").getBestCmap())
        for kind, file in {"fas": "fa-solid-900", "fab": "fa-brands-400"}.items()
    }
    for name in every_page:
        text = (HTML / name).read_text("utf-8")
        icons = re.findall(r"""class=["'][^"']*?\b(fa[bs]|fa-solid|fa-brands) (fa-[\w-]+)""", text)
        assert len(icons) > 5 or Path(name).name == "index.html", name
        for kind, icon in icons:
            kind = {"fa-solid": "fas", "fa-brands": "fab"}.get(kind, kind)
            assert ord(letters.get(icon, "?")) in glyphs[kind], f"{name} has {icon}, and the font does not"
    # The theme's own style sheets draw some with the same font.
    theme = "".join(path.read_text("utf-8") for path in (HTML / "_static/styles").glob("*.css"))
    assert {ord(letter) for letter in slim.GLYPH.findall(theme)} <= glyphs["fas"] | glyphs["fab"]


def test_a_rule_goes_only_where_a_name_that_it_needs_is_nowhere():
    css = """@charset "utf-8"; .a .b, .gone { color: red } .a.gone > p { top: 0 } #gone {} :is(.gone, .a) { left: 0 }
        .a:not(.gone) { right: 0 } p[class~=gone] { top: 1px } .put-together { x: 1 } @font-face { src: url(a.woff) }
        @media print { .gone { x: 2 } @media (width > 1px) { .gone { x: 3 } #b { x: 4 } } } @media all { .gone {} }
        .icon::before { content: "\\f0c9" }"""
    kept = slim.rules(css, {"a", "b", "icon"}, ("put-",))
    assert " ".join(kept.split()) == (
        '@charset "utf-8"; .a .b{color: red} :is(.gone, .a){left: 0} .a:not(.gone){right: 0} '
        "p[class~=gone]{top: 1px} .put-together{x: 1} @font-face { src: url(a.woff) } "
        '@media print { @media (width > 1px) { #b{x: 4} } } .icon::before{content: "\uf0c9"}'
    )


def test_code_keeps_an_element_only_around_what_has_a_look_of_its_own():
    css = """html[data-theme="light"] .highlight { background: #fff; color: #000 }
        html[data-theme="light"] .highlight .n { color: #000 } /* Name */
        html[data-theme="light"] .highlight .p{color: #000}
        html[data-theme="light"] .highlight .s{color: #0f0}
        html[data-theme="light"] .highlight .ge{font-style: italic}
        html[data-theme="dark"] .highlight{background: #000; color: #fff}
        html[data-theme="dark"] .highlight .n{color: #fff}
        html[data-theme="dark"] .highlight .p{color: #ccc}"""
    colored = slim.colored(css)
    assert colored == {"p", "s", "ge"}
    code = '<pre><span></span><span class="n">a</span> <span class="s">&quot;</span><span class="s">b</span>\n'
    code += '<span class="s">c</span><span class="w">  </span><span class="p">(</span></pre>'
    page = f'<span class="n">no code</span>{code}<code><span class="pre">a</span></code>{code}'
    plain = '<pre>a <span class="s">&quot;b\nc</span>  <span class="p">(</span></pre>'
    assert (
        slim.plainer(page, colored)
        == f'<span class="n">no code</span>{plain}<code><span class="pre">a</span></code>{plain}'
    )
    assert slim.plainer(plain, colored) == plain


@SITE
def test_code_is_colored_in_few_elements(pages):
    code = pages["chapters/resnet.html"].select_one("article")
    assert {"k", "mi", "s2"} <= {name for span in code.select("pre span") for name in span["class"]}
    assert not code.select("pre :is(.n, .p, .w, span:not([class]))")


@SITE
def test_the_theme_lays_out_no_code_after_each_change():
    assert '"complete"===document' not in (HTML / "_static/scripts/pydata-sphinx-theme.js").read_text("utf-8")


def test_a_drawing_is_made_light_and_says_how_high_it_is():
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (40, 40, 4), dtype=np.uint8)
    slope = np.add.outer(np.linspace(20, 120, 160), np.linspace(0, 100, 160))
    smooth = slope[..., None] + rng.normal(0, 1, (160, 160, 3))
    for pixels, largest in ((noise, 0), (np.zeros((9, 9, 3), np.uint8), 0), (smooth.astype(np.uint8), 8)):
        Image.fromarray(pixels).save(file := io.BytesIO(), "PNG")
        png = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
        kept = figures.lighter(f'<image href="{png}"/>')
        assert len(kept) <= len(png) + 20
        shown = Image.open(io.BytesIO(base64.b64decode(re.search('base64,([^"]*)', kept)[1])))
        seen = [np.asarray(one.convert("RGBA").convert("RGBa"), int) for one in (Image.fromarray(pixels), shown)]
        assert np.abs(seen[0] - seen[1]).max() <= largest
    style, box = 'style="width: 100%; height: auto"', 'viewBox="0 0 3 4"'
    for tag in (f"<svg {style} {box}>", f"<svg {box} {style}>"):
        assert 'height: auto; aspect-ratio: 3 / 4"' in figures.lighter(tag)
    assert figures.lighter('<svg viewBox="0 0 3 4">') == '<svg viewBox="0 0 3 4">'


@SITE
def test_what_pages_link_to_and_fetch_exists(every_page):
    ids = {HTML / name: {tag["id"] for tag in page.find_all(id=True)} for name, page in every_page.items()}
    demand(
        f"{name} leads to {address}, which is not in the site"
        for name, page in every_page.items()
        for address in sorted({*linked(page), *fetched(page)} - {""})
        if not leads_somewhere(name, address, ids)
    )


def linked(page):
    """List the addresses of all links and sources of a page."""
    return [tag[name] for name in ("href", "src") for tag in page.find_all(attrs={name: True})]


def leads_somewhere(name, address, ids):
    """Return whether an address on a page is on another host, or names a file, and in a page of the site a place."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return True
    page, path = HTML / name, parts.path
    if path.startswith("/"):  # on the page for wrong addresses
        path = path.removeprefix(urlsplit(repository(ROOT).pages_url).path)
    target = (page.parent / unquote(path)).resolve() if path else page
    return target.exists() and (not parts.fragment or target not in ids or parts.fragment in ids[target])


@SITE
def test_an_id_stands_once_on_a_page(every_page):
    for name, page in every_page.items():
        twice = [found for found, times in Counter(tag["id"] for tag in page.find_all(id=True)).items() if times > 1]
        demand(f"{name} has the id {found} more than once" for found in twice)


@SITE
def test_no_line_ends_within_a_size_or_before_a_unit(every_page):
    breaks = re.compile(r"\s×|×\s|\d\s+(?:%|(?:px|KB|MB|ms)\b)|\b(?:pp?\.|Figure|Table|Exercise)\s+\d")
    apart = {"pre", "code", "script", "style", "svg", "title", "textarea", "p", "li"}
    for name, page in every_page.items():
        for block in page.select("article :is(p, li, td, th, dd, dt, figcaption, h1, h2, h3)"):
            text = "".join(texts_of(block, apart)).replace("\N{NO-BREAK SPACE}", "_")
            demand(f"{name}: a line may end within {found[0]!r} in {text[:60]!r}" for found in breaks.finditer(text))


@SITE
def test_every_picture_says_what_it_shows_or_is_hidden(every_page):
    """Figures of cells are made with a text; this holds pictures that a page has as HTML to the same."""

    def says(picture) -> bool:
        around = [picture, *picture.find_parents()]
        if any(tag.get("aria-hidden") == "true" for tag in around):
            return True
        named = next((tag for tag in around if tag.get("role") == "img"), picture)
        return bool(named.get("aria-label") or named.get("aria-labelledby") or named.get("alt") is not None)

    demand(
        f"{name}: {str(picture)[:80]} has no text that says what it shows; give it aria-label, or alt"
        for name, page in every_page.items()
        for picture in page.select("article :is(svg, img)")
        if not says(picture)
    )


@SITE
def test_every_figure_has_an_anchor_to_which_the_list_leads(pages):
    of_figure = re.compile(r"^figure-[a-z0-9-]+$")
    anchors = [
        (name, figure.find_parent(id=of_figure)["id"])
        for name in documents(ROOT)
        for figure in pages[f"{name}.html"].select(".cell_output :is(.bb-figure, .bb-view)")
    ]
    listed = pages["figures-and-exercises.html"].select("#figures li a:first-of-type")
    assert [
        link["href"].removesuffix(f".html#{anchor}") for link, (_, anchor) in zip(listed, anchors, strict=True)
    ] == [name for name, _ in anchors]
    assert len(set(anchors)) == len(anchors)
    assert all(link.get_text().strip() for link in listed)


@SITE
def test_the_page_on_checks_names_every_file_of_tests_with_what_it_says(pages):
    links = pages["checking.html"].select("article li a")
    said = {link["href"].partition("/tests/")[2]: " ".join(link.get_text().split()) for link in links}
    files = {path.relative_to(ROOT / "tests").as_posix(): path for path in (ROOT / "tests").rglob("test_*.py")}
    assert said.keys() == files.keys()
    assert all(len(text) > 15 for text in said.values())


@SITE
def test_each_moving_figure_is_offered_alone_and_each_such_link_leads_to_one(pages):
    moving = {
        f"{name}.html?alone={figure.find_parent(id=re.compile('^figure-'))['id']}"
        for name in chapters()
        for figure in pages[f"{name}.html"].select(".cell_output .bb-view")
    }
    offered = {name: {a["href"] for a in pages[name].select('a[href*="?alone="]')} for name in pages}
    assert offered["figures-and-exercises.html"] >= moving
    listed = [a.get_text() for a in pages["figures-and-exercises.html"].select('a[href*="?alone="]')]
    assert len(set(listed)) == len(listed)  # to a screen reader, which reads links without what stands beside them
    under = {
        f"{name}{link['href']}": link for name in pages for link in pages[name].select(".cell_output > .bb-enlarge")
    }
    assert under.keys() >= moving
    assert len({link["aria-label"] for link in under.values()}) == len(under)
    assert all(link.select_one("i.fa-expand[aria-hidden='true']") for link in under.values())
    assert len(offered["teaching.html"]) >= 8
    assert offered["teaching.html"] <= moving


@SITE
def test_every_exercise_is_listed_in_its_order(pages):
    exercises = [
        (f"{name}.html#{exercise['id']}", exercise.select_one(".caption-number").get_text().strip())
        for name in chapters()
        for exercise in pages[f"{name}.html"].select(".exercise[id]")
    ]
    listed = pages["figures-and-exercises.html"].select("#exercises li a")
    assert [(link["href"], link.get_text().partition(":")[0]) for link in listed] == exercises


@SITE
def test_a_term_of_the_glossary_leads_to_a_section_and_a_notebook_to_the_term(pages):
    glossary = pages["glossary.html"]
    terms = {term["id"]: term.find_next_sibling("dd").get_text() for term in glossary.select("dl.glossary dt")}
    assert len(terms) > 200
    assert all(link["href"].startswith("chapters/") for link in glossary.select("dl.glossary dd a.internal"))
    for docname in chapters():
        links = pages[f"{docname}.html"].select("article a:has(> .std-term)")
        assert links, f"{docname} names no term"
        assert all(link["title"] in terms[link["href"].partition("#")[2]] for link in links), docname
        notebook = (ROOT / f"{docname}.ipynb").read_text("utf-8")
        assert set(re.findall(r"/glossary\.html#([\w.-]+)", notebook)) <= set(terms), docname


@SITE
def test_the_letters_above_the_glossary_lead_to_its_terms(pages):
    links = pages["glossary.html"].select(".bb-letters a")
    terms = pages["glossary.html"].select("dl.glossary dt:not(dt + dt)")
    first = [link.get_text() for link in links]
    assert sorted(set(first)) == sorted(first) == sorted({term.get_text()[0].upper() for term in terms})
    for link in links:
        assert pages["glossary.html"].find(id=link["href"][1:]).get_text()[0].upper() == link.get_text()


@SITE
def test_a_wrong_address_leads_on(pages):
    links = [
        link["href"].removeprefix(urlsplit(repository(ROOT).pages_url).path)
        for link in pages["404.html"].select("article li a")
    ]
    assert links == ["intro.html", "search.html", "figures-and-exercises.html", "ko/intro.html"]


@SITE
def test_the_colors_are_the_palettes(pages):
    style = (HTML / "_static/site.css").read_text("utf-8")
    assert style.startswith(f":root {{ {css_variables()} }}")
    written = {
        color
        for name in ("site.css", "page.js", "search.js")
        for color in re.findall(r"#[0-9a-f]{6}", (ROOT / "_static" / name).read_text("utf-8"))
    }
    assert not written & set(COLORS.values())


@SITE
def test_every_chapter_has_a_card_on_the_front_page(pages):
    cards = pages["intro.html"].select(".bb-cards .bb-card")
    assert [card.a["href"] for card in cards] == [f"{name}.html" for name in chapters()]
    for card, chapter in zip(cards, outline.chapters(ROOT).values(), strict=True):
        question, facts = (plain(line) for line in card.select("p"))
        needs = ", ".join(pages[f"{name}.html"].h1.find(string=True) for name in chapter.needs)
        assert question == chapter.question
        hours = outline.minutes_in_all(chapter.docname, outline.chapters(ROOT)) / 60
        link = card.select_one("p a")
        exercises = pages[f"{chapter.docname}.html"].select(".exercise")
        assert link["href"] == f"{chapter.docname}.html#exercises"
        facts, _, counted = facts.rpartition(" · ")
        assert counted == f"{len(exercises)} exercises: {pages[f'{chapter.docname}.html'].h1.find(string=True)}"
        rest = re.fullmatch(rf"{chapter.minutes} min(?: · after (.+) · in all ([\d.]+) h)?", facts)
        assert (rest[1] or "") == needs
        assert not needs or abs(float(rest[2]) - hours) <= 0.25
        themes = {image["class"][0].removeprefix("only-"): HTML / image["src"] for image in card.select("img")}
        assert set(themes) == set(thumbnails.THEMES)
        for theme, file in themes.items():
            assert file.name == f"{Path(chapter.docname).name}-{theme}.webp"
            assert file.is_file(), "run: .venv/bin/python tools/thumbnails.py"


def test_old_pictures_of_the_cards_go_when_the_new_ones_are_made(tmp_path, monkeypatch):
    (tmp_path / "gone-light.webp").write_bytes(b"old")
    thumbnails.write({"new-light.webp": b"new"}, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["new-light.webp"]
    monkeypatch.setattr(thumbnails, "FOLDER", tmp_path)
    monkeypatch.setattr(thumbnails, "sync_playwright", contextlib.nullcontext)  # another may be running here
    monkeypatch.setattr(thumbnails.browser, "launch", lambda playwright: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        thumbnails.main()
    assert [path.name for path in tmp_path.iterdir()] == ["new-light.webp"]


def test_the_pictures_of_the_cards_are_those_of_the_chapters_and_small():
    files = sorted(thumbnails.FOLDER.iterdir())
    wanted = {f"{Path(name).name}-{theme}.webp" for name in chapters() for theme in thumbnails.THEMES}
    assert {file.name for file in files} == wanted
    assert sum(file.stat().st_size for file in files) <= thumbnails.MOST


def test_the_readmes_picture_moves_and_is_small():
    (alt, name) = re.search(r"^!\[(.+)\]\((.+)\)$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE).groups()
    assert ROOT / name == film.FILM
    assert film.FILM.stat().st_size <= film.MOST
    assert len(alt) > 100
    with Image.open(film.FILM) as picture:
        assert picture.size == film.SIZE
        assert picture.n_frames > len(film.SCENES)


@SITE
def test_the_previous_and_the_next_page_say_what_they_ask(pages):
    known, names = outline.chapters(ROOT), documents(ROOT)
    for name, before, after in zip(names, [None, *names], [*names[1:], None], strict=False):
        asked = [plain(line) for line in pages[f"{name}.html"].select(".prev-next-area .bb-asks")]
        assert asked == [known[other].question for other in (before, after) if other in known], name


@SITE
def test_the_letters_of_the_pages_are_in_the_faces(pages):
    style = (ROOT / "_static/site.css").read_text("utf-8")
    text, italic, code = (letters(found) for found in re.findall(r"unicode-range: ([^;]+);", style))
    for name in documents(ROOT):
        article, without = pages[f"{name}.html"].article, {"script", "style"}
        for face, tags in ((code, "pre, code"), (italic, "em"), (text, "p, li, td, th, h1, h2, h3, figcaption, text")):
            parts = [part for tag in article.select(tags) for part in texts_of(tag, without)]
            used = {letter for letter in "".join(parts) if letter.isprintable()}
            assert used - face <= NOT_IN_THE_FACES, f"{name}: {tags}"
            without |= set(tags.split(", "))


NOT_IN_THE_FACES = {"\u2217", "\u207b"}  # the operator *, which Source Sans has not, and in code a raised minus


def letters(ranges) -> set[str]:
    """Return the letters of a `unicode-range`."""
    ends = [part.removeprefix("U+").partition("-") for part in ranges.split(", ")]
    return {chr(code) for first, _, last in ends for code in range(int(first, 16), int(last or first, 16) + 1)}


def test_the_faces_are_small():
    assert sum(path.stat().st_size for path in (ROOT / "_static/fonts").glob("*.woff2")) < 70_000


@pytest.mark.parametrize("folder", ["_extra/mathjax", "_extra/minisearch", "_static/fonts", "_ext/fonts"])
def test_foreign_files_are_what_their_checksums_say(folder):
    listed = dict(line.split("  ./")[::-1] for line in (ROOT / folder / "SHA256SUMS").read_text("utf-8").splitlines())
    files = {path.relative_to(ROOT / folder).as_posix(): path for path in (ROOT / folder).rglob("*") if path.is_file()}
    assert {
        name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files.items() if name in listed
    } == listed
    assert set(files) - set(listed) == {"README.md", "SHA256SUMS"}


@SITE
def test_every_page_with_code_says_with_what_it_was_executed(pages):
    said = re.compile(r"Executed with Python .+, PyTorch .+, NumPy .+ in \d+\ss\.")
    for path in executed(ROOT):
        name = f"{path.relative_to(ROOT).with_suffix('').as_posix()}.html"
        (line,) = pages[name].select("footer .bb-ran")
        assert said.fullmatch(line.get_text()), name


@SITE
def test_every_page_has_an_icon(pages):
    assert all(pages[f"{name}.html"].select_one('link[rel="icon"][href]') for name in documents(ROOT))


@SITE
def test_the_widget_host_is_on_the_pages_with_widgets_only(pages):
    host = re.compile(r"(?:^|/)widget-host\.js(?:\?|$)")
    for name, page in pages.items():
        views = page.find_all("script", type="application/vnd.jupyter.widget-view+json")
        states = page.find_all("script", type="application/vnd.jupyter.widget-state+json")
        hosts = page.find_all("script", src=host)
        assert len(hosts) == len(states) == bool(views), name
        for tag in hosts:
            assert tag.find_parent("article"), f"{name}: in the article it runs before formulas and the theme"
            before = tag.find_all_previous("script", type="application/vnd.jupyter.widget-view+json")
            assert before == views[:1], f"{name}: behind the first figure it draws it before the rest is read"


@SITE
def test_what_only_later_figures_need_stands_behind_them_at_the_pages_end(pages):
    view = {"type": "application/vnd.jupyter.widget-view+json"}
    for name, page in pages.items():
        if state := page.find("script", type="application/vnd.jupyter.widget-state+json"):
            content, tag = json.loads(state.string), page.find(id="bb-buffers")
            needs = {key: {one["buffer"] for one in model["buffers"]} for key, model in content["models"].items()}
            first = needs[json.loads(page.find("script", view).string)["model_id"]]
            assert set(content["buffers"]) == first, name
            assert set(json.loads(tag.string) if tag else {}) == set().union(*needs.values()) - first, name
            assert not tag or not tag.find_all_next("script", view), name


def test_the_way_to_a_chapter_counts_each_chapter_once():
    needs = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c", "no chapter")}
    given = dict(zip(needs, (10, 20, 40, 80), strict=True))
    known = {name: outline.Chapter(name, "", needs[name], "", (), given[name]) for name in needs}
    assert [outline.minutes_in_all(name, known) for name in needs] == [10, 30, 50, 150]


@SITE
def test_a_network_lies_beside_its_license(pages):
    found, weights = set(), set()
    for name, page in pages.items():
        for script in page.find_all("script", type="application/vnd.jupyter.widget-state+json"):
            content = json.loads(script.string)
            asking = [model["state"] for model in content["models"].values() if "crc" in model["state"]]
            assert {model["network"] for model in asking} == set(content.get("networks", {})), name
            for network, parts in content.get("networks", {}).items():
                files = {part: (HTML / name).parent / urlsplit(address).path for part, address in parts.items()}
                assert all(file.is_file() for file in files.values()), name
                text = files["license"].read_text("utf-8")
                assert files["weights"].name in text
                assert "TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in text
                assert {model["license"] for model in asking if model["network"] == network} == {parts["license"]}
                found.add(name)
                weights.add(files["weights"].resolve())
    assert len(weights) == bool(found)  # one download serves all pages


@SITE
def test_a_figure_waits_for_no_script_in_the_head(every_page):
    at_once = re.compile(r"_static/(?:documentation_options|page)\.js")
    demand(
        f"{name} waits for {script['src']} before its text; defer it"
        for name, page in every_page.items()
        for script in page.select("head script[src]")
        if Path(name).name != "search.html" and not script.has_attr("defer") and not at_once.search(script["src"])
    )


@SITE
def test_the_download_button_gives_the_notebook_made_for_readers(pages):
    for docname in chapters():
        # From the page, because what matters is what the reader gets.
        links = {a["href"] for a in pages[f"{docname}.html"].select("a.btn-download-notebook-button[href]")}
        given = [(HTML / docname).parent / link for link in links if link.endswith(".ipynb")]
        assert given, f"{docname}.html has no download button for its notebook"
        for path in given:
            assert path.read_bytes() == (ROOT / f"{docname}.ipynb").read_bytes(), path


@SITE
def test_the_download_button_says_what_it_gives_and_offers_the_whole_book(pages):
    latest = repository(ROOT).latest_url
    for docname in documents(ROOT):
        offered = pages[f"{docname}.html"].select(".dropdown-download-buttons .dropdown-item")
        own = ["This page as Markdown", "This page as a PDF"]
        own = ["This page as a notebook", *own] if docname in chapters() else own
        assert [one.get_text(strip=True) for one in offered] == [
            *own,
            "The whole site, offline",
            "The book as a PDF",
        ], docname
        assert [one["href"] for one in offered[-2:]] == [f"{latest}{ARCHIVE}", f"{latest}{PDFS['en']}"]


@SITE
def test_a_weekend_leads_to_no_chapter_before_what_it_needs(pages):
    way = pages["intro.html"].select_one("#three-ways-through > p")
    names = [link["href"].removesuffix(".html") for link in way.select("a[href^=chapters]")]
    assert len(names) > 5
    for i, name in enumerate(names):
        assert set(outline.chapters(ROOT)[name].needs) <= set(names[:i]), name


@SITE
def test_folds_are_named_and_the_checks_of_a_page_stand_in_one_at_its_end(pages):
    for docname in chapters():
        folded = pages[f"{docname}.html"].select("article details.hide")
        titles = [" ".join(fold.select_one("summary .collapsed").get_text().split()) for fold in folded]
        assert folds.IMPORTS in titles, docname
        assert titles[-1] == folds.CHECKS, docname
        assert titles.count(folds.CHECKS) == 1, docname
        assert set(titles[:-1]) <= {folds.IMPORTS, folds.FIGURE, folds.TABLE, folds.CODE, "Show them"}, docname
        assert not folded[-1].find_next("h2"), docname
        assert not folded[-1].select(".bb-figure, .bb-table, .bb-view"), f"{docname}: a reader needs this cell"


@SITE
def test_an_exercise_leads_to_the_notebook_in_which_it_is_solved(pages):
    book = repository(ROOT)
    for docname in chapters():
        page = pages[f"{docname}.html"]
        notes, exercises = page.select(".bb-solve"), page.select(".exercise")
        headings = re.findall(r"#### (Exercise \d+): ", (ROOT / f"{docname}.ipynb").read_text("utf-8"))
        assert headings == [f"Exercise {i + 1}" for i in range(len(exercises))], docname
        for note, exercise, name in zip(notes, exercises, headings, strict=True):
            assert plain(exercise.select_one(".caption-number")).strip() == name
            assert f"under {name}, " in plain(note)
            assert exercise.find_next(class_="cell").find(True) == note, "above the code that waits for it"
        colab, file = (link["href"] for link in notes[0].select("a"))
        assert colab == book.colab_url(docname, exercises[0]["id"])
        assert ((HTML / docname).parent / file).read_bytes() == (ROOT / f"{docname}.ipynb").read_bytes()
        assert "Not passed yet" not in page.get_text(), docname


@SITE
@pytest.mark.parametrize("edition", ["", "ko/"])
def test_the_link_of_an_exercise_leads_to_its_cell(every_page, edition):
    for docname in chapters():
        page, name = every_page[f"{edition}{docname}.html"], docname.replace("/", f"/{edition}")
        cells = {cell["id"]: cell for cell in json.loads((ROOT / f"{name}.ipynb").read_text("utf-8"))["cells"]}
        assert len(cells) == len(set(cells)), docname
        for exercise in page.select(".exercise"):
            cell = exercise.find_next(class_="cell")
            (link,) = cell.select('.bb-solve a[href*="colab.research.google.com"]')
            assert link["href"] == repository(ROOT).colab_url(name, exercise["id"])
            assert cells[exercise["id"]]["cell_type"] == "code"
            assert "".join(cells[exercise["id"]]["source"]).split() == cell.select_one("pre").get_text().split()


@SITE
def test_what_may_scroll_has_a_stop_for_keys_without_scripts(pages):
    scrolls = [node for page in pages.values() for node in page.select("article pre, .bb-table > div")]
    assert len(scrolls) > 1000
    assert {node.get("tabindex") for node in scrolls} == {"0"}


@SITE
def test_launch_links_lead_to_notebooks_of_this_repository(pages):
    book = repository(ROOT)
    start = f"https://colab.research.google.com/github/{book.owner}/{book.name}/blob/{book.branch}/"
    for name, page in pages.items():
        links = {urldefrag(a["href"]).url for a in page.select('a[href*="colab.research.google.com"]')}
        docname = name.removesuffix(".html")
        assert links == ({f"{start}{docname}.ipynb"} if docname in chapters() else set()), name
        assert all((ROOT / link.removeprefix(start)).is_file() for link in links), name


@SITE
def test_links_to_the_repository_lead_to_its_files(pages):
    book = repository(ROOT)
    link = re.compile(re.escape(book.url) + rf"/(?:blob|edit|tree)/{re.escape(book.branch)}/([^?#]*)")
    for name, page in pages.items():
        found = [match[1] for a in page.find_all("a", href=True) if (match := link.match(a["href"]))]
        assert found or name.removesuffix(".html") not in documents(ROOT), f"{name} does not link to its source"
        demand(
            f"{name} links to {file}, which is not in the repository" for file in found if not (ROOT / file).exists()
        )


def chapters():
    """Return the chapters' names."""
    return [name for name in documents(ROOT) if name.startswith("chapters/")]


WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_bounded_and_looks_for_every_page(path):
    workflow = yaml.safe_load(path.read_text("utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 90 for job in workflow["jobs"].values())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+", step["uses"]) for step in steps if "uses" in step)
    assert {"make test", ".venv/bin/python -m pytest -m site"} & {step.get("run") for step in steps}


@SITE
def test_what_a_release_carries_is_what_the_pages_lead_to():
    workflow = next(path for path in WORKFLOWS if path.name == "release.yml").read_text("utf-8")
    assert set(re.findall(r"_build/([\w.-]+)", workflow)) == {ARCHIVE, *PDFS.values()}
    latest = re.escape(repository(ROOT).latest_url)
    pages = {
        "README.md": PDFS.values(),
        "_build/html/intro.html": [PDFS["en"]],
        "_build/html/ko/intro.html": [PDFS["ko"]],
    }
    for name, pdfs in pages.items():
        assert set(re.findall(rf"{latest}([\w.-]+)", (ROOT / name).read_text("utf-8"))) == {ARCHIVE, *pdfs}


def test_publishing_fills_in_one_address():
    workflow = next(path for path in WORKFLOWS if path.name == "publish.yml").read_text("utf-8")
    (pattern,) = re.findall(r'sed -i "s#([^#]+)#', workflow)
    lines = re.findall(pattern, (ROOT / "_config.yml").read_text("utf-8"), re.MULTILINE)
    assert lines == [f"  url: {repository(ROOT).url}"]
