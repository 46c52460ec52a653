"""A matplotlib figure as the bytes of a file. The same figure gives the same bytes: no dates, no random ids."""

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from attnscope.errors import InputError, MissingExtraError
from attnscope.render.figure.paper import drawn_as, paper

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_METADATA: dict[str, dict[str, Any]] = {
    "png": {"Software": None},
    "svg": {"Date": None, "Creator": "attnscope"},
    "pdf": {"CreationDate": None, "Creator": "attnscope", "Producer": "matplotlib"},
}


def file_of(draw: Callable[[], "Figure"], form: str, scale: float = 1) -> bytes:
    """The figure that `draw` returns, as png (`scale` pixels to a point), svg (letters as outlines) or pdf.

    Raises InputError for a scale that is not above 0, MissingExtraError without matplotlib.
    """
    if not scale > 0:
        raise InputError(f"scale={scale!r}: expected pixels per point above 0, such as 2")
    need_matplotlib()
    import matplotlib

    buffer = io.BytesIO()
    with drawn_as(form), matplotlib.rc_context(), warnings.catch_warnings():
        # `fonts` has already warned about it, and named a font to install.
        warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)
        # The user's style (usetex, grids, savefig.bbox) would change the figure.
        matplotlib.rcdefaults()
        # A dollar sign in a text must not start a formula.
        # Publishers refuse Type 3 fonts: 42 embeds TrueType.
        settings: Any = {
            "svg.hashsalt": "attnscope",
            "text.parse_math": False,
            "pdf.fonttype": 42,
            "text.hinting": "none",
        }
        matplotlib.rcParams.update(settings | paper().settings())
        figure = draw()
        figure.savefig(buffer, format=form, dpi=72 * scale, facecolor=figure.get_facecolor(), metadata=_METADATA[form])
    return buffer.getvalue()


def need_matplotlib() -> None:
    """Raises MissingExtraError where matplotlib is not installed."""
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            "figures need matplotlib, which is not installed: pip install 'attnscope[figures]', or save as .html"
        ) from error
