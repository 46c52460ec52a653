"""Shapley values of words or segments: a word's contribution to the target, averaged over orders of adding words."""

from typing import Literal

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import compared_with
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Measured


def shapley(
    task: Task,
    *,
    pairs: int = 8,
    seed: int = 0,
    replacement: Literal["mask", "pad", "zero", "mean", "delete"] | None = None,
) -> Scores:
    """Shapley values by permutation sampling with antithetic pairs (Castro 2009; Mitchell et al., arXiv:2104.12199).

    score(w) = mean over sampled orders of F(those before w, and w) − F(those before w), where the other words are
    removed as `replacement` says. Every order is used with its reverse. Signed, in F's own unit: the scores add up to
    F(x) − F(nothing) for any number of samples. `standard_error` is the standard error of each unit's mean over the
    pairs, the largest over the targets.

    pairs: how many orders, each with its reverse: 2 · pairs · units forward passes, less duplicates.
    seed:  of the orders.
    replacement: as in `occlusion`, or "delete"; "delete" is refused for the loss of the text, which is over the tokens
           that are left.

    A unit that the target is read from is always present and scores 0. It misleads because nobody writes such texts:
    most of them have half of their words missing. Raises what `occlusion` raises.
    """
    if type(pairs) is not int or pairs < 2:
        raise InputError(f"pairs={pairs!r}: give 2 or more, or there is no standard error")
    used = compared_with(task, replacement)
    removable = task.removable
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(removable).tolist() for _ in range(pairs)]
    orders = [order for drawn in orders for order in (drawn, drawn[::-1])]
    # The units that are still missing after 0, 1, … units of each order have been added.
    missing = [frozenset(order[i:]) for order in orders for i in range(len(removable) + 1)]
    values = task.values_without([*missing, frozenset()], used)
    steps = values[:-1].reshape(len(orders), len(removable) + 1, -1)
    gains = np.zeros((pairs, steps.shape[2], len(task.units)))
    for i, (order, differences) in enumerate(zip(orders, np.diff(steps, axis=1), strict=True)):
        gains[i // 2][:, order] += differences.T / 2
    error = gains.std(0, ddof=1) / np.sqrt(pairs)
    return Scores(
        units=gains.mean(0),
        values=values[-1],
        options={"replacement": used},
        measured=Measured(standard_error=tuple(error.max(0).tolist())),
    )
