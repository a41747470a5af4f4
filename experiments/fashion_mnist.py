"""Choose the part of Fashion-MNIST that is shipped with the package, and measure the statistics of the whole.

    python experiments/fashion_mnist.py

Takes 600 pictures of each class from the training set and 100 from the test set, drawn with a fixed seed, in a
shuffled order. Where there is no network, Debian's package `dataset-fashion-mnist` has the files:
BACKBONE_DATA=/usr/share/datasets/fashion-mnist.
"""

from pathlib import Path

import numpy as np

import backbone.data
from backbone.data.fashion_mnist import SUBSET, fashion_mnist
from backbone.data.transforms import channel_statistics, to_float

SEED = 0
PER_CLASS = {"train": 600, "test": 100}


def main() -> None:
    """Write the archive and print what it holds."""
    rng = np.random.default_rng(SEED)
    arrays = {}
    for split, count in PER_CLASS.items():
        whole = fashion_mnist(split, full=True)
        labels = whole.labels.numpy()
        chosen = np.concatenate([rng.choice(np.flatnonzero(labels == c), count, replace=False) for c in range(10)])
        rng.shuffle(chosen)
        arrays[f"{split}_images"] = whole.images.numpy()[chosen, 0]
        arrays[f"{split}_labels"] = labels[chosen].astype(np.uint8)
        if split == "train":
            found = channel_statistics(to_float(whole.images))
            print(f"all training pictures: mean {found.mean.item():.7f}, deviation {found.std.item():.7f}")
    path = Path(backbone.data.__file__).parent / SUBSET
    np.savez_compressed(path, **arrays)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
