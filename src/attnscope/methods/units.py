"""The pieces of a text that get a score: words, tokens, characters, sentences, or segments with names."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.models.inputs.encode import Encoded
from attnscope.results.attribution import Word
from attnscope.text import segments as pieces
from attnscope.text.words import WordSpan, graphemes, tokens_as_words, words_of

UNITS = ("word", "token", "character", "sentence", "segment")
Segments = Mapping[str, Sequence[int]] | str | None


@dataclass(frozen=True)
class Units:
    """The scored pieces of one text.

    unit:   one of UNITS.
    spans:  the pieces, in order, each with its tokens. names: the segments' names; empty for other units.
    within: the part of the text that they were chosen from; None for the whole text.
    tokens: how many tokens the text has.
    """

    unit: str
    spans: tuple[WordSpan, ...]
    names: tuple[str, ...]
    within: pieces.Span | None
    tokens: int

    def __len__(self) -> int:
        return len(self.spans)

    @property
    def chosen_tokens(self) -> frozenset[int] | None:
        """The tokens of the pieces where segments or `within` chose them; None where all of the text is scored."""
        if self.within is None and not self.names:
            return None
        return frozenset(token for span in self.spans for token in span.tokens)

    def pooled(self, tokens: NDArray[Any]) -> NDArray[np.float64]:
        """(…, token) -> (…, unit): the sum over each unit's tokens."""
        columns = [tokens[..., list(span.tokens)].sum(-1) for span in self.spans]
        return np.stack(columns, -1).astype(np.float64)

    def spread(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        """(…, unit) -> (…, token): each token gets an equal share of its unit; a token outside all units gets 0."""
        tokens = np.zeros((*scores.shape[:-1], self.tokens))
        for i, span in enumerate(self.spans):
            tokens[..., list(span.tokens)] = scores[..., i, None] / len(span.tokens)
        return tokens


@dataclass(frozen=True)
class Words:
    """The pieces of a result: the units, but joined words taken apart into the text's own, and tokens into characters.

    spans:  (start, end) of each, in order. shared: the runs of pieces, (first, last + 1), that nothing tells apart.
    """

    spans: tuple[pieces.Span, ...]
    shared: tuple[pieces.Span, ...]
    # Each word's unit, and the share of each token of the unit that lies in the word; None for a whole unit.
    _shares: tuple[tuple[int, NDArray[np.float64] | None], ...]
    _units: Units

    def scores(self, units: NDArray[Any], tokens: NDArray[Any]) -> NDArray[np.float64]:
        """(…, unit), (…, token) -> (…, word): a token's score is spread evenly over the characters of its words."""
        columns = [
            units[..., unit] if shares is None else tokens[..., list(self._units.spans[unit].tokens)] @ shares
            for unit, shares in self._shares
        ]
        return np.stack(columns, -1).astype(np.float64)


def words_in(encoded: Encoded, units: Units) -> Words:
    """The words of a result on these units."""
    if units.unit == "word":
        taken_apart = words_of(encoded.text, units.spans)
    elif units.unit == "character":
        taken_apart = _characters_of(encoded.text, units.spans)
    else:
        taken_apart = [[(span.start, span.end)] for span in units.spans]
    spans: list[pieces.Span] = []
    shares: list[tuple[int, NDArray[np.float64] | None]] = []
    shared: list[pieces.Span] = []
    for i, parts in enumerate(taken_apart):
        if len(parts) == 1:
            spans += parts
            shares.append((i, None))
            continue
        shared.append((len(spans), len(spans) + len(parts)))
        spans += parts
        shares += [(i, column) for column in _overlap(encoded, units.spans[i], parts).T]
    return Words(tuple(spans), tuple(shared), tuple(shares), units)


def _characters_of(text: str, units: Sequence[WordSpan]) -> list[list[pieces.Span]]:
    """What a reader sees as characters in each unit, without white space where there is anything else."""
    characters = list(pairwise(graphemes(text)))
    starts = [start for start, _ in characters]
    parts = []
    for unit in units:
        inside = characters[bisect_left(starts, unit.start) : bisect_left(starts, unit.end)]
        # A character of several code points may be cut into tokens: each draws what it covers.
        cut = [(start, min(end, unit.end)) for start, end in inside if not text[start:end].isspace()]
        parts.append(cut or [(unit.start, unit.end)])
    return parts


def _overlap(encoded: Encoded, unit: WordSpan, parts: Sequence[pieces.Span]) -> NDArray[np.float64]:
    """(token of the unit, part) The share of a token's characters that lie in each part; rows sum to 1."""
    places = [(encoded.tokens[token].start, encoded.tokens[token].end) for token in unit.tokens]
    rows = [[max(0, min(end, b) - max(start, a)) for a, b in parts] for start, end in places]
    lengths = [b - a for a, b in parts]
    characters = np.array([row if any(row) else lengths for row in rows], dtype=np.float64)
    shares: NDArray[np.float64] = characters / characters.sum(1, keepdims=True)
    return shares


def units_of(
    encoded: Encoded,
    unit: str | None = None,
    segments: Segments = None,
    within: str | Sequence[int] | Word | None = None,
) -> Units:
    """The units of a text. Raises InputError for a unit, a segment or a part that the text does not have."""
    if unit is not None and unit not in UNITS:
        raise InputError(f"unit={unit!r}: choose from {', '.join(UNITS)}")
    if not encoded.words:
        # The text itself has words, or it would have been refused as empty: they are the target, or stand behind it.
        raise InputError(
            "no word stands before what is explained, so there is nothing to score: give a prompt with words, or a "
            "later part of the reply as target"
        )
    chosen = unit or "word"
    if segments is not None and within is None:
        if unit not in (None, "segment"):
            raise InputError(
                f"segments were given and unit={unit!r}: segments are scored with unit='segment', and what is inside "
                "one of them with within='its name'"
            )
        chosen = "segment"
    if isinstance(within, str) and segments is None and chosen != "segment":
        segments = "paragraphs"
    part = None if within is None else _part(encoded, within, segments)
    spans, names = _spans(encoded, chosen, segments, part)
    if not spans and part is not None:
        raise InputError(f"no unit begins within {part[0]}:{part[1]} of the text: give a larger part or smaller units")
    return Units(chosen, spans, names, part, len(encoded.tokens))


def _spans(
    encoded: Encoded, unit: str, segments: Segments, part: pieces.Span | None
) -> tuple[tuple[WordSpan, ...], tuple[str, ...]]:
    """The units and their names. The part is cut out first: a sentence that begins before it has its words there."""
    if unit in ("token", "character"):
        return _inside(tokens_as_words(encoded.tokens), part), ()
    words = _inside(encoded.words, part)
    if unit == "word":
        return words, ()
    if unit == "sentence":
        return pieces.gathered(pieces.sentences(encoded.text), words), ()
    named = _named(encoded, segments)
    if empty := [name for name, span in named.items() if not pieces.gathered([span], encoded.words)]:
        raise InputError(f"the segment {empty[0]!r} has no words: give a piece of the text with words")
    gathered = {name: spans for name, span in named.items() if (spans := pieces.gathered([span], words))}
    return tuple(spans[0] for spans in gathered.values()), tuple(gathered)


def _inside(spans: Sequence[WordSpan], part: pieces.Span | None) -> tuple[WordSpan, ...]:
    """Those that begin in the part; all where there is none."""
    return tuple(span for span in spans if part is None or part[0] <= span.start < part[1])


def _named(encoded: Encoded, segments: Segments) -> dict[str, pieces.Span]:
    if isinstance(segments, str) and segments not in ("paragraphs", "turns"):
        raise InputError(f"segments={segments!r}: give 'paragraphs', 'turns' or {{name: (start, end)}}")
    if segments == "turns":
        return dict(encoded.turns) or pieces.turns(encoded.text, encoded.tokens)
    if segments is None or isinstance(segments, str):
        return {f"paragraph {i + 1}": span for i, span in enumerate(pieces.paragraphs(encoded.text))}
    return pieces.checked(encoded.text, segments)


def _part(encoded: Encoded, within: str | Sequence[int] | Word, segments: Segments) -> pieces.Span:
    """Where `within` lies. Raises InputError for a part that the text does not have."""
    if isinstance(within, str):
        named = _named(encoded, segments)
        if within not in named:
            raise InputError(f"within={within!r}: the text's segments are {', '.join(map(repr, named))}")
        return named[within]
    span = (within.start, within.end) if isinstance(within, Word) else within
    (checked,) = pieces.checked(encoded.text, {"within": span}).values()
    if isinstance(within, Word) and encoded.text[checked[0] : checked[1]] != within.text:
        raise InputError(f"within is the word {within.text!r} of another text: give one of a result on this text")
    return checked
