"""The numbers of docs/faithfulness.md: `python faithfulness.py RUN ROWS.jsonl [TEXTS]`, where RUN is one of RUNS.

An interrupted run resumes where it stopped. Each run prints its table;
`python faithfulness.py table ROWS.jsonl METRIC…` prints some of its columns in Markdown.
"""

import sys
import time
from collections.abc import Sequence
from typing import Any

import attnscope as ats
import grammar
import sentiment
from attnscope.methods.table import METHODS
from attnscope.results.evaluation import Evaluation
from attnscope.studies.evaluate import evaluate

# By default `ats.attention` shows one head of the last layer and the mean over all queries. For a prediction we also
# want the attention from the token that predicts.
FROM_LAST: dict[str, Any] = {"query": -1}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "attention": [{"query": None}, {"head": "mean", **FROM_LAST}, {"layer": "mean", "head": "mean", **FROM_LAST}],
    "rollout": [FROM_LAST],
    "attention_flow": [FROM_LAST],
    "value_norm": [FROM_LAST],
    "value_zeroing": [FROM_LAST],
    # Fewer samples than by default, to save time.
    "integrated_gradients": [{"steps": 6}, {}],
    "gradient_shap": [{"samples": 4}],
    "smooth_grad": [{"samples": 4}],
    "shapley": [{"pairs": 2}],
    "lime": [{"samples": 32}],
    "deletion": [{"signed": True}],
}
# Methods with many passes, or with a maximum flow for each token.
LONG = ("integrated_gradients", "smooth_grad", "gradient_shap", "shapley", "lime", "attention_flow", "value_zeroing")
BY_WORDS = ["comprehensiveness", "sufficiency", "aopc", "deletion_area", "insertion_area", "log_odds"]
PEOPLE = ["human_correlation", "human_precision", "human_overlap"]
REST = ["soft_comprehensiveness", "soft_sufficiency", "sensitivity", "randomisation"]


def methods(without: Sequence[str] = (), only: Sequence[str] = tuple(METHODS)) -> list[tuple[str, dict[str, Any]]]:
    return [(n, own) for n in METHODS if n in only and n not in without for own in VARIANTS.get(n, [{}])]


def reviews(rows: str, texts: int = 200) -> Evaluation:
    """SmolLM2 as a zero-shot sentiment classifier, by every method."""
    measured = [*BY_WORDS, "normalised_aopc", "completeness_error", *PEOPLE]
    return evaluate(ats.load(), sentiment.samples(texts), methods(), measured, rows=rows)


def rest(rows: str, texts: int = 12) -> Evaluation:
    """The metrics that need further explanations or soften embeddings."""
    return evaluate(ats.load(), sentiment.samples(texts), methods(without=LONG), REST, rows=rows)


def grammar_errors(rows: str, texts: int = 12) -> Evaluation:
    """The grammar tagger, by every method that runs on it with default options; the mask token covers words."""
    model = grammar.tagger()
    measured = [*BY_WORDS, "normalised_aopc", "soft_comprehensiveness", "soft_sufficiency", *PEOPLE]
    return evaluate(model, grammar.samples(model, texts), None, measured, replacement="mask", rows=rows)


def grammar_sanity(rows: str, texts: int = 6) -> Evaluation:
    """Whether scores stay the same when the model hardly changes, and change when its weights are shuffled."""
    model = grammar.tagger()
    chosen = methods(only=("gradient", "gradient_x_input", "deletion", "attention"))
    return evaluate(
        model, grammar.samples(model, texts), chosen, ["sensitivity", "randomisation"], replacement="mask", rows=rows
    )


RUNS = {
    "reviews": reviews,
    "rest": rest,
    "grammar": grammar_errors,
    "sanity": grammar_sanity,
}


def markdown(found: Evaluation, metrics: Sequence[str]) -> str:
    """A table of methods and metrics: mean, interval, and * where it differs from random scores."""
    arrows = {"higher": "↑", "lower": "↓"}
    about = found.settings["metrics"]
    lines = [
        "| method | texts | "
        + " | ".join(f"{m.replace('_', ' ')} {arrows[about[m]['better']]}" for m in metrics)
        + " |"
    ]
    lines.append("|---|--:|" + "--:|" * len(metrics))
    standings = {metric: {s.method: s for s in found.standings(metric)} for metric in metrics}
    for method in standings[metrics[0]]:
        cells = []
        for metric in metrics:
            one = standings[metric].get(method)
            mark = {"better": "*", "worse": "†", "": ""}[one.verdict] if one else ""
            cells.append(f"{one.mean:.3f}{mark} ({one.low:.3f} to {one.high:.3f})" if one else "—")
        lines.append(f"| {method} | {standings[metrics[0]][method].count} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    what, rows, *count = sys.argv[1:]
    if what == "table":
        sys.stdout.write(markdown(Evaluation.load(rows), count) + "\n")
        return
    begun = time.perf_counter()
    found = RUNS[what](rows, *map(int, count))
    sys.stdout.write(found.table())
    sys.stdout.write(f"accuracy {found.accuracy}, {time.perf_counter() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
