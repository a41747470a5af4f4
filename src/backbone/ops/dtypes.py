"""The dtypes that operations compute in."""

import numpy as np


def dtypes(*arrays: np.ndarray) -> tuple[np.dtype, np.dtype]:
    """Return the dtype of the result and the one to sum in, by the rules of ``backbone.ops``."""
    dtype = np.result_type(*(array.dtype for array in arrays))
    if dtype.kind in "biu":
        dtype = np.result_type(dtype, np.int64)
    return dtype, np.dtype(np.float32) if dtype == np.float16 else dtype
