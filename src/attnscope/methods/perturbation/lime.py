"""LIME: a linear model of the target around this text, fitted to texts with some of their words missing."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import compared_with
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Measured


def lime(
    task: Task,
    *,
    samples: int = 256,
    kernel_width: float = 0.25,
    ridge: float = 1e-3,
    seed: int = 0,
    replacement: Literal["mask", "pad", "zero", "mean", "delete"] | None = None,
) -> Scores:
    """Coefficients of a weighted linear surrogate over the units (Ribeiro et al. 2016, arXiv:1602.04938).

    With z in {0, 1}^units saying which units are present, the scores are the b that minimise
    Σ π(z) (F(z) − a − b·z)² + ridge · |b|², over sampled z; π(z) = exp(−d² / (2 · kernel_width²)), where d is the
    cosine distance of z from all ones, as in the authors' package. The number of missing units is drawn uniformly from
    1 to all, then the units. Signed: positive units raise F; in F's own unit. `r_squared` is the weighted share of F's
    variance that the surrogate explains.

    samples: the number of texts beside the whole one: one forward pass each, less duplicates.
    replacement: as in `shapley`.

    It misleads where r_squared is low, and the scores depend on the kernel's width. Raises what `shapley` raises.
    """
    if type(samples) is not int or samples < 1 or not kernel_width > 0 or not ridge > 0:
        raise InputError(
            f"samples={samples!r}, kernel_width={kernel_width!r}, ridge={ridge!r}: give a number of samples and two "
            "positive numbers"
        )
    used = compared_with(task, replacement)
    removable = task.removable
    present = _samples(len(removable), samples, seed)  # (sample, removable unit), the whole text first
    missing = [frozenset(removable[i] for i in np.flatnonzero(~row)) for row in present]
    values = task.values_without(missing, used)
    slopes, explained = surrogate(present.astype(float), values, kernel(present, kernel_width), ridge)
    units = np.zeros((values.shape[1], len(task.units)))
    units[:, removable] = slopes.T
    return Scores(
        units=units,
        values=values[0],
        options={"replacement": used},
        measured=Measured(r_squared=float(explained.mean())),
    )


def _samples(count: int, samples: int, seed: int) -> NDArray[np.bool_]:
    generator = np.random.default_rng(seed)
    present = np.ones((samples + 1, count), dtype=bool)
    for row in present[1:]:
        row[generator.permutation(count)[: generator.integers(1, count + 1)]] = False
    return present


def kernel(present: NDArray[np.bool_], width: float) -> NDArray[np.float64]:
    """(sample, unit) -> the weight of each sample, (sample,): exp(−d² / (2 · width²))."""
    # The cosine of z with all ones is the root of the share of units that are present.
    distance = 1 - np.sqrt(present.mean(1))
    weights: NDArray[np.float64] = np.exp(-(distance**2) / (2 * width**2))
    return weights


def surrogate(
    present: NDArray[np.float64], values: NDArray[np.float64], weights: NDArray[np.float64], ridge: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(sample, unit), (sample, target), (sample,) -> slopes (unit, target), share of variance explained (target,)."""
    share = weights / weights.sum()
    x, y = present - share @ present, values - share @ values
    # Centring by the weighted mean makes the intercept drop out.
    slopes: NDArray[np.float64] = np.linalg.solve(
        (x * weights[:, None]).T @ x + ridge * np.eye(x.shape[1]), (x * weights[:, None]).T @ y
    )
    residual, total = share @ (y - x @ slopes) ** 2, share @ y**2
    return slopes, np.where(total > 0, 1 - residual / np.where(total > 0, total, 1), 1.0)
