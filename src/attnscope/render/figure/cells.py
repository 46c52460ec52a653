"""What the cells of a drawn map show: weights, or of many tokens the largest of each block."""

import math

import numpy as np
from numpy.typing import NDArray

# From this many tokens on, an even share of a row is so small that only a fourth root shows it.
_MANY = 64


def root_of(weights: NDArray[np.float32], signed: bool) -> int:
    """The root that colours follow. Signed weights are no shares: they do not get smaller with the text's length."""
    return 4 if weights.shape[1] >= _MANY and not signed else 2


def size_of(weights: NDArray[np.float32]) -> float:
    """The largest, without its sign."""
    return float(np.abs(weights).max(initial=0))


def pooled(weights: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """Of each block of tokens the largest weight, by size, with its sign; at most `most` blocks along an axis.

    >>> pooled(np.array([[0.25, -0.5, 0.125, 0.0]], dtype=np.float32), 2).tolist()
    [[-0.5, 0.125]]
    """
    for axis in (0, 1):
        step = math.ceil(weights.shape[axis] / most)
        starts = np.arange(0, weights.shape[axis], step)
        high, low = (extreme.reduceat(weights, starts, axis=axis) for extreme in (np.maximum, np.minimum))
        weights = np.where(high >= -low, high, low)
    return weights


def blocks(weights: NDArray[np.float32], cells: NDArray[np.float32], signed: bool) -> str:
    """What a cell shows, where it stands for more than one weight."""
    down, across = (math.ceil(n / m) for n, m in zip(weights.shape, cells.shape, strict=True))
    by_size = ", whatever its sign" if signed else ""
    return f"each cell is the largest of {down} × {across} weights{by_size}" if down * across > 1 else ""
