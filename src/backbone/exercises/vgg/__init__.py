"""Exercises of the chapter on VGG, one file each: cases, misconceptions, and what is said of them."""

from backbone.exercises.vgg.activation_memory import check_activation_memory
from backbone.exercises.vgg.build_vgg import check_build_vgg
from backbone.exercises.vgg.compose import check_compose

__all__ = ["check_activation_memory", "check_build_vgg", "check_compose"]
