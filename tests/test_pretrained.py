"""The shipped checkpoints: small, safe to load, and as good as their cards say."""

from importlib.resources import files

import pytest
import torch

from backbone import pretrained
from backbone.data import FASHION_MNIST_STATISTICS, batches, fashion_mnist, standardize, to_float
from backbone.training import evaluate

EACH = pytest.mark.parametrize("name", pretrained.SHIPPED)


@EACH
def test_a_checkpoint_is_as_good_as_its_card_says(name):
    images = fashion_mnist("test")
    x = standardize(to_float(images.images), FASHION_MNIST_STATISTICS)
    model = pretrained.load(name)
    assert not model.training
    assert evaluate(model, batches(x, images.labels, 500)).accuracy == pytest.approx(
        pretrained.card(name).subset_accuracy, abs=0.002
    )


@EACH
def test_a_card_is_complete(name):
    card = pretrained.card(name)
    assert card.model == name
    assert "60,000" in card.data
    assert card.test_accuracy > 0.88
    assert card.epochs > 0
    assert card.license == "MIT"
    assert card.command == f"python tools/train.py {name}"


def test_all_checkpoints_together_are_small():
    folder = files("backbone.pretrained")
    assert sum(len(folder.joinpath(f"{name}.pt").read_bytes()) for name in pretrained.SHIPPED) < 1.5e6


def test_loading_runs_no_code_from_the_file(monkeypatch):
    asked = []
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **options: asked.append(options) or load(*args, **options))
    pretrained.load("lenet")
    assert asked[0]["weights_only"] is True


@pytest.mark.parametrize("function", [pretrained.load, pretrained.card])
def test_an_unknown_name_lists_the_names(function):
    with pytest.raises(ValueError, match=r"name is 'vgg'; it must be one of lenet, mlp"):
        function("vgg")
