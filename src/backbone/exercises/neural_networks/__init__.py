"""Exercises of the chapter on neural networks, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.neural_networks.backward import check_backward
from backbone.exercises.neural_networks.collapse import check_collapse
from backbone.exercises.neural_networks.momentum_step import check_momentum_step
from backbone.exercises.neural_networks.softmax_cross_entropy import check_softmax_cross_entropy

__all__ = ["check_backward", "check_collapse", "check_momentum_step", "check_softmax_cross_entropy"]
