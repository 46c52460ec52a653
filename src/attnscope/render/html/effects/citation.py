"""The page of a citation: the answer's statements on the left, its sources on the right, linked by their scores."""

import numpy as np

from attnscope.render.colours import LIGHT_SIGNED
from attnscope.render.content.caption import number
from attnscope.render.content.citation import NONE, facts, name_of, notes, totals
from attnscope.render.content.effects import provenance
from attnscope.render.html.escape import Markup, el, escape_text, joined
from attnscope.render.html.page import bar, colour_rules, definitions, language, own_language, reading_page, root
from attnscope.results.citation.citation import Citation
from attnscope.translation import say, spoken

_LOOK = ":root{--measure:80ch;--size:1rem}"


def render_html(result: Citation, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": result.question,
            "facts": definitions((name.strip(), said.strip()) for name, said in facts(result)),
            "body": joined((el("div", {"class": "cite"}, _answer(result), _sources(result)), _foot(result))),
            "hint": say(
                "Click a statement to see its own sources, and again for those of the whole answer. Hover for "
                "intervals."
            ),
        },
        root=lambda: root(language(result.question + result.answer), dark, signed=True),
        style=(_LOOK, colour_rules(True), "reading/reading.css", "tables/tables.css", "tables/citation.css"),
        module="tables/citation.js",
        document=result.to_json(),
        lang=lang,
    )


def _answer(result: Citation) -> Markup:
    parts: list[Markup] = []
    cursor = 0
    for k, statement in enumerate(result.statements):
        parts.append(escape_text(result.answer[cursor : statement.start]))
        inside = escape_text(statement.text)
        parts.append(el("span", {"class": "statement", "data-statement": k}, inside))
        parts.append(el("sup", {"lang": spoken()}, _links(result, k)))
        cursor = max(cursor, statement.end)
    parts.append(escape_text(result.answer[cursor:]))
    passage = {"class": "passage", "dir": "auto", "lang": own_language(result.answer)}
    return el(
        "section",
        {"class": "said"},
        el("h2", {"lang": spoken()}, say("Answer")),
        el("div", passage, parts),
    )


def _links(result: Citation, statement: int) -> Markup:
    cited = result.cited(statement)
    if not cited:
        return el("i", None, say(NONE))
    return joined(el("a", {"href": f"#source-{i}"}, el("bdi", None, result.sources[i].name.strip())) for i in cited)


def _sources(result: Citation) -> Markup:
    scores = totals(result)
    largest = max((abs(scores[i]) for i in result.whole), default=0.0)
    order = sorted(result.whole, key=lambda i: -scores[i])
    return el(
        "section",
        {"class": "sources"},
        el("h2", {"lang": spoken()}, say("Sources "), el("small", {"class": "of"}, say("of the whole answer"))),
        el("div", {"class": "list"}, (_source(result, i, scores, largest) for i in order)),
    )


def _source(result: Citation, index: int, scores: list[float], largest: float) -> Markup:
    source = result.sources[index]
    step = f"s{_step(scores[index], largest)}"
    head = el(
        "h3",
        None,
        el("bdi", {"dir": "auto"}, name_of(result, index).strip()),
        el("data", {"class": "score", "lang": spoken(), "dir": "ltr"}, _signed(scores[index])),
    )
    width = 100 * abs(scores[index]) / largest if largest else 0.0
    text = {"class": "passage", "dir": "auto", "lang": own_language(source.text)}
    return el(
        "article",
        {"id": f"source-{index}", "data-source": index, "tabindex": -1},
        head,
        bar(width, step),
        el("div", text, _marked(result, index, scores, largest)),
        _without(result, index),
    )


def _marked(result: Citation, index: int, scores: list[float], largest: float) -> list[Markup]:
    """A source's text; where it was opened, its parts in their colours, the smallest that were scored."""
    text, cursor = result.sources[index].text, 0
    marked: list[Markup] = []
    for i in result.parts(index):
        part = result.sources[i]
        marked.append(escape_text(text[cursor : part.start]))
        inside = _marked(result, i, scores, largest) if result.parts(i) else [escape_text(part.text)]
        look = {"class": f"u s{_step(scores[i], largest)}", "data-source": i, "tabindex": 0}
        marked.append(el("span", look, inside))
        cursor = max(cursor, part.start + len(part.text))
    return [*marked, escape_text(text[cursor:])]


def _without(result: Citation, index: int) -> Markup:
    """What each statement loses without the source: the truth, measured when the page was made."""
    effects = result.effects[:, index]
    if np.isnan(effects).all():
        return el("p", {"class": "reading", "lang": spoken()}, say("Its true effect was not measured."))
    rows = (
        el(
            "tr",
            None,
            el("th", {"scope": "row", "dir": "auto"}, el("bdi", None, statement.text.strip() or "␣")),
            el("td", None, number(statement.value)),
            el("td", None, number(statement.value - effect)),
            el("td", None, _signed(float(effect))),
        )
        for statement, effect in zip(result.statements, effects, strict=True)
    )
    names = say("log-probability of"), say("with it"), say("without it"), say("effect")
    heads = (el("th", {"scope": "col"}, name) for name in names)
    table = el("table", None, el("thead", None, el("tr", None, heads)), el("tbody", None, rows))
    return el(
        "details",
        {"lang": spoken()},
        el("summary", None, say("Without it: {change} nats", change=_signed(-float(effects.sum())))),
        el("div", {"class": "wide", "tabindex": 0}, table),
    )


def _foot(result: Citation) -> Markup:
    made = (el("span", None, f"{name} {said}") for name, said in provenance(result.provenance))
    said = (el("p", {"class": "reading"}, note) for note in notes(result))
    return el("section", {"class": "notes", "lang": spoken()}, said, el("p", {"class": "provenance reading"}, made))


def _step(score: float, largest: float) -> int:
    """The colour of a score, 0 in the middle."""
    return LIGHT_SIGNED.step(min(max(0.5 + score / largest / 2, 0.0), 1.0)) if largest else 32


def _signed(value: float) -> str:
    return f"{'+' if value > 0 else ''}{number(value)}"
