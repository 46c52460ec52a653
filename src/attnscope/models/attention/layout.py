"""Which call of attention is which layer, of which stack: learnt once a model, from a few tokens.

Before a model is trusted, these tokens go through both ways, and every row of every layer must agree with the model's
own eager attention; a model for which they do not is refused by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import accepted, is_encoder_decoder, self_attention_body
from attnscope.models.attention.interface import AttentionCall, CallChange, SDPACall, watched_by
from attnscope.models.attention.layer_numbers import with_model_numbers
from attnscope.models.attention.rounding import exact_attention
from attnscope.models.attention.serving import IMPLEMENTATION, eager_watched_by, served, set_implementation
from attnscope.models.attention.watching import watching
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.model_facts import AttentionLayout, facts_of, probe_inputs, probe_tokens
from attnscope.models.typed import as_module

# The stacks of attention: "self" of a model with one; in an encoder–decoder the encoder's, the decoder's, and "cross",
# from the decoder to the encoder.
STACKS = ("self", "encoder", "decoder", "cross")
# Where a model's output has the weights of each.
_OUTPUTS = {
    "self": "attentions",
    "encoder": "encoder_attentions",
    "decoder": "decoder_attentions",
    "cross": "cross_attentions",
}
# What the probe allows between our weights and the model's own, by the precision of the model: more than rounding
# makes, far less than any difference in the formula.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 5e-3, torch.bfloat16: 3e-2}

# The same of the body's output, as a share of its size.
OUTPUT_TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3}


def checked_stack(net: PreTrainedModel, stack: str | None) -> str:
    """The stack that is meant. Raises ModelError for one that the model does not have."""
    if not is_encoder_decoder(net):
        if stack not in (None, "self"):
            raise ModelError(f"{type(net).__name__} has no {stack!r} attention: it is not an encoder–decoder")
        return "self"
    if stack not in (None, *STACKS[1:]):
        raise ModelError(f"there is no {stack!r} attention: choose from {', '.join(STACKS[1:])}")
    return stack or "encoder"


def body_of(net: PreTrainedModel, stack: str) -> nn.Module:
    """The part of the model that has to run so that this stack's attention happens."""
    return as_module(net.base_model) if stack in ("decoder", "cross") else self_attention_body(net)


def attention_layout(net: PreTrainedModel, inputs: Mapping[str, Tensor], stack: str | None = None) -> AttentionLayout:
    """Where the model's attention is; learnt once a model, from the first few tokens of `inputs`.

    Raises ModelError for a model that gives no attention weights, or whose weights cannot be read faithfully.
    """
    with_decoder = checked_stack(net, stack) in ("decoder", "cross")
    layouts = facts_of(net).layouts
    if with_decoder not in layouts:
        with unchanged(net), torch.no_grad():
            trial = probe_inputs(inputs, probe_tokens(net))
            body = body_of(net, "cross" if with_decoder else "self")
            layouts[with_decoder] = with_model_numbers(net, body, trial, _probe(net, trial, with_decoder))
    return layouts[with_decoder]


@dataclass(frozen=True)
class _OwnWeights:
    """The model's own eager attention: of each stack its layers' weights, and which module returned them, and where.

    returned: by the tensor's id; the tensors are kept alive, or another might get the same id.
    calls:    those that went through transformers' interface.
    """

    layers: dict[str, list[Tensor]]
    returned: dict[int, tuple[nn.Module, int]]
    alive: list[Tensor]
    calls: list["_Call"]


@dataclass(frozen=True)
class _Call:
    """What is kept of a call: its weights as attnscope reads them, or as eager attention makes them, and its facts.

    excess: the largest error of what the model made of these queries and keys, in units of what rounding allows.
    """

    module: nn.Module
    weights: Tensor
    keys_seen: Tensor
    scaling: tuple[float, float | None]
    excess: float

    def like(self, other: "_Call") -> bool:
        """Whether both are the same call, of two passes."""
        return (
            self.module is other.module
            and self.scaling == other.scaling
            and self.weights.shape == other.weights.shape
            and bool((self.keys_seen == other.keys_seen).all())
        )


