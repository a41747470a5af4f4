"""The table of a network's layers, held against torchinfo, known fields and measured ones."""

import numpy as np
import pytest
import torch
import torchinfo
from torch import nn

from backbone import models
from backbone.models import Window, lenet, summary


@pytest.mark.parametrize("name", ["lenet", "alexnet", "googlenet", "resnet18"])
def test_it_agrees_with_torchinfo(name):
    model = getattr(models, name)()
    shape = (2, 1, 28, 28) if name == "lenet" else (2, 3, 224, 224)
    ours = summary(model, shape)
    theirs = [layer for layer in torchinfo.summary(model.eval(), shape, verbose=0).summary_list if layer.is_leaf_layer]
    ran = [layer for layer in theirs if layer.executed]
    assert [tuple(layer.output_size) for layer in ran] == [row.shape for row in ours.rows]
    assert [layer.num_params for layer in ran] == [row.parameters for row in ours.rows]


def test_multiply_adds_of_known_layers():
    model = nn.Sequential(nn.Conv2d(4, 6, 3, padding=1, groups=2), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 64, 10))
    found = summary(model, (1, 4, 8, 8))
    assert [row.multiply_adds for row in found.rows] == [6 * 64 * 2 * 9, 0, 0, 6 * 64 * 10]
    assert found.parameters == sum(parameter.numel() for parameter in model.parameters())
    assert found.memory == 4 * (6 * 64 * 3 + 10)
    assert summary(model, (3, 4, 8, 8)).multiply_adds == 3 * found.multiply_adds


@pytest.mark.parametrize(
    ("name", "layer", "field"),
    [
        ("alexnet", "features.12", 195),
        ("vgg16", "features.30", 212),
        ("resnet50", "layer4.2.conv2", 427),  # v1.5; Araujo et al. 2019 has 483 for the paper's
        ("googlenet", "conv3.conv", 19),
    ],
)
def test_receptive_fields_are_the_known_ones(name, layer, field):
    with torch.device("meta"):  # shapes without numbers, in no time
        rows = {row.name: row for row in summary(getattr(models, name)(), (1, 3, 224, 224)).rows}
    assert rows[layer].field == field


def test_a_field_is_where_the_gradient_is():
    model = lenet(generator=torch.Generator().manual_seed(0))
    row = next(row for row in summary(model, (1, 1, 28, 28)).rows if row.name == "pool2")
    assert row.field == 16
    smooth = nn.Sequential(model.conv1, nn.AvgPool2d(2), model.conv2, nn.AvgPool2d(2))
    x = torch.zeros(1, 1, 28, 28, requires_grad=True)
    (grad,) = torch.autograd.grad(smooth(x)[0, :, 2, 2].sum(), x)
    assert (grad[0, 0] != 0).any(0).sum() == row.field


def test_branches_take_the_widest_field_and_a_sum_too():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.wide, self.narrow, self.last = nn.Conv2d(1, 2, 5, padding=2), nn.Conv2d(1, 2, 1), nn.Conv2d(4, 1, 3)

        def forward(self, x):
            return self.last(torch.cat([self.wide(x) + self.narrow(x), self.narrow(x)], dim=1))

    assert [row.field for row in summary(Two(), (1, 1, 9, 9)).rows] == [5, 1, 1, 7]


def test_windows_tell_the_size_of_what_comes_out():
    model = nn.Sequential(
        nn.Conv2d(1, 1, 3, stride=2, padding=1, dilation=2),
        nn.Conv2d(1, 1, 5, padding="same"),
        nn.Conv2d(1, 1, 3, padding="valid"),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.ReLU(),
    )
    rows = summary(model, (1, 1, 20, 20)).rows
    assert [row.window for row in rows] == [
        Window(5, 2, 1, False), Window(5, 1, 2, False), Window(3, 1, 0, False), Window(2, 2, 0, True), None
    ]  # fmt: skip
    assert [row.fed[2] for row in rows] == [20, 9, 9, 7, 4]
    for row in rows[:3]:
        w = row.window
        assert row.shape[2] == (row.fed[2] + 2 * w.padding - w.kernel) // w.stride + 1


