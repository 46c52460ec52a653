"""What a metric sees of an explanation, and what it may ask: plain numbers, no model.

A metric is a function of an Explanation. A metric that needs the model is a generator: it yields queries and is sent
numbers. So the queries of all metrics and all methods about a text are answered together, in the same batches, and
nothing is computed twice.

    def sufficiency_of_the_best_word(explanation):
        whole, alone = yield LogProbability((frozenset(), frozenset(explanation.order[1:])))
        return whole - alone
"""

from collections.abc import Generator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

# Words by their index among those that can be removed.
WordSet = frozenset[int]

# The value of a metric on a text for which it is not defined.
UNDEFINED = float("nan")


@dataclass(frozen=True)
class Explanation:
    """One method's explanation of one text.

    scores: the scores of the words that can be removed, (word,).
    signed: whether a negative score speaks against the explained label.
    human:  how important people find each word, (word,), 0 or more; None where nobody was asked.
    """

    scores: NDArray[np.float64]
    signed: bool
    human: NDArray[np.float64] | None = None

    @cached_property
    def order(self) -> tuple[int, ...]:
        """The words, the ones that speak most for the label first; equal scores in the order of the text."""
        return tuple(int(i) for i in np.argsort(-self.scores, kind="stable"))

    @property
    def all_words(self) -> WordSet:
        """Every word that can be removed."""
        return frozenset(range(len(self.scores)))


@dataclass(frozen=True)
class LogProbability:
    """The log-probability of the explained label on the text without the words of each set: (set,), in nats."""

    without: tuple[WordSet, ...]


@dataclass(frozen=True)
class TargetValue:
    """The quantity that the methods explain, on the text without the words of each set: (set,), in nats.

    It is the label's log-probability or, where there are two labels, its difference from the other label's.
    """

    without: tuple[WordSet, ...]


@dataclass(frozen=True)
class SoftenedLogProbability:
    """The label's log-probability on the text with softened words: (sample,), in nats.

    In each sample, every number of a word's embedding is kept with the word's probability in `keep`, else set to zero.
    """

    keep: tuple[float, ...]
    samples: int
    seed: int


@dataclass(frozen=True)
class ScoresOn:
    """The scores that the same method gives on an altered model: (word,).

    model: "nearby", with each embedding moved by `radius` of its length, or "randomised", with shuffled weights.
    """

    model: Literal["nearby", "randomised"]
    seed: int = 0
    radius: float = 0.0


Query = LogProbability | TargetValue | SoftenedLogProbability | ScoresOn
MetricGenerator = Generator[Query, NDArray[np.float64], float]
