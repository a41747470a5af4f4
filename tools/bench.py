"""Measure the book's speed on this computer: operations, first figures, one move of each, networks, pages.

    make bench
    make bench PARTS="pages moves"

It prints and asserts nothing: times belong to a computer. Compare two runs on the same one. Beside each first figure
stands the same page as Jupyter Book embeds widgets by itself, in the same run; its scripts come from npm, where there
is one, and are kept in `_build/stock`.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from pathlib import Path

import anywidget
import execution
import nbformat
import numpy as np
import policy
import psutil
import torch
from browser import NoBrowserError, launch, serving
from figures import LATER_TAG, STATE, STATE_TAG, VIEW_TAG
from playwright.sync_api import sync_playwright

from backbone.ops import conv2d

ROOT = Path(__file__).resolve().parent.parent
SITE, STOCK = ROOT / "_build" / "html", ROOT / "_build" / "stock"
LOADS, MOVES, SLOWER = 5, 60, 4
TURN = 0.004  # seconds for which a process that rests in between works
WIDE = {"width": 1280, "height": 900}
PACKAGES = {"@jupyter-widgets/html-manager@1.0.14": "dist/embed-amd.js", "requirejs@2.3.7": "require.js"}

# A figure is alive when its widget is in the page and two frames have come after.
ALIVE = """
    window.alive = new Promise((done) => new MutationObserver((_, observer) => {
        if (!document.querySelector(".bb-widget")) return;
        observer.disconnect();
        requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
    }).observe(document, { childList: true, subtree: true }));
"""
STOCK_TAGS = """<script src="require.js"></script><script src="embed-amd.js"></script>
<script>require.config({ paths: { anywidget: new URL("anywidget", location.href).href } });</script>"""
JOINED = re.compile(r'<script defer([^>]*) src="[^"]*_static/(all\.js)[^"]*"></script>')
MATHJAX = re.compile(r'<link rel="preload" as="script" fetchpriority="low" href="([^"]*/mathjax/[^"]*)" />')

# One move is what a reader causes: an event, the model's change, and the repaint that it asks for. The widget asks for
# its frame first, so its work lies between the frame's start and the callback that comes after it; a click paints at
# once. Of each kind of control, a figure's first that can be seen is moved.
KINDS = {"slide": "input[type=range]", "press": "[tabindex='0']", "click": "button, input[type=radio], select"}
MOVE = """async ([view, selector, how, moves]) => {
    const times = [], all = () => [...document.querySelectorAll(".bb-view")[view].querySelectorAll(selector)];
    const seen = () => all().filter((node) => !node.disabled && node.checkVisibility());
    seen()[0]?.scrollIntoView({ behavior: "instant", block: "center" });
    for (let i = 0; i < moves; i++) {
        const nodes = seen(), node = nodes[how === "click" ? i % nodes.length : 0];
        if (!node) break; // there is none, or the last act took it away
        const key = i % 2 ? "PageUp" : "ArrowLeft";
        const send = (type, event) => node.dispatchEvent(new event(type, { key, bubbles: true }));
        const start = performance.now();
        if (how === "click") node.click();
        else if (how === "press") send("keydown", KeyboardEvent);
        else {
            node.value = Number(node.min) + ((node.max - node.min) * ((i * 7) % 41)) / 40;
            send("input", Event);
        }
        let spent = performance.now() - start;
        await new Promise((done) => requestAnimationFrame((frame) => ((spent += performance.now() - frame), done())));
        times.push(spent);
    }
    return times;
}"""

# Tasks and shifts from the first moment on; then the reader goes through the page, a screen at a time.
WATCH = """
    window.watched = { longtask: 0, "layout-shift": 0 };
    for (const type of ["longtask", "layout-shift"])
        new PerformanceObserver((list) => {
            for (const { duration, hadRecentInput, value } of list.getEntries())
                if (value === undefined) watched[type] = Math.max(watched[type], duration);
                else if (!hadRecentInput) watched[type] += value;
        }).observe({ type, buffered: true });
