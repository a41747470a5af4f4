"""Exercises of the chapter on dropout."""

from functools import partial
from types import SimpleNamespace

import numpy as np

from backbone.exercises.check import exercise
from backbone.exercises.measures import disagreeing, drawn, repeating


def _one(p):
    return 1.0


def _inverse(p):
    return 1 / p


def _kept_share(p):
    return 1 - p


def _factor(answers, x, *settings):
    answer = next(answers)
    return float(np.median((answer / x)[answer != 0])) if answer.any() else 0.0


def _dropped(answers, x, *settings):
    return round(float(np.mean(next(answers) == 0)), 1)


def _rows(answers, x, *settings):
    gone = next(answers) == 0
    if (gone == gone[:, :1]).all():
        return 2
    return int((gone == gone[0]).all())


def _evaluated(answers, x, *settings):
    answer = next(answers)
    return 1 if (answer == 0).any() else 0 if np.allclose(answer, x, rtol=1e-5) else 2


def _even(answers, x, *settings):
    lost = [(next(answers) == 0).all(axis=tuple(range(2, x.ndim))) for _ in range(4)]
    of_rows, of_calls = {int(n) for one in lost for n in one.sum(axis=1)}, {int(one.sum()) for one in lost}
    return int(len(of_rows) == 1 or len(of_calls) == 1)


def _spread(generator, axis=None):
    """Return a generator of numbers that are evenly spread from 0 to 1, so that equally many are below p."""

    def random(shape):
        ranks = generator.random(shape).argsort(axis=axis).argsort(axis=axis)
        return ranks.reshape(shape) / (ranks.size if axis is None else shape[axis])

    return SimpleNamespace(random=random)


def _largest(answers, x, *settings):
    return float(np.abs(next(answers)).max())


_VALUES = np.random.default_rng(8).uniform(1, 2, (400, 25))


@exercise(
    {
        "training with p = 0.3, share of values that came out as 0, in tenths": drawn(_dropped, _VALUES, 0.3, True),
        "training with p = 0.3, what the other values were multiplied with": drawn(_factor, _VALUES, 0.3, True),
        "training with p = 0.8, share of values that came out as 0, in tenths": drawn(_dropped, _VALUES, 0.8, True),
        "training with p = 0.8, what the other values were multiplied with": drawn(_factor, _VALUES, 0.8, True),
        "training with p = 0.3, rows of the batch: 0 each has a mask of its own, 1 all have the same, 2 a row is "
        "dropped as a whole": drawn(_rows, _VALUES, 0.3, True),
        "evaluation with p = 0.3, in evaluation: 0 values are unchanged, 1 some are dropped, 2 all are scaled": drawn(
            _evaluated, _VALUES, 0.3, False
        ),
        "training with p = 1.0, largest result, without its sign": drawn(_largest, _VALUES, 1.0, True),
        "evaluation with p = 1.0: 0 values are unchanged, 1 some are dropped, 2 all are scaled": drawn(
            _evaluated, _VALUES, 1.0, False
        ),
        "training with p = 0.3, number of values that were dropped: 0 differs, 1 is the same in each row or each "
        "call": drawn(_even, _VALUES, 0.3, True),
        "training with p = 0.3, calls with equal generators that disagree": disagreeing(_VALUES, 0.3, True),
        "training with p = 0.3, calls in a row, with one generator, that gave the same": repeating(_VALUES, 0.3, True),
    }
)
def dropout(x, p, training, generator, shape=None, kept=False, train=None, test=_one, ends=True, always=False):
    """Drop each value with probability p and scale the others, in training; the keywords are where it goes wrong."""
    if not (training or always):
        return x * test(p)
    if p == 1 and ends:
        return np.zeros_like(x)
    numbers = generator.random(shape or x.shape)
    mask = numbers < p if kept else numbers >= p
    return x * mask * train(p) if train else x * mask / (1 - p)


