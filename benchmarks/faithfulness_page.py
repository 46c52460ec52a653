"""docs/faithfulness.md from the rows of `faithfulness.py run`: its tables, and the figure of faithfulness and cost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attnscope.methods.table import METHODS
from attnscope.results.evaluation import YARDSTICK, Evaluation, Standing

DOCS = Path(__file__).parent.parent / "docs"
PAGE, FIGURE = DOCS / "faithfulness.md", DOCS / "images" / "faithfulness_cost.png"
FIGURE_LINE = f"![Comprehensiveness against passes; the line joins what no cheaper method beats](images/{FIGURE.name})"
BEGIN, END = "<!-- measured -->", "<!-- /measured -->"
SHOWN = ("normalised_aopc", "insertion_area", "comprehensiveness", "human_precision")
FAITHFUL = ("comprehensiveness", "sufficiency", "insertion_area", "deletion_area", "normalised_aopc")
YARD, BEST = "comprehensiveness", "deletion (signed=True)"
CHECKED = "mask_gradient (steps=4, exact=8)"
ARROWS = {"higher": "↑", "lower": "↓"}
MARKS = {"better": "*", "worse": "†", "": ""}
# Of other tools' methods, about how many passes a text takes.
PEER_PASSES = {
    "lxt AttnLRP": 2,
    "captum LayerIntegratedGradients": 100,
    "captum KernelShap": 64,
    "inseq saliency": 2,
}
RESAMPLES = 5_000
# On fewer texts a case is not shown at all.
FEWEST_SHOWN = 4


def write(folder: Path) -> None:
    """Put the tables of every case in the folder into the page, and draw the figure."""
    cases = {path.stem: _named(Evaluation.load(path)) for path in sorted(folder.glob("*.jsonl"))}
    cases = {name: found for name, found in cases.items() if found.texts >= FEWEST_SHOWN}
    shares = relative(cases)
    costs = {method: passes(method, cases) for method in shares}
    # What was measured in few of the cases only is not on one scale with the rest.
    common = {method: of for method, of in shares.items() if len(of) > len(cases) / 2}
    draw(common, costs)
    parts = [
        summary(shares, costs, cases),
        FIGURE_LINE,
        against_deletion(cases),
        above_chance(cases),
        *(table(name, found) for name, found in cases.items()),
    ]
    page = PAGE.read_text("utf-8")
    begin, end = page.index(BEGIN) + len(BEGIN), page.index(END)
    PAGE.write_text("\n\n".join([page[:begin], *parts, page[end:]]), "utf-8")


def _named(found: Evaluation) -> Evaluation:
    """The methods' names without the query, which is another one in each kind of model."""
    names = {method: re.sub(r",? ?query=[^,)]*", "", method).replace(" ()", "") for method in found.methods}
    return Evaluation(found.settings, tuple(replace(row, method=names[row.method]) for row in found.rows))


def relative(cases: Mapping[str, Evaluation]) -> dict[str, dict[str, float]]:
    """Of each method in each case, the comprehensiveness as a share of deletion's on the same texts, the best on
    average first."""
    found: dict[str, dict[str, float]] = {}
    for name, evaluation in cases.items():
        for method in evaluation.methods:
            own, best = _paired(evaluation, method, BEST)
            found.setdefault(method, {})[name] = float(own.mean() / best.mean())
    everywhere = max(map(len, found.values()))
    return dict(sorted(found.items(), key=lambda item: (len(item[1]) < everywhere / 2, -np.mean([*item[1].values()]))))


