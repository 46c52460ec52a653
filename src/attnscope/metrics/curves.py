"""Deletion and insertion curves: the label's probability while words go, or come in, the strongest first."""

from collections.abc import Callable, Generator

import numpy as np
from numpy.typing import NDArray

from attnscope.metrics.bins import path
from attnscope.metrics.question import Case, Question, Without

Curve = Generator[Question, NDArray[np.float64], NDArray[np.float64]]


def deletion(case: Case) -> Curve:
    """p(y) without the 0, 1, …, n strongest words: (n + 1,). The most relevant go first (MoRF)."""
    return np.exp((yield Without(path(case))))


def insertion(case: Case) -> Curve:
    """p(y) with only the 0, 1, …, n strongest words: (n + 1,). Read backwards the least relevant go first (LeRF)."""
    return np.exp((yield Without(tuple(case.all - gone for gone in path(case)))))


CURVES: dict[str, Callable[[Case], Curve]] = {"deletion": deletion, "insertion": insertion}


def area(curve: NDArray[np.float64]) -> float:
    """The area under a curve whose ends are at 0 and 1, by trapezoids.

    >>> area(np.array([1.0, 0.0, 0.0]))
    0.25
    """
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))
