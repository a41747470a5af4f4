"""What a network is made of: shapes, parameters, multiply-adds, memory and receptive fields, layer by layer."""

import math
import operator
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.parametrize import is_parametrized, type_before_parametrizations

from backbone.checks import evaluating
from backbone.table import Table

BYTES = 4  # of a float32
WEIGHTED = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
ADAPTIVE = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
# Their kernels do not slide over the input from stride to stride.
OTHER_WINDOWS = (*TRANSPOSED, nn.MaxUnpool2d, nn.FractionalMaxPool2d, nn.Fold, nn.Unfold)
MIXING = ("conv", "pool", "fold", "interpolate", "sample")  # in the names of functions that bring places together
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
        parameters: numbers that training changes, without those that a row above has counted.
        multiply_adds: of convolutions and linear layers for the whole batch, biases not counted, as papers do; 0 for
            the rest.
        memory: bytes of its output in float32.
        field: side of the receptive field of one number of its output, in pixels of the picture, which may be smaller;
            of Flatten that of all numbers together, as the next layer sees them. 0 where it is not known: behind a
            layer that makes maps larger, or a convolution or pooling that is called as a function.
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
    """All layers of a network in the order in which they ran; a notebook shows it as a table.

    Attributes:
        rows: one for each time that a layer ran.
        idle: parameters of the network that are in no row: those of a layer that did not run, such as a head that is
            used in training only, and those that are no layer's, such as a scale or the weights of attention.
    """

    rows: tuple[LayerRow, ...]
    idle: int = 0

    @property
    def parameters(self) -> int:
        """Of all layers that ran, each counted once, however often it ran or is shared."""
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
        cells = [
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
        return [*cells, ("in no row above", "", "", f"{self.idle:,}", "", "", "")] if self.idle else cells

    def _table(self) -> Table:
        return Table([dict(zip(COLUMNS, row, strict=True)) for row in self._cells()], totals=1 + bool(self.idle))

    def __repr__(self) -> str:
        return repr(self._table())

    def _repr_html_(self) -> str:
        return self._table()._repr_html_()


class _Traced(torch.Tensor):
    """A tensor that knows how far into the picture it looks; what is made of several looks as far as the farthest."""

    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        result = super().__torch_function__(function, types, args, kwargs or {})
        parts = result if isinstance(result, tuple | list) else [result]  # a split gives several
        parts = [part for part in parts if isinstance(part, cls)]
        if parts:
            with torch._C.DisableTorchFunctionSubclass():  # or the next lines would call this again
                given = _traced([*args, *(kwargs or {}).values()])
                for part in parts:
                    part.field, part.jump = _look(function.__name__, given, part)
        return result


def _traced(values) -> list[_Traced]:
    """Return all traced tensors in nested arguments."""
    found = []
    for value in values:
        if isinstance(value, _Traced):
            found.append(value)
        elif isinstance(value, tuple | list):
            found += _traced(value)
    return found


def _seen(given: Sequence[_Traced]) -> tuple[float, int]:
    """Return the largest field and step among traced tensors."""
    fields, jumps = ([getattr(x, name, 1) for x in given] for name in ("field", "jump"))
    return max(fields, default=1), max(jumps, default=1)


def _look(function: str, given: Sequence[_Traced], result: torch.Tensor) -> tuple[float, int]:
    """Return field and step of what a function made of traced tensors; the field is infinite where it is not known."""
    field, jump = _seen(given)
    maps = [x.shape[2:] for x in given if x.ndim == 4]
    if any(word in function for word in MIXING):
        return math.inf, jump
    if not maps or function in ("pad", "__getitem__"):
        return field, jump
    before, after = max(maps, key=math.prod), result.shape[2:]
    if after == before:
        return field, jump
    if result.ndim == 2 or set(after) == {1}:  # flattened, or a mean: whatever comes next sees all places
        return field + (max(before) - 1) * jump, jump
    return math.inf, jump


def summary(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Send zeros through a network in eval mode, and list its layers: the modules that have no modules in them.

    Args:
        model: any network of modules; it is left as it was.
        input_shape: of a batch of pictures, (N, C, H, W).

    Returns:
        A row for each time that a layer ran, and how many parameters are in none.

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
    rows, counted, weight = [], set(), next(model.parameters(), torch.zeros(1))
    with ExitStack() as stack:
        for name, layer in _layers(model):
            hook = layer.register_forward_hook(lambda *call, name=name: _note(rows, counted, name, *call))
            stack.callback(hook.remove)
        try:
            with torch.no_grad(), evaluating(model):
                model(torch.zeros(shape, dtype=weight.dtype, device=weight.device).as_subclass(_Traced))
        except RuntimeError as error:
            raise ValueError(f"summary: the network does not take pictures of shape {shape}: {error}") from error
    left = [one for one in model.parameters() if one not in counted and not is_lazy(one)]
    return Summary(tuple(rows), sum(one.numel() for one in left))


def _layers(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Give the modules without modules in them; what makes up a parametrized layer's weight does not count as such."""
    inner = set()
    for name, module in model.named_modules():
        if is_parametrized(module):
            inner |= set(module.parametrizations.modules())
        if module not in inner and not set(module.children()) - inner:
            yield name, module


def _note(rows: list, counted: set, name: str, layer: nn.Module, args: tuple, output: torch.Tensor) -> None:
    """Add a layer's row, and tell its output how far it looks."""
    if not args or not isinstance(args[0], torch.Tensor) or not isinstance(output, torch.Tensor):
        raise ValueError(
            f"summary: {name or 'the network'} ({type(layer).__name__}) does not take and give one tensor, by "
            "position; it has no row. Layers such as LSTM are beyond this table"
        )
    field, jump = _seen(_traced(args))
    window = _window(layer)
    if window:
        output.field, output.jump = field + (window.kernel - 1) * jump, jump * window.stride
    elif isinstance(layer, ADAPTIVE):
        output.field, output.jump = field + (_share(layer, args[0]) - 1) * jump, jump
    new = set(layer.parameters()) - counted
    counted |= new
    rows.append(
        LayerRow(
            name,
            type_before_parametrizations(layer).__name__,
            tuple(output.shape),
            sum(parameter.numel() for parameter in new),
            _multiply_adds(layer, args[0], output),
            output.numel() * BYTES,
            0 if math.isinf(field := getattr(output, "field", math.inf)) else field,
            tuple(args[0].shape),
            window,
        )
    )


def _multiply_adds(layer: nn.Module, x: torch.Tensor, output: torch.Tensor) -> int:
    """Return one multiply-add for each weight that goes into each number of the output."""
    if isinstance(layer, TRANSPOSED):  # there each number of the input meets all weights of its channel
        return x.numel() * layer.weight[0].numel()
    return output.numel() * layer.weight[0].numel() if isinstance(layer, WEIGHTED) else 0


def _window(layer: nn.Module) -> Window | None:
    if not hasattr(layer, "kernel_size") or isinstance(layer, OTHER_WINDOWS):
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
    """Return how many places along the longer side an adaptive pooling looks at."""
    wanted = layer.output_size if isinstance(layer.output_size, tuple) else [layer.output_size] * 2
    return max(-(-size // (side or size)) for size, side in zip(x.shape[2:], wanted, strict=True))  # None keeps a side


def _longer(value) -> int:
    return max(value) if isinstance(value, tuple) else value