def _probe(net: PreTrainedModel, inputs: dict[str, Tensor], with_decoder: bool) -> AttentionLayout:
    body = body_of(net, "cross" if with_decoder else "self")
    name = net.config._attn_implementation
    as_it_came = _hidden(body(**accepted(body, inputs)))
    with unchanged(net):  # a function of the user's own is what the model comes back to
        eager = _own_weights(net, body, inputs)
    expected = eager.layers
    if not with_decoder:
        expected = {"encoder" if is_encoder_decoder(net) else "self": next(iter(expected.values()))}
    if set_implementation(net, IMPLEMENTATION):
        seen: list[_Call] = []
        with served(), watched_by(partial(_keep, seen)):
            served_output = _hidden(body(**accepted(body, inputs)))
        if seen:
            _check_output(net, served_output, as_it_came, same=name == net.config._attn_implementation)
            calls = _matched(net, seen, expected, eager.calls)
            return AttentionLayout(calls, tuple(call.weights.shape[1] for call in seen))
    return _hooked(net, body, inputs, expected, eager.returned)


def _keep(seen: list[_Call], call: AttentionCall) -> CallChange:
    """A call is kept once its output is there."""
    assert isinstance(call, SDPACall)

    def keep(output: Tensor) -> Tensor:
        excess = exact_attention(call).excess_of_output(output)
        weights = call.weights(torch.arange(call.queries)).cpu()
        seen.append(_Call(call.module, weights, call.keys_seen(), (call.scaling, call.softcap), excess))
        return output

    return CallChange(on_output=keep)


def _keep_eager(seen: list[_Call], call: SDPACall, weights: Tensor) -> None:
    excess = exact_attention(call).excess_of_weights(weights)
    seen.append(_Call(call.module, weights.float().cpu(), call.keys_seen(), (call.scaling, call.softcap), excess))


def _append_weights(call: AttentionCall, weights: list[Tensor]) -> None:
    weights.append(call.weights(torch.arange(call.queries)).cpu())


def _hooked(
    net: PreTrainedModel,
    body: nn.Module,
    inputs: dict[str, Tensor],
    expected: dict[str, list[Tensor]],
    returned: dict[int, tuple[nn.Module, int]],
) -> AttentionLayout:
    """The layout of a model outside the interface, whose modules return their weights."""
    layers = [(stack, layer, weights) for stack, of in expected.items() for layer, weights in enumerate(of)]
    if len(expected) > 1 or any(id(weights) not in returned for _, _, weights in layers):
        raise ModelError(
            f"{type(net).__name__} neither uses transformers' attention interface nor returns its attention weights "
            "from a module: attnscope cannot read them faithfully"
        )
    hooked = AttentionLayout(
        tuple((stack, layer) for stack, layer, _ in layers),
        tuple(weights.shape[1] for _, _, weights in layers),
        tuple(returned[id(weights)] for _, _, weights in layers),
    )
    intercepted: list[Tensor] = []
    with watching(net, hooked, lambda call: _append_weights(call, intercepted)) as extra:
        body(**accepted(body, inputs), **extra)
    theirs = [weights for _, _, weights in layers]
    agree = len(intercepted) == len(theirs) and all(
        _error(a, b) <= _tolerance(net) for a, b in zip(intercepted, theirs, strict=True)
    )
    return hooked if agree else replace(hooked, values=False)


def _matched(
    net: PreTrainedModel, seen: list[_Call], expected: dict[str, list[Tensor]], eager: list[_Call]
) -> tuple[tuple[str, int], ...]:
    """Which stack and layer each seen call is: of each stack the next layer in turn, the one that agrees best.

    Where passes can be compared, its rows agree with the eager ones. Where rounding drives them apart, in half
    precision and with quantised weights, both must be exact for their own queries and keys, and be the same call.
    """
    total = sum(map(len, expected.values()))
    if len(seen) != total:
        raise ModelError(
            f"{type(net).__name__} calls attention {len(seen)} times but reports {total} attention layers: attnscope "
            "cannot tell which is which"
        )
    following = dict.fromkeys(expected, 0)
    calls = []
    by_rounding = len(eager) == total and _rounds(net)
    for i, ours in enumerate(seen):
        compared = eager[i].weights if by_rounding else ours.weights
        errors = {
            stack: _error(compared, layers[following[stack]])
            for stack, layers in expected.items()
            if following[stack] < len(layers)
        }
        stack = min(errors, key=lambda name: errors[name])
        layer = following[stack]
        if ours.excess > 1:
            raise ModelError(
                f"{type(net).__name__} does not return what its attention weights make of its values, in layer "
                f"{layer} (attention implementation {net.config._attn_implementation!r}): attnscope would show what "
                'the model does not do. With model.set_attn_implementation("sdpa") or "eager" it may be read'
            )
        agrees = errors[stack] <= _tolerance(net)
        if by_rounding:
            agrees = agrees and eager[i].excess <= 1 and ours.like(eager[i])
        if not agrees:
            difference = _error(ours.weights, expected[stack][layer])
            raise ModelError(
                f"{type(net).__name__} does something with its attention that attnscope does not know: layer "
                f"{layer} differs from the model's own eager attention by {difference:.2g}; please report the model"
            )
        calls.append((stack, layer))
        following[stack] += 1
    return tuple(calls)


