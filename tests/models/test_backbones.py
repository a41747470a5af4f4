"""AlexNet, VGG, GoogLeNet, Inception v3, ResNet: counts, shapes and outputs held against torchvision and the papers."""

import hashlib
import json
import math
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import torch
from torch import nn

from backbone import models
from backbone.models import cifar_resnet, summary

# What torchvision's own networks are and give, for weights and pictures as `filled` and `picture` make them; where
# it says "hidden", their fully connected layers were made that narrow first.
REFERENCE = json.loads(Path(__file__).with_name("torchvision.json").read_text("utf-8"))["networks"]
SIZES = {"inception_v3": 299}
PARAMETERS = {
    "alexnet": 61_100_840,
    "vgg11": 132_863_336,
    "vgg13": 133_047_848,
    "vgg16": 138_357_544,
    "vgg16_bn": 138_365_992,
    "vgg19": 143_667_240,
    "googlenet": 13_004_888,
    "inception_v3": 27_161_264,
    "resnet18": 11_689_512,
    "resnet34": 21_797_672,
    "resnet50": 25_557_032,
    "resnet101": 44_549_160,
    "resnet152": 60_192_808,
}
MULTIPLY_ADDS = {  # in G, of the weights' metadata, without the auxiliary heads, which do not run in eval mode
    "alexnet": 0.714,
    "vgg16": 15.47,
    "vgg19": 19.63,
    "googlenet": 1.498,
    "inception_v3": 5.713,
    "resnet18": 1.814,
    "resnet34": 3.664,
    "resnet50": 4.089,
    "resnet101": 7.801,
    "resnet152": 11.514,
}


def outlined(name, **arguments):
    """Return a network without numbers in it, in no time: its counts and shapes can be asked for."""
    with torch.device("meta"):
        return getattr(models, name)(**arguments)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture
def narrow(monkeypatch):
    """Make the fully connected layers of AlexNet and VGG 64 wide: at 4,096 they hold most of the weights."""
    for name in ("alexnet", "vgg"):
        monkeypatch.setattr(import_module(f"backbone.models.{name}"), "HIDDEN", 64)


@cache
def slopes():
    """Return what the waves of all tensors are made of, each taking as much as it is long."""
    return 0.7 * torch.arange(2_500_000, dtype=torch.float64) ** 1.01


@torch.no_grad()
def filled(model):
    """Give every weight of an outlined network a value that follows from its name's place and its own in the tensor."""
    model = model.to_empty(device="cpu").double().eval()
    for number, (name, value) in enumerate(sorted(model.state_dict().items())):
        if not value.is_floating_point():
            continue
        wave = torch.sin(0.1 * number + slopes()[: value.numel()]).reshape(value.shape)
        if name.endswith("running_var") or (value.ndim == 1 and name.endswith("weight")):
            wave = 1 + 0.2 * wave
        elif value.ndim > 1:
            wave = wave * math.sqrt(4 / value[0].numel())
        else:
            wave = 0.1 * wave
        value.copy_(wave)
    return model


def picture(size):
    return torch.sin(torch.arange(2 * 3 * size * size, dtype=torch.float64) ** 1.1).reshape(2, 3, size, size)


@pytest.mark.parametrize("name", REFERENCE)
def test_names_and_shapes_are_torchvisions(name):
    rows = sorted(f"{key} {tuple(value.shape)}" for key, value in outlined(name).state_dict().items())
    assert hashlib.sha256("\n".join(rows).encode()).hexdigest() == REFERENCE[name]["state"]


@pytest.mark.parametrize("name", ["alexnet", "vgg11_bn", "googlenet", "inception_v3", "resnet18", "resnet50"])
def test_logits_are_torchvisions(narrow, name):
    """One network of each kind; the others come from the same tables, and were equal when the reference was made."""
    with torch.no_grad():
        logits = filled(outlined(name))(picture(SIZES.get(name, 224)))
    expected = torch.tensor(REFERENCE[name]["logits"], dtype=torch.float64)
    torch.testing.assert_close(
        logits[:, [0, 1, 500, 999]].flatten(), expected, rtol=1e-8, atol=1e-8 * expected.abs().max().item()
    )


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_are_exact(name):
    assert parameters(outlined(name)) == PARAMETERS[name]


def test_the_auxiliary_heads_can_be_left_out():
    assert parameters(outlined("googlenet", aux_logits=False)) == 6_624_904
    assert parameters(outlined("inception_v3", aux_logits=False)) == 23_834_568


@pytest.mark.parametrize("name", MULTIPLY_ADDS)
def test_multiply_adds_to_the_digits_printed(name):
    size = SIZES.get(name, 224)
    digits = len(str(MULTIPLY_ADDS[name]).split(".")[1])
    assert round(summary(outlined(name), (1, 3, size, size)).multiply_adds / 1e9, digits) == MULTIPLY_ADDS[name]


