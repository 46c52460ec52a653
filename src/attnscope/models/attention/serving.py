"""Bringing a model's attention calls to a watcher, under the name of the attention that the model runs with.

Problems solved here:
- models look at the name of their attention (`config._attn_implementation in ("eager", "sdpa")`) and compute something
  else under a name that they do not know: sparse attention would be dropped. So no name is registered; what a model is
  given for the name it asks for is wrapped while somebody watches;
- only for the thread that watches: another gets what it asked for, also from the same model;
- an attention function of the user's own still makes the output.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from torch import Tensor, nn
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from attnscope.errors import ModelError
from attnscope.models.attention.interface import EagerCall, SDPACall, blockwise_output, show, watcher_here, with_bias
from attnscope.models.leave_unchanged import configurations, within
from attnscope.models.thread_bound import acting_thread, name_attention, undone_by

# What a model runs with while it is watched.
IMPLEMENTATION = "sdpa"

# Whose functions are no user's: transformers' own, and what stands in for one of them during a run of ours.
_NOT_THE_USERS = ("transformers.", "attnscope.")

AttentionFunction = Callable[..., tuple[Tensor, Tensor | None]]
# Sees an eager call as attnscope reads it, and the output and the weights that it has made.
SeeEager = Callable[[SDPACall, Tensor, Tensor], None]
# By which a model gets the function for a name. In transformers 5.0.0 it looks there itself, but for eager attention.
_LOOKUP = "get_interface" if hasattr(AttentionInterface, "get_interface") else "__getitem__"
_own_lookup = getattr(AttentionInterface, _LOOKUP)
# Who watches now. The lock may be taken again: Ctrl-C may come while it is held.
_serving: set[object] = set()
_serving_lock = threading.RLock()
_eager_watcher: tuple[int, SeeEager] | None = None


@contextmanager
def served() -> Iterator[None]:
    """Inside, attention that goes through transformers' interface is shown to the watcher of its thread."""
    mine = object()

    def leave() -> None:
        with _serving_lock:
            _serving.discard(mine)
            if not _serving:
                setattr(AttentionInterface, _LOOKUP, _own_lookup)

    with undone_by(leave):
        with _serving_lock:
            _serving.add(mine)
            setattr(AttentionInterface, _LOOKUP, _lookup)
        yield


def _lookup(self: AttentionInterface, attn_implementation: str, *default: AttentionFunction) -> AttentionFunction:
    function: AttentionFunction = _own_lookup(self, attn_implementation, *default)
    if attn_implementation == "eager" and _eager_watcher is not None and _eager_watcher[0] == acting_thread():
        return partial(_tried_eager_attention, function, _eager_watcher[1])
    if watcher_here() is None:
        return function
    return partial(_eager_attention if attn_implementation == "eager" else _attention, function)


@contextmanager
def eager_watched_by(see: SeeEager) -> Iterator[None]:
    """Inside, a pass with eager attention shows each call, with the weights that it makes, to `see`.

    To be used inside `unchanged`: there is one at a time.
    """
    global _eager_watcher
    before = _eager_watcher

    def leave() -> None:
        global _eager_watcher
        _eager_watcher = before

    with undone_by(leave), served():
        _eager_watcher = (acting_thread(), see)
        yield


def _tried_eager_attention(
    function: AttentionFunction,
    see: SeeEager,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *args: Any,
    **kwargs: Any,
) -> tuple[Tensor, Tensor | None]:
    output, weights = function(module, query, key, value, attention_mask, *args, **kwargs)
    if weights is not None and (attention_mask is None or attention_mask.dim() == 4):
        mask = None if attention_mask is None else attention_mask[..., : key.shape[2]]
        # Eager attention masks what it is told to mask, and nothing by itself.
        call = call_of(module, query, key, value, mask, *args, **{**kwargs, "is_causal": False})
        see(call, output, weights)
    return output, weights


