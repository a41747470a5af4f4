"""Probes: what they record is what the layers gave, and they leave no trace."""

import copy
import re

import captum.attr
import numpy as np
import pytest
import torch
from torch import nn

from backbone.models import lenet
from backbone.ops import ReceptiveField
from backbone.probes import Probe, grad_cam, occlusion, receptive_fields, top_patches


def network(inplace=False):
    """Return a small network with everything that could go wrong: BatchNorm, dropout, ReLU in place."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(
            nn.Conv2d(3, 6, 5, padding=2),
            nn.BatchNorm2d(6),
            nn.ReLU(inplace=inplace),
            nn.MaxPool2d(2),
            nn.Conv2d(6, 8, 3, stride=2),
            nn.ReLU(inplace=inplace),
            nn.Flatten(),
            nn.Dropout(0.5),
            nn.Linear(8 * 5 * 5, 4),
        )
    )


def pictures(count=6):
    return torch.randn(count, 3, 24, 24, generator=torch.Generator().manual_seed(1))


@pytest.fixture(params=[False, True], ids=["", "in place"])
def model(request):
    """A network in a mixed mode, held to be the same afterwards: no hook, no changed number, mode or gradient."""
    made = network(request.param).train()
    made[7].eval()
    before = copy.deepcopy(made.state_dict())
    yield made
    for module in made.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
        assert not module._backward_hooks
    assert [module.training for module in made] == [True] * 7 + [False, True]
    assert made.training
    assert all(parameter.grad is None for parameter in made.parameters())
    for name, value in made.state_dict().items():
        assert torch.equal(value, before[name]), name


def by_hand(model, x):
    """Return the output of every layer, in evaluation mode, each its own tensor."""
    outputs = []
    for layer in copy.deepcopy(model).eval():
        x = layer(x.clone())
        outputs.append(x)
    return outputs


# --- Probe --------------------------------------------------------------------------------------------------


def test_activations_are_what_the_layers_gave(model):
    names = [str(number) for number in range(9)]
    with Probe(model, names) as probe:
        logits = model(pictures())
    expected = by_hand(model, pictures())
    assert torch.equal(logits, expected[-1])
    for name, value in zip(names, expected, strict=True):
        assert torch.equal(probe.activations[name], value), name
        assert not probe.activations[name].requires_grad


def test_gradients_are_those_of_the_layers_outputs(model):
    with Probe(model, ["0", "2", "4", "5", "8"]) as probe:
        logits = model(pictures())
    found = probe.gradients(logits[0, 1])
    assert probe.gradients(logits[2, 3])["4"][2].abs().max() > 0  # and again, for another score
    outputs = by_hand(model, pictures())
    expected = torch.autograd.grad(outputs[-1][0, 1], [outputs[number] for number in (0, 2, 4, 5, 8)])
    for name, gradient in zip(found, expected, strict=True):
        torch.testing.assert_close(found[name], gradient, msg=name)
    assert not torch.equal(found["4"], found["5"])


def test_finite_differences_agree_with_a_gradient():
    made = network().double().eval()
    x = pictures(1).double()
    with Probe(made, ["4"]) as probe:
        score = made(x)[0, 2]
    gradient = probe.gradients(score)["4"]
    step = torch.zeros_like(gradient)
    step[0, 3, 2, 1] = 1e-6

    def tail(activation):
        return made[5:](activation)[0, 2]

    slope = (tail(probe.activations["4"] + step) - tail(probe.activations["4"] - step)) / 2e-6
    assert gradient[0, 3, 2, 1] == pytest.approx(slope.item(), rel=1e-6, abs=1e-9)


def test_modes_can_be_left_alone():
    made = network().train()
    with Probe(made, ["1"], evaluation=False) as probe:
        made(pictures())
        assert made[1].training
    assert probe.activations["1"].mean((0, 2, 3)) == pytest.approx([0] * 6, abs=1e-5)


def test_modes_changed_within_the_block_are_put_back(model):
    with Probe(model, ["0"]):
        assert not model.training
        model[7].train()


def test_entering_twice_is_harmless(model):
    probe = Probe(model, ["0"])
    with probe:
        with probe:
            model(pictures(2))
        assert len(model[0]._forward_hooks) == 1
        model(pictures(3))
        assert len(probe.activations["0"]) == 3
    assert not model[0]._forward_hooks
    with probe:
        assert probe.activations == {}
        model(pictures(1))
    assert len(probe.activations["0"]) == 1


def test_one_name_needs_no_list(model):
    with Probe(model, "4") as probe:
        model(pictures())
    assert list(probe.activations) == ["4"]


def test_a_model_that_raises_is_left_as_it_was(model):
    with pytest.raises(RuntimeError, match="channels"), Probe(model, ["0", "8"]):
        model(torch.zeros(1, 2, 24, 24))
    with pytest.raises(RuntimeError, match="channels"):
        grad_cam(model, "4", torch.zeros(1, 2, 24, 24), 0)
    with pytest.raises(RuntimeError, match="channels"):
        occlusion(model, torch.zeros(1, 2, 24, 24), 0)
    with pytest.raises(RuntimeError, match="channels"):
        top_patches(model, "4", torch.zeros(3, 2, 24, 24), k=1)


@pytest.mark.parametrize("names", [["9"], ["0", "conv1"], [""], [], "conv1"])
def test_an_unknown_layer_lists_the_names(model, names):
    with pytest.raises(ValueError, match=re.escape("is not in the model; it has 0, 1, 2, 3, 4, 5, 6, 7, 8")):
        Probe(model, names)


def test_a_layer_without_a_tensor_says_so():
    lstm = nn.Sequential(nn.LSTM(4, 4))
    with pytest.raises(TypeError, match="'0' gives a tuple"), Probe(lstm, ["0"]):
        lstm(torch.zeros(1, 2, 4))
    assert not lstm[0]._forward_hooks


def test_scores_that_cannot_be_differentiated(model):
    with Probe(model, ["0", "8"]) as probe:
        logits = model(pictures())
    with pytest.raises(ValueError, match=r"shape \(6, 4\); it must be one number"):
        probe.gradients(logits)
    with pytest.raises(ValueError, match="does not depend on '8'"):
        probe.gradients(probe._outputs["0"].sum())
    with torch.no_grad(), probe:
        logits = model(pictures())
    with pytest.raises(ValueError, match="nothing to differentiate"):
        probe.gradients(logits.sum())


# --- Receptive fields and patches ---------------------------------------------------------------------------


def test_receptive_fields_of_a_chain(model):
    fields = {"0": (5, 1, -2), "2": (5, 1, -2), "3": (6, 2, -2), "4": (10, 4, -2), "8": (24, 24, 0)}
    for layer, expected in fields.items():
        assert receptive_fields(model, layer, (3, 24, 24)) == (ReceptiveField(*expected),) * 2


class Branches(nn.Module):
    """Two paths of different reach that meet, as in GoogLeNet and ResNet; rows and columns differ."""

    def __init__(self):
        super().__init__()
        self.short = nn.Conv2d(1, 2, 1, stride=2)
        self.long = nn.Sequential(nn.Conv2d(1, 2, (7, 3), stride=2, padding=(3, 1)), nn.ReLU())
        self.end = nn.Identity()

    def forward(self, x):
        return self.end(self.short(x) - self.long(x))


def test_receptive_fields_reach_through_skips_and_bounded_activations():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.relu = nn.Conv2d(1, 1, 3, padding=1), nn.ReLU6()

        def forward(self, x):
            return x + self.relu(self.conv(x))

    deep = nn.Sequential(*(Skip() for _ in range(6)))
    assert receptive_fields(deep, "5", (1, 32, 32))[0] == ReceptiveField(13, 1, -6)


def test_receptive_fields_of_branches():
    fields = receptive_fields(Branches(), "end", (1, 16, 16))
    assert fields == (ReceptiveField(7, 2, -3), ReceptiveField(3, 2, -1))


def test_a_field_larger_than_the_picture():
    deep = nn.Sequential(*(nn.Conv2d(1, 1, 7, stride=2, padding=3) for _ in range(4)))
    assert receptive_fields(deep, "3", (1, 32, 32))[0] == ReceptiveField(91, 16, -45)
    pooled = nn.Sequential(deep, nn.AdaptiveAvgPool2d(1), nn.Flatten())
    for layer in "12":
        assert receptive_fields(pooled, layer, (1, 32, 40)) == (ReceptiveField(32, 32, 0), ReceptiveField(40, 40, 0))
    with pytest.raises(ValueError, match="larger than eight pictures"):
        receptive_fields(deep, "3", (1, 8, 8))


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("layer", ["2", "5"])
def test_patches_are_the_best_places_by_brute_force(model, layer, inside):
    images = pictures(12)
    found = top_patches(model, layer, images, k=4, inside=inside, batch_size=5, fill=-9)
    maps = by_hand(model, images)[int(layer)].detach()
    row, column = found.fields
    for unit, patches, scores, which, places, corners in zip(
        found.units, found.patches, found.scores, found.pictures, found.places, found.corners, strict=True
    ):
        assert len(set(which.tolist())) == 4
        candidates = maps[:, unit].clone()
        for r in range(candidates.shape[1]):
            for c in range(candidates.shape[2]):
                span = [row.pixels(r), column.pixels(c)]
                if inside and any(s.start < 0 or s.stop > 24 for s in span):
                    candidates[:, r, c] = -torch.inf
        torch.testing.assert_close(scores, candidates.amax((1, 2)).sort(descending=True).values[:4])
        for patch, score, n, place, corner in zip(patches, scores, which, places, corners, strict=True):
            r, c = place.tolist()
            assert maps[n, unit, r, c] == pytest.approx(float(score))
            assert corner.tolist() == [row.pixels(r).start, column.pixels(c).start]
            padded = nn.functional.pad(images[n], [30] * 4, value=-9)
            top, left = (30 + at for at in corner.tolist())
            assert torch.equal(patch, padded[:, top : top + row.size, left : left + column.size])
            assert not (inside and (patch == -9).any())


def test_nothing_outside_the_field_changes_the_score(model):
    images = pictures(12)
    found = top_patches(model, "4", images, k=3, units=[5, 2])
    assert found.units.tolist() == [5, 2]
    for unit, *row in zip(found.units, found.scores, found.pictures, found.places, found.corners, strict=True):
        for score, n, (r, c), (top, left) in zip(*row, strict=True):
            spans = [
                slice(max(int(at), 0), int(at) + field.size)
                for at, field in zip((top, left), found.fields, strict=True)
            ]
            other = torch.full_like(images[n], 5.0)
            other[(slice(None), *spans)] = images[n][(slice(None), *spans)]
            maps = by_hand(model, other[None])[4].detach()
            assert maps[0, unit, r, c] == pytest.approx(float(score), abs=1e-5)


def test_transform_and_whole_pictures(model):
    images = (pictures(7) * 40 + 128).clamp(0, 255).to(torch.uint8)
    found = top_patches(model, "8", images, k=2, transform=lambda batch: (batch.float() - 128) / 40)
    assert found.patches.dtype == torch.uint8
    assert torch.equal(found.patches, images[found.pictures])
    logits = by_hand(model, (images.float() - 128) / 40)[-1].detach()
    torch.testing.assert_close(found.scores, logits.sort(dim=0, descending=True).values[:2].T)


def test_a_dead_unit_takes_the_first_pictures():
    dead = nn.Sequential(nn.Conv2d(3, 1, 1), nn.ReLU())
    nn.init.constant_(dead[0].bias, -9)
    found = top_patches(dead, "1", pictures(5), k=3)
    assert found.pictures.tolist() == [[0, 1, 2]]
    assert found.places.tolist() == [[[0, 0]] * 3]


def test_patches_of_bad_arguments(model):
    with pytest.raises(ValueError, match="is not in the model; it has 0, 1"):
        top_patches(model, "conv", pictures())
    with pytest.raises(ValueError, match="k is 9; it must be an integer from 1 to 6, for each picture gives one patch"):
        top_patches(model, "0", pictures(6))
    with pytest.raises(ValueError, match=r"units are \[6\]; name some of '0', 0 to 5"):
        top_patches(model, "0", pictures(6), k=2, units=[6])
    with pytest.raises(ValueError, match="it must keep height"):
        top_patches(model, "0", pictures(6), k=2, transform=lambda x: x[:, :, 1:])
    with pytest.raises(ValueError, match="use inside=False"):
        top_patches(nn.Sequential(nn.Conv2d(3, 1, 7, padding=3)), "0", pictures(6)[:, :, :5, :5], k=2, inside=True)


# --- Occlusion and Grad-CAM against captum ------------------------------------------------------------------


@pytest.mark.parametrize(("size", "stride"), [(8, 8), (6, 3), (4, 2)])
@pytest.mark.parametrize("fill", [0.0, 0.7])
def test_occlusion_agrees_with_captum(model, size, stride, fill):
    x = pictures(1)
    found = occlusion(model, x, 2, size=size, stride=stride, fill=fill, batch_size=7)
    reference = captum.attr.Occlusion(copy.deepcopy(model).eval())
    expected = reference.attribute(x, (3, size, size), strides=(3, stride, stride), baselines=fill, target=2)
    # captum gives each pixel the mean over the windows that cover it.
    total, count = torch.zeros(24, 24), torch.zeros(24, 24)
    corners = torch.cartesian_prod(*map(torch.arange, found.shape)) * stride
    for (row, column), drop in zip(corners, found.ravel(), strict=True):
        total[row : row + size, column : column + size] += drop
        count[row : row + size, column : column + size] += 1
    torch.testing.assert_close(total / count, expected[0, 0], atol=1e-5, rtol=1e-4)


def test_occlusion_takes_a_color_and_one_picture(model):
    x = pictures(1)
    color = torch.tensor([0.1, 0.2, 0.3])
    found = occlusion(model, x, 0, size=24, fill=color)
    flat = color.view(1, 3, 1, 1).expand_as(x)
    logits = by_hand(model, torch.cat([x, flat]))[-1].detach()
    assert found.shape == (1, 1)
    assert found.item() == pytest.approx(float(logits[0, 0] - logits[1, 0]), abs=1e-5)
    with pytest.raises(ValueError, match="one picture"):
        occlusion(model, pictures(2), 0)
    with pytest.raises(ValueError, match="spans 25 pixels"):
        occlusion(model, x, 0, size=25)


@pytest.mark.parametrize("layer", ["0", "3", "4", "5"])
def test_grad_cam_agrees_with_captum(model, layer):
    reference = copy.deepcopy(model).eval()
    reference[5].inplace = False  # captum's own hooks fail before a ReLU in place; the numbers are the same
    targets = torch.tensor([0, 3, 1, 1, 2, 0])
    found = grad_cam(model, layer, pictures(), targets)
    cam = captum.attr.LayerGradCam(reference, reference[int(layer)])
    expected = cam.attribute(pictures(), target=targets, relu_attributions=True)
    torch.testing.assert_close(found, expected[:, 0], atol=1e-7, rtol=1e-4)
    torch.testing.assert_close(grad_cam(model, layer, pictures(), 1)[2], expected[2, 0], atol=1e-7, rtol=1e-4)


def test_grad_cam_of_a_frozen_model_and_without_maps(model):
    frozen = copy.deepcopy(model).requires_grad_(False)
    with torch.no_grad():
        torch.testing.assert_close(grad_cam(frozen, "4", pictures(), 2), grad_cam(model, "4", pictures(), 2))
    with pytest.raises(ValueError, match=re.escape("'8' gives (6, 4); choose a layer with maps")):
        grad_cam(model, "8", pictures(), 2)
    with pytest.raises(ValueError, match=r"x has shape \(\d, \d+, \d+\); it must be \(N, C, H, W\), x\[None\] for one"):
        grad_cam(model, "4", pictures()[0], 2)
    for call in (lambda x: grad_cam(model, "4", x, 2), lambda x: occlusion(model, x, 2)):
        with pytest.raises(ValueError, match=r"x is a ndarray; make it a tensor"):
            call(pictures().numpy())


# --- The book's own network ---------------------------------------------------------------------------------


def test_lenet():
    generator = torch.Generator().manual_seed(0)
    made = lenet(generator=generator)
    x = torch.rand(5, 1, 28, 28, generator=generator)
    with Probe(made, [tap.name for tap in made.taps]) as probe:
        logits = made(x)
    gradients = probe.gradients(logits[0].max())
    for tap, side in zip(made.taps, (28, 14, 10, 5), strict=True):
        expected = (5, tap.channels, side, side)
        assert probe.activations[tap.name].shape == gradients[tap.name].shape == expected
    sizes = {"relu1": (5, 1, -2), "pool1": (6, 2, -2), "relu2": (14, 2, -2), "pool2": (16, 4, -2), "relu4": (28, 28, 0)}
    for layer, field in sizes.items():
        found = top_patches(made, layer, x, k=3)
        assert found.fields == (ReceptiveField(*field),) * 2
        assert found.patches.shape[1:] == (3, 1, field[0], field[0])
    assert grad_cam(made, "relu2", x, 4).shape == (5, 10, 10)
    assert occlusion(made, x[:1], 4).shape == (6, 6)


# --- What cannot be looked into is said in words -----------------------------------------------------------------


class Idle(nn.Module):
    """Two layers of which one never runs, and an answer of any kind."""

    def __init__(self, answer=lambda scores: scores):
        super().__init__()
        self.c, self.u, self.fc, self.answer = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3), nn.Linear(4, 5), answer

    def forward(self, x):
        return self.answer(self.fc(self.c(x).mean((2, 3))))


def test_a_layer_that_does_not_run():
    model = Idle()
    with Probe(model, ["c", "u"]) as probe:
        score = model(pictures())[0, 0]
    with pytest.raises(KeyError, match="u did not run within the block; recorded are: c"):
        probe.activations["u"]
    with pytest.raises(ValueError, match="the model did not run 'u' within the block"):
        probe.gradients(score)
    with pytest.raises(ValueError, match="grad_cam: the model does not run 'u'"):
        grad_cam(model, "u", pictures(), 0)


ANSWERS = {
    "dict": (lambda scores: {"out": scores}, "the model gives a dict; it must give scores"),
    "one score": (lambda scores: scores[:, 0], r"the model gives shape \(1,\); it must give scores"),
    "maps": (lambda scores: scores[:, :, None, None], r"the model gives shape \(1, 5, 1, 1\)"),
}
EXPLAIN = {
    "grad_cam": lambda model, target: grad_cam(model, "c", pictures(1), target),
    "occlusion": lambda model, target: occlusion(model, pictures(1), target, 5, 5),
}


@pytest.mark.parametrize("name", EXPLAIN)
@pytest.mark.parametrize("answer", ANSWERS)
def test_a_model_that_gives_no_scores(name, answer):
    function, message = ANSWERS[answer]
    with pytest.raises(ValueError, match=f"^{name}: for 1 pictures {message}"):
        EXPLAIN[name](Idle(function), 0)


@pytest.mark.parametrize("name", EXPLAIN)
@pytest.mark.parametrize("target", [None, 5, -1, 1.0, "cat", True, torch.tensor([0, 1]), torch.tensor([[0]]), [7]])
def test_a_target_that_is_no_class(name, target):
    with pytest.raises(ValueError, match=rf"^{name}: target is .*; it must be a class from 0 to 4, or one for each"):
        EXPLAIN[name](Idle(), target)


@pytest.mark.parametrize("name", EXPLAIN)
@pytest.mark.parametrize("target", [np.int64(2), torch.tensor(2), torch.tensor([2]), [2]])
def test_a_target_of_any_kind(name, target):
    model = Idle()
    assert torch.equal(EXPLAIN[name](model, target), EXPLAIN[name](model, 2))


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradients_are_asked_for_wherever_the_call_stands(model, mode):
    x = pictures(4)
    expected = top_patches(model, "4", x, 2), grad_cam(model, "4", x, 1), receptive_fields(model, "4", (3, 20, 20))
    with mode():
        again = pictures(4)  # in inference mode a tensor of another kind
        found = top_patches(model, "4", again, 2), grad_cam(model, "4", again, 1)
        fields = receptive_fields(model, "4", (3, 20, 20))
    assert torch.equal(found[0].scores, expected[0].scores)
    assert torch.equal(found[0].patches, expected[0].patches)
    assert torch.equal(found[1], expected[1])
    assert fields == expected[2]
    with mode(), Probe(model, ["4"]) as probe:
        score = model(x)[0, 0]
    with pytest.raises(ValueError, match=r"outside of torch\.no_grad\(\) and torch\.inference_mode\(\)"):
        probe.gradients(score)


def test_patches_of_no_units_and_of_pictures_that_are_not_numbers(model):
    for units in ([], [[1]]):
        with pytest.raises(ValueError, match=r"units are .*; name some of '0', 0 to 5"):
            top_patches(model, "0", pictures(), units=units, k=1)
    x = pictures()
    x[3, 0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="'0' gives NaN for picture 3; look for NaN in images and weights"):
        top_patches(model, "0", x, k=1)
    for k in (0, 1.0, True):
        with pytest.raises(ValueError, match=f"k is {k}; it must be an integer from 1 to 6"):
            top_patches(model, "0", pictures(), k)


class Tokens(nn.Module):
    def forward(self, x):
        return x.flatten(2)


class Shift(nn.Module):
    def forward(self, x):
        return nn.functional.relu6(x * 1e3 - 1)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (Tokens(), r"'1' gives \(1, 2, \d+\); choose a layer with maps \(N, C, h, w\), or \(N, F\)"),
        (Shift(), "no pixel reaches '1' where .*; an activation before it passes no gradient there"),
        (nn.GroupNorm(1, 2), "larger than eight pictures .*; GroupNorm in the model brings in every place"),
        (nn.InstanceNorm2d(2), "larger than eight pictures .*; InstanceNorm2d in the model"),
    ],
    ids=["tokens", "dead", "GroupNorm", "InstanceNorm"],
)
def test_a_field_that_cannot_be_measured(second, message):
    with pytest.raises(ValueError, match=f"^receptive_fields: .*{message}"):
        receptive_fields(nn.Sequential(nn.Conv2d(3, 2, 3), second), "1", (3, 9, 9))


@pytest.mark.parametrize("shape", [(9, 9), (1, 3, 9, 9), (3, 0, 9), (3, 9.0, 9)])
def test_a_shape_that_is_none(model, shape):
    with pytest.raises(ValueError, match=r"^receptive_fields: shape"):
        receptive_fields(model, "0", shape)
