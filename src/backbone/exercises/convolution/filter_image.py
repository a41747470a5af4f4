"""Exercise ``filter_image``: one kernel on one image, at every place where it fits."""

from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check
from backbone.ops import KERNELS, conv2d

# --- What a reader can see ----------------------------------------------------------------------------------

TITLE = "filter_image"

CASES = {
    "square": "a square kernel without symmetry",
    "wide": "a kernel wider than tall",
    "tall": "a kernel taller than wide",
    "single": "a kernel of a single weight",
    "full": "a kernel as large as the image",
    "negative": "a kernel with negative weights",
    "integers": "an image of integers (uint8)",
}

MESSAGES = {
    "flipped": (
        "The kernel was turned by 180 degrees. That is the convolution of mathematics. Here the kernel lies "
        "on the image as it is: kernel[u, v] meets image[i + u, j + v]."
    ),
    "transposed": (
        "The rows and columns of the kernel were swapped. Use kernel[u, v] with u for rows and v for columns."
    ),
    "padded": (
        "The image was padded with zeros. Use only the positions where the whole kernel lies inside the "
        "image; the output is then smaller than the image."
    ),
    "mean": (
        "The sum was divided by the number of weights. Leave it a sum: an average is what you get when the "
        "weights themselves add up to 1."
    ),
    "not summed": (
        "The products were not added up. One output value is the sum over all weights of the kernel; in a "
        "loop over them, use += and not =."
    ),
    "one window": (
        "Only the first window was filtered. Every position of the kernel gives one output value. Does a "
        "return stand inside a loop?"
    ),
    "swapped": (
        "The rows and columns of the output were swapped. out[i, j] belongs to the window whose top row is i "
        "and whose left column is j."
    ),
    "absolute": ("The absolute value was taken. Keep the sign: it tells in which direction the brightness changes."),
    "clipped": (
        "Values were clipped to a range. Keep negative and large sums as they are; squeezing them into a "
        "visible range is a matter for the display."
    ),
    "rounded": (
        "The results were turned into whole numbers. Collect them in an array of floats, such as np.zeros(shape)."
    ),
    "wrapped": (
        "The results were stored in the integer type of the image, and uint8 holds only 0 to 255: what is "
        "outside wraps around. Collect them in an array of floats, such as np.zeros(shape)."
    ),
    "last missing": (
        "The last row and the last column are missing. A kernel of KH rows has H - KH + 1 positions, so the "
        "loop is range(H - KH + 1)."
    ),
}

# --- The exercise -------------------------------------------------------------------------------------------


def filter_image(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Do right what the reader is asked to write: lay the kernel on every place of the image where it fits.

    ``out[i, j] = sum over u, v of kernel[u, v] * image[i + u, j + v]``

    Args:
        image: shape (H, W).
        kernel: shape (KH, KW).

    Returns:
        Array of shape (H - KH + 1, W - KW + 1).
    """
    return conv2d(image[None, None], kernel[None, None])[0, 0]


def check_filter_image(reader_function: Callable) -> Report:
    """Check the reader's ``filter_image(image, kernel)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(7)
    return (
        Case(CASES["square"], (rng.random((5, 7)), rng.random((3, 3)))),
        Case(CASES["wide"], (rng.random((8, 5)), rng.random((2, 3)))),
        Case(CASES["tall"], (rng.random((5, 9)), rng.random((4, 2)))),
        Case(CASES["single"], (rng.random((4, 3)), np.array([[-1.5]]))),
        # Square, so that a transposed kernel still fits and is recognized.
        Case(CASES["full"], (rng.random((3, 3)), rng.random((3, 3)))),
        Case(CASES["negative"], (rng.random((6, 6)), KERNELS["sobel_x"].copy())),
        Case(CASES["integers"], (rng.integers(100, 256, (5, 6), np.uint8), np.array([[1, 2], [-1, 3]]))),
    )


def _padded(before: Callable, after: Callable) -> Callable:
    """Return a filter that first adds before(k) and after(k) zeros along an axis with k weights."""

    def same(image, kernel):
        return filter_image(np.pad(image, [(before(k), after(k)) for k in kernel.shape]), kernel)

    return same


def _transposed_by_index(image, kernel):
    if kernel.shape[0] != kernel.shape[1]:
        raise IndexError  # kernel[v, u] runs out of a kernel that is not square
    return filter_image(image, kernel.T)


def _first_only(image, kernel):
    right = filter_image(image, kernel)
    out = np.zeros(right.shape)
    out[0, 0] = right[0, 0]
    return out


def _last_product(image, kernel):
    return image[kernel.shape[0] - 1 :, kernel.shape[1] - 1 :] * kernel[-1, -1]


def _last_left_zero(image, kernel):
    out = filter_image(image, kernel).copy()
    out[-1], out[:, -1] = 0, 0
    return out


def _upper_left(image, kernel):
    return image[: kernel.shape[0], : kernel.shape[1]]


# A mistake has as many entries as it has usual ways to be written.
_WRONG = (
    ("flipped", lambda image, kernel: filter_image(image, kernel[::-1, ::-1])),
    ("transposed", lambda image, kernel: filter_image(image, kernel.T)),
    ("transposed", _transposed_by_index),
    ("padded", _padded(lambda k: k // 2, lambda k: k // 2)),
    ("padded", _padded(lambda k: (k - 1) // 2, lambda k: k // 2)),
    ("padded", _padded(lambda k: k // 2, lambda k: (k - 1) // 2)),
    ("padded", _padded(lambda k: k - 1, lambda k: k - 1)),
    ("mean", lambda image, kernel: filter_image(image, kernel) / kernel.size),
    ("not summed", _last_product),
    ("not summed", lambda image, kernel: _upper_left(image, kernel) * kernel),
    ("one window", lambda image, kernel: np.sum(_upper_left(image, kernel) * kernel)),
    ("one window", _first_only),
    ("swapped", lambda image, kernel: filter_image(image, kernel).T),
    ("absolute", lambda image, kernel: np.abs(filter_image(image, kernel))),
    ("clipped", lambda image, kernel: filter_image(image, kernel).clip(0, 1)),
    ("clipped", lambda image, kernel: filter_image(image, kernel).clip(0, 255)),
    ("clipped", lambda image, kernel: filter_image(image, kernel).clip(0)),
    ("rounded", lambda image, kernel: filter_image(image, kernel).astype(int)),
    ("rounded", lambda image, kernel: filter_image(image, kernel).round()),
    ("wrapped", lambda image, kernel: filter_image(image, kernel).astype(image.dtype)),
    ("last missing", lambda image, kernel: filter_image(image, kernel)[:-1, :-1]),
    ("last missing", _last_left_zero),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=filter_image,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
)
