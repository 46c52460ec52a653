"""Running a model so that a watcher sees its attention calls, through transformers' interface or by eager hooks."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.attention.eager_hook import shown_forward
from attnscope.models.attention.interface import AttentionCall, CallChange, Watcher, watched_by
from attnscope.models.attention.serving import IMPLEMENTATION, served, set_implementation
from attnscope.models.hooks import EarlyExit, forward_replaced
from attnscope.models.model_facts import AttentionLayout

# Sees the call of one layer, given the layer's index, and says what to change about it.
LayerWatcher = Callable[[int, AttentionCall], CallChange | None]


@contextmanager
def watching(net: PreTrainedModel, layout: AttentionLayout, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """Inside, a forward pass with the yielded arguments shows every call of attention to `watcher`.

    To be used inside `unchanged`, which restores the attention implementation.
    """
    if not layout.hooked:
        if not set_implementation(net, IMPLEMENTATION):
            raise ModelError(f"{type(net).__name__} no longer accepts attnscope's attention implementation")
        with served(), watched_by(watcher):
            yield {}
        return
    set_implementation(net, "eager")
    with watched_by(watcher), ExitStack() as stack:
        for module, index in dict(layout.hooked).items():
            forward = partial(shown_forward, module, module.forward, index, layout.values)
            stack.enter_context(forward_replaced(module, forward))
        yield {"output_attentions": True}


def by_layer(
    layout: AttentionLayout, stack: str, layers: Collection[int], see: LayerWatcher, *, stop_early: bool = True
) -> Watcher:
    """A watcher of one pass that shows the wanted layers of one stack to `see`.

    stop_early: the pass ends with EarlyExit after the last of them.
    """
    wanted = {i: layer for i, (name, layer) in enumerate(layout.calls) if name == stack and layer in layers}
    count = 0

    def watcher(call: AttentionCall) -> CallChange | None:
        nonlocal count
        index, count = count, count + 1
        change = see(wanted[index], call) if index in wanted else None
        if stop_early and index == max(wanted):
            raise EarlyExit
        return change

    return watcher
