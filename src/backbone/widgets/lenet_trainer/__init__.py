"""LenetTrainer: LeNet learns in the page, from its first random weights on."""

from __future__ import annotations

import numpy as np
import traitlets as t

from backbone.data import LabeledImages, Statistics
from backbone.widgets.base import Array
from backbone.widgets.lenet import SHAPES, LenetWidget, lenet_parameters
from backbone.widgets.pictures import LEVELS, SIDE, levels, packed

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
COUNT = sum(int(np.prod(shape)) for shape in SHAPES.values())
CLASSES = 10
COARSE = 3  # the level of white of what is learned from: two bits a pixel are enough
STEP = 0x6D2B79F5


class LenetTrainer(LenetWidget):
    """Press Play, and LeNet learns in the page: its weights change, its loss falls, and it names more pictures.

    What it computes is gradient descent with a momentum of 0.9, ``torch.optim.SGD(lr=rate, momentum=0.9)``, from
    `first` on, a batch of pictures at a time in the order that `order` gives. It works a few milliseconds a frame, so
    that the page stays alive, and rests where it is not seen.

    Args:
        train: the pictures to learn from, as many of each class; they travel in four levels of gray, two bits a pixel,
            so at most about 1,300 fit into a page's 400 KB.
        held_out: those that it is asked about, as many of each class; in 16 levels.
        statistics: mean and std of the data; the network takes ``(gray - mean) / std``.
        batch: pictures for one step; `train` holds a multiple of it.
        passes: passes through the pictures until it rests.

    Traits, live both ways:
        rate: the learning rate, one of ``RATES``.
        seed: which first weights, and which order of the pictures.
        weights: all 61,706 as the page has them when it rests, float32; empty before the first Play.
        drawing: what the hand drew, uint8 (28, 28), first a shoe.
        picture: which of `held_out` is looked at; -1 for the drawing.
        answer: to "In which layer is the gradient largest, before the first step?", a layer's name, or "".

    Raises:
        ValueError: an array of the wrong shape, dtype or range; classes of different sizes.
        traitlets.TraitError: a setting that does not exist.
    """

    room = {"": (520, 619)}
    labels_of_pictures = "held_labels"

    rate = t.Float(0.02).tag(sync=True)
    seed = t.Int(5, min=0, max=9).tag(sync=True)
    weights = Array("float32").tag(sync=True)
    answer = t.Enum(["", "conv1", "conv2", "fc1", "fc2", "fc3"], "").tag(sync=True)

    train_pixels = Array("uint8", read_only=True, help="(N, 196), four pixels a byte").tag(sync=True)
    train_labels = t.List(t.Int(), read_only=True).tag(sync=True)
    held_pixels = Array("uint8", read_only=True, help="(M, 392), two pixels a byte").tag(sync=True)
    held_labels = t.List(t.Int(), read_only=True).tag(sync=True)
    rates = t.List(t.Float(), RATES, read_only=True).tag(sync=True)
    batch = t.Int(read_only=True).tag(sync=True)
    passes = t.Int(read_only=True).tag(sync=True)

    def __init__(
        self,
        train: LabeledImages,
        held_out: LabeledImages,
        statistics: Statistics,
        *,
        batch: int = 20,
        passes: int = 12,
        **traits,
    ):
        if len(set(train.classes)) != CLASSES or train.classes != held_out.classes:
            raise ValueError(f"train and held_out must have the same ten classes; they have {train.classes}")
        grays = _checked("train", train, COARSE)
        if batch < 1 or len(grays) % batch or passes < 1:
            raise ValueError(f"batch is {batch}, passes {passes}; give 1 or more, {len(grays)} a multiple of batch")
        self.set_trait("train_pixels", packed(grays, 2))
        self.set_trait("train_labels", np.asarray(train.labels).tolist())
        self.set_trait("held_pixels", packed(_checked("held_out", held_out, LEVELS), 4))
        self.set_trait("held_labels", np.asarray(held_out.labels).tolist())
        self.set_trait("batch", batch)
        self.set_trait("passes", passes)
        super().__init__(train.classes, statistics, **traits)

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The network's parameters, name -> float32 array, for ``load_state_dict``: as learned, or the first ones."""
        return lenet_parameters(self.weights if len(self.weights) else self.first)

    @property
    def first(self) -> np.ndarray:
        """The first weights, float32 (61706,): uniform in +-1/sqrt(inputs of a unit), as PyTorch's own."""
        bounds = [np.full(np.prod(shape), np.prod(_fan(name)) ** -0.5) for name, shape in SHAPES.items()]
        return ((2 * draws(self.seed, 0, COUNT) - 1) * np.concatenate(bounds)).astype("f4")

    def order(self, number: int) -> np.ndarray:
        """Return the order in which pass `number`, from 0, goes through the pictures (N,)."""
        count = len(self.train_labels)
        return np.argsort(draws(self.seed, COUNT + number * count, count), kind="stable")

    def inputs(self, which: str = "train") -> np.ndarray:
        """Return what the network is fed, float32 (N, 1, 28, 28), of "train" or "held_out"."""
        bits, pixels = {"train": (2, self.train_pixels), "held_out": (4, self.held_pixels)}[which]
        shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint8)
        grays = (pixels[..., None] >> shifts & (2**bits - 1)) / (2**bits - 1)
        mean, std = self.statistics
        return ((grays.reshape(-1, 1, SIDE, SIDE) - mean) / std).astype("f4")

    @t.validate("rate")
    def _rate_is_there(self, proposal):
        found = [rate for rate in RATES if np.isclose(rate, proposal["value"])]
        if not found:
            raise t.TraitError(f"rate is {proposal['value']}; it must be one of {', '.join(map(str, RATES))}")
        return found[0]

    @t.validate("weights")
    def _weights_are_whole(self, proposal):
        given = proposal["value"]
        if given.shape not in ((0,), (COUNT,)) or not np.isfinite(given).all():
            raise t.TraitError(f"weights have shape {given.shape}; give ({COUNT},) finite numbers, or none")
        return given


