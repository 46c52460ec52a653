"""What every picture draws: the text cut into words and the gaps between them."""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from attnscope.results.attribution import Attribution
from attnscope.text.visible import visible

__all__ = ["Piece", "column", "columns", "lined_up", "padded", "pieces", "query_words", "visible"]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of the text: a word by its index, or the text between words (word None)."""

    text: str
    word: int | None


def pieces(result: Attribution) -> Iterator[Piece]:
    """The whole text in order, every word exactly once; special tokens in the text are left out.

    A word that lies inside a special token is an empty piece.
    """
    hidden = sorted((t.start, t.end) for t in result.tokens if t.special and t.start < t.end)
    position = 0
    for index, word in enumerate(result.words):
        if word.start > position:
            gap = _without(result.text, position, word.start, hidden)
            if gap:
                yield Piece(gap, None)
        yield Piece(_without(result.text, word.start, word.end, hidden), index)
        position = word.end
    rest = _without(result.text, position, len(result.text), hidden)
    if rest:
        yield Piece(rest, None)


def _without(text: str, start: int, end: int, hidden: list[tuple[int, int]]) -> str:
    kept = []
    for low, high in hidden:
        if high <= start:
            continue
        if low >= end:
            break
        kept.append(text[start : max(start, low)])
        start = max(start, high)
    kept.append(text[start:end])
    return "".join(kept)


def query_words(result: Attribution) -> tuple[int, ...]:
    """The indices of the query's words; empty where the result has no query."""
    chosen = [result.tokens[i] for i in result.measured.query_tokens or () if 0 <= i < len(result.tokens)]
    return tuple(
        i for i, word in enumerate(result.words) if any(t.start < word.end and word.start < t.end for t in chosen)
    )


def columns(text: str) -> int:
    """The width of `text` in fixed-width columns: East Asian wide characters take two, combining marks none."""
    return sum(column(c) for c in text)


def column(character: str) -> int:
    """The columns of one character."""
    if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def padded(text: str, width: int) -> str:
    """`text` with spaces after it, up to a width in columns."""
    return text + " " * (width - columns(text))


def lined_up(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows of cells as lines, each column as wide as its widest cell, two spaces between them.

    >>> lined_up([("word", "score"), ("熊本", "1")])
    ['word  score', '熊本  1']
    """
    widths = [max(columns(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(padded(cell, w) for cell, w in zip(row, widths, strict=True)).rstrip() for row in rows]
