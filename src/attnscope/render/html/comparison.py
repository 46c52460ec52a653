"""Pages of comparisons: one pair, or many with a table and a page for each.

The two texts run as one line of pairs, the left word above, the right word below, so that words stay opposite each
other at every width. Readable without JavaScript: the pages of a report are found by their links.
"""

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
from attnscope.render.html.page import attribute, colour_rules, reading_page, root, shown
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, Summary, WordPair


def render_html(result: Comparison | Comparisons, *, font_size: float = 18, dark: bool | None = None) -> bytes:
    """The page, UTF-8. `dark` None follows the reader's system; the page has a switch either way."""
    if font_size <= 0:
        raise InputError(f"font_size={font_size!r}: must be positive, such as 18")
    pairs = result.pairs if isinstance(result, Comparisons) else (result,)
    signed = any(side.result.signed for pair in pairs for side in (pair.left, pair.right))
    many = isinstance(result, Comparisons)
    title = f"{len(pairs):,} comparisons" if many else _title(pairs[0])
    if isinstance(result, Comparisons):
        body = _overview(result) + "".join(
            f'<section class="sheet" id="pair-{i + 1}" aria-label="Pair {i + 1}" tabindex="-1">'
            f'<p class="back" lang="en"><a href="#overview">All pairs</a></p><h2 class="name">Pair {i + 1}: '
            f"{shown(_title(pair))}</h2>{_sheet(pair)}</section>"
            for i, pair in enumerate(pairs)
        )
    else:
        body = f'<section class="single">{_sheet(result)}</section>'
    look = f":root{{--measure:80ch;--size:{font_size / 16:g}rem}}"
    return reading_page(
        "tables/tables.html",
        title=title,
        style=(look, colour_rules(signed), "reading/reading.css", "tables/tables.css", "tables/compare.css"),
        module="tables/compare.js",
        document=result.to_json(),
        root=root(' lang="en"', dark, signed),
        body=body,
        hint="Tab to the words and walk with the arrow keys; a word tells its scores and ranks on hover and focus.",
    )


def _title(pair: Comparison) -> str:
    return f"{pair.left.name} against {pair.right.name}"


def _sheet(pair: Comparison) -> str:
    """One pair: facts, verdicts, words, edits."""
    scale = scale_of(pair)
    caption = caption_of(pair.right.result)
    tags = "".join(f"<div><dt>{shown(k)}</dt><dd>{shown(v)}</dd></div>" for k, v in pair.tags.items())
    facts = "".join(
        f"<div><dt>{shown(k)}</dt><dd>{shown(v)}</dd></div>"
        for k, v in caption.facts
        if k in ("model", "method", "target", "quantity", "layer", "head", "query")
    )
    moved = f"<div><dt>attention moved to the edits</dt><dd>{moved_text(pair)}</dd></div>" if pair.edits else ""
    return (
        f'<dl lang="en">{tags}{facts}{moved}</dl>{_verdicts(pair)}{_legend(pair, scale)}'
        f'<ol class="pairs" dir="{_direction(pair)}" aria-label="Words opposite each other">'
        f"{_words(pair, scale)}</ol>{_edits(pair)}"
    )


def _direction(pair: Comparison) -> str:
    # dir="auto" would look past the words, which have directions of their own.
    return "rtl" if starts_right(pair.left.result.text) else "ltr"


def _verdicts(pair: Comparison) -> str:
    if not pair.left.probabilities and not pair.right.probabilities:
        return ""
    return f'<div class="verdicts" lang="en">{_verdict(pair, pair.left)}{_verdict(pair, pair.right)}</div>'


def _verdict(pair: Comparison, side: ComparedSide) -> str:
    sign, kind, spoken = verdict_sign(pair, side)
    rows = "".join(
        f"<li><bdi>{shown(label) or '␣'}</bdi>"
        f'<svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">'
        f'<rect width="{100 * p:.4g}" height="8"/></svg><data>{p:.1%}</data></li>'
        for label, p in side.probabilities
    )
    return (
        f'<section class="verdict {kind}"><h3>{shown(side.name)}</h3><p class="said"><b aria-hidden="true">{sign}</b> '
        f"<bdi>{shown(side.prediction or '—')}</bdi> <span>{spoken}</span></p><ul>{rows}</ul></section>"
    )


def _legend(pair: Comparison, scale: Scale) -> str:
    return (
        '<div class="legend" lang="en"><div class="scale">'
        f'<span>{number(scale.low)}</span><i class="ramp"></i>'
        f"<span>{number(scale.high)}</span></div><p>{scale.words}; above <b>{shown(pair.left.name)}</b>, below "
        f"<b>{shown(pair.right.name)}</b>. Underlined words were edited; small figures: change of score, and places "
        "gained ▲ or lost ▼.</p></div>"
    )


