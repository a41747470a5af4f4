"""Normalization in NumPy and as modules, held against torch.nn in float64: both modes, both ways, buffers included."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import nn

from backbone import layers
from backbone.layers import RunningStatistics

EXACT = {"rtol": 1e-10, "atol": 1e-11}
SHAPES = [(2, 1), (7, 3), (4, 5, 6), (2, 3, 1), (1, 2, 3), (5, 3, 4, 7), (1, 4, 2, 3), (2, 6, 1, 1)]
EACH_SHAPE = pytest.mark.parametrize("shape", SHAPES, ids=str)


def numbers(shape, seed=0):
    return torch.tensor(np.random.default_rng(seed).normal(1.5, 3, shape))


def names(shape):
    return "BatchNorm2d" if len(shape) == 4 else "BatchNorm1d"


def pair(name, *arguments, **options):
    """Return our module and PyTorch's with the same random weights and buffers, in float64."""
    theirs = getattr(nn, name)(*arguments, **options).double()
    generator = torch.Generator().manual_seed(1)
    for part in (*theirs.parameters(), *theirs.buffers()):
        if part.is_floating_point():
            part.data.copy_(torch.rand(part.shape, generator=generator, dtype=torch.float64) + 0.5)
    ours = getattr(layers, name)(*arguments, **options).double()
    ours.load_state_dict(theirs.state_dict(), strict=True)
    return ours, theirs


def assert_same(ours, theirs, x):
    """Compare outputs, gradients of input and parameters, and buffers."""
    found = []
    for module in (ours, theirs):
        leaf = x.clone().requires_grad_()
        y = module(leaf)
        grad = torch.linspace(-2, 3, y.numel(), dtype=y.dtype).reshape(y.shape) ** 2
        found.append([y, *torch.autograd.grad(y, [leaf, *module.parameters()], grad)])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.detach(), other.detach(), **EXACT)
    states = ours.state_dict(), theirs.state_dict()
    assert list(states[0]) == list(states[1])
    for name in states[0]:
        assert states[0][name].dtype == states[1][name].dtype
        np.testing.assert_allclose(states[0][name], states[1][name], err_msg=name, **EXACT)
    theirs.load_state_dict(states[0], strict=True)


# --- Modules ------------------------------------------------------------------------------------------------


@EACH_SHAPE
@pytest.mark.parametrize("momentum", [0.1, 0.7, 0.0, 1.0, None])
def test_batch_norm_trains_and_evaluates_as_pytorchs(shape, momentum):
    ours, theirs = pair(names(shape), shape[1], momentum=momentum, eps=1e-3)
    for seed in range(3):
        assert_same(ours, theirs, numbers(shape, seed))
    assert ours.num_batches_tracked == 3
    ours.eval(), theirs.eval()
    assert_same(ours, theirs, numbers(shape, 9))
    assert ours.num_batches_tracked == 3
    ours.train(), theirs.train()
    assert_same(ours, theirs, numbers(shape, 10))


@EACH_SHAPE
def test_batch_norm_without_weights(shape):
    ours, theirs = pair(names(shape), shape[1], affine=False)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        assert_same(ours, theirs, numbers(shape))


@pytest.mark.parametrize("name", ["BatchNorm1d", "BatchNorm2d"])
def test_fresh_modules_begin_alike(name):
    ours, theirs = getattr(layers, name)(3), getattr(nn, name)(3)
    for key, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[key], value)


def test_a_batch_of_one_runs_in_2d_and_raises_in_1d():
    x = numbers((1, 3, 4, 4))
    assert_same(*pair("BatchNorm2d", 3), x)
    for kind in (layers.BatchNorm1d, nn.BatchNorm1d):
        with pytest.raises(ValueError, match=r"more than 1 value|one value a channel"):
            kind(3).double()(x[:, :, 0, 0])
    with pytest.raises(ValueError, match=r"x has shape \(1, 3\), one value a channel.*drop_last=True.*eval\(\)"):
        layers.BatchNorm1d(3)(torch.ones(1, 3))
    with pytest.raises(ValueError, match="one value a channel"):
        layers.BatchNorm2d(3)(torch.ones(1, 3, 1, 1))
    assert layers.BatchNorm1d(3).eval()(torch.ones(1, 3)).shape == (1, 3)


def test_a_batch_of_two_becomes_plus_and_minus_one():
    y = layers.BatchNorm1d(5, affine=False)(numbers((2, 5)))
    np.testing.assert_allclose(y.abs(), 1, atol=1e-4)
    np.testing.assert_allclose(y.sum(0), 0, atol=1e-12)


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (2, 3, 4), (2, 5, 3, 4)])
@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("affine", [True, False])
def test_layer_norm_equals_pytorchs(shape, axes, affine):
    if axes >= len(shape):
        axes = len(shape) - 1
    ours, theirs = pair("LayerNorm", shape[-axes:], elementwise_affine=affine)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        assert_same(ours, theirs, numbers(shape))


