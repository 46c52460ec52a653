"""LASSO by coordinate descent, for many targets at once: what scikit-learn's does, without needing it."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_SWEEPS = 1_000
_TOLERANCE = 1e-7


def lasso(x: Floats, y: Floats, penalty: float, weights: Floats | None = None) -> Floats:
    """Slopes (row of y, feature) that minimise ½ · mean of (y − a − x̃·b)² + penalty · |b|₁, a free, for each row of y.

    x: (sample, feature); x̃ is x with each feature at mean 0 and standard deviation 1, and the slopes are those of x as
    it is: a feature that never changes has slope 0. y: (row, sample).
    weights: (row, sample), how often each sample counts, for resampling; by default once.
    """
    counts = np.ones_like(y) if weights is None else weights
    share = counts / counts.sum(1, keepdims=True)
    mean_x, mean_y = share @ x, (share * y).sum(1, keepdims=True)
    second = share @ x**2
    deviation = np.sqrt(np.maximum(second - mean_x**2, 0))
    moves = deviation > 1e-9
    scale = np.where(moves, deviation, 1.0)
    # Everything that the descent needs is in the covariances, so that it costs the same for any number of samples.
    cross = np.einsum("rs,si,sj->rij", share, x, x, optimize=True) - mean_x[:, :, None] * mean_x[:, None, :]
    cross /= scale[:, :, None] * scale[:, None, :]
    with_y = ((share * (y - mean_y)) @ x - (share * (y - mean_y)).sum(1, keepdims=True) * mean_x) / scale
    slopes = np.zeros_like(with_y)
    for _ in range(_SWEEPS):
        largest = 0.0
        for feature in range(x.shape[1]):
            left = with_y[:, feature] - (cross[:, feature] * slopes).sum(1) + slopes[:, feature]
            new = np.sign(left) * np.maximum(np.abs(left) - penalty, 0) * moves[:, feature]
            largest = max(largest, float(np.abs(new - slopes[:, feature]).max(initial=0.0)))
            slopes[:, feature] = new
        if largest < _TOLERANCE:
            break
    found: Floats = slopes / scale
    return found
