"""Playground in Python: what it takes, what it refuses, what it hands to the page."""

import numpy as np
import pytest
from sent import size_of
from traitlets import TraitError

from backbone.data.points import POINTS
from backbone.widgets import Playground

KILOBYTE = 1024


def points(count=20, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 2)), np.arange(count) % 2


@pytest.mark.parametrize("name", POINTS)
def test_each_set_is_balanced_and_comes_from_its_generator(name):
    x, labels = POINTS[name](50, np.random.default_rng(3))
    again, _ = POINTS[name](50, np.random.default_rng(3))
    other, _ = POINTS[name](50, np.random.default_rng(4))
    assert x.shape == (50, 2)
    assert x.dtype == np.float64
    assert np.abs(x).max() < 4
    assert labels.tolist() == [0, 1] * 25
    np.testing.assert_array_equal(x, again)
    assert (x != other).any()


def test_a_line_parts_only_the_blobs():
    for name, make in POINTS.items():
        x, labels = make(400, np.random.default_rng(0))
        columns = np.column_stack([x, np.ones(len(x))])
        guess = columns @ np.linalg.lstsq(columns, 2 * labels - 1, rcond=None)[0] > 0
        assert (np.mean(guess == labels) > 0.9) == (name == "blobs")


def test_it_starts_with_all_sets_and_a_network_that_can_learn():
    playground = Playground()
    assert playground.names == list(POINTS)
    assert (playground.dataset, playground.depth, playground.width, playground.activation) == ("moons", 1, 4, "tanh")
    assert (playground.rate, playground.initialization, playground.step, playground.parameters) == (
        0.3,
        "random",
        0,
        [],
    )
    assert Playground(["xor", "moons"]).names == ["xor", "moons"]
    assert Playground("xor").names == ["xor"]


def test_a_named_set_is_the_same_whichever_others_are_chosen():
    alone, among = Playground("spiral"), Playground(dataset="spiral")
    for one, other in zip(alone.shown, among.shown, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (Playground("spiral", seed=1).shown[0] != alone.shown[0]).any()


def test_own_points_come_back_and_are_split():
    x, labels = points(31)
    playground = Playground({"mine": (x.tolist(), labels.astype(bool)), "more": points(10, 1)})
    found, found_labels, train = playground.shown
    np.testing.assert_array_equal(found, x)
    np.testing.assert_array_equal(found_labels, labels)
    assert train == 19
    playground.dataset = "more"
    np.testing.assert_array_equal(playground.shown[0], points(10, 1)[0])


def test_first_layers_have_the_scale_that_is_promised():
    playground = Playground(depth=4, width=8)
    shapes = [(weight.shape, bias.shape) for weight, bias in playground.first_layers()]
    assert shapes == [((8, 2), (8,)), ((8, 8), (8,)), ((8, 8), (8,)), ((8, 8), (8,)), ((1, 8), (1,))]
    wide = [w for start in range(8) for w, _ in Playground(depth=4, width=8, start=start).first_layers()[1:4]]
    assert np.std(wide) == pytest.approx(1 / np.sqrt(8), rel=0.05)
    tanh, relu = playground.first_layers(), Playground(depth=4, width=8, activation="relu").first_layers()
    np.testing.assert_allclose(relu[1][0], np.sqrt(2) * tanh[1][0])
    assert not any(weight.any() for weight, _ in Playground(initialization="zero").first_layers())
    assert all((weight == 0.5).all() for weight, _ in Playground(initialization="equal").first_layers())
    assert [w.shape for w, _ in Playground(depth=0).first_layers()] == [(1, 2)]


X, Y = points()
WRONG_DATA = {
    "unknown": (["moon"], "data names 'moon'; it must be one of moons, circles"),
    "none": ({}, "data is empty"),
    "three axes": ({"a": (np.zeros((20, 3)), Y)}, r"points of shape \(20, 3\); it must be \(N, 2\)"),
    "too few": ({"a": (X[:9], Y[:9])}, r"points of shape \(9, 2\)"),
    "texts": ({"a": (X.astype(str), Y)}, "points of dtype"),
    "a hole": ({"a": (np.where(X > 2, np.nan, X) * np.nan, Y)}, "they must be finite real numbers"),
    "all at one place": ({"a": (0 * X, Y)}, r"all its points at \(0, 0\)"),
    "labels of another length": ({"a": (X, Y[:-1])}, r"labels of shape \(19,\); for its points it is \(20,\)"),
    "labels from one": ({"a": (X, Y + 1)}, r"has the labels \[1, 2\]; it must have both 0 and 1"),
    "one class": ({"a": (X, 0 * Y)}, r"has the labels \[0\]"),
}
WRONG_SETTINGS = {
    "dataset": ({"dataset": "moon"}, "dataset is 'moon'; it must be one of moons"),
    "depth": ({"depth": 5}, "depth"),
    "width": ({"width": 0}, "width"),
    "activation": ({"activation": "gelu"}, "activation"),
    "rate": ({"rate": 0.2}, "rate"),
    "initialization": ({"initialization": "ones"}, "initialization"),
    "start": ({"start": 8}, "start"),
    "weight": ({"weight": [0, 0]}, "weight"),
    "show": ({"show": "loss"}, "show"),
    "moved": ({"moved": -5}, "moved is -5.0; it must be a number from -4.0 to 4.0"),
    "reach": ({"reach": 2}, "reach"),
    "parameters": ({"parameters": [float("nan")]}, "parameters holds a NaN"),
}


@pytest.mark.parametrize(("data", "message"), WRONG_DATA.values(), ids=WRONG_DATA)
def test_wrong_data(data, message):
    with pytest.raises(ValueError, match=message):
        Playground(data)


@pytest.mark.parametrize(("traits", "message"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
def test_wrong_settings(traits, message):
    with pytest.raises(TraitError, match=message):
        Playground(**traits)


def test_too_many_steps_before_the_page_is_drawn():
    with pytest.raises(ValueError, match="step is 501; the page takes at most 500"):
        Playground(step=501)


def test_the_state_is_small():
    assert size_of(Playground()) <= 400 * KILOBYTE
