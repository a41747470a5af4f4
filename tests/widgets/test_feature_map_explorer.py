"""FeatureMapExplorer in Python: what it takes, what it refuses, what it hands to the page."""

import dataclasses
import gzip
import re
import zlib

import numpy as np
import pytest
import torch
from maps_screen import best, explorer, networks, probabilities_of, rounded, some_pictures
from sent import size_of
from traitlets import TraitError

from backbone.data import FASHION_MNIST_STATISTICS, LabeledImages, Statistics, fashion_mnist
from backbone.widgets import FeatureMapExplorer
from backbone.widgets.feature_map_explorer import LAYERS, PATCHES, SEARCHED
from backbone.widgets.lenet import SHAPES

SETTINGS = {
    *("picture", "drawing", "network", "scale", "layer", "unit", "position"),
    *("tool", "cover", "cover_size", "cover_fill"),
}
FIXED = {
    *("pixels", "labels", "classes", "networks", "shapes", "weights", "vectors", "statistics"),
    *("bank", "bank_labels", "searched"),
}
KILOBYTE = 1024


def parameters(name="trained"):
    return {key: value.numpy() for key, value in networks()[name].state_dict().items()}


def small(**changes):
    """Return an explorer with three pictures and one network."""
    given = {"pictures": some_pictures()[:3], "networks": {"trained": parameters()}}
    given |= {"statistics": FASHION_MNIST_STATISTICS} | changes
    return FeatureMapExplorer(**given)


def test_it_starts_with_the_first_picture_and_network():
    made = explorer()
    assert (made.picture, made.network, made.tool, made.scale) == (0, "trained", "look", "same")
    assert made.networks == ["trained", "untrained"]
    assert made.classes[made.labels[0]] == "Ankle boot"
    np.testing.assert_array_equal(made.input, some_pictures().images[0, 0])


def test_traits_are_those_of_the_docstring():
    made = small()
    own = {name for name, trait in made.traits(sync=True).items() if trait.this_class is FeatureMapExplorer}
    assert own == SETTINGS | FIXED
    for name in FIXED:
        with pytest.raises(TraitError):
            setattr(made, name, getattr(made, name))


def test_the_table_of_parameters_is_lenets():
    shapes = {name: tuple(value.shape) for name, value in networks()["trained"].state_dict().items()}
    assert list(shapes.items()) == list(SHAPES.items())
    assert sum(np.prod(shape) for shape in shapes.values()) == 61706


@pytest.mark.parametrize("name", ["trained", "untrained"])
def test_rounding_changes_each_weight_by_half_a_step_at_most(name):
    made = explorer(network=name)
    for key, value in parameters(name).items():
        found = made.parameters[key]
        if key.endswith("bias"):
            np.testing.assert_array_equal(found, value)
            continue
        rows = value.reshape(len(value), -1)
        steps = np.abs(rows).max(1, keepdims=True) / 127
        assert (np.abs(found.reshape(rows.shape) - rows) <= 0.5001 * steps).all()


def test_rounding_hardly_changes_what_the_network_says():
    test = fashion_mnist("test")
    made = explorer()
    exact, kept = networks()["trained"], rounded(made)
    shares = [[probabilities_of(model, image) for image in test.images[:300, 0]] for model in (exact, kept)]
    difference = np.abs(np.subtract(*shares)).max(axis=1)
    assert difference.mean() < 0.002
    assert np.mean(np.argmax(shares[0], 1) == np.argmax(shares[1], 1)) > 0.99


def test_a_unit_without_weights_stays_without():
    silent = parameters()
    silent["conv1.weight"] = np.zeros_like(silent["conv1.weight"])
    assert not small(networks={"silent": silent}).parameters["conv1.weight"].any()


