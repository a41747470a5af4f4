"""Cut blocks out of a trained residual network and out of its plain twin, in every way, and record what they answer.

    python experiments/measure_cuts.py

Both networks have nine blocks, three each with 8, 16 and 32 channels, and learn the first 5,000 training pictures of
this package's Fashion-MNIST: AdamW, one cycle of the rate. Each takes the rate with which, of seed 0, it tells most of
the last 1,000 training pictures right. A block that is cut is replaced by its shortcut, in the plain network too: the
identity, or at blocks 4 and 7 every other pixel and zeros for the new channels. It takes 13 minutes on one thread.

What is written into the record ``cuts``; set number i of the 512 holds block k where bit k - 1 of i is 1:

* ``rates``: the validation accuracy of both networks at each rate.
* ``right``: for each network and seed, at its own rate, how many of the 1,000 test pictures of this package are told
  right: after all 512 sets of cuts for the first seed, after none and after each block alone for the others.
* ``answers``: for each network of the first seed, and each picture that is shown, the class that is answered after each
  set of cuts, one digit each, and its probability in whole percent, two digits each, 99 for more. Shown is of each
  class the first test picture that both whole networks tell right.
"""

import time

import torch
from common import measured, standardized, trained
from torch import nn

from backbone import data, records
from backbone.models.initialization import initialize
from backbone.models.resnet import BasicBlock, PadShortcut

WIDTHS, BLOCKS = (8, 16, 32), 3
RATES, SEEDS, EPOCHS, BATCH, DECAY = (3e-3, 1e-2, 3e-2), range(3), 8, 64, 0.01
LEARN = 5000
SETS = range(2 ** (len(WIDTHS) * BLOCKS))
SINGLE = [0, *(2**k for k in range(len(WIDTHS) * BLOCKS))]
NETWORKS = {"residual": True, "plain": False}


class Network(nn.Module):
    """A first convolution, nine blocks, an average over all places, a linear layer.

    Args:
        residual: with the shortcuts, which have no parameters.
        generator: draws the first weights.
    """

    def __init__(self, residual: bool, generator: torch.Generator):
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(1, WIDTHS[0], 3, padding=1, bias=False), nn.BatchNorm2d(WIDTHS[0]), nn.ReLU()
        )
        blocks, self.shortcuts, channels = [], [], WIDTHS[0]
        for width in WIDTHS:
            for _ in range(BLOCKS):
                same = width == channels
                shortcut = nn.Identity() if same else PadShortcut(channels, width, 2)
                blocks.append(BasicBlock(channels, width, 1 if same else 2, shortcut if residual else None))
                self.shortcuts.append(shortcut)
                channels = width
        self.blocks = nn.ModuleList(blocks)
        self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))
        initialize(self, generator, "resnet")

    def forward(self, x: torch.Tensor, cuts: int = 0) -> torch.Tensor:
        """Map pictures (N, 1, 28, 28) to logits (N, 10), without the blocks of a set of cuts."""
        h = self.stem(x)
        for number, (block, shortcut) in enumerate(zip(self.blocks, self.shortcuts, strict=True)):
            h = shortcut(h) if cuts >> number & 1 else block(h)
        return self.head(h)


@torch.no_grad()
def every_set(model: Network, x: torch.Tensor) -> torch.Tensor:
    """Return the logits (512, N, 10) after each set of cuts; what sets share is computed once."""
    found = torch.empty(len(SETS), len(x), 10)

    def go(h: torch.Tensor, number: int, cuts: int) -> None:
        if number == len(model.blocks):
            found[cuts] = model.head(h)
            return
        go(model.blocks[number](h), number + 1, cuts)
        go(model.shortcuts[number](h), number + 1, cuts | 1 << number)

    go(model.eval().stem(x), 0, 0)
    return found


