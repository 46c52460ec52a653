"""Evaluation compared with a plain loop over perturbed texts: `python evaluation.py [TEXTS]`.

Both get the same explanations and remove words in the same way; they must give the same comprehensiveness, sufficiency
and area under the curve. Only the perturbed texts are timed.
"""

import sys
import time

import numpy as np
import torch

import attnscope as ats
import sentiment
from attnscope.metrics.query import Explanation
from attnscope.models.inputs.batching import encoded_texts
from attnscope.models.targets.label_probabilities import choices
from attnscope.studies.metric_rounds import measure
from attnscope.studies.perturbed_text import PerturbedText

METRICS = ["comprehensiveness", "sufficiency", "aopc", "deletion_area", "insertion_area", "log_odds"]
METHODS = 4
BINS = (0.01, 0.05, 0.1, 0.2, 0.5)


def plain(
    model: ats.Model, ids: list[int], groups: list[list[int]], labels: list[int], order: list[int]
) -> list[float]:
    """Each text by itself: comprehensiveness and sufficiency over the bins, then both curves, word by word."""

    def probability(gone: list[int]) -> float:
        taken = {token for word in gone for token in groups[word]}
        with torch.no_grad():
            logits = model.model(torch.tensor([[x for i, x in enumerate(ids) if i not in taken]])).logits[0, -1]
        return float(logits[labels].softmax(-1)[0])

    whole = probability([])
    counts = list(dict.fromkeys(max(1, int(np.ceil(share * len(order) - 1e-9))) for share in BINS))
    falls = [whole - probability(order[:count]) for count in counts]
    kept = [whole - probability(order[count:]) for count in counts]
    deletion = [probability(order[:count]) for count in range(len(order) + 1)]
    insertion = [probability(order[count:]) for count in range(len(order), -1, -1)]
    curves = [float(np.trapezoid(c, dx=1 / len(order))) for c in (deletion, insertion[::-1])]
    return [float(np.mean(falls)), float(np.mean(kept)), *curves]


def main() -> None:
    texts = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    model = ats.load(dtype=torch.float32)
    generator = np.random.default_rng(0)
    ours = theirs = 0.0
    widest = 0.0
    for sample in sentiment.samples(texts):
        (encoded,) = encoded_texts(model, [sample.text])
        asked = choices(model, encoded, sample.labels)
        assert sample.within is not None
        words = [w for w in encoded.words if sample.within[0] <= w.start and w.end <= sample.within[1]]
        # One explanation per method, from agreement to chance.
        truth = generator.random(len(words))
        explanations = {
            str(i): Explanation(truth + i * 0.3 * generator.random(len(words)), True) for i in range(METHODS)
        }
        asked.without([frozenset()], "delete")  # what is computed once per model
        begun = time.perf_counter()
        found = measure(explanations, METRICS, PerturbedText(asked, words, 0, "delete"), {})
        ours += time.perf_counter() - begun
        ids = encoded.inputs["input_ids"]
        labels = [model.tokenizer(str(label), add_special_tokens=False)["input_ids"][0] for label in sample.labels]
        begun = time.perf_counter()
        for name, explanation in explanations.items():
            order = list(explanation.order)
            fall, kept, *curves = plain(model, ids, [list(w.tokens) for w in words], labels, order)
            pairs = ((fall, "comprehensiveness"), (kept, "sufficiency"), (curves[0], "deletion_area"))
            widest = max(widest, *(abs(value - found[name, metric]) for value, metric in pairs))
        theirs += time.perf_counter() - begun
    print(f"{texts} texts, {METHODS} explanations: {ours:.2f} s, plain loop {theirs:.2f} s: {theirs / ours:.1f} times")
    print(f"largest difference of a value: {widest:.1e}")


if __name__ == "__main__":
    main()
