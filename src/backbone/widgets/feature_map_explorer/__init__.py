"""FeatureMapExplorer: a trained network takes a picture apart, layer by layer, in the page."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.data import LabeledImages, Statistics
from backbone.probes import TopPatches
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.lenet import SHAPES, pack_lenet, unpack_lenet

SIDE = 28
COVER_SIZES = (4, 8, 12)
# What stands in the strip: name -> units, and the side of their maps.
LAYERS = {
    "conv1": (6, 28),
    "relu1": (6, 28),
    "pool1": (6, 14),
    "conv2": (16, 10),
    "relu2": (16, 10),
    "pool2": (16, 5),
    "fc1": (120, 1),
    "fc2": (84, 1),
    "fc3": (10, 1),
}
# ReLU keeps the order of what is above zero, so its best patches are those of the layer before it.
SEARCHED = tuple(name for name in LAYERS if not name.startswith("relu"))
PATCHES = 9


class FeatureMapExplorer(BookWidget):
    """Pick a picture or draw one, and watch LeNet compute its maps and scores; open any unit, cover any part.

    The network runs in the page. Its weights travel as whole numbers from -127 to 127 and one scale for each unit, and
    `parameters` gives them back as the page has them: two networks take 124 KB instead of 494, and a probability
    changes by 0.2 percentage points on average.

    Args:
        pictures: those to pick from, with their true classes.
        networks: name -> parameters, as in ``model.state_dict()``; one to three networks, the first is shown first.
        statistics: mean and std of the data; the networks take ``(pixel / 255 - mean) / std``.
        data: the pictures in which best patches were looked for. Only those that hold one travel, in 16 grays.
        best: name of a network -> layer -> what ``probes.top_patches`` found in `data`, nine for each unit, in the
            layers of `SEARCHED`; ReLU shows those of the layer before it.

    Traits, live both ways:
        picture: which of `pictures` is shown; -1 for the drawing.
        drawing: the drawing, uint8 (28, 28).
        network: name of the network that runs. scale: colors on the "same" scale for all networks, or each its "own".
        layer, unit, position: what is explained: name, number, and row and column in its map.
        tool: what pointing at the picture does: "look", "cover" or "draw".
        cover: row and column of the cover's upper left corner. cover_size: 4, 8 or 12.
        cover_fill: "gray" (128), "black" (0) or "mean", the mean of the data.

    Raises:
        ValueError: an array of the wrong shape, dtype or range, a parameter that is missing.
        traitlets.TraitError: a setting that does not exist.
    """

    room = {"": (1444, 2789)}

    SEARCHED = SEARCHED

    picture = t.Int(0, min=-1).tag(sync=True)
    drawing = Array("uint8").tag(sync=True)
    network = t.Unicode().tag(sync=True)
    scale = t.Enum(["same", "own"], "same").tag(sync=True)
    layer = t.Enum(list(LAYERS), "conv1").tag(sync=True)
    unit = t.Int(0, min=0).tag(sync=True)
    position = t.List(t.Int(), [14, 14], minlen=2, maxlen=2).tag(sync=True)
    tool = t.Enum(["look", "cover", "draw"], "look").tag(sync=True)
    cover = t.List(t.Int(min=0, max=SIDE - min(COVER_SIZES)), [10, 10], minlen=2, maxlen=2).tag(sync=True)
    cover_size = t.Enum(list(COVER_SIZES), 8).tag(sync=True)
    cover_fill = t.Enum(["gray", "black", "mean"], "gray").tag(sync=True)

    pixels = Array("uint8", read_only=True, help="the pictures (P, 28, 28)").tag(sync=True)
    labels = t.List(t.Int(), read_only=True).tag(sync=True)
    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    networks = t.List(t.Unicode(), read_only=True, help="their names").tag(sync=True)
    shapes = t.List([[*pair] for pair in SHAPES.items()], read_only=True, help="of LeNet's parameters").tag(sync=True)
    weights = Array("int8", read_only=True, help="a row a network; see lenet.py").tag(sync=True)
    vectors = Array("float32", read_only=True, help="a row a network; see lenet.py").tag(sync=True)
    statistics = t.List(t.Float(), read_only=True, help="mean and std of the data in [0, 1]").tag(sync=True)
    bank = Array("uint8", read_only=True, help="best patches, deflated: see _keep_best").tag(sync=True)
    bank_labels = t.List(t.Int(), read_only=True).tag(sync=True)
    searched = t.List(t.Unicode(), read_only=True, help="networks whose best patches are known").tag(sync=True)

    def __init__(
        self,
        pictures: LabeledImages,
        networks: Mapping[str, Mapping[str, ArrayLike]],
        statistics: Statistics,
        *,
        data: LabeledImages | None = None,
        best: Mapping[str, Mapping[str, TopPatches]] | None = None,
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
        self.set_trait("classes", list(pictures.classes))
        self.set_trait("networks", list(networks))
        self.set_trait("weights", [weights for weights, _ in packed])
        self.set_trait("vectors", [vectors for _, vectors in packed])
        self.set_trait("statistics", _statistics(statistics))
        if best:
            self._keep_best(data, best)
        traits.setdefault("network", self.networks[0])
        super().__init__(**traits)

    def _keep_best(self, data, best):
        """Keep the places of the best patches, and of `data` only the pictures that they lie in.

        The bank is, for all places, network by network and layer by layer: the number of the picture in the bank,
        uint16; then row and column in the unit's map, uint8; then the pictures, a byte a pixel, 0 to 15.
        """
        if data is None:
            raise ValueError("best is given without data; give the pictures in which the patches were found, too")
        images, labels = _checked("data", data)
        if unknown := [name for name in best if name not in self.networks]:
            raise ValueError(f"best has {unknown[0]!r}, which is no network; there are {', '.join(self.networks)}")
        names = [name for name in self.networks if name in best]
        places = np.concatenate([_places(name, best[name], len(images)) for name in names])
        used, pictures = np.unique(places[:, 0], return_inverse=True)
        # In a picture of a thumbnail's size the eye cannot tell 16 grays from 256.
        parts = pictures.astype("<u2"), places[:, 1:].astype(np.uint8), images[used] >> 4
        packed = zlib.compress(b"".join(part.tobytes() for part in parts), 9)
        self.set_trait("bank", np.frombuffer(packed, np.uint8))
        self.set_trait("bank_labels", [labels[index] for index in used])
        self.set_trait("searched", names)

    @property
    def input(self) -> np.ndarray:
        """What the network sees, uint8 (28, 28): the picture or the drawing, with the cover where there is one."""
        image = (self.pixels[self.picture] if self.picture >= 0 else self.drawing).copy()
        if self.tool == "cover":
            row, column = (min(at, SIDE - self.cover_size) for at in self.cover)
            gray = {"gray": 128, "black": 0, "mean": int(255 * self.statistics[0] + 0.5)}[self.cover_fill]
            image[row : row + self.cover_size, column : column + self.cover_size] = gray
        return image

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """The network's parameters as the page computes with them: name -> float32 array."""
        number = self.networks.index(self.network)
        return unpack_lenet(self.weights[number], self.vectors[number])

    @t.default("drawing")
    def _nothing_drawn(self):
        return np.zeros((SIDE, SIDE), np.uint8)

    @t.validate("network")
    def _network_is_known(self, proposal):
        if proposal["value"] not in self.networks:
            raise t.TraitError(f"network is {proposal['value']!r}; it must be one of {', '.join(self.networks)}")
        return proposal["value"]

    @t.validate("picture")
    def _picture_is_there(self, proposal):
        count = len(self.labels)
        if proposal["value"] >= count:
            raise t.TraitError(f"picture is {proposal['value']}; there are {count}, so give 0 to {count - 1}, or -1")
        return proposal["value"]

    @t.validate("drawing")
    def _drawing_is_whole(self, proposal):
        if proposal["value"].shape != (SIDE, SIDE):
            raise t.TraitError(f"drawing has shape {proposal['value'].shape}; it must be ({SIDE}, {SIDE})")
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


