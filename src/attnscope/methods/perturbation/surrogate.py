"""A linear surrogate on random halves of the text: what each word adds, at a constant number of passes."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import compared_with
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Measured

# Candidates for the ridge penalty, in units of the design's own scale; leave-one-out picks one.
_PENALTIES = np.logspace(-2, 2, 9)


def surrogate(
    task: Task,
    *,
    samples: int = 16,
    seed: int = 0,
    replacement: Literal["mask", "pad", "zero", "mean", "delete"] | None = None,
) -> Scores:
    """Coefficients of a ridge regression of the target on which units are kept (after ContextCite, arXiv:2409.00729).

    With z in {0, 1}^units, each unit present in half of the samples, score(unit) = b where (a, b) minimise
    Σ (F(z) − a − b·z)² + λ·|b|². Samples come in pairs, a half of the text and the other half, so that every unit is
    present equally often. λ has the smallest leave-one-out error. Signed: positive units raise F; in F's own unit.
    `r_squared` is the share of F's variance that the surrogate predicts for samples that it was not fitted to: at or
    below 0 it explains nothing.

    samples:     the number of random texts beside the whole one, even: one forward pass each, whatever the length.
    seed:        of the halves.
    replacement: as in `shapley`. "delete" shifts the words that are left, so that their new positions count too.

    It misleads where `r_squared` is low: words that only work together have no slope of their own, and with fewer
    samples than units the scores of weak ones are shrunk towards 0. Raises what `occlusion` raises.

    >>> surrogate(task, samples=32).units  # doctest: +SKIP
    """
    if type(samples) is not int or samples < 4 or samples % 2:
        raise InputError(f"samples={samples!r}: give an even number, 4 or more")
    used = compared_with(task, replacement)
    removable = task.removable
    present = _halves(len(removable), samples, seed)  # (sample, removable unit)
    missing = [frozenset(removable[i] for i in np.flatnonzero(~row)) for row in present]
    values = task.values_without([frozenset(), *missing], used)  # (1 + sample, target)
    slopes, predicted = ridge_by_leave_one_out(present.astype(float), values[1:])
    units = np.zeros((values.shape[1], len(task.units)))
    units[:, removable] = slopes.T
    return Scores(
        units=units,
        values=values[0],
        options={"replacement": used},
        measured=Measured(r_squared=float(predicted.mean())),
    )


def _halves(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """(sample, unit): random halves of the units, each followed by the other half. One unit alone alternates."""
    generator = np.random.default_rng(seed)
    present = np.zeros((samples, units), dtype=bool)
    for pair in range(0, samples, 2):
        present[pair, generator.permutation(units)[: -(-units // 2)]] = True
        present[pair + 1] = ~present[pair]
    return present


def ridge_by_leave_one_out(
    present: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(sample, unit), (sample, target) -> slopes (unit, target), and the leave-one-out R² of each target.

    The penalty is chosen for each target by its exact leave-one-out error, residual / (1 − leverage).
    """
    x, y = present - present.mean(0), values - values.mean(0)
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    scale = float((sizes**2).mean()) or 1.0
    total = (y**2).sum(0)
    best: list[tuple[float, NDArray[np.float64]]] = []
    for target, column in enumerate(y.T):
        fits = []
        for penalty in _PENALTIES * scale:
            shrink = sizes**2 / (sizes**2 + penalty)
            # The intercept is fitted too: it adds 1 / n to every leverage.
            leverage = (left**2) @ shrink + 1 / len(x)
            error = float((((column - left @ (shrink * (left.T @ column))) / (1 - leverage)) ** 2).sum())
            weights = sizes / (sizes**2 + penalty)
            fits.append((error, right.T @ (weights * (left.T @ column))))
        error, slopes = min(fits, key=lambda fit: fit[0])
        best.append((1 - error / total[target] if total[target] > 0 else 1.0, slopes))
    return np.stack([slopes for _, slopes in best], 1), np.array([share for share, _ in best])
