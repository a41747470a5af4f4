"""The recorded training curves on CIFAR-10: whole, of one kind, and what the book says of them."""

import pytest

from backbone import records
from backbone.data import CIFAR10_CLASSES, CIFAR10_STATISTICS


@pytest.fixture(scope="module")
def runs():
    """Return the rows of each recorded run by network and seed."""
    found = {}
    for row in records.load("cifar_curves")["passes"]:
        found.setdefault((row["network"], row["seed"]), []).append(row)
    return found


def test_every_run_is_whole_and_says_how_it_was_made(runs):
    for (network, seed), rows in runs.items():
        assert [row["epoch"] for row in rows] == list(range(1, rows[0]["epochs"] + 1))
        for row in rows:
            assert row["command"].startswith(
                f"python experiments/train_cifar.py {network} --epochs {row['epochs']} --seed {seed}"
            )
            assert row["machine"]
            assert 0 < row["train_error"] < 1
            assert 0 < row["test_error"] < 1


def test_all_runs_saw_the_same_pictures_as_often(runs):
    assert len({(row["pictures"], row["epochs"]) for rows in runs.values() for row in rows}) == 1


def test_a_plain_network_learns_its_training_pictures_worse_the_deeper_it_is(runs):
    error = {network: rows[-1]["train_error"] for (network, _), rows in runs.items()}
    depths = sorted(int(name.removeprefix("plain")) for name in error if name.startswith("plain"))
    assert depths == [20, 32, 44]
    errors = [error[f"plain{depth}"] for depth in depths]
    assert errors == sorted(errors)
    assert all(error[f"resnet{depth}"] < error[f"plain{depth}"] for depth in depths)


def test_the_classes_are_cifar10s():
    assert len(CIFAR10_CLASSES) == 10
    assert CIFAR10_STATISTICS.mean.shape == CIFAR10_STATISTICS.std.shape == (3,)
