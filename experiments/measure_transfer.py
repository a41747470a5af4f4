"""Measure what transfer gains, and write the table that the chapter on transfer learning shows.

    BACKBONE_DATA=/path/to/flowers python experiments/measure_transfer.py

What is written into the record ``transfer``, a row for each setting and an accuracy for each draw:

* ``surfaces``: gray patches of 14 surfaces, the training patches from the left half of each picture, the test patches
  from the right. A draw cuts all patches anew, left and right, and draws the first weights and the batches. Four ways:
  one linear layer on ImageNet features, the same on pixels, the ImageNet network fine-tuned, a small network from
  scratch.
* ``chosen``, ``chosen for fine-tuning``: the settings of the last two, found on patches of the left halves only, by
  learning from their left part and judging on their right part. The test patches have no say. The large network's rate
  is chosen once, with ten labels.
* ``flowers``: ImageNet features and pixels of color photographs, a linear layer on each. A draw shuffles the
  photographs; the last 400 are the test, the first are the labeled ones. Skipped where `backbone.data.flowers` finds
  none.
* ``fashion``: a network learns five classes of Fashion-MNIST and is carried to the other five. A draw is one of halves,
  of first weights and of batches. The labeled pictures are the first of each class.

It takes about eleven minutes of processor time, shared by two processes.
"""

import copy
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
import torch
from common import of_classes, rows, take_steps
from skimage import color
from skimage import data as pictures
from sklearn.datasets import load_sample_image
from torch import nn
from torch.nn import functional as F  # noqa: N812 - PyTorch's own name for it

from backbone import data, pretrained, records, training
from backbone.models.initialization import initialize

SKIMAGE = "brick grass gravel coffee chelsea hubble_deep_field immunohistochemistry retina moon rocket page coins"
SKLEARN = "china.jpg flower.jpg"
PATCH, SIDE = 72, 96  # pixels of a patch; of the picture that the large network sees
LABELS, TESTS, DRAWS = (2, 10, 40), 20, 5  # a surface, a surface, of patches
TUNED = 10  # labels at which the large network is fine-tuned
RATES, STEPS, BATCH = (1e-3, 3e-3), (300, 1000), 32  # from scratch: what is tried
BODY_RATES, BODY_STEPS, BODY_BATCH = (3e-4, 1e-3), 20, 14  # fine-tuned: rates of the head; the body's a tenth
SHOTS, SHORT, LONG = (2, 600), 200, 800  # Fashion-MNIST: labels a class, steps
FLOWER_DRAWS, FASHION_DRAWS = 10, 6
WAYS = {"scratch": 1e-3, "one rate": 1e-3, "two rates": 1e-4}  # the body's rate; the head's is the first


@cache
def imagenet_body() -> nn.Module:
    """Return the network trained on ImageNet, without its head."""
    body = pretrained.load("efficientnet_lite0")
    body._fc = nn.Identity()
    return body.eval()


@cache
def surfaces() -> list[np.ndarray]:
    """Return the 14 pictures, gray, (H, W), values in [0, 1]."""
    found = [getattr(pictures, name)() for name in SKIMAGE.split()]
    found += [load_sample_image(name) for name in SKLEARN.split()]
    return [(color.rgb2gray(p) if p.ndim == 3 else p / 255).astype(np.float32) for p in found]


def patches(count, start, end, rng):
    """Cut patches wholly between two shares of the width: (classes x count, 1, PATCH, PATCH) and labels."""
    cut = []
    for photo in surfaces():
        height, width = photo.shape
        strip = photo[:, int(start * width) : int(end * width)]
        for _ in range(count):
            top, left = rng.integers(height - PATCH + 1), rng.integers(strip.shape[1] - PATCH + 1)
            cut.append(strip[top : top + PATCH, left : left + PATCH])
    return torch.tensor(np.stack(cut))[:, None], torch.arange(14).repeat_interleave(count)


def seen(x) -> torch.Tensor:
    """Make pictures (N, 1 or 3, H, W) in [0, 1] into what the large network expects."""
    big = F.interpolate(x.expand(-1, 3, -1, -1), (SIDE, SIDE), mode="bilinear", antialias=True)
    return pretrained.normalize("efficientnet_lite0", big)


