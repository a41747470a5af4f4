"""What is done to pictures before a network sees them: scaling, standardizing, augmenting, batching.

Every function takes and returns a batch (N, C, H, W). Randomness comes from the ``torch.Generator`` that is passed in,
and each picture of a batch gets a draw of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it
from torch.utils.data import BatchSampler, DataLoader, RandomSampler, SequentialSampler, TensorDataset

from backbone.checks import fraction, integer, one_of, tensor


def to_float(images: torch.Tensor) -> torch.Tensor:
    """Turn bytes 0 to 255 into float32 from 0 to 1, of the same shape.

    Raises:
        ValueError: the images are not uint8. Dividing by 255 a second time would give a silent, almost black picture.
    """
    if tensor("to_float", "images", images).dtype != torch.uint8:
        raise ValueError(f"to_float: images are {images.dtype}; it takes torch.uint8, as files hold them")
    return images.to(torch.float32) / 255


@dataclass(frozen=True)
class Statistics:
    """Mean and standard deviation of each channel, tensors (C,)."""

    mean: torch.Tensor
    std: torch.Tensor


def channel_statistics(x: torch.Tensor) -> Statistics:
    """Measure each channel over all pictures and places.

    Args:
        x: float tensor (N, C, H, W). Of the training pictures only: the test set has no say.
    """
    _check_batch("channel_statistics", x)
    wide = x.double()  # a float32 sum over 47 million pixels would lose digits
    mean = wide.mean(dim=(0, 2, 3))
    std = wide.std(dim=(0, 2, 3), correction=0)
    return Statistics(mean.to(x.dtype), std.to(x.dtype))


def standardize(x: torch.Tensor, statistics: Statistics) -> torch.Tensor:
    """Subtract the mean of each channel and divide by its standard deviation.

    Args:
        x: float tensor (N, C, H, W).
        statistics: of the training pictures, also when ``x`` are test pictures.

    Raises:
        ValueError: the channels do not fit, x is not float, or a channel never varies (its deviation is 0).
    """
    _check_batch("standardize", x)
    if len(statistics.mean) != x.shape[1]:
        raise ValueError(f"standardize: x has {x.shape[1]} channels, the statistics are of {len(statistics.mean)}")
    if (statistics.std == 0).any():
        raise ValueError("standardize: a channel has standard deviation 0, it never varies; leave it out")
    shape = (1, -1, 1, 1)
    return (x - statistics.mean.view(shape)) / statistics.std.view(shape)


def random_flip(x: torch.Tensor, generator: torch.Generator, axis: str = "horizontal", p: float = 0.5) -> torch.Tensor:
    """Mirror each picture with probability p: left and right ("horizontal") or top and bottom ("vertical")."""
    _check_batch("random_flip", x)
    one_of("random_flip", "axis", axis, ("horizontal", "vertical"))
    flip = torch.rand(len(x), 1, 1, 1, generator=generator) < fraction("random_flip", "p", p, ends=True)
    return torch.where(flip, x.flip(3 if axis == "horizontal" else 2), x)


def random_crop(x: torch.Tensor, generator: torch.Generator, padding: int = 2, fill: float = 0.0) -> torch.Tensor:
    """Pad each picture on all sides, then cut the old size out at a random place: a shift by up to ``padding``.

    Args:
        x: (N, C, H, W).
        generator: draws a row and a column for each picture.
        padding: pixels.
        fill: value of the padding. Black is 0 before standardizing, and not after.
    """
    _check_batch("random_crop", x)
    padding = integer("random_crop", "padding", padding, 0)
    N, _, H, W = x.shape
    padded = F.pad(x, [padding] * 4, value=fill)
    top, left = torch.randint(2 * padding + 1, (2, N, 1), generator=generator)
    rows = (top + torch.arange(H))[:, None, :, None]  # (N, 1, H, 1)
    columns = (left + torch.arange(W))[:, None, None, :]  # (N, 1, 1, W)
    return padded[torch.arange(N)[:, None, None, None], torch.arange(x.shape[1])[:, None, None], rows, columns]


def random_brightness(x: torch.Tensor, generator: torch.Generator, strength: float = 0.3) -> torch.Tensor:
    """Multiply each picture by a factor from 1 - strength, strength in [0, 1], to 1 + strength; keep it in [0, 1]."""
    _check_batch("random_brightness", x)
    strength = fraction("random_brightness", "strength", strength, ends=True)
    factor = 1 + (torch.rand(len(x), 1, 1, 1, generator=generator) * 2 - 1) * strength
    return (x * factor).clamp(0, 1)


def batches(
    x: torch.Tensor,
    y: torch.Tensor,
    batch_size: int,
    *,
    shuffle: bool = False,
    augment: Callable[[torch.Tensor, torch.Generator], torch.Tensor] | None = None,
    generator: torch.Generator | None = None,
) -> DataLoader:
    """Serve pictures and labels in batches; the last one may be smaller.

    Args:
        x: pictures (N, C, H, W), or features (N, D).
        y: labels (N,).
        batch_size: pictures in a batch.
        shuffle: draw a new order for each pass.
        augment: called on each batch of pictures, with the generator.
        generator: draws the order and the augmentation.

    Raises:
        ValueError: x and y are no tensors or differ in number, or something random has no generator.
    """
    x, y = tensor("batches", "x", x), tensor("batches", "y", y)
    batch_size = integer("batches", "batch_size", batch_size, 1)
    if len(x) != len(y):
        raise ValueError(f"batches: there are {len(x)} pictures and {len(y)} labels")
    if generator is None and (shuffle or augment):
        raise ValueError("batches: shuffle and augment draw at random; pass generator=torch.Generator().manual_seed(0)")
    data = TensorDataset(x, y)
    order = RandomSampler(data, generator=generator) if shuffle else SequentialSampler(data)

    def finish(batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        return (augment(batch[0], generator), batch[1]) if augment else tuple(batch)

    # A list of positions fetches a batch by one indexing, many times faster than picture by picture.
    sampler = BatchSampler(order, batch_size, drop_last=False)
    return DataLoader(data, sampler=sampler, batch_size=None, collate_fn=finish, generator=generator)


def _check_batch(name: str, x: torch.Tensor) -> None:
    if tensor(name, "x", x).ndim != 4 or not x.is_floating_point():
        raise ValueError(
            f"{name}: x is {x.dtype} of shape {tuple(x.shape)}; it must be a float batch (N, C, H, W): "
            "to_float makes bytes float, x[None] makes one picture a batch"
        )
