"""The tool that trains on CIFAR-10: both packings of the pictures, a whole run, and cards that do not mix them."""

import csv
import io
import pickle
import tarfile

import numpy as np
import pytest
import torch
import train_cifar
from PIL import Image

from backbone import data, models, pretrained
from backbone.data.download import digest

COUNT = 30  # pictures a file


def pictures(seed, count=COUNT):
    """Return random pictures (N, 32, 32, 3) and labels (N,)."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8), rng.integers(0, 10, count)


def write_archive(folder):
    """Write the official archive in small: five batches to train on and one to test, rows of red, green, blue."""
    with tarfile.open(folder / train_cifar.ARCHIVE, "w:gz") as archive:
        for seed, name in enumerate(["data_batch_1", *(f"data_batch_{n}" for n in range(2, 6)), "test_batch"]):
            x, y = pictures(seed)
            rows = x.transpose(0, 3, 1, 2).reshape(len(x), -1)
            content = pickle.dumps({"data": rows, "labels": y.tolist()})
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return digest(folder / train_cifar.ARCHIVE)


def write_jpegs(folder):
    """Write the same pictures as JPEG, in the two files that stand in for the archive."""
    for name, seeds in (("train50000", range(5)), ("test10000", [5])):
        parts = [pictures(seed) for seed in seeds]
        files = []
        for picture in np.concatenate([x for x, _ in parts]):
            Image.fromarray(picture).save(file := io.BytesIO(), "JPEG", quality=95)
            files.append(file.getvalue())
        np.savez(
            folder / f"cifar10_{name}.npz",
            jpeg=np.frombuffer(b"".join(files), np.uint8),
            offsets=np.cumsum([0, *map(len, files)]),
            y=np.concatenate([y for _, y in parts]),
        )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BACKBONE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def archived(folder, monkeypatch):
    """Return a folder with an archive that counts as the official one."""
    monkeypatch.setattr(train_cifar, "SHA256", write_archive(folder))
    return folder


def test_another_archive_is_not_unpickled(folder, monkeypatch):
    """A pickle can run any code, so only the authors' own is opened."""
    write_archive(folder)
    monkeypatch.setattr(pickle, "load", None)
    with pytest.raises(SystemExit, match=rf"has SHA-256 [0-9a-f]{{64}}, not {train_cifar.SHA256}: fetch https://"):
        train_cifar.cifar10()


def test_the_official_archive_is_read_as_it_is_packed(archived):
    kind, (x, y), (x_test, y_test) = train_cifar.cifar10()
    assert kind == "lossless"
    assert x.shape == (5 * COUNT, 3, 32, 32)
    for number, (found, labels) in enumerate([*zip(x.split(COUNT), y.split(COUNT), strict=True), (x_test, y_test)]):
        expected, classes = pictures(number)
        np.testing.assert_allclose(found.permute(0, 2, 3, 1).numpy(), expected / 255, atol=1e-6)
        assert labels.tolist() == classes.tolist()


def test_jpegs_are_read_and_called_jpegs(folder):
    write_jpegs(folder)
    kind, (x, y), (x_test, _) = train_cifar.cifar10()
    assert kind == "jpeg"
    assert (x.shape, x_test.shape) == ((5 * COUNT, 3, 32, 32), (COUNT, 3, 32, 32))
    expected, classes = pictures(0)
    assert y[:COUNT].tolist() == classes.tolist()
    assert np.corrcoef(x[0].permute(1, 2, 0).ravel(), expected[0].ravel())[0, 1] > 0.5  # noise suffers most from JPEG


def test_the_archive_comes_before_the_jpegs(archived):
    write_jpegs(archived)
    assert train_cifar.cifar10()[0] == "lossless"


