"""The gradient of readouts at the input embeddings.

What makes it fast and small: parameters are frozen, so autograd saves nothing for them; the vocabulary head runs on the
asked positions only, a few at a time, and its logits are gone before the next few; readouts of similar length share a
pass; the values of a per-token target share one forward pass, and their backward passes run side by side; a long
text's layers are run again in the backward pass instead of saving their activations.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.activation_checkpointing import activations_bounded, tokens_at_once
from attnscope.models.architecture import errors_named
from attnscope.models.attention.key_heads import key_heads_repeated
from attnscope.models.hooks import embedding_leaf
from attnscope.models.inputs.batching import BUDGET, length_groups
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import bar
from attnscope.models.quantisation import check_passes_gradients
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import entries_and_gradients
from attnscope.models.targets.readout import (
    EmbeddingChange,
    Entries,
    Readout,
    batch_budget,
    batch_inputs,
    entries_in,
    for_members,
    reads_separate_head,
    whole_model_entries,
)
from attnscope.models.typed import split


@dataclass(frozen=True)
class Gradient:
    """The values of one readout, (target,), and their gradients, (target, token, hidden), float64 on the CPU."""

    values: Tensor
    vectors: Tensor


def gradients(
    net: PreTrainedModel,
    readouts: Sequence[Readout],
    *,
    change: EmbeddingChange | None = None,
    budget: int | None = None,
) -> Iterator[tuple[int, Gradient]]:
    """The gradient of each readout's values at its input embeddings, with the readout's index, as they come.

    change: of the embeddings, and the gradient is taken there: (batch, token, hidden) and the readouts' indices -> the
        same shape. The leaf is what it returns.
    budget: tokens of a batch; None: as many as are fastest.
    """
    most = tokens_at_once(net, BUDGET) if budget is None else budget
    size = 1 if any(r.per_token for r in readouts) else batch_budget(net, readouts, most)
    with bar("gradients", len(readouts)) as done:
        for members in length_groups([r.length for r in readouts], size):
            batch = [readouts[i] for i in members]
            yield from zip(members, _batch(net, batch, for_members(change, members)), strict=True)
            done(len(members))


def gradient_of_next(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], choose: Callable[[Tensor], int]
) -> tuple[float, Tensor]:
    """The log-probability of a token after the last one, and its gradient (token, hidden) at the embeddings, float64.

    inputs: those of one text, (1, token). choose: given the logits (vocabulary,) after the text, the id of the token.
    For a model whose head runs apart from its body.
    """
    with unchanged(net), key_heads_repeated(net), bar("gradients", 1) as done:
        check_passes_gradients(net)
        with (
            embedding_leaf(net, None, inputs["input_ids"]) as leaves,
            activations_bounded(net, dict(inputs)),
            split_at_head(net, inputs) as (hidden, head),
        ):
            last = hidden.detach()[:, -1]
            with torch.no_grad():
                identity = choose(head(last[:, None])[0, 0])
            ids = torch.tensor([identity], device=last.device)
            values, at_last = entries_and_gradients(net, last, head, ids, "log_probability")
            at_hidden = hidden.new_zeros(1, *hidden.shape)
            at_hidden[0, :, -1] = at_last.to(at_hidden)
            vectors = _backward(net, hidden, leaves[0], at_hidden)
        done(1)
    return float(values.double()), vectors[0, 0].cpu().double()


def _batch(net: PreTrainedModel, batch: Sequence[Readout], change: Callable[[Tensor], Tensor] | None) -> list[Gradient]:
    separate = reads_separate_head(net, batch)
    with unchanged(net), key_heads_repeated(net):
        check_passes_gradients(net)
        inputs = batch_inputs(net, batch)
        entries = entries_in(batch, inputs["input_ids"].device)
        with embedding_leaf(net, change, inputs["input_ids"]) as leaves, activations_bounded(net, inputs):
            if separate:
                return _through_split_head(net, batch, inputs, entries, leaves)
            numbers = whole_model_entries(net, batch, inputs, entries)
            values = [r.value(part) for r, part in zip(batch, entries.by_readout(numbers), strict=True)]
            rows = torch.cat(values)
            vectors = _backward(net, rows, leaves[0], torch.eye(len(rows)).to(rows) if len(batch) == 1 else None)
        return _by_readout(batch, values, vectors)


def _through_split_head(
    net: PreTrainedModel,
    batch: Sequence[Readout],
    inputs: Mapping[str, Tensor],
    entries: Entries,
    leaves: list[Tensor],
) -> list[Gradient]:
    with split_at_head(net, inputs) as (hidden, head):
        chosen = hidden.detach()[entries.rows, entries.positions]  # (entry, hidden)
        numbers, at_chosen = entries_and_gradients(net, chosen, head, entries.ids, batch[0].quantity)
        values, shares = [], []
        for readout, part in zip(batch, entries.by_readout(numbers), strict=True):
            leaf = part.requires_grad_()
            values.append(readout.value(leaf))
            # (target, entry): how much of each entry is in each value.
            shares.append([torch.autograd.grad(value, leaf, retain_graph=True)[0] for value in values[-1]])
        if len(batch) == 1:
            at_hidden = hidden.new_zeros(len(shares[0]), *hidden.shape)  # (target, 1, token, hidden)
            for target, share in zip(at_hidden, shares[0], strict=True):
                target[0].index_add_(0, entries.positions, share[:, None].to(at_chosen) * at_chosen)
        else:
            at_hidden = hidden.new_zeros(1, *hidden.shape)
            share = torch.cat([of_value[0] for of_value in shares]).to(at_chosen)
            at_hidden[0].index_put_((entries.rows, entries.positions), share[:, None] * at_chosen, accumulate=True)
        return _by_readout(batch, values, _backward(net, hidden, leaves[0], at_hidden))


def _backward(net: PreTrainedModel, outputs: Tensor, leaf: Tensor, at_outputs: Tensor | None) -> Tensor:
    """The leaf's gradient for each of `at_outputs` (target, *outputs.shape), side by side; for their sum if None."""
    if not outputs.requires_grad:
        raise ModelError(
            f"what {type(net).__name__} predicts does not depend on the text, so that no gradient reaches it (an "
            "encoder–decoder needs cross-attention)"
        )
    with errors_named(net):
        if at_outputs is None:
            return torch.autograd.grad(outputs.sum(), leaf)[0][None]
        if len(at_outputs) == 1:
            return torch.autograd.grad(outputs, leaf, at_outputs[0])[0][None]
        parts = split(at_outputs, BUDGET // max(1, leaf.shape[1]))
        last = len(parts) - 1
        return torch.cat(
            [
                torch.autograd.grad(outputs, leaf, part, is_grads_batched=True, retain_graph=i < last)[0]
                for i, part in enumerate(parts)
            ]
        )


def _by_readout(batch: Sequence[Readout], values: Sequence[Tensor], vectors: Tensor) -> list[Gradient]:
    """(target, batch, token, hidden) -> of each readout its own, without the padding."""
    detached = [value.detach().double().cpu() for value in values]
    return [
        Gradient(value, vectors[:, row, : len(readout.inputs["input_ids"])].cpu().double())
        for row, (readout, value) in enumerate(zip(batch, detached, strict=True))
    ]
