"""What a unit answers to: the real patches that it scores highest, and its receptive field."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from backbone.checks import integer
from backbone.ops import ReceptiveField
from backbone.probes.probe import Probe, known_layers

# Each of their outputs depends on all places of the input.
WHOLE = (
    nn.GroupNorm,
    nn.LayerNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.AdaptiveAvgPool2d,
    nn.AdaptiveMaxPool2d,
)


@dataclass(frozen=True)
class TopPatches:
    """For each of U units the k patches that it scores highest, best first, from k different pictures.

    Attributes:
        units: (U,) int64, the units' channels.
        patches: (U, k, C, h, w), cut from the pictures; what lies outside a picture has the value ``fill``.
        scores: (U, k), the unit's activation there.
        pictures: (U, k) int64, which picture.
        places: (U, k, 2) int64, row and column in the layer's map.
        corners: (U, k, 2) int64, the patch's first row and column in the picture; a negative one lies outside.
        fields: the receptive field along rows and along columns.
    """

    units: torch.Tensor
    patches: torch.Tensor
    scores: torch.Tensor
    pictures: torch.Tensor
    places: torch.Tensor
    corners: torch.Tensor
    fields: tuple[ReceptiveField, ReceptiveField]


def top_patches(
    model: nn.Module,
    layer: str,
    images: torch.Tensor,
    k: int = 9,
    *,
    units: Sequence[int] | None = None,
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
    inside: bool = False,
    fill: float = 0.0,
    batch_size: int = 50,
) -> TopPatches:
    """Find, for each unit of a layer, the real patches that it answers to most.

    A unit is one channel of the layer; it is tried at every place of every picture, and each picture gives its best
    place only. Ties go to the earlier picture, and within it to the upper left.

    Args:
        model: run in evaluation mode, without gradients, and left as it was.
        layer: name of a layer with output (N, U, h, w), or (N, U), whose field is the whole picture.
        images: (N, C, H, W), the pictures as they are to be cut.
        k: patches for each unit, at most N.
        units: channels to look at; all when None.
        transform: turns a batch of ``images`` into the model's input of the same height and width; None if it is one.
        inside: try only places whose receptive field lies wholly inside the picture. Padding can look like an edge.
        fill: value of what lies outside a picture.
        batch_size: pictures a step.

    Raises:
        ValueError: an unknown layer or unit, an impossible k, a transform that changes the size, no place inside, or
            scores that are not numbers; and as ``receptive_fields``.

    Source: Girshick et al., "Rich feature hierarchies", CVPR 2014, section 3.1 (there without overlaps).
    """
    known_layers(model, [layer])
    if images.ndim != 4:
        raise ValueError(f"top_patches: images have shape {tuple(images.shape)}; they must be (N, C, H, W)")
    k = integer("top_patches", "k", k, 1, len(images), suffix=", for each picture gives one patch")
    batch_size = integer("top_patches", "batch_size", batch_size, 1)
    transform = transform or (lambda batch: batch)
    fields = receptive_fields(model, layer, transform(images[:1]).shape[1:])
    scores, at, width = _best_places(model, layer, images, transform, fields if inside else None, batch_size)
    if scores.isnan().any():
        worst = int(scores.isnan().any(dim=1).nonzero()[0])
        raise ValueError(f"top_patches: {layer!r} gives NaN for picture {worst}; look for NaN in images and weights")
    units = torch.as_tensor(range(scores.shape[1]) if units is None else units)
    if units.ndim != 1 or not len(units) or units.min() < 0 or units.max() >= scores.shape[1]:
        raise ValueError(f"top_patches: units are {units.tolist()}; name some of {layer!r}, 0 to {scores.shape[1] - 1}")
    scores, order = scores[:, units].sort(dim=0, descending=True, stable=True)
    pictures = order[:k].T  # (U, k)
    at = at[:, units].gather(0, order[:k]).T
    places = torch.stack([at // width, at % width], dim=-1)  # (U, k, 2)
    corners = places * torch.tensor([field.jump for field in fields]) + torch.tensor([field.start for field in fields])
    size = tuple(field.size for field in fields)
    chosen = zip(pictures.ravel(), corners.view(-1, 2), strict=True)
    patches = torch.stack([_cut(images[n], corner, size, fill) for n, corner in chosen])
    patches = patches.view(*pictures.shape, images.shape[1], *size)
    return TopPatches(units, patches, scores[:k].T, pictures, places, corners, fields)


def _best_places(model, layer, images, transform, fields, batch_size) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Return each picture's best score for each unit, where in the flattened map it is, and the map's width."""
    scores, places, width = [], [], 1
    for batch in images.split(batch_size):
        x = transform(batch)
        if x.shape[2:] != images.shape[2:]:
            raise ValueError(
                f"top_patches: transform turns {tuple(images.shape[2:])} into {tuple(x.shape[2:])}; it must keep "
                "height and width, for the patches are cut from images: resize them before"
            )
        with torch.no_grad(), Probe(model, [layer]) as probe:
            model(x)
        maps = probe.activations[layer]
        if maps.ndim == 2:
            maps = maps[:, :, None, None]
        if fields:
            _cover_outside(maps, fields, x.shape[2:], layer)
        best = maps.flatten(2).max(dim=2)
        scores.append(best.values)
        places.append(best.indices)
        width = maps.shape[3]
    return torch.cat(scores), torch.cat(places), width


