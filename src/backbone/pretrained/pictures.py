"""Photographs as the networks that know ImageNet want to see them: cut, resized, and in their own range of values."""

import torch
from numpy.typing import ArrayLike
from torch import nn

from backbone import checks
from backbone.pretrained.official import OFFICIAL
from backbone.pretrained.shipped import EFFICIENTNET

EFFICIENTNET_SIZE = 224
EFFICIENTNET_CROP = EFFICIENTNET_SIZE / (EFFICIENTNET_SIZE + 32)
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's red, green and blue, as torchvision has them


def normalize(name: str, x: torch.Tensor) -> torch.Tensor:
    """Turn values in [0, 1] into a network's own.

    For "efficientnet_lite0" these are (255 x - 127) / 128, all channels alike; for the networks of torchvision
    (x - mean) / standard deviation, both of ImageNet, channel by channel.

    Args:
        name: of a network that knows ImageNet: "efficientnet_lite0" or a key of ``OFFICIAL``.
        x: (..., 3, H, W).

    Raises:
        ValueError: for an unknown name.
    """
    checks.one_of("normalize", "name", name, (EFFICIENTNET, *OFFICIAL))
    if name == EFFICIENTNET:
        return (255 * x - 127) / 128
    mean, std = (torch.tensor(values, device=x.device).view(3, 1, 1) for values in (MEAN, STD))
    return (x - mean) / std


def prepare(name: str, picture: ArrayLike | torch.Tensor, *, crop: float | None = None) -> torch.Tensor:
    """Cut, resize and normalize a photograph as the network's accuracy was measured.

    Args:
        name: of a network that knows ImageNet: "efficientnet_lite0" or a key of ``OFFICIAL``.
        picture: (3, H, W), values in [0, 1].
        crop: side of the central square that is kept, as a share of the picture's shorter side; by default the
            network's own, about 7/8. 1 keeps as much as a square can.

    Returns:
        float32 (1, 3, side, side): 224 pixels, 299 for "inception_v3". "efficientnet_lite0" is cut first and resized
        bicubic; the others are resized first, bilinear. Both are antialiased.

    Raises:
        ValueError: an unknown name, a picture of another shape or range, or a share outside (0, 1].
    """
    checks.one_of("prepare", "name", name, (EFFICIENTNET, *OFFICIAL))
    given = checks.picture("prepare", "picture", picture, "(3, H, W)")
    if crop is not None and not 0 < crop <= 1:
        raise ValueError(f"prepare: crop is {crop!r}; it must be above 0 and at most 1")
    x = picture if isinstance(picture, torch.Tensor) else torch.from_numpy(given.copy())
    x = x.float().clamp(0, 1)[None]
    if name == EFFICIENTNET:
        side = max(1, round((crop or EFFICIENTNET_CROP) * min(x.shape[2:])))
        corner = [(size - side) // 2 for size in x.shape[2:]]
        x = _resized(_cut(x, corner, side), (EFFICIENTNET_SIZE,) * 2, "bicubic")
    else:
        side = OFFICIAL[name].crop
        shorter = round(side / crop) if crop else OFFICIAL[name].resize
        x = _resized(x, tuple(shorter * size // min(x.shape[2:]) for size in x.shape[2:]), "bilinear")
        x = _cut(x, [round((size - side) / 2) for size in x.shape[2:]], side)
    return normalize(name, x)


def _resized(x: torch.Tensor, size: tuple[int, int], mode: str) -> torch.Tensor:
    return nn.functional.interpolate(x, size, mode=mode, antialias=True).clamp(0, 1)  # bicubic can pass 0 and 1


def _cut(x: torch.Tensor, corner: list[int], side: int) -> torch.Tensor:
    """Return a square, given its upper left corner."""
    top, left = corner
    return x[:, :, top : top + side, left : left + side]
