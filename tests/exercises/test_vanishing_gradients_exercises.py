"""The exercises on vanishing gradients, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.vanishing_gradients import clip_by_norm, first_layer_factor, he_std, sigmoid_prime

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


test_other_right_ways_pass = pass_the_check(
    (sigmoid_prime, sigmoid_prime_by_torch),
    (sigmoid_prime, sigmoid_prime_by_cosh),
    (sigmoid_prime, sigmoid_prime_in_single_precision),
    (he_std, he_std_by_torch),
    (first_layer_factor, first_layer_factor_by_walking),
    (first_layer_factor, lambda depth, factor: np.prod(np.full(depth - 1, factor))),
    (clip_by_norm, clip_by_norm_by_torch),
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


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (sigmoid_prime, "Far on the right", lambda z: sigmoid(z) * (1 - sigmoid(z))),
    (sigmoid_prime, "Your slope goes to 0 on the right", lambda z: 1 - sigmoid(z)),
    (sigmoid_prime, "The exponential became infinite, and infinity", lambda z: np.exp(-z) / (1 + np.exp(-z)) ** 2),
    (he_std, "The kernel was forgotten", counts_channels_only),
    (he_std, "The outputs were counted", fan_out),
    (first_layer_factor, "The factors were added", lambda d, f: sum([f] * d)),
    (clip_by_norm, "Each layer was shortened", by_layer),
)
