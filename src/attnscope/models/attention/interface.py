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

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from attnscope.models.thread_bound import acting_thread, undone_by
from attnscope.models.typed import split

# Elements of one block of weights (batch × head × query × key): 4 MB in float32, so that temporaries stay in the cache.
# Of long texts it is twice as many: products of matrices with fewer rows than FULL_ROWS are slow.
BLOCK = 1_000_000
FULL_ROWS = 8


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
        row = self.batch * self.heads * self.keys
        for queries in split(chosen, max(BLOCK // row, min(FULL_ROWS, 2 * BLOCK // row))):
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
    sinks: (head,), or (batch, head, query, 1): scores beside the keys' that take a share of each row.
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

    def in_double(self) -> "SDPACall":
        """The same call in float64."""
        floating = self.mask is not None and self.mask.dtype != torch.bool
        return SDPACall(
            self.module, self.query.double(), self.key.double(), self.value.double(),
            mask=self.mask.double() if floating and self.mask is not None else self.mask, scaling=self.scaling,
            softcap=self.softcap, sinks=self.sinks, causal=self.causal,
        )  # fmt: skip

    def keys_seen(self) -> Tensor:
        """How many keys each query may look at, (batch or 1, head or 1, query)."""
        if self.mask is None:
            everything = torch.full((1, 1, self.queries), self.keys)
            return torch.arange(1, self.queries + 1)[None, None] if self.causal else everything
        seen = self.mask if self.mask.dtype == torch.bool else self.mask > torch.finfo(self.mask.dtype).min / 2
        return seen.expand(*seen.shape[:2], self.queries, self.keys).sum(-1).cpu()

    def of_text(self, place: int, tokens: int) -> "SDPACall":
        """The call of one text of the batch, without its padding on the right."""
        row, mask = slice(place, place + 1), self.mask
        query, key, value = (x[row, :, :tokens] for x in (self.query, self.key, self.value))
        if mask is not None:
            mask = (mask if len(mask) == 1 else mask[row])[..., :tokens, :tokens]
        sinks = self.sinks if self.sinks is None or self.sinks.dim() == 1 else self.sinks[row, :, :tokens]
        return SDPACall(
            self.module, query, key, value, mask=mask, scaling=self.scaling, softcap=self.softcap, sinks=sinks,
            causal=self.causal,
        )  # fmt: skip

    def without_value(self) -> "SDPACall":
        """What the weights need, to be kept for later: neither the graph nor the values."""
        key = self.key.detach()
        return self.remaker()(self.query.detach(), key, key)

    def biased(self, bias: Tensor) -> "SDPACall":
        """The same call with `bias`, (query, key), added to its scores. It holds a mask of that size."""
        mask = with_bias(bias.to(self.query)[None, None], self.mask, causal=self.causal)
        return SDPACall(
            self.module, self.query, self.key, self.value, mask=mask, scaling=self.scaling, softcap=self.softcap,
            sinks=self.sinks, causal=False,
        )  # fmt: skip

    def output(self) -> Tensor:
        """What the call gives, (batch, query, head, hidden)."""
        if self.softcap is not None or self.sinks is not None:
            return blockwise_output(self, self.value)
        shared = self.heads // self.key.shape[1]
        key, value = (x.repeat_interleave(shared, 1) for x in (self.key, self.value))
        output = scaled_dot_product_attention(
            self.query, key, value, attn_mask=self.mask, scale=self.scaling, is_causal=self.causal
        )
        return output.transpose(1, 2).contiguous()

    def weights(self, chosen: Tensor) -> Tensor:
        """As in AttentionCall."""
        # A causal query sees no key behind it.
        seen = int(chosen.max()) + 1 if self.causal else self.keys
        return _softmax(self.scores(chosen, seen), self.sinks_of(chosen))

    def sinks_of(self, chosen: Tensor) -> Tensor | None:
        """(1 or batch, head, 1 or chosen, 1)."""
        if self.sinks is None:
            return None
        return self.sinks.view(1, -1, 1, 1) if self.sinks.dim() == 1 else self.sinks[:, :, chosen.to(self.sinks.device)]

    def weights_at_temperature(self, chosen: Tensor, seen: int, temperature: float) -> tuple[Tensor, Tensor | float]:
        """The weights over the first `seen` keys at another temperature, and the slope of the scores' soft cap."""
        scores = self.scores(chosen, seen).float()
        sinks = self.sinks_of(chosen)
        sinks = None if sinks is None else sinks.float() / temperature
        # Masked scores lie far beyond the cap and have no slope.
        slope = 1.0 if self.softcap is None else 1 - (scores / self.softcap).clamp(-1, 1).square()
        return _softmax(scores / temperature, sinks), slope

    def scores(self, chosen: Tensor, seen: int) -> Tensor:
        """(batch, head, chosen, seen): what the softmax is taken of, in single precision at least.

        In half precision scores of some ten would be off by a tenth.
        """
        chosen = chosen.to(self.query.device)
        precision = torch.promote_types(self.query.dtype, torch.float32)
        rows = self.query[:, :, chosen].to(precision) * self.scaling
        # Heads that share a key head side by side.
        grouped = rows.reshape(self.batch, self.key.shape[1], -1, rows.shape[-1])
        scores = (grouped @ self.key[:, :, :seen].to(precision).transpose(-1, -2)).view(*rows.shape[:3], seen)
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
    sink = sinks.float().expand(*scores.shape[:-1], 1)
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
# Only the innermost of a thread watches in it. With each, the thread that it belongs to.
_watchers: list[tuple[int, Watcher]] = []


@contextmanager
def watched_by(watcher: Watcher) -> Iterator[None]:
    """Inside, `watcher` sees every call of attention that this thread makes, in the order in which it makes them.

    To be used inside `served`, which brings the calls here.
    """
    entry = (acting_thread(), watcher)

    def leave() -> None:
        # By identity, for two watchers may be equal.
        for i in [i for i, other in enumerate(_watchers) if other is entry]:
            del _watchers[i]

    with undone_by(leave):
        _watchers.append(entry)
        yield


def watcher_here() -> Watcher | None:
    """The innermost watcher of this thread."""
    thread = acting_thread()
    return next((watcher for owner, watcher in reversed(_watchers) if owner == thread), None)


def show(call: AttentionCall) -> CallChange:
    """Show a call to the watcher; what it changes."""
    watcher = watcher_here()
    return (watcher(call) if watcher else None) or UNCHANGED


def with_bias(bias: Tensor, mask: Tensor | None, *, causal: bool) -> Tensor:
    """What is added to the scores: a bias of each pair of positions, and the lowest number where the mask hides one."""
    if mask is None and causal:
        mask = torch.ones(bias.shape[-2:], dtype=torch.bool, device=bias.device).tril()
    if mask is None:
        return bias
    if mask.dtype == torch.bool:
        return torch.where(mask, bias, torch.finfo(bias.dtype).min)
    return bias + mask


def blockwise_output(call: SDPACall, value: Tensor) -> Tensor:
    """What SDPA cannot do (soft-capping, sinks), a block of queries at a time: (batch, query, head, hidden)."""
    outputs = []
    for block in call.blocks():
        weights = block.weights.to(value.dtype)
        seen = value[:, :, : weights.shape[-1]]
        grouped = weights.reshape(call.batch, seen.shape[1], -1, seen.shape[2]) @ seen
        outputs.append(grouped.view(call.batch, call.heads, -1, seen.shape[-1]))
    return torch.cat(outputs, 2).transpose(1, 2).contiguous()
