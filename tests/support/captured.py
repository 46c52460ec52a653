"""Attention captured whole, for comparisons with a model's own."""

from collections.abc import Collection, Mapping

from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.attention.capture import capture, mix
from attnscope.models.attention.interface import AttentionCall


def mixed_rows(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    query_weights: Tensor,
    layers: Collection[int],
    stack: str | None = None,
) -> dict[int, Tensor]:
    """Of each layer `sum_i query_weights[i] · attention[i, :]`, (batch, head, key); query_weights: (batch, query)."""
    rows: dict[int, Tensor] = {}

    def see(layer: int, call: AttentionCall) -> None:
        rows[layer] = mix(call, query_weights[:, None])[:, 0]

    capture(net, inputs, layers, see, stack)
    return rows
