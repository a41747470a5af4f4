"""A real browser for the tests: the built site, a server for it, and pages that are watched while they are open."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import book_files  # noqa: F401  # before nbformat, for which it makes it faster to import
import browser as browsers  # tools/browser.py
import pytest
from playwright.sync_api import Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
gc.set_threshold(100_000, 20, 20)  # else half of Python's time goes into looking for garbage among all that is imported
pytest.register_assert_rewrite("page_checks", "explorer_screen", "playground_screen", "readers")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish():
    """Look for garbage no more among all that is there by now."""
    gc.freeze()


# Measured from the first moment of a page: how far its content moved by itself.
COUNT_SHIFTS = """
    window.layoutShift = 0;
    window.moved = []; // what moved, and when, for who has to find out
    const named = ({ node, previousRect, currentRect }) =>
        [(node?.outerHTML ?? node?.data ?? "gone").slice(0, 80), previousRect.y, currentRect.y];
    new PerformanceObserver((list) => {
      for (const { hadRecentInput, value, startTime, sources } of list.getEntries()) {
        if (hadRecentInput) continue;
        window.layoutShift += value;
        window.moved.push([value, startTime, sources.map(named)]);
      }
    }).observe({ type: "layout-shift", buffered: true });
"""
SETTLED = """async () => {
    await window.widgetHost?.drawAll();
    await (window.widgetHost?.formulas ?? window.MathJax?.startup?.promise);
    await window.MathJax?.typesetPromise([...document.querySelectorAll(".math")]); // those that are far, too
    await document.fonts.ready;
    const views = document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]').length;
    const frame = () => new Promise(requestAnimationFrame);
    const deadline = Date.now() + 20_000;
    while (document.querySelectorAll(".bb-view > *").length < views) {
      if (Date.now() > deadline) throw new Error("a widget is neither drawn nor said to have failed");
      await frame();
    }
    await frame(); await frame();
}"""
# Last of all: a page stores what the reader set when it is left.
FORGET = """() => addEventListener("pagehide", () => { localStorage.clear(); sessionStorage.clear(); })"""
STANDALONE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8"><meta name="viewport" content="width=device-width">
  <title>Widgets</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="site.css">
  <style>
    :root {{ color-scheme: light dark }} body {{ margin: 1rem; background: Canvas; font-family: var(--bb-font) }}
    .bb-view {{ color: CanvasText }}
  </style>
</head>
<body>{views}{state}<script src="{first}"></script><script src="widget-host.js"></script></body>
</html>
"""


