"""The exercises of the chapter on evaluation, held against scikit-learn, scipy and functions as readers write them."""

import math

import numpy as np
import torch
from readers import are_recognized, pass_the_check
from scipy import stats

from backbone import metrics
from backbone.exercises.evaluation import field_precision, interval, precision_recall, topk

# --- Functions as readers write them ------------------------------------------------------------------------


def topk_by_torch(logits, y, k):
    own = torch.tensor(logits).gather(1, torch.tensor(y)[:, None])
    before = (torch.tensor(logits) >= own).sum(1) - 1
    return (before < k).double().mean()


def by_torchs_topk(logits, y, k):
    return (torch.tensor(logits).topk(k).indices == torch.tensor(y)[:, None]).any(1).double().mean()


def places(logits, y):
    """Return the place of each true class, before those that score the same."""
    return np.array([1 + np.sum(row > row[truth]) for row, truth in zip(logits, y, strict=True)])


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


test_right_functions_pass = pass_the_check(
    (precision_recall, lambda cm: (metrics.precision(cm), metrics.recall(cm))),
    (precision_recall, loops),
    (precision_recall, lambda cm: list(loops(cm))),
    (precision_recall, lambda cm: np.stack(loops(cm))),
    (interval, lambda c, n: np.array(interval_by_scipy(c, n))),
    (topk, lambda x, y, k: np.mean([len(row) - np.sum(row < row[c]) <= k for row, c in zip(x, y, strict=True)])),
    (topk, lambda logits, y, k: metrics.top_k_accuracy(y, logits, k)),
    (topk, topk_by_torch),
    (interval, interval_by_scipy),
    (field_precision, metrics.precision_at),
    (field_precision, lambda r, f, p: 1 / (1 + f * (1 - p) / (r * p))),
)
test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (precision_recall, "Precision and recall are swapped", lambda cm: loops(cm, transpose=True)),
    (precision_recall, "You let 0 /", lambda cm: loops(cm, nan=True)),
    (
        topk,
        "You sort along the pictures",
        lambda x, y, k: np.mean((np.argsort(x, 0)[:, ::-1][:, :k] == y[:, None]).any(1)),
    ),
    (topk, "You take the k", lambda x, y, k: np.mean([y[i] in np.argsort(x[i])[:k] for i in range(len(y))])),
    (
        topk,
        "Your function asks whether",
        lambda x, y, k: np.mean([y[i] == np.argsort(x[i])[-k] for i in range(len(y))]),
    ),
    (topk, "Your function looks only at the best", lambda x, y, k: np.mean(x.argmax(1) == y)),
    (topk, "Where classes score", lambda x, y, k: np.mean([y[i] in np.argsort(x[i])[-k:] for i in range(len(y))])),
    (topk, "Where classes score", by_torchs_topk),
    (topk, "Where classes score", lambda x, y, k: np.mean(places(x, y) <= k)),
    (topk, "One place too many", lambda x, y, k: np.mean(places(x, y) - 1 <= k)),
    (topk, "Your function asks whether", lambda x, y, k: np.mean(places(x, y) == k)),
    (topk, "The answer is in percent", lambda x, y, k: 100 * topk_by_torch(x, y, k)),
    (topk, "The answer is in percent", lambda x, y, k: 100 * by_torchs_topk(x, y, k)),
    (topk, "You return how many", lambda x, y, k: np.sum(places(x, y) <= k)),
    (interval, "The ends were cut", lambda c, n: np.clip(interval_by_scipy(c, n), 0, 1)),
    (
        interval,
        "The root is missing",
        lambda c, n: (c / n - 1.96 * c / n * (1 - c / n) / n, c / n + 1.96 * c / n * (1 - c / n) / n),
    ),
    (
        interval,
        "The factor 1.96 is missing",
        lambda c, n: tuple(c / n + s * math.sqrt(c / n * (1 - c / n) / n) for s in (-1, 1)),
    ),
    (interval, "The ends are counts", lambda c, n: tuple(n * end for end in interval_by_scipy(c, n))),
    (interval, "The ends are in percent", lambda c, n: tuple(100 * end for end in interval_by_scipy(c, n))),
    (
        interval,
        "The factor was rounded",
        lambda c, n: tuple(c / n + s * 2 * math.sqrt(c / n * (1 - c / n) / n) for s in (-1, 1)),
    ),
    (
        interval,
        "You divide by n - 1",
        lambda c, n: tuple(c / n + s * 1.96 * math.sqrt(c / n * (1 - c / n) / (n - 1)) for s in (-1, 1)),
    ),
    (field_precision, "The prevalence and its rest", lambda r, f, p: metrics.precision_at(r, f, 1 - p)),
    (field_precision, "You count all positives", lambda r, f, p: metrics.precision_at(1, f, p)),
    (field_precision, "You return the share of what", lambda r, f, p: 1 - metrics.precision_at(r, f, p)),
    (field_precision, "Your precision does not depend", lambda r, f, p: r * 0.5 / (r * 0.5 + f * 0.5)),
    (field_precision, "You return the share", lambda r, f, p: p * r),
)
