"""The exercises on vanishing gradients, held against PyTorch and against functions as readers write them."""

import importlib
import pkgutil

import numpy as np
import pytest
import torch

from backbone.exercises import vanishing_gradients

NAMES = [module.name for module in pkgutil.iter_modules(vanishing_gradients.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.vanishing_gradients.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(vanishing_gradients, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Right, in another way ----------------------------------------------------------------------------------


def sigmoid_prime_by_torch(z):
    leaf = torch.tensor(z, requires_grad=True)
    # Autograd multiplies s by 1 - s, so the right half is asked for by symmetry.
    return torch.autograd.grad(torch.sigmoid(-leaf.abs()).sum(), leaf)[0].abs() + (leaf == 0) * 0.25


def sigmoid_prime_by_cosh(z):
    return 1 / (4 * np.cosh(z / 2) ** 2)


def sigmoid_prime_in_single_precision(z):
    z = np.float32(z)
    return (1 / (1 + np.exp(-z))) * (1 / (1 + np.exp(z)))


def he_std_by_torch(shape):
    fan_in, _ = torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))
    return torch.nn.init.calculate_gain("relu") / fan_in**0.5


def first_layer_factor_by_walking(depth, factor):
    gradient = 1.0
    for _ in range(depth - 1):
        gradient *= factor
    return gradient


def clip_by_norm_by_torch(gradients, most):
    leaves = [torch.zeros(one.shape, dtype=torch.float64, requires_grad=True) for one in gradients]
    for leaf, one in zip(leaves, gradients, strict=True):
        leaf.grad = torch.tensor(one)
    torch.nn.utils.clip_grad_norm_(leaves, most)  # it adds 1e-6 to the length
    return tuple(leaf.grad for leaf in leaves)


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid_prime", sigmoid_prime_by_torch),
        ("sigmoid_prime", sigmoid_prime_by_cosh),
        ("sigmoid_prime", sigmoid_prime_in_single_precision),
        ("he_std", he_std_by_torch),
        ("first_layer_factor", first_layer_factor_by_walking),
        ("first_layer_factor", lambda depth, factor: np.prod(np.full(depth - 1, factor))),
        ("clip_by_norm", clip_by_norm_by_torch),
    ],
)
def test_other_right_ways_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


# --- Wrong ways -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid_prime", lambda z: 1 - np.tanh(z) ** 2),
        ("he_std", lambda shape: 3 / np.prod(shape[1:])),
        ("first_layer_factor", lambda depth, factor: factor ** (depth - 1) / 3),
        ("clip_by_norm", lambda gradients, most: tuple(-one for one in clip_by_norm_by_torch(gradients, most))),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []


def test_arguments_may_not_be_changed():
    def in_place(gradients, most):
        length = np.sqrt(sum((one**2).sum() for one in gradients))
        for one in gradients:
            if length > most:
                one *= most / length
        return tuple(gradients)

    assert "your function changes its argument gradients." in str(report_of("clip_by_norm", in_place))


def test_usual_mistakes_written_out():
    def sigmoid(z):
        return 1 / (1 + np.exp(-z))

    def counts_channels_only(shape):
        return np.sqrt(2 / shape[1])

    def fan_out(shape):
        return np.sqrt(2 / (shape[0] * np.prod(shape[2:])))

    def by_layer(gradients, most):
        clipped = []
        for one in gradients:
            length = np.linalg.norm(one)
            clipped.append(one * most / length if length > most else one)
        return tuple(clipped)

    assert named("sigmoid_prime", report_of("sigmoid_prime", lambda z: sigmoid(z) * (1 - sigmoid(z)))) == [
        "lost digits"
    ]
    assert named("sigmoid_prime", report_of("sigmoid_prime", lambda z: 1 - sigmoid(z))) == ["falls"]
    assert named("sigmoid_prime", report_of("sigmoid_prime", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2)) == [
        "overflow"
    ]
    assert named("he_std", report_of("he_std", counts_channels_only)) == ["no kernel"]
    assert named("he_std", report_of("he_std", fan_out)) == ["outputs"]
    assert named("first_layer_factor", report_of("first_layer_factor", lambda d, f: sum([f] * d))) == ["added"]
    assert named("clip_by_norm", report_of("clip_by_norm", by_layer)) == ["each layer"]
