"""Evaluations as documents: CSV and LaTeX."""

from attnscope.render.content.evaluation import ranked
from attnscope.render.document.comparison import tex
from attnscope.render.document.csv import csv_of
from attnscope.results.evaluation import Evaluation


def render_csv(result: Evaluation) -> bytes:
    """A row for each method and metric."""
    names = ("metric", "better", "method", "mean", "low", "high", "texts", "difference", "difference_low")
    rows: list[tuple[object, ...]] = [(*names, "difference_high", "p", "verdict")]
    for metric in result.metrics:
        for s in result.standings(metric):
            rows.append((metric, s.better, s.method, s.mean, s.low, s.high, s.count, *s.difference, s.p, s.verdict))
    return csv_of(rows)


def render_latex(result: Evaluation) -> bytes:
    r"""A table of methods and metrics, the best of each in bold; a fragment for \input that needs no packages."""
    standings = {metric: {s.method: s for s in result.standings(metric)} for metric in result.metrics}
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
            value = f"{standing.mean:.3f}".replace("-", "$-$")
            cells.append((rf"\textbf{{{value}}}" if standing is next(iter(by_method.values())) else value) + mark)
        rows.append(f"{tex(method)} & {' & '.join(cells)} \\\\")
    lines = (
        r"% * better, \dagger worse than random scores: p < 0.05, paired randomisation test, Holm",
        rf"\begin{{tabular}}{{l{'r' * len(standings)}}}",
        r"\hline",
        f"method & {head} \\\\",
        r"\hline",
        *rows,
        r"\hline",
        r"\end{tabular}",
    )
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")