@pytest.mark.parametrize(
    ("depth", "count"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018), (110, 1_727_962)]
)
def test_cifar_resnets_and_their_plain_twins_have_the_same_parameters(depth, count):
    """He et al. 2015, table 6: 0.27, 0.46, 0.66, 0.85 and 1.7 M."""
    assert parameters(cifar_resnet(depth)) == parameters(cifar_resnet(depth, residual=False)) == count


def test_the_small_alexnet_has_alexnets_layers():
    small, large = models.alexnet_small(), outlined("alexnet")
    assert [type(layer) for layer in small.modules()] == [type(layer) for layer in large.modules()]
    assert parameters(small) == 584_586
    x = torch.zeros(2, 3, 32, 32)
    assert small.features[0](x).shape == (2, 48, 16, 16)
    assert small.features(x).shape == (2, 96, 1, 1)
    assert small(x).shape == (2, 10)


@pytest.mark.parametrize("depth", [-4, 2, 18, 21])
def test_a_depth_that_is_not_6n_plus_2_is_explained(depth):
    with pytest.raises(ValueError, match=rf"depth is {depth}; it must be 6n \+ 2"):
        cifar_resnet(depth)


def test_a_residual_block_adds_and_a_plain_one_does_not():
    residual, plain = (cifar_resnet(20, residual=kind, generator=seed()).eval() for kind in (True, False))
    x = torch.rand(2, 16, 8, 8, generator=seed())
    block, twin = residual.layer1[0], plain.layer1[0]
    inside = block.bn2(block.conv2(torch.relu(block.bn1(block.conv1(x)))))
    torch.testing.assert_close(block(x), torch.relu(inside + x))
    torch.testing.assert_close(twin(x), torch.relu(inside))
    # Option A of section 3.3: every second pixel, zeros in the new channels.
    shortcut = residual.layer2[0].downsample(x)
    torch.testing.assert_close(shortcut[:, :16], x[:, :, ::2, ::2])
    assert not shortcut[:, 16:].any()


def seed(number=0):
    return torch.Generator().manual_seed(number)


TAPPED = ["alexnet", "vgg11", "vgg16_bn", "googlenet", "inception_v3", "resnet18", "resnet50"]