def _rounds(net: PreTrainedModel) -> bool:
    """Whether two passes of this model differ by more than single precision makes."""
    return net.dtype not in (torch.float32, torch.float64) or bool(getattr(net, "is_quantized", False))


def _hidden(outputs: Any) -> Tensor:
    """What a pass of the body is for: its last hidden states."""
    hidden = getattr(outputs, "last_hidden_state", None)
    return hidden if isinstance(hidden, Tensor) else outputs[0]


def _check_output(net: PreTrainedModel, served_output: Tensor, as_it_came: Tensor, *, same: bool) -> None:
    """Refuse a model that computes something else while it is watched than it did as it came."""
    difference = (served_output.float() - as_it_came.float()).norm() / as_it_came.float().norm()
    allowed = 0.1 if _rounds(net) else OUTPUT_TOLERANCE[net.dtype]
    # With other kernels than it came with, passes in half precision may end anywhere.
    if not difference <= allowed and (same or not _rounds(net)):
        raise ModelError(
            f"{type(net).__name__} computes something else with the attention that attnscope watches than as it came: "
            f"its output differs by {difference:.2g} of its size; please report the model"
        )


def _tolerance(net: PreTrainedModel) -> float:
    return TOLERANCE.get(net.dtype, 3e-2)


def _error(ours: Tensor, theirs: Tensor) -> float:
    return (ours - theirs.float().cpu()).abs().max().item() if ours.shape == theirs.shape else float("inf")


def _own_weights(net: PreTrainedModel, body: nn.Module, inputs: dict[str, Tensor]) -> _OwnWeights:
    returned: dict[int, tuple[nn.Module, int]] = {}
    alive: list[Tensor] = []
    calls: list[_Call] = []

    def note(module: nn.Module, _args: object, output: object) -> None:
        if isinstance(output, tuple):
            for i, part in enumerate(output):
                if isinstance(part, Tensor) and part.dim() == 4:
                    returned.setdefault(id(part), (module, i))
                    alive.append(part)

    set_implementation(net, "eager")
    handles = [module.register_forward_hook(note, prepend=True) for module in body.modules()]
    try:
        with eager_watched_by(partial(_keep_eager, calls)):
            outputs = body(**accepted(body, inputs), output_attentions=True)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{type(net).__name__} gives no attention weights ({error})") from error
    finally:
        for handle in handles:
            handle.remove()
    layers = {stack: _layers(outputs, name) for stack, name in _OUTPUTS.items()}
    layers = {stack: of for stack, of in layers.items() if of}
    if not layers:
        raise ModelError(
            f"{type(net).__name__} has no attention weights to show (it may be a state-space or recurrent model); use "
            "a transformer with attention layers, or a gradient method"
        )
    lengths = {inputs[name].shape[1] for name in ("input_ids", "decoder_input_ids") if name in inputs}
    every = [weights for of in layers.values() for weights in of]
    if any(weights.dim() != 4 or not {*weights.shape[2:]} <= lengths for weights in every):
        raise ModelError(
            f"{type(net).__name__} reports attention of shape {tuple(every[0].shape)}, not (batch, head, query, key): "
            "it does not attend from every token to every token, which is all that attnscope can draw"
        )
    for weights in every:
        lowest, highest = weights.min().item(), weights.float().sum(-1).max().item()
        if lowest < 0 or highest > 1 + max(1e-4, 4 * torch.finfo(weights.dtype).eps):
            raise ModelError(
                f"{type(net).__name__} reports attention that is no shares: rows that sum to {highest:.3g}, entries "
                f"down to {lowest:.3g}; these may be raw scores, and attnscope cannot draw them"
            )
    return _OwnWeights(layers, returned, alive, calls)


def _layers(outputs: Any, name: str) -> list[Tensor]:
    return [weights for weights in getattr(outputs, name, None) or () if weights is not None]
