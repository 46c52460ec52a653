"""The numbers of docs/faithfulness.md: which methods find the words that a model relies on, and at what price.

    python faithfulness.py run FOLDER [NAME…] [--texts N] [--chosen-on]   measure; a stopped run goes on
    python faithfulness.py peers FOLDER NAME… --python PYTHON             add lxt, captum and inseq on the same texts
    python faithfulness.py page FOLDER                                    write docs/faithfulness.md and its figure

A NAME is a case, such as smollm2-short; by default all of CASES. Rows are JSON lines, FOLDER/NAME.jsonl, one for each
text and method, which `ats.load_result` reads. All cases get a few texts, then more, so that a run that is stopped has
measured each of them. Of each case's 200 texts the first third was there to choose defaults by: `--chosen-on` takes
those, else the other two thirds are measured, which nothing was chosen on.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import attnscope as ats
import cose
import faithfulness_page
import grammar
import sentiment
from attnscope.methods.table import METHODS
from attnscope.models.architecture import task_of
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.inputs.encode import Encoded
from attnscope.results.attribution import Attribution
from attnscope.results.evaluation import Evaluation
from attnscope.results.sample import Sample
from attnscope.studies.evaluate import evaluate

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "support"))
from real_models import flan_t5_folder, qwen_coder_folder

# Of this many texts of a case, the first third is for choosing.
TEXTS = 200
# The first round's texts; each further round has twice as many.
FIRST_ROUND = 8
BINS = ["comprehensiveness", "sufficiency"]
AREAS = ["deletion_area", "insertion_area"]
PEOPLE = ["human_correlation", "human_precision"]
# Methods of few passes, for every case; each at its default, but for attention, which needs a query.
CHEAP: list[tuple[str, dict[str, Any]]] = [
    ("mask_gradient", {}),
    ("mask_gradient", {"steps": 4}),
    ("surrogate", {}),
    ("deletion", {"signed": True}),
    ("gim", {}),
    ("gradient", {}),
    ("gradient_x_input", {}),
    ("attention_gradient", {}),
    ("attention", {"head": "mean"}),
]
# On texts of twenty words and more, what `auto` takes there; on shorter ones it is deletion itself.
LONGER: list[tuple[str, dict[str, Any]]] = [
    ("mask_gradient", {"steps": 4, "exact": 8}),
    ("surrogate", {"replacement": "delete"}),
]
# What short texts can afford besides.
DEAR: list[tuple[str, dict[str, Any]]] = [
    ("occlusion", {}),
    ("integrated_gradients", {}),
    ("integrated_gradients", {"baseline": "zero"}),
    ("smooth_grad", {}),
    ("gradient_shap", {}),
    ("shapley", {}),
    ("lime", {}),
    ("attention_flow", {}),
    ("rollout", {}),
    ("value_norm", {}),
    ("value_zeroing", {}),
]
# Refused on an encoder–decoder.
ONE_STACK = ("attention_gradient", "attention_flow", "rollout", "value_norm", "value_zeroing", "attention")


@dataclass(frozen=True)
class Case:
    """A model on texts of one length.

    share:      of the texts of a round, those that this case gets: fewer where a text takes long.
    every:      whether all methods run, and not only those of few passes.
    longer:     whether texts have twenty words or more.
    areas:      whether words are also taken away one by one, which takes two passes a word for each method.
    normalised: whether AOPC is normalised, for 3 · n² texts a text.
    query:      where attention is read from: the token that predicts, or None where it may be any.
    without:    the methods that are refused on this model.
    """

    name: str
    model: Callable[[], ats.Model]
    samples: Callable[[ats.Model, int], Sequence[Sample]]
    share: float = 1.0
    every: bool = False
    longer: bool = False
    areas: bool = True
    normalised: bool = False
    replacement: str = "delete"
    query: int | None = -1
    without: tuple[str, ...] = ()

    def methods(self) -> list[tuple[str, dict[str, Any]]]:
        """The methods that run, with their parameters."""
        asked = [*CHEAP, *(LONGER if self.longer else ()), *(DEAR if self.every else ())]
        return [
            (name, own if METHODS[name].asks != "query" else {**own, "query": self.query})
            for name, own in asked
            if name not in self.without
        ]


def _reviews(shortest: int, longest: int) -> Callable[[ats.Model, int], Sequence[Sample]]:
    return lambda _model, count: sentiment.samples(count, shortest, longest)


def _plain(shortest: int, longest: int) -> Callable[[ats.Model, int], Sequence[Sample]]:
    return lambda _model, count: sentiment.plain_samples(count, shortest, longest)


def _qwen() -> ats.Model:
    return ats.load(qwen_coder_folder())


def _flan_t5() -> ats.Model:
    return ats.load(flan_t5_folder())


CLASSIFIER, CLS = sentiment.classifier, 0
CASES = {
    case.name: case
    for case in (
        Case("classifier-short", CLASSIFIER, _plain(4, 7), share=3, every=True, normalised=True, query=CLS),
        Case("classifier-medium", CLASSIFIER, _plain(18, 22), longer=True, query=CLS),
        Case("classifier-long", CLASSIFIER, _plain(60, 70), longer=True, share=0.6, areas=False, query=CLS),
        Case("grammar", grammar.tagger, grammar.samples, every=True, normalised=True, replacement="mask", query=None),
        # Not a text with a hole, but one with a neutral word in the place of each that is taken away.
        Case("classifier-neutral", CLASSIFIER, _plain(4, 7), areas=False, replacement="neutral", query=CLS),
        Case("smollm2-short", ats.load, _reviews(4, 7)),
        Case("smollm2-neutral", ats.load, _reviews(4, 7), share=0.5, areas=False, replacement="neutral"),
        Case("smollm2-medium", ats.load, _reviews(18, 22), longer=True, share=0.5, areas=False),
        Case("smollm2-long", ats.load, _reviews(60, 70), longer=True, share=0.3, areas=False),
        Case("qwen-short", _qwen, _reviews(4, 7), share=0.5, areas=False),
        Case("flan-t5-short", _flan_t5, _reviews(4, 7), without=ONE_STACK),
        Case("flan-t5-medium", _flan_t5, _reviews(18, 22), longer=True, share=0.5, areas=False, without=ONE_STACK),
        Case("cose", ats.load, lambda _model, count: cose.samples(count), share=0.5, areas=False),
    )
}


def measured(case: Case, folder: Path, model: ats.Model, texts: int, *, chosen_on: bool) -> Evaluation:
    """The case's rows, those of an earlier run included."""
    every = list(case.samples(model, TEXTS))
    first = len(every) // 3
    asked = (every[:first] if chosen_on else every[first:])[: math.ceil(texts * case.share)]
    metrics = [*BINS, *(AREAS if case.areas else ()), *(["normalised_aopc"] if case.normalised else []), *PEOPLE]
    rows = folder / f"{case.name}.jsonl"
    return evaluate(model, asked, case.methods(), metrics, replacement=case.replacement, curves=case.areas, rows=rows)


