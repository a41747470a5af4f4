"""Exercises of the chapter on AlexNet, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.alexnet.alexnet_shapes import check_alexnet_shapes
from backbone.exercises.alexnet.grouped_params import check_grouped_params
from backbone.exercises.alexnet.training_flops import check_training_flops

__all__ = ["check_alexnet_shapes", "check_grouped_params", "check_training_flops"]
