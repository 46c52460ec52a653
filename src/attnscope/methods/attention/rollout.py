"""Attention rollout: attention followed down through all layers, residual connections mixed in."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.attention.common import check_over_heads, within_one_text
from attnscope.methods.task import Scores, Task
from attnscope.models.attention.head_reduction import REDUCTIONS, HeadReduction
from attnscope.models.attention.interface import Block
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.progress import progress
from attnscope.results.base import Measured


def rollout(
    task: Task,
    *,
    layer: int = -1,
    heads: Literal["mean", "max", "min"] = "mean",
    residual: float = 0.5,
    linear: bool = False,
) -> Scores:
    """How much of each token would arrive at a query token in a layer, if attention carried it there.

    R_l = Â_l · R_{l-1}, R_0 = I, where Â = (1 - residual) · A + residual · I with its rows scaled to sum to 1, and A is
    the layer's attention, reduced over heads. The score is the row R[query, :], a share from 0 to 1 (Abnar & Zuidema
    2020, arXiv:2005.00928).

    query:    as in `attention`; a list gives a list of results.
    layer:    the query's layer; by default the last. Layers without attention weights are passed by.
    heads:    "mean" (the paper's), "max" or "min" over heads.
    residual: the share of the residual connection, from 0 to below 1.
    linear:   whether layers of linear attention are followed too, and not passed by: by |M|, each head's rows scaled to
              sum to 1, in the place of A; in a layer that has both, by the mean of both Â. A sign is no direction in
              which a token moves, so signs are left out; how much a layer writes is not seen, as with attention.

    A query is followed down from the top layer as a vector, never as a product of n × n matrices; memory grows with
    layers · n. It misleads where the values carry little of what attention points at: rollout sees neither values nor
    feed-forward layers, and over many layers it spreads out and leans towards early tokens.
    On the texts of docs/faithfulness.md it did not beat random scores at p < 0.01, on any model.

    Raises what `attention` raises, and InputError.
    """
    check_over_heads(heads)
    if not 0 <= residual < 1:
        raise InputError(f"residual={residual!r}: expected a share from 0 to below 1, such as 0.5")
    within_one_text(task)
    if linear:
        return _with_linear(task, layer, heads, residual)
    top, layers = task.chain(layer)
    reduced = task.reduced_attention(layers, heads)
    row = task.query_weights()
    for attention in progress(reversed(reduced), "rollout", len(reduced)):
        row = _step(row, attention, residual)
    return Scores(tokens=row, options={"layer": top}, measured=Measured(coverage=task.coverage(top)))


class _Shares:
    """A layer of linear attention as shares: |M|, each head's rows scaled to sum to 1, reduced over heads."""

    def __init__(self, call: LinearCall, over: str) -> None:
        self._call, self._reduce = call, REDUCTIONS[over]

    def blocks(self, chosen: Tensor) -> Iterator[Block]:
        """The shares (batch, query, key ≤ keys) of the chosen queries, a block at a time."""
        for block in self._call.blocks(chosen):
            sizes = block.weights.abs()
            shares = sizes / sizes.sum(-1, keepdim=True).clamp_min(torch.finfo(sizes.dtype).tiny)
            yield Block(block.queries, self._reduce(shares))


def _with_linear(task: Task, layer: int, heads: str, residual: float) -> Scores:
    """Rollout through the layers of linear attention as well."""
    top, attending, unrolled = task.chain_with_linear(layer)
    layers: dict[int, list[HeadReduction | _Shares]] = {index: [] for index in sorted({*attending, *unrolled})}
    if attending:
        for index, reduced in zip(attending, task.reduced_attention(attending, heads), strict=True):
            layers[index].append(reduced)
    task.capture_linear(unrolled, lambda index, call: layers[index].append(_Shares(call, heads)))
    row = task.query_weights()
    for parts in progress(reversed(list(layers.values())), "rollout", len(layers)):
        row = torch.stack([_step(row, part, residual) for part in parts]).mean(0)
    covered = task.coverage(top) if attending else None
    if covered is not None:
        seen, mixing = covered[0] + len(unrolled), covered[1]
        covered = (seen, mixing) if seen < mixing else None
    return Scores(tokens=row, options={"layer": top}, measured=Measured(coverage=covered))


def _step(row: Tensor, attention: HeadReduction | _Shares, residual: float) -> Tensor:
    """(query, token) · Â -> (query, key), reading only the rows of tokens with weight."""
    lower = torch.zeros_like(row)
    for block in attention.blocks(row.any(dim=0).nonzero().flatten()):
        # BigBird pads a text to whole blocks.
        attended = block.weights[0, :, : row.shape[1]].cpu() * (1 - residual)  # (token, key)
        share = row[:, block.queries] / (attended.sum(-1) + residual)
        lower[:, : attended.shape[-1]] += share @ attended
        lower[:, block.queries] += share * residual
    return lower
