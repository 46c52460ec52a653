"""Figures for papers and slides: png, svg and pdf by matplotlib, with the text laid out as text.

Lengths are in points from the top left corner. pyplot and the caller's rcParams are left alone, and the same result
gives the same bytes: no dates, no random ids.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, count, groupby
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.colours import ColourMap, colours_for, text_on
from attnscope.render.content.caption import caption_of, headline, limits, number, singular, unit
from attnscope.render.content.line_breaking import Line, lines
from attnscope.render.content.pieces import columns, query_words, visible
from attnscope.render.figure.paper import paper
from attnscope.render.figure.to_bytes import file_of, need_matplotlib
from attnscope.results.attribution import Attribution
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARGIN, _LINE, _ASCENT, _DESCENT, _PAD, _HAIR = 1.5, 1.7, 0.98, 0.34, 0.1, 0.025  # of the font size
_SMALL, _TITLE, _ANSWER = 0.72, 1.45, 1.2
# A name is cut beyond so many characters.
_LONGEST_NAME = 60
_BAR = 11.0
_FONT_SIZE, _PAPER_FONT_SIZE, _LINE_CHARS = 13.0, 8.0, 80
# Lines of fewer characters are no text any more.
_FEWEST = 12
# On a paper: the smallest letters in points, and the title's and the answer's size.
_LEAST_SIZE, _ON_PAPER = 6.0, 1.0
# The line below a word whose score is negative, so that grey print has its sign too.
_UNDERLINE = 0.09
_NAMELESS: Mapping[int, str] = {}
_ACCENT = {False: "#0b57a4", True: "#8cc4ff"}
# Beyond these, viewers and matplotlib itself fail: pixels of a png, points of a pdf page.
_TALLEST_PIXELS, _TALLEST_POINTS = 30_000, 14_400


def render_figure(
    result: Attribution,
    *,
    form: str,
    scale: float,
    max_line_chars: int | None = None,
    font: Any = None,
    font_size: float | None = None,
    dark: bool = False,
) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" with the letters as outlines, or "pdf"."""
    # A passage has a line for its name, and a row below.
    more = 2 * len(result.asked.segments)

    def sheet(chars: int, size: float) -> Sheet:
        (text,) = wrapped([result], chars, size, scale, more)
        return _sheet_of(result, text, font, size, dark)

    return sheet_file(sheet, form, scale, max_line_chars, font_size)


