"""Dropout and spatial dropout, held against PyTorch with the same masks and against what probability says."""

import copy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from torch import nn

from backbone.layers import (
    Dropout,
    SpatialDropout,
    dropout,
    dropout_backward,
    dropout_mask,
)

P = [0, 0.1, 0.5, 0.7, 1]
SHAPES = [(4, 7), (3,), (2, 3, 5), (2, 3, 4, 5), (1, 1, 1, 1), (0, 4)]
TINY = np.finfo(np.float64).tiny  # below it numbers have fewer digits, so no relative error holds there
EXACT = settings(max_examples=40, deadline=None, derandomize=True)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def pair(whole_channels):
    """Return our module and PyTorch's."""
    return (SpatialDropout, nn.Dropout2d) if whole_channels else (Dropout, nn.Dropout)


def values(shape, seed=0):
    """Return numbers of which none is 0, so that a 0 in the output was dropped."""
    return np.random.default_rng(seed).uniform(0.5, 2, shape) * np.random.default_rng(seed + 1).choice([-1, 1], shape)


# --- Against PyTorch ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("shape", SHAPES)
def test_numpy_equals_pytorch_forward_and_backward_with_its_mask(shape, p):
    x = torch.tensor(values(shape), requires_grad=True)
    torch.manual_seed(7)
    theirs = nn.Dropout(p)(x)
    grad = values(shape, 5)
    (back,) = torch.autograd.grad(theirs, x, torch.tensor(grad))
    mask = theirs.detach().numpy() != 0
    np.testing.assert_allclose(dropout(x.detach().numpy(), mask, p), theirs.detach(), rtol=1e-15)
    np.testing.assert_allclose(dropout_backward(grad, mask, p), back, rtol=1e-15)


