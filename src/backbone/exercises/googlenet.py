"""Exercises of the chapter on GoogLeNet."""

from functools import partial

import numpy as np

from backbone.exercises.check import exercise

_draw = np.random.default_rng(11).normal


@exercise(
    {
        "a color picture into five maps": (_draw(size=(3, 4, 6)), _draw(size=(5, 3))),
        "eight maps into two": (_draw(size=(8, 5, 3)), _draw(size=(2, 8))),
        "as many maps as before, on a square": (_draw(size=(4, 5, 5)), _draw(size=(4, 4))),
        "one map into three": (_draw(size=(1, 3, 4)), _draw(size=(3, 1))),
        "a picture of a single pixel": (_draw(size=(6, 1, 1)), _draw(size=(4, 6))),
    }
)
def conv1x1_as_matmul(x, weight):
    """Compute maps (K, H, W) of x (C, H, W) with a weight (K, C) for each pair of channels."""
    return (weight @ x.reshape(len(x), -1)).reshape(len(weight), *x.shape[1:])


conv1x1_as_matmul.mistake(
    "Numbers of different pixels were mixed. (C, H, W) lies in memory channel by channel: flatten it to (C, H * W), so "
    "that each column is a pixel. Reshaping it to (H * W, C) cuts across channels instead.",
    lambda x, weight: (x.reshape(-1, len(x)) @ weight.T).reshape(len(weight), *x.shape[1:]),
    lambda x, weight: (x.reshape(-1, len(x)) @ weight.T).T.reshape(len(weight), *x.shape[1:]),
)
conv1x1_as_matmul.mistake(
    "The sums are right, their places are not. A product of shape (H * W, channels) has to be transposed before it is "
    "reshaped to (channels, H, W). Try one that leaves all as it is, np.eye(3).",
    lambda x, weight: (x.reshape(len(x), -1).T @ weight.T).reshape(len(weight), *x.shape[1:]),
)
conv1x1_as_matmul.mistake(
    "Rows and columns of the picture are exchanged. Flatten and unflatten in the same order: (C, H, W) to (C, H * W) "
    "and back. Try a picture of 1 by 4 pixels.",
    lambda x, weight: (weight @ x.transpose(0, 2, 1).reshape(len(x), -1)).reshape(len(weight), *x.shape[1:]),
    lambda x, weight: np.tensordot(weight, x, (1, 0)).transpose(0, 2, 1),
)
conv1x1_as_matmul.mistake(
    "The weight was used the wrong way round. weight[o, c] says how much of channel c goes into output o, so output o "
    "is the sum of weight[o, c] * x[c]. Try a weight that is 0 but for weight[0, 1].",
    lambda x, weight: conv1x1_as_matmul(x, weight.T),
    lambda x, weight: conv1x1_as_matmul(x, weight.reshape(weight.shape[::-1]).T),
)
conv1x1_as_matmul.mistake(
    "The sum over the channels became a mean. A convolution adds up its products. Try two channels of ones and weights "
    "of 1: the answer is 2.",
    lambda x, weight: conv1x1_as_matmul(x, weight) / len(x),
)
conv1x1_as_matmul.mistake(
    "The channels were not added up. One output map is the sum over all input channels, each with a weight of its own. "
    "Try a weight of ones: each output is the sum of the maps.",
    lambda x, weight: weight[:, :, None, None] * x,
)
check_conv1x1_as_matmul = conv1x1_as_matmul.check


@exercise(
    {
        "the paper's module 3a": (192, (28, 28), (64, 96, 128, 16, 32, 32)),
        "the paper's module 4a": (480, (14, 14), (192, 96, 208, 16, 48, 64)),
        "the paper's module 5b": (832, (7, 7), (384, 192, 384, 48, 128, 128)),
        "a map that is wider than high": (64, (6, 10), (16, 12, 24, 8, 20, 10)),
        "a small module": (5, (3, 2), (7, 3, 4, 2, 6, 1)),
        "a module with a wide projection after pooling": (32, (9, 9), (8, 8, 8, 4, 8, 64)),
    },
    rtol=0,
)
def inception_cost(in_channels, size, widths, *, projection=1, reductions=1, three=9, five=25, naive=False):
    """Count the multiply-adds of the paper's module without biases; the keywords are where it goes wrong."""
    one, into_three, out_three, into_five, out_five, pooled = widths
    weights = in_channels * (one + projection * pooled)
    if naive:
        into_three = into_five = in_channels
    else:
        weights += reductions * in_channels * (into_three + into_five)
    weights += into_three * out_three * three + into_five * out_five * five
    return weights * size[0] * size[1]


