"""The gradient of readings at the input embeddings.

Speed rules kept here: parameters are frozen, so autograd keeps nothing for them; the vocabulary head runs on the asked
positions only, a few at a time, and its logits are gone before the next few; readings of similar length share a pass;
the values of a per-token target share one forward pass, and their backward passes go side by side; a long
text's layers are run again in the backward pass rather than kept.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.models.activation_checkpointing import activations_bounded
from attnscope.models.attention.interface import key_heads_repeated
from attnscope.models.hooks import embedding_leaf
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import entries_and_gradients
from attnscope.models.targets.readout import (
    Change,
    Places,
    Reading,
    batch_inputs,
    grouped,
    on_members,
    pads,
    places,
    splittable,
    whole_entries,
)


@dataclass(frozen=True)
class Gradient:
    """The values of one reading, (target,), and their gradients, (target, token, hidden), float32 on the CPU."""

    values: Tensor
    vectors: Tensor


def gradients(
    net: PreTrainedModel, readings: Sequence[Reading], *, at: Change | None = None, budget: int = BUDGET
) -> Iterator[tuple[int, Gradient]]:
    """The gradient of each reading's values at its input embeddings, with the reading's index, as they come.

    at: changes the embeddings on their way, and the gradient is taken there: (batch, token, hidden) and the readings'
        indices -> the same shape. The leaf is what it returns.
    """
    single = not pads(net) or any(r.per_token for r in readings)
    for members in grouped([r.length for r in readings], 1 if single else budget):
        batch = [readings[i] for i in members]
        yield from zip(members, _batch(net, batch, on_members(at, members)), strict=True)


def _batch(net: PreTrainedModel, batch: Sequence[Reading], change: Callable[[Tensor], Tensor] | None) -> list[Gradient]:
    with unchanged(net), key_heads_repeated(net):
        inputs = batch_inputs(net, batch)
        where = places(batch, inputs["input_ids"].device)
        with embedding_leaf(net, change) as leaves, activations_bounded(net, inputs):
            if splittable(net):
                try:
                    return _through_split_head(net, batch, inputs, where, leaves)
                except NotImplementedError:
                    leaves.clear()
            entries = whole_entries(net, inputs, where, batch[0].quantity)
            found = [r.value(e) for r, e in zip(batch, entries.split(where.counts), strict=True)]
            rows = torch.cat(found)
            vectors = _backward(rows, leaves[0], torch.eye(len(rows)).to(rows) if len(batch) == 1 else None)
        return _shared_out(batch, found, vectors)


def _through_split_head(
    net: PreTrainedModel,
    batch: Sequence[Reading],
    inputs: Mapping[str, Tensor],
    where: Places,
    leaves: list[Tensor],
) -> list[Gradient]:
    with split_at_head(net, inputs) as (hidden, head):
        chosen = hidden.detach()[where.rows, where.positions]  # (entry, hidden)
        entries, at_chosen = entries_and_gradients(net, chosen, head, where.ids, batch[0].quantity)
        found, shares = [], []
        for reading, own in zip(batch, entries.split(where.counts), strict=True):
            own = own.requires_grad_()
            found.append(reading.value(own))
            # (target, entry): how much of each entry is in each value.
            shares.append([torch.autograd.grad(v, own, retain_graph=True)[0] for v in found[-1]])
        if len(batch) == 1:
            outer = hidden.new_zeros(len(shares[0]), *hidden.shape)  # (target, 1, token, hidden)
            for target, share in zip(outer, shares[0], strict=True):
                target[0].index_add_(0, where.positions, share[:, None].to(at_chosen) * at_chosen)
        else:
            outer = hidden.new_zeros(1, *hidden.shape)
            share = torch.cat([s[0] for s in shares]).to(at_chosen)
            outer[0].index_put_((where.rows, where.positions), share[:, None] * at_chosen, accumulate=True)
        return _shared_out(batch, found, _backward(hidden, leaves[0], outer))


def _backward(outputs: Tensor, leaf: Tensor, outer: Tensor | None) -> Tensor:
    """The leaf's gradient for each of `outer` (target, *outputs.shape), side by side; for their sum if None."""
    if outer is None:
        return torch.autograd.grad(outputs.sum(), leaf)[0][None]
    if len(outer) == 1:
        return torch.autograd.grad(outputs, leaf, outer[0])[0][None]
    parts = outer.split(max(1, BUDGET // max(1, leaf.shape[1])))
    last = len(parts) - 1
    return torch.cat(
        [
            torch.autograd.grad(outputs, leaf, part, is_grads_batched=True, retain_graph=i < last)[0]
            for i, part in enumerate(parts)
        ]
    )


def _shared_out(batch: Sequence[Reading], found: Sequence[Tensor], vectors: Tensor) -> list[Gradient]:
    """(target, batch, token, hidden) -> each reading its own, without the padding."""
    values = [value.detach().double().cpu() for value in found]
    return [
        Gradient(value, vectors[:, row, : len(reading.inputs["input_ids"])].float().cpu())
        for row, (reading, value) in enumerate(zip(batch, values, strict=True))
    ]
