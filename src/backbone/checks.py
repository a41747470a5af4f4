"""What every floor checks: the arguments of a function, and the mode of a model.

Each check returns the value in the form in which the caller goes on, or raises a ``ValueError`` that names the
function, the argument, what was given and what is allowed. It loads no PyTorch: operations and scores do without.
"""

from __future__ import annotations

import operator
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import torch
    from torch import nn

Pair = int | tuple[int, int]
ROUNDING = 1e-6  # by so much a float32 may miss 0 or 1


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Hold a model in eval mode, and put each of its modules back into its own mode, also after an error."""
    modes = {module: module.training for module in model.modules()}
    try:
        model.eval()
        yield
    finally:
        for module, training in modes.items():
            module.training = training


# --- Single values ------------------------------------------------------------------------------------------


def integer(name: str, argument: str, value: int, minimum: int, maximum: float = np.inf, *, suffix: str = "") -> int:
    """Return the value as an int from ``minimum`` to ``maximum``; floats, booleans and texts are refused."""
    try:
        number = operator.index(value)
    except TypeError:
        number = None
    if number is None or isinstance(value, bool) or not minimum <= number <= maximum:
        allowed = f"of at least {minimum}" if maximum == np.inf else f"from {minimum} to {maximum}"
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer {allowed}{suffix}")
    return number


def pair(name: str, argument: str, value: Pair, minimum: int) -> tuple[int, int]:
    """Return (vertical, horizontal) from an integer or a pair of them."""
    suffix = ", or a pair of them"
    if not isinstance(value, tuple | list):
        return (integer(name, argument, value, minimum, suffix=suffix),) * 2
    if len(value) != 2:
        raise ValueError(f"{name}: {argument} is {value!r}; it must be an integer{suffix}")
    return integer(name, argument, value[0], minimum), integer(name, argument, value[1], minimum)


def fraction(name: str, argument: str, value: float, *, ends: bool = False) -> float:
    """Return a number between 0 and 1, with or without the two ends."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = np.nan
    if not (0 < number < 1 or (ends and number in (0, 1))):
        raise ValueError(f"{name}: {argument} is {value!r}; it must lie {'in [0, 1]' if ends else 'between 0 and 1'}")
    return number


def one_of(name: str, argument: str, value: Any, allowed: Collection, error: type[Exception] = ValueError) -> Any:
    """Return the value if it is among those allowed; else raise, in a widget's trait a ``TraitError``."""
    if value not in list(allowed):  # a list, because a dict would ask for a value that can be hashed
        raise error(f"{name}: {argument} is {value!r}; it must be one of {', '.join(map(repr, allowed))}")
    return value


def random_generator(name: str, value: np.random.Generator) -> np.random.Generator:
    """Require a generator, so that a reader can see the seed."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(f"{name}: generator is {value!r}; pass one such as np.random.default_rng(0)")
    return value


# --- Arrays -------------------------------------------------------------------------------------------------


def to_array(name: str, argument: str, value: ArrayLike) -> np.ndarray:
    """Return a tensor, a list or an array as an array; a tensor's gradient stays behind."""
    if np.ma.is_masked(value):
        raise ValueError(f"{name}: {argument} is a masked array, and its mask would be lost; choose with .filled(...)")
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        try:
            return value.numpy()
        except TypeError:  # bfloat16, which NumPy does not have
            return value.float().numpy()
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{name}: {argument} cannot be made an array: {error}") from error


def tensor(name: str, argument: str, value: torch.Tensor) -> torch.Tensor:
    """Require a tensor."""
    if not hasattr(value, "detach"):
        raise ValueError(f"{name}: {argument} is a {type(value).__name__}; make it a tensor, torch.as_tensor(x)")
    return value


def picture(name: str, argument: str, value: ArrayLike, *shapes: str) -> np.ndarray:
    """Return pictures as an array of one of the shapes, such as "(3, H, W)", with values in [0, 1]."""
    array = to_array(name, argument, value)
    low, high = (float(array.min()), float(array.max())) if array.size and array.dtype.kind in "biuf" else (np.nan,) * 2
    if -ROUNDING <= low <= high <= 1 + ROUNDING and any(_fits(array.shape, shape) for shape in shapes):
        return array.clip(0, 1) if array.dtype.kind == "f" else array
    wanted, advice = " or ".join(shapes), _advice(array, low, high, shapes)
    raise ValueError(
        f"{name}: {argument} has shape {array.shape} and values from {low:.7g} to {high:.7g}; it must be {wanted} with "
        f"values in [0, 1]{advice}"
    )


def _fits(shape: tuple[int, ...], wanted: str) -> bool:
    sizes = wanted.strip("()").split(", ")
    return len(shape) == len(sizes) and all(
        size == int(word) for size, word in zip(shape, sizes, strict=True) if word.isdigit()
    )


def _advice(array: np.ndarray, low: float, high: float, shapes: Sequence[str]) -> str:
    """Say what makes a picture of this array, for the ways in which pictures usually come."""
    steps, shape = [], array.shape
    if len(shape) > 2 and shape[-1] in (1, 3, 4) and shape[-3] not in (1, 3):
        steps.append("move the channels to the front, np.moveaxis(x, -1, -3)")
        shape = (*shape[:-3], shape[-1], *shape[-3:-1])
    if len(shape) > 2 and shape[-3] == 4:
        steps.append("leave out the fourth channel, x[..., :3, :, :]")
    elif not any(_fits(shape, wanted) for wanted in shapes):
        if len(shape) > 2 and shape[-3] == 1:
            steps.append("take the only channel, x[..., 0, :, :]")
        elif len(shape) == 2:
            steps.append("repeat it for three channels, np.stack([x] * 3)")
    if low < -ROUNDING:
        steps.append("undo what was subtracted from it and divided out")
    elif 2 < high <= 65535:
        steps.append(f"divide by {255 if high <= 255 else 65535}")
    elif 1 + ROUNDING < high <= 2:
        steps.append("cut off what lies above, x.clip(0, 1)")
    return f": {' and '.join(steps)}" if steps else ""


def real_array(name: str, argument: str, value: ArrayLike, shape: str) -> np.ndarray:
    """Return the value as an array of real numbers with as many axes as ``shape`` names, none empty."""
    array = to_array(name, argument, value)
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


def class_numbers(name: str, argument: str, value: ArrayLike) -> np.ndarray:
    """Return class numbers, int64 (N,), at least one, none negative."""
    array = to_array(name, argument, value)
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
    array = to_array(name, argument, value)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name}: {argument} has shape {array.shape}; it must be (N,) with N at least 1")
    if not np.isin(array, (0, 1)).all():
        odd = array[~np.isin(array, (0, 1))][0]
        raise ValueError(f"{name}: {argument} holds {odd}; it must be true or false, such as labels == 8")
    return array.astype(bool)


def real_numbers(name: str, argument: str, value: ArrayLike, axes: int = 1) -> np.ndarray:
    """Return finite real numbers as float64 with this many axes, none empty."""
    array = to_array(name, argument, value)
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
