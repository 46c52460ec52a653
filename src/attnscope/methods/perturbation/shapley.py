"""Shapley values of words or segments: a word's part in the target, averaged over the orders in which words come in."""

from collections.abc import Sequence
from typing import Literal, Unpack

import numpy as np

from attnscope.errors import InputError
from attnscope.methods.perturbation.common import players, values_without, way_of
from attnscope.methods.request import Asking, Result, answers, questions
from attnscope.models.loading.load import Model
from attnscope.results.base import Measured


def shapley(
    model: Model,
    text: str | Sequence[str],
    *,
    pairs: int = 8,
    seed: int = 0,
    way: Literal["mask", "pad", "zero", "mean", "delete"] | None = None,
    **asking: Unpack[Asking],
) -> Result | list[Result]:
    """Shapley values by permutation sampling with antithetic pairs (Castro 2009; Mitchell et al., arXiv:2104.12199).

    score(w) = mean over sampled orders of F(those before w, and w) − F(those before w), where words that are not there
    are taken away as `way` says. Every order comes with its reverse. Signed, in F's own unit: the scores add up to
    F(x) − F(nothing) for any number of samples. `standard_error` is that of the mean over the pairs, of each
    unit, the largest over the targets.

    pairs: how many orders, each with its reverse: 2 · pairs · units forward passes, less what comes twice.
    seed:  of the orders.
    way:   as in `occlusion`, or "delete"; not for the loss of the text itself, which changes with what is left.

    A unit that the target stands on is always there and scores 0. It misleads by texts that nobody writes: most of them
    have half of their words missing. Raises what `occlusion` raises.
    """
    if type(pairs) is not int or pairs < 2:
        raise InputError(f"pairs={pairs!r}: give 2 or more, or there is no standard error")
    results = []
    for question in questions(model, text, asking, "shapley", lambda units: 2 * pairs * units):
        used = checked_way(question.objective.readings[0].own, way_of(question, way))
        able = players(question)
        generator = np.random.default_rng(seed)
        orders = [generator.permutation(able).tolist() for _ in range(pairs)]
        orders = [order for one in orders for order in (one, one[::-1])]
        # Of each order, what is still missing after 0, 1, … units have come in.
        missing = [frozenset(order[i:]) for order in orders for i in range(len(able) + 1)]
        values = values_without(question, [*missing, frozenset()], used)
        steps = values[:-1].reshape(len(orders), len(able) + 1, -1)
        gains = np.zeros((pairs, steps.shape[2], len(question.units)))
        for number, (order, path) in enumerate(zip(orders, np.diff(steps, axis=1), strict=True)):
            gains[number // 2][:, order] += path.T / 2
        units = gains.mean(0)
        error = gains.std(0, ddof=1) / np.sqrt(pairs)
        results.append(
            question.answer(
                "shapley",
                tokens=question.spread(units),
                units=units,
                values=values[-1].tolist(),
                family="perturbation",
                options={"pairs": pairs, "seed": seed, "way": used},
                measured=Measured(standard_error=tuple(error.max(0).tolist())),
                signed=True,
            )
        )
    return answers(text, results)


def checked_way(own: bool, way: str) -> str:
    """Raises InputError for deletion where the target is the text's own loss: coalitions would not be comparable."""
    if own and way == "delete":
        raise InputError(
            "way='delete' changes what the loss of the text is taken over, so that its parts do not add up: give a "
            "target, or another way"
        )
    return way