@pytest.mark.parametrize("shape", [(3, 6), (1, 6), (2, 6, 5), (2, 6, 3, 4)])
@pytest.mark.parametrize("groups", [1, 2, 3])
@pytest.mark.parametrize("affine", [True, False])
def test_group_norm_equals_pytorchs(shape, groups, affine):
    ours, theirs = pair("GroupNorm", groups, 6, affine=affine)
    for training in (True, False):
        ours.train(training), theirs.train(training)
        assert_same(ours, theirs, numbers(shape))


def test_one_group_is_layer_norm_over_all_and_as_many_groups_as_channels_normalize_each():
    x = numbers((2, 6, 3, 4))
    whole = layers.LayerNorm((6, 3, 4), elementwise_affine=False)(x)
    np.testing.assert_allclose(layers.GroupNorm(1, 6, affine=False)(x), whole, **EXACT)
    each = nn.InstanceNorm2d(6)(x)
    np.testing.assert_allclose(layers.GroupNorm(6, 6, affine=False)(x), each, **EXACT)


def test_modules_pass_finite_differences():
    x = numbers((3, 4, 2, 2)).requires_grad_()
    for module in (layers.BatchNorm2d(4), layers.LayerNorm((4, 2, 2)), layers.GroupNorm(2, 4)):
        assert torch.autograd.gradcheck(module.double(), (x,))


# --- NumPy --------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None, derandomize=True)
@given(
    n=st.integers(1, 5), c=st.integers(1, 4), places=st.lists(st.integers(1, 4), max_size=2), seed=st.integers(0, 99)
)
def test_numpy_equals_pytorch_both_ways(n, c, places, seed):
    shape = (n, c, *places)
    assume(np.prod(shape) > c)  # PyTorch refuses the others
    module = getattr(nn, names(shape))(c).double()
    for part, other in zip(module.parameters(), (5, 6), strict=True):
        part.data.copy_(numbers(part.shape, other))
    x = numbers(shape, seed).requires_grad_()
    y = module(x)
    grad = numbers(shape, seed + 1)
    expected = torch.autograd.grad(y, [x, module.weight, module.bias], grad)
    gamma, beta = module.weight.detach().numpy(), module.bias.detach().numpy()
    # A variance near 0 makes a factor of about 300 of eps, and rounding with it.
    loose = {"rtol": 1e-8, "atol": 1e-8}
    np.testing.assert_allclose(layers.batch_norm(x.detach(), gamma, beta), y.detach(), **loose)
    found = layers.batch_norm_backward(grad, x.detach(), gamma)
    for one, other in zip((found.x, found.weight, found.bias), expected, strict=True):
        np.testing.assert_allclose(one, other, **loose)


@EACH_SHAPE
@pytest.mark.parametrize("momentum", [0.1, 0.9, None])
def test_running_statistics_and_evaluation_equal_pytorchs(shape, momentum):
    module = getattr(nn, names(shape))(shape[1], momentum=momentum).double()
    running = RunningStatistics.start(shape[1])
    for seed in range(4):
        module(numbers(shape, seed))
        running = running.updated(numbers(shape, seed), momentum)
    np.testing.assert_allclose(running.mean, module.running_mean, **EXACT)
    np.testing.assert_allclose(running.variance, module.running_var, **EXACT)
    assert running.batches == module.num_batches_tracked == 4
    x = numbers(shape, 7).requires_grad_()
    y = module.eval()(x)
    np.testing.assert_allclose(layers.batch_norm(x.detach(), running=running), y.detach(), **EXACT)
    grad = numbers(shape, 8)
    found = layers.batch_norm_backward(grad, x.detach(), running=running)
    expected = torch.autograd.grad(y, [x, module.weight, module.bias], grad)
    for one, other in zip((found.x, found.weight, found.bias), expected, strict=True):
        np.testing.assert_allclose(one, other, **EXACT)


def test_the_gradient_of_a_batch_has_nothing_in_common_with_one_or_with_x():
    """The output does not change when x is shifted or, but for eps, scaled; so its gradient is at right angles."""
    x, grad = numbers((6, 3)).numpy(), numbers((6, 3), 1).numpy()
    back = layers.batch_norm_backward(grad, x, eps=0).x
    np.testing.assert_allclose(back.sum(0), 0, atol=1e-12)
    np.testing.assert_allclose((back * x).sum(0), 0, atol=1e-11)


