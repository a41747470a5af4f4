"""Exercises of the chapter on dropout, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.dropout.convert_keep_prob import check_convert_keep_prob
from backbone.exercises.dropout.dropout import check_dropout
from backbone.exercises.dropout.spatial_dropout import check_spatial_dropout

__all__ = ["check_convert_keep_prob", "check_dropout", "check_spatial_dropout"]
