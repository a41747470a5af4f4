"""The two small networks: counts, shapes, taps, first weights."""

import pytest
import torch
from torch import nn

from backbone.models import initialize, lenet, mlp


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def seed(number=0):
    return torch.Generator().manual_seed(number)


def test_lenet_has_its_parameters():
    model = lenet()
    counts = {name: parameters(layer) for name, layer in model.named_children() if parameters(layer)}
    # LeCun et al. 1998, section II-B: C1 has 156, F6 has 10,164; our C3 is connected to all six maps.
    assert counts == {"conv1": 156, "conv2": 2_416, "fc1": 48_120, "fc2": 10_164, "fc3": 850}
    assert parameters(model) == 61_706
    assert parameters(lenet(num_classes=3)) == 61_706 - 7 * 85


def test_mlp_is_what_its_widths_say():
    assert parameters(mlp()) == 784 * 128 + 128 + 128 * 10 + 10
    model = mlp((6, 5, 4, 3), activation=nn.Tanh)
    assert [name for name, _ in model.named_children()] == ["flatten", "fc1", "act1", "fc2", "act2", "fc3"]
    assert isinstance(model.act2, nn.Tanh)
    x = torch.rand(2, 6)
    expected = model.fc3(torch.tanh(model.fc2(torch.tanh(model.fc1(x)))))
    assert torch.equal(model(x), expected)
    assert mlp((6, 3))(x).shape == (2, 3)
    with pytest.raises(ValueError, match=r"widths are \(6,\)"):
        mlp((6,))


@pytest.mark.parametrize("model", [lenet(), mlp()], ids=["lenet", "mlp"])
def test_taps_are_what_a_forward_pass_gives(model):
    shapes, handles = {}, []
    for name, layer in model.named_modules():
        handles.append(layer.register_forward_hook(lambda _, __, out, name=name: shapes.update({name: out.shape})))
    model(torch.rand(1, 1, 28, 28))
    for handle in handles:
        handle.remove()
    for tap in model.taps:
        shape = shapes[tap.name]
        assert shape[1] == tap.channels
        if len(shape) == 4:
            # conv2 has no padding, so its map is smaller than 28 / stride by what a 5 x 5 window loses.
            lost = 4 if tap.name in ("relu2", "pool2") else 0
            assert shape[2] == (28 - lost * 2) // tap.stride
        else:
            assert tap.stride == 0


@pytest.mark.parametrize("factory", [lenet, mlp])
def test_a_generator_decides_the_first_weights(factory):
    state = torch.get_rng_state()
    one, two, other = (factory(generator=seed(n)).state_dict() for n in (1, 1, 2))
    torch.set_rng_state(state)
    assert all(torch.equal(one[key], two[key]) for key in one)
    assert not any(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(
    "layer", [lambda: nn.Linear(7, 5), lambda: nn.Conv2d(3, 4, 5), lambda: nn.Conv2d(4, 4, 3, groups=2)]
)
def test_initialize_draws_what_pytorch_draws(layer):
    torch.manual_seed(5)
    expected = layer()
    found = initialize(layer(), seed(5))
    assert torch.equal(found.weight, expected.weight)
    assert torch.equal(found.bias, expected.bias)
    assert initialize(nn.Linear(2, 2, bias=False), seed()).bias is None


def test_an_unknown_scheme_lists_the_schemes():
    with pytest.raises(ValueError, match="scheme is 'xavier'; it must be one of 'pytorch', 'he', 'resnet'"):
        initialize(nn.Linear(2, 2), seed(), "xavier")
