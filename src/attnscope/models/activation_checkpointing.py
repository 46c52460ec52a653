"""Activation checkpointing: what the layers save for the backward pass, within a budget of bytes.

Problems solved here:
- what one cheap step computes from a tensor that is saved anyway (an activation function's output, repeated key heads)
  is recomputed when the gradient needs it: a quarter of a Llama layer's activations;
- layers beyond the budget save their inputs only and are run again;
- freed memory between saved activations is returned to the system.
"""

import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.checkpoint import checkpoint
from transformers import PreTrainedModel
from transformers.activations import ACT2CLS
from transformers.cache_utils import Cache
from transformers.modeling_layers import GradientCheckpointingLayer

from attnscope.models.architecture import configured, embedding_layer
from attnscope.models.hooks import forward_replaced
from attnscope.models.loading.hardware import release_freed_memory
from attnscope.models.thread_bound import on_behalf
from attnscope.models.typed import device_of, embedding_weight, weight_of

# What the layers may save for the backward pass, in bytes. Layers beyond that are run again when their turn comes:
# a third more time for each such layer, and memory that no longer grows with their activations.
SAVED_BYTES = 2560 * 2**20
# From this many bytes a layer on, it pays to recompute cheap steps and to return memory that a layer has freed.
LARGE = 8 * 2**20
# Tokens that fill a product of matrices.
FEWEST = 256
# Of each activation function its class, or the class and its arguments.
_ENTRIES = [entry[0] if isinstance(entry, tuple) else entry for entry in ACT2CLS.values()]
_POINTWISE = tuple({entry for entry in _ENTRIES if isinstance(entry, type) and issubclass(entry, nn.Module)})


@dataclass(frozen=True)
class Widths:
    """Numbers of a token in one layer: hidden, its queries and its keys of all heads, the MLP's inner ones."""

    hidden: int
    queries: int
    keys: int
    inner: int

    @property
    def saved(self) -> int:
        """About how many of them are saved for the backward pass: the inputs of two norms, of attention and its output,
        of a gate and what it lets through. An MLP whose activation takes many steps, like GPT-2's, saves more."""
        return 2 * (self.hidden + self.queries + self.keys + self.inner)


