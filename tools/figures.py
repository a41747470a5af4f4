"""What a page needs to draw its widgets: a script file for each class, and the state of the models that it shows.

The site and the tests' pages take both from here, and `_static/widget-host.js` reads them. It makes drawings light.
"""

from __future__ import annotations

import base64
import hashlib
import inspect
import io
import json
import re
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from backbone.widgets.base import join

VIEW = '<script type="application/vnd.jupyter.widget-view+json">{}</script>'
STATE = '<script type="application/vnd.jupyter.widget-state+json">{}</script>'
LATER = '<script type="application/json" id="bb-buffers">{}</script>'
VIEW_TAG, STATE_TAG, LATER_TAG = (
    re.compile(re.escape(tag).replace(r"\{\}", r"\s*(\{.*?\})\s*"), re.DOTALL) for tag in (VIEW, STATE, LATER)
)
# What a notebook needs and a page does not.
UNUSED = {"layout", "tabbable", "tooltip"}

PICTURE = re.compile(r"data:image/png;base64,\s*([A-Za-z0-9+/=\s]+)")
DRAWING = re.compile(r'<svg (?=[^>]*viewBox="0 0 ([\d.]+) ([\d.]+)")([^>]*width: 100%; height: auto)')
GOOD, CLOSE = 95, 4  # quality of photographs, and how far a color may be off in the mean, of 255

# A plain script, which unlike a module also loads from a folder, and which nobody need allow "blob:" for.
SCRIPT = """\
(globalThis.backboneWidgets ??= {{}}).{name} = {{
css: {css},
make() {{
"use strict";
{module}
return backboneWidget;
}},
}};
"""

# A network's weights in a script, which also loads from a folder.
NETWORK = "(globalThis.backboneNetworks ??= {{}}).{name} = {parts};\n"
# Run as a worker it is the engine; run in a page, it hands over its own text, of which a page in a folder makes one.
ENGINE = """\
{{
const engine = () => {{
"use strict";
{module}
}};
if (globalThis.document) (globalThis.backboneNetworks ??= {{}}).engine = `(${{engine}})()`;
else engine();
}}
"""


def network_script(name: str, packed) -> str:
    """Return the script that hands over a packed network."""
    parts = {"layers": packed.layers, "weights": base64.b64encode(packed.data).decode()}
    return NETWORK.format(name=name, parts=json.dumps(parts, separators=(",", ":")))


def engine_script(module: str) -> str:
    """Return the script of the engine, given its joined module."""
    return ENGINE.format(module=module)


def class_name(model: dict) -> str:
    """Return the name of a model's class."""
    return model["state"]["_anywidget_id"].rpartition(".")[2]


def script(name: str, widget, tell=None) -> str:
    """Return the script that hands over a widget's code and style to the host; a class or an instance will do.

    Where `tell` is given, it makes of each of the code's files what pages get.
    """
    module = (join(Path(inspect.getfile(widget)).with_name("widget.js"), tell) if tell else str(widget._esm)).replace(
        "export default ", "const backboneWidget = "
    )
    module = re.sub(r"^export ", "", module, flags=re.MULTILINE)
    return SCRIPT.format(name=name, css=json.dumps(str(getattr(widget, "_css", ""))), module=module)


def version(*texts: str) -> str:
    """Return a short hash, which changes with the texts."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]


def state(
    models: dict[str, dict],
    scripts: dict[str, str],
    formulas: str | None = None,
    networks: dict[str, dict[str, str]] | None = None,
) -> tuple[str, str]:
    """Return two script tags: a page's models by their ids, with the addresses of their classes' scripts; and more.

    The second, "" where it would be empty, has the buffers that the first model does without. It belongs to the
    page's end: on a slow line what is read first should not wait for what only figures further down need.

    `formulas` is that of MathJax, which the host fetches after the figures in sight. `networks` are the addresses of
    "weights" and "engine" of those that a reader may ask for. Equal buffers stand in it once.
    Its key changes with anything in it: what a browser kept of another build is void.
    """
    buffers, shown, later = {}, {}, {}
    for number, (model_id, model) in enumerate(models.items()):
        traits = {name: value for name, value in model["state"].items() if name[0] != "_" and name not in UNUSED}
        paths = []
        for buffer in model.get("buffers", []):
            place = version(buffer["data"])
            if not number:
                buffers[place] = buffer["data"]
            elif place not in buffers:
                later[place] = buffer["data"]
            paths.append({"path": buffer["path"], "buffer": place})
        shown[model_id] = {"widget": class_name(model), "state": traits, "buffers": paths}
    content = {"scripts": scripts, "formulas": formulas, "models": shown, "buffers": buffers}
    if networks:
        content["networks"] = networks
    # A notebook is stored with sorted keys, so no widget may take an order from a dictionary's.
    content["key"] = version(json.dumps([content, later], sort_keys=True))
    return tag(STATE, content), tag(LATER, later) if later else ""


def tag(kind: str, content: dict) -> str:
    """Return a script tag with data in it, which no text can end early."""
    return kind.format(json.dumps(content, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c"))


def lighter(html: str) -> str:
    """Return a page's text with its drawings' pictures in fewer bytes, and with shapes that are known beforehand.

    A browser need not look into a drawing that is far from the window, if it knows how high it is.
    """
    html = DRAWING.sub(r"<svg \3; aspect-ratio: \1 / \2", html)
    return PICTURE.sub(lambda found: smallest(base64.b64decode(found[1])), html)


def smallest(png: bytes) -> str:
    """Return a picture as an address that holds it: exact, unless it looks the same at half the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    exact, lossy = webp(picture, lossless=True, quality=60), webp(picture, quality=GOOD)
    kind, data = min(("png", png), ("webp", exact), key=lambda one: len(one[1]))
    if len(lossy) < len(data) / 2:
        # Colors as they are seen, where a picture lets the page show through.
        seen = [one.convert("RGBA").convert("RGBa") for one in (picture, Image.open(io.BytesIO(lossy)))]
        if sum(ImageStat.Stat(ImageChops.difference(*seen)).mean[:3]) <= 3 * CLOSE:
            kind, data = "webp", lossy
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def webp(picture: Image.Image, **options) -> bytes:
    """Return a picture as WebP."""
    file = io.BytesIO()
    picture.save(file, "webp", **options)
    return file.getvalue()
