"""Attention rows, computed inside the model's own fast attention.

Problems solved here:
- fast attention (SDPA) returns no weights, and eager attention holds layers × heads × n × n of them: here the weights
  of the asked query rows alone are computed from the query and key that the model hands to its attention, a block at a
  time, while the output stays the fast one;
- every row asked for is one mix of query rows, `sum_i weight_i · softmax(row_i)`: one query is a one, a word is the
  mean of its tokens, "no query" is the mean of all. No n × n matrix is ever held;
- models outside transformers' attention interface run eager, one layer's matrix at a time;
- before a model is trusted, a few tokens go through both ways and must agree with the model's own eager attention.
"""

import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import create_position_bias_mask, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from attnscope.errors import ModelError
from attnscope.models.run import Cut, accepted, self_attention_body, unchanged

# The library matches on "sdpa", "flash" and "flex_attention" inside a name: none may be in it.
NAME = "attnscope_rows"
PROBE_TOKENS = 8
# Elements of one block of weights (batch × head × query × key): 8 MB in float32, so that temporaries stay in reach of
# the processor's cache.
BLOCK = 2_000_000
# What the probe allows between our weights and the model's own, by the precision of the model.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 3e-2}


@dataclass(frozen=True)
class Layout:
    """Where a model's attention is found.

    heads:  heads of each attention layer.
    hooked: empty when the model goes through transformers' attention interface; else, for each layer, the module that
            returns its weights and their place in its output (eager, one layer's matrix at a time).
    """

    heads: tuple[int, ...]
    hooked: tuple[tuple[nn.Module, int], ...] = ()


@dataclass
class _Capture:
    """What the attention function does while a pass runs: mix the query rows of the wanted calls."""

    query_weights: Tensor  # (batch, query)
    wanted: Collection[int]
    calls: int = 0
    rows: dict[int, Tensor] = field(default_factory=dict)  # call -> (batch, head, key), float32, on the CPU
    stop: bool = True

    def take(self, weights_of: Any, heads: int, keys: int) -> None:
        call, self.calls = self.calls, self.calls + 1
        if call not in self.wanted:
            return
        rows = self.query_weights.any(dim=0).nonzero().flatten()
        batch = len(self.query_weights)
        mixed = torch.zeros(batch, heads, keys)
        block = max(1, BLOCK // (batch * heads * keys))
        for chosen in rows.split(block):
            weights = weights_of(chosen)  # (batch, head, chosen, key)
            mix = self.query_weights[:, chosen].to(weights.device)
            mixed += torch.einsum("bhqk,bq->bhk", weights, mix).cpu()
        self.rows[call] = mixed
        if self.stop and len(self.rows) == len(self.wanted):
            raise Cut


_capture: ContextVar[_Capture | None] = ContextVar("attnscope_capture", default=None)


def _scores(
    query: Tensor,  # (batch, head, query, hidden)
    key: Tensor,  # (batch, key head, key, hidden)
    chosen: Tensor | slice,  # (chosen,)
    mask: Tensor | None,  # (batch or 1, head or 1, query, key), boolean or additive
    scaling: float,
    softcap: float | None,
    causal: bool,
) -> Tensor:
    batch, heads, _, hidden = query.shape
    rows = query[:, :, chosen]
    grouped = rows.reshape(batch, key.shape[1], -1, hidden)  # heads that share a key head side by side
    scores = (grouped @ key.transpose(-1, -2)).view(batch, heads, rows.shape[2], key.shape[2]) * scaling
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    lowest = torch.finfo(scores.dtype).min
    if mask is not None:
        mask = mask[:, :, chosen, : key.shape[2]]
        return scores.masked_fill(~mask, lowest) if mask.dtype == torch.bool else scores + mask
    if causal:
        length = torch.arange(key.shape[2], device=key.device)
        places = length[chosen].to(key.device)
        return scores.masked_fill(length[None, :] > places[:, None], lowest)
    return scores


def _softmax(scores: Tensor, sinks: Tensor | None) -> Tensor:
    """Float32 weights over the keys. A learned sink takes its share and is dropped: such rows sum to less than one."""
    scores = scores.float()
    if sinks is None:
        return scores.softmax(-1)
    sink = sinks.float().reshape(1, -1, 1, 1).expand(*scores.shape[:-1], 1)
    return torch.cat([scores, sink], -1).softmax(-1)[..., :-1]


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
    """The registered attention: SDPA's output, and on the way the rows that the running capture asks for."""
    kwargs.pop("output_attentions", None)
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    causal = getattr(module, "is_causal", True) if is_causal is None else is_causal
    causal = bool(causal) and query.shape[2] > 1 and attention_mask is None
    mask = attention_mask
    if position_bias is not None:
        mask = create_position_bias_mask(position_bias, attention_mask, causal, query, key)

    def weights_of(chosen: Tensor | slice) -> Tensor:
        return _softmax(_scores(query, key, chosen, mask, scale, softcap, causal), s_aux)

    capture = _capture.get()
    if capture is not None:
        capture.take(weights_of, query.shape[1], key.shape[2])
    if softcap is None and s_aux is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, is_causal=is_causal,
            position_bias=position_bias, **kwargs,
        )  # fmt: skip
    return _blockwise_output(weights_of, query, value), None


