"""What is usually seen from inside alone: attention as it runs, the tasks that a method gets, the passes it takes."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook
from transformers import PreTrainedModel
from transformers.modeling_layers import GradientCheckpointingLayer

import attnscope as ats
from attnscope.models.attention.capture import capture, mix
from attnscope.models.attention.interface import AttentionCall


def mixed_rows(
    net: PreTrainedModel,
    inputs: Mapping[str, Tensor],
    query_weights: Tensor,
    layers: Collection[int],
    stack: str | None = None,
) -> dict[int, Tensor]:
    """Of each layer `sum_i query_weights[i] · attention[i, :]`, (batch, head, key); query_weights: (batch, query)."""
    rows: dict[int, Tensor] = {}

    def see(layer: int, call: AttentionCall) -> None:
        rows[layer] = mix(call, query_weights[:, None])[:, 0]

    capture(net, inputs, layers, see, stack)
    return rows


def tasks_of(
    model: ats.Model, text: str | Sequence[str], asks: Literal["target", "query"] = "target", **asked: Any
) -> list[ats.Task]:
    """The tasks of a method that asks for a target or a query, in the order in which it gets them."""
    tasks = []

    def nothing(task: ats.Task) -> ats.Scores:
        tasks.append(task)
        rows = len(task.queries) or max(1, len(task.target.about))
        shared = task.shared_attention
        keys = task.encoded if shared is None else shared.batch.keys[task.place]
        values = np.zeros(rows if task.per_token and shared is None else 0)
        return ats.Scores(tokens=np.zeros((rows, len(keys.tokens))), values=values)

    ats.explain(model, text, method=ats.Method(nothing, family="own", unit="", asks=asks), **asked)
    return tasks


@contextmanager
def passes_counted(net: PreTrainedModel) -> Iterator[list[tuple[int, int]]]:
    """Inside, the list grows by (batch, token) with each pass through the first layer.

    The hook is torch's, not the model's: a model with a hook of the user's is another model, and is tried out again.
    """
    passes: list[tuple[int, int]] = []
    first = next(module for module in net.modules() if isinstance(module, GradientCheckpointingLayer))

    def see(module: object, args: tuple[Tensor, ...]) -> None:
        if module is first:
            passes.append((args[0].shape[0], args[0].shape[1]))

    handle = register_module_forward_pre_hook(see)
    try:
        yield passes
    finally:
        handle.remove()
