"""Exercises of the chapter on transfer learning, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.transfer_learning.cache_features import check_cache_features
from backbone.exercises.transfer_learning.freeze import check_freeze
from backbone.exercises.transfer_learning.param_groups import check_param_groups

__all__ = ["check_cache_features", "check_freeze", "check_param_groups"]
