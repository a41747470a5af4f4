"""Measure what transfer gains, and write the table that the chapter on transfer learning shows.

    python tools/measure_transfer.py [flowers128_1200.npz]

What is written to ``src/backbone/data/transfer.json``, a row for each setting and an accuracy for each seed:

* ``surfaces``: gray patches of 14 surfaces, the training patches from the left half of each picture, the test patches
  from the right. A seed draws the patches, both sides anew. Pixels and ImageNet features get the same linear layer.
* ``fashion``: a network learns five classes of Fashion-MNIST and is carried to the other five. A seed draws the
  halves, the labels and the first weights.
* ``flowers``: only where the file with the photographs is given; frozen features and a linear layer.
"""

import copy
import io
import json
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from skimage import color
from skimage import data as pictures
from sklearn.datasets import load_sample_image
from torch import nn

from backbone import data, pretrained, training
from backbone.models.efficientnet import normalize
from backbone.models.initialization import initialize

SKIMAGE = "brick grass gravel coffee chelsea hubble_deep_field immunohistochemistry retina moon rocket page coins"
SKLEARN = "china.jpg flower.jpg"
PATCH, SIDE = 72, 96  # pixels of a patch; of the picture that the large network sees
LABELS, TESTS = (2, 5, 10, 40), 20  # a surface
SHOTS, STEPS, BATCH = (2, 10, 50, 600), 200, 64
WAYS = {"scratch": (None, 1e-3), "frozen": (0.0, 1e-3), "one rate": (1e-3, 1e-3), "two rates": (1e-4, 1e-3)}


def surfaces() -> list[np.ndarray]:
    """Return the 14 pictures, gray, (H, W), values in [0, 1]."""
    found = [getattr(pictures, name)() for name in SKIMAGE.split()]
    found += [load_sample_image(name) for name in SKLEARN.split()]
    return [(color.rgb2gray(p) if p.ndim == 3 else p / 255).astype(np.float32) for p in found]


def patches(photos, count, right, rng):
    """Draw patches that lie wholly in one half: (classes x count, 1, PATCH, PATCH) and labels."""
    cut = []
    for photo in photos:
        height, width = photo.shape
        half = photo[:, width // 2 :] if right else photo[:, : width // 2]
        for _ in range(count):
            top, left = rng.integers(height - PATCH + 1), rng.integers(half.shape[1] - PATCH + 1)
            cut.append(half[top : top + PATCH, left : left + PATCH])
    return torch.tensor(np.stack(cut))[:, None], torch.arange(len(photos)).repeat_interleave(count)


def features(body, x) -> torch.Tensor:
    """Return the last features (N, 1280) of pictures (N, 1 or 3, H, W) in [0, 1]; nothing in the network moves."""
    body.eval()
    with torch.no_grad():
        out = []
        for part in x.expand(-1, 3, -1, -1).split(20):
            big = nn.functional.interpolate(part, (SIDE, SIDE), mode="bilinear", antialias=True)
            out.append(body(normalize(big)))
        return torch.cat(out)


def linear(x, y, test_x, test_y, decay=1e-2, steps=300) -> float:
    """Train a linear layer on standardized features, the statistics from the training pictures; return accuracy."""
    x, test_x = x.flatten(1), test_x.flatten(1)
    mean, std = x.mean(0), x.std(0, correction=0).clamp(min=1e-3)
    x, test_x = (x - mean) / std, (test_x - mean) / std
    head = nn.Linear(x.shape[1], int(y.max()) + 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3, weight_decay=decay)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.cross_entropy(head(x), y).backward()
        optimizer.step()
    return accuracy(head, test_x, test_y)


def accuracy(model, x, y) -> float:
    """Return the share of right answers, 0 to 1."""
    return (training.predict(model, x).argmax(1) == y).float().mean().item()


def cnn(classes, side, generator) -> nn.Sequential:
    """Return a small network: a body of three layers and a head, the last module."""
    pooled = side // 4
    body = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * pooled**2, 64), nn.ReLU(),
    )  # fmt: skip
    return initialize(nn.Sequential(body, nn.Linear(64, classes)), generator)


def train(model, x, y, groups, generator, steps=STEPS) -> None:
    """Train in place with Adam for so many batches."""
    optimizer = torch.optim.Adam(groups)
    for _ in range(steps):
        some = torch.randint(len(x), (BATCH,), generator=generator)
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(x[some]), y[some]).backward()
        optimizer.step()


