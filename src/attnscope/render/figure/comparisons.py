"""The figure of many comparisons: for each attack, accuracy before and after, flips, and how far attention moved."""

from typing import Any

import numpy as np

from attnscope.errors import InputError
from attnscope.render.figure.look import Look
from attnscope.render.figure.paper import paper
from attnscope.render.figure.style import excerpt
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.comparison import Comparisons, Summary
from attnscope.translation import say

# More rows than these cannot be read: those with the most pairs stay.
_MOST = 30


def render_figure(result: Comparisons, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf". Raises InputError where there are no pairs."""
    if not result.pairs:
        raise InputError("there are no pairs, so there is nothing to draw: compare at least one")
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Comparisons, dark: bool, font: Any) -> Any:
    # By task where nothing tells attacks apart.
    tag = "attack" if len({pair.tags.get("attack") for pair in result.pairs}) > 1 else "task"
    *groups, whole = result.summaries(tag)
    groups = sorted(groups, key=lambda one: -one.count)[:_MOST]
    rows = [*groups, whole] if len(groups) > 1 else [whole]
    names = [f"{excerpt(say(one.name) if one is whole else one.name, 24)[1:-1]} ({one.count:,})" for one in rows]
    look = Look("".join((*names, tag, "×·0123456789%+−–")), dark, font)
    figure = look.figure((6.6, 0.42 * len(rows) + 1.5))
    verdicts, moved = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for ax in (verdicts, moved):
        look.quiet(ax)
        ax.grid(axis="x", color=look.colours.muted, alpha=0.25, linewidth=0.4)
        ax.set_axisbelow(True)
    _verdicts(look, verdicts, rows)
    _moved(look, moved, result, rows, tag)
    verdicts.set_ylim(len(rows) - 0.5, -0.5)
    look.ticks(verdicts.yaxis, names)
    look.over(figure, (say("{count} pairs of texts, by {tag}", count=f"{whole.count:,}", tag=say(tag)),))
    return figure


def _verdicts(look: Look, ax: Any, rows: list[Summary]) -> None:
    """Bars of accuracy before and after where it is known, and of the share of flipped predictions."""
    bars: list[tuple[str, list[float | None], str]] = [
        (say("right before"), [one.before for one in rows], look.colours.muted),
        (say("right after"), [one.after for one in rows], look.colours.colour(0.45)),
        (say("flipped"), [*(one.flips for one in rows)], look.colours.colour(0.85)),
    ]
    known = [(name, values, colour) for name, values, colour in bars if any(v is not None for v in values)]
    high = 0.8 / len(known)
    for number, (name, values, colour) in enumerate(known):
        places = [row + (number - (len(known) - 1) / 2) * high for row in range(len(rows))]
        ax.barh(places, [100 * (v or 0) for v in values], 0.9 * high, color=colour, label=name)
    ax.set_xlim(0, 100)
    look.label(ax.xaxis, say("% of pairs"))
    columns = len(known) if paper().width is None else 1
    look.key(ax, ncols=columns, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)


def _moved(look: Look, ax: Any, result: Comparisons, rows: list[Summary], tag: str) -> None:
    """Each pair a dot, and the mean a line: what the edited words gained of all scores."""
    for row, one in enumerate(rows):
        whole = one is rows[-1]
        points = [100 * p.moved for p in result.pairs if whole or p.tags.get(tag, "—") == one.name]
        spread = np.linspace(-0.2, 0.2, len(points)) if len(points) > 1 else [0.0]
        ax.scatter(points, row + np.asarray(spread), s=8, color=look.colours.colour(0.6), alpha=0.6, linewidth=0)
        ax.plot([100 * one.moved] * 2, [row - 0.32, row + 0.32], color=look.colours.ink, linewidth=1.4)
    ax.axvline(0, color=look.colours.muted, linewidth=0.6)
    look.label(ax.xaxis, say("moved, points of all scores"))
