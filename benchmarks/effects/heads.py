"""Induction and previous-token heads by their known scores, and the loss on repeated text without them."""

import random
import re
from typing import Any

import numpy as np

import attnscope as ats
import sentiment
from attnscope.models.intervention.knock_out import KnockOut
from attnscope.models.targets.target import Target
from attnscope.render.figure.look import Look
from attnscope.results.statistics import interval
from attnscope.studies.effects.experiment import experiment, own_pool, stand_ins
from attnscope.text.inputs import Reading
from effects.rows import LINES, MODELS, Rows, drawn, labels, spread, table

COUNTS = (1, 3, 10, 30)
HOW = ("zero", "mean")
WORDS, DRAWS, PROFILED = 32, 2, 40
Head = tuple[int, int]
KINDS = {
    "induction": "strongest induction heads",
    "previous": "strongest previous-token heads",
    "others of the same layers": "random heads of the induction heads’ layers",
    "any others": "random heads",
}


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


def report(rows: Rows) -> str:
    """The heads, what the loss does without them, and the figure."""
    parts = []
    for model, found in rows.items():
        scores, places = found[0]["scores"], found[0]["places"]
        for name, title in (("induction", "Induction heads"), ("previous", "Previous-token heads")):
            best = np.argsort(-np.array(scores[name]), kind="stable")[:10]
            said = ", ".join(f"{places[i][0]}.{places[i][1]} ({scores[name][i]:.2f})" for i in best)
            parts.append(f"{title} of {MODELS[model][0]}, of {len(places)} heads: {said}.")
        plain = np.array([row["plain"] for row in found])
        parts.append(
            f"{MODELS[model][0]}, {len(found)} sequences: the loss per token is {spread(plain[:, 0], '.2f')} on the "
            f"first copy and {spread(plain[:, 1], '.2f')} on the second. It rises by, in nats per token:"
        )
        lines = [
            [_counted(k, KINDS[kind]), *(spread(_rise(found, how, kind, k, half)) for how in HOW for half in (1, 0))]
            for kind in KINDS
            for k in COUNTS
        ]
        heads = ["without", "zeros: second copy", "first copy", "means: second copy", "first copy"]
        parts.append(table(heads, lines))
    parts.append(drawn("heads", (4.2 * len(rows), 3.2), len(rows), lambda look, axes, _: _draw(look, axes, rows)))
    return "\n\n".join(parts)


def _counted(count: int, heads: str) -> str:
    return f"{count} {heads}" if count > 1 else f"1 {heads.replace('heads', 'head', 1)}"


def _rise(rows: list[dict[str, Any]], how: str, kind: str, k: int, half: int) -> np.ndarray:
    return np.array([row["without"][f"{how}|{kind}|{k}"][half] - row["plain"][half] for row in rows])


def _draw(look: Look, axes: Any, rows: Rows) -> None:
    for ax, (model, found) in zip(axes, rows.items(), strict=True):
        for number, kind in enumerate(KINDS):
            values = [_rise(found, "mean", kind, k, 1) for k in COUNTS]
            low, high = np.array([interval(one) for one in values]).T
            means = np.array([one.mean() for one in values])
            ax.errorbar(
                np.array(COUNTS) * (1 + 0.04 * number), means, np.maximum(0, [means - low, high - means]), marker="o",
                markersize=3, linewidth=1.2, color=LINES[number], label=KINDS[kind],
            )  # fmt: skip
        ax.set_xscale("log")
        ax.set_xticks(COUNTS, list(map(str, COUNTS)))
        ax.minorticks_off()
        labels(look, ax, MODELS[model][0], "heads that put out their mean", "rise of the loss, second copy (nats)")
