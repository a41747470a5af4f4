"""Points of two classes in the plane: small sets of data on which a network can be watched while it learns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np


def moons(count: int, rng: np.random.Generator, noise: float = 0.2) -> tuple[np.ndarray, np.ndarray]:
    """Return two half circles that reach into each other: points (count, 2) and labels (count,), 0 or 1."""
    labels = _labels(count)
    angle = rng.uniform(0, np.pi, count)
    upper = np.stack([np.cos(angle) - 0.5, np.sin(angle) - 0.25], axis=1)
    return 1.5 * (_scattered(np.where(labels[:, None], -upper, upper), rng, noise)), labels


def circles(count: int, rng: np.random.Generator, noise: float = 0.15) -> tuple[np.ndarray, np.ndarray]:
    """Return a disc (label 1) inside a ring (label 0): points (count, 2) and labels (count,)."""
    labels = _labels(count)
    radius = np.where(labels == 1, np.sqrt(rng.uniform(0, 1, count)), rng.uniform(1.5, 2.1, count))
    return _scattered(_polar(radius, rng.uniform(0, 2 * np.pi, count)), rng, noise), labels


def spiral(count: int, rng: np.random.Generator, noise: float = 0.06) -> tuple[np.ndarray, np.ndarray]:
    """Return two arms that wind around each other: points (count, 2) and labels (count,), 0 or 1."""
    labels = _labels(count)
    way = np.sqrt(rng.uniform(0.03, 1, count))  # as many points on the outer turns as on the inner
    return _scattered(_polar(2.1 * way, 2.5 * np.pi * way + np.pi * labels), rng, noise), labels


def xor(count: int, rng: np.random.Generator, noise: float = 0.12) -> tuple[np.ndarray, np.ndarray]:
    """Return four squares, each with the label of the one across: points (count, 2) and labels (count,)."""
    labels = _labels(count)
    points = rng.uniform(0.1, 2, (count, 2)) * rng.choice([-1, 1], (count, 1))
    points[:, 1] *= np.where(labels == 1, 1, -1)
    return _scattered(points, rng, noise), labels


def blobs(count: int, rng: np.random.Generator, noise: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    """Return two clouds that a straight line parts, nearly: points (count, 2) and labels (count,), 0 or 1."""
    labels = _labels(count)
    center = np.where(labels[:, None] == 1, [0.8, 0.6], [-0.8, -0.6])
    return _scattered(center, rng, noise), labels


POINTS: Mapping[str, Callable] = MappingProxyType(
    {"moons": moons, "circles": circles, "spiral": spiral, "xor": xor, "blobs": blobs}
)


def _labels(count: int) -> np.ndarray:
    """Return 0 and 1 in turn, so that both classes are equally frequent."""
    return np.arange(count) % 2


def _polar(radius: np.ndarray, angle: np.ndarray) -> np.ndarray:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _scattered(points: np.ndarray, rng: np.random.Generator, noise: float) -> np.ndarray:
    return points + noise * rng.standard_normal(points.shape)
