"""Attention itself: what one query token, or the mean over all, attends to."""

from typing import Literal

import torch
from torch import Tensor

from attnscope.methods.request import in_range
from attnscope.methods.task import Scores, Task
from attnscope.results.base import Measured


def attention(task: Task, *, layer: int | Literal["mean"] = -1, head: int | Literal["mean", "max"] = 0) -> Scores:
    """The attention that each token receives from a query: the row A[query, :] of A = softmax(QKᵀ·scale + mask).

    score(token j) = A[query, j], a share from 0 to 1. It is computed from the model's own queries and keys, for the
    requested rows only (Vaswani et al. 2017, arXiv:1706.03762). A word is the sum of its tokens.

    layer: index of the layer among all of the model's, negative from the end, or "mean" over those with weights.
    head:  index of the head, or "mean" or "max" over heads.

    Special tokens stay in the input but not in the picture: `excluded_mass` is the attention that they took. With one
    head, or the mean, it and the words add up to 1 (less what learned attention sinks take, in models that have them).

    It misleads where attention goes to an attention sink (the first token, punctuation), which says nothing about the
    text; and in a causal model's mean over queries, as more queries see the early tokens. Attention is not importance.
    """
    heads = task.heads
    layers = list(heads) if layer == "mean" else [task.layer(layer, '"mean"')]
    if head not in ("mean", "max"):
        head = in_range("head", head, min(heads[i] for i in layers), '"mean" or "max"')
    rows = [_over_heads(row, head) for row in task.attention_rows(layers)]
    options = {"layer": layer if layer == "mean" else layers[0], "head": head}
    measured = Measured(coverage=task.coverage(task.chain(-1)[0]) if layer == "mean" else None)
    return Scores(tokens=torch.stack(rows).mean(0), options=options, measured=measured)


def _over_heads(rows: Tensor, head: int | str) -> Tensor:
    """(query, head, key) -> (query, key)."""
    if head == "mean":
        return rows.mean(1)
    return rows.amax(1) if head == "max" else rows[:, int(head)]
