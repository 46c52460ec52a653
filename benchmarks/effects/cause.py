"""The numbers of docs/cause.md: which heads matter, where words reach a target, and whose attention is to be believed.

    python cause.py [heads] [capitals] [reviews] [--texts N] [--out FOLDER]

Each prints a Markdown table and writes a figure in light and dark; all of them by default. --texts: how many repeated
texts, capitals or reviews at most.
"""

import argparse
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import attnscope as ats
from attnscope.results.statistics import interval, spearman

sys.path.insert(0, str(Path(__file__).parent.parent))
import sentiment

WORDS = [
    "river", "stone", "lamp", "green", "cold", "house", "paper", "moon", "sugar", "train", "glass", "hand", "bread",
    "clock", "forest", "silver", "door", "cloud", "ship", "garden", "music", "salt", "wheel", "king",
]  # fmt: skip
CAPITALS = {
    "France": "Paris", "Japan": "Tokyo", "Italy": "Rome", "Germany": "Berlin", "Spain": "Madrid", "Russia": "Moscow",
    "China": "Beijing", "Egypt": "Cairo", "Greece": "Athens", "Austria": "Vienna", "England": "London",
    "Ireland": "Dublin", "Portugal": "Lisbon", "Poland": "Warsaw", "Cuba": "Havana", "Peru": "Lima", "Iran": "Tehran",
    "Iraq": "Baghdad", "Turkey": "Ankara", "Sweden": "Stockholm", "Norway": "Oslo", "Finland": "Helsinki",
    "Denmark": "Copenhagen", "Hungary": "Budapest", "Belgium": "Brussels", "Canada": "Ottawa", "Kenya": "Nairobi",
}  # fmt: skip
TOP, RANDOM = 10, 5


def heads(model: ats.Model, count: int, out: Path) -> None:
    """Induction and previous-token heads, the loss on repeated text without them, and estimate against exact."""
    chance = random.Random(0)
    texts = []
    for _ in range(count):
        once = " ".join(chance.sample(WORDS, 16))
        texts.append(f" {once} {once}")
    scores = np.mean([_scores(model, text) for text in texts], 0)  # (induction or previous, layer, head)
    places = [(layer, head) for layer in range(scores.shape[1]) for head in range(scores.shape[2])]
    rows = []
    for name, score in zip(("induction", "previous token"), scores, strict=True):
        best = sorted(places, key=lambda place: -score[place])[:TOP]
        without = [_second_half(model, text, best) for text in texts]
        rows.append((f"the {TOP} strongest {name} heads", without))
        print(f"{name}: " + ", ".join(f"{layer}.{head} {score[layer, head]:.2f}" for layer, head in best))
    drawn = [chance.sample(places, TOP) for _ in range(RANDOM)]
    rows.append(
        (f"{TOP} heads at random ({RANDOM} times)", [_mean(_second_half(model, t, d) for d in drawn) for t in texts])
    )
    print("\n| without | loss on the second half rises by | 95 % |\n|---|--:|---|")
    for name, without in rows:
        low, high = interval(without)
        print(f"| {name} | {np.mean(without):+.3f} | {low:+.3f} to {high:+.3f} |")
    print("\n| in a head's place | heads | rank correlation of estimate and exact effect |\n|---|--:|--:|")
    for how in ("zero", "mean"):
        found = ats.head_effects(model, texts[0], exact="all", how=how)
        print(f"| {how} | {found.known.sum()} | {found.rank_correlation:.2f} |")
        _figures(found, out / f"cause-heads-{how}")


def _scores(model: ats.Model, text: str) -> NDArray[np.float64]:
    """(2, layer, head): the mean share on the token after the one that was there before, and on the token before."""
    maps = ats.attention_maps(model, text)
    period = len(maps.queries) // 2
    later = np.arange(period, 2 * period)
    found = np.zeros((2, len(maps.layers), len(maps.heads)))
    for layer in maps.layers:
        for head in maps.heads:
            weights = maps.weights(layer, head)
            found[0, layer, head] = weights[later, later - period + 1].mean()
            found[1, layer, head] = weights[later, later - 1].mean()
    return found