def linear(x, y, test_x, test_y, steps=300):
    """Train a linear layer on standardized features; return its accuracy, the layer, and mean and deviation."""
    x, test_x = x.flatten(1), test_x.flatten(1)
    mean, std = x.mean(0), x.std(0, correction=0).clamp(min=1e-3)
    x, test_x = (x - mean) / std, (test_x - mean) / std
    head = nn.Linear(x.shape[1], int(y.max()) + 1)
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.AdamW(head.parameters(), lr=1e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(head(x), y).backward()
        optimizer.step()
    return accuracy(head, test_x, test_y), head, mean, std


def accuracy(model, x, y) -> float:
    """Return the share of right answers, 0 to 1."""
    return (training.predict(model, x, 100).argmax(1) == y).float().mean().item()


def adam(model, head, rate, head_rate) -> torch.optim.Adam:
    """Return Adam with a rate for the head, a part of the model, and one for the rest."""
    own = {id(p) for p in head.parameters()}
    rest = [p for p in model.parameters() if id(p) not in own]
    return torch.optim.Adam([{"params": head.parameters(), "lr": head_rate}, {"params": rest, "lr": rate}])


# ---- Fourteen surfaces -------------------------------------------------------------------------------------------


def textures(generator) -> nn.Sequential:
    """Return a small network for patches (N, 1, 72, 72): three convolutions, averaged over all places, a head."""
    layers, before = [], 1
    for width, stride in ((16, 2), (32, 1), (64, 1)):
        layers += [nn.Conv2d(before, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU(), nn.MaxPool2d(2)]
        before = width
    return initialize(nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(before, 14)), generator)


def from_scratch(x, y, test_x, test_y, rate, steps, seed) -> list[float]:
    """Return the accuracy after each of the rising numbers of steps."""
    mean, std = x.mean(), x.std()
    x, test_x = (x - mean) / std, (test_x - mean) / std
    generator = torch.Generator().manual_seed(seed)
    model, found, done = textures(generator), [], 0
    optimizer = torch.optim.Adam(model.parameters(), lr=rate)
    for upto in steps:
        take_steps(model, x, y, optimizer, generator, upto - done, flip=True)
        found.append(accuracy(model, test_x, test_y))
        done = upto
    return found


def fine_tuned(x, y, test_x, test_y, rate, seed, probe) -> float:
    """Put the probe's head on a copy of the body, let both learn at rates of their own, and return the accuracy."""
    _, head, mean, std = probe
    model = copy.deepcopy(imagenet_body())
    model._fc = nn.Linear(len(mean), head.out_features)
    with torch.no_grad():  # the standardization goes into the head
        model._fc.weight.copy_(head.weight / std)
        model._fc.bias.copy_(head.bias - head.weight @ (mean / std))
    model.eval()  # the buffers of batch normalization stay: batches of 14 say little about them
    generator = torch.Generator().manual_seed(seed)
    optimizer = adam(model, model._fc, rate / 10, rate)
    take_steps(model, seen(x), y, optimizer, generator, BODY_STEPS, BODY_BATCH, flip=True)
    return accuracy(model, seen(test_x), test_y)


def choose(count) -> tuple[float, int]:
    """Return rate and steps for a network from scratch with so many labels, judged on held-out patches."""
    held = left_halves(count)
    tries = {
        (rate, steps): right
        for rate in RATES
        for steps, right in zip(STEPS, from_scratch(*held, rate, STEPS, 100), strict=True)
    }
    print(count, "labels, from scratch:", tries, flush=True)
    return max(tries, key=tries.get)


def choose_body_rate(count) -> float:
    """Return the rate for fine-tuning the large network, judged on held-out patches."""
    x, y, held, held_y = left_halves(count)
    f, held_f = (training.predict(imagenet_body(), seen(one), 20) for one in (x, held))
    probe = linear(f, y, held_f, held_y)
    tries = {rate: fine_tuned(x, y, held, held_y, rate, 100, probe) for rate in BODY_RATES}
    print("fine-tuned:", tries, "as a probe:", probe[0], flush=True)
    return max(tries, key=tries.get)


def left_halves(count):
    """Return patches to learn from and patches held out, with labels, from the two parts of the left halves."""
    rng = np.random.default_rng(100)  # a draw that is not measured
    return *patches(count, 0, 0.25, rng), *patches(TESTS, 0.25, 0.5, rng)


def measure_surfaces(chosen, body_rate, seed) -> dict:
    """Return (labels a class, way) -> accuracy for one draw of patches."""
    rng = np.random.default_rng(seed)
    x, y = patches(max(LABELS), 0, 0.5, rng)
    test_x, test_y = patches(TESTS, 0.5, 1, rng)
    f, test_f = (training.predict(imagenet_body(), seen(one), 20) for one in (x, test_x))
    small, test_small = (F.avg_pool2d(one, 2) for one in (x, test_x))
    order = torch.arange(len(x)).view(14, -1)
    found = {}
    for count in LABELS:
        some = order[:, :count].flatten()
        probe = linear(f[some], y[some], test_f, test_y)
        found[count, "features"] = probe[0]
        found[count, "pixels"] = linear(small[some], y[some], test_small, test_y)[0]
        rate, steps = chosen[count]
        found[count, "scratch"] = from_scratch(x[some], y[some], test_x, test_y, rate, (steps,), seed)[0]
        if count == TUNED:
            found[count, "fine-tuned"] = fine_tuned(x[some], y[some], test_x, test_y, body_rate, seed, probe)
    print("surfaces, draw", seed, found, flush=True)
    return found


# ---- Flowers -----------------------------------------------------------------------------------------------------


def measure_flowers() -> list[dict]:
    """Return (labels in all, way) -> accuracy for each draw; the last 400 of a random order are the test."""
    photos, runs = data.flowers(), []
    x, y = photos.images.float() / 255, photos.labels
    f = torch.cat([training.predict(imagenet_body(), seen(part), 20) for part in x.split(100)])
    for seed in range(FLOWER_DRAWS):
        order = torch.randperm(len(y), generator=torch.Generator().manual_seed(seed))
        test, found = order[-400:], {}
        for count in (25, 100, 400):
            some = order[:count]
            for way, z in (("features", f), ("pixels", F.avg_pool2d(x, 4))):
                found[count, way] = linear(z[some], y[some], z[test], y[test])[0]
        runs.append(found)
    return runs


# ---- Half of Fashion-MNIST for the other half --------------------------------------------------------------------


def clothes(generator) -> nn.Sequential:
    """Return a small network for pictures (N, 1, 28, 28): a body of three layers and a head, the last module."""
    body = nn.Sequential(
        nn.Conv2d(1, 16, 5, stride=2, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 7**2, 64), nn.ReLU(),
    )  # fmt: skip
    return initialize(nn.Sequential(body, nn.Linear(64, 5)), generator)


def measure_fashion(seed) -> dict:
    """Return (labels a class, way, steps) -> accuracy on the five classes that the first training did not show."""
    generator = torch.Generator().manual_seed(seed)
    shuffled = torch.randperm(10, generator=generator)
    source, target = shuffled[:5].sort().values, shuffled[5:].sort().values
    learn, test = (data.fashion_mnist(split) for split in ("train", "test"))
    taught = clothes(generator)
    take_steps(taught, *of_classes(learn, source), adam(taught, taught[1], 1e-3, 1e-3), generator, 400)
    (x, y), (test_x, test_y) = of_classes(learn, target), of_classes(test, target)
    f, test_f = training.predict(taught[0], x), training.predict(taught[0], test_x)
    head_rate, found = WAYS["scratch"], {}

    def started():
        generator = torch.Generator().manual_seed(100 + seed)
        return clothes(generator), generator

    for count in SHOTS:
        some = torch.cat([torch.where(y == k)[0][:count] for k in range(5)])
        model, generator = started()
        take_steps(model[1], f[some], y[some], torch.optim.Adam(model[1].parameters(), lr=head_rate), generator, SHORT)
        found[count, "frozen", SHORT] = accuracy(model[1], test_f, test_y)
        for way, rate in WAYS.items():
            model, generator = started()
            if way != "scratch":
                model[0] = copy.deepcopy(taught[0])
            optimizer, done = adam(model, model[1], rate, head_rate), 0
            # Two ways go on, with all labels: is what was carried worth more than the steps it saves?
            for steps in (SHORT, LONG) if count == max(SHOTS) and way != "two rates" else (SHORT,):
                take_steps(model, x[some], y[some], optimizer, generator, steps - done)
                found[count, way, steps] = accuracy(model, test_x, test_y)
                done = steps
    print("fashion, draw", seed, found, flush=True)
    return found


# ---- The file ----------------------------------------------------------------------------------------------------


def results(jobs) -> list[dict]:
    """Return what draws gave, their settings in order."""
    return [dict(sorted(job.result().items())) for job in jobs]


def main() -> None:
    """Measure everything anew and write the record, once all is measured."""
    started = time.time()
    one_thread = (torch.set_num_threads, (1,))  # two runs give the same numbers
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, spawn, *one_thread) as pool:
        chosen = [pool.submit(choose, count) for count in LABELS]
        body_rate = pool.submit(choose_body_rate, TUNED)
        petals = pool.submit(measure_flowers)
        clothing = [pool.submit(measure_fashion, seed) for seed in range(FASHION_DRAWS)]
        settings, rate = dict(zip(LABELS, (one.result() for one in chosen), strict=True)), body_rate.result()
        patched = [pool.submit(measure_surfaces, settings, rate, seed) for seed in range(DRAWS)]
        tables = {
            "chosen": [{"labels": n, "rate": rate, "steps": steps} for n, (rate, steps) in settings.items()],
            "chosen for fine-tuning": [{"rate": rate, "steps": BODY_STEPS, "batch": BODY_BATCH}],
            "surfaces": rows(results(patched), ("labels", "way"), "test"),
            "fashion": rows(results(clothing), ("labels", "way", "steps"), "test"),
        }
        try:
            tables["flowers"] = rows(petals.result(), ("labels", "way"), "test")
        except data.DownloadError as error:
            print(error)
    about = {"command": "python experiments/measure_transfer.py", "torch": torch.__version__}
    records.write("transfer", about, **tables)
    print(f"{time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
