"""The figure of two similar texts: their words with lines between them, and a map of all pairs."""

from typing import Any

import numpy as np

from attnscope.render.colours import colours_for
from attnscope.render.content.caption import number
from attnscope.render.content.similarity import facts_of, largest, lines_of, scaled, sums_of, title_of
from attnscope.render.figure.look import Look
from attnscope.render.figure.style import drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.similarity import Similarity

# Beyond so many words the lines are left out, and the map, in inches, is as high as it gets.
_MOST_WORDS, _HIGHEST = 80, 22.0
# Where the columns of words end and begin, of the width of the lines' picture.
_LEFT, _RIGHT = 0.35, 0.65


def render_figure(result: Similarity, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Similarity, dark: bool, font: Any) -> Any:
    names = [[drawable(word.text.strip()) or "␣" for word in side.words] for side in (result.left, result.right)]
    notes = [title_of(result), "  ·  ".join(f"{name} {value}" for name, value in facts_of(result)), *sums_of(result)]
    look = Look("".join((*names[0], *names[1], *notes, "…␣−")), dark, font)
    most = max(map(len, names))
    linked = most <= _MOST_WORDS
    wide = min(max(1.3 * look.row * len(names[1]) + 1.2, 3.6), 9.0)
    figure, places = look.panels(
        1 + linked, wide, min(max(1.3 * look.row * most, 1.6), _HIGHEST) + 1.2, above=0.8, rows_of_words=True
    )
    if linked:
        _draw_lines(look, places[0], result, names, dark)
    _draw_map(look, places[-1], result, names, dark)
    look.over(figure, notes)
    return figure


def _draw_lines(look: Look, ax: Any, result: Similarity, names: list[list[str]], dark: bool) -> None:
    """Words on the left and on the right, each column as high as the picture, and lines between them."""
    ax.set(xlim=(0, 1), ylim=(1, 0), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    colours, steps = colours_for(True, dark), scaled(result)
    heights = [[(i + 0.5) / len(words) for i in range(len(words))] for words in names]
    for line in lines_of(result):
        ends = (heights[0][line.left], heights[1][line.right])
        colour = colours.colour(float(steps[line.left, line.right]))
        ax.plot((0.37, 0.63), ends, color=colour, linewidth=0.6 + 4 * abs(line.share), solid_capstyle="round")
    room = 0.9 * _LEFT * 72 * ax.get_position().width * float(ax.figure.get_size_inches()[0])
    for words, places, x, side in zip(names, heights, (_LEFT, _RIGHT), ("right", "left"), strict=True):
        for word, y in zip(words, places, strict=True):
            short = look.fonts.shortened(word, look.size, room)
            look.write(ax.text(x, y, short, ha=side, va="center", fontsize=look.size), look.colours.ink)


def _draw_map(look: Look, ax: Any, result: Similarity, names: list[list[str]], dark: bool) -> None:
    colours, limit = colours_for(True, dark), largest(result) or 1.0
    image = ax.imshow(
        result.scores if result.scores.size else np.zeros((1, 1)),
        aspect="auto", interpolation="nearest", cmap=look.map(colours), vmin=-limit, vmax=limit,
    )  # fmt: skip
    ax.xaxis.tick_top()
    look.ticks(ax.yaxis, names[0])
    look.ticks(ax.xaxis, names[1])
    ends = [f"−{number(limit)}", "0", number(limit)]
    look.bar(image, "", [-limit, 0, limit], ends, ax=ax, orientation="horizontal", fraction=0.05, pad=0.03, aspect=40)
