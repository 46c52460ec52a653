"""The page of head profiles: a grid of layers and heads for each statistic; a click on a head says what it is for."""

import numpy as np

from attnscope.render.colours import LIGHT
from attnscope.render.html.escape import Markup, el, joined
from attnscope.render.html.page import colour_rules, definitions, reading_page, root
from attnscope.results.corpus.head_profiles import PROFILE, HeadProfiles
from attnscope.text.visible import model_name
from attnscope.translation import say, spoken, told

_READING = (
    "A row is a layer, a cell a head; the darker, the larger the mean over texts, from the smallest to the largest of "
    "the grid. What a head attends to is not what the model relies on: knock it out to see what changes without it."
)


def render_html(result: HeadProfiles, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": say("What the heads do"),
            "facts": definitions(_facts(result)),
            "body": _body(result),
            "hint": say(
                "Click a head, or press Enter on it, to see all its statistics and the texts in which they are largest."
            ),
        },
        root=lambda: root(spoken(), dark),
        style=(
            ":root{--measure:80ch;--size:1rem}",
            colour_rules(False),
            "reading/reading.css",
            "tables/tables.css",
            "tables/heads.css",
        ),
        module="tables/heads.js",
        document=result.to_json(),
        lang=lang,
    )


def _facts(result: HeadProfiles) -> list[tuple[str, str]]:
    made = [(say("model"), model_name(str(result.provenance.get("model", ""))))]
    made.append((say("heads"), f"{len(result.places):,}"))
    if result.other is not None:
        made.append((say("beside"), model_name(str(result.other.provenance.get("model", "")))))
    return made


def _body(result: HeadProfiles) -> Markup:
    hidden = {"class": "one", "data-part": "head", "aria-live": "polite", "hidden": True}
    grids = el("div", {"class": "grids"}, (_section(result, i) for i in range(len(result.statistics))))
    reading = el("p", {"class": "reading", "lang": spoken()}, say(_READING))
    return joined((reading, el("section", hidden, el("h2", None, say("Head"))), grids))


def _section(result: HeadProfiles, index: int) -> Markup:
    name = result.statistics[index]
    meaning, paper = PROFILE.get(name, ("", ""))
    best = ", ".join(f"{layer}.{head}" for layer, head in result.strongest_heads(name, 5))
    values = result.mean[index]
    known = values[~np.isnan(values)]
    ends = f"{known.min():.3g} … {known.max():.3g}" if len(known) else "—"
    grids = [_grid(result, name, [float(v) for v in values], index)]
    if result.other is not None and name in result.other.statistics:
        theirs = [result.other_mean(name, place) for place in result.places]
        grids.append(_grid(result, name, theirs, None))
    return el(
        "section",
        {"lang": spoken()},
        el("h2", None, say(name.replace("_", " "))),
        el(
            "p",
            {"class": "reading"},
            say(
                "{meaning} ({paper}). {ends}. Strongest: {heads}.",
                meaning=told(meaning),
                paper=paper,
                ends=ends,
                heads=best or "—",
            ),
        ),
        el("div", {"class": "pair"}, grids),
    )


def _grid(result: HeadProfiles, name: str, values: list[float], index: int | None) -> Markup:
    """The heads' values as a table; of the model itself (not one beside it) a cell is a button."""
    mine = [v for v in [*result.mean[result.statistics.index(name)], *values] if not np.isnan(v)]
    low, high = (min(mine), max(mine)) if mine else (0.0, 0.0)
    rows: dict[int, list[Markup]] = {}
    for place, ((layer, head), value) in enumerate(zip(result.places, values, strict=True)):
        said = say("head {layer}.{head}: {value}", layer=layer, head=head, value=f"{value:.3g}")
        if index is not None and result.count[index, place] > 1:
            said += f" [{result.low[index, place]:.3g}, {result.high[index, place]:.3g}]"
        step = None if np.isnan(value) else f"s{LIGHT.step(0.5 if high == low else (value - low) / (high - low))}"
        head_of = {"type": "button", "data-head": f"{layer}.{head}", "title": said, "aria-label": said}
        inside = el("button", head_of) if index is not None else el("span", {"title": said})
        rows.setdefault(layer, []).append(el("td", {"class": step}, inside))
    body = (el("tr", None, el("th", {"scope": "row"}, str(layer)), cells) for layer, cells in rows.items())
    caption = "" if index is not None else model_name(str(result.other.provenance.get("model", "")))  # type: ignore[union-attr]
    return el("table", {"class": "grid"}, el("caption", None, caption) if caption else "", el("tbody", None, body))
