"""The figure of an evaluation: deletion and insertion curves with confidence bands."""

from typing import Any

from attnscope.errors import InputError
from attnscope.render.content.evaluation import LINES, plots, quantity
from attnscope.render.figure.look import Look
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.evaluation import YARDSTICK, Evaluation
from attnscope.translation import say

# Lines that can be told apart in grey print too.
_STYLES: tuple[Any, ...] = ("-", "-.", (0, (1, 1)), (0, (7, 1.5, 1, 1.5, 1, 1.5)))


def render_figure(result: Evaluation, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    if not plots(result):
        raise InputError(
            "the evaluation has no curves, so there is nothing to draw: evaluate at least one text, with curves=True"
        )
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Evaluation, dark: bool, font: Any) -> Any:
    drawn = plots(result)
    look = Look("".join((*result.methods, *(plot.title for plot in drawn), quantity(result))), dark, font)
    figure, places = look.panels(len(drawn), 4.4, 3.6, above=0.0)
    shares = result.settings["shares"]
    for axes, plot in zip(places, drawn, strict=True):
        line: dict[str, Any]
        for method in result.methods:
            mean, low, high = result.curve(method, plot.name)
            if method in plot.best:
                place = plot.best.index(method)
                line = {
                    "color": LINES[dark][place],
                    "linestyle": _STYLES[place],
                    "linewidth": 1.6,
                    "label": method,
                    "zorder": 3,
                }
            elif method == YARDSTICK:
                line = {"color": look.colours.ink, "linewidth": 1.4, "linestyle": "--", "label": method, "zorder": 4}
            else:
                line = {"color": look.colours.muted, "linewidth": 0.6, "alpha": 0.5, "zorder": 1}
            axes.plot(shares, mean, **line)
            if "label" in line:
                axes.fill_between(shares, low, high, color=line["color"], alpha=0.14, linewidth=0)
        look.framed(axes)
        look.title(axes, say("{title} ({better} is better)", title=plot.title, better=say(plot.better)))
        look.label(
            axes.xaxis, say("share of the words gone") if plot.name == "deletion" else say("share of the words there")
        )
        look.label(axes.yaxis, quantity(result))
        axes.set_xlim(0, 1)
        look.key(axes)
    return figure
