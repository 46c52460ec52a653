"""Changes to a single forward pass: other embeddings, another forward, an early end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.models.architecture import embedding_layer


class EarlyExit(BaseException):
    """Ends a forward pass whose rest is not needed. Not an Exception, so that no model catches it."""


@contextmanager
def embedding_leaf(net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None = None) -> Iterator[list[Tensor]]:
    """Inside, the embedding layer's first output in a forward pass, or what `change` makes of it, takes a gradient.

    The model still receives its input ids, so that whatever it derives from them (positions, token types) stays as it
    is. Yields the list to which the leaf, (batch, token, hidden), is added.
    """
    leaves: list[Tensor] = []

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        if leaves:  # an encoder–decoder may embed the decoder's input with the same module
            return None
        leaves.append((change(output) if change else output).detach().requires_grad_())
        return leaves[0]

    handle = embedding_layer(net).register_forward_hook(hook)
    try:
        yield leaves
    finally:
        handle.remove()


@contextmanager
def embeddings_replaced(net: PreTrainedModel, change: Callable[[Tensor], Tensor] | None) -> Iterator[None]:
    """Inside, the embedding layer's first output in a forward pass goes through `change`."""
    done = False

    def hook(_module: nn.Module, _args: Any, output: Tensor) -> Tensor | None:
        nonlocal done
        if done or change is None:
            return None
        done = True
        return change(output)

    handle = embedding_layer(net).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def forward_replaced(module: nn.Module, forward: Callable[..., Any], *, name: str = "forward") -> Iterator[None]:
    """Inside, calling the module calls `forward` instead."""
    before = module.__dict__.get(name)  # device_map puts a wrapper there
    setattr(module, name, forward)
    try:
        yield
    finally:
        if before is None:
            delattr(module, name)
        else:
            setattr(module, name, before)


@contextmanager
def own_forward_wrapped(module: nn.Module, wrap: Callable[[Callable[..., Any]], Callable[..., Any]]) -> Iterator[None]:
    """Inside, calling the module calls what `wrap` makes of its forward, at a time when its weights are there.

    accelerate puts a wrapper around a forward that brings the weights from elsewhere, and calls the own one inside.
    """
    name = "_old_forward" if "_old_forward" in vars(module) else "forward"
    with forward_replaced(module, wrap(getattr(module, name)), name=name):
        yield
