"""InceptionExplorer: the widths of an Inception module, what they cost, and what its maps have seen."""

from __future__ import annotations

import traitlets as t

from backbone.widgets.base import BookWidget

IN_CHANNELS, SIDE, OUT_CHANNELS = 192, 28, 256  # of module 3a
STEP, MOST_OUT, MOST_INTO = 8, 256, 192
# out of 1x1; into and out of 3x3; into and out of 5x5; of the projection after pooling
PAPER = {"widths": [64, 96, 128, 16, 32, 32], "reduced": [True, True, True]}
NAIVE = {"widths": PAPER["widths"], "reduced": [False, False, False]}
EACH = {"kind": "least", "maps": [16, 16, 16, 16]}
OUT = {"kind": "out", "maps": OUT_CHANNELS}


def _cost(millions: int) -> dict:
    return {"kind": "cost", "most": millions * 10**6}


# What the reader is asked for: where it starts, what has to hold, and one way to get there.
PUZZLES = {
    "half": {
        "start": PAPER,
        "goals": [OUT, _cost(64), EACH],
        "solution": {"widths": [128, 40, 64, 16, 32, 32], "reduced": [True, True, True]},
    },
    "naive": {
        "start": NAIVE,
        "goals": [OUT, _cost(130), {"kind": "least", "maps": [64, 128, 32, 32]}],
        "solution": PAPER,
    },
    "wide": {
        "start": PAPER,
        "goals": [OUT, _cost(64), EACH, {"kind": "share", "branch": 2, "least": 0.5}],
        "solution": {"widths": [96, 8, 16, 16, 128, 16], "reduced": [True, True, True]},
    },
    "plain": {
        "start": NAIVE,
        "goals": [OUT, _cost(128), EACH, {"kind": "plain"}],
        # the cheapest: pooling alone gives 192 maps for nothing
        "solution": {"widths": [32, 96, 16, 16, 16, 32], "reduced": [False, False, False]},
    },
}


class InceptionExplorer(BookWidget):
    """Drag the widths of the paper's module 3a, 192 maps of 28 x 28 in, and keep to a budget of multiply-adds.

    The page counts multiply-adds and weights as ``backbone.models.summary`` does, biases not counted. Beside the
    module stands its naive twin: branches of the same widths without the 1x1 convolutions before 3x3 and 5x5, and
    without the projection after pooling.

    Traits, live both ways:
        widths: six numbers of maps, multiples of 8: out of the 1x1 (0 to 256), into (8 to 192) and out of (0 to 256)
            the 3x3, into and out of the 5x5 likewise, out of the projection after pooling (8 to 256). A branch that
            gives no maps is left out, with its 1x1.
        reduced: whether there is a 1x1 before the 3x3, before the 5x5, and a projection after pooling.
        answer: the reader's answer to which width saves most when it is smaller by 8: its place, "0" to "5", or "".
        puzzle: which of ``PUZZLES`` is asked.
        solved: those that the reader has solved.
        shown: the puzzle of which a button has shown a solution since its start, or "". Moves do not solve that one.

    Raises:
        traitlets.TraitError: a width or a name outside what is allowed.

    Source: Szegedy et al. 2015, "Going deeper with convolutions", table 1.
    """

    room = {"": (560, 624)}

    widths = t.List(t.Int(), PAPER["widths"], minlen=6, maxlen=6).tag(sync=True)
    reduced = t.List(t.Bool(), PAPER["reduced"], minlen=3, maxlen=3).tag(sync=True)
    puzzle = t.Enum(list(PUZZLES), "half").tag(sync=True)
    solved = t.List(t.Enum(list(PUZZLES))).tag(sync=True)
    shown = t.Enum(["", *PUZZLES], "").tag(sync=True)

    answer = t.Enum(["", *"012345"], "").tag(sync=True)

    paper = t.Dict(PAPER, read_only=True).tag(sync=True)
    puzzles = t.Dict(PUZZLES, read_only=True).tag(sync=True)
    shape = t.List([IN_CHANNELS, SIDE, OUT_CHANNELS], read_only=True, help="maps in, their side, maps out").tag(
        sync=True
    )

    @t.validate("widths")
    def _widths_are_allowed(self, proposal):
        limits = [(0, MOST_OUT), (STEP, MOST_INTO), (0, MOST_OUT), (STEP, MOST_INTO), (0, MOST_OUT), (STEP, MOST_OUT)]
        for place, (width, (low, high)) in enumerate(zip(proposal["value"], limits, strict=True)):
            if width % STEP or not low <= width <= high:
                raise t.TraitError(f"widths[{place}] is {width}; it must be a multiple of {STEP} from {low} to {high}")
        return proposal["value"]
