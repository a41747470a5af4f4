"""Exercises of the chapter on data, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.data.random_crop_flip import check_random_crop_flip
from backbone.exercises.data.split_by_group import check_split_by_group
from backbone.exercises.data.standardize_both import check_standardize_both
from backbone.exercises.data.to_channels_first import check_to_channels_first

__all__ = [
    "check_random_crop_flip",
    "check_split_by_group",
    "check_standardize_both",
    "check_to_channels_first",
]
