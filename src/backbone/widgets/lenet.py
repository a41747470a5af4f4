"""LeNet's numbers on their way to ``lenet.js``: packed as whole numbers and one scale for each unit, or in one row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike

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
