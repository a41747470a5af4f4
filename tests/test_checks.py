"""The checks that all floors share, and modes held for a while."""

import numpy as np
import pytest
import torch
from torch import nn

from backbone import checks, layers, metrics, ops, plots
from backbone.checks import evaluating
from backbone.data import FASHION_MNIST_STATISTICS, batches, channel_statistics, standardize, to_float
from backbone.layers import ACTIVATIONS
from backbone.models import summary
from backbone.pretrained import prepare
from backbone.probes import Probe, occlusion, top_patches
from backbone.training import evaluate, fit, predict


@pytest.fixture
def network():
    """Return a network in training mode whose normalization, in the middle, is frozen."""
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Flatten(),
        nn.Linear(144, 3),
    )
    model[0][1].eval().requires_grad_(False)
    return model


def pictures(count=12):
    x = torch.randn(count, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    return x, torch.arange(count) % 3


def sgd(model):
    return torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1)


def modes(model):
    return [module.training for module in model.modules()]


USES = {
    "evaluate": lambda model: evaluate(model, batches(*pictures(), 5)),
    "predict": lambda model: predict(model, pictures()[0]),
    "fit": lambda model: fit(model, batches(*pictures(), 5), 2, sgd(model)),
    "fit and measure": lambda model: fit(
        model, batches(*pictures(), 5), 2, sgd(model), validation=batches(*pictures(), 5)
    ),
    "summary": lambda model: summary(model, (1, 1, 8, 8)),
    "top_patches": lambda model: top_patches(model, "0.0", pictures()[0], 2),
    "occlusion": lambda model: occlusion(model, pictures(1)[0], 0, 3, 2),
}


def probed(model):
    with Probe(model, ["0.1"]):
        model(pictures()[0])


USES["Probe"] = probed


@pytest.mark.parametrize("use", USES)
def test_a_frozen_normalization_stays_as_it_was_and_each_module_keeps_its_mode(network, use):
    before, frozen = modes(network), {key: value.clone() for key, value in network[0][1].state_dict().items()}
    assert before == [True, True, True, False, True, True, True, True]
    USES[use](network)
    assert modes(network) == before
    for key, value in network[0][1].state_dict().items():
        assert torch.equal(frozen[key], value), key


def test_modes_come_back_after_an_error(network):
    before = modes(network)
    wrong = torch.zeros(2, 1, 5, 5)
    calls = (
        lambda: predict(network, wrong),
        lambda: evaluate(network, [(wrong, torch.tensor([0, 1]))]),
        lambda: fit(network, [(wrong, torch.tensor([0, 1]))], 1, sgd(network)),
        lambda: summary(network, (1, 1, 5, 5)),
    )
    for call in calls:
        with pytest.raises((RuntimeError, ValueError)):
            call()
        assert modes(network) == before


def test_fit_trains_what_is_in_training_mode_as_a_loop_would(network):
    """Also what changed mode since the last call: the mode is asked at each call."""
    network[2].eval()  # or the masks would differ
    network[0][1].train()
    twin = nn.Sequential(nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4)), *network[1:4])
    twin.append(nn.Linear(144, 3))
    twin.load_state_dict(network.state_dict())
    twin[0][1].requires_grad_(False)
    x, y = pictures()
    fit(network, [(x, y)], 1, sgd(network))
    optimizer = sgd(twin)
    nn.functional.cross_entropy(twin(x), y).backward()
    optimizer.step()
    for key, value in twin.state_dict().items():
        assert torch.equal(value, network.state_dict()[key]), key


def test_a_model_wholly_in_eval_mode_is_refused(network):
    with pytest.raises(ValueError, match=r"whole model is in eval mode.*; call model\.train\(\) first"):
        fit(network.eval(), batches(*pictures(), 5), 1, sgd(network))
    assert not any(modes(network))


def test_evaluating_can_be_nested_and_asks_no_gradients_away(network):
    before = modes(network)
    with evaluating(network):
        with evaluating(network):
            network[2].train()
        assert not any(modes(network))
        assert network(pictures()[0]).requires_grad
    assert modes(network) == before


@pytest.mark.parametrize("value", [2, np.int64(2), torch.tensor(2)])
def test_integers_of_all_kinds_are_taken(value):
    number = checks.integer("f", "n", value, 0, 2)
    assert (type(number), number) == (int, 2)


@pytest.mark.parametrize("value", [True, 2.0, "2", None, -1, 3])
def test_other_numbers_are_refused(value):
    with pytest.raises(ValueError, match=f"^f: n is {value!r}; it must be an integer from 0 to 2$"):
        checks.integer("f", "n", value, 0, 2)


@pytest.mark.parametrize("value", ["c", None, ["a"], 1])
def test_one_of_names_what_is_allowed(value):
    with pytest.raises(ValueError, match=r"^f: way is .*; it must be one of 'a', 'b'$"):
        checks.one_of("f", "way", value, {"a": 0, "b": 1})
    assert checks.one_of("f", "way", "a", ("a", "b")) == "a"


# --- Arrays, tensors, pictures -----------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [torch.tensor([0.5, 2.0], requires_grad=True), torch.tensor([0.5, 2]).bfloat16()])
def test_tensors_of_all_kinds_become_arrays(value):
    np.testing.assert_array_equal(checks.to_array("f", "x", value), [0.5, 2])


