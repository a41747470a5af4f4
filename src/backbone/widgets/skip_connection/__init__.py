"""SkipConnection: how large the gradient is at each block, for each weight of the shortcut."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import traitlets as t
from numpy.typing import ArrayLike

from backbone.checks import real_numbers
from backbone.widgets.base import Array, BookWidget


class SkipConnection(BookWidget):
    """Set the weight a of all shortcuts, x + F(x) made a x + F(x), and see the gradient of each block.

    Args:
        weights: the weights that the slider offers (S,), rising, 1 among them.
        profiles: name of a kind of branch -> sizes of the gradient (S, K), above 0, for each weight and each of K
            blocks, the first block first. What is drawn is their share of the last block's.
        weight: where to begin, one of the weights.

    Traits, live both ways: weight; kind (which profile); answer (to "What becomes of the gradient at half the weight?":
    "half", "most", "lost", "wild", or "").

    Raises:
        ValueError: a shape does not fit, a size is not above 0, or 1 is not among the weights.
        traitlets.TraitError: a weight or a kind that is not there.

    Source: He et al. 2016, "Identity mappings in deep residual networks", section 3.
    """

    room = {"": (461, 610)}

    weight = t.Float(1.0).tag(sync=True)
    kind = t.Unicode().tag(sync=True)
    answer = t.Enum(["", "half", "most", "lost", "wild"], "").tag(sync=True)

    weights = t.List(t.Float(), read_only=True).tag(sync=True)
    kinds = t.List(t.Unicode(), read_only=True).tag(sync=True)
    sizes = Array("float32", read_only=True, help="log10 of the share of the last block's (kinds, S, K)").tag(sync=True)

    def __init__(self, weights: ArrayLike, profiles: Mapping[str, ArrayLike], **traits):
        steps = real_numbers("SkipConnection", "weights", weights)
        if (np.diff(steps) <= 0).any() or not np.isclose(steps, 1).any():
            raise ValueError(f"weights must rise, with 1 among them; they are {steps.tolist()}")
        logs = [_shares(name, sizes, len(steps)) for name, sizes in profiles.items()]
        if not logs or len({one.shape for one in logs}) > 1:
            raise ValueError(f"profiles must hold one kind or more, all with as many blocks; it holds {list(profiles)}")
        self.set_trait("weights", steps.tolist())
        self.set_trait("kinds", list(profiles))
        self.set_trait("sizes", np.stack(logs))
        traits.setdefault("kind", self.kinds[0])
        super().__init__(**traits)

    @t.validate("weight", "kind")
    def _is_there(self, proposal):
        value, name = proposal["value"], proposal["trait"].name
        allowed = self.weights if name == "weight" else self.kinds
        found = [one for one in allowed if one == value or (name == "weight" and np.isclose(one, value))]
        if not found:
            raise t.TraitError(f"{name} is {value!r}; it must be one of {', '.join(map(str, allowed))}")
        return found[0]

    @property
    def profile(self) -> np.ndarray:
        """Size of each block's gradient, as a share of the last one's, at the weight (K,)."""
        return 10.0 ** self.sizes[self.kinds.index(self.kind), self.weights.index(self.weight)]


def _shares(name: str, sizes: ArrayLike, count: int) -> np.ndarray:
    """Return log10 of each size's share of the last block's."""
    sizes = np.asarray(sizes, np.float64)
    if sizes.ndim != 2 or sizes.shape[0] != count or sizes.shape[1] < 2:
        raise ValueError(f"profiles[{name!r}] has shape {sizes.shape}; for {count} weights it is ({count}, blocks)")
    if not (np.isfinite(sizes).all() and (sizes > 0).all()):
        raise ValueError(f"profiles[{name!r}] holds something else than finite sizes above 0")
    return np.log10(sizes / sizes[:, -1:])
