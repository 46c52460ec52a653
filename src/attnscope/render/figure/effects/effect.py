"""The figure of a knock-out: the likeliest next words before and after, and the target token by token."""

from typing import Any

from attnscope.render.colours import colours_for
from attnscope.render.content.caption import number
from attnscope.render.content.effects import title, values
from attnscope.render.figure.look import Look
from attnscope.render.figure.style import drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.effects.effect import Effect
from attnscope.translation import say, told

# More rows than these cannot be read.
_MOST = 40


def render_figure(result: Effect, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _figure(result, dark, font), form, scale)


def _figure(result: Effect, dark: bool, font: Any) -> Any:
    tokens = result.tokens[:_MOST] if len(result.tokens) > 1 else ()
    ranking = result.ranking[:_MOST]
    head = f"{title(result)}\n{told(result.target)}"
    names = [*(one.text for one in ranking), *(token.text for token in tokens)]
    letters = "".join([head, *names, "→±+-…0123456789"])
    look = Look(letters, dark, font)
    panels = [count for count in (len(ranking), len(tokens)) if count]
    high = 1.2 * look.row * max(panels, default=1) + 0.6
    figure, axes = look.panels(len(panels), 4.2, high, above=0.7, rows_of_words=True)
    before, after, effect = values(result)
    look.over(figure, (head, say("{before} → {after}, effect {effect}", before=before, after=after, effect=effect)))
    for ax in axes:
        ax.invert_yaxis()
    if ranking:
        _ranking(look, axes[0], result, len(ranking))
    if tokens:
        _tokens(look, axes[-1], result, len(tokens), dark)
    return figure


def _ranking(look: Look, ax: Any, result: Effect, count: int) -> None:
    rows = result.ranking[:count]
    places = range(len(rows))
    ax.barh(
        [p - 0.2 for p in places], [one.before for one in rows], 0.36, color=look.colours.muted, label=say("before")
    )
    ax.barh(
        [p + 0.2 for p in places], [one.after for one in rows], 0.36, color=look.colours.colour(0.6), label=say("after")
    )
    _names(look, ax, [one.text for one in rows])
    look.title(ax, say("probability of what is next"))
    look.key(ax)


def _tokens(look: Look, ax: Any, result: Effect, count: int, dark: bool) -> None:
    rows = result.tokens[:count]
    changes = [0.0 if one.before == one.after else one.before - one.after for one in rows]
    signed = colours_for(True, dark)
    ax.barh(range(count), changes, 0.6, color=[signed.colour(0.85 if change > 0 else 0.15) for change in changes])
    ax.axvline(0, color=look.colours.muted, linewidth=0.6)
    _names(look, ax, [one.text for one in rows])
    left = len(result.tokens) - count
    said = say("effect on each token")
    if left:
        said = say("effect on each token (the first {count} of {all})", count=count, all=count + left)
    span = say("{low} to {high}", low=number(min(changes)), high=number(max(changes)))
    look.title(ax, say("{what}, {scale}", what=said, scale=span))


def _names(look: Look, ax: Any, names: list[str]) -> None:
    look.ticks(ax.yaxis, [drawable(name.strip()[:18]) or "␣" for name in names])
