"""Tokens → words, by character offsets alone: no torch, no transformers, nothing specific to a tokenizer.

The problems this file solves:

- A token is not a word, and each tokenizer family splits text differently. Words come from the text (Unicode's word
  boundaries, UAX #29), and tokens are matched to them by the characters they cover.
- One character may be several tokens (byte-level BPE on Japanese, emoji): tokens that share a character share a word.
- One token may cover several words (")." or 日本の): they are one unit for the model, since nothing tells them apart,
  and share its score. The same text has the same words under every tokenizer.
- Japanese, Chinese and Thai are written without spaces: `scripts` finds their words.

What it does not do: it never looks inside a word (no stems, no compounds). Khmer, Lao and Burmese, also written without
spaces, are split into syllables, which only tokens join.
"""

import difflib
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

import regex

from attnscope.errors import QueryError
from attnscope.text.scripts import words_without_spaces

_WORD_BOUNDARY = regex.compile(r"\b", regex.WORD | regex.V1)
_GRAPHEME = regex.compile(r"\X", regex.V1)
# What str.isspace() accepts: four separators more than \s.
_SPACES = regex.compile(r"[\s\x1c-\x1f]+")
# Finding a boundary between two regional indicators looks back to the start of their run, which is quadratic. A symbol
# with a variation selector has the same length and the same boundaries as the flag it replaces.
_FLAG = regex.compile(r"[\U0001F1E6-\U0001F1FF]{2}")
_FLAG_STAND_IN = "∎\ufe0f"


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """A token's place in the text: `text` is `source[start:end]`, or the token's own name if it has no place."""

    text: str
    start: int
    end: int
    special: bool


@dataclass(frozen=True, slots=True)
class WordSpan:
    """A word, `source[start:end]`, with the indices of its tokens."""

    start: int
    end: int
    tokens: tuple[int, ...]


