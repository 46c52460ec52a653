"""Attention maps and agreements on matplotlib axes: one head, all heads, statistics, lines between words.

Each function draws on the Axes it is given, or on a figure of its own that pyplot does not know; the caller's rcParams
are left alone. Special tokens stay out of the picture, and the caption says what they took. `maps.words()` gives words.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.colours import DARK, LIGHT, ColourMap, colours_for, text_on
from attnscope.compared import Agreement
from attnscope.errors import InputError, MissingExtraError
from attnscope.maps import STATISTICS, AttentionMaps, Side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LABELS, _LONGEST_LABEL, _MOST_LINES, _THUMBNAIL = 48, 14, 80, 48


def heat_map(maps: AttentionMaps, layer: int, head: int, *, ax: "Axes | None" = None, dark: bool = False) -> "Axes":
    """One head: queries down, keys across, colour by the square root of the weight. Returns the Axes.

    Raises RangeError for a layer or head that was not kept, InputError where only statistics were.
    """
    weights, queries, keys = _shown(maps, layer, head)
    size = min(max(0.2 * max(weights.shape), 3.2), 8.0)
    ax, colours = _prepared(ax, dark, (size + 1.6, size + 1.2))
    image = ax.imshow(weights, aspect="auto", interpolation="nearest", **_scale(colours, float(weights.max())))
    _label(ax, maps, queries, keys, colours)
    _bar(ax, image, colours, "attention (square-root scale)")
    _caption(ax, maps, f"layer {layer}, head {head}", colours, _excluded(maps, layer, head))
    return ax


def grid(maps: AttentionMaps, *, dark: bool = False) -> NDArray[Any]:
    """All kept layers × heads as thumbnails with one scale; returns the array of Axes, (layer, head).

    A thumbnail keeps the largest weight of each block of tokens, so that a single hot cell survives.
    """
    thumbnails = [
        [_thumbnail(_shown(maps, layer, head)[0]) for head in maps.heads] for layer in maps.layers
    ]  # fmt: skip
    rows, columns = len(maps.layers), len(maps.heads)
    side = 0.75 if max(rows, columns) > 4 else 1.6
    width, height = max(side * columns + 1.6, 4.6), side * rows + 1.2
    figure, colours = _figure(dark, (width, height))
    axes = np.asarray(figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.08}))
    figure.subplots_adjust(left=0.6 / width, right=1 - 1.0 / width, bottom=0.5 / height, top=1 - 0.6 / height)
    scale = _scale(colours, max(float(t.max()) for row in thumbnails for t in row))
    image: Any = None
    for i, j in np.ndindex(rows, columns):
        ax: Any = axes[i, j]
        image = ax.imshow(thumbnails[i][j], aspect="auto", interpolation="nearest", **scale)
        _quiet(ax, colours)
        ax.set(xticks=[], yticks=[])
        if j == 0:
            ax.set_ylabel(str(maps.layers[i]), color=colours.muted, fontsize=8, rotation=0, ha="right", va="center")
        if i == rows - 1:
            ax.set_xlabel(str(maps.heads[j]), color=colours.muted, fontsize=8)
    place = figure.add_axes((1 - 0.8 / width, 0.5 / height, 0.12 / width, 1 - 1.1 / height))
    _quiet(place, colours)
    figure.colorbar(image, cax=place).outline.set_visible(False)
    place.tick_params(colors=colours.muted, labelsize=8, length=2)
    model = maps.provenance.get("model", "")
    figure.text(
        0.6 / width, 1 - 0.35 / height, f"{model}  ·  layers × heads, square-root scale".removeprefix("  ·  "),
        color=colours.ink, fontsize=9, parse_math=False,
    )  # fmt: skip
    return axes


def statistic(maps: AttentionMaps, name: str, *, ax: "Axes | None" = None, dark: bool = False) -> "Axes":
    """One number for each layer and head, as a small heat map. name: a column of `maps.columns()`; returns the Axes.

    Raises InputError for a statistic that was not kept.
    """
    table = maps.columns()
    if name not in table or name in ("layer", "head"):
        kept = ", ".join(key for key in table if key not in ("layer", "head")) or "none"
        raise InputError(f"there is no statistic {name!r} by layer and head here; kept are: {kept}")
    values = table[name].reshape(len(maps.layers), len(maps.heads))
    ax, colours = _prepared(ax, dark, (max(0.28 * len(maps.heads) + 1.8, 4.2), max(0.22 * len(maps.layers) + 1.4, 2.4)))
    image = ax.imshow(values, aspect="auto", interpolation="nearest", cmap=_map(colours))
    for axis, indices in ((ax.xaxis, maps.heads), (ax.yaxis, maps.layers)):
        places = _thinned(len(indices), 16)
        axis.set_ticks(places, [str(indices[i]) for i in places])
    ax.set_xlabel("head", color=colours.muted, fontsize=8)
    ax.set_ylabel("layer", color=colours.muted, fontsize=8)
    _bar(ax, image, colours, "")
    _caption(ax, maps, name, colours, STATISTICS[name][1])
    return ax


def lines(maps: AttentionMaps, layer: int, head: int, *, ax: "Axes | None" = None, dark: bool = False) -> "Axes":
    """Lines from each query on the left to the keys on the right, as strong as their weights. Returns the Axes.

    Raises InputError for more than 80 queries or keys: choose some, or take a heat map.
    """
    weights, queries, keys = _shown(maps, layer, head)
    if max(weights.shape) > _MOST_LINES:
        raise InputError(f"lines between {max(weights.shape)} tokens cannot be read: choose up to {_MOST_LINES}")
    ax, colours = _prepared(ax, dark, (5.0, 0.22 * max(weights.shape) + 1.2))
    largest = float(weights.max()) or 1.0
    for (i, j), weight in np.ndenumerate(weights):
        share = float(weight) / largest
        if share > 0.02:
            ax.plot([0, 1], [i, j], color=colours.steps[50], alpha=share, linewidth=0.3 + 2.2 * share)
    ax.set(xlim=(0, 1), ylim=(max(weights.shape) - 0.5, -0.5), xticks=[])
    right = ax.secondary_yaxis("right")
    _quiet(right, colours)
    for axis, side, shown in ((ax.yaxis, maps.query_side, queries), (right.yaxis, maps.key_side, keys)):
        axis.set_ticks(range(len(shown)), [_text(side, i) for i in shown])
        _fonts(axis.get_ticklabels(), maps)
    scale = f"{_excluded(maps, layer, head)}; full width is {largest:.2g}".removeprefix("; ")
    _caption(ax, maps, f"layer {layer}, head {head}", colours, scale)
    return ax


def agreement(found: Agreement, *, dark: bool = False) -> NDArray[Any]:
    """Rank correlations of several results and the shares of their top words, side by side; returns both Axes."""
    count, longest = len(found.names), max(map(len, found.names))
    side, labels = max(0.55 * count, 1.6), 0.09 * longest + 0.3
    figure, colours = _figure(dark, (2 * (side + labels) + 0.6, side + labels + 0.6))
    figure.set_layout_engine("constrained")
    axes = np.asarray(figure.subplots(1, 2))
    signed = colours_for(True, dark)
    for ax, values, low, kind, title in (
        (axes[0], found.rank, -1, signed, f"rank correlation of {found.by}s"),
        (axes[1], found.overlap, 0, colours, f"shared words of the top {found.top}"),
    ):
        _quiet(ax, colours)
        ax.imshow(values, vmin=low, vmax=1, cmap=_map(kind))
        for (i, j), value in np.ndenumerate(values):
            said = "—" if np.isnan(value) else f"{value:.2f}" if low else f"{value:.0%}"
            scaled = 0.5 if np.isnan(value) else (value - low) / (1 - low)
            ink = colours.ink if np.isnan(value) else text_on(kind.colour(min(max(scaled, 0.0), 1.0)))
            ax.text(j, i, said, ha="center", va="center", fontsize=8, color=ink)
        ax.set_xticks(range(count), found.names, rotation=90)
        ax.set_yticks(range(count), found.names)
        ax.set_title(title, color=colours.ink, fontsize=8.5, loc="left", parse_math=False)
    return axes


def _shown(maps: AttentionMaps, layer: int, head: int) -> tuple[NDArray[np.float32], list[int], list[int]]:
    """The map without special tokens, and the tokens of its rows and columns."""
    rows = [i for i, query in enumerate(maps.queries) if not maps.query_side.tokens[query].special]
    columns = [i for i, key in enumerate(maps.keys) if not maps.key_side.tokens[key].special]
    if not rows or not columns:
        raise InputError("the chosen queries or keys are all special tokens: choose others to draw")
    weights = maps.weights(layer, head)[np.ix_(rows, columns)]
    return weights, [maps.queries[i] for i in rows], [maps.keys[i] for i in columns]


def _excluded(maps: AttentionMaps, layer: int, head: int) -> str:
    """What special tokens took of the mean query, where it was measured."""
    if "special" not in maps.statistics:
        return ""
    table = maps.columns()
    place = list(zip(table["layer"], table["head"], strict=True)).index(
        (layer if layer >= 0 else maps.layers[layer], head if head >= 0 else maps.heads[head])
    )
    return f"special tokens, left out: {table['special'][place]:.1%}"


def _thumbnail(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    for axis in (0, 1):
        step = math.ceil(weights.shape[axis] / _THUMBNAIL)
        weights = np.maximum.reduceat(weights, np.arange(0, weights.shape[axis], step), axis=axis)
    return weights


def _figure(dark: bool, size: tuple[float, float]) -> tuple[Any, ColourMap]:
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError(
            "figures need matplotlib, which is not installed: pip install 'attnscope[figures]'"
        ) from error
    colours = DARK if dark else LIGHT
    return Figure(figsize=size, facecolor=colours.background), colours


def _prepared(ax: "Axes | None", dark: bool, size: tuple[float, float]) -> tuple["Axes", ColourMap]:
    if ax is None:
        figure, colours = _figure(dark, size)
        figure.set_layout_engine("constrained")
        ax = figure.add_subplot()
    else:
        colours = DARK if dark else LIGHT
    _quiet(ax, colours)
    return ax, colours


def _quiet(ax: Any, colours: ColourMap) -> None:
    ax.set_facecolor(colours.background)
    for spine in ax.spines.values():
        spine.set(edgecolor=colours.muted, linewidth=0.4)
    ax.tick_params(colors=colours.ink, labelsize=8, length=0)


def _map(colours: ColourMap) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap(list(colours.steps))


def _scale(colours: ColourMap, largest: float) -> dict[str, Any]:
    from matplotlib.colors import PowerNorm

    return {"cmap": _map(colours), "norm": PowerNorm(0.5, 0, largest or 1.0)}


def _bar(ax: "Axes", image: Any, colours: ColourMap, label: str) -> None:
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.04, pad=0.02)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=colours.muted, labelsize=8, length=2)
    bar.set_label(label, color=colours.muted, fontsize=8)


def _caption(ax: "Axes", maps: AttentionMaps, what: str, colours: ColourMap, note: str | None) -> None:
    words = maps.parameters.get("unit") == "word"
    size = f"{len(maps.queries)} × {len(maps.keys)} {'words' if words else 'tokens'}"
    facts = [str(maps.provenance.get("model", "")), what, size]
    text = "  ·  ".join(filter(None, facts)) + (f"\n{note}" if note else "")
    ax.set_title(text, color=colours.ink, fontsize=8.5, loc="left", parse_math=False)


def _label(ax: "Axes", maps: AttentionMaps, queries: list[int], keys: list[int], colours: ColourMap) -> None:
    for axis, side, shown in ((ax.yaxis, maps.query_side, queries), (ax.xaxis, maps.key_side, keys)):
        places = _thinned(len(shown), _MOST_LABELS)
        axis.set_ticks(places, [_text(side, shown[i]) for i in places])
        _fonts(axis.get_ticklabels(), maps)
    for label in ax.get_xticklabels():
        label.set_rotation(90)
    ax.set_ylabel("query", color=colours.muted, fontsize=8)
    ax.set_xlabel("key", color=colours.muted, fontsize=8)


def _thinned(count: int, most: int) -> list[int]:
    return list(range(0, count, math.ceil(count / most))) if count else []


def _text(side: Side, token: int) -> str:
    """A token's text with its white space visible, on one line."""
    text = side.tokens[token].text
    shown = text.replace("\n", "⏎").replace("\t", "→").replace(" ", "·")
    shown = "".join(c if c.isprintable() else "□" for c in shown)
    return shown if len(shown) <= _LONGEST_LABEL else shown[: _LONGEST_LABEL - 1] + "…"


def _fonts(labels: Sequence[Any], maps: AttentionMaps) -> None:
    from attnscope.render.fonts import Fonts

    families = Fonts(None, maps.query_side.text + maps.key_side.text).families()
    for label in labels:
        label.set(fontfamily=families, parse_math=False)
