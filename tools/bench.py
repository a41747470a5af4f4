"""Measure the book's speed on this computer: operations, a drag in the browser, pages.

    make book bench

It prints and asserts nothing: times belong to a computer. Compare two runs on the same one.
"""

from __future__ import annotations

import gzip
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import torch
from browser import NoBrowserError, launch, serving
from playwright.sync_api import Page, sync_playwright

from backbone import pretrained
from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist, photo
from backbone.ops import conv2d
from backbone.widgets import ConvolutionExplorer, FeatureMapExplorer

SITE = Path(__file__).resolve().parent.parent / "_build" / "html"
MOVES = 200
DRAWN = "document.querySelectorAll('.bb-view > .bb-widget').length === document.querySelectorAll('.bb-view').length"
# One move is what a reader causes: an event, the model's change, and the repaint that it asks for. What is measured is
# the script's own time in both; the wait for the next frame lies between the two and is left out.
ACT = """async ({ moves, canvas, gesture }) => {
    const box = canvas.getBoundingClientRect(), times = [];
    let spent = 0;
    const ask = window.requestAnimationFrame;
    window.requestAnimationFrame = (paint) => ask((now) => {
        const start = performance.now();
        paint(now);
        spent += performance.now() - start;
    });
    const send = (type, i) => canvas.dispatchEvent(new PointerEvent(type, {
        pointerId: 1,
        clientX: box.left + box.width * (0.5 + 0.4 * Math.sin(i / 7)),
        clientY: box.top + box.height * (0.1 + (0.8 * i) / moves),
    }));
    canvas.setPointerCapture = () => {}; // a made-up pointer cannot be captured
    canvas.hasPointerCapture = () => true;
    const weight = document.querySelector(".bb-equation input");
    const key = (i) => weight.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "ArrowUp" : "ArrowDown" }));
    const act = { drag: (i) => send("pointermove", i), weight: key }[gesture];
    if (gesture === "drag") send("pointerdown", 0);
    for (let i = 0; i < moves; i++) {
        spent = 0;
        const start = performance.now();
        act(i);
        spent += performance.now() - start;
        await new Promise((done) => ask(() => ask(done)));
        times.push(spent);
    }
    window.requestAnimationFrame = ask;
    return times;
}"""
ALONE = """async ({ source, css, state }) => {
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
    const module = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    window.module = module;
    for (const value of Object.values(state)) if (value?.dtype) value.data = Uint8Array.from(value.data).buffer;
    const listeners = new Map();
    const model = window.model = {
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; listeners.get(`change:${name}`)?.(); },
        save_changes: () => {}, off: () => {}, on: (event, handler) => listeners.set(event, handler),
    };
    await module.default.render({ model, el: document.body });
}"""

# Every other widget of the chapters: what is dragged, or pressed, and how. The widget asks for its frame first, so its
# work lies between the frame's start and the callback that comes after it; a click paints at once.
GESTURES = {
    "neural-networks": [(".bb-play .bb-slider", "slide")],
    "imagenet-features": [(".bb-filters section input", "click")],
    "data": [(".bb-aug-slider", "slide")],
    "evaluation": [(".bb-th-histogram", "press"), (".bb-cm-cell", "click")],
    "vanishing-gradients": [(".bb-ac input[type=range]", "slide"), (".bb-grad input[aria-label^=Gain]", "slide")],
    "batch-normalization": [(".bb-bn-in", "press")],
    "dropout": [(".bb-do input[type=range]", "slide")],
    "architectures": [(".bb-arch input[type=range]", "slide")],
    "googlenet": [(".bb-inc input[type=range]", "slide")],
    "resnet": [(".bb-res .bb-res-quiz .bb-button", "click"), (".bb-res .bb-res-block", "click")],
    "transfer-learning": [(".bb-tr input[type=range]", "slide"), (".bb-tr .bb-tr-cell", "click")],
}
GESTURE = """async ({ selector, how, moves }) => {
    const nodes = [...document.querySelectorAll(selector)], node = nodes[0], times = [];
    node.scrollIntoView();
    for (let i = 0; i < moves; i++) {
        const start = performance.now();
        if (how === "click") nodes[i % nodes.length].click();
        else if (how === "press") {
            node.dispatchEvent(new KeyboardEvent("keydown", { key: i % 2 ? "PageUp" : "ArrowLeft", bubbles: true }));
        } else {
            node.value = Number(node.min) + ((node.max - node.min) * ((i * 7) % 41)) / 40;
            node.dispatchEvent(new Event("input", { bubbles: true }));
        }
        let spent = performance.now() - start;
        await new Promise((done) => requestAnimationFrame((frame) => ((spent += performance.now() - frame), done())));
        times.push(spent);
    }
    return times;
}"""
FORWARD = """(moves) => {
    const [network] = module.networksOf(model);
    const pixels = Float64Array.from({ length: 784 }, (_, i) => Math.sin(i));
    return Array.from({ length: moves }, () => {
        const start = performance.now();
        module.forward(network, pixels);
        return performance.now() - start;
    });
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


def report(page: Page, name: str) -> None:
    """Drag the window, then step a weight (the whole map is new); print how long one move keeps the page busy."""
    canvas = page.locator(".bb-pair canvas").first
    canvas.scroll_into_view_if_needed()
    for gesture in ("drag", "weight"):
        call = f"(canvas) => ({ACT})({{ moves: {MOVES}, canvas, gesture: '{gesture}' }})"
        print_times(f"{name}, {gesture}", canvas.evaluate(call))


def print_times(name: str, times: list[float]) -> None:
    """Print the median and the slow end of some times."""
    slow = statistics.quantiles(times, n=20)[-1]
    print(f"  {name:44} median {statistics.median(times):5.1f} ms, p95 {slow:5.1f} ms")


def drags(browser, url: str) -> None:
    """Act in the chapter's explorer and in one with a larger picture and a larger filter."""
    print(f"One move of the explorer ({MOVES} moves; a frame is 16 ms)")
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{url}/chapters/convolution.html")
    page.wait_for_function(DRAWN)
    report(page, "chapter: 128 x 128, 3 x 3")
    page.goto("about:blank")
    made = ConvolutionExplorer({"brick": photo("brick", 256)}, kernel=np.random.default_rng(0).normal(size=(5, 5)))
    page.evaluate(ALONE, alone(made))
    report(page, "256 x 256, 5 x 5")
    page.close()


