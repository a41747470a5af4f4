"""TransferExplorer: how many carried layers to freeze, and for how many labels, as recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t
from scipy import stats

from backbone.checks import one_of
from backbone.widgets.base import BookWidget

# What the reader is asked: from how many labels a class on is the first way ahead of the second?
QUESTIONS = {"probe": ("scratch", "4"), "tune": ("0", "4"), "freeze": ("0", "3")}
VIEWS = ["accuracy", "gain", "spread"]


class TransferExplorer(BookWidget):
    """Look at recorded accuracies: freeze depth against number of labels, a heat map with its spread.

    Three questions come first: from how many labels a class on is one way ahead of another? Rows of the map that a
    question is about stay hidden until it is answered. Nothing is computed but means, standard deviations, paired
    differences and their 95 % intervals (Student's, over the draws).

    Args:
        recorded: the record ``freezing``, see ``experiments/measure_freezing.py``: "rows", each with way ("scratch", or
            how many layers are frozen), labels (a class) and accuracy (S,), 0 to 1, one number a draw, S at least 3,
            at one index of the same draw in all rows. Each way at the same label counts, two or more.

    Traits, live both ways:
        question: the one asked, see ``QUESTIONS``.
        guess: which of the label counts is meant, counted from 0; the number of counts stands for "never".
        answers: question -> the guess that was made.
        shown: show all rows, answered or not.
        view: what the map shows: "accuracy", "gain" (minus "scratch") or "spread" (standard deviation).
        a, b: the ways compared.
        way, labels: the cell looked at.

    Raises:
        ValueError: records that lack a field or a setting, or do not fit each other.
        traitlets.TraitError: a setting that was not measured.
    """

    room = {"": (1005, 1647)}

    question = t.Enum(list(QUESTIONS), "probe").tag(sync=True)
    guess = t.Int(0, min=0).tag(sync=True)
    answers = t.Dict(key_trait=t.Enum(list(QUESTIONS)), value_trait=t.Int(min=0)).tag(sync=True)
    shown = t.Bool(False).tag(sync=True)
    view = t.Enum(VIEWS, "accuracy").tag(sync=True)
    a = t.Unicode("scratch").tag(sync=True)
    b = t.Unicode("4").tag(sync=True)
    way = t.Unicode("scratch").tag(sync=True)
    labels = t.Int().tag(sync=True)

    ways = t.List(t.Unicode(), read_only=True, help="from scratch, then none frozen to all").tag(sync=True)
    counts = t.List(t.Int(), read_only=True, help="labels a class, rising").tag(sync=True)
    accuracy = t.List(read_only=True, help="percent: for each way, for each count, one for each draw").tag(sync=True)
    factor = t.Float(read_only=True, help="standard errors on each side of a 95 % interval").tag(sync=True)
    # A list, because a page's state is written with its keys sorted.
    questions = t.List([[name, list(pair)] for name, pair in QUESTIONS.items()], read_only=True).tag(sync=True)

    def __init__(self, recorded: Mapping, **traits):
        ways, counts, table = _table(recorded)
        self.set_trait("ways", ways)
        self.set_trait("counts", counts)
        self.set_trait("accuracy", (100 * table).round(4).tolist())
        self.set_trait("factor", float(stats.t.ppf(0.975, table.shape[2] - 1)))
        traits.setdefault("labels", counts[0])
        traits.setdefault("guess", len(counts) // 2)
        super().__init__(**traits)

    def difference(self, first: str, second: str) -> np.ndarray:
        """Return first minus second, paired, in points: mean, low and high of its 95 % interval (3, L)."""
        rows = np.array(self.accuracy)
        paired = rows[self.ways.index(first)] - rows[self.ways.index(second)]
        half = self.factor * paired.std(axis=1, ddof=1) / np.sqrt(paired.shape[1])
        return np.stack([paired.mean(axis=1), paired.mean(axis=1) - half, paired.mean(axis=1) + half])

    @t.validate("a", "b", "way")
    def _way_was_measured(self, proposal):
        return one_of("TransferExplorer", proposal["trait"].name, proposal["value"], self.ways, t.TraitError)

    @t.validate("labels")
    def _labels_were_measured(self, proposal):
        return one_of("TransferExplorer", "labels", proposal["value"], self.counts, t.TraitError)

    @t.validate("guess")
    def _guess_is_on_the_slider(self, proposal):
        return self._within("guess", proposal["value"])

    @t.validate("answers")
    def _answers_are_on_the_slider(self, proposal):
        for name, guess in proposal["value"].items():
            self._within(f"answers[{name!r}]", guess)
        return proposal["value"]

    def _within(self, name: str, guess: int) -> int:
        if guess > len(self.counts):
            raise t.TraitError(f"{name} is {guess}; it must be from 0 to {len(self.counts)}, which stands for never")
        return guess


def _table(recorded: Mapping) -> tuple[list[str], list[int], np.ndarray]:
    """Return ways, label counts and accuracies (ways, counts, draws), 0 to 1; raise ValueError."""
    try:
        found = {(str(row["way"]), int(row["labels"])): row["accuracy"] for row in recorded["rows"]}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'recorded lacks {error}; give records.load("freezing"): rows with way, labels and accuracy'
        ) from None
    ways = list(dict.fromkeys(way for way, _ in found))
    counts = sorted({count for _, count in found})
    needed = {way for pair in QUESTIONS.values() for way in pair} | {"scratch"}
    if not needed <= set(ways) or len(counts) < 2:
        raise ValueError(
            f"recorded has the ways {', '.join(ways)} at {len(counts)} label counts; it must have "
            f"{', '.join(sorted(needed))} at two or more"
        )
    missing = [(way, count) for way in ways for count in counts if (way, count) not in found]
    if missing:
        raise ValueError(f"recorded lacks way {missing[0][0]!r} at {missing[0][1]} labels; each way needs every count")
    draws = {len(values) for values in found.values()}
    if len(draws) > 1 or min(draws) < 3:
        raise ValueError(f"recorded has rows of {sorted(draws)} draws; all must have as many, at least 3")
    table = np.array([[found[way, count] for count in counts] for way in ways], np.float64)
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError("recorded has an accuracy outside 0 to 1")
    return ways, counts, table
