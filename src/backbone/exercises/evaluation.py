"""Exercises of the chapter on evaluation."""

import math
from functools import partial

import numpy as np

from backbone.exercises.check import exercise


@exercise(
    {
        "two classes": (np.array([[50, 10], [5, 100]]),),
        "three classes": (np.array([[8, 2, 0], [1, 7, 4], [3, 0, 9]]),),
        "a class that is never called": (np.array([[6, 0], [4, 0]]),),
        "a class without pictures": (np.array([[5, 1, 2], [0, 0, 0], [3, 1, 7]]),),
        "counts in the millions": (np.array([[900_000, 100_000], [300_000, 700_000]]),),
    }
)
def precision_recall(cm):
    """Compute precision and recall of each class from a matrix (K, K) with true classes in rows; 0 / 0 is 0."""
    hits = np.diag(cm)
    return hits / np.maximum(cm.sum(axis=0), 1), hits / np.maximum(cm.sum(axis=1), 1)


def _unguarded(cm):
    return np.diag(cm) / cm.sum(axis=0), np.diag(cm) / cm.sum(axis=1)


precision_recall.mistake(
    "Precision and recall are swapped. A column holds all pictures that were *called* a class, and precision divides "
    "by its sum; a row holds all pictures *of* a class, for recall. Try [[50, 10], [5, 100]]: precision of the first "
    "class is 50 / 55.",
    lambda cm: precision_recall(cm)[::-1],
    lambda cm: _unguarded(cm)[::-1],
)
precision_recall.mistake(
    "Both results divide by the sums of rows. That is recall. For precision, add up the columns.",
    lambda cm: (precision_recall(cm)[1],) * 2,
    lambda cm: (_unguarded(cm)[1],) * 2,
)
precision_recall.mistake(
    "Both results divide by the sums of columns. That is precision. For recall, add up the rows.",
    lambda cm: (precision_recall(cm)[0],) * 2,
    lambda cm: (_unguarded(cm)[0],) * 2,
)
precision_recall.mistake(
    "You divide by the number of all pictures. Precision asks only about those that were called the class, recall only "
    "about those that are of it. Try [[50, 10], [5, 100]]: the recall of the first class is 50 / 60.",
    lambda cm: (np.diag(cm) / cm.sum(),) * 2,
)
precision_recall.mistake(
    "You let 0 / 0 come out as NaN. A class that is never called has no precision; here it shall be 0, so that it "
    "counts in a mean. Try [[6, 0], [4, 0]]: the precisions are 0.6 and 0.",
    _unguarded,
)
check_precision_recall = precision_recall.check


_rng = np.random.default_rng(5)
_SMALL = np.array([[3.0, 1, 2], [0, 5, 4], [1, 2, 0]]), np.array([0, 2, 0])
_FORTY = _rng.normal(size=(40, 6)), _rng.integers(0, 6, 40)


@exercise(
    {
        "three pictures, k = 1": (*_SMALL, 1),
        "the same, k = 2": (*_SMALL, 2),
        "forty pictures, k = 1": (*_FORTY, 1),
        "forty pictures, k = 3": (*_FORTY, 3),
        "forty pictures, k = 5": (*_FORTY, 5),
        "two pictures whose classes all score the same, k = 1": (np.zeros((2, 3)), np.array([0, 2]), 1),
    }
)
def topk(logits, y, k):
    """Compute the share of rows of logits (N, K) whose class y (N,) is among the k largest; ties count against it."""
    own = logits[np.arange(len(y)), y][:, None]
    return float(np.mean((logits >= own).sum(axis=1) <= k))


def _for_it(logits, y, k):
    """Count ties for the network."""
    own = logits[np.arange(len(y)), y][:, None]
    return float(np.mean((logits > own).sum(axis=1) < k))


def _by_order(logits, y, k, axis=1, sign=-1):
    order = np.argsort(sign * logits, axis=axis, kind="stable")
    return float(np.mean((order[:, :k] == y[:, None]).any(axis=1)))


def _last(logits, y, k, axis=1):
    return float(np.mean((np.argsort(logits, axis=axis)[:, -k:] == y[:, None]).any(axis=1)))