def test_parts_of_a_split_see_as_far_as_the_whole():
    class Split(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(4, 4, 3, padding=1), nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x):
            left, right = self.first(x).chunk(2, dim=1)
            return torch.cat(tensors=[left, self.second(right)], dim=1)

    assert [row.field for row in summary(Split(), (1, 4, 9, 9)).rows] == [3, 5]


def test_a_linear_layer_behind_flatten_sees_all_places():
    rows = {row.name: row for row in summary(lenet(), (1, 1, 28, 28)).rows}
    assert rows["pool2"].field == 16  # 5 x 5 places, two pixels apart after each pooling
    assert rows["flatten"].field == rows["fc1"].field == rows["fc3"].field == 16 + 4 * 4


@pytest.mark.parametrize(("wanted", "field"), [(1, 9), (3, 3), ((9, 3), 3), ((None, 1), 9)])
@pytest.mark.parametrize("kind", [nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
def test_an_adaptive_pooling_sees_its_share(kind, wanted, field):
    assert summary(nn.Sequential(kind(wanted)), (1, 1, 9, 9)).rows[0].field == field


def test_a_layer_that_gives_no_tensor_is_named():
    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = nn.LSTM(9, 3, batch_first=True)

        def forward(self, x):
            return self.lstm(x[:, 0])[0]

    with pytest.raises(ValueError, match=r"^summary: lstm \(LSTM\) does not take and give one tensor"):
        summary(Recurrent(), (1, 4, 9, 9))


def test_a_frozen_part_stays_in_its_mode():
    model = lenet().train()
    model.pool1.eval()
    summary(model, (1, 1, 28, 28))
    assert model.training
    assert not model.pool1.training
    assert model.pool2.training


# --- What runs twice, is shared, or does not run -----------------------------------------------------------------


class Net(nn.Module):
    """A network of the parts given by name, run by a function."""

    def __init__(self, run, **parts):
        super().__init__()
        self.run = run
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, x):
        return self.run(self, x)


def distinct(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_a_layer_that_runs_twice_counts_its_parameters_once_and_its_work_twice():
    conv = nn.Conv2d(3, 3, 3, padding=1)
    model = Net(lambda net, x: net.fc(net.conv(net.conv(x)).mean((2, 3))), conv=conv, fc=nn.Linear(3, 10))
    found = summary(model, (1, 3, 8, 8))
    assert [row.parameters for row in found.rows] == [84, 0, 40]
    assert [row.multiply_adds for row in found.rows] == [5184, 5184, 30]
    assert [row.field for row in found.rows] == [3, 5, 5 + 7]
    assert (found.parameters, found.idle) == (distinct(model), 0) == (124, 0)


def test_shared_weights_and_a_layer_under_two_names():
    one, two = nn.Conv2d(3, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
    two.weight = one.weight
    found = summary(nn.Sequential(one, two), (1, 3, 8, 8))
    assert [row.parameters for row in found.rows] == [84, 3]
    assert found.parameters == 87
    same = Net(lambda net, x: net.b(net.a(x)), a=one, b=one)
    assert summary(same, (1, 3, 8, 8)).parameters == distinct(same) == 84


def test_what_did_not_run_is_said_and_not_counted():
    model = Net(lambda net, x: net.conv(x) * net.scale, conv=nn.Conv2d(3, 4, 3), head=nn.Linear(100, 100))
    model.scale = nn.Parameter(torch.ones(4, 1, 1))
    model.lazy = nn.LazyLinear(3)
    found = summary(model, (1, 3, 8, 8))
    assert (found.parameters, found.idle) == (112, 10_104)
    assert "in no row above" in repr(found).splitlines()[-1]
    assert "10,104" in repr(found).splitlines()[-1]
    with torch.device("meta"):
        googlenet = models.googlenet()
    found = summary(googlenet, (1, 3, 224, 224))
    assert (found.parameters, found.parameters + found.idle) == (6_624_904, 13_004_888)


@pytest.mark.parametrize(
    ("norm", "parameters"),
    [
        (nn.utils.parametrizations.weight_norm, 116),
        (nn.utils.parametrizations.spectral_norm, 112),
        (nn.utils.parametrizations.orthogonal, 112),
    ],
)
def test_a_layer_whose_weight_is_made_of_others_is_one_layer(norm, parameters):
    found = summary(nn.Sequential(norm(nn.Conv2d(3, 4, 3)), nn.ReLU()), (1, 3, 8, 8))
    assert [(row.name, row.kind, row.parameters) for row in found.rows] == [
        ("0", "Conv2d", parameters),
        ("1", "ReLU", 0),
    ]
    assert [row.multiply_adds for row in found.rows] == [4 * 36 * 27, 0]
    assert (found.rows[0].field, found.idle) == (3, 0)


@pytest.mark.parametrize("groups", [1, 2])
def test_multiply_adds_of_a_transposed_convolution(groups):
    """Each number of the input is multiplied with all weights of its channel: Dumoulin and Visin, 2016, chapter 4."""
    layer = nn.ConvTranspose2d(8, 4, 2, 2, groups=groups)
    (row,) = summary(nn.Sequential(layer), (1, 8, 8, 8)).rows
    assert row.multiply_adds == 8 * 8 * 8 * (4 // groups) * 2 * 2
    assert (row.field, row.window) == (0, None)


def functional(function):
    return Net(lambda net, x: net.b(function(net.a(x))), a=nn.Conv2d(1, 1, 3, padding=1), b=nn.Conv2d(1, 1, 3))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: nn.functional.max_pool2d(x.relu(), 2),
        lambda x: nn.functional.avg_pool2d(x, 3, 1, 1),
        lambda x: nn.functional.conv2d(x, torch.ones(1, 1, 3, 3), padding=1),
        lambda x: nn.functional.interpolate(x, scale_factor=2.0),
        lambda x: nn.functional.pixel_shuffle(torch.cat([x] * 4, 1), 2),
        nn.Upsample(scale_factor=2),
        nn.ConvTranspose2d(1, 1, 2, 2),
        nn.FractionalMaxPool2d(2, output_size=5),
    ],
)
def test_a_field_that_is_not_followed_is_left_empty_from_there_on(function):
    found = summary(functional(function), (1, 1, 12, 12))
    assert found.rows[0].field == 3
    assert found.rows[-1].field == 0
    assert found._cells()[len(found.rows) - 1][-1] == ""


@pytest.mark.parametrize(
    ("function", "field"),
    [(lambda x: nn.functional.pad(x, (1, 1, 1, 1)), 5), (torch.tanh, 5), (lambda x: x * x.mean((2, 3), True), 16)],
)
def test_functions_that_are_followed(function, field):
    assert summary(functional(function), (1, 1, 12, 12)).rows[-1].field == field


@pytest.mark.parametrize("flat", [lambda x: x.flatten(1), lambda x: x.view(len(x), -1), lambda x: x.reshape(1, -1)])
def test_flattening_by_a_function_is_flattening(flat):
    model = Net(lambda net, x: net.fc(flat(net.conv(x))), conv=nn.Conv2d(1, 2, 3), fc=nn.Linear(72, 4))
    twin = nn.Sequential(model.conv, nn.Flatten(), model.fc)
    assert summary(model, (1, 1, 8, 8)).rows[-1].field == summary(twin, (1, 1, 8, 8)).rows[-1].field == 8


def test_whole_numbers_of_numpy_will_do():
    assert summary(lenet(), np.array([1, 1, 28, 28])).parameters == 61_706


def test_it_leaves_the_model_alone():
    model = lenet().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    summary(model, (1, 1, 28, 28))
    assert model.training
    assert not any(layer._forward_hooks for layer in model.modules())
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize(
    "shape", [28, "abcd", (1, 28, 28), (0, 1, 28, 28), (1, 1, 28.0, 28), (1, 3, 28, 28), (1, 1, 2, 2)]
)
def test_a_shape_that_does_not_fit_is_explained(shape):
    model = lenet().train()
    with pytest.raises(ValueError, match=r"^summary: "):
        summary(model, shape)
    assert model.training
    assert not any(layer._forward_hooks for layer in model.modules())


def test_it_reads_as_a_table():
    found = summary(lenet(), (1, 1, 28, 28))
    assert "6 × 28 × 28" in repr(found)
    assert "61,706" in repr(found).splitlines()[-1]
    assert found._repr_html_().count("<tr>") == len(found.rows) + 2
    assert 'tabindex="0"' in found._repr_html_()  # where it scrolls, it does so by key, too
