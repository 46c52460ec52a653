"""What docs/faithfulness.md reports: `python faithfulness.py reviews ROWS.jsonl [TEXTS]`, and the same for `sanity`, `grammar`.

A broken run goes on where it stopped when it is started again. Each run prints its table.
"""

import sys
import time
from typing import Any

import attnscope as ats
import sentiment
from attnscope.evaluation import Evaluation
from attnscope.methods import METHODS
from attnscope.metrics.evaluate import evaluate

# What an attention is asked for by default is one head of the last layer, and the mean over all queries: for a
# prediction one also wants the attention from the token that predicts.
FROM_LAST: dict[str, Any] = {"query": -1}
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "attention": [{}, {"head": "mean", **FROM_LAST}, {"layer": "mean", "head": "mean", **FROM_LAST}],
    "rollout": [FROM_LAST],
    "attention_flow": [FROM_LAST],
    "value_norm": [FROM_LAST],
    "value_zeroing": [FROM_LAST],
    # Fewer samples than the default, so that 200 texts take an hour.
    "integrated_gradients": [{"steps": 6}],
    "gradient_shap": [{"samples": 4}],
    "smooth_grad": [{"samples": 4}],
    "shapley": [{"pairs": 2}],
    "lime": [{"samples": 32}],
    "deletion": [{"signed": True}],
}
# A maximum flow for each token, a pass for each token and layer: on fewer texts.
SLOW = ("attention_flow", "value_zeroing")
BY_WORDS = [
    "comprehensiveness",
    "sufficiency",
    "aopc",
    "normalised_aopc",
    "deletion_area",
    "insertion_area",
    "log_odds",
]
PEOPLE = ["human_correlation", "human_precision", "human_overlap"]
REST = ["soft_comprehensiveness", "soft_sufficiency", "sensitivity", "randomisation"]


def methods(slow: bool) -> list[tuple[str, dict[str, Any]]]:
    return [(name, own) for name in METHODS for own in VARIANTS.get(name, [{}]) if (name in SLOW) == slow]


def reviews(rows: str, texts: int = 200, *, slow: bool = False) -> Evaluation:
    """SmolLM2 as a zero-shot sentiment classifier."""
    return evaluate(
        ats.load(), sentiment.samples(texts), methods(slow), [*BY_WORDS, "completeness_error", *PEOPLE], rows=rows
    )


def slow(rows: str, texts: int = 40) -> Evaluation:
    """The same by the methods that take longest, into the same rows: after `reviews`."""
    return reviews(rows, texts, slow=True)


def rest(rows: str, texts: int = 30) -> Evaluation:
    """The metrics that explain again or soften embeddings, on fewer texts."""
    return evaluate(ats.load(), sentiment.samples(texts), methods(False), REST, rows=rows)


RUNS = {"reviews": reviews, "slow": slow, "rest": rest}


def main() -> None:
    what, rows, *count = sys.argv[1:]
    begun = time.perf_counter()
    found = RUNS[what](rows, *map(int, count))
    sys.stdout.write(found.table())
    sys.stdout.write(f"accuracy {found.accuracy}, {time.perf_counter() - begun:.0f} s\n")


if __name__ == "__main__":
    main()