"""
WENT_THROUGH = """async () => {
    await globalThis.widgetHost?.formulas;
    const rest = () => new Promise((done) => setTimeout(done, 300));
    for (let top = 0; top < document.documentElement.scrollHeight; top += innerHeight) {
        scrollTo({ top, behavior: "instant" });
        await rest();
    }
    await rest();
    const { longtask, "layout-shift": shift } = watched;
    return [document.querySelectorAll("*").length, longtask, shift];
}"""

# Loads a network in a worker as a figure does, and runs it on noise; `plain` without WebAssembly.
NETWORK = """async ([weights, engine, crc, plain, runs]) => {
    const start = performance.now();
    const script = Object.assign(document.createElement("script"), { src: weights });
    await new Promise((done) => document.head.append(Object.assign(script, { onload: done })));
    const [parts] = Object.values(backboneNetworks), worker = new Worker(engine);
    const ask = (task, given) => new Promise((done) => {
        worker.onmessage = ({ data }) => done(data);
        worker.postMessage({ id: 1, task, ...given });
    });
    await ask("load", { ...parts, crc, plain });
    const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => (i * 7919) % 256);
    await ask("run", { pixels });
    const first = performance.now() - start, times = [];
    for (let i = 0; i < runs; i++) {
        const begun = performance.now();
        await ask("run", { pixels });
        times.push(performance.now() - begun);
    }
    worker.terminate();
    delete globalThis.backboneNetworks;
    return [first, ...times];
}"""


def operations() -> None:
    """Time one convolution of 64 3x3 filters, two ways, on one thread."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(1, 64, 56, 56)).astype("f4"), rng.normal(size=(64, 64, 3, 3)).astype("f4")
    tensors = torch.from_numpy(x), torch.from_numpy(weight)
    print("1x64x56x56 with 64 filters of 3x3, padding 1, float32, one thread")
    print(f"  torch          {seconds(lambda: torch.nn.functional.conv2d(*tensors, padding=1), 20) * 1e3:10.1f} ms")
    print(f"  conv2d         {seconds(lambda: conv2d(x, weight, padding=1), 20) * 1e3:10.1f} ms")


def seconds(run, repeats: int) -> float:
    """Return the median time of one run."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def chapters_with_figures() -> list[Path]:
    """List the pages that show a widget."""
    return [path for path in sorted(SITE.glob("chapters/*.html")) if STATE_TAG.search(path.read_text("utf-8"))]


def first_figures(browser, url: str) -> None:
    """Print when each chapter's first figure is alive on a slow computer, beside the stock embedding."""
    print(f"First figure alive, {SLOWER} times slower, median of {LOADS} loads")
    with tempfile.TemporaryDirectory() as folder:
        made = stock_pages(Path(folder))
        with serving(Path(folder)) as stock:
            for path in chapters_with_figures():
                name = path.relative_to(SITE).as_posix()
                homes = [url, stock.url] if path.stem in made else [url]
                rounds = [[alive(browser, f"{home}/{name}") for home in homes] for _ in range(LOADS)]
                ours, *others = (statistics.median(times) for times in zip(*rounds, strict=True))
                beside = "".join(f", stock {other:6.0f} ms: {ours / other:.2f} of it" for other in others)
                print(f"  {path.stem:22}{ours:6.0f} ms{beside}")


def alive(browser, address: str) -> float:
    """Return when the first figure of a page was alive, in milliseconds after a first visit began."""
    context = browser.new_context(viewport=WIDE)
    page = context.new_page()
    slow_down(page)
    page.add_init_script(ALIVE)
    page.goto(address, wait_until="commit")
    found = page.evaluate("alive")
    context.close()
    return found


