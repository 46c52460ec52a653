"""What must be the same about a model after attnscope has used it."""

from dataclasses import dataclass
from typing import Self

import attnscope as ats

watched: list[tuple[ats.Model, "Snapshot"]] = []


@dataclass(frozen=True)
class Snapshot:
    training: tuple[bool, ...]
    trainable: tuple[bool, ...]
    gradients: tuple[bool, ...]
    hooks: tuple[int, ...]
    forwards: tuple[bool, ...]
    attention: str
    tokenizer: str
    template: object

    @classmethod
    def of(cls, model: ats.Model) -> Self:
        modules = list(model.model.modules())
        backend = getattr(model.tokenizer, "backend_tokenizer", None)
        return cls(
            training=tuple(m.training for m in modules),
            trainable=tuple(p.requires_grad for p in model.model.parameters()),
            gradients=tuple(p.grad is not None for p in model.model.parameters()),
            hooks=tuple(len(m._forward_hooks) + len(m._forward_pre_hooks) + len(m._backward_hooks) for m in modules),
            forwards=tuple("forward" in m.__dict__ for m in modules),
            attention=model.model.config._attn_implementation,
            tokenizer=f"{backend.padding} {backend.truncation}" if backend is not None else "",
            template=model.tokenizer.chat_template,
        )
