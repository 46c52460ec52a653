"""Induction and previous-token heads by their known scores, and the loss on repeated text without them."""

import random
import re
from typing import Any

import numpy as np

import attnscope as ats
import sentiment
from attnscope.models.intervention.knock_out import KnockOut
from attnscope.models.targets.target import Target
from attnscope.studies.effects.experiment import experiment, own_pool, stand_ins
from attnscope.text.inputs import Reading

COUNTS = (1, 3, 10, 30)
HOW = ("zero", "mean")
WORDS, DRAWS, PROFILED = 32, 2, 40
Head = tuple[int, int]


def items(model: ats.Model, count: int) -> list[dict[str, Any]]:
    """Sequences of random words that come twice, with the heads that each is read without."""
    texts = [f"{one.text}" for one in sentiment.plain_samples(PROFILED, 8, 20)]
    found = ats.head_profiles(model, texts)
    places = list(found.places)
    scores = {name: found.mean[found.statistics.index(name)].tolist() for name in ("induction", "previous")}
    ranked = {name: [places[i] for i in np.argsort(-np.array(of), kind="stable")] for name, of in scores.items()}
    made = []
    for number, text in enumerate(repeated(model, count, WORDS)):
        chance = random.Random(number)
        taken = {name: {k: [heads[:k]] for k in COUNTS} for name, heads in ranked.items()}
        rest = [head for head in places if head not in {*ranked["induction"][:30], *ranked["previous"][:30]}]
        taken["any others"] = {k: [chance.sample(rest, k) for _ in range(DRAWS)] for k in COUNTS}
        taken["others of the same layers"] = {
            k: [_beside(ranked["induction"][:k], places, chance) for _ in range(DRAWS)] for k in COUNTS
        }
        made.append({"text": text, "taken": taken, "scores": scores, "places": places})
    return made


def repeated(model: ats.Model, count: int, words: int) -> list[str]:
    """Texts of so many random words that come twice, a token each."""
    tokenizer = model.tokenizer
    # A word with a space before it stays one token among others of its kind.
    tokens = [tokenizer.decode([i]) for i in range(len(tokenizer))]
    known = [text for text in tokens if re.fullmatch(" [a-z]{3,}", text)]
    return [2 * "".join(random.Random(number).sample(known, words)) for number in range(count)]


def _beside(heads: list[Head], places: list[Head], chance: random.Random) -> list[Head]:
    """As many heads of each layer, none of them these, as far as there are."""
    drawn: list[Head] = []
    for layer in sorted({layer for layer, _ in heads}):
        others = [place for place in places if place[0] == layer and place not in heads]
        drawn += chance.sample(others, min(len(others), sum(one == layer for one, _ in heads)))
    left = [place for place in places if place not in heads and place not in drawn]
    return drawn + chance.sample(left, len(heads) - len(drawn))


def measure(model: ats.Model, item: dict[str, Any]) -> dict[str, Any]:
    """The loss per token of both halves, as it is and without each set of heads."""
    of = experiment(model, item["text"], Target(), Reading(), None, attention=True, layers=False)
    (passes,) = of.passes
    before = passes.record(list(of.heads)).entries[0].double()
    assert len(before) == 2 * WORDS - 1, "a word of the sequence was cut in two"
    pool, without = own_pool(of, passes), {}
    for how in HOW:
        instead = stand_ins(how, pool, 2 * WORDS, 1, 0)
        for name, by_count in item["taken"].items():
            for k, sets in by_count.items():
                texts = [KnockOut({head: instead.of(*head) for head in heads}) for heads in sets]
                after = -passes.without(texts).entries.double().mean(0)
                without[f"{how}|{name}|{k}"] = [after[: WORDS - 1].mean().item(), after[WORDS:].mean().item()]
    plain = [-before[: WORDS - 1].mean().item(), -before[WORDS:].mean().item()]
    return {"plain": plain, "without": without, "scores": item["scores"], "places": item["places"]}


def report(rows: Any) -> str:
    return str({model: len(of) for model, of in rows.items()})
