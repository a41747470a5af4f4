"""The exercises of the chapter on data: references, misconceptions, and functions as readers write them."""

import importlib
import pkgutil
import random

import numpy as np
import pytest
import torch

from backbone.exercises import TEXT, data

NAMES = [module.name for module in pkgutil.iter_modules(data.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.data.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(data, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


@pytest.mark.parametrize("name", NAMES)
def test_unwritten_broken_and_absurd_functions_are_described(name):
    def broken(*arguments):
        raise ZeroDivisionError("division by zero")

    assert report_of(name, lambda *arguments: None).messages == (TEXT["not written"],)
    assert "your function stopped with ZeroDivisionError: division by zero." in str(report_of(name, broken))
    assert 'The line was "raise ZeroDivisionError("division by zero")".' in str(report_of(name, broken))
    assert "a value of type NoneType, not a function" in str(report_of(name, None))
    assert "your function stopped with TypeError" in str(report_of(name, lambda: 1))
    for answer in ("text", [1], (), {}, np.zeros((2, 0)), np.nan, 1j, print):
        assert not report_of(name, lambda *arguments, given=answer: given).passed


# --- Functions as readers write them ------------------------------------------------------------------------


def crop_in_torch(x, generator):
    padded = torch.nn.functional.pad(torch.tensor(x), [2] * 4)
    out = []
    for picture in padded:
        i, j = (int(place) for place in generator.integers(0, 5, size=2))
        cut = picture[:, i : i + x.shape[2], j : j + x.shape[3]]
        out.append(cut.flip(2) if generator.random() < 0.5 else cut)
    return torch.stack(out)


def crop_at_once(x, generator):
    n, (height, width) = len(x), x.shape[2:]
    x = np.where((generator.random(n) < 0.5)[:, None, None, None], x[..., ::-1], x)
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])
    places = generator.integers(0, 5, (n, 2))
    return np.stack([p[:, i : i + height, j : j + width] for p, (i, j) in zip(padded, places, strict=True)])


def split_in_a_set(groups, share, generator):
    names = sorted(set(groups.tolist()))
    count = round(share * len(names))
    chosen = set(generator.choice(names, count, replace=False).tolist())
    return np.array([name in chosen for name in groups])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("to_channels_first", lambda p: np.moveaxis(p, 2, 0) / 255.0),
        ("to_channels_first", lambda p: torch.tensor(p).permute(2, 0, 1).float() / 255),
        ("to_channels_first", lambda p: np.stack([p[:, :, c] / 255 for c in range(3)])),
        (
            "standardize_both",
            lambda a, b: tuple(
                (v - a.mean((0, 2, 3), keepdims=True)) / a.std((0, 2, 3), keepdims=True) for v in (a, b)
            ),
        ),
        ("random_crop_flip", crop_in_torch),
        ("random_crop_flip", crop_at_once),
        ("split_by_group", split_in_a_set),
    ],
)
def test_right_functions_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


def crop_alike(x, generator):
    i, j = generator.integers(0, 5, 2)
    out = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])[:, :, i : i + x.shape[2], j : j + x.shape[3]]
    return out[..., ::-1] if generator.random() > 0.5 else out


def crop_with_random(x, generator):
    padded, out = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)]), []
    for one in padded:
        i, j = random.randint(0, 4), random.randint(0, 4)
        cut = one[:, i : i + x.shape[2], j : j + x.shape[3]]
        out.append(cut[:, :, ::-1] if random.random() < 0.5 else cut)
    return np.array(out)


def standardized(train, test, *, own=False, axis=(0, 2, 3)):
    def by(x, s):
        return (x - s.mean(axis, keepdims=True)) / s.std(axis, keepdims=True)

    return by(train, train), by(test, test if own else train)


WRITTEN_WRONG = [
    ("to_channels_first", "reshaped", lambda p: np.reshape(p / 255, (3, len(p), -1))),
    ("to_channels_first", "turned", lambda p: p.swapaxes(0, 2) / 255),
    ("to_channels_first", "not divided", lambda p: np.moveaxis(p, -1, 0)),
    ("standardize_both", "own", lambda a, b: standardized(a, b, own=True)),
    ("standardize_both", "per pixel", lambda a, b: standardized(a, b, axis=0)),
    ("standardize_both", "one for all", lambda a, b: standardized(a, b, axis=(0, 1, 2, 3))),
    ("random_crop_flip", "one for all", crop_alike),
    ("random_crop_flip", "global", crop_with_random),
    ("random_crop_flip", "seeded inside", lambda x, g: crop_at_once(x, np.random.default_rng(1))),
    ("random_crop_flip", "upside down", lambda x, g: crop_at_once(x.transpose(0, 1, 3, 2), g).transpose(0, 1, 3, 2)),
    ("split_by_group", "by picture", lambda g, s, r: r.random(len(g)) <= s),
    (
        "split_by_group",
        "by picture",
        lambda g, s, r: np.isin(np.arange(len(g)), r.choice(len(g), round(s * len(g)), False)),
    ),
    ("split_by_group", "by size", lambda g, s, r: np.isin(g, r.permutation(np.unique(g))[: int(s * len(g))])),
    ("split_by_group", "global", lambda g, s, r: split_in_a_set(g, s, np.random.default_rng())),
    ("split_by_group", "turned around", lambda g, s, r: ~split_in_a_set(g, s, r)),
]


@pytest.mark.parametrize(("name", "key", "function"), WRITTEN_WRONG)
def test_mistakes_as_readers_write_them_are_recognized(name, key, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == [key], report


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("to_channels_first", lambda p: p.transpose(2, 0, 1) / 100),
        ("standardize_both", lambda a, b: tuple(2 * part for part in standardized(a, b))),
        ("random_crop_flip", lambda x, g: crop_at_once(x, g) + 1),
        ("split_by_group", lambda g, s, r: np.zeros(3, bool)),
    ],
)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == []
