"""A linear surrogate on random halves of the text: what each word adds, at a constant number of passes."""

import logging
from itertools import combinations
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import compared_with
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Interaction, Measured
from attnscope.results.statistics import student

_log = logging.getLogger(__name__)
# Candidates for the ridge penalty, in units of the design's own scale; leave-one-out picks one.
_PENALTIES = np.logspace(-2, 2, 9)
# Of so many random halves, the one least like those before it is taken.
CANDIDATES = 20
# At most how many of the strongest units are looked at in pairs.
MOST_STRONG = 8
# Fits to pairs of halves drawn again, for the standard error.
RESAMPLES = 100
# With a tolerance, samples are not doubled beyond this.
MOST_SAMPLES = 1024


def surrogate(
    task: Task,
    *,
    samples: int = 16,
    tolerance: float | None = None,
    seed: int = 0,
    replacement: Literal["mask", "pad", "zero", "mean", "delete"] | None = None,
) -> Scores:
    """Coefficients of a ridge regression of the target on which units are kept (after ContextCite, arXiv:2409.00729).

    With z in {0, 1}^units, each unit present in half of the samples, score(unit) = b where (a, b) minimise Σ (F(z) − a
    − b·z)² + λ·|b|². Samples come in pairs, a half of the text and the other half, so that every unit is present
    equally often; each half is drawn to split the units unlike those before it. λ has the smallest leave-one-out error.
    Since every sample keeps a half, samples tell what a unit has more than another, and not what all have: the slopes
    move up or down together until a + Σ b = F(x), the whole text's.
    Signed: positive units raise F; in F's own unit. `r_squared` is the share of F's variance that the surrogate
    predicts for samples that it was not fitted to: at or below 0 it explains nothing. `standard_error` is each unit's,
    the largest over the targets, from fits to the pairs drawn again with replacement: it says what other halves would
    have given, and not what the penalty shrinks away. `interactions` are what pairs of the strongest units do together,
    F(both) − F(one) − F(other) + F(neither) with the other units half there, where an interval of 95 % for all pairs
    together leaves out 0 (of one target alone). 16 samples see the three strongest units in pairs, 64 the five
    strongest: few are found with few samples.

    samples:     the number of random texts beside the whole one, even: one forward pass each, whatever the length.
    tolerance:   double the samples until no unit's standard error is above this share of the largest score; at 1,024
                 samples it gives up and logs a warning. `samples` in the result is how many there were.
    seed:        of the halves.
    replacement: as in `shapley`. "delete" shifts the words that are left, so that their new positions count too.

    It misleads where `r_squared` is low: words that only work together have no slope of their own, and with fewer
    samples than units the scores of weak ones are shrunk towards 0. Raises what `occlusion` raises.

    >>> text = "Paris is in France. Tokyo is in"
    >>> words = ats.explain(model, text, method="surrogate", target=" Japan", against=" France", samples=32)
    >>> words.scores.round(1)
    array([2.3, 0.9, 3.3, 0.1, 2.3, 7.7, 3. , 4.4])
    """
    if type(samples) is not int or samples < 4 or samples % 2:
        raise InputError(f"samples={samples!r}: give an even number, 4 or more")
    if tolerance is not None and not tolerance > 0:
        raise InputError(f"tolerance={tolerance!r}: give a share above 0, such as 0.1")
    used = compared_with(task, replacement)
    removable = task.removable
    values = task.values_without([frozenset()], used)  # (1 + sample, target)
    while True:
        present = _halves(len(removable), samples, seed)  # (sample, removable unit): more go on where fewer ended
        missing = [frozenset(removable[i] for i in np.flatnonzero(~row)) for row in present[len(values) - 1 :]]
        values = np.concatenate([values, task.values_without(missing, used)])
        slopes, predicted, penalties = ridge_by_leave_one_out(present.astype(float), values[1:])
        slopes += common_part(present.astype(float), slopes, values[0], values[1:])
        errors = _standard_errors(present.astype(float), values[0], values[1:], penalties, seed)  # (unit, target)
        if tolerance is None or (errors <= tolerance * np.abs(slopes).max(0)).all():
            break
        if samples * 2 > MOST_SAMPLES:
            _log.warning("surrogate: with %d samples a standard error is still over the tolerance", samples)
            break
        samples *= 2
    spans = [(task.units.spans[i].start, task.units.spans[i].end) for i in removable]
    together = _interactions(present, values[1:, 0], slopes[:, 0]) if values.shape[1] == 1 else []
    units = np.zeros((values.shape[1], len(task.units)))
    units[:, removable] = slopes.T
    error_of_unit = np.zeros(len(task.units))
    error_of_unit[removable] = errors.max(1)
    return Scores(
        units=units,
        values=values[0],
        options={"replacement": used, "samples": samples},
        measured=Measured(
            r_squared=float(predicted.mean()),
            standard_error=tuple(error_of_unit.tolist()),
            interactions=tuple(Interaction(spans[i], spans[j], *found) for i, j, *found in together),
        ),
    )


