"""ReceptiveField: what one unit of a deep network sees of a picture, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone import ops
from backbone.widgets.base import Array, BookWidget

SHARE = 0.95


class ReceptiveField(BookWidget):
    """Drag a unit over a photograph, and go through the layers: its field grows, and the gradient in it.

    What is painted is the root of the outer product of a layer's profile with itself. For weights drawn at random that
    is what the mean squared gradient comes to: each convolution spreads it over a box, and a box is a product.

    Args:
        picture: a square photograph (S, S), uint8 or floats in [0, 1].
        fields: name of a layer -> the receptive field of its units, as ``ops.receptive_field`` gives it, the first
            layer first; sizes rise.
        profiles: for each layer the share of its squared gradient at each place along its field (size,), above or
            equal to 0; only proportions count.
        pooled: names of the layers that are poolings; their earlier fields stay in the picture as thin squares.
        step: number of the layer to begin with. While it plays, the step lies between two whole ones.
        place: row and column of the pixel around which the unit is chosen.

    Traits, live both ways: step, place.

    Raises:
        ValueError: shapes do not fit, or a profile has something else than finite shares from 0 on.
        traitlets.TraitError: a step or a place that is not there.

    Source: Luo et al. 2016, "Understanding the effective receptive field in deep convolutional neural networks".
    """

    room = {"": (509, 608)}

    step = t.Float(0.0, min=0).tag(sync=True)
    place = t.List(t.Float(min=0), [0.0, 0.0], minlen=2, maxlen=2).tag(sync=True)

    pixels = Array("uint8", read_only=True, help="the photograph (S, S), 0 to 255").tag(sync=True)
    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    fields = t.List(t.List(t.Int()), read_only=True, help="size, jump, start, units along a side").tag(sync=True)
    shares = Array("float32", read_only=True, help="the profiles, one behind the other").tag(sync=True)
    most = t.List(t.Int(), read_only=True, help="side of the middle with 95 % of the squared gradient").tag(sync=True)
    stages = t.List(t.Int(), read_only=True, help="numbers of the poolings").tag(sync=True)

    def __init__(
        self,
        picture: ArrayLike,
        fields: Mapping[str, ops.ReceptiveField],
        profiles: Sequence[ArrayLike],
        pooled: Sequence[str] = (),
        **traits,
    ):
        pixels = _bytes(picture)
        if not fields or len(fields) != len(profiles):
            raise ValueError(f"there are {len(fields)} fields and {len(profiles)} profiles; give one each for a layer")
        if missing := [name for name in pooled if name not in fields]:
            raise ValueError(f"pooled has {missing[0]!r}; it must hold names of fields: {', '.join(fields)}")
        shares = [_shares(name, one, fields[name].size) for name, one in zip(fields, profiles, strict=True)]
        side = len(pixels)
        self.set_trait("pixels", pixels)
        self.set_trait("names", list(fields))
        rows = [[one.size, one.jump, one.start, max(1, side // one.jump)] for one in fields.values()]
        self.set_trait("fields", rows)
        self.set_trait("shares", np.concatenate(shares))
        self.set_trait("most", [_middle(one) for one in shares])
        self.set_trait("stages", [list(fields).index(name) for name in pooled])
        super().__init__(**({"place": [side / 2, side / 2]} | traits))

    @property
    def unit(self) -> tuple[int, int]:
        """Row and column of the unit at the place, in the map of the layer."""
        size, jump, start, count = self.fields[round(self.step)]
        return tuple(int(np.clip(np.floor((at - start - size / 2) / jump + 0.5), 0, count - 1)) for at in self.place)

    @property
    def field(self) -> tuple[range, range]:
        """The rows and the columns of pixels that the unit sees, those in the padding included."""
        size, jump, start, _ = self.fields[round(self.step)]
        field = ops.ReceptiveField(size, jump, start)
        return tuple(field.pixels(at) for at in self.unit)

    @t.validate("step")
    def _step_is_there(self, proposal):
        if proposal["value"] > len(self.names) - 1:
            raise t.TraitError(f"step is {proposal['value']}; there are {len(self.names)} layers, so at most one less")
        return proposal["value"]

    @t.validate("place")
    def _place_is_there(self, proposal):
        if max(proposal["value"]) > len(self.pixels):
            raise t.TraitError(f"place is {proposal['value']}; the picture has {len(self.pixels)} rows and columns")
        return proposal["value"]


def _bytes(picture: ArrayLike) -> np.ndarray:
    """Return a square gray picture as uint8 (S, S); raise ValueError where it is none."""
    gray = np.asarray(picture)
    if gray.ndim != 2 or len(set(gray.shape)) != 1:
        raise ValueError(f"picture has shape {gray.shape}; it must be a gray square (S, S)")
    if gray.dtype == np.uint8:
        return gray
    if gray.dtype.kind != "f" or not (gray.min() >= 0 and gray.max() <= 1):
        raise ValueError(f"picture has dtype {gray.dtype}; it must be uint8, or floating point in [0, 1]")
    return np.rint(gray * 255).astype(np.uint8)


def _shares(name: str, profile: ArrayLike, size: int) -> np.ndarray:
    """Return the profile with the sum of 1; raise ValueError where it is none."""
    shares = np.asarray(profile, np.float64)
    if shares.shape != (size,):
        raise ValueError(f"the profile of {name} has shape {shares.shape}; its field is {size} pixels wide")
    if not (np.isfinite(shares).all() and (shares >= 0).all() and shares.any()):
        raise ValueError(f"the profile of {name} holds something else than finite shares from 0 on")
    return shares / shares.sum()


def _middle(shares: np.ndarray) -> int:
    """Return the side of the smallest square in the middle of the field that holds 95 % of the gradient."""
    count = len(shares)
    for edge in range((count - 1) // 2, -1, -1):
        if shares[edge : count - edge].sum() ** 2 >= SHARE - 1e-9:
            return count - 2 * edge
    return count