def _words(pair: Comparison, scale: Scale) -> str:
    return "".join(_word(pair, one, scale) for one in pair.pairs)


def _word(pair: Comparison, one: WordPair, scale: Scale) -> str:
    boxes = []
    for side, index, steps in ((pair.left, one.left, scale.left), (pair.right, one.right, scale.right)):
        if index is None:
            boxes.append('<span class="gap" aria-label="nothing">∅</span>')
        else:
            boxes.append(
                f'<span class="w s{steps[index]}" dir="auto">{shown(side.result.words[index].text) or "␣"}</span>'
            )
    change = f'<small lang="en" dir="ltr">{marks(one)}</small>'
    return f'<li class="{one.edit}">{boxes[0]}{boxes[1]}{change}</li>'


def _edits(pair: Comparison) -> str:
    if not pair.edits:
        return ""
    measured = any(edit.restores is not None for edit in pair.edits)
    ordered = sorted(pair.edits, key=lambda edit: -(edit.restores or 0)) if measured else pair.edits
    rows = "".join(
        f"<tr><td>{_side_word(pair.left, edit.left)}</td><td>{_side_word(pair.right, edit.right)}</td>"
        f"<td>{edit.edit}</td><td>{number(edit.change)}</td><td>{places(edit)}</td>"
        + (f"<td>{points(edit.restores)}</td>" if measured else "")
        + "</tr>"
        for edit in ordered
    )
    undone = "<th>undone alone</th>" if measured else ""
    return (
        f'<section class="edits" lang="en"><h3>{"Edits that explain the flip" if pair.flipped else "Edits"}</h3>'
        f'<p>{restored_text(pair)}</p><div class="wide"><table><thead><tr><th>{shown(pair.left.name)}</th>'
        f"<th>{shown(pair.right.name)}</th><th>edit</th><th>change</th><th>places</th>{undone}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _side_word(side: ComparedSide, index: int | None) -> str:
    return "∅" if index is None else f"<bdi>{shown(side.result.words[index].text)}</bdi>"


def _overview(result: Comparisons) -> str:
    rows = "".join(
        f'<tr><td data-sort="{i}"><a href="#pair-{i + 1}">{i + 1}</a></td><td>{shown(pair.tags.get("task", "—"))}</td>'
        f"<td>{shown(pair.tags.get('attack', '—'))}</td>{_said(pair, pair.left)}{_said(pair, pair.right)}"
        f'<td>{"yes" if pair.flipped else "no"}</td><td data-sort="{pair.moved:.6f}">{moved_text(pair)}</td>'
        f'<td data-sort="{len(pair.edits)}">{len(pair.edits)}</td></tr>'
        for i, pair in enumerate(result.pairs)
    )
    heads = ("pair", "task", "attack", "before", "after", "flipped", "moved", "edits")
    columns = "".join(f'<th aria-sort="none"><button type="button">{name}</button></th>' for name in heads)
    return (
        '<section id="overview" lang="en" tabindex="-1">'
        + "".join(
            f"<h2>By {tag}</h2>{_summary(result.summaries(tag))}"
            for tag in ("attack", "task")
            if any(tag in pair.tags for pair in result.pairs)
        )
        + '<h2>Pairs</h2><p class="filter" hidden><label>Filter <input type="search" placeholder="attack, task, label">'
        '</label> <span role="status"></span></p><div class="wide"><table class="all"><thead><tr>'
        f"{columns}</tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )


def _said(pair: Comparison, side: ComparedSide) -> str:
    sign, kind, spoken = verdict_sign(pair, side)
    return (
        f'<td class="{kind}" data-sort="{attribute(side.prediction or "")}"><b aria-hidden="true">{sign}</b> '
        f'<bdi>{shown(side.prediction or "—")}</bdi><span class="spoken"> {spoken}</span></td>'
    )


def _summary(summaries: list[Summary]) -> str:
    rows = "".join(
        f"<tr><td>{shown(one.name)}</td><td>{one.count}</td>"
        f"<td>{_percent(one.before)}</td><td>{_percent(one.after)}</td><td>{one.flips:.1%}</td>"
        f"<td>{100 * one.moved:+.1f}</td></tr>"
        for one in summaries
    )
    return (
        '<div class="wide"><table><thead><tr><th></th><th>pairs</th><th>right before</th><th>right after</th>'
        f"<th>flipped</th><th>moved (points)</th></tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"
