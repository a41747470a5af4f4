"""Checks that all scores make of their arguments; each raises a ``ValueError`` that says what to do."""

import operator

import numpy as np
from numpy.typing import ArrayLike


def to_array(value: ArrayLike) -> np.ndarray:
    """Return a tensor, a list or an array as an array."""
    return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value)


def class_numbers(name: str, argument: str, value: ArrayLike) -> np.ndarray:
    """Return class numbers, int64 (N,), at least one, none negative."""
    array = to_array(value)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be (N,) with N at least 1")
    if array.dtype.kind not in "iu":
        raise ValueError(
            f"{name}: {argument} has dtype {array.dtype}; it must hold whole class numbers, such as scores.argmax(1)"
        )
    if array.min() < 0:
        raise ValueError(f"{name}: {argument} holds {array.min()}; classes are numbered from 0")
    return array.astype(np.int64)


def truths(name: str, argument: str, value: ArrayLike) -> np.ndarray:
    """Return yes or no, bool (N,), from booleans or from 0 and 1."""
    array = to_array(value)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be (N,) with N at least 1")
    if not np.isin(array, (0, 1)).all():
        odd = array[~np.isin(array, (0, 1))][0]
        raise ValueError(f"{name}: {argument} holds {odd}; it must be true or false, such as labels == 8")
    return array.astype(bool)


def real_numbers(name: str, argument: str, value: ArrayLike, axes: int = 1) -> np.ndarray:
    """Return finite real numbers as float64 with this many axes, none empty."""
    array = to_array(value)
    shape = "(N,)" if axes == 1 else "(N, K)"
    if array.ndim != axes or not array.size:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be {shape} with no size 0")
    if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
        raise ValueError(f"{name}: {argument} must hold finite real numbers; look for NaN or infinity in it")
    return array.astype(np.float64)


def same_length(name: str, **arrays: np.ndarray) -> None:
    """Require one entry a picture in each array."""
    if len({len(array) for array in arrays.values()}) > 1:
        given = ", ".join(f"{argument} has {len(array)}" for argument, array in arrays.items())
        raise ValueError(f"{name}: {given} entries; give one for each picture, in the same order")


def integer(name: str, argument: str, value: int, low: int, high: float = np.inf) -> int:
    """Return an integer in [low, high]."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not low <= number <= high:
        allowed = f"an integer of at least {low}" if high == np.inf else f"an integer from {low} to {high}"
        raise ValueError(f"{name}: {argument} is {value!r}; it must be {allowed}")
    return number


def fraction(name: str, argument: str, value: float, *, ends: bool = False) -> float:
    """Return a number between 0 and 1, with or without the two ends."""
    number = float(value)
    if not (0 < number < 1 or (ends and number in (0, 1))):
        raise ValueError(f"{name}: {argument} is {value!r}; it must lie {'in [0, 1]' if ends else 'between 0 and 1'}")
    return number


def random_generator(name: str, value: np.random.Generator) -> np.random.Generator:
    """Require a generator, so that a reader can see the seed."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name}: generator is {value!r}; pass one such as np.random.default_rng(0)")
    return value
