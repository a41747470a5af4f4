"""LeNet in figures: its numbers on their way to ``lenet.js``, and what it looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.data import Statistics
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.pictures import SIDE, gray_statistics, shoe

SHAPES = {
    "conv1.weight": (6, 1, 5, 5),
    "conv1.bias": (6,),
    "conv2.weight": (16, 6, 5, 5),
    "conv2.bias": (16,),
    "fc1.weight": (120, 400),
    "fc1.bias": (120,),
    "fc2.weight": (84, 120),
    "fc2.bias": (84,),
    "fc3.weight": (10, 84),
    "fc3.bias": (10,),
}


class LenetWidget(BookWidget):
    """A figure in which LeNet looks at one of its pictures, or at what the hand draws.

    Args:
        classes: the names of LeNet's ten scores.
        statistics: mean and std of the data; the network takes ``(gray - mean) / std``.

    Traits, live both ways:
        picture: which of the figure's pictures is looked at; -1 for the drawing.
        drawing: what the hand drew, uint8 (28, 28), first a shoe.

    Raises:
        traitlets.TraitError: a picture that is not there, a drawing of another shape.
    """

    labels_of_pictures = "labels"  # the trait that has one for each picture

    picture = t.Int(-1, min=-1).tag(sync=True)
    drawing = Array("uint8").tag(sync=True)

    sketch = Array("uint8", read_only=True, help="the first drawing (28, 28)").tag(sync=True)
    classes = t.List(t.Unicode(), read_only=True).tag(sync=True)
    statistics = t.List(t.Float(), read_only=True, help="mean and std of the data in [0, 1]").tag(sync=True)
    shapes = t.List([[*pair] for pair in SHAPES.items()], read_only=True, help="of LeNet's parameters").tag(sync=True)

    def __init__(self, classes: Sequence[str], statistics: Statistics, **traits):
        self.set_trait("classes", list(classes))
        self.set_trait("statistics", gray_statistics(statistics))
        super().__init__(**({"drawing": shoe()} | traits))
        self.set_trait("sketch", self.drawing)

    @t.validate("picture")
    def _picture_is_there(self, proposal):
        count = len(getattr(self, self.labels_of_pictures))
        if proposal["value"] >= count:
            raise t.TraitError(f"picture is {proposal['value']}; there are {count}, so give 0 to {count - 1}, or -1")
        return proposal["value"]

    @t.validate("drawing")
    def _drawing_is_whole(self, proposal):
        if proposal["value"].shape != (SIDE, SIDE):
            raise t.TraitError(f"drawing has shape {proposal['value'].shape}; it must be ({SIDE}, {SIDE})")
        return proposal["value"]


def pack_lenet(
    parameters: Mapping[str, ArrayLike], dtype: str, name: str = "parameters"
) -> tuple[np.ndarray, np.ndarray]:
    """Return a LeNet's weights as whole numbers, and as float32 what each unit's are multiplied by and the biases.

    Both are flat, parameter by parameter in the order of ``SHAPES``.

    Args:
        parameters: name -> array or tensor, such as ``backbone.pretrained.load("lenet").state_dict()``.
        dtype: "int8", 62 KB: a probability moves by 0.2 percentage points on average; "int16", 123 KB: by 0.001.
        name: what to call the parameters where they are wrong.

    Raises:
        ValueError: a parameter is missing, has another shape, or holds a NaN or an infinity.
    """
    weights, vectors = [], []
    for key, shape in SHAPES.items():
        if key not in parameters:
            raise ValueError(f"{name} has no {key!r}; LeNet needs {', '.join(SHAPES)}")
        given = parameters[key]
        values = np.asarray(given.detach().cpu() if hasattr(given, "detach") else given, dtype="f4")
        if values.shape != shape:
            raise ValueError(f"{name}[{key!r}] has shape {values.shape}; it must be {shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{name}[{key!r}] holds a NaN or an infinity; its numbers must be finite")
        if len(shape) == 1:
            vectors.append(values)
            continue
        rows = values.reshape(len(values), -1)
        largest = np.abs(rows).max(axis=1)
        scales = np.where(largest > 0, largest / np.iinfo(dtype).max, 1).astype("f4")
        weights.append(np.rint(rows / scales[:, None]).astype(dtype).ravel())
        vectors.append(scales)
    return np.concatenate(weights), np.concatenate(vectors)


def unpack_lenet(weights: np.ndarray, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parameters as the page computes with them: name -> float32 array."""
    found, at, seen = {}, 0, 0
    for name, shape in SHAPES.items():
        vector = vectors[seen : seen + shape[0]]
        seen += shape[0]
        if len(shape) == 1:
            found[name] = vector.copy()
            continue
        size = int(np.prod(shape))
        rows = weights[at : at + size].reshape(shape[0], -1).astype("f4")
        found[name] = (rows * vector[:, None]).reshape(shape)
        at += size
    return found


def lenet_parameters(row: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parts of one row of 61,706 numbers, in the order of ``SHAPES``: name -> array."""
    ends = np.cumsum([int(np.prod(shape)) for shape in SHAPES.values()])
    parts = np.split(row, ends[:-1])
    return {name: part.reshape(shape) for (name, shape), part in zip(SHAPES.items(), parts, strict=True)}
