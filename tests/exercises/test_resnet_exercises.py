"""The exercises on ResNet, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.resnet import basic_block, diagnose, zero_gamma_block
from backbone.models.resnet import PadShortcut


def relu(z):
    return np.maximum(z, 0)


# --- Right, in another way ----------------------------------------------------------------------------------


def basic_block_by_torch(x, y):
    x, y = torch.tensor(x), torch.tensor(y)
    stride = 1 if x.shape == y.shape else 2
    return torch.relu(y + PadShortcut(x.shape[1], y.shape[1], stride)(x))


def zero_gamma_block_by_torch(x, W, gamma, g):
    x, W, gamma = (torch.tensor(one, requires_grad=True) for one in (x, W, gamma))
    y = x + gamma * (x @ W.T)
    gradients = torch.autograd.grad(y, [gamma, W, x], torch.tensor(g))
    return y, *gradients


def diagnose_by_words(shallow, deep):
    (train, test), (deep_train, deep_test) = shallow[:, -1], deep[:, -1]
    if deep_train - train > 0.01:
        return 2
    return 1 if deep_test - test > 0.01 else 3 if deep_train > 0.3 else 0


test_other_right_ways_pass = pass_the_check(
    (basic_block, basic_block_by_torch),
    (zero_gamma_block, zero_gamma_block_by_torch),
    (diagnose, diagnose_by_words),
)


# --- Wrong ways ---------------------------------------------------------------------------------------------


def relu_before(x, y):
    shortcut = np.zeros_like(y)
    step = 1 if x.shape == y.shape else 2
    shortcut[:, : x.shape[1]] = x[:, :, ::step, ::step]
    return relu(y) + shortcut


def in_place(x, y):
    step = 1 if x.shape == y.shape else 2
    y[:, : x.shape[1]] += x[:, :, ::step, ::step]
    return relu(y)


def forgotten(x, y):
    if x.shape != y.shape:
        return relu(y)
    return relu(x + y)


def by_test_error(shallow, deep):
    if deep[1, -1] > shallow[1, -1] + 0.01:
        return 1
    return 2 if deep[0, -1] > shallow[0, -1] + 0.01 else 3 if deep[0, -1] > 0.3 else 0


def degradation_by_test_error(shallow, deep):
    if deep[1, -1] > shallow[1, -1] + 0.01:
        return 2
    return 3 if deep[0, -1] > 0.3 else 0


def adds_nothing_learns_nothing(x, W, gamma, g):
    y, by_gamma, by_weight, by_input = zero_gamma_block_by_torch(x, W, gamma, g)
    return y, by_gamma * torch.tensor(gamma), by_weight, by_input


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (basic_block, "ReLU came before the addition", relu_before),
    (basic_block, "An input was rewritten: +=", in_place),
    (basic_block, "Where the shapes differ", forgotten),
    (basic_block, "The input was added", lambda x, y: relu(x + y)),
    (basic_block, "There is no shortcut: only ReLU", lambda x, y: relu(y)),
    (diagnose, "A higher test error", by_test_error),
    (diagnose, "Degradation was looked for in the test", degradation_by_test_error),
    (zero_gamma_block, "The scale got no", adds_nothing_learns_nothing),
)
