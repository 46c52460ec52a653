"""The figure of a citation: statements × sources, in diverging colours."""

from typing import Any

import numpy as np

from attnscope.errors import InputError
from attnscope.render.colours import colours_for
from attnscope.render.content.citation import name_of, totals
from attnscope.render.figure.look import Look
from attnscope.render.figure.style import excerpt
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.citation.citation import Citation
from attnscope.translation import say

# More columns or rows than these cannot be read: the sources with the largest scores stay.
_MOST = 40
_WIDTH = 46


def render_figure(result: Citation, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    if not result.statements or not result.sources:
        raise InputError("the citation has no statements or no sources, so there is nothing to draw")
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Citation, dark: bool, font: Any) -> Any:
    scores = totals(result)
    sources = sorted(sorted(result.whole, key=lambda i: -scores[i])[:_MOST])
    rows = [excerpt(one.text.strip(), _WIDTH) for one in result.statements[:_MOST]]
    columns = [excerpt(name_of(result, i), 24)[1:-1] for i in sources]
    head = excerpt(result.question, 70)
    look = Look("".join([head, result.method, result.unit, *rows, *columns, "“”…−+0123456789.:,()"]), dark, font)
    matrix = result.scores[: len(rows), sources]
    largest = float(np.abs(matrix).max()) or 1.0
    ax = look.axes((4.6 + 0.34 * len(columns), 1.9 + 1.4 * look.row * len(rows)))
    colours = look.map(colours_for(True, dark))
    image = ax.imshow(matrix, cmap=colours, vmin=-largest, vmax=largest, aspect="auto", interpolation="nearest")
    look.ticks(ax.xaxis, columns)
    look.ticks(ax.yaxis, rows)
    for k in range(len(rows)):
        for place, i in enumerate(sources):
            if i in result.cited(k):
                ax.plot(place, k, marker="o", markersize=3, color=look.colours.ink)
    look.over(ax.figure, (head, say("{method}; dots: cited", method=result.method)))
    look.bar(image, say(result.unit.replace("\n", " ")), ax=ax, shrink=0.9, aspect=18)
    return ax.figure
