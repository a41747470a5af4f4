"""The exercises on ResNet, held against PyTorch and against functions as readers write them."""

import numpy as np
import torch
from readers import are_not_recognized, are_recognized, pass_the_check

from backbone.exercises.resnet import basic_block, diagnose, start_as_identity, zero_gamma_block
from backbone.models.resnet import BasicBlock, Bottleneck, PadShortcut


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


def start_as_identity_by_class(model):
    for part in model.modules():
        if isinstance(part, BasicBlock):
            torch.nn.init.zeros_(part.bn2.weight)
        elif isinstance(part, Bottleneck):
            torch.nn.init.zeros_(part.bn3.weight)
    return model


def start_as_identity_by_name(model):
    for block in model.modules():
        norms = [part for part in block.children() if isinstance(part, torch.nn.BatchNorm2d)]
        if hasattr(block, "downsample"):
            norms[-1].weight.data.fill_(0)
    return model


test_other_right_ways_pass = pass_the_check(
    (basic_block, basic_block_by_torch),
    (zero_gamma_block, zero_gamma_block_by_torch),
    (diagnose, diagnose_by_words),
    (start_as_identity, start_as_identity_by_class),
    (start_as_identity, start_as_identity_by_name),
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


def averaged_with_zeros_at_the_edge(x, y):
    if x.shape != y.shape:
        odd = np.pad(x, ((0, 0), (0, 0), (0, x.shape[2] % 2), (0, x.shape[3] % 2)))
        mean = (odd[..., ::2, ::2] + odd[..., 1::2, ::2] + odd[..., ::2, 1::2] + odd[..., 1::2, 1::2]) / 4
        x = np.pad(mean, ((0, 0), (0, y.shape[1] - x.shape[1]), (0, 0), (0, 0)))
    return relu(x + y)


def subsampled(offset):
    """Return a block that starts to take rows and columns there."""

    def block(x, y):
        if x.shape != y.shape:
            taken = x[:, :, offset::2, offset::2]
            x = np.zeros_like(y)
            x[:, : taken.shape[1], : taken.shape[2], : taken.shape[3]] = taken
        return relu(x + y)

    return block


def channels_repeated(x, y):
    if x.shape != y.shape:
        x = np.repeat(x[:, :, ::2, ::2], 2, axis=1)
    return relu(x + y)


def channels_twice(x, y):
    if x.shape != y.shape:
        x = np.concatenate([x[:, :, ::2, ::2]] * 2, axis=1)
    return relu(x + y)


def judging(margin=0.01, limit=0.3, poor=lambda shallow, deep: deep[0, -1], also=lambda lower: True):
    """Return a diagnosis with another margin or limit, by another error, or with one condition more."""

    def judged(shallow, deep):
        (train, test), (deep_train, deep_test) = shallow[:, -1], deep[:, -1]
        if deep_train > train + margin:
            return 2
        if deep_test > test + margin and also(deep_train < train - margin):
            return 1
        return 3 if poor(shallow, deep) > limit else 0

    return judged


def underfitting_first(shallow, deep):
    return 3 if deep[0, -1] > 0.3 else diagnose_by_words(shallow, deep)


def of_accuracies(shallow, deep):
    return diagnose_by_words(1 - shallow, 1 - deep)


def turned_the_other_way(shallow, deep):
    if deep[0, -1] < shallow[0, -1] - 0.01:
        return 2
    if deep[1, -1] < shallow[1, -1] - 0.01:
        return 1
    return 3 if deep[0, -1] < 0.3 else 0


def rows_for_columns(shallow, deep):
    return diagnose_by_words(*(np.tile(errors[-1, :2, None], 2) for errors in (shallow, deep)))


def with_gradients(z, by_gamma, by_weight, by_x):
    """Return the block from its four parts, each a function of x, W, gamma and g."""

    def block(x, W, gamma, g):
        return x + gamma * z(x, W), *(part(x, W, gamma, g) for part in (by_gamma, by_weight, by_x))

    return block


def times(x, W):
    return x @ W.T


def gamma_right(x, W, gamma, g):
    return (g * (x @ W.T)).sum(axis=0)


def weight_right(x, W, gamma, g):
    return (g * gamma).T @ x


def second_norm(model):
    for part in model.modules():
        if isinstance(part, BasicBlock | Bottleneck):
            torch.nn.init.zeros_(part.bn2.weight)
    return model


def every_norm(model):
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            part.weight.data.zero_()
    return model


turned_back = with_gradients(times, gamma_right, weight_right, lambda x, W, gamma, g: g + (g * gamma) @ W.T)
gamma_forgotten = with_gradients(times, gamma_right, lambda x, W, gamma, g: g.T @ x, lambda x, W, gamma, g: g + g @ W)
not_turned = with_gradients(
    lambda x, W: x @ W,
    lambda x, W, gamma, g: (g * (x @ W)).sum(axis=0),
    lambda x, W, gamma, g: x.T @ (g * gamma),
    lambda x, W, gamma, g: g + (g * gamma) @ W.T,
)


def adds_nothing_learns_nothing(x, W, gamma, g):
    y, by_gamma, by_weight, by_input = zero_gamma_block_by_torch(x, W, gamma, g)
    return y, by_gamma * torch.tensor(gamma), by_weight, by_input


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (basic_block, "ReLU came before the addition", relu_before),
    (basic_block, "An input was rewritten: +=", in_place),
    (basic_block, "Where the shapes differ", forgotten),
    (basic_block, "The input was added", lambda x, y: relu(x + y)),
    (basic_block, "There is no shortcut: only ReLU", lambda x, y: relu(y)),
    (basic_block, "Squares of four pixels", averaged_with_zeros_at_the_edge),
    (basic_block, "The second of every two", subsampled(1)),
    (basic_block, "The channels of x were repeated", channels_repeated),
    (basic_block, "The channels of x were repeated", channels_twice),
    (diagnose, "Underfitting was asked for", underfitting_first),
    (diagnose, "Errors were taken for accuracies", of_accuracies),
    (diagnose, "Errors were taken for accuracies", turned_the_other_way),
    (diagnose, "The rows were mixed up", lambda shallow, deep: diagnose_by_words(shallow[::-1], deep[::-1])),
    (diagnose, "Rows and columns were mixed up", rows_for_columns),
    (start_as_identity, "The second batch normalization", second_norm),
    (start_as_identity, "All batch normalizations", every_norm),
    (zero_gamma_block, "The gradient for x came out turned", turned_back),
    (zero_gamma_block, "Gamma is missing on the way back", gamma_forgotten),
    (zero_gamma_block, "W was not transposed", not_turned),
    (diagnose, "A higher test error", by_test_error),
    (diagnose, "Degradation was looked for in the test", degradation_by_test_error),
    (zero_gamma_block, "The scale got no", adds_nothing_learns_nothing),
)

test_another_mistake_is_not_mistaken_for_a_known_one = are_not_recognized(
    (diagnose, judging(poor=lambda shallow, deep: shallow[0, -1])),
    (diagnose, judging(poor=lambda shallow, deep: deep[1, -1])),
    (diagnose, judging(limit=0.5)),
    (diagnose, judging(margin=0.03)),
    (diagnose, judging(also=lambda lower: lower)),
)