def _eager_attention(
    function: AttentionFunction, module: nn.Module, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any
) -> tuple[Tensor, Tensor | None]:
    """Eager attention of the model's own, for models that have no other: the watcher sees the matrix that it forms."""
    output, weights = function(module, query, key, value, *args, **kwargs)
    assert weights is not None
    change = show(EagerCall(module, weights, value))
    if change.value is not None:
        output, _ = function(module, query, key, change.value, *args, **kwargs)
    # The matrix goes before the next layer runs, where nobody needs it.
    return output if change.on_output is None else change.on_output(output), None


def _attention(
    function: AttentionFunction,
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    sinks: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The function's own output, and on the way the watcher sees the call."""
    kwargs.pop("output_attentions", None)
    call = call_of(module, query, key, value, attention_mask, softcap=softcap, s_aux=s_aux, sinks=sinks, **kwargs)
    named = {"softcap": softcap, "s_aux": s_aux, "sinks": sinks}
    beyond_sdpa = {name: given for name, given in named.items() if given is not None}
    change = show(call)
    chosen_value = value if change.value is None else change.value
    if change.output is not None:
        output = change.output
    elif function is sdpa_attention_forward and beyond_sdpa:
        output = blockwise_output(call, chosen_value)
    else:
        output, _ = function(module, query, key, chosen_value, attention_mask, **beyond_sdpa, **kwargs)
    return output if change.on_output is None else change.on_output(output), None


def call_of(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    sinks: Tensor | None = None,
    **_rest: Any,
) -> SDPACall:
    """The call that an attention function is asked to make. Models call their sinks by one name or the other."""
    if attention_mask is not None and attention_mask.dim() != 4:
        raise ModelError(
            f"the attention function of {type(module).__name__} gets a mask of shape {tuple(attention_mask.shape)}: "
            "register a mask for it too (transformers.AttentionMaskInterface.register(name, sdpa_mask)), or run the "
            'model with set_attn_implementation("sdpa")'
        )
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    causal = bool(causal) and query.shape[2] > 1 and attention_mask is None
    # A mask may be the same for all queries.
    mask = None if attention_mask is None else attention_mask.expand(*attention_mask.shape[:2], query.shape[2], -1)
    if position_bias is not None:
        mask = with_bias(position_bias, attention_mask, causal=causal)
    # Beside a mask, causality is in the mask.
    causal = causal and mask is None
    sinks = s_aux if sinks is None else sinks
    return SDPACall(module, query, key, value, mask=mask, scaling=scale, softcap=softcap, sinks=sinks, causal=causal)


def set_implementation(net: PreTrainedModel, implementation: str) -> bool:
    """Make the model run with this attention, "eager" or IMPLEMENTATION, in this thread. False where it cannot.

    To be used inside `unchanged`. A part that runs with a function of the user's own keeps it, where IMPLEMENTATION is
    asked for.
    """
    if not net._can_set_attn_implementation():
        if implementation == "eager":
            # Falcon reads its config as it runs, and would add the boolean mask of fast attention to eager scores.
            for config in configurations(net):
                name_attention(config, implementation)
        return implementation == "eager"
    # A layer that was put in from elsewhere may have a configuration of its own.
    for config in configurations(net) if implementation == "eager" else _switchable(net):
        if implementation == "eager" or function_of_the_user(config._attn_implementation) is None:
            name_attention(config, implementation)
    return True


def _switchable(net: PreTrainedModel) -> list[Any]:
    """The configurations that `set_attn_implementation` would change.

    It is not called: it would change them for all threads, and it refuses "sdpa" for models not tried with it.
    """
    owners: dict[int, PreTrainedModel] = {}
    for module in net.modules():
        if isinstance(module, PreTrainedModel):
            owners.setdefault(id(module.config), module)
    every = {id(config): config for config in (*(part.config for part in owners.values()), *within(net.config))}
    return [c for key, c in every.items() if key not in owners or owners[key]._can_set_attn_implementation()]


def function_of_the_user(name: str | None) -> AttentionFunction | None:
    """The function that was registered under this name, where it is not transformers' own."""
    if name is None or name not in ALL_ATTENTION_FUNCTIONS:
        return None
    function: AttentionFunction = _own_lookup(ALL_ATTENTION_FUNCTIONS, name, *[None] * (_LOOKUP == "get_interface"))
    return None if getattr(function, "__module__", "transformers").startswith(_NOT_THE_USERS) else function
