"""AugmentationExplorer: how far a picture can be changed before its label is no longer true."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import traitlets as t
from numpy.typing import ArrayLike

from backbone.data import LabeledImages, Statistics
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.lenet import SHAPES, pack_lenet

# The largest strength of each, in its own unit; `widget.js` has the same table, and a test compares them.
LARGEST: Mapping[str, float] = MappingProxyType(
    {
        "mirror": 1,
        "upside_down": 1,
        "shift": 20,
        "rotate": 180,
        "zoom": 2,
        "brightness": 1,
        "contrast": 1,
        "noise": 1,
        "erase": 28,
        "blur": 6,
    }
)
LARGEST_SEED = 9999
SIDE = 28


class AugmentationExplorer(BookWidget):
    """Change a real picture more and more, and see what a trained LeNet makes of it, and when you disagree.

    Args:
        pictures: the pictures to choose from, 28x28 gray, with their labels.
        parameters: name -> array, a LeNet's parameters: ``backbone.pretrained.load("lenet").state_dict()``.
        statistics: with which the net's pictures are standardized.

    Traits, live both ways:
        picture: position of the picture shown.
        augmentation: one of ``LARGEST``.
        strength: from 0 to the largest of the augmentation: pixels ("shift", "erase", "blur": its standard
            deviation), degrees ("rotate"), powers of two ("zoom"), shares of one ("brightness", "contrast",
            "noise": its standard deviation), or 1 for done ("mirror", "upside_down").
        seed: of the random draws, 0 to 9999.

    Raises:
        ValueError: no picture, pictures of another size, statistics of several channels, or no LeNet's parameters.
        traitlets.TraitError: a setting outside its range.
    """

    room = {"": (819, 1328)}

    picture = t.Int(0, min=0).tag(sync=True)
    augmentation = t.Enum(list(LARGEST), "rotate").tag(sync=True)
    strength = t.Float(45.0, min=0).tag(sync=True)
    seed = t.Int(0, min=0, max=LARGEST_SEED).tag(sync=True)

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
        # The page sends a new augmentation together with its strength, in any order: only the widest limit holds here.
        if not proposal["value"] <= max(LARGEST.values()):
            raise t.TraitError(f"strength is {proposal['value']}; the largest of all is {max(LARGEST.values())}")
        return proposal["value"]
