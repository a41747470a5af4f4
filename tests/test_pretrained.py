"""The shipped checkpoints: small, safe to load, and as good as their cards say."""

from importlib.resources import files

import pytest
import torch

from backbone import pretrained
from backbone.data import FASHION_MNIST_STATISTICS, batches, fashion_mnist, standardize, to_float
from backbone.training import evaluate

EACH = pytest.mark.parametrize("name", pretrained.SHIPPED)
FASHION = pytest.mark.parametrize("name", ["lenet", "mlp"])
CIFAR = pytest.mark.parametrize(
    ("name", "trained", "least"),
    [("alexnet_small", "alexnet", 0.65), ("cifar_resnet20", "resnet20", 0.78), ("cifar_plain20", "plain20", 0.75)],
)


@FASHION
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
    assert "all" in card.data
    assert card.pictures in ("lossless", "jpeg")
    assert card.epochs > 0
    assert card.license == "MIT"


@FASHION
def test_a_card_of_fashion_mnist_names_its_command(name):
    card = pretrained.card(name)
    assert (card.dataset, card.pictures) == ("Fashion-MNIST", "lossless")
    assert card.test_accuracy > 0.88
    assert card.command == f"python experiments/train.py {name}"


@CIFAR
def test_a_card_of_cifar10_names_its_command(name, trained, least):
    card = pretrained.card(name)
    assert card.dataset == "CIFAR-10"
    assert card.test_accuracy > least
    assert card.subset_accuracy is None
    command = f"python experiments/train_cifar.py {trained} --epochs {card.epochs} --seed {card.seed}"
    assert card.command.startswith(command)


@CIFAR
def test_a_network_for_cifar10_tells_ten_classes(name, trained, least):
    model = pretrained.load(name)
    assert not model.training
    assert model(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    assert all(value.isfinite().all() for value in model.state_dict().values())


def test_all_checkpoints_together_are_small():
    folder = files("backbone.pretrained")
    sizes = {name: len(folder.joinpath(f"{name}.pt").read_bytes()) for name in pretrained.SHIPPED}
    assert sum(sizes.values()) < 4e6
    assert max(sizes.values()) < 2e6
    assert sizes["alexnet_small"] + sizes["cifar_resnet20"] + sizes["cifar_plain20"] < 3e6


def test_loading_runs_no_code_from_the_file(monkeypatch):
    asked = []
    load = torch.load
    monkeypatch.setattr(torch, "load", lambda *args, **options: asked.append(options) or load(*args, **options))
    pretrained.load("lenet")
    assert asked[0]["weights_only"] is True


@pytest.mark.parametrize("function", [pretrained.load, pretrained.card])
def test_an_unknown_name_lists_the_names(function):
    with pytest.raises(ValueError, match=r"name is 'vgg'; it must be one of 'lenet', 'mlp'"):
        function("vgg")
