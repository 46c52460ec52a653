"""The page of a survey: the words that matter most, by label; a click on a word shows the texts, each drawn."""

from collections.abc import Iterator

from attnscope.render.html.escape import Markup, el, joined
from attnscope.render.html.page import bar, colour_rules, definitions, reading_page, root, signed_rules, span_bar
from attnscope.results.corpus.gathered import Spread
from attnscope.results.corpus.summary import SurveySummary, WordRow
from attnscope.text.visible import model_name
from attnscope.translation import say, spoken

_SHOWN = 25


def render_html(result: SurveySummary, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": say("What the words do"),
            "facts": definitions(_facts(result)),
            "body": _body(result),
            "hint": say("Click a word, or press Enter on it, to see the texts in which it matters most."),
        },
        root=lambda: root(spoken(), dark),
        style=(
            ":root{--measure:80ch;--size:1rem}",
            colour_rules(False),
            signed_rules(),
            "reading/reading.css",
            "tables/tables.css",
            "tables/survey.css",
        ),
        module="tables/survey.js",
        document=result.to_json(),
        lang=lang,
    )


def _facts(result: SurveySummary) -> list[tuple[str, str]]:
    counts = result.counts
    made = [(say("model"), model_name(str(result.provenance.get("model", ""))))]
    made += [(say(name), f"{counts[name]:,}") for name in ("texts", "failed", "words")]
    if counts.get("known"):
        of = say("{count} of {all}", count=f"{counts['wrong']:,}", all=f"{counts['known']:,}")
        made.append((say("wrong"), of))
    return made


def _body(result: SurveySummary) -> Markup:
    reading = say(
        "A word's score in a text is the mean of its occurrences there, raw; mean and 95 % bootstrap interval are over "
        "texts. Words are listed by the end of their interval nearest to 0; those of fewer than {least} texts are left "
        "out. The method says what a score means and when it misleads. Bars of tenths and parts reach from the lower "
        "to the upper quartile of |score| over words; a line marks the median.",
        least=result.least,
    )
    panel = el("section", {"class": "one", "data-part": "texts", "aria-live": "polite", "hidden": True})
    lists = joined(_lists(result, method) for method in result.methods)
    return joined((el("p", {"class": "reading", "lang": spoken()}, reading), panel, lists, _measures(result)))


def _lists(result: SurveySummary, method: str) -> Markup:
    tables = joined(
        _list(group, size, [row for row in result.words if (row.method, row.group) == (method, group)][:_SHOWN])
        for group, size in result.groups.items()
    )
    return el("section", {"lang": spoken()}, el("h2", None, method), el("div", {"class": "lists"}, tables))


def _list(group: str, size: int, rows: list[WordRow]) -> Markup:
    most = max((abs(row.mean) for row in rows), default=0.0) or 1.0
    cells = (
        el(
            "tr",
            None,
            el("th", {"scope": "row"}, _button(row)),
            el("td", {"class": "bar"}, bar(100 * abs(row.mean) / most)),
            el("td", None, f"{row.mean:.3g}", el("small", None, f"{row.low:.3g} … {row.high:.3g}")),
            el("td", None, f"{row.texts:,}"),
        )
        for row in rows
    )
    names = (say("word"), "", say("mean"), say("texts"))
    head = el("tr", None, (el("th", {"scope": "col"}, name) for name in names))
    table = el("table", {"class": "words-list"}, el("thead", None, head), el("tbody", None, cells))
    empty = el("p", {"class": "reading"}, say("No word is in enough of these texts."))
    return el(
        "div",
        None,
        el("h3", None, say("{group} ({count})", group=say(group), count=f"{size:,}")),
        table if rows else empty,
    )


def _button(row: WordRow) -> Markup:
    names = {"type": "button", "data-method": row.method, "data-group": row.group, "data-word": row.word}
    return el("button", names, el("bdi", None, row.word))


def _measures(result: SurveySummary) -> Markup:
    """Scores by position and part, disagreement of methods and with people."""
    lines = el("dl", None, joined(_lines(result)))
    tables = joined(table for method in result.methods for table in _spreads(result, method))
    title = el("h2", None, say("Beyond single words"))
    return el("section", {"lang": spoken()}, title, el("div", {"class": "lists"}, tables), lines)


def _spreads(result: SurveySummary, method: str) -> Iterator[Markup]:
    """How |score| is spread over the tenths of a text and over its parts."""
    tenths = {"1": say("1 (start)"), "10": say("10 (end)")}
    measures = (
        ("tenth", say("{method}: |score| by tenth of the text", method=method), say("tenth")),
        ("segment", say("{method}: |score| by part of the text", method=method), say("part")),
    )
    for by, title, column in measures:
        if rows := result.spread_by(method, by):
            most = max(one.quartiles[2] if one.quartiles else one.mean for one in rows) or 1.0
            names = (tenths.get(one.name, one.name) if by == "tenth" else one.name for one in rows)
            cells = (_spread(one, name, most) for one, name in zip(rows, names, strict=True))
            head = el(
                "tr", None, (el("th", {"scope": "col"}, name) for name in (column, "", say("median"), say("words")))
            )
            table = el("table", {"class": "words-list"}, el("thead", None, head), el("tbody", None, cells))
            yield el("div", None, el("h3", None, title), table)


def _spread(one: Spread, name: str, most: float) -> Markup:
    if one.quartiles is None:
        drawn, said = bar(100 * one.mean / most), el("td", None, f"{one.mean:.3g}", el("small", None, say("mean")))
    else:
        low, middle, high = one.quartiles
        drawn = span_bar(*(100 * value / most for value in one.quartiles))
        said = el("td", None, f"{middle:.3g}", el("small", None, f"{low:.3g} … {high:.3g}"))
    count = "" if one.words is None else f"{one.words:,}"
    named = el("th", {"scope": "row"}, el("bdi", None, name))
    return el("tr", None, named, el("td", {"class": "bar"}, drawn), said, el("td", None, count))


def _lines(result: SurveySummary) -> Iterator[Markup]:
    for one, other, rank, count in result.agreement:
        yield joined(
            (
                el("dt", None, say("{one} and {other}", one=one, other=other)),
                el(
                    "dd",
                    None,
                    say(
                        "mean rank correlation of |score| {rank}, over {count} texts",
                        rank=f"{rank:.2f}",
                        count=f"{count:,}",
                    ),
                ),
            )
        )
    for method, (share, words, count) in result.rationale.items():
        said = say(
            "{share} of |score| on the words that people find important, which are {words} of all; over {count} texts",
            share=f"{share:.0%}",
            words=f"{words:.0%}",
            count=f"{count:,}",
        )
        yield joined((el("dt", None, method), el("dd", None, said)))
