"""Sizes against counting, receptive fields against the pixels that a gradient reaches."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import nn

from backbone.ops import Layer, ReceptiveField, output_size, receptive_field

from .common import INTEGER, MODEST

# --- Output size --------------------------------------------------------------------------------------------


@MODEST
@given(st.integers(1, 40), st.integers(1, 7), st.integers(1, 4), st.integers(0, 3), st.integers(1, 3))
def test_output_size_counts_the_windows_that_fit(size, kernel_size, stride, padding, dilation):
    last = dilation * (kernel_size - 1)
    starts = [i for i in range(0, size + 2 * padding, stride) if i + last < size + 2 * padding]
    if starts:
        assert output_size(size, kernel_size, stride, padding, dilation) == len(starts)
    else:
        with pytest.raises(ValueError, match="the span must not be larger"):
            output_size(size, kernel_size, stride, padding, dilation)


def test_numpy_integers_are_integers():
    assert output_size(np.int64(5), np.uint8(3)) == 3
    assert type(output_size(np.int64(5), 3)) is int


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 3), f"size is 0; {INTEGER} 1"),
        ((5.0, 3), rf"size is 5\.0; {INTEGER} 1"),
        ((5, 0), f"kernel_size is 0; {INTEGER} 1"),
        ((5, 3, 0), f"stride is 0; {INTEGER} 1"),
        ((5, 3, 1, -1), f"padding is -1; {INTEGER} 0"),
        ((5, 3, 1, 0, 0), f"dilation is 0; {INTEGER} 1"),
        ((5, "3"), f"kernel_size is '3'; {INTEGER} 1"),
        (
            (4, 5),
            "a kernel of 5 with dilation 1 spans 5 pixels, but size is 4 .4 with padding.; the span must",
        ),
    ],
)
def test_output_size_says_what_is_wrong(arguments, message):
    with pytest.raises(ValueError, match=f"^output_size: {message}"):
        output_size(*arguments)


# --- Receptive field ----------------------------------------------------------------------------------------

layers = st.builds(Layer, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))


def reached(out, x):
    """First and last index that the gradient of one output pixel reaches."""
    (gradient,) = torch.autograd.grad(out, x, retain_graph=True)
    indices = gradient.flatten().nonzero().flatten().tolist()
    return indices[0], indices[-1]


@MODEST
@given(st.lists(layers, max_size=4))
def test_the_receptive_field_is_what_the_gradient_reaches(stack):
    x = torch.ones(1, 1, 150, dtype=torch.float64, requires_grad=True)
    out, field = x, receptive_field(stack)
    for layer in stack:
        assume(out.shape[2] + 2 * layer.padding > layer.dilation * (layer.kernel_size - 1))
        ones = torch.ones(1, 1, layer.kernel_size, dtype=torch.float64)
        out = F.conv1d(out, ones, None, layer.stride, layer.padding, layer.dilation)
    # At the border a field is cut off, so only those that lie wholly inside are compared.
    inside = [i for i in range(out.shape[2]) if field.pixels(i).start >= 0 and field.pixels(i).stop <= 150]
    assume(inside)
    for i in {inside[0], inside[-1]}:
        assert reached(out[0, 0, i], x) == (field.pixels(i)[0], field.pixels(i)[-1])


def test_the_receptive_field_of_a_network_with_pooling_row_by_row():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 7, stride=2, padding=3),
        nn.Softplus(),  # like ReLU, with a gradient everywhere
        nn.AvgPool2d(3, stride=2, padding=1),
        nn.Conv2d(2, 1, 3, padding=2, dilation=2),
    ).double()
    for parameter in network.parameters():
        nn.init.constant_(parameter, 0.1)
    field = receptive_field([Layer(7, 2, 3), Layer(3, 2, 1), Layer(3, 1, 2, 2)])
    assert field == ReceptiveField(size=27, jump=4, start=-13)
    x = torch.zeros(1, 1, 65, 61, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(network(x)[0, 0, 8, 7], x)
    rows, columns = gradient[0, 0].nonzero().T
    assert (rows.min(), rows.max()) == (field.pixels(8)[0], field.pixels(8)[-1])
    assert (columns.min(), columns.max()) == (field.pixels(7)[0], field.pixels(7)[-1])


ALEXNET = [Layer(11, 4, 2), Layer(3, 2), Layer(5, 1, 2), Layer(3, 2), *[Layer(3, 1, 1)] * 3, Layer(3, 2)]
VGG16 = [layer for convolutions in (2, 2, 3, 3, 3) for layer in (*[Layer(3, 1, 1)] * convolutions, Layer(2, 2))]
RESNET50 = [Layer(7, 2, 3), Layer(3, 2, 1)]
RESNET50 += [Layer(3, 2 if stage and not block else 1, 1) for stage, n in enumerate((3, 4, 6, 3)) for block in range(n)]


@pytest.mark.parametrize(
    ("network", "size", "jump"),
    # The last pooled map of AlexNet and VGG-16, the last block of ResNet-50 with its stride in the 3x3.
    [(ALEXNET, 195, 32), (VGG16, 212, 32), (RESNET50, 427, 32)],
    ids=["alexnet", "vgg16", "resnet50"],
)
def test_known_networks(network, size, jump):
    field = receptive_field(network)
    assert (field.size, field.jump) == (size, jump)


def test_without_layers_a_pixel_sees_itself():
    assert receptive_field([]) == ReceptiveField(size=1, jump=1, start=0)


def test_two_3x3_see_as_much_as_one_5x5():
    assert receptive_field([Layer(3)] * 2) == receptive_field([Layer(5)])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Layer(0), f"Layer: kernel_size is 0; {INTEGER} 1"),
        (lambda: Layer(3, stride=0), f"Layer: stride is 0; {INTEGER} 1"),
        (lambda: Layer(3, padding=-1), f"Layer: padding is -1; {INTEGER} 0"),
        (lambda: Layer(3, dilation=1.5), rf"Layer: dilation is 1\.5; {INTEGER} 1"),
        (lambda: Layer((3, 3)), rf"Layer: kernel_size is \(3, 3\); {INTEGER} 1"),
        (lambda: receptive_field([Layer(3), (3, 2)]), r"receptive_field: layers\[1\] is \(3, 2\); it must be a Layer"),
    ],
)
def test_receptive_field_says_what_is_wrong(call, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        call()
