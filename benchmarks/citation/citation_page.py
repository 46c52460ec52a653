"""The measured part of docs/citation.md, from the rows of `citation.py run`: its tables, and the figure."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from attnscope.results.citation.head_weights import HeadWeights
from attnscope.results.statistics import interval
from attnscope.studies.citation.judging import HALVES, RANDOM, TOP, CitationEvaluation, CitationRow

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE, FIGURE = DOCS / "citation.md", DOCS / "images" / "citation_cost.png"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
DRAWN = "smollm2"
CASES = {
    "smollm2": "SmolLM2-135M-Instruct, six passages",
    "qwen": "Qwen2.5-Coder-0.5B-Instruct in bfloat16, six passages",
    "smollm2-ten": "SmolLM2-135M-Instruct, ten passages",
    "smollm2-twenty": "SmolLM2-135M-Instruct, twenty passages",
}


def numbers(path: Path) -> dict[int, list[CitationRow]]:
    """The rows of each question that is in the file, by its number."""
    if not path.exists():
        return {}
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return {line["number"]: [CitationRow(*row) for row in line["rows"]] for line in lines}


def read(path: Path) -> CitationEvaluation:
    """The rows of all questions, in their order: of the methods and with the metrics that every question has.

    A method that came later has other questions, so that its means could not stand beside the others'.
    """
    asked = [rows for _, rows in sorted(numbers(path).items())]
    methods = set.intersection(*({row.method for row in rows} for rows in asked)) if asked else set()
    kept = [row for rows in asked for row in rows if row.method in methods]
    metrics = set.intersection(*(set(row.values) for row in kept)) if kept else set()
    return CitationEvaluation(
        tuple(
            replace(row, values={name: value for name, value in row.values.items() if name in metrics}) for row in kept
        )
    )


def write(folder: Path) -> None:
    """Put the tables of every case in the folder into the page, and draw the figure."""
    found = {name: read(folder / f"{name}.jsonl") for name in CASES if (folder / f"{name}.jsonl").exists()}
    parts = [table(name, each, folder) for name, each in found.items()]
    if (peer := folder / "peer.json").exists():
        parts.append(beside(json.loads(peer.read_text("utf-8"))))
    if DRAWN in found:
        draw(found[DRAWN])
        parts.insert(1, f"![LDS against passes, with 95 % intervals]({FIGURE.parent.name}/{FIGURE.name})")
    page = PAGE.read_text("utf-8")
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text("\n\n".join([page[:begin], *parts, page[end:]]), "utf-8")


def table(name: str, found: CitationEvaluation, folder: Path) -> str:
    """One case: means with their intervals, and what they say."""
    rows = [row for row in found.rows if row.method == RANDOM]
    metrics = list(found.metrics)
    lines = [
        f"### {CASES[name]}: {len(rows)} questions",
        "",
        f"| method | passes | {' | '.join(metrics)} |",
        "|---|--:|" + "--:|" * len(metrics),
    ]
    for method in found.methods:
        cells = [_cell(*found.mean(method, metric)) for metric in metrics]
        lines.append(f"| {method} | {passes(found, method):.1f} | {' | '.join(cells)} |")
    return "\n".join([*lines, "", *said(found, folder / f"{name}.heads.json")])


def said(found: CitationEvaluation, heads: Path) -> list[str]:
    """What the page says of a case: heads against the surrogate, halving against all."""
    lines = []
    learnt, masks = "heads, learnt", "surrogate 32"
    if learnt in found.methods and masks in found.methods:
        mean, low, high = difference(found, learnt, masks, "top-1 drop")
        verdict = "beat" if low > 0 else "are beaten by" if high < 0 else "cannot be told from"
        weights = HeadWeights.load(heads)
        lines.append(
            f"Learnt heads, at one pass, {verdict} the surrogate at 32 masks in top-1 drop: {mean:+.2f} nats "
            f"({low:+.2f} to {high:+.2f}), question by question. Their weights come from {weights.learnt_from} "
            f"questions of another kind, and predict {weights.r_squared:.2f} of the variance of effects in questions "
            "left out."
        )
    if HALVES in found.methods:
        same = [row.values[TOP] for row in found.rows if row.method == HALVES]
        share = (passes(found, HALVES) - 2) / (passes(found, "deletion") - 1)
        lines.append(
            f"Halving finds the source that deletion finds in {sum(same):.0f} of {len(same)} questions, "
            f"with {share:.2f} of its passes, those with all sources and with none apart."
        )
    return lines


def difference(found: CitationEvaluation, method: str, other: str, metric: str) -> tuple[float, float, float]:
    """The mean of what one method has more than another on the same question, and its 95 % interval."""
    ours, theirs = ([row.values[metric] for row in found.rows if row.method == name] for name in (method, other))
    both = np.array(ours) - np.array(theirs)
    low, high = interval(both)
    return float(both.mean()), float(low), float(high)


def passes(found: CitationEvaluation, method: str) -> float:
    """The mean over questions."""
    return float(np.mean([row.passes for row in found.rows if row.method == method]))


def _cell(mean: float, low: float, high: float) -> str:
    return "—" if np.isnan(mean) else f"{mean:.2f} ({low:.2f} to {high:.2f})"


def beside(found: Mapping[str, float]) -> str:
    """What `citations.compare` found."""
    count = f"{found['questions']} question{'s' * (found['questions'] > 1)}"
    return (
        f"### Beside context-cite\n\nThe context-cite package {found['version']} and attnscope on {count} of six "
        f"passages, with the package’s own {found['masks']} masks, prompt and penalty: log-odds differ by at most "
        f"{found['logits']:.0e}, scores by at most {found['scores']:.0e} where the largest is {found['largest']:.1f}."
    )


def draw(found: CitationEvaluation) -> None:
    """The figure: LDS against passes, with intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.0), dpi=140, layout="constrained")
    axes = figure.subplots()
    chance = found.mean(RANDOM, "LDS")[0]
    axes.axhline(chance, color="#888888", linewidth=0.8, linestyle=":")
    axes.annotate(RANDOM, (30, chance), xytext=(0, 3), textcoords="offset points", fontsize=7, color="#555555")
    points = {m: (passes(found, m), *found.mean(m, "LDS")) for m in found.methods if m != RANDOM}
    for method, (cost, mean, low, high) in points.items():
        axes.errorbar(cost, mean, [[mean - low], [high - mean]], fmt="o", markersize=4, color="#0072b2", elinewidth=1)
        near = [(c, m) for c, m, *_ in points.values() if abs(m - mean) < 0.03 and m != mean]
        below = any(c == cost and m > mean for c, m in near)
        left = any(1 < c / cost < 3 for c, _ in near)
        place = {"xytext": (-6 if left else 6, -8 if below else -2), "ha": "right" if left else "left"}
        axes.annotate(method, (cost, mean), textcoords="offset points", fontsize=7, **place)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 2 * max(passes(found, method) for method in found.methods))
    axes.set_xticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    axes.minorticks_off()
    axes.set_xlabel("passes a question (forward and backward as one each)")
    axes.set_ylabel("LDS: rank correlation with what is true")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURE)
