"""The network of `backbone.deep` from PyTorch's modules, whose gradients PyTorch finds by itself."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn

from backbone.layers import ACTIVATIONS


def autograd(weights, activation, normalization, residual, x, labels):
    """Return the loss; every layer's h; every dL/dh; every dL/dW, the output layer's last."""
    weights = [torch.tensor(weight, requires_grad=True) for weight in weights]
    phi = nn.Identity() if activation == "none" else ACTIVATIONS[activation].module()
    width = len(weights[0])
    norm = {None: nn.Identity(), "batch": nn.BatchNorm1d(width), "layer": nn.LayerNorm(width)}[normalization]
    norm = norm.double().train()
    h = [phi(norm(F.linear(torch.tensor(x), weights[0])))]
    for weight in weights[1:-1]:
        if residual:
            h.append(h[-1] + F.linear(phi(norm(h[-1])), weight))
        else:
            h.append(phi(norm(F.linear(h[-1], weight))))
    loss = F.cross_entropy(F.linear(h[-1], weights[-1]), torch.tensor(labels))
    grads = torch.autograd.grad(loss, [*h, *weights])
    return loss.item(), *([one.detach().numpy() for one in part] for part in (h, grads[: len(h)], grads[len(h) :]))
