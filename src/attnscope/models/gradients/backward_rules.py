"""A backward pass by other rules than calculus: for norms, for attention's softmax, for products of two activations.

The forward pass stays as it is. In the backward pass:
- norms scale by the statistics they had, as if these were constants;
- attention's softmax answers as one at another temperature, so that a sharp one still lets a gradient through;
- queries, keys and values get a share of their gradients.

Problems solved here:
- models that take attention through transformers' interface get a function of ours, which keeps queries, keys and
  values and recomputes the weights in the backward pass, a block at a time; the others run eager, and their softmax and
  the product with the values are intercepted where they are called;
- which formula a norm has is not taken from its name: each is compared with the module's own output as it runs, and
  one that is neither a LayerNorm nor an RMSNorm is refused by name.

What it does not see: norms that are not modules of their own. Attention without a softmax is refused by
`attention_layout`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from attnscope.errors import ModelError
from attnscope.models.architecture import is_encoder_decoder
from attnscope.models.attention.eager_hook import Multiply, SoftmaxInterceptor
from attnscope.models.attention.interface import (
    AttentionCall,
    CallChange,
    SDPACall,
    blockwise_output,
)
from attnscope.models.attention.layout import attention_layout
from attnscope.models.attention.serving import set_implementation
from attnscope.models.attention.watching import watching
from attnscope.models.hooks import forward_replaced, own_forward_wrapped
from attnscope.models.leave_unchanged import unchanged
from attnscope.models.typed import applied


@dataclass(frozen=True)
class BackwardRules:
    """What attention does to a gradient.

    temperature:     of the softmax, in the backward pass.
    query_key_share: of the gradient at queries and at keys; value_share: of that at values.
    """

    temperature: float
    query_key_share: float
    value_share: float


@contextmanager
def backward_modified(net: PreTrainedModel, inputs: Mapping[str, Tensor], rules: BackwardRules) -> Iterator[None]:
    """Inside, gradients follow the rules, and norms have constant statistics; values are the model's own.

    inputs: of a pass, to learn the model's attention from. Raises ModelError, naming the class, for a model without
    attention or whose attention or norms are not known.
    """
    # A classifier with encoder and decoder gives its decoder the text itself.
    inputs = {"decoder_input_ids": inputs["input_ids"], **inputs} if is_encoder_decoder(net) else inputs
    layout = attention_layout(net, inputs, "decoder" if is_encoder_decoder(net) else None)
    with unchanged(net), ExitStack() as stack:
        for module in net.modules():
            # Torch calls what makes a weight (weight_norm, spectral_norm) a norm too.
            made_by_torch = type(module).__module__.startswith("torch.nn.utils.")
            if type(module).__name__.endswith("Norm") and not list(module.children()) and not made_by_torch:
                stack.enter_context(own_forward_wrapped(module, partial(partial, _with_constants, module)))
        modules, eager = layout.modules, bool(layout.hooked) or layout.implementation == "eager"
        if is_encoder_decoder(net) and not layout.heads_of("encoder"):  # made in another way than the decoder's
            modules, eager = (*modules, *attention_layout(net, inputs, "encoder").modules), True
        if eager:
            set_implementation(net, "eager")
            for module in dict.fromkeys(modules):
                stack.enter_context(forward_replaced(module, partial(_eager, rules, module, module.forward)))
        else:
            stack.enter_context(watching(net, layout, partial(_modify, rules)))
        yield


def _with_constants(module: nn.Module, forward: Callable[..., Any], x: Tensor, *more: Any, **named: Any) -> Tensor:
    """A norm's own output, with the gradient of scaling by constants."""
    with torch.no_grad():
        output = forward(x, *more, **named)
    name = type(module).__name__
    if more or named or not isinstance(output, Tensor) or output.shape != x.shape:
        raise ModelError(f"{name} is not a norm of one tensor, so its statistics cannot be held constant")
    for linear in _formulas(module, x):
        if (linear.detach() - output).abs().max() <= _tolerance(x.dtype) * (1 + output.abs().max()):
            # The module's own number, to the last bit, and the formula's gradient.
            return output + (linear - linear.detach()).to(output)
    raise ModelError(
        f"{name} is neither a LayerNorm nor an RMSNorm, so its statistics cannot be held constant: use another "
        "gradient method"
    )


def _formulas(module: nn.Module, x: Tensor) -> Iterator[Tensor]:
    """What the norm may be: LayerNorm or RMSNorm, its gain as it is or counted from 1, statistics as constants.

    Or, as in MobileBERT, one that has no statistics. Nothing for one of another axis than the last (SqueezeBERT).
    """
    eps = next((float(getattr(module, n)) for n in ("eps", "variance_epsilon", "epsilon") if hasattr(module, n)), 0.0)
    weight, bias = getattr(module, "weight", None), getattr(module, "bias", None)
    if weight is not None and weight.shape != x.shape[-1:]:  # of another dimension than the last
        return
    x = x.float()
    gains = [torch.ones(1, device=x.device)] if weight is None else [weight.float(), 1 + weight.float()]
    centred = x - x.mean(-1, keepdim=True)
    by_spread = [y * (y.detach().square().mean(-1, keepdim=True) + eps).rsqrt() for y in (centred, x)]
    for scaled in (*by_spread, x):
        for gain in gains:
            yield scaled * gain if bias is None else scaled * gain + bias.float()


