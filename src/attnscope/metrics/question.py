"""What a metric sees of one method's explanation of one text, and what it may ask: plain numbers, no model.

A metric is a function of a Case. One that needs the model is a generator: it yields questions and gets numbers back, so
that the questions of all metrics and all methods about one text are answered together, in one set of batches, and what
is asked twice is computed once.

    def sufficiency_of_the_best_word(case):
        whole, alone = yield Without((frozenset(), frozenset(case.order[1:])))
        return whole - alone
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Set = frozenset[int]


@dataclass(frozen=True)
class Without:
    """The text without the words of each set: the log-probability of the explained label, (set,)."""

    sets: tuple[Set, ...]


@dataclass(frozen=True)
class Explained:
    """The same sets, and the quantity that the methods explain: log-probability, or its difference of two labels."""

    sets: tuple[Set, ...]


@dataclass(frozen=True)
class Softened:
    """The text with each number of a word's embedding kept with a probability: the label's log-probability, (sample,).

    keep: of each word, 0 to 1.
    """

    keep: tuple[float, ...]
    samples: int
    seed: int


@dataclass(frozen=True)
class Again:
    """The same method's scores (word,) on another model.

    model: "nearby", whose embeddings are moved a little, by at most `radius` of their length; or "randomised", whose
           weights are shuffled.
    """

    model: Literal["nearby", "randomised"]
    seed: int = 0
    radius: float = 0.0


Question = Without | Explained | Softened | Again
Asking = Generator[Question, NDArray[np.float64], float]


@dataclass(frozen=True)
class Case:
    """One explanation of one text.

    scores: of the words that can be taken away, (word,).
    signed: whether negative scores speak against the explained label.
    human:  how important people find each word, (word,), 0 and more; None where nobody was asked.
    """

    scores: NDArray[np.float64]
    signed: bool
    human: NDArray[np.float64] | None = None

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The words, those that speak most for the label first; equal scores in the order of the text."""
        return tuple(int(i) for i in np.argsort(-self.scores, kind="stable"))

    @property
    def all(self) -> Set:
        """Every word that can be taken away."""
        return frozenset(range(len(self.scores)))


UNDEFINED = float("nan")
