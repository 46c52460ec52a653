"""Whole layers: which module each is, skipping one, and beginning a pass at one with what the layers below gave before.

A layer is skipped in the residual stream: what came in goes on as it is. For that the layer's module must take in what
the layer below put out; whether it does is seen on a short pass.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, configured
from attnscope.models.attention.layer_numbers import block_name, list_of
from attnscope.models.attention.layout import body_of
from attnscope.models.hooks import forward_replaced
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import AttentionLayout, probe_inputs
from attnscope.models.thread_bound import here_only


@dataclass(frozen=True)
class LayerRun:
    """A layer as it ran: its module, the hidden states that it was given, and all of what it returned."""

    module: nn.Module
    given: Tensor
    output: Any


def layers_of(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, layout: AttentionLayout | None
) -> list[nn.Module]:
    """The module of each of the stack's layers, in the order in which they run; one that runs twice is there twice.

    layout: where the model's attention is; None where it has none. Raises ModelError where the layers cannot be told.
    """
    runs = _runs_of(net, probe_inputs(inputs), stack, layout)
    for below, above in pairwise(runs):
        hidden = hidden_of(below.output)
        if hidden.shape != below.given.shape or not torch.equal(hidden, above.given):
            raise ModelError(
                f"a layer of {type(net).__name__} does not take in what the layer below it has put out, so a layer "
                "cannot be skipped: take away its heads"
            )
    if runs and hidden_of(runs[-1].output).shape != runs[-1].given.shape:
        raise ModelError(f"the last layer of {type(net).__name__} puts out another shape than it takes in")
    return [run.module for run in runs]


def _runs_of(
    net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str, layout: AttentionLayout | None
) -> list[LayerRun]:
    body = body_of(net, stack)
    names = {module: name for name, module in body.named_modules()}
    runs: dict[str, list[LayerRun]] = {}
    came: dict[nn.Module, Tensor] = {}

    def before(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = given_to(args, kwargs)
        if given is not None:
            came[module] = given.clone()

    def after(module: nn.Module, _args: object, _kwargs: object, output: Any) -> None:
        if module in came and isinstance(hidden_of(output), Tensor):
            runs.setdefault(list_of(names[module]), []).append(LayerRun(module, came.pop(module), output))

    with unchanged(net), torch.no_grad():
        for module, name in names.items():
            if name and name == block_name(name) and not isinstance(module, nn.ModuleList):
                module.register_forward_pre_hook(here_only(before), with_kwargs=True)
                module.register_forward_hook(here_only(after), with_kwargs=True)
        body(**accepted(body, inputs))
    expected, lists = configured(net, "num_hidden_layers") or 0, list(runs)
    if layout is not None and layout.heads_of(stack):
        wanted = "decoder" if stack == "cross" else stack
        attending = [m for m, (name, _) in zip(layout.modules, layout.calls, strict=True) if name == wanted]
        lists = list(dict.fromkeys(list_of(names.get(module, "")) for module in attending))
        expected = len(layout.kinds_of(stack))
    of_length = [runs[name] for name in lists if len(runs.get(name, ())) == expected]
    if len(of_length) != 1:
        raise ModelError(
            f"{type(net).__name__} does not run its layers as the modules of one list, so they cannot be told apart: "
            "take away heads"
        )
    return of_length[0]


def given_to(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor | None:
    """The hidden states that a layer is given."""
    first = args[0] if args else kwargs.get("hidden_states")
    return first if isinstance(first, Tensor) else None


def hidden_of(output: Any) -> Tensor:
    """The hidden states that a layer returns, which may be the first of several things."""
    hidden: Tensor = output[0] if isinstance(output, tuple | list) else output
    return hidden


def with_hidden(output: Any, hidden: Tensor) -> Any:
    """What a layer returns, with other hidden states."""
    return type(output)((hidden, *output[1:])) if isinstance(output, tuple | list) else hidden


@contextmanager
def layers_skipped(layers: Sequence[nn.Module], skipped: Collection[int]) -> Iterator[None]:
    """Inside a pass, these layers (by number) give back the hidden states that they are given."""
    if not skipped:
        yield
        return
    count = 0
    came: list[Tensor] = []

    def before(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        given = given_to(args, kwargs)
        assert given is not None, "seen on the short pass"
        came[:] = [given.clone() if count in skipped else given]

    def after(_module: nn.Module, _args: object, _kwargs: object, output: Any) -> Any:
        nonlocal count
        number, count = count, count + 1
        return with_hidden(output, came[0]) if number in skipped else None

    handles = []
    try:
        for module in dict.fromkeys(layers):
            handles.append(module.register_forward_pre_hook(here_only(before), with_kwargs=True))
            handles.append(module.register_forward_hook(here_only(after), with_kwargs=True))
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def layers_recorded(layers: Sequence[nn.Module]) -> Iterator[list[Any]]:
    """Inside a pass, what each layer returned is added to the list."""
    outputs: list[Any] = []

    def after(_module: nn.Module, _args: object, output: Any) -> None:
        outputs.append(output)

    handles = [module.register_forward_hook(here_only(after)) for module in dict.fromkeys(layers)]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def begun_at(layers: Sequence[nn.Module], first: int, outputs: Sequence[Any], size: int) -> Iterator[None]:
    """Inside a pass over `size` copies of a text, the layers below `first` give what they gave for the one text.

    To be used inside `unchanged`.
    """
    count = 0

    def instead(forward: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal count
        number, count = count, count + 1
        if number >= first:
            return forward(*args, **kwargs)
        hidden = hidden_of(outputs[number])
        wide = hidden.expand(size, *hidden.shape[1:])
        # The first layer that runs may write into what it is given.
        return with_hidden(outputs[number], wide.contiguous() if number == first - 1 else wide)

    with ExitStack() as stack:
        for module in dict.fromkeys(layers[:first]):
            stack.enter_context(forward_replaced(module, partial(instead, module.forward)))
        yield