def _each(wrong):
    """Return a wrong function of (way, logits, y, k) for each way to count: ties against, for, or in some order."""
    return [partial(wrong, way) for way in (topk, _for_it, _by_order)]


topk.mistake(
    "You sort along the pictures. The classes of one picture compete with each other, so sort along axis 1. Try logits "
    "[[3, 1], [9, 8]]: the first picture's best class is 0, whatever the second one scores.",
    partial(_by_order, axis=0),
    partial(_last, axis=0),
)
topk.mistake(
    "You take the k smallest logits. argsort sorts upwards, so the best classes stand at the end. Try logits [[1, 5]] "
    "with y = [1] and k = 1: the answer is 1.",
    partial(_by_order, sign=1),
    lambda logits, y, k: 1 - topk(logits, y, logits.shape[1] - k) if k < logits.shape[1] else 1.0,
)
topk.mistake(
    "Your function asks whether the true class stands at place k. It may stand at any place from 1 to k. Try logits "
    "[[1, 5]] with y = [1] and k = 2: the answer is 1.",
    *_each(lambda way, logits, y, k: way(logits, y, k) - way(logits, y, k - 1)),
)
topk.mistake(
    "Your function looks only at the best class, whatever k is: that is top-1. Try logits [[1, 5]] with y = [0] and "
    "k = 2: the answer is 1.",
    *_each(lambda way, logits, y, k: way(logits, y, 1)),
)
topk.mistake(
    "You return how many pictures are right. Divide by their number: the answer is a share.",
    *_each(lambda way, logits, y, k: len(y) * way(logits, y, k)),
)
topk.mistake(
    "The answer is in percent. Return a share: 0.8, not 80.",
    *_each(lambda way, logits, y, k: 100 * way(logits, y, k)),
)
topk.mistake(
    "One place too many: the true class was let in at place k + 1. With k classes that score higher, that is where it "
    "stands. Try logits [[1, 5]] with y = [0] and k = 1: the answer is 0.",
    *_each(lambda way, logits, y, k: way(logits, y, k + 1)),
)
topk.mistake(
    "Where classes score the same, the true one was put before others. A tie counts against the network: count all "
    "classes but those that score lower. Try logits [[1, 1]] with y = [0], then [1], and k = 1: the answer is 0.",
    _for_it,
    _by_order,
)
check_topk = topk.check


@exercise(
    {
        "860 of 1,000": (860, 1000),
        "the same share of 10,000": (8600, 10_000),
        "the same share of 50": (43, 50),
        "half of 400": (200, 400),
        "all of 20": (20, 20),
        "19 of 20": (19, 20),
    }
)
def interval(correct, n, half=lambda p, n: 1.96 * math.sqrt(p * (1 - p) / n)):
    """Compute p - h and p + h with p = correct / n; its half width h is where it goes wrong."""
    p = correct / n
    return p - half(p, n), p + half(p, n)


