"""What is explained, and its gradient at the input embeddings.

The default target is the model's own training loss on its input: `labels = input_ids`. For a causal model every token
is predicted from those before it; for a masked model every token is predicted from the whole unmasked text; an
encoder–decoder writes its input again. A classifier has no such labels: its target is the loss of the label that it
predicts itself.

Speed rules kept here: parameters are frozen, so autograd keeps nothing for them; the vocabulary head runs on a few
positions at a time, and its logits are gone before the next few; a long text's layers are run again in the backward
pass rather than kept (see `_long_texts_recomputed`).
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

from attnscope.errors import ModelError
from attnscope.models.run import (
    accepted,
    embedding_layer,
    embedding_leaf,
    forward_replaced,
    is_encoder_decoder,
    split_at_head,
    unchanged,
)

# Positions whose logits exist at one time.
CHUNK = 128

# What the layers may keep for the backward pass, in bytes. Layers beyond that are run again when their turn comes:
# a third more time for each such layer, and memory that no longer grows with their activations.
KEPT_BYTES = 1024 * 2**20
# A layer keeps about this many tensors of (token, hidden): inputs of norms, activations, rotations, attention.
KEPT_TENSORS = 16


def gradient_at_embeddings(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> tuple[Tensor, float]:
    """The gradient of the default target at the input embeddings, and the target's value.

    inputs:  one text, (1, token).
    returns: gradient (token, hidden), float32 on the CPU; the loss in nats, as the model's own `labels=` gives it.
    """
    with unchanged(net), embedding_leaf(net) as leaves, _long_texts_recomputed(net, inputs):
        kind = type(net).__name__
        if "SequenceClassification" in kind or "TokenClassification" in kind:
            gradient, loss = _whole(net, inputs, leaves, labels=None)
        elif net.get_output_embeddings() is None:
            raise ModelError(
                f"{kind} has no language-model head, so its input has no loss; load a causal or masked language model, "
                "an encoder–decoder or a classifier, or look at its attention instead"
            )
        else:
            gradient, loss = _language_model(net, inputs, leaves)
    return gradient[0].float().cpu(), loss


def _language_model(net: PreTrainedModel, inputs: Mapping[str, Tensor], leaves: list[Tensor]) -> tuple[Tensor, float]:
    labels = _labels(net, inputs["input_ids"])
    extra = {"labels": inputs["input_ids"]} if is_encoder_decoder(net) else {}
    count = int((labels != -100).sum())
    if count == 0:
        raise ModelError("the text is one token long: a causal model predicts nothing from it; give two tokens or more")
    try:
        with split_at_head(net, {**inputs, **extra}) as (hidden, head):
            at_hidden = torch.empty_like(hidden)
            loss = 0.0
            for start in range(0, hidden.shape[1], CHUNK):
                part = hidden[:, start : start + CHUNK].detach().requires_grad_()
                wanted = labels[:, start : start + CHUNK].flatten()
                logits = head(part)
                some = cross_entropy(logits.flatten(0, 1).float(), wanted, reduction="sum") / count
                del logits
                (at_hidden[:, start : start + CHUNK],) = torch.autograd.grad(some, part)
                loss += some.item()
            (gradient,) = torch.autograd.grad(hidden, leaves, at_hidden)
            return gradient, loss
    except NotImplementedError:
        leaves.clear()
        return _whole(net, inputs, leaves, labels)


def _labels(net: PreTrainedModel, ids: Tensor) -> Tensor:
    """(batch, token): the id that each position predicts, -100 where it predicts none."""
    if is_encoder_decoder(net) or "MaskedLM" in type(net).__name__:
        return ids
    return torch.cat([ids[:, 1:], ids.new_full((len(ids), 1), -100)], 1)


def _whole(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], leaves: list[Tensor], labels: Tensor | None
) -> tuple[Tensor, float]:
    """For small heads, and for models whose head does not come apart from the body."""
    logits = net(**accepted(net, inputs)).logits.float()
    if labels is None:
        labels = logits.argmax(-1)
    loss = cross_entropy(logits.flatten(0, -2), labels.flatten())
    (gradient,) = torch.autograd.grad(loss, leaves)
    return gradient, loss.item()


@contextmanager
def _long_texts_recomputed(net: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Iterator[None]:
    """Inside, as many layers as KEPT_BYTES allow keep their activations; the others compute them again.

    The layers are those that transformers itself marks as fit for checkpointing; a model without it runs as it is.
    """
    layers = [module for module in net.modules() if isinstance(module, GradientCheckpointingLayer)]
    width = embedding_layer(net).weight.shape[-1] * net.get_input_embeddings().weight.element_size()
    kept = KEPT_BYTES // (KEPT_TENSORS * inputs["input_ids"].numel() * width)
    with ExitStack() as stack:
        # The last layers are the first to be done with in the backward pass: they keep.
        for layer in layers[: max(0, len(layers) - kept)]:
            stack.enter_context(forward_replaced(layer, _again(layer.forward)))
        yield


def _again(forward: Callable[..., Any]) -> Callable[..., Any]:
    return partial(checkpoint, forward, use_reentrant=False, preserve_rng_state=False)
