"""Each layer run again without one token's value vector, for each token, many in a batch."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.activation_checkpointing import without_cache
from attnscope.models.architecture import accepted
from attnscope.models.attention.interface import AttentionCall, CallChange, watched_by
from attnscope.models.attention.layout import attention_layout, body_of
from attnscope.models.attention.watching import watching
from attnscope.models.inputs.batching import BUDGET
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import AttentionLayout, probe_inputs
from attnscope.models.progress import progress
from attnscope.models.thread_bound import here_only
from attnscope.models.typed import split

# (outputs without a value (missing, token, hidden), the output (1, token, hidden)) -> (missing, token)
Distance = Callable[[Tensor, Tensor], Tensor]


def rerun_without_values(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, layers: Sequence[int], distance: Distance
) -> list[Tensor]:
    """For each of these layers, bottom up, how far each token's output is from the one without another's value.

    (token, token) each, on the CPU. Entry (i, j): the distance between the layer's outputs at i, with the value vector
    of j zero in all heads and as it is. inputs: one text, (1, token).
    """
    layout = attention_layout(net, inputs, stack)
    if not layout.values:
        raise ModelError(
            f"{type(net).__name__} multiplies its values in its own way, so its value vectors cannot be set to zero"
        )
    body = body_of(net, stack)
    number = list(layout.heads_of(stack)).index
    blocks = list(_blocks(net, body, inputs, layout, stack).values())[: number(layers[-1]) + 1]
    with unchanged(net), torch.no_grad(), watching(net, layout, lambda _call: None) as extra:
        short = probe_inputs(inputs, 2)
        one, two = (
            _recorded(body, {name: value.repeat(n, 1) for name, value in short.items()}, blocks, extra) for n in (1, 2)
        )
        runs = _recorded(body, inputs, blocks, extra)
        if len(runs) < len(blocks):
            raise ModelError(
                f"{type(net).__name__} does not run each of its layers as one module, so they cannot be run one by "
                "one: use value_norm or rollout"
            )
        if any(run.output.dim() != 3 for run in runs):
            raise ModelError(
                f"{type(net).__name__} keeps several vectors of each token between its layers, so how far one has "
                "moved is not defined: use value_norm or rollout"
            )
        if any(run.output.shape[:2] != inputs["input_ids"].shape for run in runs):
            raise ModelError(
                f"the layers of {type(net).__name__} do not put out (text, token, hidden), so they cannot be run "
                "again for several texts: use value_norm or rollout"
            )
        wanted = [number(layer) for layer in layers]
        distances = (
            _distances(runs[i], _grows((one[i].args, one[i].kwargs), (two[i].args, two[i].kwargs)), distance)
            for i in wanted
        )
        return list(progress(distances, "layers", len(wanted)))


def _blocks(
    net: PreTrainedModel, body: nn.Module, inputs: Mapping[str, Tensor], layout: AttentionLayout, stack: str
) -> dict[int, nn.Module]:
    """Layer -> the whole block around its attention, bottom up: an element of the outermost list of modules."""
    names = {module: name for name, module in body.named_modules()}
    blocks: dict[int, nn.Module] = {}
    calls = iter(layout.calls)

    def see(call: AttentionCall) -> None:
        name, layer = next(calls)
        parts = names[call.module].split(".")
        if name == stack and any(part.isdigit() for part in parts):
            first = next(i for i, part in enumerate(parts) if part.isdigit())
            blocks[layer] = body.get_submodule(".".join(parts[: first + 1]))

    with unchanged(net), torch.no_grad(), watching(net, layout, see) as extra:
        body(**accepted(body, probe_inputs(inputs, 2)), **extra)
    if len(blocks) != len(layout.heads_of(stack)):
        raise ModelError(f"{type(net).__name__} does not keep its layers in a list: they cannot be run one by one")
    return blocks


@dataclass(frozen=True)
class _BlockRun:
    """A block as it ran: what it was given, and its hidden states (batch, token, hidden)."""

    block: nn.Module
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    output: Tensor


def _recorded(
    body: nn.Module, inputs: Mapping[str, Tensor], blocks: list[nn.Module], extra: Mapping[str, Any]
) -> list[_BlockRun]:
    """One pass; what each block was given and returned, in order (a model may use one block for several layers)."""
    runs: list[_BlockRun] = []

    def record(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        args, kwargs = without_cache((args, kwargs))
        runs.append(_BlockRun(module, args, kwargs, _hidden(output)))

    handles = [block.register_forward_hook(here_only(record), with_kwargs=True) for block in dict.fromkeys(blocks)]
    try:
        body(**accepted(body, inputs), **extra)
    finally:
        for handle in handles:
            handle.remove()
    return runs[: len(blocks)]


def _hidden(output: Any) -> Tensor:
    hidden: Tensor = output[0] if isinstance(output, tuple | list) else output
    return hidden


def _distances(run: _BlockRun, grows: Any, distance: Distance) -> Tensor:
    """(token, missing token)"""
    tokens = run.output.shape[1]
    distances = torch.zeros(tokens, tokens)
    for missing in split(torch.arange(tokens), BUDGET // tokens):
        args, kwargs = _widened((run.args, run.kwargs), grows, len(missing))
        with watched_by(_zeroing(missing, tokens)):
            without = _hidden(run.block(*args, **kwargs))
        distances[:, missing] = distance(without, run.output).T.float().cpu()
    return distances


def _zeroing(missing: Tensor, tokens: int) -> Callable[[AttentionCall], CallChange | None]:
    """Sets the value of one of the missing tokens to zero in each row of the batch."""
    rows = torch.arange(len(missing))

    def zero(call: AttentionCall) -> CallChange | None:
        # Cross-attention inside the block keeps its values: they are another text's.
        if call.keys != tokens or call.batch != len(missing):
            return None
        value = call.value.clone()
        value[rows, :, missing] = 0
        return CallChange(value=value)

    return zero


def _grows(one: Any, two: Any) -> Any:
    """Which arguments grow with the number of texts: those that are longer for two than for one.

    Their shape does not tell: ALiBi's biases are (text · head, 1, key), and DeBERTa's distances (1, query, key) always.
    """
    if isinstance(one, Tensor):
        return one.shape[:1] != two.shape[:1]
    if isinstance(one, tuple):
        return tuple(_grows(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, Mapping):
        return {name: _grows(value, two[name]) for name, value in one.items()}
    return False


def _widened(given: Any, grows: Any, size: int) -> Any:
    """The same arguments for a batch of that size; a tensor of one row is repeated without a copy."""
    if isinstance(given, Tensor) and grows:
        rest = given.shape[1:]
        if given.shape[0] > 1:
            return given.repeat(size, *(1 for _ in rest))
        # Hidden states are copied: modules view them as rows.
        return given.expand(size, *rest).contiguous() if given.dim() == 3 else given.expand(size, *rest)
    if isinstance(given, tuple):
        return tuple(_widened(part, part_grows, size) for part, part_grows in zip(given, grows, strict=True))
    if isinstance(given, Mapping):  # arguments by name, or the keys and values that layers share (Gemma 4)
        return {name: _widened(part, grows[name], size) for name, part in given.items()}
    return given
