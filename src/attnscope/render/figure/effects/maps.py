"""Figures of effects: layers × heads with estimate against exact, and words × layers."""

from typing import Any

import numpy as np

from attnscope.render.colours import colours_for
from attnscope.render.figure.look import Look
from attnscope.render.figure.style import drawable
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.translation import say, told


def render_heads(result: HeadEffects, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure of heads as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _heads(result, dark, font), form, scale)


def render_edges(result: EdgeEffects, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure of edges as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _edges(result, dark, font), form, scale)


def _heads(result: HeadEffects, dark: bool, font: Any) -> Any:
    effects = say("effects of heads (how: {how}) on the {target}", how=result.how, target=told(result.of()))
    head = f"{effects}\n{told(result.agreement())}"
    look = Look(head + "×…0123456789", dark, font)
    exact = bool(result.known.any())
    panels = 3 if result.known.sum() > 2 else 1 + exact
    wide, high = max(2.9, 0.2 * max(result.heads)), max(2.5, 0.15 * len(result.layers))
    figure, axes = look.panels(panels, wide if panels > 1 else max(wide, 4.6), high, above=1.0)
    look.over(figure, (head,))
    _map(look, axes[0], result.estimate, (say("estimate"), say("head"), say("layer")), dark)
    if exact:
        _map(look, axes[1], result.effect, (say("exact"), say("head"), say("layer")), dark)
    for ax in axes[: 1 + exact]:
        look.ticks(ax.xaxis, list(map(str, range(max(result.heads)))))
        look.ticks(ax.yaxis, list(map(str, result.layers)))
    if panels == 3:
        ax = axes[2]
        ax.axhline(0, color=look.colours.muted, linewidth=0.4)
        ax.axvline(0, color=look.colours.muted, linewidth=0.4)
        ax.scatter(result.estimate[result.known], result.effect[result.known], s=12, color=look.colours.colour(0.65))
        for axis, name in ((ax.xaxis, say("estimate")), (ax.yaxis, say("exact"))):
            look.label(axis, name)
    return figure


def _edges(result: EdgeEffects, dark: bool, font: Any) -> Any:
    effect = say(
        "effect on the {target} when {queries} may not look at a word",
        target=told(result.of()), queries=told(result.queries),
    )  # fmt: skip
    head = f"{effect}\n{told(result.windows())}"
    names = [drawable(word.strip()[:24]) or "␣" for word in result.words]
    look = Look("".join([head, *names, "×…␣0123456789"]), dark, font)
    ax = look.axes((max(0.16 * len(result.layers) + 2.6, 4.6), max(1.1 * look.row * len(names), 1.0) + 1.5))
    look.over(ax.figure, (head,))
    _map(look, ax, result.effect, ("", say("layer"), ""), dark)
    look.ticks(ax.xaxis, list(map(str, result.layers)))
    look.ticks(ax.yaxis, names)
    return ax.figure


def _map(look: Look, ax: Any, values: np.ndarray, names: tuple[str, str, str], dark: bool) -> None:
    """A map on the diverging colours, as far to one side as to the other."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(
        values, vmin=-largest, vmax=largest, cmap=look.map(colours_for(True, dark)), aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    title, across, down = names
    look.title(ax, title)
    look.label(ax.xaxis, across)
    look.label(ax.yaxis, down)
    look.bar(image, ticks=[-largest, 0, largest])
