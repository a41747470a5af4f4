"""Every page of the built site in a real browser, cut off from all other hosts, light and dark, wide and narrow."""

import functools
import gzip
import io
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from bs4 import BeautifulSoup
from page_checks import (
    ALL_MISFITS,
    FRAMES,
    assert_accessible,
    assert_colors,
    assert_heard,
    assert_invitations,
    assert_structure,
    heard,
    overlaps,
    resize,
    until,
    unwrap_same_words,
)
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
CHECKED = set()  # the looks of texts whose colors were checked
LARGEST_SHIFT = 0.02  # of the layout while the page loads; web.dev calls less than 0.1 good
# Pixels that a chapter is high in a wide window, its folds closed; a Korean line is an eighth higher.
TALLEST = {"en": 18_000, "ko": 19_000}
# KB of a first visit, compressed: scripts without MathJax, and all in each edition; a Korean word takes more bytes.
KB = {"scripts": 150, "en": 900, "ko": 920}


def files(entry) -> list[str]:
    """List the files that an entry of the table of contents names, with those below it."""
    own = [entry[key] for key in ("root", "file") if key in entry]
    return own + [
        name for key in ("parts", "chapters", "sections") for part in entry.get(key, []) for name in files(part)
    ]


PAGES = [f"{name}.html" for name in files(yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8")))]
every_page = pytest.mark.parametrize(
    "path", [pytest.param(path, marks=pytest.mark.xdist_group(path)) for path in PAGES]
)


@functools.cache
def html(site, path) -> BeautifulSoup:
    return BeautifulSoup((site / path).read_text("utf-8"), "html.parser")


# --- Loading ------------------------------------------------------------------------------------------------


WRONG = "mjx-merror, mjx-mtext[style*='color: red']"  # the latter is an unknown command


def assert_complete(page, source):
    """Assert that all formulas, pictures and widgets of the page are there, and that it is not too wide."""
    assert page.locator("mjx-container").count() == len(source.select(".math"))
    assert page.locator(WRONG).count() == 0
    assert page.evaluate(BROKEN) == []
    views = source.select('script[type="application/vnd.jupyter.widget-view+json"]')
    assert page.locator(".bb-view > .bb-widget").count() == len(views)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(CUT_OFF) == []
    assert "Backbone Text" in page.evaluate(FACES)


# The pictures that do not come; some wait until they are near, or until the theme shows them.
BROKEN = """async () => {
    const images = [...document.images];
    for (const image of images) image.loading = "eager";
    await Promise.allSettled(images.map((image) => image.decode()));
    return images.filter((image) => !image.complete || !image.naturalWidth).map((image) => image.src);
}"""
# The book's own faces that came and are used.
FACES = """[...document.fonts].filter(({ family, status }) => family.includes("Backbone") && status === "loaded")
    .map(({ family }) => family.replaceAll('"', ""))"""
# What lies outside the window, where no bar lets the reader scroll to it.
CUT_OFF = """() => {
    const scrolls = (node) => node && (getComputedStyle(node).overflowX === "auto" || scrolls(node.parentElement));
    const outside = ({ left, right, width }) => width > 1 && (left < -1 || right > innerWidth + 1);
    return [...document.querySelectorAll("article *, .prev-next-area *")]
        .filter((n) => n.checkVisibility({ visibilityProperty: true }) && outside(n.getBoundingClientRect()))
        .filter((n) => !n.closest("mjx-container") && !scrolls(n)).map((n) => n.outerHTML);
}"""


@every_page
def test_page_is_sound_at_any_width_and_on_paper(open_page, site, path):
    page = open_page(path, first=True)
    assert_there_and_light(page, site, path)
    assert page.evaluate(ORDERS) == []
    assert_nothing_is_lost(page)
    unwrap_same_words(page)
    page.evaluate(TURN_FOLDS)
    assert_accessible(page, CHECKED)
    assert_heard(page)
    page.evaluate(TURN_FOLDS)
    assert_invitations(page)
    assert_printed_whole(page)
    resize(page, 360)
    assert_colors(page, CHECKED)


@pytest.mark.parametrize(
    ("error", "planted", "ask"),
    [
        ("button-name", "<button></button>", assert_structure),
        ("'name': ''", "<button></button>", assert_heard),
        ("Coffee cup, row 2", '<button aria-label="Coffee cup, row 2" title="Coffee cup"></button>', assert_heard),
        ("'An answer'", '<p>An answer <button aria-label="An answer"></button></p>', assert_heard),
        ("color-contrast", '<p style="color: #888888">hardly to be seen</p>', lambda page: assert_colors(page, set())),
    ],
)
def test_an_error_that_is_planted_is_found(open_page, error, planted, ask):
    page = open_page("teaching.html")
    ask(page)
    page.evaluate("(html) => document.querySelector('article').insertAdjacentHTML('beforeend', html)", planted)
    with pytest.raises(AssertionError, match=error):
        ask(page)


# Opens the page's own folds, of code, answers and solutions, or closes them again; those of figures stay.
TURN_FOLDS = """() => {
    for (const fold of document.querySelectorAll("article details:not(.bb-widget *)")) fold.open = !fold.open;
    for (const button of document.querySelectorAll(".admonition-title > .toggle-button")) button.click();
}"""


@every_page
def test_page_is_sound_on_a_dark_phone_and_from_a_folder(open_page, site, path):
    page = open_page(path, width=360, theme="dark", scheme="file", first=True)
    assert_all_there(page, html(site, path), "dark", "--narrow")
    unwrap_same_words(page)
    assert_structure(page)
    assert_heard(page)
    assert_invitations(page)


def assert_there_and_light(page, site, path):
    """Assert of a page in a wide window, in whichever edition, that all is there, and neither high nor heavy."""
    assert_all_there(page, html(site, path), "light", "--wide")
    if "chapters/" in path:
        assert page.locator("article").bounding_box()["height"] <= TALLEST[edition_of(page)]
        assert max(page.evaluate(ENDS_OF_FIRST)) <= 900  # CONTRIBUTING, rule 2: it is on the first screen
    assert_light(page, site)


def assert_all_there(page, source, theme, room):
    """Assert that all is there and has its room, and that nothing moved meanwhile."""
    assert page.locator("html").get_attribute("data-theme") == theme
    assert_complete(page, source)
    assert page.evaluate("window.layoutShift") < LARGEST_SHIFT, page.evaluate("moved")
    assert_room(page, source, room)


def edition_of(page) -> str:
    """Return "en" or "ko"."""
    return page.locator("html").get_attribute("lang")


# Where the pictures of a page's first figure end.
ENDS_OF_FIRST = """[...document.querySelector("article :is(.bb-view, .bb-figure)").querySelectorAll("canvas, svg")]
    .filter((one) => one.checkVisibility() && !one.closest("details"))
    .map((one) => one.getBoundingClientRect().bottom)"""
SIZES = "(all) => all.map((one) => one.getBoundingClientRect()).map(({ width, height }) => [width, height])"


def assert_room(page, source, name):
    """Assert that each widget is as high as the room that the page kept for it."""
    kept = [int(re.search(rf"{name}: (\d+)px", view["style"])[1]) for view in source.select(".bb-view")]
    drawn = [round(height) for _, height in page.locator(".bb-view").evaluate_all(SIZES)]
    assert all(room - 8 <= height <= room + 1 for room, height in zip(kept, drawn, strict=True)), (kept, drawn)


# Sizes and colors of all that figures show, with the styles in the order of their first figures, and turned round: each
# figure brings the kit's rules with its own, and the second must not undo what the first one's own rules say.
ORDERS = """() => {
    const styles = [...document.querySelectorAll("style")].filter((one) => one.textContent.includes(".bb-widget"));
    const names = ["display", "minHeight", "height", "color", "backgroundColor", "fontSize", "margin", "padding"];
    const looks = () => [...document.querySelectorAll(".bb-widget, .bb-widget *")].map((node) => {
        const style = getComputedStyle(node);
        return `${node.tagName}.${node.className}: ${names.map((name) => style[name])}`;
    });
    const first = looks();
    for (const style of styles.reverse()) document.head.append(style);
    const turned = looks();
    for (const style of styles.reverse()) document.head.append(style);
    return first.map((look, i) => [look, turned[i]]).filter(([a, b]) => a !== b);
}"""


# As WCAG 2.2 has it, 1.4.12: what a reader's own style sheet may ask for.
SPACED = """() => {
    const style = Object.assign(document.createElement("style"), { id: "spaced" });
    style.textContent = `* { line-height: 1.5 !important; letter-spacing: 0.12em !important;
        word-spacing: 0.16em !important } p { margin-bottom: 2em !important }`;
    document.head.append(style);
}"""


# The same, 1.4.4: text twice as large.
LARGE = "(size) => { document.documentElement.style.fontSize = size; }"


def assert_nothing_is_lost(page, widths=(1280, 640, 360, 320), spaced=(320, 640, 1280)):
    """Assert that nothing sticks out in a narrower window, also where a reader zooms, spaces or enlarges the text.

    640 px are a window of 1280 at twice the size, and 320 at four times.
    """
    for width in widths:
        resize(page, width)
        assert_within(page)
    page.evaluate(SPACED)
    for width in spaced:
        resize(page, width)
        assert_within(page)
    page.evaluate("document.getElementById('spaced').remove()")
    page.evaluate(LARGE, "32px")
    for width in (360, 1280):
        resize(page, width)
        assert_within(page)
    page.evaluate(LARGE, "")
    page.evaluate(FRAMES, 4)


# What sticks out of the page and of its figures, and the words of figures that end in "…" or are cut off at a side, but
# for those that are there only to be heard.
LOST = f"""() => {{
    const wide = document.documentElement.scrollWidth - innerWidth;
    const short = [...document.querySelectorAll(".bb-widget *")]
        .filter((n) => n.clientWidth > 1 && n.scrollWidth > n.clientWidth + 1 && n.checkVisibility())
        .filter((n) => getComputedStyle(n).overflowX === "hidden");
    const cut = short.map((n) => `cut short: ${{n.outerHTML}}`);
    return [...(wide > 0 ? [`${{wide}} px too wide`] : []), ...({CUT_OFF})(), ...({ALL_MISFITS})(), ...cut];
}}"""


def assert_within(page):
    """Assert that nothing sticks out of the page, and out of a figure."""
    assert page.evaluate(LOST) == []


BREAKS = "(nodes, name) => nodes.map((node) => getComputedStyle(node)[name])"


@functools.cache
def packed(file) -> float:
    """Return the KB that a file has on its way."""
    return len(gzip.compress(file.read_bytes(), 6)) / 1e3


def assert_light(page, site):
    """Assert that a first visit, with all its figures and formulas, fetches little."""
    home = page.url.removesuffix(page.url.partition("//")[2].partition("/")[2])
    asked = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    names = {name.partition("?")[0].removeprefix(home) for name in [page.url, *asked] if name.startswith(home)}
    sizes = {name: packed(site / name) for name in names}
    scripts = {name: size for name, size in sizes.items() if name.endswith(".js") and "mathjax" not in name}
    assert sum(scripts.values()) <= KB["scripts"], scripts
    assert sum(sizes.values()) <= KB[edition_of(page)], sizes


def test_code_that_scrolls_can_have_the_focus_once_it_is_shown(open_page):
    page = open_page("chapters/convolution.html", width=360)
    code = page.locator("article details.hide pre").first
    assert code.get_attribute("tabindex") == "0", "without scripts, all that may scroll"
    page.locator("article details.hide summary").first.click()
    until(page, "(n) => n.tabIndex === (n.scrollWidth > n.clientWidth ? 0 : -1)", code.element_handle())
    stops = "(all) => all.filter((n) => n.scrollWidth > n.clientWidth !== (n.tabIndex === 0)).map((n) => n.textContent)"
    assert page.locator("article pre:visible").evaluate_all(stops) == []
    assert page.locator("article pre[tabindex='0']").count() > 0


def test_a_table_that_scrolls_can_have_the_focus_and_is_called_by_its_columns(open_page):
    page = open_page("chapters/evaluation.html", width=320)
    scrolls = "(all) => all.map((n) => [n.scrollWidth > n.clientWidth, n.tabIndex === 0, n.getAttribute('aria-label')])"
    tables = page.locator(".bb-table > div:visible").evaluate_all(scrolls)
    assert {(wide, focus, bool(name)) for wide, focus, name in tables} == {(True,) * 3, (False,) * 3}
    assert page.locator(".bb-table > div[role=group]").first.evaluate(
        "(n) => n.ariaLabel === [...n.querySelectorAll('th[scope=col]')].map((one) => one.textContent).join(', ')"
    )
    assert_structure(page)


PAPER = (718, 1047)  # pixels that A4 is wide and high, less its margins
POINTLESS = (
    ".toggle-button, .bb-network, .bb-photo-buttons, .bb-button:not(.bb-answers, .bb-part), .bb-quiet, .bb-quiz button"
)
# A browser prints without a frame in which something could be drawn anew.
FREEZE = """() => {
    window.thaw = ((frame) => () => (window.requestAnimationFrame = frame))(requestAnimationFrame);
    window.requestAnimationFrame = () => 0;
    dispatchEvent(new Event("beforeprint"));
}"""


def assert_printed_whole(page):
    """Assert that all has its size on paper and lies on it, and no page ends with a heading or an empty box."""
    page.evaluate(FREEZE)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    assert page.evaluate(CUT_OFF) == []
    assert page.locator(f":is({POINTLESS}):visible").count() == 0
    assert set(page.locator("article .cell_input").evaluate_all(BREAKS, "breakInside")) <= {"avoid"}
    assert set(page.locator("article :is(h1, h2, h3)").evaluate_all(BREAKS, "breakAfter")) == {"avoid"}
    sizes = page.locator(".bb-view, .bb-figure").evaluate_all(SIZES)
    assert [size for size in sizes if size[0] <= 200 or size[1] <= 100] == []
    page.emulate_media(media="screen")
    page.evaluate("() => { dispatchEvent(new Event('afterprint')); thaw(); }")


# The contrast of the edge of each picture that is handled with the page, the least of all.
EDGES = """(selector) => {
    const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    const light = (...colors) => {
        for (const color of colors) (context.fillStyle = color), context.fillRect(0, 0, 1, 1);
        const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].slice(0, 3)
            .map((part) => (part <= 10 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const page = getComputedStyle(document.body).backgroundColor;
    return Math.min(...[...document.querySelectorAll(selector)].map((node) => {
        const edge = getComputedStyle(node).boxShadow.match(/^(?:rgba?|color)\\([^)]*\\)/)?.[0] ?? page;
        const [a, b] = [light(page), light(page, edge)];
        return Math.max(a, b) / Math.min(a, b);
    }));
}"""
HANDLED = {
    "data": ".bb-aug-picture",
    "evaluation": ".bb-cm-large",
    "feature-extraction": ".bb-maps-picture, .bb-train-pad",
}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("chapter", HANDLED)
def test_a_picture_that_is_handled_is_told_from_the_page(open_page, chapter, theme):
    """Black on a dark page, too; a map of the convolution explorer has a frame that is painted with it."""
    page = open_page(f"chapters/{chapter}.html", theme=theme)
    assert page.evaluate(EDGES, HANDLED[chapter]) >= 3


# Those far from the window are not looked into; then all are, as if no height were known beforehand.
HEIGHTS = """(known) => [...document.querySelectorAll(".bb-figure svg")].map((drawing) => {
    if (!known) Object.assign(drawing.style, { contentVisibility: "visible", aspectRatio: "auto" });
    return Math.round(10 * drawing.getBoundingClientRect().height);
})"""


@pytest.mark.parametrize("width", [1280, 360])
def test_a_drawing_far_from_the_window_has_its_height_and_its_words_are_found(open_page, width):
    page = open_page("chapters/data.html", width=width)
    kind = "(all) => all.map((one) => getComputedStyle(one).contentVisibility)"
    assert "auto" in page.locator(".bb-figure svg").evaluate_all(kind)
    page.emulate_media(media="print")
    assert set(page.locator(".bb-figure svg").evaluate_all(kind)) == {"visible"}
    page.emulate_media(media="screen")
    assert page.evaluate("find('with outside data')")
    page.evaluate("scrollTo({ top: 0, behavior: 'instant' })")
    assert page.evaluate(HEIGHTS, True) == page.evaluate(HEIGHTS, False)


LATE = ("**/fonts/*.woff2", lambda route: (time.sleep(0.8), route.continue_()))


@pytest.mark.parametrize("width", [1280, 360])
def test_nothing_moves_where_the_faces_come_late(open_page, settle, width):
    """Until they come, the system's face stands there, with lines as long and as high."""
    page = open_page("chapters/convolution.html", width=width)
    page.route(*LATE)
    page.reload()
    settle(page)
    assert {"Backbone Text", "Backbone Code"} <= set(page.evaluate(FACES))
    assert page.evaluate("window.layoutShift") < LARGEST_SHIFT, page.evaluate("moved")


@pytest.mark.parametrize("path", ["teaching.html", "ko/chapters/resnet.html"])
def test_no_line_breaks_anew_where_the_faces_come_late(browser, server, count_shifts, path):
    """On these pages one does, on a phone, between the system's face and ours."""
    with browser.new_page(viewport={"width": 360, "height": 740}) as page:
        page.add_init_script(count_shifts)
        page.route(*LATE)
        page.goto(f"{server.url}/{path}")
        page.evaluate("async () => { await document.fonts.ready }")
        page.evaluate(FRAMES, 3)
        assert page.evaluate("window.layoutShift") < LARGEST_SHIFT, page.evaluate("moved")


WAITED_FOR = "[...document.fonts].filter(({ status }) => status === 'loading').map(({ display }) => display)"


def test_a_face_that_is_asked_for_while_another_is_on_its_way_is_let_go_of_too(browser, server):
    with browser.new_page() as page:
        page.route("**/fonts/*.woff2", lambda route: None)  # none ever comes
        page.goto(f"{server.url}/references.html", wait_until="domcontentloaded")
        until(page, f"() => {WAITED_FOR}.includes('optional')")
        page.evaluate("""() => {
            const face = new FontFace("Later", "url(_static/fonts/later.woff2)", { display: "fallback" });
            document.fonts.add(face);
            face.load();
        }""")
        until(page, f"() => !{WAITED_FOR}.includes('fallback')")


def test_a_figure_is_written_in_the_face_also_where_it_comes_late(open_page, settle):
    page = open_page("chapters/neural-networks.html")
    painted = page.evaluate(PAINTED)
    page.route(*LATE)
    page.reload()
    settle(page)
    assert page.evaluate(PAINTED) == painted


@pytest.mark.parametrize(("width", "media"), [(1280, "screen"), (680, "print")])  # A4 less its margins
def test_76_characters_of_code_fit_the_column(open_page, width, media):
    page = open_page("chapters/convolution.html", width=width)
    page.emulate_media(media=media)
    over = "(pre, count) => (pre.textContent = 'm'.repeat(count), pre.scrollWidth - pre.clientWidth)"
    assert page.locator(".cell_input pre").nth(3).evaluate(over, 76) == 0
    assert page.locator(".cell_input pre").nth(3).evaluate(over, 100) > 0


# Every figure comes late, as with a slow line or computer.
SLOW = """
    globalThis.backboneWidgets = new Proxy({}, {
        set(all, name, { css, make }) {
            const initialize = () => new Promise((go) => setTimeout(go, 2000));
            return Reflect.set(all, name, { css, make: () => ({ ...make(), initialize }) });
        },
    });
"""
PLACES = ["evaluation.html#exercises", "feature-extraction.html#exercises", "resnet.html#exercises"]
OFF = "document.querySelector('#exercises h2').getBoundingClientRect().y - 64"


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("place", PLACES)
def test_a_link_into_a_page_leads_there_at_once_and_stays(open_page, settle, place, width):
    page = open_page(f"chapters/{place}", width=width, script=SLOW, settled=False)
    # Before any figure is there; formulas that are being set may move it for less than a frame.
    until(page, f"() => Math.abs({OFF}) < 40 && !document.querySelector('.bb-view > .bb-widget')")
    settle(page)
    until(page, f"() => Math.abs({OFF}) < 9")  # two frames after the last formula


def test_a_reader_who_went_elsewhere_is_left_there(open_page, settle):
    page = open_page(f"chapters/{PLACES[0]}", script=SLOW, settled=False)
    until(page, "() => scrollY > 0")
    page.keyboard.press("Home")
    settle(page)
    page.wait_for_timeout(500)
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("how", ["go_back", "reload"])
def test_back_and_reload_lead_to_where_the_reader_was(open_page, settle, how):
    page = open_page(f"chapters/{PLACES[0]}", script=SLOW)
    page.locator("h2").nth(4).scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    where = "[...document.querySelectorAll('h2')].map((one) => Math.round(one.getBoundingClientRect().y))[4]"
    before = page.evaluate(where)
    if how == "go_back":
        page.goto(re.sub(r"chapters/.*", "intro.html", page.url))
    getattr(page, how)()
    settle(page)
    assert abs(page.evaluate(where) - before) < 9


READ = "document.querySelectorAll('article section > p')"


@pytest.mark.parametrize("how", ["go_back", "reload"])
@pytest.mark.parametrize("width", [1280, 390])
def test_back_and_reload_keep_the_line_among_formulas(open_page, settle, how, width):
    page = open_page("chapters/batch-normalization.html", width=width)
    for number in range(20, page.evaluate(f"{READ}.length"), 25):
        page.evaluate(f"{READ}[{number}].scrollIntoView({{ behavior: 'instant' }})")
        page.evaluate(FRAMES, 30)
        page.evaluate("setTimeout(() => scrollBy({ top: 33, behavior: 'instant' }))")
        page.evaluate(FRAMES, 5)
        before = page.evaluate(f"{READ}[{number}].getBoundingClientRect().top")
        if how == "go_back":
            page.goto(re.sub(r"chapters/.*", "references.html", page.url))
        getattr(page, how)()
        settle(page)
        off = f"Math.abs({READ}[{number}].getBoundingClientRect().top - {before})"
        until(page, f"() => {off} < 9")
        page.evaluate(FRAMES, 20)
        assert page.evaluate(off) < 9


def test_a_stored_line_that_is_none_moves_nothing(open_page, settle):
    page = open_page("glossary.html")  # without formulas
    page.evaluate("scrollTo({ top: 2000, behavior: 'instant' })")
    store = "sessionStorage.setItem(`backbone line ${location.pathname}`, kept)"
    for kept in ("null", "[]", "[3]", '["length", 0]', "nonsense", "[0, 5000]"):
        page.evaluate(f"(kept) => addEventListener('pagehide', () => {store})", kept)
        page.reload()
        settle(page)
        page.evaluate(FRAMES, 5)
        assert page.evaluate("scrollY") == 2000, kept


# How many formulas were set when the first figure was there.
COUNT_FORMULAS = """
    new MutationObserver(() => {
        if (document.querySelector(".bb-view > .bb-widget"))
            window.formulas ??= document.querySelectorAll("mjx-container").length;
    }).observe(document, { childList: true, subtree: true });
"""


def test_formulas_wait_for_the_figures_in_sight_but_not_for_ever(open_page, tabs, server):
    page = open_page("chapters/convolution.html", script=COUNT_FORMULAS)
    assert page.evaluate("formulas") == 0
    assert page.locator("mjx-container").count() > 0
    with tabs() as tab:
        page = tab.look()
        page.route("**/widgets/*.js*", lambda route: route.abort())
        page.goto(f"{server.url}/chapters/convolution.html")
        page.locator(".bb-view[role=alert]").first.wait_for()
        page.locator("mjx-container").first.wait_for()


TEX = "(all) => all.filter((one) => /\\\\[([]/.test(one.textContent)).length"  # formulas that are not set
FORMULAS = "article :is(span, div).math"
NEAR = "(one) => one.checkVisibility() && Math.abs(one.getBoundingClientRect().y - 450) < 1300"


BUSY = "globalThis.requestIdleCallback = () => {}"  # a browser that is never idle


FIRST_FORMULAS = "async () => { await (globalThis.widgetHost?.formulas ?? MathJax.startup.promise) }"


@pytest.fixture
def open_unsettled(open_page):
    """Return a function that opens a page in a busy browser until the first formulas are set, not the far ones."""

    def open_(path, **options):
        page = open_page(path, script=BUSY, settled=False, **options)
        page.evaluate(FIRST_FORMULAS)
        return page

    return open_


@pytest.mark.parametrize("width", [1280, 360])
def test_formulas_are_set_where_they_come_near(open_unsettled, width):
    page = open_unsettled("chapters/batch-normalization.html", width=width)
    formulas = page.locator(FORMULAS)
    assert formulas.evaluate_all(TEX) > formulas.count() / 2
    page.evaluate("widgetHost.drawAll()")  # what the browser does when it is idle
    tall = page.evaluate("document.documentElement.scrollHeight")
    for top in range(0, tall + 900, 450):
        page.evaluate("(top) => scrollTo({ top, behavior: 'instant' })", top)
        until(page, f"() => !({TEX})([...document.querySelectorAll('{FORMULAS}')].filter({NEAR}))")
        page.evaluate(FRAMES, 2)
        page.evaluate("async () => { await document.fonts.ready }")  # a face comes with its first sign drawn
    assert formulas.evaluate_all(TEX) == 0  # in folds and questions too, which were near
    assert page.evaluate("window.layoutShift") < LARGEST_SHIFT, page.evaluate("moved")
    assert page.locator("mjx-assistive-mml math").count() == formulas.count()


@pytest.mark.parametrize("edition", ["", "ko/"])
def test_formulas_bring_no_face_which_would_lay_out_the_page_again(open_page, edition):
    page = open_page(f"{edition}chapters/batch-normalization.html")
    rules = "[...document.getElementById('MJX-CHTML-styles').sheet.cssRules].map(({ cssText }) => cssText)"
    assert not [rule for rule in page.evaluate(rules) if rule.startswith("@font-face")]
    faces = "[...document.fonts].filter(({ status }) => status === 'loaded').map(({ family }) => family)"
    assert {"MJXZERO", "MJXTEX", "MJXTEX-I"} <= set(page.evaluate(faces))


def test_who_listens_and_does_not_scroll_hears_no_tex(open_page):
    page = open_page("chapters/batch-normalization.html", settled=False)
    until(page, f"() => !({TEX})([...document.querySelectorAll('{FORMULAS}')])")
    assert page.locator("mjx-assistive-mml math").count() == page.locator(FORMULAS).count()
    assert page.evaluate("window.layoutShift") < LARGEST_SHIFT, page.evaluate("moved")


def test_paper_has_all_formulas(open_unsettled):
    page = open_unsettled("chapters/batch-normalization.html")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(FORMULAS).evaluate_all(TEX) == 0
    assert page.locator("mjx-container").count() == page.locator(FORMULAS).count()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_a_link_within_a_page_leads_past_formulas_exactly_to_its_place(open_unsettled, motion):
    page = open_unsettled("chapters/convolution.html", reduced_motion=motion)
    page.evaluate("location.hash = '#exercises'")
    until(page, f"() => Math.abs({OFF}) < 9")
    page.wait_for_timeout(1000)
    assert abs(page.evaluate(OFF)) < 9


def test_a_formula_stays_readable_where_mathjax_does_not_come(tabs, server):
    with tabs() as tab:
        page = tab.look()
        page.route("**/mathjax/*", lambda route: route.abort())
        page.goto(f"{server.url}/chapters/convolution.html")
        formulas = page.locator(FORMULAS)
        assert formulas.evaluate_all(TEX) == formulas.count() > 0


def test_a_command_that_mathjax_lacks_is_seen_or_asked_for(tabs, server, settle):
    """And so the tests of all pages fail, which allow neither: _extra/mathjax/README.md says what to add."""
    set_ = "(node, tex) => { node.textContent = `\\\\(${tex}\\\\)`; MathJax.typesetPromise([node]).catch(() => {}); }"
    with tabs() as tab:
        page = tab.look()
        page.goto(f"{server.url}/chapters/convolution.html")
        settle(page)
        page.route("**/mathjax/**", lambda route: route.abort())
        page.locator(FORMULAS).first.evaluate(set_, r"\unknown{x}")
        page.locator(WRONG).first.wait_for()
        with page.expect_request("**/mathjax/input/tex/extensions/*.js"):
            page.locator(FORMULAS).last.evaluate(set_, r"\cancel{x}")


def test_the_buttons_of_the_theme_work(open_page):
    page = open_page("chapters/convolution.html")
    page.evaluate("window.print = () => (window.printed = true)")
    page.locator("[aria-label='Download']").click()
    page.locator(".btn-download-pdf-button").click()
    assert page.evaluate("printed")
    page.locator(".btn-fullscreen-button").click()
    until(page, "() => document.fullscreenElement")
    page.evaluate("document.exitFullscreen()")


# What runs sets `ran`; what only becomes a part of the page carries a mark; a link is followed.
PAYLOADS = [
    """'"><img src=x data-mark onerror="ran=1"><script data-mark>ran=1</script></script><svg data-mark onload=ran=1>""",
    "javascript:ran=1",
]
RAN = """async () => {
    for (const link of document.querySelectorAll("[href^='javascript:ran']")) link.click();
    await new Promise((done) => setTimeout(done, 300));
    return globalThis.ran ?? document.querySelectorAll("[data-mark]").length;
}"""
KEPT = """(payload) => {
    const text = document.querySelector('script[type="application/vnd.jupyter.widget-state+json"]')?.textContent;
    const { key, models } = JSON.parse(text ?? '{"models": {}}'), kept = {};
    for (const [id, { state }] of Object.entries(models))
        kept[id] = Object.fromEntries(Object.entries(state).filter(([, value]) => typeof value === "string")
            .map(([name]) => [name, payload]));
    const store = JSON.stringify({ key, models: kept, views: { 0: { width: innerWidth, height: payload } } });
    addEventListener("pagehide", () => {
        for (const name of ["mode", "theme"]) localStorage.setItem(name, payload);
        sessionStorage.setItem(`backbone ${location.pathname}`, store);
    });
}"""


@pytest.mark.parametrize("payload", PAYLOADS)
def test_nothing_runs_of_what_a_link_says_or_a_browser_kept(tabs, server, settle, payload):
    with tabs() as tab:
        page = tab.look()
        for path in (f"search.html?q={quote(payload)}", f"chapters/resnet.html?alone={quote(payload)}"):
            page.goto(f"{server.url}/{path}#{quote(payload)}")
            settle(page)
            assert page.evaluate(RAN) == 0, path
        for chapter in ("resnet", "evaluation", "transfer-learning"):
            page.goto(f"{server.url}/chapters/{chapter}.html")
            settle(page)
            page.evaluate(KEPT, payload)
            page.reload()
            settle(page)
            assert page.evaluate(RAN) == 0, chapter


def test_a_networks_license_is_the_page_s_own_whatever_a_browser_kept(open_page, settle):
    page = open_page("intro.html", expected=["invalid theme mode"])
    license_ = "() => document.querySelector('.bb-network a').getAttribute('href')"
    before = page.evaluate(license_)
    assert before.startswith("_static/networks/efficientnet_lite0-LICENSE.txt")
    page.evaluate(KEPT, "https://example.org/")
    page.reload()
    settle(page)
    assert page.evaluate(license_) == before


# What no page does: each way by which text could come to run.
TAG = "() => {{ document.body.append(Object.assign(document.createElement('{}'), {})); }}"
INJECTED = {
    "handler": "() => { document.body.insertAdjacentHTML('beforeend', '<img src=x: onerror=\"ran=1\">') }",
    "script": TAG.format("script", "{ textContent: 'ran=1' }"),
    "data": TAG.format("script", "{ src: 'data:,ran=1' }"),
    "blob": TAG.format("script", "{ src: URL.createObjectURL(new Blob(['ran=1'])) }"),
    "elsewhere": TAG.format("script", "{ src: 'https://example.org/x.js' }"),
    "frame": TAG.format("iframe", "{ srcdoc: '<script>top.ran=1</script>' }"),
    "link": "() => { const a = document.createElement('a'); a.href = 'javascript:ran=1'; a.click() }",
}


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_what_is_put_into_a_page_does_not_run(open_page, scheme):
    page = open_page("chapters/evaluation.html", scheme=scheme, expected=["Content Security Policy"])
    visit = open_page.visits[-1]
    for name, act in INJECTED.items():
        before, end = len(visit.messages), time.monotonic() + 20
        page.evaluate(act)
        while "Content Security Policy" not in "".join(visit.messages[before:]) and time.monotonic() < end:
            page.wait_for_timeout(50)
        assert page.evaluate("globalThis.ran") is None, name
        assert "Content Security Policy" in "".join(visit.messages[before:]), name
    visit.expected = (".",)
    visit.requests.clear()


# In the place of a camera: a canvas, of which a stream has a frame where something is drawn.
CAMERA = """() => {
    const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
    setInterval(() => context.fillRect(0, 0, 300, 150), 30);
    navigator.mediaDevices.getUserMedia = async () => canvas.captureStream(30);
}"""


def test_a_readers_pictures_and_network_live_under_the_policy(open_page):
    page = open_page("chapters/imagenet-features.html")  # whose watch hears of every refusal
    figure = page.locator(".bb-view", has=page.locator("input[type=file]")).first
    own = figure.get_by_role("radio", name="Your own picture")
    picture = io.BytesIO()
    Image.new("RGB", (300, 250), "red").save(picture, "PNG")
    given = {"name": "mine.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    figure.locator("input[type=file]").set_input_files(given)
    own.wait_for(state="attached")
    page.evaluate(CAMERA)
    figure.get_by_role("button", name="Camera").click()
    page.get_by_role("button", name="Take the picture").click()
    page.get_by_role("dialog").wait_for(state="hidden")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_network_is_fast_under_the_policy(open_page, scheme):
    page = open_page("chapters/resnet.html", scheme=scheme)
    page.get_by_role("button", name="Load the network").click()
    said = page.locator(".bb-network [role=status]", has_text="The network is loaded").first
    said.wait_for(timeout=60_000)
    assert "WebAssembly" not in said.inner_text()


def test_first_page_leads_to_the_book(open_page):
    page = open_page("references.html")
    page.goto(page.url.replace("references", "index"))
    page.wait_for_url("**/intro.html")


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (360, 740)])
def test_the_front_page_has_its_figure_alive_above_the_fold(open_page, width, height):
    page = open_page("intro.html", width=width)
    parts = "[...document.querySelectorAll('.bb-view :is(canvas, .bb-says)')].filter((one) => one.checkVisibility())"
    ends = page.evaluate(f"{parts}.map((one) => one.getBoundingClientRect().bottom)")
    assert len(ends) > 5
    assert max(ends) < height


def test_theme_button_turns_the_page_dark(open_page):
    page = open_page("chapters/convolution.html")
    for _ in range(3):  # it goes round: auto, light, dark
        page.locator("button.theme-switch-button:visible").first.click()
        if page.locator("html").get_attribute("data-theme") == "dark":
            break
    assert page.locator("html").get_attribute("data-theme") == "dark"
    dark = page.evaluate("getComputedStyle(document.querySelector('.bb-widget')).color")
    assert min(int(part) for part in re.findall(r"\d+", dark)[:3]) > 150


def test_theme_button_says_its_state(open_page):
    page = open_page("references.html", width=360)
    button = page.locator("button.theme-switch-button:visible").first
    said = []
    for _ in range(3):
        button.click()
        said.append((page.locator("html").get_attribute("data-mode"), button.get_attribute("aria-label")))
    assert dict(said) == {
        "dark": "Theme: dark", "light": "Theme: light", "auto": "Theme: that of the device",
    }  # fmt: skip


@pytest.mark.parametrize("width", [1280, 1024, 768, 360])
def test_the_button_of_the_sidebar_works_at_every_width(open_page, width):
    page = open_page("references.html", width=width)
    sidebar, button = page.locator(".bd-sidebar-primary"), page.locator("button.primary-toggle:visible").first
    beside = width >= 992  # else it lies over the page, and a click beside it closes it
    for state in ("hidden", "visible") if beside else ("visible",):
        button.click()
        sidebar.wait_for(state=state)
    if not beside:
        page.mouse.click(width - 10, 400)
        sidebar.wait_for(state="hidden")


# Once nothing changes any more: some curves are computed over several frames.
PAINTED = """async () => {
    widgetHost.drawAll();
    const read = () => [...document.querySelectorAll(".bb-widget canvas")].map((canvas) => canvas.toDataURL());
    for (let [last, now] = ["", read()]; ; last = now.join(), now = read()) {
        if (last === now.join()) return now;
        for (let i = 0; i < 20; i++) await new Promise(requestAnimationFrame);
    }
}"""


@pytest.mark.parametrize("chapter", ["data", "evaluation", "vanishing-gradients"])
def test_a_figure_is_painted_in_the_ink_of_the_page(open_page, chapter):
    """A page that is dark from the start looks like one that turned dark, also where a figure was there first."""
    path = f"chapters/{chapter}.html"
    dark = open_page(path, theme="dark").evaluate(PAINTED)
    page = open_page(path)
    light = page.evaluate(PAINTED)
    assert light != dark
    page.emulate_media(color_scheme="dark")
    until(page, "() => document.documentElement.dataset.theme === 'dark'")
    assert page.evaluate(PAINTED) == dark


# Each figure brings the rules of the kit with its own, so one that comes later repeats them after those of the first.
LOOKS = """(turns) => {
    const ours = () => [...document.querySelectorAll("style")].filter((one) => one.textContent.includes(".bb-widget"));
    for (let i = 0; i < turns; i++) document.head.append(ours()[0]);
    const looks = ["fontWeight", "fontSize", "opacity", "display", "padding", "margin", "gap", "backgroundColor"];
    const read = (node) => looks.map((look) => getComputedStyle(node)[look]).join("; ");
    return [ours().length, ...[...document.querySelectorAll(".bb-widget *")].map((n) => `${n.className}: ${read(n)}`)];
}"""


@pytest.mark.parametrize("chapter", ["imagenet-features", "neural-networks", "resnet", "transfer-learning"])
def test_a_figure_looks_the_same_whichever_came_last(open_page, chapter):
    page = open_page(f"chapters/{chapter}.html")
    page.evaluate(PAINTED)
    sheets, *first = page.evaluate(LOOKS, 0)
    assert sheets > 1
    for _ in range(1, sheets):
        assert page.evaluate(LOOKS, 1)[1:] == first


def test_a_dark_figure_is_printed_in_light_ink(open_page):
    path = "chapters/vanishing-gradients.html"
    light = open_page(path).evaluate(PAINTED)
    page = open_page(path, theme="dark")
    page.evaluate(PAINTED)
    page.evaluate("() => { dispatchEvent(new Event('beforeprint')); }")
    canvases = "() => [...document.querySelectorAll('.bb-widget canvas')].map((canvas) => canvas.toDataURL())"
    assert page.evaluate(canvases) == light


# Press something, and print in the same moment.
PRESS_AND_PRINT = f"(button) => {{ button.click(); ({FREEZE})(); }}"


def test_what_moves_is_printed_at_its_end(open_page):
    page = open_page("chapters/convolution.html")
    painted = page.evaluate(PAINTED)
    sweep = page.locator(".bb-conv-as-window .bb-primary")
    assert sweep.inner_text() == "Sweep"
    sweep.evaluate(PRESS_AND_PRINT)
    page.evaluate("() => { thaw(); }")
    assert page.evaluate("[...document.querySelectorAll('.bb-widget canvas')].map((one) => one.toDataURL())") == painted
    assert sweep.text_content() == "Sweep"
    weight = page.locator(".bb-conv-as-filter .bb-conv-square input").nth(4)
    before = float(weight.input_value())
    page.locator(".bb-conv-as-filter .bb-answers").first.evaluate(PRESS_AND_PRINT)
    assert float(weight.input_value()) == before + 1


@pytest.mark.parametrize("chapter", ["convolution", "resnet"])
def test_the_first_figure_ends_within_the_height_of_a_sheet(open_page, chapter):
    page = open_page(f"chapters/{chapter}.html")
    page.evaluate(FREEZE)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": PAPER[0], "height": PAPER[1]})
    box = page.locator(".bb-view").first.bounding_box()
    assert box["y"] + box["height"] < PAPER[1]


# The inks of figures, and what says something in color: how many looks the answers of each choice have, and so on.
FORCED = """() => {
    const looks = (nodes, name) => [...new Set([...nodes].map((one) => getComputedStyle(one)[name]))];
    const all = (selector, of = document) => of.querySelectorAll(selector);
    const borders = [...all(".bb-pictures")].filter((one) => one.checkVisibility() && one.querySelector(":checked"));
    return {
        ink: getComputedStyle(document.body).color,
        inks: looks(all(".bb-widget, .bb-figure svg"), "color"),
        borders: borders.map((one) => looks(all("canvas", one), "borderColor").length),
        choices: [...all(".bb-segmented")].map((one) => looks(all("label", one), "boxShadow").length),
        ramps: looks(all(".bb-conv-ramp"), "backgroundImage"),
        parts: [...all(".bb-th-bar")].map((one) => looks(all("span", one), "backgroundColor").length),
        cells: looks(all(".bb-cm-cell"), "backgroundColor").length,
    };
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("chapter", ["convolution", "evaluation", "neural-networks", "transfer-learning"])
def test_figures_say_what_they_say_in_color_where_a_reader_forces_other_colors(open_page, chapter, theme):
    page = open_page(f"chapters/{chapter}.html", theme=theme, forced_colors="active")
    page.evaluate("widgetHost.drawAll()")
    found = page.evaluate(FORCED)
    assert found["inks"] == [found["ink"]]
    assert {*found["borders"], *found["choices"], *found["parts"]} == {2}  # of what is chosen or right, and the others
    assert all("gradient" in ramp for ramp in found["ramps"])
    assert chapter != "convolution" or found["ramps"]
    assert chapter != "evaluation" or found["cells"] > 10  # a cell is the darker the more is in it


# The outlines of what was chosen or led to, in the color in which a reader marks things.
OUTLINED = """(selector) => {
    const { outlineColor, outlineStyle } = getComputedStyle(document.querySelector(selector));
    const probe = document.body.appendChild(Object.assign(document.createElement("i"), { style: "color: Highlight" }));
    const marked = outlineStyle !== "none" && outlineColor === getComputedStyle(probe).color;
    probe.remove();
    return marked;
}"""


def test_what_is_chosen_or_led_to_is_marked_where_a_reader_forces_other_colors(open_page):
    page = open_page("chapters/training.html", forced_colors="active")
    places = [page.locator(kind).first.evaluate("(link) => link.href") for kind in (TERM, SOURCE)]
    page.locator("div.bb-question:visible li > button").first.click()
    assert page.evaluate(OUTLINED, "div.bb-question li.bb-chosen")
    assert not page.evaluate(OUTLINED, "div.bb-question li:not(.bb-chosen)")
    for place in places:
        page.goto(place)
        assert page.evaluate(OUTLINED, "article :target")


def test_a_word_lights_the_part_of_a_figure_that_it_names(open_page):
    page = open_page("chapters/vanishing-gradients.html")
    lit = page.locator(".bb-widget .bb-lit")
    for word in page.locator(".bb-point").all():
        word.focus()
        assert lit.evaluate_all("(nodes) => nodes.map((n) => n.dataset.part)") == [word.get_attribute("data-part")]
        word.blur()
        assert lit.count() == 0
        word.hover()
        assert lit.count() == 1
        page.mouse.move(0, 0)
        assert lit.count() == 0


@pytest.mark.parametrize("press", ["Enter", "Space", "click"])
def test_a_word_that_names_a_part_is_a_button_that_brings_it_into_sight_and_keeps_it_lit(open_page, press):
    page = open_page("chapters/vanishing-gradients.html")
    page.set_viewport_size({"width": 1280, "height": 400})
    words, lit = page.locator(".bb-point"), page.locator(".bb-widget .bb-lit")
    names = [one["name"] for one in heard(page) if one["role"] == "button"]
    assert {name.strip() for name in words.all_inner_texts()} <= set(names)
    assert_structure(page)
    word = words.first
    word.evaluate(
        "(word) => scrollBy({ top: word.getBoundingClientRect().bottom - innerHeight + 9, behavior: 'instant' })"
    )
    word.focus()
    assert not lit.evaluate(WHOLE_IN_SIGHT)
    word.click() if press == "click" else word.press(press)
    until(page, f"() => ({WHOLE_IN_SIGHT})(document.querySelector('.bb-widget .bb-lit'))")
    page.mouse.move(0, 0)
    assert lit.evaluate("(part) => part.dataset.part") == word.get_attribute("data-part")
    word.blur()
    assert lit.count() == 0


WHOLE_IN_SIGHT = """(part) => {
    const { top, bottom } = part.getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
}"""


@pytest.mark.parametrize(
    ("path", "name"), [("chapters/transfer-learning.html", "Transfer learning"), ("intro.html", "Backbone")]
)
def test_the_side_menu_shows_where_the_reader_is_and_the_page_stays(open_page, path, name):
    page = open_page("chapters/transfer-learning.html")
    page.set_viewport_size({"width": 1280, "height": 500})
    page.goto(re.sub(r"chapters/.*", path, page.url))
    page.evaluate(FRAMES, 2)
    here = page.locator(".bd-sidebar-primary li.active > a")
    assert here.inner_text() == name
    menu, own = page.locator(".bd-sidebar-primary").bounding_box(), here.bounding_box()
    assert menu["y"] <= own["y"]
    assert own["y"] + own["height"] <= menu["y"] + menu["height"]
    assert page.evaluate("scrollY") == 0


TERM, SOURCE = "article a:has(> .std-term)", "article a.internal[href*='references.html#']"
PHONE = {"width": 390, "has_touch": True, "is_mobile": True}


@pytest.mark.parametrize("menu", ["primary", "secondary"])
def test_a_menu_of_a_phone_lies_over_the_page_and_leaves_it_where_it_is(open_page, menu):
    page = open_page("chapters/convolution.html", **PHONE)
    page.evaluate("scrollTo({ top: 3000, behavior: 'instant' })")
    page.evaluate(FRAMES, 20)
    before, box = page.evaluate("scrollY"), page.locator(f"#pst-{menu}-sidebar-checkbox")
    page.locator(f"button.{menu}-toggle:visible").tap()
    until(page, "() => document.activeElement.closest('[class*=bd-sidebar]')")
    page.touchscreen.tap(380 if menu == "primary" else 10, 500)
    until(page, "(name) => document.activeElement.matches(`.${name}-toggle`)", menu)
    page.wait_for_timeout(700)  # the box with the button's name would come after 500 ms
    assert not box.is_checked()
    assert page.evaluate("scrollY") == before
    assert page.locator(".tooltip:visible").count() == 0


def test_a_menu_of_a_phone_closes_over_the_section_that_was_chosen(open_page):
    page = open_page("chapters/convolution.html", **PHONE)
    page.locator("button.secondary-toggle:visible").tap()
    link = page.locator(".bd-sidebar-secondary a", has_text="Exercises").first
    link.tap()
    until(page, f"() => Math.abs({OFF}) < 9")
    until(page, "() => document.querySelector('.bd-sidebar-secondary').getBoundingClientRect().left >= innerWidth")


# How strongly what scrolls is shaded, at its left edge and at its right one: as the least light of a few pixels there.
EDGE = 3


def shades(page, node) -> list[int]:
    picture = Image.open(io.BytesIO(node.screenshot(animations="disabled"))).convert("L")
    edges = picture.crop((2, 4, 2 + EDGE, 12)), picture.crop((picture.width - 2 - EDGE, 4, picture.width - 2, 12))
    return [abs(edge.getextrema()[0] - picture.getpixel((picture.width // 2, 6))) for edge in edges]


@pytest.mark.parametrize(("theme", "colors"), [("light", "none"), ("dark", "none"), ("light", "active")])
@pytest.mark.parametrize("what", ["pre[tabindex='0']", ".bb-table > div"])
def test_an_edge_behind_which_there_is_more_is_shaded(open_page, what, theme, colors):
    page = open_page("chapters/dropout.html", width=320, theme=theme, forced_colors=colors)
    page.locator("article .bb-table").last.scroll_into_view_if_needed()
    wide = page.locator(f"article {what}:visible")
    over = wide.evaluate_all("(all) => all.findIndex((one) => one.scrollWidth > one.clientWidth + 20)")
    node = wide.nth(over)
    for left, shaded in ((0, [False, True]), (20, [True, True]), (9999, [True, False])):
        node.evaluate("(node, left) => node.scrollTo({ left, behavior: 'instant' })", left)
        assert [shade > 25 for shade in shades(page, node)] == shaded, (left, shades(page, node))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("kind", [TERM, SOURCE])
def test_what_one_was_sent_to_is_marked(open_page, kind, theme):
    page = open_page("chapters/training.html", theme=theme)
    page.goto(page.locator(kind).first.evaluate("(link) => link.href"))
    ground = "(node) => getComputedStyle(node).backgroundColor"
    assert page.locator("article :target").evaluate(ground) not in {
        "rgba(0, 0, 0, 0)",
        page.evaluate(f"({ground})(document.body)"),
    }
    assert_colors(page, set())


@pytest.mark.parametrize("width", [1280, 360])
def test_the_signs_of_the_bar_stand_on_one_line(open_page, width):
    page = open_page("chapters/resnet.html", width=width)
    signs = page.locator(".header-article-items__end .btn :is(i, svg, .fa-solid):visible").all()
    middles = [box["y"] + box["height"] / 2 for box in (sign.bounding_box() for sign in signs)]
    assert len(middles) >= 5
    assert max(middles) - min(middles) < 1.5


# The tops and bottoms of the bar's links and buttons, and the bar's own bottom.
BAR = """() => {
    const seen = [...document.querySelectorAll(".bd-header-article :is(a, button)")].filter((n) => n.checkVisibility());
    const box = (node) => node.getBoundingClientRect();
    return [seen.map((n) => [box(n).top, box(n).bottom]), box(document.querySelector(".bd-header-article")).bottom];
}"""


@pytest.mark.parametrize("edition", ["", "ko/"])
def test_the_bar_of_a_phone_is_one_line_that_is_whole(open_page, edition):
    page = open_page(f"{edition}chapters/resnet.html", width=360)
    for width in (390, 360, 320):
        resize(page, width)
        places, end = page.evaluate(BAR)
        assert len(places) >= 8
        assert max(top for top, _ in places) < min(bottom for _, bottom in places), width
        assert all(0 <= top < bottom <= end for top, bottom in places), width
    page.evaluate(LARGE, "32px")
    places, end = page.evaluate(BAR)
    assert all(0 <= top < bottom <= end for top, bottom in places), (places, end)  # on several lines, none cut off


def test_an_address_that_is_no_text_leads_to_the_top(open_page):
    page = open_page("chapters/dropout.html#%E0%A4%A")
    assert page.evaluate("[scrollY, document.documentElement.style.scrollBehavior]") == [0, ""]


def test_a_figure_stands_alone_for_a_projector(open_page):
    page = open_page("chapters/convolution.html?alone=figure-convolution-filter")
    seen = page.locator(".bb-view:visible")
    assert seen.count() == 1
    assert seen.locator(".bb-conv-as-filter").count() == 1
    assert page.locator("article p.bb-note:visible").count() == 1
    assert not page.locator(":is(article h1, nav, header, .highlight):visible").count()
    assert page.evaluate("scrollY") == 0
    assert_structure(page)
    page.get_by_role("button", name="Full screen").click()
    until(page, "() => document.fullscreenElement")
    page.evaluate("document.exitFullscreen()")
    until(page, "() => !document.fullscreenElement")
    page.keyboard.press("Escape")
    page.wait_for_url("**/convolution.html#figure-convolution-filter")
    assert page.locator("article h1").is_visible()


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1920, 1080)])
@pytest.mark.parametrize("place", ["convolution figure-convolution-filter", "batch-normalization figure-batch-norm"])
def test_a_figure_alone_is_as_large_as_the_screen_allows(open_page, place, width, height):
    """As much of the screen is filled as the figure's shape and its caption leave, and nothing is cut off."""
    chapter, figure = place.split()
    page = open_page(f"chapters/{chapter}.html?alone={figure}", width=width)
    page.set_viewport_size({"width": width, "height": height})
    node = page.locator(f"#{figure}")
    until(
        page,
        "([id, most]) => document.getElementById(id).getBoundingClientRect().height > most",
        [figure, 0.8 * height],
    )
    box = node.bounding_box()
    assert box["width"] >= 1.4 * 688
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] <= height
    assert page.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [
        width,
        height,
    ]
    assert not overlaps(page, f"#{figure}", "article p.bb-note")