inception_cost.mistake(
    "The projection after pooling was forgotten. Pooling itself has no multiply-adds, but a 1x1 convolution follows "
    "it, from all input channels to the last of the widths. Try module 3a: it adds 28 * 28 * 192 * 32.",
    partial(inception_cost, projection=0),
)
inception_cost.mistake(
    "The 1x1 convolutions before the 3x3 and the 5x5 were forgotten. They are cheap, not free: each goes from all "
    "input channels to its width, at every place.",
    partial(inception_cost, reductions=0),
    partial(inception_cost, reductions=0, projection=0),
)
inception_cost.mistake(
    "The 3x3 and 5x5 were counted on all input channels. They see only what the 1x1 before them lets through: 96 "
    "channels instead of 192 for the 3x3 of module 3a.",
    partial(inception_cost, naive=True),
    partial(inception_cost, naive=True, projection=0),
)
inception_cost.mistake(
    "Only one side of the kernels was counted. A 3x3 has 9 weights for each pair of channels, a 5x5 has 25.",
    partial(inception_cost, three=3, five=5),
)
inception_cost.mistake(
    "These are the weights. Each of them is used at every place of the map: multiply by height * width.",
    lambda in_channels, size, widths: inception_cost(in_channels, (1, 1), widths),
)
inception_cost.mistake(
    "The multiplication and the addition were counted as two. One weight used once is one multiply-add, as in papers' "
    "tables. Halve it.",
    lambda *given: 2 * inception_cost(*given),
)
inception_cost.mistake(
    "The wide branch was counted as 3x3. torchvision's module has that; the paper's, which is asked for here, has 5x5, "
    "25 weights for each pair of channels.",
    partial(inception_cost, five=9),
)
inception_cost.mistake(
    "The projection was counted on the widths of other branches. It follows the pooling, which keeps all input "
    "channels: in_channels * pooled at every place.",
    lambda c, s, w: inception_cost(c, s, w, projection=0) + s[0] * s[1] * (w[0] + w[2] + w[4]) * w[5],
)
check_inception_cost = inception_cost.check


@exercise(
    {
        "four classes, epsilon 0.1": (np.array([2, 0, 3]), 0.1, 4),
        "two classes, epsilon 0.3": (np.array([1, 0]), 0.3, 2),
        "a single label among five classes": (np.array([4]), 0.2, 5),
        "epsilon 1: nothing is left of the label": (np.array([0, 2, 1]), 1.0, 3),
        "epsilon 0: the labels as they were": (np.array([1, 1, 0]), 0.0, 3),
        "ten classes, epsilon 0.2": (np.array([9, 3, 0, 5]), 0.2, 10),
    }
)
def label_smoothing(y, eps, classes):
    """Compute the targets (N, K) of labels y (N,), each row a distribution."""
    return _targets(y, classes, eps / classes, 1 - eps + eps / classes)


def _targets(y, classes, others, right):
    targets = np.full((len(y), classes), float(others))
    targets[np.arange(len(y)), y] = right
    return targets


label_smoothing.mistake(
    "The other classes alone were given epsilon, epsilon / (K - 1) each. The paper's and PyTorch's rule shares it "
    "among all K, the right class included: 1 - epsilon + epsilon / K for that. Try K = 2 and epsilon = 1: both get "
    "1/2.",
    lambda y, eps, k: _targets(y, k, eps / (k - 1), 1 - eps),
)
label_smoothing.mistake(
    "The right class has 1 - epsilon only, though it gets its share of epsilon too: 1 - epsilon + epsilon / K. Try to "
    "add up a row: it has to give 1.",
    lambda y, eps, k: _targets(y, k, eps / k, 1 - eps),
)
label_smoothing.mistake(
    "Every class got its epsilon / K, but nothing was taken from the right class before. Try to add up a row: it has "
    "to give 1, so the right class starts from 1 - epsilon.",
    lambda y, eps, k: _targets(y, k, eps / k, 1 + eps / k),
    lambda y, eps, k: _targets(y, k, eps / k, 1),
)
label_smoothing.mistake(
    "Each wrong class got the whole of epsilon. It is shared out among the K classes: epsilon / K each. Try to add up "
    "a row of ten classes: it has to give 1.",
    lambda y, eps, k: _targets(y, k, eps, 1 - eps),
)
label_smoothing.mistake(
    "These are the labels as they were, 0 and 1. Take epsilon from the 1 and share it out among all classes.",
    lambda y, eps, k: _targets(y, k, 0, 1),
)
label_smoothing.mistake(
    "Classes and examples are exchanged: the answer has a row for each example and a column for each class, (N, K).",
    lambda y, eps, k: label_smoothing(y, eps, k).T,
)
check_label_smoothing = label_smoothing.check
