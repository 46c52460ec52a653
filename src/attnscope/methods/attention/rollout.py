"""Attention rollout: attention followed down through all layers, residual connections mixed in."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.attention.request import Looking, Queries, checked_over, heads_of, in_range, looked, one_stack
from attnscope.models.attention.capture import watch
from attnscope.models.attention.head_reduction import Fused
from attnscope.models.attention.interface import Call
from attnscope.models.attention.query_key_batch import Sides
from attnscope.models.loading.load import Model
from attnscope.models.progress import progress
from attnscope.results.base import Asked


def rollout(
    model: Model,
    text: str | Sequence[str],
    query: Queries = None,
    *,
    layer: int = -1,
    heads: Literal["mean", "max", "min"] = "mean",
    residual: float = 0.5,
    **looking: Unpack[Looking],
) -> Any:
    """How much of each token arrives at a query token in a layer, if attention carried it there.

    R_l = Â_l · R_{l-1}, R_0 = I, where Â = (1 - residual) · A + residual · I with its rows scaled to sum to 1, and A is
    the layer's attention with its heads put together. The score is the row R[query, :], a share from 0 to 1
    (Abnar & Zuidema 2020, arXiv:2005.00928).

    query:    as in `attention`; several give a list.
    layer:    the layer in which the query stands; by default the last.
    heads:    "mean" (the paper's), "max" or "min" over heads.
    residual: the share of the residual connection, from 0 to below 1.

    A single query is a vector that goes down from the top layer, never a product of n × n matrices; memory grows with
    layers · n. It misleads where the values carry little of what attention points at: rollout sees no values and no
    feed-forward layers, and over many layers it spreads and leans to early tokens.

    Raises what `attention` raises, and InputError.
    """
    checked_over(heads)
    if not 0 <= residual < 1:
        raise InputError(f"residual={residual!r}: expected a share from 0 to below 1, such as 0.5")

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Asked]:
        one_stack(batch, "rollout")
        top = in_range("layer", layer, len(heads_of(batch)))
        kept: list[Fused] = []

        def see(_layer: int, call: Call) -> None:
            kept.append(Fused(call, heads))

        watch(batch.model.model, batch.inputs, range(top + 1), see, batch.kind)
        row = weights  # (batch, mix, token)
        for fused in progress(reversed(kept), "rollout", len(kept)):
            row = _step(row, fused, residual)
        return row, Asked(options={"layer": top, "heads": heads, "residual": residual})

    return looked(model, text, query, score, family="flow", method="rollout", mass=True, looking=looking)


def _step(row: Tensor, fused: Fused, residual: float) -> Tensor:
    """(batch, mix, query) · Â -> (batch, mix, key), only from the queries that matter."""
    lower = torch.zeros_like(row)
    for block in fused.blocks(row.any(dim=(0, 1)).nonzero().flatten()):
        attended = block.weights.cpu() * (1 - residual)  # (batch, query, key)
        share = row[:, :, block.queries] / (attended.sum(-1) + residual)[:, None]
        lower[..., : attended.shape[-1]] += share @ attended
        lower[:, :, block.queries] += share * residual
    return lower
