"""FilterGallery: the filters of a network's first layer, and what in photographs excites them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.ops import conv2d
from backbone.widgets.base import Array, BookWidget


@dataclass(frozen=True)
class Filters:
    """The filters of one first layer, and the BatchNorm behind it.

    Attributes:
        weight: (F, 3, k, k), as the convolution stores them; it has no bias.
        scale: (F,), what BatchNorm at evaluation multiplies by; ones without it.
        shift: (F,), what it then adds; zeros without it.
    """

    weight: ArrayLike
    scale: ArrayLike
    shift: ArrayLike


class FilterGallery(BookWidget):
    """Choose a filter of one network and of another; see its weights, its map of a photograph, its best patches.

    Args:
        images: name -> picture, color (3, H, W) or gray (H, W), floats in [0, 1] or uint8; all of one size. A color
            picture with three equal channels is kept as a gray one.
        filters: name of a network -> its filters, all of one shape. The first filter chosen of each is its strongest.
        stride: of the convolution. Its padding is TensorFlow's "same": the odd pixel goes to the right and the bottom.
        mean, std: the network sees (pixel - mean) / std, pixels in [0, 1]. Padding is 0 there.
        patches: how many pictures' best patches to show, at most the number of pictures.

    Traits, live both ways:
        image: name of the picture whose map is shown.
        chosen: the number of the chosen filter, for each network.
        order: "stored", "strength", "color" or "edges"; in the last three the largest comes first.
        stretched: paint each filter up to its own largest weight. Else all filters of a network share one scale.
        stage: what maps and scores show: "convolution", or "batchnorm" behind it. There is nothing to choose where no
            network has a scale or a shift.

    Raises:
        ValueError: pictures or filters of the wrong shape, or numbers that are not finite.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"": (1117, 1527)}

    image = t.Unicode().tag(sync=True)
    chosen = t.List(t.Int(min=0)).tag(sync=True)
    order = t.Enum(["stored", "strength", "color", "edges"], "stored").tag(sync=True)
    stretched = t.Bool(False).tag(sync=True)
    stage = t.Enum(["convolution", "batchnorm"], "convolution").tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    channels = t.List(t.Int(), read_only=True, help="1 or 3 for each picture").tag(sync=True)
    pixels = Array("uint8", read_only=True, help="channels of all pictures, (channels, H, W)").tag(sync=True)
    networks = t.List(t.Unicode(), read_only=True).tag(sync=True)
    weights = Array("float32", read_only=True, help="(networks, F, 3, k, k)").tag(sync=True)
    scales = Array("float32", read_only=True, help="(networks, F)").tag(sync=True)
    shifts = Array("float32", read_only=True, help="(networks, F)").tag(sync=True)
    stride = t.Int(read_only=True).tag(sync=True)
    mean = t.Float(read_only=True).tag(sync=True)
    std = t.Float(read_only=True).tag(sync=True)
    patches = t.Int(read_only=True).tag(sync=True)

    def __init__(
        self,
        images: Mapping[str, ArrayLike],
        filters: Mapping[str, Filters],
        *,
        stride: int = 2,
        mean: float = 127 / 255,
        std: float = 128 / 255,
        patches: int = 6,
        **traits,
    ):
        planes = _same_size({name: _bytes(name, image) for name, image in images.items()})
        sets = _same_filters({name: _arrays(name, one) for name, one in filters.items()})
        if stride < 1 or std <= 0:
            raise ValueError(f"stride is {stride}, std is {std}; stride must be at least 1, std above 0")
        fixed = {
            "names": list(images),
            "channels": [len(picture) for picture in planes],
            "pixels": np.concatenate(planes),
            "networks": list(filters),
            "weights": [weight for weight, _, _ in sets],
            "scales": [scale for _, scale, _ in sets],
            "shifts": [shift for _, _, shift in sets],
            "stride": int(stride),
            "mean": float(mean),
            "std": float(std),
            "patches": min(int(patches), len(images)),
        }
        for name, value in fixed.items():
            self.set_trait(name, value)
        strongest = [int(np.argmax((weight**2).sum((1, 2, 3)))) for weight, *_ in sets]
        super().__init__(**({"image": self.names[0], "chosen": strongest} | traits))

    def picture(self, name: str) -> np.ndarray:
        """Return a picture as the network sees it, (3, H, W), float64, from pixels rounded to 1/255."""
        index = self.names.index(name)
        first, count = sum(self.channels[:index]), self.channels[index]
        planes = np.broadcast_to(self.pixels[first : first + count], (3, *self.pixels.shape[1:]))
        return (planes / 255 - self.mean) / self.std

    def filters(self, network: str) -> Filters:
        """Return the filters of a network, float32."""
        index = self.networks.index(network)
        return Filters(self.weights[index], self.scales[index], self.shifts[index])

    def map(self, network: str, number: int) -> np.ndarray:
        """Return a filter's map over the picture shown, (ceil(H / stride), ceil(W / stride)), by `backbone.ops`."""
        filters = self.filters(network)
        size = self.weights.shape[-1]
        totals = [max((-(-side // self.stride) - 1) * self.stride + size - side, 0) for side in self.pixels.shape[1:]]
        pads = [(total // 2, total - total // 2) for total in totals]
        x = np.pad(self.picture(self.image), [(0, 0), *pads])[None]
        found = conv2d(x, filters.weight[number][None].astype(np.float64), stride=self.stride)[0, 0]
        return found * filters.scale[number] + filters.shift[number] if self.stage == "batchnorm" else found

    @t.validate("image")
    def _image_is_known(self, proposal):
        if proposal["value"] not in self.names:
            raise t.TraitError(f"image is {proposal['value']!r}; it must be one of {', '.join(self.names)}")
        return proposal["value"]

    @t.validate("chosen")
    def _filters_exist(self, proposal):
        chosen, count = proposal["value"], self.weights.shape[1]
        if len(chosen) != len(self.networks) or max(chosen) >= count:
            raise t.TraitError(
                f"chosen is {chosen}; it must be {len(self.networks)} numbers from 0 to {count - 1}, one a network"
            )
        return chosen


def _bytes(name: str, image: ArrayLike) -> np.ndarray:
    """Return a picture as uint8 (C, H, W) with C = 1 or 3; raise ValueError where it is none."""
    given = np.asarray(image)
    planes = given[None] if given.ndim == 2 else given
    if planes.ndim != 3 or len(planes) not in (1, 3) or min(planes.shape) < 1:
        raise ValueError(f"images[{name!r}] has shape {given.shape}; it must be gray (H, W) or color (3, H, W)")
    if planes.dtype != np.uint8:
        if not np.issubdtype(planes.dtype, np.floating) or not 0 <= planes.min() <= planes.max() <= 1:
            raise ValueError(
                f"images[{name!r}] has dtype {planes.dtype} and values from {planes.min():g} to {planes.max():g}; "
                "it must be floating point in [0, 1] or uint8"
            )
        planes = np.rint(planes * 255).astype(np.uint8)
    return planes[:1] if (planes == planes[0]).all() else planes


def _same_size(images: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the pictures; raise ValueError where there is none, or two of different sizes."""
    sizes = {image.shape[1:] for image in images.values()}
    if len(sizes) != 1:
        raise ValueError(f"images have the sizes {sorted(sizes)}; give at least one picture, and all of one size")
    return list(images.values())


def _arrays(name: str, filters: Filters) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weight, scale and shift as float32; raise ValueError where they do not fit."""
    arrays = tuple(np.asarray(one, dtype=np.float32) for one in (filters.weight, filters.scale, filters.shift))
    weight, scale, shift = arrays
    square = weight.ndim == 4 and weight.shape[1] == 3 and weight.shape[2] == weight.shape[3] and weight.size
    if not square or scale.shape != weight.shape[:1] or shift.shape != weight.shape[:1]:
        raise ValueError(
            f"filters[{name!r}] has weight {weight.shape}, scale {scale.shape}, shift {shift.shape}; "
            "it must have (F, 3, k, k), (F,) and (F,)"
        )
    if not all(np.isfinite(one).all() for one in arrays):
        raise ValueError(f"filters[{name!r}] holds a NaN or an infinity; all its numbers must be finite")
    return arrays


def _same_filters(sets: dict[str, tuple]) -> list[tuple]:
    """Return the filters; raise ValueError where there are none, or two of different shapes."""
    shapes = {weight.shape for weight, *_ in sets.values()}
    if len(shapes) != 1:
        raise ValueError(f"filters have the shapes {sorted(shapes)}; give at least one network, and all of one shape")
    return list(sets.values())
