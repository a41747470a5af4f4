"""The exercises of the chapter on neural networks, held against PyTorch and against functions as readers write them."""

import numpy as np
import pytest
import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.neural_networks import backward, collapse, softmax_cross_entropy

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


test_other_right_ways_pass = pass_the_check(
    (collapse, collapse_by_asking),
    (softmax_cross_entropy, softmax_cross_entropy_by_torch),
    (backward, backward_by_torch),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def forgets_the_bias(layers):
    W = layers[0][0]
    for weight, _ in layers[1:]:
        W = weight @ W
    return W, layers[-1][1]


def counts_from_one(logits, y):
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y - 1] + 1e-300))


def takes_one_maximum(logits, y):
    powers = np.exp(logits - np.max(logits))
    return np.mean(np.log(powers.sum(axis=1)) - (logits - np.max(logits))[range(len(y)), y])


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (collapse, "Only the last bias", forgets_the_bias),
    (softmax_cross_entropy, "The classes were counted", counts_from_one),
    (softmax_cross_entropy, "One maximum was taken", takes_one_maximum),
)


def test_each_mistake_of_backward_shows_in_the_shapes_it_is_made_for():
    small = backward.cases[0].arguments
    right = backward(*small)
    assert [part.shape for part in right] == [(4, 3), (4,), (2, 4), (2,)]
    for message, wrong in backward.mistakes:
        if message.startswith("On the way back W2 was transposed."):
            with pytest.raises(ValueError, match="mismatch"):
                wrong(*small)
        elif message.startswith("The weights' gradients came out transposed."):
            assert wrong(*small)[0].shape == (3, 4)
        else:
            assert not np.allclose(wrong(*small)[0], right[0])
