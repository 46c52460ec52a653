"""Estimated and exact effects of all heads, on texts of three kinds."""

from typing import Any

import attnscope as ats
import sentiment
from effects import capitals, heads

HOW = ("zero", "mean")


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


def report(rows: Any) -> str:
    return str({model: len(of) for model, of in rows.items()})