def _second_half(model: ats.Model, text: str, taken: list[tuple[int, int]]) -> float:
    """How much the loss rises on the words that are repeated, without these heads."""
    effect = ats.knock_out(model, text, heads=taken)
    half = len(effect.tokens) // 2 + 1
    return _mean(token.after - token.before for token in effect.tokens[half:])


def _mean(values: Any) -> float:
    return float(np.mean(list(values)))


def capitals(model: ats.Model, count: int, out: Path) -> None:
    """In which layers the country reaches the last token."""
    texts, targets, subjects = [], [], []
    for country, capital in list(CAPITALS.items()):
        text, target = f"The capital of {country} is the city of", f" {capital}"
        ranking = ats.knock_out(model, text, target=target, words=[country]).ranking
        if next(one for one in ranking if target.startswith(one.text)).place_before == 1:
            texts.append(text)
            targets.append(target)
            subjects.append(country)
    texts, targets, subjects = texts[:count], targets[:count], subjects[:count]
    words: dict[str, Any] = {"country": subjects, "“capital”": "capital", "first token": 0}
    found = ats.edge_effects(model, texts, targets, words=words, query=-1, quantity="probability")
    print(f"{len(texts)} of {len(CAPITALS)} capitals that the model has in the first place\n")
    print("| layers around | " + " | ".join(words) + " |\n|--:|" + "--:|" * len(words))
    for j in range(0, len(found.layers), 3):
        print(f"| {found.layers[j]} | " + " | ".join(f"{100 * row[j]:+.0f} %" for row in found.relative) + " |")
    _figures(found, out / "cause-capitals")


def reviews(model: ats.Model, count: int, out: Path) -> None:
    """Of each head, how far its attention from the last token agrees with the effect of the words on the rating."""
    del out
    samples, found = sentiment.samples(count), []
    for sample in samples:
        text, within = str(sample.text), sample.within
        assert within is not None
        effect = ats.explain(
            model, text, "deletion", target=sentiment.LABELS[0], against=sentiment.LABELS[1], within=within
        )
        maps = ats.attention_maps(model, text, queries=[-1])
        words = [(w.start, w.end) for w in effect.words]
        tokens = maps.key_side.tokens
        members = [[i for i, t in enumerate(tokens) if t.start < b and a < t.end] for a, b in words]
        rank = np.full((len(maps.layers), len(maps.heads)), np.nan)
        for layer in maps.layers:
            for head in maps.heads:
                row = maps.row(layer, head, maps.queries[-1])
                rank[layer, head] = spearman(np.array([row[m].sum() for m in members]), np.abs(effect.scores))
        found.append(rank)
    ranks = np.array(found)
    mean, (low, high) = np.nanmean(ranks, 0), interval(np.nan_to_num(ranks))
    order = sorted(np.ndindex(mean.shape), key=lambda place: -mean[place])
    sure = int((low > 0).sum())
    print(f"{len(samples)} reviews; of {mean.size} heads {sure} agree with the effect more than not (95 % above 0), "
          f"{int((high < 0).sum())} less; mean over all heads {mean.mean():+.2f}\n")  # fmt: skip
    print("| head | rank correlation with the effect | 95 % |\n|---|--:|---|")
    for place in (*order[:8], *order[-3:]):
        print(f"| {place[0]}.{place[1]} | {mean[place]:+.2f} | {low[place]:+.2f} to {high[place]:+.2f} |")


def _figures(result: Any, path: Path) -> None:
    for dark in (False, True):
        ats.save(result, path.with_name(f"{path.name}-{'dark' if dark else 'light'}.png"), dark=dark)


STUDIES: dict[str, tuple[Callable[[ats.Model, int, Path], None], int]] = {
    "heads": (heads, 10),
    "capitals": (capitals, 27),
    "reviews": (reviews, 200),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*", choices=[*STUDIES, []], help="by default all")
    parser.add_argument("--texts", type=int)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "docs" / "images")
    given = parser.parse_args()
    torch.set_num_threads(1)
    model = ats.load(dtype=torch.float32)
    for name in given.studies or STUDIES:
        study, usual = STUDIES[name]
        print(f"\n## {name}\n")
        begun = time.process_time()
        study(model, min(usual, given.texts or usual), given.out)
        sys.stdout.flush()
        sys.stderr.write(f"{name}: {time.process_time() - begun:.0f} s of processor time\n")


if __name__ == "__main__":
    main()
