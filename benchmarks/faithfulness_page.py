"""docs/faithfulness.md from the rows of `faithfulness.py run`: its tables, and the figure of faithfulness and cost."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from attnscope.methods.table import METHODS
from attnscope.results.evaluation import FEWEST_TRUSTED, YARDSTICK, Evaluation, Standing

DOCS = Path(__file__).parent.parent / "docs"
PAGE, FIGURE = DOCS / "faithfulness.md", DOCS / "images" / "faithfulness_cost.png"
FIGURE_LINE = f"![Comprehensiveness against passes; the line joins what no cheaper method beats](images/{FIGURE.name})"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
SHOWN = ("normalised_aopc", "insertion_area", "comprehensiveness", "human_precision")
YARD, BEST = "comprehensiveness", "deletion (signed=True)"
ARROWS = {"higher": "↑", "lower": "↓"}
MARKS = {"better": "*", "worse": "†", "": ""}


def write(folder: Path) -> None:
    """Put the tables of every case in the folder into the page, and draw the figure."""
    cases = {path.stem: Evaluation.load(path) for path in sorted(folder.glob("*.jsonl"))}
    cases = {name: found for name, found in cases.items() if found.texts >= FEWEST_TRUSTED}
    shares = relative(cases)
    costs = {method: passes(method, cases) for method in shares}
    draw(shares, costs)
    parts = [summary(shares, costs), FIGURE_LINE, *(table(name, found) for name, found in cases.items())]
    page = PAGE.read_text("utf-8")
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text("\n\n".join([page[:begin], *parts, page[end:]]), "utf-8")


def relative(cases: Mapping[str, Evaluation]) -> dict[str, dict[str, float]]:
    """Of each method in each case, the comprehensiveness as a share of deletion's, the best on average first."""
    found: dict[str, dict[str, float]] = {}
    for name, evaluation in cases.items():
        means = {one.method: one.mean for one in evaluation.standings(YARD)}
        for method, mean in means.items():
            found.setdefault(method, {})[name] = mean / means[BEST]
    return dict(sorted(found.items(), key=lambda item: -np.mean([*item[1].values()])))


def passes(method: str, cases: Mapping[str, Evaluation]) -> float:
    """About how many passes a text takes, a forward and a backward pass as one each; the mean over the cases."""
    name, _, given = method.partition(" (")
    row = METHODS[name]
    options = row.options
    for key, value in re.findall(r"(\w+)=(\w+)", given):
        options[key] = int(value) if value.isdigit() else value
    words = [len(one.words) for found in cases.values() for one in found.rows if one.method == method]
    each = 2 if "backward" in row.passes else 1
    whole = 1 if row.family == "perturbation" else 0
    return float(np.mean([whole + each * row.runs(options, count) for count in words]))


def summary(shares: Mapping[str, Mapping[str, float]], costs: Mapping[str, float]) -> str:
    """Methods by cases: comprehensiveness as a share of deletion's."""
    names = sorted({name for of in shares.values() for name in of})
    lines = [f"| method | passes | {' | '.join(names)} | mean |", f"|---|--:|{'--:|' * (len(names) + 1)}"]
    for method, of in shares.items():
        cells = [f"{of[name]:.2f}" if name in of else "—" for name in names]
        lines.append(f"| {method} | {costs[method]:.0f} | {' | '.join(cells)} | {np.mean([*of.values()]):.2f} |")
    return "\n".join(["## Comprehensiveness as a share of deletion’s", "", *lines])


def table(name: str, found: Evaluation) -> str:
    """One case: means with their intervals."""
    about = found.settings["metrics"]
    metrics = [metric for metric in SHOWN if metric in found.metrics]
    standings = {metric: {one.method: one for one in found.standings(metric)} for metric in metrics}
    words = [len(row.words) for row in found.rows if row.method == YARDSTICK]
    right = "" if found.accuracy is None else f"; the model is right on {found.accuracy:.0%}"
    lines = [
        f"## {name}: {found.texts} texts of {np.mean(words):.1f} words",
        "",
        f"{Path(found.settings['model']).name}, words taken away by `{found.settings['replacement']}`{right}.",
        "",
        "| method | " + " | ".join(f"{m.replace('_', ' ')} {ARROWS[about[m]['better']]}" for m in metrics) + " |",
        "|---|" + "--:|" * len(metrics),
    ]
    for method in standings[metrics[0]]:
        lines.append(f"| {method} | {' | '.join(_cell(standings[metric].get(method)) for metric in metrics)} |")
    return "\n".join(lines)


def _cell(one: Standing | None) -> str:
    if one is None:
        return "—"
    spread = f", ±{one.spread:.3f}" if one.spread else ""
    return f"{one.mean:.3f}{MARKS[one.verdict]} ({one.low:.3f} to {one.high:.3f}{spread})"


def draw(shares: Mapping[str, Mapping[str, float]], costs: Mapping[str, float]) -> None:
    """The figure: what is not beaten by a cheaper method, the Pareto front, is joined by a line."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 4.2), dpi=140, layout="constrained")
    axes = figure.subplots()
    means = {method: float(np.mean([*of.values()])) for method, of in shares.items()}
    axes.axhline(means[YARDSTICK], color="#888888", linewidth=0.8, linestyle=":")
    front = [m for m in means if all(costs[o] > costs[m] or means[o] <= means[m] for o in means if o != m)]
    front = sorted((m for m in front if means[m] > means[YARDSTICK]), key=lambda m: costs[m])
    axes.plot([costs[m] for m in front], [means[m] for m in front], color="#0072b2", linewidth=1.2, zorder=1)
    written: list[tuple[float, float]] = []
    for method, mean in means.items():
        height = mean
        while any(abs(height - other) < 0.03 and 0.4 < cost / costs[method] < 2.5 for cost, other in written):
            height -= 0.03
        written.append((costs[method], height))
        axes.scatter(costs[method], mean, s=18, color="#0072b2" if method in front else "#888888", zorder=2)
        axes.annotate(method, (costs[method], height), xytext=(6, -2), textcoords="offset points", fontsize=7)
    axes.set_ylim(min(height for _, height in written) - 0.04, 1.04)
    axes.set_xscale("log")
    axes.set_xlim(0.8, 1.8 * max(costs.values()))
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.set_xlabel("passes per text (forward and backward as one each)")
    axes.set_ylabel("comprehensiveness, deletion = 1")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURE)
