"""Make the pictures on the chapters' cards from the built site: `python tools/thumbnails.py`, after `make book`.

Each is a part of a figure of its chapter, in the ink of each theme: `_static/thumbnails/NAME-THEME.webp`.
"""

import io
import sys
from pathlib import Path

import book_files
import browser
from PIL import Image, ImageOps
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "_static" / "thumbnails"
SIZE = 320, 180
QUALITY = 36
MOST = 120_000  # bytes, of all together
THEMES = ("light", "dark")

# Of each chapter the element that is shown, and the part of it, in shares: left, top, right, bottom.
SHOWN = {
    "neural-networks": (".bb-play-panels", (0.28, 0, 1, 0.92)),
    "training": (".bb-figure >> nth=1 >> svg >> nth=1", (0.12, 0.12, 1, 0.88)),
    "convolution": (".bb-conv-pair", (0, 0, 1, 0.93)),
    "feature-extraction": (".bb-maps-network", (0, 0, 0.8, 1)),
    "imagenet-features": (".bb-filters .bb-row", (0, 0.25, 1, 0.93)),
    "data": (".bb-figure svg >> nth=1", (0, 0.12, 1, 1)),
    "evaluation": (".bb-cm-matrix", (0.2, 0.03, 1, 0.7)),
    "vanishing-gradients": (".bb-grad-field", (0.1, 0.1, 0.85, 1)),
    "batch-normalization": (".bb-bn-chart", (0.14, 0, 0.9, 1)),
    "dropout": (".bb-do .bb-stage svg", (0, 0.08, 0.75, 1)),
    "architectures": (".bb-figure svg", (0, 0.14, 1, 0.76)),
    "alexnet": (".bb-figure >> nth=7", (0.02, 0.1, 0.5, 0.6)),
    "vgg": (".bb-rf-picture", (0, 0, 0.9, 0.6)),
    "googlenet": (".bb-inc-module", (0.05, 0, 0.95, 1)),
    "resnet": (".bb-res-net", (0.08, 0.1, 0.5, 1)),
    "transfer-learning": (".bb-figure", (0, 0.14, 0.5, 0.6)),
}
# Nothing lies over the figures, and with less motion each film is at its end.
READY = """async () => {
    await window.widgetHost?.drawAll();
    await document.fonts.ready;
    for (const node of document.querySelectorAll(".bb-invite")) node.remove();
    await new Promise((done) => setTimeout(done, 300));
}"""


def main() -> int:
    """Write all pictures, and say how large they are together."""
    names = [path.stem for path in book_files.chapters(ROOT)]
    if missing := set(names) ^ set(SHOWN):
        print(f"tools/thumbnails.py: SHOWN lacks, or has too much: {', '.join(sorted(missing))}", file=sys.stderr)
        return 1
    made = {}
    with browser.serving(ROOT / "_build" / "html") as server, sync_playwright() as playwright:
        page = browser.launch(playwright).new_page(reduced_motion="reduce", device_scale_factor=2)
        page.add_init_script(browser.KEEP_FACES)
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            for name in names:
                page.goto(f"{server.url}/chapters/{name}.html")
                page.evaluate(READY)
                selector, part = SHOWN[name]
                shot = page.locator(selector).first.screenshot(animations="disabled")
                made[f"{name}-{theme}.webp"] = webp(cut(Image.open(io.BytesIO(shot)), part))
    write(made, FOLDER)
    size = sum(map(len, made.values()))
    print(f"{len(names)} pictures in {len(THEMES)} themes: {size:,} bytes of at most {MOST:,}")
    return size > MOST


def webp(picture: Image.Image) -> bytes:
    """Return a picture as a file."""
    file = io.BytesIO()
    picture.save(file, "webp", quality=QUALITY, method=6)
    return file.getvalue()


def write(made: dict[str, bytes], folder: Path) -> None:
    """Write the files into a folder, and take away those that are not among them: all were made by then."""
    folder.mkdir(exist_ok=True)
    for name, content in made.items():
        (folder / name).write_bytes(content)
    for old in folder.glob("*.webp"):
        if old.name not in made:
            old.unlink()


def cut(shot: Image.Image, part: tuple[float, float, float, float]) -> Image.Image:
    """Return the middle of a part of a picture, in a card's shape."""
    sides = [round(share * side) for share, side in zip(part, 2 * shot.size, strict=True)]
    return ImageOps.fit(shot.convert("RGB").crop(tuple(sides)), SIZE)


if __name__ == "__main__":
    sys.exit(main())
