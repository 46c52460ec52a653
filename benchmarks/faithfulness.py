"""The numbers of docs/faithfulness.md: which methods find the words that a model relies on, and at what price.

    python faithfulness.py run FOLDER [NAME…] [--texts N] [--held-out] [--cheap]   measure; a stopped run goes on
    python faithfulness.py page FOLDER                                    write docs/faithfulness.md and its figure

A NAME is a case, such as smollm2-short; by default all of CASES. Rows are JSON lines, FOLDER/NAME.jsonl, one for each
text and method, which `ats.load_result` reads. The first third of each case's texts was there to choose defaults by;
--held-out takes the other two thirds.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import attnscope as ats
import cose
import faithfulness_page
import grammar
import sentiment
from attnscope.results.evaluation import Evaluation
from attnscope.results.sample import Sample
from attnscope.studies.evaluate import evaluate

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from real_models import flan_t5_folder, qwen_coder_folder

METRICS = ["comprehensiveness", "sufficiency", "deletion_area", "insertion_area"]
PEOPLE = ["human_correlation", "human_precision"]
FROM_LAST: dict[str, Any] = {"query": -1}
# Every method at its default, but for attention, which needs a query, and for steps that are many times a pass.
METHODS: list[tuple[str, dict[str, Any]]] = [
    ("mask_gradient", {}),
    ("mask_gradient", {"steps": 4}),
    ("surrogate", {}),
    ("deletion", {"signed": True}),
    ("occlusion", {}),
    ("gim", {}),
    ("gradient", {}),
    ("gradient_x_input", {}),
    ("integrated_gradients", {}),
    ("integrated_gradients", {"baseline": "zero"}),
    ("smooth_grad", {}),
    ("gradient_shap", {}),
    ("shapley", {}),
    ("lime", {}),
    ("attention_gradient", {}),
    ("rollout", FROM_LAST),
    ("value_norm", FROM_LAST),
    ("attention", {"head": "mean", **FROM_LAST}),
]
# Of these, what a text of twenty words and more can afford.
CHEAP = (
    "mask_gradient",
    "surrogate",
    "deletion",
    "gim",
    "gradient",
    "gradient_x_input",
    "attention_gradient",
    "attention",
)


# Refused on an encoder–decoder.
ONE_STACK = ("attention_gradient", "rollout", "value_norm", "attention")


@dataclass(frozen=True)
class Case:
    """A model on texts of one length.

    cheap:      whether only methods of few passes run. normalised: whether AOPC is normalised, for 3 · n² texts a text.
    without:    the methods that are refused on this model.
    """

    name: str
    model: Callable[[], ats.Model]
    samples: Callable[[ats.Model, int], Sequence[Sample]]
    cheap: bool = False
    normalised: bool = False
    replacement: str = "delete"
    without: tuple[str, ...] = ()


def _reviews(shortest: int, longest: int) -> Callable[[ats.Model, int], Sequence[Sample]]:
    return lambda _model, count: sentiment.samples(count, shortest, longest)


CASES = {
    case.name: case
    for case in (
        Case("smollm2-short", ats.load, _reviews(4, 7), normalised=True),
        Case("smollm2-medium", ats.load, _reviews(18, 22), cheap=True),
        Case("smollm2-long", ats.load, _reviews(60, 80), cheap=True),
        Case("qwen-short", lambda: ats.load(qwen_coder_folder()), _reviews(4, 7)),
        Case("qwen-medium", lambda: ats.load(qwen_coder_folder()), _reviews(18, 22), cheap=True),
        Case("flan-t5-short", lambda: ats.load(flan_t5_folder()), _reviews(4, 7), without=ONE_STACK),
        Case("flan-t5-medium", lambda: ats.load(flan_t5_folder()), _reviews(18, 22), cheap=True, without=ONE_STACK),
        Case("classifier-short", sentiment.classifier, lambda _m, n: sentiment.plain_samples(n, 4, 7)),
        Case("classifier-medium", sentiment.classifier, lambda _m, n: sentiment.plain_samples(n, 18, 22), cheap=True),
        Case("grammar", grammar.tagger, grammar.samples, normalised=True, replacement="mask"),
        Case("cose", ats.load, lambda _model, count: cose.samples(count), cheap=True),
    )
}


def measured(case: Case, folder: Path, texts: int, *, held_out: bool, cheap: bool) -> Evaluation:
    """The case's rows, those of an earlier run included."""
    model = case.model()
    every = list(case.samples(model, texts))
    first = len(every) // 3
    chosen = every[first:] if held_out else every
    names = CHEAP if case.cheap or cheap else [name for name, _ in METHODS]
    methods = [(name, own) for name, own in METHODS if name in names and name not in case.without]
    metrics = [*METRICS, *(["normalised_aopc"] if case.normalised else []), *PEOPLE]
    return evaluate(model, chosen, methods, metrics, replacement=case.replacement, rows=folder / f"{case.name}.jsonl")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "page"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--texts", type=int, default=200)
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--cheap", action="store_true", help="methods of few passes alone")
    parser.add_argument("--threads", type=int, default=0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.threads:
        torch.set_num_threads(asked.threads)
    if asked.what == "page":
        faithfulness_page.write(asked.folder)
        return
    for name in asked.names or CASES:
        begun = time.perf_counter()
        found = measured(CASES[name], asked.folder, asked.texts, held_out=asked.held_out, cheap=asked.cheap)
        sys.stdout.write(
            f"{name}: {found.texts} texts, accuracy {found.accuracy}, {time.perf_counter() - begun:.0f} s\n"
        )
        sys.stdout.flush()


if __name__ == "__main__":
    main()
