"""Exercise ``stage_multiply_adds``: the arithmetic of one stage of basic blocks, read off a table."""

from collections.abc import Callable

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "second": "the second stage of ResNet-18",
    "third": "the third stage of ResNet-34",
    "single": "a single block",
    "long": "a long and narrow stage",
    "even": "a stage that keeps the width",
}

MESSAGES = {
    "input side": (
        "The places were counted on the map that comes in. The first convolution strides, so all outputs have half the "
        "side: a quarter of the places."
    ),
    "first at input": (
        "The first convolution was counted on the map that comes in. It has stride 2: it is computed at a quarter of "
        "these places only."
    ),
    "no shortcut": (
        "The 1x1 on the shortcut is missing. In the first block the shapes differ, and the input goes through a 1x1 "
        "from c_in to width."
    ),
    "3x3 shortcut": "The shortcut was counted as a 3x3. It is a 1x1: c_in * width weights.",
    "every shortcut": (
        "A 1x1 was counted on the shortcut of every block. Only the first one changes the shape; the others add their "
        "input as it is."
    ),
    "first width": (
        "The first convolution was counted from width to width. It is the one that gets the c_in channels of the stage "
        "before."
    ),
    "one convolution": "A block was counted with one convolution. A basic block has two.",
    "flops": (
        "Twice too many: multiplications and additions were counted apart. Here, as in papers, one multiply-add is one."
    ),
    "parameters": (
        "These are the weights. Each is used once at each place of the output: multiply by the number of places."
    ),
    "one row": "The weights were multiplied by the side of the map. A map has side x side places.",
}


def stage_multiply_adds(c_in: int, width: int, blocks: int, side: int) -> int:
    """Do right what the reader is asked to write: the stage's weights times the places of its output."""
    return _count(c_in, width, blocks, side)


def check_stage_multiply_adds(reader_function: Callable) -> Report:
    """Check the reader's ``stage_multiply_adds(c_in, width, blocks, side)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _count(c_in, width, blocks, side, *, first=None, shortcut=None, inner=None, places=None):
    """Count a stage; each argument by name replaces one part of the count by a wrong one."""
    first = 9 * c_in * width if first is None else first
    shortcut = c_in * width if shortcut is None else shortcut
    inner = 2 * blocks - 1 if inner is None else inner
    return (first + shortcut + inner * 9 * width * width) * ((side // 2) ** 2 if places is None else places)


_GIVEN = {
    "second": (64, 128, 2, 56),
    "third": (128, 256, 6, 28),
    "single": (16, 32, 1, 32),
    "long": (8, 24, 9, 64),
    "even": (32, 32, 3, 16),
}
_WRONG = (
    ("input side", lambda c, w, n, s: _count(c, w, n, s, places=s * s)),
    ("first at input", lambda c, w, n, s: _count(c, w, n, s, first=4 * 9 * c * w)),
    ("first at input", lambda c, w, n, s: _count(c, w, n, s, first=4 * 9 * c * w, shortcut=4 * c * w)),
    ("no shortcut", lambda c, w, n, s: _count(c, w, n, s, shortcut=0)),
    ("3x3 shortcut", lambda c, w, n, s: _count(c, w, n, s, shortcut=9 * c * w)),
    ("every shortcut", lambda c, w, n, s: _count(c, w, n, s, shortcut=c * w + (n - 1) * w * w)),
    ("every shortcut", lambda c, w, n, s: _count(c, w, n, s, shortcut=n * c * w)),
    ("first width", lambda c, w, n, s: _count(c, w, n, s, first=9 * w * w)),
    ("first width", lambda c, w, n, s: _count(c, w, n, s, first=9 * w * w, shortcut=w * w)),
    ("one convolution", lambda c, w, n, s: _count(c, w, n, s, inner=n - 1)),
    ("flops", lambda c, w, n, s: 2 * _count(c, w, n, s)),
    ("parameters", lambda c, w, n, s: _count(c, w, n, s, places=1)),
    ("one row", lambda c, w, n, s: _count(c, w, n, s, places=s // 2)),
)

EXERCISE = Exercise(
    title="stage_multiply_adds",
    reference=stage_multiply_adds,
    cases=tuple(Case(CASES[name], arguments) for name, arguments in _GIVEN.items()),
    misconceptions=tuple(Misconception(function, MESSAGES[name]) for name, function in _WRONG),
    rtol=0,
    atol=0,
)
