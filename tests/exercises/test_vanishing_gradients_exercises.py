"""The exercises on vanishing gradients, held against PyTorch and against functions as readers write them."""

import contextlib
import math

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone.exercises.vanishing_gradients import (
    clip_by_norm,
    first_layer_factor,
    gradient_profile,
    he_std,
    sigmoid_prime,
)

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


def gradient_profile_by_hooks(network, x, labels):
    kept, handles = [], []
    for part in network:
        if isinstance(part, nn.ReLU):
            handles.append(part.register_full_backward_hook(lambda _, __, given: kept.append(given[0])))
    nn.functional.cross_entropy(network(x), labels).backward()
    for handle in handles:
        handle.remove()
    return [one.square().mean().sqrt() for one in kept[::-1]]


def gradient_profile_kept(
    network, x, labels, order=1, of=lambda one: one.grad.norm() / one.numel() ** 0.5, last=lambda x: x
):
    kept = []
    for part in network:
        x = part(x)
        if isinstance(part, nn.ReLU):
            x.retain_grad()
            kept.append(x)
    nn.functional.cross_entropy(last(x), labels).backward()
    return [of(one).item() for one in kept][::order]


test_other_right_ways_pass = pass_the_check(
    (sigmoid_prime, sigmoid_prime_by_torch),
    (sigmoid_prime, sigmoid_prime_by_cosh),
    (sigmoid_prime, sigmoid_prime_in_single_precision),
    (he_std, he_std_by_torch),
    (first_layer_factor, first_layer_factor_by_walking),
    (first_layer_factor, lambda depth, factor: np.prod(np.full(depth - 1, factor))),
    (clip_by_norm, clip_by_norm_by_torch),
    (gradient_profile, gradient_profile_by_hooks),
    (gradient_profile, gradient_profile_kept),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def test_the_arrays_in_a_list_may_not_be_changed():
    def in_place(gradients, most):
        length = np.sqrt(sum((one**2).sum() for one in gradients))
        for one in gradients:
            if length > most:
                one *= most / length
        return tuple(gradients)

    assert "your function changes its argument gradients." in str(clip_by_norm.check(in_place))


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def sigmoid_prime_with_the_exponential_of_one_number(z):
    e = math.exp(-z)
    return e / (1 + e) ** 2


def test_a_function_of_one_number_is_named():
    report = str(sigmoid_prime.check(sigmoid_prime_with_the_exponential_of_one_number))
    said = "use NumPy's function of that name, such as np.exp"
    with contextlib.suppress(TypeError):  # an older NumPy takes the first case, an array of one number, for the number
        math.exp(np.zeros(1))
        said = "your function returned a number; a NumPy array of shape (1,) was expected"
    assert said in report


def test_the_case_named_shows_the_zero_that_the_message_speaks_of():
    report = str(sigmoid_prime.check(lambda z: sigmoid(z) * (1 - sigmoid(z))))
    assert "0 came out at index (0,); 4.24835e-18 was expected" in report


def profile_of_weights(network, x, labels):
    nn.functional.cross_entropy(network(x), labels).backward()
    weights = [part.weight for part in network if isinstance(part, nn.Linear)]
    return [weight.grad.square().mean().sqrt().item() for weight in weights[:-1]]


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


def scaled(length):
    """Return clipping with another length."""

    def clip(gradients, most):
        total = length(gradients)
        return tuple(one * most / total if total > most else one for one in gradients)

    return clip


def length_of(gradients):
    return np.sqrt(sum(np.sum(one**2) for one in gradients))


def always_scaled(gradients, most):
    return tuple(one / length_of(gradients) * most for one in gradients)


def always_scaled_but_not_zero(gradients, most):
    return tuple(one * (most / max(length_of(gradients), 1e-12)) for one in gradients)


def every_number(gradients):
    return np.concatenate([one.ravel() for one in gradients])


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (sigmoid_prime, "Far on the right", lambda z: sigmoid(z) * (1 - sigmoid(z))),
    (sigmoid_prime, "Far out, on both sides", lambda z: (1 - np.square(np.tanh(z / 2))) / 4),
    (sigmoid_prime, "Your slope goes to 0 on the right", lambda z: 1 - sigmoid(z)),
    (sigmoid_prime, "The exponential became infinite, and infinity", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    (sigmoid_prime, "The square in the denominator", lambda z: np.exp(-z) / (1 + np.exp(-z))),
    (sigmoid_prime, "The slope of tanh", lambda z: 1 - sigmoid(z) ** 2),
    (sigmoid_prime, "The sign is wrong", lambda z: -sigmoid(z) * sigmoid(-z)),
    (sigmoid_prime, "The sign is wrong", lambda z: sigmoid(z) * (sigmoid(z) - 1)),
    (sigmoid_prime, "The sign is wrong", lambda z: -np.exp(-z) / (1 + np.exp(-z)) ** 2),
    (he_std, "All sizes of the shape", lambda shape: np.sqrt(2 / np.prod(shape))),
    (he_std, "The sizes were added", lambda shape: np.sqrt(2 / sum(shape[1:]))),
    (he_std, "The root was taken of the 2", lambda shape: np.sqrt(2) / np.prod(shape[1:])),
    (he_std, "This is the bound of an even", lambda shape: np.sqrt(6 / np.prod(shape[1:]))),
    (he_std, "Only the last size", lambda shape: np.sqrt(2 / shape[-1])),
    (gradient_profile, "The last layer came first", lambda *given: gradient_profile_kept(*given, order=-1)),
    (gradient_profile, "These are the gradients of the weights", profile_of_weights),
    (gradient_profile, "A softmax came", lambda *given: gradient_profile_kept(*given, last=nn.Softmax(dim=1))),
    (gradient_profile, "This is the length", lambda *given: gradient_profile_kept(*given, of=lambda h: h.grad.norm())),
    (he_std, "The kernel was forgotten", counts_channels_only),
    (he_std, "The outputs were counted", fan_out),
    (first_layer_factor, "The factors were added", lambda d, f: sum([f] * d)),
    (first_layer_factor, "One factor too few", lambda d, f: f ** (d - 2)),
    (first_layer_factor, "The factor was divided by the number", lambda d, f: f / max(d - 1, 1)),
    (first_layer_factor, "The factor was divided by the number", lambda d, f: f / d),
    (clip_by_norm, "A gradient that is short enough", always_scaled),
    (clip_by_norm, "A gradient that is short enough", always_scaled_but_not_zero),
    (clip_by_norm, "The longest layer", scaled(lambda gs: max(np.linalg.norm(one) for one in gs))),
    (clip_by_norm, "The mean of the squares", scaled(lambda gs: np.sqrt(np.mean(every_number(gs) ** 2)))),
    (clip_by_norm, "The largest entry", scaled(lambda gs: abs(every_number(gs)).max())),
    (clip_by_norm, "Each layer was shortened", by_layer),
)
