"""The page of the effects of edges: words × layers in colour."""

import numpy as np

from attnscope.render.content.caption import number
from attnscope.render.content.effects import made_with, reading
from attnscope.render.html.effects.effect import LOOK, foot_of, section, shown, text_of
from attnscope.render.html.effects.head_effects import grid, scale
from attnscope.render.html.escape import el, joined
from attnscope.render.html.page import colour_rules, definitions, reading_page, root
from attnscope.results.effects.edge_effects import EdgeEffects

_MOST_TEXTS = 20


def render_html(result: EdgeEffects, *, dark: bool | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    facts = [("model", made_with(result.provenance)), ("target", result.of()), ("from", result.queries)]
    facts.append(("window", f"{result.window} layers"))
    largest = float(np.abs(result.effect).max()) if result.effect.size else 0.0
    low, high = result.intervals()

    def said(i: int, j: int) -> str:
        spread = f" ({number(low[i, j])} to {number(high[i, j])})" if len(result.texts) > 1 else ""
        return f"{result.words[i].strip()}, layer {result.layers[j]}: {number(result.effect[i, j])}{spread}"

    names = ("word", [shown(word) for word in result.words], list(map(str, result.layers)))
    cells = grid(names, result.effect, largest, said)
    body = (
        el("p", {"class": "reading", "lang": "en"}, reading(result.quantity)),
        section("Effect of not looking at a word", result.windows(), scale(largest), cells),
        [text_of(text) for text in result.texts[:_MOST_TEXTS]],
        foot_of(result.notes, result.provenance),
    )
    return reading_page(
        "tables/tables.html",
        title=f"Where words reach the target: {result.of()}",
        style=(LOOK, colour_rules(True), "reading/reading.css", "tables/tables.css", "tables/effects.css"),
        module="tables/effects.js",
        document=result.to_json(),
        root=root("en", dark, signed=True),
        facts=definitions((name, text.strip()) for name, text in facts),
        body=joined(body),
        hint="Hover a cell to read its number.",
    )
