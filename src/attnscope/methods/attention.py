"""Self-attention: what one query token, or the mean of all, attends to."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.attribution import Attribution
from attnscope.errors import QueryError, RangeError, TextError
from attnscope.methods.result import attribution
from attnscope.models.encode import Encoded, encode
from attnscope.models.load import Model, load
from attnscope.models.run import tensors
from attnscope.models.watch import layout, mixed_rows
from attnscope.words import find_words


def attention(
    model: Model,
    text: str,
    layer: int | Literal["mean"] = -1,
    head: int | Literal["mean", "max"] = 0,
    query: int | str | None = None,
    *,
    chat: bool = False,
    truncate: bool = False,
) -> Attribution:
    """The attention that each token and word of `text` receives from a query.

    The row A[query, :] of A = softmax(QKᵀ·scale + mask), shape (token,), values from 0 to 1. It is computed from the
    model's own queries and keys, for the asked rows only (Vaswani et al. 2017, arXiv:1706.03762).

    layer: index of the attention layer, negative from the end, or "mean" over layers.
    head:  index of the head, or "mean" or "max" over heads.
    query: index into the tokens of the result (special tokens count; negative from the end); or a word of the text, the
           first of that spelling: the mean of its tokens' rows; or None: the mean over all that are not special.
    chat:  the text is a user's message in the model's chat template.
    truncate: cut a text that is longer than the model's positions instead of refusing it.

    Of an encoder–decoder this is the encoder. Words sum their tokens. Special tokens stay in the input and leave
    the picture: `excluded_mass` is the attention that they took, so that with one head (or the mean) the words and it
    add up to 1 (less what learned attention sinks take, in models that have them).

    It misleads where attention goes to a token that only serves as a resting place (the first token, punctuation); in a
    causal model's mean over queries early tokens are seen by more queries; and attention is not importance.

    Raises TextError, TextTooLongError, QueryError, RangeError, ModelError, NonFiniteError.

    >>> attention(load(), "The castle on the hill", layer=3, head="mean", query="hill").words  # doctest: +SKIP
    """
    model = load(model)
    encoded = encode(model.tokenizer, text, chat=chat, max_tokens=model.positions, truncate=truncate)
    positions = _query_positions(encoded, query)
    inputs = tensors(model.model, encoded.inputs)
    heads = layout(model.model, inputs).heads
    layers = range(len(heads)) if layer == "mean" else [_in_range("layer", layer, len(heads))]
    if not isinstance(head, str):
        head_index = _in_range("head", head, min(heads[i] for i in layers))
    weights = torch.zeros(1, len(encoded.tokens))
    weights[0, positions] = 1 / len(positions)
    rows = mixed_rows(model.model, inputs, weights, layers)  # layer -> (1, head, key)
    of_heads = [_over_heads(rows[i][0], head if isinstance(head, str) else head_index) for i in layers]
    scores = torch.stack(of_heads).mean(0).double().numpy()  # (key,)
    words = [float(scores[list(word.tokens)].sum()) for word in encoded.words]
    in_words = [token for word in encoded.words for token in word.tokens]
    return attribution(
        model,
        encoded,
        kind="attention",
        method="attention",
        parameters={
            "layer": layer if layer == "mean" else next(iter(layers)),
            "head": head if isinstance(head, str) else head_index,
            "query": query,
            "query_tokens": positions if query is not None else None,
        },
        token_scores=scores,
        word_scores=words,
        excluded_mass=max(0.0, float(scores.sum() - scores[in_words].sum())),
    )


def _over_heads(rows: Tensor, head: int | str) -> Tensor:
    """(head, key) -> (key,)."""
    if head == "mean":
        return rows.mean(0)
    return rows.amax(0) if head == "max" else rows[int(head)]


def _query_positions(encoded: Encoded, query: int | str | None) -> list[int]:
    count = len(encoded.tokens)
    if query is None:
        positions = [i for i, token in enumerate(encoded.tokens) if not token.special]
        if not positions:
            raise TextError("the text has no token that is not special, so there is nothing to show")
        return positions
    if isinstance(query, str):
        found = find_words(encoded.text, encoded.words, query)
        return [token for word in found for token in encoded.words[word].tokens]
    if not -count <= query < count:
        raise QueryError(f"the query token {query} is out of range: the text has the tokens 0 to {count - 1}")
    return [query % count]


def _in_range(what: str, index: int | str, count: int) -> int:
    if not isinstance(index, int) or isinstance(index, bool):
        words = '"mean" or "max"' if what == "head" else '"mean"'
        raise RangeError(f"the {what} {index!r} is neither a number nor {words}")
    if not -count <= index < count:
        raise RangeError(f"the {what} {index} is out of range: the model has the {what}s 0 to {count - 1}")
    return index % count
