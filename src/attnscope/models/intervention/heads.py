"""The outputs of heads on their way into the projection that mixes them: read there, and changed there.

What the projection is given holds each head's output in a slice of its own, also where heads share keys and values, and
times the gate where a layer has one.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.attention.interface import AttentionCall
from attnscope.models.attention.output_projection import output_projections
from attnscope.models.thread_bound import here_only

# Given a layer and its heads' outputs (batch, query, head, hidden): what the projection gets instead; None: the same.
ChangeHeads = Callable[[int, Tensor], Tensor | None]
# To be called with a layer and its call of attention, before the projection is.
Attended = Callable[[int, AttentionCall], None]


@contextmanager
def heads_changed(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, layers: Collection[int], change: ChangeHeads
) -> Iterator[Attended]:
    """Inside a pass, the outputs of these layers' heads go through `change` before they are projected.

    To be used inside `unchanged`. Raises ModelError where what a head writes cannot be told apart from the others.
    """
    projections = output_projections(net, inputs, stack) if layers else {}
    waiting: list[tuple[int, AttentionCall]] = []

    def attended(layer: int, call: AttentionCall) -> None:
        if layer in layers:
            waiting[:] = [(layer, call)]

    def project(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        if not waiting or projections[waiting[0][0]].module is not module:
            return None
        layer, call = waiting.pop()
        given: Tensor = args[0]
        if given.numel() % (call.batch * call.queries * call.heads):
            raise ModelError(
                f"{type(net).__name__} does not project the output of layer {layer} as it is on this text, so its "
                "heads cannot be told apart"
            )
        changed = change(layer, given.reshape(call.batch, call.queries, call.heads, -1))
        return None if changed is None else (changed.reshape(given.shape), *args[1:])

    handles = [
        module.register_forward_pre_hook(here_only(project))
        for module in dict.fromkeys(projections[layer].module for layer in layers)
    ]
    try:
        yield attended
    finally:
        for handle in handles:
            handle.remove()
