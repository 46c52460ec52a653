"""Figures of effects: layers × heads with estimate against exact, and words × layers."""

from typing import Any

import numpy as np

from attnscope.render.colours import colours_for
from attnscope.render.figure.style import Look, drawable, number
from attnscope.render.figure.to_bytes import file_of
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.results.effects.head_effects import HeadEffects


def render_heads(result: HeadEffects, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure of heads as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _heads(result, dark, font), form, scale)


def render_edges(result: EdgeEffects, *, form: str, scale: float, dark: bool = False, font: Any = None) -> bytes:
    """The figure of edges as "png" (`scale` pixels to a point), "svg" or "pdf"."""
    return file_of(lambda: _edges(result, dark, font), form, scale)


def _heads(result: HeadEffects, dark: bool, font: Any) -> Any:
    head = f"effects of heads (how: {result.how}) on the {result.of()}\n{result.agreement()}"
    look = Look(head + "×…0123456789", dark, font)
    exact = bool(result.known.any())
    panels = 3 if result.known.sum() > 2 else 1 + exact
    wide, high = max(2.4, 0.2 * max(result.heads)), max(2.2, 0.15 * len(result.layers))
    figure = look.figure((max(wide * panels + 1.6, 5.6), high + 1.3))
    figure.set_layout_engine("constrained")
    look.write(figure.suptitle(drawable(head), fontsize=8.5, x=0.02, ha="left"), look.colours.ink)
    axes = list(figure.subplots(1, panels, squeeze=False)[0])
    _map(look, axes[0], result.estimate, ("estimate", "head", "layer"), dark)
    if exact:
        _map(look, axes[1], result.effect, ("exact", "head", "layer"), dark)
    for ax in axes[: 1 + exact]:
        look.ticks(ax.xaxis, list(map(str, range(max(result.heads)))))
        look.ticks(ax.yaxis, list(map(str, result.layers)))
    if panels == 3:
        ax = axes[2]
        look.quiet(ax)
        ax.axhline(0, color=look.colours.muted, linewidth=0.4)
        ax.axvline(0, color=look.colours.muted, linewidth=0.4)
        ax.scatter(result.estimate[result.known], result.effect[result.known], s=12, color=look.colours.colour(0.65))
        for axis, name in ((ax.xaxis, "estimate"), (ax.yaxis, "exact")):
            look.write(axis.label, look.colours.muted)
            axis.set_label_text(name, **look.small)
    return figure


def _edges(result: EdgeEffects, dark: bool, font: Any) -> Any:
    head = f"effect on the {result.of()} when {result.queries} may not look at a word\n{result.windows()}"
    names = [drawable(word.strip()[:24]) or "␣" for word in result.words]
    look = Look("".join([head, *names, "×…␣0123456789"]), dark, font)
    figure = look.figure((max(0.16 * len(result.layers) + 2.6, 4.6), max(0.22 * len(names), 1.0) + 1.5))
    figure.set_layout_engine("constrained")
    look.write(figure.suptitle(drawable(head), fontsize=8.5, x=0.02, ha="left"), look.colours.ink)
    ax = figure.add_subplot()
    _map(look, ax, result.effect, ("", "layer", ""), dark)
    look.ticks(ax.xaxis, list(map(str, result.layers)))
    look.ticks(ax.yaxis, names)
    return figure


def _map(look: Look, ax: Any, values: np.ndarray, names: tuple[str, str, str], dark: bool) -> None:
    """A map on the diverging colours, as far to one side as to the other."""
    look.quiet(ax)
    largest = float(np.nanmax(np.abs(values))) or 1.0
    image = ax.imshow(
        values, vmin=-largest, vmax=largest, cmap=look.map(colours_for(True, dark)), aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    title, across, down = names
    look.write(ax.set_title(title, fontsize=8.5, loc="left"), look.colours.ink)
    ax.set_xlabel(across, **look.small)
    ax.set_ylabel(down, **look.small)
    bar = ax.figure.colorbar(image, ax=ax, fraction=0.05, pad=0.03)
    bar.set_ticks([-largest, 0, largest], labels=[number(-largest), "0", number(largest)])
    look.quiet_bar(bar)