def slow_down(page) -> None:
    """Let a page have a part of the processor."""
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def stock_pages(folder: Path) -> set[str]:
    """Copy the site to a folder, with the widgets as Jupyter Book embeds them; return the names of such chapters."""
    try:
        scripts = stock_scripts()
    except (OSError, subprocess.SubprocessError) as error:
        print(f"  without the stock embedding beside it, whose scripts npm could not bring ({error})")
        return set()
    shutil.copytree(SITE, folder, copy_function=os.link, dirs_exist_ok=True)
    for script in scripts:
        shutil.copyfile(script, folder / "chapters" / script.name)
    shutil.copyfile(Path(anywidget.__file__).parent / "nbextension/index.js", folder / "chapters" / "anywidget.js")
    os.environ |= execution.environment(ROOT)  # which the keys of what was executed depend on
    kept, made = execution.latest(ROOT), set()
    for path in chapters_with_figures():
        if notebook := kept.get(f"chapters/{path.stem}"):
            target = folder / "chapters" / path.name
            target.unlink()
            target.write_text(stock_page(path.read_text("utf-8"), notebook), "utf-8")
            made.add(path.stem)
    return made


def stock_scripts() -> list[Path]:
    """Return the scripts of the stock embedding, fetched once."""
    STOCK.mkdir(exist_ok=True)
    found = []
    for package, inside in PACKAGES.items():
        script = STOCK / Path(inside).name
        if not script.exists():
            command = ["npm", "pack", package, "--pack-destination", str(STOCK), "--silent"]
            done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
            with tarfile.open(STOCK / done.stdout.split()[-1]) as archive:
                script.write_bytes(archive.extractfile(f"package/{inside}").read())
        found.append(script)
    return found


def stock_page(text: str, notebook: Path) -> str:
    """Return a page of ours with the stock embedding: scripts, one by one, and the whole state in its head."""
    state = nbformat.read(notebook, 4).metadata.widgets["application/vnd.jupyter.widget-state+json"]
    body = json.dumps(state).replace("<", "\\u003c")
    article, _, rest = LATER_TAG.sub("", text).partition(STATE_TAG.search(text)[0])
    end = rest[rest.index("widget-host.js") :].partition("</script>")[2]
    head, _, article = policy.META.sub("", article).partition("</head>")
    head = MATHJAX.sub(r'<script defer="defer" src="\1"></script>', head)
    given, later = JOINED.search(end).groups()
    names = (SITE / "_static" / later).read_text("utf-8").partition("*/")[0].split()[1:]
    tags = {name: f'<script{given} src="../_static/{name}"></script>' for name in names}
    last = "".join(tags.pop(f"scripts/{name}.js") for name in ("bootstrap", "pydata-sphinx-theme"))
    end = JOINED.sub(last, end)
    return f"{head}{''.join(tags.values())}{STATE.format(body)}{STOCK_TAGS}</head>{article}{end}"


def moves(browser, url: str) -> None:
    """Act in each chapter's figures, as they stand there."""
    print(f"One move of each figure, median and p95 of {MOVES} in ms, at once and {SLOWER} times slower")
    for path in chapters_with_figures():
        text = path.read_text("utf-8")
        models = json.loads(STATE_TAG.search(text)[1])["models"]
        shown = [models[json.loads(view)["model_id"]] for view in VIEW_TAG.findall(text)]
        for how, selector in KINDS.items():
            fast, slow = (acted(browser, f"{url}/chapters/{path.name}", len(shown), selector, how, s) for s in (0, 1))
            for model, *times in zip(shown, fast, slow, strict=True):
                if min(map(len, times)) > 1:
                    name = f"{model['widget']} {model['state'].get('show', '')} {how}"
                    print(f"  {name:42}" + "; ".join(map(spread, times)))


def acted(browser, address: str, views: int, selector: str, how: str, slow: bool) -> list[list[float]]:
    """Return how long the moves of one kind of control took, for each view of a page."""
    page = browser.new_page(viewport=WIDE)
    page.goto(address)
    page.evaluate("widgetHost.drawAll()")
    page.wait_for_load_state("networkidle")
    if slow:
        slow_down(page)
    times = [page.evaluate(MOVE, [view, selector, how, MOVES]) for view in range(views)]
    page.close()
    return times


def spread(times: list[float]) -> str:
    """Return the median and the slow end of some times."""
    return f"{statistics.median(times):6.1f} {statistics.quantiles(times, n=20)[-1]:6.1f}"


