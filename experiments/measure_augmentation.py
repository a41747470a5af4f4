"""Measure what augmentation does to LeNet on Fashion-MNIST, and write the table that the chapter on data shows.

    python experiments/measure_augmentation.py

It takes about ten minutes on one thread, longer than a chapter may. The chapter runs the smallest size itself.
"""

from functools import partial

import torch
from common import BLACK, columns, draws, measured, standardized, trained

from backbone import data, models, records

EPOCHS = {200: 100, 1000: 100, 6000: 40}
SEEDS = {200: 5, 1000: 3, 6000: 3}
BATCH = {200: 50, 1000: 100, 6000: 100}
RATE, DECAY = 3e-3, 0.01
TRAININGS = {
    "as they are": None,
    "mirrored": data.random_flip,
    "shifted": lambda x, generator: data.random_crop(x, generator, 3, BLACK),
    "upside down": lambda x, generator: data.random_flip(x, generator, "vertical"),
}


def main() -> None:
    """Train all networks and write the record."""
    torch.set_num_threads(1)
    (x, y), (t, t_labels) = (standardized(data.fashion_mnist(split)) for split in ("train", "test"))
    moved = data.random_crop(t, torch.Generator().manual_seed(99), 3, BLACK)
    tests = {"as they are": t, "mirrored": t.flip(3), "shifted": moved}
    rows = []

    def one_draw(size: int, name: str, seed: int) -> dict[str, float]:
        """Return the accuracy on each kind of test pictures."""
        some = (torch.arange(size) + size * seed) % len(x)  # all of them are one part only
        settings = {"epochs": EPOCHS[size], "batch": BATCH[size], "rate": RATE, "decay": DECAY}
        model = trained(models.lenet, x[some], y[some], seed, augment=TRAININGS[name], **settings)
        return {key: measured(model, pictures, t_labels).accuracy for key, pictures in tests.items()}

    for size, epochs in EPOCHS.items():
        for name in TRAININGS:
            print(size, name)
            *_, runs = draws(partial(one_draw, size, name), range(SEEDS[size]))
            rows.append({"size": size, "epochs": epochs, "training": name, "accuracy": columns(runs, *tests)})
    about = {
        "command": "python experiments/measure_augmentation.py",
        "data": "Fashion-MNIST: the first of the 6,000 training pictures of this package, with each seed the next "
        "ones; its 1,000 test pictures",
        "network": "LeNet",
        "training": f"AdamW, one cycle up to {RATE}, decay {DECAY}, batches of 50 for 200 pictures, else of 100",
    }
    records.write("augmentation", about, rows=rows)


if __name__ == "__main__":
    main()