@pytest.hookimpl(optionalhook=True)  # xdist's
def pytest_xdist_auto_num_workers(config):
    """Return for ``-n auto`` half as many processes again as cores: a browser often waits for its next frame."""
    return max(1, (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) * 3 // 2)


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    """Mark what opens a browser. Keep the tests of a file in one process, which makes their fixtures once.

    Start with what takes longest.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()):
            item.add_marker("browser")
    slow = ("build", "browser", "site")
    items.sort(key=lambda item: next((i for i, kind in enumerate(slow) if item.get_closest_marker(kind)), len(slow)))
    for item in items:
        if not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))


@pytest.fixture(scope="session")
def site() -> Path:
    """Return the folder of the built site."""
    folder = ROOT / "_build" / "html"
    if not (folder / "index.html").exists():
        pytest.fail("There is no site: run make book")
    return folder


@pytest.fixture(scope="session")
def server(site):
    """Serve the built site."""
    with browsers.serving(site) as running:
        yield running


@pytest.fixture(scope="session")
def browser():
    """Start one browser a worker.

    While it runs, Playwright holds this thread's event loop: what needs asyncio runs in a process of its own.
    """
    with sync_playwright() as playwright:
        try:
            started = browsers.launch(playwright)
        except browsers.NoBrowserError as error:
            pytest.fail(str(error), pytrace=False)
        yield started
        started.close()


@pytest.fixture(scope="session")
def settle():
    """Return a function that waits until a page has its formulas, its fonts and all its widgets."""
    return lambda page: page.evaluate(SETTLED)


@pytest.fixture(scope="session")
def count_shifts() -> str:
    """Return the script that counts in `layoutShift` how far a page's content moves by itself."""
    return COUNT_SHIFTS


@dataclass
class Visit:
    """One look at a page, and what went wrong on it."""

    home: str = "about:"
    server: browsers.Server | None = None
    expected: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, request):
        """Note a request to another host, none of which the browser finds, or to another folder."""
        if not request.url.startswith((self.home, "data:", "blob:")):
            self.requests.append(f"foreign {request.url}")

    def lose(self, request):
        """Note a request without an answer, unless the page itself broke it off."""
        if "ERR_ABORTED" not in (request.failure or ""):
            self.requests.append(f"failed {request.url}")

    def answer(self, response):
        """Note an answer that says no."""
        if response.status >= 400:
            self.requests.append(f"{response.status} {response.url}")

    def hear(self, message):
        """Note an error on the console, or anything about the content security policy."""
        if message.type == "error" or "Content Security Policy" in message.text:
            self.messages.append(message.text)

    def problems(self) -> list[str]:
        """List what went wrong, and what should have gone wrong and did not."""
        surprises = [text for text in self.messages if not any(re.search(known, text) for known in self.expected)]
        missed = [known for known in self.expected if not any(re.search(known, text) for text in self.messages)]
        unanswered = self.server.missing if self.server else []
        return self.requests + unanswered + surprises + [f"no error like {known!r}" for known in missed]


class Tab:
    """A page of the browser, cut off from all other hosts, that tests use one after the other.

    A new one would cost a process, which is six times the work of going to another address. What it has loaded it
    keeps, which is a third of the work, unless every visit is to be a first one. `script` runs before each page's own.
    """

    def __init__(self, context, motion="no-preference", first=False, script=""):
        self.context, self.page, self.visit, self.motion = context, context.new_page(), Visit(), motion
        context.set_default_timeout(20_000)
        if first:
            context.new_cdp_session(self.page).send("Network.setCacheDisabled", {"cacheDisabled": True})
        self.page.add_init_script(browsers.KEEP_FACES + COUNT_SHIFTS + script)
        self.page.on("console", lambda message: self.visit.hear(message))
        self.page.on("pageerror", lambda error: self.visit.messages.append(f"uncaught: {error}"))
        self.page.on("request", lambda request: self.visit.ask(request))
        self.page.on("requestfailed", lambda request: self.visit.lose(request))
        self.page.on("response", lambda response: self.visit.answer(response))

    def enter(self, visit, path, theme, width, settled=True) -> Page:
        """Go to a path below the visit's home, and wait until all of the page is there."""
        self.visit = visit
        self.look(theme, width)
        self.page.goto(visit.home + path)
        if settled:
            self.page.evaluate(SETTLED)
        return self.page

    def look(self, theme="light", width=1280) -> Page:
        """Have this theme and width, whatever a test left."""
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(media="null", color_scheme=theme, reduced_motion=self.motion)
        return self.page

    def leave(self):
        """Forget the visit: the page, what it stored, and where the pointer was."""
        self.visit = Visit()
        self.page.mouse.up()
        self.page.mouse.move(-1, -1)
        self.page.unroute_all()
        if self.page.url != "about:blank":
            self.page.evaluate(FORGET)
        self.page.goto("about:blank")


@pytest.fixture(scope="session")
def tabs(browser):
    """Return a function that gives a tab for a while: `with tabs() as tab`."""
    free = defaultdict(list)

    @contextlib.contextmanager
    def tab_for(scheme="http", first=False, script="", **options):
        key = json.dumps([scheme, first, script, options], sort_keys=True)  # from http to file starts a process, too
        motion = options.get("reduced_motion", "no-preference")
        tab = free[key].pop() if free[key] else Tab(browser.new_context(**options), motion, first, script)
        yield tab
        try:
            tab.leave()
            free[key].append(tab)
        except Error:  # it is beyond use
            tab.context.close()

    return tab_for


