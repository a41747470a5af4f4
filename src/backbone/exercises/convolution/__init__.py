"""Exercises of the chapter on convolution, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.convolution.filter_image import check_filter_image

__all__ = ["check_filter_image"]
