"""Attention inside a running model: every call of it can be watched, its weights read, its values and output changed.

Problems solved here:
- fast attention (SDPA) returns no weights, and eager attention holds layers × heads × n × n of them: here the weights
  are computed from the query and key that the model hands to its attention, a block of queries at a time and only when
  they are asked for, while the output stays the fast one;
- a causal query does not see the keys after it: its block is computed without them;
- models outside transformers' attention interface run eager, one layer's matrix at a time.

What this does not do: it does not know which call is which layer (`layout.py` finds that out).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import create_position_bias_mask, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from attnscope.models.typed import split

# The library matches on "sdpa", "flash" and "flex_attention" inside a name: none may be in it.
IMPLEMENTATION = "attnscope_rows"
# Elements of one block of weights (batch × head × query × key): 8 MB in float32, so that temporaries stay in the cache.
BLOCK = 2_000_000


@dataclass(frozen=True)
class Block:
    """The weights of some queries, (batch, head, query, key), float32; keys beyond those it has weigh nothing."""

    queries: Tensor  # (query,), indices
    weights: Tensor


class AttentionCall(ABC):
    """One call of attention while the model runs, as a watcher sees it.

    module: the model's attention module. batch, heads, queries, keys: how many.
    value:  (batch, key head, key, hidden); heads share a key head in groups.
    """

    module: nn.Module
    batch: int
    heads: int
    queries: int
    keys: int
    value: Tensor

    @abstractmethod
    def weights(self, chosen: Tensor) -> Tensor:
        """(batch, head, chosen, key ≤ keys): the weights of the chosen queries, float32."""

    def blocks(self, chosen: Tensor | None = None) -> Iterator[Block]:
        """The weights of the chosen queries (all), a block at a time."""
        chosen = torch.arange(self.queries) if chosen is None else chosen
        if not len(chosen):
            return
        for queries in split(chosen, BLOCK // (self.batch * self.heads * self.keys)):
            yield Block(queries, self.weights(queries))


class EagerCall(AttentionCall):
    """A call whose matrix the model itself has formed, (batch, head, query, key).

    Where the product of matrix and values could not be intercepted there are no values: `AttentionLayout.values` is
    False then, and whoever needs them refuses the model.
    """

    def __init__(self, module: nn.Module, matrix: Tensor, value: Tensor | None = None) -> None:
        self.module, self.matrix = module, matrix
        self.batch, self.heads, self.queries, self.keys = matrix.shape
        if value is not None:
            self.value = value

    def weights(self, chosen: Tensor) -> Tensor:
        """As in AttentionCall."""
        return self.matrix[:, :, chosen.to(self.matrix.device)].float()


class SDPACall(AttentionCall):
    """A call through transformers' attention interface.

    query: (batch, head, query, hidden). key: (batch, key head, key, hidden).
    mask:  (batch or 1, head or 1, query, key), boolean or additive; None: causal or not is all there is to know.
    """

    def __init__(
        self,
        module: nn.Module,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        *,
        mask: Tensor | None,
        scaling: float,
        softcap: float | None,
        sinks: Tensor | None,
        causal: bool,
    ) -> None:
        self.module, self.query, self.key, self.value, self.mask = module, query, key, value, mask
        self.scaling, self.softcap, self.sinks, self.causal = scaling, softcap, sinks, causal
        self.batch, self.heads, self.queries, _ = query.shape
        self.keys = key.shape[2]

    def remaker(self) -> Callable[[Tensor, Tensor, Tensor], "SDPACall"]:
        """Makes the same call of other queries, keys and values; it holds none of this call's, and no graph."""
        mask, sinks = (None if x is None else x.detach() for x in (self.mask, self.sinks))
        return partial(
            SDPACall, self.module, mask=mask, scaling=self.scaling, softcap=self.softcap, sinks=sinks,
            causal=self.causal,
        )  # fmt: skip

    def detached(self) -> "SDPACall":
        """The same numbers without the graph that leads to them."""
        return self.remaker()(self.query.detach(), self.key.detach(), self.value.detach())

    def of_text(self, place: int, tokens: int) -> "SDPACall":
        """The call of one text of the batch, without its padding on the right."""
        row, mask = slice(place, place + 1), self.mask
        query, key, value = (x[row, :, :tokens] for x in (self.query, self.key, self.value))
        if mask is not None:
            mask = (mask if len(mask) == 1 else mask[row])[..., :tokens, :tokens]
        return SDPACall(
            self.module, query, key, value, mask=mask, scaling=self.scaling, softcap=self.softcap, sinks=self.sinks,
            causal=self.causal,
        )  # fmt: skip

    def without_value(self) -> "SDPACall":
        """What the weights need, to be kept for later: neither the graph nor the values."""
        key = self.key.detach()
        return self.remaker()(self.query.detach(), key, key)

    def weights(self, chosen: Tensor) -> Tensor:
        """As in AttentionCall."""
        # A causal query sees no key behind it.
        seen = int(chosen.max()) + 1 if self.causal else self.keys
        return _softmax(self._scores(chosen, seen), self.sinks)

    def weights_at_temperature(self, chosen: Tensor, seen: int, temperature: float) -> tuple[Tensor, Tensor | float]:
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


