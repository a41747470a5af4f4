"""Exercises of the chapter on data."""

from functools import partial

import numpy as np

from backbone.exercises.check import exercise
from backbone.exercises.measures import disagreeing, drawn, repeating

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
_GRAY, _COLOR = _rng.random((6, 1, 3, 4)), _rng.random((5, 3, 4, 2)) * _spread + _spread


@exercise(
    {
        "one channel, test pictures that are brighter": (_GRAY, _rng.random((4, 1, 3, 4)) + 0.5),
        "three channels with different means and spreads": (_COLOR, _rng.random((3, 3, 4, 2)) * 0.5),
        "a single test picture": (_COLOR, _rng.random((1, 3, 4, 2))),
        "test pictures that are the training pictures": (_COLOR, _COLOR.copy()),
    }
)
def standardize_both(train, test, of_train=_by_channel, of_test=None):
    """Standardize both parts by the training part's statistics, or the test part by those of its own choice."""
    mean, std = of_train(train)
    own, spread = of_test(test) if of_test else (mean, std)
    return (train - mean) / std, (test - own) / spread


def _together(train, test):
    statistics = _by_channel(np.concatenate([train, test]))
    return standardize_both(train, test, lambda x: statistics)


standardize_both.mistake(
    "The test pictures were standardized with statistics of their own, so their mean came out as exactly 0. A net "
    "would see a bright test set as an average one. Use the mean and the deviation of the training pictures.",
    partial(standardize_both, of_test=_by_channel),
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
check_standardize_both = standardize_both.check


def _found(answer, x):
    """Return what happened to each picture, (row, column, mirrored), or None where it is no such copy."""
    padded, (height, width) = np.pad(x[0], [(0, 0), (2, 2), (2, 2)]), x.shape[2:]
    known = {}
    for i, j in np.ndindex(5, 5):
        cut = padded[:, i : i + height, j : j + width]
        known |= {cut.tobytes(): (i, j, False), cut[:, :, ::-1].tobytes(): (i, j, True)}
    return [known.get(one.astype(x.dtype).tobytes()) for one in answer]


def _strange(answers, x):
    found = _found(next(answers), x)
    return round(4 * found.count(None) / len(x)) / 4


def _missing(answers, x):
    found = [one for one in _found(next(answers), x) if one]
    return 10 - sum(len({one[axis] for one in found}) for axis in (0, 1))


def _mirrored(answers, x):
    """Return where the share of mirrored pictures stands, batch by batch, as the case's words have it."""
    shares = [
        np.mean([f[2] for f in found if f]) for found in (_found(a, x) for a in answers) if found.count(None) < 200
    ]
    if not shares or np.ptp(shares) > 0.9:
        return 3 if shares else 4
    return {0.0: 0, 1.0: 2}.get(round(np.mean(shares), 3), 1 if abs(np.mean(shares) - 0.5) < 0.1 else 4)


_PICTURES = np.tile(np.arange(1.0, 49).reshape(1, 1, 6, 8), (250, 1, 1, 1))


@exercise(
    {
        "250 times the same picture, share of results that are no shifted or mirrored copy": drawn(_strange, _PICTURES),
        "250 times the same picture, of 5 shifts by rows and 5 by columns, how many never occur": drawn(
            _missing, _PICTURES
        ),
        "250 times the same picture, mirrored: 0 never, 1 about half, 2 always, 3 all or none of a batch, 4 another "
        "share": drawn(_mirrored, _PICTURES),
        "250 times the same picture, calls with equal generators that disagree": disagreeing(_PICTURES),
        "250 times the same picture, calls in a row, with one generator, that gave the same": repeating(_PICTURES),
    }
)
def random_crop_flip(x, generator, *, alike=False, mirror=0.5, same_mirror=False, axis=-1, places=5, roll=False):
    """Pad by 2, cut at a random place, mirror every other picture; the keywords are where it goes wrong."""
    padded = np.pad(x, [(0, 0), (0, 0), (2, 2), (2, 2)])
    out, height, width = np.empty_like(x), *x.shape[2:]
    draws = [(*generator.integers(0, places, 2), generator.random() < mirror) for _ in x]
    for i in range(len(x)):
        top, left, flip = draws[0] if alike else (*draws[i][:2], draws[0 if same_mirror else i][2])
        cut = padded[i, :, top : top + height, left : left + width]
        cut = np.roll(x[i], (2 - top, 2 - left), (1, 2)) if roll else cut
        out[i] = np.flip(cut, axis) if flip else cut
    return out


random_crop_flip.mistake(
    "All pictures of the batch were shifted and mirrored alike: the numbers were drawn once. Draw as many as there are "
    "pictures, size=len(x), or draw inside a loop over them.",
    partial(random_crop_flip, alike=True),
)
random_crop_flip.mistake(
    "All pictures of the batch were mirrored, or none. The shifts differ, as they should. Draw a number for each "
    "picture: generator.random(len(x)) < 0.5.",
    partial(random_crop_flip, same_mirror=True),
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
    partial(random_crop_flip, roll=True),
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
    partial(random_crop_flip, places=4),
)
check_random_crop_flip = random_crop_flip.check


def _both(answers, groups, share):
    parts = [_mask(answer) for answer in answers]
    if any(test is None for test in parts):
        return 2
    return int(any(len(np.intersect1d(groups[test], groups[~test])) for test in parts))


def _chosen(answers, groups, share):
    test, total = _mask(next(answers)), len(np.unique(groups))
    if test is None:
        return 2
    asked, given = round(share * total), len(np.unique(groups[test]))
    return 1 if given == asked else -1 if given == total - asked else 0


def _mask(answer):
    """Return the answer as booleans, or None where it holds other numbers than 0 and 1."""
    return answer.astype(bool) if np.isin(answer, (0, 1)).all() else None


_rng = np.random.default_rng(5)
_EVEN = np.repeat(np.arange(12), 5)
_UNEVEN = _rng.permutation(np.repeat(np.arange(20), _rng.integers(1, 9, 20)))


@exercise(
    {
        "twelve objects, five pictures each, is an object in both parts: 0 no, 1 yes, 2 no array of booleans": drawn(
            _both, _EVEN, 0.25
        ),
        "twelve objects, five pictures each, objects in the test part: 1 as asked, 0 more or fewer, -1 those meant for "
        "training, 2 no array of booleans": drawn(_chosen, _EVEN, 0.25),
        "twelve objects, five pictures each, calls with equal generators that disagree": disagreeing(_EVEN, 0.25),
        "twelve objects, five pictures each, calls in a row, with one generator, that gave the same": repeating(
            _EVEN, 0.25
        ),
        "twenty objects with different numbers of pictures, in any order, is an object in both parts: 0 no, 1 yes, "
        "2 no array of booleans": drawn(_both, _UNEVEN, 0.3),
        "twenty objects with different numbers of pictures, in any order, objects in the test part: 1 as asked, "
        "0 more or fewer, -1 those meant for training, 2 no array of booleans": drawn(_chosen, _UNEVEN, 0.3),
        "twenty objects with different numbers of pictures, in any order, calls with equal generators that "
        "disagree": disagreeing(_UNEVEN, 0.3),
        "twenty objects with different numbers of pictures, in any order, calls in a row, with one generator, that "
        "gave the same": repeating(_UNEVEN, 0.3),
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
    "The numbers did not come from generator: calls with equal generators disagree. Use generator.permutation or "
    "generator.choice, not np.random.",
    lambda groups, share, generator: split_by_group(groups, share, np.random.default_rng()),
)
split_by_group.mistake(
    "The answer is True for training. It has to be True for the pictures of the test part.",
    lambda *given: ~split_by_group(*given),
)
check_split_by_group = split_by_group.check
