"""Normalised AOPC: where a method's AOPC stands between the worst and the best order of the words."""

import numpy as np

from attnscope.metrics.bins import changes, path
from attnscope.metrics.question import UNDEFINED, Asking, Case, Set

BEAM = 3


def normalised_aopc(case: Case) -> Asking:
    """(AOPC − low) / (high − low), with the lowest and highest AOPC of any order of the words; higher is better.

    0 to 1 where the bounds are exact. They come from a beam search that keeps the 3 best sets of each size (Edin et al.
    2024, arXiv:2408.08137), which is exact up to three words; a method that finds a better order than the search
    exceeds 1. Not defined where no order changes anything. It costs about 3 · n² texts of n words, shared by all
    methods.
    """
    mine = float((yield from changes(path(case))).mean())
    high = yield from _search(len(case.scores), 1)
    low = yield from _search(len(case.scores), -1)
    return (mine - low) / (high - low) if high > low else UNDEFINED


def _search(words: int, sign: int) -> Asking:
    """The AOPC of the order that raises (sign 1) or lowers (-1) it most, as far as the beam sees."""
    beam: dict[Set, float] = {frozenset(): 0.0}
    for _ in range(words):
        # Of the ways to one set, the best: what comes after depends on the set alone.
        reached: dict[Set, float] = {}
        for before, total in beam.items():
            for word in range(words):
                if word not in before:
                    after = before | {word}
                    reached[after] = max(reached.get(after, -np.inf), total)
        sets = sorted(reached, key=sorted)
        fallen = yield from changes(tuple(sets))
        totals = {one: reached[one] + sign * float(fall) for one, fall in zip(sets, fallen, strict=True)}
        beam = dict(sorted(totals.items(), key=lambda item: -item[1])[:BEAM])
    return sign * max(beam.values()) / (words + 1)
