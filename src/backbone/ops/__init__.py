"""Convolution and pooling in NumPy, forward and backward, with the geometry and the kernels to try them with.

What deep learning calls a convolution is a cross-correlation: the kernel slides over the image as it is,
without being flipped. Everything here follows that convention, as PyTorch does.

Rules for dtypes, the same in every function:

- Different dtypes meet as ``np.result_type`` says: float32 stays float32, float64 stays float64, and a uint8
  image under a float64 kernel gives float64.
- float16 is summed in float32 and rounded once, at the end.
- Where all inputs are integers or booleans, sums are done in int64. They come out as int64, from gradients too:
  exact, and a uint8 image never overflows. (Where uint64 takes part, NumPy's common type with int64 is float64.)
- A mean of integers is float64. A maximum keeps the dtype of its image, because it is one of the pixels.
- NaN and infinity pass through by the rules of arithmetic and without a warning. Padding is made of real
  zeros, so an infinite weight gives 0 * inf = NaN there, as in PyTorch's float64 convolution.
"""

from backbone.ops.convolution import ConvGradients, conv2d, conv2d_backward
from backbone.ops.geometry import Layer, ReceptiveField, output_size, receptive_field
from backbone.ops.kernels import KERNELS, gabor
from backbone.ops.one_dimension import correlate1d
from backbone.ops.pooling import avg_pool2d, avg_pool2d_backward, max_pool2d, max_pool2d_backward

__all__ = [
    "KERNELS",
    "ConvGradients",
    "Layer",
    "ReceptiveField",
    "avg_pool2d",
    "avg_pool2d_backward",
    "conv2d",
    "conv2d_backward",
    "correlate1d",
    "gabor",
    "max_pool2d",
    "max_pool2d_backward",
    "output_size",
    "receptive_field",
]
