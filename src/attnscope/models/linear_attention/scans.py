"""What a model's modules hand to their linear attention, read where they call it: SCANS and INLINE.

transformers' modules call their recurrence as a function of the module's file, by a name that says what it computes
(the same call with and without fast kernels). Modules that compute it inline are read at their own parts.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from attnscope.errors import ModelError
from attnscope.models.linear_attention.call import LinearCall
from attnscope.models.linear_attention.recurrence import Recurrence

# Arguments of the function by name, and what it returned.
Read = Callable[[nn.Module, Mapping[str, Any], Any], LinearCall]
_NORM_EPSILON = 1e-6
_DELTA = ("query", "key", "value", "g", "beta")
_STATE_SPACE = ("hidden_states", "dt", "A", "B", "C", "chunk_size")


@dataclass(frozen=True)
class Scan:
    """A function that computes linear attention.

    name: of the mechanism, in words. given: its first arguments, in order. state: the argument that has a cached state.
    """

    name: str
    read: Read
    given: tuple[str, ...]
    state: str


def _delta_rule(module: nn.Module, given: Mapping[str, Any], returned: Any) -> LinearCall:
    """query, key: (batch, token, key head, hidden); heads share them in groups. g: log decay, beta: strength."""
    query, key, value, g, beta = (_by_head(given[name]) for name in ("query", "key", "value", "g", "beta"))
    group = value.shape[1] // key.shape[1]
    query, key = (_precise(x).repeat_interleave(group, 1) for x in (query, key))
    if given.get("use_qk_l2norm_in_kernel"):
        query, key = (x / (x.square().sum(-1, keepdim=True) + _NORM_EPSILON).sqrt() for x in (query, key))
    log_decay = _precise(g if g.dim() == 4 else g[..., None])
    recurrence = Recurrence(query * query.shape[-1] ** -0.5, key, log_decay, _precise(beta), delta=True)
    return LinearCall(module, recurrence, value, _by_head(returned[0]))


def _state_space(module: nn.Module, given: Mapping[str, Any], returned: Any) -> LinearCall:
    """C is the query, B the key, dt the strength, exp(A · dt) the decay; D goes past the state."""
    value, step, skip = given["hidden_states"], given["dt"], given.get("D")
    if given.get("dt_bias") is not None:
        step = step + given["dt_bias"].to(step.dtype)
    if given.get("dt_softplus"):
        step = softplus(step)
    lowest, highest = given.get("dt_limit") or (0.0, torch.inf)
    step = _by_head(step.clamp(lowest, highest))
    heads = value.shape[2]
    query, key = (_precise(_by_head(given[name])) for name in ("C", "B"))
    query, key = (x.repeat_interleave(heads // x.shape[1], 1) for x in (query, key))
    log_decay = (given["A"].to(query)[:, None] * step.to(query))[..., None]
    recurrence = Recurrence(query, key, log_decay, step.to(query), delta=False)
    output = returned[0] if isinstance(returned, tuple) else returned
    return LinearCall(module, recurrence, _by_head(value), _by_head(output), skip)


# The name of a function in a module's file -> what it computes.
SCANS: dict[str, Scan] = {
    "torch_chunk_gated_delta_rule": Scan("gated delta rule", _delta_rule, _DELTA, "initial_state"),
    "chunk_kimi_delta_attention": Scan("Kimi delta attention", _delta_rule, _DELTA, "initial_state"),
    "mamba2_chunk_scan": Scan("Mamba 2", _state_space, _STATE_SPACE, "initial_states"),
}


@dataclass(frozen=True)
class Inline:
    """A module that computes linear attention itself.

    parts:  by these names it is known. before: the part whose input is the layer's output (batch, token, head · value).
    made:   the part whose output has query, key and value.
    """

    name: str
    parts: tuple[str, ...]
    made: str
    before: str
    read: Callable[[nn.Module, Tensor, Tensor, Tensor | None], LinearCall]


def _lightning(module: Any, made: Tensor, output: Tensor, mask: Tensor | None) -> LinearCall:
    """made: (batch, token, head · (query, key, value)). Each head decays by a constant of its own."""
    heads = module.num_attention_heads
    mixed = module.act_fn(made)
    if mask is not None:
        mixed = mixed * mask[:, :, None].to(mixed.dtype)
    query, key, value = _by_head(mixed.reshape(*mixed.shape[:2], heads, -1)).chunk(3, -1)
    query, key = _precise(query), _precise(key)
    log_decay = -module.slope_rate.to(query).reshape(1, heads, 1, 1).expand(*query.shape[:3], 1)
    recurrence = Recurrence(query, key, log_decay, query.new_ones(query.shape[:3]), delta=False)
    return LinearCall(module, recurrence, value, _by_head(output.reshape(*output.shape[:2], heads, -1)))


INLINE = (
    Inline(
        "lightning attention", ("slope_rate", "qkv_proj", "act_fn", "num_attention_heads", "norm"), "qkv_proj", "norm",
        _lightning,
    ),
)  # fmt: skip


def read_scan(
    scan: Scan, module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any], returned: Any
) -> LinearCall:
    """The call that a module made of a function of SCANS. Raises ModelError where it goes on from a cached state."""
    given = dict(zip(scan.given, args, strict=False)) | dict(kwargs)
    if given.get(scan.state) is not None:
        raise ModelError(
            f"{type(module).__name__} goes on from a cached state, which holds tokens that are not in the text: run it "
            "without a cache"
        )
    return scan.read(module, given, returned)


def _by_head(tensor: Tensor) -> Tensor:
    """(batch, token, head, …) -> (batch, head, token, …)"""
    return tensor.transpose(1, 2)


def _precise(tensor: Tensor) -> Tensor:
    """In single precision at least."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))
