"""Layers written out: what each computes and how its gradient goes back, in NumPy and as PyTorch modules."""

from backbone.layers.activations import ACTIVATIONS, Activation
from backbone.layers.dropout import (
    Dropout,
    SpatialDropout,
    dropout,
    dropout_backward,
    dropout_mask,
    spatial_dropout_mask,
)
from backbone.layers.norm_core import NormGradients
from backbone.layers.norm_modules import BatchNorm1d, BatchNorm2d, GroupNorm, LayerNorm, fold
from backbone.layers.norm_per_example import group_norm, group_norm_backward, layer_norm, layer_norm_backward
from backbone.layers.normalization import RunningStatistics, batch_norm, batch_norm_backward

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
    "group_norm",
    "group_norm_backward",
    "layer_norm",
    "layer_norm_backward",
    "spatial_dropout_mask",
]