def test_dtypes():
    for dtype in (np.float16, np.float32, np.float64):
        assert layers.batch_norm(np.arange(12, dtype=dtype).reshape(4, 3)).dtype == dtype
    assert layers.batch_norm([[1, 2], [3, 5]]).dtype == np.float64


def test_errors_say_what_was_given_and_what_is_allowed():
    x = np.ones((4, 6, 2, 2))
    bad = {
        r"weight has shape \(5,\); it must be \(6,\)": lambda: layers.batch_norm(x, np.ones(5)),
        r"bias has shape \(\); it must be \(6,\)": lambda: layers.batch_norm(x, bias=1.0),
        r"x has 6 channels, running has 3": lambda: layers.batch_norm(x, running=RunningStatistics.start(3)),
        r"x has shape \(1, 3\), one value a channel": lambda: layers.batch_norm(np.ones((1, 3))),
        r"updated: x has shape \(1, 3\)": lambda: RunningStatistics.start(3).updated(np.ones((1, 3))),
        r"x is float64 of shape \(4,\)": lambda: layers.batch_norm(np.ones(4)),
        r"x is <U1 of shape": lambda: layers.batch_norm([["a"]]),
        r"grad_output has shape \(4, 6\); it must be \(4, 6, 2, 2\)": lambda: layers.batch_norm_backward(
            x[..., 0, 0], x
        ),
        r"BatchNorm2d: x has shape \(4, 6, 2\); it must be \(N, 6, H, W\)": lambda: layers.BatchNorm2d(6)(
            torch.ones(4, 6, 2)
        ),
        r"it must be \(N, 5\) or \(N, 5, L\)": lambda: layers.BatchNorm1d(5)(torch.ones(4, 6)),
        r"LayerNorm: x has shape \(4, 6\); it must end with \(5,\)": lambda: layers.LayerNorm(5)(torch.ones(4, 6)),
        r"GroupNorm: x has shape \(4, 6\); it must be \(N, 4, ...\)": lambda: layers.GroupNorm(2, 4)(torch.ones(4, 6)),
        r"GroupNorm: 4 channels cannot be parted into 3": lambda: layers.GroupNorm(3, 4),
    }
    for message, call in bad.items():
        with pytest.raises(ValueError, match=message):
            call()


# --- Folding ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("kind", [layers.BatchNorm2d, nn.BatchNorm2d])
@pytest.mark.parametrize("options", [{}, {"groups": 2, "stride": 2}, {"dilation": 2, "padding": 3}])
def test_a_folded_convolution_equals_the_two(bias, affine, kind, options):
    conv = nn.Conv2d(4, 6, 3, bias=bias, **options).double()
    norm = kind(6, affine=affine, eps=0.3).double()
    norm.load_state_dict(pair("BatchNorm2d", 6, affine=affine, eps=0.3)[1].state_dict())
    before = {name: value.clone() for name, value in conv.state_dict().items()}
    x = numbers((2, 4, 9, 8))
    folded = layers.fold(conv, norm.eval())
    np.testing.assert_allclose(folded(x).detach(), norm(conv(x)).detach(), **EXACT)
    assert all(torch.equal(before[name], value) for name, value in conv.state_dict().items())
    assert type(folded) is nn.Conv2d


def test_a_linear_layer_folds_too_and_what_cannot_be_folded_says_why():
    linear = nn.Linear(5, 6).double()
    norm = pair("BatchNorm1d", 6)[0].eval()
    x = numbers((4, 5))
    np.testing.assert_allclose(layers.fold(linear, norm)(x).detach(), norm(linear(x)).detach(), **EXACT)
    with pytest.raises(ValueError, match=r"training mode; call eval\(\) first"):
        layers.fold(linear, norm.train())
    with pytest.raises(ValueError, match="keeps no running statistics"):
        layers.fold(linear, nn.BatchNorm1d(6, track_running_stats=False).eval())
    with pytest.raises(ValueError, match="layer gives 6 channels, norm takes 3"):
        layers.fold(linear, nn.BatchNorm1d(3).eval())
    turned = nn.ConvTranspose2d(6, 6, 3)  # its weight's first axis is its inputs: the sizes would not tell
    with pytest.raises(ValueError, match="layer is a ConvTranspose2d; it must be a Conv2d or a Linear"):
        layers.fold(turned, nn.BatchNorm2d(6).eval())
    with pytest.raises(ValueError, match="norm keeps no running statistics"):
        layers.fold(nn.Conv2d(3, 6, 3), nn.GroupNorm(2, 6).eval())
