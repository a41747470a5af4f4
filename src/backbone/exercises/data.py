"""Exercises of the chapter on data."""

from functools import partial

import numpy as np

from backbone.exercises.check import UnfitError, exercise
from backbone.exercises.measures import disagreeing, drawn, repeating
from backbone.exercises.report import TEXT

_draw = np.random.default_rng(0).integers


@exercise(
    {
        "a picture that is higher than wide": (_draw(0, 256, (5, 2, 3), np.uint8),),
        "a picture that is wider than high": (_draw(0, 256, (2, 7, 3), np.uint8),),
        "a square picture": (_draw(0, 256, (4, 4, 3), np.uint8),),
        "a picture that is white everywhere": (np.full((3, 4, 3), 255, np.uint8),),
    }
)
def to_channels_first(picture):
    """Turn a picture of bytes (H, W, 3) into floats (3, H, W) from 0 to 1."""
    return picture.transpose(2, 0, 1) / 255


to_channels_first.mistake(
    "The numbers were laid out anew with reshape, which keeps their order in memory and mixes the colors. Axes are "
    "exchanged by transpose: picture.transpose(2, 0, 1). Try a picture that is red everywhere.",
    lambda p: p.reshape(3, *p.shape[:2]) / 255,
)
to_channels_first.mistake(
    "Rows and columns changed places: .T reverses all three axes. Only the channels move to the front: "
    "transpose(2, 0, 1). Try a picture of shape (2, 5, 3).",
    lambda p: p.T / 255,
)
to_channels_first.mistake(
    "The values still run from 0 to 255. Divide by 255: white has to become 1.",
    lambda p: p.transpose(2, 0, 1).astype(float),
)
to_channels_first.mistake(
    "The result holds whole numbers: // rounds down, so all but white is black. Divide by / 255.",
    lambda p: p.transpose(2, 0, 1) // 255,
)
to_channels_first.mistake(
    "The values were divided by 256. The largest byte is 255: white has to become exactly 1.",
    lambda p: p.transpose(2, 0, 1) / 256,
)
to_channels_first.mistake(
    "The colors came out in the order blue, green, red. Keep the order that the picture has.",
    lambda p: p.transpose(2, 0, 1)[::-1] / 255,
)
to_channels_first.mistake(
    "The channels are still the last axis. A network expects them first: (3, H, W).",
    lambda p: p / 255,
)
check_to_channels_first = to_channels_first.check


def _by(axis):
    return lambda x: (x.mean(axis, keepdims=True), x.std(axis, keepdims=True))


_by_channel, _each_picture, _each_pixel, _over_all = _by((0, 2, 3)), _by((1, 2, 3)), _by(0), _by(None)
_rng = np.random.default_rng(1)
_spread = np.array([0.1, 0.2, 0.3])[None, :, None, None]
_GRAY, _COLOR = _rng.random((6, 1, 3, 4)), _rng.random((12, 3, 4, 2)) * _spread + _spread


@exercise(
    {
        "one channel, test pictures that are brighter": (_GRAY, _rng.random((4, 1, 3, 4)) + 0.5),
        "three channels with different means and spreads": (_COLOR, _rng.random((3, 3, 4, 2)) * 0.5),
        "a single test picture": (_COLOR, _rng.random((1, 3, 4, 2))),
        "test pictures that are the training pictures": (_COLOR, _COLOR.copy()),
    },
    rtol=1e-2,  # torch.std divides by n - 1
)
def standardize_both(train, test, of_train=_by_channel, of_test=None):
    """Standardize both parts by the training part's statistics, or the test part by those of its own choice."""
    mean, std = of_train(train)
    own, spread = of_test(test) if of_test else (mean, std)
    return (train - mean) / std, (test - own) / (std if spread is None else spread)


def _range(x, axis):
    return x.min(axis, keepdims=True), np.ptp(x, axis, keepdims=True)


def _together(train, test):
    statistics = _by_channel(np.concatenate([train, test]))
    return standardize_both(train, test, lambda x: statistics)


