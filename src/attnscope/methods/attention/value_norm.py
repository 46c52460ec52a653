"""Norm-based attention: how much of each token's value vector attention really carries."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.methods.task import Scores, Task
from attnscope.models.attention.interface import AttentionCall

# Keys whose projected values, (key, head, hidden), exist at one time.
_KEYS = 128


def value_norm(task: Task, *, layer: int = -1, head: int | Literal["sum"] = "sum") -> Scores:
    """The length of what one token's values add to a query in a layer, as attention weighs and the layer projects them.

    score(token j) = ‖Σ_h A_h[query, j] · f_h(x_j)‖, f_h(x) = (x W_V + b_V) W_O, summed over heads (`head="sum"`), or
    of one head h alone. Never negative; in units of the residual stream (Kobayashi et al. 2020, arXiv:2004.10102).
    Heads that share keys and values (grouped-query attention) have their share each.

    query: as in `attention`; the mean over queries, or over a word's tokens, is the mean of the norms.
    layer: index of the layer. head: an index, or "sum".

    The vectors' sum over heads is never formed: ‖Σ_h a_h f_h‖² = aᵀ G a with each key's heads × heads Gram matrix G.
    It misleads where many small vectors point the same way, and the norm has no sign: what is carried may be ignored.

    Raises what `attention` raises; ModelError where the output projection cannot be found.
    """

    number = task.layer(layer)
    single = None if head == "sum" else task.head(head, number, '"sum"')
    chosen = slice(None) if single is None else slice(single, single + 1)
    projection = task.projection(number)
    rows: list[Tensor] = []

    def see(_layer: int, call: AttentionCall) -> None:
        rows.append(_norms(call, _gram(call, projection, chosen), task.query_weights(), chosen))

    task.capture([number], see)
    return Scores(tokens=rows[0], options={"layer": number, "head": "sum" if single is None else single})


def _gram(call: AttentionCall, projection: Tensor, chosen: slice) -> Tensor:
    """(batch, key, head, head): the products of what the chosen heads make of each key's value."""
    grouped = call.heads // call.value.shape[1]
    parts = []
    for start in range(0, call.keys, _KEYS):
        values = call.value[:, :, start : start + _KEYS]  # (batch, key head, some, head hidden)
        values = values.repeat_interleave(grouped, 1)[:, chosen].float()
        made = torch.einsum("bhkd,hde->bkhe", values, projection[chosen].float())
        parts.append(made @ made.transpose(-1, -2))
    return torch.cat(parts, 1)


def _norms(call: AttentionCall, gram: Tensor, query_weights: Tensor, chosen: slice) -> Tensor:
    """(query, key): the norms of single tokens' rows, mixed by their weights."""
    mixed = torch.zeros(len(query_weights), call.keys)
    for block in call.blocks(query_weights.any(dim=0).nonzero().flatten()):
        shares = block.weights[:, chosen].permute(0, 3, 1, 2)  # (1, key, head, token)
        squares = (shares * (gram[:, : shares.shape[1]] @ shares)).sum(2)[0]  # (key, token)
        norms = squares.clamp_min(0).sqrt().cpu()
        mixed[:, : len(norms)] += query_weights[:, block.queries] @ norms.T
    return mixed
