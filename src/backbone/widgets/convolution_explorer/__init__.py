"""ConvolutionExplorer: a filter on a photograph, pixel by pixel."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.ops import KERNELS, conv2d
from backbone.widgets.base import BookWidget

# The screen shows pixels with two decimals. They are *kept* with two, so that the sums shown there add up exactly.
STEPS = 100
MAX_KERNEL = 7


class ConvolutionExplorer(BookWidget):
    """Choose a photograph and a filter, change the filter's weights, and see every output pixel's arithmetic.

    Args:
        images: name -> gray picture (H, W), floats in [0, 1] or uint8; all of one size. The names are the labels.
        kernel: a name in ``backbone.ops.KERNELS`` or a square of numbers, 1x1 to 7x7.
        stride: 1 to 4.
        padding: 0 to 3, of zeros.
        dilation: 1 to 3.
        point: row and column of the output pixel that is explained.

    Traits (live both ways): ``image``, ``kernel``, ``stride``, ``padding``, ``dilation``, ``point``.

    Raises:
        ValueError: a picture of the wrong shape, dtype or range, or two of different sizes.
        traitlets.TraitError: a setting outside the range above.
    """

    image = t.Unicode(help="name of the picture shown").tag(sync=True)
    kernel = t.List(t.List(t.Float()), help="weights, row by row").tag(sync=True)
    stride = t.Int(1, min=1, max=4).tag(sync=True)
    padding = t.Int(0, min=0, max=3).tag(sync=True)
    dilation = t.Int(1, min=1, max=3).tag(sync=True)
    point = t.List(t.Int(), minlen=2, maxlen=2, help="row and column in the output").tag(sync=True)

    names = t.List(t.Unicode(), read_only=True).tag(sync=True)
    kernels = t.Dict(read_only=True).tag(sync=True)
    shape = t.List(t.Int(), read_only=True, help="pictures, height, width").tag(sync=True)
    pixels = t.Bytes(read_only=True, help="pictures one after another, hundredths as uint8").tag(sync=True)

    def __init__(self, images: Mapping[str, ArrayLike], kernel="sobel_x", point=(0, 0), **traits):
        stack = np.stack(_same_size({name: _hundredths(name, image) for name, image in images.items()}))
        self.set_trait("names", list(images))
        self.set_trait("kernels", {name: weights.tolist() for name, weights in KERNELS.items()})
        self.set_trait("shape", list(stack.shape))
        self.set_trait("pixels", stack.tobytes())
        if isinstance(kernel, str):
            kernel = _named_kernel(kernel)
        traits.setdefault("image", self.names[0])
        super().__init__(kernel=np.asarray(kernel, dtype=float).tolist(), point=list(point), **traits)

    @property
    def picture(self) -> np.ndarray:
        """The picture shown, (H, W), float64 in steps of 0.01."""
        stack = np.frombuffer(self.pixels, dtype=np.uint8).reshape(self.shape)
        return stack[self.names.index(self.image)] / STEPS

    @property
    def output(self) -> np.ndarray:
        """The feature map that the widget shows, (H_out, W_out), float64, computed by `backbone.ops.conv2d`."""
        x, weight = self.picture[None, None], np.array(self.kernel)[None, None]
        return conv2d(x, weight, stride=self.stride, padding=self.padding, dilation=self.dilation)[0, 0]

    @t.validate("image")
    def _image_is_known(self, proposal):
        if proposal["value"] not in self.names:
            raise t.TraitError(f"image is {proposal['value']!r}; it must be one of {', '.join(self.names)}")
        return proposal["value"]

    @t.validate("kernel")
    def _kernel_is_square(self, proposal):
        rows = proposal["value"]
        if not 1 <= len(rows) <= MAX_KERNEL or any(len(row) != len(rows) for row in rows):
            raise t.TraitError(
                f"kernel has rows of {[len(row) for row in rows]} numbers; "
                f"it must be a square, 1x1 to {MAX_KERNEL}x{MAX_KERNEL}"
            )
        if not np.isfinite(rows).all():
            raise t.TraitError("kernel holds a NaN or an infinity; its weights must be finite numbers")
        return rows


def _hundredths(name: str, image: ArrayLike) -> np.ndarray:
    """Return a picture as whole hundredths, uint8; raise ValueError where it is no gray picture."""
    image = np.asarray(image)
    if image.ndim != 2 or min(image.shape) < 1:
        raise ValueError(f"images[{name!r}] has shape {image.shape}; it must be a gray picture (H, W)")
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
    first, size = next((name, image.shape) for name, image in images.items())
    for name, image in images.items():
        if image.shape != size:
            raise ValueError(f"images[{name!r}] is {image.shape}, images[{first!r}] is {size}; all must be one size")
    return list(images.values())


def _named_kernel(name: str) -> np.ndarray:
    if name not in KERNELS:
        raise ValueError(f"kernel is {name!r}; it must be one of {', '.join(KERNELS)}, or rows of numbers")
    return KERNELS[name]