standardize_both.mistake(
    "The test pictures were standardized with statistics of their own, so their mean came out as exactly 0. A net "
    "would see a bright test set as an average one. Use the mean and the deviation of the training pictures.",
    partial(standardize_both, of_test=_by_channel),
)
standardize_both.mistake(
    "The test pictures lost a mean of their own, so it came out as exactly 0. Their deviation is the training "
    "pictures'; take the mean of the training pictures, too.",
    partial(standardize_both, of_test=lambda test: (_by_channel(test)[0], None)),
)
standardize_both.mistake(
    "The statistics were taken from training and test pictures together: the test set leaks into the training. "
    "Concatenate nothing; measure train alone.",
    _together,
)
standardize_both.mistake(
    "Each pixel got a mean of its own, over the pictures only. A channel has one mean and one deviation: average over "
    "pictures, rows and columns, axis=(0, 2, 3).",
    partial(standardize_both, of_train=_each_pixel),
    partial(standardize_both, of_train=_each_pixel, of_test=_each_pixel),
)
standardize_both.mistake(
    "Each picture was standardized by itself, which throws its brightness away. Average over all training pictures: "
    "axis=(0, 2, 3).",
    partial(standardize_both, of_train=_each_picture, of_test=_each_picture),
)
standardize_both.mistake(
    "One mean was taken over all channels. Each channel has its own: axis=(0, 2, 3), keepdims=True. Try pictures whose "
    "red is always 1 and whose blue is always 0.",
    partial(standardize_both, of_train=_over_all),
    partial(standardize_both, of_train=_over_all, of_test=_over_all),
)
standardize_both.mistake(
    "The values were divided by the variance. Divide by its square root, the standard deviation: .std().",
    partial(standardize_both, of_train=lambda x: (_by_channel(x)[0], _by_channel(x)[1] ** 2)),
)
standardize_both.mistake(
    "The test pictures came back as they were. They are changed too, by the training statistics.",
    partial(standardize_both, of_test=lambda test: (0, 1)),
)
standardize_both.mistake(
    "The mean was taken away, and nothing more. Divide by the standard deviation as well.",
    partial(standardize_both, of_train=lambda x: (_by_channel(x)[0], 1)),
)
standardize_both.mistake(
    "The values were scaled to run from 0 to 1, by the smallest and the largest. Take the mean away and divide by the "
    "standard deviation: one strange pixel then counts as one among all.",
    partial(standardize_both, of_train=lambda x: _range(x, (0, 2, 3))),
    partial(standardize_both, of_train=lambda x: _range(x, None)),
)
standardize_both.mistake(
    "The means lost their axes, so they stand against the columns of a picture instead of its channels. Keep the axes: "
    "train.mean(axis=(0, 2, 3), keepdims=True) has shape (1, C, 1, 1).",
    lambda train, test: tuple((x - train.mean((0, 2, 3))) / train.std((0, 2, 3)) for x in (train, test)),
)
check_standardize_both = standardize_both.check


def _found(answer, x, pad="constant"):
    """Return what happened to each picture, (row, column, mirrored), or None where it is no such copy."""
    padded, (height, width) = np.pad(x[0], [(0, 0), (2, 2), (2, 2)], pad), x.shape[2:]
    known = {}
    for i, j in np.ndindex(5, 5):
        cut = padded[:, i : i + height, j : j + width]
        known |= {cut.tobytes(): (i, j, False), cut[:, :, ::-1].tobytes(): (i, j, True)}
    return [known.get(one.astype(x.dtype).tobytes()) for one in answer]


def _copies(answers, x, pad="constant"):
    """Return the share of results that are copies with this padding, to a quarter: those that lost nothing are."""
    found = _found(next(answers), x, pad)
    return round(4 * (len(x) - found.count(None)) / len(x)) / 4


def _places(answers, x):
    """Return how many of 25 places occur; by chance, 750 draws leave one out once in ten billion times."""
    return len({one[:2] for _, answer in zip(range(3), answers, strict=False) for one in _found(answer, x) if one})


