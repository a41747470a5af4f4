"""Exercises of the chapter on GoogLeNet, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.googlenet.conv1x1_as_matmul import check_conv1x1_as_matmul
from backbone.exercises.googlenet.inception_cost import check_inception_cost
from backbone.exercises.googlenet.label_smoothing import check_label_smoothing

__all__ = ["check_conv1x1_as_matmul", "check_inception_cost", "check_label_smoothing"]
