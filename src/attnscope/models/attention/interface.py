"""Attention as it happens inside a running model: every call of it can be watched, and its weights looked at.

Problems solved here:
- fast attention (SDPA) returns no weights, and eager attention holds layers × heads × n × n of them: here the weights
  are computed from the query and key that the model hands to its attention, a block of queries at a time and only when
  they are asked for, while the output stays the fast one;
- a causal query never looks at the keys behind it: its block is computed without them;
- models outside transformers' attention interface run eager, one layer's matrix at a time;
- on a processor, torch shares out the backward pass of SDPA by key head, and heads that share a few of them leave cores
  idle: for gradients each head gets its own.

What this does not do: it does not know which call is which layer (`watch.py` finds that out).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import (
    create_position_bias_mask,
    repeat_kv,
    sdpa_attention_forward,
    use_gqa_in_sdpa,
)
from transformers.masking_utils import sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from attnscope.models.activation_checkpointing import made_again

# The library matches on "sdpa", "flash" and "flex_attention" inside a name: none may be in it.
NAME = "attnscope_rows"
# Elements of one block of weights (batch × head × query × key): 8 MB in float32, so that temporaries stay in reach of
# the processor's cache.
BLOCK = 2_000_000


@dataclass(frozen=True)
class Block:
    """The weights of some queries, (batch, head, query, key), float32; keys beyond those it has weigh nothing."""

    queries: Tensor  # (query,), indices
    weights: Tensor


class Call:
    """One call of attention while the model runs. Of `Fast` or `Eager`: what a watcher sees, and may change.

    module: the model's attention module. heads, queries, keys: how many.
    value:  (batch, key head, key, hidden); heads share a key head in groups. A watcher may put another in its place.
    then:   called with the output (batch, query, head, hidden) once there is one; gives what goes on instead.
    """

    module: nn.Module
    batch: int
    heads: int
    queries: int
    keys: int
    value: Tensor
    then: Callable[[Tensor], Tensor] | None

    def weights(self, chosen: Tensor) -> Tensor:
        """(batch, head, chosen, key ≤ keys): the weights of the chosen queries, float32."""
        raise NotImplementedError

    def blocks(self, chosen: Tensor | None = None) -> Iterator[Block]:
        """The weights of the chosen queries (all), a block at a time."""
        chosen = torch.arange(self.queries) if chosen is None else chosen
        if not len(chosen):
            return
        for some in chosen.split(max(1, BLOCK // (self.batch * self.heads * self.keys))):
            yield Block(some, self.weights(some))


class Eager(Call):
    """A call whose matrix the model itself has formed, (batch, head, query, key).

    Where the model's product of matrix and values could not be met, `value` is missing: its watchers refuse the model.
    """

    def __init__(self, module: nn.Module, matrix: Tensor, value: Tensor | None = None) -> None:
        self.module, self.matrix, self.then = module, matrix, None
        self.batch, self.heads, self.queries, self.keys = matrix.shape
        if value is not None:
            self.value = value

    def weights(self, chosen: Tensor) -> Tensor:
        """As in Call."""
        return self.matrix[:, :, chosen.to(self.matrix.device)].float()


@dataclass
class Fast(Call):
    """A call through transformers' attention interface.

    query: (batch, head, query, hidden). key: (batch, key head, key, hidden).
    mask:  (batch or 1, head or 1, query, key), boolean or additive; None: causal or not is all there is to know.
    output: what a watcher puts in the place of the output.
    """

    module: nn.Module
    query: Tensor
    key: Tensor
    value: Tensor
    mask: Tensor | None
    scaling: float
    softcap: float | None
    sinks: Tensor | None
    causal: bool
    then: Callable[[Tensor], Tensor] | None = None
    output: Tensor | None = None

    def __post_init__(self) -> None:
        self.batch, self.heads, self.queries, _ = self.query.shape
        self.keys = self.key.shape[2]

    def detached(self) -> "Fast":
        """The same numbers without the graph that leads to them."""
        tensors = (self.query.detach(), self.key.detach(), self.value.detach())
        mask = None if self.mask is None else self.mask.detach()
        return Fast(self.module, *tensors, mask, self.scaling, self.softcap, self.sinks, self.causal)

    def of_text(self, place: int, tokens: int) -> "Fast":
        """The call of one text of the batch, without its padding on the right."""
        row = slice(place, place + 1)
        mask = self.mask
        if mask is not None:
            mask = (mask if len(mask) == 1 else mask[row])[..., :tokens, :tokens]
        tensors = (x[row, :, :tokens] for x in (self.query, self.key, self.value))
        return Fast(self.module, *tensors, mask, self.scaling, self.softcap, self.sinks, self.causal)

    def without_value(self) -> "Fast":
        """What the weights need, to be kept for later: neither the graph nor the values."""
        kept = self.detached()
        kept.value = kept.key
        return kept

    def weights(self, chosen: Tensor) -> Tensor:
        """As in Call."""
        # A causal query sees no key behind it.
        seen = int(chosen.max()) + 1 if self.causal else self.keys
        return _softmax(self._scores(chosen, seen), self.sinks)

    def softened(self, chosen: Tensor, seen: int, temperature: float) -> tuple[Tensor, Tensor | float]:
        """The weights over the first `seen` keys at another temperature, and the slope of the scores' soft cap."""
        scores = self._scores(chosen, seen).float()
        sinks = None if self.sinks is None else self.sinks.float() / temperature
        # Masked scores lie far beyond the cap and have no slope.
        slope = 1.0 if self.softcap is None else 1 - (scores / self.softcap).clamp(-1, 1).square()
        return _softmax(scores / temperature, sinks), slope

    def _scores(self, chosen: Tensor, seen: int) -> Tensor:
        chosen = chosen.to(self.query.device)
        rows = self.query[:, :, chosen] * self.scaling
        # Heads that share a key head side by side.
        grouped = rows.reshape(self.batch, self.key.shape[1], -1, rows.shape[-1])
        scores = (grouped @ self.key[:, :, :seen].transpose(-1, -2)).view(*rows.shape[:3], seen)
        if self.softcap is not None:
            scores = torch.tanh(scores / self.softcap) * self.softcap
        lowest = torch.finfo(scores.dtype).min
        if self.mask is not None:
            mask = self.mask[:, :, chosen, :seen]
            return scores.masked_fill(~mask, lowest) if mask.dtype == torch.bool else scores + mask
        if self.causal:
            # All of these queries see the keys up to the first of them: what is hidden is in the corner behind.
            first = int(chosen.min()) + 1
            behind = torch.arange(first, seen, device=chosen.device) > chosen[:, None]
            corner = scores[..., first:].masked_fill(behind, lowest)
            if scores.requires_grad:
                return torch.cat([scores[..., :first], corner], -1)
            scores[..., first:] = corner
        return scores


