"""What the perturbation methods share: the target's value on the text without some of its units."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.methods.request import Question
from attnscope.models.perturbation.without_tokens import default_way, without


def players(question: Question) -> list[int]:
    """The units that can be taken away: all but those that the target itself stands on. Raises InputError if none can.

    A masked word, or the token whose label is asked for, stays: without it there is nothing to ask.
    """
    fixed = set(question.objective.fixed)
    found = [i for i, unit in enumerate(question.units) if not fixed & set(unit.tokens)]
    if not found:
        raise InputError("the target stands on every unit of the text, so none can be taken away: choose smaller units")
    return found


def tokens_of(question: Question, units: Sequence[int]) -> frozenset[int]:
    """The tokens of these units."""
    return frozenset(token for unit in units for token in question.units[unit].tokens)


def values_without(question: Question, taken: Sequence[frozenset[int]], way: str) -> NDArray[np.float64]:
    """(set, target): the target's values without the units of each set; a set that comes twice is computed once."""
    distinct = list(dict.fromkeys(taken))
    place = {units: i for i, units in enumerate(distinct)}
    tokens = [tokens_of(question, sorted(units)) for units in distinct]
    values = without(question.model, question.objective, tokens, way).numpy()
    found: NDArray[np.float64] = values[[place[units] for units in taken]]
    return found


def way_of(question: Question, way: str | None) -> str:
    """How words are overwritten: as asked, else by the mask token or the mean embedding."""
    return default_way(question.model) if way is None else way
