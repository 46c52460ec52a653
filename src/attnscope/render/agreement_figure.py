"""How far methods agree, as png, svg and pdf: rank correlations beside shared top words."""

import io
from typing import Any

from attnscope.compared import Agreement
from attnscope.errors import InputError
from attnscope.render import plot
from attnscope.render.figure import _METADATA


def render_png(found: Agreement, *, scale: float = 2, dark: bool = False) -> bytes:
    """The figure as png, `scale` pixels to a point."""
    if not scale > 0:
        raise InputError(f"scale={scale!r}: expected pixels per point above 0, such as 2")
    return _render(found, "png", scale, dark)


def render_svg(found: Agreement, *, dark: bool = False) -> bytes:
    """The figure as svg, with the letters as outlines."""
    return _render(found, "svg", 1, dark)


def render_pdf(found: Agreement, *, dark: bool = False) -> bytes:
    """The figure as a pdf page of its own size."""
    return _render(found, "pdf", 1, dark)


def _render(found: Agreement, form: str, scale: float, dark: bool) -> bytes:
    figure: Any = plot.agreement(found, dark=dark)[0].figure
    import matplotlib

    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "attnscope", "svg.fonttype": "path"}):
        figure.savefig(
            buffer, format=form, dpi=72 * scale, facecolor=figure.get_facecolor(), metadata=_METADATA[form]
        )  # fmt: skip
    return buffer.getvalue()
