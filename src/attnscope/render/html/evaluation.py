"""The page of an evaluation: a leaderboard, curves with bands, and texts as the methods see them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from attnscope.render.colours import LIGHT
from attnscope.render.content.evaluation import LINES, READING, Plot, cell, facts, plots, ranked
from attnscope.render.html.page import attribute, colour_rules, reading_page, root, shown
from attnscope.results.evaluation import YARDSTICK, Evaluation, EvaluationRow, Standing
from attnscope.results.scaling import min_max

_EXAMPLES = 6
# Of a plot, in the units of its viewBox.
_WIDE, _HIGH, _LEFT, _RIGHT, _BOTTOM = 480, 300, 44, 22, 34


def render_html(result: Evaluation, *, dark: bool | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    body = "".join(
        (
            _leaderboard(result),
            '<section class="plots" lang="en" aria-label="Curves">',
            *(_plot(result, plot) for plot in plots(result)),
            "</section>",
            _examples(result),
            _skipped(result),
        )
    )
    lines = (
        f".l{i}{{--line:light-dark({light},{night})}}"
        for i, (light, night) in enumerate(zip(LINES[False], LINES[True], strict=True))
    )
    look = (":root{--measure:80ch;--size:1rem}", colour_rules(False), *lines)
    return reading_page(
        "tables/tables.html",
        title="Which explanations are faithful",
        style=(*look, "reading/reading.css", "tables/tables.css", "tables/evaluation.css"),
        module="tables/evaluation.js",
        document=result.to_json(),
        root=root(' lang="en"', dark),
        facts="".join(f"<div><dt>{shown(k)}</dt><dd>{shown(v)}</dd></div>" for k, v in facts(result)),
        body=body,
        hint="A head of the table sorts it. Hover or focus a method to find its lines in the curves.",
    )


def _leaderboard(result: Evaluation) -> str:
    standings = {metric: {s.method: s for s in result.standings(metric)} for metric in result.metrics}
    heads = "".join(
        f'<th aria-sort="none" data-first="{"descending" if about["better"] == "higher" else "ascending"}">'
        f'<button type="button" title="{attribute(about["value"])}">{shown(metric.replace("_", " "))} '
        f"{'↑' if about['better'] == 'higher' else '↓'}</button></th>"
        for metric, about in ((m, result.settings["metrics"][m]) for m in standings)
    )
    rows = "".join(
        f'<tr data-method="{result.methods.index(method)}"><th scope="row" tabindex="0">{shown(method)}</th>'
        + "".join(_cell(found.get(method), found) for found in standings.values())
        + "</tr>"
        for method in ranked(result)
    )
    meanings = "".join(
        f"<div><dt>{shown(metric.replace('_', ' '))}</dt><dd>{shown(about['value'])}; {about['better']} is better "
        f"({shown(about['paper'])})</dd></div>"
        for metric, about in ((m, result.settings["metrics"][m]) for m in standings)
    )
    return (
        f'<section lang="en"><h2>Leaderboard</h2><p class="reading">{READING}</p>'
        '<div class="wide"><table class="all"><thead><tr><th>method</th>'
        f"{heads}</tr></thead><tbody>{rows}</tbody></table></div><details><summary>What the columns mean</summary>"
        f'<dl class="meanings">{meanings}</dl></details></section>'
    )


def _cell(one: Standing | None, found: dict[str, Standing]) -> str:
    if one is None:
        return '<td data-sort="">—</td>'
    best = ' class="best"' if one is next(iter(found.values())) else ""
    value, interval = cell(one)
    count = f" · {one.count} texts" if one.count < max(s.count for s in found.values()) else ""
    return f'<td data-sort="{one.mean:.9g}"><span{best}>{value}</span><small>{interval}{count}</small></td>'


def _plot(result: Evaluation, plot: Plot) -> str:
    shares = np.array(result.settings["shares"])
    x = _LEFT + shares * (_WIDE - _LEFT - _RIGHT)

    def y(values: ArrayLike) -> NDArray[np.float64]:
        return np.asarray((_HIGH - _BOTTOM) - np.clip(values, 0, 1) * (_HIGH - _BOTTOM - 10))

    parts = []
    # Quiet lines first, so that those that stand out lie above them.
    order = sorted(result.methods, key=lambda m: (m in plot.best, m == YARDSTICK))
    for method in order:
        mean, low, high = result.curve(method, plot.name)
        kind = f"l{plot.best.index(method)}" if method in plot.best else "yard" if method == YARDSTICK else "quiet"
        band = " ".join(
            f"{a:.1f},{b:.1f}" for a, b in [*zip(x, y(low), strict=True), *zip(x[::-1], y(high)[::-1], strict=True)]
        )
        line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y(mean), strict=True))
        parts.append(
            f'<g class="{kind}" data-method="{result.methods.index(method)}"><polygon points="{band}"/>'
            f'<polyline points="{line}"><title>{shown(method)}</title></polyline></g>'
        )
    ticks = "".join(
        f'<text x="{_LEFT - 8}" y="{float(y(v)) + 4:.1f}" text-anchor="end">{v:g}</text>'
        f'<line x1="{_LEFT}" x2="{_WIDE - _RIGHT}" y1="{float(y(v)):.1f}" y2="{float(y(v)):.1f}"/>'
        for v in (0, 0.25, 0.5, 0.75, 1)
    ) + "".join(
        f'<text x="{_LEFT + v * (_WIDE - _LEFT - _RIGHT):.1f}" y="{_HIGH - _BOTTOM + 18}" text-anchor="middle">'
        f"{v:.0%}</text>"
        for v in (0, 0.5, 1)
    )
    key = "".join(f'<li class="l{i}">{shown(method)}</li>' for i, method in enumerate(plot.best))
    key += f'<li class="yard">{YARDSTICK}</li>' if YARDSTICK in result.methods else ""
    return (
        f"<figure><figcaption>{shown(plot.title)}: probability of the label, by share of the words; {plot.better} is "
        f'better</figcaption><svg viewBox="0 0 {_WIDE} {_HIGH}" role="img" aria-label="{attribute(plot.title)}">'
        f'<g class="axes">{ticks}</g>{"".join(parts)}</svg><ul class="key">{key}</ul></figure>'
    )


def _examples(result: Evaluation) -> str:
    """Some texts, with the words as the best methods, the yardstick and people weigh them."""
    chosen = [*[m for m in ranked(result) if m != YARDSTICK][:4], YARDSTICK]
    by_text: dict[str, dict[str, EvaluationRow]] = {}
    for row in result.rows:
        by_text.setdefault(row.key, {})[row.method] = row
    blocks = []
    for rows in list(by_text.values())[:_EXAMPLES]:
        first = next(iter(rows.values()))
        lines = [(m, rows[m].words, rows[m].scores) for m in chosen if m in rows]
        if first.human is not None and any(first.human):
            lines.append(("people", first.words, first.human))
        gold = (
            ""
            if first.gold is None
            else f", right would be {shown(first.gold)}"
            if first.gold != first.label
            else ", right"
        )
        blocks.append(
            f'<div class="example"><p lang="en"><bdi>{shown(first.label)}</bdi> {first.probability:.1%}{gold}</p>'
            + "".join(
                f'<div class="line"><span class="who" lang="en">{shown(who)}</span><span class="words" dir="auto">'
                + "".join(
                    f'<span class="w s{LIGHT.step(float(step))}">{shown(word)}</span>'
                    for word, step in zip(words, min_max(scores), strict=True)
                )
                + "</span></div>"
                for who, words, scores in lines
            )
            + "</div>"
        )
    return f'<section class="examples"><h2 lang="en">Texts as methods see them</h2>{"".join(blocks)}</section>'


def _skipped(result: Evaluation) -> str:
    skipped = result.settings.get("skipped") or {}
    if not skipped:
        return ""
    items = "".join(f"<li>{shown(name)}: {shown(why)}</li>" for name, why in skipped.items())
    return (
        f'<section lang="en"><h2>Methods that this model does not take</h2><ul class="skipped">{items}</ul></section>'
    )
