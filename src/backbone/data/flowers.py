"""Color photographs of five kinds of flower, not shipped with this package.

They come from TensorFlow's ``flower_photos``, 3,670 photographs by many people on Flickr, all under CC BY 2.0; the file
LICENSE.txt in the archive names each author. Every picture is cut to its middle square and made 128 by 128 pixels.
"""

import io
import tarfile
import zipfile
from itertools import pairwise

import numpy as np
import torch
from PIL import Image

from backbone.data.download import cache_folder, fetch
from backbone.data.fashion_mnist import LabeledImages

KINDS = ("daisy", "dandelion", "roses", "sunflowers", "tulips")
PACKED = "flowers128_1200.npz"
ADDRESS = "https://storage.googleapis.com/download.tensorflow.org/example_images/flower_photos.tgz"
SHA256 = "4c54ace7911aaffe13a365c34f650e71dd5bf1be0a58b464e5a7183e3e595d9c"  # as tensorflow_datasets has it
LARGEST = 250_000_000  # bytes; the archive has 229 million
EACH, SIDE = 240, 128  # photographs of a kind; pixels


def flowers() -> LabeledImages:
    """Load 1,200 photographs, 240 of each kind.

    Looks in the folder that ``BACKBONE_DATA`` names, or else in the user's cache: first for ``flowers128_1200.npz``,
    then for ``flower_photos.tgz``. That archive is downloaded (229 MB) where both are missing. The two give different
    photographs of the same collection.

    Returns:
        The photographs, uint8 (1200, 3, 128, 128), and their kinds, in mixed order.

    Raises:
        backbone.data.download.DownloadError: the photographs are neither here nor can they be reached.
        ValueError: ``flowers128_1200.npz`` is damaged, or does not hold what it should: ``jpeg``, the bytes of all
            pictures one after the other, ``offsets``, where each begins, ``y``, its kind, and ``classes``.
    """
    packed = cache_folder() / PACKED
    if packed.is_file():
        return _unpacked(packed)
    return _chosen(fetch(ADDRESS, SHA256, "flower_photos.tgz", limit=LARGEST))


def _unpacked(path) -> LabeledImages:
    """Read pictures that were cut before."""
    needed = {"jpeg", "offsets", "y", "classes"}
    try:
        with path.open("rb") as file, np.load(file) as stored:
            arrays = {name: stored[name] for name in needed & set(stored)}
    except (EOFError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"flowers: {path} is damaged; remove it to use the archive") from error
    if missing := needed - set(arrays):
        raise ValueError(f"flowers: {path} lacks {', '.join(sorted(missing))}; remove it to use the archive")
    jpeg, offsets, labels = arrays["jpeg"], arrays["offsets"], arrays["y"].astype(np.int64)
    classes = tuple(str(one) for one in arrays["classes"])
    return LabeledImages(_stack(jpeg[a:b].tobytes() for a, b in pairwise(offsets)), torch.from_numpy(labels), classes)


def _chosen(path) -> LabeledImages:
    """Read the same photographs of the archive each time, and mix the kinds."""
    rng, photos = np.random.default_rng(0), []
    with tarfile.open(path) as archive:
        names = sorted(name for name in archive.getnames() if name.endswith(".jpg"))
        for label, kind in enumerate(KINDS):
            own = [name for name in names if f"/{kind}/" in name]
            photos += [(name, label) for name in rng.permutation(own)[:EACH]]
        photos = [photos[i] for i in rng.permutation(len(photos))]
        images = _stack(archive.extractfile(str(name)).read() for name, _ in photos)
    return LabeledImages(images, torch.tensor([label for _, label in photos]), KINDS)


def _stack(jpegs) -> torch.Tensor:
    """Return the middle squares of pictures, uint8 (N, 3, SIDE, SIDE)."""
    cut = []
    for jpeg in jpegs:
        with Image.open(io.BytesIO(jpeg)) as opened:
            picture = opened.convert("RGB")
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        square = picture.crop((left, top, left + side, top + side))
        cut.append(np.asarray(square.resize((SIDE, SIDE), Image.Resampling.BICUBIC)))
    return torch.from_numpy(np.stack(cut)).permute(0, 3, 1, 2).contiguous()
