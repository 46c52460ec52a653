"""What attention writes into the residual stream: the projection that follows it, found by watching a short pass.

A module is the output projection of an attention call if it is given exactly that call's output. How it keeps its
weights (Linear, GPT-2's transposed Conv1D, quantised, with an adapter around it, elsewhere and brought as needed) does
not matter: they are read from what it computes.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted
from attnscope.models.attention.interface import AttentionCall, CallChange
from attnscope.models.attention.layout import attention_layout, body_of
from attnscope.models.attention.watching import by_layer, watching
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import Projection, facts_of, probe_inputs
from attnscope.models.thread_bound import here_only


def output_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str) -> dict[int, Projection]:
    """Layer -> what its heads' outputs go through. Raises ModelError where one cannot be found."""
    projections = facts_of(net).projections
    if stack not in projections:
        projections[stack] = _find_projections(net, inputs, stack)
    return projections[stack]


def _find_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str) -> dict[int, Projection]:
    layout = attention_layout(net, inputs, stack)
    name = type(net).__name__
    if not layout.values:
        raise ModelError(f"{name} multiplies its values in its own way, so its value vectors cannot be seen")
    outputs: dict[int, Tensor] = {}
    modules: dict[int, Projection] = {}

    def see(layer: int, _call: AttentionCall) -> CallChange:
        def note(output: Tensor) -> Tensor:
            outputs[layer] = output
            return output

        return CallChange(on_output=note)

    def compare(module: nn.Module, args: tuple[Any, ...]) -> None:
        if not args or not isinstance(args[0], Tensor):
            return
        for layer, output in list(outputs.items()):
            if args[0].numel() == output.numel() and torch.equal(args[0].flatten(), output.flatten()):
                modules[layer] = Projection(module, args[0].flatten(0, -2)[:1])
                del outputs[layer]

    # The outermost is the first to be called: an adapter's layer, before what it is around.
    weighted = [m for m in net.modules() if _has_matrix(m) or _has_matrix(getattr(m, "base_layer", None))]
    layers = layout.heads_of(stack).keys()
    body = body_of(net, stack)
    watcher = by_layer(layout, stack, layers, see, stop_early=False)
    with unchanged(net), torch.no_grad(), watching(net, layout, watcher) as extra:
        for module in weighted:
            module.register_forward_pre_hook(here_only(compare))
        body(**accepted(body, probe_inputs(inputs)), **extra)
    if missing := sorted(set(layers) - set(modules)):
        raise ModelError(
            f"in {name} no projection takes the output of the attention of layer {missing[0]} as it is, so what each "
            "head writes cannot be told apart"
        )
    return modules


def _has_matrix(module: object) -> bool:
    """Quantised layers may keep their matrix elsewhere than in a parameter."""
    if not isinstance(module, nn.Module):
        return False
    return hasattr(module, "in_features") or any(p.dim() == 2 for p in module.parameters(recurse=False))


def per_head(net: PreTrainedModel, projection: Projection, heads: int) -> Tensor:
    """(head, head hidden, hidden): the matrix that each head's output is multiplied by; the bias belongs to no head."""
    like = projection.given
    width = like.shape[-1]
    with unchanged(net), torch.no_grad():
        identity = torch.eye(width, dtype=like.dtype, device=like.device)
        try:
            projected = projection.module(identity), projection.module(torch.zeros_like(identity[:1]))
        except (RuntimeError, TypeError, ValueError):
            projected = (None, None)
    if not all(isinstance(output, Tensor) for output in projected):
        raise ModelError(f"{type(projection.module).__name__} is not a linear map that attnscope can read")
    matrix: Tensor = projected[0] - projected[1]
    return matrix.reshape(heads, -1, matrix.shape[-1])
