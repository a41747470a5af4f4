"""Profiles of gradients, held against PyTorch's automatic differentiation of the same network."""

import dataclasses
import itertools

import deep_network
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone import deep
from backbone.data import FASHION_MNIST_STATISTICS, fashion_mnist, standardize, to_float
from backbone.deep import FUNCTIONS, make_network, profile_of, trace

PICTURES = fashion_mnist("train")[:256]
X = standardize(to_float(PICTURES.images), FASHION_MNIST_STATISTICS).flatten(1).double().numpy()
LABELS = PICTURES.labels.numpy()
NORMS = [None, "batch", "layer"]
PROPERTY = settings(max_examples=25, deadline=None, derandomize=True)


# --- Against PyTorch ------------------------------------------------------------------------------------------


def autograd(network, x, labels):
    return deep_network.autograd(
        network.weights, network.activation, network.normalization, network.residual, x, labels
    )


def same(found, expected, tolerance):
    """Compare arrays on the scale of each array, so that one of size 1e-40 is compared as strictly as one of size 1."""
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() <= tolerance * np.abs(other).max()


@pytest.mark.parametrize("residual", [False, True], ids=["plain", "residual"])
@pytest.mark.parametrize("norm", NORMS, ids=str)
@pytest.mark.parametrize("activation", FUNCTIONS)
def test_every_gradient_equals_autograds(activation, norm, residual):
    network = make_network(12, 17, activation, "he", 1.1, norm, residual, seed=3)
    x, labels = X[:23], LABELS[:23]
    found = trace(network, x, labels)
    loss, h, grad_h, grad_w = autograd(network, x, labels)
    assert found.loss == pytest.approx(loss, rel=1e-12)
    same(found.h, h, 1e-10)
    same(found.grad_h, grad_h, 1e-9)
    same(found.grad_w, grad_w, 1e-9)


LADDER = [
    # activation, init, normalization, residual, the decade in which the first layer's share lies
    ("sigmoid", "xavier", None, False, (1e-32, 1e-30)),
    ("tanh", "xavier", None, False, (0.05, 0.3)),
    ("relu", "xavier", None, False, (1e-8, 1e-7)),
    ("relu", "he", None, False, (0.3, 3)),
    ("relu", "he", "batch", False, (3e3, 3e4)),
    ("relu", "he", None, True, (1e7, 2e8)),
    ("relu", "he", "batch", True, (8, 30)),
]


