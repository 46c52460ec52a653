"""The page of a survey: the words that matter most, by label; a click on a word shows the texts, each drawn."""

from collections.abc import Iterator

from attnscope.render.html.escape import Markup, el, joined
from attnscope.render.html.page import bar, colour_rules, definitions, reading_page, root, signed_rules, span_bar
from attnscope.results.corpus.gathered import Spread
from attnscope.results.corpus.summary import SurveySummary, WordRow
from attnscope.text.visible import model_name

_SHOWN = 25


def render_html(result: SurveySummary, *, dark: bool | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    counts = result.counts
    made = {
        "model": model_name(str(result.provenance.get("model", ""))),
        "texts": f"{counts['texts']:,}",
        "failed": f"{counts['failed']:,}",
        "words": f"{counts['words']:,}",
        **({"wrong": f"{counts['wrong']:,} of {counts['known']:,}"} if counts.get("known") else {}),
    }
    reading = (
        "A word's score in a text is the mean of its occurrences there, raw; mean and 95 % bootstrap interval are over "
        "texts. Words are listed by the end of their interval nearest to 0; those of fewer than "
        f"{result.least} texts are left out. The method says what a score means and when it misleads. Bars of "
        "tenths and parts reach from the lower to the upper quartile of |score| over words; a line marks the median."
    )
    panel = el("section", {"class": "one", "data-part": "texts", "aria-live": "polite", "hidden": True})
    lists = joined(_lists(result, method) for method in result.methods)
    return reading_page(
        "tables/tables.html",
        title="What the words do",
        style=(
            ":root{--measure:80ch;--size:1rem}", colour_rules(False), signed_rules(), "reading/reading.css",
            "tables/tables.css", "tables/survey.css",
        ),
        module="tables/survey.js",
        document=result.to_json(),
        root=root("en", dark),
        facts=definitions(made.items()),
        body=joined((el("p", {"class": "reading", "lang": "en"}, reading), panel, lists, _measures(result))),
        hint="Click a word, or press Enter on it, to see the texts in which it matters most.",
    )  # fmt: skip


def _lists(result: SurveySummary, method: str) -> Markup:
    tables = joined(
        _list(group, size, [row for row in result.words if (row.method, row.group) == (method, group)][:_SHOWN])
        for group, size in result.groups.items()
    )
    return el("section", {"lang": "en"}, el("h2", None, method), el("div", {"class": "lists"}, tables))


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
    names = (("word", None), ("", None), ("mean", None), ("texts", None))
    head = el("tr", None, (el("th", {"scope": "col"}, name) for name, _ in names))
    table = el("table", {"class": "words-list"}, el("thead", None, head), el("tbody", None, cells))
    empty = el("p", {"class": "reading"}, "No word is in enough of these texts.")
    return el("div", None, el("h3", None, f"{group} ({size:,})"), table if rows else empty)


def _button(row: WordRow) -> Markup:
    names = {"type": "button", "data-method": row.method, "data-group": row.group, "data-word": row.word}
    return el("button", names, el("bdi", None, row.word))


def _measures(result: SurveySummary) -> Markup:
    """Scores by position and part, disagreement of methods and with people."""
    lines = el("dl", None, joined(_lines(result)))
    tables = joined(table for method in result.methods for table in _spreads(result, method))
    title = el("h2", None, "Beyond single words")
    return el("section", {"lang": "en"}, title, el("div", {"class": "lists"}, tables), lines)


def _spreads(result: SurveySummary, method: str) -> Iterator[Markup]:
    """How |score| is spread over the tenths of a text and over its parts."""
    tenths = {"1": "1 (start)", "10": "10 (end)"}
    for by, title, column in (("tenth", "by tenth of the text", "tenth"), ("segment", "by part of the text", "part")):
        if rows := result.spread_by(method, by):
            most = max(one.quartiles[2] if one.quartiles else one.mean for one in rows) or 1.0
            names = (tenths.get(one.name, one.name) if by == "tenth" else one.name for one in rows)
            cells = (_spread(one, name, most) for one, name in zip(rows, names, strict=True))
            head = el("tr", None, (el("th", {"scope": "col"}, name) for name in (column, "", "median", "words")))
            table = el("table", {"class": "words-list"}, el("thead", None, head), el("tbody", None, cells))
            yield el("div", None, el("h3", None, f"{method}: |score| {title}"), table)


def _spread(one: Spread, name: str, most: float) -> Markup:
    if one.quartiles is None:
        drawn, said = bar(100 * one.mean / most), el("td", None, f"{one.mean:.3g}", el("small", None, "mean"))
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
                el("dt", None, f"{one} and {other}"),
                el("dd", None, f"mean rank correlation of |score| {rank:.2f}, over {count:,} texts"),
            )
        )
    for method, (share, words, count) in result.rationale.items():
        said = f"{share:.0%} of |score| on the words that people find important, which are {words:.0%} of all"
        yield joined((el("dt", None, method), el("dd", None, f"{said}; over {count:,} texts")))
