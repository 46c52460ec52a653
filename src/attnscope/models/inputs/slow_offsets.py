"""Where in the text each token of a slow tokenizer stands: tokenizers written in Python report no offsets.

The tokens are decoded one after the other and looked up in the text from where the last one ended; tokens that only
decode together (the bytes of one character) share a place. A tokenizer may lower-case, strip accents, normalise or
drop white space: then both sides are compared folded. A tokenizer whose tokens do not spell the text is refused.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from attnscope.errors import ModelError
from attnscope.models.typed import decoded

# The most tokens that may need each other to decode, and the most that are read to find the way after an [UNK].
_WINDOW = 16
# How many characters further a better place for what follows an [UNK] is looked for.
_SEARCH = 256
_FIRST_EAST_ASIAN = "\u2e80"
_SPACES = re.compile(r"\s*")
# What one normaliser or another deletes; U+FFFD besides, which is also what half a character decodes to.
_DROPPED = frozenset({"Cc", "Cf", "Cn", "Co", "Mn", "Me", "Zs", "Zl", "Zp"})
_HALF = "\ufffd"


def align(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], text: str) -> list[tuple[int, int]]:
    """The span in `text` of each of `ids`, which must hold no token that the tokenizer added around the text.

    Raises ModelError when the tokens do not spell the text.
    """
    reader = _Reader(text)
    spans: list[tuple[int, int]] = []
    anchor = 0
    while len(spans) < len(ids):
        first = len(spans)
        read = _read(tokenizer, ids, anchor, first, reader) or _skip_unknown(tokenizer, ids, first, reader)
        if read is None:
            break
        spans += read
        anchor = first
    if len(spans) < len(ids) or not reader.at_end:
        raise ModelError(
            f"the tokenizer {type(tokenizer).__name__} reports no offsets, and its tokens do not spell the text near "
            f"character {reader.cursor}: use the model's fast tokenizer (use_fast=True)"
        )
    return spans


def _read(
    tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], anchor: int, first: int, reader: "_Reader"
) -> list[tuple[int, int]] | None:
    """The span that the fewest tokens from `first` on spell together, once for each of them."""
    for last in range(first + 1, min(first + _WINDOW, len(ids)) + 1):
        span = reader.read(_piece(tokenizer, ids, anchor, first, last), at_end=last == len(ids))
        if span is not None:
            return [span] * (last - first)
    return None


def _skip_unknown(
    tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], first: int, reader: "_Reader"
) -> list[tuple[int, int]] | None:
    """The spans of the run of [UNK] at `first`: one word each where there are as many words, else all share all."""
    unknown = tokenizer.unk_token_id
    last = next((i for i in range(first, len(ids)) if ids[i] != unknown), len(ids))
    if last == first:
        return None
    reach = min(last + _WINDOW, len(ids))
    known = next((i for i in range(last, reach) if ids[i] == unknown), reach)
    span = reader.skip_to(_piece(tokenizer, ids, first, last, known) if last < len(ids) else None)
    if span is None:
        return None
    start, end = span
    words = [(start + word.start(), start + word.end()) for word in re.finditer(r"\S+", reader.text[start:end])]
    return words if len(words) == last - first else [span] * (last - first)


def _piece(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int], anchor: int, first: int, last: int) -> str:
    """What `ids[first:last]` add to the text, read after `ids[anchor:first]`: "##ing" alone would keep its marks."""
    before, whole = _decode(tokenizer, ids[anchor:first]), _decode(tokenizer, ids[anchor:last])
    return whole[len(before) :] if whole.startswith(before) else _decode(tokenizer, ids[first:last])


def _decode(tokenizer: PreTrainedTokenizerBase, ids: Sequence[int]) -> str:
    if not ids:
        return ""
    return decoded(tokenizer, ids)


@lru_cache(maxsize=4096)
def _fold(character: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(c for c in decomposed if unicodedata.category(c) not in _DROPPED and c != _HALF)


class _Reader:
    """The text and how far it has been read, both as it is and folded; `cursor` counts characters of the text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.cursor = 0
        folded = [(part, index) for index, character in enumerate(text) for part in _fold(character)]
        self._folded = "".join(part for part, _ in folded)
        self._source = [index for _, index in folded]
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left that a token should spell."""
        return self._position == len(self._source)

    def read(self, piece: str, at_end: bool) -> tuple[int, int] | None:
        """The span of `piece` if it is what comes next, without the space that a decoder puts around words."""
        between_characters = self._position == len(self._source) or self._source[self._position] >= self.cursor
        start = self.cursor
        if not piece.isspace():
            piece = piece.strip()
            start = self._after_spaces(start)
        if piece and between_characters and self.text.startswith(piece, start):
            self.cursor = start + len(piece)
            self._position = bisect_left(self._source, self.cursor)
            return start, self.cursor
        wanted = "".join(map(_fold, piece))
        if wanted and _HALF not in piece and self._folded.startswith(wanted, self._position):
            start = self._source[self._position]
            self._position += len(wanted)
            self.cursor = self._source[self._position - 1] + 1
            return start, self.cursor
        return (self.cursor, self.cursor) if at_end and not wanted else None

    def skip_to(self, piece: str | None) -> tuple[int, int] | None:
        """The span that unknown tokens cover: up to where `piece` comes next, or to the end of the text."""
        start = self._after_spaces(self.cursor)
        end, position = len(self.text), len(self._source)
        if piece is not None:
            wanted = "".join(map(_fold, piece))
            # They cover one character at least, even if it is one that folding drops.
            nearest = better = self._folded.find(wanted, bisect_left(self._source, start + 1)) if wanted else -1
            while better != -1 and self._within_a_word(better):
                better = self._folded.find(wanted, better + 1, nearest + _SEARCH)
            if nearest == -1:
                return None
            position = nearest if better == -1 else better
            end = self._source[position]
        if self._position < position:
            # Accents that a normaliser deleted belong to the letter before, not to the unknown word.
            start = max(start, self._source[self._position])
        self.cursor, self._position = end, position
        return start, end

    def _after_spaces(self, position: int) -> int:
        spaces = _SPACES.match(self.text, position)
        return position if spaces is None else spaces.end()

    def _within_a_word(self, position: int) -> bool:
        """Whether a spaced script's word goes on there: an unknown word ends where words end, if it can."""
        here = self._source[position]
        return all(c.isalnum() and c < _FIRST_EAST_ASIAN for c in self.text[here - 1 : here + 1])
