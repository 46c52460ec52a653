"""What a paper asks of a figure: its size, whether it has a caption and a legend, letters that can be read.

`render` says it for the figure that is being drawn, so that no renderer has to hand it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Literal

from attnscope.errors import InputError

Width = Literal["column", "page"] | float
# A column and a page of two columns, in inches, as ICML and CVPR have them. ACL has 3.03 and 6.3, IEEE 3.5 and 7.16.
WIDTHS = {"column": 3.25, "page": 6.75}
# Larger pictures are posters, smaller ones cannot be read.
_LEAST, _MOST = 1.5, 60.0
# Letters of figures, in points: where they have their own size, and on a paper of a given width.
_PLAIN = {"font": 8.0, "axes.title": 8.5, "axes.label": 8.0, "tick": 8.0, "legend": 7.5}
_SMALL = {"font": 7.0, "axes.title": 7.0, "axes.label": 7.0, "tick": 6.5, "legend": 6.5}
# A panel of a row may shrink to this share of its own width; then the panels stand below each other.
_NARROWEST = 0.6


@dataclass(frozen=True)
class Paper:
    """width, height: in inches; None: as the picture needs. caption: whether title, facts and notes are drawn; legend:
    whether the colours' key is. form: of the file that is being drawn; "" for a figure of the caller's."""

    width: float | None = None
    height: float | None = None
    caption: bool = True
    legend: bool = True
    form: str = ""

    def columns(self, count: int, wide: float) -> int:
        """How many of so many panels stand next to each other, where each is so wide by itself."""
        if self.width is None:
            return max(1, count)
        return max(1, min(count, int(self.width / (_NARROWEST * wide))))

    def settings(self) -> dict[str, Any]:
        """matplotlib's settings for the letters of this figure."""
        sizes = _PLAIN if self.width is None else _SMALL
        return {
            "font.size": sizes["font"],
            "axes.titlesize": sizes["axes.title"],
            "figure.titlesize": sizes["axes.title"],
            "axes.labelsize": sizes["axes.label"],
            "xtick.labelsize": sizes["tick"],
            "ytick.labelsize": sizes["tick"],
            "legend.fontsize": sizes["legend"],
        }


_NONE = Paper()
_PAPER: ContextVar[Paper] = ContextVar("paper", default=_NONE)


def paper() -> Paper:
    """What is asked of the figure that is being drawn."""
    return _PAPER.get()


@contextmanager
def on_paper(
    width: Width | None = None, height: float | None = None, caption: bool = True, legend: bool = True
) -> Iterator[None]:
    """Figures drawn inside are of this size. Raises InputError for a width or height that is none."""
    for name, given in (("caption", caption), ("legend", legend)):
        if not isinstance(given, bool):
            raise InputError(f"{name}={given!r}: expected True or False; a paper's own caption stands in the paper")
    with _asked(Paper(_inches("width", width), _inches("height", height), caption, legend)):
        yield


@contextmanager
def drawn_as(form: str) -> Iterator[None]:
    """A file of this form is drawn inside."""
    with _asked(replace(paper(), form=form)):
        yield


@contextmanager
def _asked(given: Paper) -> Iterator[None]:
    token = _PAPER.set(given)
    try:
        yield
    finally:
        _PAPER.reset(token)


def _inches(name: str, given: Any) -> float | None:
    if given is None or (name == "width" and isinstance(given, str) and given in WIDTHS):
        return None if given is None else WIDTHS[given]
    named = '"column", "page" or ' if name == "width" else ""
    try:
        inches = 0.0 if isinstance(given, bool) else float(given)
    except (TypeError, ValueError):
        inches = 0.0
    least = _LEAST if name == "width" else 0.2
    if not least <= inches <= _MOST:
        raise InputError(f"{name}={given!r}: expected {named}inches from {least} to {_MOST:.0f}, such as 3.25")
    return inches
