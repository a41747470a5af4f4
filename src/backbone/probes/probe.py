"""Activations and gradients of named layers, by hooks that do not stay."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack

import torch
from torch import nn

from backbone.checks import evaluating


class _Recorded(dict):
    """What was recorded, by layer; says what is wrong where a layer is asked for that did not run."""

    def __missing__(self, layer: str):
        raise KeyError(f"{layer} did not run within the block; recorded are: {', '.join(self) or 'none'}")


class Probe:
    """Record what named layers of a model give, while the ``with`` block lasts.

    ``with Probe(model, ["conv1", "relu1"]) as probe: logits = model(x)``

    Args:
        model: any module. It gets forward hooks when the block begins and loses them when it ends, also by an error.
        layers: names as in ``model.named_modules()``.
        evaluation: put the model into evaluation mode for the block, and each module back into its own mode after it.
            With False the modes stay as they are.

    Attributes:
        activations: layer -> its last output, a detached copy, (N, C, H, W) or (N, F). What a later layer does in
            place does not reach it. Kept after the block; emptied when the next one begins.

    Raises:
        ValueError: a name that the model does not have.
        TypeError: while the model runs, a layer that gives something other than a tensor.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str], *, evaluation: bool = True):
        self.model = model
        self.layers = tuple(known_layers(model, [layers] if isinstance(layers, str) else layers))
        self.evaluation = evaluation
        self.activations: dict[str, torch.Tensor] = _Recorded()
        self._outputs: dict[str, torch.Tensor] = {}
        self._stack, self._depth = ExitStack(), 0

    def __enter__(self) -> "Probe":
        if not self._depth:  # entered within itself, the hooks are on
            self.activations, self._outputs = _Recorded(), {}
            with ExitStack() as stack:
                if self.evaluation:
                    stack.enter_context(evaluating(self.model))
                for name in self.layers:
                    hook = self.model.get_submodule(name).register_forward_hook(self._recorder(name))
                    stack.callback(hook.remove)
                self._stack = stack.pop_all()  # nothing went wrong: what was put on stays on until the block ends
        self._depth += 1
        return self

    def __exit__(self, *error) -> None:
        self._depth -= 1
        if not self._depth:
            self._stack.close()

    def _recorder(self, name: str) -> Callable:
        def record(module, inputs, output):
            if not isinstance(output, torch.Tensor):
                raise TypeError(f"Probe: {name!r} gives a {type(output).__name__}; choose a layer that gives a tensor")
            self.activations[name] = output.detach().clone()
            self._outputs[name] = output
            # What follows gets a copy. If it works in place, the kept output stays as it was, and its gradient with it.
            return output.clone() if output.requires_grad else None

        return record

    def gradients(self, score: torch.Tensor) -> dict[str, torch.Tensor]:
        """Differentiate a score by the recorded outputs.

        Args:
            score: one number that the model computed within the block, such as ``logits[0, 3]`` or a loss.

        Returns:
            layer -> d score / d output, shaped as the layer's activation. No parameter's ``.grad`` is touched.

        Raises:
            ValueError: a score that is not one number, a layer that did not run, or one that the score does not depend
                on through autograd.
        """
        if score.numel() != 1:
            raise ValueError(f"gradients: score has shape {tuple(score.shape)}; it must be one number: pick or sum")
        for name in self.layers:
            if self._outputs and name not in self._outputs:
                raise ValueError(f"gradients: the model did not run {name!r} within the block")
        if not self._outputs or not score.requires_grad or not all(y.requires_grad for y in self._outputs.values()):
            raise ValueError(
                "gradients: nothing to differentiate; run the model within the block, outside of torch.no_grad() and "
                "torch.inference_mode(), and with parameters or an input that require gradients"
            )
        found = torch.autograd.grad(score, list(self._outputs.values()), retain_graph=True, allow_unused=True)
        for name, gradient in zip(self._outputs, found, strict=True):
            if gradient is None:
                raise ValueError(f"gradients: score does not depend on {name!r}")
        return dict(zip(self._outputs, found, strict=True))


def known_layers(model: nn.Module, names: Sequence[str]) -> list[str]:
    """Return the names, or raise ValueError where the model has no such layer."""
    known = [name for name, _ in model.named_modules() if name]
    names = list(names)
    for name in names or [None]:
        if name not in known:
            raise ValueError(f"layer {name!r} is not in the model; it has {', '.join(known)}")
    return names
