"""Sizes: how many positions a window has."""

from backbone.ops.arguments import integer


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
