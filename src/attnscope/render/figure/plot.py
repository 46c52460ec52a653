"""Attention maps, agreements, per-token results on matplotlib axes: a head, all heads, statistics, lines, a matrix.

Each function draws on the Axes it is given, or on a figure of its own that pyplot does not know; the caller's rcParams
are left alone. Special tokens stay out of the picture, and the caption says what they took. `maps.words()` gives words.

Weights span powers of ten, so colours follow a root of the weight, and so do the positions of the legend's numbers.
Those of linear attention are signed: colours diverge from 0, in a grid on each layer's own scale.
font: path of a font file or an installed family, tried before all others.
"""

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.colours import colours_for, text_on
from attnscope.render.content.caption import OF_SEVERAL_TOKENS, caption_of, notes_of_maps, unit
from attnscope.render.figure.style import Look, blocks, drawable, number, pooled, root_of, size_of, thinned
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import STATISTICS, AttentionMaps, TextSide
from attnscope.results.per_token import PerToken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LONGEST_LABEL, _MOST_LINES = 14, 80
# Cells of a heat map and of a thumbnail along an axis: nobody could tell more apart.
_CELLS, _THUMBNAIL = 240, 48
# A key that takes more than this share of what is shown is an attention sink.
_SINK = 0.5
_LARGEST_GRID = 11.0  # inches


def heat_map(
    maps: AttentionMaps, layer: int, head: int, *, ax: "Axes | None" = None, dark: bool = False, font: Any = None
) -> "Axes":
    """One head: queries down, keys across, colour by a root of the weight. Returns the Axes.

    More than 240 tokens are drawn in blocks, each with its largest weight, so that a single hot cell survives.

    Raises RangeError for a layer or head that was not kept, InputError where only statistics were.
    """
    weights, queries, keys = _shown(maps, layer, head)
    high, wide = (0.2 * n for n in weights.shape)
    page = _Page(maps, dark, font)
    ax = page.axes(ax, (min(max(wide, 3.6), 8.0) + 1.6, min(max(high, 1.2), 8.0) + 1.9))
    cells = pooled(weights, _CELLS)
    largest, root = size_of(cells), root_of(weights, maps.signed)
    # Blocks are drawn where their tokens are, so that the labels count tokens.
    height, width = (n * math.ceil(m / n) for n, m in zip(cells.shape, weights.shape, strict=True))
    image = ax.imshow(
        cells, aspect="auto", interpolation="nearest", extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        **page.scale(largest, root),
    )  # fmt: skip
    ax.set(xlim=(-0.5, weights.shape[1] - 0.5), ylim=(weights.shape[0] - 0.5, -0.5))
    page.label(ax, queries, keys)
    page.bar(ax.figure.colorbar(image, ax=ax, fraction=0.04, pad=0.02), largest, root, page.unit)
    notes = blocks(weights, cells, maps.signed), _excluded(maps, layer, head)
    page.title(ax, f"layer {layer}, head {head}", *notes)
    return ax


