"""The figure of an evaluation: deletion and insertion curves with confidence bands."""

from typing import Any

from attnscope.errors import InputError
from attnscope.render.colours import DARK, LIGHT
from attnscope.render.content.evaluation import LINES, plots, quantity
from attnscope.render.figure.style import drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.evaluation import YARDSTICK, Evaluation


def render_figure(result: Evaluation, *, form: str, scale: float, dark: bool = False) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    if not plots(result):
        raise InputError("the evaluation has no rows, so there is nothing to draw: evaluate at least one text")
    return file_of(lambda: _figure(result, dark), form, scale)


def _figure(result: Evaluation, dark: bool) -> Any:
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams["font.size"] = 9
    drawn, colours = plots(result), DARK if dark else LIGHT
    figure = Figure(figsize=(4.4 * len(drawn), 3.6), facecolor=colours.background, layout="constrained")
    shares = result.settings["shares"]
    for number, plot in enumerate(drawn):
        axes = figure.add_subplot(1, len(drawn), number + 1, facecolor=colours.background)
        line: dict[str, Any]
        for method in result.methods:
            mean, low, high = result.curve(method, plot.name)
            if method in plot.best:
                line = {
                    "color": LINES[dark][plot.best.index(method)],
                    "linewidth": 1.6,
                    "label": drawable(method),
                    "zorder": 3,
                }
            elif method == YARDSTICK:
                line = {"color": colours.ink, "linewidth": 1.4, "linestyle": "--", "label": method, "zorder": 4}
            else:
                line = {"color": colours.muted, "linewidth": 0.6, "alpha": 0.5, "zorder": 1}
            axes.plot(shares, mean, **line)
            if "label" in line:
                axes.fill_between(shares, low, high, color=line["color"], alpha=0.14, linewidth=0)
        axes.set_title(f"{drawable(plot.title)} ({plot.better} is better)", color=colours.ink, fontsize=9)
        axes.set_xlabel(f"share of the words {'gone' if plot.name == 'deletion' else 'there'}", color=colours.muted)
        axes.set_ylabel(drawable(quantity(result)), color=colours.muted)
        axes.set_xlim(0, 1)
        axes.tick_params(colors=colours.muted)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(colours.muted)
        axes.legend(frameon=False, labelcolor=colours.ink, fontsize=7.5)
    return figure
