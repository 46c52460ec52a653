"""Of each head, how far its attention from the predicting token agrees with what the words do to the answer."""

from typing import Any

import numpy as np
import torch

import attnscope as ats
import sentiment
from attnscope.models.attention.capture import capture
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.intervention.knock_out import NOTHING, KnockOut
from attnscope.models.targets.target import Target
from attnscope.studies.effects.experiment import experiment
from attnscope.text.inputs import Reading


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
    other = ats.explain(model, text, "mask_gradient", within=within, **asked)
    shares = _last_row(model, text)
    return {
        "text": text, "gold": item.gold, "value": value,
        "attention": np.round(np.stack([shares[..., m].sum(-1) for m in members], -1), 8).tolist(),
        "left out": np.asarray(left_out.scores).tolist(), "edge cut": cut,
        "mask_gradient": np.asarray(other.scores).tolist(),
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


def report(rows: Any) -> str:
    return str({model: len(of) for model, of in rows.items()})