@pytest.mark.parametrize("p", P)
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (5, 1, 1, 3), (3, 8, 2, 2)])
def test_whole_channels_equal_pytorch_forward_and_backward_with_its_mask(shape, p):
    x = torch.tensor(values(shape), requires_grad=True)
    torch.manual_seed(3)
    theirs = nn.Dropout2d(p)(x)
    grad = values(shape, 5)
    (back,) = torch.autograd.grad(theirs, x, torch.tensor(grad))
    mask = (theirs.detach().numpy() != 0)[:, :, :1, :1]
    np.testing.assert_allclose(dropout(x.detach().numpy(), mask, p), theirs.detach(), rtol=1e-15)
    np.testing.assert_allclose(dropout_backward(grad, mask, p), back, rtol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("whole_channels", [False, True])
@pytest.mark.parametrize("p", P)
def test_modules_equal_pytorchs_with_the_same_seed_in_both_modes(whole_channels, p, dtype):
    ours, theirs = pair(whole_channels)
    x = torch.tensor(values((3, 4, 5, 2)), dtype=dtype)
    layer, other = ours(p, generator=seeded(11)), theirs(p)
    torch.manual_seed(11)
    for _ in range(3):  # each pass draws anew
        one, two = x.clone().requires_grad_(), x.clone().requires_grad_()
        given_, expected = layer(one), other(two)
        assert given_.dtype == dtype
        torch.testing.assert_close(given_, expected)
        given_.square().sum().backward()
        expected.square().sum().backward()
        torch.testing.assert_close(one.grad, two.grad)
    assert layer.eval()(x) is x
    assert torch.equal(other.eval()(x), x)


@pytest.mark.parametrize("whole_channels", [False, True])
@pytest.mark.parametrize("p", [0, 0.3, 1])
def test_modules_equal_numpy_by_the_mask_they_keep(whole_channels, p):
    ours, _ = pair(whole_channels)
    layer = ours(p, generator=seeded())
    assert layer.mask is None
    x = torch.tensor(values((2, 3, 4, 5)), requires_grad=True)
    y = layer(x)
    (back,) = torch.autograd.grad(y, x, torch.ones_like(y))
    mask = layer.mask.numpy()
    assert mask.shape == ((2, 3, 1, 1) if whole_channels else (2, 3, 4, 5))
    np.testing.assert_allclose(dropout(x.detach().numpy(), mask, p), y.detach(), rtol=1e-15)
    np.testing.assert_allclose(dropout_backward(np.ones(x.shape), mask, p), back, rtol=1e-15)


def test_finite_differences_agree_with_the_way_back():
    x, mask = values((3, 4)), dropout_mask((3, 4), 0.4, np.random.default_rng(2))
    weight, step = values((3, 4), 9), 1e-6
    for place in np.ndindex(x.shape):
        moved = np.zeros(x.shape)
        moved[place] = step
        slope = (weight * (dropout(x + moved, mask, 0.4) - dropout(x - moved, mask, 0.4))).sum() / (2 * step)
        assert slope == pytest.approx(dropout_backward(weight, mask, 0.4)[place], abs=1e-8)


# --- What probability says ------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_shares_and_means_are_those_of_pytorch(p):
    count, ones = 40_000, torch.ones(200, 200)
    outputs = {
        "numpy": dropout(ones.numpy(), dropout_mask(ones.shape, p, np.random.default_rng(0)), p),
        "ours": Dropout(p, generator=seeded(1))(ones).numpy(),
    }
    torch.manual_seed(2)
    outputs["theirs"] = nn.Dropout(p)(ones).numpy()
    for name, output in outputs.items():
        dropped = np.mean(output == 0)
        assert abs(dropped - p) < 4 * np.sqrt(p * (1 - p) / count), name
        np.testing.assert_allclose(np.unique(output), [0, 1 / (1 - p)], rtol=1e-6)


@pytest.mark.parametrize("p", [0.2, 0.6])
def test_whole_channels_go_together_and_each_by_itself(p):
    shape = (100, 50, 3, 2)
    layer = SpatialDropout(p, generator=seeded())
    output = layer(torch.ones(shape)).numpy()
    mask = layer.mask.numpy()
    assert mask.shape == (100, 50, 1, 1)
    assert abs(np.mean(~mask) - p) < 4 * np.sqrt(p * (1 - p) / 5000)
    assert mask.any(axis=0).all()
    assert not mask.all(axis=0).any()
    np.testing.assert_allclose(output, dropout(np.ones(shape), mask, p), rtol=1e-6)
    assert (np.ptp(output, axis=(2, 3)) == 0).all()


def test_entries_are_independent():
    """Neighbors, and masks drawn in a row, agree as often as chance has it."""
    rng = np.random.default_rng(4)
    one, two = dropout_mask((200, 200), 0.3, rng), dropout_mask((200, 200), 0.3, rng)
    by_chance = 0.3**2 + 0.7**2
    assert np.mean(one == two) == pytest.approx(by_chance, abs=0.01)
    assert np.mean(one[:, 1:] == one[:, :-1]) == pytest.approx(by_chance, abs=0.01)


@EXACT
@given(
    st_numpy.arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6)),
    st.floats(0, 1),
    st.integers(0, 2**32 - 1),
)
def test_kept_values_are_scaled_and_others_are_zero(x, p, seed):
    mask = dropout_mask(x.shape, p, np.random.default_rng(seed))
    y = dropout(x, mask, p)
    assert np.isfinite(y[~mask]).all()
    assert (y[~mask] == 0).all()
    np.testing.assert_allclose(y[mask] * (1 - p), x[mask], rtol=1e-9, atol=TINY)


@EXACT
@given(st_numpy.arrays(np.float64, 5, elements=st.floats(-100, 100)), st.floats(0, 0.95))
def test_the_mean_over_all_masks_is_the_input(x, p):
    total = np.zeros(5)
    for number in range(2**5):
        mask = (number >> np.arange(5) & 1).astype(bool)
        total += p ** (~mask).sum() * (1 - p) ** mask.sum() * dropout(x, mask, p)
    np.testing.assert_allclose(total, x, rtol=1e-9, atol=1e-9)


@EXACT
@given(st.floats(0, 1), st.integers(0, 1000), st_numpy.arrays(np.float64, (2, 6), elements=st.floats(-5, 5)))
def test_the_way_back_is_linear_and_blind_where_values_were_dropped(p, seed, grad):
    mask = dropout_mask(grad.shape, p, np.random.default_rng(seed))
    back = dropout_backward(grad, mask, p)
    np.testing.assert_allclose(dropout_backward(3 * grad, mask, p), 3 * back, rtol=1e-12, atol=TINY)
    assert (back[~mask] == 0).all()