LOW = ["convolution figure-convolution-window", "data figure-augmentation", "googlenet figure-inception"]


@pytest.mark.parametrize("place", LOW)
def test_a_figure_alone_is_whole_in_a_low_window(open_page, place):
    chapter, figure = place.split()
    page = open_page(f"chapters/{chapter}.html?alone={figure}", width=844)
    page.set_viewport_size({"width": 844, "height": 390})
    until(page, "(id) => document.getElementById(id).getBoundingClientRect().bottom <= innerHeight", figure)
    box = page.locator(f"#{figure}").bounding_box()
    assert box["width"] >= 0.67 * 688  # and still legible
    assert page.evaluate("document.documentElement.scrollWidth") == 844
    assert not overlaps(page, f"#{figure}", "article p.bb-note")
    page.set_viewport_size({"width": 390, "height": 844})
    until(page, "(id) => document.getElementById(id).getBoundingClientRect().width === 390 - 32", figure)


# Marks the handles of a figure, and tells the size of each in the figure's own pixels, and how much larger it is.
HANDLES = """(id) => {
    const figure = document.getElementById(id);
    const larger = Number(getComputedStyle(figure).getPropertyValue("--bb-larger") || 1);
    const handles = [...figure.querySelectorAll("[role=slider]")].filter((node) => node.checkVisibility());
    return [larger, handles.map((node, number) => {
        node.dataset.handle = number;
        const { width, height } = node.getBoundingClientRect();
        return [width / larger, height / larger];
    })];
}"""
# Each of these reckons with pixels of its own: the edge of a chart, or a way that the pointer has gone.
DRAGGED = [
    ("architectures", "figure-architecture"),
    ("batch-normalization", "figure-batch-norm"),
    ("googlenet", "figure-inception"),
    ("neural-networks", "figure-backpropagation"),
    ("neural-networks", "figure-playground-tangent"),
    ("transfer-learning", "figure-transfer"),
    ("vanishing-gradients", "figure-activation"),
]


