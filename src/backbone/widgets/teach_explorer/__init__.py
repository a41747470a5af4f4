"""TeachExplorer: classes of one's own, taught to a head over the features of a trained network."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike
from PIL import Image

from backbone.checks import integer, picture, real_array, to_array
from backbone.widgets.base import Array
from backbone.widgets.engine import SIDE, NetworkWidget

if TYPE_CHECKING:  # it would load PyTorch
    from backbone.pretrained import Packed

SOURCES = {"stride 4": 24, "stride 8": 40, "stride 16": 112, "stride 32": 320, "features": 1280}  # -> numbers
CLASSES = (2, 5)
EDGE = SIDE // 8  # pixels, how wide a frame is
COLORS = ((0, 114, 178), (240, 228, 66))  # of the frames of the first and of the second class: blue, yellow
FRAMES = ("none", "same", "swapped")
ANSWERS = ("clothes", "frames", "both")


def framed(pictures: ArrayLike, color: tuple[int, int, int]) -> np.ndarray:
    """Put a frame of one color, red, green and blue from 0 to 255, over the edge of pictures (N, 3, 224, 224)."""
    result = picture("framed", "pictures", pictures, f"(N, 3, {SIDE}, {SIDE})").copy()
    edge = np.ones((SIDE, SIDE), bool)
    edge[EDGE:-EDGE, EDGE:-EDGE] = False
    result[..., edge] = np.array(color, result.dtype)[:, None] / 255
    return result


def png(picture: ArrayLike) -> bytes:
    """Return a gray picture (H, W), uint8, as a PNG file. The page resizes it as ``pretrained.prepare`` does."""
    values = to_array("png", "picture", picture)
    if values.ndim != 2 or values.dtype != np.uint8:
        raise ValueError(f"png: picture is {values.dtype} {values.shape}; it must be uint8 (H, W)")
    file = io.BytesIO()
    Image.fromarray(values).save(file, "PNG", optimize=True)
    return file.getvalue()


def _vectors(features: Mapping[str, ArrayLike], pictures: int) -> list[np.ndarray]:
    """Return the arrays of all sources, once they are checked."""
    if list(features) != list(SOURCES):
        raise ValueError(f"TeachExplorer: features has {list(features)}; it must have {list(SOURCES)}, in this order")
    found = []
    for source, numbers in SOURCES.items():
        name, shape = f"features[{source!r}]", (3, pictures, numbers)
        given = real_array("TeachExplorer", name, features[source], "(3, pictures, numbers)")
        if given.shape != shape:
            raise ValueError(f"TeachExplorer: {name} has shape {given.shape}; it must be {shape}")
        if not np.allclose(np.linalg.norm(given, axis=2), 1, atol=1e-2):
            raise ValueError(f"TeachExplorer: {name} is not of length 1; divide each vector by its length")
        found.append(given)
    return found


class TeachExplorer(NetworkWidget):
    """Teach a head classes of one's own, from a handful of pictures each, and ask it about others.

    The head is a linear layer with softmax over the features that a network gives, or over what a stage of it gives, at
    length 1 for each picture. It is trained in the page. Of each class some pictures are taught and the others asked.

    Args:
        packed: the network, as ``pretrained.pack`` gives it.
        pictures: name of a class -> its pictures, files as ``engine.jpeg`` or ``png`` make them. Two to five classes,
            all with as many pictures.
        features: each of ``SOURCES`` -> (3, pictures, numbers), class by class: of the pictures as they are, and in a
            frame of each of ``COLORS`` (``framed``), from ``pretrained.rounded``. A stage gives the means of channels
            behind its last block, "features" are what the last layer gets. Each vector has length 1.
        first: how many pictures of each class are taught at first.

    Traits, live both ways:
        photo: the picture asked about, such as "coat 2", or "" for the reader's own.
        source: what the head is given, "features", a stage such as "stride 8", or "small" (the pixels of the picture at
            32 x 32).
        frames: "none", "same" (the first class is taught and asked in a blue frame, the second in a yellow one), or
            "swapped" (taught so, and asked the other way round).
        answer: to "What will the head learn?": "clothes", "frames", "both", or "".
        taught: what was taught last, names, features and head: {} until the reader does something. Set it to what
            a saved file holds to go on from there; ``pretrained.read_taught`` makes arrays of it.

    Raises:
        ValueError: another number of classes, pictures or features.
        traitlets.TraitError: ``taught`` is damaged or of another network.
    """

    room = {"": (517, 634)}

    source = t.Enum(["small", *SOURCES], "features").tag(sync=True)
    frames = t.Enum(FRAMES, "none").tag(sync=True)
    answer = t.Enum(["", *ANSWERS], "").tag(sync=True)
    taught = t.Dict().tag(sync=True)

    names = t.List(t.Unicode(), read_only=True, help="of the classes at first").tag(sync=True)
    first = t.Int(read_only=True).tag(sync=True)
    features = Array("float16", read_only=True, help="(3, pictures, 1776): the sources side by side").tag(sync=True)

    def __init__(
        self,
        packed: Packed,
        pictures: Mapping[str, Sequence[bytes]],
        features: Mapping[str, ArrayLike],
        first: int = 5,
        **traits,
    ):
        low, high = CLASSES
        counts = {name: len(files) for name, files in pictures.items()}
        if not low <= len(counts) <= high:
            raise ValueError(f"TeachExplorer: pictures has {len(counts)} classes; it must have {low} to {high}")
        if len(set(counts.values())) > 1:
            raise ValueError(f"TeachExplorer: pictures has {counts}; give as many of each class")
        each = next(iter(counts.values()))
        first = integer("TeachExplorer", "first", first, 1, each - 1, suffix=", so that some are left to ask about")
        given = np.concatenate(_vectors(features, len(counts) * each), axis=2)
        for name, value in {"names": list(counts), "first": first, "features": given}.items():
            self.set_trait(name, value)
        photos = {f"{name} {i + 1}": file for name, files in pictures.items() for i, file in enumerate(files)}
        shown = {"photo": f"{self.names[0]} {first + 1}"} | traits
        super().__init__(packed, photos, {name: name for name in photos}, **shown)

    @t.validate("taught")
    def _can_be_read(self, proposal):
        from backbone.pretrained import read_taught

        if proposal["value"]:
            try:
                found = read_taught(proposal["value"])
            except ValueError as error:
                raise t.TraitError(str(error)) from error
            if found.checksum != self.crc:
                raise t.TraitError("taught: the features are of other weights; save it again in a page of this edition")
        return proposal["value"]
