"""Exercise ``collapse``: a stack of linear layers as a single one."""

import itertools
from collections.abc import Callable

import numpy as np

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "collapse"

CASES = {
    "two": "two layers of different sizes",
    "square": "two layers that keep the size",
    "three": "three layers that keep the size",
    "long": "four layers of different sizes",
    "one": "a single layer",
    "no bias": "three layers whose biases are 0",
}

MESSAGES = {
    "reversed": (
        "The matrices were multiplied in the wrong order. The first layer meets x first, so its matrix stands on the "
        "right: W2 @ (W1 @ x) is (W2 @ W1) @ x. Try layers of shapes (2, 3) and (1, 2): only one order fits."
    ),
    "last bias": (
        "Only the last bias is left. What a layer adds goes through all later layers too: W2 @ (W1 @ x + b1) + b2 "
        "holds W2 @ b1. Try x = 0: the stack gives more than the last bias."
    ),
    "biases added": (
        "The biases were added up as they are. What a layer adds goes through the later matrices: W2 @ b1 + b2, not "
        "b1 + b2. Try x = 0 by hand."
    ),
    "too late": (
        "The bias was multiplied by the product of all matrices so far. It only meets the matrices after its own: "
        "W2 @ b1. Compute the new bias before W is overwritten, or multiply by the layer's own matrix."
    ),
}


def collapse(layers: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """Do right what the reader is asked to write: one layer (W, b) that equals all layers one after another.

    Args:
        layers: pairs (W, b) of shapes (outputs, inputs) and (outputs,), the first layer first.
    """
    return _folded(layers, lambda w, b, new_w, new_b: (new_w @ w, new_w @ b + new_b))


def check_collapse(reader_function: Callable) -> Report:
    """Check the reader's ``collapse(layers)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _folded(layers, join):
    """Join the layers one by one."""
    weight, bias = (part.copy() for part in layers[0])
    for new_weight, new_bias in layers[1:]:
        weight, bias = join(weight, bias, new_weight, new_bias)
    return weight, bias


def _cases() -> tuple[Case, ...]:
    rng = np.random.default_rng(3)
    sizes = {"two": (4, 3, 2), "square": (3, 3, 3), "three": (2, 2, 2, 2), "long": (5, 2, 4, 3, 1), "one": (3, 2)}
    stacks = {
        name: [(rng.normal(size=(m, n)), rng.normal(size=m)) for n, m in itertools.pairwise(s)]
        for name, s in (sizes | {"no bias": (2, 3, 3, 2)}).items()
    }
    stacks["no bias"] = [(weight, 0 * bias) for weight, bias in stacks["no bias"]]
    return tuple(Case(CASES[name], (stack,)) for name, stack in stacks.items())


_WRONG = (
    ("reversed", lambda w, b, new_w, new_b: (w @ new_w, new_w @ b + new_b)),
    ("reversed", lambda w, b, new_w, new_b: (w @ new_w, w @ new_b + b)),
    ("last bias", lambda w, b, new_w, new_b: (new_w @ w, new_b)),
    ("biases added", lambda w, b, new_w, new_b: (new_w @ w, b + new_b)),
    ("too late", lambda w, b, new_w, new_b: (new_w @ w, new_w @ w @ b + new_b)),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=collapse,
    cases=_cases(),
    misconceptions=tuple(
        Misconception(lambda layers, join=join: _folded(layers, join), MESSAGES[name]) for name, join in _WRONG
    ),
)
