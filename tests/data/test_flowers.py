"""The flowers: both kinds of file, what is damaged or missing; made-up pictures stand for the photographs."""

import hashlib
import io
import sys
import tarfile

import numpy as np
import pytest
import torch
from PIL import Image

from backbone.data import DownloadError, flowers
from backbone.data.flowers import KINDS

MODULE = "backbone.data.flowers"  # the package's function hides the module of the same name
COLORS = {"daisy": 20, "dandelion": 70, "roses": 120, "sunflowers": 170, "tulips": 220}


def jpeg(value, size=(40, 30)) -> bytes:
    """Return a gray JPEG; an eighth on the left and on the right is black."""
    pixels = np.full((size[1], size[0], 3), value, np.uint8)
    pixels[:, : size[0] // 8] = pixels[:, -(size[0] // 8) :] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BACKBONE_DATA", str(tmp_path))
    monkeypatch.setenv("BACKBONE_OFFLINE", "1")
    return tmp_path


def pack(path, **changes):
    pictures = [jpeg(value) for value in COLORS.values()]
    arrays = {
        "jpeg": np.frombuffer(b"".join(pictures), np.uint8),
        "offsets": np.cumsum([0, *map(len, pictures)]),
        "y": np.arange(5),
        "classes": np.array(KINDS),
    }
    np.savez(path / "flowers128_1200.npz", **{k: v for k, v in (arrays | changes).items() if v is not None})


def test_the_packed_file_is_read(folder):
    pack(folder)
    found = flowers()
    assert found.images.shape == (5, 3, 128, 128)
    assert found.images.dtype == torch.uint8
    assert found.classes == KINDS
    assert found.labels.tolist() == list(range(5))
    middle = found.images[:, :, 40:88, 40:88].float().mean((1, 2, 3))
    assert middle.tolist() == pytest.approx(list(COLORS.values()), abs=4)


def test_a_packed_file_that_lacks_something_is_named(folder):
    pack(folder, offsets=None)
    with pytest.raises(ValueError, match=r"flowers128_1200\.npz lacks offsets; remove it"):
        flowers()


@pytest.mark.parametrize("size", [0, 500, -9])
def test_a_packed_file_that_is_damaged_is_named(folder, size):
    pack(folder)
    path = folder / "flowers128_1200.npz"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=r"flowers128_1200\.npz is damaged; remove it"):
        flowers()


@pytest.fixture
def archive(folder, monkeypatch):
    """Put an archive of 7 pictures a kind where the cache is, and ask for 3 of each."""
    path = folder / "flower_photos.tgz"
    with tarfile.open(path, "w:gz") as file:
        for name in [f"{kind}/{i}.jpg" for kind in KINDS for i in range(7)] + ["LICENSE.txt"]:
            kind = name.split("/")[0]
            content = jpeg(COLORS[kind]) if kind in COLORS else b"CC BY 2.0"
            member = tarfile.TarInfo(f"flower_photos/{name}")
            member.size = len(content)
            file.addfile(member, io.BytesIO(content))
    monkeypatch.setattr(sys.modules[MODULE], "EACH", 3)
    monkeypatch.setattr(sys.modules[MODULE], "SHA256", hashlib.sha256(path.read_bytes()).hexdigest())
    return path


def test_the_archive_is_read_alike_each_time(archive):
    found, again = flowers(), flowers()
    assert found.images.shape == (15, 3, 128, 128)
    assert torch.bincount(found.labels).tolist() == [3] * 5
    assert found.labels.tolist() != sorted(found.labels.tolist())
    assert torch.equal(found.images, again.images)
    assert torch.equal(found.labels, again.labels)
    wanted = torch.tensor([list(COLORS.values())[label] for label in found.labels])
    assert torch.allclose(found.images[:, :, 40:88, 40:88].float().mean((1, 2, 3)), wanted.float(), atol=4)
    assert found.images[:, :, 64, 4].float().mean() > 15  # the middle square: the black sides are cut off


def test_a_damaged_archive_is_not_used(archive):
    archive.write_bytes(archive.read_bytes()[:-9])
    with pytest.raises(DownloadError, match=r"flower_photos\.tgz is damaged"):
        flowers()


def test_without_the_photographs_it_says_what_to_do(folder):
    with pytest.raises(DownloadError, match=r"BACKBONE_OFFLINE is set[\s\S]*BACKBONE_DATA="):
        flowers()
