"""Attention and its gradient, layer by layer, while the gradient of a target goes from the top layer down.

When the target's gradient g arrives at the output of a layer's attention, the gradient at the weight of query i and key
j of a head is g_i · v_j. So a layer's attention and the gradient at it are made a block of queries at a time from q, k,
v and g, shown, and dropped: no n × n matrix is held.

Queries, keys and values are saved for the backward pass as autograd saves what it needs itself: those of a layer that
is recomputed in the backward pass are recomputed too.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.activation_checkpointing import activations_bounded
from attnscope.models.architecture import self_attention_body, task_of
from attnscope.models.attention.interface import AttentionCall, CallChange, EagerCall, SDPACall
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.watching import watching
from attnscope.models.hooks import embedding_leaf, hooked
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.loading.hardware import release_freed_memory
from attnscope.models.loading.load import Model
from attnscope.models.model_facts import AttentionLayout
from attnscope.models.progress import bar
from attnscope.models.quantisation import check_passes_gradients
from attnscope.models.targets.head_split import split_at_head
from attnscope.models.targets.lm_head import entries_and_gradients, positions_at_once
from attnscope.models.targets.readout import (
    Entries,
    Readout,
    batch_inputs,
    entries_in,
    reads_separate_head,
    whole_model_entries,
)
from attnscope.models.typed import applied, on_gradient, split

# What the layers may keep for the backward pass, in bytes: less than for a plain gradient, since a block of the
# attention and of its gradient comes on top.
SAVED_BYTES = 256 * 2**20


@dataclass(frozen=True)
class GradientBlock:
    """Of some queries: the attention weights and the target's gradient at them, (head, query, key ≤ keys), float32."""

    queries: Tensor  # (query,), indices
    weights: Tensor
    gradient: Tensor


class LayerGradient(ABC):
    """One layer's attention on one text, with the target's gradient at it.

    place:   its stack and its number, as in AttentionLayout.
    heads, queries: how many.
    read_at: (token,), on the CPU: whether the target is read off what the model's body puts out at that token.
    """

    place: tuple[str, int]
    heads: int
    queries: int
    read_at: Tensor

    @abstractmethod
    def blocks(self, chosen: Tensor) -> Iterator[GradientBlock]:
        """The chosen queries, a block at a time; each block may be overwritten."""


# Sees each layer from the top down.
SeeGradient = Callable[[LayerGradient], None]
# Another call in a call's place, given its stack.
ChangeCall = Callable[[str, AttentionCall], SDPACall | None]


@dataclass(frozen=True)
class ReadValue:
    """What was read off the model: the target's value, and the tokens or labels of its entries."""

    value: float
    ids: tuple[int, ...]


def attention_gradients(
    model: Model,
    readout: Readout,
    see: SeeGradient,
    *,
    stack: str | None = None,
    likeliest: bool = False,
    change: ChangeCall | None = None,
    saved_bytes: int | None = None,
) -> ReadValue:
    """Show each layer's attention and the gradient of the readout's one value at it to `see`, from the top layer down.

    stack:     of an encoder–decoder "cross" for all of its attention; None: its encoder's.
    likeliest: the entries are about what the model finds likeliest at their positions, not about `readout.ids`.
    change:    another call to make in a call's place, given its stack; None for the same. The changed one is shown.
    saved_bytes: what the layers may keep for the backward pass; by default SAVED_BYTES.
    """
    net = model.model
    # By passes of their own, before hooks are set.
    separate = reads_separate_head(net, [readout])
    pools = task_of(net) == "classifier" or readout.of_whole
    inputs = batch_inputs(net, [readout])
    layout = attention_layout(net, inputs, stack)
    if not layout.single:
        raise ModelError(
            f"{type(net).__name__} multiplies several attentions of a layer with its values, so the gradient at one of "
            "them is not the layer's: use rollout, or a gradient method"
        )
    entries = entries_in([readout], inputs["input_ids"].device)
    with (
        bar("layers, up and down", 2 * len(layout.calls)) as done,
        unchanged(net),
        embedding_leaf(net, ids=inputs["input_ids"]) as leaves,
    ):
        check_passes_gradients(net)
        read_at = torch.zeros(inputs["input_ids"].shape[1], dtype=torch.bool)
        watcher = _BackwardWatcher(see, done, read_at, _places(layout), change)
        saved = SAVED_BYTES if saved_bytes is None else saved_bytes
        with activations_bounded(net, inputs, saved), watching(net, layout, watcher) as extra:
            if pools:
                with hooked(self_attention_body(net), watcher.pooled):
                    return _back_from_whole(net, readout, {**inputs, **extra}, entries, leaves)
            if stack is None:  # else the positions are the decoder's
                read_at[entries.positions.cpu()] = True
            if separate:
                return _back_from_head(model, readout, {**inputs, **extra}, entries, leaves, likeliest)
            return _back_from_whole(net, readout, {**inputs, **extra}, entries, leaves)


def _places(layout: AttentionLayout) -> dict[nn.Module, list[tuple[str, int]]]:
    """Of each module that attends to tokens, the places of its calls in the order of a forward pass."""
    places: dict[nn.Module, list[tuple[str, int]]] = {}
    for module, place in zip(layout.modules, layout.calls, strict=True):
        if place[0]:
            places.setdefault(module, []).append(place)
    return places