class _Placed(Protocol):
    """A token with or without a score."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def special(self) -> bool: ...


def segment(text: str) -> list[tuple[int, int]]:
    """Split `text` into words: character spans in order, without white space.

    Punctuation marks are words of their own, and no grapheme (an emoji sequence, a flag, a letter with its accents)
    is ever split.

    >>> [("Don't stop, 熊!")[start:end] for start, end in segment("Don't stop, 熊!")]
    ["Don't", 'stop', ',', '熊', '!']
    """
    boundaries = {match.start() for match in _WORD_BOUNDARY.finditer(_FLAG.sub(_FLAG_STAND_IN, text))}
    # UAX #29 attaches invisible format characters to a space; the edges of the space are boundaries all the same.
    for space in _SPACES.finditer(text):
        boundaries.update(space.span())
    for start, end, cuts in words_without_spaces(text):
        boundaries.difference_update(range(start + 1, end))
        boundaries.update(cuts)
    cuts = sorted({0, *boundaries.intersection(graphemes(text)), len(text)})
    return [(start, end) for start, end in pairwise(cuts) if not text[start:end].isspace()]


def graphemes(text: str) -> list[int]:
    """Where each grapheme (what a reader sees as one character) begins, and where the text ends: [0, …, len(text)]."""
    return [match.start() for match in _GRAPHEME.finditer(_FLAG.sub(_FLAG_STAND_IN, text))] + [len(text)]


def group(text: str, tokens: Sequence[_Placed]) -> tuple[WordSpan, ...]:
    """Match tokens to the words of `text`: every non-special token that covers text belongs to exactly one word.

    Words of the text that a token connects become one unit (`words_of` takes them apart again). A token's span counts
    without the white space around it; tokens of white space alone are a unit for each stretch of white space. A word
    without tokens is dropped, so the result is what the model saw, in order and disjoint.

    >>> tokens = [TokenSpan("the", 0, 3, False), TokenSpan(" c", 3, 5, False), TokenSpan("at", 5, 7, False)]
    >>> [(word.start, word.end, word.tokens) for word in group("the cat", tokens)]
    [(0, 3, (0,)), (4, 7, (1, 2))]
    """
    nobody = -1
    spaces = [space.span() for space in _SPACES.finditer(text)]
    intervals = [(start, end, nobody) for start, end in segment(text)]
    for index, token in enumerate(tokens):
        if not token.special and token.start < token.end:
            intervals.append((*_core(text, token, spaces), index))
    intervals.sort()
    words: list[WordSpan] = []
    first, last, members = 0, 0, list[int]()

    def close() -> None:
        if members:
            words.append(WordSpan(first, last, tuple(sorted(members))))

    for start, end, index in intervals:
        if start < last:
            last = max(last, end)
        else:
            close()
            first, last, members = start, end, []
        if index != nobody:
            members.append(index)
    close()
    return tuple(words)


def words_of(text: str, units: Sequence[WordSpan]) -> list[list[tuple[int, int]]]:
    """The text's own words in each of these units of `group`, whatever the tokenizer: one, or those that it joined.

    >>> words_of("is it (true)?", [WordSpan(0, 2, (0,)), WordSpan(3, 11, (1, 2)), WordSpan(11, 13, (3,))])
    [[(0, 2)], [(3, 5), (6, 7), (7, 11)], [(11, 12), (12, 13)]]
    """
    words = segment(text)
    starts = [start for start, _ in words]
    parts = []
    for unit in units:
        inside = words[bisect_left(starts, unit.start) : bisect_left(starts, unit.end)]
        parts.append(inside or [(unit.start, unit.end)])
    return parts


def tokens_as_words(tokens: Sequence[_Placed]) -> tuple[WordSpan, ...]:
    """A word for each token that stands in the text and is not special.

    Tokens that share a character (a byte-level tokenizer splits "本" into bytes) cannot be drawn apart: they stay
    together.
    """
    words: list[WordSpan] = []
    for i, token in enumerate(tokens):
        if token.special or token.start == token.end:
            continue
        if words and token.start < words[-1].end:
            last = words.pop()
            words.append(WordSpan(last.start, max(last.end, token.end), (*last.tokens, i)))
        else:
            words.append(WordSpan(token.start, token.end, (i,)))
    return tuple(words)


def find_words(text: str, words: Sequence[WordSpan], query: str) -> tuple[int, ...]:
    """The indices of the units that `query` names: the first word equal to it, else the first phrase that spells it.

    A word that shares its token with others names the unit of them all. White space inside a query matches any white
    space. Raises QueryError, naming the nearest words, if nothing matches.

    >>> find_words("in New York", [WordSpan(0, 2, (0,)), WordSpan(3, 6, (1,)), WordSpan(7, 11, (2,))], "New York")
    (1, 2)
    """
    wanted = query.strip() or query
    placed = [(*part, i) for i, parts in enumerate(words_of(text, words)) for part in parts]
    placed += [(word.start, word.end, i) for i, word in enumerate(words)]
    for start, end, index in sorted(placed):
        if text[start:end] == wanted:
            return (index,)
    starts = {start: index for start, _, index in placed}
    ends = {end: index for _, end, index in placed}
    phrase = r"\s+".join(regex.escape(part, literal_spaces=True) for part in wanted.split())
    for match in regex.finditer(phrase, text, overlapped=True) if phrase else ():
        if match.start() in starts and match.end() in ends:
            return tuple(range(starts[match.start()], ends[match.end()] + 1))
    raise QueryError(_not_found(text, words, query))


def _not_found(text: str, words: Sequence[WordSpan], query: str) -> str:
    shown = repr(query if len(query) <= 60 else query[:59] + "…")
    spelled = list(dict.fromkeys(text[start:end] for parts in words_of(text, words) for start, end in parts))
    if not query.strip():
        return f"the query {shown} names no word: give a word of the text, or the index of a token"
    near = [word for word in spelled if query in word][:3] or _nearest(spelled, query)
    near = near or [word for word in spelled if not word.isspace()][:3]
    offer = ", ".join(repr(word if len(word) <= 60 else word[:59] + "…") for word in near)
    return f"the query {shown} is not a word or phrase of the text: write it as in the text, for example {offer}"


def _nearest(spelled: Sequence[str], query: str) -> list[str]:
    folded: dict[str, str] = {}
    for word in spelled:
        # difflib is quadratic in the length of a word, and so long a word is not near anyway.
        if len(word) <= 2 * len(query) + 2:
            folded.setdefault(word.casefold(), word)
    if len(query) > 200:
        return []
    return [folded[near] for near in difflib.get_close_matches(query.casefold(), folded, n=3)]


def _core(text: str, token: _Placed, spaces: Sequence[tuple[int, int]]) -> tuple[int, int]:
    covered = text[token.start : token.end]
    if covered.isspace():
        # All of it, so that "\r\n" and blank lines are one unit however they are cut into tokens.
        return spaces[bisect_right(spaces, (token.start, len(text))) - 1]
    start = token.end - len(covered.lstrip())
    return start, start + len(covered.strip())
