"""The exercises of the chapter on data: references, misconceptions, and functions as readers write them."""

import math
import random

import numpy as np
import torch
from readers import are_not_recognized, are_recognized, pass_the_check

from backbone.exercises.data import random_crop_flip, split_by_group, standardize_both, to_channels_first

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


def standardized(train, test, *, own=False, axis=(0, 2, 3), ddof=0):
    def by(x, s):
        return (x - s.mean(axis, keepdims=True)) / s.std(axis, keepdims=True, ddof=ddof)

    return by(train, train), by(test, test if own else train)


test_right_functions_pass = pass_the_check(
    (to_channels_first, lambda p: np.moveaxis(p, 2, 0) / 255.0),
    (to_channels_first, lambda p: torch.tensor(p).permute(2, 0, 1).float() / 255),
    (to_channels_first, lambda p: np.stack([p[:, :, c] / 255 for c in range(3)])),
    (
        standardize_both,
        lambda a, b: tuple((v - a.mean((0, 2, 3), keepdims=True)) / a.std((0, 2, 3), keepdims=True) for v in (a, b)),
    ),
    (standardize_both, lambda a, b: standardized(a, b, ddof=1)),
    (random_crop_flip, crop_in_torch),
    (random_crop_flip, lambda x, g: crop_each(x, g)),
    (random_crop_flip, crop_at_once),
    (split_by_group, split_in_a_set),
)


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


def crop_on_the_diagonal(x, generator, mode="constant"):
    padded, out = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)], mode=mode), []
    for one in padded:
        i = int(generator.integers(0, 5))
        j = i if mode == "constant" else int(generator.integers(0, 5))
        cut = one[:, i : i + x.shape[2], j : j + x.shape[3]]
        out.append(cut[:, :, ::-1] if generator.random() < 0.5 else cut)
    return np.array(out)


def crop_each(x, generator, *, place=lambda g: int(g.integers(0, 5)), source=lambda i: i):
    """Crop picture by picture; the keywords are where it goes wrong."""
    out = np.zeros_like(x)
    for i in range(len(x)):
        flip, top, left = generator.random() >= 0.5, place(generator), place(generator)
        cut = np.pad(x[source(i)], [(0, 0), (2, 2), (2, 2)])[:, top:, left:][:, : x.shape[2], : x.shape[3]]
        out[i] = cut[..., ::-1] if flip else cut
    return out


def crop_all_at_one_place(x, generator):
    i, j = generator.integers(0, 5, 2)
    out = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])[:, :, i : i + x.shape[2], j : j + x.shape[3]]
    return np.where(generator.random((len(x), 1, 1, 1)) < 0.5, out, out[..., ::-1])


def crop_each_channel(x, generator):
    gray = crop_each(x.reshape(-1, 1, *x.shape[2:]), generator)
    return gray.reshape(x.shape)