def drags(page, figure) -> list:
    """Drag each handle of a figure by its own pixels, and return how much larger it is, and what each then says."""
    larger, sizes = page.evaluate(HANDLES, figure)
    said = []
    for number, (width, height) in enumerate(sizes):
        node = page.locator(f'#{figure} [data-handle="{number}"]')
        node.scroll_into_view_if_needed()
        box = node.bounding_box()
        x, y = box["x"] + larger * width / 2, box["y"] + larger * height / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 41 * larger, y + 23 * larger, steps=2)
        page.mouse.up()
        page.evaluate(FRAMES, 2)
        said.append(node.get_attribute("aria-valuenow"))
    return [larger, said]


@pytest.mark.parametrize(("chapter", "figure"), DRAGGED)
def test_a_drag_does_alone_what_it_does_beside_the_text(open_page, chapter, figure):
    page = open_page(f"chapters/{chapter}.html")
    before = [one.get_attribute("aria-valuenow") for one in page.locator(f"#{figure} [role=slider]:visible").all()]
    once, beside = drags(page, figure)
    assert once == 1
    assert beside != before
    page = open_page(f"chapters/{chapter}.html?alone={figure}")
    larger, alone = drags(page, figure)
    assert larger > 1.2
    assert alone == beside


@pytest.mark.parametrize("asked", ["", "figure-none", "exercises", "figure-one-row-of-pixels", "%22%3E%3Cimg src=x%3E"])
def test_a_page_that_is_asked_for_no_moving_figure_is_whole(open_page, asked):
    page = open_page(f"chapters/convolution.html?alone={asked}")
    assert page.locator("article h1").is_visible()
    assert page.locator(".bb-view:visible").count() == 5