def widths(net: PreTrainedModel) -> Widths:
    """As the config says, or as is usual where it does not; of layers that differ, the widest."""
    hidden = configured(net, "hidden_size") or weight_of(embedding_layer(net)).shape[-1]
    heads = configured(net, "num_attention_heads") or 1
    queries = (configured(net, "head_dim") or hidden // heads) * heads
    keys = queries * (configured(net, "num_key_value_heads") or heads) // heads
    return Widths(hidden, queries, keys, configured(net, "intermediate_size") or 4 * hidden)


def tokens_at_once(net: PreTrainedModel, most: int) -> int:
    """How many tokens of several texts go through a forward and a backward pass together, at most `most`.

    On a CPU so many that what a layer saves stays small: beyond that its numbers leave the cache and cheap steps are
    computed twice, which costs more than a larger product saves. FEWEST keep it busy all the same.
    """
    if device_of(net).type != "cpu":
        return most
    per_token = widths(net).saved * embedding_weight(net).element_size()
    return min(most, max(FEWEST, (LARGE - 1) // per_token))


@contextmanager
def activations_bounded(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], budget: int | None = None
) -> Iterator[None]:
    """Inside, as many layers as `budget` bytes (SAVED_BYTES) allow save their activations; the others are run again.

    The layers are those that transformers itself can checkpoint; a model without any runs as it is.
    """
    layers = [module for module in net.modules() if isinstance(module, GradientCheckpointingLayer)]
    layer_bytes = widths(net).saved * inputs["input_ids"].numel() * embedding_weight(net).element_size()
    saving = (SAVED_BYTES if budget is None else budget) // layer_bytes
    with ExitStack() as stack:
        if layer_bytes >= LARGE:
            stack.enter_context(_recomputing(net))
            for layer in layers:
                stack.callback(layer.register_forward_hook(lambda *_: release_freed_memory()).remove)
        # The backward pass is done with the last layers first, so they are the ones that save.
        for layer in layers[: max(0, len(layers) - saving)]:
            stack.enter_context(forward_replaced(layer, _checkpointed(layer.forward)))
        yield


def _checkpointed(forward: Callable[..., Any]) -> Callable[..., Any]:
    again = on_behalf(forward)

    def bounded(*args: Any, **kwargs: Any) -> Any:
        args, kwargs = without_cache((args, kwargs))
        return checkpoint(again, *args, use_reentrant=False, preserve_rng_state=False, **kwargs)

    return bounded


def without_cache(given: Any) -> Any:
    """A layer's arguments without the cache of keys and values: a layer that is run again would add them once more.

    Some models make one unasked, and do not name `use_cache`.
    """
    if isinstance(given, Cache):
        return None
    if isinstance(given, tuple) and not hasattr(given, "_fields"):
        return tuple(without_cache(part) for part in given)
    if isinstance(given, dict):
        return {name: without_cache(part) for name, part in given.items()}
    return given


def recomputed(function: Callable[[Tensor], Tensor], source: Tensor) -> Tensor:
    """`function(source)`, recomputed in the backward pass instead of saved where `activations_bounded` says so."""
    result = function(source)
    if (recomputable := _recomputable.get()) is not None:
        recomputable.note(result, function, source)
    return result


@contextmanager
def _recomputing(net: PreTrainedModel) -> Iterator[None]:
    """Inside, outputs of activation functions and results of `recomputed` are not saved but recomputed."""
    recomputable = _Recomputable()
    before = _recomputable.set(recomputable)
    with ExitStack() as stack:
        stack.callback(_recomputable.reset, before)
        for module in net.modules():
            if isinstance(module, _POINTWISE):
                # In place of forward, not as a hook: hooks of the user's change the output after it.
                stack.enter_context(forward_replaced(module, partial(recomputed, module.forward)))
        stack.enter_context(saved_tensors_hooks(recomputable.pack, _Saved.tensor))
        yield


@dataclass(frozen=True)
class _Saved:
    """A tensor that the backward pass needs, or a source and the function to recompute it from.

    version: the source's at that time; one that was changed since is an error.
    """

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


class _Recomputable:
    """Which of the tensors that autograd is about to save can be recomputed instead."""

    def __init__(self) -> None:
        self._results: dict[int, tuple[Callable[[], Tensor | None], int, _Saved]] = {}
        self._sources: dict[int, Callable[[], Tensor | None]] = {}

    def note(self, result: Tensor, function: Callable[[Tensor], Tensor], source: Tensor) -> None:
        """`result` is `function(source)`. Forgotten when `result` is gone, for its memory may become another's.

        Worth it where the source is saved anyway, or is smaller.
        """
        worthwhile = self._sources.get(source.data_ptr(), _gone)() is not None or source.nbytes < result.nbytes
        if worthwhile and result.requires_grad and result.data_ptr() != source.data_ptr():
            address = result.data_ptr()
            alive = weakref.ref(result, lambda _: self._results.pop(address, None))
            self._results[address] = (alive, result._version, _Saved(source.detach(), source._version, function))

    def pack(self, tensor: Tensor) -> _Saved:
        """What to save so that `tensor` is there in the backward pass.

        A tensor noted above is known by its address, as long as it lives and nothing has been written there since.
        """
        alive, version, saved = self._results.get(tensor.data_ptr(), (_gone, 0, None))
        result = alive()
        if result is not None and saved is not None and tensor._version == version and _same_view(tensor, result):
            return saved
        # `tensor` itself may lead back to the step that saves it: a circle that is never freed.
        detached = tensor.detach()
        self._sources[detached.data_ptr()] = weakref.ref(detached)
        return _Saved(detached, detached._version)


def _gone() -> None:
    return None


def _same_view(tensor: Tensor, other: Tensor) -> bool:
    return (tensor.shape, tensor.stride(), tensor.dtype) == (other.shape, other.stride(), other.dtype)


_recomputable: ContextVar[_Recomputable | None] = ContextVar("recomputable", default=None)
