"""BatchNormExplorer: a batch as dots on a line; drag one, and all outputs move."""

from __future__ import annotations

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone import layers
from backbone.checks import real_numbers
from backbone.widgets.base import BookWidget

LIMIT = 9.0  # of an input, and of the axis it lies on
COUNT = 8
START = (-1.6, 0.4, 1.1, 2.0, 2.9, 3.5, 5.1, 7.0)


class BatchNormExplorer(BookWidget):
    """Eight values of one channel, what batch normalization makes of them, and its running averages.

    Inputs are kept in tenths, the digits that the page prints, so that the sums on the screen add up exactly.

    Args:
        values: eight inputs between -9 and 9, rounded to tenths; the first ``size`` of them are the batch.
        traits: starting values of the traits below.

    Traits, live both ways: training (True), size (8; 1, 2, 4 or 8), gamma (1), beta (0), eps (1e-5), momentum (0.1),
    running_mean (0), running_var (1), batches (0), selected (the example the arithmetic is written out for), answer (to
    the question which outputs move: "own", "same", "apart", or "").

    Raises:
        ValueError: there are not eight values, or one lies outside -9 to 9.
        traitlets.TraitError: a trait lies outside its range, or is not finite.
    """

    room = {"": (490, 615)}

    training = t.Bool(True).tag(sync=True)
    size = t.Enum([1, 2, 4, 8], 8).tag(sync=True)
    gamma = t.Float(1.0, min=-3, max=3).tag(sync=True)
    beta = t.Float(0.0, min=-3, max=3).tag(sync=True)
    eps = t.Enum([1e-5, 0.01, 1.0], 1e-5).tag(sync=True)
    momentum = t.Enum([0.01, 0.1, 0.5, 1.0], 0.1).tag(sync=True)
    running_mean = t.Float(0.0).tag(sync=True)
    running_var = t.Float(1.0, min=0).tag(sync=True)
    batches = t.Int(0, min=0).tag(sync=True)
    selected = t.Int(3, min=0, max=COUNT - 1).tag(sync=True)
    answer = t.Enum(["", "own", "same", "apart"], "").tag(sync=True)
    values = t.List(t.Float(min=-LIMIT, max=LIMIT), minlen=COUNT, maxlen=COUNT).tag(sync=True)

    def __init__(self, values: ArrayLike = START, **traits):
        numbers = real_numbers("BatchNormExplorer", "values", values)
        if len(numbers) != COUNT or np.abs(numbers).max() > LIMIT:
            raise ValueError(
                f"BatchNormExplorer: {len(numbers)} values from {numbers.min():g} to {numbers.max():g} given; it takes "
                f"{COUNT}, between {-LIMIT:g} and {LIMIT:g}"
            )
        super().__init__(values=numbers.round(1).tolist(), **traits)

    @t.validate("gamma", "beta", "running_mean", "running_var", "values")
    def _finite(self, proposal):
        if not np.isfinite(proposal["value"]).all():
            name = proposal["trait"].name
            raise t.TraitError(f"BatchNormExplorer: {name} is {proposal['value']}; it must be finite")
        return proposal["value"]

    @property
    def running(self) -> layers.RunningStatistics:
        """The running averages, as arrays of one channel."""
        return layers.RunningStatistics(np.array([self.running_mean]), np.array([self.running_var]), self.batches)

    @property
    def outputs(self) -> np.ndarray:
        """What comes out for the batch, (size,)."""
        x = np.array(self.values[: self.size])[:, None]
        running = None if self.training else self.running
        return layers.batch_norm(x, [self.gamma], [self.beta], running, eps=self.eps)[:, 0]

    def run(self) -> None:
        """Send the batch through once: in training the running averages move, in evaluation nothing does."""
        if self.training:
            moved = self.running.updated(np.array(self.values[: self.size])[:, None], self.momentum)
            with self.hold_sync():
                self.running_mean, self.running_var = float(moved.mean[0]), float(moved.variance[0])
                self.batches = moved.batches