def _back_from_whole(
    net: PreTrainedModel, readout: Readout, inputs: Mapping[str, Any], entries: Entries, leaves: list[Tensor]
) -> ReadValue:
    """The same through the model's own forward."""
    (value,) = readout.value(whole_model_entries(net, [readout], inputs, entries))
    torch.autograd.grad(value, leaves)
    return ReadValue(value.item(), readout.ids)


def _back_from_head(
    model: Model, readout: Readout, inputs: Mapping[str, Any], entries: Entries, leaves: list[Tensor], likeliest: bool
) -> ReadValue:
    """The value, once its gradient has gone down to the embeddings."""
    net = model.model
    with split_at_head(net, inputs) as (hidden, head):
        chosen = hidden.detach()[0, entries.positions]  # (entry, hidden)
        ids = entries.ids
        if likeliest:
            ids = torch.cat([head(rows[None])[0].argmax(-1) for rows in split(chosen, positions_at_once(net, chosen))])
        numbers, vectors = entries_and_gradients(net, chosen, head, ids, readout.quantity)
        numbers.requires_grad_()
        (value,) = readout.value(numbers)
        at_chosen = torch.autograd.grad(value, numbers)[0][:, None].to(vectors) * vectors
        at_hidden = torch.zeros_like(hidden)
        at_hidden[0].index_add_(0, entries.positions, at_chosen.to(at_hidden))
        torch.autograd.grad(hidden, leaves, at_hidden)
    return ReadValue(value.item(), tuple(ids.tolist()))


@dataclass
class _BackwardWatcher:
    """Waits for the gradient at each call of attention, and shows both.

    done: counts steps, forward and backward. read_at: as in LayerGradient. places: as `_places` gives them.
    change: as in `attention_gradients`.
    """

    see: SeeGradient
    done: Callable[[int], object]
    read_at: Tensor
    places: dict[nn.Module, list[tuple[str, int]]]
    change: ChangeCall | None = None
    backward: bool = False

    def pooled(self, _module: object, _args: object, output: Any) -> None:
        """A hook on the body of a model that pools: it reads its target where a gradient arrives at its output."""

        def note(gradient: Tensor) -> None:
            self.read_at |= (gradient[0] != 0).any(-1).cpu()

        on_gradient(output[0], note)

    def __call__(self, call: AttentionCall) -> CallChange | None:
        release_freed_memory()
        places = self.places.get(call.module)
        if not places:
            return None
        if not self.backward:  # else the layer is run again on the way down
            self.done(1)
        changed = None if self.change is None else self.change(places[0][0], call)
        call = changed or call
        if isinstance(call, EagerCall):
            matrix = call.matrix
            if not matrix.requires_grad:  # of a decoder, before it has seen the text
                return None
            on_gradient(matrix, lambda gradient: self._show(_MatrixGradient(matrix.detach(), gradient), places))
            return None
        assert isinstance(call, SDPACall)
        query, key, value, remade = call.query, call.key, call.value, call.remaker()

        def show(query: Tensor, key: Tensor, value: Tensor, gradient: Tensor) -> None:
            self._show(_SDPAGradient(remade(query, key, value), gradient), places)

        return CallChange(
            output=None if changed is None else call.output(),
            on_output=lambda output: applied(_ShowGradient, output, query, key, value, show),
        )

    def _show(self, layer: LayerGradient, places: list[tuple[str, int]]) -> None:
        self.backward = True
        release_freed_memory()
        # A module that several layers share comes back from the top layer down.
        layer.place, layer.read_at = places.pop(), self.read_at
        self.see(layer)
        self.done(1)


class _SDPAGradient(LayerGradient):
    """gradient: (1, query, head, hidden), at the output of the attention."""

    def __init__(self, call: SDPACall, gradient: Tensor) -> None:
        self.heads, self.queries = call.heads, call.queries
        self._call, self._gradient = call, gradient

    def blocks(self, chosen: Tensor) -> Iterator[GradientBlock]:
        """As in LayerGradient."""
        value = self._call.value
        for block in self._call.blocks(chosen):
            seen = block.weights.shape[-1]
            rows = self._gradient[:, block.queries].transpose(1, 2)  # (1, head, query, hidden)
            # Heads that share a value side by side.
            grouped = rows.reshape(1, value.shape[1], -1, rows.shape[-1]).to(value.dtype)
            at_weights = (grouped @ value[:, :, :seen].transpose(-1, -2)).view(block.weights.shape)
            yield GradientBlock(block.queries, block.weights[0], at_weights[0].float())


class _MatrixGradient(LayerGradient):
    """matrix, gradient: (1, head, query, key)."""

    def __init__(self, matrix: Tensor, gradient: Tensor) -> None:
        _, self.heads, self.queries, _ = matrix.shape
        self._matrix, self._gradient = matrix, gradient

    def blocks(self, chosen: Tensor) -> Iterator[GradientBlock]:
        """As in LayerGradient."""
        yield GradientBlock(chosen, self._matrix[0, :, chosen].float(), self._gradient[0, :, chosen].float())


class _ShowGradient(torch.autograd.Function):
    """The output as it is; in the backward pass, its gradient is shown with query, key and value."""

    @staticmethod
    def forward(ctx: Any, output: Tensor, query: Tensor, key: Tensor, value: Tensor, show: Callable[..., None]) -> Any:
        ctx.save_for_backward(query, key, value)
        ctx.show = show
        return output.view_as(output)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        ctx.show(*ctx.saved_tensors, gradients[0])
        return gradients[0], None, None, None, None