def test_nothing_lies_over_the_text_when_a_reader_scrolls_back(open_page):
    page = open_page("chapters/evaluation.html", width=360)
    page.evaluate("scrollTo({ top: 3000, behavior: 'instant' })")
    page.mouse.wheel(0, -300)
    until(page, "() => scrollY < 3000")
    assert not page.locator("#pst-back-to-top").is_visible()


# What a reader types, and the section that must come first; a chapter's own name means its beginning, a * any section.
SEARCHES = {
    "gradcam": "googlenet#global-average-pooling",
    "grad-cam": "googlenet#global-average-pooling",
    "batchnorm": "batch-normalization",
    "1x1": "googlenet#one-by-one",
    "1 × 1": "googlenet#one-by-one",
    "kaiming": "vanishing-gradients#initialization",
    "he init": "vanishing-gradients#initialization",
    "xavier": "vanishing-gradients#initialization",
    "initialization": "vanishing-gradients#initialization",
    "skip": "resnet#skip-connection",
    "shortcut": "resnet#skip-connection",
    "cnn": "convolution",
    "convnet": "convolution",
    "top-5": "evaluation#top-k-accuracy",
    "stride": "convolution#stride",
    "padding": "convolution#stride",
    "dilated convolution": "convolution#stride",
    "overfitting": "training#overfitting",
    "data augmentation": "data#augmentation",
    "max pooling": "feature-extraction#max-pooling",
    "maxpool": "feature-extraction#max-pooling",
    "relu": "feature-extraction#relu",
    "softmax": "neural-networks#softmax",
    "cross entropy": "neural-networks#softmax",
    "receptive field": "convolution#how-far",
    "bottleneck": "resnet#bottleneck",
    "fine-tuning": "transfer-learning#fine-tuning",
    "finetuning": "transfer-learning#fine-tuning",
    "learning rate": "training#learning-rate",
    "dead relu": "vanishing-gradients#not-vanishing",
    "momentum": "training#better-steps",
    "adam": "training#better-steps",
    "f1": "evaluation#precision-and-recall",
    "precision": "evaluation#precision-and-recall",
    "roc": "evaluation#roc",
    "auc": "evaluation#roc",
    "iou": "evaluation#iou",
    "confusion matrix": "evaluation#confusion-matrix",
    "calibration": "evaluation#calibration",
    "transfer": "transfer-learning",
    "lenet": "feature-extraction#lenet",
    "depthwise": "googlenet#depthwise-separable",
    "global average pooling": "googlenet#global-average-pooling",
    "gap": "googlenet#global-average-pooling",
    "im2col": "convolution#im2col",
    "chain rule": "neural-networks#backpropagation",
    "backprop": "neural-networks#backpropagation",
    "gradient descent": "neural-networks#gradient-descent",
    "xor": "neural-networks*",
    "dropout": "dropout",
    "resnet": "resnet",
    "vgg16": "vgg",
    "inception": "googlenet#inception",
    "label smoothing": "googlenet#label-smoothing",
    "vanishing gradient": "vanishing-gradients",
    "exploding gradients": "vanishing-gradients#gradient-clipping",
    "sigmoid": "vanishing-gradients#saturation",
    "weight decay": "training#overfitting",
    "early stopping": "dropout#other-ways",
    "layernorm": "batch-normalization#without-the-batch",
    "t-sne": "feature-extraction#dimensions",
    "imagenet": "data#imagenet",
    "fpn": "architectures#feature-pyramid",
    "backbone": "architectures#the-words",
    "flops": "architectures#flops",
    "equivariance": "convolution#equivariance",
    "weight sharing": "convolution#weight-sharing",
    "lrn": "alexnet#lrn",
    "sift": "alexnet#before-2012",
    "degradation": "resnet#skip-connection",
    "autograd": "neural-networks#autograd",
    "validation set": "training#three-sets",
    "mcnemar": "evaluation#mcnemar",
    "convlution": "convolution",
    "overfiting": "training#overfitting",
    "backpropogation": "neural-networks#backpropagation",
    "stride of 2": "convolution#stride",
    "how do I freeze layers": "transfer-learning#freezing",
    "what is a feature map": "convolution#one-row",
    "where do I put dropout": "dropout#where-to-put-it",
    "difference between precision and recall": "evaluation#precision-and-recall",
    "how to choose a learning rate": "training#learning-rate",
    "what does model.eval() do": "batch-normalization#eval-mode",
    "how does max pooling work": "feature-extraction#max-pooling",
    "how many epochs to train": "training#epochs",
    "what is a tensor": "data#array",
    "what does padding do": "convolution#stride",
    "offline": "intro#take-it-along",
    "download": "intro#take-it-along",
    "download the book": "intro#take-it-along",
    "zip": "intro#take-it-along",
    "take along": "intro#take-it-along",
    "how do skip connections help": "resnet#skip-connection",
    "draw a shoe": "feature-extraction*",  # words of a figure alone
}