def _cover_outside(maps, fields, size, layer) -> None:
    """Set every place of the maps whose field leaves the picture to minus infinity."""
    for axis, field in enumerate(fields):
        spans = [field.pixels(index) for index in range(maps.shape[2 + axis])]
        out = torch.tensor([span.start < 0 or span.stop > size[axis] for span in spans])
        if out.all():
            raise ValueError(f"top_patches: no field of {layer!r} lies inside {tuple(size)}; use inside=False")
        maps.index_fill_(2 + axis, out.nonzero().ravel(), -torch.inf)


def _cut(image, corner, size, fill) -> torch.Tensor:
    """Cut (C, h, w) out of a picture (C, H, W), from a corner that may lie outside it."""
    patch = torch.full((len(image), *size), fill, dtype=image.dtype)
    (top, left), (height, width) = corner.tolist(), image.shape[1:]
    rows = slice(max(top, 0), min(top + size[0], height))
    columns = slice(max(left, 0), min(left + size[1], width))
    patch[:, rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = image[:, rows, columns]
    return patch


def receptive_fields(model: nn.Module, layer: str, shape: Sequence[int]) -> tuple[ReceptiveField, ReceptiveField]:
    """Measure the receptive field of a layer's units, along rows and along columns.

    A copy of the model gets positive averages for weights and for max pooling, in float64. Then no path can cancel
    or die, and a unit's gradient is positive exactly at the pixels that it can depend on, branches included. The
    picture is made longer until the field of a unit in the middle ends inside it.

    Args:
        model: not touched.
        layer: a layer of it.
        shape: (C, H, W) of the model's input.

    Returns:
        The fields. A layer without places, as after flattening or global pooling, sees the whole picture.

    Raises:
        ValueError: an unknown layer, one that does not run or gives neither maps (N, C, h, w) nor (N, F), or one that
            nothing in the picture reaches; a field of more than eight pictures, or a shape that is not (C, H, W).
    """
    known_layers(model, [layer])
    shape = tuple(integer("receptive_fields", f"shape[{i}]", size, 1) for i, size in enumerate(shape))
    if len(shape) != 3:
        raise ValueError(f"receptive_fields: shape is {shape}; it must be that of one picture, (C, H, W)")
    with torch.inference_mode(False), torch.enable_grad():
        twin = _averaging_twin(model)
        return tuple(_field_along(twin, layer, shape, axis) for axis in (1, 2))


class _ReachedError(Exception):
    """Carries a layer's output out of a forward pass, so that what follows it is not run."""


def _field_along(twin, layer, shape, axis) -> ReceptiveField:
    for factor in (1, 2, 4, 8):
        longer = tuple(size * (factor if number == axis else 1) for number, size in enumerate(shape))
        # Small, because skips add up, and ReLU6 passes no gradient above 6.
        x = torch.full((1, *longer), 1e-6, dtype=torch.float64, requires_grad=True)
        y = _output_at(twin, layer, x)
        if y.ndim not in (2, 4):
            raise ValueError(
                f"receptive_fields: {layer!r} gives {tuple(y.shape)}; choose a layer with maps (N, C, h, w), or (N, F)"
            )
        if y.ndim == 2 or (y.shape[axis + 1] == 1 and factor > 2):  # one place, however long the picture
            return ReceptiveField(shape[axis], shape[axis], 0)
        if y.shape[axis + 1] == 1:
            continue
        middle = y.shape[axis + 1] // 2
        first, last = _touched(x, y, axis + 1, middle, layer)
        if first > 0 and last < longer[axis] - 1:
            jump = first - _touched(x, y, axis + 1, middle - 1, layer)[0]
            return ReceptiveField(last - first + 1, jump, first - middle * jump)
    kinds = {type(module).__name__ for module in twin.modules() if isinstance(module, WHOLE)}
    cause = f"; {', '.join(sorted(kinds))} in the model brings in every place of the picture" if kinds else ""
    raise ValueError(f"receptive_fields: the field of {layer!r} is larger than eight pictures of {shape}{cause}")


def _touched(x, y, axis, index, layer) -> tuple[int, int]:
    """Return the first and last pixel along an axis that the units of one row, or column, depend on."""
    (gradient,) = torch.autograd.grad(y.select(axis, index).sum(), x, retain_graph=True)
    touched = gradient.movedim(axis, 0).flatten(1).sum(1).nonzero().ravel()
    if not len(touched):
        raise ValueError(
            f"receptive_fields: no pixel reaches {layer!r} where all weights are positive and the picture is nearly 0; "
            "an activation before it passes no gradient there"
        )
    return int(touched[0]), int(touched[-1])


def _output_at(model, layer, x) -> torch.Tensor:
    def stop(module, inputs, output):
        raise _ReachedError(output)

    handle = model.get_submodule(layer).register_forward_hook(stop)
    try:
        model(x)
    except _ReachedError as reached:
        return reached.args[0]
    finally:
        handle.remove()
    raise ValueError(f"receptive_fields: the model does not run {layer!r}")


def _averaging_twin(model: nn.Module) -> nn.Module:
    twin = copy.deepcopy(model).double().eval()
    for name, module in list(twin.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            average = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
            parent, _, child = name.rpartition(".")
            setattr(twin.get_submodule(parent), child, average)
        elif isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.constant_(module.weight, 1 / module.weight[0].numel())
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return twin