def _tolerance(dtype: torch.dtype) -> float:
    return 1e-4 if dtype in (torch.float32, torch.float64) else 2e-2


def _modify(rules: BackwardRules, call: AttentionCall) -> CallChange:
    assert isinstance(call, SDPACall)
    if any(x is not None and x.requires_grad for x in (call.mask, call.sinks)):
        raise ModelError(
            f"{type(call.module).__name__} makes biases or sinks of its hidden states, through which a gradient passes "
            "by a way that attnscope does not know: use another gradient method"
        )
    return CallChange(output=applied(_ModifiedAttention, call.query, call.key, call.value, call, rules))


class _ModifiedAttention(torch.autograd.Function):
    """Attention forward as it is, backward by the rules: (batch, query, head, hidden)."""

    @staticmethod
    def forward(ctx: Any, *args: Any) -> Tensor:
        """args: query, key and value, which get gradients; the call that they are of; the rules."""
        call: SDPACall = args[3]
        ctx.call, ctx.rules = call.detached(), args[4]
        return blockwise_output(ctx.call, ctx.call.value)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        call: SDPACall = ctx.call
        rules: BackwardRules = ctx.rules
        to_output = outer[0].transpose(1, 2).float()  # (batch, head, query, hidden)
        to_query = []
        to_key = to_value = torch.zeros((), device=call.key.device)
        for block in call.blocks():
            seen = block.weights.shape[-1]
            key, value = call.key[:, :, :seen].float(), call.value[:, :, :seen].float()
            at_output = _by_key_head(to_output[:, :, block.queries], call)
            to_weights = (at_output @ value.transpose(-1, -2)).reshape((*block.weights.shape[:2], -1, seen))
            soft, slope = call.weights_at_temperature(block.queries, seen, rules.temperature)
            to_scores = soft * (to_weights - (soft * to_weights).sum(-1, keepdim=True)) * slope * call.scaling
            by_head = _by_key_head(to_scores, call)
            rows = _by_key_head(call.query[:, :, block.queries].float(), call)
            to_query.append((by_head @ key).reshape(*to_scores.shape[:-1], key.shape[-1]) * rules.query_key_share)
            padding = (0, 0, 0, call.keys - seen)
            to_key = to_key + functional.pad(by_head.transpose(-1, -2) @ rows, padding) * rules.query_key_share
            weights = _by_key_head(block.weights, call)
            to_value = to_value + functional.pad(weights.transpose(-1, -2) @ at_output, padding) * rules.value_share
        dtype = call.query.dtype
        return torch.cat(to_query, 2).to(dtype), to_key.to(dtype), to_value.to(dtype), None, None


def _by_key_head(x: Tensor, call: SDPACall) -> Tensor:
    """(batch, head, query, …) -> (batch, key head, query of each of its heads, …)."""
    return x.reshape(x.shape[0], call.key.shape[1], -1, x.shape[-1])


def _eager(rules: BackwardRules, module: nn.Module, forward: Callable[..., Any], *args: Any, **named: Any) -> Any:
    """An eager attention module's own forward, its softmax and its product with the values modified."""

    shapes: list[torch.Size] = []

    def softmax(scores: Tensor, dim: int) -> Tensor:
        shapes.append(scores.shape)
        return applied(_ModifiedSoftmax, scores, dim, rules)

    def product(weights: Tensor, values: Tensor, multiply: Multiply) -> Tensor:
        # Queries and keys meet nowhere but in the scores: their share, which is the same, is taken there.
        return multiply(weights, applied(_Shared, values, rules.value_share))

    asked = named.get("output_attentions", True)
    if "output_attentions" in named:  # some turn to fast attention unless they are to return weights
        named["output_attentions"] = True
    with SoftmaxInterceptor(product, softmax) as seen:
        output = forward(*args, **named)
    # Weights that nobody asked for are taken for what comes after them (in transformers 5.0 T5's position biases).
    if not asked and isinstance(output, tuple) and len(output) > 2 and _are_weights(output[-1], shapes):
        output = output[:-1]
    if (seen.softmaxes, seen.products) != (1, 1):
        raise ModelError(
            f"{type(module).__name__} multiplies its values in a way that attnscope does not know, so its backward "
            "pass cannot be modified: use another gradient method"
        )
    return output


def _are_weights(returned: object, shapes: Sequence[torch.Size]) -> bool:
    return isinstance(returned, Tensor) and any(returned.shape[-2:] == shape[-2:] for shape in shapes)


class _ModifiedSoftmax(torch.autograd.Function):
    """Softmax in float32 forward; backward that of another temperature, less the share of queries and keys."""

    @staticmethod
    def forward(ctx: Any, scores: Tensor, dim: int, rules: BackwardRules) -> Tensor:
        ctx.save_for_backward(scores)
        ctx.dim, ctx.rules = dim, rules
        return scores.float().softmax(dim)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None, None]:
        (scores,) = ctx.saved_tensors
        soft = (scores.float() / ctx.rules.temperature).softmax(ctx.dim)
        to_scores = soft * (outer[0] - (soft * outer[0]).sum(ctx.dim, keepdim=True))
        return (to_scores * ctx.rules.query_key_share).to(scores.dtype), None, None


class _Shared(torch.autograd.Function):
    """The same, with a share of the gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, share: float) -> Tensor:
        ctx.share = share
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *outer: Tensor) -> tuple[Tensor, None]:
        return outer[0] * ctx.share, None
