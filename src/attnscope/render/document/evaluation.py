"""Evaluations as documents: CSV and LaTeX."""

from attnscope.render.content.evaluation import ranked
from attnscope.render.document.csv import csv_of
from attnscope.render.document.latex import booktabs, fragment, signed, tex
from attnscope.results.evaluation import Evaluation


def render_csv(result: Evaluation) -> bytes:
    """A row for each method and metric."""
    names = ("metric", "better", "method", "mean", "low", "high", "texts", "difference", "difference_low")
    rows: list[tuple[object, ...]] = [(*names, "difference_high", "p", "verdict")]
    for metric in result.metrics:
        for s in result.standings(metric):
            rows.append((metric, s.better, s.method, s.mean, s.low, s.high, s.count, *s.difference, s.p, s.verdict))
    return csv_of(rows)


# So many metrics are beside each other in a column; further ones stand below.
_ABREAST = 3


def render_latex(result: Evaluation) -> bytes:
    r"""Methods and metrics with intervals, the best of each in bold; tables of a column's width for \input."""
    lines = [r"% * better, \dagger worse than random scores: p < 0.05, paired randomisation test, Holm; 95 % intervals"]
    metrics = list(result.metrics)
    for first in range(0, len(metrics), _ABREAST):
        lines += [r"\par\smallskip\noindent", *_latex(result, metrics[first : first + _ABREAST])]
    return fragment(lines)


def _latex(result: Evaluation, metrics: list[str]) -> list[str]:
    standings = {metric: {s.method: s for s in result.standings(metric)} for metric in metrics}
    arrows = {"higher": r"$\uparrow$", "lower": r"$\downarrow$"}
    head = " & ".join(
        f"{tex(metric.replace('_', ' '))} {arrows.get(result.settings['metrics'][metric]['better'], '')}"
        for metric in standings
    )
    rows = []
    for method in ranked(result):
        cells = []
        for by_method in standings.values():
            standing = by_method.get(method)
            if standing is None:
                cells.append("--")
                continue
            mark = {"better": "$^{*}$", "worse": r"$^{\dagger}$", "": ""}[standing.verdict]
            value = signed(f"{standing.mean:.3f}")
            best = rf"\textbf{{{value}}}" if standing is next(iter(by_method.values())) else value
            ends = ", ".join(signed(f"{end:.2f}") for end in (standing.low, standing.high))
            cells.append(rf"{best}{mark} {{\tiny[{ends}]}}")
        rows.append(f"{tex(method)} & {' & '.join(cells)} \\\\")
    return booktabs(f"l{'r' * len(standings)}", [f"method & {head} \\\\"], rows)