@pytest.mark.parametrize("fill", ["gray", "black", "mean"])
@pytest.mark.parametrize("size", [4, 8, 12])
def test_the_cover_is_part_of_the_input(fill, size):
    made = explorer(tool="cover", cover=[3, 20], cover_size=size, cover_fill=fill)
    expected = some_pictures().images[0, 0].numpy().copy()
    column = min(20, 28 - size)
    expected[3 : 3 + size, column : column + size] = {"gray": 128, "black": 0, "mean": 73}[fill]
    np.testing.assert_array_equal(made.input, expected)
    made.tool = "look"
    np.testing.assert_array_equal(made.input, some_pictures().images[0, 0])


def test_a_drawing_is_an_input():
    drawing = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    made = explorer()
    made.drawing = drawing
    assert not np.array_equal(made.input, drawing)
    made.picture = -1
    np.testing.assert_array_equal(made.input, drawing)

    made.set_state({"drawing": {"dtype": "uint8", "shape": [28, 28], "data": memoryview(bytes(784))}})  # from a page
    assert made.drawing.shape == (28, 28)
    assert not made.drawing.any()


def test_best_patches_travel_as_places_in_the_pictures_that_hold_them():
    made = explorer()
    labels = fashion_mnist("test").labels.numpy()
    count = len(made.searched) * PATCHES * sum(LAYERS[layer][0] for layer in SEARCHED)
    unpacked = zlib.decompress(made.bank.tobytes())
    pictures = np.frombuffer(unpacked[: 2 * count], "<u2")
    places = np.frombuffer(unpacked[2 * count : 4 * count], np.uint8).reshape(-1, 2)
    bank = np.frombuffer(unpacked[4 * count :], np.uint8).reshape(-1, 28, 28)
    assert len(bank) == len(made.bank_labels)
    images = fashion_mnist("test").images.numpy()[:, 0] >> 4
    at = 0
    for name in made.searched:
        for layer in SEARCHED:
            found = best()[name][layer]
            size = LAYERS[layer][0] * PATCHES
            np.testing.assert_array_equal(places[at : at + size], found.places.reshape(-1, 2))
            wanted = found.pictures.numpy().ravel()
            np.testing.assert_array_equal(bank[pictures[at : at + size]], images[wanted])
            np.testing.assert_array_equal(np.array(made.bank_labels)[pictures[at : at + size]], labels[wanted])
            at += size
    assert at == count


def test_best_patches_may_be_left_out():
    made = small()
    assert (made.bank.size, made.searched) == (0, [])


def test_changes_are_seen():
    made, seen = explorer(), []
    made.observe(lambda change: seen.append(change.name), list(SETTINGS))
    made.layer, made.unit, made.network, made.picture = "conv2", 7, "untrained", 3
    assert seen == ["layer", "unit", "network", "picture"]
    assert made.parameters["fc3.bias"].tolist() == parameters("untrained")["fc3.bias"].tolist()


# --- What it refuses ----------------------------------------------------------------------------------------


def pictures(**changes):
    return dataclasses.replace(some_pictures(), **changes)


def without(name):
    return {key: value for key, value in parameters().items() if key != name}


def other(layer, **changes):
    found = {"trained": dict(best()["trained"])}
    found["trained"][layer] = dataclasses.replace(found["trained"][layer], **changes)
    return {"best": found, "data": fashion_mnist("test")[:350]}


