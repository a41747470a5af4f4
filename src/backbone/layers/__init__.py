"""Layers written out: what each computes and how its gradient goes back, in NumPy and as PyTorch modules."""

from backbone.layers.activations import ACTIVATIONS, Activation

__all__ = ["ACTIVATIONS", "Activation"]
