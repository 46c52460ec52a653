"""Norm-based attention: how much of each token's value vector attention really carries."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack

import torch
from torch import Tensor

from attnscope.methods.attention.request import Looking, Queries, heads_of, in_range, looked
from attnscope.models.attention.capture import watch
from attnscope.models.attention.interface import Call
from attnscope.models.attention.output_projection import output_projections, per_head
from attnscope.models.attention.query_key_batch import Sides
from attnscope.models.loading.load import Model
from attnscope.results.base import Asked

# Keys whose projected values, (key, head, hidden), exist at one time.
_KEYS = 128


def value_norm(
    model: Model,
    text: str | Sequence[str],
    query: Queries = None,
    *,
    layer: int = -1,
    head: int | Literal["sum"] = "sum",
    **looking: Unpack[Looking],
) -> Any:
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

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Asked]:
        net = batch.model.model
        heads = heads_of(batch)
        number = in_range("layer", layer, len(heads))
        one = None if head == "sum" else in_range("head", head, heads[number], '"sum"')
        projection = output_projections(net, batch.inputs, batch.kind)[number]
        found: list[Tensor] = []

        def see(_layer: int, call: Call) -> None:
            chosen = slice(None) if one is None else slice(one, one + 1)
            found.append(_norms(call, _gram(call, per_head(projection, heads[number]), chosen), weights, chosen))

        watch(net, batch.inputs, [number], see, batch.kind)
        return found[0], Asked(options={"layer": number, "head": "sum" if one is None else one})

    return looked(model, text, query, score, family="flow", method="value_norm", mass=False, looking=looking)


def _gram(call: Call, projection: Tensor, chosen: slice) -> Tensor:
    """(batch, key, head, head): the products of what the chosen heads make of each key's value."""
    grouped = call.heads // call.value.shape[1]
    parts = []
    for start in range(0, call.keys, _KEYS):
        values = call.value[:, :, start : start + _KEYS]  # (batch, key head, some, head hidden)
        values = values.repeat_interleave(grouped, 1)[:, chosen].float()
        made = torch.einsum("bhkd,hde->bkhe", values, projection[chosen].float())
        parts.append(made @ made.transpose(-1, -2))
    return torch.cat(parts, 1)


def _norms(call: Call, gram: Tensor, query_weights: Tensor, chosen: slice) -> Tensor:
    """(batch, mix, key): the norms of single queries, mixed by their weights."""
    mixed = torch.zeros(call.batch, query_weights.shape[1], call.keys)
    for block in call.blocks(query_weights.any(dim=(0, 1)).nonzero().flatten()):
        shares = block.weights[:, chosen].permute(0, 3, 1, 2)  # (batch, key, head, query)
        squares = (shares * (gram[:, : shares.shape[1]] @ shares)).sum(2)  # (batch, key, query)
        norms = squares.clamp_min(0).sqrt()
        some = query_weights[:, :, block.queries].to(norms.device)
        mixed[..., : norms.shape[1]] += torch.einsum("bkq,bmq->bmk", norms, some).cpu()
    return mixed