def learned(name: str, rate: float, seed: int, x: torch.Tensor, y: torch.Tensor) -> Network:
    """Return a network trained on the first pictures."""

    def build(generator: torch.Generator) -> Network:
        return Network(NETWORKS[name], generator)

    settings = {"epochs": EPOCHS, "batch": BATCH, "rate": rate, "decay": DECAY}
    return trained(build, x[:LEARN], y[:LEARN], seed, **settings).eval()


def main() -> None:
    """Train all networks, cut them, and write the record."""
    torch.set_num_threads(1)
    x, y = standardized(data.fashion_mnist("train"))
    rates, networks = [], {}
    for name in NETWORKS:
        tried = {rate: learned(name, rate, SEEDS[0], x, y) for rate in RATES}
        scores = {rate: measured(model, x[LEARN:], y[LEARN:]).accuracy for rate, model in tried.items()}
        best = max(scores, key=scores.get)
        rates += [{"network": name, "rate": rate, "validation": round(score, 4)} for rate, score in scores.items()]
        networks[name] = [tried[best], *(learned(name, best, seed, x, y) for seed in SEEDS[1:])]
        print(rates, f"{time.process_time():.0f} s", flush=True)
    right, answers = cut(networks, data.fashion_mnist("test"))
    about = {
        "command": "python experiments/measure_cuts.py",
        "data": "Fashion-MNIST, this package's part: the first 5,000 training pictures to learn from, the last 1,000 "
        "for validation, 1,000 to test",
        "networks": f"nine blocks of two 3 x 3 convolutions, channels {WIDTHS}, shortcut A",
        "training": f"AdamW, {EPOCHS} epochs in batches of {BATCH}, one cycle of the rate, decay {DECAY}",
        "seeds": list(SEEDS),
        "torch": torch.__version__,
        "CPU seconds": round(time.process_time()),
    }
    records.write("cuts", about, rates=rates, right=right, answers=answers)


def cut(networks: dict[str, list[Network]], test: data.LabeledImages) -> tuple[list[dict], list[dict]]:
    """Return the tables ``right`` and ``answers``."""
    x, y = standardized(test)
    parts = {name: [every_set(models[0], part) for part in x.split(250)] for name, models in networks.items()}
    logits = {name: torch.cat(found, dim=1) for name, found in parts.items()}
    both = torch.stack([found[0].argmax(1) == y for found in logits.values()]).all(0)
    shown = [int((both & (y == label)).nonzero()[0]) for label in range(10)]
    right, answers = [], []
    for name, models in networks.items():
        check(models[0], logits[name][:, shown], x[shown])
        told = (logits[name].argmax(2) == y).sum(1)
        right.append({"network": name, "seed": SEEDS[0], "right": told.tolist()})
        for seed, model in zip(SEEDS[1:], models[1:], strict=True):
            with torch.no_grad():
                told = [sum(int((model(p, s).argmax(1) == q).sum()) for p, q in pairs(x, y)) for s in SINGLE]
            right.append({"network": name, "seed": seed, "right": told})
        for picture in shown:
            shares, classes = logits[name][:, picture].softmax(1).max(1)
            percents = (100 * shares).round().clamp(max=99).int().tolist()
            digits = "".join(map(str, classes.tolist()))
            row = {"network": name, "picture": picture, "label": int(y[picture]), "answers": digits}
            answers.append(row | {"percents": "".join(f"{share:02d}" for share in percents)})
    return right, answers


@torch.no_grad()
def check(model: Network, logits: torch.Tensor, x: torch.Tensor) -> None:
    """Raise AssertionError where what was computed for all sets at once is not the network without those blocks."""
    for cuts in (0, 16, 73, 310, 511):
        torch.testing.assert_close(logits[cuts], model(x, cuts), rtol=1e-3, atol=1e-3)


def pairs(x: torch.Tensor, y: torch.Tensor):
    """Return parts of pictures and labels."""
    return zip(x.split(250), y.split(250), strict=True)


if __name__ == "__main__":
    main()
