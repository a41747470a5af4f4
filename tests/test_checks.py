"""The checks that all floors share, and modes held for a while."""

import numpy as np
import pytest
import torch
from torch import nn

from backbone import checks
from backbone.checks import evaluating
from backbone.data import batches
from backbone.models import summary
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
