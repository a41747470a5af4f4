"""What tests of the widgets share: a module in a page."""

import json
from types import SimpleNamespace

import pytest

from backbone.widgets.base import HERE, join

IMPORT = """async (source) => {
    window.m = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
}"""


# Playwright looks at every number that it carries, which for a network's weights takes longer than all that is tested;
# a text it carries whole. JSON has no word for infinity and for what is no number.
CALL = """async ([expression, text]) => {
    const odd = (value) => typeof value === "number" && !Number.isFinite(value);
    const plain = (_, value) => ArrayBuffer.isView(value) ? [...value] : odd(value) ? { odd: String(value) } : value;
    const f = (0, eval)(expression);
    return JSON.stringify(await (typeof f === "function" ? f(JSON.parse(text)) : f), plain) ?? "null";
}"""


@pytest.fixture(scope="module")
def module_of(tabs):
    """Given a module's source, such as a widget's ``_esm``, import it as ``m`` into a page; return its evaluate.

    The page is empty again before each import.
    """
    with tabs() as tab:

        def imported(source):
            tab.page.goto("about:blank")
            tab.page.evaluate(IMPORT, source)
            return evaluate

        def evaluate(expression, given=None):
            found = tab.page.evaluate(CALL, [expression, json.dumps(given)])
            return json.loads(found, object_hook=lambda entry: float(entry["odd"]) if "odd" in entry else entry)

        yield imported


@pytest.fixture(scope="session")
def imagenet():
    """Return what figures with a network are made of, and the network with the page's weights.

    ``packed``, ``photos`` (name -> JPEG), ``alts``, ``model`` and ``inputs`` (N, 3, 224, 224), as the model takes them.
    """
    import numpy as np
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