def _shares(answers, x):
    """Return the share of each batch that is mirrored, of results that are copies."""
    batches = [[one for one in _found(answer, x) if one] for answer in answers]
    return [np.mean([mirrored for _, _, mirrored in batch]) for batch in batches if len(batch) > 50]


def _mirrored(answers, x):
    """Return the share of all results that is mirrored, to a tenth."""
    return round(np.mean(_shares(answers, x) or [np.nan]), 1)


def _alike(answers, x):
    """Return how many of eight batches are mirrored whole or not at all."""
    return sum(share in (0, 1) for share in _shares(answers, x))


def _seldom(answers, x):
    """Return 1 if some place has less than 0.45 of its share; by chance, 2,000 draws do so once in a million times."""
    found = [one[:2] for one in _found(next(answers), x) if one]
    return int(any(25 * found.count(place) < 0.45 * len(found) for place in np.ndindex(5, 5)))


def _mixed(answers, x):
    """Return how many results are made of copies, but not of their own picture with all channels moved alike."""
    answer, shape = next(answers), (-1, 1, *x.shape[2:])
    copies = [[one is not None for one in _found(answer.reshape(shape), gray[None])] for gray in x.reshape(shape)]
    own = [_found(answer[[i]], x[[i]]) != [None] for i in range(len(x))]
    return int(sum(np.any(copies, axis=0).reshape(len(x), -1).any(axis=1) & ~np.array(own)))


_PICTURES = np.tile(np.arange(1.0, 49).reshape(1, 1, 6, 8), (250, 1, 1, 1))
_DIFFERENT = np.arange(1.0, 1 + 8 * 2 * 6 * 8).reshape(8, 2, 6, 8)


def _place(generator):
    return generator.integers(0, 5)


@exercise(
    {
        "250 times the same picture, share of results that are shifted or mirrored copies, with zeros outside": drawn(
            _copies, _PICTURES
        ),
        "250 times the same picture, share in which what left on one side came in on the other": drawn(
            partial(_copies, pad="wrap"), _PICTURES
        ),
        "750 times the same picture, how many of the 25 places occur": drawn(_places, _PICTURES),
        "2,000 times the same picture, 1 if some places come up far too seldom": drawn(
            _seldom, np.tile(_PICTURES, (8, 1, 1, 1))
        ),
        "eight different pictures with two channels, how many came back as another picture or with "
        "channels moved apart": drawn(_mixed, _DIFFERENT),
        "eight batches of the same picture, share that is mirrored": drawn(_mirrored, _PICTURES),
        "eight batches of the same picture, batches that are mirrored whole or not at all": drawn(_alike, _PICTURES),
        "250 times the same picture, calls with equal generators that disagree": disagreeing(_PICTURES),
        "250 times the same picture, calls in a row, with one generator, that gave the same": repeating(_PICTURES),
    }
)
def random_crop_flip(
    x, generator, *, once="", mirror=0.5, axis=-1, place=_place, pad="constant", diagonal=False, source=lambda i: i
):
    """Pad by 2, cut at a random place, mirror every other picture; the keywords are where it goes wrong."""
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)], pad)
    out, height, width = np.empty_like(x), *x.shape[2:]
    draws = [((place(generator), place(generator)), generator.random() < mirror) for _ in x]
    for i in range(len(x)):
        (top, left), flip = draws[0 if "place" in once else i][0], draws[0 if "mirror" in once else i][1]
        left = top if diagonal else left
        cut = padded[source(i), :, top : top + height, left : left + width]
        out[i] = np.flip(cut, axis) if flip else cut
    return out


