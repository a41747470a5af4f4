"""Train residual networks, their plain twins and a small AlexNet on CIFAR-10, and record every epoch.

    python experiments/train_cifar.py --epochs 8 --compile resnet20 plain20 resnet32 plain32 resnet44 plain44
    python experiments/train_cifar.py alexnet --epochs 16
    python experiments/train_cifar.py --ship alexnet resnet20 plain20   # what was trained becomes part of the package
    python experiments/train_cifar.py --check alexnet resnet20 plain20  # the packaged weights are as good as the cards

Looks in the folder that BACKBONE_DATA names, or else in ``~/.cache/backbone``, for the official archive,
``cifar-10-python.tar.gz``, or else for ``cifar10_train50000.npz`` and ``cifar10_test10000.npz``, the same pictures as
JPEG. JPEG at 32 x 32 costs accuracy, so records and cards say which it was, and numbers of the two kinds are never
compared.

Recipe, after section 4.2 of He et al. 2015: SGD with momentum 0.9 and weight decay 1e-4, batches of 128, random shifts
of up to 4 pixels and flips; one cycle of the learning rate instead of their steps, since the passes are few. Products
are taken in bfloat16 (autocast), sums and weights in float32. The small AlexNet has no BatchNorm and takes a lower
rate and a stronger decay; that of its first filters is stronger still, so that the noise they are drawn with fades, and
what the pictures keep up remains.

``--compile`` fuses the layers (torch.compile; needs a C++ compiler): 1.7 times as fast, other roundings. Not for the
small AlexNet: compiled by PyTorch 2.13 in bfloat16, its convolutions differ from the uncompiled ones by their whole
gradient, and do not learn. The residual and plain networks were compared in the same way, and agree.
"""

import argparse
import csv
import io
import itertools
import json
import platform
import re
import shutil
import tarfile
import time
from pathlib import Path

import numpy as np
import torch
from common import SHIPPED, measured, write_card
from PIL import Image

from backbone import data, models, pretrained, records
from backbone.data.download import cache_folder, digest

BATCH, MOMENTUM = 128, 0.9
RECIPES = {"resnet": (0.1, 1e-4), "plain": (0.1, 1e-4), "alexnet": (0.02, 5e-4)}  # highest rate, weight decay
PACKAGED = {"alexnet": "alexnet_small", "resnet20": "cifar_resnet20", "plain20": "cifar_plain20"}
FIRST_FILTERS_DECAY = 0.02  # of the small AlexNet
ADDRESS, ARCHIVE = "https://www.cs.toronto.edu/~kriz/", "cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"  # as Keras publishes it, too
COLUMNS = ["network", "seed", "epoch", "epochs", "train_loss", "train_error", "test_error"]
COLUMNS += ["pictures", "seconds", "machine", "command"]