def grid(maps: AttentionMaps, *, dark: bool = False, font: Any = None) -> NDArray[Any]:
    """All kept layers × heads as thumbnails on a common scale; returns the array of Axes, (layer, head).

    A thumbnail keeps the largest weight of each block of tokens, so that a single hot cell survives. Layers of linear
    attention have no common scale: each has the colours of its own largest weight, which stands beside it.
    """
    rows, columns = len(maps.layers), len(maps.heads)
    whole = _shown(maps, maps.layers[0], maps.heads[0])[0]
    thumbnails = [
        [pooled(_shown(maps, layer, head)[0], _THUMBNAIL) for head in maps.heads] for layer in maps.layers
    ]  # fmt: skip
    side = min(1.6, _LARGEST_GRID / max(rows, columns))
    page = _Page(maps, dark, font)
    text = page.caption(
        f"{rows} {'layers' if rows > 1 else 'layer'} (down) × {columns} {'heads' if columns > 1 else 'head'} (across)",
        blocks(whole, thumbnails[0][0], maps.signed),
        _excluded(maps),
        width=max(60, int(15 * (side * columns + 0.6))),
    )
    top = 0.3 + 0.17 * (text.count("\n") + 1)
    width, height = max(side * columns + 1.8, 5.2), side * rows + top + 0.5
    figure = page.figure((width, height))
    axes = np.asarray(figure.subplots(rows, columns, squeeze=False, gridspec_kw={"wspace": 0.08, "hspace": 0.08}))
    right = 0.6 + side * columns
    figure.subplots_adjust(left=0.6 / width, right=right / width, bottom=0.5 / height, top=1 - top / height)
    of_layers = [max(map(size_of, row)) for row in thumbnails]
    largest, root = max(of_layers), root_of(whole, maps.signed)
    image: Any = None
    for i, j in np.ndindex(rows, columns):
        ax: Any = axes[i, j]
        of_all = of_layers[i] if maps.signed else largest
        image = ax.imshow(thumbnails[i][j], aspect="auto", interpolation="nearest", **page.scale(of_all, root))
        page.quiet(ax)
        ax.set(xticks=[], yticks=[])
        if j == 0:
            size = f"\n±{number(of_all)}" if maps.signed else ""
            ax.set_ylabel(f"{maps.layers[i]}{size}", **page.small, rotation=0, ha="right", va="center")
        if i == rows - 1:
            ax.set_xlabel(str(maps.heads[j]), **page.small)
    high = min(side * rows, 2.6)
    place = figure.add_axes(((right + 0.2) / width, 1 - (top + high) / height, 0.12 / width, high / height))
    page.quiet(place)
    page.grid_bar(figure.colorbar(image, cax=place), of_layers[-1] if maps.signed else largest, root)
    page.write(figure.text(0.2 / width, 1 - 0.15 / height, text, va="top", fontsize=8.5), page.colours.ink)
    return axes


def statistic(
    maps: AttentionMaps, name: str, *, ax: "Axes | None" = None, dark: bool = False, font: Any = None
) -> "Axes":
    """A statistic of each layer and head as a small heat map. name: a column of `maps.columns()`; returns the Axes.

    Raises InputError for a statistic that was not kept.
    """
    table = maps.columns()
    if name not in table or name in ("layer", "head"):
        kept = ", ".join(_statistics(maps)) or "none"
        raise InputError(f"there is no statistic {name!r} by layer and head here; kept are: {kept}")
    page = _Page(maps, dark, font)
    ax = page.axes(ax, (max(0.28 * len(maps.heads) + 1.8, 4.6), max(0.22 * len(maps.layers) + 1.4, 2.4)))
    _panel(page, ax, name, table[name])
    page.title(ax, name, STATISTICS[name][1])
    return ax


def statistics(maps: AttentionMaps, *, dark: bool = False, font: Any = None) -> NDArray[Any]:
    """Every statistic of layer and head that was kept, side by side; returns the Axes of each.

    Raises InputError where there is none.
    """
    names = _statistics(maps)
    if not names:
        raise InputError("there is nothing to draw: neither maps nor a statistic by layer and head was kept")
    table = maps.columns()
    columns = min(len(names), 3)
    rows = math.ceil(len(names) / columns)
    panel = (min(max(0.2 * len(maps.heads) + 1.2, 2.6), 4.0), min(max(0.12 * len(maps.layers) + 1.0, 1.8), 5.0))
    page = _Page(maps, dark, font)
    figure = page.figure((columns * panel[0], rows * panel[1] + 0.7))
    figure.set_layout_engine("constrained")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, name in zip(places, names, strict=False):
        page.quiet(ax)
        _panel(page, ax, name, table[name])
        what = "\n".join(textwrap.wrap(STATISTICS[name][1], int(panel[0] * 14)))
        page.write(ax.set_title(f"{name}\n{what}", fontsize=7.5, loc="left"), page.colours.ink)
    for ax in places[len(names) :]:
        ax.remove()
    text = page.caption("means over queries", width=int(columns * panel[0] * 14))
    page.write(figure.suptitle(text, fontsize=8.5, x=0.01, ha="left"), page.colours.ink)
    return np.asarray(places[: len(names)])


