"""Integrated gradients: each word's part in how the target changes from a baseline to the text."""

import logging
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.task import Scores, Task
from attnscope.models.gradients.path import Path
from attnscope.results.base import Measured

_log = logging.getLogger(__name__)
# With a tolerance, steps are not doubled beyond this.
MOST_STEPS = 1280


def integrated_gradients(
    task: Task,
    *,
    baseline: Literal["zero", "mean", "mask", "pad"] | str | None = None,
    steps: int = 20,
    rule: Literal["gauss-legendre", "riemann"] = "gauss-legendre",
    tolerance: float | None = None,
) -> Scores:
    """The gradient's path integral from a baseline to the text (Sundararajan et al. 2017, arXiv:1703.01365).

    score(token i) = (e_i − b) · ∫₀¹ ∂F/∂e_i (b + α(e − b)) dα, signed, in F's own unit (nats for log-probabilities and
    losses): positive words raise F. The scores add up to F(text) − F(baseline) (completeness); `completeness_error` is
    by how much they miss it, in F's unit, the largest over the targets. A unit is the sum of its tokens.

    baseline:  where a token's embedding starts: "zero", the "mean" of the vocabulary, the embedding of the "mask" or
               "pad" token, or of a token of yours, as in "token: the". By default the mask token where the tokenizer
               has one, else zeros, which do no worse than the mean (docs/faithfulness.md). Special tokens, a chat
               template and a continuation that is not scored stay as they are; with `segments` or `within` so does
               everything outside the scored units, and F(baseline) is the value with only those units at the baseline.
    steps:     the number of points on the path.
    rule:      where the points lie: "gauss-legendre", or the midpoints of equal parts ("riemann").
    tolerance: double the steps until the completeness error is at most this share of |F(text) − F(baseline)|; at 1,280
               steps it gives up and logs a warning.

    It misleads through its baseline: what equals the baseline scores zero. Completeness says that the sum is right, and
    nothing of the single scores. On some models the path is so rough that more steps do not bring the sum there either
    (an RMSNorm jumps at zero).

    Raises what `gradient` raises.
    """
    if type(steps) is not int or steps < 1 or rule not in ("gauss-legendre", "riemann"):
        raise InputError(f"steps={steps!r}, rule={rule!r}: steps is 1 or more, rule 'gauss-legendre' or 'riemann'")
    if tolerance is not None and not tolerance > 0:
        raise InputError(f"tolerance={tolerance!r}: give a share above 0, such as 0.01")
    baseline = task.default_baseline() if baseline is None else baseline
    paths = task.paths(task.baseline(baseline))
    nothing = torch.zeros(1, dtype=torch.float64)
    ends = sum((path.values([1.0, 0.0]) for path in paths), nothing)
    change = (ends[0] - ends[1]).numpy()  # (target,)
    used = steps
    while True:
        tokens = sum((_integral(path, used, rule) for path in paths), nothing).numpy()
        error = np.abs(tokens.sum(1) - change)
        if tolerance is None or (error <= tolerance * np.abs(change)).all():
            break
        if used * 2 > MOST_STEPS:
            _log.warning(
                "integrated_gradients: %d steps miss completeness by %.2g, over the tolerance", used, error.max()
            )
            break
        used *= 2
    measured = Measured(
        completeness_error=float(error.max()),
        baseline_value=None if task.per_token else float(ends[1][0]),
        steps=used if tolerance is not None else None,
    )
    return Scores(tokens=tokens, values=ends[0], options={"baseline": baseline}, measured=measured)


def points(steps: int, rule: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The points and weights of a quadrature rule from 0 to 1."""
    if rule == "riemann":
        return (np.arange(steps) + 0.5) / steps, np.full(steps, 1 / steps)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def _integral(path: Path, steps: int, rule: str) -> Tensor:
    """(target, token): the scores along a path."""
    alphas, weights = points(steps, rule)
    total: Tensor | float = 0.0
    for index, vectors in path.gradients(alphas.tolist()):
        total = total + float(weights[index]) * vectors
    return (torch.as_tensor(total) * path.difference).sum(-1)