def _statistics(given: Statistics) -> list[float]:
    """Return mean and std as two numbers; raise ValueError where they are not those of gray pictures in [0, 1]."""
    mean, std = (np.asarray(part, float).reshape(-1) for part in (given.mean, given.std))
    if len(mean) != 1 or len(std) != 1 or not 0 <= mean[0] <= 1 or not std[0] > 0:
        raise ValueError(
            f"statistics has mean {mean.tolist()} and std {std.tolist()}; it must have one mean from 0 to 1 and one "
            "std above 0, as backbone.data.FASHION_MNIST_STATISTICS has"
        )
    return [float(mean[0]), float(std[0])]


def _places(network: str, best: Mapping[str, TopPatches], count: int) -> np.ndarray:
    """Return the places of all units, layer by layer, as (units * 9, 3): picture, row, column in the map."""
    found = []
    for layer in SEARCHED:
        units, side = LAYERS[layer]
        if layer not in best:
            raise ValueError(f"best[{network!r}] has no {layer!r}; it needs {', '.join(SEARCHED)}")
        pictures, places = np.asarray(best[layer].pictures), np.asarray(best[layer].places)
        if pictures.shape != (units, PATCHES) or places.shape != (units, PATCHES, 2):
            raise ValueError(
                f"best[{network!r}][{layer!r}] has {pictures.shape} pictures; it must have ({units}, {PATCHES}), "
                f"{PATCHES} for each of the {units} units"
            )
        if pictures.min() < 0 or pictures.max() >= count or places.min() < 0 or places.max() >= side:
            raise ValueError(
                f"best[{network!r}][{layer!r}] has a place outside: data has {count} pictures, "
                f"the layer's maps {side} rows and columns"
            )
        found.append(np.concatenate([pictures[..., None], places], axis=-1).reshape(-1, 3))
    return np.concatenate(found)
