"""Scales raw scores to the displayed range. Scaled scores are never stored."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def min_max(scores: ArrayLike) -> NDArray[np.float64]:
    """Scale `scores` linearly so that the smallest is 0 and the largest is 1; a constant array becomes 0.5 everywhere.

    >>> min_max([1.0, 2.0, 5.0]).tolist()
    [0.0, 0.25, 1.0]
    >>> min_max([3.0, 3.0]).tolist()
    [0.5, 0.5]
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.size == 0:
        return values
    low, high = float(values.min()), float(values.max())
    if low == high:
        return np.full(values.shape, 0.5)
    if high - low == float("inf"):
        # Halved, the spread of two huge scores of opposite sign cannot overflow; always halving would lose subnormals.
        values, low, high = values / 2, low / 2, high / 2
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def symmetric(scores: ArrayLike) -> NDArray[np.float64]:
    """Scale signed `scores` so that 0 is 0.5 and the largest magnitude is 0 or 1; all zeros become 0.5.

    >>> symmetric([-1.0, 0.0, 4.0]).tolist()
    [0.375, 0.5, 1.0]
    """
    values = np.asarray(scores, dtype=np.float64)
    largest = float(np.abs(values).max()) if values.size else 0.0
    if largest == 0:
        return np.full(values.shape, 0.5)
    # Divided first: half of a subnormal would be lost, twice a huge score would overflow.
    return np.clip(0.5 + values / largest / 2, 0.0, 1.0)