dropout.mistake(
    "The number p was taken as the probability of being kept. Here it is that of being dropped, as in PyTorch: a value "
    "stays where generator.random(x.shape) >= p. Try p = 0.8, which leaves few.",
    partial(dropout, kept=True, ends=False, train=_inverse),
    partial(dropout, kept=True, ends=False, train=_one),
    partial(dropout, kept=True),
    partial(dropout, kept=True, ends=False),
)
dropout.mistake(
    "The kept values were divided by p. Divide by 1 - p, the share that stays: with p = 0.8 one in five is left, and "
    "it has to stand for five.",
    partial(dropout, train=_inverse),
)
dropout.mistake(
    "The kept values were multiplied by 1 - p or by p, which makes the sum smaller still. Divide by 1 - p, so that the "
    "sum of what is left is, on average, the sum of all.",
    partial(dropout, train=_kept_share),
    partial(dropout, train=lambda p: p),
)
dropout.mistake(
    "The kept values were not scaled. In training the next layer would get 1 - p of what it gets in evaluation. Divide "
    "by 1 - p.",
    partial(dropout, train=_one),
)
dropout.mistake(
    "Nothing was scaled in training, and all values in evaluation: that is the rule of 2014. Here the scaling is done "
    "in training, by 1 / (1 - p), and evaluation returns x.",
    partial(dropout, train=_one, test=_kept_share),
)
dropout.mistake(
    "Kept values were scaled in training, and all values again in evaluation. One of the two is enough: in evaluation "
    "return x as it is.",
    partial(dropout, test=_kept_share),
    partial(dropout, test=lambda p: 1 / (1 - p)),
    partial(dropout, test=lambda p: 1 / np.float64(1 - p)),
)
dropout.mistake(
    "Values were dropped in evaluation too. Where training is False, return x as it is.",
    partial(dropout, always=True),
)
dropout.mistake(
    "All rows of the batch got the same mask: it was drawn once, for a single row. Draw a number for each value, "
    "generator.random(x.shape).",
    partial(dropout, shape=(25,)),
)
dropout.mistake(
    "Whole rows, that is whole examples, came out as 0. Each value is dropped by itself: draw "
    "generator.random(x.shape).",
    partial(dropout, shape=(400, 1)),
)
dropout.mistake(
    "With p = 1 everything is dropped, and 1 / (1 - p) cannot be computed: 0 / 0 gives NaN. Return zeros in that case.",
    partial(dropout, ends=False),
    partial(dropout, ends=False, train=lambda p: 1 / (1 - p)),
)
dropout.mistake(
    "With p = 1 zeros came out in evaluation, too. Ask for `training` first.",
    lambda x, p, *given: np.zeros_like(x) if p == 1 else dropout(x, p, *given),
)
dropout.mistake(
    "Each time equally many were dropped. Each value has a draw of its own, so the number differs: draw "
    "generator.random(x.shape), and compare each with p.",
    lambda *given: dropout(*given[:3], _spread(given[3])),
    lambda *given: dropout(*given[:3], _spread(given[3], axis=1)),
)
dropout.mistake(
    "The numbers did not come from generator: calls with equal generators disagree. Draw by generator.random(x.shape), "
    "not by np.random.",
    lambda *given: dropout(*given[:3], np.random.default_rng()),
)
dropout.mistake(
    "Each call gave the same mask again. A generator made inside the function starts from its seed every time, so "
    "every step trains the same thinned network. Use the one that is passed in.",
    lambda *given: dropout(*given[:3], np.random.default_rng(0)),
)
check_dropout = dropout.check


_draw = np.random.default_rng(14).normal


@exercise(
    {
        "hidden units, of which 0.5 are kept": (0.5, _draw(size=(3, 4))),
        "inputs, of which 0.8 are kept": (0.8, _draw(size=(2, 5))),
        "units of which only a quarter is kept": (0.25, _draw(size=(4, 1))),
        "units that are all kept": (1.0, _draw(size=(2, 2))),
    }
)
def convert_keep_prob(keep, w):
    """Return PyTorch's p, and weights with which a network of 2014 gives the same in both modes."""
    return 1 - keep, keep * w


convert_keep_prob.mistake(
    "The p of 2014 was handed on as it is. There it is the probability of being kept, in PyTorch of being dropped: "
    "1 - keep. Try keep = 0.8.",
    lambda keep, w: (keep, keep * w),
)
convert_keep_prob.mistake(
    "The weights came back unchanged. They were learned from kept units as they are; PyTorch's kept units are 1 / keep "
    "times as large, and its evaluation scales nothing. Multiply the weights by keep.",
    lambda keep, w: (1 - keep, w),
)
convert_keep_prob.mistake(
    "Neither number was changed. PyTorch's p is the probability of being dropped, 1 - keep; and since it scales the "
    "kept units by 1 / keep in training, the weights have to be multiplied by keep.",
    lambda keep, w: (keep, w),
)
convert_keep_prob.mistake(
    "The weights were divided by keep, which undoes the scaling in the wrong direction: all units together would give "
    "more than those that were kept. Multiply by keep, the rule of 2014 for test time.",
    lambda keep, w: (1 - keep, w / keep),
    lambda keep, w: (keep, w / keep),
)
convert_keep_prob.mistake(
    "The weights were multiplied by the share that is dropped. At test time there are 1 / keep times as many units as "
    "in training, so each weight counts keep times as much.",
    lambda keep, w: (1 - keep, (1 - keep) * w),
)
check_convert_keep_prob = convert_keep_prob.check


def _gone(answers, x, p):
    return round(float((next(answers) == 0).all(axis=(2, 3)).mean()), 1)


