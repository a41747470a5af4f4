"""Exercise ``output_side``: the side of the map behind a chain of layers."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "large": "the first layer of AlexNet",
    "padded": "a 3x3 with padding",
    "bare": "a chain without padding",
    "stem": "the stem of a ResNet",
    "odd": "an odd size",
    "none": "no layer",
    "long": "the layers of AlexNet",
}

MESSAGES = {
    "padding once": "The padding was added once. It is added at both ends: size + 2 * padding.",
    "no padding": "The padding was left out. It is added at both ends: size + 2 * padding.",
    "no one": (
        "The last 1 is missing. Behind the first place of the kernel there are (size + 2 * padding - kernel) // stride "
        "more; the first one counts too."
    ),
    "ceil": (
        "The division was rounded up. A place where the kernel would stick out is not used: round down. Pools with "
        "ceil_mode=True round up, convolutions never."
    ),
    "not rounded": "The division was not rounded. A map has a whole number of pixels: round down.",
    "nearest": (
        "The sizes were rounded to the nearest whole number. A place where the kernel would stick out is not used, "
        "however little it sticks out: round down."
    ),
    "only strides": (
        "Only the strides were counted. With no padding, or with little, a kernel also takes pixels off at the border."
    ),
    "first layer": "Only the first layer was counted. The output of each layer is the input of the next.",
    "last layer": "Each layer was given the first size. The output of each layer is the input of the next.",
}


def output_side(size: int, layers: list[tuple[int, int, int]]) -> int:
    """Do right what the reader is asked to write: one layer after the other, rounded down in each."""
    for kernel, stride, padding in layers:
        size = (size + 2 * padding - kernel) // stride + 1
    return size


def check_output_side(reader_function: Callable) -> Report:
    """Check the reader's ``output_side(size, layers)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _chain(step: Callable, end: Callable = lambda size: size) -> Callable:
    """Return a function that does `step(size, kernel, stride, padding)` for each layer, and `end` at last."""

    def run(size, layers):
        for layer in layers:
            size = step(size, *layer)
        return end(size)

    return run


def _exact(size, kernel, stride, padding):
    return (size + 2 * padding - kernel) / stride + 1


def _last_only(size, layers):
    return output_side(size, layers[-1:])


_GIVEN = {
    "large": (224, [(11, 4, 2)]),
    "padded": (56, [(3, 1, 1)]),
    "bare": (32, [(5, 1, 0), (2, 2, 0), (5, 1, 0), (2, 2, 0)]),
    "stem": (224, [(7, 2, 3), (3, 2, 1)]),
    "odd": (225, [(7, 2, 3), (3, 2, 1), (3, 2, 1)]),
    "none": (17, []),
    "long": (224, [(11, 4, 2), (3, 2, 0), (5, 1, 2), (3, 2, 0), (3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 2, 0)]),
}
_WRONG = (
    ("padding once", _chain(lambda n, k, s, p: (n + p - k) // s + 1)),
    ("no padding", _chain(lambda n, k, s, p: (n - k) // s + 1)),
    ("no one", _chain(lambda n, k, s, p: (n + 2 * p - k) // s)),
    ("ceil", _chain(lambda n, k, s, p: -(-(n + 2 * p - k) // s) + 1)),
    ("not rounded", _chain(_exact)),
    ("nearest", _chain(lambda n, k, s, p: int((n + 2 * p - k) / s + 1.5))),
    ("nearest", _chain(lambda n, k, s, p: round((n + 2 * p - k) / s) + 1)),
    ("nearest", _chain(_exact, round)),
    ("only strides", _chain(lambda n, k, s, p: n // s)),
    ("only strides", _chain(lambda n, k, s, p: -(-n // s))),
    ("first layer", lambda size, layers: output_side(size, layers[:1])),
    ("last layer", _last_only),
)

EXERCISE = Exercise(
    title="output_side",
    reference=output_side,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _GIVEN.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
