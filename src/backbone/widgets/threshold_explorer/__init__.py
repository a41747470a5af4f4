"""ThresholdExplorer: where to draw the line between yes and no, and what the share of positives does to it."""

from __future__ import annotations

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone import metrics
from backbone.checks import real_numbers
from backbone.widgets.base import Array, BookWidget
from backbone.widgets.pictures import levels

RAREST = 0.001
FACES = 40  # pictures of each kind


class ThresholdExplorer(BookWidget):
    """Drag a threshold over the scores of positives and negatives, and set how common the positives are.

    A picture is called positive where its score is at or above the threshold. The rates come from the scores given;
    the prevalence weighs positives against negatives, so that recall and ROC do not feel it, and precision does.

    Of each kind a few pictures, evenly along their scores, stand under the scores and cross the line as it moves. Its
    question is answered where `answer` is one of "recall", "precision", "both", "neither".

    Args:
        positives: scores of the pictures that are what is looked for (P,), finite.
        negatives: scores of the others (N,), finite.
        positive: what the positives are, in the plural, such as "shirts".
        score: what a score is, with its unit, such as "log-odds of shirt".
        pictures: the pictures of the positives (P, H, W) and of the negatives (N, H, W), uint8 or floats in [0, 1].
        threshold: where to begin; 0 by default.
        prevalence: share of the positives among all pictures, 0.001 to 0.9; by default that of the scores given.

    Traits, live both ways: threshold, prevalence, answer.

    Raises:
        ValueError: there is no positive or no negative, a score is not finite, or pictures do not fit the scores.
        traitlets.TraitError: prevalence lies outside its range.
    """

    room = {"": (548, 613)}

    threshold = t.Float(0.0).tag(sync=True)
    prevalence = t.Float(0.5, min=RAREST, max=0.9).tag(sync=True)
    answer = t.Enum(["", "recall", "precision", "both", "neither"], "").tag(sync=True)

    positives = Array("float32", read_only=True, help="scores, falling").tag(sync=True)
    negatives = Array("float32", read_only=True, help="scores, falling").tag(sync=True)
    faces = Array("uint8", read_only=True, help="pictures (K, H, W) by falling score, 0 to 255").tag(sync=True)
    face_scores = Array("float32", read_only=True).tag(sync=True)
    face_truth = Array("uint8", read_only=True, help="1 for a positive").tag(sync=True)
    positive = t.Unicode(read_only=True).tag(sync=True)
    score = t.Unicode(read_only=True).tag(sync=True)

    def __init__(
        self,
        positives: ArrayLike,
        negatives: ArrayLike,
        positive="positives",
        score="score",
        pictures: tuple[ArrayLike, ArrayLike] | None = None,
        **traits,
    ):
        parts = {"positives": positives, "negatives": negatives}
        arrays = {name: real_numbers("ThresholdExplorer", name, value) for name, value in parts.items()}
        for name, values in arrays.items():
            self.set_trait(name, np.sort(values)[::-1])
        if pictures is not None:
            self._show(list(arrays.values()), pictures)
        self.set_trait("positive", positive)
        self.set_trait("score", score)
        share = len(arrays["positives"]) / sum(map(len, arrays.values()))
        traits.setdefault("prevalence", min(max(share, RAREST), 0.9))
        super().__init__(**traits)

    def _show(self, scores: list[np.ndarray], pictures: tuple[ArrayLike, ArrayLike]) -> None:
        """Choose the pictures that are shown: of each kind every so many along its scores."""
        shown = []
        for kind, (values, images) in enumerate(zip(scores, pictures, strict=True)):
            gray = levels("ThresholdExplorer", f"pictures[{kind}]", images, len(values))
            places = np.linspace(0, len(values) - 1, min(FACES, len(values))).round().astype(int)
            order = np.argsort(values)[places]
            shown += [(values[i], gray[i], kind == 0) for i in order]
        shown.sort(key=lambda one: -one[0])
        for name, column in zip(("face_scores", "faces", "face_truth"), zip(*shown, strict=True), strict=True):
            self.set_trait(name, np.array(column) * (17 if name == "faces" else 1))

    @property
    def rates(self) -> tuple[float, float]:
        """True and false positive rate at the threshold."""
        return tuple(float(np.mean(scores >= self.threshold)) for scores in (self.positives, self.negatives))

    @property
    def precision(self) -> float:
        """Precision at the threshold and the prevalence; 1 where nothing is called positive."""
        return metrics.precision_at(*self.rates, self.prevalence)
