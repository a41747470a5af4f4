"""Every page in Firefox and in WebKit: alive, without an error, and its figures say there what they say in Chromium.

Where one of them is not installed its tests are skipped, and say what to install.
"""

import base64
import contextlib
import functools
import io
import os
import re
import shutil

import browser as browsers  # tools/browser.py
import numpy as np
import pytest
from page_checks import FRAMES
from PIL import Image
from pypdf import PdfReader
from test_browser import PAGES, ROOT

from backbone.data import photo

# Stands in front of all that a page has, and hears what its console would say.
WATCH = """window.heard = [];
addEventListener("error", ({ message, target }) => heard.push(message ?? `no ${target.src ?? target.href}`), true);
addEventListener("unhandledrejection", ({ reason }) => heard.push(String(reason)));
addEventListener("securitypolicyviolation", ({ blockedURI }) => heard.push(`the policy forbids ${blockedURI}`));
const { error } = console;
console.error = (...said) => (heard.push(said.join(" ")), error(...said));
"""
ALIVE = """() => ({
    heard,
    failed: document.querySelectorAll(".bb-failed, mjx-merror").length,
    formulas: document.querySelectorAll("article .math").length - document.querySelectorAll("mjx-container").length,
    views: document.querySelectorAll(".bb-view:not(:has(> .bb-widget))").length,
    wider: document.documentElement.scrollWidth > innerWidth,
})"""
SOUND = {"heard": [], "failed": 0, "formulas": 0, "views": 0, "wider": False}

# A figure's main movement: its handle, the first of these that it has, and the key that moves it.
MOVES = [
    [".bb-play-strip", "ArrowLeft"],
    [".bb-conv-as-size input[type=radio]", "ArrowRight"],
    [".bb-rf input[type=range]", "ArrowRight"],
    [".bb-te-thumb[aria-pressed]:not(.bb-te-picked)", "Enter"],
    [".bb-train-clear", "Enter"],
    [".bb-maps button", "Enter"],
    [".bb-arch-stage", "Enter"],
    [".bb-cm-answer", "Enter"],
    ["canvas[role=application]", "ArrowRight"],
    ["[role=slider]", "ArrowRight"],
    ["input[type=range]", "ArrowRight"],
    ["[role=button]", "Enter"],
    [".bb-res-block", "Enter"],
    ["input[type=radio]", "ArrowRight"],
]
FOCUS = f"""(number) => {{
    const view = document.querySelectorAll(".bb-view")[number];
    const seen = (node) => node.checkVisibility() && !node.disabled && !node.closest("details");
    for (const [handle, key] of {MOVES}) {{
        const node = [...view.querySelectorAll(handle)].find(seen);
        if (!node) continue;
        node.scrollIntoView({{ behavior: "instant", block: "center" }});
        node.focus();
        return key;
    }}
}}"""
SAYS = """(number) => document.querySelectorAll(".bb-view")[number].querySelector(".bb-says").textContent"""


class Chromium:
    """What a reader does, with Playwright's page."""

    def __init__(self, page):
        self.page, self.ask = page, page.evaluate

    def press(self, key):
        self.page.keyboard.press(key)


class Other:
    """The same, with selenium's driver."""

    def __init__(self, driver):
        self.driver = driver

    def ask(self, function, argument=None):
        """Call a function of the page, as Playwright's `evaluate` does."""
        call = "Promise.resolve((%s)(arguments[0])).then(arguments[1], (error) => arguments[1](String(error)));"
        return self.driver.execute_async_script(call % function, argument)

    evaluate = ask  # as conftest's `settle` calls it

    def press(self, key):
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        named = re.sub(r"(?<!^)(?=[A-Z])", "_", key).upper()
        ActionChains(self.driver).send_keys(getattr(Keys, named)).perform()


