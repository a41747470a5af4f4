"""What a network is made of: shapes, parameters, multiply-adds, memory and receptive fields, layer by layer."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

BYTES = 4  # of a float32
COLUMNS = ("layer", "type", "output", "parameters", "multiply-adds", "memory, KiB", "receptive field")


@dataclass(frozen=True)
class LayerRow:
    """One layer of a network.

    Attributes:
        name: as in ``model.named_modules()``.
        kind: the class of the module.
        shape: of its output for the pictures given, the batch included.
        parameters: numbers that training changes.
        multiply_adds: of convolutions and linear layers for the whole batch, biases not counted, as papers do; 0 for
            the rest.
        memory: bytes of its output in float32.
        field: side of the receptive field of one number of its output, in pixels of the picture, which may be smaller.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    memory: int
    field: int


@dataclass(frozen=True)
class Summary:
    """All layers of a network in the order in which they ran; a notebook shows it as a table."""

    rows: tuple[LayerRow, ...]

    @property
    def parameters(self) -> int:
        """Of all layers together."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Of all layers together."""
        return sum(row.multiply_adds for row in self.rows)

    @property
    def memory(self) -> int:
        """Bytes of all outputs together, which training has to keep for the way back."""
        return sum(row.memory for row in self.rows)

    def _cells(self) -> list[tuple[str, ...]]:
        rows = [*self.rows, LayerRow("total", "", (), self.parameters, self.multiply_adds, self.memory, 0)]
        return [
            (
                row.name,
                row.kind,
                " × ".join(map(str, row.shape[1:])),
                f"{row.parameters:,}",
                f"{row.multiply_adds:,}",
                f"{row.memory / 1024:,.1f}",
                str(row.field or ""),
            )
            for row in rows
        ]

    def __repr__(self) -> str:
        table = [COLUMNS, *self._cells()]
        widths = [max(len(row[i]) for row in table) for i in range(len(COLUMNS))]
        return "\n".join(
            "  ".join(
                cell.ljust(width) if i < 3 else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            for row in table
        )

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in self._cells()
        )
        table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        # It scrolls inside itself where it is too wide, which must be possible by key as well.
        return f'<div class="bb-summary" role="region" aria-label="Layers" tabindex="0">{table}</div>'


class _Traced(torch.Tensor):
    """A tensor that knows how far into the picture it looks; what is made of several looks as far as the farthest."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs or {})
        if isinstance(result, cls):
            result.field, result.jump = _seen(args)
        return result


def _seen(values) -> tuple[int, int]:
    """Return the largest field and step among all traced tensors in nested arguments."""
    found = [(1, 1)]
    for value in values:
        if isinstance(value, _Traced):
            found.append((getattr(value, "field", 1), getattr(value, "jump", 1)))
        elif isinstance(value, tuple | list):
            found.append(_seen(value))
    return max(field for field, _ in found), max(jump for _, jump in found)


def summary(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Send zeros through a network in eval mode, and list its layers: the modules that have no modules in them.

    Args:
        model: any network of modules; it is left as it was.
        input_shape: of a batch of pictures, (N, C, H, W).

    Returns:
        A row for each time that a layer ran.

    Raises:
        ValueError: the shape is not (N, C, H, W), or the network does not take it.
    """
    shape = tuple(input_shape)
    if len(shape) != 4 or any(not isinstance(size, int) or size < 1 for size in shape):
        raise ValueError(f"summary: input_shape is {shape}; it must be four whole numbers from 1, (N, C, H, W)")
    rows, handles, was_training = [], [], model.training
    for name, layer in model.named_modules():
        if not list(layer.children()):
            handles.append(layer.register_forward_hook(lambda *call, name=name: _note(rows, name, *call)))
    weight = next(model.parameters(), torch.zeros(1))
    try:
        with torch.no_grad():
            model.eval()(torch.zeros(shape, dtype=weight.dtype, device=weight.device).as_subclass(_Traced))
    except RuntimeError as error:
        raise ValueError(f"summary: the network does not take pictures of shape {shape}: {error}") from error
    finally:
        model.train(was_training)
        for handle in handles:
            handle.remove()
    return Summary(tuple(rows))


def _note(rows: list, name: str, layer: nn.Module, args: tuple, output: torch.Tensor) -> None:
    """Add a layer's row, and tell its output how far it looks."""
    field, jump = _seen(args)
    kernel, stride = _window(layer, args[0])
    output.field, output.jump = field + (kernel - 1) * jump, jump * stride
    rows.append(
        LayerRow(
            name,
            type(layer).__name__,
            tuple(output.shape),
            sum(parameter.numel() for parameter in layer.parameters()),
            _multiply_adds(layer, output),
            output.numel() * BYTES,
            output.field,
        )
    )


def _multiply_adds(layer: nn.Module, output: torch.Tensor) -> int:
    """Return one multiply-add for each weight that goes into each number of the output."""
    weights = layer.weight[0].numel() if isinstance(layer, nn.Conv2d | nn.Linear) else 0
    return output.numel() * weights


def _window(layer: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    """Return how many numbers along the longer side a layer looks at, and its stride."""
    if isinstance(layer, nn.AdaptiveAvgPool2d):
        return max(-(-size // _longer(layer.output_size)) for size in x.shape[2:]), 1
    if not hasattr(layer, "kernel_size"):
        return 1, 1
    kernel, stride, dilation = (_longer(getattr(layer, name, 1)) for name in ("kernel_size", "stride", "dilation"))
    return dilation * (kernel - 1) + 1, stride


def _longer(value) -> int:
    return max(value) if isinstance(value, tuple) else value
