"""Attention itself: what one query token, or the mean over all, attends to."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.request import in_range
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Measured


def attention(
    task: Task,
    *,
    layer: int | Literal["mean"] = -1,
    head: int | Literal["mean", "max"] = 0,
    linear: bool | None = None,
) -> Scores:
    """The attention that each token receives from a query: the row A[query, :] of A = softmax(QKᵀ·scale + mask).

    score(token j) = A[query, j], a share from 0 to 1. It is computed from the model's own queries and keys, for the
    requested rows only (Vaswani et al. 2017, arXiv:1706.03762). A word is the sum of its tokens.

    layer: index of the layer among all of the model's, negative from the end, or "mean" over those with weights.
    head:  index of the head, or "mean" or "max" over heads.
    linear: whether the layer's linear attention is meant; None: its attention weights if it has them.

    A layer of linear attention or of Mamba 2 has no weights. It is unrolled instead: its output, before norm and gate,
    is linear in its values, o_i = Σ_j M_ij v_j, and the score is M[query, j]. It is signed, on the layer's own scale,
    and no share (`attnscope.models.linear_attention`; Yang et al. 2024, arXiv:2412.06464; Dao and Gu 2024,
    arXiv:2405.21060). `measured.rebuilt` says how far M · v misses the layer's output; a layer where it is more than
    rounding is refused. head="max" is then the weight that is largest without its sign.

    Special tokens stay in the input but not in the picture: `excluded_mass` is the attention that they took. With one
    head, or the mean, it and the words add up to 1 (less what learned attention sinks take, in models that have them).

    It misleads where attention goes to an attention sink (the first token, punctuation), which says nothing about the
    text; and in a causal model's mean over queries, as more queries see the early tokens. Attention is not importance.
    On the texts of docs/faithfulness.md it beat random scores at p < 0.01 on short texts of a classifier alone.
    """
    if layer == "mean" and linear:
        raise InputError('layer="mean" is a mean of shares, and linear attention has none: give a layer')
    unrolled = None if layer == "mean" else task.linear_layer(layer, linear)
    if unrolled is not None:
        return _linear(task, unrolled, head)
    heads = task.heads
    layers = list(heads) if layer == "mean" else [task.layer(layer, '"mean"')]
    if head not in ("mean", "max"):
        head = in_range("head", head, min(heads[i] for i in layers), '"mean" or "max"')
    rows = [_over_heads(row, head) for row in task.attention_rows(layers)]
    options = {"layer": layer if layer == "mean" else layers[0], "head": head}
    measured = Measured(coverage=task.coverage(task.chain(-1)[0]) if layer == "mean" else None)
    return Scores(tokens=torch.stack(rows).mean(0), options=options, measured=measured)


def _linear(task: Task, layer: int, head: int | str) -> Scores:
    """The row of a layer of linear attention."""
    of_layer = task.linear[layer]
    if head not in ("mean", "max"):
        head = in_range("head", head, of_layer.heads, '"mean" or "max"')
    rows, missed = task.linear_rows(layer)
    strongest = rows.gather(1, rows.abs().argmax(1, keepdim=True))[:, 0]
    return Scores(
        tokens=strongest if head == "max" else _over_heads(rows, head),
        signed=True,
        options={"layer": layer, "head": head, "linear": True},
        measured=Measured(mechanism=of_layer.mechanism, rebuilt=missed),
    )


def _over_heads(rows: Tensor, head: int | str) -> Tensor:
    """(query, head, key) -> (query, key)."""
    if head == "mean":
        return rows.mean(1)
    return rows.amax(1) if head == "max" else rows[:, int(head)]