@pytest.mark.parametrize("name", ["resnet8", "plain8", "alexnet"])
def test_a_run_records_every_pass_and_leaves_weights(archived, monkeypatch, name):
    x = train_cifar.cifar10()[1][0]
    monkeypatch.setattr(data, "CIFAR10_STATISTICS", data.channel_statistics(x))
    for out in ("one", "two"):
        train_cifar.train(name, epochs=2, seed=3, out=archived / out)
    text = (archived / "one" / f"{name}-3.csv").read_text("utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert [(row["network"], row["seed"], row["epoch"], row["pictures"]) for row in rows] == [
        (name, "3", "1", "lossless"),
        (name, "3", "2", "lossless"),
    ]
    assert rows[0]["command"] == f"python experiments/train_cifar.py {name} --epochs 2 --seed 3"
    first, second = (torch.load(archived / out / f"{name}-3.pt", weights_only=True) for out in ("one", "two"))
    assert all(torch.equal(first[key], second[key]) for key in first)  # the seed decides everything
    model = models.alexnet_small() if name == "alexnet" else models.cifar_resnet(8, residual=name == "resnet8")
    model.load_state_dict(first)


def test_weights_are_not_judged_on_another_packing(archived):
    assert pretrained.card("cifar_resnet20").pictures == "jpeg"
    with pytest.raises(SystemExit, match="speaks of jpeg pictures, and lossless ones are here"):
        train_cifar.check("resnet20")


def run(folder, name, **row):
    """Write the record of a run of one pass."""
    with (folder / f"{name}-0.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, train_cifar.COLUMNS)
        writer.writeheader()
        writer.writerow(dict.fromkeys(train_cifar.COLUMNS, 1) | {"network": name} | row)


def test_weights_are_not_shipped_to_be_judged_on_another_packing(archived, monkeypatch):
    run(archived, "resnet20", pictures="jpeg")
    (archived / "resnet20-0.pt").write_bytes(b"weights")
    copied = []
    monkeypatch.setattr(train_cifar.shutil, "copy", lambda *paths: copied.append(paths))
    with pytest.raises(SystemExit, match="was trained on jpeg pictures, and lossless ones are here"):
        train_cifar.ship("resnet20", 0, archived)
    assert copied == []  # the package keeps its weights beside their card


def test_curves_are_kept_where_there_are_no_runs_to_gather(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(train_cifar.records, "write", lambda *record, **tables: written.append(tables))
    run(tmp_path, "alexnet")
    train_cifar.gather(tmp_path)
    assert written == []


@pytest.mark.parametrize(
    "arguments", [["vgg"], ["resnet21"], ["resnet"], ["--check", "resnet32"], ["--ship", "plain8"]]
)
def test_an_unknown_network_is_refused_before_anything_is_read(folder, monkeypatch, capsys, arguments):
    monkeypatch.setattr("sys.argv", ["train_cifar.py", *arguments])
    with pytest.raises(SystemExit):
        train_cifar.main()
    assert f"{arguments[-1]!r} is none of" in capsys.readouterr().err


def test_without_the_pictures_it_says_where_to_get_them(folder):
    with pytest.raises(SystemExit, match=r"toronto\.edu/~kriz/cifar-10-python\.tar\.gz and name its folder"):
        train_cifar.cifar10()


def test_only_finished_runs_are_gathered(tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(train_cifar.records, "write", lambda *record, **tables: written.append(tables))
    for name, passes in (("plain20", 2), ("resnet20", 1)):
        with (tmp_path / f"{name}-0.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, train_cifar.COLUMNS)
            writer.writeheader()
            for epoch in range(1, passes + 1):
                writer.writerow(dict.fromkeys(train_cifar.COLUMNS, 0) | {"network": name, "epoch": epoch, "epochs": 2})
    train_cifar.gather(tmp_path)
    ((rows,),) = [tables.values() for tables in written]
    assert [(row["network"], row["epoch"]) for row in rows] == [("plain20", 1), ("plain20", 2)]


def test_the_first_filters_of_the_small_alexnet_have_a_decay_of_their_own():
    model = models.alexnet_small()
    first, others = train_cifar.groups(model, 1e-4)
    assert first["params"][0] is model.features[0].weight
    assert first["weight_decay"] == train_cifar.FIRST_FILTERS_DECAY
    assert others["weight_decay"] == 1e-4
    assert len(first["params"]) + len(others["params"]) == len(list(model.parameters()))
