"""The exercises of the chapter on evaluation, held against scikit-learn, scipy and functions as readers write them."""

import importlib
import math
import pkgutil

import numpy as np
import pytest
import torch
from scipy import stats

from backbone import metrics
from backbone.exercises import evaluation

NAMES = [module.name for module in pkgutil.iter_modules(evaluation.__path__)]
MODULES = {name: importlib.import_module(f"backbone.exercises.evaluation.{name}") for name in NAMES}


def report_of(name, function):
    return getattr(evaluation, f"check_{name}")(function)


def named(name, report):
    """Return the keys of the misconceptions that a report names."""
    return [key for key, message in MODULES[name].MESSAGES.items() if message in report.messages]


# --- Functions as readers write them ------------------------------------------------------------------------


def topk_by_torch(logits, y, k):
    own = torch.tensor(logits).gather(1, torch.tensor(y)[:, None])
    before = (torch.tensor(logits) >= own).sum(1) - 1
    return (before < k).double().mean()


def interval_by_scipy(correct, n):
    p = correct / n
    return tuple(p + stats.norm.ppf([0.025, 0.975]).round(2) * np.sqrt(p * (1 - p) / n))


def loops(cm, *, transpose=False, nan=False):
    cm = cm.T if transpose else cm
    k = len(cm)
    shares = [[], []]
    for i in range(k):
        for part, total in zip(shares, (sum(cm[j][i] for j in range(k)), sum(cm[i])), strict=True):
            part.append(cm[i][i] / total if total else float("nan") if nan else 0.0)
    return tuple(map(np.array, shares))


RIGHT = [
    ("precision_recall", lambda cm: (metrics.precision(cm), metrics.recall(cm))),
    ("precision_recall", loops),
    ("topk", lambda logits, y, k: metrics.top_k_accuracy(y, logits, k)),
    ("topk", topk_by_torch),
    ("interval", interval_by_scipy),
    ("field_precision", metrics.precision_at),
    ("field_precision", lambda r, f, p: 1 / (1 + f * (1 - p) / (r * p))),
]
WRITTEN_WRONG = [
    ("precision_recall", "swapped", lambda cm: loops(cm, transpose=True)),
    ("precision_recall", "nan", lambda cm: loops(cm, nan=True)),
    ("topk", "axis", lambda x, y, k: np.mean((np.argsort(x, 0)[:, ::-1][:, :k] == y[:, None]).any(1))),
    ("topk", "smallest", lambda x, y, k: np.mean([y[i] in np.argsort(x[i])[:k] for i in range(len(y))])),
    ("topk", "ties", lambda x, y, k: np.mean([y[i] in np.argsort(x[i])[-k:] for i in range(len(y))])),
    (
        "topk",
        "ties",
        lambda x, y, k: (torch.tensor(x).topk(k).indices == torch.tensor(y)[:, None]).any(1).double().mean(),
    ),
    ("topk", "kth only", lambda x, y, k: np.mean([y[i] == np.argsort(x[i])[-k] for i in range(len(y))])),
    ("topk", "first only", lambda x, y, k: np.mean(x.argmax(1) == y)),
    (
        "interval",
        "no root",
        lambda c, n: (c / n - 1.96 * c / n * (1 - c / n) / n, c / n + 1.96 * c / n * (1 - c / n) / n),
    ),
    ("interval", "one sigma", lambda c, n: tuple(c / n + s * math.sqrt(c / n * (1 - c / n) / n) for s in (-1, 1))),
    ("field_precision", "ignored", lambda r, f, p: r * 0.5 / (r * 0.5 + f * 0.5)),
    ("field_precision", "not divided", lambda r, f, p: p * r),
]
OTHER = [
    ("precision_recall", lambda cm: (np.ones(len(cm)) * 2,) * 2),
    ("topk", lambda logits, y, k: 2.0),
    ("interval", lambda c, n: (0.0, 3.0)),
    ("field_precision", lambda r, f, p: p),
]


@pytest.mark.parametrize(("name", "function"), RIGHT)
def test_right_functions_pass(name, function):
    report = report_of(name, function)
    assert report.passed, report


@pytest.mark.parametrize(("name", "key", "function"), WRITTEN_WRONG)
def test_mistakes_as_readers_write_them_are_recognized(name, key, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == [key], report


@pytest.mark.parametrize(("name", "function"), OTHER)
def test_another_mistake_is_not_mistaken_for_a_known_one(name, function):
    report = report_of(name, function)
    assert not report.passed
    assert named(name, report) == [], report
