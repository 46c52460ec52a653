"""What must be the same about a model and a tokenizer after attnscope has used them.

Every model that the tests share or make registers itself with `watch`; after each test all of them are compared.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields
from typing import Any, Self

from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

import attnscope as ats

_HOOKS = (
    "_forward_hooks",
    "_forward_pre_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_hooks",
    "_backward_pre_hooks",
)
# What a module has of its own beside parameters, buffers and modules: these may not come or go.
_RECORDING = "_output_capturing_hooks_installed"


@dataclass(frozen=True)
class ModelSnapshot:
    """By module, parameter or buffer, in order. Tensors count by identity and by how often they were written to."""

    modules: tuple[tuple[str, int], ...]
    training: tuple[bool, ...]
    hooks: tuple[tuple[object, ...], ...]
    forwards: tuple[object, ...]
    recording: tuple[object, ...]
    parameters: tuple[tuple[str, int, int], ...]
    trainable: tuple[bool, ...]
    gradients: tuple[bool, ...]
    buffers: tuple[tuple[str, int, int], ...]
    attention: tuple[tuple[str, object], ...]
    configs: tuple[dict[str, Any], ...]
    # Held so that no other object gets the identity of one of these.
    alive: tuple[object, ...] = field(compare=False, repr=False)

    @classmethod
    def of(cls, net: PreTrainedModel) -> Self:
        modules = dict(net.named_modules())
        parameters, buffers = dict(net.named_parameters()), dict(net.named_buffers())
        configs = {id(c): c for m in modules.values() for c in _configs(getattr(m, "config", None))}.values()
        return cls(
            modules=tuple((name, id(m)) for name, m in modules.items()),
            training=tuple(m.training for m in modules.values()),
            hooks=tuple(_hooks(m) for m in modules.values()),
            forwards=tuple(m.__dict__.get("forward") for m in modules.values()),
            recording=tuple(m.__dict__.get(_RECORDING) for m in modules.values()),
            parameters=tuple((name, id(p), p._version) for name, p in parameters.items()),
            trainable=tuple(p.requires_grad for p in parameters.values()),
            gradients=tuple(p.grad is not None for p in parameters.values()),
            buffers=tuple((name, id(b), b._version) for name, b in buffers.items()),
            attention=tuple((type(c).__name__, c._attn_implementation_internal) for c in configs),
            configs=tuple(c.to_dict() for c in configs),
            alive=(*modules.values(), *parameters.values(), *buffers.values()),
        )


def _hooks(module: nn.Module) -> tuple[object, ...]:
    return tuple(item for name in _HOOKS for item in getattr(module, name).items())


def _configs(config: Any) -> Iterator[Any]:
    """A config and the configs inside it."""
    if hasattr(config, "sub_configs"):
        yield config
        for name in config.sub_configs:
            yield from _configs(getattr(config, name, None))


@dataclass(frozen=True)
class TokenizerSnapshot:
    tokens: int
    special: dict[str, Any]
    template: object
    sides: tuple[str, str]
    warned: dict[str, bool]
    padding: object
    truncation: object
    splits_special: object

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Self:
        backend = getattr(tokenizer, "backend_tokenizer", None)
        return cls(
            tokens=len(tokenizer),
            special=dict(tokenizer.special_tokens_map),
            template=tokenizer.chat_template,
            sides=(tokenizer.padding_side, tokenizer.truncation_side),
            warned=dict(tokenizer.deprecation_warnings),
            padding=getattr(backend, "padding", None),
            truncation=getattr(backend, "truncation", None),
            splits_special=getattr(backend, "encode_special_tokens", None),
        )


Snapshot = ModelSnapshot | TokenizerSnapshot
_watched: dict[int, tuple[Any, Callable[[Any], Snapshot], Snapshot]] = {}


def watch(thing: PreTrainedModel | PreTrainedTokenizerBase | ats.Model) -> None:
    """From here to the end of the test this is how it must come back. Again: where a test itself changes a model."""
    if isinstance(thing, ats.Model):
        watch(thing.model)
        watch(thing.tokenizer)
        return
    of: Callable[[Any], Snapshot] = ModelSnapshot.of if isinstance(thing, nn.Module) else TokenizerSnapshot.of
    _watched[id(thing)] = (thing, of, of(thing))


def forget_all() -> None:
    """Nothing is watched any more."""
    _watched.clear()


def changes() -> list[str]:
    """What is not as it was, of all that is watched."""
    return [
        f"{type(thing).__name__}: {part.name}"
        for thing, of, before in _watched.values()
        for after in (of(thing),)
        for part in fields(before)
        if part.compare and getattr(before, part.name) != getattr(after, part.name)
    ]
