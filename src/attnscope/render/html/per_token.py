"""The page of a per-token result: pick a generated token and see what it relied on; all of them at a glance.

It is built like the page of one result (`attribution.py`) and reads without JavaScript: the text with the scores of the
first token, the matrix as an image, and each token's strongest words in a table.
"""

import numpy as np
from numpy.typing import NDArray

from attnscope.render.colours import LIGHT
from attnscope.render.content.caption import OF_SEVERAL_TOKENS, caption_of, number, unit
from attnscope.render.content.pieces import pieces
from attnscope.render.html.escape import Markup, attributes, el, escape_text, joined
from attnscope.render.html.page import (
    chosen,
    colour_rules,
    facts,
    language,
    own_language,
    paragraphs,
    provenance,
    radio,
    reading_page,
    root,
    sizes,
    ticks,
)
from attnscope.results.attribution import Attribution
from attnscope.results.per_token import PerToken
from attnscope.translation import say, spoken, told

_TOP = 4
_STYLE = ("reading/reading.css", "reading/per_token.css")
# Cells in a row of the matrix: with more words, neighbours share a cell, which shows the strongest of them.
_MOST_COLUMNS = 240
# Labels of its columns, as many as a narrow screen has room for; pixels of a row's; characters of each.
_MOST_LABELS, _ROW_LABEL, _LONGEST_LABEL = 20, 13, 12


def keys() -> tuple[tuple[str, str], ...]:
    """The page's keys and what they do."""
    return (
        (say("click, arrow keys"), say("pick a token: in the list, in the text or in the matrix")),
        (Markup("<kbd>,</kbd> <kbd>.</kbd>"), say("previous token, next token")),
        (say("hover"), say("a word’s score")),
    )


def render_html(
    result: PerToken,
    *,
    max_line_chars: int = 80,
    font_size: float = 18,
    dark: bool | None = None,
    lang: str | None = None,
) -> bytes:
    """The page, UTF-8. Options as in the page of one result."""
    result = result.by_character()
    first = result.first
    text = _text(result)
    low, high = _limits(result, 0)
    return reading_page(
        "reading/per_token.html",
        lambda: {
            "title": title_of(result),
            "facts": facts(fact for fact in caption_of(result[0]).facts if fact[0] not in ("target_token", "value")),
            "choice": chosen(
                say("Range of the colours"), "range", (("own", say("own range")), ("one", say("one range")))
            ),
            "keys": keys(),
            "targets": joined(
                el("label", None, radio("target", str(i), i == 0), el("bdi", None, _token(target.text)))
                for i, target in enumerate(result.targets)
            ),
            "text": text,
            "lang": attributes({"lang": own_language(first.text)}),
            "ticks": ticks(number(low), number(low / 2 + high / 2), number(high)),
            "unit": unit(first).strip(),
            "about": _token(result.targets[0].text),
            "value": say("value {value}", value=number(result.targets[0].value)),
            "matrix": _matrix(result),
            "each": _each(result),
            "notes": paragraphs(notes_of(result)),
            "scale": scale_of(first),
            "provenance": provenance(caption_of(result[0])),
        },
        root=lambda: root(language(first.text), dark, first.signed),
        style=(
            sizes(max_line_chars, font_size),
            colour_rules(first.signed),
            "reading/reading.css",
            "reading/per_token.css",
        ),
        module="reading/per_token.js",
        document=result.to_json(),
        lang=lang,
    )


def title_of(result: PerToken) -> str:
    """The page's heading."""
    return say("What each token relied on: {method}", method=result.first.method.replace("_", " "))


def _token(text: str) -> str:
    """A token's text with its white space visible."""
    blank = {"\n": "↵", "\t": "⇥", " ": "␣"}
    bare = text.strip()
    return bare or "".join(blank.get(c, c) for c in text)


def notes_of(result: PerToken) -> tuple[str, ...]:
    """What the page says about all of its tokens."""
    mass = result.first.excluded_mass
    notes = caption_of(result.first).notes
    if any(target.tokens > 1 for target in result.targets):
        notes += (told(OF_SEVERAL_TOKENS),)
    if mass is None:
        return notes
    masses = [row.excluded_mass or 0.0 for row in result]
    low, high = min(masses), max(masses)
    note = say(
        "Between {low} and {high} of a token's attention went to special tokens, left out here.",
        low=f"{low:.1%}",
        high=f"{high:.1%}",
    )
    return (note, *notes[1:])


def scale_of(first: Attribution) -> str:
    """How the colours follow from the scores."""
    if first.signed:
        return say(
            "Blue words lower a token's value, red words raise it; 0 is in the middle. Later words are not read."
        )
    return say("Colours run min–max over the words that a token read; later words are not read.")


