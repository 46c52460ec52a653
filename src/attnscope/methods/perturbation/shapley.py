"""Shapley values of words or segments: a word's part in the target, averaged over the orders in which words come in."""

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

    score(w) = mean over sampled orders of F(those before w, and w) − F(those before w), where words that are not there
    are taken away as `replacement` says. Every order comes with its reverse. Signed, in F's own unit: the scores add up
    to F(x) − F(nothing) for any number of samples. `standard_error` is that of the mean over the pairs, of each unit,
    the largest over the targets.

    pairs: how many orders, each with its reverse: 2 · pairs · units forward passes, less what comes twice.
    seed:  of the orders.
    replacement: as in `occlusion`, or "delete"; not for the loss of the text itself, which changes with what is left.

    A unit that the target stands on is always there and scores 0. It misleads by texts that nobody writes: most of them
    have half of their words missing. Raises what `occlusion` raises.
    """
    if type(pairs) is not int or pairs < 2:
        raise InputError(f"pairs={pairs!r}: give 2 or more, or there is no standard error")
    used = compared_with(task, replacement)
    removable = task.removable
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(removable).tolist() for _ in range(pairs)]
    orders = [order for drawn in orders for order in (drawn, drawn[::-1])]
    # Of each order, what is still missing after 0, 1, … units have come in.
    missing = [frozenset(order[i:]) for order in orders for i in range(len(removable) + 1)]
    values = task.values_without([*missing, frozenset()], used)
    steps = values[:-1].reshape(len(orders), len(removable) + 1, -1)
    gains = np.zeros((pairs, steps.shape[2], len(task.units)))
    for number, (order, path) in enumerate(zip(orders, np.diff(steps, axis=1), strict=True)):
        gains[number // 2][:, order] += path.T / 2
    error = gains.std(0, ddof=1) / np.sqrt(pairs)
    return Scores(
        units=gains.mean(0),
        values=values[-1],
        options={"replacement": used},
        measured=Measured(standard_error=tuple(error.max(0).tolist())),
    )
