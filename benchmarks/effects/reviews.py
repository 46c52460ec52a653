"""Of each head, how far its attention from the predicting token agrees with what the words do to the answer."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

import attnscope as ats
import sentiment
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.intervention.knock_out import NOTHING, KnockOut
from attnscope.models.targets.target import Target
from attnscope.render.colours import colours_for
from attnscope.render.figure.look import Look
from attnscope.results.statistics import interval, spearman
from attnscope.studies.effects.experiment import experiment
from attnscope.text.inputs import Reading
from effects.rows import MODELS, Rows, drawn, labels, spread, table

EFFECTS = ("left out", "edge cut")


def items(_model: ats.Model, count: int) -> list[Any]:
    """Reviews of 8 to 20 words, half of them positive."""
    return list(sentiment.samples(count, 8, 20))


def measure(model: ats.Model, item: Any) -> dict[str, Any]:
    """Of each word: what it gets from the last token, head by head, and what becomes of the answer without it.

    Two effects: the word left out of the text, and the last token's attention to it cut in all layers.
    """
    text, within = str(item.text), item.within
    asked: dict[str, Any] = {"target": sentiment.LABELS[0], "against": sentiment.LABELS[1]}
    left_out = ats.explain(model, text, "deletion", within=within, signed=True, **asked)
    offsets = model.tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
    members = [[i for i, (a, b) in enumerate(offsets) if a < w.end and w.start < b] for w in left_out.words]
    value, cut = _without_edges(model, text, members)
    shares = _last_row(model, text)
    return {
        "text": text, "gold": item.gold, "value": value,
        "attention": np.round(np.stack([shares[..., m].sum(-1) for m in members], -1), 8).tolist(),
        "left out": np.asarray(left_out.scores).tolist(), "edge cut": cut,
    }  # fmt: skip


def _without_edges(model: ats.Model, text: str, words: list[list[int]]) -> tuple[float, list[float]]:
    """The answer's value, and what it loses by each word that the last token may not look at in any layer."""
    asked = Target(target=sentiment.LABELS[0], against=sentiment.LABELS[1])
    of = experiment(model, text, asked, Reading(), None, attention=True, layers=False)
    (passes,) = of.passes
    last = passes.inputs_length - 1
    texts = [KnockOut(edges=dict.fromkeys(of.heads, frozenset((last, key) for key in word))) for word in words]
    value, *without = passes.without([NOTHING, *texts]).values[:, 0].tolist()
    return value, [value - one for one in without]


def _last_row(model: ats.Model, text: str) -> np.ndarray:
    """(layer, head, key): what the last token attends to, unrounded."""
    rows: dict[int, np.ndarray] = {}
    inputs = dict(model.tokenizer(text, return_tensors="pt"))
    last = torch.tensor([inputs["input_ids"].shape[1] - 1])

    def see(layer: int, call: AttentionCall) -> None:
        rows[layer] = call.weights(last)[0, :, 0].double().numpy()

    capture(model.model, inputs, range(model.model.config.num_hidden_layers), see)
    return np.stack([rows[layer] for layer in sorted(rows)])


def report(rows: Rows) -> str:
    """Of each effect: how many heads agree with it, which, and the figure."""
    parts = []
    for model, found in rows.items():
        right = np.mean([(row["value"] > 0) == (row["gold"] == sentiment.LABELS[0]) for row in found])
        words = np.mean([len(row[EFFECTS[0]]) for row in found])
        parts.append(
            f"{MODELS[model][0]}, {len(found)} reviews of {words:.0f} words; it is right on {right:.0%} of them."
        )
        lines, best = [], []
        for effect in EFFECTS:
            ranks = correlations(found, effect)
            low, high = interval(ranks)
            by_chance = interval(correlations(found, effect, shuffled=True))
            lines.append([
                effect, spread(ranks.mean((1, 2))), f"{(low > 0).sum()} ({(by_chance[0] > 0).sum()})",
                f"{(high < 0).sum()} ({(by_chance[1] < 0).sum()})", spread(_of(found, effect, _mean_share)),
                spread(_of(found, effect, _later)), spread(_of(found, effect, _other(effect))),
            ])  # fmt: skip
            best += _held_out(ranks, effect)
        parts.append(table(
            ["effect of", "mean over all heads", "heads above 0 (shuffled)", "heads below 0 (shuffled)",
             "their mean attention", "place in the text", "the other effect"], lines,
        ))  # fmt: skip
        parts.append(table(["effect, and head chosen by the odd reviews", "there", "on the even ones"], best))
    draw = lambda look, axes, dark: _draw(look, axes, rows, dark)  # noqa: E731
    parts.append(drawn("reviews", (3.2 * len(rows) * 2, 3.6), 2 * len(rows), draw))
    return "\n\n".join(parts)


def correlations(rows: list[dict[str, Any]], effect: str, *, shuffled: bool = False) -> np.ndarray:
    """(review, layer, head): the rank correlation over the words of attention with the size of the effect."""
    chance, found = np.random.default_rng(0), []
    for row in rows:
        sizes = np.abs(row[effect])
        sizes = chance.permutation(sizes) if shuffled else sizes
        shares = np.array(row["attention"])
        flat = [_spearman(one, sizes) for one in shares.reshape(-1, shares.shape[-1])]
        found.append(np.reshape(flat, shares.shape[:2]))
    return np.array(found)


def _spearman(one: np.ndarray, other: np.ndarray) -> float:
    """0 where all are equal: nothing is said about the other."""
    return float(np.nan_to_num(spearman(one, other)))


def _of(rows: list[dict[str, Any]], effect: str, scores: Callable[[dict[str, Any]], np.ndarray]) -> list[float]:
    return [_spearman(scores(row), np.abs(row[effect])) for row in rows]


def _mean_share(row: dict[str, Any]) -> np.ndarray:
    return np.array(row["attention"]).mean((0, 1))


def _later(row: dict[str, Any]) -> np.ndarray:
    return np.arange(len(row[EFFECTS[0]]), dtype=float)


def _other(effect: str) -> Callable[[dict[str, Any]], np.ndarray]:
    (other,) = (name for name in EFFECTS if name != effect)
    return lambda row: np.abs(row[other])


def _held_out(ranks: np.ndarray, effect: str) -> list[list[str]]:
    """The heads that agree most on one half, and how they do on the other."""
    seen, kept = ranks[::2], ranks[1::2]
    order = np.argsort(-seen.mean(0).ravel(), kind="stable")[:5]
    places = [divmod(int(i), ranks.shape[2]) for i in order]
    return [[f"{effect}: {p[0]}.{p[1]}", f"{seen.mean(0)[p]:+.2f}", spread(kept[:, p[0], p[1]])] for p in places]


def _draw(look: Look, axes: Any, rows: Rows, dark: bool) -> None:
    panels = [(model, effect) for model in rows for effect in EFFECTS]
    for ax, (model, effect) in zip(axes, panels, strict=True):
        mean = correlations(rows[model], effect).mean(0)
        image = ax.imshow(
            mean, vmin=-0.5, vmax=0.5, cmap=look.map(colours_for(True, dark)), aspect="auto", interpolation="nearest"
        )
        look.bar(image, ticks=[-0.5, 0, 0.5])
        labels(look, ax, f"{MODELS[model][0]}\n{effect}, n = {len(rows[model])}", "head", "layer")
