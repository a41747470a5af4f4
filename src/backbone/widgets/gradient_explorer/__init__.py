"""GradientExplorer: how large gradients are, layer by layer, in a deep network that has not been trained."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import numpy as np
import traitlets as t

from backbone.data import LabeledImages
from backbone.layers import ACTIVATIONS
from backbone.widgets.base import Array, BookWidget

MAX_DEPTH, WIDTH, CLASSES = 60, 24, 10
FEWEST, MOST = 8, 24  # pictures
ANSWERS = [str(power) for power in range(-30, 11, 5)]  # powers of ten
GAINS = 0.25, 4.0
CHOICES = {
    "activation": ["none", *ACTIVATIONS],
    "init": ["normal", "xavier", "he"],
    "normalization": [None, "batch", "layer"],
    "residual": [False, True],
}
USUAL = {"depth": 10, "activation": "relu", "init": "he", "gain": 1.0, "normalization": None, "residual": False}
# What the reader is asked to predict, in this order; the first is shown.
LADDER = {
    "sigmoid": USUAL | {"depth": 50, "activation": "sigmoid", "init": "xavier"},
    "tanh": USUAL | {"depth": 50, "activation": "tanh", "init": "xavier"},
    "xavier": USUAL | {"depth": 50, "init": "xavier"},
    "he": USUAL | {"depth": 50},
    "batch": USUAL | {"depth": 50, "normalization": "batch"},
    "skips": USUAL | {"depth": 50, "residual": True},
    "both": USUAL | {"depth": 50, "normalization": "batch", "residual": True},
}


class GradientExplorer(BookWidget):
    """A deep network at its first weights: what is left of the gradient, layer by layer on its way back from the loss.

    The page computes the network in float64, forward and back, on the pictures given. It is that of ``backbone.deep``
    with 24 units a layer: the same layers and blocks, no biases, weights drawn anew for each initialization from the
    same standard normal numbers. Pictures travel at half their height and width.

    Args:
        pictures: 8 to 24 of them, one channel, height and width even, at most 32; labels 0 to 9.
        setting: some of depth (2 to 60), activation (one of ``ACTIVATIONS``, or "none"), init ("normal", "xavier" or
            "he"), gain (0.25 to 4), normalization (None, "batch" or "layer") and residual. What is left out is as in
            ``USUAL``. By default the first network of ``LADDER``.
        seed: of the weights.

    Traits, live both ways:
        setting: the network.
        step: how many layers the gradient has come back through; 0 is at the loss, the depth and more is at layer 1.
        bars: what is drawn of each layer, as a share of the last one's: "gradH" (|dL/dh|), "gradW" (|dL/dW|) or
            "std" (the spread of h).
        answer: the power of ten that the reader expects at layer 1 of a network of the ladder; "" before.

    Raises:
        ValueError: pictures of another shape, dtype or number.
        traitlets.TraitError: a setting outside its range.
    """

    room = {"": (496, 621)}

    setting = t.Dict().tag(sync=True)
    step = t.Float(MAX_DEPTH, min=0, max=MAX_DEPTH).tag(sync=True)
    bars = t.Enum(["gradH", "gradW", "std"], "gradH").tag(sync=True)
    answer = t.Enum(["", *ANSWERS], "").tag(sync=True)

    pixels = Array("uint8", read_only=True, help="(N, inputs)").tag(sync=True)
    labels = t.List(t.Int(), read_only=True).tag(sync=True)
    statistics = t.List(t.Float(), read_only=True, help="mean and standard deviation of all pixels").tag(sync=True)
    noise = Array("float16", read_only=True, help="standard normal: layer 1, 2 to 60, output").tag(sync=True)
    ladder = t.Dict(LADDER, read_only=True).tag(sync=True)

    def __init__(self, pictures: LabeledImages, setting: Mapping | None = None, *, seed: int = 0, **traits):
        pixels, labels = _checked(pictures)
        self.set_trait("pixels", pixels)
        self.set_trait("labels", labels)
        self.set_trait("statistics", [float(pixels.mean()), float(pixels.std())])
        count = WIDTH * pixels.shape[1] + (MAX_DEPTH - 1) * WIDTH**2 + CLASSES * WIDTH
        self.set_trait("noise", np.random.default_rng(seed).standard_normal(count))
        super().__init__(setting=dict(LADDER["sigmoid"] if setting is None else setting), **traits)

    @property
    def batch(self) -> tuple[np.ndarray, np.ndarray]:
        """What goes into the network: x (N, inputs), standardized, float64, and labels (N,)."""
        mean, std = self.statistics
        return (self.pixels - mean) / std, np.array(self.labels)

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights, as the page has them: those of the hidden layers, then the output layer's."""
        setting = self.setting
        noise = self.noise.astype(np.float64)
        sizes, start, weights = [self.pixels.shape[1], *[WIDTH] * setting["depth"]], 0, []
        for fan_in in sizes[:-1]:
            unit = noise[start : start + WIDTH * fan_in].reshape(WIDTH, fan_in)
            weights.append(unit * _spread(setting["init"], fan_in, WIDTH) * setting["gain"])
            start += unit.size
        # The output layer does not depend on the setting: gradients set out from the same place.
        return [*weights, noise[-CLASSES * WIDTH :].reshape(CLASSES, WIDTH) * _spread("xavier", WIDTH, CLASSES)]

    @t.validate("setting")
    def _setting_is_allowed(self, proposal):
        return _setting(proposal["value"])


