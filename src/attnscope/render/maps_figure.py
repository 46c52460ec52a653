"""Attention maps as png, svg and pdf: one head as a heat map, several as a grid, statistics alone side by side."""

import io
from typing import Any

from attnscope.errors import InputError
from attnscope.maps import AttentionMaps
from attnscope.render import plot
from attnscope.render.figure import METADATA


def render_png(maps: AttentionMaps, *, scale: float = 2, dark: bool = False) -> bytes:
    """The figure as png, `scale` pixels to a point."""
    if not scale > 0:
        raise InputError(f"scale={scale!r}: expected pixels per point above 0, such as 2")
    return _render(maps, "png", scale, dark)


def render_svg(maps: AttentionMaps, *, dark: bool = False) -> bytes:
    """The figure as svg, with the letters as outlines."""
    return _render(maps, "svg", 1, dark)


def render_pdf(maps: AttentionMaps, *, dark: bool = False) -> bytes:
    """The figure as a pdf page of its own size."""
    return _render(maps, "pdf", 1, dark)


def _render(maps: AttentionMaps, form: str, scale: float, dark: bool) -> bytes:
    figure = _figure(maps, dark)
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "attnscope", "svg.fonttype": "path"}):
        figure.savefig(
            buffer, format=form, dpi=72 * scale, facecolor=figure.get_facecolor(), metadata=METADATA[form]
        )  # fmt: skip
    return buffer.getvalue()


def _figure(maps: AttentionMaps, dark: bool) -> Any:
    if maps.codes is not None and len(maps.layers) == len(maps.heads) == 1:
        return plot.heat_map(maps, maps.layers[0], maps.heads[0], dark=dark).figure
    if maps.codes is not None:
        return plot.grid(maps, dark=dark)[0, 0].figure
    names = [name for name in maps.columns() if name not in ("layer", "head")]
    if not names:
        raise InputError("there is nothing to draw: neither maps nor a statistic by layer and head was kept")
    figure, _ = plot._figure(dark, (6.0, len(names) * max(0.22 * len(maps.layers) + 1.4, 2.4)))
    figure.set_layout_engine("constrained")
    for ax, name in zip(figure.subplots(len(names), 1, squeeze=False)[:, 0], names, strict=True):
        plot.statistic(maps, name, ax=ax, dark=dark)
    return figure