@pytest.mark.parametrize(("activation", "init", "norm", "residual", "bounds"), LADDER)
@pytest.mark.parametrize("seed", range(3))
def test_the_ladder_at_depth_50(activation, init, norm, residual, bounds, seed):
    network = make_network(50, 100, activation, init, 1, norm, residual, seed)
    found = profile_of(network, X, LABELS)
    assert bounds[0] < found.ratio < bounds[1]
    assert found.factor == pytest.approx(found.ratio ** (1 / 49))
    loss, h, grad_h, grad_w = autograd(network, X, LABELS)
    # Fifty layers of rounding, magnified where gradients grow; at 1e-34 as strict as at 1.
    sizes = {"grad_h": grad_h, "grad_w": grad_w[:-1]}
    for name, arrays in sizes.items():
        expected = [np.sqrt(np.mean(np.square(array))) for array in arrays]
        np.testing.assert_allclose(getattr(found, name), expected, rtol=1e-8)
    np.testing.assert_allclose(found.mean, [one.mean() for one in h], rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(found.std, [one.std() for one in h], rtol=1e-8)
    assert found.loss == pytest.approx(loss, rel=1e-10)


def test_gradients_that_float32_would_lose():
    found = profile_of(make_network(50, 100, "sigmoid", "normal"), X, LABELS)
    assert 1e-85 < found.grad_h[0] < 1e-78
    assert (np.diff(np.log10(found.grad_h)) > 1).all()
    assert np.float32(found.grad_h[0]) == 0


# --- What a profile says --------------------------------------------------------------------------------------


def test_weights_of_layers_tell_another_story():
    """ReLU with Xavier's weights: |dL/dh| falls to 1e-8, |dL/dW| stays level, because h shrinks forwards as well."""
    found = profile_of(make_network(50, 100, "relu", "xavier"), X, LABELS)
    assert found.ratio < 1e-6
    inner = found.grad_w[1:]  # the first layer sees the pictures, which are not that small
    assert inner.max() / inner.min() < 30
    assert inner.max() < 1e-6  # level, and tiny
    assert found.std[-1] / found.std[0] < 1e-6


def test_saturated_and_dead():
    relu = profile_of(make_network(10, 40, "relu", "he"), X, LABELS)
    assert ((relu.saturated > 0.3) & (relu.saturated < 0.7)).all()
    assert (relu.dead <= relu.saturated).all()
    assert relu.dead[-1] > 0
    network = make_network(10, 40, "relu", "he")
    _, h, _, _ = autograd(network, X, LABELS)
    np.testing.assert_allclose(relu.dead, [(one == 0).all(0).mean() for one in h])
    np.testing.assert_allclose(relu.saturated, [(one == 0).mean() for one in h])
    tanh = profile_of(make_network(10, 40, "tanh", "xavier", gain=4), X, LABELS)
    network = make_network(10, 40, "tanh", "xavier", 4)
    _, h, _, _ = autograd(network, X, LABELS)
    np.testing.assert_allclose(tanh.saturated, [(np.abs(one) > np.sqrt(0.99)).mean() for one in h])
    assert tanh.saturated[-1] > 0.3
    assert not tanh.dead.any()
    assert not profile_of(make_network(10, 40, "leaky_relu", "he"), X, LABELS).saturated.any()
    assert not profile_of(make_network(10, 40, "none", "he"), X, LABELS).saturated.any()


def test_batch_normalization_leaves_no_unit_dead_and_makes_gradients_grow():
    plain, normal = (profile_of(make_network(50, 100, normalization=kind), X, LABELS) for kind in (None, "batch"))
    assert plain.dead[-1] > 0.2
    assert not normal.dead.any()
    assert normal.ratio > 1000
    np.testing.assert_allclose(normal.std[10:], normal.std[10:].mean(), rtol=0.2)


def test_a_profile_has_one_number_for_each_layer_and_is_frozen():
    found = profile_of(make_network(7, 12), X, LABELS)
    for field in dataclasses.fields(found):
        if field.name != "loss":
            assert getattr(found, field.name).shape == (7,), field.name
            assert getattr(found, field.name).dtype == np.float64
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.loss = 0


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("normal", lambda inputs, outputs: 0.01),
        ("xavier", lambda inputs, outputs: (2 / (inputs + outputs)) ** 0.5),
        ("he", lambda inputs, outputs: (2 / inputs) ** 0.5),
    ],
)
def test_weights_have_the_spread_that_their_name_says(init, std):
    made = make_network(3, 300, init=init, gain=0.5, seed=1)
    assert [weight.shape for weight in made.weights] == [(300, 784), (300, 300), (300, 300), (10, 300)]
    for weight in made.weights[:-1]:
        assert weight.std() == pytest.approx(0.5 * std(*weight.shape[::-1]), rel=0.02)
        assert abs(weight.mean()) < 0.02 * weight.std() + 1e-3
    assert made.weights[-1].std() == pytest.approx((2 / 310) ** 0.5, rel=0.05)  # whatever the hidden layers have