# Loads the network on a click, then drops a picture on the figure, and returns what the figure says of it.
OWN_PICTURE = """async ([number, picture]) => {
    const view = document.querySelectorAll(".bb-view")[number];
    // WebKit forgets a frame now and then, until it is asked for the next one.
    const frame = () => Promise.race([new Promise(requestAnimationFrame), new Promise((go) => setTimeout(go, 200))]);
    const until = async (what) => {
        for (const end = Date.now() + 30_000; !what(); await frame())
            if (Date.now() > end) throw new Error(`never: ${what}; it says: ${status.textContent} ${says()}`);
    };
    const says = () => view.querySelector(".bb-says").textContent;
    const status = view.querySelector(".bb-network [role=status]");
    if (!status) return "no network";
    view.querySelector(".bb-network button").click();
    await until(() => status.textContent && !status.textContent.startsWith("Loading"));
    if (!status.textContent.startsWith("The network is loaded")) return status.textContent;
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    const dataTransfer = new DataTransfer(), before = says();
    dataTransfer.items.add(new File([bytes], "mine.png", { type: "image/png" }));
    view.querySelector("canvas").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
    const wrong = view.querySelector(".bb-photo-wrong");
    await until(() => says() !== before || !wrong.hidden);
    for (let still = 0, last = says(); still < 40; still++) {
        await frame();
        if (says() !== last || last.endsWith("…")) [still, last] = [0, says()]; // "…" while it computes
    }
    return wrong.hidden ? says() : wrong.textContent;
}"""


def said(reader) -> list[tuple[str, str]]:
    """Act on each figure of the page, and return what it said before and after."""
    sentences = []
    for number in range(reader.ask("() => document.querySelectorAll('.bb-view').length")):
        before, key = reader.ask(SAYS, number), reader.ask(FOCUS, number)
        for _ in range(1 if key == "Enter" else 3):
            reader.press(key)
            reader.ask(FRAMES, 3)
        sentences.append((before, reader.ask(SAYS, number)))
    return sentences


@functools.cache
def picture() -> str:
    """Return a photograph that no figure has at hand, as the letters of a PNG."""
    turned = np.rot90(photo("coffee", gray=False).transpose(1, 2, 0))
    Image.fromarray((turned * 255).round().astype(np.uint8)).save(file := io.BytesIO(), "PNG")
    return base64.b64encode(file.getvalue()).decode()


def said_of_picture(reader) -> list[str]:
    """Return what the figures with a network say of the picture."""
    views = reader.ask("() => document.querySelectorAll('.bb-view').length")
    sentences = [reader.ask(OWN_PICTURE, [number, picture()]) for number in range(views)]
    return [sentence for sentence in sentences if sentence != "no network"]


def said_and_seen(reader) -> tuple[list[tuple[str, str]], list[str]]:
    """Return what the figures say before and after a move, and then of the picture."""
    return said(reader), said_of_picture(reader)


WITH_NETWORK = [path for path in PAGES if ".pack(" in (ROOT / path).with_suffix(".md").read_text("utf-8")]


def test_pages_with_a_network_are_found():
    assert WITH_NETWORK, "no page packs a network, by the word that is looked for; the test below would look at none"


@pytest.fixture(scope="module")
def watched(site, tmp_path_factory):
    """Serve a copy of the site whose pages tell what goes wrong on them."""
    folder = tmp_path_factory.mktemp("watched") / "html"
    shutil.copytree(site, folder, copy_function=os.symlink)
    (folder / "watch.js").write_text(WATCH, "utf-8")
    for page in folder.rglob("*.html"):
        text = page.read_text("utf-8")
        page.unlink()
        up = "../" * (len(page.relative_to(folder).parts) - 1)
        page.write_text(text.replace("<head>", f'<head><script src="{up}watch.js"></script>', 1), "utf-8")
    with browsers.serving(folder) as server:
        yield server


@pytest.fixture(scope="module")
def drivers():
    """Return a function that gives the driver of a browser, started once."""
    with contextlib.ExitStack() as stack:
        started = {}

        def driver_of(name):
            if name not in started:
                try:
                    started[name] = stack.enter_context(browsers.other(name))
                except browsers.NoBrowserError as error:
                    pytest.skip(str(error))
            return started[name]

        yield driver_of


