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
