"""The exercises of the chapter on features from ImageNet, against PyTorch and functions as readers write them."""

import numpy as np
import torch
from readers import are_recognized, pass_the_check

from backbone.exercises.imagenet_features import nearest, probability_of_any, shuffle_tiles

# --- Right, in another way ----------------------------------------------------------------------------------


def nearest_by_angle(features, query):
    """Put all rows on the unit sphere, and look for the smallest distance there."""
    rows = features / np.linalg.norm(features, axis=1, keepdims=True)
    return np.argmin(np.linalg.norm(rows - query / np.linalg.norm(query), axis=1))


def shuffle_tiles_by_slices(x, tiles, order):
    height, width = x.shape[1] // tiles, x.shape[2] // tiles
    result = np.zeros(x.shape)
    for place, tile in enumerate(order):
        (i, j), (row, column) = divmod(place, tiles), divmod(tile, tiles)
        result[:, i * height : (i + 1) * height, j * width : (j + 1) * width] = x[
            :, row * height : (row + 1) * height, column * width : (column + 1) * width
        ]
    return result


def probability_of_any_by_torch(logits, classes):
    return torch.softmax(torch.tensor(logits.copy()), dim=1)[:, list(classes)].sum(dim=1)


test_other_right_ways_pass = pass_the_check(
    (nearest, nearest_by_angle),
    (shuffle_tiles, shuffle_tiles_by_slices),
    (probability_of_any, probability_of_any_by_torch),
)


# --- Wrong ways -----------------------------------------------------------------------------------------------


def tiles_to_places(x, tiles, order):
    return shuffle_tiles_by_slices(x, tiles, np.argsort(order, kind="stable"))


test_mistakes_as_readers_write_them_are_recognized = are_recognized(
    (nearest, "The largest product won", lambda features, query: (features @ query).argmax()),
    (shuffle_tiles, "The tiles went the other way", tiles_to_places),
    (nearest, "The smallest distance won", lambda features, query: np.linalg.norm(features - query, axis=1).argmin()),
    (probability_of_any, "The largest of the", lambda z, k: torch.softmax(torch.tensor(z), 1)[:, k].amax(1)),
)
