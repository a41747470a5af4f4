"""Sizes: how many positions a window has, and how much of the image one output pixel sees."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

from backbone.checks import integer


def output_size(size: int, kernel_size: int, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Count the positions a sliding kernel has along one axis.

    ``floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1``

    Args:
        size: input pixels along the axis.
        kernel_size: weights along the axis.
        stride: pixels from one position to the next.
        padding: zeros added at *each* end.
        dilation: pixels from one weight to the next.

    Returns:
        Output pixels along the axis, at least 1.

    Raises:
        ValueError: for a value that is not an integer or too small, or a kernel that does not fit.

    Source: Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, chapter 2.
    """
    name = "output_size"
    size = integer(name, "size", size, minimum=1)
    kernel_size = integer(name, "kernel_size", kernel_size, minimum=1)
    stride = integer(name, "stride", stride, minimum=1)
    padding = integer(name, "padding", padding, minimum=0)
    dilation = integer(name, "dilation", dilation, minimum=1)
    return positions(name, "size", size, kernel_size, stride, padding, dilation)


def positions(name, axis, size, kernel_size, stride, padding, dilation) -> int:
    """Count the windows along one axis, or raise ValueError when not even one fits."""
    available, reach = size + 2 * padding, dilation * (kernel_size - 1) + 1
    if reach > available:
        raise ValueError(
            f"{name}: a kernel of {kernel_size} with dilation {dilation} spans {reach} pixels, but {axis} is"
            f" {size} ({available} with padding); the span must not be larger"
        )
    return (available - reach) // stride + 1


def positions2d(name, shape, kernel_size, stride, padding, dilation) -> tuple[int, int]:
    """Count the windows (vertical, horizontal) on an image of shape (..., H, W); all settings are pairs."""
    axes = ("height of x", "width of x")
    rows, columns = zip(axes, shape[-2:], kernel_size, stride, padding, dilation, strict=True)
    return positions(name, *rows), positions(name, *columns)


# --- Receptive field ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layer:
    """The window of one convolution or pooling layer, along one axis.

    Args:
        kernel_size: weights along the axis.
        stride: pixels from one position to the next.
        padding: pixels added at *each* end.
        dilation: pixels from one weight to the next.

    Raises:
        ValueError: for a value that is not an integer or too small.
    """

    kernel_size: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1

    def __post_init__(self):
        for field in fields(self):
            minimum = 0 if field.name == "padding" else 1
            integer("Layer", field.name, getattr(self, field.name), minimum)


@dataclass(frozen=True)
class ReceptiveField:
    """The pixels of the input that an output pixel can depend on, along one axis.

    Attributes:
        size: pixels from the first to the last. Dilation or a large stride may leave holes between them.
        jump: pixels of the input from the field of one output pixel to that of the next; all strides multiplied.
        start: the first pixel of output pixel 0's field. A negative one lies in the padding.
    """

    size: int
    jump: int
    start: int

    def pixels(self, index: int) -> range:
        """Return the input pixels under output pixel ``index``, first to last, those in the padding included."""
        first = self.start + index * self.jump
        return range(first, first + self.size)


def receptive_field(layers: Sequence[Layer]) -> ReceptiveField:
    """Work out the receptive field of a pixel behind a stack of layers, along one axis.

    With ``jump`` the product of the strides of all layers *before* layer l:
    ``size = 1 + sum over l of dilation_l * (kernel_size_l - 1) * jump``
    ``start = -sum over l of padding_l * jump``

    Elementwise layers (ReLU, BatchNorm at evaluation, dropout) change nothing and are left out.

    Args:
        layers: in the order the data go through them. For windows that are not square, call once per axis.

    Returns:
        Size, jump and start in pixels of the input; without layers 1, 1 and 0.

    Raises:
        ValueError: for an entry that is not a ``Layer``.

    Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional neural networks", Distill, 2019.
    """
    size, jump, start = 1, 1, 0
    for number, layer in enumerate(layers):
        if not isinstance(layer, Layer):
            raise ValueError(f"receptive_field: layers[{number}] is {layer!r}; it must be a Layer, such as Layer(3)")
        size += layer.dilation * (layer.kernel_size - 1) * jump
        start -= layer.padding * jump
        jump *= layer.stride
    return ReceptiveField(size, jump, start)
