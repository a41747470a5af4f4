"""ConvolutionExplorer: a filter on a photograph, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.ops import KERNELS, conv2d, max_pool2d
from backbone.widgets.base import Array, BookWidget

# The screen shows pixels with two decimals. They are *kept* with two, so that the sums shown there add up exactly.
STEPS = 100
MAX_KERNEL = 5
MAX_SHIFT = 8
# Luma of a color pixel in hundredths, in whole ten-thousandths: Python and JavaScript round the same way.
LUMA = np.array([2125, 7154, 721])


class ConvolutionExplorer(BookWidget):
    """Move a window over a photograph, and see the sum that it makes of each place, and the map of all sums.

    It stands in five figures of one class, each with the controls that a text has introduced by then.

    Args:
        images: name -> picture, gray (H, W) or color (3, H, W), floats in [0, 1] or uint8; all of one height and
            width. The names are the labels.
        kernel: a name in ``backbone.ops.KERNELS``; a square of numbers, 1x1 to 5x5; or three squares (3, k, k), one
            a color channel.
        point: row and column of the output pixel at which the window rests.
        show: the figure, from its beginning: "window" (it sweeps over the picture, and the map grows), "filter" (its
            weights can be changed), "size" (stride, padding and dilation), "shift" (the picture is moved, before or
            after the filter) or "lab" (all settings, with color, ReLU and pooling).

    Traits, live both ways:
        image: name of the picture shown.
        color: show a color picture in color. Then the filter is a box of three squares, and still gives one map.
        kernel: planes of rows of weights: one plane, used for every channel, or three.
        stride: 1 to 4. padding: 0 to 3, of zeros. dilation: 1 to 3.
        after: what follows the convolution: "nothing", "relu" or "relu_pool" (ReLU, then 2x2 max pooling).
        point: row and column in the output of the convolution.
        shift: rows and columns by which the figure "shift" moves the picture, -8 to 8.
        answer: to the question of the figure "filter", how many pixels one weight changes: "one", "nine", "all" or "".

    Raises:
        ValueError: a picture of the wrong shape, dtype or range, or two of different sizes.
        traitlets.TraitError: a setting outside the range above.
    """

    room = {"window": (461, 324), "filter": (438, 563), "size": (399, 430), "shift": (322, 547), "lab": (461, 580)}

    show = t.Enum(["window", "filter", "size", "shift", "lab"], "lab").tag(sync=True)
    image = t.Unicode().tag(sync=True)
    color = t.Bool(False).tag(sync=True)
    kernel = t.List(t.List(t.List(t.Float()))).tag(sync=True)
    stride = t.Int(1, min=1, max=4).tag(sync=True)
    padding = t.Int(0, min=0, max=3).tag(sync=True)
    dilation = t.Int(1, min=1, max=3).tag(sync=True)
    after = t.Enum(["nothing", "relu", "relu_pool"], "nothing").tag(sync=True)
    point = t.List(t.Int(), minlen=2, maxlen=2).tag(sync=True)
    shift = t.List(t.Int(min=-MAX_SHIFT, max=MAX_SHIFT), [0, 0], minlen=2, maxlen=2).tag(sync=True)
    answer = t.Enum(["", "one", "nine", "all"], "").tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    channels = t.List(t.Int(), read_only=True, help="1 or 3 for each picture").tag(sync=True)
    pixels = Array("uint8", read_only=True, help="channels of all pictures, (channels, H, W), hundredths").tag(
        sync=True
    )
    kernels = t.List(read_only=True, help="the named filters: name, weights").tag(sync=True)

    def __init__(self, images: Mapping[str, ArrayLike], kernel="emboss", point=(0, 0), **traits):
        planes = _same_size({name: _hundredths(name, image) for name, image in images.items()})
        self.set_trait("names", list(images))
        self.set_trait("channels", [len(picture) for picture in planes])
        self.set_trait("pixels", np.concatenate(planes))
        # Pairs, for a notebook file sorts the keys of what it stores.
        self.set_trait("kernels", [[name, weights.tolist()] for name, weights in KERNELS.items()])
        traits.setdefault("image", self.names[0])
        super().__init__(kernel=_planes(kernel), point=list(point), **traits)

    @property
    def picture(self) -> np.ndarray:
        """The picture shown, (C, H, W) with C = 1 or 3, float64 in steps of 0.01."""
        index = self.names.index(self.image)
        first, count = sum(self.channels[:index]), self.channels[index]
        planes = self.pixels[first : first + count].astype(np.int64)
        if count == 3 and not self.color:
            planes = (np.tensordot(LUMA, planes, 1)[None] + 5000) // 10000
        return planes / STEPS

    @property
    def weight(self) -> np.ndarray:
        """The filter as it meets the picture, (1, C, k, k): a single plane serves every channel."""
        channels = len(self.picture)
        return np.array([self.kernel[min(c, len(self.kernel) - 1)] for c in range(channels)])[None]

    @property
    def output(self) -> np.ndarray:
        """The map before any shift, (H_out, W_out), float64, computed by `backbone.ops`."""
        settings = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        feature_map = conv2d(self.picture[None], self.weight, **settings)
        if self.after != "nothing":
            feature_map = np.maximum(feature_map, 0)
        if self.after == "relu_pool":
            feature_map = max_pool2d(feature_map, 2)
        return feature_map[0, 0]

    @t.validate("image")
    def _image_is_known(self, proposal):
        if proposal["value"] not in self.names:
            raise t.TraitError(f"image is {proposal['value']!r}; it must be one of {', '.join(self.names)}")
        return proposal["value"]

    @t.validate("kernel")
    def _kernel_is_square(self, proposal):
        planes = proposal["value"]
        sizes = {len(row) for rows in planes for row in rows} | {len(rows) for rows in planes}
        if len(planes) not in (1, 3) or len(sizes) != 1 or not 1 <= max(sizes) <= MAX_KERNEL:
            shapes = [[len(row) for row in rows] for rows in planes]
            raise t.TraitError(
                f"kernel has planes with rows of {shapes} numbers; "
                f"it must be one square or three, 1x1 to {MAX_KERNEL}x{MAX_KERNEL}"
            )
        if not np.isfinite(planes).all():
            raise t.TraitError("kernel holds a NaN or an infinity; its weights must be finite numbers")
        return planes


def _hundredths(name: str, image: ArrayLike) -> np.ndarray:
    """Return a picture as whole hundredths, uint8 (C, H, W); raise ValueError where it is none."""
    given = np.asarray(image)
    image = given[None] if given.ndim == 2 else given
    if image.ndim != 3 or len(image) not in (1, 3) or min(image.shape) < 1:
        raise ValueError(f"images[{name!r}] has shape {given.shape}; it must be gray (H, W) or color (3, H, W)")
    if image.dtype == np.uint8:
        image = image / 255
    if not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"images[{name!r}] has dtype {image.dtype}; it must be floating point in [0, 1] or uint8")
    if not (np.isfinite(image).all() and image.min() >= 0 and image.max() <= 1):
        raise ValueError(
            f"images[{name!r}] has values from {image.min():g} to {image.max():g}; they must lie in [0, 1]"
        )
    return np.rint(image * STEPS).astype(np.uint8)


def _same_size(images: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return the pictures; raise ValueError where there is none, or two of different sizes."""
    if not images:
        raise ValueError("images is empty; give at least one, such as {'cat': backbone.data.photo('chelsea')}")
    first, size = next((name, image.shape[1:]) for name, image in images.items())
    for name, image in images.items():
        if image.shape[1:] != size:
            raise ValueError(
                f"images[{name!r}] is {image.shape[1:]}, images[{first!r}] is {size}; all must be one size"
            )
    return list(images.values())


def _planes(kernel: str | ArrayLike) -> list:
    """Return a kernel, named or given as one square or three, as a list of planes."""
    if isinstance(kernel, str):
        if kernel not in KERNELS:
            raise ValueError(f"kernel is {kernel!r}; it must be one of {', '.join(KERNELS)}, or rows of numbers")
        kernel = KERNELS[kernel]
    try:
        planes = np.asarray(kernel, dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"kernel is {kernel!r}; it must be rows of numbers, all of one length") from None
    if planes.ndim == 2:
        planes = planes[None]
    if planes.ndim != 3:
        raise ValueError(f"kernel has shape {planes.shape}; it must be (k, k) or (3, k, k)")
    return planes.tolist()