def lines(
    maps: AttentionMaps, layer: int, head: int, *, ax: "Axes | None" = None, dark: bool = False, font: Any = None
) -> "Axes":
    """Lines from each query on the left to the keys on the right, as strong as their weights. Returns the Axes.

    A key that takes more than half of all that is shown is an attention sink: its lines are thin and grey, so that the
    others have the whole scale, and the caption says what it takes. Signed weights have no sink, and two colours.

    Raises InputError for more than 80 queries or keys: choose some, or draw a heat map.
    """
    weights, queries, keys = _shown(maps, layer, head)
    if max(weights.shape) > _MOST_LINES:
        raise InputError(f"lines between {max(weights.shape)} tokens cannot be read: choose up to {_MOST_LINES}")
    page = _Page(maps, dark, font)
    ax = page.axes(ax, (5.0, 0.22 * max(weights.shape) + 1.3))
    sink, note = (None, "red: positive, blue: negative") if maps.signed else _sink(weights, maps.key_side, keys)
    rest = weights.copy()
    if sink is not None:
        rest[:, sink] = 0
        for i, weight in enumerate(weights[:, sink]):
            ax.plot([0, 1], [i, sink], color=page.colours.muted, alpha=0.15 + 0.45 * float(weight), linewidth=0.6)
    sizes = np.abs(rest)
    largest = size_of(rest) or 1.0
    # The strongest are drawn last, on top.
    for place in np.argsort(sizes, axis=None, kind="stable"):
        i, j = np.unravel_index(place, rest.shape)
        share = float(sizes[i, j]) / largest
        if share > 0.02:
            either_side = 0.5 + math.copysign(0.17 + 0.3 * share, rest[i, j])
            colour = page.colours.colour(either_side if maps.signed else 0.35 + 0.6 * share)
            ax.plot([0, 1], [i, j], color=colour, alpha=0.25 + 0.75 * share, linewidth=0.3 + 2.4 * share)
    ax.set(xlim=(0, 1), ylim=(max(weights.shape) - 0.5, -0.5), xticks=[])
    right = ax.secondary_yaxis("right")
    page.quiet(right)
    for axis, side, shown in ((ax.yaxis, maps.query_side, queries), (right.yaxis, maps.key_side, keys)):
        axis.set_ticks(range(len(shown)), [_text(side, i) for i in shown])
        for label in axis.get_ticklabels():
            page.write(label, page.colours.ink)
    widths = f"the thickest line is {number(largest)}; below {number(0.02 * largest)} none is drawn"
    page.title(ax, f"layer {layer}, head {head}", widths, note, _excluded(maps, layer, head))
    return ax


def agreement(found: Agreement, *, dark: bool = False, font: Any = None) -> NDArray[Any]:
    """Rank correlations of several results and the shares of their top words, side by side; returns both Axes."""
    names = [drawable(name) for name in found.names]
    count, longest = len(names), max(map(len, names))
    side, labels = max(0.55 * count, 1.6), 0.09 * longest + 0.3
    look = Look("".join(names) + "—", dark, font)
    figure = look.figure((2 * (side + labels) + 0.6, side + labels + 0.6))
    figure.set_layout_engine("constrained")
    axes = np.asarray(figure.subplots(1, 2))
    for ax, values, low, colours, title in (
        (axes[0], found.rank, -1, colours_for(True, dark), f"rank correlation of {drawable(found.by)}s"),
        (axes[1], found.overlap, 0, look.colours, f"shared words of the top {found.top}"),
    ):
        look.quiet(ax)
        ax.imshow(values, vmin=low, vmax=1, cmap=look.map(colours))
        for (i, j), value in np.ndenumerate(values):
            written = "—" if np.isnan(value) else f"{value:.2f}" if low else f"{value:.0%}"
            scaled = 0.5 if np.isnan(value) else (value - low) / (1 - low)
            ink = look.colours.ink if np.isnan(value) else text_on(colours.colour(min(max(scaled, 0.0), 1.0)))
            family = look.small["fontfamily"]
            ax.text(j, i, written, ha="center", va="center", fontsize=8, color=ink, fontfamily=family)
        ax.set_xticks(range(count), names, rotation=90)
        ax.set_yticks(range(count), names)
        for label in (*ax.get_xticklabels(), *ax.get_yticklabels()):
            label.set_parse_math(False)
        look.write(ax.set_title(title, fontsize=8.5, loc="left"), look.colours.ink)
    return axes


