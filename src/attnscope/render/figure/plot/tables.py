"""Tables on axes: how results agree, and what each target token relied on."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.colours import colours_for, text_on
from attnscope.render.content.caption import OF_SEVERAL_TOKENS, caption_of, unit
from attnscope.render.figure.look import Look
from attnscope.render.figure.plot.in_cell import in_language, panels
from attnscope.render.figure.plot.page import label_of
from attnscope.render.figure.style import drawable
from attnscope.results.agreement import Agreement
from attnscope.results.per_token import PerToken
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Cells along an axis: nobody could tell more apart.
_CELLS = 240


@in_language
def agreement(found: Agreement, *, dark: bool | None = None, font: Any = None, lang: str | None = None) -> NDArray[Any]:
    """Rank correlations of several results and the shares of their top words, side by side; returns both Axes."""
    names = [drawable(name) for name in found.names]
    count, longest = len(names), max(map(len, names))
    look = Look("".join(names) + "—…", dark, font)
    side, labels = max(0.55 * count, 1.6), 0.09 * min(longest, 30) + 0.3
    _, axes = look.panels(2, side + labels + 0.2, side + labels + 0.2, above=0.2)
    for ax, values, low, colours, title in (
        (axes[0], found.rank, -1, colours_for(True, look.dark), _correlation(found.by)),
        (axes[1], found.overlap, 0, look.colours, say("shared words of the top {top}", top=found.top)),
    ):
        ax.imshow(values, vmin=low, vmax=1, cmap=look.map(colours))
        for (i, j), value in np.ndenumerate(values):
            written = "—" if np.isnan(value) else f"{value:.2f}" if low else f"{value:.0%}"
            scaled = 0.5 if np.isnan(value) else (value - low) / (1 - low)
            ink = look.colours.ink if np.isnan(value) else text_on(colours.colour(min(max(scaled, 0.0), 1.0)))
            ax.text(j, i, written, ha="center", va="center", **look.small | {"color": ink})
        look.ticks(ax.xaxis, names)
        look.ticks(ax.yaxis, names)
        look.title(ax, title)
    return panels(axes)


def _correlation(by: str) -> str:
    return say("rank correlation of scores") if by == "score" else say("rank correlation of magnitudes")


@in_language
def per_token(
    result: PerToken,
    *,
    ax: "Axes | None" = None,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    legend: bool = True,
    lang: str | None = None,
) -> "Axes":
    """What each target token relied on: target tokens down, words across, on a common scale. Returns the Axes.

    Tokens that share a character are one row; `result.by_word()` has a row for each word of the target. Words that a
    token did not read are blank. More than 240 words are drawn in blocks, each with its strongest score. Raises
    InputError where there are no words.
    """
    result = result.by_character()
    first = result.first
    if not first.words:
        raise InputError("there is nothing to draw: no target token read a word")
    read = np.stack([result.read_words(i) for i in range(len(result))])
    step = math.ceil(len(first.words) / _CELLS)
    cells = np.full((len(result), math.ceil(len(first.words) / step)), np.nan)
    for i, j in np.ndindex(cells.shape):
        some = result.scores[i, j * step : (j + 1) * step][read[i, j * step : (j + 1) * step]]
        if len(some):
            cells[i, j] = some[np.abs(some).argmax()]
    largest = float(np.nanmax(np.abs(cells))) if read.any() else 1.0
    low, high = (-largest, largest) if first.signed else (0.0, largest)
    made = caption_of(first)
    left = ("target_token", "value", "words", "tokens")  # facts of the first target alone, or given in a note
    facts = "  ·  ".join(f"{say(name)} {value}" for name, value in made.facts if name not in left)
    size = {"tokens": len(result), "words": len(first.words)}
    notes = [say("{tokens} target tokens × {words} words; blank: not read by the token", **size)]
    if step > 1:
        notes.append(say("each cell is the strongest of {count} words", count=step))
    if any(target.tokens > 1 for target in result.targets):
        notes.append(say(OF_SEVERAL_TOKENS))
    names = [label_of(target.text) for target in result.targets]
    letters = "".join((first.text, *names, *filter(None, first.names), facts, "·⏎→□…“”×"))
    look = Look(letters, dark, font, ax=ax, caption=caption, legend=legend)
    width = min(max(look.row * cells.shape[1], 3.6), 10.0) + 1.6
    ax = look.axes((width, min(max(look.row * len(result), 1.2), 8.0) + 1.9))
    colours = look.map(colours_for(first.signed, look.dark))
    image = ax.imshow(
        np.ma.masked_invalid(cells), aspect="auto", interpolation="nearest", cmap=colours, vmin=low, vmax=high,
        extent=(-0.5, cells.shape[1] * step - 0.5, len(result) - 0.5, -0.5),
    )  # fmt: skip
    ax.set(xlim=(-0.5, len(first.words) - 0.5))
    look.ticks(ax.yaxis, names)
    look.ticks(ax.xaxis, [label_of(name or word.text) for word, name in zip(first.words, first.names, strict=True)])
    look.label(ax.yaxis, say("target token"))
    look.label(ax.xaxis, say("word"))
    look.bar(image, unit(first), ax=ax, fraction=0.04, pad=0.02)
    look.caption(ax, drawable(first.method), (facts, *notes, *made.notes), first.text)
    return ax
