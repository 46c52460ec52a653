"""The figure of a survey: the words that matter most in each group of texts, with intervals."""

from typing import Any

from attnscope.render.figure.style import Look, drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.corpus.summary import SurveySummary

_WORDS = 15


def render_figure(result: SurveySummary, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf": by the survey's first method."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: SurveySummary, dark: bool, font: Any) -> Any:
    method = result.methods[0]
    groups = [group for group in result.groups if any((r.method, r.group) == (method, group) for r in result.words)]
    look = Look("".join(row.word for row in result.words if row.method == method), dark, font)
    figure = look.figure((3.0 * max(1, len(groups)), 3.8))
    figure.set_layout_engine("constrained")
    for number, group in enumerate(groups):
        rows = [row for row in result.words if (row.method, row.group) == (method, group)][:_WORDS][::-1]
        axes = figure.add_subplot(1, len(groups), number + 1, facecolor=look.colours.background)
        places = range(len(rows))
        means = [row.mean for row in rows]
        errors = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        axes.barh(list(places), means, xerr=errors, color=look.colours.steps[40], ecolor=look.colours.muted, height=0.7)
        axes.set_yticks(list(places), [f"{drawable(row.word)} ({row.texts:,})" for row in rows], **look.small)
        axes.set_title(
            f"{drawable(group)}, {result.groups[group]:,} texts", **{**look.small, "color": look.colours.ink}
        )
        axes.tick_params(colors=look.colours.muted, labelsize=7, length=2)
        for side, spine in axes.spines.items():
            spine.set_visible(side in ("left", "bottom"))
            spine.set_color(look.colours.muted)
    figure.supxlabel(f"mean score by {drawable(method)} over texts, 95 % bootstrap interval", **look.small)
    return figure
