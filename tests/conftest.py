"""A real browser for the tests: the built site, a server for it, and pages that are watched while they are open."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import browser as browsers  # tools/browser.py
import pytest
from playwright.sync_api import BrowserContext, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
pytest.register_assert_rewrite(
    "page_checks", "explorer_screen", "gallery_screen", "maps_screen", "playground_screen", "readers"
)

# Measured from the first moment of a page: how far its content moved by itself.
COUNT_SHIFTS = """
    window.layoutShift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.layoutShift += entry.value;
    }).observe({ type: "layout-shift", buffered: true });
"""
SETTLED = """async () => {
    await window.MathJax?.startup?.promise;
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
STANDALONE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8"><meta name="viewport" content="width=device-width">
  <title>Widgets</title>
  <link rel="icon" href="data:,">
  <link rel="stylesheet" href="site.css">
  <style>
    :root {{ color-scheme: light dark }} body {{ margin: 1rem; background: Canvas }} .bb-view {{ color: CanvasText }}
  </style>
  <script type="application/vnd.jupyter.widget-state+json">{state}</script>
  <script defer src="widget-host.js"></script>
</head>
<body>{views}</body>
</html>
"""
VIEW = '<script type="application/vnd.jupyter.widget-view+json">{}</script>'


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


@dataclass
class Visit:
    """One page in a context of its own, and what went wrong on it."""

    context: BrowserContext
    home: str
    server: browsers.Server | None
    expected: tuple[str, ...] = ()
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def begin(self) -> Page:
        """Open an empty page, cut off from all hosts but its own."""
        page = self.context.new_page()
        foreign = re.compile(rf"^(?!{re.escape(self.home)}|data:|blob:)")
        self.context.route(foreign, self.refuse)
        page.add_init_script(COUNT_SHIFTS)
        page.on("console", self.hear)
        page.on("pageerror", lambda error: self.messages.append(f"uncaught: {error}"))
        page.on("requestfailed", self.lost)
        page.on(
            "response", lambda answer: answer.status >= 400 and self.requests.append(f"{answer.status} {answer.url}")
        )
        return page

    def refuse(self, route):
        """Abort a request to another host."""
        self.requests.append(f"foreign {route.request.url}")
        route.abort()

    def lost(self, request):
        """Note a request without an answer, unless the page itself broke it off."""
        if "ERR_ABORTED" not in (request.failure or ""):
            self.requests.append(f"failed {request.url}")

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


@pytest.fixture
def open_page(browser, request):
    """Return a function that opens a page, and at the end assert that nothing went wrong on any of them.

    Nothing is: no request to another host, none that failed, no error on the console, no exception. A test that
    wants an error names it: `expected=["boom"]`, regular expressions that must each match a message.
    """
    visits = []
    with contextlib.ExitStack() as stack:

        def server_for(folder) -> browsers.Server:
            return stack.enter_context(browsers.serving(folder)) if folder else request.getfixturevalue("server")

        def open_(path, *, theme="light", width=1280, scheme="http", folder=None, expected=(), **options) -> Page:
            running = server_for(folder) if scheme == "http" else None
            home = running.url if running else (folder or request.getfixturevalue("site")).as_uri()
            options = {"viewport": {"width": width, "height": 900}, "color_scheme": theme} | options
            context = browser.new_context(**options)
            context.set_default_timeout(20_000)
            stack.callback(context.close)
            visits.append(Visit(context, f"{home}/", running, tuple(expected)))
            page = visits[-1].begin()
            page.goto(f"{home}/{path}")
            page.evaluate(SETTLED)
            return page

        open_.visits = visits
        yield open_
    problems = [problem for visit in visits for problem in visit.problems()]
    for visit in visits:
        if visit.server:
            visit.server.missing.clear()
    assert not problems


@pytest.fixture
def page_with(open_page, tmp_path):
    """Return a function that puts widgets on a page as the site does, and opens it.

    `views` names the models shown, by default each widget.
    """

    def page_with_(*widgets, views=None, **options) -> Page:
        from ipywidgets.embed import dependency_state

        states = dependency_state(list(widgets), drop_defaults=False)
        views = [widget.model_id for widget in widgets] if views is None else views
        html = STANDALONE.format(
            # A notebook is stored with sorted keys, so no widget may take an order from a dictionary's.
            state=json.dumps({"state": states}, sort_keys=True).replace("<", "\\u003c"),
            views="\n".join(VIEW.format(json.dumps({"model_id": view})) for view in views),
        )
        for name in ("widget-host.js", "site.css"):
            shutil.copy(ROOT / "_static" / name, tmp_path)
        (tmp_path / "page.html").write_text(html, "utf-8")
        return open_page("page.html", folder=tmp_path, **options)

    return page_with_
