"""Pages of comparisons: one pair, or many with a table and a section for each.

The two texts run as a single line of pairs, the left word above, the right word below, so that words stay opposite each
other at every width. Readable without JavaScript: links lead to the pairs of a report.
"""

from collections.abc import Iterable

from attnscope.errors import InputError
from attnscope.render.content.caption import caption_of, number
from attnscope.render.content.comparison import (
    Scale,
    marks,
    moved_text,
    places,
    points,
    restored_text,
    scale_of,
    verdict_sign,
)
from attnscope.render.content.line_breaking import starts_right
from attnscope.render.html.escape import Markup, el, joined
from attnscope.render.html.page import bar, colour_rules, definitions, reading_page, root
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, Summary, WordPair
from attnscope.translation import say, spoken


def render_html(
    result: Comparison | Comparisons, *, font_size: float = 18, dark: bool | None = None, lang: str | None = None
) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    if font_size <= 0:
        raise InputError(f"font_size={font_size!r}: must be positive, such as 18")
    pairs = result.pairs if isinstance(result, Comparisons) else (result,)
    signed = any(side.result.signed for pair in pairs for side in (pair.left, pair.right))
    many = isinstance(result, Comparisons)

    def body() -> Markup:
        if isinstance(result, Comparisons):
            return joined((_overview(result), (_page(number, pair) for number, pair in enumerate(pairs, 1))))
        return el("section", {"class": "single"}, _sheet(result))

    look = f":root{{--measure:80ch;--size:{font_size / 16:g}rem}}"
    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": say("{count} comparisons", count=f"{len(pairs):,}") if many else _title(pairs[0]),
            "body": body(),
            "hint": say(
                "Tab to the words and move with the arrow keys; hover or focus shows a word's scores and ranks."
            ),
        },
        root=lambda: root(spoken(), dark, signed),
        style=(look, colour_rules(signed), "reading/reading.css", "tables/tables.css", "tables/compare.css"),
        module="tables/compare.js",
        document=result.to_json(),
        lang=lang,
    )


def _title(pair: Comparison) -> str:
    return say("{left} against {right}", left=say(pair.left.name), right=say(pair.right.name))


def _page(number: int, pair: Comparison) -> Markup:
    """One of many pairs, with its number."""
    return el(
        "section",
        {"class": "sheet", "id": f"pair-{number}", "aria-label": say("Pair {number}", number=number), "tabindex": -1},
        el("p", {"class": "back", "lang": spoken()}, el("a", {"href": "#overview"}, say("All pairs"))),
        el("h2", {"class": "name"}, say("Pair {number}: ", number=number), _title(pair).strip()),
        _sheet(pair),
    )


def _sheet(pair: Comparison) -> Markup:
    """One pair: facts, verdicts, words, edits."""
    scale = scale_of(pair)
    names = ("model", "method", "target", "quantity", "layer", "head", "query")
    facts = [*pair.tags.items(), *(fact for fact in caption_of(pair.right.result).facts if fact[0] in names)]
    if pair.edits:
        facts.append((say("attention moved to the edits"), moved_text(pair)))
    words = {"class": "pairs", "dir": _direction(pair), "aria-label": say("Words opposite each other")}
    return joined(
        (
            el("dl", {"lang": spoken()}, definitions((say(name.strip()), value.strip()) for name, value in facts)),
            _verdicts(pair),
            _legend(pair, scale),
            el("ol", words, (_word(pair, one, scale) for one in pair.pairs)),
            _edits(pair),
        )
    )


def _direction(pair: Comparison) -> str:
    # dir="auto" would ignore the words, which have directions of their own.
    return "rtl" if starts_right(pair.left.result.text) else "ltr"


def _verdicts(pair: Comparison) -> Markup:
    if not pair.left.probabilities and not pair.right.probabilities:
        return Markup()
    return el("div", {"class": "verdicts", "lang": spoken()}, _verdict(pair, pair.left), _verdict(pair, pair.right))


def _verdict(pair: Comparison, side: ComparedSide) -> Markup:
    sign, kind, spoken = verdict_sign(pair, side)
    rows = (
        el("li", None, el("bdi", None, label.strip() or "␣"), bar(100 * p), el("data", None, f"{p:.1%}"))
        for label, p in side.probabilities
    )
    return el(
        "section",
        {"class": f"verdict {kind}"},
        el("h3", None, say(side.name.strip())),
        el("p", {"class": "said"}, _said(side, sign), " ", el("span", None, spoken)),
        el("ul", None, rows),
    )


def _said(side: ComparedSide, sign: str) -> Markup:
    """A side's prediction, with a sign that says whether it is right."""
    return joined((el("b", {"aria-hidden": "true"}, sign), " ", el("bdi", None, (side.prediction or "—").strip())))


