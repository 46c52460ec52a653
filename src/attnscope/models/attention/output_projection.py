"""What attention writes into the residual stream: the projection that follows it, found by watching a short pass.

A module is the output projection of an attention call if it is given exactly that call's output. How it keeps its
weights (Linear, GPT-2's transposed Conv1D, merged or quantised) does not matter: it is asked for them.
"""

import weakref
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted
from attnscope.models.attention.capture import PROBE_TOKENS, attending, body_of, layer_by_layer, layout
from attnscope.models.attention.interface import Call
from attnscope.models.leave_unchanged import unchanged

_found: weakref.WeakKeyDictionary[PreTrainedModel, dict[str, dict[int, nn.Module]]] = weakref.WeakKeyDictionary()


def output_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], kind: str) -> dict[int, nn.Module]:
    """Layer -> the module that its heads' outputs go through. Raises ModelError where one cannot be found."""
    known = _found.setdefault(net, {})
    if kind not in known:
        known[kind] = _watch_projections(net, inputs, kind)
    return known[kind]


def _watch_projections(net: PreTrainedModel, inputs: Mapping[str, Tensor], kind: str) -> dict[int, nn.Module]:
    found = layout(net, inputs, kind)
    name = type(net).__name__
    if not found.values:
        raise ModelError(f"{name} weighs its values in a way of its own, so its value vectors cannot be seen")
    short = {key: value[:1, :PROBE_TOKENS] for key, value in inputs.items()}
    if "attention_mask" in short:
        short["attention_mask"] = torch.ones_like(short["attention_mask"])
    waiting: dict[int, Tensor] = {}
    modules: dict[int, nn.Module] = {}

    def see(layer: int, call: Call) -> None:
        def keep(output: Tensor) -> Tensor:
            waiting[layer] = output
            return output

        call.then = keep

    def look(module: nn.Module, args: tuple[Any, ...]) -> None:
        if not args or not isinstance(args[0], Tensor):
            return
        for layer, output in list(waiting.items()):
            if args[0].numel() == output.numel() and torch.equal(args[0].flatten(), output.flatten()):
                modules[layer] = module
                del waiting[layer]

    weighted = [m for m in net.modules() if any(p.dim() == 2 for p in m.parameters(recurse=False))]
    count = len(found.heads_of(kind))
    body = body_of(net, kind)
    watcher = layer_by_layer(found, kind, range(count), see, cut=False)
    with unchanged(net), torch.no_grad(), attending(net, found, watcher) as extra:
        for module in weighted:
            module.register_forward_pre_hook(look)
        body(**accepted(body, short), **extra)
    if missing := sorted(set(range(count)) - set(modules)):
        raise ModelError(
            f"in {name} no projection takes the output of the attention of layer {missing[0]} as it is: what its heads "
            "write cannot be told apart"
        )
    return modules


def per_head(projection: nn.Module, heads: int) -> Tensor:
    """(head, head hidden, hidden): what each head's output is multiplied with; the bias belongs to no head."""
    parameter = next(p for p in projection.parameters(recurse=False) if p.dim() == 2)
    # A weight is (out, in) or (in, out): the longer way round is tried first.
    for width in dict.fromkeys(reversed(parameter.shape)):
        try:
            with torch.no_grad():
                nothing = parameter.new_zeros(1, width)
                matrix = projection(torch.eye(width).to(parameter)) - projection(nothing)
        except RuntimeError:
            continue
        return matrix.reshape(heads, -1, matrix.shape[-1])
    raise ModelError(f"{type(projection).__name__} is no linear map that attnscope can read")