@pytest.fixture(scope="session")
def scratch(tmp_path_factory):
    """Serve the folders that tests write to, where an address may soon have another file."""
    with browsers.serving(tmp_path_factory.getbasetemp(), keep=False) as running:
        yield running


@pytest.fixture
def open_page(tabs, request, tmp_path_factory):
    """Return a function that opens a page, and at the end assert that nothing went wrong on any of them.

    Nothing is: no request to another host, none that failed, no error on the console, no exception. A test that
    wants an error names it: `expected=["boom"]`, regular expressions that must each match a message. `first=True` is a
    visit with nothing kept of earlier ones, `settled=False` one that waits for no formula and no figure.
    """
    visits = []

    def visit_to(folder, scheme, expected) -> Visit:
        if scheme == "file":
            return Visit(f"{(folder or request.getfixturevalue('site')).as_uri()}/", None, expected)
        server = request.getfixturevalue("scratch" if folder else "server")
        below = f"{folder.relative_to(tmp_path_factory.getbasetemp()).as_posix()}/" if folder else ""
        return Visit(f"{server.url}/{below}", server, expected)

    with contextlib.ExitStack() as stack:

        def open_(
            path, *, theme="light", width=1280, scheme="http", folder=None, expected=(), settled=True, **options
        ) -> Page:
            visits.append(visit_to(folder, scheme, tuple(expected)))
            return stack.enter_context(tabs(scheme, **options)).enter(visits[-1], path, theme, width, settled)

        open_.visits = visits
        yield open_
    problems = [problem for visit in visits for problem in visit.problems()]
    for visit in visits:
        if visit.server:
            visit.server.missing.clear()
    assert not problems


def write_networks(folder, widgets) -> dict[str, dict[str, str]]:
    """Write the files of the networks that widgets may ask for; return their addresses, as the site has them."""
    networks = {}
    for widget in widgets:
        if packed := getattr(widget, "packed", None):
            import figures

            from backbone.widgets.engine import ENGINE

            networks[widget.network] = {"weights": "weights.js", "engine": "engine.js"}
            (folder / "weights.js").write_text(figures.network_script(widget.network, packed), "utf-8")
            (folder / "engine.js").write_text(figures.engine_script(ENGINE), "utf-8")
    return networks


@pytest.fixture
def page_with(open_page, tmp_path):
    """Return a function that puts widgets on a page as the site does, and opens it.

    `views` names the models shown, by default each widget.
    """

    def page_with_(*widgets, views=None, **options) -> Page:
        import figures  # of tools; here, because it brings PyTorch, and the process that gives out the tests needs none
        from ipywidgets.embed import dependency_state

        states = dependency_state(list(widgets), drop_defaults=False)
        models = {widget.model_id: states[widget.model_id] for widget in widgets}
        scripts = {}
        for widget in widgets:
            name = figures.class_name(models[widget.model_id])
            scripts[name] = f"{name}.js"
            (tmp_path / scripts[name]).write_text(figures.script(name, widget), "utf-8")
        networks = write_networks(tmp_path, widgets)
        views = [widget.model_id for widget in widgets] if views is None else views
        html = STANDALONE.format(
            state="".join(figures.state(models, scripts, networks=networks)),
            first=next(iter(scripts.values())),
            views="\n".join(figures.VIEW.format(json.dumps({"model_id": view})) for view in views),
        )
        for name in ("widget-host.js", "site.css"):
            shutil.copy(ROOT / "_static" / name, tmp_path)
        shutil.copytree(ROOT / "_static" / "fonts", tmp_path / "fonts", dirs_exist_ok=True)
        (tmp_path / "page.html").write_text(html, "utf-8")
        return open_page("page.html", folder=tmp_path, **options)

    return page_with_
