"""A layer run again with one token's value vector set to zero, for each token, many in a batch."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.attention import Call, Fast, watched
from attnscope.models.batches import BUDGET
from attnscope.models.run import accepted, progress, unchanged
from attnscope.models.watch import attending, body_of, layout


def changes_without(net: PreTrainedModel, inputs: Mapping[str, Tensor], kind: str, top: int) -> list[Tensor]:
    """For each layer up to `top`, how each token's output changes without another's value: (token, token) on the CPU.

    Entry (i, j): the cosine distance between the layer's outputs at i with and without the value of j in all heads,
    each row scaled to sum to 1. inputs: one text, (1, token).
    """
    found = layout(net, inputs, kind)
    if found.hooked:
        raise ModelError(
            f"{type(net).__name__} does not go through transformers' attention interface, so its value vectors cannot "
            "be set to zero"
        )
    body = body_of(net, kind)
    blocks = _blocks(net, body, inputs, found.calls, kind)
    with unchanged(net), torch.no_grad(), attending(net, found, lambda _call: None):
        ran = _recorded(body, inputs, [blocks[layer] for layer in range(top + 1)])
        return [_changes(*one) for one in progress(ran, "layers", len(ran))]


def _blocks(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], calls: tuple[tuple[str, int], ...], kind: str
) -> dict[int, nn.Module]:
    """Layer -> the whole block around its attention: the element of the outermost list of modules that holds it."""
    names = {module: name for name, module in body.named_modules()}
    around: dict[int, nn.Module] = {}
    count = 0

    def see(call: Call) -> None:
        nonlocal count
        of, layer = calls[count]
        count += 1
        parts = names[call.module].split(".")
        if of == kind and any(part.isdigit() for part in parts):
            first = next(i for i, part in enumerate(parts) if part.isdigit())
            around[layer] = body.get_submodule(".".join(parts[: first + 1]))

    short = {key: value[:, :2] for key, value in inputs.items()}
    found = layout(net, inputs, kind)
    with unchanged(net), torch.no_grad(), attending(net, found, see):
        body(**accepted(body, short))
    if len(around) != sum(of == kind for of, _ in calls):
        raise ModelError(f"{type(net).__name__} does not keep its layers in a list: they cannot be run one by one")
    return around


_Ran = tuple[nn.Module, tuple[Any, ...], dict[str, Any], Tensor]


def _recorded(body: nn.Module, inputs: Mapping[str, Tensor], blocks: list[nn.Module]) -> list[_Ran]:
    """One pass; what each block was given and gave, in order (a model may use one block for several layers)."""
    ran: list[_Ran] = []

    def keep(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        ran.append((module, args, kwargs, output[0] if isinstance(output, tuple) else output))

    handles = [block.register_forward_hook(keep, with_kwargs=True) for block in dict.fromkeys(blocks)]
    try:
        body(**accepted(body, inputs))
    finally:
        for handle in handles:
            handle.remove()
    return ran[: len(blocks)]


def _changes(block: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Tensor) -> Tensor:
    tokens = output.shape[1]
    distances = torch.zeros(tokens, tokens)
    for missing in torch.arange(tokens).split(max(1, BUDGET // tokens)):
        size = len(missing)

        def zero(call: Call, missing: Tensor = missing, size: int = size) -> None:
            # Cross-attention inside the block keeps its values: it is another text's.
            if isinstance(call, Fast) and call.keys == tokens and call.batch == size:
                call.value = call.value.clone()
                call.value[torch.arange(size), :, missing] = 0

        with watched(zero):
            again = block(*_widened(args, size), **_widened(kwargs, size))
        again = again[0] if isinstance(again, tuple) else again
        distances[:, missing] = (
            (1 - cosine_similarity(again.double(), output.double(), -1)).clamp_min(0).T.float().cpu()
        )
    return distances / distances.sum(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)


def _widened(given: Any, size: int) -> Any:
    """The same arguments for a batch of that size: tensors of one row are repeated, without a copy."""
    if isinstance(given, Tensor):
        return given.expand(size, *given.shape[1:]) if given.dim() > 1 and given.shape[0] == 1 else given
    if isinstance(given, tuple):
        return tuple(_widened(part, size) for part in given)
    if isinstance(given, dict):
        return {name: _widened(part, size) for name, part in given.items()}
    return given
