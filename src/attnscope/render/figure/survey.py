"""The figure of a survey: the words that matter most in each group of texts, with intervals."""

from typing import Any

from attnscope.render.figure.look import Look
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.corpus.summary import SurveySummary

_WORDS = 15


def render_figure(result: SurveySummary, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf": by the survey's first method."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: SurveySummary, dark: bool, font: Any) -> Any:
    method = result.methods[0]
    groups = [group for group in result.groups if any((r.method, r.group) == (method, group) for r in result.words)]
    letters = "".join((method, *groups, *(row.word for row in result.words if row.method == method), "…"))
    look = Look(letters, dark, font)
    by_group = {g: [row for row in result.words if (row.method, row.group) == (method, g)][:_WORDS] for g in groups}
    most = max(map(len, by_group.values()), default=1)
    figure, places = look.panels(len(groups), 3.0, max(1.1 * look.row * most + 0.6, 1.2), above=0.3, rows_of_words=True)
    for axes, (group, rows) in zip(places, by_group.items(), strict=True):
        rows = rows[::-1]
        means = [row.mean for row in rows]
        errors = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        bars = range(len(rows))
        axes.barh(bars, means, xerr=errors, color=look.colours.steps[40], ecolor=look.colours.muted, height=0.7)
        look.framed(axes)
        look.ticks(axes.yaxis, [f"{row.word} ({row.texts:,})" for row in rows])
        look.title(axes, f"{group}, {result.groups[group]:,} texts")
    said = f"mean score by {method} over texts, 95 % bootstrap interval"
    below = "\n".join(look.fonts.wrapped(said, look.size, 72 * float(figure.get_size_inches()[0]) - 8))
    look.write(figure.supxlabel(below, **look.small), look.colours.muted)
    return figure