def test_a_seed_fixes_the_weights():
    one, same_one, other = (make_network(3, 5, seed=seed) for seed in (4, 4, 5))
    for a, b, c in zip(one.weights, same_one.weights, other.weights, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


# --- What must hold for any network -----------------------------------------------------------------------------


@PROPERTY
@given(st.integers(2, 12), st.integers(2, 20), st.floats(0.1, 10), st.integers(0, 99))
def test_a_linear_networks_gradient_scales_with_the_gain(depth, width, gain, seed):
    """Each of the depth - 1 - l layers behind layer l multiplies by the gain once, for one and the same dL/dlogits."""
    one, other = (make_network(depth, width, "none", "xavier", g, seed=seed, inputs=6) for g in (1, gain))
    x = np.random.default_rng(seed).standard_normal((4, 6))
    grad_logits = np.random.default_rng(seed + 1).standard_normal((4, 10))
    found = []
    for network in (one, other):
        h, notes = [x], []
        for weight in network.weights[:-1]:
            out, note = deep._layer(network, h[-1], weight, first=not notes)
            h.append(out)
            notes.append(note)
        grad_h, grad_w = deep._back(network, h, notes, grad_logits)
        found.append((list(map(deep.rms, grad_h)), list(map(deep.rms, grad_w[:-1]))))
    (h_1, w_1), (h_g, w_g) = found
    np.testing.assert_allclose(h_g, [gain ** (depth - 1 - layer) * size for layer, size in enumerate(h_1)], rtol=1e-8)
    np.testing.assert_allclose(w_g, [gain ** (depth - 1) * size for size in w_1], rtol=1e-8)


@PROPERTY
@given(st.sampled_from(["relu", "leaky_relu", "none"]), st.floats(0.2, 5), st.integers(0, 99))
def test_normalization_takes_the_gain_out(activation, gain, seed):
    """norm(c W h) = norm(W h): the gradient of h stays, that of W is divided by the gain."""
    one, other = (
        profile_of(make_network(6, 12, activation, "he", g, "batch", seed=seed), X[:16], LABELS[:16]) for g in (1, gain)
    )
    np.testing.assert_allclose(other.grad_h, one.grad_h, rtol=0.02)  # not exact: 1e-5 is added to the variance
    np.testing.assert_allclose(other.grad_w * gain, one.grad_w, rtol=0.02)


@PROPERTY
@given(st.integers(0, 99), st.sampled_from(list(FUNCTIONS)), st.sampled_from(NORMS), st.booleans())
def test_gradients_are_slopes_of_the_loss(seed, activation, norm, residual):
    network = make_network(3, 6, activation, "xavier", 1, norm, residual, seed, inputs=5)
    rng = np.random.default_rng(seed)
    x, labels = rng.standard_normal((8, 5)), rng.integers(0, 10, 8)
    found = trace(network, x, labels)
    layer, step = seed % 4, 1e-6
    at = tuple(rng.integers(size) for size in network.weights[layer].shape)
    losses = []
    for sign in (1, -1):
        weights = [weight.copy() for weight in network.weights]
        weights[layer][at] += sign * step
        losses.append(trace(dataclasses.replace(network, weights=tuple(weights)), x, labels).loss)
    slope = (losses[0] - losses[1]) / (2 * step)
    assert found.grad_w[layer][at] == pytest.approx(slope, rel=1e-4, abs=1e-7)


def test_rms_does_not_underflow_or_overflow():
    assert deep.rms([3e-200, 4e-200]) == pytest.approx(np.sqrt(12.5) * 1e-200, rel=1e-14)
    assert deep.rms([3e200, -4e200]) == pytest.approx(np.sqrt(12.5) * 1e200, rel=1e-14)
    assert deep.rms(np.zeros((2, 3))) == 0


def test_a_gradient_of_zero_leaves_a_ratio_of_zero():
    zero = deep.GradientProfile(*[np.array([0.0, 1.0])] * 6, loss=1.0)
    assert (zero.ratio, zero.factor) == (0, 0)
    lost = deep.GradientProfile(*[np.zeros(2)] * 6, loss=1.0)
    assert np.isnan(lost.ratio)
    assert np.isnan(lost.factor)


# --- Bad arguments ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"depth": 1}, r"depth is 1; it must be an integer from 2 to 1000"),
        ({"depth": 2.5}, "depth is 2.5"),
        ({"width": 0}, "width is 0; it must be an integer of at least 1"),
        ({"activation": "swish"}, "activation is 'swish'; it must be one of 'none', 'sigmoid', 'tanh', 'relu'"),
        ({"init": "kaiming"}, "init is 'kaiming'; it must be one of 'normal', 'xavier', 'he'"),
        ({"gain": 0}, "gain is 0; it must be a number above 0"),
        ({"gain": float("nan")}, "gain is nan"),
        ({"gain": "2"}, "gain is '2'"),
        ({"normalization": "none"}, "normalization is 'none'; it must be one of None, 'batch', 'layer'"),
        ({"residual": "yes"}, "residual is 'yes'; it must be one of False, True"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_errors_say_what_is_allowed(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_network(**arguments)


def test_trace_wants_pictures_that_fit():
    network = make_network(2, 5, inputs=6)
    with pytest.raises(ValueError, match=r"x has shape \(4, 7\); the network takes \(N, 6\)"):
        trace(network, np.zeros((4, 7)), np.zeros(4, int))
    with pytest.raises(ValueError, match=r"labels have shape \(3,\); x has 4 pictures"):
        trace(network, np.zeros((4, 6)), np.zeros(3, int))


def test_every_setting_gives_finite_numbers():
    for activation, norm, residual in itertools.product(FUNCTIONS, NORMS, (False, True)):
        found = profile_of(make_network(60, 16, activation, "he", 3, norm, residual), X[:16], LABELS[:16])
        finite = np.isfinite([*found.grad_h, *found.grad_w])
        assert finite.all(), (activation, norm, residual)
