"""Exercises of the chapter on evaluation, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.evaluation.field_precision import check_field_precision
from backbone.exercises.evaluation.interval import check_interval
from backbone.exercises.evaluation.precision_recall import check_precision_recall
from backbone.exercises.evaluation.topk import check_topk

__all__ = ["check_field_precision", "check_interval", "check_precision_recall", "check_topk"]
