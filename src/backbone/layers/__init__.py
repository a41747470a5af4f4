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

__all__ = [
    "ACTIVATIONS",
    "Activation",
    "Dropout",
    "SpatialDropout",
    "dropout",
    "dropout_backward",
    "dropout_mask",
    "spatial_dropout_mask",
]
