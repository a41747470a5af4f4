"""A trained LeNet's numbers, packed for ``lenet.js``."""

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


def pack_lenet(parameters: Mapping[str, ArrayLike]) -> bytes:
    """Return a LeNet's parameters as half-precision numbers, in the order of ``SHAPES``.

    Args:
        parameters: name -> array or tensor, such as ``backbone.pretrained.load("lenet").state_dict()``.

    Raises:
        ValueError: a parameter is missing, has another shape, or holds what half precision cannot.
    """
    if missing := [name for name in SHAPES if name not in parameters]:
        raise ValueError(f"parameters have no {', '.join(missing)}; give a LeNet's state_dict()")
    packed = []
    for name, shape in SHAPES.items():
        values = np.asarray(parameters[name], dtype=np.float64)
        if values.shape != shape:
            raise ValueError(f"parameters[{name!r}] has shape {values.shape}; in LeNet it is {shape}")
        if not (np.abs(values) < np.finfo(np.float16).max).all():
            raise ValueError(f"parameters[{name!r}] has numbers that half precision cannot hold")
        packed.append(values.astype("<f2").tobytes())
    return b"".join(packed)
