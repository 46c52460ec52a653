"""The page of two similar texts: the texts, their words with lines between them, and a map of all pairs.

It can be read without JavaScript, which adds what a word's strongest partners are.
"""

from attnscope.errors import InputError
from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import number
from attnscope.render.content.pieces import pieces
from attnscope.render.content.similarity import facts_of, largest, lines_of, scaled, sums_of, title_of
from attnscope.render.html.escape import Markup, el, escape_text, joined
from attnscope.render.html.page import colour_rules, definitions, own_language, reading_page, root
from attnscope.results.attribution import Attribution
from attnscope.results.similarity import Similarity
from attnscope.translation import say, spoken

# A row of words, in rem. A map of more cells than this would be a page that no browser likes.
_ROW, _MOST_CELLS = 2.1, 40_000
# From so many columns on, cells have no numbers.
_MANY_COLUMNS = 14


def render_html(
    result: Similarity, *, font_size: float = 18, dark: bool | None = None, lang: str | None = None
) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    if font_size <= 0:
        raise InputError(f"font_size={font_size!r}: must be positive, such as 18")
    rows = max(len(result.left.words), len(result.right.words), 1)
    look = f":root{{--measure:80ch;--size:{font_size / 16:g}rem}}.links{{--rows:{rows * _ROW:g}rem}}"

    def body() -> Markup:
        return joined(
            (
                _texts(result),
                _legend(result),
                el("h2", None, say("Pairs of words")),
                _links(result),
                el("h2", None, say("All pairs")),
                _map(result),
                el("div", {"class": "sums", "lang": spoken()}, (el("p", None, line) for line in sums_of(result))),
            )
        )

    return reading_page(
        "tables/tables.html",
        lambda: {
            "title": title_of(result),
            "facts": definitions(facts_of(result)),
            "body": body(),
            "hint": say("Hover or focus a word to see its lines alone and its strongest partners; arrow keys move."),
        },
        root=lambda: root(spoken(), dark, True),
        style=(look, colour_rules(True), "reading/reading.css", "tables/tables.css", "tables/similarity.css"),
        module="tables/similarity.js",
        document=result.to_json(),
        lang=lang,
    )


def _texts(result: Similarity) -> Markup:
    """Both texts, their words in the colour of their sums."""
    return el("div", {"class": "texts"}, (_text(side) for side in (result.left, result.right)))


def _text(side: Attribution) -> Markup:
    parts = []
    for piece in pieces(side):
        if piece.word is None:
            parts.append(escape_text(piece.text))
        else:
            step = LIGHT.step(float(side.scaled[piece.word]))
            parts.append(el("span", {"class": f"u s{step}"}, escape_text(piece.text)))
    return el("div", {"class": "passage", "dir": "auto", "lang": own_language(side.text)}, parts)


def _legend(result: Similarity) -> Markup:
    top = number(largest(result))
    ramp = el("div", {"class": "scale"}, f"−{top}", el("i", {"class": "ramp"}), top)
    said = say("Red pairs make the texts more similar, blue ones less; a word in a text has the sum of its pairs.")
    return el("div", {"class": "legend", "lang": spoken()}, ramp, el("p", None, said))


def _links(result: Similarity) -> Markup:
    """The words of both texts, one below the other, and lines between them."""
    counts = len(result.left.words), len(result.right.words)
    steps = scaled(result)
    drawn = (
        el(
            "line",
            {
                "class": f"s{LIGHT.step(float(steps[line.left, line.right]))}",
                "x1": 0,
                "y1": f"{100 * (line.left + 0.5) / counts[0]:.4g}",
                "x2": 100,
                "y2": f"{100 * (line.right + 0.5) / counts[1]:.4g}",
                "stroke-width": f"{1 + 6 * abs(line.share):.3g}",
                "data-left": line.left,
                "data-right": line.right,
            },
        )
        for line in lines_of(result)
    )
    svg = el("svg", {"viewBox": "0 0 100 100", "preserveAspectRatio": "none", "aria-hidden": "true"}, drawn)
    left, right = (_words(side, name) for side, name in ((result.left, "left"), (result.right, "right")))
    return el("div", {"class": "links"}, left, svg, right)


def _words(side: Attribution, name: str) -> Markup:
    items = (
        el("li", None, el("bdi", {"class": f"w s{LIGHT.step(float(scaled))}"}, word.text.strip() or "␣"))
        for word, scaled in zip(side.words, side.scaled, strict=True)
    )
    return el("ol", {"class": f"words {name}", "aria-label": say(f"Words of the {name} text")}, items)


def _map(result: Similarity) -> Markup:
    if result.scores.size > _MOST_CELLS:
        return el(
            "p", {"lang": spoken()}, say("The map is too large for a page: the pairs are in the JSON and in the CSV.")
        )
    steps = scaled(result)
    numbers = len(result.right.words) < _MANY_COLUMNS
    head = el("tr", None, el("th"), (_head("col", word.text) for word in result.right.words))
    rows = (
        el(
            "tr",
            None,
            _head("row", word.text),
            (
                el("td", {"class": f"s{LIGHT.step(float(step))}"}, f"{score:.2g}" if numbers else "")
                for score, step in zip(row, shades, strict=True)
            ),
        )
        for word, row, shades in zip(result.left.words, result.scores, steps, strict=True)
    )
    kind = {"class": "pairs-map" if numbers else "pairs-map small", "aria-label": say("Scores of all pairs of words")}
    return el("div", {"class": "wide"}, el("table", kind, el("thead", None, head), el("tbody", None, rows)))


def _head(scope: str, text: str) -> Markup:
    return el("th", {"scope": scope}, el("bdi", None, text.strip() or "␣"))