random_crop_flip.mistake(
    "All pictures of the batch were shifted and mirrored alike: the numbers were drawn once. Draw as many as there are "
    "pictures, size=len(x), or draw inside a loop over them.",
    partial(random_crop_flip, once="place and mirror"),
)
random_crop_flip.mistake(
    "All pictures of the batch were mirrored, or none. The shifts differ, as they should. Draw a number for each "
    "picture: generator.random(len(x)) < 0.5.",
    partial(random_crop_flip, once="mirror"),
)
random_crop_flip.mistake(
    "All pictures of the batch were shifted alike. Each is mirrored or not by itself, as it should be. Draw two "
    "numbers for each picture: generator.integers(0, 5, (len(x), 2)).",
    partial(random_crop_flip, once="place"),
)
random_crop_flip.mistake(
    "Every result was cut out of the first picture. Cut picture i out of picture i: the labels of the batch stay in "
    "their order, and would no longer fit.",
    partial(random_crop_flip, source=lambda i: 0),
)
random_crop_flip.mistake(
    "The numbers did not come from generator: calls with equal generators disagree. np.random.randint and "
    "random.random have a state of their own; use generator.integers and generator.random.",
    lambda x, g: random_crop_flip(x, np.random.default_rng()),
)
random_crop_flip.mistake(
    "Each call gave the same again. A generator made inside the function starts from its seed every time, so every "
    "epoch sees the same shifts. Use the generator that is passed in.",
    lambda x, g: random_crop_flip(x, np.random.default_rng(0)),
)
random_crop_flip.mistake(
    "What left the picture on one side came in again on the other. That is np.roll. Pad with two rows and columns of "
    "zeros on each side, then cut out the old size.",
    partial(random_crop_flip, pad="wrap"),
)
random_crop_flip.mistake(
    "What stands outside the picture is a copy of its border. Pad with zeros, as np.pad does unless it is told another "
    "mode.",
    partial(random_crop_flip, pad="edge"),
    partial(random_crop_flip, pad="reflect"),
)
random_crop_flip.mistake(
    "Rows and columns were shifted by the same number, so of 25 places only the five on a diagonal occur. Draw two "
    "numbers for each picture.",
    partial(random_crop_flip, diagonal=True),
)
random_crop_flip.mistake(
    "No picture was mirrored. Mirror each with probability one half: picture[:, :, ::-1].",
    partial(random_crop_flip, mirror=-1),
)
random_crop_flip.mistake(
    "Every picture was mirrored. Half of them should be: generator.random() < 0.5.",
    partial(random_crop_flip, mirror=2),
)
random_crop_flip.mistake(
    "Pictures were turned upside down. Left and right change places along the last axis: [:, :, ::-1].",
    partial(random_crop_flip, axis=-2),
)
random_crop_flip.mistake(
    "Some shifts never occur. The upper end of generator.integers is left out: of five places, 0 to 4, draw with "
    "generator.integers(0, 5).",
    partial(random_crop_flip, place=lambda generator: generator.integers(0, 4)),
)
random_crop_flip.mistake(
    "Some places come up far too seldom. round(4 * generator.random()) gives 0 and 4 only half as often as 1, 2 and 3. "
    "Draw with generator.integers(0, 5), where all five are equally likely.",
    partial(random_crop_flip, place=lambda generator: round(4 * generator.random())),
)
check_random_crop_flip = random_crop_flip.check


def _both(answers, groups, share):
    return int(any(len(np.intersect1d(groups[test], groups[~test])) for test in map(_mask, answers)))


def _unasked(answers, groups, share):
    """Return how many calls put another number of objects into the test part than asked, in part or whole."""
    names = np.unique(groups)
    return sum(len(np.unique(groups[test])) != round(share * len(names)) for test in map(_mask, answers))


def _whole(answers, groups, share):
    """Return how many objects have all their pictures in the test part, in most calls."""
    return np.median([len(np.setdiff1d(groups[test], groups[~test])) for test in map(_mask, answers)])


def _mask(answer):
    if not np.isin(answer, (0, 1)).all():
        raise UnfitError(answer, TEXT["booleans"])
    return answer.astype(bool)


_rng = np.random.default_rng(5)
_EVEN = np.repeat(10 * np.arange(12) + 3, 5)  # 0.3 of 12 is 3.6, so 4 objects; the numbers have gaps
_UNEVEN = _rng.permutation(np.repeat(10 * np.arange(20) + 3, _rng.integers(2, 9, 20)))  # 0.32 of 20 is 6.4, so 6


