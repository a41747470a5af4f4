"""The packaged part of Fashion-MNIST, and the whole set through a server of our own."""

import gzip
import hashlib
import re
import struct
import sys
from importlib.resources import files

import numpy as np
import pytest
import torch

from backbone.data import FASHION_MNIST_STATISTICS, channel_statistics, fashion_mnist, to_float
from backbone.data.download import DownloadError
from backbone.data.fashion_mnist import FILES, read_idx

MODULE = "backbone.data.fashion_mnist"


@pytest.mark.parametrize(("split", "each"), [("train", 600), ("test", 100)])
def test_the_packaged_part_is_balanced(split, each):
    images = fashion_mnist(split)
    assert images.images.shape == (10 * each, 1, 28, 28)
    assert images.images.dtype == torch.uint8
    assert images.labels.dtype == torch.int64
    assert images.labels.bincount().tolist() == [each] * 10
    assert len(images) == 10 * each
    assert len(images.classes) == 10
    assert len(set(images.labels[:50].tolist())) > 5, "the classes are mixed"


def test_no_test_picture_is_a_training_picture():
    train, test = (set(map(bytes, fashion_mnist(split).images.numpy())) for split in ("train", "test"))
    assert not train & test


def test_the_statistics_are_near_those_of_the_part():
    part = channel_statistics(to_float(fashion_mnist().images))
    assert part.mean.item() == pytest.approx(FASHION_MNIST_STATISTICS.mean.item(), abs=0.003)
    assert part.std.item() == pytest.approx(FASHION_MNIST_STATISTICS.std.item(), abs=0.003)


def test_some_pictures_can_be_taken_out():
    images = fashion_mnist("test")
    assert len(images[:30]) == 30
    for one in (5, np.int64(5), torch.tensor(5), [5], np.array([5])):
        assert torch.equal(images[one].images, images.images[5:6])
        assert len(images[one]) == 1
    bags = images[images.labels == 8]
    assert len(bags) == 100
    assert set(bags.labels.tolist()) == {8}
    assert bags.classes == images.classes


@pytest.mark.parametrize("split", ["validation", "", None, 0])
def test_an_unknown_split_lists_the_splits(split):
    with pytest.raises(ValueError, match=re.escape(f"split is {split!r}; it must be one of 'train', 'test'")):
        fashion_mnist(split)


def test_the_license_is_beside_the_pictures():
    text = files("backbone.data").joinpath("FASHION_MNIST_LICENSE").read_text("utf-8")
    assert "Zalando SE" in text
    assert "Permission is hereby granted" in text


def idx(array):
    head = b"\x00\x00\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return gzip.compress(head + array.tobytes())


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """Put a small "whole set" where the offline way looks for it."""
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (7, 28, 28), np.uint8), np.arange(7, dtype=np.uint8)
    table = dict(FILES)
    for kind, array in (("images", images), ("labels", labels)):
        name = FILES["test", kind][0]
        (tmp_path / name).write_bytes(idx(array))
        digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
        table["test", kind] = (name, "0" * 64, digest)
    # The package's function hides the module of the same name, so it is reached by its full name.
    monkeypatch.setattr(sys.modules[MODULE], "FILES", table)
    monkeypatch.setattr(sys.modules[MODULE], "ADDRESS", "http://127.0.0.1:9/")
    monkeypatch.setenv("BACKBONE_DATA", str(tmp_path))
    return images, labels, tmp_path


def test_the_whole_set_is_read_from_the_folder_that_is_named(whole):
    images, labels, _ = whole
    found = fashion_mnist("test", full=True)
    assert np.array_equal(found.images[:, 0].numpy(), images)
    assert np.array_equal(found.labels.numpy(), labels)


def test_a_damaged_file_is_not_used(whole):
    *_, folder = whole
    path = folder / FILES["test", "images"][0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DownloadError, match=r"damaged[\s\S]*BACKBONE_DATA"):
        fashion_mnist("test", full=True)


def test_a_file_that_is_no_idx_file_is_named(tmp_path):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(b"hello"))
    with pytest.raises(ValueError, match="begins with"):
        read_idx(path)
