"""Make the README's animated picture from the built site: `python tools/film.py`, after `make book`.

`.github/film.webp` shows four figures as a reader moves them. WebP, because a GIF of photographs has 256 colors and
four times the size; GitHub and every present browser show it.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

import browser
from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FILM = ROOT / ".github" / "film.webp"
SIZE = 720, 450
MOST = 2_000_000  # bytes
FRAME = 120  # milliseconds
REST = 1200  # at the end of a scene


def sweep(page: Page) -> Iterator[bytes]:
    """A window sweeps over a photograph, and its map grows."""
    figure = opened(page, "chapters/convolution", ".bb-conv-as-window")
    bar = figure.locator("input[type=range]").first
    for step in range(4, 101, 4):
        set_to(bar, step)
        yield figure.screenshot()


def shoe(page: Page) -> Iterator[bytes]:
    """A shoe is drawn, and the network's answer follows."""
    figure = opened(page, "chapters/feature-extraction", ".bb-maps")
    figure.get_by_role("button", name="Clear").click()
    box = figure.locator(".bb-maps-picture").bounding_box()
    rows = ((0.72, 0.1), (0.66, 0.12), (0.6, 0.3), (0.54, 0.5), (0.48, 0.65), (0.42, 0.75))  # from the sole up
    outline = [(x, y) for y, left in rows for x in (left, 0.9)]
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in outline]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
        page.wait_for_timeout(100)
        yield figure.screenshot()
    page.mouse.up()


def stages(page: Page) -> Iterator[bytes]:
    """A photograph on its way through the stages of a network."""
    figure = opened(page, "intro", ".bb-st")
    for stage in range(6):
        figure.locator(".bb-st-stages input").nth(stage).evaluate("(input) => input.click()")
        for _ in range(3):
            yield figure.screenshot()


def blocks(page: Page) -> Iterator[bytes]:
    """Blocks of a residual network are cut, one after the other."""
    figure = opened(page, "chapters/resnet", ".bb-res")
    for block in (2, 4, 7):
        figure.locator(".bb-res-row button").nth(block).click()
        page.wait_for_timeout(150)
        for _ in range(4):
            yield figure.screenshot()


def opened(page: Page, name: str, selector: str):
    """Return the first such figure of a page, drawn."""
    page.goto(f"{page.home}/{name}.html")
    page.evaluate("widgetHost.drawAll()")
    figure = page.locator(selector).first
    figure.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    return figure


def set_to(slider, value: int) -> None:
    """Move a slider, as a hand does."""
    slider.evaluate(
        "(node, at) => { node.value = at; node.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )
    slider.page.wait_for_timeout(60)


def fitted(shot: bytes, height: int) -> Image.Image:
    """Return the upper part of a figure, in the middle of a frame."""
    image = Image.open(io.BytesIO(shot)).convert("RGB")
    image = image.crop((0, 0, image.width, min(height, image.height)))
    frame = Image.new("RGB", SIZE, "white")
    frame.paste(image, tuple((wide - have) // 2 for wide, have in zip(SIZE, image.size, strict=True)))
    return frame


# Each with the height of what is shown of its figure.
SCENES = ((sweep, 395), (shoe, 402), (stages, 418), (blocks, 418))


def main() -> int:
    """Write the film, and say how large it is."""
    frames, times = [], []
    with browser.serving(ROOT / "_build" / "html") as server, sync_playwright() as playwright:
        page = browser.launch(playwright).new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
        page.add_init_script(browser.KEEP_FACES)
        page.home = server.url
        for scene, height in SCENES:
            shots = [fitted(shot, height) for shot in scene(page)]
            frames += shots
            times += [FRAME] * (len(shots) - 1) + [REST]
    frames[0].save(FILM, save_all=True, append_images=frames[1:], duration=times, loop=0, quality=70, method=4)
    size = FILM.stat().st_size
    print(f"{len(frames)} frames, {sum(times) / 1000:.0f} s: {size:,} bytes of at most {MOST:,}")
    return size > MOST


if __name__ == "__main__":
    sys.exit(main())
