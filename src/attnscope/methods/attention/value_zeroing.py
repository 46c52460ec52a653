"""Value zeroing: how a layer's output changes when one token's value vector is set to zero."""

from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity

from attnscope.errors import RangeError
from attnscope.methods.attention.common import within_one_text
from attnscope.methods.task import Scores, Task
from attnscope.models.attention.rerun_layers import rerun_without_values
from attnscope.results.base import Measured


def value_zeroing(task: Task, *, layer: int | Literal["rollout"] = "rollout") -> Scores:
    """How much a query token's representation changes in a layer when another token's value vector is set to zero.

    C[i, j] = cosine distance of the layer's output at i, with and without the value of j in all heads; rows are scaled
    to sum to 1. The score is the row C[query, :] of one layer, or of the product C_L · … · C_1 over all layers
    (`layer="rollout"`): a share from 0 to 1. The whole layer runs, with its residual connection and feed-forward part
    (Mohebbi et al. 2023, arXiv:2301.12971).

    query: as in `attention`. layer: an index, or "rollout".

    Each layer runs once per token, in batches, so this is for short texts. It misleads where values make up for each
    other, and says nothing about what a token does through its query and key.

    Raises what `attention` raises; ModelError where values cannot be reached or layers cannot be run one by one.
    """
    within_one_text(task)
    if isinstance(layer, str) and layer != "rollout":
        raise RangeError(f'the layer {layer!r} is neither a number nor "rollout"')
    top, layers = task.chain(-1) if isinstance(layer, str) else (task.layer(layer), [task.layer(layer)])
    distances = rerun_without_values(task.model.model, task.inputs, task.stack, layers, cosine_distance)
    changes = [d / d.sum(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny) for d in distances]
    row = task.query_weights()
    for matrix in reversed(changes):
        row = row @ matrix
    if isinstance(layer, str):
        return Scores(tokens=row, options={"layer": layer}, measured=Measured(coverage=task.coverage(top)))
    return Scores(tokens=row, options={"layer": top})


def cosine_distance(without: Tensor, output: Tensor) -> Tensor:
    """(zeroed, token, hidden), (1, token, hidden) -> (zeroed, token): 1 − cos, in float64, never below zero."""
    return (1 - cosine_similarity(without.double(), output.double(), -1)).clamp_min(0)