@pytest.fixture(scope="module")
def chromium():
    """Return a function that gives what a page answers in Chromium, which is asked once for both others."""
    known = {}

    def answer(open_page, path, ask):
        if (path, ask) not in known:
            known[path, ask] = ask(Chromium(open_page(path, reduced_motion="reduce")))
        return known[path, ask]

    return answer


OTHERS = ("firefox", "webkit")


def in_others(paths):
    """Return each page for each browser, every second page for another process."""
    return [
        pytest.param(name, path, marks=pytest.mark.xdist_group(f"other browsers {number % 2}"))
        for name in OTHERS
        for number, path in enumerate(paths)
    ]


# Korean pages have the same figures in other words; three of them have all that is their own.
KOREAN = [f"ko/{name}.html" for name in ("intro", "chapters/convolution", "chapters/resnet")]


@pytest.mark.parametrize(("name", "path"), in_others(PAGES + KOREAN))
def test_a_page_is_alive_and_its_figures_say_what_they_say_in_chromium(
    drivers, watched, chromium, open_page, settle, name, path
):
    driver = drivers(name)
    driver.set_window_size(1280, 900)
    watched.missing.clear()  # what a test before asked for, such as the icon of an address that is no page
    driver.get(f"{watched.url}/{path}")
    other = Other(driver)
    settle(other)
    assert other.ask(ALIVE) == SOUND
    ask = said_and_seen if path in WITH_NETWORK else said
    told = ask(other)
    assert told == chromium(open_page, path, ask)
    heard, seen = told if path in WITH_NETWORK else (told, [])
    assert [before for before, after in heard if before == after] == []
    assert all("“" in answer for answer in seen)
    assert other.ask(ALIVE) == SOUND
    assert watched.missing == []


@pytest.mark.xdist_group("other browsers 0")
def test_firefox_prints_what_was_folded(drivers, watched, settle):
    driver = drivers("firefox")
    driver.get(f"{watched.url}/chapters/dropout.html")
    settle(Other(driver))
    sheets = PdfReader(io.BytesIO(base64.b64decode(driver.print_page()))).pages
    assert any("records.load" in sheet.extract_text() for sheet in sheets)


def first_visit(driver, home, path, settle) -> Other:
    """Open a page of which the browser has kept nothing."""
    driver.get(f"{home}/watch.js")  # no page, which would store its figures' settings when it is left
    driver.execute_script("sessionStorage.clear(); localStorage.clear();")
    driver.get(f"{home}/{path}")
    other = Other(driver)
    settle(other)
    return other


# Types a query, and returns the sentence over what is found, and the places.
FOUND = """(query) => {
    const field = document.getElementById("search-field");
    field.value = query;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    const links = [...document.querySelectorAll("#search-results li > a")];
    return [document.querySelector(".search-summary").textContent, ...links.map((link) => link.getAttribute("href"))];
}"""
QUERIES = ["grad-cam", "how do skip connections help"]


def found(reader) -> list[list[str]]:
    """Return what each query finds."""
    return [reader.ask(FOUND, query) for query in QUERIES]


# Presses the first answer of the question in sight, and returns why it is right or wrong, and the score.
ANSWERED = """() => {
    const box = [...document.querySelectorAll("div.bb-question")].find((one) => one.checkVisibility());
    box.scrollIntoView();
    box.querySelector("li > button").click();
    const pressed = [...box.querySelectorAll("li > button")].map((one) => one.getAttribute("aria-pressed"));
    return [pressed.join(), box.querySelector(".bb-said").textContent, document.querySelector(".bb-score").textContent];
}"""


def answered(reader) -> list[str]:
    """Answer a quick question."""
    return reader.ask(ANSWERED)


ASKED = {"search.html": found, "chapters/dropout.html": answered}


@pytest.mark.parametrize(("name", "path"), in_others(ASKED))
def test_what_is_found_and_answered_is_that_of_chromium(drivers, watched, chromium, open_page, settle, name, path):
    other = first_visit(drivers(name), watched.url, path, settle)
    told = ASKED[path](other)
    assert all(len(one) > 1 for one in told)
    assert told == chromium(open_page, path, ASKED[path])
    assert other.ask("() => heard") == []
