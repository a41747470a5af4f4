"""Two augmentations that the page has and the package has not: turning, and painting a square over a picture."""

import math

import torch
import torch.nn.functional as F  # noqa: N812 - PyTorch's own name for it


def random_rotation(x: torch.Tensor, generator: torch.Generator, degrees: float = 15) -> torch.Tensor:
    """Turn each picture about its center by up to ``degrees`` either way, bilinearly; what comes in is 0."""
    angle = (torch.rand(len(x), generator=generator) * 2 - 1) * math.radians(degrees)
    H, W = x.shape[2:]
    cos, sin, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    # Coordinates run from -1 to 1 along both sides; the ratio keeps a picture that is not square from shearing.
    rows = [torch.stack([cos, -sin * H / W, zero], 1), torch.stack([sin * W / H, cos, zero], 1)]
    grid = F.affine_grid(torch.stack(rows, 1).to(x.dtype), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid, align_corners=False)


def random_erase(x: torch.Tensor, generator: torch.Generator, size: int = 8, fill: float = 0.0) -> torch.Tensor:
    """Paint a square of ``size`` pixels over each picture, its center anywhere (cutout).

    Source: DeVries, Taylor 2017, arXiv:1708.04552.
    """
    N, _, H, W = x.shape
    row = torch.randint(H, (N, 1, 1, 1), generator=generator) - size // 2
    column = torch.randint(W, (N, 1, 1, 1), generator=generator) - size // 2
    rows, columns = torch.arange(H)[:, None] - row, torch.arange(W) - column
    inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)  # (N, 1, H, W)
    return x.masked_fill(inside, fill)