def gestures(browser, url: str) -> None:
    """Act in the widgets of the other chapters, as they stand there."""
    print(f"One move of the other widgets ({MOVES} moves; a frame is 16 ms)")
    for chapter, found in GESTURES.items():
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{url}/chapters/{chapter}.html")
        page.wait_for_function(DRAWN)
        for selector, how in found:
            times = page.evaluate(GESTURE, {"selector": selector, "how": how, "moves": MOVES})
            print_times(f"{chapter}, {selector}"[:44], times)
        page.close()


def alone(made) -> dict:
    """Return what `ALONE` takes to draw a widget on an empty page."""
    state = made.get_state()
    for value in state.values():
        if isinstance(value, dict) and "dtype" in value:
            value["data"] = list(value["data"])
    return {"source": str(made._esm), "css": str(made._css), "state": state}


def network(browser) -> None:
    """Run LeNet in the page, then draw in its explorer: each move of the pen runs it and repaints all maps."""
    print(f"LeNet in the page ({MOVES} moves)")
    page = browser.new_page(viewport={"width": 722, "height": 900})
    networks = {"trained": pretrained.load("lenet").state_dict()}
    made = FeatureMapExplorer(fashion_mnist("test")[:10], networks, FASHION_MNIST_STATISTICS, tool="draw", picture=-1)
    page.evaluate(ALONE, alone(made))
    print_times("forward", page.evaluate(FORWARD, MOVES))
    canvas = page.locator("canvas.bb-square").first
    print_times("drawing", canvas.evaluate(f"(canvas) => ({ACT})({{ moves: {MOVES}, canvas, gesture: 'drag' }})"))
    page.close()


def pages(browser, url: str) -> None:
    """Print what a first visit to each page fetches, raw and compressed, and when it is ready and drawn."""
    print("Pages: all files of a first visit, from this computer's own server")
    for path in [SITE / "intro.html", SITE / "references.html", *sorted(SITE.glob("chapters/*.html"))]:
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        page, asked = context.new_page(), set()
        page.on("request", lambda request, asked=asked: asked.add(request.url.partition("?")[0]))
        page.goto(f"{url}/{path.relative_to(SITE).as_posix()}")
        page.wait_for_function(DRAWN)
        drawn = page.evaluate("performance.now()")
        ready = page.evaluate("performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd")
        files = [(SITE / one.removeprefix(f"{url}/")).read_bytes() for one in asked if one.startswith(url)]
        raw, packed = sum(map(len, files)) / 1e3, sum(len(gzip.compress(file)) for file in files) / 1e3
        print(f"  {path.name:18}{raw:6.0f} KB, gzip {packed:5.0f} KB; ready {ready:5.0f} ms, drawn {drawn:5.0f} ms")
        context.close()


def main() -> int:
    """Run all measurements."""
    if not (SITE / "index.html").exists():
        print("There is no site: run make book", file=sys.stderr)
        return 1
    operations()
    try:
        with sync_playwright() as playwright, serving(SITE) as server:
            browser = launch(playwright)
            drags(browser, server.url)
            gestures(browser, server.url)
            network(browser)
            pages(browser, server.url)
            browser.close()
    except NoBrowserError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