@dataclass(frozen=True)
class CallChange:
    """What a watcher changes about a call. None: as the model has it.

    value:     other values, of the same shape, for the weights to multiply.
    output:    the output (batch, query, head, hidden), instead of computing it; only of an SDPACall.
    on_output: given the output, returns what the model goes on with.
    """

    value: Tensor | None = None
    output: Tensor | None = None
    on_output: Callable[[Tensor], Tensor] | None = None


UNCHANGED = CallChange()
# Sees a call, and says what to change about it. None: nothing.
Watcher = Callable[[AttentionCall], CallChange | None]
# Only the innermost watches. They belong to all threads: autograd may run a layer again in a thread of its own, and
# `unchanged`, which every run is in, gives a model to one of the user's threads at a time.
_watchers: list[Watcher] = []


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Inside, `watcher` sees every call of attention, in the order in which the model makes them."""
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.pop()


def show(call: AttentionCall) -> CallChange:
    """Show a call to the watcher; what it changes."""
    return (_watchers[-1](call) if _watchers else None) or UNCHANGED


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
    causal = causal and mask is None
    call = SDPACall(module, query, key, value, mask=mask, scaling=scale, softcap=softcap, sinks=s_aux, causal=causal)
    change = show(call)
    chosen_value = value if change.value is None else change.value
    if change.output is not None:
        output = change.output
    elif softcap is None and s_aux is None:
        output, _ = sdpa_attention_forward(
            module, query, key, chosen_value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    else:
        output = blockwise_output(call, chosen_value)
    return output if change.on_output is None else change.on_output(output), None


def blockwise_output(call: SDPACall, value: Tensor) -> Tensor:
    """What SDPA cannot do (soft-capping, sinks), a block of queries at a time: (batch, query, head, hidden)."""
    outputs = []
    for block in call.blocks():
        weights = block.weights.to(value.dtype)
        seen = value[:, :, : weights.shape[-1]]
        grouped = weights.reshape(call.batch, seen.shape[1], -1, seen.shape[2]) @ seen
        outputs.append(grouped.view(call.batch, call.heads, -1, seen.shape[-1]))
    return torch.cat(outputs, 2).transpose(1, 2).contiguous()


AttentionInterface.register(IMPLEMENTATION, _attention)
# Without its own mask a padded batch would silently attend to its padding.
AttentionMaskInterface.register(IMPLEMENTATION, sdpa_mask)


def set_implementation(net: PreTrainedModel, implementation: str) -> bool:
    """Make the model run with this attention implementation. False where it cannot: transformers only warns."""
    if net._can_set_attn_implementation():
        net.set_attn_implementation(implementation)
    elif implementation == "eager":
        # Falcon reads its config as it runs, and would add the boolean mask of fast attention to eager scores.
        net.config._attn_implementation = implementation
    return bool(net.config._attn_implementation == implementation)