def main() -> None:
    """Train what is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="+", help="resnetN or plainN, N = 6n + 2, or alexnet")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--compile", action="store_true", help="fuse layers; needs a C++ compiler")
    parser.add_argument("--ship", action="store_true", help="do not train; put what lies in --out into the package")
    parser.add_argument("--check", action="store_true", help="do not train; measure what the package holds")
    parser.add_argument("--out", type=Path, default=Path("."), help="folder for NAME-SEED.csv and NAME-SEED.pt")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.compile and "alexnet" in arguments.names:
        parser.error("--compile is not for alexnet: compiled, its convolutions do not learn")
    for name in arguments.names:
        depth = re.fullmatch(r"(?:resnet|plain)(\d+)", name)
        trained = name == "alexnet" or (depth and int(depth[1]) >= 8 and int(depth[1]) % 6 == 2)
        if name not in PACKAGED if arguments.ship or arguments.check else not trained:
            parser.error(
                f"{name!r} is none of resnetN and plainN, N = 6n + 2, and alexnet; packaged: {', '.join(PACKAGED)}"
            )
    for name in arguments.names:
        if arguments.ship:
            ship(name, arguments.seed, arguments.out)
        elif arguments.check:
            check(name)
        else:
            train(name, arguments.epochs, arguments.seed, arguments.out, arguments.compile)
    if arguments.ship:
        gather(arguments.out)


def build(name: str, generator: torch.Generator) -> torch.nn.Module:
    """Return the network that a name such as "plain20" stands for."""
    if name == "alexnet":
        return models.alexnet_small(generator=generator)
    kind, depth = re.fullmatch(r"(resnet|plain)(\d+)", name).groups()
    return models.cifar_resnet(int(depth), residual=kind == "resnet", generator=generator)


def machine() -> str:
    """Return what a record says of the machine: processor, threads, version of PyTorch."""
    return f"{platform.machine()}, {torch.get_num_threads()} thread, torch {torch.__version__}"


def train(name: str, epochs: int, seed: int, out: Path, compiled: bool = False) -> None:
    """Train one network; write a row after each epoch and the weights, as float16, at the end."""
    kind, (x, y), (x_test, y_test) = cifar10()
    statistics = data.CIFAR10_STATISTICS
    torch.testing.assert_close(data.channel_statistics(x).mean, statistics.mean, atol=2e-3, rtol=0)
    x, x_test = data.standardize(x, statistics), data.standardize(x_test, statistics)
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)  # dropout asks PyTorch's global generator
    model = build(name, generator)
    batches = data.batches(x, y, BATCH, shuffle=True, augment=augment, generator=generator)
    rate, decay = RECIPES[name.rstrip("0123456789")]
    optimizer = torch.optim.SGD(groups(model, decay), rate, momentum=MOMENTUM)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, epochs=epochs, steps_per_epoch=len(batches), cycle_momentum=False
    )
    network = torch.compile(model) if compiled else model
    command = f"python experiments/train_cifar.py {name} --epochs {epochs} --seed {seed}" + " --compile" * compiled
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{name}-{seed}.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for epoch in range(1, epochs + 1):
            start = time.time()
            loss, error = one_pass(network, batches, optimizer, schedule)
            test_error = one_pass(network, data.batches(x_test, y_test, 500))[1]
            seconds = round(time.time() - start)
            numbers = [f"{loss:.4f}", f"{error:.4f}", f"{test_error:.4f}"]
            writer.writerow([name, seed, epoch, epochs, *numbers, kind, seconds, machine(), command])
            file.flush()
            print(
                f"{name} seed {seed} epoch {epoch}: loss {loss:.3f}, training error {error:.3f}, "
                f"test error {test_error:.3f} ({seconds} s)",
                flush=True,
            )
    torch.save({key: half(value) for key, value in model.state_dict().items()}, out / f"{name}-{seed}.pt")


def ship(name: str, seed: int, out: Path) -> None:
    """Copy the weights of a run into the package, with a card whose accuracy is that of the rounded weights."""
    with (out / f"{name}-{seed}.csv").open(encoding="utf-8") as file:
        record = list(csv.DictReader(file))[-1]
    shipped = PACKAGED[name]
    kind, _, test = cifar10()
    if kind != record["pictures"]:
        raise SystemExit(f"{name} was trained on {record['pictures']} pictures, and {kind} ones are here to test on")
    shutil.copy(out / f"{name}-{seed}.pt", SHIPPED / f"{shipped}.pt")
    card = write_card(
        shipped,
        dataset="CIFAR-10",
        pictures=kind,
        data="CIFAR-10, all 50,000 training pictures, in [0, 1], standardized with CIFAR10_STATISTICS",
        seed=seed,
        epochs=int(record["epochs"]),
        test_accuracy=accuracy(pretrained.load(shipped), *test),
        subset_accuracy=None,
        command=record["command"],
    )
    print(f"{shipped}: test accuracy {card.test_accuracy:.4f}, on {kind} pictures")


def gather(out: Path) -> None:
    """Join the rows of all finished runs of residual and plain networks into the record ``cifar_curves``."""
    passes = []
    for path in sorted([*out.glob("plain*.csv"), *out.glob("resnet*.csv")]):
        with path.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if rows and rows[-1]["epoch"] == rows[-1]["epochs"]:
            passes += [{key: number(value) for key, value in row.items()} for row in rows]
    if not passes:
        print(f"The record stays: no finished run of a residual or plain network in {out}")
        return
    about = {
        "data": "CIFAR-10: all 50,000 training pictures, all 10,000 test pictures",
        "training": "as experiments/train_cifar.py says; each row has its command",
    }
    records.write("cifar_curves", about, passes=passes)
    print(f"{len(passes)} passes")


def number(text: str) -> float | str:
    """Return a number where the text is one, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def check(name: str) -> None:
    """Measure packaged weights on the 10,000 test pictures, and compare with the card."""
    kind, _, test = cifar10()
    card = pretrained.card(PACKAGED[name])
    if kind != card.pictures:
        raise SystemExit(f"The card of {name} speaks of {card.pictures} pictures, and {kind} ones are here to test on")
    found = accuracy(pretrained.load(PACKAGED[name]), *test)
    print(f"{PACKAGED[name]}: test accuracy {found:.4f}, the card says {card.test_accuracy:.4f}")
    if abs(found - card.test_accuracy) > 0.0005:  # five pictures of 10,000: another machine rounds otherwise
        raise SystemExit(1)


