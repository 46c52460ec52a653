"""Edges taken away: what some queries attend to, without some keys.

The model's own fast attention makes the output; only the rows of these queries are made anew, a block at a time, from
the same queries, keys and values. So an edge costs a row and not the layer's n × n mask.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.attention.interface import BLOCK, AttentionCall, EagerCall, SDPACall
from attnscope.models.typed import split

# A row of weights that misses one by no more than this misses it by rounding; by more, a sink has taken a share.
_ROUNDING = 1e-4


@dataclass(frozen=True)
class Cut:
    """The edges that one text loses in a layer, pairs (query, key) of tokens.

    renormalise: True: the softmax is taken without these keys, as if their scores were -inf, so that the rest of the
                 row grows; a query that has nothing left puts out zero. False: their weights become zero, and the rest
                 stays as it is.
    """

    edges: Collection[tuple[int, int]]
    renormalise: bool = True


@dataclass(frozen=True)
class Rows:
    """What one text of a batch attends to, (head, query, hidden), at these queries, (query,)."""

    queries: Tensor
    output: Tensor


def rows_without(call: AttentionCall, place: int, cut: Cut) -> Iterator[Rows]:
    """The outputs of the queries that lose an edge, of one text of the batch, a block of queries at a time."""
    taken: dict[int, list[int]] = {}
    for query, key in cut.edges:
        taken.setdefault(query, []).append(key)
    chosen = torch.tensor(sorted(query for query in taken if query < call.queries), dtype=torch.long)
    if not len(chosen):
        return
    value = call.value[place]  # (key head, key, hidden)
    for queries in split(chosen, BLOCK // (call.heads * call.keys)):
        gone = torch.zeros(len(queries), call.keys, dtype=torch.bool)
        for row, query in enumerate(queries.tolist()):
            gone[row, [key for key in taken[query] if key < call.keys]] = True
        if isinstance(call, SDPACall):
            weights = _of_scores(call, place, queries, gone, cut.renormalise)
        else:
            assert isinstance(call, EagerCall)
            weights = _of_matrix(call.matrix[place][:, queries.to(call.matrix.device)], gone, cut.renormalise)
        seen = value[:, : weights.shape[-1]]
        grouped = weights.to(value.dtype).reshape(len(seen), -1, weights.shape[-1]) @ seen
        yield Rows(queries, grouped.view(call.heads, len(queries), -1))


def _of_scores(call: SDPACall, place: int, queries: Tensor, gone: Tensor, renormalise: bool) -> Tensor:
    """(head, query, key): the softmax of one text's scores, without the keys that are gone."""
    one = _text_of(call, place)
    seen = int(queries.max()) + 1 if one.causal else one.keys
    gone = gone[:, :seen].to(one.query.device)
    if not renormalise:
        return one.weights(queries)[0].masked_fill(gone, 0)
    scores = one.scores(queries, seen).float()
    left = _visible(one, queries, seen) & ~gone
    scores = scores.masked_fill(gone, -torch.inf)
    sinks = one.sinks_of(queries)
    # A row without any key has no softmax; what is made of it is thrown away.
    nothing = ~left.any(-1, keepdim=True)
    scores = scores.masked_fill(nothing, 0)
    if sinks is not None:
        scores = torch.cat([scores, sinks.float().expand(*scores.shape[:-1], 1)], -1)
    return scores.softmax(-1)[0, ..., :seen].masked_fill(nothing[0] | gone, 0)


def _visible(call: SDPACall, queries: Tensor, seen: int) -> Tensor:
    """(1, head or 1, query, key): which keys the model lets each query look at."""
    device = call.query.device
    if call.mask is None:
        keys = torch.arange(seen, device=device)
        if call.causal:
            return (keys[None] <= queries.to(device)[:, None])[None, None]
        return torch.ones(1, 1, len(queries), seen, dtype=torch.bool, device=device)
    mask = call.mask[:, :, queries.to(call.mask.device), :seen]
    return mask if mask.dtype == torch.bool else mask > torch.finfo(mask.dtype).min / 2


def _of_matrix(matrix: Tensor, gone: Tensor, renormalise: bool) -> Tensor:
    """(head, query, key) -> the same without the keys that are gone."""
    weights = matrix.float()
    kept = weights.masked_fill(gone.to(matrix.device), 0)
    if not renormalise:
        return kept
    elsewhere = 1 - weights.sum(-1, keepdim=True)
    elsewhere = torch.where(elsewhere.abs() <= _ROUNDING, 0.0, elsewhere)
    rest = kept.sum(-1, keepdim=True) + elsewhere
    return torch.where(rest > 0, kept / rest, 0.0)


def _text_of(call: SDPACall, place: int) -> SDPACall:
    """The call of one text of the batch, its padding and all."""
    row, mask, sinks = slice(place, place + 1), call.mask, call.sinks
    return SDPACall(
        call.module, call.query[row], call.key[row], call.value[row],
        mask=mask if mask is None or len(mask) == 1 else mask[row], scaling=call.scaling, softcap=call.softcap,
        sinks=sinks if sinks is None or sinks.dim() == 1 or len(sinks) == 1 else sinks[row], causal=call.causal,
    )  # fmt: skip


def without_edges(call: AttentionCall, cuts: Sequence[Cut], output: Tensor) -> Tensor:
    """The output (batch, query, head, hidden) of a call, with the rows anew that lose an edge.

    cuts: of each text of the batch. Raises ModelError where the call is not of these texts.
    """
    if call.batch != len(cuts):
        raise ModelError(
            f"{type(call.module).__name__} attends to a text in {call.batch} pieces where {len(cuts)} are read, so "
            "its edges cannot be told apart: take away heads or layers"
        )
    changed = output.clone()
    for place, cut in enumerate(cuts):
        for rows in rows_without(call, place, cut):
            changed[place, rows.queries.to(output.device)] = rows.output.transpose(0, 1).to(output)
    return changed
