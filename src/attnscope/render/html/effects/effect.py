"""The page of a knock-out: the target's value, the likeliest next words and the target's tokens, before and after."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from attnscope.render.colours import LIGHT_SIGNED
from attnscope.render.content.caption import number
from attnscope.render.content.effects import facts, provenance, reading, title, values
from attnscope.render.html.escape import Markup, el, escape_text, joined
from attnscope.render.html.page import colour_rules, definitions, own_language, reading_page, root
from attnscope.results.effects.effect import Effect, TokenEffect
from attnscope.translation import say, spoken, told

_LOOK = ":root{--measure:80ch;--size:1rem}"


def render_html(result: Effect, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    return effects_page(
        result,
        lambda: {
            "title": title(result),
            "facts": facts(result),
            "body": joined(
                (
                    _values(result),
                    _ranking(result),
                    _tokens(result),
                    text_of(result.text),
                    foot_of(result.notes, result.provenance),
                )
            ),
            "hint": say("Click a column head to sort."),
        },
        dark=dark,
        lang=lang,
    )


def effects_page(result: Any, shown: Callable[[], dict[str, Any]], *, dark: bool | None, lang: str | None) -> bytes:
    """A page of effects, UTF-8. shown: its title, facts as pairs, body and hint, in the language that is spoken."""

    def parts() -> dict[str, Any]:
        found = shown()
        return {**found, "facts": definitions((name.strip(), said.strip()) for name, said in found["facts"])}

    return reading_page(
        "tables/tables.html",
        parts,
        root=lambda: root(spoken(), dark, signed=True),
        style=(_LOOK, colour_rules(True), "reading/reading.css", "tables/tables.css", "tables/effects.css"),
        module="tables/effects.js",
        document=result.to_json(),
        lang=lang,
    )


def _values(result: Effect) -> Markup:
    before, after, effect = values(result)
    shown = ((say("before"), before), (say("after"), after), (say("effect"), effect))
    return joined(
        (
            el("dl", {"class": "values", "lang": spoken()}, definitions(shown)),
            el("p", {"class": "reading", "lang": spoken()}, reading(result.quantity)),
        )
    )


def _ranking(result: Effect) -> Markup:
    if not result.ranking:
        return Markup()
    largest = max(max(one.before, one.after) for one in result.ranking) or 1.0
    rows = (
        el(
            "tr",
            None,
            el("th", {"scope": "row", "dir": "auto"}, el("bdi", {"lang": own_language(one.text)}, shown(one.text))),
            (
                _share(share, place, largest)
                for share, place in ((one.before, one.place_before), (one.after, one.place_after))
            ),
            el("td", {"data-sort": f"{one.after - one.before:.9g}"}, f"{100 * (one.after - one.before):+.2f}"),
        )
        for one in result.ranking
    )
    heads = (
        (say("next"), None),
        (say("before"), "descending"),
        (say("after"), "descending"),
        (say("change (points)"), "descending"),
    )
    return section(say("What is likeliest next"), None, table(heads, rows))


def _share(share: float, place: int, largest: float) -> Markup:
    """A probability with its bar and its place."""
    said = el("small", None, say("place {place}", place=f"{place:,}"))
    return el("td", {"data-sort": f"{share:.9g}"}, _bar(100 * share / largest), f"{share:.2%}", said)


def _tokens(result: Effect) -> Markup:
    if len(result.tokens) < 2:
        return Markup()
    largest = max(abs(_change(token)) for token in result.tokens) or 1.0
    rows = (
        el(
            "tr",
            None,
            el("td", {"data-sort": place}, str(place + 1)),
            el("th", {"scope": "row", "dir": "auto"}, el("bdi", {"lang": own_language(token.text)}, shown(token.text))),
            el("td", {"data-sort": f"{token.before:.9g}"}, number(token.before)),
            el("td", {"data-sort": f"{token.after:.9g}"}, number(token.after)),
            coloured(_change(token), largest),
        )
        for place, token in enumerate(result.tokens)
    )
    heads = (
        ("", "ascending"),
        (say("token"), None),
        (say("before"), "descending"),
        (say("after"), "descending"),
        (say("effect"), "descending"),
    )
    said = say("Each token's own value, with the true tokens before it.")
    return section(say("Token by token"), said, table(heads, rows))


def _change(token: TokenEffect) -> float:
    return 0.0 if token.before == token.after else token.before - token.after


def coloured(value: float, largest: float, text: str | None = None) -> Markup:
    """A cell with a value on the diverging colours; `largest` is the strongest."""
    step = LIGHT_SIGNED.step(min(max(0.5 + value / largest / 2, 0.0), 1.0)) if largest else 32
    written = text if text is not None else f"{'+' if value > 0 else ''}{number(value)}"
    return el("td", {"data-sort": f"{value:.9g}"}, el("span", {"class": f"w s{step}"}, written))


def shown(text: str) -> str:
    """A token as it is listed: white space made visible where there is nothing else."""
    return text.strip() or {" ": "␣", "\n": "↵"}.get(text, "␣")


def section(heading: str, said: str | None, *body: Markup) -> Markup:
    """A part of the page."""
    parts = [el("h2", None, heading), *([el("p", {"class": "reading"}, said)] if said else []), *body]
    return el("section", {"lang": spoken()}, parts)


def table(heads: Sequence[tuple[str, str | None]], rows: Iterable[Markup]) -> Markup:
    """A table that scrolls on its own; its heads sort it. heads: their names, and which way each sorts first."""
    cells = (
        el(
            "th",
            {"aria-sort": "none", "data-first": first},
            el("button", {"type": "button", "aria-label": name or say("place")}, name or "#"),
        )
        for name, first in heads
    )
    inside = el("table", {"class": "all"}, el("thead", None, el("tr", None, cells)), el("tbody", None, rows))
    return el("div", {"class": "wide", "tabindex": 0}, inside)


def text_of(text: str) -> Markup:
    """The text, as it was read."""
    return section(
        say("The text"),
        None,
        el("div", {"class": "passage", "dir": "auto", "lang": own_language(text)}, escape_text(text)),
    )


def foot_of(notes: Iterable[str], made: Mapping[str, Any]) -> Markup:
    """What the reader has to know, and with what the result was made."""
    said = (el("p", None, told(note.strip())) for note in notes)
    spans = (el("span", None, f"{name} {value}") for name, value in provenance(made))
    return el("section", {"class": "notes", "lang": spoken()}, said, el("p", {"class": "provenance"}, spans))


def _bar(percent: float) -> Markup:
    return el(
        "svg",
        {"viewBox": "0 0 100 8", "preserveAspectRatio": "none", "aria-hidden": "true", "class": "bar"},
        el("rect", {"width": f"{percent:.4g}", "height": 8}),
    )
