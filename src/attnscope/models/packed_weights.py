"""4-bit weights of bitsandbytes on a CPU: packed anew for fast inference, and then no gradient passes them.

Where the processor has AVX512-BF16, a layer packs its weights in its first pass without a gradient. From then on its
product is cut off from autograd: gradients are those of a model without its linear layers, and no error says so. Inside
`unpacked` nothing is packed, and what was packed before has its own form, which passes gradients.
"""

import copy
import weakref
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attnscope.errors import ModelError
from attnscope.models.thread_bound import acting_thread

# Layer → the packed state, and the weights unpacked: a call has many passes, and to unpack takes longer than one.
_UNPACKED: weakref.WeakKeyDictionary[nn.Module, tuple[Any, Tensor, Any]] = weakref.WeakKeyDictionary()


@contextmanager
def unpacked(net: nn.Module) -> Iterator[None]:
    """Inside, 4-bit weights pass gradients; packed ones are packed again afterwards.

    Raises ModelError where they cannot be unpacked.
    """
    layers = [module for module in net.modules() if hasattr(module._parameters.get("weight"), "quant_state")]
    hook = partial(_as_if_for_a_gradient, acting_thread())
    with ExitStack() as stack:
        for layer in layers:
            stack.callback(layer.register_forward_pre_hook(hook).remove)
            if getattr(layer.weight.quant_state, "packing_format_for_cpu", False):  # type: ignore[union-attr]
                stack.enter_context(_unpacked(layer))
        yield


def _as_if_for_a_gradient(thread: int, _layer: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """A layer packs its weights when its input needs no gradient, whichever thread runs it.

    In another thread, what needs no gradient outside `torch.no_grad()` is left as it is: its output would need one.
    """
    given = args[0]
    if given.requires_grad or (torch.is_grad_enabled() and acting_thread() != thread):
        return args
    return (given.detach().requires_grad_(), *args[1:])


@contextmanager
def _unpacked(layer: nn.Module) -> Iterator[None]:
    weight: Any = layer.weight
    packed, state = weight.data, weight.quant_state
    known = _UNPACKED.get(layer)
    if known is None or known[0] is not state:
        known = _UNPACKED[layer] = (state, *_unpack(packed, state))
    _, weight.data, weight.quant_state = known
    try:
        yield
    finally:
        weight.data, weight.quant_state = packed, state


def _unpack(packed: Tensor, state: Any) -> tuple[Tensor, Any]:
    try:
        from bitsandbytes.functional import _convert_weight_packed_for_cpu_inverse as inverse
    except ImportError as error:
        raise ModelError(
            "the model's 4-bit weights were packed by an earlier pass without gradients, and this version of "
            "bitsandbytes cannot unpack them: load the model anew"
        ) from error
    own = copy.copy(state)
    # The scales of blocks, (block of inputs, output) when packed; one after another in a weight's own form.
    own.original_nested = False
    values, own = inverse(packed, own)
    own.absmax = state.absmax.T.reshape(-1).float()
    return values, own
