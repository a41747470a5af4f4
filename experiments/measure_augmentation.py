"""Measure what augmentation does to LeNet on Fashion-MNIST, and write the table that the chapter on data shows.

    python experiments/measure_augmentation.py

It takes about ten minutes on one thread, longer than a chapter may. The chapter runs the smallest size itself.
"""

import time

import torch

from backbone import data, models, records, training

EPOCHS = {200: 100, 1000: 100, 6000: 40}
SEEDS = {200: 5, 1000: 3, 6000: 3}
BATCH = {200: 50, 1000: 100, 6000: 100}
RATE, DECAY = 3e-3, 0.01
BLACK = -float(data.FASHION_MNIST_STATISTICS.mean / data.FASHION_MNIST_STATISTICS.std)
TRAININGS = {
    "as they are": None,
    "mirrored": data.random_flip,
    "shifted": lambda x, generator: data.random_crop(x, generator, 3, BLACK),
    "upside down": lambda x, generator: data.random_flip(x, generator, "vertical"),
}


def main() -> None:
    """Train all networks and write the record."""
    torch.set_num_threads(1)
    train, test = (data.fashion_mnist(split) for split in ("train", "test"))
    x, t = (data.standardize(data.to_float(s.images), data.FASHION_MNIST_STATISTICS) for s in (train, test))
    moved = data.random_crop(t, torch.Generator().manual_seed(99), 3, BLACK)
    tests = {"as they are": t, "mirrored": t.flip(3), "shifted": moved}
    rows = []
    for size, epochs in EPOCHS.items():
        for name, augment in TRAININGS.items():
            started = time.perf_counter()
            scores = {key: [] for key in tests}
            for seed in range(SEEDS[size]):
                part = torch.arange(size) + size * seed if size < len(x) else torch.arange(size)
                model = trained(x[part], train.labels[part], epochs, BATCH[size], augment, seed)
                for key, pictures in tests.items():
                    scores[key].append(training.evaluate(model, data.batches(pictures, test.labels, 500)).accuracy)
            rows.append({"size": size, "epochs": epochs, "training": name, "accuracy": scores})
            print(size, name, scores, f"{time.perf_counter() - started:.0f} s", flush=True)
    about = {
        "command": "python experiments/measure_augmentation.py",
        "data": "Fashion-MNIST: the first of the 6,000 training pictures of this package, with each seed the next "
        "ones; its 1,000 test pictures",
        "network": "LeNet",
        "training": f"AdamW, one cycle up to {RATE}, decay {DECAY}, batches of 50 for 200 pictures, else of 100",
    }
    records.write("augmentation", about, rows=rows)


def trained(x, y, epochs, batch, augment, seed):
    """Train a LeNet; the seed draws its first weights, the order of the pictures and their changes."""
    generator = torch.Generator().manual_seed(seed)
    model = models.lenet(generator=generator)
    batches = data.batches(x, y, batch, shuffle=True, augment=augment, generator=generator)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, epochs=epochs, steps_per_epoch=len(batches))
    training.fit(model, batches, epochs, optimizer, schedule=schedule, progress=False)
    return model


if __name__ == "__main__":
    main()
