"""The source that a statement loses most without, by halving: groups of sources are left out, and the one that costs
most is opened."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attnscope.results.citation.citation import LEAST_GAIN
from attnscope.studies.citation.deletion import effects_of
from attnscope.studies.citation.setup import Setup

Floats = NDArray[np.float64]
# One half decides alone where it has this share of the group's loss, or leaves this share to the other.
SURE = 0.65


@dataclass
class _Group:
    """Where the search of one statement stands: in the sources from `start` to `end`, which together cost `loss`."""

    statement: int
    start: int
    end: int
    loss: float

    @property
    def halves(self) -> tuple[range, range]:
        middle = (self.start + self.end + 1) // 2
        return range(self.start, middle), range(middle, self.end)

    def decided_by(self, second: float) -> bool:
        """Whether the loss of the second half says which half costs more."""
        return self.loss > 0 and (second >= SURE * self.loss or second <= (1 - SURE) * self.loss)


def halves(setup: Setup) -> tuple[Floats, Floats]:
    """(statement, source) scores and effects; effects that were not measured are NaN.

    Of a group of sources the second half is left out, and where that costs neither most nor little of what the group
    costs, the first half too. The search goes on in the half that costs more, down to one source, which is left out
    alone. A source that was left out alone has its exact effect as its score. Every other has an equal share of what
    the largest group that was not opened costs: measured, or the rest of what the half beside it leaves.

    About log₂ n + 2 passes a statement for n sources, fewer where statements ask alike. A statement that all sources
    make less than twice as likely is cited to none, and is not searched. What is found is the source that plain
    deletion finds where one costs most by far, and need not be where several cost alike or matter only together.
    """
    everything = range(len(setup.parts))
    whole, without = setup.values_without([frozenset(), setup.tokens(everything)])
    scores = np.repeat((whole - without)[:, None] / len(everything), len(everything), 1)
    # What all sources cost together says little of any half, since without them the prompt is another: both halves are
    # measured at first.
    groups = [_Group(int(k), 0, len(everything), np.nan) for k in np.flatnonzero(whole - without >= LEAST_GAIN)]
    while active := [group for group in groups if group.end - group.start > 1]:
        seconds = _losses(setup, active, 1)
        unsure = [group for group, second in zip(active, seconds, strict=True) if not group.decided_by(second)]
        firsts = {group.statement: loss for group, loss in zip(unsure, _losses(setup, unsure, 0), strict=True)}
        for group, second in zip(active, seconds, strict=True):
            losses = firsts.get(group.statement, group.loss - second), second
            for half, loss in zip(group.halves, losses, strict=True):
                scores[group.statement, half] = loss / len(half)
            chosen = group.halves[int(second > losses[0])]
            group.start, group.end, group.loss = chosen.start, chosen.stop, max(losses)
    found = sorted({group.start for group in groups})
    effects_of(setup, [setup.parts[i] for i in found])
    alone = [i for i in everything if setup.parts[i].tokens in setup.asked]
    effects = np.full(scores.shape, np.nan)
    effects[:, alone] = effects_of(setup, [setup.parts[i] for i in alone])
    return np.where(np.isnan(effects), scores, effects), effects


def _losses(setup: Setup, groups: Sequence[_Group], half: int) -> list[float]:
    """What each group's statement loses without its first (0) or second half (1)."""
    if not groups:
        return []
    whole, *values = setup.values_without([frozenset(), *(setup.tokens(group.halves[half]) for group in groups)])
    return [float(whole[group.statement] - value[group.statement]) for group, value in zip(groups, values, strict=True)]
