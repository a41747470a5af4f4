"""FilterGallery: the filters of a network's first layer, and what in photographs excites them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.ops import conv2d
from backbone.widgets.base import Array, BookWidget


class FilterGallery(BookWidget):
    """Choose a filter of one network or another; beside it stand its map of a photograph and the best patch of each.

    Args:
        images: name -> picture, color (3, H, W) or gray (H, W), floats in [0, 1] or uint8; all of one size. A color
            picture with three equal channels is kept as a gray one.
        filters: name of a network -> the weights of its first convolution (F, 3, k, k), all of one shape. The first
            that is chosen is the strongest of the first network.
        stride: of the convolution. Its padding is TensorFlow's "same": the odd pixel goes to the right and the bottom.
        mean, std: the network sees (pixel - mean) / std, pixels in [0, 1]. Padding is 0 there.

    Traits, live both ways:
        image: name of the picture whose map is shown.
        network, filter: the name of a network and the number of one of its filters.
        order: "stored", "strength", "color" or "edges"; in the last three the largest comes first.
        stretched: paint each filter up to its own largest weight. Else all filters of a network share one scale.

    Raises:
        ValueError: pictures or filters of the wrong shape, or numbers that are not finite.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"": (465, 628)}

    image = t.Unicode().tag(sync=True)
    network = t.Unicode().tag(sync=True)
    filter = t.Int(min=0).tag(sync=True)
    order = t.Enum(["stored", "strength", "color", "edges"], "stored").tag(sync=True)
    stretched = t.Bool(False).tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    channels = t.List(t.Int(), read_only=True, help="1 or 3 for each picture").tag(sync=True)
    pixels = Array("uint8", read_only=True, help="channels of all pictures, (channels, H, W)").tag(sync=True)
    networks = t.List(t.Unicode(), read_only=True).tag(sync=True)
    weights = Array("float32", read_only=True, help="(networks, F, 3, k, k)").tag(sync=True)
    stride = t.Int(read_only=True).tag(sync=True)
    mean = t.Float(read_only=True).tag(sync=True)
    std = t.Float(read_only=True).tag(sync=True)

    def __init__(
        self,
        images: Mapping[str, ArrayLike],
        filters: Mapping[str, ArrayLike],
        *,
        stride: int = 2,
        mean: float = 127 / 255,
        std: float = 128 / 255,
        **traits,
    ):
        planes = _same_size({name: _bytes(name, image) for name, image in images.items()})
        sets = _same_filters({name: _weights(name, one) for name, one in filters.items()})
        if stride < 1 or std <= 0:
            raise ValueError(f"stride is {stride}, std is {std}; stride must be at least 1, std above 0")
        fixed = {
            "names": list(images),
            "channels": [len(picture) for picture in planes],
            "pixels": np.concatenate(planes),
            "networks": list(filters),
            "weights": sets,
            "stride": int(stride),
            "mean": float(mean),
            "std": float(std),
        }
        for name, value in fixed.items():
            self.set_trait(name, value)
        network = traits.get("network", self.networks[0])
        weight = sets[self.networks.index(network)] if network in self.networks else sets[0]
        first = {"image": self.names[0], "network": network, "filter": int(np.argmax((weight**2).sum((1, 2, 3))))}
        super().__init__(**(first | traits))

    def picture(self, name: str) -> np.ndarray:
        """Return a picture as the network sees it, (3, H, W), float64, from pixels rounded to 1/255."""
        index = self.names.index(name)
        first, count = sum(self.channels[:index]), self.channels[index]
        planes = np.broadcast_to(self.pixels[first : first + count], (3, *self.pixels.shape[1:]))
        return (planes / 255 - self.mean) / self.std

    @property
    def weight(self) -> np.ndarray:
        """The weights of the chosen filter, (3, k, k), float32."""
        return self.weights[self.networks.index(self.network), self.filter]

    @property
    def map(self) -> np.ndarray:
        """The chosen filter's map over the picture shown, (ceil(H / stride), ceil(W / stride)), by `backbone.ops`."""
        size = self.weights.shape[-1]
        totals = [max((-(-side // self.stride) - 1) * self.stride + size - side, 0) for side in self.pixels.shape[1:]]
        pads = [(total // 2, total - total // 2) for total in totals]
        x = np.pad(self.picture(self.image), [(0, 0), *pads])[None]
        return conv2d(x, self.weight[None].astype(np.float64), stride=self.stride)[0, 0]

    @t.validate("image", "network")
    def _is_known(self, proposal):
        value, name = proposal["value"], proposal["trait"].name
        allowed = self.names if name == "image" else self.networks
        if value not in allowed:
            raise t.TraitError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}")
        return value

    @t.validate("filter")
    def _filter_is_there(self, proposal):
        count = self.weights.shape[1]
        if proposal["value"] >= count:
            raise t.TraitError(f"filter is {proposal['value']}; it must be a number from 0 to {count - 1}")
        return proposal["value"]


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


def _weights(name: str, filters: ArrayLike) -> np.ndarray:
    """Return the weights as float32; raise ValueError where they are none."""
    weight = np.asarray(filters, dtype=np.float32)
    if not (weight.ndim == 4 and weight.shape[1] == 3 and weight.shape[2] == weight.shape[3] and weight.size):
        raise ValueError(f"filters[{name!r}] has shape {weight.shape}; it must be (F, 3, k, k)")
    if not np.isfinite(weight).all():
        raise ValueError(f"filters[{name!r}] holds a NaN or an infinity; all its numbers must be finite")
    return weight


def _same_filters(sets: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the filters; raise ValueError where there are none, or two of different shapes."""
    shapes = {weight.shape for weight in sets.values()}
    if len(shapes) != 1:
        raise ValueError(f"filters have the shapes {sorted(shapes)}; give at least one network, and all of one shape")
    return list(sets.values())
