"""Whole results as plot draws them, in png, svg and pdf: attention maps, agreements, per-token results."""

from typing import Any

from attnscope.render.figure import plot
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.agreement import Agreement
from attnscope.results.attention_maps import AttentionMaps
from attnscope.results.per_token import PerToken

Plotted = AttentionMaps | Agreement | PerToken


def render_figure(result: Plotted, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Plotted, dark: bool, font: Any) -> Any:
    how = {"dark": dark, "font": font}
    if isinstance(result, PerToken):
        return plot.per_token(result, **how).figure
    if isinstance(result, Agreement):
        return plot.agreement(result, **how)[0].figure
    if result.codes is None:
        return plot.statistics(result, **how).flat[0].figure
    if len(result.layers) == len(result.heads) == 1:
        return plot.heat_map(result, result.layers[0], result.heads[0], **how).figure
    return plot.grid(result, **how)[0, 0].figure
