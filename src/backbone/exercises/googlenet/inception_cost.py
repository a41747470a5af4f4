"""Exercise ``inception_cost``: the multiply-adds of an Inception module, branch by branch."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

TITLE = "inception_cost"

CASES = {
    "3a": "the paper's module 3a",
    "4a": "the paper's module 4a",
    "5b": "the paper's module 5b",
    "oblong": "a map that is wider than high",
    "small": "a small module",
    "wide pool": "a module with a wide projection after pooling",
}

MESSAGES = {
    "no projection": (
        "The projection after pooling was forgotten. Pooling itself has no multiply-adds, but a 1x1 convolution "
        "follows it, from all input channels to the last of the widths. Try module 3a: it adds 28 * 28 * 192 * 32."
    ),
    "no reductions": (
        "The 1x1 convolutions before the 3x3 and the 5x5 were forgotten. They are cheap, not free: each goes from all "
        "input channels to its width, at every place."
    ),
    "naive": (
        "The 3x3 and 5x5 were counted on all input channels. They see only what the 1x1 before them lets through: "
        "96 channels instead of 192 for the 3x3 of module 3a."
    ),
    "one side": (
        "Only one side of the kernels was counted. A 3x3 has 9 weights for each pair of channels, a 5x5 has 25."
    ),
    "one place": ("These are the weights. Each of them is used at every place of the map: multiply by height * width."),
    "two operations": (
        "The multiplication and the addition were counted as two. One weight used once is one multiply-add, as in "
        "papers' tables. Halve it."
    ),
    "three for five": (
        "The wide branch was counted as 3x3. torchvision's module has that; the paper's, which is asked for here, has "
        "5x5, 25 weights for each pair of channels."
    ),
    "pool in place": (
        "The projection was counted on the widths of other branches. It follows the pooling, which keeps all input "
        "channels: in_channels * pooled at every place."
    ),
}


def inception_cost(in_channels: int, size: tuple[int, int], widths: tuple[int, ...]) -> int:
    """Do right what the reader is asked to write: multiply-adds of the paper's module, biases not counted.

    Args:
        in_channels: of the module's input.
        size: height and width of its maps.
        widths: of the 1x1; into and out of the 3x3; into and out of the 5x5; of the projection after pooling.
    """
    return _cost(in_channels, size, widths)


def check_inception_cost(reader_function: Callable) -> Report:
    """Check the reader's ``inception_cost(in_channels, size, widths)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cost(channels, size, widths, *, projection=1, reductions=1, three=9, five=25, naive=False, places=None):
    """Count it; the keywords are the places where it goes wrong."""
    one, into_three, out_three, into_five, out_five, pooled = widths
    through = (channels, channels) if naive else (into_three, into_five)
    weights = channels * (one + projection * pooled + (0 if naive else reductions * (into_three + into_five)))
    weights += through[0] * out_three * three + through[1] * out_five * five
    return weights * (size[0] * size[1] if places is None else places)


def _pool_in_place(channels, size, widths):
    return (
        _cost(channels, size, widths, projection=0) + size[0] * size[1] * sum(widths[i] for i in (0, 2, 4)) * widths[5]
    )


def _cases() -> tuple[Case, ...]:
    given = {
        "3a": (192, (28, 28), (64, 96, 128, 16, 32, 32)),
        "4a": (480, (14, 14), (192, 96, 208, 16, 48, 64)),
        "5b": (832, (7, 7), (384, 192, 384, 48, 128, 128)),
        "oblong": (64, (6, 10), (16, 12, 24, 8, 20, 10)),
        "small": (5, (3, 2), (7, 3, 4, 2, 6, 1)),
        "wide pool": (32, (9, 9), (8, 8, 8, 4, 8, 64)),
    }
    return tuple(Case(CASES[name], arguments) for name, arguments in given.items())


_WRONG = (
    ("no projection", lambda c, s, w: _cost(c, s, w, projection=0)),
    ("no reductions", lambda c, s, w: _cost(c, s, w, reductions=0)),
    ("no reductions", lambda c, s, w: _cost(c, s, w, reductions=0, projection=0)),
    ("naive", lambda c, s, w: _cost(c, s, w, naive=True)),
    ("naive", lambda c, s, w: _cost(c, s, w, naive=True, projection=0)),
    ("one side", lambda c, s, w: _cost(c, s, w, three=3, five=5)),
    ("one place", lambda c, s, w: _cost(c, s, w, places=1)),
    ("two operations", lambda c, s, w: 2 * _cost(c, s, w)),
    ("three for five", lambda c, s, w: _cost(c, s, w, five=9)),
    ("pool in place", _pool_in_place),
)

EXERCISE = Exercise(
    title=TITLE,
    reference=inception_cost,
    cases=_cases(),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
