"""Parts of a text larger than a word: sentences, paragraphs, turns of a chat, and named segments.

Pure text and character spans, like `words`. Sentences end at the end marks of the common scripts and at line
breaks. An abbreviation such as "e.g." ends one too; for scores over sentences this does little harm.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import regex

from attnscope.errors import InputError
from attnscope.text.words import TokenSpan, WordSpan

# A run of end marks and the quotes and brackets that close after it; Latin marks only before a space or the end.
_SENTENCE_END = regex.compile(r"(?:[.!?…]+[\p{Pe}\p{Pf}\"']*(?=\s|$)|[。！？｡]+[\p{Pe}\p{Pf}]*|\n+)", regex.V1)
_PARAGRAPH_END = regex.compile(r"\n\s*\n")
_ROLE = regex.compile(r"\s*(\p{L}[\w-]*)[ \t]*\n")

Span = tuple[int, int]


def sentences(text: str) -> list[Span]:
    """The sentences of `text`, without the white space around them.

    >>> [("Is it? Yes. 雨だ。晴れ")[start:end] for start, end in sentences("Is it? Yes. 雨だ。晴れ")]
    ['Is it?', 'Yes.', '雨だ。', '晴れ']
    """
    return _between(text, [match.end() for match in _SENTENCE_END.finditer(text)])


def paragraphs(text: str) -> list[Span]:
    """The paragraphs of `text`, which blank lines separate."""
    return _between(text, [match.end() for match in _PARAGRAPH_END.finditer(text)])


def turns(text: str, tokens: Sequence[TokenSpan]) -> dict[str, Span]:
    """The turns of a chat, between the chat markers in `text`, by number and role: {"1 user": (18, 40), …}.

    The role is a single word on the marker's line. Raises InputError if the text has no markers.
    """
    markers = sorted((t.start, t.end) for t in tokens if t.special and t.start < t.end)
    if not markers:
        raise InputError("the text has no chat markers, so it has no turns: give segments as {name: (start, end)}")
    edges = [0, *(position for marker in markers for position in marker), len(text)]
    found: dict[str, Span] = {}
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        role = _ROLE.match(text, start, end)
        start = role.end() if role else start
        if text[start:end].strip():
            found[f"{len(found) + 1} {role.group(1) if role else 'text'}"] = trimmed(text, start, end)
    return found


def checked(text: str, segments: Mapping[str, Sequence[int]]) -> dict[str, Span]:
    """Named spans in text order. Raises InputError for a span outside the text, an empty one, or two that overlap."""
    if not isinstance(segments, Mapping):
        raise InputError(
            f"segments is of type {type(segments).__name__}: give 'paragraphs', 'turns' or {{name: (start, end)}}"
        )
    found = {}
    for name, span in segments.items():
        if not isinstance(span, Sequence):
            raise InputError(f"the segment {name!r} is {span!r}: give its start and its end, as (start, end)")
        start, end = span if len(span) == 2 else (-1, -1)
        if not all(isinstance(place, int) and not isinstance(place, bool) for place in (start, end)):
            raise InputError(f"the segment {name!r} is {tuple(span)}: give its start and end as whole numbers")
        if not 0 <= start < end <= len(text):
            raise InputError(
                f"the segment {name!r} is {tuple(span)}: give a start and an end within the text's {len(text)} "
                "characters"
            )
        found[name] = (start, end)
    ordered = dict(sorted(found.items(), key=lambda item: item[1]))
    spans = list(ordered.items())
    for (name, (_, end)), (other, (start, _)) in pairwise(spans):
        if start < end:
            raise InputError(f"the segments {name!r} and {other!r} share characters: give segments that do not overlap")
    if not ordered:
        raise InputError("segments is empty: give at least one {name: (start, end)}")
    return ordered


def gathered(spans: Sequence[Span], words: Sequence[WordSpan]) -> tuple[WordSpan, ...]:
    """Join the words that begin in each span into one unit; spans without words, and words in no span, are left out.

    >>> gathered([(0, 6)], [WordSpan(0, 2, (0,)), WordSpan(3, 6, (1, 2)), WordSpan(7, 9, (3,))])
    (WordSpan(start=0, end=6, tokens=(0, 1, 2)),)
    """
    units = []
    for start, end in spans:
        inside = [word for word in words if start <= word.start < end]
        if inside:
            tokens = tuple(sorted(i for word in inside for i in word.tokens))
            units.append(WordSpan(inside[0].start, inside[-1].end, tokens))
    return tuple(units)


def _between(text: str, ends: Sequence[int]) -> list[Span]:
    edges = [0, *ends, len(text)]
    spans = (trimmed(text, start, end) for start, end in pairwise(edges))
    return [(start, end) for start, end in spans if start < end]


def trimmed(text: str, start: int, end: int) -> Span:
    """The span without the white space at its ends."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