def _limits(result: PerToken, target: int) -> tuple[float, float]:
    scores = result.scores[target][result.read_words(target)]
    if not len(scores):
        return 0.0, 0.0
    largest = float(np.abs(scores).max())
    return (-largest, largest) if result.first.signed else (float(scores.min()), float(scores.max()))


def _steps(scores: NDArray[np.float64], limits: tuple[float, float]) -> list[int]:
    low, high = limits
    scaled = np.full(len(scores), 0.5) if low == high else (scores - low) / (high - low)
    return [LIGHT.step(float(s)) for s in np.clip(scaled, 0, 1)]


def _text(result: PerToken) -> Markup:
    steps, read = _steps(result.scores[0], _limits(result, 0)), result.read_words(0)
    place = result.place(0)
    parts = []
    for piece in pieces(result.first):
        if piece.word is None:
            parts.append(escape_text(piece.text))
            continue
        word = result.first.words[piece.word]
        names = ["u", f"s{steps[piece.word]}"]
        if not piece.text.strip():
            names.append("nl" if "\n" in piece.text else "ws")
        if not read[piece.word]:
            names.append("later")
        if place is not None and word.start < place[1] and place[0] < word.end:
            names.append("q")
        parts.append(el("span", {"class": " ".join(names)}, escape_text(piece.text)))
    return joined(parts)


def _matrix(result: PerToken) -> Markup:
    """(target, word) as an image: a row per token, a column per word or per few neighbouring words."""
    count = len(result.first.words)
    if not count:
        return Markup()
    width = -(-count // _MOST_COLUMNS)
    starts = range(0, count, width)
    size = {"width": 1.02, "height": 1.02}
    cells = []
    for row in range(len(result)):
        read = result.scores[row][result.read_words(row)]
        best = [
            max(read[s : s + width], key=lambda x: abs(x) if result.first.signed else x)
            for s in starts
            if s < len(read)
        ]
        steps = _steps(np.array(best), _limits(result, row))
        cells += [
            el("rect", {"class": f"s{step}", "x": column, "y": row, **size, "data-v": f"{float(score):.6g}"})
            for column, (step, score) in enumerate(zip(steps, best, strict=True))
        ]
    rows, columns = len(result), len(starts)
    height = max(40, min(14 * rows, 420))
    shared = say("; {words} words share a column", words=width) if width > 1 else ""
    picture = {
        "class": "matrix",
        "role": "img",
        "aria-label": say("{tokens} tokens × {words} words", tokens=rows, words=count),
        "height": height,
        "viewBox": f"0 0 {columns} {rows}",
        "preserveAspectRatio": "none",
    }
    mark = el("rect", {"class": "mark", "x": 0, "y": 0, "width": columns, "height": 1})
    words = [result.first.names[s] or result.first.words[s].text for s in starts]
    parts = (
        _labels([target.text for target in result.targets], "y", height // _ROW_LABEL, {"height": height}),
        el("svg", picture, cells, mark),
        _labels(words, "x", _MOST_LABELS, {}),
    )
    axis = say("one row per token, from the top; one column per word, from the left{shared}", shared=shared)
    return joined(
        (el("div", {"class": "labelled"}, *parts), el("p", {"class": "axis", "lang": spoken()}, el("span", None, axis)))
    )


def _labels(names: list[str], axis: str, most: int, size: dict[str, object]) -> Markup:
    """Names along an axis of the matrix, each in the middle of its row or column; of many, every second or third."""
    step = -(-len(names) // most)
    written = []
    for place in range(0, len(names), step):
        name = _token(names[place])
        short = name if len(name) <= _LONGEST_LABEL else name[: _LONGEST_LABEL - 1] + "…"
        written.append(el("text", {axis: f"{100 * (place + 0.5) / len(names):.4g}%"}, short))
    return el("svg", {"class": f"labels {axis}", "aria-hidden": "true", **size}, written)


def _each(result: PerToken) -> Markup:
    rows = []
    for i, target in enumerate(result.targets):
        scores = np.where(result.read_words(i), result.scores[i], 0.0)
        order = np.argsort(-np.abs(scores) if result.first.signed else -scores, kind="stable")
        best = [j for j in order.tolist() if scores[j] and result.first.words[j].text.strip()][:_TOP]
        words = (
            (", " if place else "", el("bdi", None, _token(result.first.words[j].text)), f" {number(float(scores[j]))}")
            for place, j in enumerate(best)
        )
        token = el("td", None, el("bdi", None, _token(target.text)))
        rows.append(el("tr", None, token, el("td", {"class": "n"}, number(target.value)), el("td", None, words)))
    return joined(rows)
