"""Figures that draw themselves at the end of a notebook's cell: pyplot, which draws all others, does not know them.

`ats.plot` gives Axes back. Those of a figure of the caller's own are plain Axes, which pyplot draws.
"""

from collections.abc import Callable
from functools import cache, wraps
from io import BytesIO
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from attnscope.translation import speaking, spoken

P = ParamSpec("P")
T = TypeVar("T")


def in_language(draw: Callable[P, T]) -> Callable[P, T]:
    """Of a function that draws: its parameter `lang` is what is said inside, by default what is spoken outside."""

    @wraps(draw)
    def drawn(*args: P.args, **options: P.kwargs) -> T:
        with speaking(str(options.get("lang") or spoken())):
            return draw(*args, **options)

    return drawn


class Panels(np.ndarray[Any, Any]):
    """An array of Axes; in a notebook's cell it is their figure."""

    def _repr_png_(self) -> bytes | None:
        return png(self.flat[0].figure) if self.ndim and self.size else None


def panels(axes: Any) -> NDArray[Any]:
    """The Axes of one figure as an array."""
    return np.asarray(axes).view(Panels)


@cache
def own_axes() -> type[Any]:
    """The class of Axes of a figure of our own; made when it is first needed, because matplotlib is an extra."""
    from matplotlib.axes import Axes

    class CellAxes(Axes):
        """Axes; in a notebook's cell they are their figure."""

        def _repr_png_(self) -> bytes:
            return png(self.figure)

    return CellAxes


def png(figure: Any) -> bytes:
    """The whole figure at twice the resolution of a plain screen, as notebooks draw them at most that wide."""
    held = BytesIO()
    whole = figure.get_figure(root=True)
    whole.savefig(held, format="png", dpi=144, facecolor=whole.get_facecolor(), bbox_inches="tight")
    return held.getvalue()
