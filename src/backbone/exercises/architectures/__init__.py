"""Exercises of the chapter on reading architectures, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.architectures.conv_parameters import check_conv_parameters
from backbone.exercises.architectures.output_side import check_output_side
from backbone.exercises.architectures.stage_multiply_adds import check_stage_multiply_adds

__all__ = ["check_conv_parameters", "check_output_side", "check_stage_multiply_adds"]
