"""FeatureMapExplorer: a trained network at work on a drawing, every unit of it in sight, in the page."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import traitlets as t
from numpy.typing import ArrayLike

from backbone import models
from backbone.data import LabeledImages, Statistics
from backbone.probes import Probe
from backbone.widgets.base import Array
from backbone.widgets.lenet import LenetWidget, pack_lenet, unpack_lenet
from backbone.widgets.pictures import SIDE

COVER = 8
GRAYS = {"gray": 128, "black": 0}
# The layers in sight: name -> units, and the side of their maps. fc1 and fc2 are after ReLU, conv1 and conv2 before it.
LAYERS = {
    "conv1": (6, 28),
    "pool1": (6, 14),
    "conv2": (16, 10),
    "pool2": (16, 5),
    "fc1": (120, 1),
    "fc2": (84, 1),
    "fc3": (10, 1),
}
MODULES = {name: name for name in LAYERS} | {"fc1": "relu3", "fc2": "relu4"}  # of `models.lenet`


class FeatureMapExplorer(LenetWidget):
    """Draw on a picture and watch LeNet compute its maps and answers; a unit lights what it reads, back to the picture.

    The network runs in the page. Its weights travel as whole numbers from -127 to 127 and one scale for each unit, and
    `parameters` gives them back as the page has them: two networks take 124 KB instead of 494, and a probability
    changes by 0.2 percentage points on average.

    Args:
        pictures: those to pick from, with their true classes.
        networks: name -> parameters, as in ``model.state_dict()``; one to three networks, the first is shown first.
        statistics: mean and std of the data; the networks take ``(pixel / 255 - mean) / std``.

    Traits, live both ways:
        picture: which of `pictures` is shown; -1 for the drawing, which is first a shoe.
        drawing: the drawing, uint8 (28, 28).
        network: name of the network that runs.
        layer, unit, position: what is lit: name, number, and row and column in its map. Unit -1 of fc3 is the answer
            with the highest score.
        tool: what the hand does on the picture: "draw" or "cover".
        cover: row and column of the upper left corner of a square of 8 × 8. cover_fill: "gray" (128) or "black" (0).

    Raises:
        ValueError: an array of the wrong shape, dtype or range, a parameter that is missing.
        traitlets.TraitError: a setting that does not exist.
    """

    room = {"": (509, 630)}

    network = t.Unicode().tag(sync=True)
    layer = t.Enum(list(LAYERS), "fc3").tag(sync=True)
    unit = t.Int(-1, min=-1).tag(sync=True)
    position = t.List(t.Int(min=0), [0, 0], minlen=2, maxlen=2).tag(sync=True)
    tool = t.Enum(["draw", "cover"], "draw").tag(sync=True)
    cover = t.List(t.Int(min=0, max=SIDE - COVER), [10, 10], minlen=2, maxlen=2).tag(sync=True)
    cover_fill = t.Enum(list(GRAYS), "gray").tag(sync=True)

    pixels = Array("uint8", read_only=True, help="the pictures (P, 28, 28)").tag(sync=True)
    labels = t.List(t.Int(), read_only=True).tag(sync=True)
    networks = t.List(t.Unicode(), read_only=True, help="their names").tag(sync=True)
    weights = Array("int8", read_only=True, help="a row a network; see lenet.py").tag(sync=True)
    vectors = Array("float32", read_only=True, help="a row a network; see lenet.py").tag(sync=True)
    limits = t.Dict(read_only=True, help="layer -> the end of its color scale").tag(sync=True)

    def __init__(
        self,
        pictures: LabeledImages,
        networks: Mapping[str, Mapping[str, ArrayLike]],
        statistics: Statistics,
        **traits,
    ):
        if len(set(pictures.classes)) != LAYERS["fc3"][0]:
            raise ValueError(f"pictures has the classes {pictures.classes}; LeNet has 10 scores, so give 10 names")
        if not 1 <= len(networks) <= 3:
            raise ValueError(f"networks has {len(networks)} entries; give 1 to 3, such as {{'trained': parameters}}")
        shown, labels = _checked("pictures", pictures)
        packed = [pack_lenet(parameters, "int8", f"networks[{name!r}]") for name, parameters in networks.items()]
        self.set_trait("pixels", shown)
        self.set_trait("labels", labels)
        self.set_trait("networks", list(networks))
        self.set_trait("weights", [weights for weights, _ in packed])
        self.set_trait("vectors", [vectors for _, vectors in packed])
        super().__init__(pictures.classes, statistics, **({"network": self.networks[0]} | traits))
        self.set_trait("limits", self._limits())

    @property
    def input(self) -> np.ndarray:
        """What the network sees, uint8 (28, 28): the picture or the drawing, with the cover where there is one."""
        image = (self.pixels[self.picture] if self.picture >= 0 else self.drawing).copy()
        if self.tool == "cover":
            row, column = self.cover
            image[row : row + COVER, column : column + COVER] = GRAYS[self.cover_fill]
        return image

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The network's parameters as the page computes with them: name -> float32 array."""
        number = self.networks.index(self.network)
        return unpack_lenet(self.weights[number], self.vectors[number])

    def _limits(self) -> dict[str, float]:
        """Return of each layer the size that 1 number in 200 exceeds, over all networks and pictures."""
        mean, std = self.statistics
        x = (torch.from_numpy(self.pixels[:, None] / 255).float() - mean) / std  # (P, 1, 28, 28)
        sizes = {layer: [] for layer in LAYERS}
        for packed in zip(self.weights, self.vectors, strict=True):
            with torch.device("meta"):  # where no weights are drawn: a reader's own draws stay as they are
                model = models.lenet().eval()
            weights = {key: torch.from_numpy(values) for key, values in unpack_lenet(*packed).items()}
            model.load_state_dict(weights, assign=True)
            with torch.no_grad(), Probe(model, list(MODULES.values())) as probe:
                model(x)
            for layer, module in MODULES.items():
                sizes[layer].append(probe.activations[module].abs().flatten().numpy())
        ranked = {layer: np.sort(np.concatenate(found)) for layer, found in sizes.items()}
        return {layer: float(one[int(0.995 * (len(one) - 1))]) or 1.0 for layer, one in ranked.items()}

    @t.validate("network")
    def _network_is_known(self, proposal):
        if proposal["value"] not in self.networks:
            raise t.TraitError(f"network is {proposal['value']!r}; it must be one of {', '.join(self.networks)}")
        return proposal["value"]


def _checked(name: str, given: LabeledImages) -> tuple[np.ndarray, list[int]]:
    """Return pictures as uint8 (P, 28, 28) and their labels; raise ValueError where they are none."""
    images, labels = np.asarray(given.images), np.asarray(given.labels)
    if images.ndim != 4 or images.shape[1:] != (1, SIDE, SIDE) or not len(images):
        raise ValueError(f"{name}.images has shape {images.shape}; it must be (P, 1, 28, 28) with P at least 1")
    if images.dtype != np.uint8:
        raise ValueError(f"{name}.images has dtype {images.dtype}; it must be uint8, 0 for black to 255 for white")
    if labels.shape != (len(images),):
        raise ValueError(f"{name}.labels has shape {labels.shape}; there are {len(images)} pictures, one label each")
    if not np.issubdtype(labels.dtype, np.integer) or labels.min() < 0 or labels.max() >= LAYERS["fc3"][0]:
        raise ValueError(f"{name}.labels must be whole numbers from 0 to 9; it holds {labels.dtype} like {labels[0]}")
    return images[:, 0], labels.tolist()