def _spread(init: str, inputs: int, outputs: int) -> float:
    """Return the standard deviation of a weight."""
    return {"normal": 0.01, "xavier": np.sqrt(2 / (inputs + outputs)), "he": np.sqrt(2 / inputs)}[init]


def _setting(given: Mapping) -> dict:
    """Return a complete setting; raise TraitError where one of its values is not allowed."""
    unknown = set(given) - set(USUAL)
    if unknown:
        raise t.TraitError(f"setting has {sorted(unknown)[0]!r}; it may have {', '.join(USUAL)}")
    setting = USUAL | dict(given)
    for key, allowed in CHOICES.items():
        if not any(setting[key] is one or (isinstance(one, str) and setting[key] == one) for one in allowed):
            raise t.TraitError(
                f"setting[{key!r}] is {setting[key]!r}; it must be one of {', '.join(map(repr, allowed))}"
            )
    depth, gain = setting["depth"], setting["gain"]
    if isinstance(depth, bool) or not isinstance(depth, int | np.integer) or not 2 <= depth <= MAX_DEPTH:
        raise t.TraitError(f"setting['depth'] is {depth!r}; it must be an integer from 2 to {MAX_DEPTH}")
    if isinstance(gain, str) or not GAINS[0] <= gain <= GAINS[1]:
        raise t.TraitError(f"setting['gain'] is {gain!r}; it must be a number from {GAINS[0]} to {GAINS[1]:g}")
    return setting | {"depth": operator.index(depth), "gain": float(gain)}


def _checked(pictures: LabeledImages) -> tuple[np.ndarray, list[int]]:
    """Return the pixels, uint8 (N, inputs), averaged over squares of four, and the labels; raise ValueError."""
    images, labels = np.asarray(pictures.images), np.asarray(pictures.labels)
    if images.ndim != 4 or images.shape[1] != 1 or images.dtype != np.uint8:
        raise ValueError(f"pictures are {images.dtype} {images.shape}; they must be uint8 (N, 1, H, W)")
    count, _, height, width = images.shape
    if not FEWEST <= count <= MOST:
        raise ValueError(f"pictures has {count} entries; give {FEWEST} to {MOST}, such as fashion_mnist('train')[:24]")
    if height % 2 or width % 2 or not 2 <= max(height, width) <= 32:
        raise ValueError(f"pictures are {height} by {width}; both sides must be even and at most 32")
    if labels.shape != (count,) or labels.min() < 0 or labels.max() >= CLASSES:
        raise ValueError(f"pictures has labels of shape {labels.shape} up to {labels.max()}; they must be (N,), 0 to 9")
    small = images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4)).round().astype(np.uint8)
    if not small.std():
        raise ValueError("pictures has one gray for all pixels; there is nothing to send through a network")
    return small.reshape(count, -1), labels.tolist()
