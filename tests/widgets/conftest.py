"""What tests of the widgets share: a module in a page."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest

from backbone.widgets.base import HERE, join

IMPORT = """async (source) => {
    window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}"""


# Playwright looks at every number that it carries, which for a network's weights takes longer than all that is tested;
# a text it carries whole. Arrays are the text of their bytes. JSON has no word for infinity and for what is no number.
CALL = """async ([expression, text]) => {
    const read = (_, value) => value?.bytes === undefined ? value
        : new globalThis[value.type](Uint8Array.fromBase64(value.bytes).buffer);
    const bytesOf = ({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength).toBase64();
    const odd = (value) => typeof value === "number" && !Number.isFinite(value);
    const plain = (_, value) => ArrayBuffer.isView(value) ? { type: value.constructor.name, bytes: bytesOf(value) }
        : odd(value) ? { odd: String(value) } : value;
    const f = (0, eval)(expression);
    return JSON.stringify(await (typeof f === "function" ? f(JSON.parse(text, read)) : f), plain) ?? "null";
}"""


def packed(array):
    """Return what CALL makes a typed array of."""
    if not isinstance(array, np.ndarray) or array.dtype.name not in ("uint8", "float32", "float64") or array.ndim != 1:
        raise TypeError(f"{array!r:.80} cannot go to the page; give a row of bytes or floats")
    return {"type": f"{array.dtype.name.capitalize()}Array", "bytes": base64.b64encode(array.tobytes()).decode()}


def unpacked(entry):
    """Return the list or the number that CALL has put into words."""
    if entry.keys() == {"type", "bytes"}:
        kind = entry["type"].removesuffix("Array").replace("Clamped", "").lower()
        return np.frombuffer(base64.b64decode(entry["bytes"]), kind).tolist()
    return float(entry["odd"]) if "odd" in entry else entry


@pytest.fixture(scope="module")
def module_of(tabs):
    """Given a module's source, such as a widget's ``_esm``, import it as ``m`` into a page; return its evaluate.

    The page is empty again before each import. An array of NumPy that is given is a typed array there, and back comes a
    list.
    """
    with tabs() as tab:

        def imported(source):
            tab.page.goto("about:blank")
            tab.page.evaluate(IMPORT, source)
            return evaluate

        def evaluate(expression, given=None):
            found = tab.page.evaluate(CALL, [expression, json.dumps(given, default=packed)])
            return json.loads(found, object_hook=unpacked)

        yield imported


@pytest.fixture(scope="session")
def imagenet():
    """Return what figures with a network are made of, and the network with the page's weights.

    ``packed``, ``photos`` (name -> JPEG), ``alts``, ``model`` and ``inputs`` (N, 3, 224, 224), as the model takes them.
    """
    import torch

    from backbone import pretrained
    from backbone.data import PHOTOS, photo
    from backbone.widgets.engine import SIDE, jpeg, pixels

    full = pretrained.load("efficientnet_lite0")
    photos = {name: jpeg(photo(name, SIDE, gray=False)) for name in ("coffee", "camera", "rocket")}
    inputs = torch.tensor(np.stack([pixels(one) for one in photos.values()]))
    return SimpleNamespace(
        packed=pretrained.pack(full),
        photos=photos,
        alts={name: PHOTOS[name].alt for name in photos},
        model=pretrained.rounded(full),
        inputs=pretrained.normalize("efficientnet_lite0", inputs),
    )


@pytest.fixture(scope="module")
def module(module_of, request):
    """Return the evaluate of a page with the maths of the widget after which the test's file is named."""
    return module_of(join(HERE / request.path.stem.removeprefix("test_") / "maths.js"))
