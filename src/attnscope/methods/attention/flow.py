"""Attention flow: the maximum flow from a query down to each token, with attention weights as capacities."""

from collections.abc import Sequence
from typing import Literal

import networkx
import numpy as np
import torch
from networkx.algorithms.flow import preflow_push
from numpy.typing import NDArray
from torch import Tensor

from attnscope.errors import InputError
from attnscope.methods.attention.common import check_over_heads, within_one_text
from attnscope.methods.task import Scores, Task
from attnscope.models.attention.head_reduction import HeadReduction
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.progress import progress
from attnscope.results.base import Measured

# Edges (layers × tokens²) beyond which the flow takes more than a few minutes.
MOST_PIPES = 60_000
# Capacities below this share carry nothing that one could see.
_THINNEST = 1e-6


def attention_flow(task: Task, *, layer: int = -1, heads: Literal["mean", "max", "min"] = "mean") -> Scores:
    """The maximum flow from a query token in a layer down to each input token.

    Every attention weight, with the residual connection mixed in (½ A + ½ I, rows scaled to sum to 1), is the capacity
    of an edge from a token of one layer to a token of the layer below. The score of a token is the maximum flow to it,
    from 0 to 1 (Abnar & Zuidema 2020, arXiv:2005.00928). That of a word or a larger unit is the maximum flow to all of
    its tokens together, which is no more than 1, and less than their sum where they share paths. The scores of a text
    need not sum to 1.

    query: as in `attention`, by default the last token; a word or None gives the mean of its tokens' flows.
    layer: the query's layer. heads: "mean", "max" or "min" over heads.

    Each pair of query and token is a flow problem of its own, so this is for short texts. It misleads as attention
    does, and counts narrow paths in full wherever they are not the bottleneck.
    On the texts of docs/faithfulness.md it did not beat random scores at p < 0.01, on any model.

    Raises what `attention` raises; InputError for a text that is too long.
    """
    check_over_heads(heads)
    within_one_text(task)
    top, layers = task.chain(layer)
    weights = task.query_weights()
    tokens = weights.shape[-1]
    if len(layers) * tokens**2 > MOST_PIPES:
        most = int((MOST_PIPES / len(layers)) ** 0.5)
        raise InputError(
            f"the text has {tokens} tokens, too many for attention_flow over {len(layers)} layers: give at most "
            f"{most} tokens, a lower layer, or use method='rollout'"
        )
    matrices: list[Tensor] = []

    def see(_layer: int, call: AttentionCall) -> None:
        matrices.append(HeadReduction(call, heads).full()[0])

    task.capture(layers, see)
    graph = _pipes([matrix.double().numpy() for matrix in matrices])
    # What the last query writes is no token of its pass.
    spans = [tuple(token for token in span.tokens if token < tokens) for span in task.units.spans]
    starts = weights.any(0).nonzero().flatten().tolist()
    flows = torch.zeros(tokens, tokens, dtype=torch.float64)
    to_units = torch.zeros(tokens, len(spans), dtype=torch.float64)
    for start in progress(starts, "flows", len(starts)):
        for end in range(tokens):
            flows[start, end] = _flow(graph, (len(layers), start), (0, end))
        for unit, span in enumerate(spans):
            if len(span) == 1:
                to_units[start, unit] = flows[start, span[0]]
            elif span:
                to_units[start, unit] = _flow(graph, (len(layers), start), _joined(graph, span))
    return Scores(
        tokens=weights.double() @ flows,
        units=weights.double() @ to_units,
        options={"layer": top},
        measured=Measured(coverage=task.coverage(top)),
    )


def _joined(graph: networkx.DiGraph, tokens: Sequence[int]) -> tuple[int, int]:
    """A place below these tokens of the text, to which all that reaches one of them flows on."""
    place = (-1, tokens[0])
    for token in tokens:
        if (0, token) in graph:
            # More than 1 leaves no query.
            graph.add_edge((0, token), place, capacity=1.0)
    return place


def _pipes(matrices: Sequence[NDArray[np.float64]]) -> networkx.DiGraph:
    graph = networkx.DiGraph()
    for layer, attended in enumerate(matrices):
        mixed = attended + np.eye(len(attended))
        mixed /= mixed.sum(1, keepdims=True)
        for query, key in np.argwhere(mixed > _THINNEST).tolist():
            graph.add_edge((layer + 1, query), (layer, key), capacity=float(mixed[query, key]))
    return graph


def _flow(graph: networkx.DiGraph, start: tuple[int, int], end: tuple[int, int]) -> float:
    if start not in graph or end not in graph:
        return 0.0
    return float(networkx.maximum_flow_value(graph, start, end, flow_func=preflow_push))
