"""Exercises of the chapter on ResNet, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.resnet.basic_block import check_basic_block
from backbone.exercises.resnet.diagnose import check_diagnose
from backbone.exercises.resnet.zero_gamma_block import check_zero_gamma_block

__all__ = ["check_basic_block", "check_diagnose", "check_zero_gamma_block"]
