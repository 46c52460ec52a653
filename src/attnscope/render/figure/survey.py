"""The figure of a survey: the words that matter most in each group, and how scores are spread over the text."""

from collections.abc import Sequence
from typing import Any

from attnscope.render.figure.look import Look
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.corpus.gathered import Spread
from attnscope.results.corpus.summary import SurveySummary
from attnscope.translation import say, told

_WORDS = 15


def render_figure(result: SurveySummary, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf": by the survey's first method."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: SurveySummary, dark: bool, font: Any) -> Any:
    method = result.methods[0]
    groups = [group for group in result.groups if any((r.method, r.group) == (method, group) for r in result.words)]
    spreads = [found for by in ("tenth", "segment") if (found := result.spread_by(method, by))]
    words = [row.word for row in result.words if row.method == method]
    names = [one.name for spread in spreads for one in spread]
    look = Look("".join((method, *groups, *words, *names, "…")), dark, font)
    by_group = {g: [row for row in result.words if (row.method, row.group) == (method, g)][:_WORDS] for g in groups}
    most = max(map(len, (*by_group.values(), *spreads)), default=1)
    high = max(1.1 * look.row * most + 0.6, 1.2)
    count = len(groups) + len(spreads)
    figure, places = look.panels(count, 3.0, high, above=0.3, most=max(2, len(groups)), rows_of_words=True)
    for axes, (group, rows) in zip(places, by_group.items(), strict=False):
        rows = rows[::-1]
        means = [row.mean for row in rows]
        errors = [[row.mean - row.low for row in rows], [row.high - row.mean for row in rows]]
        bars = range(len(rows))
        axes.barh(bars, means, xerr=errors, color=look.colours.steps[40], ecolor=look.colours.muted, height=0.7)
        look.framed(axes)
        look.ticks(axes.yaxis, [f"{row.word} ({row.texts:,})" for row in rows])
        look.title(axes, say("{group}, {count} texts", group=told(group), count=f"{result.groups[group]:,}"))
    for axes, spread in zip(places[len(groups) :], spreads, strict=True):
        _draw_spread(axes, spread[::-1], look)
    said = say("mean score by {method} over texts, 95 % bootstrap interval", method=method)
    if spreads:
        said += say("; by tenth and part: quartiles of |score| over words")
    below = "\n".join(look.fonts.wrapped(said, look.size, 72 * float(figure.get_size_inches()[0]) - 8))
    look.write(figure.supxlabel(below, **look.small), look.colours.muted)
    return figure


def _draw_spread(axes: Any, rows: Sequence[Spread], look: Look) -> None:
    """A box from quartile to quartile for each tenth or part, with a line at the median; of old documents the mean."""
    for place, row in enumerate(rows):
        low, middle, high = row.quartiles or (row.mean,) * 3
        axes.barh(place, high - low, left=low, color=look.colours.steps[40], height=0.7)
        axes.vlines(middle, place - 0.35, place + 0.35, color=look.colours.ink, linewidth=1.2)
    axes.set_xlim(left=0)
    look.framed(axes)
    look.ticks(axes.yaxis, [row.name for row in rows])
    look.title(
        axes, say("|score| by tenth of the text") if rows[0].by == "tenth" else say("|score| by part of the text")
    )
