"""The gradient of a target at multiplicative masks on the keys of attention: what each token's being seen is worth.

With a mask m of one number for each key, a head's weights are A_ij = m_j e^{s_ij} / (Σ_k m_k e^{s_ik}), where a token's
weight on itself has no mask. At a mask that is t on the masked keys,

    ∂F/∂m_j = 1/t · Σ over queries i ≠ j of A_ij (∂F/∂A_ij − Σ_k A_ik ∂F/∂A_ik),

which needs the weights and the gradient at them, a block of queries at a time.
"""

from collections.abc import Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from attnscope.errors import ModelError
from attnscope.models.activation_checkpointing import SAVED_BYTES
from attnscope.models.architecture import is_encoder_decoder, task_of
from attnscope.models.attention.interface import AttentionCall, SDPACall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.gradients.attention_gradients import GradientBlock, LayerGradient, attention_gradients
from attnscope.models.loading.load import Model
from attnscope.models.targets.readout import Readout, batch_inputs

# The stacks whose keys are tokens of the text; an encoder–decoder's decoder looks at what it writes.
STACKS = ("self", "encoder", "cross")


@dataclass(frozen=True)
class KeyMaskGradients:
    """value: the target's, with the mask. by_layer: (stack, layer) -> (head, token), float64."""

    value: float
    by_layer: dict[tuple[str, int], Tensor]


def key_mask_gradients(
    model: Model, readout: Readout, share: float = 1.0, masked: Collection[int] = ()
) -> KeyMaskGradients:
    """The gradient of the readout's one value at the mask on the keys, in every layer and head.

    share, masked: where it is taken: with a mask of `share`, above 0 and at most 1, on the `masked` tokens. Below 1 one
    mask of the size token × token is held. Raises ModelError for a model whose attention cannot be seen so.
    """
    net = model.model
    two_stacks = is_encoder_decoder(net)
    if two_stacks and task_of(net) != "encoder-decoder":
        raise ModelError(
            f"{type(net).__name__} reads the text twice, in its encoder and in its decoder: use a gradient at the "
            "embeddings, such as gim"
        )
    tokens = len(readout.inputs["input_ids"])
    shares = torch.ones(tokens)
    shares[list(masked)] = share
    by_layer: dict[tuple[str, int], Tensor] = {}

    def see(layer: LayerGradient) -> None:
        if layer.place[0] not in STACKS:
            return
        to_itself = layer.place[0] != "cross"
        found = torch.zeros(layer.heads, tokens, dtype=torch.float64)
        for block in layer.blocks(torch.arange(layer.queries)):
            seen = block.weights.shape[-1]
            found[:, :seen] += _at_keys(block, to_itself=to_itself).double().cpu()
        # Layers with several calls add up.
        by_layer[layer.place] = by_layer.get(layer.place, 0) + found / shares

    def masked_call(stack: str, call: AttentionCall) -> SDPACall | None:
        if stack not in STACKS:
            return None
        if not isinstance(call, SDPACall):
            raise ModelError(
                f"{type(net).__name__} forms its attention itself, so no mask can be laid on its keys: take steps=1"
            )
        bias = shares.log().expand(call.queries, tokens)
        if stack != "cross":
            bias = bias * (1 - torch.eye(tokens))
        return call.biased(bias.to(call.query.device))

    stack = "cross" if two_stacks else None
    read = attention_gradients(
        model, readout, see, stack=stack, saved_bytes=SAVED_BYTES,
        change=masked_call if share != 1 and len(masked) else None,
    )  # fmt: skip
    layout = attention_layout(net, batch_inputs(net, [readout]), stack)
    places = {place for place in layout.calls if place[0] in STACKS}
    if places != set(by_layer) or {kind for kind, _ in places} != set(STACKS[1:] if two_stacks else STACKS[:1]):
        raise ModelError(
            f"of {type(net).__name__} not every layer's attention can be seen where it meets its values, so that a "
            "part of the gradient would be missing: use a gradient at the embeddings, such as gim"
        )
    return KeyMaskGradients(read.value, by_layer)


def _at_keys(block: GradientBlock, *, to_itself: bool) -> Tensor:
    """(head, key): the sum over the block's queries of A (G − Σ A G); without a query's own key where that is there."""
    products = block.gradient.mul_(block.weights)  # (head, query, key)
    rows = products.sum(-1)
    found = products.sum(1) - (rows[:, None] @ block.weights)[:, 0]
    if to_itself:
        own = block.queries.to(products.device)
        at = torch.arange(len(own), device=products.device)
        own_products, own_weights = products[:, at, own], block.weights[:, at, own]
        found[:, own] -= own_products - own_weights * rows
    return found
