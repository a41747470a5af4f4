"""What was taught in a page, read in Python."""

import base64
import json

import numpy as np
import pytest
import torch

from backbone import pretrained
from backbone.pretrained import read_taught, unit_features

RNG = np.random.default_rng(0)


def packed(array):
    return base64.b64encode(np.asarray(array, "<f4").tobytes()).decode()


@pytest.fixture
def content():
    return {
        "format": "backbone taught classes",
        "version": 1,
        "network": "efficientnet_lite0",
        "crc": 7,
        "classes": ["cup", "plate"],
        "labels": [0, 1, 1],
        "pictures": ["", "", ""],
        "features": packed(RNG.normal(size=(3, 1280)) / 36),
        "weights": packed(RNG.normal(size=(2, 1280))),
        "bias": packed([0.5, -0.5]),
    }


@pytest.mark.parametrize("kind", ["file", "dict"])
def test_names_features_and_head_are_read(content, tmp_path, kind):
    path = tmp_path / "taught.json"
    path.write_text(json.dumps(content), "utf-8")
    taught = read_taught(path if kind == "file" else content)
    assert taught.classes == ("cup", "plate")
    assert taught.features.shape == (3, 1280)
    assert taught.labels.tolist() == [0, 1, 1]
    assert taught.weights.shape == (2, 1280)
    assert taught.bias.tolist() == [0.5, -0.5]
    assert taught.checksum == 7
    logits = torch.from_numpy(taught.features @ taught.weights.T + taught.bias)
    np.testing.assert_allclose(taught.shares(taught.features), torch.softmax(logits, 1), atol=1e-6)
    with pytest.raises(ValueError, match=r"features has shape \(1, 3\); it must be \(M, 1280\)"):
        taught.shares([[1, 2, 3]])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "else"}, "holds no taught classes"),
        ({"version": 2}, "of version 2, and this package reads 1"),
        ({"network": "resnet50"}, "the features are of 'resnet50'; it must be 'efficientnet_lite0'"),
        ({"classes": ["cup"]}, r"classes is \['cup'\]; it must be 2 to 5 names"),
        ({"classes": ["cup", " "]}, "it must be 2 to 5 names"),
        ({"labels": [0, 1, 2]}, "it must be numbers from 0 to 1"),
        ({"labels": []}, "it must be numbers from 0 to 1"),
        ({"labels": [1, 1, 1]}, "all pictures are of one class; teach a second one"),
        ({"labels": [0, 1]}, "features was altered"),
        ({"features": "no base64!"}, "features was altered"),
        ({"weights": packed(np.full((2, 1280), np.nan))}, "weights was altered"),
        ({"bias": 3}, "bias was altered"),
        ({"crc": None}, "crc is None"),
    ],
)
def test_errors_say_what_is_wrong(content, change, message):
    with pytest.raises(ValueError, match=message):
        read_taught(content | change)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_taught(tmp_path / "nothing.json")
    for data in (b"\xff\xd8\xff", b"{"):
        (tmp_path / "photo.json").write_bytes(data)
        with pytest.raises(ValueError, match="is no JSON file"):
            read_taught(tmp_path / "photo.json")
    (tmp_path / "photo.json").write_text("[1]", "utf-8")
    with pytest.raises(ValueError, match="holds no taught classes"):
        read_taught(tmp_path / "photo.json")


def test_features_are_what_the_last_layer_gets_at_length_1():
    model = pretrained.load("efficientnet_lite0")
    pictures = torch.rand(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    found = torch.from_numpy(unit_features(model, pictures))
    assert found.norm(dim=1).tolist() == pytest.approx([1, 1])
    with torch.no_grad():
        logits = model(pretrained.normalize("efficientnet_lite0", pictures)) - model._fc.bias
        through = found @ model._fc.weight.T
    lengths = logits.norm(dim=1, keepdim=True) / through.norm(dim=1, keepdim=True)
    torch.testing.assert_close(through * lengths, logits, atol=1e-4, rtol=1e-4)
    with pytest.raises(ValueError, match=r"unit_features: pictures .*\(N, 3, 224, 224\)"):
        unit_features(model, torch.zeros(3, 96, 96))