def networks(browser, url: str) -> None:
    """Print what a network that a reader loads weighs, when it gives its first answer, and what a picture costs."""
    page = browser.new_page(viewport=WIDE)
    page.goto(f"{url}/intro.html")
    for file in sorted((SITE / "_static" / "networks").glob("*-*.js")):
        raw, crc = file.read_bytes(), int(file.stem.rpartition("-")[2], 16)
        print(f"{file.name}: {len(raw) / 1e6:.2f} MB, gzip {len(gzip.compress(raw)) / 1e6:.2f} MB")
        for plain in (False, True):
            addresses = [f"{url}/_static/networks/{name}" for name in (file.name, "engine.js")]
            kind = "JavaScript" if plain else "WebAssembly"
            for slower in (1, SLOWER):
                with resting(slower):
                    first, *times = page.evaluate(NETWORK, [*addresses, crc, plain, 3 if plain else 20])
                picture = f"a picture {statistics.median(times):6.0f} ms"
                print(f"  {kind:12}{slower} times slower: first answer {first:6.0f} ms, {picture}")
    page.close()


@contextlib.contextmanager
def resting(slower: int):
    """Stop and wake the pages' processes, so that their workers are so many times slower, too.

    A browser by itself slows down a page's first thread alone.
    """
    own = psutil.Process().children(recursive=True)
    renderers, over = [one for one in own if "--type=renderer" in one.cmdline()], threading.Event()

    def rest():
        while not over.wait(TURN):
            for one in renderers:
                one.suspend()
            time.sleep((slower - 1) * TURN)
            for one in renderers:
                one.resume()

    thread = threading.Thread(target=rest, daemon=True)
    if slower > 1:
        thread.start()
    try:
        yield
    finally:
        over.set()
        if slower > 1:
            thread.join()


def pages(browser, url: str) -> None:
    """Print what a first visit to each page fetches, and what it asks of a slow computer."""
    print("Pages: KB of scripts without MathJax, and of all files, compressed; KB as they are; elements;")
    print(f"the longest task in ms, {SLOWER} times slower; how far the layout moved, also while it was read")
    for path in [SITE / "intro.html", SITE / "references.html", *sorted(SITE.glob("chapters/*.html"))]:
        context = browser.new_context(viewport=WIDE)
        page, asked = context.new_page(), set()
        page.on("request", lambda request, asked=asked: asked.add(request.url.partition("?")[0]))
        page.add_init_script(WATCH)
        slow_down(page)
        page.goto(f"{url}/{path.relative_to(SITE).as_posix()}", wait_until="networkidle")
        elements, longest, shift = page.evaluate(WENT_THROUGH)
        names = [one.removeprefix(f"{url}/") for one in asked if one.startswith(url)]
        files = {name: (SITE / name).read_bytes() for name in names}
        packed = {name: len(gzip.compress(file)) / 1e3 for name, file in files.items()}
        scripts = sum(size for name, size in packed.items() if name.endswith(".js") and "mathjax" not in name)
        raw = sum(map(len, files.values())) / 1e3
        print(
            f"  {path.stem:22}{scripts:5.0f}{sum(packed.values()):6.0f}{raw:6.0f}{elements:7}{longest:6.0f}{shift:8.3f}"
        )
        context.close()


PARTS = {"operations": None, "figures": first_figures, "moves": moves, "networks": networks, "pages": pages}


def main() -> int:
    """Run the measurements that the command line names, or all."""
    wanted = sys.argv[1:] or list(PARTS)
    if unknown := sorted({*wanted} - {*PARTS}):
        print(f"There is no {unknown[0]} to measure; there are {', '.join(PARTS)}", file=sys.stderr)
        return 1
    if not (SITE / "index.html").exists():
        print("There is no site: run make book", file=sys.stderr)
        return 1
    if "operations" in wanted:
        operations()
    try:
        with sync_playwright() as playwright, serving(SITE) as server:
            browser = launch(playwright)
            for name, measure in PARTS.items():
                if measure and name in wanted:
                    measure(browser, server.url)
            browser.close()
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
