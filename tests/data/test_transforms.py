"""Scaling, standardizing, augmenting, batching: against NumPy, and each random draw from the generator alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from backbone.data import (
    Statistics,
    batches,
    channel_statistics,
    random_brightness,
    random_crop,
    random_flip,
    standardize,
    to_float,
)

AUGMENTATIONS = {
    "flip": random_flip,
    "flip vertically": lambda x, g: random_flip(x, g, axis="vertical"),
    "crop": random_crop,
    "brightness": random_brightness,
}
EACH = pytest.mark.parametrize("augment", AUGMENTATIONS.values(), ids=AUGMENTATIONS)


def seed(number=0):
    return torch.Generator().manual_seed(number)


def noise(*shape):
    return torch.rand(*shape, generator=seed(9), dtype=torch.float64)


def test_bytes_become_floats_from_0_to_1():
    x = to_float(torch.tensor([0, 51, 255], dtype=torch.uint8))
    assert x.dtype == torch.float32
    assert x.tolist() == pytest.approx([0, 0.2, 1])


def test_a_second_division_by_255_is_refused():
    with pytest.raises(ValueError, match=r"images are torch.float32; it takes torch.uint8"):
        to_float(torch.zeros(3))


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 5), st.integers(2, 5))
@settings(max_examples=25, deadline=None)
def test_statistics_are_numpys_and_standardizing_makes_them_0_and_1(n, c, h, w):
    x = noise(n, c, h, w) * 7 - 3
    found = channel_statistics(x)
    np.testing.assert_allclose(found.mean, x.numpy().mean(axis=(0, 2, 3)), atol=1e-12)
    np.testing.assert_allclose(found.std, x.numpy().std(axis=(0, 2, 3)), atol=1e-12)
    again = channel_statistics(standardize(x, found))
    np.testing.assert_allclose(again.mean, 0, atol=1e-9)
    np.testing.assert_allclose(again.std, 1, atol=1e-9)


@pytest.mark.parametrize(
    ("x", "statistics", "message"),
    [
        (
            torch.zeros(2, 3, 4, 4),
            Statistics(torch.zeros(1), torch.ones(1)),
            "x has 3 channels, the statistics are of 1",
        ),
        (torch.zeros(2, 1, 4, 4), Statistics(torch.zeros(1), torch.zeros(1)), "standard deviation 0"),
        (torch.zeros(1, 4, 4), Statistics(torch.zeros(1), torch.ones(1)), r"must be a float batch \(N, C, H, W\)"),
        (torch.zeros(2, 1, 4, 4).byte(), Statistics(torch.zeros(1), torch.ones(1)), "to_float makes bytes float"),
    ],
)
def test_impossible_standardizing_says_what_is_wrong(x, statistics, message):
    with pytest.raises(ValueError, match=message):
        standardize(x, statistics)


@EACH
def test_an_augmentation_keeps_shape_and_range_and_leaves_its_argument(augment):
    x = noise(5, 3, 9, 7).float()
    before = x.clone()
    y = augment(x, seed())
    assert (y.shape, y.dtype) == (x.shape, x.dtype)
    assert torch.equal(x, before)
    assert y.min() >= 0
    assert y.max() <= 1


@EACH
def test_an_augmentation_draws_from_its_generator_alone(augment):
    x = noise(6, 1, 9, 9)
    state = torch.get_rng_state()
    assert torch.equal(augment(x, seed(3)), augment(x, seed(3)))
    assert not torch.equal(augment(x, seed(3)), augment(x, seed(4)))
    assert torch.equal(torch.get_rng_state(), state)


@EACH
def test_each_picture_gets_its_own_draw(augment):
    x = noise(1, 1, 9, 9).expand(12, 1, 9, 9)
    assert len({tuple(one.flatten().tolist()) for one in augment(x, seed())}) > 1


def test_flips_are_mirror_images():
    x = noise(40, 2, 4, 5)
    for axis, dim in (("horizontal", 3), ("vertical", 2)):
        y = random_flip(x, seed(), axis=axis)
        flipped = [torch.equal(a.flip(dim - 1), b) for a, b in zip(x, y, strict=True)]
        kept = [torch.equal(a, b) for a, b in zip(x, y, strict=True)]
        assert all(a != b for a, b in zip(flipped, kept, strict=True))
        assert 8 < sum(flipped) < 32
    assert torch.equal(random_flip(x, seed(), p=1), x.flip(3))
    assert torch.equal(random_flip(x, seed(), p=0), x)
    with pytest.raises(ValueError, match="axis is 'diagonal'; it must be one of 'horizontal', 'vertical'"):
        random_flip(x, seed(), axis="diagonal")
    with pytest.raises(ValueError, match=r"p is 50; it must lie in \[0, 1\]"):
        random_flip(x, seed(), p=50)


def test_what_a_crop_and_a_brightness_cannot_be():
    x = torch.rand(2, 3, 4, 4)
    with pytest.raises(ValueError, match="padding is -1; it must be an integer of at least 0"):
        random_crop(x, seed(), padding=-1)
    with pytest.raises(ValueError, match=r"strength is -1; it must lie in \[0, 1\]"):
        random_brightness(x, seed(), strength=-1)


def test_a_crop_is_a_shift_with_the_fill_behind_it():
    x = noise(60, 2, 6, 5)
    y = random_crop(x, seed(), padding=2, fill=-1.0)
    padded = torch.nn.functional.pad(x, [2] * 4, value=-1.0)
    places = set()
    for before, after in zip(padded, y, strict=True):
        found = [(i, j) for i in range(5) for j in range(5) if torch.equal(before[:, i : i + 6, j : j + 5], after)]
        assert len(found) == 1
        places.add(found[0])
    assert len(places) > 15
    assert torch.equal(random_crop(x, seed(), padding=0), x)


def test_batches_hold_everything_once_and_the_last_is_smaller():
    x, y = torch.arange(10.0)[:, None], torch.arange(10)
    served = list(batches(x, y, 4))
    assert [len(labels) for _, labels in served] == [4, 4, 2]
    assert torch.equal(torch.cat([pictures for pictures, _ in served]), x)
    assert len(batches(x, y, 4)) == 3


def test_shuffled_batches_are_another_order_each_pass_and_the_same_for_a_seed():
    x, y = torch.arange(50.0)[:, None], torch.arange(50)
    loader = batches(x, y, 50, shuffle=True, generator=seed(1))
    first, second = (next(iter(loader)) for _ in range(2))
    again = next(iter(batches(x, y, 50, shuffle=True, generator=seed(1))))
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[1], second[1])
    assert torch.equal(first[0][:, 0].long(), first[1])
    assert sorted(second[1].tolist()) == list(range(50))


def test_batches_augment_the_pictures_and_not_the_store():
    x, y = torch.ones(6, 1, 4, 4), torch.arange(6)
    loader = batches(x, y, 6, augment=lambda x, g: x * torch.rand(1, generator=g), generator=seed())
    first, second = (next(iter(loader))[0] for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(x, torch.ones(6, 1, 4, 4))


def test_batches_refuse_randomness_without_a_generator_and_odd_counts():
    x, y = torch.ones(6, 1), torch.arange(6)
    with pytest.raises(ValueError, match="pass generator="):
        batches(x, y, 2, shuffle=True)
    with pytest.raises(ValueError, match="6 pictures and 5 labels"):
        batches(x, y[:5], 2)
