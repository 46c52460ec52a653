"""The page of the effects of heads: layers × heads in colour, estimate beside exact effect, the strongest heads."""

from collections.abc import Callable

import numpy as np

from attnscope.render.colours import LIGHT_SIGNED
from attnscope.render.content.caption import number
from attnscope.render.content.effects import made_with, reading
from attnscope.render.html.effects.effect import coloured, effects_page, foot_of, section, table, text_of
from attnscope.render.html.escape import Markup, el, joined
from attnscope.results.effects.head_effects import HeadEffects
from attnscope.translation import say, spoken, told

_MOST_ROWS, _MOST_TEXTS = 100, 20
# Measures of the scatter, in the units of its viewBox.
_SIDE, _EDGE = 320, 46


def render_html(result: HeadEffects, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    return effects_page(
        result,
        lambda: {
            "title": say("Which heads matter: {target}", target=told(result.of())),
            "facts": _facts(result),
            "body": _body(result),
            "hint": say("Click a column head to sort. Hover a cell to read its numbers."),
        },
        dark=dark,
        lang=lang,
    )


def _facts(result: HeadEffects) -> list[tuple[str, str]]:
    made = [(say("model"), made_with(result.provenance)), (say("target"), told(result.of())), (say("how"), result.how)]
    return [*made, (say("heads"), f"{sum(result.heads)}"), (say("exact"), f"{int(result.known.sum())}")]


def _body(result: HeadEffects) -> Markup:
    grids = [_grid(result, say("Estimated effect"), result.estimate, 1)]
    if result.known.any():
        grids.append(_grid(result, say("Exact effect"), result.effect, 2))
    return joined(
        (
            el("p", {"class": "reading", "lang": spoken()}, reading(result.quantity)),
            el("div", {"class": "grids"}, grids, _scatter(result)),
            _ranked(result),
            [text_of(text) for text in result.texts[:_MOST_TEXTS]],
            foot_of(result.notes, result.provenance),
        )
    )


def grid(
    names: tuple[str, list[str], list[str]], values: np.ndarray, largest: float, said: Callable[[int, int], str]
) -> Markup:
    """Rows × columns of coloured cells. names: the corner's, the rows', the columns'; said: of a cell, on hovering."""
    corner, rows, columns = names
    head = el("tr", None, el("th", None, corner), (el("th", {"scope": "col"}, name) for name in columns))
    lines = (
        el(
            "tr",
            None,
            el("th", {"scope": "row", "dir": "auto"}, name),
            (_cell(float(values[i, j]), largest, said(i, j)) for j in range(len(columns))),
        )
        for i, name in enumerate(rows)
    )
    inside = el("table", {"class": "grid"}, el("thead", None, head), el("tbody", None, lines))
    return el("div", {"class": "wide", "tabindex": 0}, inside)


def _cell(value: float, largest: float, said: str) -> Markup:
    if np.isnan(value):
        return el("td", {"class": "none", "title": said})
    step = LIGHT_SIGNED.step(min(max(0.5 + value / largest / 2, 0.0), 1.0)) if largest else 32
    return el("td", {"class": f"w s{step}", "title": said}, el("span", {"class": "spoken"}, number(value)))


def scale(largest: float) -> Markup:
    """The legend of the colours."""
    ends = number(-largest), number(largest)
    return el("div", {"class": "scale"}, ends[0], el("i", {"class": "ramp"}), f"+{ends[1]}")


def _grid(result: HeadEffects, heading: str, values: np.ndarray, which: int) -> Markup:
    largest = float(np.nanmax(np.abs(values))) if np.isfinite(values).any() else 0.0
    low, high = result.intervals(which == 2)

    def said(i: int, j: int) -> str:
        if np.isnan(values[i, j]):
            return say("layer {layer}, head {head}: not measured", layer=result.layers[i], head=j)
        spread = spread_of(low[i, j], high[i, j]) if len(result.texts) > 1 else ""
        return f"{_named(result, i, j)}: {number(values[i, j])}{spread}"

    names = (say("layer"), list(map(str, result.layers)), list(map(str, range(values.shape[1]))))
    return section(heading, None, scale(largest), grid(names, values, largest, said))


def _named(result: HeadEffects, row: int, head: int) -> str:
    return say("layer {layer}, head {head}", layer=result.layers[row], head=head)


def spread_of(low: float, high: float) -> str:
    """An interval, behind its value."""
    return say(" ({low} to {high})", low=number(low), high=number(high))


def _scatter(result: HeadEffects) -> Markup:
    """Estimate across, exact effect up, a dot a head."""
    if result.known.sum() < 3:
        return section(say("Estimate against exact"), told(result.agreement()))
    across, up = result.estimate[result.known], result.effect[result.known]
    (left, right), (bottom, top) = limits(across), limits(up)
    room = _SIDE - _EDGE - 12

    def place(x: float, y: float) -> tuple[float, float]:
        return _EDGE + room * (x - left) / (right - left), 12 + room * (top - y) / (top - bottom)

    zero = place(0, 0)
    lines = (
        el("line", {"x1": _EDGE, "x2": _SIDE - 12, "y1": f"{zero[1]:.1f}", "y2": f"{zero[1]:.1f}"}),
        el("line", {"x1": f"{zero[0]:.1f}", "x2": f"{zero[0]:.1f}", "y1": 12, "y2": 12 + room}),
    )
    dots = []
    for row, head in zip(*np.nonzero(result.known), strict=True):
        x, y = place(result.estimate[row, head], result.effect[row, head])
        said = say(
            "{head}: estimate {estimate}, exact {exact}",
            head=_named(result, int(row), int(head)),
            estimate=number(result.estimate[row, head]),
            exact=number(result.effect[row, head]),
        )
        dots.append(el("circle", {"cx": f"{x:.1f}", "cy": f"{y:.1f}", "r": 4}, el("title", None, said)))
    texts = (
        el("text", {"x": _EDGE, "y": _SIDE - 16}, number(left)),
        el("text", {"x": _SIDE - 12, "y": _SIDE - 16, "text-anchor": "end"}, number(right)),
        el("text", {"x": (_SIDE + _EDGE) // 2, "y": _SIDE - 2, "text-anchor": "middle"}, say("estimate")),
        el("text", {"x": _EDGE - 6, "y": 20, "text-anchor": "end"}, number(top)),
        el("text", {"x": _EDGE - 6, "y": 12 + room, "text-anchor": "end"}, number(bottom)),
        el("text", {"x": _EDGE - 6, "y": 12 + room // 2, "text-anchor": "end"}, say("exact")),
    )
    picture = {"viewBox": f"0 0 {_SIDE} {_SIDE}", "role": "img", "aria-label": say("estimate against exact effect")}
    drawn = el("svg", {**picture, "class": "scatter"}, el("g", {"class": "axes"}, lines, texts), dots)
    return section(say("Estimate against exact"), told(result.agreement()), drawn)


def limits(values: np.ndarray) -> tuple[float, float]:
    """The ends of an axis that holds these values and zero, never the same."""
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    room = 0.05 * (high - low) or 1.0
    return low - room, high + room


def _ranked(result: HeadEffects) -> Markup:
    """The strongest heads, with their numbers."""
    largest = float(np.abs(result.best[~np.isnan(result.best)]).max())
    low, high = result.intervals()
    several = len(result.texts) > 1
    rows = []
    for i, head in result.ranked()[:_MOST_ROWS]:
        exact = result.effect[i, head]
        cells = [
            el("td", {"data-sort": result.layers[i]}, str(result.layers[i])),
            el("td", {"data-sort": head}, str(head)),
            coloured(float(result.estimate[i, head]), largest),
            el("td", {"data-sort": ""}, "—") if np.isnan(exact) else coloured(float(exact), largest),
        ]
        if several:
            spread = (
                "—" if np.isnan(exact) else say("{low} to {high}", low=number(low[i, head]), high=number(high[i, head]))
            )
            cells.append(el("td", None, spread))
        rows.append(el("tr", None, cells))
    heads: list[tuple[str, str | None]] = [
        (say("layer"), "ascending"),
        (say("head"), "ascending"),
        (say("estimate"), "descending"),
        (say("exact"), "descending"),
    ]
    return section(say("The strongest heads"), None, table([*heads, *([("95 %", None)] if several else [])], rows))
