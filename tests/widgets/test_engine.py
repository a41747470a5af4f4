"""The engine that runs a network in the page: its kernels, its numbers against PyTorch, and how it is loaded."""

import base64

import kernels
import numpy as np
import pytest
import torch

from backbone import pretrained
from backbone.data import PHOTOS, photo
from backbone.probes import Probe
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import SIDE, jpeg, pixels

NAMES = [name for name, about in PHOTOS.items() if about.crop[2] >= SIDE]
TAPS = ["_relu0", *(f"_blocks.{i}" for i in range(16)), "_relu1"]


@pytest.fixture(scope="module")
def full():
    return pretrained.load("efficientnet_lite0")


@pytest.fixture(scope="module")
def packed(full):
    return pretrained.pack(full)


@pytest.fixture(scope="module")
def files():
    return {name: jpeg(photo(name, SIDE, gray=False)) for name in NAMES}


@pytest.fixture(scope="module")
def inputs(files):
    return pretrained.normalize("efficientnet_lite0", torch.tensor(np.stack([pixels(one) for one in files.values()])))


def test_kernels_are_those_of_their_generator():
    assert kernels.TARGET.read_text("utf-8") == kernels.module()


BUILD = """async ([layers, data, plain]) => {
    window.net = await m.network(layers, m.decode(data), plain);
    return net.fast;
}"""
RUN = """([pixels, without, taps]) => {
    net.forward(pixels, without);
    return { logits: net.logits(), taps: taps.map((name) => net.tap(name).data) };
}"""


@pytest.fixture
def engine(module_of, packed):
    """Return a function that runs pictures (N, 3, 224, 224), 0 to 255, in the page: logits, and the taps named."""
    module = module_of(join(HERE / "engine" / "network.js"))

    def built(plain=False):
        assert module(BUILD, [packed.layers, base64.b64encode(packed.data).decode(), plain]) is not plain

        def run(picture, without=None, taps=()):
            last = np.moveaxis(np.asarray(picture), 0, -1).ravel().tolist()
            found = module(RUN, [last, without or {}, list(taps)])
            return np.array(found["logits"]), [np.array(values) for values in found["taps"]]

        return run

    return built


@pytest.mark.browser
@pytest.mark.parametrize("plain", [False, True], ids=["WebAssembly", "JavaScript"])
def test_logits_and_taps_are_those_of_pytorch(engine, full, files, inputs, plain):
    run = engine(plain)
    model = pretrained.rounded(full)
    with Probe(model, TAPS) as probe, torch.no_grad():
        logits = model(inputs)
    some = list(files)[:1] if plain else list(files)
    for i, name in enumerate(some):
        found, taps = run(255 * pixels(files[name]), taps=TAPS)
        np.testing.assert_allclose(found, logits[i], atol=1e-4)
        for tap, values in zip(TAPS, taps, strict=True):
            expected = probe.activations[tap][i].permute(1, 2, 0)
            np.testing.assert_allclose(values, expected.ravel(), atol=2e-5 * float(expected.abs().max()), err_msg=tap)
