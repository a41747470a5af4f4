"""Small things with all their numbers: a neuron, and a convolution as a product of matrices."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike

from backbone.diagrams.sheet import WIDTH, Sheet, figure
from backbone.figure import Figure

CELL = 24.0  # side of a cell of a matrix


def number(value: float) -> str:
    """Return a number with as many decimals as it needs, two at most, and a true minus sign."""
    return f"{round(float(value), 2) + 0:.2f}".rstrip("0").rstrip(".").replace("-", "−")


def neuron(
    x: Sequence[float], weights: Sequence[float], bias: float, activation: str = "relu", caption: str = ""
) -> Figure:
    """Draw one unit: inputs times weights, their sum with the bias, the activation.

    Args:
        x: two to four inputs.
        weights: one for each.
        bias: added to the sum.
        activation: "relu", "sigmoid" or "tanh".
        caption: what to look for.
    """
    z = float(np.dot(x, weights) + bias)
    out = number(getattr(torch, activation)(torch.tensor(z)))
    named = activation.replace("relu", "ReLU")
    sheet, step = Sheet(), 52
    middle = 22 + step * (len(x) - 1) / 2
    for place, (value, weight) in enumerate(zip(x, weights, strict=True)):
        _input(sheet, 22 + step * place, middle, number(value), number(weight))
    sheet.way((150, middle + 46), (150, middle + 18))
    sheet.text(150, middle + 60, f"bias {number(bias)}")
    sheet.sign(150, middle, "sum", 18)
    sheet.way((168, middle), (214, middle))
    sheet.text(190, middle - 6, number(z))
    sheet.box(214, middle, 66, 28, (named,), "plain")
    sheet.way((280, middle), (WIDTH, middle))
    sheet.text(303, middle - 6, out, bold=True)
    terms = " plus ".join(f"{number(a)} times {number(w)}" for a, w in zip(x, weights, strict=True))
    alt = f"One unit: {terms} plus the bias {number(bias)} is {number(z)}; {named} makes {out} of it."
    return figure([sheet.svg(max(middle + 66, 44 + step * (len(x) - 1)))], alt, caption)


def _input(sheet: Sheet, y: float, middle: float, value: str, weight: str):
    """Draw an input of a neuron, and its weight on the way to the sum."""
    sheet.sign(20, y, value, 19)
    sheet.way((39, y), (133, middle + (y - middle) * 0.2))
    sheet.text(80, y + (middle - y) * 0.29 + (17 if y > middle else -8), f"× {weight}")


def im2col(x: ArrayLike, kernel: ArrayLike, caption: str = "") -> Figure:
    """Draw a convolution as one product of matrices: each place of the window becomes a column.

    Args:
        x: a small picture (H, W).
        kernel: (h, w), of four numbers at most.
        caption: what to look for.
    """
    x, kernel = np.asarray(x, float), np.asarray(kernel, float)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel.shape)
    matrix = windows.reshape(-1, kernel.size).T
    out = kernel.reshape(1, -1) @ matrix
    top, bottom = Sheet("The window on the picture"), Sheet("The same as one product")
    _grid(top, 0, 30, x, f"picture {x.shape[0]} × {x.shape[1]}", marked=kernel.shape)
    _grid(top, 126, 30, kernel, "weights")
    _grid(top, 230, 30, out.reshape(windows.shape[:2]), "output", marked=(1, 1))
    _grid(bottom, 0, 30, kernel.reshape(1, -1), "weights")
    _grid(bottom, 116, 30, matrix, "a column a place", marked=(len(matrix), 1))
    _grid(bottom, 232, 30, out, "output", marked=(1, 1))
    for sheet, places in ((top, ((104, "∗"), (204, "="))), (bottom, ((106, "·"), (222, "=")))):
        for place, words in places:
            sheet.text(place, 66, words, bold=True)
    told = ", ".join(number(value) for value in out[0])
    alt = (
        f"A picture of {x.shape[0]} × {x.shape[1]} and a window of {kernel.shape[0]} × {kernel.shape[1]}: "
        f"the {out.size} pieces under the window become the columns of a matrix; "
        f"the weights as a row times that matrix give {told}."
    )
    height = 56 + CELL * max(len(matrix), len(x))
    return figure([top.svg(height), bottom.svg(height)], alt, caption)


def _grid(sheet: Sheet, left: float, top: float, values: np.ndarray, title: str, marked: tuple[int, int] = (0, 0)):
    """Draw a matrix with its numbers; the upper left part is marked."""
    sheet.text(left, top + 12, title, anchor="start")
    for (row, column), value in np.ndenumerate(values):
        look = "maps" if row < marked[0] and column < marked[1] else "outline"
        y = top + 20 + CELL * (row + 0.5)
        sheet.box(left + CELL * column, y, CELL, CELL, (number(value),), look)
