"""What figures share that run a trained network in the page: its packed weights, its engine, and photographs."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike
from PIL import Image

from backbone.checks import picture
from backbone.widgets.base import HERE, BookWidget, join

if TYPE_CHECKING:  # it would load PyTorch
    from backbone.pretrained import Packed

SIDE = 224
LICENSE = "https://www.apache.org/licenses/LICENSE-2.0"
ENGINE = join(HERE / "engine" / "worker.js")


def jpeg(photograph: ArrayLike, quality: int = 92) -> bytes:
    """Return a picture (3, 224, 224) with values in [0, 1] as a JPEG file, which is a fifth of its size in the page."""
    values = picture("jpeg", "photograph", photograph, f"(3, {SIDE}, {SIDE})")
    file = io.BytesIO()
    Image.fromarray(np.rint(255 * values.transpose(1, 2, 0)).astype(np.uint8)).save(
        file, "JPEG", quality=quality, subsampling=0
    )
    return file.getvalue()


def pixels(file: bytes) -> np.ndarray:
    """Return what ``jpeg`` made as float32 (3, 224, 224), values in [0, 1], as the page sees it."""
    with Image.open(io.BytesIO(file), formats=["JPEG"]) as opened:
        return np.ascontiguousarray(np.asarray(opened.convert("RGB"), np.float32).transpose(2, 0, 1) / 255)


def likeliest(logits: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the likeliest classes of logits (..., classes), and how likely they are, both (..., count)."""
    logits = np.asarray(logits, np.float64)
    shares = np.exp(logits - logits.max(axis=-1, keepdims=True))
    shares /= shares.sum(axis=-1, keepdims=True)
    first = np.argsort(-shares, axis=-1, kind="stable")[..., :count]
    return first, np.take_along_axis(shares, first, -1)


class NetworkWidget(BookWidget):
    """A figure in which a network can be loaded: on a page from a file of the site, in a notebook from here.

    Args:
        packed: the network, as ``pretrained.pack`` gives it. It is sent when the reader asks for it, not before.
        photos: name -> JPEG file of 224 x 224 pixels, as ``jpeg`` makes them: the pictures at hand.
        alts: name -> what is to be seen, for a reader who cannot.

    Traits, live both ways:
        photo: name of the picture shown, or "" for the reader's own.

    Raises:
        ValueError: no photograph, or one without an entry in ``alts``.
    """

    styles = (HERE / "photo" / "photo.css",)  # of the picker, which all of them have

    photo = t.Unicode().tag(sync=True)

    network = t.Unicode("efficientnet_lite0", read_only=True).tag(sync=True)
    crc = t.Int(read_only=True, help="CRC-32 of the packed weights").tag(sync=True)
    license = t.Unicode(LICENSE, read_only=True, help="address; a page has its own").tag(sync=True)
    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    photos = t.List(t.Unicode(), read_only=True, help="names").tag(sync=True)
    alts = t.List(t.Unicode(), read_only=True).tag(sync=True)
    files = t.List(t.Bytes(), read_only=True, help="JPEG").tag(sync=True)

    def __init__(self, packed: Packed, photos: Mapping[str, bytes], alts: Mapping[str, str], **traits):
        name = type(self).__name__
        if not photos:
            raise ValueError(f"{name}: photos is empty; give at least one")
        if missing := [one for one in photos if not alts.get(one)]:
            raise ValueError(f"{name}: alts says nothing of {', '.join(missing)}; say what is to be seen")
        values = {"crc": packed.checksum, "classes": list(packed.classes), "photos": list(photos)}
        values |= {"alts": [alts[one] for one in photos], "files": list(photos.values())}
        for trait, value in values.items():
            self.set_trait(trait, value)
        self.packed = packed
        super().__init__(**{"photo": self.photos[0]} | traits)
        self.on_msg(self._hear)

    @t.validate("photo")
    def _is_at_hand(self, proposal):
        if proposal["value"] and proposal["value"] not in self.photos:
            raise t.TraitError(f"photo is {proposal['value']!r}; it must be one of {self.photos}, or empty")
        return proposal["value"]

    def _hear(self, _, content, buffers):
        if content.get("ask") == "network":
            answer = {"answer": "network", "engine": ENGINE, "layers": list(self.packed.layers)}
            self.send(answer, buffers=[self.packed.data])
