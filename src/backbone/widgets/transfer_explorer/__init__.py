"""TransferExplorer: a carried network against another, for how many labels, as recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from backbone.checks import one_of
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.pictures import levels

ANSWERS = ["frozen", "scratch", "even"]


class TransferExplorer(BookWidget):
    """Drag how many labels a class two networks learn from, and see test pictures turn right and wrong.

    Nothing is computed but means, paired differences and their 95 % intervals (Student's, over the draws).

    Args:
        recorded: the record ``freezing``, see ``experiments/measure_freezing.py``: "rows", each with way ("scratch", or
            how many layers are frozen), labels (a class), accuracy (S,), 0 to 1, one number a draw, S at least 3, at
            one index of the same draw in all rows, and answers (S,), texts with a digit for each picture shown; each
            way at the same label counts, two or more. And "draws", S of them, each with its five classes, "second".
        pictures: the first test pictures of each class, all classes with as many, (K * P, H, W) or (K * P, 1, H, W),
            class by class, uint8 or floats in [0, 1].
        names: of the K classes.

    Traits, live both ways: left, right (the ways compared); labels (a class); draw; answer (to "With the most labels,
    and all carried layers frozen, which is ahead?": "frozen", "scratch", "even", or "").

    Raises:
        ValueError: records that lack a field or a setting, or do not fit each other or the pictures.
        traitlets.TraitError: a setting that was not measured.
    """

    room = {"": (541, 541)}

    left = t.Unicode("scratch").tag(sync=True)
    right = t.Unicode().tag(sync=True)
    labels = t.Int().tag(sync=True)
    draw = t.Int(0, min=0).tag(sync=True)
    answer = t.Enum(["", *ANSWERS], "").tag(sync=True)

    ways = t.List(t.Unicode(), read_only=True, help="from scratch, then none frozen to all").tag(sync=True)
    counts = t.List(t.Int(), read_only=True, help="labels a class, rising").tag(sync=True)
    accuracy = Array("float64", read_only=True, help="percent (ways, counts, draws)").tag(sync=True)
    factor = t.Float(read_only=True, help="standard errors on each side of a 95 % interval").tag(sync=True)
    answers = Array("uint8", read_only=True, help="classes (ways, counts, draws, pictures of a draw)").tag(sync=True)
    second = t.List(read_only=True, help="classes of each draw, rising").tag(sync=True)
    pictures = Array("uint8", read_only=True, help="(K * P, H, W), 0 to 15, class by class").tag(sync=True)
    names = t.List(t.Unicode(), read_only=True).tag(sync=True)

    def __init__(self, recorded: Mapping, pictures: ArrayLike, names: Sequence[str], **traits):
        ways, counts, accuracy, answers = _tables(recorded)
        second = [list(row["second"]) for row in recorded.get("draws", [])]
        each, rest = divmod(len(pictures), len(names))
        if rest or len(second) != accuracy.shape[2] or any(len(one) * each != answers.shape[3] for one in second):
            raise ValueError(
                f"{len(pictures)} pictures of {len(names)} classes do not fit {len(second)} draws and answers of shape "
                f"{answers.shape}, which is (ways, counts, draws, pictures of a draw)"
            )
        values = {"ways": ways, "counts": counts, "accuracy": 100 * accuracy, "answers": answers, "second": second}
        values |= {"names": list(names), "factor": float(stdtrit(len(second) - 1, 0.975))}
        values["pictures"] = levels("TransferExplorer", "pictures", pictures, each * len(names))
        for name, value in values.items():
            self.set_trait(name, value)
        traits = {"right": ways[-1], "labels": counts[0]} | traits
        super().__init__(**traits)

    def difference(self, first: str, second: str) -> np.ndarray:
        """Return first minus second, paired, in points: mean, low and high of its 95 % interval (3, L)."""
        paired = self.accuracy[self.ways.index(first)] - self.accuracy[self.ways.index(second)]
        half = self.factor * paired.std(axis=1, ddof=1) / np.sqrt(paired.shape[1])
        return np.stack([paired.mean(axis=1), paired.mean(axis=1) - half, paired.mean(axis=1) + half])

    @t.validate("left", "right")
    def _way_was_measured(self, proposal):
        return one_of("TransferExplorer", proposal["trait"].name, proposal["value"], self.ways, t.TraitError)

    @t.validate("labels")
    def _labels_were_measured(self, proposal):
        return one_of("TransferExplorer", "labels", proposal["value"], self.counts, t.TraitError)

    @t.validate("draw")
    def _draw_was_measured(self, proposal):
        return one_of("TransferExplorer", "draw", proposal["value"], list(range(len(self.second))), t.TraitError)


def _tables(recorded: Mapping) -> tuple[list[str], list[int], np.ndarray, np.ndarray]:
    """Return ways, label counts, accuracies (ways, counts, draws), 0 to 1, and answers; raise ValueError."""
    try:
        found = {(str(row["way"]), int(row["labels"])): (row["accuracy"], row["answers"]) for row in recorded["rows"]}
    except (KeyError, TypeError) as error:
        raise ValueError(
            f'recorded lacks {error}; give records.load("freezing"): rows with way, labels, accuracy and answers'
        ) from None
    ways = list(dict.fromkeys(way for way, _ in found))
    counts = sorted({count for _, count in found})
    if "scratch" not in ways or len(ways) < 2 or len(counts) < 2:
        raise ValueError(
            f"recorded has the ways {', '.join(ways)} at {len(counts)} label counts; it must have scratch and another "
            "at two or more"
        )
    missing = [(way, count) for way in ways for count in counts if (way, count) not in found]
    if missing:
        raise ValueError(f"recorded lacks way {missing[0][0]!r} at {missing[0][1]} labels; each way needs every count")
    lengths = {len(part) for row in found.values() for part in row}
    if len(lengths) > 1 or min(lengths) < 3:
        raise ValueError(f"recorded has rows of {sorted(lengths)} draws; all must have as many, at least 3")
    table = np.array([[found[way, count][0] for count in counts] for way in ways], np.float64)
    if not ((table >= 0) & (table <= 1)).all():
        raise ValueError("recorded has an accuracy outside 0 to 1")
    digits = [[[list(map(int, text)) for text in found[way, count][1]] for count in counts] for way in ways]
    return ways, counts, table, np.array(digits, np.uint8)
