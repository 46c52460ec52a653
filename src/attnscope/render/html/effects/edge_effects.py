"""The page of the effects of edges: words × layers in colour."""

import numpy as np

from attnscope.render.content.caption import number
from attnscope.render.content.effects import made_with, reading
from attnscope.render.html.effects.effect import effects_page, foot_of, section, shown, text_of
from attnscope.render.html.effects.head_effects import grid, scale, spread_of
from attnscope.render.html.escape import Markup, el, joined
from attnscope.results.effects.edge_effects import EdgeEffects
from attnscope.translation import say, spoken, told

_MOST_TEXTS = 20


def render_html(result: EdgeEffects, *, dark: bool | None = None, lang: str | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    largest = float(np.abs(result.effect).max()) if result.effect.size else 0.0
    low, high = result.intervals()

    def said(i: int, j: int) -> str:
        spread = spread_of(low[i, j], high[i, j]) if len(result.texts) > 1 else ""
        where = say("{word}, layer {layer}", word=result.words[i].strip(), layer=result.layers[j])
        return f"{where}: {number(result.effect[i, j])}{spread}"

    def body() -> Markup:
        names = (say("word"), [shown(word) for word in result.words], list(map(str, result.layers)))
        cells = grid(names, result.effect, largest, said)
        return joined(
            (
                el("p", {"class": "reading", "lang": spoken()}, reading(result.quantity)),
                section(say("Effect of not looking at a word"), told(result.windows()), scale(largest), cells),
                [text_of(text) for text in result.texts[:_MOST_TEXTS]],
                foot_of(result.notes, result.provenance),
            )
        )

    return effects_page(
        result,
        lambda: {
            "title": say("Where words reach the target: {target}", target=told(result.of())),
            "facts": _facts(result),
            "body": body(),
            "hint": say("Hover a cell to read its number."),
        },
        dark=dark,
        lang=lang,
    )


def _facts(result: EdgeEffects) -> list[tuple[str, str]]:
    window = say("{count} layers", count=result.window)
    made = [(say("model"), made_with(result.provenance)), (say("target"), told(result.of()))]
    return [*made, (say("from"), told(result.queries)), (say("window"), window)]