def _partly(answers, x, p):
    gone = next(answers) == 0
    if (gone.any(axis=(2, 3)) == gone.all(axis=(2, 3))).all():
        return 0
    return 2 if (gone == gone[:, :1]).all() else 1


def _own(answers, x, p):
    gone = next(answers) == 0
    if (gone == gone[:, :1, :1, :1]).all():
        return 2
    return int((gone == gone[0]).all())


_MAPS = np.random.default_rng(15).uniform(1, 2, (50, 40, 5, 6))


@exercise(
    {
        "p = 0.3, share of the maps that are 0 everywhere, in tenths": drawn(_gone, _MAPS, 0.3),
        "p = 0.3, maps that are 0 in some places only: 0 none, 1 some, 2 all maps of a picture at the same "
        "places": drawn(_partly, _MAPS, 0.3),
        "p = 0.3, pictures: 0 each loses maps of its own, 1 all lose the same ones, 2 each loses all of its maps or "
        "none": drawn(_own, _MAPS, 0.3),
        "p = 0.3, what the other values were multiplied with": drawn(_factor, _MAPS, 0.3),
        "p = 0.3, number of maps that were dropped: 0 differs, 1 is the same in each picture or each call": drawn(
            _even, _MAPS, 0.3
        ),
        "p = 0.8, share of the maps that are 0 everywhere, in tenths": drawn(_gone, _MAPS, 0.8),
        "p = 0.8, what the other values were multiplied with": drawn(_factor, _MAPS, 0.8),
        "p = 0.3, calls with equal generators that disagree": disagreeing(_MAPS, 0.3),
        "p = 0.3, calls in a row, with one generator, that gave the same": repeating(_MAPS, 0.3),
    }
)
def spatial_dropout(x, p, generator, axes=(0, 1), kept=False, factor=lambda p: 1 / (1 - p)):
    """Drop whole maps with probability p, scale the others; `axes` are those along which the mask varies."""
    numbers = generator.random([size if axis in axes else 1 for axis, size in enumerate(x.shape)])
    return x * (numbers < p if kept else numbers >= p) * factor(p)


spatial_dropout.mistake(
    "Single pixels were dropped. Their neighbors show nearly the same, so little is hidden from the next layer. Draw "
    "one number for each map, of shape (N, C, 1, 1), and let it broadcast.",
    partial(spatial_dropout, axes=(0, 1, 2, 3)),
    partial(spatial_dropout, axes=(0, 1, 2, 3), factor=_one),
)
spatial_dropout.mistake(
    "One mask of pixels was laid on all maps of a picture. Here it is the other way round: one number for each map, "
    "the same at all of its pixels. The shape to draw is (N, C, 1, 1).",
    partial(spatial_dropout, axes=(0, 2, 3)),
    partial(spatial_dropout, axes=(2, 3)),
)
spatial_dropout.mistake(
    "All pictures lost the same maps: the mask was drawn for the channels only. Each picture draws its own: "
    "(N, C, 1, 1).",
    partial(spatial_dropout, axes=(1,)),
)
spatial_dropout.mistake(
    "Whole pictures came out as 0. Draw a number for each map: (N, C, 1, 1), not (N, 1, 1, 1).",
    partial(spatial_dropout, axes=(0,)),
)
spatial_dropout.mistake(
    "The maps that stay were not scaled. As in plain dropout, divide them by 1 - p.",
    partial(spatial_dropout, factor=_one),
)
spatial_dropout.mistake(
    "The maps that stay were divided by p. Divide by 1 - p, the share that stays.",
    partial(spatial_dropout, factor=_inverse),
)
spatial_dropout.mistake(
    "The number p was taken as the probability of being kept. Here it is that of being dropped: a map stays where the "
    "number drawn is at least p.",
    partial(spatial_dropout, kept=True, factor=_inverse),
    partial(spatial_dropout, kept=True, factor=_one),
    partial(spatial_dropout, kept=True),
)
spatial_dropout.mistake(
    "Each time equally many maps were dropped. Each map has a draw of its own, so the number differs: draw numbers of "
    "shape (N, C, 1, 1), and compare each with p.",
    lambda x, p, generator: spatial_dropout(x, p, _spread(generator)),
    lambda x, p, generator: spatial_dropout(x, p, _spread(generator, axis=1)),
)
spatial_dropout.mistake(
    "The numbers did not come from generator: calls with equal generators disagree. Draw by generator.random, not by "
    "np.random.",
    lambda x, p, generator: spatial_dropout(x, p, np.random.default_rng()),
)
spatial_dropout.mistake(
    "Each call gave the same mask again. A generator made inside the function starts from its seed every time. Use the "
    "one that is passed in.",
    lambda x, p, generator: spatial_dropout(x, p, np.random.default_rng(0)),
)
check_spatial_dropout = spatial_dropout.check
