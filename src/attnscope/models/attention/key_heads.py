"""A key head of its own for every head, for gradients on a CPU.

Torch splits the backward pass of SDPA by key head there, so that heads that share a few of them leave cores idle.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from inspect import signature
from typing import Any

from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward, use_gqa_in_sdpa
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from attnscope.models.activation_checkpointing import recomputed
from attnscope.models.architecture import configured

# Before transformers 5.15 it is not asked about the values.
_shares_key_heads: Callable[..., bool] = use_gqa_in_sdpa
_ASKED = len(signature(use_gqa_in_sdpa).parameters)


@contextmanager
def key_heads_repeated(net: PreTrainedModel) -> Iterator[None]:
    """Inside, where SDPA would share key heads on a CPU, each head has its own: the same numbers.

    The implementation keeps its name, because some models ask for it by name.
    """
    shared = configured(net, "num_key_value_heads") not in (None, configured(net, "num_attention_heads"))
    if not shared or net.device.type != "cpu" or ALL_ATTENTION_FUNCTIONS["sdpa"] is not sdpa_attention_forward:
        yield
        return
    ALL_ATTENTION_FUNCTIONS["sdpa"] = _repeated
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]  # type: ignore[no-untyped-call]


def _repeated(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """SDPA with a key head for every head, where transformers would leave them shared (elsewhere it repeats them)."""
    if _shares_key_heads(*(attention_mask, key, value)[:_ASKED]):
        groups = query.shape[1] // key.shape[1]
        key, value = (recomputed(partial(repeat_kv, n_rep=groups), shared) for shared in (key, value))
    output: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    return output
