"""Norm-based attention: how much of each token's value vector attention really carries to the query."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.methods.task import Scores, Task
from attnscope.models.attention.interface import AttentionCall

# How many keys' projected values, (key, head, hidden), exist at a time.
_KEYS = 128


def value_norm(task: Task, *, layer: int = -1, head: int | Literal["sum"] = "sum") -> Scores:
    """The length of the vector that a token's values add to a query in a layer, weighted by attention and projected.

    score(token j) = ‖Σ_h A_h[query, j] · f_h(x_j)‖, f_h(x) = (x W_V + b_V) W_O, summed over heads (`head="sum"`), or
    of a single head h. Never negative; in units of the residual stream (Kobayashi et al. 2020, arXiv:2004.10102).
    Heads that share keys and values (grouped-query attention) each count. Where the layer multiplies its heads' outputs
    by a gate before W_O (Qwen3-Next), query i's gate belongs to the value: f_h(x) = (gate_i,h ⊙ (x W_V + b_V)) W_O.

    query: as in `attention`; the mean over queries, or over a word's tokens, is the mean of the norms.
    layer: index of the layer. head: an index, or "sum".

    Without a gate the sum of vectors over heads is never formed: ‖Σ_h a_h f_h‖² = aᵀ G a with each key's heads × heads
    Gram matrix G.
    It misleads where many small vectors point the same way. The norm has no sign, and what is carried may be ignored.

    Raises what `attention` raises; ModelError where the output projection cannot be found, as where a norm stands
    before it.
    """
    layer_index = task.layer(layer)
    head_index = None if head == "sum" else task.head(head, layer_index, '"sum"')
    chosen = slice(None) if head_index is None else slice(head_index, head_index + 1)
    projection, gate = task.projection(layer_index)[chosen].float(), task.gate(layer_index)
    rows: list[Tensor] = []

    def see(_layer: int, call: AttentionCall) -> None:
        if gate is None:
            rows.append(_norms(call, _gram(call, projection, chosen), task.query_weights(), chosen))
        else:
            rows.append(_gated_norms(call, projection, gate[:, chosen].float(), task.query_weights(), chosen))

    task.capture([layer_index], see)
    return Scores(tokens=rows[0], options={"layer": layer_index, "head": "sum" if head_index is None else head_index})


def _gram(call: AttentionCall, projection: Tensor, chosen: slice) -> Tensor:
    """(batch, key, head, head): the dot products of each key's value as the chosen heads project it."""
    group_size = call.heads // call.value.shape[1]
    parts = []
    for start in range(0, call.keys, _KEYS):
        values = call.value[:, :, start : start + _KEYS]  # (batch, key head, some, head hidden)
        values = values.repeat_interleave(group_size, 1)[:, chosen].float()
        projected = torch.einsum("bhkd,hde->bkhe", values, projection)
        parts.append(projected @ projected.transpose(-1, -2))
    return torch.cat(parts, 1)


def _norms(call: AttentionCall, gram: Tensor, query_weights: Tensor, chosen: slice) -> Tensor:
    """(query, key): the norms of single tokens' rows, averaged by their weights."""
    mixed = torch.zeros(len(query_weights), call.keys)
    for block in call.blocks(query_weights.any(dim=0).nonzero().flatten()):
        shares = block.weights[:, chosen].permute(0, 3, 1, 2)  # (1, key, head, token)
        squares = (shares * (gram[:, : shares.shape[1]] @ shares)).sum(2)[0]  # (key, token)
        norms = squares.clamp_min(0).sqrt().cpu()
        mixed[:, : len(norms)] += query_weights[:, block.queries] @ norms.T
    return mixed


def _gated_norms(call: AttentionCall, projection: Tensor, gate: Tensor, query_weights: Tensor, chosen: slice) -> Tensor:
    """The same where each query has a gate, (query, head, head hidden), so that no two project a value alike."""
    group_size = call.heads // call.value.shape[1]
    values = call.value[0].repeat_interleave(group_size, 0)[chosen].float()  # (head, key, head hidden)
    mixed = torch.zeros(len(query_weights), call.keys)
    for block in call.blocks(query_weights.any(dim=0).nonzero().flatten()):
        for place, query in enumerate(block.queries.tolist()):
            shares = block.weights[0, chosen, place]  # (head, key)
            carried = shares[..., None] * values[:, : shares.shape[1]] * gate[query][:, None]
            norms = torch.einsum("hkd,hde->ke", carried, projection).norm(dim=-1).cpu()
            mixed[:, : len(norms)] += query_weights[:, query, None] * norms
    return mixed
