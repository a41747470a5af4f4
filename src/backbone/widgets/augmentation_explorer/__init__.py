"""AugmentationExplorer: how far a picture can be changed before its label is no longer true."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import traitlets as t
from numpy.typing import ArrayLike

from backbone.data import LabeledImages, Statistics
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.lenet import SHAPES, pack_lenet

# The largest strength of each; `maths.js` has the same table, and a test compares them.
LARGEST: Mapping[str, float] = MappingProxyType(
    {
        "nothing": 1,
        "mirror": 1,
        "upside_down": 1,
        "zoom": 2,
        "brightness": 1,
        "contrast": 1,
        "noise": 1,
        "blur": 6,
    }
)
LARGEST_SEED = 9999
SIDE = 28
PUSH = 20


class AugmentationExplorer(BookWidget):
    """Turn, push and erase a real picture by hand, and see what a trained LeNet makes of it.

    Args:
        pictures: the pictures to choose from, 28x28 gray, with their labels.
        parameters: name -> array, a LeNet's parameters: ``backbone.pretrained.load("lenet").state_dict()``.
        statistics: with which the net's pictures are standardized.

    Traits, live both ways:
        picture: position of the picture shown. The question is about the one with which the widget begins.
        turn: degrees clockwise, -180 to 180.
        push: pixels down and to the right, -20 to 20 each.
        erased: numbers of the pixels, row by row, that are black at last.
        also: another change, one of ``LARGEST``; zoom and mirrors come before the turn, the others after the push.
        strength: of that change, 0 to its largest: powers of two ("zoom"), shares of one ("brightness", "contrast",
            "noise": its standard deviation), pixels ("blur": likewise), or 1 for done ("mirror", "upside_down").
        seed: of the noise and the random draws, 0 to 9999.
        answer: to "How far until it is wrong?": "few", "some", "many", or "".

    Raises:
        ValueError: no picture, pictures of another size, statistics of several channels, or no LeNet's parameters.
        traitlets.TraitError: a setting outside its range.
    """

    room = {"": (555, 539)}

    picture = t.Int(0, min=0).tag(sync=True)
    turn = t.Float(0.0, min=-180, max=180).tag(sync=True)
    push = t.List(t.Int(min=-PUSH, max=PUSH), [0, 4], minlen=2, maxlen=2).tag(sync=True)
    erased = t.List(t.Int(min=0, max=SIDE * SIDE - 1)).tag(sync=True)
    also = t.Enum(list(LARGEST), "nothing").tag(sync=True)
    strength = t.Float(0.0, min=0).tag(sync=True)
    seed = t.Int(0, min=0, max=LARGEST_SEED).tag(sync=True)
    answer = t.Enum(["", "few", "some", "many"], "").tag(sync=True)

    pixels = Array("uint8", read_only=True, help="the pictures (N, 1, 28, 28)").tag(sync=True)
    labels = t.List(t.Int(), read_only=True).tag(sync=True)
    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    standard = t.List(t.Float(), read_only=True, help="mean, standard deviation").tag(sync=True)
    shapes = t.List([[*pair] for pair in SHAPES.items()], read_only=True, help="of the LeNet's parameters").tag(
        sync=True
    )
    weights = Array("int16", read_only=True, help="see lenet.py").tag(sync=True)
    vectors = Array("float32", read_only=True, help="see lenet.py").tag(sync=True)

    def __init__(self, pictures: LabeledImages, parameters: Mapping[str, ArrayLike], statistics: Statistics, **traits):
        shape = tuple(pictures.images.shape)
        if len(shape) != 4 or shape[0] < 1 or shape[1:] != (1, SIDE, SIDE):
            raise ValueError(f"pictures have shape {shape}; they must be (N, 1, {SIDE}, {SIDE}) with N at least 1")
        if len(statistics.mean) != 1:
            raise ValueError(f"statistics are of {len(statistics.mean)} channels; the pictures have one")
        self.set_trait("pixels", pictures.images.numpy())
        self.set_trait("labels", pictures.labels.tolist())
        self.set_trait("classes", list(pictures.classes))
        self.set_trait("standard", [float(statistics.mean[0]), float(statistics.std[0])])
        weights, vectors = pack_lenet(parameters, "int16")
        self.set_trait("weights", weights)
        self.set_trait("vectors", vectors)
        super().__init__(**traits)

    @t.validate("picture")
    def _picture_is_there(self, proposal):
        if proposal["value"] >= len(self.labels):
            raise t.TraitError(f"picture is {proposal['value']}; there are {len(self.labels)}, counted from 0")
        return proposal["value"]

    @t.validate("strength")
    def _strength_is_in_range(self, proposal):
        # The page sends a new change together with its strength, in any order: only the widest limit holds here.
        if not proposal["value"] <= max(LARGEST.values()):
            raise t.TraitError(f"strength is {proposal['value']}; the largest of all is {max(LARGEST.values())}")
        return proposal["value"]
