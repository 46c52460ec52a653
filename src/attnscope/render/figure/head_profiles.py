"""The figure of head profiles: a grid of layers and heads for each statistic."""

from typing import Any

import numpy as np

from attnscope.render.colours import DARK, LIGHT
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.corpus.head_profiles import HeadProfiles

_COLUMNS = 5


def render_figure(result: HeadProfiles, *, form: str, scale: float, dark: bool = False) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark), form, scale)


def _figure(result: HeadProfiles, dark: bool) -> Any:
    import matplotlib
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    matplotlib.rcParams["font.size"] = 8
    colours = DARK if dark else LIGHT
    layers = sorted({layer for layer, _ in result.places})
    heads = 1 + max(head for _, head in result.places)
    rows = -(-len(result.statistics) // _COLUMNS)
    figure = Figure(figsize=(1.9 * _COLUMNS, 2.6 * rows), facecolor=colours.background, layout="constrained")
    for number, name in enumerate(result.statistics):
        grid = np.full((len(layers), heads), np.nan)
        for (layer, head), value in zip(result.places, result.mean[number], strict=True):
            grid[layers.index(layer), head] = value
        axes = figure.add_subplot(rows, _COLUMNS, number + 1, facecolor=colours.background)
        drawn = axes.imshow(grid, cmap=ListedColormap(list(colours.steps)), aspect="auto", interpolation="nearest")
        axes.set_title(name.replace("_", " "), color=colours.ink, fontsize=8)
        axes.set_xlabel("head", color=colours.muted)
        axes.set_ylabel("layer", color=colours.muted)
        axes.set_yticks(range(0, len(layers), max(1, len(layers) // 6)), layers[:: max(1, len(layers) // 6)])  # type: ignore[arg-type]
        axes.set_xticks(range(0, heads, max(1, heads // 4)))
        axes.tick_params(colors=colours.muted, length=2)
        for spine in axes.spines.values():
            spine.set_visible(False)
        bar = figure.colorbar(drawn, ax=axes, fraction=0.06)
        bar.ax.tick_params(colors=colours.muted, labelsize=6, length=2)
        bar.outline.set_visible(False)
    return figure
