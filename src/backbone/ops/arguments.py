"""Checks that all operations make of their arguments, and the dtypes they compute in.

Each check raises a ``ValueError`` that names the function, the argument, the value given and what is allowed.
"""

import operator

import numpy as np
from numpy.typing import ArrayLike

Pair = int | tuple[int, int]


def real_array(name: str, argument: str, value: ArrayLike, shape: str) -> np.ndarray:
    """Return the value as an array of real numbers with as many axes as ``shape`` names, none empty."""
    try:
        array = np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name}: {argument} cannot be made an array: {error}") from error
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: {argument} has dtype {array.dtype}; it must hold real numbers")
    if array.ndim != len(shape.strip("(,)").split(",")):
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be {shape}")
    if 0 in array.shape:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; every size must be at least 1")
    return array


def output_gradient(name: str, value: ArrayLike, shape: tuple[int, int, int, int]) -> np.ndarray:
    """Return ``grad_output`` as an array, checked to have one entry for each entry of the output."""
    grad = real_array(name, "grad_output", value, str(shape))
    if grad.shape != shape:
        forward = name.removesuffix("_backward")
        raise ValueError(
            f"{name}: grad_output has shape {grad.shape}; it must be {shape}, the shape of what {forward} returns"
            " for these arguments"
        )
    return grad


def integer(name: str, argument: str, value: int, minimum: int, suffix: str = "") -> int:
    """Return the value as an int of at least ``minimum``; floats, booleans and texts are refused."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or number < minimum or isinstance(value, bool):
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer of at least {minimum}{suffix}")
    return number


def pair(name: str, argument: str, value: Pair, minimum: int) -> tuple[int, int]:
    """Return (vertical, horizontal) from an integer or a pair of them."""
    suffix = ", or a pair of them"
    if not isinstance(value, tuple | list):
        return (integer(name, argument, value, minimum, suffix),) * 2
    if len(value) != 2:
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer{suffix}")
    return integer(name, argument, value[0], minimum), integer(name, argument, value[1], minimum)


def dtypes(*arrays: np.ndarray) -> tuple[np.dtype, np.dtype]:
    """Return the dtype of the result and the one to sum in, by the rules of ``backbone.ops``."""
    dtype = np.result_type(*(array.dtype for array in arrays))
    if dtype.kind in "biu":
        dtype = np.result_type(dtype, np.int64)
    return dtype, np.dtype(np.float32) if dtype == np.float16 else dtype
