"""Attention capture: running a model up to the last layer asked for, and seeing each layer's attention on the way.

The vocabulary head never runs, and nothing is held but what the caller keeps.
"""

from collections.abc import Collection, Mapping

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.architecture import accepted
from attnscope.models.attention.interface import AttentionCall, CallChange
from attnscope.models.attention.layout import attention_layout, body_of, checked_stack
from attnscope.models.attention.watching import LayerWatcher, by_layer, watching
from attnscope.models.hooks import EarlyExit
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import bar


def capture(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    layers: Collection[int],
    see: LayerWatcher,
    stack: str | None = None,
) -> None:
    """Run the model on `inputs` and show the attention of each wanted layer to `see(layer, call)`, from the bottom up.

    net:    any transformers model with attention; it comes back as it was.
    inputs: what its forward takes, (batch, token); padded on either side with an attention mask.
    layers: indices from 0 to layers - 1. The pass stops after the last.
    stack:  of an encoder–decoder: "encoder" (the default), "decoder" or "cross"; the latter two read
            `decoder_input_ids`.
    """
    stack = checked_stack(net, stack)
    layout = attention_layout(net, inputs, stack)
    body = body_of(net, stack)
    with bar("layers", len(layers)) as done:

        def see_and_count(layer: int, call: AttentionCall) -> CallChange | None:
            change = see(layer, call)
            done(1)
            return change

        watcher = by_layer(layout, stack, layers, see_and_count)
        with unchanged(net), torch.no_grad(), watching(net, layout, watcher) as extra:
            try:
                body(**accepted(body, inputs), **extra)
            except EarlyExit:
                return


def mix(call: AttentionCall, query_weights: Tensor) -> Tensor:
    """`sum_i query_weights[:, m, i] · attention[:, head, i, :]`, block by block: (batch, mix, head, key), on the CPU.

    query_weights: (batch, mix, query). A one at one query gives its row, 1/n at n queries their mean.
    """
    mixed = torch.zeros(call.batch, query_weights.shape[1], call.heads, call.keys)
    for block in call.blocks(query_weights.any(dim=(0, 1)).nonzero().flatten()):
        share = query_weights[:, :, block.queries].to(block.weights.device)
        mixed[..., : block.weights.shape[-1]] += torch.einsum("bhqk,bmq->bmhk", block.weights, share).cpu()
    return mixed
