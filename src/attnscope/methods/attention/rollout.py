"""Attention rollout: attention followed down through all layers, residual connections mixed in."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.attention.common import check_over_heads, within_one_text
from attnscope.methods.task import Scores, Task
from attnscope.models.attention.head_reduction import HeadReduction
from attnscope.models.progress import progress
from attnscope.results.base import Measured


def rollout(
    task: Task, *, layer: int = -1, heads: Literal["mean", "max", "min"] = "mean", residual: float = 0.5
) -> Scores:
    """How much of each token would arrive at a query token in a layer, if attention carried it there.

    R_l = Â_l · R_{l-1}, R_0 = I, where Â = (1 - residual) · A + residual · I with its rows scaled to sum to 1, and A is
    the layer's attention, reduced over heads. The score is the row R[query, :], a share from 0 to 1 (Abnar & Zuidema
    2020, arXiv:2005.00928).

    query:    as in `attention`; a list gives a list of results.
    layer:    the query's layer; by default the last. Layers without attention weights are passed by.
    heads:    "mean" (the paper's), "max" or "min" over heads.
    residual: the share of the residual connection, from 0 to below 1.

    A query is followed down from the top layer as a vector, never as a product of n × n matrices; memory grows with
    layers · n. It misleads where the values carry little of what attention points at: rollout sees neither values nor
    feed-forward layers, and over many layers it spreads out and leans towards early tokens.

    Raises what `attention` raises, and InputError.
    """
    check_over_heads(heads)
    if not 0 <= residual < 1:
        raise InputError(f"residual={residual!r}: expected a share from 0 to below 1, such as 0.5")
    within_one_text(task)
    top, layers = task.chain(layer)
    reduced = task.reduced_attention(layers, heads)
    row = task.query_weights()
    for attention in progress(reversed(reduced), "rollout", len(reduced)):
        row = _step(row, attention, residual)
    return Scores(tokens=row, options={"layer": top}, measured=Measured(coverage=task.coverage(top)))


def _step(row: Tensor, attention: HeadReduction, residual: float) -> Tensor:
    """(query, token) · Â -> (query, key), reading only the rows of tokens with weight."""
    lower = torch.zeros_like(row)
    for block in attention.blocks(row.any(dim=0).nonzero().flatten()):
        attended = block.weights[0].cpu() * (1 - residual)  # (token, key)
        share = row[:, block.queries] / (attended.sum(-1) + residual)
        lower[:, : attended.shape[-1]] += share @ attended
        lower[:, block.queries] += share * residual
    return lower
