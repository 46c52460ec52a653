"""A layer run again with one token's value vector set to zero, for each token, many in a batch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted
from attnscope.models.attention.capture import attending, body_of, layout
from attnscope.models.attention.interface import Call, watched
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.progress import progress


def changes_without(net: PreTrainedModel, inputs: Mapping[str, Tensor], kind: str, top: int) -> list[Tensor]:
    """For each layer up to `top`, how each token's output changes without another's value: (token, token) on the CPU.

    Entry (i, j): the cosine distance between the layer's outputs at i with and without the value of j in all heads,
    each row scaled to sum to 1. inputs: one text, (1, token).
    """
    found = layout(net, inputs, kind)
    if not found.values:
        raise ModelError(
            f"{type(net).__name__} weighs its values in a way of its own, so its value vectors cannot be set to zero"
        )
    body = body_of(net, kind)
    blocks = list(_blocks(net, body, inputs, found.calls, kind).values())[: top + 1]
    with unchanged(net), torch.no_grad(), attending(net, found, lambda _call: None) as extra:
        short = {key: value[:, :2] for key, value in inputs.items()}
        one, two = (
            _recorded(body, {key: value.repeat(n, 1) for key, value in short.items()}, blocks, extra) for n in (1, 2)
        )
        ran = _recorded(body, inputs, blocks, extra)
        changes = (
            _changes(whole, _by_row((a.args, a.named), (b.args, b.named)))
            for whole, a, b in zip(ran, one, two, strict=True)
        )
        return list(progress(changes, "layers", len(ran)))


def _blocks(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], calls: tuple[tuple[str, int], ...], kind: str
) -> dict[int, nn.Module]:
    """Layer -> the whole block around its attention, bottom up: an element of the outermost list of modules."""
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
    with unchanged(net), torch.no_grad(), attending(net, found, see) as extra:
        body(**accepted(body, short), **extra)
    if len(around) != sum(of == kind for of, _ in calls):
        raise ModelError(f"{type(net).__name__} does not keep its layers in a list: they cannot be run one by one")
    return around


@dataclass(frozen=True)
class _Ran:
    """A block as it ran: what it was given, and its hidden states (batch, token, hidden)."""

    block: nn.Module
    args: tuple[Any, ...]
    named: dict[str, Any]
    output: Tensor


def _recorded(
    body: nn.Module, inputs: Mapping[str, Tensor], blocks: list[nn.Module], extra: Mapping[str, Any]
) -> list[_Ran]:
    """One pass; what each block was given and gave, in order (a model may use one block for several layers)."""
    ran: list[_Ran] = []

    def keep(module: nn.Module, args: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
        ran.append(_Ran(module, args, named, _hidden(output)))

    handles = [block.register_forward_hook(keep, with_kwargs=True) for block in dict.fromkeys(blocks)]
    try:
        body(**accepted(body, inputs), **extra)
    finally:
        for handle in handles:
            handle.remove()
    return ran[: len(blocks)]


def _hidden(output: Any) -> Tensor:
    found: Tensor = output[0] if isinstance(output, tuple) else output
    return found


def _changes(ran: _Ran, by_row: Any) -> Tensor:
    tokens = ran.output.shape[1]
    distances = torch.zeros(tokens, tokens)
    for missing in torch.arange(tokens).split(max(1, BUDGET // tokens)):
        size = len(missing)

        def zero(call: Call, missing: Tensor = missing, size: int = size) -> None:
            # Cross-attention inside the block keeps its values: it is another text's.
            if call.keys == tokens and call.batch == size:
                call.value = call.value.clone()
                call.value[torch.arange(size), :, missing] = 0

        args, named = _widened((ran.args, ran.named), by_row, size)
        with watched(zero):
            again = _hidden(ran.block(*args, **named))
        distances[:, missing] = (
            (1 - cosine_similarity(again.double(), ran.output.double(), -1)).clamp_min(0).T.float().cpu()
        )
    return distances / distances.sum(1, keepdim=True).clamp_min(torch.finfo(torch.float32).tiny)


def _by_row(one: Any, two: Any) -> Any:
    """Which arguments grow with the number of texts: those that are longer for two than for one.

    Their shape does not tell: ALiBi's biases are (text · head, 1, key), and DeBERTa's distances (1, query, key) always.
    """
    if isinstance(one, Tensor):
        return one.shape[:1] != two.shape[:1]
    if isinstance(one, tuple):
        return tuple(_by_row(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict):
        return {name: _by_row(value, two[name]) for name, value in one.items()}
    return False


def _widened(given: Any, by_row: Any, size: int) -> Any:
    """The same arguments for a batch of that size; a tensor of one row is repeated without a copy."""
    if isinstance(given, Tensor) and by_row:
        rest = given.shape[1:]
        return given.expand(size, *rest) if given.shape[0] == 1 else given.repeat(size, *(1 for _ in rest))
    if isinstance(given, tuple):
        return tuple(_widened(part, grows, size) for part, grows in zip(given, by_row, strict=True))
    if isinstance(given, dict):
        return {name: _widened(part, by_row[name], size) for name, part in given.items()}
    return given