def sheet_file(
    sheet: Callable[[int, float], "Sheet"], form: str, scale: float, max_line_chars: int | None, font_size: float | None
) -> bytes:
    """The file of a Sheet, which is made for a number of characters a line and a font size.

    On a paper of a given width lines fill it, unless it is said how long they are, and letters are 8 points high.
    """
    wide = paper().width
    if wide is None:
        size = _FONT_SIZE if font_size is None else font_size
        # Refused before matplotlib is asked for.
        drawn = sheet(_LINE_CHARS if max_line_chars is None else max_line_chars, size)
        return file_of(lambda: drawn.figure(scale), form, scale)
    size = _PAPER_FONT_SIZE if font_size is None else font_size
    chars = max_line_chars
    if chars is None:
        # Letters are half as wide as high, about; then a few less, until the longest line fits.
        chars = max(_FEWEST, int(72 * wide / (0.42 * max(size, 1))))
    while (drawn := sheet(chars, size)).right > 72 * wide - drawn.margin and chars > _FEWEST:
        chars -= max(1, chars // 20)
    return file_of(lambda: drawn.figure(scale), form, scale)


def wrapped(
    results: Sequence[Attribution], max_line_chars: int, font_size: float, scale: float, more: int = 0
) -> list[list[Line]]:
    """The lines of each text. Raises InputError where they and `more` other lines are too many for one picture."""
    if max_line_chars < 2 or not font_size > 0:
        raise InputError(f"max_line_chars={max_line_chars!r}, font_size={font_size!r}: expected at least 2 and above 0")
    texts = [lines(result, max_line_chars) for result in results]
    count = sum(map(len, texts)) + more
    height = (count * _LINE + 8) * font_size
    if height * scale > _TALLEST_PIXELS or height > _TALLEST_POINTS:
        raise InputError(
            f"the text has {count:,} lines of {max_line_chars} characters, too many for one picture: save it as "
            ".html, which has no limit, or give a smaller font_size or scale"
        )
    return texts


def _sheet_of(result: Attribution, text: list[Line], font: Any, size: float, dark: bool) -> "Sheet":
    caption = caption_of(result)
    answer, probability = headline(result) or ("", "")
    names = {word: visible(name) for word, name in enumerate(result.names) if name}
    written = (*(line.text for line in text), caption.title, caption.line(), caption.scale, *caption.notes)
    sheet = Sheet("".join((*written, answer, probability, *names.values(), "“”…")), result.signed, font, size, dark)
    sheet.title(caption.title)
    if answer and sheet.paper.caption:
        sheet.line(
            [(say("“{word}”", word=begun(answer)) + "  ", sheet.colours.ink), (probability, sheet.accent)],
            sheet.large[1],
        )
    width = max(columns(line.text) for line in text)
    sheet.facts([f"{say(name)} {value}" for name, value in caption.facts], width)
    sheet.space()
    sheet.body(text, result.scaled, frozenset(query_words(result)), names)
    sheet.space()
    if names:
        rows = [(name, float(result.scaled[i]), per_token(result, i)) for i, name in names.items()]
        sheet.rows(rows)
        sheet.space()
    underlined = say("; underlined: below 0") if result.signed and sheet.paper.width is not None else ""
    scale = say("0 in the middle") if result.signed else "min–max"
    what = say("{measure} per {unit}", measure=unit(result), unit=singular(result))
    sheet.legend(*limits(result), say("{what}, {scale}", what=what, scale=scale) + underlined)
    for note in caption.notes:
        sheet.facts(note.split(" "), width, " ")
    return sheet


def per_token(result: Attribution, word: int) -> str:
    """A unit's score, and its mean per token."""
    return say("{score}, per token {mean}", score=number(result.words[word].score), mean=number(result.means[word]))


class Sheet:
    """Collects marks from top to bottom; then `figure` knows how large the paper must be.

    characters: all characters that it will draw, to find fonts that have them.
    """

    def __init__(self, characters: str, signed: bool, font: Any, size: float, dark: bool) -> None:
        need_matplotlib()
        from attnscope.render.figure.fonts import Fonts

        self.colours: ColourMap = colours_for(signed, dark)
        self.accent = _ACCENT[dark]
        self.size = size
        self.paper = paper()
        self.signed = signed
        self.margin = (_MARGIN if self.paper.width is None else 0.3) * size
        self.room = math.inf if self.paper.width is None else 72 * self.paper.width - 2 * self.margin
        self.small_size = _SMALL * size if self.paper.width is None else max(_SMALL * size, min(size, _LEAST_SIZE))
        self.large = (_TITLE, _ANSWER) if self.paper.width is None else (_ON_PAPER, _ON_PAPER)
        self.top = self.margin
        self.right = 0.0
        self.texts: list[tuple[float, float, str, str, float, str]] = []
        self.boxes: list[tuple[float, float, float, float, float, str, str]] = []
        self.fonts = Fonts(font, characters)

    def space(self) -> None:
        """A gap between parts."""
        if self.paper.width is None or self.top > self.margin:
            self.top += 0.9 * self.size

    def title(self, title: str) -> None:
        """The title."""
        if not self.paper.caption:
            return
        size = self.large[0] * self.size
        for place, line in enumerate(self._wrapped(title, size)):
            self.top += size * (1.25 if place else 0.8)
            self.write(self.margin, line, size, self.colours.ink)
        self.top += 0.55 * self.size if self.paper.width is None else 0.1 * self.size

    def facts(self, facts: list[str], width: int, between: str = "  ·  ") -> None:
        """Facts in small print, or the words of a note, as many per line as fit."""
        if not self.paper.caption:
            return
        row = ""
        for fact in facts:
            longer = f"{row}{between}{fact}" if row else fact
            if row and self._too_long(longer, width):
                self.small(row)
                longer = fact
            row = longer
        self.small(row)

    def _too_long(self, row: str, width: int) -> bool:
        if self.paper.width is None:
            return columns(row) * _SMALL > max(width, 56)
        return self.width(row, self.small_size) > self.room

    def _wrapped(self, text: str, size: float) -> list[str]:
        return [text] if self.room == math.inf else self.fonts.wrapped(text, size, self.room)

    def small(self, text: str) -> None:
        """A line of small print, or several where the paper is narrow."""
        for line in self._wrapped(text, self.small_size):
            self.top += 1.55 * self.small_size
            self.write(self.margin, line, self.small_size, self.colours.muted)

    def body(
        self, text: list[Line], scaled: NDArray[np.float64], asked: frozenset[int], names: Mapping[int, str] = _NAMELESS
    ) -> None:
        """The lines of a text. scaled: (word,) scores; asked: the indices of the query's words; names: of words that
        are passages, over the lines where they begin."""
        named: set[int] = set()
        widths = [[self.width(run.text, self.size) for run in line.runs] for line in text]
        widest = max(map(sum, widths), default=0.0)
        for line, row in zip(text, widths, strict=True):
            words = dict.fromkeys(run.word for run in line.runs if run.word is not None)
            begin = [word for word in words if word in names and word not in named]
            if begin:
                named.update(begin)
                self.top += 0.3 * self.size
                self.small("  ·  ".join(begun(names[i]) for i in begin))
            self.top += _LINE * self.size
            x = self.margin + (widest - sum(row) if line.right_to_left else 0.0)
            edges = list(accumulate(row, initial=x))
            # One box per word, although a word may be several runs.
            for word, group in groupby(zip(count(), line.runs), key=lambda pair: pair[1].word):
                members = [i for i, _ in group]
                first, last = members[0], members[-1]
                ink = self.colours.ink
                if word is not None:
                    tight = (_touches(line, first - 1), _touches(line, last + 1))
                    ink = self.box(edges[first], edges[last + 1], tight, float(scaled[word]), word in asked)
                for i in members:
                    self.write(edges[i], line.runs[i].text, self.size, ink)

    def box(self, left: float, right: float, tight: tuple[bool, bool], scaled: float, asked: bool) -> str:
        """Draws a word's background and returns the colour of its text. `tight` sides touch a neighbouring word."""
        step = self.colours.step(scaled)
        if self.colours.is_blank(step) and not asked:
            return self.colours.ink
        left -= (-_HAIR if tight[0] else _PAD) * self.size
        right += (-_HAIR if tight[1] else _PAD) * self.size
        top, high = self.top - _ASCENT * self.size, (_ASCENT + _DESCENT) * self.size
        edge = self.accent if asked else "none"
        self.boxes.append((left, top, right - left, high, 0.24 * self.size, self.colours.steps[step], edge))
        if self.signed and self.paper.width is not None and step < len(self.colours.steps) // 2:
            line = top + high - _UNDERLINE * self.size
            self.boxes.append((left, line, right - left, _UNDERLINE * self.size, 0.0, self.colours.ink, "none"))
        return text_on(self.colours.steps[step])

    def legend(self, low: float, high: float, words: str) -> None:
        """The colour bar between its two numbers, and what it shows."""
        if not self.paper.legend:
            return
        size, x = self.small_size, self.margin
        self.top += 1.6 * size
        x += self.write(x, number(low), size, self.colours.ink) + 0.7 * size
        step = _BAR * self.size / len(self.colours.steps)
        for i, colour in enumerate(self.colours.steps):
            # Each overlaps the next a little, or a hairline of paper would show between them.
            wide = step * (1.5 if i + 1 < len(self.colours.steps) else 1)
            self.boxes.append((x + i * step, self.top - 0.72 * size, wide, 0.72 * size, 0.0, colour, "none"))
        x += _BAR * self.size + 0.7 * size
        x += self.write(x, number(high), size, self.colours.ink) + 0.9 * size
        if x + self.width(words, size) > self.room + self.margin:
            self.small(words)
            return
        self.write(x, words, size, self.colours.muted)

    def line(self, parts: list[tuple[str, str]], size: float = 1) -> None:
        """A line of texts, each in its colour; `size`: of the font size."""
        self.top += _LINE * size * self.size
        x, points = self.margin, size * self.size
        for text, colour in parts:
            lines = [text]
            if x > self.margin and x + self.width(text.rstrip(), points) > self.room + self.margin:
                self.top += _LINE * points
                x, lines = self.margin, self._wrapped(text, points)
            elif self.width(text, points) > self.room:
                lines = self._wrapped(text, points)
            for place, line in enumerate(lines):
                if place:
                    self.top += _LINE * points
                    x = self.margin
                x += self.write(x, line, points, colour)

    def rows(self, rows: Sequence[tuple[str, float, str]]) -> None:
        """Passages below each other: name, a patch of its colour by the scaled score, its numbers."""
        size, left = self.small_size, self.margin
        names = [begun(name) for name, _, _ in rows]
        if self.room != math.inf:
            widest = max(self.width(said, size) for _, _, said in rows)
            names = [self.fonts.shortened(name, size, self.room - widest - 3 * self.size) for name in names]
        numbers = left + 2 * self.size + max(self.width(name, size) for name in names) + self.size
        for name, (_, scaled, said) in zip(names, rows, strict=True):
            self.top += 1.55 * size
            patch = left, self.top - 0.8 * size, 1.4 * self.size, size, 0.15 * self.size
            self.boxes.append((*patch, self.colours.colour(scaled), self.colours.muted))
            self.write(left + 2 * self.size, name, size, self.colours.ink)
            self.write(numbers, said, size, self.colours.muted)

    def width(self, text: str, size: float) -> float:
        """The width of a text in points."""
        return self.fonts.width(text, size)

    def write(self, x: float, text: str, size: float, colour: str) -> float:
        """Write at `x` on the current line, and return the width."""
        from attnscope.render.figure.fonts import advance

        start = x
        for part, path in self.fonts.runs(text):
            if part.strip():
                self.texts.append((x, self.top, part, path, size, colour))
            x += advance(part, path) * size
        self.right = max(self.right, x)
        return x - start

    def figure(self, scale: float) -> "Figure":
        """Draw everything on paper of a fitting size, rounded up to whole pixels."""
        from matplotlib.figure import Figure
        from matplotlib.font_manager import FontProperties
        from matplotlib.patches import FancyBboxPatch, Patch, Rectangle
        from matplotlib.patheffects import Normal
        from matplotlib.text import Text
        from matplotlib.transforms import Affine2D

        from attnscope.render.figure.fonts import has_postscript_outlines

        width = math.ceil((self.right + self.margin) * scale) / scale
        height = math.ceil((self.top + self.margin + _DESCENT * self.size) * scale) / scale
        if self.paper.width is not None:
            if self.right > 72 * self.paper.width:
                raise InputError(f"the text needs {width / 72:.2f} inches: give a larger width, or a smaller font_size")
            width = 72 * self.paper.width
        if self.paper.height is not None:
            if height > 72 * self.paper.height:
                raise InputError(
                    f"the text needs {height / 72:.2f} inches in height: give as much, a larger width or a smaller "
                    "font_size"
                )
            height = 72 * self.paper.height
        figure = Figure(figsize=(width / 72, height / 72), dpi=72 * scale, facecolor=self.colours.background)
        points = Affine2D().scale(1 / 72) + figure.dpi_scale_trans
        for x, top, wide, high, radius, fill, edge in self.boxes:
            bottom = height - top - high
            patch: Patch
            if radius:
                shape = f"round,pad=0,rounding_size={min(radius, wide / 2):.4g}"
                patch = FancyBboxPatch((x, bottom), wide, high, boxstyle=shape, linewidth=0.1 * self.size)
            else:
                patch = Rectangle((x, bottom), wide, high, linewidth=0)
            patch.set(facecolor=fill, edgecolor=edge, transform=points)
            figure.add_artist(patch, clip=False)
        for x, top, text, path, size, colour in self.texts:
            font = FontProperties(fname=path, size=size)
            label = Text(
                x, height - top, text, color=colour, fontproperties=font, parse_math=False, transform=points,
                verticalalignment="baseline", horizontalalignment="left",
            )  # fmt: skip
            if paper().form == "pdf" and has_postscript_outlines(path):
                label.set_path_effects([Normal()])
            figure.add_artist(label, clip=False)
        return figure


def begun(name: str) -> str:
    """A name on one line, cut where it is long."""
    line = " ".join(name.split())
    return line if len(line) <= _LONGEST_NAME else line[: _LONGEST_NAME - 1] + "…"


def _touches(line: Line, index: int) -> bool:
    return 0 <= index < len(line.runs) and bool(line.runs[index].text.strip())
