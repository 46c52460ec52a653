"""The text of a figure as lines: wrapped at a width in characters, and in visual order where it runs right to left.

Pure text; no fonts. Lines break between words, at spaces and between East Asian words; a word longer than a line is
broken anywhere. Line breaks in the source stay. Bidirectional text is ordered word by word, which is the Unicode
algorithm without its embeddings and its finer rules for numbers.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from attnscope.render.content.pieces import column, columns, pieces, visible
from attnscope.results.attribution import Attribution

_BREAK = re.compile(r"\r\n|[\n\r\v\f\x85\u2028\u2029]")
_RUN = re.compile(r"\s+|\S+")
_MIRRORED = str.maketrans("()[]{}<>«»‹›", ")(][}{><»«›‹")
# Characters that may not begin a line in Japanese and Chinese, in addition to closing punctuation.
_NEVER_FIRST = frozenset("ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々〻・：；！？。、，．…‥")


@dataclass(frozen=True, slots=True)
class Run:
    """A stretch of a line that is drawn as one: a word by its index, or the text between words (word None)."""

    text: str
    word: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """A line in visual order; `right_to_left` is its paragraph's direction, and so the side on which it starts."""

    runs: tuple[Run, ...]
    right_to_left: bool = False

    @property
    def text(self) -> str:
        """The line's text, from left to right."""
        return "".join(run.text for run in self.runs)


def lines(result: Attribution, width: int) -> list[Line]:
    """The text of `result` in lines of at most `width` columns, each in visual order from left to right."""
    lines_so_far: list[Line] = []
    for paragraph in _paragraphs(result):
        right_to_left = starts_right("".join(run.text for run in paragraph))
        lines_so_far += [Line(_visual(line, right_to_left), right_to_left) for line in _wrap(paragraph, width)]
    return lines_so_far


def _paragraphs(result: Attribution) -> Iterator[list[Run]]:
    current: list[Run] = []
    for piece in pieces(result):
        parts = _BREAK.split(piece.text)
        # A word that is nothing but line breaks shows its score on a mark at the end of its first line.
        if piece.word is not None and piece.text and not piece.text.strip() and len(parts) > 1:
            current.append(Run("↵", piece.word))
        for i, part in enumerate(parts):
            if i:
                yield current
                current = []
            if part:
                current.append(Run(visible(part.replace("\t", "    ")), piece.word))
    yield current


def _wrap(paragraph: list[Run], width: int) -> Iterator[tuple[Run, ...]]:
    line: list[Run] = []
    used = 0
    for cluster in _clusters(paragraph):
        size = sum(columns(run.text) for run in cluster)
        blank = all(run.word is None and not run.text.strip() for run in cluster)
        # A space inside a passage goes where its line ends.
        inside = not blank and line and all(r.word == line[-1].word and not r.text.strip() for r in cluster)
        if inside and used + size > width:
            continue
        if used + size > width and line and not blank:
            yield _trimmed(line)
            line, used = [], 0
        if size <= width or blank:
            line += cluster
            used += size
            continue
        for run in cluster:
            for part in _chopped(run, width, used):
                if used and used + columns(part.text) > width:
                    yield _trimmed(line)
                    line, used = [], 0
                line.append(part)
                used += columns(part.text)
    yield _trimmed(line)


def _chopped(run: Run, width: int, used: int) -> Iterator[Run]:
    start = 0
    room = width - used
    for i, character in enumerate(run.text):
        if column(character) > room and i > start:
            yield Run(run.text[start:i], run.word)
            start, room = i, width
        room -= column(character)
    yield Run(run.text[start:], run.word)


def _trimmed(line: list[Run]) -> tuple[Run, ...]:
    while line and line[-1].word is None and not line[-1].text.strip():
        line.pop()
    return tuple(line)


def _clusters(paragraph: list[Run]) -> Iterator[list[Run]]:
    """Groups of runs that no line break may separate, such as "castle" and its comma."""
    cluster: list[Run] = []
    for run in _split_gaps(paragraph):
        if cluster and _may_break(cluster[-1].text, run.text):
            yield cluster
            cluster = []
        cluster.append(run)
    if cluster:
        yield cluster


def _split_gaps(paragraph: Iterable[Run]) -> Iterator[Run]:
    for run in paragraph:
        # A passage is broken at its spaces too.
        if run.word is None or run.text.strip():
            yield from (Run(part, run.word) for part in _RUN.findall(run.text))
        else:
            yield run


def _may_break(before: str, after: str) -> bool:
    last, first = before[-1], after[0]
    if last.isspace() or first.isspace():
        return True
    if first in _NEVER_FIRST or unicodedata.category(first) in ("Pe", "Pf", "Po"):
        return False
    if unicodedata.category(last) in ("Ps", "Pi"):
        return False
    return column(last) == 2 or column(first) == 2


def starts_right(text: str) -> bool:
    """Whether a paragraph runs right to left: its first letter decides."""
    kinds = (unicodedata.bidirectional(c) for c in text)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), False)


_NUMBER = 2


def _directions(text: str) -> list[int]:
    """The direction of each character: 1 left to right, -1 right to left, 0 neutral, _NUMBER in numbers."""
    kinds = [unicodedata.bidirectional(c) for c in text]
    digit = [kind in ("EN", "AN") for kind in kinds]
    made: list[int] = []
    for i, kind in enumerate(kinds):
        before, after = i > 0 and digit[i - 1], i + 1 < len(kinds) and digit[i + 1]
        joins = (kind in ("CS", "ES") and before and after) or (kind == "ET" and (before or after))
        strong = {"L": 1, "R": -1, "AL": -1, "NSM": made[-1] if made else 0}.get(kind, 0)
        made.append(_NUMBER if digit[i] or joins else strong)
    return made


def _visual(line: tuple[Run, ...], right_to_left: bool) -> tuple[Run, ...]:
    base = -1 if right_to_left else 1
    if base == 1 and not any(unicodedata.bidirectional(c) in ("R", "AL") for run in line for c in run.text):
        return line
    # Cut into stretches of one direction, so that a bracket can be separated from the letters it came with.
    runs: list[Run] = []
    strong: list[int] = []
    letter = base
    for run in line:
        for kind, pairs in groupby(zip(run.text, _directions(run.text), strict=True), key=lambda pair: pair[1]):
            runs.append(Run("".join(character for character, _ in pairs), run.word))
            # A number takes the direction of the letters before it.
            letter = kind if kind in (1, -1) else letter
            strong.append(letter if kind == _NUMBER else kind)
    # A neutral character takes the direction of its neighbours where they agree, else the paragraph's.
    directions = list(strong)
    for i, direction in enumerate(strong):
        if direction == 0:
            following = next((d for d in strong[i:] if d), base)
            previous = directions[i - 1] if i else base
            directions[i] = previous if previous == following else base
    ordered: list[Run] = []
    against: list[Run] = []
    for run, direction, own in zip(runs, directions, strong, strict=True):
        # Brackets in right-to-left text are mirrored here: the font engine does not mirror one on its own.
        drawn = Run(run.text.translate(_MIRRORED)[::-1], run.word) if direction < 0 and not own else run
        if direction == base:
            ordered += reversed(against)
            against = []
            ordered.append(drawn)
        else:
            against.append(drawn)
    ordered += reversed(against)
    return tuple(reversed(ordered)) if right_to_left else tuple(ordered)
