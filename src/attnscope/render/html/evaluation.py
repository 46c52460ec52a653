"""The page of an evaluation: a leaderboard, curves with confidence bands, and texts as the methods see them."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnscope.render.colours import LIGHT
from attnscope.render.content.evaluation import LINES, Plot, cell, facts, plots, quantity, ranked, reading
from attnscope.render.html.escape import Markup, el, joined
from attnscope.render.html.page import colour_rules, definitions, reading_page, root
from attnscope.results.evaluation import ALIKE, YARDSTICK, Evaluation, EvaluationRow, Standing
from attnscope.results.scaling import min_max
from attnscope.translation import say, spoken, told

_EXAMPLES = 6
# Measures of a plot, in the units of its viewBox.
_WIDE, _HIGH, _LEFT, _RIGHT, _BOTTOM = 480, 300, 44, 22, 34


def render_html(result: Evaluation, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    lines = (
        f".l{i}{{--line:light-dark({light},{night})}}"
        for i, (light, night) in enumerate(zip(LINES[False], LINES[True], strict=True))
    )
    look = (":root{--measure:80ch;--size:1rem}", colour_rules(False), *lines)
    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": say("Which explanations are faithful"),
            "facts": definitions((name.strip(), value.strip()) for name, value in facts(result)),
            "body": joined((_leaderboard(result), _curves(result), _examples(result), _skipped(result))),
            "hint": say("Click a column head to sort. Hover or focus a method to find its lines in the curves."),
        },
        root=lambda: root(spoken(), dark),
        style=(*look, "reading/reading.css", "tables/tables.css", "tables/evaluation.css"),
        module="tables/evaluation.js",
        document=result.to_json(),
        lang=lang,
    )


def _curves(result: Evaluation) -> Markup:
    look = {"class": "plots", "lang": spoken(), "aria-label": say("Curves")}
    return el("section", look, (_plot(result, plot) for plot in plots(result)))


def _leaderboard(result: Evaluation) -> Markup:
    standings = {metric: {s.method: s for s in result.standings(metric)} for metric in result.metrics}
    abouts = {metric: result.settings["metrics"][metric] for metric in standings}
    rows = (
        el(
            "tr",
            {"data-method": result.methods.index(method)},
            el("th", {"scope": "row", "tabindex": 0}, method.strip()),
            (_cell(by_method.get(method), by_method) for by_method in standings.values()),
        )
        for method in ranked(result)
    )
    meanings = definitions(
        (
            _spoken(metric),
            say(
                "{meaning}; {better} is better ({paper})",
                meaning=told(about["value"]),
                better=say(about["better"]),
                paper=about["paper"],
            ),
        )
        for metric, about in abouts.items()
    )
    heads = el("tr", None, el("th", None, say("method")), (_head(metric, about) for metric, about in abouts.items()))
    table = el("table", {"class": "all"}, el("thead", None, heads), el("tbody", None, rows))
    return el(
        "section",
        {"lang": spoken()},
        el("h2", None, say("Leaderboard")),
        el("p", {"class": "reading"}, reading()),
        el("div", {"class": "wide"}, table),
        el(
            "details",
            None,
            el("summary", None, say("What the columns mean")),
            el("dl", {"class": "meanings"}, meanings),
        ),
    )


def _head(metric: str, about: Mapping[str, str]) -> Markup:
    """The head of a column; a click sorts by it, the best first."""
    first, arrow = ("descending", "↑") if about["better"] == "higher" else ("ascending", "↓")
    button = el("button", {"type": "button", "title": told(about["value"])}, f"{_spoken(metric)} {arrow}")
    return el("th", {"aria-sort": "none", "data-first": first}, button)


def _spoken(name: str) -> str:
    return say(name.replace("_", " ").strip())


def _cell(standing: Standing | None, standings: dict[str, Standing]) -> Markup:
    if standing is None:
        return el("td", {"data-sort": ""}, "—")
    best = {"class": "best" if standing is next(iter(standings.values())) else None}
    value, interval = cell(standing)
    count = (
        say(" · {count} texts", count=standing.count)
        if standing.count < max(s.count for s in standings.values())
        else ""
    )
    return el("td", {"data-sort": f"{standing.mean:.9g}"}, el("span", best, value), el("small", None, interval + count))


def _plot(result: Evaluation, plot: Plot) -> Markup:
    shares = np.array(result.settings["shares"])
    x = _LEFT + shares * (_WIDE - _LEFT - _RIGHT)

    def y(values: ArrayLike) -> NDArray[np.float64]:
        return np.asarray((_HIGH - _BOTTOM) - np.clip(values, 0, 1) * (_HIGH - _BOTTOM - 10))

    parts = []
    # Quiet lines are drawn first, so that those that stand out lie on top.
    order = sorted(result.methods, key=lambda m: (m in plot.best, m == YARDSTICK))
    for method in order:
        mean, low, high = result.curve(method, plot.name)
        kind = f"l{plot.best.index(method)}" if method in plot.best else "yard" if method == YARDSTICK else "quiet"
        band = " ".join(
            f"{a:.1f},{b:.1f}" for a, b in [*zip(x, y(low), strict=True), *zip(x[::-1], y(high)[::-1], strict=True)]
        )
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y(mean), strict=True))
        parts.append(
            el(
                "g",
                {"class": kind, "data-method": result.methods.index(method)},
                el("polygon", {"points": band}),
                el("polyline", {"points": line}, el("title", None, method.strip())),
            )
        )
    key = [el("li", {"class": f"l{i}"}, method.strip()) for i, method in enumerate(plot.best)]
    if YARDSTICK in result.methods:
        key.append(el("li", {"class": "yard"}, YARDSTICK))
    title = plot.title.strip()
    caption = say(
        "{title}: {quantity}, by share of the words; {better} is better",
        title=title,
        quantity=quantity(result),
        better=say(plot.better),
    )
    picture = {"viewBox": f"0 0 {_WIDE} {_HIGH}", "role": "img", "aria-label": plot.title}
    return el(
        "figure",
        None,
        el("figcaption", None, caption),
        el("svg", picture, el("g", {"class": "axes"}, _axes(y)), parts),
        el("ul", {"class": "key"}, key),
    )


def _axes(y: Callable[[ArrayLike], NDArray[np.float64]]) -> Iterator[Markup]:
    """The grid lines and numbers of a plot; `y` turns a value into a height in the picture."""
    for value in (0, 0.25, 0.5, 0.75, 1):
        height = float(y(value))
        yield el("text", {"x": _LEFT - 8, "y": f"{height + 4:.1f}", "text-anchor": "end"}, f"{value:g}")
        yield el("line", {"x1": _LEFT, "x2": _WIDE - _RIGHT, "y1": f"{height:.1f}", "y2": f"{height:.1f}"})
    for value in (0, 0.5, 1):
        place = {"x": f"{_LEFT + value * (_WIDE - _LEFT - _RIGHT):.1f}", "y": _HIGH - _BOTTOM + 18}
        yield el("text", {**place, "text-anchor": "middle"}, f"{value:.0%}")


def _examples(result: Evaluation) -> Markup:
    """Some texts, with their words as the best methods, the yardstick and people weight them."""
    chosen = [*[m for m in ranked(result) if m != YARDSTICK][:4], YARDSTICK]
    by_text: dict[str, dict[str, EvaluationRow]] = {}
    for row in result.rows:
        by_text.setdefault(row.key, {})[row.method] = row
    blocks = [
        _example(rows, chosen, result.settings.get("quantity") == ALIKE) for rows in list(by_text.values())[:_EXAMPLES]
    ]
    return el("section", {"class": "examples"}, el("h2", {"lang": spoken()}, say("Texts as methods see them")), blocks)


def _example(rows: dict[str, EvaluationRow], chosen: list[str], alike: bool) -> Markup:
    """One text: a line for each of the chosen methods that has a row for it, and one for people."""
    first = next(iter(rows.values()))
    lines = [(method, rows[method].words, rows[method].scores) for method in chosen if method in rows]
    if first.human is not None and any(first.human):
        lines.append((say("people"), first.words, first.human))
    said = say(": cosine {cosine}", cosine=f"{2 * first.probability - 1:.3f}") if alike else f" {first.probability:.1%}"
    if first.gold is not None:
        said += (
            say(", right") if first.gold == first.label else say(", right would be {label}", label=first.gold.strip())
        )
    return el(
        "div",
        {"class": "example"},
        el("p", {"lang": spoken()}, el("bdi", None, first.label.strip()), said),
        (_line(who, words, scores) for who, words, scores in lines),
    )


def _line(who: str, words: tuple[str, ...], scores: tuple[float, ...]) -> Markup:
    steps = (LIGHT.step(float(step)) for step in min_max(scores))
    boxes = (el("span", {"class": f"w s{step}"}, word.strip()) for word, step in zip(words, steps, strict=True))
    return el(
        "div",
        {"class": "line"},
        el("span", {"class": "who", "lang": spoken()}, who.strip()),
        el("span", {"class": "words", "dir": "auto"}, boxes),
    )


def _skipped(result: Evaluation) -> Markup:
    skipped = result.settings.get("skipped") or {}
    if not skipped:
        return Markup()
    return el(
        "section",
        {"lang": spoken()},
        el("h2", None, say("Methods that this model does not take")),
        el(
            "ul",
            {"class": "skipped"},
            (el("li", None, f"{name.strip()}: {told(why.strip())}") for name, why in skipped.items()),
        ),
    )
