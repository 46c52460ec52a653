"""The heads of attention maps: one as a heat map, all of them as thumbnails."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.figure.paper import paper
from attnscope.render.figure.plot.in_cell import in_language, panels
from attnscope.render.figure.plot.page import Page, excluded, shown_of
from attnscope.render.figure.style import blocks, number, pooled, root_of, size_of, thinned
from attnscope.results.attention_maps import AttentionMaps
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Cells of a heat map and of a thumbnail along an axis: nobody could tell more apart.
_CELLS, _THUMBNAIL = 240, 48
_LARGEST_GRID = 11.0  # inches
# Of a grid, in heights of a letter: the room for layers at the left, heads below, and the legend at the right.
_LEFT, _BELOW, _RIGHT = 5.0, 3.7, 9.0


@in_language
def heat_map(
    maps: AttentionMaps,
    layer: int,
    head: int,
    *,
    ax: "Axes | None" = None,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    legend: bool = True,
    lang: str | None = None,
) -> "Axes":
    """One head: queries down, keys across, colour by a root of the weight. Returns the Axes.

    More than 240 tokens are drawn in blocks, each with its largest weight, so that a single hot cell survives.

    Raises RangeError for a layer or head that was not kept, InputError where only statistics were.
    """
    weights, queries, keys = shown_of(maps, layer, head)
    page = Page(maps, dark, font, ax=ax, caption=caption, legend=legend)
    high, wide = (page.row * n for n in weights.shape)
    ax = page.axes((min(max(wide, 3.6), 8.0) + 1.6, min(max(high, 1.2), 8.0) + 1.9))
    cells = pooled(weights, _CELLS)
    largest, root = size_of(cells), root_of(weights, maps.signed)
    # Blocks are drawn where their tokens are, so that the labels count tokens.
    height, width = (n * math.ceil(m / n) for n, m in zip(cells.shape, weights.shape, strict=True))
    image = ax.imshow(
        cells, aspect="auto", interpolation="nearest", extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        **page.scale(largest, root),
    )  # fmt: skip
    ax.set(xlim=(-0.5, weights.shape[1] - 0.5), ylim=(weights.shape[0] - 0.5, -0.5))
    page.words(ax, queries, keys)
    page.root_bar(image, largest, root, page.unit, ax=ax, fraction=0.04, pad=0.02)
    page.head(
        ax,
        say("layer {layer}, head {head}", layer=layer, head=head),
        blocks(weights, cells, maps.signed),
        excluded(maps, layer, head),
    )
    return ax


@in_language
def grid(
    maps: AttentionMaps,
    *,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    legend: bool = True,
    lang: str | None = None,
) -> NDArray[Any]:
    """All kept layers × heads as thumbnails on a common scale; returns the array of Axes, (layer, head).

    A thumbnail keeps the largest weight of each block of tokens, so that a single hot cell survives. Layers of linear
    attention have no common scale: each has the colours of its own largest weight, which stands beside it.
    """
    rows, columns = len(maps.layers), len(maps.heads)
    whole = shown_of(maps, maps.layers[0], maps.heads[0])[0]
    thumbnails = [
        [pooled(shown_of(maps, layer, head)[0], _THUMBNAIL) for head in maps.heads] for layer in maps.layers
    ]  # fmt: skip
    page = Page(maps, dark, font, caption=caption, legend=legend)
    letter = page.size / 72
    left, below, right = _LEFT * letter, _BELOW * letter, (_RIGHT if page.has_legend else 1.0) * letter
    side, asked = min(1.6, _LARGEST_GRID / max(rows, columns)), paper()
    width = asked.width or max(side * columns + left + right, 5.2)
    wide = min((width - left - right) / columns, side if asked.width is None else math.inf)
    what = say("{layers} (down) × {heads} (across)", layers=_counted(rows, "layer"), heads=_counted(columns, "head"))
    notes = page.notes(what, blocks(whole, thumbnails[0][0], maps.signed), excluded(maps))
    said = (
        page.said(notes, maps.query_side.text, 72 * width - page.size, page.size) if page.captioned is not False else ""
    )
    top = letter * (1.4 * (said.count("\n") + 1) + 1 if said else 0.5)
    height = asked.height or min(wide, side) * rows + top + below
    high = (height - top - below) / rows
    if high * rows < letter:
        raise InputError(f"height={height}: the caption leaves no room for the maps: give more, or caption=False")
    figure = page.figure((width, height), constrained=False)
    axes: Any = np.asarray(figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.08}))
    edge = left + wide * columns
    figure.subplots_adjust(left=left / width, right=edge / width, bottom=below / height, top=1 - top / height)
    of_layers = [max(map(size_of, row)) for row in thumbnails]
    scales = of_layers if maps.signed else [max(of_layers)] * rows
    root = root_of(whole, maps.signed)
    image: Any = None
    for i, j in np.ndindex(rows, columns):
        image = axes[i, j].imshow(
            thumbnails[i][j], aspect="auto", interpolation="nearest", **page.scale(scales[i], root)
        )  # fmt: skip
        page.quiet(axes[i, j])
        axes[i, j].set(xticks=[], yticks=[])
    # Numbers that have room beside and below each other.
    tall, broad = letter * (2.4 if maps.signed else 1.2), letter * 0.7 * (1 + len(str(maps.heads[-1])))
    for i in thinned(rows, max(1, int(high * rows / tall))):
        size = f"\n±{number(scales[i])}" if maps.signed else ""
        axes[i, 0].set_ylabel(f"{maps.layers[i]}{size}", **page.small, rotation=0, ha="right", va="center")
    for j in thinned(columns, max(1, int(wide * columns / broad))):
        axes[-1, j].set_xlabel(str(maps.heads[j]), **page.small)
    middle = 1 - (top + high * rows / 2) / height
    foot = (left + wide * columns / 2) / width, 0.8 * letter / height
    for named in (
        figure.text(0.4 * letter / width, middle, say("layer"), rotation=90, va="center", **page.small),
        figure.text(*foot, say("head"), ha="center", **page.small),
    ):
        page.write(named, page.colours.muted)
    if page.has_legend:
        tall = min(high * rows, 2.6)
        box = (edge + 1.2 * letter) / width, 1 - (top + tall) / height, 1.1 * letter / width, tall / height
        place = figure.add_axes(box)
        page.quiet(place)
        names = ["−1", "−¼", "0", "¼", "1"] if maps.signed else []
        page.root_bar(
            image,
            scales[-1],
            root,
            say("of the layer’s largest weight") if maps.signed else page.unit,
            names,
            cax=place,
        )
    if said:
        text = figure.text(0.4 * letter / width, 1 - 0.4 * letter / height, said, va="top", fontsize=page.size)
        page.write(text, page.colours.ink)
    return panels(axes)


def _counted(count: int, what: str) -> str:
    if what == "layer":
        return say("{count} layers", count=count) if count > 1 else say("1 layer")
    return say("{count} heads", count=count) if count > 1 else say("1 head")
