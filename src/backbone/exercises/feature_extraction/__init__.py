"""Exercises of the chapter on feature extraction, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.feature_extraction.layer_parameters import check_layer_parameters
from backbone.exercises.feature_extraction.max_pool_backward import check_max_pool_backward
from backbone.exercises.feature_extraction.nearest import check_nearest

__all__ = ["check_layer_parameters", "check_max_pool_backward", "check_nearest"]
