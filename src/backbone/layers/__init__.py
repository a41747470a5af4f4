"""Layers written out: what each computes and how its gradient goes back, in NumPy and as PyTorch modules."""

from backbone.layers.activations import ACTIVATIONS, Activation
from backbone.layers.dropout import (
    Dropout,
    SpatialDropout,
    dropout,
    dropout_backward,
    dropout_mask,
)
from backbone.layers.norm_modules import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, fold
from backbone.layers.normalization import NormGradients, RunningStatistics, batch_norm, batch_norm_backward

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "BatchNorm1d",
    "BatchNorm2d",
    "Dropout",
    "GroupNorm",
    "LayerNorm",
    "NormGradients",
    "RunningStatistics",
    "SpatialDropout",
    "batch_norm",
    "batch_norm_backward",
    "dropout",
    "dropout_backward",
    "dropout_mask",
    "fold",
]
