"""Self-attention: what one query token, or the mean of all, attends to."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack

import torch
from torch import Tensor

from attnscope.methods.attention.request import Looking, Queries, heads_of, in_range, looked
from attnscope.models.attention.capture import mix, watch
from attnscope.models.attention.interface import Call
from attnscope.models.attention.query_key_batch import Sides
from attnscope.models.loading.load import Model
from attnscope.results.base import Asked


def attention(
    model: Model,
    text: str | Sequence[str],
    layer: int | Literal["mean"] = -1,
    head: int | Literal["mean", "max"] = 0,
    query: Queries = None,
    **looking: Unpack[Looking],
) -> Any:
    """The attention that each token and word of `text` receives from a query.

    The row A[query, :] of A = softmax(QKᵀ·scale + mask), shape (token,), values from 0 to 1. It is computed from the
    model's own queries and keys, for the asked rows only (Vaswani et al. 2017, arXiv:1706.03762).

    text:  one text, or a list of texts: then the result is a list in the same order.
    layer: index of the attention layer, negative from the end, or "mean" over layers.
    head:  index of the head, or "mean" or "max" over heads.
    query: index into the tokens of the result (special tokens count; negative from the end); or a word of the text, the
           first of that spelling: the mean of its tokens' rows; or None: the mean over all that are not special; or a
           list of indices and words: then the result is a list.
    kind, target, generate, chat, truncate: see `attnscope.methods.looking.Looking`.

    Words sum their tokens. Special tokens stay in the input and leave the picture: `excluded_mass` is the attention
    that they took, so that with one head (or the mean) the words and it add up to 1 (less what learned attention sinks
    take, in models that have them).

    It misleads where attention goes to a token that only serves as a resting place (the first token, punctuation); in a
    causal model's mean over queries early tokens are seen by more queries; and attention is not importance.

    Raises TextError, TextTooLongError, QueryError, RangeError, ModelError, NonFiniteError.

    >>> attention(load(), "The castle on the hill", layer=3, head="mean", query="hill").words  # doctest: +SKIP
    """

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Asked]:
        heads = heads_of(batch)
        layers = range(len(heads)) if layer == "mean" else [in_range("layer", layer, len(heads), '"mean"')]
        if head not in ("mean", "max"):
            in_range("head", head, min(heads[i] for i in layers), '"mean" or "max"')
        rows: dict[int, Tensor] = {}

        def see(number: int, call: Call) -> None:
            rows[number] = _over_heads(mix(call, weights), head)

        watch(batch.model.model, batch.inputs, layers, see, batch.kind)
        options = {
            "layer": layer if layer == "mean" else next(iter(layers)),
            "head": head if isinstance(head, str) else head % heads[next(iter(layers))],
        }
        return torch.stack([rows[i] for i in layers]).mean(0), Asked(options=options)

    return looked(model, text, query, score, family="attention", method="attention", mass=True, looking=looking)


def _over_heads(rows: Tensor, head: int | str) -> Tensor:
    """(batch, mix, head, key) -> (batch, mix, key)."""
    if head == "mean":
        return rows.mean(2)
    return rows.amax(2) if head == "max" else rows[:, :, int(head)]
