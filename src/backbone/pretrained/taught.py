"""What a reader taught in a page: classes of their own, the features of their pictures, and the head over them.

The page saves it as a small JSON file. It holds no picture.
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from backbone import checks
from backbone.pretrained.pictures import normalize
from backbone.pretrained.shipped import EFFICIENTNET

if TYPE_CHECKING:
    from backbone.models.efficientnet import EfficientNetLite0

FORMAT, VERSION = "backbone taught classes", 1
SIZE = 1280  # features of a picture
FEWEST, MOST = 2, 5  # classes


@dataclass(frozen=True)
class Taught:
    """Classes that a reader taught.

    Attributes:
        classes: their names, K of them.
        features: of the pictures that were taught, float32 (N, 1280), each row of length 1.
        labels: class of each, int64 (N,).
        weights: of the head, float32 (K, 1280).
        bias: of the head, float32 (K,).
        checksum: of the packed network that made the features, ``pack(...).checksum``.
    """

    classes: tuple[str, ...]
    features: np.ndarray
    labels: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    checksum: int

    def shares(self, features: ArrayLike) -> np.ndarray:
        """Return how likely each class is for pictures with these features, (M, 1280) -> float64 (M, K)."""
        given = checks.real_array("Taught.shares", "features", features, "(M, 1280)")
        if given.shape[1] != SIZE:
            raise ValueError(f"Taught.shares: features has shape {given.shape}; it must be (M, {SIZE})")
        logits = given.astype(np.float64) @ self.weights.T.astype(np.float64) + self.bias
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def read_taught(source: str | Path | Mapping) -> Taught:
    """Read what was taught in a page.

    Args:
        source: path of the saved file, or what it holds, as ``TeachExplorer.taught`` has it.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no such file, of another version or network, or it was altered; the message says which.
    """
    if isinstance(source, Mapping):
        return _checked(source)
    path = Path(source).expanduser()
    if not path.is_file():
        raise FileNotFoundError(f"read_taught: there is no file {str(path)!r}; on Colab, upload it first")
    try:
        content = json.loads(path.read_text("utf-8"))
    except ValueError as error:  # also where it is no text
        raise ValueError(f"read_taught: {str(path)!r} is no JSON file; save it again in the page") from error
    return _checked(content)


def unit_features(model: EfficientNetLite0, pictures: torch.Tensor) -> np.ndarray:
    """Return the features of pictures as the page makes them: what the last layer gets, at length 1.

    Args:
        model: ``pretrained.rounded(pretrained.load("efficientnet_lite0"))`` for the page's own weights.
        pictures: (N, 3, 224, 224), values in [0, 1].

    Returns:
        float32 (N, 1280).
    """
    given = checks.tensor("unit_features", "pictures", pictures)
    checks.picture("unit_features", "pictures", pictures, "(N, 3, 224, 224)")
    body = copy.copy(model)  # the same layers, but for the last one
    body._modules = model._modules | {"_fc": nn.Identity()}
    with checks.evaluating(body), torch.no_grad():
        parts = [body(part) for part in normalize(EFFICIENTNET, given.float()).split(16)]
    features = torch.cat(parts).numpy()
    return features / np.linalg.norm(features, axis=1, keepdims=True)


def _checked(content) -> Taught:
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise ValueError("read_taught: this holds no taught classes; save them in the page with its button “Save”")
    if content.get("version") != VERSION:
        raise ValueError(
            f"read_taught: the file is of version {content.get('version')!r}, and this package reads {VERSION}; "
            "save it again in a page of this edition"
        )
    if content.get("network") != EFFICIENTNET:
        raise ValueError(f"read_taught: the features are of {content.get('network')!r}; it must be {EFFICIENTNET!r}")
    classes, labels = content.get("classes"), content.get("labels")
    if not _is_list(classes, str) or not FEWEST <= len(classes) <= MOST or not all(name.strip() for name in classes):
        raise ValueError(f"read_taught: classes is {classes!r}; it must be {FEWEST} to {MOST} names")
    if not _is_list(labels, int) or not labels or not all(0 <= label < len(classes) for label in labels):
        raise ValueError(f"read_taught: labels is {labels!r}; it must be numbers from 0 to {len(classes) - 1}")
    if len(set(labels)) < FEWEST:
        raise ValueError("read_taught: all pictures are of one class; teach a second one")
    checksum = content.get("crc")
    if not isinstance(checksum, int):
        raise ValueError(f"read_taught: crc is {checksum!r}; it must be the checksum of a packed network")
    return Taught(
        tuple(classes),
        _numbers(content, "features", (len(labels), SIZE)),
        np.array(labels, np.int64),
        _numbers(content, "weights", (len(classes), SIZE)),
        _numbers(content, "bias", (len(classes),)),
        checksum,
    )


def _is_list(value, kind: type) -> bool:
    return isinstance(value, list | tuple) and all(type(entry) is kind for entry in value)


def _numbers(content: Mapping, name: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return float32 numbers, which stand in the file as base64."""
    altered = f"read_taught: {name} was altered, or the file is cut off; save it again in the page"
    try:
        data = base64.b64decode(content.get(name, ""), validate=True)
    except (binascii.Error, TypeError, ValueError) as error:
        raise ValueError(altered) from error
    if len(data) != 4 * np.prod(shape):
        raise ValueError(altered)
    values = np.frombuffer(data, "<f4").reshape(shape)
    if not np.isfinite(values).all():
        raise ValueError(altered)
    return values
