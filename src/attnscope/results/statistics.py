"""Ranks and their correlation; how certain a mean over texts is: bootstrap, a paired test, correction for many tests.

numpy only. Nothing here assumes a distribution, only that the texts are drawn independently.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import pi, sqrt, tan
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

RESAMPLES = 2_000
FLIPS = 9_999
# How many random numbers are drawn at a time, so that many texts do not need a large matrix.
_AT_ONCE = 2_000_000


def ranks(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 1; equal scores share the mean of their ranks.

    >>> ranks(np.array([0.5, 0.1, 0.5])).tolist()
    [2.5, 1.0, 2.5]
    """
    order = np.argsort(scores, kind="stable")
    ranked = np.empty(len(scores))
    edges = [0, *(np.flatnonzero(np.diff(scores[order])) + 1).tolist(), len(scores)]
    for start, end in pairwise(edges):
        ranked[order[start:end]] = (start + 1 + end) / 2
    return ranked


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Spearman's rank correlation, -1 to 1; equal scores share the mean of their ranks. NaN where all scores are equal.

    >>> spearman(np.array([1.0, 2.0, 3.0]), np.array([5.0, 6.0, 9.0]))
    1.0
    """
    a, b = (ranks(x) - (len(x) + 1) / 2 for x in (one, other))
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(np.clip((a @ b) / size, -1, 1)) if size > 0 else float("nan")


def interval(
    values: ArrayLike, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> NDArray[np.float64]:
    """A bootstrap interval of the mean over the first axis: (text, …) -> (2, …), low and high.

    Bias-corrected and accelerated (BCa, Efron 1987), with tails as wide as Student's t has them for so many values
    (Hesterberg 2015): percentiles alone are too narrow by a quarter for 6 values. NaN where there is no value. A single
    value has no spread: the interval is that value.

    >>> interval([1.0, 1.0, 1.0]).tolist()
    [1.0, 1.0]
    """
    data = np.asarray(values, dtype=np.float64)
    if not len(data):
        return np.full((2, *data.shape[1:]), np.nan)
    flat = data.reshape(len(data), -1)
    generator = np.random.default_rng(seed)
    means = np.empty((resamples, flat.shape[1]))
    step = max(1, _AT_ONCE // flat.size)
    for start in range(0, resamples, step):
        chosen = generator.integers(0, len(flat), (min(step, resamples - start), len(flat)))
        means[start : start + step] = flat[chosen].mean(1)
    if len(flat) == 1:
        return np.repeat(data, 2, 0)
    ends = np.stack([_bca(means[:, i], flat[:, i], level) for i in range(flat.shape[1])], 1)
    return ends.reshape(2, *data.shape[1:])


def _bca(means: NDArray[np.float64], values: NDArray[np.float64], level: float) -> NDArray[np.float64]:
    """The two ends, from the resampled means (resample,) of the values (text,)."""
    normal, count = NormalDist(), len(values)
    centred = values - values.mean()
    squares = float((centred**2).sum())
    if squares <= 1e-24 * float((values**2).sum()):
        return np.full(2, values.mean())
    # Half of those that are equal count as below.
    below = float((means < values.mean()).mean() + (means == values.mean()).mean() / 2)
    bias = normal.inv_cdf(min(max(below, 1 / len(means)), 1 - 1 / len(means)))
    acceleration = float((centred**3).sum()) / (6 * squares**1.5)
    wide = student(1 - (1 - level) / 2, count - 1) * sqrt(count / (count - 1))
    shares = []
    for z in (bias - wide, bias + wide):
        bent = 1 - acceleration * z
        shares.append(normal.cdf(bias + z / bent) if bent > 0 else float(z > 0))
    return np.asarray(np.quantile(means, shares), dtype=np.float64)


def student(share: float, freedom: int) -> float:
    """The quantile of Student's t distribution, to 1 % (Abramowitz and Stegun 26.7.5; exact for 1 and 2).

    >>> round(student(0.975, 9), 2)
    2.26
    """
    if freedom == 1:
        return tan(pi * (share - 0.5))
    if freedom == 2:
        return (2 * share - 1) / sqrt(2 * share * (1 - share))
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + float(sum(term / freedom ** (i + 1) for i, term in enumerate(terms)))


def paired(differences: ArrayLike, *, flips: int = FLIPS, seed: int = 0) -> float:
    """The two-sided p value of a paired test that the differences (text,) have no direction; NaN without a difference.

    Under the null hypothesis each sign could as well be the other: the mean is compared with the means after `flips`
    random sign flips (Fisher's randomisation test). The smallest p is 1 / (flips + 1).

    >>> paired([0.0, 0.0])
    1.0
    """
    data = np.asarray(differences, dtype=np.float64)
    if not len(data):
        return float("nan")
    seen = abs(data.sum())
    generator = np.random.default_rng(seed)
    as_large = 0
    step = max(1, _AT_ONCE // len(data))
    for start in range(0, flips, step):
        signs = generator.integers(0, 2, (min(step, flips - start), len(data))) * 2 - 1
        # Sums of the same numbers in a different order differ in their last bits.
        as_large += int((np.abs(signs @ data) >= seen * (1 - 1e-12)).sum())
    return (as_large + 1) / (flips + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's correction: p values that keep the chance of any false positive at the level; NaN is left out.

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    tested = [i for i, p in enumerate(p_values) if not np.isnan(p)]
    adjusted = list(p_values)
    highest = 0.0
    for place, i in enumerate(sorted(tested, key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[i] * (len(tested) - place)))
        adjusted[i] = highest
    return adjusted
