"""Which call of attention is which layer, of which stack: learnt once a model, from a few tokens, and checked."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import is_encoder_decoder, self_attention_body
from attnscope.models.attention.layer_numbers import with_mixers_beside, with_model_numbers
from attnscope.models.attention.probe.probe import check_beyond_the_trial, check_repeats, probed
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import (
    AttentionLayout,
    facts_of,
    farthest_reach,
    longest_without_blocks,
    probe_inputs,
    probe_tokens,
)
from attnscope.models.typed import as_module

# The stacks of attention: "self" of a model with one; in an encoder–decoder the encoder's, the decoder's, and "cross",
# from the decoder to the encoder.
STACKS = ("self", "encoder", "decoder", "cross")


def checked_stack(net: PreTrainedModel, stack: str | None) -> str:
    """The stack that is meant. Raises ModelError for one that the model does not have."""
    if not is_encoder_decoder(net):
        if stack not in (None, "self"):
            raise ModelError(f"{type(net).__name__} has no {stack!r} attention: it is not an encoder–decoder")
        return "self"
    if stack not in (None, *STACKS[1:]):
        raise ModelError(f"there is no {stack!r} attention: choose from {', '.join(STACKS[1:])}")
    return stack or "encoder"


def body_of(net: PreTrainedModel, stack: str) -> nn.Module:
    """The part of the model that has to run so that this stack's attention happens."""
    return as_module(net.base_model) if stack in ("decoder", "cross") else self_attention_body(net)


def attention_layout(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str | None = None) -> AttentionLayout:
    """Where the model's attention is; learnt once a model, from the first few tokens of `inputs`.

    Raises ModelError for a model that gives no attention weights, or whose weights cannot be read faithfully.
    """
    stack = checked_stack(net, stack)
    with_decoder = stack in ("decoder", "cross")
    if with_decoder and "decoder_input_ids" not in inputs:  # of a classifier, whose decoder reads the text itself
        inputs = {**inputs, "decoder_input_ids": inputs["input_ids"]}
    _check_blocks(net, inputs["input_ids"].shape[1])
    facts, body = facts_of(net), body_of(net, "cross" if with_decoder else "self")
    layout = facts.layouts.get(with_decoder)
    if layout is None:
        trial = probe_inputs(inputs, probe_tokens(net))
        try:
            with unchanged(net), torch.no_grad():
                layout = with_model_numbers(net, body, trial, probed(net, body, trial, with_decoder=with_decoder))
                layout = with_mixers_beside(body, layout)
        except ModelError:
            check_repeats(net, body, trial)
            raise
        facts.layouts[with_decoder] = layout
    reach = farthest_reach(net, inputs["input_ids"].shape[1])
    if reach > facts.compared.get(with_decoder, 0):
        with unchanged(net), torch.no_grad():
            check_beyond_the_trial(net, body, probe_inputs(inputs, reach), layout)
        facts.compared[with_decoder] = reach
    if not layout.heads_of(stack):
        raise ModelError(
            f"{type(net).__name__} has no {stack} attention from every token to every token, which is all that "
            "attnscope can draw: choose another stack, or use a gradient method"
        )
    return layout


def _check_blocks(net: PreTrainedModel, tokens: int) -> None:
    """Raises ModelError for a text too short for BigBird's blocks, for which it exchanges its layers as it runs."""
    body = self_attention_body(net)
    blocks = longest_without_blocks(net) if getattr(body, "attention_type", None) == "block_sparse" else 0
    if tokens <= blocks:
        raise ModelError(
            f"{type(net).__name__} reads a text of {blocks} tokens or fewer with full attention, for which it exchanges"
            ' its block-sparse layers as it runs: call set_attention_type("original_full") on its body first, which '
            "changes nothing for such a text"
        )