# Types each query, and returns where what is then listed leads to.
LISTED = """(queries) => queries.map((query) => {
    const field = document.getElementById("search-field");
    field.value = query;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const links = [...document.querySelectorAll("#search-results li > a")];
    return links.map((link) => link.getAttribute("href").replace(/^chapters[/]/, ""));
})"""


def found_for(page, query) -> list[str]:
    """Return the addresses that a search lists, in the folder of the chapters."""
    return page.evaluate(LISTED, [query])[0]


def test_no_keys_are_named_where_there_are_none(open_page):
    page = open_page("chapters/dropout.html", width=360, has_touch=True, is_mobile=True)
    page.evaluate(
        "[...document.querySelectorAll('.search-button__button')].find((one) => one.checkVisibility()).click()"
    )
    assert page.locator(".search-button__search-container input").is_visible()
    assert page.locator(".search-button__kbd-shortcut:visible").count() == 0


def test_a_word_that_is_nowhere_excludes_nothing(open_page):
    page = open_page("search.html")
    assert found_for(page, "momentum qqqqqq")[0] == found_for(page, "momentum")[0]
    assert found_for(page, "the of what")


def test_a_search_in_the_dialog_leads_to_the_page_of_results(open_page):
    page = open_page("references.html")
    page.keyboard.press("Control+k")
    field = page.locator(".search-button__search-container input")
    told = page.locator(f"#{field.get_attribute('aria-describedby')}").inner_text()
    assert "while you type; Enter, or the search key" in told
    assert field.get_attribute("enterkeyhint") == "search"
    field.fill("im2col")
    sign, start = page.locator(".search-button__search-container i").bounding_box(), field.bounding_box()["x"]
    padding = field.evaluate("(node) => parseFloat(getComputedStyle(node).paddingLeft)")
    assert start < sign["x"] < sign["x"] + sign["width"] < start + padding, "the sign lies on no letter"
    until(page, "() => document.querySelector('#bb-found a')")
    field.press("Enter")
    page.wait_for_url("**/search.html?q=im2col")
    assert page.locator("#search-field").input_value() == "im2col"
    assert page.locator(".search-summary").inner_text() == "One section for “im2col”. Enter opens it."
    page.locator("#search-field").press("Enter")
    page.wait_for_url("**/convolution.html#im2col")


