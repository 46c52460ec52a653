"""Leave-one-out: what each statement loses without a source, and without the parts of those that count."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attnscope.results.citation.citation import LEVELS, cited_among
from attnscope.studies.citation.setup import Part, Setup, parts_of

# A source is opened where a statement loses at least this much without it, in nats.
_OPENED = 0.1


def effects_of(setup: Setup, parts: Sequence[Part]) -> NDArray[np.float64]:
    """(statement, part) What each statement's log-probability loses without each part."""
    whole, *without = setup.values_without([frozenset(), *(part.tokens for part in parts)])
    effects: NDArray[np.float64] = (whole - np.array(without).reshape(-1, len(whole))).T
    return effects


def opened(setup: Setup, scores: NDArray[np.float64], depth: str) -> tuple[list[Part], NDArray[np.float64]]:
    """The sources and the parts of those in which something was found, level by level down to `depth`; and the effects
    of these parts, (statement, part).

    scores: (statement, source). A source is opened where it is cited for a statement and the statement loses 0.1 nats
    or more without it: what matters to no statement as a whole is not looked into. So two sentences that say the same
    can hide each other, as two sources can.
    """
    found, level, above = list(setup.parts), list(range(len(setup.parts))), scores
    effects = np.zeros((len(scores), 0))
    for _ in range(LEVELS.index(depth)):
        chosen = sorted(
            {level[i] for row in above for i in cited_among(row, list(range(len(level)))) if row[i] >= _OPENED}
        )
        below = [part for index in chosen for part in parts_of(setup, found[index], index)]
        if not below:
            break
        level = list(range(len(found), len(found) + len(below)))
        found += below
        above = effects_of(setup, below)
        effects = np.concatenate([effects, above], 1)
    setup.options["opened"] = len({part.source.parent for part in found if part.source.parent is not None})
    return found, effects
