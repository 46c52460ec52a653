"""The figure of head profiles: a grid of layers and heads for each statistic."""

from typing import Any

import numpy as np

from attnscope.render.figure.look import Look
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.corpus.head_profiles import HeadProfiles
from attnscope.translation import say

_COLUMNS = 5


def render_figure(result: HeadProfiles, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: HeadProfiles, dark: bool, font: Any) -> Any:
    names = [say(name.replace("_", " ")) for name in result.statistics]
    look = Look("".join(names), dark, font)
    layers = sorted({layer for layer, _ in result.places})
    heads = 1 + max(head for _, head in result.places)
    figure, places = look.panels(len(names), 1.9, 2.6, above=0.0, most=_COLUMNS)
    for number, (ax, name) in enumerate(zip(places, names, strict=True)):
        grid = np.full((len(layers), heads), np.nan)
        for (layer, head), value in zip(result.places, result.mean[number], strict=True):
            grid[layers.index(layer), head] = value
        image = ax.imshow(grid, cmap=look.map(), aspect="auto", interpolation="nearest")
        look.title(ax, name)
        look.label(ax.xaxis, say("head"))
        look.label(ax.yaxis, say("layer"))
        look.ticks(ax.yaxis, list(map(str, layers)))
        look.ticks(ax.xaxis, list(map(str, range(heads))))
        look.bar(image, ax=ax, fraction=0.06)
    return figure
