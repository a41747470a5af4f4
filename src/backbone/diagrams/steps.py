"""A module as steps one after the other, with forks in between: read from the module by running it symbolically."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import fx, nn
from torch.fx.passes.shape_prop import ShapeProp

from backbone.checks import evaluating
from backbone.models.resnet import PadShortcut

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
NORMS = (*BATCH_NORMS, nn.GroupNorm)
ACTIVATIONS = (nn.ReLU, nn.Sigmoid, nn.Tanh)
POOLINGS = {nn.MaxPool2d: "max", nn.AvgPool2d: "mean"}
JOINS = {"add": "add", "iadd": "add", "cat": "cat"}


@dataclass(frozen=True)
class Step:
    """One box.

    Attributes:
        lines: the words in it.
        parameters: how many numbers it learns, 0 for what has none.
        kind: "weights", "norm" or "plain".
    """

    lines: tuple[str, ...]
    parameters: int = 0
    kind: str = "plain"


@dataclass(frozen=True)
class Fork:
    """Branches side by side that are put together again.

    Attributes:
        branches: each a list of steps and forks; empty where the input goes past.
        join: "add" or "cat".
        channels: of what comes out.
    """

    branches: tuple[list, ...]
    join: str
    channels: int


class _Tracer(fx.Tracer):
    def is_leaf_module(self, module: nn.Module, name: str) -> bool:
        return isinstance(module, PadShortcut) or super().is_leaf_module(module, name)


def steps_of(module: nn.Module, shape: Sequence[int], short: bool = False) -> list[Step | Fork]:
    """Return what a module does to maps of shape (N, C, H, W).

    Args:
        module: of layers, additions and concatenations; its forward must not depend on numbers.
        shape: of its input.
        short: leave out norms and activations, and the words around numbers.
    """
    traced = fx.GraphModule(module, _Tracer().trace(module))
    device = next(iter(module.parameters())).device
    with torch.no_grad(), evaluating(traced):
        ShapeProp(traced).propagate(torch.zeros(tuple(shape), device=device))
    nodes = list(traced.graph.nodes)
    return _path(traced, nodes[0], nodes[-1], short)


def _path(traced: fx.GraphModule, node: fx.Node, stop: fx.Node, short: bool) -> list[Step | Fork]:
    """Return the steps from a node to another, the other not included."""
    found = []
    while node is not stop:
        step = _step(traced, node, short)
        found += [step] if step else []
        users = list(node.users)
        if len(users) == 1:
            node = users[0]
            continue
        join = _join(traced, users)
        branches = tuple(_path(traced, user, join, short) for user in users)
        found.append(Fork(branches, JOINS[join.target.__name__], join.meta["tensor_meta"].shape[1]))
        node = join
    return _grouped(found)


def _join(traced: fx.GraphModule, users: Sequence[fx.Node]) -> fx.Node:
    """Return the first node that all branches lead to."""
    reached = [{user} for user in users]
    for node in traced.graph.nodes:
        for nodes in reached:
            if nodes & set(node.all_input_nodes):
                nodes.add(node)
        if all(node in nodes for nodes in reached):
            break
    if getattr(node.target, "__name__", "") not in JOINS:
        raise ValueError("steps_of: some branches never meet in an addition or a concatenation; draw it in parts")
    return node


def _step(traced: fx.GraphModule, node: fx.Node, short: bool) -> Step | None:
    """Return the box for a node, None where nothing is to be drawn."""
    if node.op != "call_module":
        return None
    module = traced.get_submodule(node.target)
    count = sum(one.numel() for one in module.parameters())
    if isinstance(module, nn.Conv2d):
        return Step(_conv(module, short), count, "weights")
    if isinstance(module, PadShortcut):
        return Step(
            (
                f"every {module.stride}nd place" if module.stride == 2 else "all places",
                f"+ {module.new_channels} maps of 0",
            )
        )
    if type(module) in POOLINGS:
        return Step((POOLINGS[type(module)], _window(module)))
    if short or not isinstance(module, NORMS + ACTIVATIONS):
        return None
    if isinstance(module, NORMS):
        return Step(("BN" if isinstance(module, BATCH_NORMS) else type(module).__name__,), count, "norm")
    return Step((type(module).__name__,))


def _conv(module: nn.Conv2d, short: bool) -> tuple[str, ...]:
    lines = f"{'' if short else 'conv '}{_window(module)}", f"{module.out_channels}{'' if short else ' maps'}"
    return lines if module.groups == 1 else (*lines, f"{module.groups} groups")


def _window(module: nn.Module) -> str:
    """Return "3×3", and its stride where it is not 1."""
    sides, stride = (
        value if isinstance(value, tuple) else (value, value) for value in (module.kernel_size, module.stride)
    )
    return f"{sides[0]}×{sides[1]}" + (f" /{stride[0]}" if stride[0] > 1 else "")


def _grouped(steps: list[Step | Fork]) -> list[Step | Fork]:
    """Put each convolution into one box with the norm and the activation that belong to it."""
    first = next((step.kind for step in steps if isinstance(step, Step)), "")
    groups = []
    for step in steps:
        last = groups[-1] if groups else None
        joins = (
            isinstance(step, Step)
            and isinstance(last, Step)
            and (last.kind == "norm" if first == "norm" else step.kind != "weights" and last.kind == "weights")
        )
        if joins and not {step.lines[0], last.lines[0]} & set(POOLINGS.values()):
            kind = "weights" if "weights" in (step.kind, last.kind) else "norm"
            groups[-1] = Step(last.lines + step.lines, last.parameters + step.parameters, kind)
        else:
            groups.append(step)
    return groups