def _paired(found: Evaluation, one: str, other: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The comprehensiveness of two methods on the texts that both have, (text,) each."""
    values = {
        method: {row.key: row.values[YARD] for row in found.rows if row.method == method} for method in (one, other)
    }
    keys = [key for key in values[one] if key in values[other]]
    return np.array([values[one][key] for key in keys], float), np.array([values[other][key] for key in keys], float)


def _ratio(pairs: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> tuple[float, float, float, int]:
    """The mean of one over the mean of the other, both of the cases' means, a 95 % bootstrap interval over the texts of
    each case, and how many texts there are. A ratio in each case has no interval where the other finds little there."""
    generator = np.random.default_rng(0)
    ours, theirs = np.zeros(RESAMPLES), np.zeros(RESAMPLES)
    for one, other in pairs:
        picked = generator.integers(0, len(one), (RESAMPLES, len(one)))
        ours += one[picked].mean(1)
        theirs += other[picked].mean(1)
    low, high = np.quantile(ours / theirs, [0.025, 0.975])
    share = sum(one.mean() for one, _ in pairs) / sum(other.mean() for _, other in pairs)
    return float(share), float(low), float(high), sum(len(one) for one, _ in pairs)


def against_deletion(cases: Mapping[str, Evaluation]) -> str:
    """The claims about shares, with intervals."""
    long = {name: found for name, found in cases.items() if "medium" in name or "long" in name}
    lines = []
    for method, other, of, where in (
        ("mask_gradient", BEST, cases, "all cases"),
        ("mask_gradient (steps=4)", BEST, cases, "all cases"),
        ("mask_gradient (steps=4)", BEST, long, "20 words and more"),
        (CHECKED, BEST, long, "20 words and more"),
        ("surrogate", BEST, long, "20 words and more"),
        ("surrogate (replacement=delete)", BEST, long, "20 words and more"),
        ("gim", BEST, cases, "all cases"),
        ("gradient", BEST, cases, "all cases"),
        ("attention (head=mean)", BEST, cases, "all cases"),
        (YARDSTICK, BEST, cases, "all cases"),
        ("attention (head=mean)", YARDSTICK, cases, "all cases"),
        ("mask_gradient", "lxt AttnLRP", cases, "where AttnLRP ran"),
        ("mask_gradient (steps=4)", "lxt AttnLRP", cases, "where AttnLRP ran"),
    ):
        pairs = [_paired(found, method, other) for found in of.values() if {method, other} <= {*found.methods}]
        if pairs:
            share, low, high, texts = _ratio(pairs)
            lines.append(
                f"| {method} / {other} | {where} ({len(pairs)}) | {texts} | {share:.2f} ({low:.2f} to {high:.2f}) |"
            )
    head = ["| comprehensiveness of | in | texts | share, of the means over cases |", "|---|---|--:|--:|"]
    return "\n".join(["## How much of deletion’s, with intervals", "", *head, *lines])


def above_chance(cases: Mapping[str, Evaluation]) -> str:
    """For each method, where it beats random scores most surely."""
    lines = []
    methods = dict.fromkeys(method for found in cases.values() for method in found.methods if method != YARDSTICK)
    for method in methods:
        least = min(
            (
                (one.p, name, metric)
                for name, found in cases.items()
                for metric in FAITHFUL
                if metric in found.metrics
                for one in found.standings(metric)
                if one.method == method and (one.difference[0] > 0) == (one.better == "higher") and one.p == one.p
            ),
            default=None,
        )
        said = "nowhere better" if least is None else f"{least[0]:.4f} ({least[2].replace('_', ' ')}, {least[1]})"
        lines.append((1.0 if least is None else least[0], f"| {method} | {said} |"))
    head = ["## Better than random scores", "", "| method | smallest p, after correction |", "|---|---|"]
    return "\n".join([*head, *(line for _, line in sorted(lines, key=lambda one: one[0]))])


def passes(method: str, cases: Mapping[str, Evaluation]) -> float:
    """About how many passes a text takes, a forward and a backward pass as one each; the mean over the cases."""
    if method in PEER_PASSES:
        return PEER_PASSES[method]
    name, _, given = method.partition(" (")
    row = METHODS[name]
    options = row.options
    for key, value in re.findall(r"(\w+)=(\w+)", given):
        options[key] = int(value) if value.isdigit() else value
    exact = options.get("exact", 0)
    words = [len(one.words) for found in cases.values() for one in found.rows if one.method == method]
    each = 2 if "backward" in row.passes else 1
    if "as many forward passes as there are tokens" in row.passes:
        return float(np.mean(words))
    whole = 1 if row.family == "perturbation" or exact else 0
    return float(np.mean([whole + each * row.runs(options, count) + min(exact, count) for count in words]))


def summary(
    shares: Mapping[str, Mapping[str, float]], costs: Mapping[str, float], cases: Mapping[str, Evaluation]
) -> str:
    """Methods by cases: comprehensiveness as a share of deletion's."""
    names = list(cases)
    lines = [f"| method | passes | {' | '.join(names)} | mean |", f"|---|--:|{'--:|' * (len(names) + 1)}"]
    for method, of in shares.items():
        cells = [f"{of[name]:.2f}" if name in of else "—" for name in names]
        lines.append(f"| {method} | {costs[method]:.0f} | {' | '.join(cells)} | {np.mean([*of.values()]):.2f} |")
    counts = " | ".join(str(found.texts) for found in cases.values())
    lines.append(f"| *texts* | | {counts} | {sum(found.texts for found in cases.values())} |")
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
    axes.set_xlim(0.8, 3 * max(costs[method] for method in means))
    axes.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    axes.minorticks_off()
    axes.set_xlabel("passes per text (forward and backward as one each)")
    axes.set_ylabel("comprehensiveness, deletion = 1")
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(FIGURE)
