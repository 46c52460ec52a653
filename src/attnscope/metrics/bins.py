"""The shares of a text that are taken away or left: bins of words, and paths word by word."""

import math
from collections.abc import Generator

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.question import Case, Question, Set, Without

# ERASER's (DeYoung et al. 2020): shares of the words.
BINS = (0.01, 0.05, 0.1, 0.2, 0.5)


def strongest(case: Case, share: float) -> Set:
    """The strongest words, as many as that share of the text, rounded up: at least one.

    >>> sorted(strongest(Case(np.array([0.1, 0.9, 0.5]), False), 0.5))
    [1, 2]
    """
    # Without the tolerance 0.1 of 30 words would be 4: 0.1 * 30 is a little over 3.
    return frozenset(case.order[: max(1, math.ceil(share * len(case.order) - 1e-9))])


def taken(case: Case) -> tuple[Set, ...]:
    """Of each bin the words that are taken away."""
    return tuple(strongest(case, share) for share in BINS)


def left(case: Case) -> tuple[Set, ...]:
    """Of each bin the words that are taken away so that the strongest are left."""
    return tuple(case.all - strongest(case, share) for share in BINS)


def path(case: Case) -> tuple[Set, ...]:
    """The text without its 0, 1, 2, … strongest words."""
    return tuple(frozenset(case.order[:count]) for count in range(len(case.order) + 1))


def changes(sets: tuple[Set, ...]) -> Generator[Question, NDArray[np.float64], NDArray[np.float64]]:
    """How far the label's probability falls without the words of each set: (set,)."""
    found = np.exp((yield Without((frozenset(), *sets))))
    fallen: NDArray[np.float64] = found[0] - found[1:]
    return fallen