def wrong_arguments():
    """Yield changes of what is given, and what is said about them."""
    images = some_pictures().images
    yield {"pictures": pictures(images=images[:, 0])}, r"pictures.images has shape \(10, 28, 28\); it must be \(P, 1,"
    yield {"pictures": pictures(images=images[:0])}, r"shape \(0, 1, 28, 28\); it must be .* P at least 1"
    yield {"pictures": pictures(images=images / 255)}, "dtype float32; it must be uint8"
    yield {"pictures": pictures(labels=torch.zeros(3, dtype=int))}, "there are 10 pictures, one label each"
    yield {"pictures": pictures(labels=torch.full((10,), 10))}, "whole numbers from 0 to 9"
    yield {"pictures": pictures(labels=torch.zeros(10))}, "whole numbers from 0 to 9; it holds float32"
    yield {"pictures": pictures(classes=("a", "b"))}, "LeNet has 10 scores, so give 10 names"
    yield {"networks": {}}, "networks has 0 entries; give 1 to 3"
    yield {"networks": {name: parameters() for name in "abcd"}}, "networks has 4 entries"
    yield {"networks": {"a": without("fc1.bias")}}, r"networks\['a'\] has no 'fc1.bias'; LeNet needs conv1.weight"
    wide = parameters() | {"fc3.bias": np.zeros(11)}
    yield {"networks": {"a": wide}}, r"\['fc3.bias'\] has shape \(11,\); it must be \(10,\)"
    hole = parameters() | {"fc3.bias": np.full(10, np.nan)}
    yield {"networks": {"a": hole}}, "holds a NaN or an infinity"
    yield {"statistics": Statistics(torch.tensor([0.3]), torch.tensor([0.0]))}, "one std above 0"
    yield {"statistics": Statistics(torch.zeros(3), torch.ones(3))}, "must have one mean"
    yield {"best": best()}, "best is given without data"
    yield {"best": {"other": {}}, "data": some_pictures()}, "best has 'other', which is no network; there are trained"
    yield {"best": {"trained": {}}, "data": some_pictures()}, r"best\['trained'\] has no 'conv1'; it needs conv1, pool1"
    yield {"best": {"trained": best()["trained"]}, "data": some_pictures()}, "a place outside: data has 10 pictures"
    yield other("fc2", pictures=torch.zeros(84, 5, dtype=int)), r"\(84, 5\) pictures; it must have \(84, 9\)"
    yield other("pool2", places=torch.full((16, 9, 2), 5)), "the layer's maps 5 rows and columns"


@pytest.mark.parametrize("index", range(20))
def test_wrong_arguments(index):
    changes, message = list(wrong_arguments())[index]
    with pytest.raises(ValueError, match=message):
        small(**changes)


def test_every_wrong_argument_is_tried():
    assert len(list(wrong_arguments())) == 20


WRONG_SETTINGS = {
    "network": ("other", "network is 'other'; it must be one of trained"),
    "picture": (3, "picture is 3; there are 3, so give 0 to 2, or -1"),
    "drawing": (np.zeros(784), r"drawing has shape \(784,\); it must be \(28, 28\)"),
    "scale": ("both", "scale"),
    "layer": ("conv3", "layer"),
    "unit": (-1, "unit"),
    "position": ([1], "position"),
    "tool": ("erase", "tool"),
    "cover": ([0, 25], "cover"),
    "cover_size": (5, "cover_size"),
    "cover_fill": ("white", "cover_fill"),
}


@pytest.mark.parametrize(("name", "value", "message"), [(n, *v) for n, v in WRONG_SETTINGS.items()], ids=WRONG_SETTINGS)
def test_wrong_settings_are_refused_and_leave_the_old_value(name, value, message):
    made = small()
    before = getattr(made, name)
    with pytest.raises(TraitError, match=message):
        setattr(made, name, value)
    np.testing.assert_array_equal(getattr(made, name), before)
    with pytest.raises(TraitError, match=message):
        small(**{name: value})


def test_pictures_of_the_package_will_do():
    test = fashion_mnist("test")
    assert isinstance(test, LabeledImages)
    assert len(small(pictures=test[:12]).labels) == 12


# --- What it costs ------------------------------------------------------------------------------------------


def test_code_and_state_are_small():
    made = explorer()
    assert len(gzip.compress(made._esm.encode())) <= 30 * KILOBYTE  # as it travels
    assert size_of(made) <= 400 * KILOBYTE


def test_module_stands_alone():
    esm = FeatureMapExplorer._esm
    assert not re.search(r"^\s*import ", esm, re.MULTILINE)
    assert "http" not in esm.replace("http://www.w3.org/2000/svg", "")  # a name that nobody fetches
    assert esm.count("export default") == 1
