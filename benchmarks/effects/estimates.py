"""Estimated and exact effects of all heads, on texts of three kinds."""

from typing import Any

import numpy as np
from matplotlib.ticker import NullLocator

import attnscope as ats
import sentiment
from attnscope.render.figure.look import Look
from attnscope.results.statistics import spearman
from effects import capitals, heads
from effects.rows import LINES, MODELS, Rows, drawn, labels, spread, table

HOW = ("zero", "mean")
TOP = 10
TICKS = (-10, -1, -0.1, 0, 0.1, 1, 10)


def items(model: ats.Model, count: int) -> list[dict[str, Any]]:
    """Questions for capitals, reviews, and random words that come twice, in turn."""
    asked = [{"kind": "capital", **capitals.question(country)} for country in capitals.CAPITALS]
    rated = [
        {"kind": "review", "text": one.text, "target": sentiment.LABELS[0], "against": sentiment.LABELS[1]}
        for one in sentiment.samples(count, 8, 12)
    ]
    said = [{"kind": "repeated words", "text": text} for text in heads.repeated(model, count, 12)]
    return [one for three in zip(asked, rated, said, strict=False) for one in three][:count]


def measure(model: ats.Model, item: dict[str, Any]) -> dict[str, Any]:
    """Estimates and exact effects of all heads, by what stands in their place."""
    row: dict[str, Any] = {"kind": item["kind"], "text": item["text"]}
    for how in HOW:
        found = ats.head_effects(
            model, item["text"], item.get("target"), against=item.get("against"), exact="all", how=how
        )
        row[how] = {"estimate": found.estimate.tolist(), "exact": found.effect.tolist(), "value": found.values[0]}
    return row


def report(rows: Rows) -> str:
    """How far estimates agree with exact effects, by kind of text, and the figure."""
    parts = []
    for model, found in rows.items():
        count = np.array(found[0]["zero"]["exact"]).size
        parts.append(
            f"{MODELS[model][0]}, all {count} heads on {len(found)} texts; over the heads of each text, then means "
            "over texts:"
        )
        lines = []
        for how in HOW:
            for kind in ("all", *dict.fromkeys(row["kind"] for row in found)):
                chosen = [row[how] for row in found if kind in ("all", row["kind"])]
                pairs = [(np.ravel(one["estimate"]), np.ravel(one["exact"])) for one in chosen]
                lines.append([
                    f"{how}: {kind} ({len(chosen)})",
                    spread([spearman(a, b) for a, b in pairs]),
                    spread([np.corrcoef(a, b)[0, 1] for a, b in pairs]),
                    spread([len({*_top(a)} & {*_top(b)}) / TOP for a, b in pairs], ".2f"),
                ])  # fmt: skip
        heads = ["in a head's place: texts", "rank correlation", "correlation", f"of the {TOP} strongest, found"]
        parts.append(table(heads, lines))
    parts.append(drawn("estimates", (7.2, 3.4), 2, lambda look, axes, _: _draw(look, axes, next(iter(rows.values())))))
    return "\n\n".join(parts)


def _top(values: np.ndarray) -> list[int]:
    return np.argsort(-np.abs(values), kind="stable")[:TOP].tolist()


def _draw(look: Look, axes: Any, rows: list[dict[str, Any]]) -> None:
    for ax, how in zip(axes, HOW, strict=True):
        kinds = dict.fromkeys(row["kind"] for row in rows)
        for number, kind in enumerate(kinds):
            chosen = [row[how] for row in rows if row["kind"] == kind]
            across, up = (np.concatenate([np.ravel(one[name]) for one in chosen]) for name in ("estimate", "exact"))
            ax.scatter(across, up, s=5, alpha=0.5, linewidths=0, color=LINES[number], label=kind)
        ends = max(abs(end) for end in (*ax.get_xlim(), *ax.get_ylim()))
        ax.plot([-ends, ends], [-ends, ends], color=look.colours.muted, linewidth=0.5)
        for scale, axis in ((ax.set_xscale, ax.xaxis), (ax.set_yscale, ax.yaxis)):
            scale("symlog", linthresh=0.05)
            axis.set_ticks(ticks := [tick for tick in TICKS if abs(tick) < ends], [f"{tick:g}" for tick in ticks])
            axis.set_minor_locator(NullLocator())
        labels(look, ax, f"heads put out {'zeros' if how == 'zero' else 'their mean'}", "estimate", "exact effect")
