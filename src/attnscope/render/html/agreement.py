"""The page of an agreement: heat maps of the same text one below the other, line by line, and how far they agree.

Some maps may be signed and others not: the page has both colour maps, the signed one under class names of its own.
"""

import numpy as np
from numpy.typing import NDArray

from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import caption_of, limits, number
from attnscope.render.content.pieces import pieces
from attnscope.render.html.escape import Markup, el, escape_text, joined
from attnscope.render.html.page import (
    colour_rules,
    facts,
    language,
    own_language,
    paragraphs,
    provenance,
    reading_page,
    root,
    signed_rules,
    sizes,
)
from attnscope.results.agreement import Agreement
from attnscope.results.attribution import Attribution
from attnscope.translation import say, spoken

_STYLE = ("reading/reading.css", "reading/agreement.css")


def render_html(
    agreement: Agreement,
    *,
    max_line_chars: int = 80,
    font_size: float = 18,
    dark: bool | None = None,
    lang: str | None = None,
) -> bytes:
    """The page, UTF-8. Options as in the page of one result."""
    first = agreement.results[0]
    return reading_page(
        "reading/agreement.html",
        lambda: {
            "title": say("Do the methods agree?"),
            "facts": facts(_facts(agreement)),
            "keys": _keys(),
            "tables": _tables(agreement),
            "ramps": _ramps(agreement),
            "maps": joined(_map(name, one) for name, one in zip(agreement.names, agreement.results, strict=True)),
            "notes": paragraphs(_notes(agreement)),
            "provenance": provenance(caption_of(first)),
        },
        root=lambda: root(language(first.text), dark),
        style=(sizes(max_line_chars, font_size), colour_rules(False), signed_rules(), *_STYLE),
        module="reading/agreement.js",
        document=agreement.to_json(),
        lang=lang,
    )


def _facts(agreement: Agreement) -> list[tuple[str, str]]:
    first = agreement.results[0]
    shared = [fact for fact in caption_of(first).facts if fact[0] in ("model", "target", "unit")]
    return [*shared, ("methods", ", ".join(agreement.names)), ("words", f"{len(first.words):,}")]


def _keys() -> tuple[tuple[str, str], ...]:
    said = say("a word in every method; arrow keys move from word to word and from map to map")
    return ((joined((say("hover,"), " ", el("kbd", None, "Tab"))), said),)


def render_json(agreement: Agreement) -> bytes:
    """The documented JSON (docs/schema.md)."""
    return agreement.to_json().encode("utf-8", "backslashreplace")


def render_text(agreement: Agreement) -> bytes:
    """The table."""
    return agreement.table().encode()


def _ramps(agreement: Agreement) -> Markup:
    """The legends of the colour maps in use."""
    kinds = {result.signed for result in agreement.results}
    ramps = ((False, "ramp", say("least … most")), (True, "ramp signed", say("against … for")))
    return joined(
        joined((el("i", {"class": names}), el("p", None, ends))) for signed, names, ends in ramps if signed in kinds
    )


def _map(name: str, result: Attribution) -> Markup:
    scaled = result.scaled
    kind = "d" if result.signed else "s"
    parts = []
    for piece in pieces(result):
        if piece.word is None:
            parts.append(escape_text(piece.text))
        else:
            step = LIGHT.step(float(scaled[piece.word]))
            parts.append(el("span", {"class": f"u {kind}{step}"}, escape_text(piece.text)))
    low, high = limits(result)
    ends = say("against … for") if result.signed else say("least … most")
    head = el("h2", {"lang": spoken()}, name.strip(), el("small", None, f"{number(low)} … {number(high)}, {ends}"))
    passage = {"class": "passage", "dir": "auto", "lang": own_language(result.text)}
    return el("section", {"class": "map"}, head, el("div", passage, parts))


def _tables(agreement: Agreement) -> Markup:
    return joined(
        (
            _table(agreement, say(f"Rank correlation of {agreement.by}s"), agreement.rank, True),
            _table(agreement, say("Shared words of the top {top}", top=agreement.top), agreement.overlap, False),
        )
    )


def _table(agreement: Agreement, caption: str, values: NDArray[np.float64], correlation: bool) -> Markup:
    head = el("tr", None, el("th"), (el("th", {"scope": "col"}, name.strip()) for name in agreement.names))
    rows = (
        el("tr", None, el("th", {"scope": "row"}, name.strip()), (_cell(float(value), correlation) for value in row))
        for name, row in zip(agreement.names, values, strict=True)
    )
    return el(
        "div", None, el("table", None, el("caption", None, caption), el("thead", None, head), el("tbody", None, rows))
    )


def _cell(value: float, correlation: bool) -> Markup:
    if np.isnan(value):
        return el("td", {"class": "none"}, "—")
    # A correlation runs from -1 to 1 on the diverging colours, a share from 0 to 1 on the sequential ones.
    scaled = (value + 1) / 2 if correlation else value
    name = f"{'d' if correlation else 's'}{LIGHT.step(min(max(scaled, 0.0), 1.0))}"
    return el("td", {"class": name}, f"{value:.2f}" if correlation else f"{value:.0%}")


def _notes(agreement: Agreement) -> list[str]:
    notes = [
        say("Each map has its own range. Red words raise the target and blue ones lower it where a method has a sign.")
    ]
    for name, one in zip(agreement.names, agreement.results, strict=True):
        notes += [f"{name}: {note}" for note in caption_of(one).notes]
    return notes
