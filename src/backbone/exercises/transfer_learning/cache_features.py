"""Exercise ``cache_features``: features computed once, standardized by the training pictures alone."""

from collections.abc import Callable

import torch
from torch import nn

from backbone.exercises import Case, Exercise, Misconception, Report, check

CASES = {
    "plain": "ordinary test pictures",
    "brighter": "test pictures that are brighter",
    "contrast": "test pictures of more contrast",
    "few": "three test pictures",
}

MESSAGES = {
    "train mode": (
        "The network was in training mode: its batch normalization used the mean of the batch, so that a picture's "
        "features depend on the pictures beside it. Call body.eval() first."
    ),
    "augmented": (
        "The pictures were prepared with training=True. A feature that is computed once would keep one random change "
        "for ever, and a test picture should not be changed at all. Use prepare(x, training=False)."
    ),
    "train augmented": (
        "The training pictures were prepared with training=True. Computed once, they would keep one random change for "
        "ever, and no longer look like the test pictures. Use training=False for both."
    ),
    "joint": (
        "The mean and the standard deviation were taken over the training and the test pictures together. The test "
        "pictures stand for pictures not seen yet: take both numbers from the training features."
    ),
    "own": (
        "The test features were standardized by their own mean and deviation. Then a brighter test set looks like any "
        "other, and one test picture alone has no deviation. Use those of the training features for both."
    ),
    "not standardized": (
        "The features were not standardized. Subtract the training mean of each, and divide by its deviation."
    ),
    "one for all": "One mean and one deviation were taken over all features. Each feature has its own: dim=0.",
    "n - 1": "The deviation was divided by n - 1, PyTorch's default. Here it is asked for with correction=0.",
}


def cache_features(body, prepare, x_train, x_test) -> tuple[torch.Tensor, torch.Tensor]:
    """Do right what the reader is asked to write: evaluation mode, nothing random, the training's statistics."""
    return _cached(body, prepare, x_train, x_test)


def check_cache_features(reader_function: Callable) -> Report:
    """Check the reader's ``cache_features(body, prepare, x_train, x_test)`` on hidden cases."""
    return check(EXERCISE, reader_function)


def _cached(body, prepare, x_train, x_test, mode=False, training=(False, False), scale="train", dim=0, correction=0):
    """Compute and standardize; the keywords are the places where it goes wrong."""
    body.train(mode)
    with torch.no_grad():
        pairs = zip((x_train, x_test), training, strict=True)
        train, test = (body(prepare(x, training=random)) for x, random in pairs)
    if scale is None:
        return train, test
    source = torch.cat([train, test]) if scale == "joint" else train
    other = test if scale == "own" else source
    return tuple((f - s.mean(dim)) / s.std(dim, correction=correction) for f, s in ((train, source), (test, other)))


def prepare(x: torch.Tensor, training: bool) -> torch.Tensor:
    """Center pictures (N, C, H, W); in training, change them as an augmentation would, here always alike."""
    x = 2 * x - 1
    return x.flip(-1) + 0.3 * x.roll(1, 2) if training else x


def _cases() -> tuple[Case, ...]:
    generator = torch.Generator().manual_seed(5)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        norm = nn.BatchNorm2d(3)
        body = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), norm, nn.ReLU(), nn.Flatten(), nn.Linear(48, 4))
    norm.running_mean += torch.tensor([0.3, -0.2, 0.1])
    norm.running_var *= 0.5
    cases = []
    for name in CASES:
        x = torch.rand(9, 1, 4, 4, generator=generator)
        t = torch.rand(3 if name == "few" else 6, 1, 4, 4, generator=generator)
        t = {"brighter": t + 0.5, "contrast": 2 * t - 0.5}.get(name, t)
        cases.append(Case(CASES[name], (body.double().train(), prepare, x.double(), t.double())))
    return tuple(cases)


_WRONG = (
    ("train mode", {"mode": True}),
    ("augmented", {"training": (True, True)}),
    ("train augmented", {"training": (True, False)}),
    ("joint", {"scale": "joint"}),
    ("own", {"scale": "own"}),
    ("not standardized", {"scale": None}),
    ("one for all", {"dim": None}),
    ("n - 1", {"correction": 1}),
)


def _mistaken(changes) -> Callable:
    return lambda *given: _cached(*given, **changes)


EXERCISE = Exercise(
    title="cache_features",
    reference=cache_features,
    cases=_cases(),
    misconceptions=tuple(Misconception(_mistaken(changes), MESSAGES[name]) for name, changes in _WRONG),
)
