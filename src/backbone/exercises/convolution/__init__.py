"""Exercises of the chapter on convolution, one file each: cases, misconceptions, and what is said about them."""

from backbone.exercises.convolution.conv2d_multi import check_conv2d_multi
from backbone.exercises.convolution.conv_output import check_conv_output
from backbone.exercises.convolution.count_parameters import check_count_parameters
from backbone.exercises.convolution.filter_image import check_filter_image
from backbone.exercises.convolution.input_gradient import check_input_gradient
from backbone.exercises.convolution.receptive_field import check_receptive_field
from backbone.exercises.convolution.shift_kernel import check_shift_kernel
from backbone.exercises.convolution.weight_gradient import check_weight_gradient

__all__ = [
    "check_conv2d_multi",
    "check_conv_output",
    "check_count_parameters",
    "check_filter_image",
    "check_input_gradient",
    "check_receptive_field",
    "check_shift_kernel",
    "check_weight_gradient",
]
