"""Exercises of the chapter on features from ImageNet."""

import numpy as np

from backbone.exercises.check import exercise


def _cosines(features, query):
    return features @ query / np.linalg.norm(features, axis=1) / np.linalg.norm(query)


_ROWS = np.random.default_rng(0).normal(size=(9, 5)) * np.geomspace(0.1, 30, 9)[:, None]


@exercise(
    {
        "rows of very different lengths": (_ROWS, _ROWS[1] * 2 + 0.01),
        "a near row in another direction, a far one in the same": (
            np.array([[0.6, 1.1], [-2, 1], [7, 0.5]]),
            np.array([1.0, 0.1]),
        ),
        "a row that points exactly the other way": (
            np.array([[3.0, 1], [-2, -4], [0, -1], [1, 0]]),
            np.array([0.5, 1]),
        ),
        "the nearest row is the first one": (np.array([[5.0, 5], [1, -1], [-20, 30], [-4, -5]]), np.array([1.0, 1.2])),
        "the nearest row is in the middle": (
            np.array([[1.0, 9], [8, 2], [0.2, 0.3], [-6, 1], [-2, -2]]),
            np.array([1.0, 1.4]),
        ),
    },
    rtol=0,
)
def nearest(features, query):
    """Find the row of features (N, D) with the largest cosine to query (D,)."""
    return int(np.argmax(_cosines(features, query)))


nearest.mistake(
    "The largest product won. A long row has large products with everything. Divide by the lengths: of the rows (1, 0) "
    "and (9, 9), the first is nearer in direction to the query (1, 0).",
    lambda features, query: int(np.argmax(features @ query)),
)
nearest.mistake(
    "The smallest distance won. Here the direction counts, not the length: for the query (1, 0), the row (8, 0) has "
    "cosine 1, and (1, 1) only 0.71.",
    lambda features, query: int(np.argmin(((features - query) ** 2).sum(axis=1))),
)
nearest.mistake(
    "The smallest cosine won: that is the least alike row. A cosine of 1 means the same direction.",
    lambda features, query: int(np.argmin(_cosines(features, query))),
)
nearest.mistake(
    "A row of the opposite direction won. Its cosine is -1, the lowest there is: leave the sign as it is.",
    lambda features, query: int(np.argmax(abs(_cosines(features, query)))),
)
check_nearest = nearest.check


_generator = np.random.default_rng(1)


def _tiles(x, tiles):
    """Cut x (C, H, W) into (tiles * tiles, C, h, w), in reading order."""
    channels, height, width = x.shape
    cut = x.reshape(channels, tiles, height // tiles, tiles, width // tiles)
    return cut.transpose(1, 3, 0, 2, 4).reshape(tiles**2, channels, height // tiles, width // tiles)


def _lay(cut, tiles, axes=(2, 0, 3, 1, 4)):
    """Lay tiles (tiles * tiles, C, h, w) out as one picture (C, H, W)."""
    _, channels, height, width = cut.shape
    grid = cut.reshape(tiles, tiles, channels, height, width).transpose(axes)
    return grid.reshape(channels, tiles * height, tiles * width)


@exercise(
    {
        "four tiles, turned in a ring": (np.arange(16.0).reshape(1, 4, 4), 2, np.array([1, 3, 0, 2])),
        "nine tiles of a color picture": (_generator.random((3, 6, 6)), 3, _generator.permutation(9)),
        "the order as it was": (_generator.random((2, 4, 4)), 2, np.arange(4)),
        "a picture that is wider than high": (_generator.random((1, 4, 8)), 2, np.array([2, 0, 3, 1])),
        "one tile at every place": (_generator.random((3, 6, 6)), 2, np.array([3, 3, 3, 3])),
    },
    rtol=0,
)
def shuffle_tiles(x, tiles, order):
    """Lay tile order[k] of x (C, H, W) at place k, in reading order."""
    return _lay(_tiles(x, tiles)[order], tiles)


def _backward(x, tiles, order):
    cut = _tiles(x, tiles)
    result = np.zeros_like(cut)
    result[order] = cut
    return _lay(result, tiles)


def _by_rows(x, tiles, order):
    """Cut the flat rows of pixels into equal pieces, as a bare reshape does."""
    pieces = x.reshape(len(x), tiles**2, -1)[:, order]
    return pieces.reshape(x.shape)


shuffle_tiles.mistake(
    "The tiles went the other way: tile k went to place order[k]. Place k gets tile order[k], so that one tile may "
    "stand at several places.",
    _backward,
    lambda x, tiles, order: _lay(_tiles(x, tiles)[np.argsort(order, kind="stable")], tiles),
)
shuffle_tiles.mistake(
    "The places were counted down the columns. Count them in reading order: the first row from left to right, then the "
    "second.",
    lambda x, tiles, order: _lay(_tiles(x, tiles)[order], tiles, (2, 1, 3, 0, 4)),
)
shuffle_tiles.mistake(
    "Strips of pixels were shuffled, not tiles. A reshape alone cuts along the rows; split rows and columns first, and "
    "bring the two tile axes together with transpose, or cut with slices in two loops.",
    _by_rows,
)
shuffle_tiles.mistake(
    "Nothing moved. Lay tile order[k] at place k.",
    lambda x, tiles, order: x,
)
check_shuffle_tiles = shuffle_tiles.check


_LOGITS = np.array([[2.0, 1, 0, -1], [0, 3, 3, 0], [-2, -1, 4, 0]])


def _softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@exercise(
    {
        "two classes of four": (_LOGITS, [0, 2]),
        "one class": (_LOGITS, [1]),
        "all classes": (_LOGITS, [0, 1, 2, 3]),
        "large logits": (300 * _LOGITS + 500, [1, 2]),
        "many pictures": (_generator.normal(size=(7, 5)), [4, 1, 3]),
    }
)
def probability_of_any(logits, classes):
    """Return the probability (N,) that one of the classes is right, from logits (N, K)."""
    return _softmax(logits)[:, classes].sum(axis=1)


def _unprotected(logits, classes):
    with np.errstate(over="ignore", invalid="ignore"):
        powers = np.exp(logits)
        return powers[:, classes].sum(axis=1) / powers.sum(axis=1)


probability_of_any.mistake(
    "The largest of the probabilities came back. The names exclude each other for the network, so the probability of "
    "any of them is the sum.",
    lambda logits, classes: _softmax(logits)[:, classes].max(axis=1),
)
probability_of_any.mistake(
    "Softmax was taken over the chosen classes alone, and then they always sum to 1. Take it over all classes first.",
    lambda logits, classes: _softmax(logits[:, classes]).sum(axis=1),
)
probability_of_any.mistake(
    "The mean of the probabilities came back. More right names must not make a picture less probable: add them up.",
    lambda logits, classes: _softmax(logits)[:, classes].mean(axis=1),
)
probability_of_any.mistake(
    "Large logits overflow in the exponential. Take the largest logit of each row away first; the probabilities stay.",
    _unprotected,
)
probability_of_any.mistake(
    "Softmax ran over the pictures, so that one picture changes the answer of another. Sum over the classes of each "
    "picture: axis=1.",
    lambda logits, classes: _softmax(logits.T).T[:, classes].sum(axis=1),
)
probability_of_any.mistake(
    "The logits were added up. They are not probabilities: send them through softmax first.",
    lambda logits, classes: logits[:, classes].sum(axis=1),
)
check_probability_of_any = probability_of_any.check
