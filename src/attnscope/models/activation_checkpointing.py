"""What the layers keep for the way back: less of it, and no more than a budget of bytes.

Problems solved here:
- what one cheap step makes from what is kept anyway (an activation function's output, repeated key heads) is made again
  when the gradient needs it: a quarter of a Llama layer's activations;
- layers beyond the budget keep their inputs only and are run again;
- what lies between kept activations is given back to the system.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.activations import ACT2CLS
from transformers.modeling_layers import GradientCheckpointingLayer

from attnscope.models.architecture import embedding_layer
from attnscope.models.hooks import forward_replaced
from attnscope.models.loading.hardware import give_back

# What the layers may keep for the backward pass, in bytes. Layers beyond that are run again when their turn comes:
# a third more time for each such layer, and memory that no longer grows with their activations.
KEPT_BYTES = 2560 * 2**20
# From this many bytes a layer on, it is worth keeping less and giving back what a layer used and dropped.
LARGE = 8 * 2**20
_POINTWISE = tuple({entry if isinstance(entry, type) else entry[0] for entry in ACT2CLS.values()})


@dataclass(frozen=True)
class Widths:
    """Numbers of a token in one layer: hidden, its queries and its keys of all heads, the MLP's inner ones."""

    hidden: int
    queries: int
    keys: int
    inner: int

    @property
    def kept(self) -> int:
        """About how many of them are kept for the way back: the inputs of two norms, of attention and its output, of a
        gate and what it lets through. An MLP whose activation is made of many steps, like GPT-2's, keeps more."""
        return 2 * (self.hidden + self.queries + self.keys + self.inner)


def widths(net: PreTrainedModel) -> Widths:
    """As the config has them, or as is usual where it does not say."""
    config = net.config.get_text_config()
    hidden = getattr(config, "hidden_size", None) or embedding_layer(net).weight.shape[-1]
    heads = getattr(config, "num_attention_heads", None) or 1
    queries = (getattr(config, "head_dim", None) or hidden // heads) * heads
    keys = queries * (getattr(config, "num_key_value_heads", None) or heads) // heads
    return Widths(hidden, queries, keys, getattr(config, "intermediate_size", None) or 4 * hidden)


@contextmanager
def activations_bounded(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], budget: int | None = None
) -> Iterator[None]:
    """Inside, as many layers as `budget` bytes (KEPT_BYTES) allow keep their activations; the others are run again.

    The layers are those that transformers itself marks as fit for checkpointing; a model without it runs as it is.
    """
    layers = [module for module in net.modules() if isinstance(module, GradientCheckpointingLayer)]
    layer_bytes = widths(net).kept * inputs["input_ids"].numel() * net.get_input_embeddings().weight.element_size()
    kept = (KEPT_BYTES if budget is None else budget) // layer_bytes
    with ExitStack() as stack:
        if layer_bytes >= LARGE:
            stack.enter_context(_making_again(net))
            for layer in layers:
                stack.callback(layer.register_forward_hook(lambda *_: give_back()).remove)
        # The last layers are the first to be done with in the backward pass: they keep.
        for layer in layers[: max(0, len(layers) - kept)]:
            stack.enter_context(forward_replaced(layer, _again(layer.forward)))
        yield


def _again(forward: Callable[..., Any]) -> Callable[..., Any]:
    return partial(checkpoint, forward, use_reentrant=False, preserve_rng_state=False)


def made_again(function: Callable[[Tensor], Tensor], source: Tensor) -> Tensor:
    """`function(source)`, which autograd need not keep where `activations_bounded` says so."""
    made = function(source)
    if (recipes := _recipes.get()) is not None:
        recipes.note(made, function, source)
    return made


@contextmanager
def _making_again(net: PreTrainedModel) -> Iterator[None]:
    """Inside, outputs of activation functions and what `made_again` made are not kept but made again."""
    recipes = _Recipes()
    before = _recipes.set(recipes)
    with ExitStack() as stack:
        stack.callback(_recipes.reset, before)
        for module in net.modules():
            if isinstance(module, _POINTWISE):
                # In place of forward, not as a hook: what hooks make of the output is theirs.
                stack.enter_context(forward_replaced(module, partial(made_again, module.forward)))
        stack.enter_context(saved_tensors_hooks(recipes.pack, _Kept.tensor))
        yield


@dataclass(frozen=True)
class _Kept:
    """A tensor that the backward pass needs, or what it is made from again, as long as that is what it was."""

    source: Tensor
    version: int
    function: Callable[[Tensor], Tensor] | None = None

    def tensor(self) -> Tensor:
        if self.source._version != self.version:
            raise RuntimeError("a tensor that the gradient needs was changed in place by the model")
        if self.function is None:
            return self.source
        with torch.no_grad():
            return self.function(self.source)


class _Recipes:
    """Of tensors that autograd is about to keep: which can be made again."""

    def __init__(self) -> None:
        self._of: dict[int, tuple[Callable[[], Tensor | None], int, _Kept]] = {}
        self._kept: dict[int, Callable[[], Tensor | None]] = {}

    def note(self, made: Tensor, function: Callable[[Tensor], Tensor], source: Tensor) -> None:
        """`made` is `function(source)`. Forgotten when `made` is gone, and its memory may be another's.

        Worth it where the source is kept anyway, or is smaller.
        """
        kept = self._kept.get(source.data_ptr(), _gone)() is not None or source.nbytes < made.nbytes
        if kept and made.requires_grad and made.data_ptr() != source.data_ptr():
            where = made.data_ptr()
            alive = weakref.ref(made, lambda _: self._of.pop(where, None))
            self._of[where] = (alive, made._version, _Kept(source.detach(), source._version, function))

    def pack(self, tensor: Tensor) -> _Kept:
        """What to hold on to so that `tensor` is there on the way back.

        A tensor noted above is known by where its data are, as long as it lives and nothing has written there since.
        """
        alive, version, recipe = self._of.get(tensor.data_ptr(), (_gone, 0, None))
        made = alive()
        if made is not None and recipe is not None and tensor._version == version and _same_view(tensor, made):
            return recipe
        own = tensor.detach()  # `tensor` itself may lead back to the step that keeps it: a circle that is never freed
        self._kept[own.data_ptr()] = weakref.ref(own)
        return _Kept(own, own._version)


def _gone() -> None:
    return None


def _same_view(one: Tensor, other: Tensor) -> bool:
    return (one.shape, one.stride(), one.dtype) == (other.shape, other.stride(), other.dtype)


_recipes: ContextVar[_Recipes | None] = ContextVar("recipes", default=None)