interval.mistake(
    "The width does not depend on n. More pictures have to make the interval narrower: divide p (1 - p) by n before "
    "you take the root. Try 860 of 1,000 and 8,600 of 10,000: the second is narrower by the root of ten.",
    partial(interval, half=lambda p, n: 1.96 * math.sqrt(p * (1 - p))),
    partial(interval, half=lambda p, n: 1.96 * p * (1 - p)),
)
interval.mistake(
    "The root is missing. p (1 - p) / n is the variance; its square root has the unit of a share. Try 200 of 400: the "
    "half width is 1.96 x 0.025 = 0.049.",
    partial(interval, half=lambda p, n: 1.96 * p * (1 - p) / n),
)
interval.mistake(
    "Your n stands outside the root. The width shrinks with the root of n, not with n: four times the pictures halve "
    "it. Try 200 of 400: the half width is 1.96 x 0.025 = 0.049.",
    partial(interval, half=lambda p, n: 1.96 * math.sqrt(p * (1 - p)) / n),
)
interval.mistake(
    "The factor 1.96 is missing. One standard error to each side holds the true share about 68 times in 100; 1.96 of "
    "them make it 95. Try 200 of 400: the interval goes from 0.451 to 0.549.",
    partial(interval, half=lambda p, n: math.sqrt(p * (1 - p) / n)),
)
interval.mistake(
    "You multiply p by something other than 1 - p. The spread is largest at one half and 0 at both ends. Try 200 of "
    "400: p (1 - p) is 0.25.",
    partial(interval, half=lambda p, n: 1.96 * math.sqrt(p / n)),
    partial(interval, half=lambda p, n: 1.96 * math.sqrt(p * p / n)),
)
interval.mistake(
    "The ends are counts of pictures. The interval is one of shares, from 0 to 1: divide by n. Try 200 of 400: it goes "
    "from 0.451 to 0.549.",
    lambda correct, n: tuple(n * end for end in interval(correct, n)),
)
interval.mistake(
    "The ends are in percent. Return shares: 0.451, not 45.1.",
    lambda correct, n: tuple(100 * end for end in interval(correct, n)),
)
interval.mistake(
    "The ends were cut to lie from 0 to 1. The formula gives p - h and p + h, also where one of them is no share. Try "
    "19 of 20: the upper end is 1.046.",
    lambda correct, n: tuple(np.clip(interval(correct, n), 0, 1)),
    lambda correct, n: (interval(correct, n)[0], min(interval(correct, n)[1], 1)),
)
interval.mistake(
    "The factor was rounded to 2. The formula has 1.96, which 95 in 100 draws of a normal variable stay within.",
    partial(interval, half=lambda p, n: 2 * math.sqrt(p * (1 - p) / n)),
)
interval.mistake(
    "You divide by n - 1. That belongs to a variance that is estimated from values; here n alone stands below.",
    partial(interval, half=lambda p, n: 1.96 * math.sqrt(p * (1 - p) / (n - 1))),
)
check_interval = interval.check


@exercise(
    {
        "half of all pictures": (0.9, 0.1, 0.5),
        "one in ten": (0.9, 0.1, 0.1),
        "one in a hundred": (0.9, 0.1, 0.01),
        "one in a hundred, fewer alarms": (0.6, 0.001, 0.01),
        "no false alarm": (0.4, 0.0, 0.02),
        "nine in ten": (0.7, 0.4, 0.9),
    }
)
def field_precision(recall, false_positive_rate, prevalence):
    """Compute the share of positives among the pictures that are called positive."""
    right, wrong = recall * prevalence, false_positive_rate * (1 - prevalence)
    return right / (right + wrong)


field_precision.mistake(
    "Your precision does not depend on how many positives there are. It is not a property of the network alone: false "
    "alarms come from all the negatives. Try 0.9, 0.1 and 0.01: of 10,000 pictures 100 are positive, 90 are found, and "
    "990 others are called too.",
    lambda r, f, p: r / (r + f),
    lambda r, f, p: r,
)
field_precision.mistake(
    "You treat 1 - false_positive_rate as the precision. That rate is a share of the negatives, precision speaks of "
    "those that were called. Try 0.9, 0.1 and 0.01: 90 of 1,080 called are positive.",
    lambda r, f, p: 1 - f,
)
field_precision.mistake(
    "The false alarms are a share of the negatives only. Multiply that rate by 1 - prevalence. Try 0.9, 0.1 and 0.5: "
    "the precision is 0.9.",
    lambda r, f, p: r * p / (r * p + f),
)
field_precision.mistake(
    "You return the share of all pictures that are positive *and* found. Precision divides that by the share that is "
    "called at all. Try 0.9, 0.1 and 0.5: the precision is 0.9.",
    lambda r, f, p: r * p,
)
field_precision.mistake(
    "The prevalence and its rest are exchanged: the recall is a share of the positives, the false alarms one of the "
    "negatives. Try 0.9, 0.1 and 0.01: of 10,000 pictures 100 are positive, and 90 of them are found.",
    lambda r, f, p: r * (1 - p) / (r * (1 - p) + f * p),
)
field_precision.mistake(
    "You count all positives, found or not. Only a share `recall` of them is called. Try 0.4, 0.1 and 0.5: 20 found "
    "and 5 false alarms of 100 make 0.8.",
    lambda r, f, p: p / (p + f * (1 - p)),
)
field_precision.mistake(
    "You return the share of what is called that is *wrong*. Precision is the other share: 1 minus that.",
    lambda r, f, p: f * (1 - p) / (r * p + f * (1 - p)),
)
check_field_precision = field_precision.check