def peers(case: Case, folder: Path, python: str, texts: int) -> Evaluation:
    """The case's rows, with those of other tools' scores on its first texts, made in their environment."""
    model, rows = case.model(), folder / f"{case.name}.jsonl"
    label_of = {row.key: row.label for row in Evaluation.load(rows).rows}
    samples = [one for one in case.samples(model, TEXTS) if one.key in label_of][:texts]
    encoded = list(encoded_texts(model, [one.text for one in samples]))
    causal = task_of(model.model) == "causal"

    def identity(label: str | int) -> int:
        if not causal:
            return int(model.model.config.label2id[label])
        (token,) = model.tokenizer(label, add_special_tokens=False)["input_ids"]
        return int(token)

    asked = []
    for sample, read in zip(samples, encoded, strict=True):
        explained = label_of[sample.key]
        (other,) = (label for label in sample.labels if label != explained)
        asked.append(
            {
                "text": read.text,
                "ids": read.inputs["input_ids"],
                "explained": identity(explained),
                "other": identity(other),
            }
        )
    with tempfile.TemporaryDirectory() as here:
        tasks, out = Path(here, "tasks.json"), Path(here, "scores.json")
        kind = "causal" if causal else "classifier"
        tasks.write_text(json.dumps({"folder": model.model.name_or_path, "kind": kind, "texts": asked}))
        subprocess.run([python, Path(__file__).parent / "peers" / "scores.py", tasks, out], check=True)
        scores_of = json.loads(out.read_text())
    given = [
        [_attribution(name, read, scores) for read, scores in zip(encoded, of_texts, strict=True)]
        for name, of_texts in scores_of.items()
    ]
    metrics = list(Evaluation.load(rows).settings["metrics"])
    return evaluate(model, samples, given, metrics, replacement=case.replacement, curves=case.areas, rows=rows)


def _attribution(name: str, encoded: Encoded, scores: Sequence[float]) -> Attribution:
    """A peer's scores of tokens; tokens that share a character are one word."""
    spans: list[tuple[int, int]] = []
    sums: list[float] = []
    for token, score in zip(encoded.tokens, scores, strict=True):
        if token.special or token.start == token.end:
            continue
        if spans and token.start < spans[-1][1]:
            spans[-1], sums[-1] = (spans[-1][0], max(spans[-1][1], token.end)), sums[-1] + score
        else:
            spans.append((token.start, token.end))
            sums.append(score)
    return Attribution.of(encoded.text, spans, sums, method=name, signed="saliency" not in name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("run", "peers", "page"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--texts", type=int, default=TEXTS)
    parser.add_argument("--chosen-on", action="store_true")
    parser.add_argument("--python", help="of the environment of benchmarks/peers/requirements.txt")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    if asked.what == "page":
        faithfulness_page.write(asked.folder)
        return
    names = asked.names or list(CASES)
    if asked.what == "peers":
        for name in names:
            peers(CASES[name], asked.folder, asked.python, asked.texts)
        return
    models: dict[Callable[[], ats.Model], ats.Model] = {}
    texts = FIRST_ROUND
    while True:
        texts = min(texts, asked.texts)
        for name in names:
            case, begun = CASES[name], time.perf_counter()
            if case.model not in models:
                models[case.model] = case.model()
            found = measured(case, asked.folder, models[case.model], texts, chosen_on=asked.chosen_on)
            seconds = time.perf_counter() - begun
            sys.stdout.write(f"{name}: {found.texts} texts, accuracy {found.accuracy}, {seconds:.0f} s\n")
            sys.stdout.flush()
        if texts == asked.texts:
            return
        texts *= 2


if __name__ == "__main__":
    main()
