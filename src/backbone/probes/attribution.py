"""What a score depends on: covering parts of a picture, and Grad-CAM."""

import numpy as np
import torch
from torch import nn

from backbone.checks import evaluating, integer, tensor
from backbone.ops import output_size
from backbone.probes.probe import Probe


def occlusion(model, x, target, size=8, stride=4, fill=0.0, batch_size=50) -> torch.Tensor:
    """Cover one window of a picture after another, and see how far the score of a class falls.

    Args:
        model: gives (N, K); run in evaluation mode, without gradients.
        x: one picture as the model takes it, (1, C, H, W).
        target: the class, 0 to K-1.
        size: side of the window in pixels.
        stride: pixels from one window to the next.
        fill: what covers, in the units of x: a number, or (C,) for a color.
        batch_size: windows a step.

    Returns:
        (rows, columns) of windows: score of the whole picture minus score of the covered one. Above zero the window
        spoke for the class, below zero against it.

    Raises:
        ValueError: more than one picture, a window that does not fit, no such class, or a model that gives no scores.

    Source: Zeiler and Fergus, "Visualizing and understanding convolutional networks", ECCV 2014, section 4.2.
    """
    if tensor("occlusion", "x", x).ndim != 4 or len(x) != 1:
        raise ValueError(f"occlusion: x has shape {tuple(x.shape)}; it must be one picture, (1, C, H, W)")
    batch_size = integer("occlusion", "batch_size", batch_size, 1)
    rows, columns = (output_size(pixels, size, stride) for pixels in x.shape[2:])
    cover = torch.as_tensor(fill, dtype=x.dtype).reshape(-1, 1, 1)
    corners = [(stride * row, stride * column) for row in range(rows) for column in range(columns)]
    scores = []
    with torch.no_grad(), evaluating(model):
        whole = _scores("occlusion", model(x), 1, target)
        for first in range(0, len(corners), batch_size):
            some = corners[first : first + batch_size]
            covered = x.repeat(len(some), 1, 1, 1)
            for picture, (top, left) in zip(covered, some, strict=True):
                picture[:, top : top + size, left : left + size] = cover
            scores.append(_scores("occlusion", model(covered), len(some), target))
    return whole - torch.cat(scores).view(rows, columns)


def grad_cam(model: nn.Module, layer: str, x: torch.Tensor, target: int | torch.Tensor) -> torch.Tensor:
    """Weigh a layer's maps by their mean gradient, add them, and keep what is positive.

    Args:
        model: gives (N, K); run in evaluation mode.
        layer: a layer with output (N, C, h, w).
        x: (N, C, H, W), as the model takes it.
        target: one class for all pictures, or (N,) classes.

    Returns:
        (N, h, w): ReLU of the sum over channels of activation times the mean gradient of the class's score. In the
        layer's own resolution; enlarge it with ``torch.nn.functional.interpolate``.

    Raises:
        ValueError: no batch of pictures, an unknown layer, one that does not run or has no maps, no such class, or a
            model that gives no scores.

    Source: Selvaraju et al., "Grad-CAM", ICCV 2017, equations 1 and 2. Adebayo et al., "Sanity checks for saliency
    maps", NeurIPS 2018: a map that looks right may not depend on what was learned; compare with random weights.
    """
    if tensor("grad_cam", "x", x).ndim != 4:
        raise ValueError(f"grad_cam: x has shape {tuple(x.shape)}; it must be (N, C, H, W), x[None] for one picture")
    with torch.inference_mode(False), torch.enable_grad(), Probe(model, [layer]) as probe:
        logits = model(x.detach().clone().requires_grad_())
        # Pictures do not touch each other in evaluation mode, so one sum gives every picture its own gradient.
        score = _scores("grad_cam", logits, len(x), target).sum()
        if layer not in probe.activations:
            raise ValueError(f"grad_cam: the model does not run {layer!r}; choose a layer that it runs")
        activation = probe.activations[layer]
        if activation.ndim != 4:
            raise ValueError(
                f"grad_cam: {layer!r} gives {tuple(activation.shape)}; choose a layer with maps (N, C, h, w)"
            )
        weights = probe.gradients(score)[layer].mean((2, 3), keepdim=True)
        return (weights * activation).sum(1).relu()


def _scores(name: str, logits: torch.Tensor, count: int, target: int | torch.Tensor) -> torch.Tensor:
    """Return the score (N,) of one class for all pictures, or of a class for each, checked."""
    if not isinstance(logits, torch.Tensor) or logits.ndim != 2 or len(logits) != count:
        given = f"shape {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else f"a {type(logits).__name__}"
        raise ValueError(f"{name}: for {count} pictures the model gives {given}; it must give scores, a tensor (N, K)")
    classes = np.asarray(target.tolist() if isinstance(target, torch.Tensor) else target)
    fits = classes.dtype.kind in "iu" and classes.shape in ((), (1,), (count,))
    if not fits or classes.min() < 0 or classes.max() >= logits.shape[1]:
        raise ValueError(
            f"{name}: target is {target!r}; it must be a class from 0 to {logits.shape[1] - 1}, or one for each picture"
        )
    return logits[range(count), torch.as_tensor(classes).expand(count)]
