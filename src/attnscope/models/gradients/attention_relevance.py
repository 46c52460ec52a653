"""Relevance of a target, by attention times its gradient, while the gradient comes down the layers.

When the gradient g of the target arrives at the output of a layer's attention, the gradient at the weight of query i
and key j of a head is g_i · v_j. So ∇A ⊙ A is made a block of queries at a time from q, k, v and g, applied to the
relevance of the layer above, and dropped: no matrix is held, and of all layers one vector.

Queries, keys and values are saved for the backward pass as autograd saves what it needs itself: of a layer that is run
again when its turn comes, they too are made again rather than kept.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from attnscope.models.activation_checkpointing import activations_bounded
from attnscope.models.attention.capture import attending, layout
from attnscope.models.attention.interface import Call, Eager, Fast
from attnscope.models.hooks import embedding_leaf
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.hardware import give_back
from attnscope.models.loading.load import Model
from attnscope.models.progress import bar
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import at_a_time, entries_and_gradients
from attnscope.models.targets.readout import (
    Places,
    Reading,
    batch_inputs,
    places,
    splittable,
    whole_entries,
)

# What the layers may keep for the backward pass, in bytes: less than a plain gradient's, since a block of the attention
# and of its gradient comes on top.
KEPT_BYTES = 256 * 2**20


@dataclass(frozen=True)
class Relevance:
    """What was found.

    row:   (token,) the relevance of each token, less each predicting token's own.
    value: of the target. ids: its entries' tokens or labels.
    """

    row: Tensor
    value: float
    ids: tuple[int, ...]


@dataclass
class _Descent:
    """The relevance (token,) on its way down: it starts with a one at each position that the target was read at.

    These are the queries of the top layer at which a gradient arrives: behind it no token hears of another. Each layer
    adds its share.
    """

    done: Callable[[int], object]
    start: Tensor | None = None
    row: Tensor = field(init=False)

    def see(self, call: Call) -> None:
        """Wait for the gradient at this call."""
        give_back()
        if self.start is None:
            self.done(1)
        if isinstance(call, Eager):
            matrix = call.matrix
            matrix.register_hook(lambda gradient: self._take_matrix(matrix.detach(), gradient))
            return
        assert isinstance(call, Fast)
        tensors = (call.query, call.key, call.value)
        again = _remade(call)
        call.then = lambda output: _Look.apply(output, *tensors, lambda *saved: self._take(again(*saved[:3]), saved[3]))

    def _take(self, call: Fast, gradient: Tensor) -> None:
        """gradient: (1, query, head, hidden), at the output of the attention."""
        give_back()
        row = self._begun(gradient[0].flatten(1))
        added = torch.zeros_like(row)
        for block in call.blocks(row.nonzero().flatten()):
            seen = block.weights.shape[-1]
            some = gradient[:, block.queries].transpose(1, 2)  # (1, head, some, hidden)
            # Heads that share a value side by side.
            pairs = some.reshape(1, call.value.shape[1], -1, some.shape[-1]).to(call.value.dtype)
            at_weights = (pairs @ call.value[:, :, :seen].transpose(-1, -2)).view(block.weights.shape)
            positive = at_weights.float().mul_(block.weights).clamp_min_(0)
            added[:seen] += torch.einsum("hqk,q->k", positive[0], row[block.queries].to(positive)).cpu()
        self.row = row + added / call.heads
        self.done(1)

    def _take_matrix(self, matrix: Tensor, gradient: Tensor) -> None:
        row = self._begun(gradient[0].transpose(0, 1).flatten(1))
        chosen = row.nonzero().flatten()
        positive = (matrix[0, :, chosen] * gradient[0, :, chosen]).float().clamp_min(0)
        self.row = row + torch.einsum("hqk,q->k", positive, row[chosen].to(positive)).cpu() / len(matrix[0])
        self.done(1)

    def _begun(self, gradient: Tensor) -> Tensor:
        """The row so far; gradient: (query, …) of this layer."""
        if self.start is None:
            self.start = self.row = (gradient != 0).any(-1).float().cpu()
        return self.row


def _remade(call: Fast) -> Callable[[Tensor, Tensor, Tensor], Fast]:
    """The call again from its query, key and value, without holding them meanwhile."""
    module, scaling, softcap, causal = call.module, call.scaling, call.softcap, call.causal
    mask, sinks = (None if x is None else x.detach() for x in (call.mask, call.sinks))
    return lambda query, key, value: Fast(module, query, key, value, mask, scaling, softcap, sinks, causal)


class _Look(torch.autograd.Function):
    """The output as it is; on the way back, its gradient is shown with query, key and value."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, query: Tensor, key: Tensor, value: Tensor, show: Callable[..., None]) -> Any:
        ctx.save_for_backward(query, key, value)
        ctx.show = show
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        ctx.show(*ctx.saved_tensors, gradient)
        return gradient, None, None, None, None


def relevance(model: Model, reading: Reading, *, likeliest: bool = False) -> Relevance:
    """The relevance of each token that the model reads to the one value of `reading`.

    likeliest: the entries are about what the model finds likeliest at their positions, not about `reading.ids`.
    """
    net = model.model
    inputs = batch_inputs(net, [reading])
    found = layout(net, inputs)
    at = places([reading], inputs["input_ids"].device)
    with bar("layers, up and down", 2 * len(found.calls)) as done, unchanged(net), embedding_leaf(net) as leaves:
        descent = _Descent(done)
        with activations_bounded(net, inputs, KEPT_BYTES), attending(net, found, descent.see) as extra:
            if splittable(net):
                value, ids = _back_from_head(model, reading, {**inputs, **extra}, at, leaves, likeliest)
            else:
                whole = whole_entries(net, {**inputs, **extra}, at, reading.quantity)
                (value,), ids = reading.value(whole), reading.ids
                torch.autograd.grad(value, leaves)
        assert descent.start is not None
        return Relevance(descent.row - descent.start, value.item(), ids)


def _back_from_head(
    model: Model, reading: Reading, inputs: Mapping[str, Any], at: Places, leaves: list[Tensor], likeliest: bool
) -> tuple[Tensor, tuple[int, ...]]:
    """The value and the ids of its entries, once its gradient has gone down to the embeddings."""
    net = model.model
    with split_at_head(net, inputs) as (hidden, head):
        part = hidden.detach()[0, at.positions]  # (entry, hidden)
        ids = at.ids
        if likeliest:
            ids = torch.cat([head(rows[None])[0].argmax(-1) for rows in part.split(at_a_time(net, part))])
        entries, vectors = entries_and_gradients(net, part, head, ids, reading.quantity)
        entries.requires_grad_()
        (value,) = reading.value(entries)
        at_part = torch.autograd.grad(value, entries)[0][:, None].to(vectors) * vectors
        outer = torch.zeros_like(hidden)
        outer[0].index_add_(0, at.positions, at_part.to(outer))
        torch.autograd.grad(hidden, leaves, outer)
    return value.detach(), tuple(ids.tolist())