def draws(seed: int, start: int, count: int) -> np.ndarray:
    """Return numbers `start` to `start + count` of a random sequence in [0, 1), float64: mulberry32, as in maths.js.

    Source: T. Ettinger, mulberry32, public domain.
    """
    at = np.arange(start + 1, start + count + 1, dtype=np.uint64)
    x = (np.uint64(seed) + at * np.uint64(STEP)).astype(np.uint32)
    x = (x ^ (x >> 15)) * (x | 1)
    x = x ^ (x + (x ^ (x >> 7)) * (x | 61))
    return (x ^ (x >> 14)) / 2**32


def _fan(name: str) -> tuple[int, ...]:
    """Return the sizes of what one unit of a parameter's layer reads."""
    return SHAPES[f"{name.split('.')[0]}.weight"][1:]


def _checked(name: str, given: LabeledImages, top: int) -> np.ndarray:
    """Return pictures in levels of gray; raise ValueError where they do not fit or the classes differ in size."""
    labels = np.asarray(given.labels)
    grays = levels("LenetTrainer", f"{name}.images", given.images, len(labels))
    if grays.shape[1:] != (SIDE, SIDE) or not len(labels):
        raise ValueError(f"{name}.images has shape {tuple(given.images.shape)}; it must be (N, 1, 28, 28)")
    if not np.issubdtype(labels.dtype, np.integer) or set(labels.tolist()) != set(range(CLASSES)):
        raise ValueError(f"{name}.labels must be whole numbers from 0 to 9, all of them there")
    counts = np.bincount(labels)
    if len(set(counts.tolist())) > 1:
        raise ValueError(f"{name} has {counts.tolist()} pictures of its classes; give as many of each")
    return levels("LenetTrainer", f"{name}.images", given.images, len(labels), top)
