"""What the tests of backbone.ops share."""

import itertools

import numpy as np
import torch
from hypothesis import settings
from hypothesis import strategies as st

MODEST = settings(max_examples=30, deadline=None, derandomize=True)
INTEGER = r"it must be an integer of at least"

numbers = st.floats(-10, 10)
seeds = st.integers(0, 2**32 - 1)

# stride, padding, dilation, groups
SWEEP = list(itertools.product([1, 2, 3], [0, 1, 3], [1, 2], [1, 2, 4]))
SWEEP += [((2, 1), (0, 2), (1, 2), 1), ((1, 3), (2, 0), (2, 1), 2), ([3, 2], [1, 1], [1, 1], 4)]
KERNEL_SIZES = [(1, 1), (3, 3), (2, 3), (4, 1)]

# of two inputs, and of the sum of their products
DTYPES = [
    ("f4", "f4", "f4"),
    ("f8", "f8", "f8"),
    ("f4", "f8", "f8"),
    ("f2", "f2", "f2"),
    ("u1", "f4", "f4"),
    ("u1", "f8", "f8"),
    ("i8", "f4", "f8"),
    ("u1", "u1", "i8"),
    ("?", "i2", "i8"),
    ("?", "?", "i8"),
    ("u8", "i8", "f8"),
]


def arrays(seed, *shapes, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def tensor(array, requires_grad=False):
    return torch.from_numpy(np.array(array, order="C")).requires_grad_(requires_grad)
