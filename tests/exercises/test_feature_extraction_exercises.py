"""The exercises of the chapter on feature extraction, against PyTorch and against functions as readers write them."""

import copy

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from torch import nn

from backbone.exercises.feature_extraction import layer_parameters, max_pool_backward, nearest_mean, read_layer
from backbone.probes import Probe

# --- Right, in another way ----------------------------------------------------------------------------------


def max_pool_backward_by_torch(x, grad):
    leaf = torch.tensor(x.copy(), requires_grad=True)
    pooled = nn.functional.max_pool2d(leaf[None], 2)[0]
    return torch.autograd.grad(pooled, leaf, torch.tensor(grad.copy()))[0]


def layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width):
    layer = {
        "convolution": lambda: nn.Conv2d(inputs, outputs, kernel),
        "linear": lambda: nn.Linear(inputs * height * width, outputs),
        "pooling": lambda: nn.MaxPool2d(kernel),
        "relu": nn.ReLU,
    }[kind]()
    return sum(parameter.numel() for parameter in layer.parameters())


def read_layer_by_probe(model, name, x):
    with torch.no_grad(), Probe(model, [name]) as probe:
        model(x)
    return probe.activations[name]


def read_layer_by_a_copy(model, name, x):
    model, kept = copy.deepcopy(model).eval(), []
    model.get_submodule(name).register_forward_hook(lambda layer, inputs, output: kept.append(output.detach() + 0))
    model(x)
    return kept[0]


def nearest_mean_by_loops(features, labels, queries):
    answers = []
    for query in queries:
        distances = [((query - features[labels == k].mean(0)) ** 2).sum() for k in sorted(set(labels))]
        answers.append(int(np.argmin(distances)))
    return answers


test_other_right_ways_pass = pass_the_check(
    (max_pool_backward, max_pool_backward_by_torch),
    (layer_parameters, layer_parameters_by_torch),
    (read_layer, read_layer_by_probe),
    (read_layer, read_layer_by_a_copy),
    (nearest_mean, nearest_mean_by_loops),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def torch_without_indices(x, grad):
    """Paint every place that equals the largest of its window, as a mask does."""
    largest = x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2).max(axis=(1, 3))
    return np.kron(grad, np.ones((2, 2))) * (x == np.kron(largest, np.ones((2, 2))))


def counts_one_slice(kind, inputs, outputs, kernel, height, width):
    if kind == "convolution":
        return kernel * kernel * outputs + outputs
    return layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width)


def counts_channels_only(kind, inputs, outputs, kernel, height, width):
    if kind == "linear":
        return (inputs + 1) * outputs
    return layer_parameters_by_torch(kind, inputs, outputs, kernel, height, width)


def read_in_training_mode(model, name, x):
    kept = []
    handle = model.get_submodule(name).register_forward_hook(lambda *given: kept.append(given[2]))
    with torch.no_grad():
        model(x)
    handle.remove()
    return kept[0]


def read_layer_and_forget(model, name, x):
    kept, mode = [], model.training
    model.get_submodule(name).register_forward_hook(lambda layer, inputs, output: kept.append(output))
    model.eval()
    with torch.no_grad():
        model(x)
    model.train(mode)
    return kept[-1]


def read_layer_by_one_mode(model, name, x, copied=torch.clone):
    kept, mode = [], model.training
    hook = model.get_submodule(name).register_forward_hook(lambda *given: kept.append(copied(given[2])))
    with torch.no_grad():
        model.eval()(x)
    hook.remove()
    model.train(mode)
    return kept[0]


def nearest_neighbor(features, labels, queries):
    return np.array([labels[((features - query) ** 2).sum(1).argmin()] for query in queries])


def nearest_by_product(features, labels, queries):
    means = np.array([features[labels == k].mean(0) for k in range(labels.max() + 1)])
    return np.argmax(queries @ means.T, axis=1)


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (max_pool_backward, "Where the largest number stands twice in a window, both", torch_without_indices),
    (max_pool_backward, "The gradient was shared", lambda x, grad: np.kron(grad, np.ones((2, 2))) / 4),
    (layer_parameters, "A filter was counted", counts_one_slice),
    (layer_parameters, "The linear layer was counted", counts_channels_only),
    (read_layer, "The layer was read in training mode", read_in_training_mode),
    (read_layer, "The hook was left", read_layer_and_forget),
    (read_layer, "All parts were set alike", read_layer_by_one_mode),
    (
        read_layer,
        "What the hook kept was changed",
        lambda *given: read_layer_by_one_mode(*given, copied=torch.Tensor.detach),
    ),
    (nearest_mean, "The nearest single picture", nearest_neighbor),
    (nearest_mean, "The largest product", nearest_by_product),
)