@pytest.mark.parametrize(
    "model",
    [*TAPPED, cifar_resnet(20), models.alexnet_small()],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_taps_are_what_a_forward_pass_gives(model):
    size = 32 if not isinstance(model, str) else SIZES.get(model, 224)
    model = outlined(model) if isinstance(model, str) else model
    shapes, handles = {}, []
    for name, layer in model.named_modules():
        handles.append(layer.register_forward_hook(lambda _, __, out, name=name: shapes.update({name: out.shape})))
    with torch.no_grad():
        model.eval()(torch.zeros(1, 3, size, size, device=next(model.parameters()).device))
    for handle in handles:
        handle.remove()
    assert len(model.taps) >= 4
    for tap in model.taps:
        shape = shapes[tap.name]
        assert shape[1] == tap.channels
        # Windows without padding lose some rows: Inception v3 has 71 of 299 / 4 behind its stem.
        assert (len(shape) == 2) if tap.stride == 0 else (shape[2] == pytest.approx(size / tap.stride, abs=4))


STAGES = {  # rows of the papers' tables: module -> channels and side of its output at 224 (v3: 299)
    "alexnet": {"features.0": (64, 55), "features.2": (64, 27), "features.5": (192, 13), "features.12": (256, 6)},
    "vgg16": {"features.4": (64, 112), "features.9": (128, 56), "features.16": (256, 28), "features.30": (512, 7)},
    "googlenet": {
        "conv1": (64, 112),
        "maxpool1": (64, 56),
        "conv3": (192, 56),
        "maxpool2": (192, 28),
        "inception3a": (256, 28),
        "inception3b": (480, 28),
        "inception4a": (512, 14),
        "inception4b": (512, 14),
        "inception4c": (512, 14),
        "inception4d": (528, 14),
        "inception4e": (832, 14),
        "inception5a": (832, 7),
        "inception5b": (1024, 7),
    },
    "inception_v3": {
        "Conv2d_1a_3x3": (32, 149),
        "Conv2d_2a_3x3": (32, 147),
        "Conv2d_2b_3x3": (64, 147),
        "maxpool1": (64, 73),
        "Conv2d_3b_1x1": (80, 73),
        "Conv2d_4a_3x3": (192, 71),
        "maxpool2": (192, 35),
        "Mixed_5d": (288, 35),
        "Mixed_6e": (768, 17),
        "Mixed_7a": (1280, 8),
        "Mixed_7c": (2048, 8),
    },
    "resnet50": {
        "conv1": (64, 112),
        "maxpool": (64, 56),
        "layer1": (256, 56),
        "layer2": (512, 28),
        "layer3": (1024, 14),
        "layer4": (2048, 7),
    },
}


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_has_the_papers_shape(name):
    """Krizhevsky 2012, figure 2; Simonyan 2015, Szegedy 2015, Szegedy 2016 and He 2015, table 1 of each."""
    model, found, size = outlined(name).eval(), {}, SIZES.get(name, 224)
    for stage in STAGES[name]:
        layer = model.get_submodule(stage)
        layer.register_forward_hook(lambda _, __, out, stage=stage: found.update({stage: tuple(out.shape[1:])}))
    with torch.no_grad():
        model(torch.zeros(1, 3, size, size, device="meta"))
    assert found == {stage: (channels, side, side) for stage, (channels, side) in STAGES[name].items()}


@pytest.mark.parametrize(
    ("name", "heads"), [("googlenet", ("logits", "aux1", "aux2")), ("inception_v3", ("logits", "aux"))]
)
def test_auxiliary_heads_are_named_and_only_there_in_training(name, heads):
    model, x = outlined(name, num_classes=7), torch.zeros(2, 3, 299, 299, device="meta")
    out = model.train()(x)
    assert all(getattr(out, head).shape == (2, 7) for head in heads)
    assert model.eval()(x).shape == (2, 7)
    assert outlined(name, num_classes=7, aux_logits=False).train()(x).shape == (2, 7)


def test_googlenets_heads_hang_where_their_names_say():
    """torchvision once had the two swapped (pytorch/vision 8743)."""
    model, seen = models.googlenet(), {}
    for name in ("inception4a", "inception4d"):
        model.get_submodule(name).register_forward_hook(lambda _, __, out, name=name: seen.update({name: out}))
    for head in ("aux1", "aux2"):
        model.get_submodule(head).register_forward_hook(lambda _, args, __, head=head: seen.update({head: args[0]}))
    model.train()(torch.rand(2, 3, 64, 64, generator=seed()))
    assert seen["aux1"] is seen["inception4a"]
    assert seen["aux2"] is seen["inception4d"]


@pytest.mark.parametrize("name", ["googlenet", "inception_v3"])
def test_transform_input_turns_imagenets_scale_into_plus_minus_one(name):
    plain, transforming = filled(outlined(name)), outlined(name, transform_input=True).eval()
    transforming.load_state_dict(plain.state_dict(), assign=True)
    x = torch.rand(1, 3, 96, 96, generator=seed(), dtype=torch.float64)
    mean, std = (
        torch.tensor(row, dtype=torch.float64).view(1, 3, 1, 1)
        for row in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
    )
    with torch.no_grad():
        expected = plain(2 * x - 1)
        scale = expected.abs().max().item()
        standardized = (x - mean) / std
        torch.testing.assert_close(transforming(standardized), expected, rtol=0, atol=1e-6 * scale)
        assert (plain(standardized) - expected).abs().max() > 1e-4 * scale


@pytest.mark.parametrize(
    "factory", [models.resnet18, models.vgg11, models.alexnet, lambda generator: cifar_resnet(8, generator=generator)]
)
def test_a_generator_decides_the_first_weights(narrow, factory):
    state = torch.get_rng_state()
    one, two, other = (factory(generator=seed(number)) for number in (1, 1, 2))
    torch.set_rng_state(state)
    weights = [name for name, value in one.named_parameters() if value.ndim > 1]
    assert all(torch.equal(one.state_dict()[name], two.state_dict()[name]) for name in one.state_dict())
    assert not any(torch.equal(one.state_dict()[name], other.state_dict()[name]) for name in weights)


def test_first_weights_have_torchvisions_spread(narrow):
    resnet, vgg, inception = (
        factory(generator=seed()) for factory in (models.resnet18, models.vgg11, models.inception_v3)
    )
    assert resnet.layer3[1].conv1.weight.std().item() == pytest.approx(math.sqrt(2 / (256 * 9)), rel=0.02)
    assert vgg.features[3].weight.std().item() == pytest.approx(math.sqrt(2 / (128 * 9)), rel=0.02)
    assert vgg.classifier[0].weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert not vgg.features[3].bias.any()
    googlenet = models.googlenet(generator=seed())
    assert googlenet.inception4a.branch1.conv.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert googlenet.aux1.fc1.weight.std().item() == pytest.approx(0.01, rel=0.02)
    assert inception.Mixed_6b.branch1x1.conv.weight.std().item() == pytest.approx(0.1, rel=0.02)
    assert inception.AuxLogits.conv1.conv.weight.std().item() == pytest.approx(0.1, rel=0.02)
    assert inception.AuxLogits.fc.weight.std().item() == pytest.approx(0.001, rel=0.02)


@pytest.mark.parametrize("name", REFERENCE)
def test_every_activation_is_a_module_of_its_own_and_not_in_place(name):
    model = outlined(name)
    relus = [layer for _, layer in model.named_modules(remove_duplicate=False) if isinstance(layer, nn.ReLU)]
    assert len(relus) == len(set(map(id, relus)))
    assert not any(layer.inplace for layer in relus)
