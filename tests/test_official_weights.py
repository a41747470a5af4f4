"""Official weights, end to end from a server on this computer: whole, damaged, of another shape, and offline."""

import hashlib
import pickle
import re
import socket

import browser as browsers  # tools/browser.py
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from backbone import data, models, pretrained
from backbone.pretrained import official, pictures

GENERATOR = torch.Generator().manual_seed(0)


def saved(folder, model, name="tiny"):
    """Save a model's weights as torchvision names its files, and return the file."""
    torch.save(model.state_dict(), folder / "file")
    digest = hashlib.sha256((folder / "file").read_bytes()).hexdigest()
    return (folder / "file").rename(folder / f"{name}-{digest[:8]}.pth")


def small(num_classes=10):
    return models.alexnet_small(num_classes, generator=GENERATOR)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Return an empty cache; the address is that of nobody until a test serves a folder."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(official, "ADDRESS", f"http://127.0.0.1:{unused.getsockname()[1]}/")
    for name in ("http_proxy", "HTTP_PROXY", "BACKBONE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BACKBONE_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("TQDM_DISABLE", "1")
    return tmp_path / "cache"


@pytest.fixture
def offer(tmp_path, cache, monkeypatch):
    """Return a function that serves a model's weights as those of "tiny", and gives the served file."""
    folder = tmp_path / "served"
    folder.mkdir()
    with browsers.serving(folder) as server:

        def offer_(model, build=small):
            monkeypatch.setattr(official, "ADDRESS", f"{server.url}/")
            path = saved(folder, model)
            monkeypatch.setitem(official.OFFICIAL, "tiny", official.Weights(build, path.name, 0, 0))
            return path

        yield offer_


def test_weights_are_fetched_once_and_give_their_logits(offer, cache, monkeypatch):
    model = small().eval()
    file = offer(model)
    x = torch.randn(2, 3, 32, 32, generator=GENERATOR)
    loaded = pretrained.load("tiny")
    assert not loaded.training
    assert all(parameter.requires_grad and not parameter.is_meta for parameter in loaded.parameters())
    assert torch.equal(loaded(x), model(x))
    file.unlink()
    monkeypatch.setenv("BACKBONE_OFFLINE", "1")
    assert torch.equal(pretrained.load("tiny")(x), model(x))  # from the cache
    assert [path.name for path in cache.iterdir()] == [file.name]


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_a_damaged_file_never_loads(offer, cache, damage):
    file = offer(small())
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(data.DownloadError, match=r"could not be fetched: what came has the SHA-256"):
        pretrained.load("tiny")
    assert list(cache.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_fetched_again(offer, cache):
    file = offer(small())
    cache.mkdir()
    (cache / file.name).write_bytes(file.read_bytes()[:1000])
    pretrained.load("tiny")
    assert (cache / file.name).read_bytes() == file.read_bytes()


class NoWeights:
    def state_dict(self):
        return [torch.zeros(3)]


@pytest.mark.parametrize("wrong", [lambda: small(11), lambda: models.lenet(generator=GENERATOR), NoWeights])
def test_weights_of_another_shape_never_load(offer, wrong):
    offer(wrong())
    with pytest.raises(RuntimeError, match=r"does not hold the weights of 'tiny'\. Delete it and load again"):
        pretrained.load("tiny")


def test_a_file_that_would_run_code_never_loads(offer, tmp_path, monkeypatch):
    class Trap:
        def __reduce__(self):
            return print, ("run",)

    file = offer(small())
    torch.save({"features.0.weight": Trap()}, file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    file = file.rename(file.with_name(f"trap-{digest[:8]}.pth"))
    monkeypatch.setitem(official.OFFICIAL, "tiny", official.Weights(small, file.name, 0, 0))
    with pytest.raises(pickle.UnpicklingError, match="Weights only load failed"):
        pretrained.load("tiny")


@pytest.mark.parametrize("forbidden", [True, False])
def test_without_a_network_the_error_says_what_to_do(cache, monkeypatch, forbidden):
    if forbidden:
        monkeypatch.setenv("BACKBONE_OFFLINE", "1")
    with pytest.raises(data.DownloadError) as raised:
        pretrained.load("alexnet")
    said = str(raised.value)
    assert said.startswith("alexnet-owt-7be5be79.pth could not be fetched: ")
    assert ("BACKBONE_OFFLINE is set" in said) == forbidden
    assert "Try again with a network. Without one, fetch the file elsewhere" in said
    assert "BACKBONE_DATA=/path/to/folder" in said
    assert not list(cache.glob("*"))


@pytest.mark.parametrize("name", official.OFFICIAL)
def test_every_network_is_one_of_ours_and_takes_its_prepared_pictures(name):
    weights = official.OFFICIAL[name]
    assert len(weights.sha256) in (8, 64)
    assert f"-{weights.sha256[:8]}.pth" in weights.file
    assert 50 < weights.top1 < weights.top5 < 100
    with torch.device("meta"):
        model = weights.build().eval()
        assert model(torch.empty(1, 3, weights.crop, weights.crop)).shape == (1, 1000)
    assert getattr(model, "transform_input", False) == (name in ("googlenet", "inception_v3"))
    for part in weights.untrained:
        assert hasattr(model, part)


def test_untrained_parts_are_taken_out(offer, monkeypatch):
    build = lambda: models.googlenet(10, transform_input=True, generator=GENERATOR)  # noqa: E731
    file = offer(build(), build)
    monkeypatch.setitem(official.OFFICIAL, "tiny", official.Weights(build, file.name, 0, 0, untrained=("aux1", "aux2")))
    model = pretrained.load("tiny")
    assert not any("aux" in name for name, _ in model.named_parameters())
    assert model.train()(torch.zeros(2, 3, 64, 64)).shape == (2, 10)


def test_pictures_are_prepared_as_the_accuracy_was_measured():
    picture = data.photo("chelsea", size=250, gray=False)
    assert pretrained.prepare("inception_v3", picture).shape == (1, 3, 299, 299)
    x = pretrained.prepare("alexnet", picture)
    assert x.shape == (1, 3, 224, 224)
    gray = pretrained.prepare("resnet50", torch.full((3, 300, 500), 0.5))
    expected = (0.5 - torch.tensor(pictures.MEAN)) / torch.tensor(pictures.STD)
    torch.testing.assert_close(gray[0].amax((1, 2)), expected)
    torch.testing.assert_close(gray[0].amin((1, 2)), expected)
    whole = torch.rand(3, 224, 224, generator=torch.Generator().manual_seed(0))
    found = pretrained.prepare("resnet50", whole, crop=1)
    torch.testing.assert_close(found[0], pretrained.normalize("resnet50", whole))


def test_resizing_agrees_with_pillow():
    """torchvision resizes with Pillow: bilinear, with a filter as wide as the step."""
    pixels = skimage.data.coffee()
    height, width = pixels.shape[:2]
    size = (256 * width // min(height, width), 256 * height // min(height, width))
    resized = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR)) / 255
    top, left = round((size[1] - 224) / 2), round((size[0] - 224) / 2)
    expected = (resized[top : top + 224, left : left + 224] - pictures.MEAN) / pictures.STD
    found = pretrained.prepare("alexnet", torch.from_numpy(pixels / 255).permute(2, 0, 1))
    assert np.abs(found[0].permute(1, 2, 0).numpy() - expected).max() < 1.5 / 255 / min(pictures.STD)


@pytest.mark.parametrize("shape", [(3,), (1, 10, 10), (10, 10, 3), (3, 0, 5)])
def test_a_picture_of_another_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"it must be \(3, H, W\) with values in \[0, 1\]"):
        pretrained.prepare("alexnet", torch.zeros(shape))


def test_an_unknown_network_or_range_is_refused():
    with pytest.raises(ValueError, match="must be one of 'efficientnet_lite0', 'alexnet', 'vgg11"):
        pretrained.prepare("lenet", torch.zeros(3, 9, 9))
    with pytest.raises(ValueError, match=r"values from 0 to 255"):
        pretrained.prepare("alexnet", torch.tensor([0.0, 255.0]).expand(3, 2, 2))


# In bytes, as strangers who keep the files have noted them.
SIZES = {
    "alexnet": 244_408_911,
    "vgg16": 553_433_881,
    "vgg19_bn": 574_769_405,
    "inception_v3": 108_949_747,
    "resnet18": 46_830_571,
    "resnet50": 102_530_333,
}


@pytest.mark.parametrize("name", SIZES)
def test_the_limit_leaves_room_for_the_file_and_little_more(name, monkeypatch):
    limits = []

    def fetch(*arguments, limit, **options):
        limits.append(limit)
        raise data.DownloadError("enough")

    monkeypatch.setattr(official, "fetch", fetch)
    with pytest.raises(data.DownloadError):
        pretrained.load(name)
    assert SIZES[name] + 100_000 < limits[0] < SIZES[name] + 1_100_000


def test_every_digest_is_that_of_a_file():
    firsts = [digest[:8] for digest in official.DIGESTS]
    assert len(set(firsts)) == len(official.DIGESTS)
    assert all(len(digest) == 64 for digest in official.DIGESTS)
    assert set(firsts) <= {weights.sha256[:8] for weights in official.OFFICIAL.values()}


def test_it_is_said_of_which_files_eight_digits_alone_are_known():
    short = {name for name, weights in official.OFFICIAL.items() if len(weights.sha256) == 8}
    of_load = pretrained.load.__doc__.partition("in full,")[2].partition("first eight digits")[0]
    assert set(re.findall(r'"(\w+)"', of_load)) == short
    assert set(re.findall(r"vgg\w+", official.__doc__)) == short