# --- The ends, and what a module keeps ------------------------------------------------------------------------


@pytest.mark.parametrize("whole_channels", [False, True])
def test_all_dropped_gives_zeros_and_none_dropped_gives_the_input(whole_channels):
    ours, _ = pair(whole_channels)
    x = torch.tensor(values((2, 3, 4, 4)), requires_grad=True)
    nothing = ours(1, generator=seeded())(x)
    assert torch.equal(nothing.abs(), torch.zeros_like(x))
    nothing.sum().backward()
    assert torch.equal(x.grad.abs(), torch.zeros_like(x))
    assert torch.equal(ours(0, generator=seeded())(x), x)
    rng = np.random.default_rng(0)
    assert not dropout_mask((50, 50), 1, rng).any()
    assert dropout_mask((50, 50), 0, rng).all()


def test_equal_generators_give_equal_masks_and_a_shared_one_goes_on():
    x = torch.ones(20, 20)
    assert torch.equal(Dropout(0.5, generator=seeded(4))(x), Dropout(0.5, generator=seeded(4))(x))
    shared = seeded(4)
    first, second = Dropout(0.5, generator=shared), Dropout(0.5, generator=shared)
    assert not torch.equal(first(x), second(x))
    state = torch.get_rng_state()
    first(x)
    assert torch.equal(torch.get_rng_state(), state)  # PyTorch's own numbers are left alone


def test_a_module_has_nothing_to_learn_and_can_be_copied():
    layer = Dropout(0.25, generator=seeded())
    layer(torch.ones(3))
    assert list(layer.parameters()) == []
    assert layer.state_dict() == {}
    assert repr(layer) == "Dropout(p=0.25)"
    copied = copy.deepcopy(layer)
    x = torch.ones(30)
    assert torch.equal(copied(x), layer(x))


def test_the_input_is_left_alone():
    x, mask = values((3, 4)), np.zeros((3, 4), bool)
    before = x.copy()
    dropout(x, mask, 0.5)
    tensor = torch.tensor(x)
    Dropout(0.5, generator=seeded())(tensor)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(tensor, before)


def test_dtypes_stay_and_integers_become_floats():
    mask = np.array([True, False])
    assert dropout(np.ones(2, np.float32), mask, 0.5).dtype == np.float32
    assert dropout([3, 4], mask, 0.5).tolist() == [6, 0]


# --- Errors ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_p_must_be_a_probability(p):
    for call in (
        lambda: Dropout(p, generator=seeded()),
        lambda: SpatialDropout(p, generator=seeded()),
        lambda: dropout_mask((2, 2), p, np.random.default_rng(0)),
        lambda: dropout(np.ones(2), np.ones(2, bool), p),
    ):
        with pytest.raises(ValueError, match=r"p is (-0.1|1.1|nan); it is the probability of being dropped"):
            call()


def test_errors_say_what_was_given():
    with pytest.raises(TypeError, match=r"Dropout: generator is 3; pass torch.Generator\(\).manual_seed\(0\)"):
        Dropout(0.5, generator=3)
    for layer in (SpatialDropout(0.5, generator=seeded()), SpatialDropout(0.5, generator=seeded()).eval()):
        with pytest.raises(ValueError, match=r"the shape is \(3, 4, 5\); whole channels"):
            layer(torch.ones(3, 4, 5))
    with pytest.raises(ValueError, match="mask is of dtype float64; it must be bool"):
        dropout(np.ones(2), np.ones(2), 0.5)
    with pytest.raises(ValueError, match=r"mask has shape \(3,\) and x \(2, 3\)"):
        dropout(np.ones((2, 3)), np.ones(3, bool), 0.5)
    with pytest.raises(ValueError, match=r"mask has shape \(2, 1\) and grad_output \(2, 3\)"):
        dropout_backward(np.ones((2, 3)), np.ones((2, 1), bool), 0.5)