def _softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Float32 weights over the keys. A learned sink takes its share and is dropped: such rows sum to less than one."""
    scores = scores.float()
    if sinks is None:
        return scores.softmax(-1)
    sink = sinks.float().reshape(1, -1, 1, 1).expand(*scores.shape[:-1], 1)
    return torch.cat([scores, sink], -1).softmax(-1)[..., :-1]


Watcher = Callable[[Call], None]
# The innermost is the one that watches. For all threads: autograd may run a layer again in one of its own, and
# `run.unchanged`, which all runs are in, lets one user's thread at a time have a model.
_watchers: list[Watcher] = []


@contextmanager
def watched(watcher: Watcher) -> Iterator[None]:
    """Inside, `watcher` sees every call of attention, in the order in which the model makes them."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.pop()


def show(call: Call) -> None:
    """Show a call to the watcher."""
    if _watchers:
        _watchers[-1](call)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    is_causal: bool | None = None,
    position_bias: Tensor | None = None,
    softcap: float | None = None,
    s_aux: Tensor | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The registered attention: SDPA's output, and on the way the running watcher sees the call."""
    kwargs.pop("output_attentions", None)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    causal = bool(causal) and query.shape[2] > 1 and attention_mask is None
    mask = attention_mask
    if position_bias is not None:
        mask = create_position_bias_mask(position_bias, attention_mask, causal, query, key)
    # Beside a mask, causality is in the mask.
    call = Fast(module, query, key, value, mask, scale, softcap, s_aux, causal and mask is None)
    show(call)
    if call.output is not None:
        output = call.output
    elif softcap is None and s_aux is None:
        output, _ = sdpa_attention_forward(
            module, query, key, call.value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    else:
        output = blockwise_output(call)
    return output if call.then is None else call.then(output), None


def blockwise_output(call: Fast) -> Tensor:
    """What SDPA cannot do (soft-capping, sinks), a block of queries at a time: (batch, query, head, hidden)."""
    outputs = []
    for block in call.blocks():
        weights = block.weights.to(call.value.dtype)
        seen = call.value[:, :, : weights.shape[-1]]
        grouped = weights.reshape(call.batch, seen.shape[1], -1, seen.shape[2]) @ seen
        outputs.append(grouped.view(call.batch, call.heads, -1, seen.shape[-1]))
    return torch.cat(outputs, 2).transpose(1, 2).contiguous()


def _repeated(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **kwargs: Any
) -> tuple[Tensor, None]:
    """SDPA with a key head for every head: where transformers would leave them shared; else it repeats them itself."""
    if use_gqa_in_sdpa(attention_mask, key, value):
        groups = query.shape[1] // key.shape[1]
        key, value = (made_again(partial(repeat_kv, n_rep=groups), shared) for shared in (key, value))
    found: tuple[Tensor, None] = sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    return found


AttentionInterface.register(NAME, _attention)
# Without its own mask a padded batch would silently attend to its padding.
AttentionMaskInterface.register(NAME, sdpa_mask)


@contextmanager
def key_heads_repeated(net: PreTrainedModel) -> Iterator[None]:
    """Inside, where SDPA would share key heads on a processor, each head has its own: the same numbers.

    The implementation keeps its name, for there are models that ask for it.
    """
    config = net.config.get_text_config()
    shared = getattr(config, "num_key_value_heads", None) not in (None, getattr(config, "num_attention_heads", None))
    if not shared or net.device.type != "cpu" or ALL_ATTENTION_FUNCTIONS["sdpa"] is not sdpa_attention_forward:
        yield
        return
    ALL_ATTENTION_FUNCTIONS["sdpa"] = _repeated
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS["sdpa"]


def use(net: PreTrainedModel, implementation: str) -> bool:
    """Whether the model now runs with this attention implementation; a model that cannot only warns."""
    if net._can_set_attn_implementation():
        net.set_attn_implementation(implementation)
    elif implementation == "eager":
        # Falcon looks into its config as it runs, and would add the boolean mask of fast attention to eager scores.
        net.config._attn_implementation = implementation
    return bool(net.config._attn_implementation == implementation)
