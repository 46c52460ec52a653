"""Comparisons as documents: CSV, plain text, and LaTeX with the words in coloured boxes."""

from attnscope.render.content.comparison import moved_text, places, points, scale_of, verdict_sign
from attnscope.render.content.pieces import lined_up, visible
from attnscope.render.document.csv import csv_of
from attnscope.render.document.latex import booktabs, coloured, fragment, signed, tex
from attnscope.results.comparison import ComparedSide, Comparison, Comparisons, WordPair
from attnscope.results.files.reading import encoded

_COLUMNS = ("kind", "left", "right", "left_score", "right_score", "change", "left_rank", "right_rank", "rank_change")


def render_csv(result: Comparison | Comparisons) -> bytes:
    """A row for each pair of words; for many comparisons, with their number, task and attack in front."""
    if isinstance(result, Comparison):
        return csv_of([(*_COLUMNS, "restores"), *(_cells(result, pair) for pair in result.pairs)])
    rows: list[tuple[object, ...]] = [("pair", "task", "attack", *_COLUMNS, "restores")]
    for number, comparison in enumerate(result.pairs, 1):
        head = (number, comparison.tags.get("task", ""), comparison.tags.get("attack", ""))
        rows += [(*head, *_cells(comparison, pair)) for pair in comparison.pairs]
    return csv_of(rows)


def _cells(whole: Comparison, pair: WordPair) -> tuple[object, ...]:
    def of(side: ComparedSide, index: int | None) -> tuple[object, object, object]:
        if index is None:
            return "", "", ""
        return side.result.words[index].text, side.result.words[index].score, side.ranks[index]

    (left, left_score, left_rank), (right, right_score, right_rank) = (
        of(whole.left, pair.left),
        of(whole.right, pair.right),
    )
    scores = (left_score, right_score, pair.change)
    return pair.edit, left, right, *scores, left_rank, right_rank, pair.rank_change, pair.restores


def render_text(result: Comparison | Comparisons) -> bytes:
    """Plain text: predictions and the words opposite each other; for many comparisons, the summaries."""
    if isinstance(result, Comparisons):
        return "\n".join(_summary(result, tag) for tag in ("attack", "task")).encode()
    out = []
    for side in (result.left, result.right):
        sign, _, spoken = verdict_sign(result, side)
        shares = ", ".join(f"{visible(label.strip())} {p:.1%}" for label, p in side.probabilities)
        if shares:
            said = visible((side.prediction or "").strip())
            out.append(f"{visible(side.name)}: {sign} {said} {spoken}".rstrip() + f"  ({shares})")
    words = [
        (
            *("∅" if i is None else visible(side.result.words[i].text.strip()) for side, i in _sides(result, pair)),
            f"{pair.change:+.4g}",
            places(pair),
            "" if pair.restores is None else points(pair.restores),
            "" if pair.edit == "same" else visible(pair.edit),
        )
        for pair in result.pairs
    ]
    head = (visible(result.left.name), visible(result.right.name), "change", "places", "undone alone", "")
    # A space that is a word of its own, which some tokenizers make, is nothing to read.
    out += lined_up([head, *(row for row in words if (row[0] + row[1]).strip("∅"))])
    out.append(f"attention moved to the edits: {moved_text(result)}")
    return encoded("\n".join(out) + "\n")


def _sides(
    whole: Comparison, pair: WordPair
) -> tuple[tuple[ComparedSide, int | None], tuple[ComparedSide, int | None]]:
    return (whole.left, pair.left), (whole.right, pair.right)


def _summary(result: Comparisons, tag: str) -> str:
    rows = [(tag, "pairs", "right before", "right after", "flipped", "moved")]
    for one in result.summaries(tag):
        before, after = ("—" if v is None else f"{v:.1%}" for v in (one.before, one.after))
        rows.append((visible(one.name), str(one.count), before, after, f"{one.flips:.1%}", points(one.moved)))
    return "\n".join(lined_up(rows)) + "\n"


def render_latex(result: Comparison) -> bytes:
    r"""As PromptRobust's Table 5, within a column: each text with its words in coloured boxes, and its prediction.

    A fragment for \input.
    """
    scale = scale_of(result)
    rows = []
    for side, own in ((result.left, scale.left), (result.right, scale.right)):
        sign, kind, spoken = verdict_sign(result, side)
        colour = {"right": "0A6B3D", "wrong": "B3261E"}.get(kind, "000000")
        said = tex((side.prediction or "").strip())
        mark = {"✓": r"$\surd$ ", "✗": r"$\times$ "}.get(sign, "")
        rows += [
            rf"\textit{{{tex(side.name)}}}\hfill\textcolor[HTML]{{{colour}}}{{{mark}{said} {spoken}}} \\",
            rf"\raggedright {coloured(side.result, own)}\tabularnewline",
            r"\midrule",
        ]
    text = (
        r"\par\noindent\begin{tabular}{@{}p{\linewidth}@{}}",
        r"\toprule",
        *rows[:-1],
        r"\bottomrule",
        r"\end{tabular}",
    )
    return fragment(text)


def render_many_latex(result: Comparisons) -> bytes:
    r"""The summaries by attack and by task, as tables for \input."""
    lines: list[str] = []
    for tag in ("attack", "task"):
        rows = []
        for one in result.summaries(tag):
            before, after = ("--" if v is None else _percent(v) for v in (one.before, one.after))
            cells = tex(one.name), str(one.count), before, after, _percent(one.flips), signed(f"{100 * one.moved:+.1f}")
            rows.append(" & ".join(cells) + r" \\")
        head = rf"{tag} & pairs & right before & right after & flipped & moved (points) \\"
        rows.insert(-1, r"\midrule")
        lines += [*booktabs("lrrrrr", [head], rows), r"\par\smallskip\noindent"]
    return fragment((r"\par\noindent", *lines[:-1]))


def _percent(share: float) -> str:
    return rf"{100 * share:.1f}\%"
