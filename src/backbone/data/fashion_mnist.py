"""Fashion-MNIST: pictures of clothes, 28 by 28 pixels, gray, ten classes.

A balanced part, 6,000 pictures to train on and 1,000 to test with, is shipped with the package;
`experiments/fashion_mnist.py` chose it. The whole set, 60,000 and 10,000, is downloaded when it is asked for.

Source: Xiao, Rasul, Vollgraf 2017, arXiv:1708.07747. Copyright 2017 Zalando SE, MIT license (`FASHION_MNIST_LICENSE`
beside this file).
"""

import gzip
import operator
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import numpy as np
import torch

from backbone.checks import one_of
from backbone.data.download import fetch
from backbone.data.transforms import Statistics

CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
SUBSET = "fashion_mnist.npz"
ADDRESS = "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/"
LARGEST = 30_000_000  # bytes; the training pictures have 26 million
# SHA-256 of the files as their authors publish them, then as Debian's `dataset-fashion-mnist` packs the same bytes.
FILES = {
    ("train", "images"): (
        "train-images-idx3-ubyte.gz",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "b0564c3eedabfbf835052cff8503ea422014ce006caf5b757f851416ee8300c7",
    ),
    ("train", "labels"): (
        "train-labels-idx1-ubyte.gz",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "0ae29f65d86684f32d1b9c85147786c547b9c6aebcaf235f0400a0cce308b056",
    ),
    ("test", "images"): (
        "t10k-images-idx3-ubyte.gz",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "cc1d090a38ace84dfa1aa66e3ada7c336ef481a96936906477e6dd344da56eaa",
    ),
    ("test", "labels"): (
        "t10k-labels-idx1-ubyte.gz",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
        "8d3605d196f4be44669e46906da9733c8131fef761fdbfec72c424d5222f1a05",
    ),
}

FASHION_MNIST_STATISTICS = Statistics(mean=torch.tensor([0.2860406]), std=torch.tensor([0.3530242]))
"""Mean and standard deviation of all pixels of the 60,000 training pictures, in [0, 1]; a tool computed them."""


@dataclass(frozen=True)
class LabeledImages:
    """Pictures with their classes.

    Attributes:
        images: uint8 tensor (N, C, H, W), 0 to 255; of Fashion-MNIST (N, 1, 28, 28), 0 black to 255 white.
        labels: int64 tensor (N,), positions in ``classes``.
        classes: the names of the classes.
    """

    images: torch.Tensor
    labels: torch.Tensor
    classes: tuple[str, ...] = CLASSES

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index) -> "LabeledImages":
        """Return some of the pictures: by a position, a slice, a tensor or array of positions, or a boolean mask."""
        with suppress(TypeError):  # a slice or a list is no single position
            index = index if np.ndim(index) else [operator.index(index)]
        return LabeledImages(self.images[index], self.labels[index], self.classes)


def fashion_mnist(split: str = "train", full: bool = False) -> LabeledImages:
    """Load Fashion-MNIST.

    Args:
        split: "train" or "test". The packaged part keeps the split: its 1,000 test pictures are among the 10,000.
        full: load all 60,000 or 10,000 pictures, downloaded once (26 or 4 MB) into the folder that ``BACKBONE_DATA``
            names, or else the user's cache.

    Returns:
        The pictures with their labels. In the packaged part each class has as many pictures as every other.

    Raises:
        ValueError: for another split.
        backbone.data.download.DownloadError: the full set is neither here nor can it be reached.
    """
    one_of("fashion_mnist", "split", split, ("train", "test"))
    if full:
        return LabeledImages(
            torch.from_numpy(read_idx(_file(split, "images"))[:, None]),
            torch.from_numpy(read_idx(_file(split, "labels")).astype(np.int64)),
        )
    with files("backbone.data").joinpath(SUBSET).open("rb") as file, np.load(file) as arrays:
        images = torch.from_numpy(arrays[f"{split}_images"][:, None])  # (N, 1, 28, 28)
        labels = torch.from_numpy(arrays[f"{split}_labels"].astype(np.int64))
    return LabeledImages(images, labels)


def _file(split: str, kind: str) -> Path:
    name, *digests = FILES[split, kind]
    return fetch(ADDRESS + name, digests, name, limit=LARGEST)


def read_idx(path: Path) -> np.ndarray:
    """Read an array of bytes from a gzipped file in the IDX format.

    The format: two zero bytes, 8 for "unsigned byte", the number of axes, the size of each axis as a big-endian 32-bit
    number, then the values. Source: Y. LeCun's page on MNIST.
    """
    data = gzip.decompress(Path(path).read_bytes())
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"read_idx: {path} begins with {data[:3]!r}; an IDX file of bytes begins with 00 00 08")
    axes = data[3]
    shape = np.frombuffer(data, ">u4", count=axes, offset=4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * axes).reshape(shape).copy()