@pytest.mark.parametrize(("scheme", "name"), [("http", "chapters/dropout.html"), ("file", "ko/glossary.html")])
def test_the_dialog_shows_the_first_results_while_one_types_and_arrow_keys_lead_through_them(open_page, scheme, name):
    page = open_page(name, scheme=scheme)
    assert page.evaluate("!globalThis.backboneIndex"), "nobody has asked for it"
    page.keyboard.press("Control+k")
    field, said, found = page.locator("#search-input"), page.locator("#bb-enter"), page.locator("#bb-found a")
    field.fill("batch normalization")
    until(page, "() => document.querySelector('#bb-found a')")
    assert said.get_attribute("role") == "status"
    assert int(re.search(r"\d+", said.inner_text())[0]) > found.count() - 1 == 8
    assert found.last.get_attribute("href").endswith("/search.html?q=batch%20normalization")
    assert_structure(page)
    for key, number in [("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0)]:
        page.keyboard.press(key)
        assert found.nth(number).evaluate("(node) => node === document.activeElement")
    page.keyboard.press("ArrowUp")
    assert field.evaluate("(node) => node === document.activeElement")
    field.fill("qqqqqq")
    until(page, "() => !document.querySelector('#bb-found a')")
    assert "qqqqqq" in said.inner_text()
    field.fill("batch normalization")
    until(page, "() => document.querySelector('#bb-found a')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    assert not field.is_visible()
    page.keyboard.press("Control+k")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/chapters/batch-normalization.html*")


def test_a_result_on_the_same_page_closes_the_dialog_and_a_search_page_has_one_too(open_page):
    page = open_page("chapters/convolution.html")
    found = "#bb-found a[href$='#im2col']"  # before it may stand what "i" finds, if the search came while one typed
    page.keyboard.press("Control+k")
    page.keyboard.type("im2col")
    until(page, "(found) => document.querySelector(found)", found)
    page.locator(found).click()
    page.wait_for_url("**#im2col")
    assert not page.locator("#search-input").is_visible()
    page = open_page("search.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("im2col")
    until(page, "(found) => document.querySelector(found)", found)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_a_search_leads_first_to_the_section_that_explains_it(open_page, scheme):
    assert misled(open_page("search.html", scheme=scheme), SEARCHES) == {}


def misled(page, searches) -> dict[str, str]:
    """Return of these searches those that another place comes first for, with that place."""
    wrong = {}
    for (query, place), links in zip(searches.items(), page.evaluate(LISTED, list(searches)), strict=True):
        first = links[0].replace(".html", "") if links else ""
        if first != place and first.partition("#")[0] + "*" != place:
            wrong[query] = first
    return wrong


def test_every_place_that_a_search_lists_is_there(open_page, site):
    page = open_page("search.html")
    links = found_for(page, "network")
    assert links
    for link in links:
        name, _, anchor = link.partition("#")
        found = html(site, f"chapters/{name}" if (site / "chapters" / name).exists() else name)
        assert not anchor or found.find(id=anchor), link


def test_a_result_says_what_the_term_means_or_what_the_section_says(open_page):
    page = open_page("search.html")
    found_for(page, "relu")
    says = page.locator("#search-results li > p")
    assert says.first.inner_text() == "Replaces every negative number by 0."
    found_for(page, "ankle boot")
    assert "boot" in " ".join(page.locator("#search-results mark").all_inner_texts())
    assert not re.search(r"import |plots\.|\$", " ".join(says.all_inner_texts())), "code"
    found_for(page, "stride of 2")
    after = "(all) => all.map(({ nextSibling }) => (nextSibling?.data ?? '')[0] ?? '').join('')"
    assert not re.search("[a-z0-9]", page.locator("#search-results mark").evaluate_all(after)), '"2" is not in "21"'
    assert_accessible(page)


def test_a_search_for_anything_comes_to_an_end(open_page):
    page = open_page("search.html")
    for query in ("constructor", "__proto__", "hasOwnProperty", "((", "<b>", "qqqqqq", "한국"):
        found_for(page, query)
        assert query in page.locator(".search-summary").inner_text()


PRINTED = """() => ({
    theme: document.documentElement.dataset.theme,
    closed: document.querySelectorAll("article details:not([open], .bb-checks > *), article .toggle-hidden").length,
    solved: [...document.querySelectorAll("article .exercise, article .solution")].map(({ id }) => id),
    ink: getComputedStyle(document.querySelector("article p")).color,
})"""


def test_a_dark_page_is_printed_light_with_its_folds_open(open_page):
    page = open_page("chapters/convolution.html", theme="dark")
    before = page.evaluate(PRINTED)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    printed = page.evaluate(PRINTED)
    assert (printed["theme"], printed["closed"]) == ("light", 0)
    solutions = [name for name in printed["solved"] if "solution" in name]
    assert printed["solved"][-len(solutions) :] == solutions
    assert page.locator("a[href='#bb-solutions']").count() == len(solutions) + 1  # and one of the quick questions
    assert page.locator("#bb-solutions > .solution").count() == len(solutions)
    assert not page.locator(".bb-checks > details").evaluate("(fold) => fold.open")
    assert max(int(part) for part in re.findall(r"\d+", printed["ink"])[:3]) < 80
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(PRINTED) == before
    assert before["closed"] > 0


QUESTIONS = """() => [...document.querySelectorAll("article div.bb-question")].map((box) => {
    const said = (node) => getComputedStyle(node, "::before").content;
    const buttons = [...box.querySelectorAll("li > button")];
    return {
        shown: box.checkVisibility(), breaks: getComputedStyle(box).breakInside, number: said(box.querySelector("p")),
        answers: new Set(buttons.map((one) => [said(one), getComputedStyle(one).boxShadow].join(" "))).size,
        reasons: [...box.querySelectorAll("li > .bb-why")].map((why) => why.textContent),
        all: buttons.length,
    };
})"""
# The reasons at the page's end, a list for each question.
REASONS = """[...document.querySelectorAll("#bb-solutions > ol > li")].map((of) =>
    [...of.querySelectorAll(".bb-why")].filter((why) => why.checkVisibility()).map((why) => why.textContent))"""


def test_quick_questions_are_printed_to_be_answered_and_the_reasons_at_the_end(open_page):
    page = open_page("chapters/dropout.html")
    page.locator("div.bb-question:visible li > button").first.click()
    before = page.evaluate(QUESTIONS)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    printed = page.evaluate(QUESTIONS)
    assert {(one["shown"], one["breaks"], len(one["reasons"])) for one in printed} == {(True, "avoid", 0)}
    assert all("bb-question" in one["number"] for one in printed)
    assert [one["answers"] for one in printed] == [1] * len(before)  # whatever was chosen
    assert page.evaluate(REASONS) == [one["reasons"] for one in before]
    assert [len(reasons) for reasons in page.evaluate(REASONS)] == [one["all"] for one in before]
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate(QUESTIONS) == before


def test_a_click_on_a_solutions_title_opens_it(open_page):
    page = open_page("chapters/convolution.html")
    solution = page.locator(".solution").first
    solution.locator(".admonition-title").click()
    solution.locator("pre").first.wait_for(state="visible")


IN_SIGHT = """(id) => {
    const place = document.getElementById(id);
    const { top } = place.getBoundingClientRect();
    return place.checkVisibility({ visibilityProperty: true }) && top >= 0 && top < innerHeight;
}"""


@pytest.mark.parametrize("place", ["input-gradient", "figure-convolution-shift"])
def test_a_link_to_another_page_opens_the_fold_in_which_its_place_is(open_page, place):
    page = open_page(f"chapters/convolution.html#{place}")
    until(page, IN_SIGHT, place)


@pytest.mark.parametrize("fold", ["details.hide", ".solution", ".admonition.dropdown:not(.solution)"])
def test_a_link_into_any_kind_of_fold_opens_it_each_time(open_page, fold):
    page = open_page("chapters/convolution.html")
    inside = page.locator(f"article {fold}").first.locator("p, pre").last
    inside.evaluate("(node) => { node.id = 'inside' }")
    link = page.locator("article h1").first
    link.evaluate("(node) => { node.innerHTML += '<a id=there href=\"#inside\">there</a>' }")
    for _ in range(2):
        page.locator("#there").click()
        until(page, IN_SIGHT, "inside")
        title = page.locator(f"article {fold}").first.locator("summary, .admonition-title").first
        title.click()
        inside.wait_for(state="hidden")


@pytest.mark.parametrize("kind", [TERM, SOURCE])
@pytest.mark.parametrize("width", [1280, 360])
def test_a_box_says_what_a_term_or_a_source_is(open_page, kind, width):
    page = open_page("chapters/training.html", width=width)
    link, box = page.locator(kind).first, page.locator("#bb-tip")
    said = link.get_attribute("title")
    link.scroll_into_view_if_needed()
    link.hover()
    assert box.inner_text() == said
    assert link.get_attribute("aria-describedby") == "bb-tip"
    assert link.get_attribute("title") is None
    box.hover()
    page.wait_for_timeout(400)
    assert box.is_visible(), "the pointer may go into it"
    edges = box.bounding_box()
    assert edges["x"] >= 0
    assert edges["x"] + edges["width"] <= width
    unwrap_same_words(page)
    assert_accessible(page, CHECKED)
    page.keyboard.press("Escape")
    assert box.is_hidden()
    assert link.get_attribute("title") == said


def test_keys_open_the_box_of_a_term_and_touch_does_not(open_page):
    page = open_page("chapters/resnet.html", has_touch=True)
    link, box = page.locator(TERM).first, page.locator("#bb-tip")
    link.focus()
    assert box.is_visible()
    page.mouse.move(5, 500)
    page.wait_for_timeout(400)
    assert box.is_visible(), "as long as it has the focus"
    link.blur()
    assert box.is_hidden()
    link.tap()
    page.wait_for_url("**/glossary.html#term-*")


# --- The watch itself ---------------------------------------------------------------------------------------


def test_the_watch_sees_what_goes_wrong(open_page, tmp_path):
    (tmp_path / "page.html").write_text(
        """<!doctype html><title>Wrong</title><link rel="icon" href="missing.svg"><img src="https://example.org/x.png">
        <meta http-equiv="Content-Security-Policy" content="style-src 'none'"><style>p { color: red }</style>
        <script src="missing.js"></script><script>console.error("said"); throw new Error("thrown")</script>""",
        "utf-8",
    )
    open_page("page.html", folder=tmp_path, expected=["never heard"])
    visit = open_page.visits.pop()
    problems = "\n".join(visit.problems())
    visit.server.missing.clear()
    for wrong in (
        "foreign https://example.org/x.png",
        "missing.js",
        "said",
        "uncaught: thrown",
        "no error like 'never",
    ):
        assert wrong in problems
    assert "Content Security Policy" in problems


POOR = """<!doctype html><html lang="en"><title>Poor</title><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width">
<style>:root {{ color-scheme: light dark }} {rule}</style>
<main><article><h1>Code</h1><pre><span>if</span> <span>not</span> <span id="last">None</span></pre></article></main>"""
WHEN = ["all", "(prefers-color-scheme: light)", "(prefers-color-scheme: dark)", "(max-width: 400px)"]


@pytest.mark.parametrize("when", WHEN)
@pytest.mark.parametrize("rule", ["#last { color: #777 }", "pre { color: #888; background: #666 }"])
def test_poor_colors_are_found_in_each_theme_and_when_the_page_is_narrowed(open_page, tmp_path, when, rule):
    (tmp_path / "page.html").write_text(POOR.format(rule=f"@media {when} {{ {rule} }}"), "utf-8")
    page = open_page("page.html", folder=tmp_path, theme="dark")
    checked = set()
    if "width" in when:
        assert_colors(page, checked)
        resize(page, 360)
    with pytest.raises(AssertionError, match="color-contrast"):
        assert_colors(page, checked)
