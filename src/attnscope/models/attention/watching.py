"""Running a model so that a watcher sees its attention calls, through transformers' interface or by eager hooks."""

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.attention.eager_hook import shown_forward
from attnscope.models.attention.interface import AttentionCall, CallChange, Watcher, watched_by
from attnscope.models.attention.serving import served, set_implementation
from attnscope.models.hooks import EarlyExit, forward_replaced
from attnscope.models.model_facts import PROBE_TOKENS, AttentionLayout

# Sees the call of one layer, given the layer's index, and says what to change about it.
LayerWatcher = Callable[[int, AttentionCall], CallChange | None]


@contextmanager
def watching(net: PreTrainedModel, layout: AttentionLayout, watcher: Watcher) -> Iterator[dict[str, Any]]:
    """Inside, a forward pass with the yielded arguments shows every call of attention to `watcher`.

    To be used inside `unchanged`, which restores the attention implementation.
    """
    if not layout.hooked:
        if not set_implementation(net, layout.implementation):
            raise ModelError(f"{type(net).__name__} no longer accepts attnscope's attention implementation")
        with served(), watched_by(watcher):
            yield {}
        return
    set_implementation(net, "eager")
    with watched_by(watcher), ExitStack() as stack:
        heads = {module: count for (module, _), count in zip(layout.hooked, layout.heads, strict=True)}
        for module, index in dict(layout.hooked).items():
            forward = partial(shown_forward, module, module.forward, index, layout.values, heads=heads[module])
            stack.enter_context(forward_replaced(module, forward))
        returned = any(index is not None for _, index in layout.hooked)
        yield {"output_attentions": True} if returned else {}


def by_layer(
    layout: AttentionLayout,
    stack: str,
    layers: Collection[int],
    see: LayerWatcher,
    *,
    stop_early: bool = True,
    absent: Collection[int] = (),
) -> Watcher:
    """A watcher of one pass that shows the wanted layers of one stack to `see`.

    stop_early: the pass ends with EarlyExit after the last of them. absent: calls of the layout, by their indices, that
    this pass does not make. Raises ModelError where the pass calls attention otherwise than the trial did, as a model
    may that goes another way with long texts.
    """
    wanted = {i: layer for i, (name, layer) in enumerate(layout.calls) if name == stack and layer in layers}
    made = [i for i in range(len(layout.modules)) if i not in absent]
    count = 0

    def watcher(call: AttentionCall) -> CallChange | None:
        nonlocal count
        index, count = made[count] if count < len(made) else len(layout.modules), count + 1
        if index >= len(layout.modules) or call.module is not layout.modules[index]:
            raise ModelError(
                f"{type(call.module).__name__} attends otherwise on this text than on the first {PROBE_TOKENS} tokens "
                "that it was tried on, so its calls cannot be told apart: give a shorter text, or use a gradient method"
            )
        change = see(wanted[index], call) if index in wanted else None
        if stop_early and index == max(wanted):
            raise EarlyExit
        return change

    return watcher