MASKED = np.ma.masked_array(np.ones((2, 2)), [[0, 0], [0, 1]])
TAKE_ARRAYS = {
    "x": lambda x: ops.conv2d(x[None, None], np.ones((1, 1, 1, 1))),
    "matrix": lambda x: metrics.precision(x),
    "scores": lambda x: metrics.top_k_accuracy([0, 1], x, 1),
    "z": ACTIVATIONS["relu"].value,
    "image": lambda x: plots.show_image(x, plots.panels(1)[0]),
}


@pytest.mark.parametrize("argument", TAKE_ARRAYS)
def test_a_mask_is_not_lost_in_silence(argument):
    with pytest.raises(ValueError, match=rf"{argument} is a masked array, and its mask would be lost; choose with"):
        TAKE_ARRAYS[argument](MASKED)


def test_operations_take_tensors_that_learn():
    x = torch.rand(1, 1, 4, 4, requires_grad=True)
    weight = torch.rand(2, 1, 3, 3, dtype=torch.float64, requires_grad=True)
    expected = nn.functional.conv2d(x.double(), weight)
    found = ops.conv2d(x, weight)
    np.testing.assert_allclose(found, expected.detach(), atol=1e-12)
    assert ops.conv2d_backward(found, x, weight).input.shape == x.shape
    np.testing.assert_allclose(ACTIVATIONS["tanh"].value(x), x.detach().tanh(), atol=1e-6)
    assert layers.batch_norm(torch.rand(3, 2, requires_grad=True)).shape == (3, 2)


@pytest.mark.parametrize("value", ["much", None, float("nan"), 0, 1.5])
def test_fractions(value):
    with pytest.raises(ValueError, match=f"confidence is {value!r}; it must lie between 0 and 1"):
        checks.fraction("f", "confidence", value)


def byte_picture(*shape):
    return np.full(shape, 200, np.uint8)


ADVICE = {
    "bytes": (byte_picture(3, 9, 9), r"shape \(3, 9, 9\) and values from 200 to 200; .*: divide by 255$"),
    "bytes as floats": (np.full((3, 9, 9), 255.0), ": divide by 255$"),
    "a little too large": (np.full((3, 9, 9), 1.2), r": cut off what lies above, x\.clip\(0, 1\)$"),
    "sixteen bits": (np.full((3, 9, 9), 60000, np.uint16), ": divide by 65535$"),
    "as Pillow gives": (
        byte_picture(9, 9, 3),
        r": move the channels to the front, np\.moveaxis\(x, -1, -3\) and divide by 255$",
    ),
    "with alpha": (byte_picture(9, 9, 4), r": move .* and leave out the fourth channel, x\[.*\] and divide by 255$"),
    "CMYK": (np.zeros((4, 9, 9)), r": leave out the fourth channel"),
    "gray": (np.zeros((9, 9)), r"it must be \(3, H, W\) .*: repeat it for three channels, np\.stack\(\[x\] \* 3\)$"),
    "one channel": (np.zeros((1, 9, 9)), r": take the only channel"),
    "not a number": (np.full((3, 9, 9), np.nan), r"values from nan to nan; it must be .* in \[0, 1\]$"),
    "empty": (np.zeros((3, 0, 9)), r"shape \(3, 0, 9\)"),
    "signed": (
        np.full((3, 9, 9), -0.5),
        r"values from -0\.5 to -0\.5; it must be .* in \[0, 1\]: undo what was subtracted",
    ),
    "batch": (np.zeros((1, 3, 9, 9)), r"shape \(1, 3, 9, 9\)"),
}
TAKE_PICTURES = {
    "efficientnet_lite0": lambda x: prepare("efficientnet_lite0", x),
    "resnet18": lambda x: prepare("resnet18", x),
}


@pytest.mark.parametrize("name", TAKE_PICTURES)
@pytest.mark.parametrize("case", ADVICE)
def test_what_is_no_picture_is_told_what_to_do(name, case):
    value, message = ADVICE[case]
    with pytest.raises(ValueError, match=f"^prepare: picture has .*{message}"):
        TAKE_PICTURES[name](value)


@pytest.mark.parametrize("take", TAKE_PICTURES.values(), ids=TAKE_PICTURES)
def test_pictures_may_be_turned_and_miss_one_by_rounding(take):
    x = np.random.default_rng(0).random((300, 320, 3))
    mirrored = np.moveaxis(x, -1, 0)[:, :, ::-1]
    assert torch.equal(take(mirrored), take(torch.tensor(mirrored.copy())))
    assert torch.equal(take(np.full((3, 300, 300), 1 + 1e-7)), take(np.ones((3, 300, 300))))
    assert take(torch.rand(3, 300, 300, requires_grad=True)).requires_grad


def test_probabilities_that_round_above_one():
    curve = metrics.reliability([1, 0], np.float32([1.0000001, -1e-8]))
    assert curve.count.tolist() == [1, *[0] * 8, 1]
    with pytest.raises(ValueError, match=r"confidence goes from 0\.5 to 1\.000002; it must lie in \[0, 1\]"):
        metrics.reliability([1, 0], [0.5, 1.000002])


@pytest.mark.parametrize(
    "call",
    [
        lambda x: batches(x, torch.zeros(4), 2),
        lambda x: predict(nn.Flatten(), x),
        channel_statistics,
        to_float,
        lambda x: standardize(x, FASHION_MNIST_STATISTICS),
    ],
    ids=["batches", "predict", "channel_statistics", "to_float", "standardize"],
)
def test_arrays_where_tensors_are_needed(call):
    with pytest.raises(ValueError, match=r"(x is|images is) a ndarray; make it a tensor, torch\.as_tensor\(x\)"):
        call(np.zeros((4, 1, 2, 2)))
