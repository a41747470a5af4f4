"""Where a network can be tapped for its features."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tap:
    """One place in a network, as the network declares it.

    Attributes:
        name: of the module, as in ``model.named_modules()``.
        channels: of its output.
        stride: pixels of the input for a step of one pixel here; 0 where no place is left.
    """

    name: str
    channels: int
    stride: int
