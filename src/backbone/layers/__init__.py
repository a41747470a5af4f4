"""Layers written out: what each computes and how its gradient goes back, in NumPy and as PyTorch modules."""

from backbone.layers.activations import ACTIVATIONS, Activation
from backbone.layers.norm_core import NormGradients
from backbone.layers.norm_modules import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, fold
from backbone.layers.norm_per_example import group_norm, group_norm_backward, layer_norm, layer_norm_backward
from backbone.layers.normalization import RunningStatistics, batch_norm, batch_norm_backward

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "BatchNorm1d",
    "BatchNorm2d",
    "GroupNorm",
    "LayerNorm",
    "NormGradients",
    "RunningStatistics",
    "batch_norm",
    "batch_norm_backward",
    "fold",
    "group_norm",
    "group_norm_backward",
    "layer_norm",
    "layer_norm_backward",
]
