"""Attention as lines between the words of two columns."""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attnscope.errors import InputError
from attnscope.render.figure.plot.in_cell import in_language
from attnscope.render.figure.plot.page import Page, excluded, shown_of, text_of
from attnscope.render.figure.style import number, size_of
from attnscope.results.attention_maps import AttentionMaps, TextSide
from attnscope.translation import say

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MOST_LINES = 80
# A key that takes more than this share of what is shown is an attention sink.
_SINK = 0.5


@in_language
def lines(
    maps: AttentionMaps,
    layer: int,
    head: int,
    *,
    ax: "Axes | None" = None,
    dark: bool | None = None,
    font: Any = None,
    caption: bool | None = None,
    lang: str | None = None,
) -> "Axes":
    """Lines from each query on the left to the keys on the right, as strong as their weights. Returns the Axes.

    A key that takes more than half of all that is shown is an attention sink: its lines are thin and grey, so that the
    others have the whole scale, and the caption says what it takes. Signed weights have no sink, and two colours.

    Raises InputError for more than 80 queries or keys: choose some, or draw a heat map.
    """
    weights, queries, keys = shown_of(maps, layer, head)
    if max(weights.shape) > _MOST_LINES:
        raise InputError(f"lines between {max(weights.shape)} tokens cannot be read: choose up to {_MOST_LINES}")
    page = Page(maps, dark, font, ax=ax, caption=caption)
    ax = page.axes((5.0, 1.1 * page.row * max(weights.shape) + 1.3))
    sink, note = (None, say("red: positive, blue: negative")) if maps.signed else _sink(weights, maps.key_side, keys)
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
    page.ticks(ax.yaxis, [text_of(maps.query_side, i) for i in queries])
    page.ticks(right.yaxis, [text_of(maps.key_side, i) for i in keys])
    widths = say(
        "the thickest line is {largest}; below {least} none is drawn",
        largest=number(largest), least=number(0.02 * largest),
    )  # fmt: skip
    page.head(ax, say("layer {layer}, head {head}", layer=layer, head=head), widths, note, excluded(maps, layer, head))
    return ax


def _sink(weights: NDArray[np.float32], side: TextSide, keys: list[int]) -> tuple[int | None, str]:
    """The attention sink, the key that takes most of what is shown, if there is one, and a sentence about it."""
    shares = weights.mean(0)
    most = int(shares.argmax())
    if len(shares) < 3 or shares[most] <= _SINK * shares.sum():
        return None, ""
    return (
        most,
        say(
            "grey and thin, off the scale: “{word}”, which takes {share} on average",
            word=text_of(side, keys[most]),
            share=f"{shares[most]:.1%}",
        ),
    )
