"""ThresholdExplorer: where to draw the line between yes and no, and what the share of positives does to it."""

from __future__ import annotations

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone import metrics
from backbone.checks import real_numbers
from backbone.widgets.base import Array, BookWidget

RAREST = 0.001


class ThresholdExplorer(BookWidget):
    """Drag a threshold over the scores of positives and negatives, and set how common the positives are.

    A picture is called positive where its score is at or above the threshold. The rates come from the scores given;
    the prevalence weighs positives against negatives, so that recall and ROC do not feel it, and precision does.

    Args:
        positives: scores of the pictures that are what is looked for (P,), finite.
        negatives: scores of the others (N,), finite.
        positive: what the positives are, in the plural, such as "shirts".
        score: what a score is, with its unit, such as "log-odds of shirt".
        threshold: where to begin; 0 by default.
        prevalence: share of the positives among all pictures, 0.001 to 0.9; by default that of the scores given.

    Traits, live both ways: threshold, prevalence.

    Raises:
        ValueError: there is no positive or no negative, or a score is not finite.
        traitlets.TraitError: prevalence lies outside its range.
    """

    threshold = t.Float(0.0).tag(sync=True)
    prevalence = t.Float(0.5, min=RAREST, max=0.9).tag(sync=True)

    positives = Array("float32", read_only=True, help="scores, falling").tag(sync=True)
    negatives = Array("float32", read_only=True, help="scores, falling").tag(sync=True)
    positive = t.Unicode(read_only=True).tag(sync=True)
    score = t.Unicode(read_only=True).tag(sync=True)

    def __init__(self, positives: ArrayLike, negatives: ArrayLike, positive="positives", score="score", **traits):
        parts = {"positives": positives, "negatives": negatives}
        arrays = {name: real_numbers("ThresholdExplorer", name, value) for name, value in parts.items()}
        for name, values in arrays.items():
            self.set_trait(name, np.sort(values)[::-1])
        self.set_trait("positive", positive)
        self.set_trait("score", score)
        share = len(arrays["positives"]) / sum(map(len, arrays.values()))
        traits.setdefault("prevalence", min(max(share, RAREST), 0.9))
        super().__init__(**traits)

    @property
    def rates(self) -> tuple[float, float]:
        """True and false positive rate at the threshold."""
        return tuple(float(np.mean(scores >= self.threshold)) for scores in (self.positives, self.negatives))

    @property
    def precision(self) -> float:
        """Precision at the threshold and the prevalence; 1 where nothing is called positive."""
        return metrics.precision_at(*self.rates, self.prevalence)