def _blockwise_output(weights_of: Any, query: Tensor, value: Tensor) -> Tensor:
    """What SDPA cannot do (soft-capping, sinks), a block of queries at a time: (batch, query, head, hidden)."""
    batch, heads, queries, _ = query.shape
    keys, hidden = value.shape[2:]
    blocks = []
    for start in range(0, queries, max(1, BLOCK // (batch * heads * keys))):
        weights = weights_of(slice(start, start + max(1, BLOCK // (batch * heads * keys)))).to(value.dtype)
        grouped = weights.reshape(batch, value.shape[1], -1, keys) @ value
        blocks.append(grouped.view(batch, heads, -1, hidden))
    return torch.cat(blocks, 2).transpose(1, 2).contiguous()


AttentionInterface.register(NAME, _attention)
# Without its own mask a padded batch would silently attend to its padding.
AttentionMaskInterface.register(NAME, sdpa_mask)


def _use(net: PreTrainedModel, implementation: str) -> bool:
    """Whether the model now runs with this attention implementation; a model that cannot only warns."""
    if net._can_set_attn_implementation():
        net.set_attn_implementation(implementation)
    return net.config._attn_implementation == implementation


@contextmanager
def _capturing(capture: _Capture) -> Iterator[None]:
    token = _capture.set(capture)
    try:
        yield
    except Cut:
        pass
    finally:
        _capture.reset(token)


_layouts: weakref.WeakKeyDictionary[PreTrainedModel, Layout] = weakref.WeakKeyDictionary()


def layout(net: PreTrainedModel, inputs: dict[str, Tensor]) -> Layout:
    """Where the model's attention is found; learnt once a model, from the first few tokens of `inputs`.

    Raises ModelError for a model that gives no attention weights, or whose weights cannot be had faithfully.
    """
    if net not in _layouts:
        with unchanged(net), torch.no_grad():
            _layouts[net] = _probe(net, {name: value[:1, :PROBE_TOKENS] for name, value in inputs.items()})
    return _layouts[net]


def _probe(net: PreTrainedModel, inputs: dict[str, Tensor]) -> Layout:
    body = self_attention_body(net)
    if "attention_mask" in inputs:  # a padded row must not be probed on its padding alone
        inputs = inputs | {"attention_mask": torch.ones_like(inputs["attention_mask"])}
    expected, places = _eager_weights(net, body, inputs)
    count = inputs["input_ids"].shape[1]
    if _use(net, NAME):
        # Every query at once: as many copies of the tokens as there are queries, each asking for another row.
        copies = {name: value.expand(count, -1) for name, value in inputs.items()}
        capture = _Capture(torch.eye(count), wanted=range(10**6), stop=False)
        with _capturing(capture):
            body(**accepted(body, copies))
        rows = [capture.rows[call].transpose(0, 1)[None] for call in sorted(capture.rows)]
        if len(rows) == len(expected):
            for layer, (ours, theirs) in enumerate(zip(rows, expected, strict=True)):
                error = (ours - theirs).abs().max().item() if ours.shape == theirs.shape else float("inf")
                if not error <= TOLERANCE.get(net.dtype, 3e-2):
                    raise ModelError(
                        f"{type(net).__name__} does something with its attention that attnscope does not know: layer "
                        f"{layer} differs from the model's own eager attention by {error:.2g}; please report the model"
                    )
            return Layout(tuple(row.shape[1] for row in rows))
        if rows:
            raise ModelError(
                f"{type(net).__name__} calls attention {len(rows)} times but reports {len(expected)} attention layers: "
                "attnscope cannot tell which is which"
            )
    if None in places:
        raise ModelError(
            f"{type(net).__name__} neither uses transformers' attention interface nor returns its attention weights "
            "from a module: attnscope cannot read them faithfully"
        )
    return Layout(tuple(weights.shape[1] for weights in expected), tuple(places))


def _eager_weights(
    net: PreTrainedModel, body: nn.Module, inputs: dict[str, Tensor]
) -> tuple[list[Tensor], list[tuple[nn.Module, int] | None]]:
    """The model's own attention weights, layer by layer, and which module returned them at which place."""
    seen: list[tuple[Tensor, nn.Module, int]] = []

    def look(module: nn.Module, _args: Any, output: Any) -> None:
        if isinstance(output, tuple):
            seen.extend((x, module, i) for i, x in enumerate(output) if isinstance(x, Tensor) and x.dim() == 4)

    _use(net, "eager")
    handles = [module.register_forward_hook(look, prepend=True) for module in body.modules()]
    try:
        outputs = body(**accepted(body, inputs), output_attentions=True)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{type(net).__name__} gives no attention weights ({error})") from error
    finally:
        for handle in handles:
            handle.remove()
    found = [w for w in getattr(outputs, "attentions", None) or () if w is not None]
    if not found:
        raise ModelError(
            f"{type(net).__name__} has no attention weights to show (it may be a state-space or recurrent model); use "
            "a transformer with attention layers, or a gradient method"
        )
    shape = (inputs["input_ids"].shape[1],) * 2
    if any(w.dim() != 4 or w.shape[-2:] != shape for w in found):
        raise ModelError(
            f"{type(net).__name__} reports attention of shape {tuple(found[0].shape)}, not (batch, head, query, key): "
            "it does not attend from every token to every token, which is all that attnscope can draw"
        )
    places = [next(((module, i) for x, module, i in seen if x is w), None) for w in found]
    return [w.float().cpu() for w in found], places


def mixed_rows(
    net: PreTrainedModel, inputs: dict[str, Tensor], query_weights: Tensor, layers: Collection[int]
) -> dict[int, Tensor]:
    """For each asked layer, `sum_i query_weights[i] · attention[i, :]`: a tensor (batch, head, key) of float32.

    net:           any transformers model with attention; it comes back as it was.
    inputs:        what its forward takes, (batch, token); padded on either side with an attention mask.
    query_weights: (batch, token); a one at one token gives its row, 1/n at n tokens their mean.
    layers:        indices from 0 to layers - 1. The pass stops after the last.
    """
    found = layout(net, inputs)
    body = self_attention_body(net)
    capture = _Capture(query_weights, wanted=set(layers), stop=not found.hooked)
    with unchanged(net), torch.no_grad(), _capturing(capture):
        if not found.hooked:
            if not _use(net, NAME):
                raise ModelError(f"{type(net).__name__} no longer accepts an attention implementation of attnscope's")
            body(**accepted(body, inputs))
        else:
            _run_eager(net, body, inputs, found, capture)
    return capture.rows


def _run_eager(
    net: PreTrainedModel, body: nn.Module, inputs: dict[str, Tensor], found: Layout, capture: _Capture
) -> None:
    _use(net, "eager")
    places = dict(found.hooked)

    def keep_rows(module: nn.Module, _args: Any, output: tuple[Any, ...]) -> tuple[Any, ...]:
        weights = output[places[module]]
        capture.take(lambda chosen: weights[:, :, chosen].float(), weights.shape[1], weights.shape[3])
        # The matrix goes before the next layer runs.
        dropped = weights.new_empty(0)
        return (*output[: places[module]], dropped, *output[places[module] + 1 :])

    # First in line, so that the library's own recording hooks see the emptied output.
    handles = [module.register_forward_hook(keep_rows, prepend=True) for module in places]
    try:
        body(**accepted(body, inputs), output_attentions=True)
    finally:
        for handle in handles:
            handle.remove()
