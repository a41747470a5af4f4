"""What a network is made of: shapes, parameters, multiply-adds, memory and receptive fields, layer by layer."""

import html
import operator
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import nn

from backbone.checks import evaluating

BYTES = 4  # of a float32
COLUMNS = ("layer", "type", "output", "parameters", "multiply-adds", "memory, KiB", "receptive field")


@dataclass(frozen=True)
class Window:
    """How a convolution or a pooling moves over its input; of unequal sides the longer one.

    Attributes:
        kernel: side of the window, in places of the input, gaps of a dilation included.
        stride: places from one window to the next.
        padding: places added on each side.
        ceil: whether a last window that does not fit is taken all the same.
    """

    kernel: int
    stride: int
    padding: int
    ceil: bool


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
        field: side of the receptive field of one number of its output, in pixels of the picture, which may be smaller;
            of Flatten that of all numbers together, as the next layer sees them.
        fed: shape of its input, the batch included.
        window: of a convolution or a pooling with a kernel; else None.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int
    memory: int
    field: int
    fed: tuple[int, ...] = ()
    window: Window | None = None


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
        seen = _seen([*args, *(kwargs or {}).values()])
        for part in result if isinstance(result, tuple | list) else [result]:  # a split gives several
            if isinstance(part, cls):
                part.field, part.jump = seen
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
        ValueError: the shape is not (N, C, H, W), the network does not take it, or a layer does not take and give one
            tensor.
    """
    try:
        shape = tuple(map(operator.index, input_shape))
    except TypeError:
        shape = ()
    if len(shape) != 4 or min(shape) < 1:
        raise ValueError(f"summary: input_shape is {input_shape!r}; it must be four whole numbers from 1, (N, C, H, W)")
    rows, weight = [], next(model.parameters(), torch.zeros(1))
    with ExitStack() as stack:
        for name, layer in model.named_modules():
            if not list(layer.children()):
                hook = layer.register_forward_hook(lambda *call, name=name: _note(rows, name, *call))
                stack.callback(hook.remove)
        try:
            with torch.no_grad(), evaluating(model):
                model(torch.zeros(shape, dtype=weight.dtype, device=weight.device).as_subclass(_Traced))
        except RuntimeError as error:
            raise ValueError(f"summary: the network does not take pictures of shape {shape}: {error}") from error
    return Summary(tuple(rows))


def _note(rows: list, name: str, layer: nn.Module, args: tuple, output: torch.Tensor) -> None:
    """Add a layer's row, and tell its output how far it looks."""
    if not args or not isinstance(args[0], torch.Tensor) or not isinstance(output, torch.Tensor):
        raise ValueError(
            f"summary: {name or 'the network'} ({type(layer).__name__}) does not take and give one tensor, by "
            "position; it has no row. Layers such as LSTM are beyond this table"
        )
    field, jump = _seen(args)
    window = _window(layer)
    kernel, stride = (window.kernel, window.stride) if window else (_share(layer, args[0]), 1)
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
            tuple(args[0].shape),
            window,
        )
    )


def _multiply_adds(layer: nn.Module, output: torch.Tensor) -> int:
    """Return one multiply-add for each weight that goes into each number of the output."""
    weights = layer.weight[0].numel() if isinstance(layer, nn.Conv2d | nn.Linear) else 0
    return output.numel() * weights


def _window(layer: nn.Module) -> Window | None:
    if not hasattr(layer, "kernel_size"):
        return None
    kernel, stride, padding, dilation = (
        _longer(getattr(layer, name, default))
        for name, default in (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1))
    )
    kernel = dilation * (kernel - 1) + 1
    if isinstance(padding, str):
        padding = kernel // 2 if padding == "same" else 0
    return Window(kernel, stride, padding, getattr(layer, "ceil_mode", False))


def _share(layer: nn.Module, x: torch.Tensor) -> int:
    """Return how many places along the longer side a layer without a kernel looks at."""
    if isinstance(layer, nn.AdaptiveAvgPool2d | nn.AdaptiveMaxPool2d):
        wanted = layer.output_size if isinstance(layer.output_size, tuple) else [layer.output_size] * 2
        return max(
            -(-size // (side or size)) for size, side in zip(x.shape[2:], wanted, strict=True)
        )  # None keeps a side
    if isinstance(layer, nn.Flatten):  # the linear layer behind it sees all places
        return max(x.shape[2:], default=1)
    return 1


def _longer(value) -> int:
    return max(value) if isinstance(value, tuple) else value