def _legend(pair: Comparison, scale: Scale) -> Markup:
    low, high = el("span", None, number(scale.low)), el("span", None, number(scale.high))
    said = (
        say("{scale}; above ", scale=scale.words),
        el("b", None, say(pair.left.name.strip())),
        say(", below "),
        el("b", None, say(pair.right.name.strip())),
        say(". Underlined words were edited; small figures: change of score, and ranks gained ▲ or lost ▼."),
    )
    ramp = el("div", {"class": "scale"}, low, el("i", {"class": "ramp"}), high)
    return el("div", {"class": "legend", "lang": spoken()}, ramp, el("p", None, said))


def _word(pair: Comparison, one: WordPair, scale: Scale) -> Markup:
    boxes = []
    for side, index, steps in ((pair.left, one.left, scale.left), (pair.right, one.right, scale.right)):
        if index is None:
            boxes.append(el("span", {"class": "gap", "aria-label": say("nothing")}, "∅"))
        else:
            look = {"class": f"w s{steps[index]}", "dir": "auto"}
            boxes.append(el("span", look, side.result.words[index].text.strip() or "␣"))
    return el("li", {"class": one.edit}, boxes, el("small", {"lang": spoken(), "dir": "ltr"}, marks(one)))


def _edits(pair: Comparison) -> Markup:
    if not pair.edits:
        return Markup()
    measured = any(edit.restores is not None for edit in pair.edits)
    ordered = sorted(pair.edits, key=lambda edit: -(edit.restores or 0)) if measured else pair.edits
    names = say(pair.left.name.strip()), say(pair.right.name.strip())
    heads = (*names, say("edit"), say("change"), say("places"))
    rows = (
        (
            _side_word(pair.left, edit.left),
            _side_word(pair.right, edit.right),
            say(edit.edit),
            number(edit.change),
            places(edit),
            *([points(edit.restores)] if measured else []),
        )
        for edit in ordered
    )
    return el(
        "section",
        {"class": "edits", "lang": spoken()},
        el("h3", None, say("Edits that explain the flip") if pair.flipped else say("Edits")),
        el("p", None, restored_text(pair)),
        _table((*heads, say("undone alone")) if measured else heads, rows),
    )


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> Markup:
    """A table that scrolls on its own where it is wider than the page."""
    head = el("thead", None, el("tr", None, (el("th", None, name) for name in heads)))
    body = el("tbody", None, (el("tr", None, (el("td", None, cell) for cell in row)) for row in rows))
    return el("div", {"class": "wide"}, el("table", None, head, body))


def _side_word(side: ComparedSide, index: int | None) -> str:
    return "∅" if index is None else el("bdi", None, side.result.words[index].text.strip())


def _overview(result: Comparisons) -> Markup:
    tags = [tag for tag in ("attack", "task") if any(tag in pair.tags for pair in result.pairs)]
    names = (
        say("pair"),
        say("task"),
        say("attack"),
        say("before"),
        say("after"),
        say("flipped"),
        say("moved"),
        say("edits"),
    )
    heads = (el("th", {"aria-sort": "none"}, el("button", {"type": "button"}, name)) for name in names)
    field = el("input", {"type": "search", "placeholder": say("attack, task, label")})
    rows = (_row(number, pair) for number, pair in enumerate(result.pairs, 1))
    return el(
        "section",
        {"id": "overview", "lang": spoken(), "tabindex": -1},
        ((el("h2", None, say(f"By {tag}")), _summary(result.summaries(tag))) for tag in tags),
        el("h2", None, say("Pairs")),
        el("p", {"class": "filter", "hidden": True}, el("label", None, say("Filter "), field), " ", _STATUS),
        el(
            "div",
            {"class": "wide"},
            el("table", {"class": "all"}, el("thead", None, el("tr", None, heads)), el("tbody", None, rows)),
        ),
    )


_STATUS = el("span", {"role": "status"})


def _row(number: int, pair: Comparison) -> Markup:
    """The row of one pair in the table of all."""
    return el(
        "tr",
        None,
        el("td", {"data-sort": number - 1}, el("a", {"href": f"#pair-{number}"}, str(number))),
        el("td", None, pair.tags.get("task", "—").strip()),
        el("td", None, pair.tags.get("attack", "—").strip()),
        (_prediction(pair, side) for side in (pair.left, pair.right)),
        el("td", None, say("yes") if pair.flipped else say("no")),
        el("td", {"data-sort": f"{pair.moved:.6f}"}, moved_text(pair)),
        el("td", {"data-sort": len(pair.edits)}, str(len(pair.edits))),
    )


def _prediction(pair: Comparison, side: ComparedSide) -> Markup:
    sign, kind, spoken = verdict_sign(pair, side)
    sorted_by = {"class": kind, "data-sort": side.prediction or ""}
    return el("td", sorted_by, _said(side, sign), el("span", {"class": "spoken"}, f" {spoken}"))


def _summary(summaries: list[Summary]) -> Markup:
    heads = ("", say("pairs"), say("right before"), say("right after"), say("flipped"), say("moved (points)"))
    rows = (
        (
            say(one.name.strip()),
            str(one.count),
            _percent(one.before),
            _percent(one.after),
            f"{one.flips:.1%}",
            f"{100 * one.moved:+.1f}",
        )
        for one in summaries
    )
    return _table(heads, rows)


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"
