"""The figure of two similar texts: their words with lines between them, and a map of all pairs."""

import textwrap
from typing import Any

import numpy as np

from attnscope.render.colours import colours_for
from attnscope.render.content.caption import number
from attnscope.render.content.pieces import columns
from attnscope.render.content.similarity import facts_of, largest, lines_of, scaled, sums_of, title_of
from attnscope.render.figure.style import Look, drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.similarity import Similarity

# Words below each other, in inches; beyond this many the lines are left out, and the map is as high as it gets.
_ROW, _MOST_WORDS, _HIGHEST = 0.27, 80, 22.0
# Room for the legend.
_BELOW = 0.65
_LONGEST = 22


def render_figure(result: Similarity, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Similarity, dark: bool, font: Any) -> Any:
    names = [[_short(word.text) for word in side.words] for side in (result.left, result.right)]
    notes = [title_of(result), "  ·  ".join(f"{name} {value}" for name, value in facts_of(result)), *sums_of(result)]
    look = Look("".join((*names[0], *names[1], *notes, "…␣−")), dark, font)
    most = max(map(len, names))
    linked = most <= _MOST_WORDS
    map_wide = min(max(0.3 * len(names[1]) + 1.2, 2.4), 9.0)
    width = (3.6 if linked else 0.0) + map_wide + 1.0
    caption = [line for note in notes for line in textwrap.wrap(drawable(note), max(44, int(15 * width)))]
    # Above the map its words stand upright.
    top = 0.3 + 0.17 * len(caption) + 0.075 * max(map(columns, names[1]), default=0)
    height = min(max(_ROW * most, 1.6), _HIGHEST) + top + _BELOW
    figure = look.figure((width, height))
    high = (height - top - _BELOW) / height
    if linked:
        _draw_lines(look, figure.add_axes((0.0, _BELOW / height, 3.6 / width, high)), result, names, dark)
    _draw_map(look, figure, result, names, (3.6 if linked else 0.0, map_wide, width, height, high), dark)
    place = figure.text(0.15 / width, 1 - 0.12 / height, "\n".join(caption), va="top", fontsize=8.5)
    look.write(place, look.colours.ink)
    return figure


def _short(text: str) -> str:
    word = drawable(text.strip()) or "␣"
    return word if len(word) <= _LONGEST else word[: _LONGEST - 1] + "…"


def _draw_lines(look: Look, ax: Any, result: Similarity, names: list[list[str]], dark: bool) -> None:
    """Words on the left and on the right, each column as high as the picture, and lines between them."""
    look.quiet(ax)
    ax.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    colours, steps = colours_for(True, dark), scaled(result)
    heights = [[(i + 0.5) / len(words) for i in range(len(words))] for words in names]
    for line in lines_of(result):
        ends = (heights[0][line.left], heights[1][line.right])
        colour = colours.colour(float(steps[line.left, line.right]))
        ax.plot((0.37, 0.63), ends, color=colour, linewidth=0.6 + 4 * abs(line.share), solid_capstyle="round")
    for words, places, x, side in zip(names, heights, (0.35, 0.65), ("right", "left"), strict=True):
        for word, y in zip(words, places, strict=True):
            look.write(ax.text(x, y, word, ha=side, va="center", fontsize=9), look.colours.ink)


def _draw_map(
    look: Look, figure: Any, result: Similarity, names: list[list[str]], room: tuple[float, ...], dark: bool
) -> None:
    left, wide, width, height, high = room
    label = 0.9
    ax = figure.add_axes(((left + label) / width, _BELOW / height, (wide - label) / width, high))
    look.quiet(ax)
    colours, limit = colours_for(True, dark), largest(result) or 1.0
    image = ax.imshow(
        result.scores if result.scores.size else np.zeros((1, 1)),
        aspect="auto", interpolation="nearest", cmap=look.map(colours), vmin=-limit, vmax=limit,
    )  # fmt: skip
    ax.xaxis.tick_top()
    look.ticks(ax.yaxis, names[0])
    look.ticks(ax.xaxis, names[1])
    bar_box = (left + label) / width, 0.42 / height, (wide - label) / width, 0.1 / height
    bar = figure.colorbar(image, cax=figure.add_axes(bar_box), orientation="horizontal")
    bar.set_ticks([-limit, 0, limit], labels=[f"−{number(limit)}", "0", number(limit)])
    look.quiet_bar(bar)