def common_part(
    present: NDArray[np.float64],
    slopes: NDArray[np.float64],
    whole: NDArray[np.float64],
    values: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What all slopes lack alike, (target,): with it the surrogate of the samples is right on the whole text.

    present: (sample, unit); slopes: (unit, target); whole: (target,), values: (sample, target), with and without units.
    """
    absent = 1 - present.mean(0)
    lacking: NDArray[np.float64] = (whole - values.mean(0) - absent @ slopes) / absent.sum()
    return lacking


def _standard_errors(
    present: NDArray[np.float64],
    whole: NDArray[np.float64],
    values: NDArray[np.float64],
    penalties: NDArray[np.float64],
    seed: int,
) -> NDArray[np.float64]:
    """(unit, target): how the slopes vary when pairs of samples are drawn again, each target at its penalty."""
    generator = np.random.default_rng([seed, 1])
    pairs = len(present) // 2
    fits = np.empty((RESAMPLES, present.shape[1], values.shape[1]))
    for fit in fits:
        chosen = generator.integers(0, pairs, pairs)
        rows = np.concatenate([2 * chosen, 2 * chosen + 1])
        x, y = present[rows] - present[rows].mean(0), values[rows] - values[rows].mean(0)
        left, sizes, right = np.linalg.svd(x, full_matrices=False)
        shrunk = sizes[:, None] / (sizes[:, None] ** 2 + penalties)  # (direction, target)
        fit[:] = right.T @ (shrunk * (left.T @ y))
        fit += common_part(present[rows], fit, whole, values[rows])
    return np.asarray(fits.std(0, ddof=1), dtype=np.float64)


def _halves(units: int, samples: int, seed: int) -> NDArray[np.bool_]:
    """(sample, unit): halves of the units, each followed by the other half. One unit alone alternates.

    Each half is, of some drawn at random, the one that splits the units least like the halves before it, so that units
    seldom come and go together. More samples go on where fewer ended.
    """
    generator = np.random.default_rng(seed)
    signs = np.zeros((samples // 2, units))  # 1 for what is present, -1 for what is not
    for pair, row in enumerate(signs):
        drawn = -np.ones((CANDIDATES, units))
        for candidate in drawn:
            candidate[generator.permutation(units)[: -(-units // 2)]] = 1
        likeness = ((signs[:pair] @ drawn.T) ** 2).sum(0)  # (candidate,)
        row[:] = drawn[likeness.argmin()]
    return np.stack([signs > 0, signs < 0], 1).reshape(samples, units)


def _interactions(
    present: NDArray[np.bool_], values: NDArray[np.float64], slopes: NDArray[np.float64]
) -> list[tuple[int, int, float, float, float]]:
    """(sample, unit), (sample,), (unit,) -> pairs of strong units with an interaction, its estimate and its interval.

    With s = 1 for a unit that is present and -1 for one that is not, the mean of F over a half and the other half has
    nothing left of what units do alone, which changes its sign. So what the strongest units do in pairs is the
    least-squares fit of these means to the products s_i s_j; 4 times a coefficient is F(both) − F(one) − F(other) +
    F(neither), the other units being half there. Of the strongest units, as many as leave half of the degrees of
    freedom. The intervals are Student's, at 95 % for all pairs together (Bonferroni); those that hold 0 are dropped.
    """
    signs, means = np.where(present[::2], 1.0, -1.0), (values[::2] + values[1::2]) / 2
    order = np.argsort(-np.abs(slopes), kind="stable")
    for count in range(min(MOST_STRONG, len(order)), 1, -1):
        pairs = list(combinations(sorted(order[:count].tolist()), 2))
        design = np.column_stack([np.ones(len(signs)), *(signs[:, i] * signs[:, j] for i, j in pairs)])
        free = len(design) - design.shape[1]
        if free < design.shape[1] or np.linalg.matrix_rank(design) < design.shape[1]:
            continue
        inverse = np.linalg.inv(design.T @ design)
        found = inverse @ design.T @ means
        noise = ((means - design @ found) ** 2).sum() / free
        reach = student(1 - 0.05 / 2 / len(pairs), free) * np.sqrt(noise * np.diag(inverse))
        # Below this, it is rounding.
        least = 1e-6 * max(1.0, float(np.abs(values).max()))
        return [
            (i, j, 4 * float(each), 4 * float(each - wide), 4 * float(each + wide))
            for (i, j), each, wide in zip(pairs, found[1:], reach[1:], strict=True)
            if abs(each) > wide + least
        ]
    return []


def ridge_by_leave_one_out(
    present: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(sample, unit), (sample, target) -> slopes (unit, target); of each target the leave-one-out R² and the penalty.

    The penalty is chosen for each target by its exact leave-one-out error, residual / (1 − leverage).
    """
    x, y = present - present.mean(0), values - values.mean(0)
    left, sizes, right = np.linalg.svd(x, full_matrices=False)
    scale = float((sizes**2).mean()) or 1.0
    total = (y**2).sum(0)
    best: list[tuple[float, NDArray[np.float64], float]] = []
    for target, column in enumerate(y.T):
        fits = []
        for penalty in _PENALTIES * scale:
            shrink = sizes**2 / (sizes**2 + penalty)
            # The intercept is fitted too: it adds 1 / n to every leverage.
            leverage = (left**2) @ shrink + 1 / len(x)
            error = float((((column - left @ (shrink * (left.T @ column))) / (1 - leverage)) ** 2).sum())
            weights = sizes / (sizes**2 + penalty)
            fits.append((error, right.T @ (weights * (left.T @ column)), penalty))
        error, slopes, penalty = min(fits, key=lambda fit: fit[0])
        best.append((1 - error / total[target] if total[target] > 0 else 1.0, slopes, penalty))
    shares, slopes_of, penalties = zip(*best, strict=True)
    return np.stack(slopes_of, 1), np.array(shares), np.array(penalties)
