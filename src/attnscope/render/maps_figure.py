"""Attention maps as png, svg and pdf: one head as a heat map, several as a grid, statistics alone side by side."""

from typing import Any

from attnscope.maps import AttentionMaps
from attnscope.render import plot
from attnscope.render.paper import file_of


def render_png(maps: AttentionMaps, *, scale: float = 2, **options: Any) -> bytes:
    """The figure as png, `scale` pixels to a point."""
    return file_of(lambda: _figure(maps, **options), "png", scale)


def render_svg(maps: AttentionMaps, **options: Any) -> bytes:
    """The figure as svg, with the letters as outlines."""
    return file_of(lambda: _figure(maps, **options), "svg")


def render_pdf(maps: AttentionMaps, **options: Any) -> bytes:
    """The figure as a pdf page of its own size."""
    return file_of(lambda: _figure(maps, **options), "pdf")


def _figure(maps: AttentionMaps, dark: bool = False, font: Any = None) -> Any:
    if maps.codes is None:
        return plot.statistics(maps, dark=dark, font=font).flat[0].figure
    if len(maps.layers) == len(maps.heads) == 1:
        return plot.heat_map(maps, maps.layers[0], maps.heads[0], dark=dark, font=font).figure
    return plot.grid(maps, dark=dark, font=font)[0, 0].figure
