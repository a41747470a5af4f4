"""Packing a network for the page: what stands in it, what rounding changes, and what is refused."""

import numpy as np
import pytest
import torch

from backbone import models, pretrained
from backbone.data import PHOTOS, photo


@pytest.fixture(scope="module")
def full():
    return pretrained.load("efficientnet_lite0")


@pytest.fixture(scope="module")
def packed(full):
    return pretrained.pack(full)


@pytest.fixture(scope="module")
def inputs():
    names = [name for name, about in PHOTOS.items() if about.crop[2] >= 224]
    return torch.cat([pretrained.prepare("efficientnet_lite0", photo(n, 224, gray=False)) for n in names])


def test_every_number_of_the_network_is_in_it(full, packed):
    weights = sum(
        layer["kernel"] ** 2 * layer["outputs"] * (1 if layer["kind"] == "depthwise" else layer["inputs"])
        for layer in packed.layers
    )
    learned = sum(p.numel() for p in full.parameters())
    norms = sum(2 * m.num_features for m in full.modules() if isinstance(m, torch.nn.BatchNorm2d))
    assert weights == learned - norms - 1000
    assert sum(layer["adds"] for layer in packed.layers) == 9
    assert len(packed.classes) == packed.layers[-1]["outputs"] == 1000
    assert 4.9e6 < len(packed.data) < 5.1e6


def test_folding_changes_nothing_and_rounding_little(full, inputs, monkeypatch):
    with torch.no_grad():
        exact, mixed = full(inputs), pretrained.rounded(full)(inputs)
        monkeypatch.setattr(pretrained.page, "_round", lambda weights, number, kind: (weights, None))
        folded = pretrained.rounded(full)(inputs)
    torch.testing.assert_close(folded, exact, atol=5e-5, rtol=0)
    assert (mixed - exact).abs().max() < 0.5
    first, second = exact.softmax(1).topk(2)[0].T
    sure = first - second >= 0.1  # the cat is one of two kinds, about equally
    assert sure.sum() >= 2
    assert torch.equal(mixed.argmax(1)[sure], exact.argmax(1)[sure])


def test_rounding_is_to_the_nearest_step():
    weights = np.random.default_rng(0).normal(size=(16, 40))
    values, scales = pretrained.page._round(weights, pretrained.page.FIRST, "pointwise")
    assert values.dtype == np.int8
    inside = np.abs(weights) <= 127 * scales[:, None]
    assert np.all(np.abs(values * scales[:, None] - weights)[inside] <= 0.5001 * scales.max())
    half, none = pretrained.page._round(weights, pretrained.page.FIRST, "depthwise")
    assert none is None
    np.testing.assert_array_equal(half, weights.astype(np.float16))


def test_packing_leaves_the_network_as_it_was_and_names_what_it_does_not_run(full):
    before = {name: value.clone() for name, value in full.state_dict().items()}
    pretrained.pack(full)
    pretrained.rounded(full)
    assert all(torch.equal(before[name], value) for name, value in full.state_dict().items())
    with pytest.raises(ValueError, match="model is a LeNet; the page's engine runs EfficientNetLite0 alone"):
        pretrained.pack(models.lenet())
    with pytest.raises(ValueError, match="2 names are given for 1000 outputs"):
        pretrained.pack(full, ["a", "b"])