def measure_surfaces(body, seed) -> dict:
    """Return (labels a class, way) -> accuracy for one draw of patches."""
    rng = np.random.default_rng(seed)
    photos = surfaces()
    x, y = patches(photos, max(LABELS), False, rng)
    test_x, test_y = patches(photos, TESTS, True, rng)
    f, test_f = features(body, x), features(body, test_x)
    order = torch.arange(len(x)).view(len(photos), -1)
    found = {}
    for count in LABELS:
        some = order[:, :count].flatten()
        found[count, "features"] = linear(f[some], y[some], test_f, test_y)
        small, test_small = (nn.functional.avg_pool2d(z, 2) for z in (x, test_x))
        found[count, "pixels"] = linear(small[some], y[some], test_small, test_y)
        generator = torch.Generator().manual_seed(seed)
        mean, std = small[some].mean(), small[some].std()
        model = cnn(len(photos), PATCH // 2, generator)
        train(model, (small[some] - mean) / std, y[some], model.parameters(), generator)
        found[count, "scratch"] = accuracy(model, (test_small - mean) / std, test_y)
    return found


def half(split, classes, statistics):
    """Return the pictures of some classes, their labels counted anew from 0."""
    x = data.standardize(data.to_float(split.images), statistics)
    keep = torch.isin(split.labels, classes)
    return x[keep], torch.searchsorted(classes, split.labels[keep])


def measure_fashion(seed) -> dict:
    """Return (labels a class, way) -> accuracy on the five classes that the first training did not show."""
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(10, generator=generator)
    source, target = shuffled[:5].sort().values, shuffled[5:].sort().values
    sets = [data.fashion_mnist(split) for split in ("train", "test")]
    x, y = half(sets[0], source, data.FASHION_MNIST_STATISTICS)
    taught = cnn(5, 28, generator)
    train(taught, x, y, taught.parameters(), generator, 400)
    (x, y), (test_x, test_y) = (half(s, target, data.FASHION_MNIST_STATISTICS) for s in sets)
    found = {}
    for count in SHOTS:
        some = torch.cat([torch.where(y == k)[0][:count] for k in range(5)])
        for way, (rate, head_rate) in WAYS.items():
            generator = torch.Generator().manual_seed(100 + seed)
            model = cnn(5, 28, generator)
            if rate is not None:
                model[0] = copy.deepcopy(taught[0])
            model[0].requires_grad_(rate != 0)
            groups = [{"params": model[1].parameters(), "lr": head_rate}]
            if rate != 0:
                groups.append({"params": model[0].parameters(), "lr": rate or head_rate})
            train(model, x[some], y[some], groups, generator)
            found[count, way] = accuracy(model, test_x, test_y)
    return found


def flower_features(body, path):
    """Return features and labels of the photographs in a file of JPEGs."""
    stored = np.load(path)
    jpeg, at = stored["jpeg"], stored["offsets"]
    opened = [Image.open(io.BytesIO(jpeg[a:b])).convert("RGB") for a, b in pairwise(at)]
    x = torch.tensor(np.stack([np.asarray(p) for p in opened])).permute(0, 3, 1, 2).float() / 255
    return features(body, x), torch.tensor(stored["y"]).long()


def measure_flowers(f, y, seed) -> dict:
    """Return (labels in all, "features") -> accuracy; the last 400 of a random order are for the test."""
    order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
    test = order[-400:]
    return {(n, "features"): linear(f[order[:n]], y[order[:n]], f[test], y[test]) for n in (25, 100, 400)}


def main() -> None:
    """Measure everything and write ``transfer.json`` beside the package's data, after each part."""
    torch.set_num_threads(1)
    target = Path(data.__file__).parent / "transfer.json"
    tables = json.loads(target.read_text("utf-8")) if target.exists() else {}
    body = pretrained.load("efficientnet_lite0")
    body._fc = nn.Identity()
    parts = {"surfaces": (lambda seed: measure_surfaces(body, seed), 3), "fashion": (measure_fashion, 3)}
    if len(sys.argv) > 1:
        f, y = flower_features(body, sys.argv[1])
        parts["flowers"] = (lambda seed: measure_flowers(f, y, seed), 5)
    for name, (measure, seeds) in parts.items():
        runs = [measure(seed) for seed in range(seeds)]
        rows = [{"labels": k, "way": way, "test": [round(r[k, way], 4) for r in runs]} for k, way in runs[0]]
        tables[name] = rows
        print(name, *rows, sep="\n", flush=True)
        lines = [
            f' "{key}": [\n' + ",\n".join("  " + json.dumps(row) for row in rows) + "\n ]"
            for key, rows in tables.items()
            if key != "command"
        ]
        target.write_text('{\n "command": "python tools/measure_transfer.py",\n' + ",\n".join(lines) + "\n}\n", "utf-8")


if __name__ == "__main__":
    main()