def accuracy(model: torch.nn.Module, x: torch.Tensor, y: torch.Tensor) -> float:
    """Return the share of pictures (N, 3, 32, 32), in [0, 1], that a network gets right, in float32."""
    return measured(model, data.standardize(x, data.CIFAR10_STATISTICS), y).accuracy


def groups(model: torch.nn.Module, decay: float) -> list[dict]:
    """Return all parameters with their weight decay."""
    first, *others = model.parameters()
    own = FIRST_FILTERS_DECAY if isinstance(model, models.AlexNet) else decay
    return [{"params": [first], "weight_decay": own}, {"params": others, "weight_decay": decay}]


def half(value: torch.Tensor) -> torch.Tensor:
    """Return weights as float16; counters stay whole numbers."""
    return value.half() if value.is_floating_point() else value


def augment(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Shift by up to 4 pixels and flip left and right; the padding is the mean color."""
    return data.random_flip(data.random_crop(x, generator, padding=4), generator)


def one_pass(model, batches, optimizer=None, schedule=None) -> tuple[float, float]:
    """Return mean loss and share of errors of one pass; learn on the way where an optimizer is given."""
    model.train(optimizer is not None)
    loss_sum, wrong, count = 0.0, 0, 0
    with torch.set_grad_enabled(optimizer is not None):
        for x, y in batches:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = model(x)
            loss = torch.nn.functional.cross_entropy(logits.float(), y)
            if optimizer is not None:
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
            loss_sum += loss.item() * len(y)
            wrong += (logits.argmax(1) != y).sum().item()
            count += len(y)
    return loss_sum / count, wrong / count


def cifar10() -> tuple[str, tuple, tuple]:
    """Return "lossless" or "jpeg", then pictures in [0, 1] (N, 3, 32, 32) and labels (N,) to train on and to test."""
    folder = cache_folder()
    if (folder / ARCHIVE).exists():
        if (found := digest(folder / ARCHIVE)) != SHA256:  # it holds pickles, and a pickle can run what it likes
            raise SystemExit(f"{folder / ARCHIVE} has SHA-256 {found}, not {SHA256}: fetch {ADDRESS}{ARCHIVE} again")
        with tarfile.open(folder / ARCHIVE) as archive:
            train = [unpickled(archive, f"data_batch_{number}") for number in range(1, 6)]
            return "lossless", joined(train), joined([unpickled(archive, "test_batch")])
    jpegs = [folder / "cifar10_train50000.npz", folder / "cifar10_test10000.npz"]
    if not all(path.exists() for path in jpegs):
        raise SystemExit(
            f"CIFAR-10 is not in {folder.resolve()}. Fetch {ADDRESS}{ARCHIVE} and name its folder: "
            "BACKBONE_DATA=/path/to/folder"
        )
    return "jpeg", *map(decoded, jpegs)


def unpickled(archive: tarfile.TarFile, name: str) -> tuple[np.ndarray, list[int]]:
    """Return one batch of the official archive. It is a pickle: `cifar10` has made sure that it is the authors'."""
    import pickle

    content = pickle.load(archive.extractfile(f"cifar-10-batches-py/{name}"), encoding="latin1")
    return content["data"].reshape(-1, 3, 32, 32), content["labels"]


def joined(parts) -> tuple[torch.Tensor, torch.Tensor]:
    """Return batches as one."""
    images = np.concatenate([images for images, _ in parts])
    return data.to_float(torch.from_numpy(images)), torch.tensor([label for _, labels in parts for label in labels])


def decoded(path: Path) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures and labels of a file of JPEGs."""
    with np.load(path) as file:
        jpeg, offsets, labels = file["jpeg"], file["offsets"], file["y"]
    pictures = [np.asarray(Image.open(io.BytesIO(jpeg[start:end]))) for start, end in itertools.pairwise(offsets)]
    images = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
    return data.to_float(images), torch.from_numpy(labels.astype(np.int64))


if __name__ == "__main__":
    main()