def per_token(result: PerToken, *, ax: "Axes | None" = None, dark: bool = False, font: Any = None) -> "Axes":
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
    caption = caption_of(first)
    left = ("target_token", "value", "words", "tokens")  # facts of the first target alone, or given in a note
    facts = "  ·  ".join(f"{name} {value}" for name, value in caption.facts if name not in left)
    notes = [f"{len(result)} target tokens × {len(first.words)} words; blank: not read by the token"]
    if step > 1:
        notes.append(f"each cell is the strongest of {step} words")
    if any(target.tokens > 1 for target in result.targets):
        notes.append(OF_SEVERAL_TOKENS)
    names = [_label(target.text) for target in result.targets]
    look = Look("".join((first.text, *names, *filter(None, first.names), facts, "·⏎→□…“”×")), dark, font)
    width = min(max(0.2 * cells.shape[1], 3.6), 10.0) + 1.6
    ax = look.axes(ax, (width, min(max(0.2 * len(result), 1.2), 8.0) + 1.9))
    colours = look.map(colours_for(first.signed, dark))
    image = ax.imshow(
        np.ma.masked_invalid(cells), aspect="auto", interpolation="nearest", cmap=colours, vmin=low, vmax=high,
        extent=(-0.5, cells.shape[1] * step - 0.5, len(result) - 0.5, -0.5),
    )  # fmt: skip
    ax.set(xlim=(-0.5, len(first.words) - 0.5))
    look.ticks(ax.yaxis, names)
    look.ticks(ax.xaxis, [_label(name or word.text) for word, name in zip(first.words, first.names, strict=True)])
    ax.set_ylabel("target token", **look.small)
    ax.set_xlabel("word", **look.small)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.04, pad=0.02)
    look.quiet_bar(bar)
    bar.set_label(drawable(unit(first)), **look.small)
    look.over(ax, lambda width: look.wrapped((facts, *notes, *caption.notes), first.text, width))
    return ax


def _sink(weights: NDArray[np.float32], side: TextSide, keys: list[int]) -> tuple[int | None, str]:
    """The attention sink, the key that takes most of what is shown, if there is one, and a sentence about it."""
    shares = weights.mean(0)
    most = int(shares.argmax())
    if len(shares) < 3 or shares[most] <= _SINK * shares.sum():
        return None, ""
    return most, f"grey and thin, off the scale: “{_text(side, keys[most])}”, which takes {shares[most]:.1%} on average"


def _panel(page: "_Page", ax: "Axes", name: str, column: NDArray[Any]) -> None:
    """The numbers of a statistic, layers down and heads across, with their legend."""
    maps = page.maps
    values = column.reshape(len(maps.layers), len(maps.heads))
    image = ax.imshow(
        values,
        aspect="auto",
        interpolation="nearest",
        cmap=page.map(page.ramp),
        vmin=0,
        vmax=float(values.max()) or 1.0,
    )
    for axis, indices, what in ((ax.xaxis, maps.heads, "head"), (ax.yaxis, maps.layers, "layer")):
        places = thinned(len(indices), 16)
        axis.set_ticks(places, [str(indices[i]) for i in places])
        axis.set_label_text(what, **page.small)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.06, pad=0.03)
    page.quiet_bar(bar)
    unit = {"entropy": "nats", "distance": "tokens"}.get(name, "share")
    bar.set_label(unit, **page.small)