def split_until_full(groups, share, generator):
    test = set()
    for name in generator.permutation(sorted(set(groups.tolist()))):
        if sum(g in test for g in groups) >= share * len(groups):
            break
        test.add(name)
    return np.array([g in test for g in groups])


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (to_channels_first, "The numbers were laid", lambda p: np.reshape(p / 255, (3, len(p), -1))),
    (to_channels_first, "Rows and columns changed", lambda p: p.swapaxes(0, 2) / 255),
    (to_channels_first, "The values still run", lambda p: np.moveaxis(p, -1, 0)),
    (standardize_both, "The test pictures were standardized", lambda a, b: standardized(a, b, own=True)),
    (standardize_both, "Each pixel got a mean", lambda a, b: standardized(a, b, axis=0)),
    (standardize_both, "One mean was taken", lambda a, b: standardized(a, b, axis=(0, 1, 2, 3))),
    (
        standardize_both,
        "The test pictures lost a mean",
        lambda a, b: (standardized(a, b)[0], (b - b.mean((0, 2, 3), keepdims=True)) / a.std((0, 2, 3), keepdims=True)),
    ),
    (
        standardize_both,
        "The means lost their axes",
        lambda a, b: tuple((v - a.mean(axis=(0, 2, 3))) / a.std(axis=(0, 2, 3)) for v in (a, b)),
    ),
    (
        standardize_both,
        "The mean was taken away",
        lambda a, b: tuple(v - a.mean((0, 2, 3), keepdims=True) for v in (a, b)),
    ),
    (
        standardize_both,
        "The values were scaled",
        lambda a, b: tuple((v - a.min()) / (a.max() - a.min()) for v in (a, b)),
    ),
    (random_crop_flip, "All pictures of the batch were shifted", crop_alike),
    (random_crop_flip, "All pictures of the batch were shifted alike", crop_all_at_one_place),
    (random_crop_flip, "Every result was cut", lambda x, g: crop_each(x, g, source=lambda i: 0)),
    (random_crop_flip, "Some places come up", lambda x, g: crop_each(x, g, place=lambda g: round(g.random() * 4))),
    (random_crop_flip, "Rows and columns were shifted", crop_on_the_diagonal),
    (random_crop_flip, "What stands outside", lambda x, g: crop_on_the_diagonal(x, g, "edge")),
    (random_crop_flip, "What stands outside", lambda x, g: crop_on_the_diagonal(x, g, "reflect")),
    (random_crop_flip, "What left the picture", lambda x, g: crop_on_the_diagonal(x, g, "wrap")),
    (random_crop_flip, "The numbers did not come", crop_with_random),
    (random_crop_flip, "Each call gave the same", lambda x, g: crop_at_once(x, np.random.default_rng(1))),
    (
        random_crop_flip,
        "Pictures were turned upside",
        lambda x, g: crop_at_once(x.transpose(0, 1, 3, 2), g).transpose(0, 1, 3, 2),
    ),
    (split_by_group, "The pictures were drawn", lambda g, s, r: r.random(len(g)) <= s),
    (
        split_by_group,
        "The pictures were drawn",
        lambda g, s, r: np.isin(np.arange(len(g)), r.choice(len(g), round(s * len(g)), False)),
    ),
    (split_by_group, "The share was taken", lambda g, s, r: np.isin(g, r.permutation(np.unique(g))[: int(s * len(g))])),
    (
        split_by_group,
        "Fewer objects",
        lambda g, s, r: np.isin(g, r.choice(np.unique(g), size=round(s * len(np.unique(g))))),
    ),
    (split_by_group, "Objects were added", split_until_full),
    (split_by_group, "The numbers did not come", lambda g, s, r: split_in_a_set(g, s, np.random.default_rng())),
    (split_by_group, "The answer is True", lambda g, s, r: ~split_in_a_set(g, s, r)),
)


test_another_mistake_is_not_mistaken_for_a_known_one = are_not_recognized(
    (split_by_group, lambda g, s, r: np.zeros(3, bool)),
    (split_by_group, lambda g, s, r: np.isin(g, r.permutation(names := np.unique(g))[: int(s * len(names))])),
    (split_by_group, lambda g, s, r: np.isin(g, r.permutation(names := np.unique(g))[: math.ceil(s * len(names))])),
    (split_by_group, lambda g, s, r: np.isin(g, r.permutation(g.max() + 1)[: round(s * len(np.unique(g)))])),
    (random_crop_flip, lambda x, g: crop_each(x, g)[::-1]),
    (random_crop_flip, lambda x, g: crop_each(x, g)[:, ::-1]),
    (random_crop_flip, crop_each_channel),
)


def test_what_was_measured_is_said_as_a_number_that_means_itself():
    said = repr(split_by_group.check(lambda g, s, r: ~split_in_a_set(g, s, r)))
    assert "of eight calls, those with more or fewer objects in the test part than asked" in said
    assert "8 came out; 0 was expected" in said
