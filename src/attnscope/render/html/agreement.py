"""The page of an agreement: the heat maps of one text under each other, line by line the same, and how far they agree.

Maps may be signed or not: both kinds of colours are in the page, signed ones shifted to steps of their own.
"""

import numpy as np
from numpy.typing import NDArray

from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import caption_of, limits, number
from attnscope.render.content.pieces import pieces
from attnscope.render.html.attribution import srcdoc
from attnscope.render.html.page import (
    colour_rules,
    exact,
    facts,
    language,
    own_language,
    provenance,
    reading_page,
    root,
    shown,
    signed_rules,
    sizes,
)
from attnscope.results.agreement import Agreement
from attnscope.results.attribution import Attribution

_STYLE = ("reading/reading.css", "reading/agreement.css")
_KEYS = (("hover, <kbd>Tab</kbd>", "a word in every method; arrow keys walk from word to word and from map to map"),)


def render_html(
    found: Agreement, *, max_line_chars: int = 80, font_size: float = 18, dark: bool | None = None
) -> bytes:
    """The page, UTF-8. Options as in the page of one result."""
    first = found.results[0]
    caption = caption_of(first)
    compared = {"methods": ", ".join(found.names), "words": f"{len(first.words):,}"}
    kept = {name: value for name, value in caption.facts if name in ("model", "target", "unit")}
    return reading_page(
        "reading/agreement.html",
        title="Do the methods agree?",
        style=(sizes(max_line_chars, font_size), colour_rules(False), signed_rules(), *_STYLE),
        module="reading/agreement.js",
        document=found.to_json(),
        root=root(language(first.text), dark),
        facts=facts((kept | compared).items()),
        keys=_KEYS,
        tables=_tables(found),
        ramps=_ramps(found),
        maps="".join(_map(name, one) for name, one in zip(found.names, found.results, strict=True)),
        notes="".join(f"<p>{shown(note)}</p>" for note in _notes(found)),
        provenance=provenance(caption),
    )


def iframe(found: Agreement) -> str:
    """The page for a notebook."""
    return srcdoc(render_html(found).decode(), "Do the methods agree?", 860)


def render_json(found: Agreement) -> bytes:
    """The documented JSON (docs/schema.md)."""
    return found.to_json().encode("utf-8", "backslashreplace")


def render_text(found: Agreement) -> bytes:
    """The table."""
    return found.table().encode()


def _ramps(found: Agreement) -> str:
    """The colours of the kinds of scores that there are."""
    kinds = {one.signed for one in found.results}
    plain = '<i class="ramp"></i><p>least … most</p>' if False in kinds else ""
    signed = '<i class="ramp signed"></i><p>against … for</p>' if True in kinds else ""
    return plain + signed


def _map(name: str, result: Attribution) -> str:
    scaled = result.scaled
    kind = "d" if result.signed else "s"
    parts = []
    for piece in pieces(result):
        if piece.word is None:
            parts.append(exact(piece.text))
        else:
            step = LIGHT.step(float(scaled[piece.word]))
            parts.append(f'<span class="u {kind}{step}">{exact(piece.text)}</span>')
    low, high = limits(result)
    said = "against … for" if result.signed else "least … most"
    return (
        f'<section class="map"><h2 lang="en">{shown(name)}<small>{number(low)} … {number(high)}, {said}</small></h2>'
        f'<div class="passage" dir="auto"{own_language(result.text)}>{"".join(parts)}</div></section>'
    )


def _tables(found: Agreement) -> str:
    return _table(found, f"Rank correlation of {found.by}s", found.rank, True) + _table(
        found, f"Shared words of the top {found.top}", found.overlap, False
    )


def _table(found: Agreement, caption: str, values: NDArray[np.float64], correlation: bool) -> str:
    head = "".join(f'<th scope="col">{shown(name)}</th>' for name in found.names)
    rows = []
    for name, row in zip(found.names, values, strict=True):
        cells = "".join(_cell(float(value), correlation) for value in row)
        rows.append(f'<tr><th scope="row">{shown(name)}</th>{cells}</tr>')
    return (
        f"<div><table><caption>{shown(caption)}</caption><thead><tr><th></th>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cell(value: float, correlation: bool) -> str:
    if np.isnan(value):
        return '<td class="none">—</td>'
    # A correlation runs from -1 to 1 on the diverging colours, a share from 0 to 1 on the others.
    scaled = (value + 1) / 2 if correlation else value
    name = f"{'d' if correlation else 's'}{LIGHT.step(min(max(scaled, 0.0), 1.0))}"
    return f'<td class="{name}">{value:.2f}</td>' if correlation else f'<td class="{name}">{value:.0%}</td>'


def _notes(found: Agreement) -> list[str]:
    notes = ["Each map has its own range. Red words raise the target and blue ones lower it where a method has a sign."]
    for name, one in zip(found.names, found.results, strict=True):
        notes += [f"{name}: {note}" for note in caption_of(one).notes]
    return notes