class _Page(Look):
    """One picture of `maps`, and what it says about itself."""

    def __init__(self, maps: AttentionMaps, dark: bool, font: Any) -> None:
        self.maps = maps
        letters = maps.query_side.text + maps.key_side.text + self._model() + "·⏎→□…“”×±’"
        super().__init__(letters, dark, font, maps.signed)
        self.unit = "weight of linear attention" if maps.signed else "attention"
        self.ramp = colours_for(False, dark)  # of statistics, which are shares

    def grid_bar(self, bar: Any, largest: float, root: int) -> None:
        """The legend of many heads; of signed ones in shares of each layer's largest weight."""
        self.bar(bar, largest, root, "of the layer’s largest weight" if self.signed else self.unit)
        if self.signed:
            bar.ax.set_yticklabels(["−1", "−¼", "0", "¼", "1"])

    def caption(self, what: str, *notes: str, width: int) -> str:
        """How it was made, which part of which text it shows, and notes, in lines of about `width` characters."""
        unit = "words" if self.maps.asked.unit == "word" else "tokens"
        size = f"{len(self.maps.queries):,} × {len(self.maps.keys):,} {unit}"
        facts = "  ·  ".join(filter(None, [self._model(), what, size]))
        return self.wrapped((facts, *notes, *notes_of_maps(self.maps)), self.maps.query_side.text, width)

    def title(self, ax: "Axes", what: str, *notes: str) -> None:
        """The caption over an Axes."""
        self.over(ax, lambda width: self.caption(what, *notes, width=width))

    def label(self, ax: "Axes", queries: list[int], keys: list[int]) -> None:
        """Tokens along both axes, thinned where there are many."""
        for axis, side, shown in ((ax.yaxis, self.maps.query_side, queries), (ax.xaxis, self.maps.key_side, keys)):
            self.ticks(axis, [_text(side, i) for i in shown])
        ax.set_ylabel("query", **self.small)
        ax.set_xlabel("key", **self.small)

    def _model(self) -> str:
        return drawable(str(self.maps.provenance.get("model") or ""))


def _statistics(maps: AttentionMaps) -> list[str]:
    return [name for name in maps.columns() if name not in ("layer", "head")]


def _shown(maps: AttentionMaps, layer: int, head: int) -> tuple[NDArray[np.float32], list[int], list[int]]:
    """The map without special tokens, and the tokens of its rows and columns."""
    rows = [i for i, query in enumerate(maps.queries) if not maps.query_side.tokens[query].special]
    columns = [i for i, key in enumerate(maps.keys) if not maps.key_side.tokens[key].special]
    if not rows or not columns:
        raise InputError("the chosen queries or keys are all special tokens: choose others to draw")
    weights = maps.weights(layer, head)[np.ix_(rows, columns)]
    return weights, [maps.queries[i] for i in rows], [maps.keys[i] for i in columns]


def _excluded(maps: AttentionMaps, layer: int | None = None, head: int | None = None) -> str:
    """What special tokens took of the mean query's attention, in one head or in all, where it was measured."""
    if "special" not in maps.statistics:
        return ""
    had = "special tokens, left out, had" if maps.signed else "special tokens, left out, took"
    of = " of the weights’ sizes" if maps.signed else ""
    table = maps.columns()
    shares = table["special"]
    if layer is None or head is None:
        if not shares.any():
            return ""
        low, high = float(shares.min()), float(shares.max())
        return f"{had} {shares.mean():.1%}{of} on average ({low:.1%} to {high:.1%} by head)"
    place = list(zip(table["layer"], table["head"], strict=True)).index(
        (layer if layer >= 0 else maps.layers[layer], head if head >= 0 else maps.heads[head])
    )
    return f"{had} {shares[place]:.1%}{of}" if shares[place] else ""


def _text(side: TextSide, token: int) -> str:
    return _label(side.tokens[token].text)


def _label(text: str) -> str:
    """A text with its white space visible, on one line."""
    label = text.replace("\n", "⏎").replace("\t", "→").replace(" ", "·")
    label = "".join(c if c.isprintable() else "□" for c in label)
    return label if len(label) <= _LONGEST_LABEL else label[: _LONGEST_LABEL - 1] + "…"
