"""Spearman's rank correlation of two lists of scores."""

import numpy as np
from numpy.typing import NDArray

from attnscope.results.agreement import ranks


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """-1 to 1, equal scores sharing the mean of their ranks; NaN where either list has no ranks.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 9.0]))
    1.0
    """
    a, b = (ranks(x) - (len(x) + 1) / 2 for x in (one, other))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / size, -1, 1)) if size > 0 else float("nan")
