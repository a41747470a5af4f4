"""The exercises on VGG, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_not_recognized, are_recognized, pass_the_check
from torch import nn

from backbone.exercises.vgg import activation_memory, build_vgg, compose
from backbone.models import summary, vgg16


def correlation(x, kernel):
    return nn.functional.conv2d(x, torch.from_numpy(kernel.copy())[None, None])


# --- Right, in another way ----------------------------------------------------------------------------------


def compose_by_loops(k1, k2):
    out = np.zeros((k1.shape[0] + k2.shape[0] - 1, k1.shape[1] + k2.shape[1] - 1))
    for i, j in np.ndindex(k1.shape):
        for m, n in np.ndindex(k2.shape):
            out[i + m, j + n] += k1[i, j] * k2[m, n]
    return out


def compose_by_impulse(k1, k2):
    """Both layers' answer to one bright pixel is the kernel, turned around."""
    rows, columns = (a + b - 1 for a, b in zip(k1.shape, k2.shape, strict=True))
    x = torch.zeros(1, 1, 2 * rows - 1, 2 * columns - 1, dtype=torch.float64)
    x[..., rows - 1, columns - 1] = 1
    return correlation(correlation(x, k1), k2)[0, 0].flip(0, 1)


def build_as_sequential(counts, widths):
    layers, before = nn.Sequential(), 3
    for count, width in zip(counts, widths, strict=True):
        for number in range(count):
            layers.append(nn.Conv2d(before if number == 0 else width, width, kernel_size=3, padding="same"))
            layers.append(nn.ReLU(inplace=True))
        layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        before = width
    return layers


def build_with_one_relu(counts, widths):
    relu, layers, before = nn.ReLU(), [], 3
    for count, width in zip(counts, widths, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(before, width, 3, padding=1), relu]
            before = width
        layers.append(nn.MaxPool2d((2, 2), 2) if layers[3:] else nn.MaxPool2d(2))
    return layers


def memory_by_torch(channels, count, width, side):
    layers, bytes_kept = [nn.Conv2d(channels, width, 3, padding=1, device="meta")], 0
    layers += [nn.Conv2d(width, width, 3, padding=1, device="meta") for _ in range(count - 1)]
    x = torch.empty(1, channels, side, side, device="meta")
    for layer in layers:
        x = layer(x)
        bytes_kept += x.numel() * x.element_size()
    return bytes_kept


test_other_right_ways_pass = pass_the_check(
    (compose, compose_by_loops),
    (compose, compose_by_impulse),
    (build_vgg, build_as_sequential),
    (build_vgg, lambda counts, widths: tuple(build_as_sequential(counts, widths))),
    (build_vgg, lambda counts, widths: nn.ModuleList(build_as_sequential(counts, widths))),
    (build_vgg, build_with_one_relu),
    (activation_memory, memory_by_torch),
    (activation_memory, lambda c, n, w, s: 4.0 * n * w * s * s),
)


def test_two_layers_equal_the_composed_one_where_nothing_is_padded():
    rng = np.random.default_rng(3)
    k1, k2 = rng.normal(size=(3, 3)), rng.normal(size=(3, 5))
    x = torch.from_numpy(rng.normal(size=(1, 1, 12, 14)))
    both = correlation(correlation(x, k1), k2)
    one = correlation(x, compose(k1, k2))
    torch.testing.assert_close(both, one, rtol=0, atol=1e-12)


def test_a_stage_of_vgg16_has_the_memory_that_summary_measures():
    with torch.device("meta"):
        rows = summary(vgg16(), (1, 3, 224, 224)).rows
    first = [row.memory for row in rows[:4] if row.kind == "Conv2d"]
    assert activation_memory(3, 2, 64, 224) == sum(first)


# --- Wrong ways -----------------------------------------------------------------------------------------------


test_another_mistake_is_not_mistaken_for_a_known_one = are_not_recognized(
    (build_vgg, lambda counts, widths: [nn.Linear(3, 5)]),
    (build_vgg, lambda counts, widths: [nn.Conv2d(1, 2, 3), nn.Conv2d(7, 2, 3)]),
    (build_vgg, lambda counts, widths: [1, 2]),
)


def flips(k1, k2):
    return compose_by_loops(k1, k2[::-1, ::-1])


def pools_each(counts, widths):
    layers, channels = [], 3
    for count, width in zip(counts, widths, strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
            channels = width
    return layers


def shares(counts, widths):
    layers, channels = [], 3
    for count, width in zip(counts, widths, strict=True):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU()]
        layers += [nn.Conv2d(width, width, 3, padding=1), nn.ReLU()] * (count - 1)
        layers += [nn.MaxPool2d(2)]
        channels = width
    return layers


def pools_in_overlap(counts, widths):
    layers = list(build_as_sequential(counts, widths))
    return [nn.MaxPool2d(3, 2, 1) if isinstance(layer, nn.MaxPool2d) else layer for layer in layers]


def relu_after_pool(counts, widths):
    layers, channels = [], 3
    for count, width in zip(counts, widths, strict=True):
        for number in range(count):
            layers += [nn.Conv2d(channels, width, 3, padding=1)]
            layers += [nn.MaxPool2d(2)] if number == count - 1 else []
            layers += [nn.ReLU()]
            channels = width
    return layers


def counts_weights(channels, count, width, side):
    first = nn.Conv2d(channels, width, 3)
    rest = [nn.Conv2d(width, width, 3, device="meta") for _ in range(count - 1)]
    return sum(p.numel() for layer in (first, *rest) for p in layer.parameters())


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (compose, "One of the kernels", flips),
    (build_vgg, "A pooling follows every", pools_each),
    (build_vgg, "The ReLU comes after", relu_after_pool),
    (build_vgg, "One convolution stands in", shares),
    (build_vgg, "The pooling looks at 3 x 3", pools_in_overlap),
    (activation_memory, "These are the parameters", counts_weights),
    (activation_memory, "These are the bytes", lambda *stage: 4 * counts_weights(*stage)),
)