@exercise(
    {
        "twelve objects, five pictures each, 1 if an object is in both parts": drawn(_both, _EVEN, 0.3),
        "twelve objects, five pictures each, of eight calls, those with more or fewer objects in "
        "the test part than asked": drawn(_unasked, _EVEN, 0.3),
        "twelve objects, five pictures each, objects with all their pictures in the test part": drawn(
            _whole, _EVEN, 0.3
        ),
        "twelve objects, five pictures each, calls with equal generators that disagree": disagreeing(_EVEN, 0.3),
        "twelve objects, five pictures each, calls in a row, with one generator, that gave the same": repeating(
            _EVEN, 0.3
        ),
        "twenty objects with different numbers of pictures, in any order, 1 if an object is in both parts": drawn(
            _both, _UNEVEN, 0.32
        ),
        "twenty objects with different numbers of pictures, in any order, of eight calls, those "
        "with more or fewer objects in the test part than asked": drawn(_unasked, _UNEVEN, 0.32),
        "twenty objects with different numbers of pictures, in any order, objects with all their "
        "pictures in the test part": drawn(_whole, _UNEVEN, 0.32),
        "twenty objects with different numbers of pictures, in any order, calls with equal "
        "generators that disagree": disagreeing(_UNEVEN, 0.32),
        "twenty objects with different numbers of pictures, in any order, calls in a row, with one "
        "generator, that gave the same": repeating(_UNEVEN, 0.32),
    }
)
def split_by_group(groups, share, generator):
    """Mark all pictures of the objects drawn for the test part."""
    names = np.unique(groups)
    chosen = generator.permutation(names)[: round(share * len(names))]
    return np.isin(groups, chosen)


def _by_picture(groups, share, generator):
    test = np.zeros(len(groups), bool)
    test[generator.permutation(len(groups))[: round(share * len(groups))]] = True
    return test


def _until_full(groups, share, generator):
    test = np.zeros(len(groups), bool)
    for name in generator.permutation(np.unique(groups)):
        if test.mean() < share:
            test |= groups == name
    return test


def _first(groups, share, generator):
    names = np.unique(groups)
    return np.isin(groups, names[: round(share * len(names))])


def _last(groups, share, generator):
    names = np.unique(groups)
    return np.isin(groups, names[len(names) - round(share * len(names)) :])


split_by_group.mistake(
    "The pictures were drawn one by one, so pictures of one object landed in both parts: the test asks for what "
    "training has shown. Draw among the objects, np.unique(groups), then take all their pictures: np.isin.",
    _by_picture,
    lambda groups, share, generator: generator.random(len(groups)) < share,
)
split_by_group.mistake(
    "The test part is the same whatever the generator: the objects were taken in their order. Data often lie sorted by "
    "class or by day. Draw: generator.permutation(np.unique(groups)).",
    _first,
    _last,
)
split_by_group.mistake(
    "The share was taken of the pictures, or of their drawn list, not of the objects. Of n objects, round(share * n) "
    "go to the test part; np.unique(groups) names each object once.",
    lambda groups, share, generator: np.isin(groups, generator.permutation(groups)[: round(share * len(groups))]),
    lambda groups, share, generator: np.isin(groups, np.unique(groups)[: round(share * len(groups))]),
)
split_by_group.mistake(
    "Fewer objects than asked came out now and then: generator.choice draws with replacement unless it is told "
    "replace=False, so an object can be drawn twice.",
    lambda groups, share, generator: np.isin(
        groups, generator.choice(names := np.unique(groups), round(share * len(names)))
    ),
)
split_by_group.mistake(
    "Objects were added until the *pictures* reached the share. The share is one of objects: of n, round(share * n) go "
    "to the test part, however many pictures they have.",
    _until_full,
)
split_by_group.mistake(
    "The numbers did not come from generator: calls with equal generators disagree. Use generator.permutation or "
    "generator.choice, not np.random.",
    lambda groups, share, generator: split_by_group(groups, share, np.random.default_rng()),
)
split_by_group.mistake(
    "The answer is True for training. It has to be True for the pictures of the test part.",
    lambda *given: ~split_by_group(*given),
)
check_split_by_group = split_by_group.check
