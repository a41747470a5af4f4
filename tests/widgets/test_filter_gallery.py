"""FilterGallery in Python: what it takes, what it refuses, what it hands to the page."""

import gzip
import re

import numpy as np
import pytest
import torch
from gallery_screen import filters, gallery, models, rounded
from sent import size_of
from traitlets import TraitError

from backbone import pretrained
from backbone.probes import Probe
from backbone.widgets import FilterGallery, Filters

SETTINGS = {"image", "chosen", "order", "stretched", "stage"}
KILOBYTE = 1024


def random_filters(count=4, size=3, seed=0):
    rng = np.random.default_rng(seed)
    return Filters(rng.normal(size=(count, 3, size, size)), rng.normal(size=count), rng.normal(size=count))


def small(**options):
    rng = np.random.default_rng(1)
    pictures = {"color": rng.random((3, 9, 12)), "gray": rng.random((9, 12))}
    return FilterGallery(pictures, {"one": random_filters(), "other": random_filters(seed=2)}, **options)


def test_it_starts_with_the_first_picture_and_the_strongest_filters():
    made = small()
    strongest = [int(np.argmax((random_filters(seed=seed).weight ** 2).sum((1, 2, 3)))) for seed in (0, 2)]
    assert (made.image, made.chosen, made.order) == ("color", strongest, "stored")
    assert (made.stretched, made.stage, made.patches) == (False, "convolution", 2)


def test_traits_are_those_of_the_docstring():
    made = small()
    own = {name for name, trait in made.traits(sync=True).items() if trait.this_class is FilterGallery}
    for name in own - SETTINGS:
        with pytest.raises(TraitError):
            setattr(made, name, getattr(made, name))
    assert own > SETTINGS


def test_filters_come_back_as_they_went_in():
    made = small()
    for name, seed in (("one", 0), ("other", 2)):
        for field in ("weight", "scale", "shift"):
            expected = np.asarray(getattr(random_filters(seed=seed), field), np.float32)
            np.testing.assert_array_equal(getattr(made.filters(name), field), expected)


def test_pictures_are_kept_in_bytes_and_gray_ones_once():
    bright = np.full((9, 12), 200, np.uint8)
    made = FilterGallery({"a": np.stack([bright] * 3), "b": bright / 255}, {"one": random_filters()}, mean=0, std=1)
    assert made.channels == [1, 1]
    assert made.pixels.shape == (2, 9, 12)
    np.testing.assert_allclose(made.picture("a"), np.full((3, 9, 12), 200 / 255))


@pytest.mark.parametrize("stage", ["convolution", "batchnorm"])
def test_maps_are_those_of_the_networks(stage):
    made = gallery(stage=stage)
    layer = {"convolution": "_conv_stem", "batchnorm": "_bn0"}[stage]
    for name, model in models().items():
        with torch.no_grad(), Probe(model, [layer]) as probe:
            model(pretrained.normalize("efficientnet_lite0", rounded(made)))
        for image in ("cat", "photographer"):
            made.image = image
            expected = probe.activations[layer][made.names.index(image)].numpy()
            for number in range(32):
                tolerance = 1e-4 * max(1, np.abs(expected[number]).max())
                np.testing.assert_allclose(made.map(name, number), expected[number], rtol=0, atol=tolerance)


def test_what_a_reader_should_find():
    """A trained filter is close to one pattern in one color; an untrained one of the same shape is not."""

    def one_pattern(weight):  # share of the best product of a color and a pattern, by singular values
        squares = np.linalg.svd(weight.reshape(len(weight), 3, 9), compute_uv=False) ** 2
        return squares[:, 0] / squares.sum(1)

    trained, untrained = (filters(model).weight.astype(float) for model in models().values())
    strength = np.sqrt((trained**2).sum((1, 2, 3)))
    awake = strength > 1e-3 * strength.max()
    assert (~awake).sum() == 4  # switched off
    assert np.median(one_pattern(trained[awake])) > 0.85
    assert np.median(one_pattern(untrained)) < 0.7


def test_code_and_state_are_small():
    made = gallery()
    assert len(gzip.compress(made._esm.encode())) <= 30 * KILOBYTE
    assert size_of(made) <= 400 * KILOBYTE


# --- What it refuses ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pictures", "message"),
    [
        ({}, "images have the sizes []; give at least one picture"),
        ({"a": np.zeros((4, 4)), "b": np.zeros((4, 5))}, "images have the sizes [(4, 4), (4, 5)]"),
        ({"a": np.zeros((4, 4, 3))}, "images['a'] has shape (4, 4, 3); it must be gray (H, W) or color (3, H, W)"),
        ({"a": np.full((4, 4), 1.5)}, "images['a'] has dtype float64 and values from 1.5 to 1.5; it must be"),
        ({"a": np.full((4, 4), np.nan)}, "images['a'] has dtype float64 and values from nan to nan; it must be"),
        ({"a": np.zeros((4, 4), int)}, "images['a'] has dtype int64"),
    ],
)
def test_pictures_that_are_none(pictures, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        FilterGallery(pictures, {"one": random_filters()})


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "filters have the shapes []; give at least one network"),
        ({"a": random_filters(), "b": random_filters(5)}, "filters have the shapes [(4, 3, 3, 3), (5, 3, 3, 3)]"),
        ({"a": Filters(np.zeros((4, 1, 3, 3)), np.ones(4), np.ones(4))}, "filters['a'] has weight (4, 1, 3, 3)"),
        ({"a": Filters(np.zeros((4, 3, 3, 3)), np.ones(3), np.ones(4))}, "it must have (F, 3, k, k), (F,) and (F,)"),
        ({"a": Filters(np.full((4, 3, 3, 3), np.inf), np.ones(4), np.ones(4))}, "all its numbers must be finite"),
    ],
)
def test_filters_that_do_not_fit(given, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        FilterGallery({"a": np.zeros((4, 4))}, given)


def test_settings_out_of_range():
    made = small()
    with pytest.raises(TraitError, match="image is 'dog'; it must be one of color, gray"):
        made.image = "dog"
    for chosen in ([0], [0, 4], [0, 1, 2]):
        with pytest.raises(TraitError, match="2 numbers from 0 to 3"):
            made.chosen = chosen
    with pytest.raises(TraitError):
        made.order = "size"
    with pytest.raises(ValueError, match="stride is 0, std is"):
        small(stride=0)
