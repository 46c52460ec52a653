"""Comparisons as documents: CSV, plain text, and LaTeX with the words in coloured boxes."""

from attnscope.render.colours import colours_for, text_on
from attnscope.render.content.comparison import moved_text, places, points, scale_of, verdict_sign
from attnscope.render.content.pieces import lined_up, visible
from attnscope.render.document.csv import csv_of
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


_TEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": "'",
}  # fmt: skip


def render_latex(result: Comparison) -> bytes:
    """Rows as in PromptRobust's Table 5: the text with its words in coloured boxes, and the prediction beside it.

    A fragment for \\input; it needs \\usepackage{xcolor}, \\usepackage[T1]{fontenc} and, for scripts other than Latin,
    XeLaTeX or LuaLaTeX with a font that has them.
    """
    scale = scale_of(result)
    steps = colours_for(result.left.result.signed, False).steps
    rows = []
    for side, own in ((result.left, scale.left), (result.right, scale.right)):
        boxes = " ".join(
            rf"\attnword{{{steps[step][1:].upper()}}}{{{text_on(steps[step])[1:].upper()}}}{{{tex(word.text)}}}"
            for word, step in zip(side.result.words, own, strict=True)
            if word.text.strip()
        )
        sign, kind, spoken = verdict_sign(result, side)
        colour = {"right": "0A6B3D", "wrong": "B3261E"}.get(kind, "000000")
        said = tex((side.prediction or "").strip())
        mark = {"✓": r"$\surd$ ", "✗": r"$\times$ "}.get(sign, "")
        rows.append(
            rf"{tex(side.name)} & \raggedright {boxes} & \textcolor[HTML]{{{colour}}}{{{mark}{said} {spoken}}} \\[2pt]"
        )
    text = "\n".join(
        (
            r"% needs \usepackage{xcolor} and \usepackage[T1]{fontenc}",
            r"\providecommand{\attnword}[3]{{\setlength{\fboxsep}{1.5pt}%",
            r"  \colorbox[HTML]{#1}{\textcolor[HTML]{#2}{\strut #3}}}}",
            r"\begin{tabular}{lp{0.68\linewidth}l}",
            r"\hline",
            r" & Words by importance & Prediction \\",
            r"\hline\noalign{\vskip 2pt}",
            *rows,
            r"\hline",
            r"\end{tabular}",
        )
    )
    return (text + "\n").encode("utf-8", "replace")


def tex(text: str) -> str:
    """Escaped for LaTeX."""
    escaped = "".join(_TEX.get(c, c) for c in visible(text.strip()))
    # At the beginning of a row these would be arguments of the `\\\\` before it.
    return "{}" + escaped if escaped.startswith(("[", "*")) else escaped
