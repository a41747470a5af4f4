"""ResidualExplorer: a residual network and its plain twin, as recorded: errors, gradients, blocks switched off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import traitlets as t

from backbone.checks import one_of
from backbone.widgets.base import BookWidget

WHOLE = "123 456 789"
NETWORKS = {"plain": "plain20", "residual": "resnet20"}  # whose blocks were switched off
QUESTIONS = {
    "depth": ("lower", "alike", "higher"),
    "gradient": ("smaller", "alike", "larger"),
    "block": ("residual", "alike", "plain"),
}


class ResidualExplorer(BookWidget):
    """Compare both kinds of network in what was measured. Three questions come first; each answer opens its part.

    Nothing is computed but means over seeds and differences of what is given.

    Args:
        curves: rows as in the record ``cifar_curves``, mappings with network ("plain20", "resnet20" and so on), epoch,
            train_error and test_error (0 to 1), in the order of epochs; both kinds at two depths or more.
        recorded: the record ``residual``: "gradients" and "blocks", see ``experiments/measure_residual.py``.

    Traits, live both ways:
        depth: of the curves shown.
        error: "train" or "test".
        size, steps, what: the gradients shown: layers, steps before, "grad_h" or "grad_w".
        way: the blocks that are on, in their order, such as "123 456 789"; "-" is a stage without blocks.
        answers: question -> the answer that was given, see ``QUESTIONS``.

    Raises:
        ValueError: records that lack a network or a field.
        traitlets.TraitError: a setting that was not measured.
    """

    room = {"": (1797, 2715)}

    depth = t.Int(20).tag(sync=True)
    error = t.Enum(["train", "test"], "train").tag(sync=True)
    size = t.Int(20).tag(sync=True)
    steps = t.Int(0).tag(sync=True)
    what = t.Enum(["grad_h", "grad_w"], "grad_h").tag(sync=True)
    way = t.Unicode(WHOLE).tag(sync=True)
    answers = t.Dict().tag(sync=True)

    curves = t.Dict(read_only=True, help="kind -> depth -> train and test, lists of errors, 0 to 1").tag(sync=True)
    gradients = t.List(read_only=True, help="rows: network, depth, seed, steps, loss, grad_h, grad_w").tag(sync=True)
    ways = t.List(read_only=True, help="all ways that were measured").tag(sync=True)
    right = t.Dict(read_only=True, help="kind -> pictures told right, one number for each way").tag(sync=True)
    count = t.Int(read_only=True, help="pictures shown").tag(sync=True)

    def __init__(self, curves: Sequence[Mapping], recorded: Mapping, **traits):
        self.set_trait("curves", _curves(curves))
        try:
            rows, blocks = recorded["gradients"], {row["network"]: row for row in recorded["blocks"]}
            right = {kind: blocks[name]["right"] for kind, name in NETWORKS.items()}
            keys, count = list(right["plain"]), int(blocks[NETWORKS["plain"]]["count"])
            self.set_trait("right", {kind: [found[key] for key in keys] for kind, found in right.items()})
            names = ("network", "depth", "seed", "steps", "loss", "grad_h", "grad_w")
            self.set_trait("gradients", [{name: row[name] for name in names} for row in rows])
        except KeyError as error:
            raise ValueError(
                f'recorded has no {error}; give records.load("residual"), which experiments/measure_residual.py writes'
            ) from None
        if WHOLE not in keys:
            raise ValueError(f"recorded: among its {len(keys)} ways there is no {WHOLE!r}, the whole network")
        self.set_trait("ways", keys)
        self.set_trait("count", count)
        super().__init__(**traits)

    def error_of(self, kind: str, way: str = WHOLE) -> float:
        """Return the share of pictures that "plain" or "residual" tells wrong with these blocks, 0 to 1."""
        return 1 - self.right[kind][self.ways.index(way)] / self.count

    @t.validate("depth")
    def _depth_was_measured(self, proposal):
        measured = sorted(map(int, self.curves["plain"]))
        return one_of("ResidualExplorer", "depth", proposal["value"], measured, t.TraitError)

    @t.validate("size", "steps")
    def _gradients_were_measured(self, proposal):
        trait = proposal["trait"].name
        measured = sorted({row["depth" if trait == "size" else "steps"] for row in self.gradients})
        return one_of("ResidualExplorer", trait, proposal["value"], measured, t.TraitError)

    @t.validate("way")
    def _way_was_measured(self, proposal):
        if proposal["value"] not in self.ways:
            raise t.TraitError(
                f"way is {proposal['value']!r}; it must name blocks in an order that was measured: {WHOLE!r}"
            )
        return proposal["value"]

    @t.validate("answers")
    def _answers_are_known(self, proposal):
        for question, answer in proposal["value"].items():
            if answer not in QUESTIONS.get(question, ()):
                raise t.TraitError(f"answers has {question!r}: {answer!r}; the questions and answers are {QUESTIONS}")
        return proposal["value"]


def _curves(rows: Sequence[Mapping]) -> dict:
    """Return kind -> depth, as text -> train and test -> errors; depths that both kinds have."""
    found: dict = {"plain": {}, "residual": {}}
    for row in rows:
        kind = row["network"].rstrip("0123456789").replace("resnet", "residual")
        depth = row["network"].removeprefix("plain").removeprefix("resnet")
        if kind not in found:
            continue
        one = found[kind].setdefault(depth, {"train": [], "test": []})
        for which in one:
            one[which].append(round(float(row[f"{which}_error"]), 4))
    both = sorted(set(found["plain"]) & set(found["residual"]), key=int)
    if len(both) < 2 or both[0] != "20":
        raise ValueError(
            f"curves: plain and residual networks have the depths {', '.join(both) or 'none'} in common; they must "
            "have 20 and a deeper one"
        )
    return {kind: {depth: curves[depth] for depth in both} for kind, curves in found.items()}
