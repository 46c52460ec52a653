"""The page of a result: self-contained, no network, no dependency, readable without JavaScript.

The problems it solves:
- The text is text: real spacing and line breaks, found by Ctrl-F, copied whole. Python writes it, escaped.
- 25,000 words open at once: one short element per word, 64 shared colour classes, no style attributes.
- Nothing in the text can run: everything but Markup is escaped, the data is inert JSON, and a content security policy
  allows this page's own script and style by their hashes and nothing else.
"""

from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import caption_of, headline, limits, number, plural, query_text, singular, unit
from attnscope.render.content.pieces import pieces, query_words
from attnscope.render.html.escape import Markup, attributes, el, escape_text, joined
from attnscope.render.html.page import (
    bar,
    chosen,
    colour_rules,
    facts,
    language,
    own_language,
    paragraphs,
    provenance,
    reading_page,
    root,
    sizes,
    ticks,
)
from attnscope.results.attribution import Attribution
from attnscope.translation import say, spoken

_TOP = 12


def keys() -> tuple[tuple[Markup, str], ...]:
    """The page's keys and what they do."""
    return (
        (
            joined((say("hover,"), " ", el("kbd", None, "Tab"))),
            say("a word’s score, scaled score and rank; arrow keys move from word to word"),
        ),
        (joined((say("click,"), " ", el("kbd", None, "Enter"))), say("pin a word; Esc unpins")),
        (el("kbd", None, "w"), say("words or tokens")),
    )


def render_html(
    result: Attribution,
    *,
    max_line_chars: int = 80,
    font_size: float = 18,
    dark: bool | None = None,
    lang: str | None = None,
) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    low, high = limits(result)
    query, text = query_text(result), _text(result)
    return reading_page(
        "reading/attribution.html",
        lambda: {
            "title": caption_of(result).title,
            "facts": facts(caption_of(result).facts),
            "choice": chosen(say("Units"), "unit", (("word", plural(result)), ("token", say("tokens")))),
            "keys": keys(),
            "answer": _answer(result),
            "ranked": ranked(result),
            "text": text,
            "lang": attributes({"lang": own_language(result.text)}),
            "ticks": ticks(number(low), number(low / 2 + high / 2), number(high)),
            "unit": unit(result).strip(),
            "per": singular(result),
            "means": el("p", None, say("the mean is per token")) if result.asked.segments else "",
            "kind": "named" if result.asked.segments else "",
            "scale": caption_of(result).scale,
            "query": el("p", {"class": "asked"}, el("span", {"class": "q"}, query.strip()), say(" is the query"))
            if query
            else "",
            "notes": paragraphs(caption_of(result).notes),
            "top": _top(result),
            "provenance": provenance(caption_of(result)),
        },
        root=lambda: root(language(result.text), dark, result.signed),
        style=(sizes(max_line_chars, font_size), colour_rules(result.signed), "reading/reading.css"),
        module="reading/attribution.js",
        document=result.to_json(),
        lang=lang,
    )


def ranked(result: Attribution) -> str:
    """The heading of the largest scores."""
    return (say("Strongest {units}") if result.signed else say("Highest {units}")).format(units=plural(result))


def _text(result: Attribution) -> Markup:
    """One span per word, in the words' order: the viewer finds a word by counting."""
    scaled = result.scaled
    of_query = frozenset(query_words(result))
    parts = []
    for piece in pieces(result):
        if piece.word is None:
            parts.append(escape_text(piece.text))
            continue
        names = ["u", f"s{LIGHT.step(float(scaled[piece.word]))}"]
        if not piece.text.strip():
            names.append("nl" if "\n" in piece.text else "ws")
        if piece.word in of_query:
            names.append("q")
        parts.append(el("span", {"class": " ".join(names)}, escape_text(piece.text)))
    return joined(parts)


def _answer(result: Attribution) -> Markup:
    """What is explained and how likely it is, large above the text."""
    said = headline(result)
    if said is None:
        return Markup()
    answer, probability = said
    words = el("q", {"dir": "auto", "lang": own_language(answer)}, answer)
    return el("p", {"class": "answer"}, words, " ", el("b", {"lang": spoken()}, probability))


def _top(result: Attribution) -> Markup:
    scaled = result.scaled
    drawn = {p.word: p.text for p in pieces(result) if p.word is not None and p.text.strip()}
    best = sorted(drawn, key=lambda i: (-abs(result.words[i].score) if result.signed else -result.words[i].score, i))[
        :_TOP
    ]
    return joined(
        el(
            "tr",
            None,
            el("td", None, str(place)),
            el("th", {"scope": "row"}, el("bdi", None, result.names[i] or drawn[i].strip())),
            el("td", {"class": "bar"}, bar(_width(result, scaled[i]), f"s{LIGHT.step(float(scaled[i]))}")),
            el("td", {"class": "value"}, number(result.words[i].score), *_mean(result, i)),
        )
        for place, i in enumerate(best, 1)
    )


def _mean(result: Attribution, word: int) -> tuple[Markup, ...]:
    """Beside the sum of a passage its mean per token: long passages have the larger sums for their length alone."""
    if not result.asked.segments:
        return ()
    return (el("small", None, say(" mean {mean}", mean=number(float(result.means[word])))),)


def _width(result: Attribution, scaled: float) -> float:
    """A bar's length in percent; for a signed score, its magnitude."""
    return max(0.5, 100 * abs(2 * scaled - 1) if result.signed else 100 * scaled)
