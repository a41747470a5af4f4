"""The exercises of the chapter on neural networks, held against PyTorch and against functions as readers write them."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

from backbone.exercises import neural_networks

NAMES = [module.name for module in pkgutil.iter_modules(neural_networks.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.neural_networks.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(neural_networks, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def collapse_by_asking(layers):
    """Send zero and the unit vectors through the stack."""
    inputs = layers[0][0].shape[1]
    answer = np.vstack([np.zeros(inputs), np.eye(inputs)]).T
    for weight, bias in layers:
        answer = weight @ answer + bias[:, None]
    return answer[:, 1:] - answer[:, :1], answer[:, 0]


def softmax_cross_entropy_by_torch(logits, y):
    return torch.nn.functional.cross_entropy(torch.tensor(logits), torch.tensor(y)).item()


def backward_by_torch(x, W1, b1, W2, b2, y):
    leaves = [torch.tensor(values, requires_grad=True) for values in (W1, b1, W2, b2)]
    hidden = torch.tanh(torch.tensor(x) @ leaves[0].T + leaves[1])
    loss = ((hidden @ leaves[2].T + leaves[3] - torch.tensor(y)) ** 2).mean() / 2
    return torch.autograd.grad(loss, leaves)


def momentum_step_by_torch(w, velocity, gradient, rate, keep):
    leaf = torch.tensor(w, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], lr=rate, momentum=keep)
    if keep:
        optimizer.state[leaf]["momentum_buffer"] = torch.tensor(velocity)
    leaf.grad = torch.tensor(gradient)
    optimizer.step()
    return leaf.detach(), keep * velocity + gradient


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("collapse", collapse_by_asking),
        ("softmax_cross_entropy", softmax_cross_entropy_by_torch),
        ("backward", backward_by_torch),
        ("momentum_step", momentum_step_by_torch),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("collapse", lambda layers: tuple(2 * part for part in collapse_by_asking(layers))),
        ("softmax_cross_entropy", lambda z, y: 3 * softmax_cross_entropy_by_torch(z, y) + 1),
        ("backward", lambda *given: tuple(-part for part in backward_by_torch(*given))),
        ("momentum_step", lambda w, v, g, rate, keep: (w - 3 * rate * g, v)),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


def test_arguments_may_not_be_changed():
    def in_place(w, velocity, gradient, rate, keep):
        velocity *= keep
        velocity += gradient
        return w - rate * velocity, velocity

    assert "your function changes its argument velocity." in str(report_of("momentum_step", in_place))


def test_usual_mistakes_written_out():
    def forgets_the_bias(layers):
        W = layers[0][0]
        for weight, _ in layers[1:]:
            W = weight @ W
        return W, layers[-1][1]

    def counts_from_one(logits, y):
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        return -np.mean(np.log(p[np.arange(len(y)), y - 1] + 1e-300))

    assert named("collapse", report_of("collapse", forgets_the_bias)) == ["last bias"]
    assert named("softmax_cross_entropy", report_of("softmax_cross_entropy", counts_from_one)) == ["off by one"]


def test_each_mistake_of_backward_shows_in_the_shapes_it_is_made_for():
    module = MODULES["backward"]
    small = module.EXERCISE.cases[0].arguments
    right = module.backward(*small)
    assert [part.shape for part in right] == [(4, 3), (4,), (2, 4), (2,)]
    for key, change in module._WRONG:
        if key == "wrong way":
            with pytest.raises(ValueError, match="mismatch"):
                module._walk(*small, **change)
        elif key == "transposed":
            assert module._walk(*small, **change)[0].shape == (3, 4)
        else:
            assert not np.allclose(module._walk(*small, **change)[0], right[0])
