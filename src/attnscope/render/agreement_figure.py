"""How far methods agree, as png, svg and pdf: rank correlations beside shared top words."""

from typing import Any

from attnscope.agreements import Agreement
from attnscope.render import plot
from attnscope.render.paper import file_of


def render_png(found: Agreement, *, scale: float = 2, dark: bool = False, font: Any = None) -> bytes:
    """The figure as png, `scale` pixels to a point."""
    return _render(found, "png", dark, font, scale)


def render_svg(found: Agreement, *, dark: bool = False, font: Any = None) -> bytes:
    """The figure as svg, with the letters as outlines."""
    return _render(found, "svg", dark, font)


def render_pdf(found: Agreement, *, dark: bool = False, font: Any = None) -> bytes:
    """The figure as a pdf page of its own size."""
    return _render(found, "pdf", dark, font)


def _render(found: Agreement, form: str, dark: bool, font: Any, scale: float = 1) -> bytes:
    return file_of(lambda: plot.agreement(found, dark=dark, font=font)[0].figure, form, scale)
