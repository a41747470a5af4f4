"""The engine that runs a network in the page: its kernels, its numbers against PyTorch, and how it is loaded."""

import base64

import kernels
import numpy as np
import pytest
import torch

from backbone.probes import Probe
from backbone.widgets.base import HERE, join
from backbone.widgets.engine import ENGINE, NetworkWidget, jpeg, pixels

TAPS = ["_relu0", *(f"_blocks.{i}" for i in range(16)), "_relu1"]
BUILD = """async ([layers, plain]) => {
    if (!nets.has(plain)) nets.set(plain, await m.network(layers, data, plain));
    return nets.get(plain).fast;
}"""
RUN = """([plain, pixels, without, taps]) => {
    const net = nets.get(plain);
    net.forward(pixels, without);
    return { logits: net.logits(), features: net.features(), taps: taps.map((name) => net.tap(name).data) };
}"""


def test_kernels_are_those_of_their_generator():
    assert kernels.TARGET.read_text("utf-8") == kernels.module()


@pytest.fixture(scope="module")
def engine(module_of, imagenet):
    """Return a function that starts the network in a page, each kind once; that returns one that runs a picture.

    A picture is (3, 224, 224). ``module`` is the page's evaluate. The networks live in that page: no test of this file
    may import another module into it.
    """
    module = module_of(join(HERE / "engine" / "network.js"))
    data = base64.b64encode(imagenet.packed.data).decode()
    module("(data) => { window.data = m.decode(data); window.nets = new Map(); }", data)

    def built(plain=False):
        assert module(BUILD, [imagenet.packed.layers, plain]) is not plain

        def run(picture, without=None, taps=()):
            pixels = (255 * np.moveaxis(picture, 0, -1)).ravel()
            return module(RUN, [plain, pixels, without or {}, list(taps)])

        return run

    built.module = module
    return built


@pytest.mark.parametrize("plain", [False, True], ids=["WebAssembly", "JavaScript"])
def test_logits_and_taps_are_those_of_pytorch(engine, imagenet, plain):
    run = engine(plain)
    with Probe(imagenet.model, [*TAPS, "_flatten"]) as probe, torch.no_grad():
        logits = imagenet.model(imagenet.inputs)
    for i, photo in enumerate(list(imagenet.photos.values())[: 1 if plain else None]):
        found = run(pixels(photo), taps=TAPS)
        np.testing.assert_allclose(found["logits"], logits[i], atol=1e-4)
        np.testing.assert_allclose(found["features"], probe.activations["_flatten"][i], atol=1e-4)
        for tap, values in zip(TAPS, found["taps"], strict=True):
            expected = probe.activations[tap][i].permute(1, 2, 0)
            np.testing.assert_allclose(values, expected.ravel(), atol=2e-5 * float(expected.abs().max()), err_msg=tap)


def test_cuts_are_those_of_pytorch(engine, imagenet):
    run = engine()
    picture = pixels(imagenet.photos["coffee"])
    blocks = imagenet.model._blocks
    for number in (2, 9, 14):
        block = blocks[number]
        with torch.no_grad(), pytest.MonkeyPatch.context() as patch:  # other tests have the same model
            patch.setitem(blocks._modules, str(number), torch.nn.Identity())
            branch = imagenet.model(imagenet.inputs[:1])[0]
            patch.setitem(blocks._modules, str(number), block)
            patch.setattr(block, "residual", False)
            skip = imagenet.model(imagenet.inputs[:1])[0]
        for part, expected in (("branch", branch), ("skip", skip)):
            found = run(picture, {f"_blocks.{number}": part})["logits"]
            np.testing.assert_allclose(found, expected, atol=2e-4, err_msg=f"{number} {part}")


def test_the_mean_of_the_local_scores_and_the_bias_are_the_score(engine, imagenet):
    run = engine()
    found = run(pixels(imagenet.photos["coffee"]), taps=["_relu1"])
    head = imagenet.model._fc
    local = np.reshape(found["taps"][0], (49, 1280)) @ head.weight[967].detach().numpy()
    assert local.mean() + head.bias[967].item() == pytest.approx(found["logits"][967], abs=1e-4)


def test_the_checksum_is_that_of_zlib(engine, imagenet):
    assert engine.module("() => m.checksum(data)") == imagenet.packed.checksum


def test_a_picture_goes_over_as_a_small_jpeg():
    picture = np.random.default_rng(0).uniform(size=(3, 224, 224))
    smooth = np.linspace(0, 1, 224) * np.ones((3, 224, 1))
    assert np.abs(pixels(jpeg(smooth)) - smooth).max() < 0.01
    assert pixels(jpeg(picture)).shape == (3, 224, 224)
    with pytest.raises(ValueError, match=r"jpeg: photograph has shape \(3, 10, 10\)"):
        jpeg(picture[:, :10, :10])


def test_python_answers_with_the_engine_and_the_bytes(imagenet):
    widget = NetworkWidget(imagenet.packed, imagenet.photos, imagenet.alts)
    sent = []
    widget.send = lambda content, buffers: sent.append((content, buffers))
    widget._hear(widget, {"ask": "nothing"}, [])
    widget._hear(widget, {"ask": "network"}, [])
    [(content, buffers)] = sent
    assert content == {"answer": "network", "engine": ENGINE, "layers": list(imagenet.packed.layers)}
    assert buffers == [imagenet.packed.data]


def test_errors_say_what_is_missing(imagenet):
    with pytest.raises(ValueError, match="NetworkWidget: photos is empty; give at least one"):
        NetworkWidget(imagenet.packed, {}, {})
    with pytest.raises(ValueError, match="NetworkWidget: alts says nothing of camera, rocket; say what"):
        NetworkWidget(imagenet.packed, imagenet.photos, {"coffee": "A cup"})
