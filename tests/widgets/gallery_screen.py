"""The FilterGallery of the chapter, and what it should show by Python and PyTorch."""

import numpy as np
import torch
from skimage.transform import resize_local_mean
from sklearn.datasets import load_sample_image

from backbone import pretrained
from backbone.data import photo
from backbone.models import efficientnet_lite0, initialize
from backbone.widgets import FilterGallery, Filters

SIZE = 112
PHOTOS = {"cat": "chelsea", "astronaut": "astronaut", "cup": "coffee", "rocket": "rocket"}
GRAY = {"photographer": "camera", "bricks": "brick"}
SAMPLES = {"temple": "china", "flower": "flower"}  # Creative Commons BY, by danielbuechele and vultilion


def sample(name):
    square = load_sample_image(f"{name}.jpg")[:, 100:527] / 255
    return resize_local_mean(square, (SIZE, SIZE), channel_axis=2).transpose(2, 0, 1).clip(0, 1)


def images() -> dict:
    own = {label: photo(name, SIZE, gray=False) for label, name in (PHOTOS | GRAY).items()}
    return own | {label: sample(name) for label, name in SAMPLES.items()}


def models() -> dict:
    """Return the networks: trained, and drawn from a seed, both in evaluation mode."""
    untrained = initialize(efficientnet_lite0(), torch.Generator().manual_seed(0))
    return {"trained": pretrained.load("efficientnet_lite0"), "untrained": untrained.eval()}


def filters(model) -> Filters:
    norm = model._bn0
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shift = norm.bias - scale * norm.running_mean
    return Filters(*(one.detach().numpy() for one in (model._conv_stem.weight, scale, shift)))


def gallery(**traits) -> FilterGallery:
    return FilterGallery(images(), {name: filters(model) for name, model in models().items()}, **traits)


def rounded(widget) -> torch.Tensor:
    """Return the pictures as the widget keeps them, (N, 3, H, W) in [0, 1]."""
    seen = np.stack([widget.picture(name) * widget.std + widget.mean for name in widget.names])
    return torch.as_tensor(seen, dtype=torch.float32)
