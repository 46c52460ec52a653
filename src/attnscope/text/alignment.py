"""Align the words of two texts. Pure text, no model.

The problems this file solves:

- A word with a typo is paired with its original, even if words were inserted or deleted around it.
- A word that was replaced by a very different one is paired with it; a word without a counterpart is paired with a gap.
- Texts of thousands of words: equal stretches are found first, and only what lies between is aligned word by word.

This is a minimum-cost alignment (Needleman and Wunsch 1970). Equal words cost nothing; other pairs cost a quarter plus
three quarters of their dissimilarity. A gap costs more than half of the most a pair can cost, so a lost word is paired
with an unrelated word rather than with a gap, while a pair of equal words is worth a gap on either side.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import pairwise
from typing import Literal

Kind = Literal["same", "changed", "replaced", "inserted", "deleted"]

# Integers, so that the traceback finds exactly the costs that were added.
_GAP = 600
# Above this similarity, two words count as the same word, changed.
_ALIKE = 0.5
# The most word pairs to align directly; above it, equal stretches are found first.
_MOST = 40_000


@dataclass(frozen=True, slots=True)
class Opposite:
    """A pair of words, by index; None is a gap."""

    left: int | None
    right: int | None
    kind: Kind


def align_words(left: Sequence[str], right: Sequence[str]) -> list[Opposite]:
    """Pair the words of both texts, in order, each exactly once.

    kind: "same"; "changed" (at least half alike, or different case); "replaced"; "inserted" (right only) or "deleted".

    >>> [(o.left, o.right, o.kind) for o in align_words("is it good".split(), "iis it very godo".split())]
    [(0, 0, 'changed'), (1, 1, 'same'), (None, 2, 'inserted'), (2, 3, 'changed')]
    """
    found: list[tuple[int | None, int | None]] = []
    for low, high, start, end in _stretches(left, right):
        found += _weighed(left, right, range(low, high), range(start, end))
    return [Opposite(i, j, _kind(left, right, i, j)) for i, j in found]


def cost_of(one: str, other: str) -> int:
    """The cost of pairing two words, 0 to 1000.

    >>> cost_of("film", "film"), cost_of("ab", "xy")
    (0, 1000)
    """
    return 0 if one == other else 250 + round(750 * (1 - similarity(one, other)))


def similarity(one: str, other: str) -> float:
    """How similar two words are, 0 to 1: twice the letters they share in common stretches, over all letters.

    Words that differ only in case are 0.99 similar.

    >>> similarity("sentence", "sentnece"), similarity("a", "A"), similarity("film", "movie")
    (0.875, 0.99, 0.2222222222222222)
    """
    if one == other:
        return 1.0
    return min(0.99, _ratio(one.casefold(), other.casefold()))


@lru_cache(maxsize=100_000)
def _ratio(one: str, other: str) -> float:
    # The comparison is quadratic: the first 200 letters are enough.
    return SequenceMatcher(None, one[:200], other[:200], autojunk=False).ratio()


def _stretches(left: Sequence[str], right: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Matching stretches of both texts that are equal or small enough to align directly."""
    if len(left) * len(right) <= _MOST:
        yield 0, len(left), 0, len(right)
        return
    for tag, low, high, start, end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            for i, j in zip(range(low, high), range(start, end), strict=True):
                yield i, i + 1, j, j + 1
        else:
            # Cut a stretch that is too large into the same number of pieces on both sides.
            pieces = max(1, -(-((high - low) * (end - start)) // _MOST))
            cuts = [(low + (high - low) * k // pieces, start + (end - start) * k // pieces) for k in range(pieces + 1)]
            for (a, c), (b, d) in pairwise(cuts):
                yield a, b, c, d


def _weighed(
    left: Sequence[str], right: Sequence[str], rows: range, columns: range
) -> list[tuple[int | None, int | None]]:
    """The minimum-cost alignment of two stretches."""
    # cost[i][j]: aligning the first i words on the left with the first j on the right.
    cost = [[j * _GAP for j in range(len(columns) + 1)]]
    for i, row in enumerate(rows):
        line = [(i + 1) * _GAP]
        above = cost[-1]
        for j, column in enumerate(columns):
            opposite = above[j] + cost_of(left[row], right[column])
            line.append(min(opposite, above[j + 1] + _GAP, line[j] + _GAP))
        cost.append(line)
    found: list[tuple[int | None, int | None]] = []
    i, j = len(rows), len(columns)
    while i or j:
        here = cost[i][j]
        if i and j and here == cost[i - 1][j - 1] + cost_of(left[rows[i - 1]], right[columns[j - 1]]):
            i, j = i - 1, j - 1
            found.append((rows[i], columns[j]))
        elif j and here == cost[i][j - 1] + _GAP:
            j -= 1
            found.append((None, columns[j]))
        else:
            i -= 1
            found.append((rows[i], None))
    return found[::-1]


def _kind(left: Sequence[str], right: Sequence[str], i: int | None, j: int | None) -> Kind:
    if i is None:
        return "inserted"
    if j is None:
        return "deleted"
    if left[i] == right[j]:
        return "same"
    return "changed" if similarity(left[i], right[j]) >= _ALIKE else "replaced"
