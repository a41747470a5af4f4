"""Networks drawn from themselves: shapes and counts in a drawing are the model's."""

from backbone.diagrams.by_hand import im2col, neuron
from backbone.diagrams.modules import modules
from backbone.diagrams.networks import columns, stacks, towers
from backbone.diagrams.pyramid import backbone

__all__ = ["backbone", "columns", "im2col", "modules", "neuron", "stacks", "towers"]
