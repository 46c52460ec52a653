"""Value zeroing: how a layer's output changes when one token's value vector is missing."""

from collections.abc import Sequence
from typing import Any, Literal, Unpack

from torch import Tensor

from attnscope.errors import RangeError
from attnscope.methods.attention.request import Looking, Queries, heads_of, in_range, looked, one_stack
from attnscope.models.attention.query_key_batch import Sides
from attnscope.models.attention.rerun_layers import changes_without
from attnscope.models.loading.load import Model
from attnscope.results.base import Asked


def value_zeroing(
    model: Model,
    text: str | Sequence[str],
    query: Queries = None,
    *,
    layer: int | Literal["rollout"] = "rollout",
    **looking: Unpack[Looking],
) -> Any:
    """How much a query token's representation changes in a layer when another token's value vector is set to zero.

    C[i, j] = cosine distance of the layer's output at i, with and without the value of j in all heads; rows are scaled
    to sum to 1. The score is the row C[query, :] of one layer, or of the product C_L · … · C_1 over all layers
    (`layer="rollout"`): a share from 0 to 1. The whole layer runs, with its residual connection and feed-forward part
    (Mohebbi et al. 2023, arXiv:2301.12971).

    query: as in `attention`. layer: an index, or "rollout".

    It costs as many runs of each layer as there are tokens, in batches: for short texts. It misleads where values make
    up for one another, and says nothing of what a token does through its query and key.

    Raises what `attention` raises; ModelError where values cannot be reached or layers cannot be run one by one.
    """

    def score(batch: Sides, weights: Tensor) -> tuple[Tensor, Asked]:
        one_stack(batch, "value_zeroing")
        count = len(heads_of(batch))
        if isinstance(layer, str) and layer != "rollout":
            raise RangeError(f'the layer {layer!r} is neither a number nor "rollout"')
        top = count - 1 if isinstance(layer, str) else in_range("layer", layer, count)
        changes = changes_without(batch.model.model, batch.inputs, batch.kind, top)
        row = weights[0]  # (mix, token)
        for matrix in reversed(changes) if layer == "rollout" else changes[-1:]:
            row = row @ matrix
        return row[None], Asked(options={"layer": layer if isinstance(layer, str) else top})

    return looked(
        model, text, query, score, family="flow", method="value_zeroing", mass=True, looking=looking,
        one_text_at_a_time=True,
    )  # fmt: skip
